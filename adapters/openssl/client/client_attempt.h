/* SPDX-License-Identifier: Apache-2.0 */
/* What a context and a connection of a client carry for the cache of tickets. */
#ifndef ADAPTERS_OPENSSL_CLIENT_CLIENT_ATTEMPT_H
#define ADAPTERS_OPENSSL_CLIENT_CLIENT_ATTEMPT_H

#include "adapters/openssl/client/client_trust.h"
#include "adapters/openssl/client/session_record.h"

#include <jtiguard/tls_tickets.h>

typedef int (*jtgo_new_session)(SSL *ssl, SSL_SESSION *session);

/* Of a context. Read only, once it is attached. */
struct jtgo_client {
    jtg_tls_tickets *tickets; /* borrowed */
    jtg_logger logger;        /* write is NULL: silence */
    jtgo_new_session program; /* what the program had set; may be NULL */
};

/* Of a connection: one attempt to reach a server. */
struct jtgo_attempt {
    const struct jtgo_client *client;
    char host[JTG_ENDPOINT_HOST_MAX_BYTES + 1];
    uint32_t port;
    size_t alpn_len;
    unsigned char alpn[JTG_ENDPOINT_ALPN_MAX_BYTES];
    unsigned char verification[JTGO_TRUST_DIGEST_BYTES];
    unsigned char trust[JTGO_TRUST_DIGEST_BYTES];
    SSL_SESSION *offered;   /* NULL = none */
    STACK_OF(X509) * chain; /* of the full handshake behind the connection */
    unsigned char pin[JTGO_SPKI_DIGEST_BYTES];
    bool is_pin_seen; /* the cache knows of it */
    /* Since the server showed that it has its key, as it was at shown_at_s (monotonic). */
    uint32_t age_s;
    int64_t shown_at_s;
    unsigned tickets; /* that have come */
};

/* client is taken on success. False without memory. */
bool jtgo_client_attach(SSL_CTX *context, struct jtgo_client *client);
struct jtgo_client *jtgo_client_of(const SSL_CTX *context); /* NULL = none */

/* An empty attempt in place of what the connection had. NULL without memory. */
struct jtgo_attempt *jtgo_attempt_begin(SSL *ssl);
struct jtgo_attempt *jtgo_attempt_of(const SSL *ssl); /* NULL = none */
void jtgo_attempt_end(SSL *ssl);

#endif
