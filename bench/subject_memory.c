/* SPDX-License-Identifier: Apache-2.0 */
/* The memory backend, called as a program calls it: through the Cache interface. */
#include "subject.h"

#include "isolate.h"

static void *make(const struct bench_setup *setup)
{
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    options.max_entries = setup->max_entries;
    if (!setup->thread)
        options.sweep_interval_ms = 0;
    options.clock = setup->clock;
    jtg_cache *cache = NULL;
    jtg_error err = JTG_ERROR_INIT;
    if (jtg_memory_new(&cache, &options, &err) != JTG_OK)
        bench_die("memory backend: %s", err.text);
    return cache;
}

static jtg_key key_of(const struct bench_item *item)
{
    jtg_key key = {item->key, BENCH_KEY_BYTES, NULL, 0};
    return key;
}

static jtg_status reserve(void *self, const struct bench_item *item, uint64_t ttl_ms)
{
    jtg_key key = key_of(item);
    return jtg_cache_reserve(self, &key, &item->owner, ttl_ms, NULL);
}

static jtg_status reserve_told(void *self, const struct bench_item *item, uint64_t ttl_ms)
{
    jtg_key key = key_of(item);
    jtg_error err;
    jtg_status status = jtg_cache_reserve(self, &key, &item->owner, ttl_ms, &err);
    return err.text[0] != '\0' ? status : JTG_OK;
}

static jtg_status release(void *self, const struct bench_item *item)
{
    jtg_key key = key_of(item);
    return jtg_cache_release(self, &key, &item->owner, NULL);
}

static size_t reserve_many(void *self, const struct bench_item *items, size_t count,
                           uint64_t ttl_ms, jtg_status expected)
{
    jtg_reserve_call calls[BENCH_BATCH];
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++)
        calls[i] = (jtg_reserve_call){.key = key_of(&items[i]),
                                      .owner = &items[i].owner,
                                      .ttl_ms = ttl_ms,
                                      .kept_since_ms = JTG_KEPT_ANY};
    jtg_cache_reserve_many(self, calls, count);
    for (size_t i = 0; i < count; i++)
        wrong += calls[i].status != expected || calls[i].reserved != (expected == JTG_OK);
    return wrong;
}

static bool sweep(void *self)
{
    bool more = false;
    jtg_error err = JTG_ERROR_INIT;
    if (jtg_memory_sweep_step(self, &more, &err) != JTG_OK)
        bench_die("memory backend: %s", err.text);
    return more;
}

jtg_memory_stats bench_memory_stats(void *self)
{
    jtg_memory_stats stats = {.struct_size = sizeof stats};
    jtg_error err = JTG_ERROR_INIT;
    if (jtg_memory_stats_get(self, &stats, &err) != JTG_OK)
        bench_die("memory backend: %s", err.text);
    return stats;
}

const struct bench_subject bench_subject_memory = {"memory",     make,         reserve, release,
                                                   reserve_told, reserve_many, sweep};
