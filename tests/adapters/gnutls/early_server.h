/* SPDX-License-Identifier: Apache-2.0 */
/* GnuTLS servers that take early data, as processes of their own, and a client of theirs.
 *
 * A server says of each connection that came whether its early data was accepted and whether the
 * handshake was completed. To one that completed it, it sends the early data back, after "+", or
 * "-" and the first data after the handshake. */
#ifndef TESTS_ADAPTERS_EARLY_SERVER_H
#define TESTS_ADAPTERS_EARLY_SERVER_H

#include "support/first_flight.h"
#include "support/tls_certificate.h"

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* How a server recognises flights. */
enum early_guard {
    EARLY_GUARD_ADAPTER,  /* by jtiguard */
    EARLY_GUARD_WHOLE_KEY /* as the trap has it: GnuTLS's whole key, in the same store */
};

struct early_server {
    pid_t pid; /* 0: not running */
    int listener;
    int reports; /* what it says of its connections */
    uint16_t port;
    enum early_guard guard;
    const char *redis_uri;                     /* borrowed */
    const gnutls_datum_t *ticket_key;          /* borrowed; the same for all that share tickets */
    const struct tls_certificate *certificate; /* borrowed */
};

struct early_report {
    bool early;      /* early data was accepted */
    bool completed;  /* the handshake was */
    uint64_t unsure; /* how many flights have been refused as unsure so far */
};

/* Ready for connections when this returns, though it may answer the first one late. */
void early_server_start(struct early_server *server);
/* kill -9, and what was connected is cut off. The port stays. */
void early_server_kill(struct early_server *server);
void early_server_stop(struct early_server *server);

/* What it says of the next connection that ended, within twenty seconds. */
struct early_report early_server_report(struct early_server *server);

/* A session to resume, from a full handshake. Free with gnutls_free(). */
gnutls_datum_t early_client_session(struct early_server *server);

struct early_client {
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    struct first_flight_wire wire;
};

/* A client that has sent its first flight with early data, which is returned and goes nowhere. */
void early_client_start(struct early_client *client, const gnutls_datum_t *session,
                        struct first_flight *flight);

/* Let it go on with a server to the end of the handshake; if the early data was refused it sends
 * its data again. The server must send it back. Returns whether the early data was accepted. */
bool early_client_finish(struct early_client *client, const struct first_flight *flight,
                         struct early_server *server);
void early_client_stop(struct early_client *client);

#endif
