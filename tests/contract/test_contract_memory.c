/* SPDX-License-Identifier: Apache-2.0 */
/* The contract list against the memory backend: without its thread, so that nothing is swept;
 * and with it, sweeping all the time. */
#include "contract/contract.h"
#include "support/asserts.h"
#include "support/test_clock.h"

#include <jtiguard/memory.h>
#include <stdlib.h>

struct store {
    struct test_clock clock;
    jtg_memory_options options;
};

static jtg_cache *open_cache(void *store)
{
    struct store *opened = store;
    jtg_cache *cache = NULL;
    jtg_clock clock = test_clock_as_jtg(&opened->clock);
    jtg_memory_options options = opened->options;
    options.clock = &clock;
    assert_status(jtg_memory_new(&cache, &options, NULL), JTG_OK);
    return cache;
}

static jtg_cache *open_swept(const struct contract_limits *limits, void **store,
                             uint32_t sweep_interval_ms)
{
    struct store *opened = calloc(1, sizeof *opened);
    assert_non_null(opened);
    test_clock_init(&opened->clock);
    jtg_memory_options_init(&opened->options);
    opened->options.sweep_interval_ms = sweep_interval_ms;
    opened->options.max_entries_per_group = limits->max_entries_per_group;
    if (limits->max_entries != 0)
        opened->options.max_entries = limits->max_entries;
    if (limits->max_values != 0)
        opened->options.max_values = limits->max_values;
    *store = opened;
    return open_cache(opened);
}

static jtg_cache *open_unswept(const struct contract_limits *limits, void **store)
{
    return open_swept(limits, store, 0);
}

static jtg_cache *open_busily_swept(const struct contract_limits *limits, void **store)
{
    return open_swept(limits, store, 1);
}

static void advance(void *store, uint64_t ms)
{
    test_clock_advance(&((struct store *)store)->clock, (int64_t)ms);
}

#define MEMORY                                                                                     \
    .name = "memory",                                                                              \
    .offers = CONTRACT_VALUES | CONTRACT_BOUND | CONTRACT_GROUP_SHARE | CONTRACT_NEIGHBOUR |       \
              CONTRACT_LENDS | CONTRACT_BITMAPS,                                                   \
    .open_neighbour = open_cache, .advance = advance, .close = free

int main(void)
{
    static const struct contract_backend unswept = {MEMORY, .open = open_unswept};
    static const struct contract_backend busily_swept = {MEMORY, .open = open_busily_swept};
    return contract_run(&unswept) + contract_run(&busily_swept);
}
