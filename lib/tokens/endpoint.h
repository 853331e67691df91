/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a client's session is with, as a key of the store. */
#ifndef JTGI_TOKENS_ENDPOINT_H
#define JTGI_TOKENS_ENDPOINT_H

#include <jtiguard/dtls_sessions.h>
#include <stdbool.h>

enum {
    JTGI_ENDPOINT_DIGEST_BYTES = 32,
    JTGI_ENDPOINT_KEY_BYTES = 7 + 43,              /* "dtls:1:" and the digest in base64url */
    JTGI_TICKET_SEEN_KEY_BYTES = 12 + 43,          /* "dtls-seen:1:" and a digest */
    JTGI_HOST_BYTES = JTG_DTLS_HOST_MAX_BYTES + 64 /* with an address's zone */
};

/* The one spelling of a host. False if it is none. */
bool jtgi_host_normalise(const char *host, char normal[JTGI_HOST_BYTES]);

/* SHA-256 over length-prefixed parts: label, zone, host, port, alpn, parameters.
 * Returns: JTG_OK · JTG_ERR_ARGUMENT */
jtg_status jtgi_endpoint_digest(const jtg_dtls_endpoint *endpoint, const char *zone,
                                unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES], jtg_error *err);

/* Where the endpoint's sessions are. A NUL byte follows the key. */
void jtgi_endpoint_key(const unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES],
                       char key[JTGI_ENDPOINT_KEY_BYTES + 1]);

/* What is reserved when a ticket of the endpoint has been stored. */
void jtgi_endpoint_seen_key(const unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES],
                            const void *ticket, size_t ticket_len,
                            char key[JTGI_TICKET_SEEN_KEY_BYTES + 1]);

#endif
