/* SPDX-License-Identifier: Apache-2.0 */
#include "subject_cache.h"

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

const struct bench_subject bench_subject_memory = {.name = "memory",
                                                   .make = make,
                                                   .reserve = bench_cache_reserve,
                                                   .release = bench_cache_release,
                                                   .reserve_told = bench_cache_reserve_told,
                                                   .reserve_many = bench_cache_reserve_many,
                                                   .sweep = sweep};
