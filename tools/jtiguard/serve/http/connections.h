/* SPDX-License-Identifier: Apache-2.0 */
/* The open connections, and how long each may take. The HTTP library ends a connection on which
 * nothing moves; who sends a byte now and then outlives that. So a thread of this room ends
 * whoever has not finished a request when its time is up. */
#ifndef SERVE_CONNECTIONS_H
#define SERVE_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct connections;
struct connection;

/* NULL when memory or a thread cannot be had. */
struct connections *connections_new(uint32_t request_timeout_ms, uint32_t keepalive_timeout_ms);
void connections_free(struct connections *connections);

/* A connection opens, with its first request expected at once. NULL: no memory; it then has no
 * bound but the library's. fd must stay open until connection_closed(). */
struct connection *connection_opened(struct connections *connections, int fd);
void connection_closed(struct connection *connection);

/* A request's first line has come; its answer has left. */
void connection_request_begins(struct connection *connection);
void connection_request_ended(struct connection *connection);

/* How long what came last has lain in the socket before it was read, as far as the system tells: in
 * milliseconds, and of TCP only; -1: it does not. NULL: nor here. */
int64_t connection_lay_ms(const struct connection *connection);

/* Whether it has ended, so that nobody waits for an answer. half: who ended only his own half is
 * taken for gone too. Over TCP the two look alike before something is sent, and the one of whom
 * that is believed may ask again; a unix socket tells them apart. NULL: no. Never waits but for
 * the list's lock. */
bool connection_is_gone(const struct connection *connection, bool half);

struct connection_count {
    unsigned open;
    unsigned busy;  /* of them, with a request under way */
    uint64_t taken; /* since the start */
    uint64_t late;  /* of those, ended because their time was up */
};
struct connection_count connections_count(struct connections *connections);

/* From now on a connection ends with its request; those that stand idle end at once. */
void connections_drain(struct connections *connections);

#endif
