/* SPDX-License-Identifier: Apache-2.0 */
/* kept_since and vouch: what is asked of every primary, about the whole store. */
#include "core/clock.h"
#include "core/error.h"
#include "redis/ask/late_marking.h"
#include "redis/ask/store.h"
#include "redis/line/deadline.h"

#include <string.h>

static const char *const loss_names[JTGI_LOSSES] = {
    [JTG_REDIS_LOSS_NONE] = "none",           [JTG_REDIS_LOSS_NO_MARKER] = "no_marker",
    [JTG_REDIS_LOSS_RESTARTED] = "restarted", [JTG_REDIS_LOSS_PROMOTED] = "promoted",
    [JTG_REDIS_LOSS_FLUSHED] = "flushed",     [JTG_REDIS_LOSS_EVICTED] = "evicted",
    [JTG_REDIS_LOSS_EXCHANGED] = "exchanged",
};

const char *jtg_redis_loss_name(jtg_redis_loss loss)
{
    return (unsigned)loss < JTGI_LOSSES ? loss_names[loss] : "unknown";
}

/* ---- kept_since ---- */

/* A command that does nothing, and the look behind it. */
static jtg_status look(struct jtgi_request *request)
{
    struct jtgi_command command;
    redisReply *reply = NULL;
    request->watched = true;
    request->kept_since_ms = JTGI_KEPT_ANY;
    jtgi_command_init(&command);
    jtgi_command_begin(&command, 1);
    jtgi_command_text(&command, "PING");
    enum jtgi_fate fate = jtgi_request_read(request, &command, &reply);
    jtgi_command_clear(&command);
    if (fate != JTGI_FATE_ANSWERED)
        return fate == JTGI_FATE_UNKNOWN ? JTG_ERR_UNAVAILABLE : request->err->status;
    jtg_status status = JTG_OK;
    if (jtgi_reply_error(reply) != NULL)
        status = jtgi_request_reject(request, reply, JTG_ERR_PROTOCOL);
    freeReplyObject(reply);
    return status;
}

/* After a loss the next connection has marked the store anew, and the next look finds it so. */
static jtg_status look_until_kept(struct jtgi_request *request)
{
    enum { LOOKS_MAX = 4 };
    for (unsigned looks = 0; looks < LOOKS_MAX; looks++) {
        jtg_status status = look(request);
        if (status != JTG_OK || request->answer.sight == JTGI_SIGHT_KEPT)
            return status;
        if (request->answer.sight == JTGI_SIGHT_UNSAFE)
            return jtg_error_set(request->err, JTG_ERR_UNSAFE, 0,
                                 "redis: the server's configuration was changed: it may evict "
                                 "live entries, or has no append-only file any more");
        if (request->answer.sight == JTGI_SIGHT_UNMARKED)
            status = jtgi_mark_late(request, request->slot);
        if (status != JTG_OK)
            return status;
    }
    return jtg_error_set(request->err, JTG_ERR_CONTINUITY, 0,
                         "redis: the store forgets, again and again");
}

/* All markers of a node, on a connection of its own: read, and written where that is due; and
 * vouched for, since that moment, unless it is NULL. */
static jtg_status mark_node(struct jtgi_redis *redis, struct jtgi_node *node,
                            const int64_t *since_ms, int64_t deadline_ns, jtg_error *err)
{
    struct jtgi_watch *watch = &redis->shared.watch;
    struct jtgi_connection *connection = NULL;
    struct jtgi_slot_set slots;
    jtg_redis_server server = {0};
    jtgi_nodes_slots_of(&redis->route.nodes, node, &slots);
    jtg_status status = jtgi_node_connect(node, deadline_ns, &connection, &server, err);
    if (status == JTG_OK)
        status =
            since_ms == NULL
                ? jtgi_watch_mark(watch, connection, &server, &slots, deadline_ns, err)
                : jtgi_watch_vouch(watch, connection, &server, &slots, *since_ms, deadline_ns, err);
    jtgi_connection_free(connection);
    return status;
}

/* One marker tells of a loss, for the next connection reads all of them. It also tells that an
 * operator has vouched: then the others are read too. */
static jtg_status look_at_node(void *context, struct jtgi_node *node, int64_t deadline_ns,
                               jtg_error *err)
{
    struct jtgi_redis *redis = context;
    struct jtgi_request request;
    jtgi_request_init(&request, &redis->route, redis->shared.config.options.timeout_ms, err);
    request.deadline_ns = deadline_ns;
    request.node = node;
    if (!jtgi_nodes_marked_slot(&redis->route.nodes, node, &request.slot))
        return JTG_OK;
    int64_t before_ms = atomic_load(&redis->shared.watch.kept[request.slot].since_ms);
    jtg_status status = look_until_kept(&request);
    bool vouched = status == JTG_OK && request.answer.since_ms < before_ms;
    if (vouched && before_ms != JTGI_SINCE_PENDING && redis->shared.watch.slots > 1)
        status = mark_node(redis, node, NULL, deadline_ns, err);
    return status;
}

jtg_status jtgi_redis_kept_since(jtg_cache *self, int64_t *kept_since_ms, jtg_error *err)
{
    struct jtgi_redis *redis = (struct jtgi_redis *)(void *)self;
    int64_t deadline_ns = jtgi_deadline_in_ms(redis->shared.config.options.timeout_ms);
    jtg_status status = jtgi_route_each(&redis->route, deadline_ns, look_at_node, redis, err);
    if (status == JTG_OK && !jtgi_watch_kept_since(&redis->shared.watch, kept_since_ms))
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0, "redis: no part of the store is known");
    return status;
}

/* ---- vouch ---- */

struct vouching {
    struct jtgi_redis *redis;
    int64_t since_ms;
};

static jtg_status vouch_at(void *context, struct jtgi_node *node, int64_t deadline_ns,
                           jtg_error *err)
{
    const struct vouching *vouching = context;
    return mark_node(vouching->redis, node, &vouching->since_ms, deadline_ns, err);
}

jtg_status jtg_redis_vouch(jtg_cache *cache, int64_t since_ms, jtg_error *err)
{
    jtg_error unasked = JTG_ERROR_INIT;
    jtg_status status = JTG_OK;
    err = err == NULL ? &unasked : err;
    struct jtgi_redis *redis = jtgi_redis_of(cache, &status, err);
    if (redis == NULL)
        return status;
    if (!jtgi_config_watches(&redis->shared.config))
        return jtg_error_set(err, JTG_ERR_UNSUPPORTED, 0, "redis: continuity is off");
    if (since_ms < 0 || since_ms > jtgi_clock_wall_ms(&redis->shared.config.clock))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "redis: since lies in the future");
    jtgi_error_begin(err);
    struct vouching vouching = {redis, since_ms};
    return jtgi_route_each(&redis->route,
                           jtgi_deadline_in_ms(redis->shared.config.options.walk_timeout_ms),
                           vouch_at, &vouching, err);
}
