/* SPDX-License-Identifier: Apache-2.0 */
/* The library, called as a program calls it: one cache, one connection, any number of threads. */
#include "bench/redis/client.h"

#include "bench/isolate.h"

static void *open_with(const jtg_redis_options *options)
{
    jtg_cache *cache = NULL;
    jtg_error err = JTG_ERROR_INIT;
    if (jtg_redis_new(&cache, options, &err) != JTG_OK)
        bench_die("redis backend: %s", err.text);
    return cache;
}

static void *open_cache(const struct bench_place *place, unsigned callers)
{
    (void)callers;
    return open_with(place->options);
}

static void *open_unwatched(const struct bench_place *place, unsigned callers)
{
    (void)callers;
    jtg_redis_options options = *place->options;
    options.continuity = 0;
    return open_with(&options);
}

static void reserve(void *self, unsigned caller, const struct bench_fresh *fresh)
{
    (void)caller;
    jtg_error err = JTG_ERROR_INIT;
    jtg_key key = {fresh->key, sizeof fresh->key, NULL, 0};
    jtg_status status = jtg_cache_reserve(self, &key, &fresh->owner, BENCH_REDIS_TTL_MS, &err);
    if (status != JTG_OK)
        bench_die("redis backend: a fresh key was refused: %s (%s)", jtg_status_name(status),
                  err.text);
}

static struct bench_batches close_cache(void *self)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_redis_stats stats = {.struct_size = sizeof stats};
    if (jtg_redis_stats_get(self, &stats, &err) != JTG_OK)
        bench_die("redis backend: %s", err.text);
    jtg_cache_free(self);
    struct bench_batches batches = {
        stats.batches == 0 ? 0 : (double)stats.requests / (double)stats.batches,
        (double)stats.max_batch};
    return batches;
}

const struct bench_client bench_client_jtiguard = {"jtiguard", open_cache, reserve, close_cache,
                                                   true};
const struct bench_client bench_client_unwatched = {"jtiguard without continuity", open_unwatched,
                                                    reserve, close_cache, false};
