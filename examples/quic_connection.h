/* SPDX-License-Identifier: Apache-2.0 */
/* What quic_client.c and quic_server.c share: a QUIC connection of ngtcp2 and GnuTLS on a UDP
 * socket. It carries no application data; where yours would be sent is said in quic_connection.c.
 */
#ifndef EXAMPLES_QUIC_CONNECTION_H
#define EXAMPLES_QUIC_CONNECTION_H

#include "quic_compat.h"

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <stdbool.h>
#include <sys/socket.h>

enum {
    QUIC_CID_BYTES = 16,
    QUIC_DATAGRAM_MAX_BYTES = 65536,
    QUIC_HANDSHAKE_MS = 10000,
    QUIC_IDLE_MS = 30000
};

struct quic_address {
    struct sockaddr_storage at;
    socklen_t len;
};

struct quic_connection {
    ngtcp2_crypto_conn_ref ref; /* how the callbacks of GnuTLS find conn */
    ngtcp2_conn *conn;
    gnutls_session_t tls;
    int fd; /* borrowed: the client's own, or the server's one socket */
    struct quic_address local;
    struct quic_address remote;
    void *owner; /* the program's */
};

/* The monotonic clock in nanoseconds, as ngtcp2 wants it. */
ngtcp2_tstamp quic_now(void);

/* A connection ID of random bytes. */
bool quic_random_cid(ngtcp2_cid *cid);

/* Settings and parameters that both sides use, and the callbacks that are not about tokens. */
void quic_defaults(ngtcp2_settings *settings, ngtcp2_transport_params *params);
void quic_callbacks(ngtcp2_callbacks *callbacks);

/* Make the TLS session, before conn. flags is GNUTLS_CLIENT or GNUTLS_SERVER. The connection must
 * stay where it is. */
bool quic_tls(struct quic_connection *connection, unsigned flags,
              gnutls_certificate_credentials_t credentials);

/* conn has been made: tell it its session. */
void quic_tls_attach(struct quic_connection *connection);

ngtcp2_path quic_path(struct quic_connection *connection);

/* Give the connection a datagram; what it has to say in answer is sent by quic_send().
 *
 * 0 or what ngtcp2 says; NGTCP2_ERR_DRAINING: the other side has closed. */
int quic_read(struct quic_connection *connection, const uint8_t *packet, size_t len);

/* Send what is due. 0 or what ngtcp2 says. */
int quic_send(struct quic_connection *connection);

/* Milliseconds until quic_timer() is due, at most limit_ms. */
int quic_timeout_ms(const struct quic_connection *connection, int limit_ms);

/* Do what is due by time. 0 or what ngtcp2 says, e.g. that the connection has been idle. */
int quic_timer(struct quic_connection *connection);

/* Say good-bye, with what ngtcp2 said last, and free. */
void quic_close(struct quic_connection *connection, int error);

#endif
