/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a client talks to, as a key of the store. */
#ifndef JTGI_TOKENS_COMMON_ENDPOINT_H
#define JTGI_TOKENS_COMMON_ENDPOINT_H

#include "core/digest.h"

#include <jtiguard/endpoint.h>
#include <jtiguard/status.h>
#include <stdbool.h>

enum {
    JTGI_ENDPOINT_DIGEST_BYTES = JTGI_DIGEST_BYTES,
    JTGI_ENDPOINT_DIGEST_TEXT_BYTES = JTGI_DIGEST_TEXT_BYTES,
    JTGI_HOST_BYTES = JTG_ENDPOINT_HOST_MAX_BYTES + 64 /* with an address's zone */
};

/* The one spelling of a host. False if it is none. */
bool jtgi_host_normalise(const char *host, char normal[JTGI_HOST_BYTES]);

/* A caller's endpoint, which may not be missing. Its parts are checked by the digest.
 * Returns: JTG_OK · JTG_ERR_ARGUMENT */
jtg_status jtgi_endpoint_read(jtg_endpoint *endpoint, const jtg_endpoint *given, jtg_error *err);

/* SHA-256 over length-prefixed parts: label, zone, host, port, alpn, parameters. The label says for
 * what, so that no two kinds of store ever share a key.
 * Returns: JTG_OK · JTG_ERR_ARGUMENT */
jtg_status jtgi_endpoint_digest(const jtg_endpoint *endpoint, const char *label, const char *zone,
                                unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES], jtg_error *err);

/* SHA-256 over a label, the endpoint's digest, and a ticket or token of that endpoint: what is
 * reserved once it has been stored, to know a second copy by. */
void jtgi_endpoint_ticket_digest(const unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES],
                                 const char *label, const void *ticket, size_t ticket_len,
                                 unsigned char ticket_digest[JTGI_ENDPOINT_DIGEST_BYTES]);

/* A key of the cache: the prefix and the digest in base64url. A NUL byte follows.
 * key_size: at least strlen(prefix) + JTGI_ENDPOINT_DIGEST_TEXT_BYTES + 1 */
void jtgi_endpoint_key(const char *prefix, const unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES],
                       char *key, size_t key_size);

#endif
