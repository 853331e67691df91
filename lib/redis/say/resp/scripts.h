/* SPDX-License-Identifier: Apache-2.0 */
/* The scripts of scripts/, with the digests by which a server knows them. Both are made by the
 * build from the .lua files. */
#ifndef JTGI_REDIS_SCRIPTS_H
#define JTGI_REDIS_SCRIPTS_H

#include <stddef.h>

enum jtgi_script {
    JTGI_SCRIPT_HOLD,
    JTGI_SCRIPT_RELEASE,
    JTGI_SCRIPT_SHARE,
    JTGI_SCRIPT_UNSHARE,
    JTGI_SCRIPT_MARK,
    JTGI_SCRIPT_LOWER,
    JTGI_SCRIPT_RAISE,
    JTGI_SCRIPT_PUT,
    JTGI_SCRIPT_GET,
    JTGI_SCRIPT_TAKE,
    JTGI_SCRIPT_SWAP,
    JTGI_SCRIPT_DROP,
    JTGI_SCRIPT_BITS,
    JTGI_SCRIPT_COUNT
};

const char *jtgi_script_text(enum jtgi_script script);
const char *jtgi_script_sha1(enum jtgi_script script);

#endif
