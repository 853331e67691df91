/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/route/node.h"

#include "core/alloc.h"
#include "core/log.h"
#include "redis/flow/counts.h"
#include "redis/line/deadline.h"
#include "redis/route/arrival.h"
#include "redis/say/server/gate.h"

#include <jtiguard/status.h>
#include <string.h>

void jtgi_node_address(struct jtgi_node *node, struct jtgi_address *address)
{
    pthread_mutex_lock(&node->address_lock);
    *address = node->address;
    pthread_mutex_unlock(&node->address_lock);
}

void jtgi_node_note_other(struct jtgi_node *node, const struct jtgi_address *address)
{
    struct jtgi_address *own = &node->address;
    pthread_mutex_lock(&node->address_lock);
    if (jtgi_address_equals(own, address))
        memcpy(own->other_host, address->other_host, sizeof own->other_host);
    else if (jtgi_address_crosses(own, address)) /* an answer that prefers the other form */
        memcpy(own->other_host, address->host, sizeof own->other_host);
    pthread_mutex_unlock(&node->address_lock);
}

struct jtgi_pipeline *jtgi_node_pipeline(struct jtgi_node *node)
{
    static atomic_uint next_thread;
    static _Thread_local unsigned own_number; /* one more than the number; 0 = not yet drawn */
    if (own_number == 0)
        own_number = atomic_fetch_add_explicit(&next_thread, 1, memory_order_relaxed) % 65536 + 1;
    return &node->pipelines[(own_number - 1) % node->shared->config.options.connections];
}

/* ---- connecting ---- */

static int64_t connect_deadline(const struct jtgi_shared *shared, int64_t deadline_ns)
{
    int64_t own = jtgi_deadline_in_ms(shared->config.options.connect_timeout_ms);
    return own < deadline_ns ? own : deadline_ns;
}

/* Whoever still talks to where it was before must ask again. */
static void leave_old_place(struct jtgi_node *node)
{
    for (size_t i = 0; i < node->shared->config.options.connections; i++)
        jtgi_pipeline_retire(&node->pipelines[i]);
}

/* Named anew under another epoch, it may have been left meanwhile without knowing: another primary
 * was used, and died before it could tell. */
jtg_status jtgi_node_be_named(struct jtgi_node *node, const struct jtgi_address *primary,
                              uint64_t epoch, struct jtgi_whereabouts *where, jtg_error *err)
{
    pthread_mutex_lock(&node->address_lock);
    /* A thread that stopped behind its question does not take back what others have heard since. */
    if (node->epoch != JTGI_NO_EPOCH && epoch < node->epoch) {
        pthread_mutex_unlock(&node->address_lock);
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                             "redis: another primary was named while the Sentinels were asked");
    }
    bool moved = !jtgi_address_equals(&node->address, primary) || node->epoch != epoch;
    node->address = *primary;
    node->epoch = epoch;
    node->place += moved;
    where->address = *primary;
    where->epoch = epoch;
    where->place = node->place;
    pthread_mutex_unlock(&node->address_lock);
    if (moved)
        leave_old_place(node);
    return JTG_OK;
}

jtg_status jtgi_node_connect(struct jtgi_node *node, int64_t deadline_ns,
                             struct jtgi_connection **connection, jtg_redis_server *server,
                             jtg_error *err)
{
    struct jtgi_arrival arrival;
    jtgi_arrival_begin(&arrival, node, &node->shared->dialer, false, deadline_ns);
    jtg_status status = jtgi_arrival_go_on(&arrival, err);
    *server = arrival.best.server;
    *connection = jtgi_arrival_take(&arrival);
    jtgi_arrival_end(&arrival);
    return status;
}

/* Out of memory, or of descriptors, says nothing about the store. */
static bool is_about_store(jtg_status status)
{
    return status != JTG_ERR_MEMORY;
}

static void report(const struct jtgi_shared *shared, jtg_status status,
                   const jtg_redis_server *server, const jtg_error *err)
{
    const jtg_logger *logger = &shared->config.logger;
    char evicts[JTGI_EVICTION_BYTES];
    if (status != JTG_OK) {
        jtgi_log(logger, JTG_LOG_ERROR, "%s", err->text);
        return;
    }
    jtgi_log(logger, JTG_LOG_INFO, "redis: connected to %s %s at %s", server->software,
             server->version, server->address);
    if (!server->evicts)
        return;
    jtgi_gate_format_eviction(server, evicts);
    jtgi_log(logger, JTG_LOG_ERROR,
             "redis: UNSAFE, allowed by allow_eviction: the server may evict live entries (%s), "
             "and each of them can be admitted again",
             evicts);
}

/* ---- what a pipeline calls ---- */

jtg_status jtgi_node_begin_visit(struct jtgi_node *node, struct jtgi_arrival *arrival,
                                 struct jtgi_dialer *dialer, int64_t deadline_ns, jtg_error *err)
{
    const struct jtgi_shared *shared = node->shared;
    jtg_status status = jtgi_health_begin(&node->health, err);
    if (status != JTG_OK)
        jtgi_counters_add(shared->counters, JTGI_COUNT_REFUSED_AT_ONCE);
    else
        jtgi_arrival_begin(arrival, node, dialer, jtgi_config_watches(&shared->config),
                           deadline_ns);
    return status;
}

struct jtgi_connection *jtgi_node_end_visit(struct jtgi_node *node, struct jtgi_arrival *arrival,
                                            jtg_status status, const jtg_error *err)
{
    const struct jtgi_shared *shared = node->shared;
    struct jtgi_connection *connection = status == JTG_OK ? jtgi_arrival_take(arrival) : NULL;
    jtgi_arrival_end(arrival);
    jtgi_health_end(&node->health, is_about_store(status) ? status : JTG_OK, err);
    jtgi_counters_add(shared->counters,
                      status == JTG_OK ? JTGI_COUNT_CONNECTS : JTGI_COUNT_CONNECT_FAILURES);
    report(shared, status, &arrival->best.server, err);
    return connection;
}

void jtgi_node_leave_visit(struct jtgi_node *node, struct jtgi_arrival *arrival)
{
    jtgi_arrival_end(arrival);
    jtgi_health_leave(&node->health);
}

static jtg_status connect_hook(void *context, int64_t deadline_ns,
                               struct jtgi_connection **connection, jtg_error *err)
{
    struct jtgi_node *node = context;
    struct jtgi_arrival arrival;
    jtg_status status =
        jtgi_node_begin_visit(node, &arrival, &node->shared->dialer, deadline_ns, err);
    if (status != JTG_OK)
        return status;
    status = jtgi_arrival_go_on(&arrival, err);
    *connection = jtgi_node_end_visit(node, &arrival, status, err);
    return status;
}

static jtg_status known_down_hook(void *context, jtg_error *err)
{
    struct jtgi_node *node = context;
    jtg_status status = jtgi_health_check(&node->health, err);
    if (status != JTG_OK)
        jtgi_counters_add(node->shared->counters, JTGI_COUNT_REFUSED_AT_ONCE);
    return status;
}

/* Do those who name the primary still name this one? */
static jtg_status still_right_hook(void *context, const struct jtgi_connection *connection,
                                   int64_t deadline_ns)
{
    struct jtgi_node *node = context;
    struct jtgi_whereabouts now;
    jtg_status status = node->guide->where(node->guide->route, node,
                                           connect_deadline(node->shared, deadline_ns), &now, NULL);
    return status != JTG_OK || now.place == connection->use.place ? status : JTG_ERR_UNAVAILABLE;
}

void jtgi_node_tell_lost(const struct jtgi_node *node, const struct jtgi_fault *why)
{
    jtgi_log(&node->shared->config.logger, JTG_LOG_WARNING, "redis: a connection was given up: %s",
             why->text);
}

static void lost_hook(void *context, const struct jtgi_fault *why)
{
    jtgi_node_tell_lost(context, why);
}

/* ---- life ---- */

struct jtgi_node *jtgi_node_new(struct jtgi_shared *shared, const struct jtgi_guide *guide,
                                const struct jtgi_address *address, uint64_t serial)
{
    struct jtgi_node *node = jtgi_alloc(sizeof *node);
    if (node == NULL)
        return NULL;
    const jtg_redis_options *options = &shared->config.options;
    struct jtgi_watch *watch = jtgi_shared_watch(shared);
    struct jtgi_pipeline_hooks hooks = {
        .context = node,
        .connect = connect_hook,
        .known_down = known_down_hook,
        .still_right = guide->named_by_others ? still_right_hook : NULL,
        .counters = shared->counters,
        .watch = watch,
        .durability = {options->replicas, options->replicas_timeout_ms, options->fsync != 0},
        .gains = watch != NULL ? &node->gains : NULL,
        .lost = lost_hook};
    node->shared = shared;
    node->guide = guide;
    node->serial = serial;
    node->refs = 1;
    node->epoch = JTGI_NO_EPOCH;
    node->address = *address;
    (void)pthread_mutex_init(&node->address_lock, NULL);
    jtgi_health_init(&node->health, &shared->config.clock,
                     guide->named_by_others ? JTGI_PAUSE_FAILOVER_MS : JTGI_PAUSE_LIMIT_MS);
    for (size_t i = 0; i < JTG_REDIS_CONNECTIONS_LIMIT; i++)
        jtgi_pipeline_init(&node->pipelines[i], &hooks);
    return node;
}

void jtgi_node_free(struct jtgi_node *node)
{
    for (size_t i = 0; i < JTG_REDIS_CONNECTIONS_LIMIT; i++)
        jtgi_pipeline_clear(&node->pipelines[i]);
    jtgi_free(node);
}

void jtgi_node_free_in_child(struct jtgi_node *node)
{
    for (size_t i = 0; i < JTG_REDIS_CONNECTIONS_LIMIT; i++)
        jtgi_pipeline_clear_in_child(&node->pipelines[i]);
    jtgi_free(node);
}
