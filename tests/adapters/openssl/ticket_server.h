/* SPDX-License-Identifier: Apache-2.0 */
/* A TLS server on loopback that gives tickets, and remembers each one that a client offers: it
 * reads them from the ClientHello, where they are in clear. One connection at a time, in a thread
 * of its own; each gets a line and an orderly end. */
#ifndef TESTS_ADAPTERS_OPENSSL_TICKET_SERVER_H
#define TESTS_ADAPTERS_OPENSSL_TICKET_SERVER_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#define TICKET_SERVER_LINE "hello\n"

enum { TICKET_DIGEST_BYTES = 32 };

struct ticket_server {
    SSL_CTX *context; /* the test's to change while the server is not running */
    int listener;
    uint16_t port;
    _Atomic int is_ending;
    pthread_t thread;
    /* Of all connections; to be read when the server is stopped, or no client is under way. */
    _Atomic unsigned handshakes;
    _Atomic unsigned resumed;
    _Atomic unsigned issued;                       /* tickets */
    _Atomic unsigned offered;                      /* tickets, also twice the same */
    unsigned char (*digests)[TICKET_DIGEST_BYTES]; /* of those */
    size_t room;
};

/* Listens, with the key and certificates of two PEM files, and answers nobody yet. Failures assert.
 */
void ticket_server_init(struct ticket_server *server, const char *key_path,
                        const char *certificate_path);
void ticket_server_run(struct ticket_server *server);
void ticket_server_stop(struct ticket_server *server); /* it may be run again */
void ticket_server_clear(struct ticket_server *server);

/* Another key and certificate, of a server that does not run. */
void ticket_server_present(struct ticket_server *server, const char *key_path,
                           const char *certificate_path);

/* Number of tickets that were offered more than once. Sorts what is remembered. */
unsigned ticket_server_repeated(struct ticket_server *server);

#endif
