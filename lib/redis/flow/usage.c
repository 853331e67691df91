/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/usage.h"

#include "redis/line/deadline.h"

/* A connection is looked at before it is used again after this long: a server that went away has
 * closed it, and what is written to it then has an unknown outcome, where "unreachable" would be
 * the truth. Callers in a row are spared the system call. */
#define IDLE_NS JTGI_NS_PER_MS

/* A connection that nobody used for this long may lead nowhere: a translation on the way, or a
 * balancer, may have forgotten it without a word. So what goes out on it first has half of its
 * time, if all who ask may ask twice, and a new connection has the other half. A server that lives
 * and takes longer than half is asked twice, and so are those behind it: that costs a connection.
 * It is not answered later than without, unless connecting takes as long as half too, and then it
 * is one that is seldom reached at all. */
#define DOUBT_NS JTGI_NS_PER_S

/* As far as it takes no question to others. */
bool jtgi_usage_is_sound(const struct jtgi_connection *connection, bool alone, uint64_t gains,
                         int64_t now_ns)
{
    const struct jtgi_use *use = &connection->use;
    if (atomic_load(&connection->broken) != NULL || use->gains != gains)
        return false;
    return !alone || now_ns - use->used_ns < IDLE_NS ||
           jtgi_transport_is_quiet(&connection->transport);
}

/* Half of what its callers have, beside what replicas may take. */
static int64_t half_of(const struct jtgi_batch *batch, int64_t now_ns)
{
    return now_ns + batch->wait_ns + (batch->earliest_ns - now_ns - batch->wait_ns) / 2;
}

int64_t jtgi_usage_doubt(const struct jtgi_batch *batch, const struct jtgi_connection *connection,
                         bool alone, int64_t now_ns)
{
    return batch->repeatable && alone && now_ns - connection->use.used_ns >= DOUBT_NS
               ? half_of(batch, now_ns)
               : 0;
}

bool jtgi_usage_is_silent(const struct jtgi_batch *batch, const struct jtgi_connection *connection)
{
    return batch->part == JTGI_PART_COMMANDS && batch->at == 0 && connection->unparsed == 0;
}
