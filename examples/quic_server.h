/* SPDX-License-Identifier: Apache-2.0 */
/* The state of quic_server.c, and what quic_admission.c decides for it: may this packet begin a
 * connection, and has its token been used before? */
#ifndef EXAMPLES_QUIC_SERVER_H
#define EXAMPLES_QUIC_SERVER_H

#include "quic_connection.h"

#include <jtiguard/jtiguard.h>
#include <jtiguard/quic_tokens_ngtcp2.h>

enum { QUIC_SERVER_CONNECTIONS_MAX = 64, QUIC_SERVER_CIDS_MAX = 32, QUIC_SERVER_SECRET_BYTES = 32 };

struct quic_server {
    int fd;
    struct quic_address local;
    struct quic_connection connections[QUIC_SERVER_CONNECTIONS_MAX]; /* conn NULL: a free place */
    gnutls_certificate_credentials_t credentials;
    uint8_t secret[QUIC_SERVER_SECRET_BYTES];
    jtg_cache *cache;
    jtg_quic_reuse *reuse;
    jtg_ngtcp2_server tokens;
    const char *why; /* why it does not start */
};

/* log and secret_file: as quic_server.c says; secret_file may be NULL. */
bool quic_server_open(struct quic_server *server, const char *certificate, const char *key,
                      const char *log, const char *secret_file);
void quic_server_close(struct quic_server *server);

/* A packet for no connection that we know. True: it has begun one in this place, and is still to
 * be read. False: it was answered with a Retry, or not at all. */
bool quic_server_begin(struct quic_server *server, struct quic_connection *place,
                       const struct quic_address *from, const uint8_t *packet, size_t len);

/* A packet of a version that we do not speak: tell which ones we do. */
void quic_server_negotiate(const struct quic_server *server, const struct quic_address *from,
                           const ngtcp2_version_cid *header);

#endif
