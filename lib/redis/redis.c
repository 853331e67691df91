/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis backend's table, its making and its end. */
#include "core/alloc.h"
#include "core/fork.h"
#include "core/options.h"
#include "redis/store.h"

#include <string.h>

/* Nothing here talks or waits. In a child of fork() the locks may be held by threads that do not
 * exist here: none is waited for, and closing the child's copy of a descriptor says nothing to the
 * server, for the parent still holds its own. */
static void destroy(jtg_cache *self)
{
    struct jtgi_redis *redis = (struct jtgi_redis *)(void *)self;
    bool in_child = self->fork_generation != jtgi_fork_generation();
    for (size_t i = 0; i < JTG_REDIS_CONNECTIONS_LIMIT; i++)
        if (in_child)
            jtgi_pipeline_clear_in_child(&redis->pipelines[i]);
        else
            jtgi_pipeline_clear(&redis->pipelines[i]);
    jtgi_resolver_clear(&redis->resolver);
    jtgi_tls_free(redis->tls);
    jtgi_counters_free(redis->counters);
    jtgi_redis_config_clear(&redis->config);
    jtg_cache_clear_base(&redis->base);
    jtgi_free(redis);
}

static const jtg_backend backend = {
    .struct_size = sizeof(jtg_backend),
    .name = "redis",
    .reserve = jtgi_redis_reserve,
    .release = jtgi_redis_release,
    .count = jtgi_redis_count,
    .clear = jtgi_redis_clear,
    .ping = jtgi_redis_ping,
    .destroy = destroy,
    .put = jtgi_redis_put,
    .get = jtgi_redis_get,
    .take = jtgi_redis_take,
    .swap = jtgi_redis_swap,
    .drop = jtgi_redis_drop,
};

static jtg_status make_parts(struct jtgi_redis *redis, jtg_error *err)
{
    struct jtgi_pipeline_hooks hooks = {redis, jtgi_store_connect_hook, jtgi_store_known_down_hook,
                                        NULL};
    redis->counters = jtgi_counters_new(JTGI_COUNTERS);
    if (redis->counters == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the counters");
    hooks.counters = redis->counters;
    jtgi_resolver_init(&redis->resolver);
    jtgi_health_init(&redis->health, &redis->config.clock);
    for (size_t i = 0; i < JTG_REDIS_CONNECTIONS_LIMIT; i++)
        jtgi_pipeline_init(&redis->pipelines[i], &hooks);
    return jtgi_tls_new(&redis->tls, &redis->config, err);
}

static jtg_status make(struct jtgi_redis *redis, const jtg_redis_options *options, jtg_error *err)
{
    jtg_status status = jtgi_redis_config_read(&redis->config, options, err);
    if (status != JTG_OK)
        return status;
    status = jtg_cache_init(&redis->base, &backend, err);
    if (status == JTG_OK)
        status = make_parts(redis, err);
    if (status != JTG_OK) {
        jtgi_counters_free(redis->counters);
        jtgi_redis_config_clear(&redis->config);
        jtg_cache_clear_base(&redis->base);
    }
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

struct jtgi_redis *jtgi_redis_of(jtg_cache *cache, jtg_status *status, jtg_error *err)
{
    *status = JTG_OK;
    if (cache == NULL || cache->backend != &backend)
        *status = jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "the cache is no Redis cache");
    else if (cache->fork_generation != jtgi_fork_generation())
        *status = jtg_error_set(err, JTG_ERR_FORKED, 0,
                                "the cache was made before fork: make one in each process");
    return *status == JTG_OK ? (struct jtgi_redis *)(void *)cache : NULL;
}

/* ---- numbers ---- */

static void read_pipelines(struct jtgi_redis *redis, jtg_redis_stats *stats)
{
    for (size_t i = 0; i < redis->config.options.connections; i++) {
        struct jtgi_pipeline *pipeline = &redis->pipelines[i];
        pthread_mutex_lock(&pipeline->lock);
        stats->requests += pipeline->requests;
        if (pipeline->max_batch > stats->max_batch)
            stats->max_batch = pipeline->max_batch;
        pthread_mutex_unlock(&pipeline->lock);
    }
}

static void read_counters(const struct jtgi_redis *redis, jtg_redis_stats *stats)
{
    const struct jtgi_counters *counters = redis->counters;
    stats->connects = jtgi_counters_read(counters, JTGI_COUNT_CONNECTS);
    stats->connect_failures = jtgi_counters_read(counters, JTGI_COUNT_CONNECT_FAILURES);
    stats->poisoned = jtgi_counters_read(counters, JTGI_COUNT_POISONED);
    stats->batches = jtgi_counters_read(counters, JTGI_COUNT_BATCHES);
    stats->unknown = jtgi_counters_read(counters, JTGI_COUNT_UNKNOWN);
    stats->asked_again = jtgi_counters_read(counters, JTGI_COUNT_ASKED_AGAIN);
    stats->expired = jtgi_counters_read(counters, JTGI_COUNT_EXPIRED);
    stats->refused_at_once = jtgi_counters_read(counters, JTGI_COUNT_REFUSED_AT_ONCE);
}

jtg_status jtg_redis_stats_get(jtg_cache *cache, jtg_redis_stats *stats, jtg_error *err)
{
    jtg_status status = JTG_OK;
    struct jtgi_redis *redis = jtgi_redis_of(cache, &status, err);
    if (redis == NULL)
        return status;
    if (stats == NULL || !jtgi_output_size_ok(stats->struct_size, sizeof *stats))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "stats: struct_size is not set");
    size_t given_size = stats->struct_size;
    jtg_redis_stats now = {.struct_size = given_size, .up = !atomic_load(&redis->health.down)};
    read_pipelines(redis, &now);
    read_counters(redis, &now);
    memcpy(stats, &now, given_size < sizeof now ? given_size : sizeof now);
    return JTG_OK;
}
