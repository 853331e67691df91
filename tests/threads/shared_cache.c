/* SPDX-License-Identifier: Apache-2.0 */
#include "threads/shared_cache.h"

void shared_open(struct shared *shared, jtg_memory_options options)
{
    test_clock_init(&shared->clock);
    jtg_clock clock = test_clock_as_jtg(&shared->clock);
    if (options.clock == NULL)
        options.clock = &clock;
    atomic_store(&shared->done, 0);
    atomic_store(&shared->wrong, 0);
    assert_status(jtg_memory_new(&shared->cache, &options, NULL), JTG_OK);
}

void shared_close(struct shared *shared)
{
    jtg_cache_free(shared->cache);
    shared->cache = NULL;
    assert_int_equal(atomic_load(&shared->wrong), 0);
}

jtg_memory_stats shared_stats(const struct shared *shared)
{
    jtg_memory_stats stats = {.struct_size = sizeof stats};
    assert_status(jtg_memory_stats_get(shared->cache, &stats, NULL), JTG_OK);
    return stats;
}
