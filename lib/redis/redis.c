/* SPDX-License-Identifier: Apache-2.0 */
/* The table of a Redis cache, its making, and its numbers. */
#include "core/alloc.h"
#include "core/options.h"
#include "redis/ask/store.h"
#include "redis/flow/counts.h"
#include "redis/loop/queue.h"

#include <string.h>

/* ---- the table ---- */

/* With and without continuity: the slots that both have. */
#define SLOTS                                                                                      \
    .struct_size = sizeof(jtg_backend), .name = "redis", .reserve = jtgi_redis_reserve,            \
    .release = jtgi_redis_release, .count = jtgi_redis_count, .clear = jtgi_redis_clear,           \
    .ping = jtgi_redis_ping, .destroy = jtgi_redis_destroy, .put = jtgi_redis_put,                 \
    .get = jtgi_redis_get, .take = jtgi_redis_take, .swap = jtgi_redis_swap,                       \
    .drop = jtgi_redis_drop, .reserve_many = jtgi_redis_reserve_many, .loop = &jtgi_redis_loop,    \
    .bitmap_put = jtgi_redis_bitmap_put, .bitmap_take_many = jtgi_redis_bitmap_take_many

static const jtg_backend watching = {
    SLOTS,
    .reserve_kept = jtgi_redis_reserve_kept,
    .kept_since = jtgi_redis_kept_since,
};
static const jtg_backend unwatching = {SLOTS};

const jtg_backend *jtgi_redis_backend(bool watches)
{
    return watches ? &watching : &unwatching;
}

/* ---- the making ---- */

static jtg_status make_parts(struct jtgi_redis *redis, jtg_error *err)
{
    struct jtgi_watch *watch = jtgi_shared_watch(&redis->shared);
    jtg_status status = jtgi_shares_init(&redis->shares, &redis->shared.config,
                                         watch == NULL ? NULL : &watch->keys, err);
    if (status != JTG_OK)
        return status;
    status = jtgi_route_init(&redis->route, &redis->shared, err);
    if (status != JTG_OK)
        jtgi_shares_clear(&redis->shares);
    return status;
}

static jtg_status make(struct jtgi_redis *redis, const jtg_redis_options *options, jtg_error *err)
{
    jtg_status status = jtgi_shared_init(&redis->shared, options, err);
    if (status != JTG_OK)
        return status;
    bool watches = jtgi_config_watches(&redis->shared.config);
    status = jtg_cache_init(&redis->base, jtgi_redis_backend(watches), err);
    if (status == JTG_OK) {
        status = make_parts(redis, err);
        if (status != JTG_OK)
            jtg_cache_clear_base(&redis->base);
    }
    if (status != JTG_OK)
        jtgi_shared_clear(&redis->shared, false);
    return status;
}

jtg_status jtg_redis_new(jtg_cache **cache, const jtg_redis_options *options, jtg_error *err)
{
    if (cache == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for the cache");
    *cache = NULL;
    struct jtgi_redis *redis = jtgi_alloc(sizeof *redis);
    if (redis == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for a cache");
    jtg_status status = make(redis, options, err);
    if (status == JTG_OK)
        *cache = &redis->base;
    else
        jtgi_free(redis);
    return status;
}

jtg_status jtg_redis_new_uri(jtg_cache **cache, const char *uri, jtg_error *err)
{
    jtg_redis_uri *parsed = NULL;
    if (cache == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for the cache");
    *cache = NULL;
    jtg_status status = jtg_redis_uri_parse(&parsed, uri, err);
    if (status == JTG_OK && jtg_redis_uri_keys(parsed) == JTG_REDIS_KEYS_PLAIN &&
        jtg_redis_uri_options(parsed)->prefix != NULL)
        /* The guard would put its own prefix behind it, and would meet no other verifier. */
        status = jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                               "redis: with keys=plain the prefix belongs to the guard: read the "
                               "URI with jtg_redis_uri_parse()");
    if (status == JTG_OK)
        status = jtg_redis_new(cache, jtg_redis_uri_options(parsed), err);
    jtg_redis_uri_free(parsed);
    return status;
}

/* ---- numbers ---- */

/* The struct as it was first released. */
#define OLDEST_STATS_SIZE offsetof(jtg_redis_stats, primary_changes)

static void read_node(const struct jtgi_redis *redis, struct jtgi_node *node,
                      jtg_redis_stats *stats)
{
    uint64_t largest = atomic_load(&node->loop_max_batch);
    stats->up = stats->up && !atomic_load(&node->health.down);
    stats->requests += atomic_load(&node->loop_requests);
    if (largest > stats->max_batch)
        stats->max_batch = largest;
    for (size_t i = 0; i < redis->shared.config.options.connections; i++) {
        struct jtgi_pipeline *pipeline = &node->pipelines[i];
        pthread_mutex_lock(&pipeline->lock);
        stats->requests += pipeline->requests;
        if (pipeline->max_batch > stats->max_batch)
            stats->max_batch = pipeline->max_batch;
        pthread_mutex_unlock(&pipeline->lock);
    }
}

static void read_nodes(struct jtgi_redis *redis, jtg_redis_stats *stats)
{
    struct jtgi_node *held[JTG_REDIS_NODES_LIMIT];
    unsigned count = jtgi_nodes_hold_all(&redis->route.nodes, held);
    for (unsigned i = 0; i < count; i++)
        read_node(redis, held[i], stats);
    jtgi_nodes_let_go_all(&redis->route.nodes, held, count);
    pthread_mutex_lock(&redis->route.nodes.lock);
    stats->requests += redis->route.nodes.gone_requests;
    if (redis->route.nodes.gone_max_batch > stats->max_batch)
        stats->max_batch = redis->route.nodes.gone_max_batch;
    pthread_mutex_unlock(&redis->route.nodes.lock);
}

static void read_counters(const struct jtgi_redis *redis, jtg_redis_stats *stats)
{
    const struct jtgi_counters *counters = redis->shared.counters;
    stats->connects = jtgi_counters_read(counters, JTGI_COUNT_CONNECTS);
    stats->connect_failures = jtgi_counters_read(counters, JTGI_COUNT_CONNECT_FAILURES);
    stats->poisoned = jtgi_counters_read(counters, JTGI_COUNT_POISONED);
    stats->batches = jtgi_counters_read(counters, JTGI_COUNT_BATCHES);
    stats->unknown = jtgi_counters_read(counters, JTGI_COUNT_UNKNOWN);
    stats->asked_again = jtgi_counters_read(counters, JTGI_COUNT_ASKED_AGAIN);
    stats->expired = jtgi_counters_read(counters, JTGI_COUNT_EXPIRED);
    stats->refused_at_once = jtgi_counters_read(counters, JTGI_COUNT_REFUSED_AT_ONCE);
    stats->too_few_replicas = jtgi_counters_read(counters, JTGI_COUNT_TOO_FEW_REPLICAS);
    stats->losses = jtgi_counters_read(counters, JTGI_COUNT_LOSSES);
    stats->primary_changes = jtgi_counters_read(counters, JTGI_COUNT_PRIMARY_CHANGES);
    stats->redirects = jtgi_counters_read(counters, JTGI_COUNT_REDIRECTS);
}

static void read_watch(struct jtgi_redis *redis, jtg_redis_stats *stats)
{
    int64_t since_ms = 0;
    stats->kept_since_ms = JTG_REDIS_UNSTATED;
    stats->watches = jtgi_config_watches(&redis->shared.config);
    if (!jtgi_config_watches(&redis->shared.config))
        return;
    stats->last_loss = jtgi_watch_last_loss(&redis->shared.watch);
    if (jtgi_watch_kept_since(&redis->shared.watch, &since_ms) && since_ms != JTGI_SINCE_PENDING)
        stats->kept_since_ms = since_ms < 0 ? 0 : (uint64_t)since_ms;
}

jtg_status jtg_redis_stats_get(jtg_cache *cache, jtg_redis_stats *stats, jtg_error *err)
{
    jtg_status status = JTG_OK;
    struct jtgi_redis *redis = jtgi_redis_of(cache, &status, err);
    if (redis == NULL)
        return status;
    if (stats == NULL || !jtgi_struct_size_ok(stats->struct_size, OLDEST_STATS_SIZE))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "stats: struct_size is not set");
    jtg_redis_stats now = {.struct_size = sizeof now, .up = 1};
    read_nodes(redis, &now);
    read_counters(redis, &now);
    read_watch(redis, &now);
    jtgi_struct_give(stats, &now, sizeof now);
    return JTG_OK;
}
