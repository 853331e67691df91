/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a session of TLS 1.3, from a handshake within one process. Its chain: another
 * certificate of the server's key, and one of another key. */
#ifndef TESTS_ADAPTERS_OPENSSL_SESSION_SAMPLE_H
#define TESTS_ADAPTERS_OPENSSL_SESSION_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>

struct session_sample {
    unsigned char *bytes;
    size_t len;
};

bool session_sample_make(struct session_sample *sample); /* false: something of OpenSSL failed */
void session_sample_clear(struct session_sample *sample);

#endif
