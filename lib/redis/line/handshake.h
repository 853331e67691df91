/* SPDX-License-Identifier: Apache-2.0 */
/* What is said on a new connection before the first command of a caller: AUTH, SELECT, CLIENT
 * SETNAME as configured, and INFO for the gate. One round trip. */
#ifndef JTGI_REDIS_HANDSHAKE_H
#define JTGI_REDIS_HANDSHAKE_H

#include "redis/line/connection.h"
#include "redis/line/dialer.h"
#include "redis/say/resp/command.h"

/* AUTH with a user, or without (NULL). Wipe the command after use. */
void jtgi_handshake_login(struct jtgi_command *command, const char *user, const char *password);

/* Send at once all that is built with the password of now, NULL without login; that is in memory no
 * longer than it takes.
 *
 * Returns: JTG_OK · JTG_ERR_UNAVAILABLE · JTG_ERR_MEMORY */
typedef void jtgi_handshake_build(struct jtgi_command *command,
                                  const struct jtgi_redis_config *config, const char *password);
jtg_status jtgi_handshake_send(struct jtgi_connection *connection, struct jtgi_password *password,
                               jtgi_handshake_build *build_all,
                               const struct jtgi_redis_config *config, int64_t deadline_ns,
                               jtg_error *err);

/* Log in and read the server's facts. Passing the gate is not its business.
 *
 * Returns: JTG_OK · JTG_ERR_UNAVAILABLE · JTG_ERR_REFUSED · JTG_ERR_PROTOCOL · JTG_ERR_MEMORY */
jtg_status jtgi_handshake(struct jtgi_connection *connection, struct jtgi_dialer *dialer,
                          int64_t deadline_ns, jtg_redis_server *server, jtg_error *err);

#endif
