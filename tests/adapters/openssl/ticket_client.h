/* SPDX-License-Identifier: Apache-2.0 */
/* A TLS client as a program would write it. Uses no asserts, so threads and children may call it.
 */
#ifndef TESTS_ADAPTERS_OPENSSL_TICKET_CLIENT_H
#define TESTS_ADAPTERS_OPENSSL_TICKET_CLIENT_H

#include <jtiguard/tls_tickets_openssl.h>
#include <stdbool.h>

/* One connection, and what came of it. */
struct visit {
    uint16_t port;
    const jtg_endpoint *endpoint; /* NULL: not prepared */
    void (*adjust)(SSL *ssl);     /* before it is prepared; NULL = nothing */
    void (*meddle)(SSL *ssl);     /* after it; NULL = nothing */
    bool is_deaf;                 /* leaves before it has read anything */

    jtg_status prepared;
    jtg_status connected;
    jtg_tls_resumption resumption;
    bool is_done; /* the handshake went through, and the server's line came */
    long verify_result;
};

/* A context that trusts the certificates of a file, or nobody and asks nobody: NULL. */
SSL_CTX *ticket_client_context(const char *authority_path);

/* localhost, with the port of the server. */
jtg_endpoint ticket_client_endpoint(uint16_t port);

int ticket_client_dial(uint16_t port); /* -1 on failure */
SSL *ticket_client_new(SSL_CTX *context, int fd);
bool ticket_client_read(SSL *ssl); /* the server's line, to the end of the connection */

void ticket_client_visit(SSL_CTX *context, struct visit *visit);

#endif
