/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/loop/lane.h"

#include "redis/flow/counts.h"
#include "redis/flow/usage.h"
#include "redis/line/deadline.h"

#include <jtiguard/status.h>
#include <poll.h>
#include <string.h>

void jtgi_lane_init(struct jtgi_lane *lane, struct jtgi_node *node, struct jtgi_bell *bell)
{
    const jtg_redis_options *options = &node->shared->config.options;
    memset(lane, 0, sizeof *lane);
    lane->node = node;
    lane->bell = bell;
    lane->durability = (struct jtgi_durability){options->replicas, options->replicas_timeout_ms,
                                                options->fsync != 0};
    for (unsigned i = 0; i < JTGI_LANE_FLIGHTS; i++)
        jtgi_chain_init(&lane->flights[i].trips);
}

void jtgi_lane_clear(struct jtgi_lane *lane)
{
    for (unsigned i = 0; i < JTGI_LANE_FLIGHTS; i++)
        jtgi_batch_free(lane->flights[i].batch);
    jtgi_connection_free(lane->connection);
    lane->connection = NULL;
}

static void count(const struct jtgi_lane *lane, size_t what)
{
    jtgi_counters_add(lane->node->shared->counters, what);
}

/* ---- its connection ---- */

void jtgi_lane_take(struct jtgi_lane *lane, struct jtgi_connection *connection, int64_t asked_ns,
                    uint64_t gains)
{
    connection->use.named_ns = asked_ns;
    connection->use.used_ns = jtgi_now_ns();
    connection->use.gains = gains;
    lane->connection = connection;
    lane->retired = false;
}

/* What it had left to send is wished for no more: the next one would ring all the time. */
void jtgi_lane_let_go(struct jtgi_lane *lane)
{
    lane->bell->also_wanted = 0;
    if (lane->connection != NULL && !lane->retired)
        count(lane, JTGI_COUNT_POISONED);
    jtgi_connection_free(lane->connection);
    lane->connection = NULL;
    lane->retired = false;
}

/* What flies on it may still come home. */
static void retire(struct jtgi_lane *lane)
{
    if (!lane->retired)
        count(lane, JTGI_COUNT_POISONED);
    lane->retired = true;
    if (lane->count == 0)
        jtgi_lane_let_go(lane);
}

/* Where nobody has used it for so long that a look-up would come too late for one use, a caller
 * that blocks waits a while for it. Here the new connection is it. */
static bool is_left(struct jtgi_connection *connection, int64_t now_ns)
{
    struct jtgi_residence *residence = &connection->residence;
    if (now_ns < residence->due_ns)
        return false;
    return (residence->address.unix_path == NULL &&
            now_ns - residence->due_ns >= residence->age_ns) ||
           jtgi_residence_is_left(residence, now_ns, now_ns);
}

bool jtgi_lane_is_fit(struct jtgi_lane *lane, int64_t now_ns)
{
    struct jtgi_connection *connection = lane->connection;
    if (connection == NULL || lane->retired)
        return false;
    uint64_t gains = connection->use.gains;
    if (jtgi_shared_watch(lane->node->shared) != NULL)
        gains = atomic_load(&lane->node->gains);
    if (jtgi_usage_is_sound(connection, lane->count == 0, gains, now_ns) &&
        !is_left(connection, now_ns))
        return true;
    retire(lane);
    return false;
}

/* ---- its flights ---- */

static struct jtgi_lane_flight *flight_at(struct jtgi_lane *lane, unsigned place)
{
    return &lane->flights[(lane->first + place) % JTGI_LANE_FLIGHTS];
}

struct jtgi_lane_flight *jtgi_lane_first(struct jtgi_lane *lane)
{
    return lane->count == 0 ? NULL : flight_at(lane, 0);
}

/* What goes out behind a WAIT only grows old there. */
bool jtgi_lane_has_room(const struct jtgi_lane *lane)
{
    bool waits = lane->durability.replicas != 0 || lane->durability.fsync;
    return lane->count < (waits ? 1U : (unsigned)JTGI_LANE_FLIGHTS);
}

struct jtgi_lane_flight *jtgi_lane_open(struct jtgi_lane *lane)
{
    struct jtgi_lane_flight *flight = flight_at(lane, lane->count);
    if (flight->batch == NULL)
        flight->batch = jtgi_batch_new();
    else
        jtgi_batch_reset(flight->batch);
    flight->sent = 0;
    return flight->batch == NULL ? NULL : flight;
}

static void count_requests(struct jtgi_node *node, uint64_t requests)
{
    uint64_t most = atomic_load(&node->loop_max_batch);
    atomic_fetch_add(&node->loop_requests, requests);
    while (requests > most && !atomic_compare_exchange_weak(&node->loop_max_batch, &most, requests))
        continue;
}

void jtgi_lane_depart(struct jtgi_lane *lane, struct jtgi_lane_flight *flight, int64_t now_ns)
{
    struct jtgi_batch *batch = flight->batch;
    struct jtgi_connection *connection = lane->connection;
    jtgi_batch_finish(batch, jtgi_shared_watch(lane->node->shared), &lane->durability, connection,
                      now_ns);
    batch->doubt_ns = jtgi_usage_doubt(batch, connection, lane->count == 0, now_ns);
    connection->use.used_ns = now_ns;
    lane->count++;
    count_requests(lane->node, batch->commands);
    count(lane, JTGI_COUNT_BATCHES);
}

/* What does not leave now is wished for together with what is to come: the server may take no more
 * before it has been heard. */
bool jtgi_lane_send(struct jtgi_lane *lane, struct jtgi_fault *fault)
{
    bool later = false;
    lane->bell->also_wanted = POLLIN;
    fault->io = JTGI_IO_LATER;
    for (unsigned i = 0; i < lane->count && !later; i++) {
        struct jtgi_lane_flight *flight = flight_at(lane, i);
        const struct jtgi_batch *batch = flight->batch;
        if (flight->sent == batch->len ||
            jtgi_connection_send(lane->connection, batch->bytes, batch->len, &flight->sent,
                                 INT64_MAX, fault))
            continue;
        later = fault->io == JTGI_IO_LATER;
        if (!later)
            return false;
    }
    lane->bell->also_wanted = later ? POLLOUT : 0;
    return true;
}

struct jtgi_lane_flight *jtgi_lane_receive(struct jtgi_lane *lane, struct jtgi_fault *fault)
{
    struct jtgi_lane_flight *flight = jtgi_lane_first(lane);
    fault->io = JTGI_IO_LATER;
    if (flight == NULL ||
        !jtgi_batch_receive(flight->batch, &lane->durability, lane->connection, INT64_MAX, fault))
        return NULL;
    jtgi_batch_judge(flight->batch, jtgi_shared_watch(lane->node->shared), lane->connection);
    return flight;
}

void jtgi_lane_drop(struct jtgi_lane *lane)
{
    lane->first = (lane->first + 1) % JTGI_LANE_FLIGHTS;
    lane->count--;
}

/* The seal came back, so the replies were ours. Bytes that nobody asked for condemn only what would
 * come after them. */
void jtgi_lane_land(struct jtgi_lane *lane, bool is_odd)
{
    bool unhealthy = is_odd || flight_at(lane, 0)->batch->unhealthy;
    jtgi_lane_drop(lane);
    if (unhealthy || lane->retired ||
        (lane->count == 0 && !jtgi_connection_is_empty(lane->connection)))
        retire(lane);
}

/* ---- doubt ---- */

int64_t jtgi_lane_doubt_ns(struct jtgi_lane *lane)
{
    const struct jtgi_lane_flight *flight = jtgi_lane_first(lane);
    return flight == NULL || flight->batch->doubt_ns == 0 ? INT64_MAX : flight->batch->doubt_ns;
}

/* Not when something else flies on it that must not be asked twice: it keeps all of its time. */
bool jtgi_lane_gives_up(struct jtgi_lane *lane)
{
    struct jtgi_batch *batch = flight_at(lane, 0)->batch;
    bool silent = jtgi_usage_is_silent(batch, lane->connection);
    for (unsigned i = 0; i < lane->count; i++)
        silent = silent && flight_at(lane, i)->batch->repeatable;
    batch->doubt_ns = 0;
    return silent;
}
