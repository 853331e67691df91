/* SPDX-License-Identifier: Apache-2.0 */
/* A client and a server of TLS in memory, byte by byte in the hands of the test, which can keep the
 * client's first flight and send it again. */
#ifndef TESTS_ADAPTERS_OPENSSL_TLS_ENDS_H
#define TESTS_ADAPTERS_OPENSSL_TLS_ENDS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

enum { TLS_TICKETS_MAX = 4, TLS_FLIGHT_ROOM = 16384, TLS_EARLY_MAX = 1024 };

struct tls_flight {
    unsigned char bytes[TLS_FLIGHT_ROOM];
    size_t len;
};

/* A client, and the tickets that it got in its last connection. */
struct tls_client {
    SSL_CTX *context;
    SSL_SESSION *tickets[TLS_TICKETS_MAX];
    unsigned count;
    struct tls_flight first; /* of its last connection */
    bool unanswered;         /* its server goes without a farewell */
};

struct tls_outcome {
    bool completed; /* the handshake; of a flight alone: the server sent its Finished */
    bool resumed;
    bool early;        /* the server accepted early data, and so it was told to the client */
    size_t early_read; /* bytes that the server read of it */
};

void tls_client_init(struct tls_client *client);
void tls_client_clear(struct tls_client *client);

/* Take ticket n of the last connection, NULL if there is none; the caller frees it. */
SSL_SESSION *tls_client_take(struct tls_client *client, unsigned n);

/* A client's end without a peer: what it writes is in its write BIO, in memory, and what it reads
 * comes from its read BIO. The caller frees it. */
SSL *tls_client_end(struct tls_client *client, int version, SSL_SESSION *ticket);

/* Forget the tickets of the last connection. */
void tls_client_drop(struct tls_client *client);

/* The first flight of a client with early data, sent to nobody. */
void tls_capture(struct tls_client *client, SSL_SESSION *ticket, const char *early,
                 struct tls_flight *flight);

/* Of a server's end: whether it has sent its Finished, and waits for the client's. */
bool tls_waits_for_client(const SSL *server);

/* A server's context. */
SSL_CTX *tls_server_context(void);

/* Shake hands, in one version of TLS; with a ticket and early data unless NULL. Then the tickets
 * are the new ones. */
struct tls_outcome tls_connect(struct tls_client *client, SSL_CTX *server, int version,
                               SSL_SESSION *ticket, const char *early);

/* Give a first flight alone to a server, as who copied it can. Asserts nothing, so any thread may
 * call it. */
struct tls_outcome tls_replay(SSL_CTX *server, const struct tls_flight *flight);

#endif
