/* SPDX-License-Identifier: Apache-2.0 */
/* The contract list against the host backend: a file of its own for each test. */
#include "contract/contract.h"
#include "support/asserts.h"
#include "support/host_folder.h"
#include "support/test_clock.h"

#include <jtiguard/host.h>
#include <stdlib.h>

struct store {
    struct test_clock clock;
    struct host_folder folder;
    jtg_host_options options;
};

static jtg_cache *open_cache(void *store)
{
    struct store *opened = store;
    jtg_cache *cache = NULL;
    jtg_clock clock = test_clock_as_jtg(&opened->clock);
    jtg_host_options options = opened->options;
    options.clock = &clock;
    options.path = opened->folder.store;
    assert_status(jtg_host_new(&cache, &options, NULL), JTG_OK);
    return cache;
}

/* A store is a second old when it has kept everything that is made from then on. */
static jtg_cache *open_new(const struct contract_limits *limits, void **store)
{
    struct store *opened = calloc(1, sizeof *opened);
    assert_non_null(opened);
    test_clock_init(&opened->clock);
    host_folder_make(&opened->folder);
    jtg_host_options_init(&opened->options);
    opened->options.max_entries = limits->max_entries != 0 ? limits->max_entries : 20000;
    opened->options.max_entries_per_group = limits->max_entries_per_group;
    if (limits->max_values != 0)
        opened->options.max_values = limits->max_values;
    *store = opened;
    return open_cache(opened);
}

static void advance(void *store, uint64_t ms)
{
    test_clock_advance(&((struct store *)store)->clock, (int64_t)ms);
}

/* Somebody removes the file. */
static void forget(void *store)
{
    struct store *opened = store;
    host_folder_remove_store(&opened->folder);
    advance(store, 1001);
}

static void close_store(void *store)
{
    struct store *opened = store;
    host_folder_remove(&opened->folder);
    free(opened);
}

int main(void)
{
    static const struct contract_backend host = {
        .name = "host",
        .offers = CONTRACT_VALUES | CONTRACT_BOUND | CONTRACT_GROUP_SHARE | CONTRACT_SHARED |
                  CONTRACT_WATCHES | CONTRACT_LENDS | CONTRACT_BITMAPS,
        .open = open_new,
        .open_again = open_cache,
        .advance = advance,
        .close = close_store,
        .forget = forget};
    return contract_run(&host);
}
