/* SPDX-License-Identifier: Apache-2.0 */
/* What is said on a new connection before the first command of a caller: AUTH, SELECT, CLIENT
 * SETNAME as configured, and INFO for the gate. One round trip. */
#ifndef JTGI_REDIS_HANDSHAKE_H
#define JTGI_REDIS_HANDSHAKE_H

#include "core/clock.h"
#include "redis/line/connection.h"
#include "redis/line/dialer.h"
#include "redis/say/resp/command.h"

/* AUTH with a user, or without (NULL). Wipe the command after use. */
void jtgi_handshake_login(struct jtgi_command *command, const char *user, const char *password);

/* Send at once all that is built with the password of now, NULL without login; that is in memory no
 * longer than it takes. For who waits.
 *
 * Returns: JTG_OK · JTG_ERR_UNAVAILABLE · JTG_ERR_MEMORY */
typedef void jtgi_handshake_build(struct jtgi_command *command,
                                  const struct jtgi_redis_config *config, const char *password);
jtg_status jtgi_handshake_send(struct jtgi_connection *connection, struct jtgi_password *password,
                               jtgi_handshake_build *build_all,
                               const struct jtgi_redis_config *config, int64_t deadline_ns,
                               jtg_error *err);

/* ---- log in and read the server's facts. Passing the gate is not its business ---- */

/* How far it has come. */
struct jtgi_handshake {
    struct jtgi_connection *connection; /* borrowed, as the next */
    struct jtgi_dialer *dialer;
    struct jtgi_command command; /* with the password in it, until it has left */
    size_t sent;
    bool is_sent;
    unsigned step;            /* whose answer comes next */
    struct jtgi_moment asked; /* before the question was sent */
};

/* It must stay where it is until jtgi_handshake_end(). Returns: JTG_OK · JTG_ERR_MEMORY */
jtg_status jtgi_handshake_begin(struct jtgi_handshake *handshake,
                                struct jtgi_connection *connection, struct jtgi_dialer *dialer,
                                jtg_error *err);

/* Returns: JTG_OK · JTGI_LATER · JTG_ERR_UNAVAILABLE · JTG_ERR_REFUSED · JTG_ERR_PROTOCOL */
jtg_status jtgi_handshake_go_on(struct jtgi_handshake *handshake, int64_t deadline_ns,
                                jtg_redis_server *server, jtg_error *err);

/* Wherever it stands; also after a beginning that failed. */
void jtgi_handshake_end(struct jtgi_handshake *handshake);

/* All of it, for who waits. Returns as both above. */
jtg_status jtgi_handshake(struct jtgi_connection *connection, struct jtgi_dialer *dialer,
                          int64_t deadline_ns, jtg_redis_server *server, jtg_error *err);

#endif
