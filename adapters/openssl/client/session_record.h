/* SPDX-License-Identifier: Apache-2.0 */
/* A client's session as the cache keeps it:
 *
 *   format 1 (1 byte)  age_s (4)  session_len (3)  session
 *   chain_count (1)  then of each certificate of the chain: its length (3), and it
 *
 * Numbers are big-endian, session and certificates in DER. OpenSSL writes only the server's own
 * certificate into a session; the chain stands beside it so that the next connection can judge the
 * server anew, by its own authorities. */
#ifndef ADAPTERS_OPENSSL_CLIENT_SESSION_RECORD_H
#define ADAPTERS_OPENSSL_CLIENT_SESSION_RECORD_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JTGO_RECORD_CHAIN_MAX = 16,
    JTGO_SPKI_DIGEST_BYTES = 32 /* SHA-256 */
};

struct jtgo_session_record {
    SSL_SESSION *session;
    STACK_OF(X509) * chain; /* without the server's own certificate; NULL = empty */
    uint32_t age_s;         /* since the server last showed that it has its key */
};

void jtgo_session_record_clear(struct jtgo_session_record *record);

/* The record in bytes, for OPENSSL_clear_free(); NULL where it cannot be written. */
unsigned char *jtgo_session_record_write(const struct jtgo_session_record *record, size_t *len);

/* False, and nothing to clear, unless the bytes are a whole record of a session that can be resumed
 * and shows a certificate. */
bool jtgo_session_record_read(struct jtgo_session_record *record, const void *bytes, size_t len);

/* SHA-256 of the certificate's SubjectPublicKeyInfo in DER. */
bool jtgo_spki_digest(X509 *certificate, unsigned char digest[JTGO_SPKI_DIGEST_BYTES]);

#endif
