/* SPDX-License-Identifier: Apache-2.0 */
/* Have the files that TLS was given changed? */
#ifndef JTGI_REDIS_TLS_FILES_H
#define JTGI_REDIS_TLS_FILES_H

#include <jtiguard/redis.h>
#include <stdbool.h>

enum { JTGI_TLS_PRINT_BYTES = 32 };

/* A digest over authorities, certificate and key, of what the files hold and which files they are:
 * a time of change alone misses one that comes within the clock's tick. Of the system's authorities
 * it is the latter only, for they are many.
 *
 * False when one of the files is no plain file: what is no file is read once. */
bool jtgi_tls_files_print(const jtg_redis_options *options,
                          unsigned char print[JTGI_TLS_PRINT_BYTES]);

#endif
