/* SPDX-License-Identifier: Apache-2.0 */
/* May a connection be used again, and how far is it trusted when it was idle? For whoever sends on
 * it: nothing here asks anybody, or waits. */
#ifndef JTGI_REDIS_USAGE_H
#define JTGI_REDIS_USAGE_H

#include "redis/flow/batch.h"
#include "redis/line/connection.h"

/* Is nothing known against it? alone: nothing flies on it. gains: its node's, now. */
bool jtgi_usage_is_sound(const struct jtgi_connection *connection, bool alone, uint64_t gains,
                         int64_t now_ns);

/* Of a batch that goes out on it now: until when an answer is waited for before the line is given
 * up; 0: it is not in doubt. */
int64_t jtgi_usage_doubt(const struct jtgi_batch *batch, const struct jtgi_connection *connection,
                         bool alone, int64_t now_ns);

/* Has nothing at all come of the batch that is first on it? */
bool jtgi_usage_is_silent(const struct jtgi_batch *batch, const struct jtgi_connection *connection);

#endif
