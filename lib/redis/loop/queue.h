/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis backend for a front that never blocks (core/loop.h): calls wait in a queue, leave
 * together, and what is known of each comes back. One connection, of one server that the options
 * name.
 *
 *     asking ──(all of a turn, one batch)──> flying ──(seal)──> asks again, or has ended
 *       │                                       └──(its slot is unmarked)──> marking ──> asks again
 *       └──(deadline, cancelled, no server)──> has ended
 *
 * How a connection is made, what is asked, what a round trip carries and what an answer is worth
 * are those of callers that block: route/arrival, ask/attempt, flow/batch, flow/watch. */
#ifndef JTGI_REDIS_QUEUE_H
#define JTGI_REDIS_QUEUE_H

#include "core/loop.h"

extern const struct jtgi_loop_table jtgi_redis_loop;

/* The connection that a loop of this table uses now; NULL: none. */
struct jtgi_connection;
struct jtgi_connection *jtgi_redis_loop_connection(void *self);

#endif
