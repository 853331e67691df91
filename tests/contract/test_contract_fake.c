/* SPDX-License-Identifier: Apache-2.0 */
/* The contract list against a backend that is plugged in from outside; also the pattern for a
 * backend of your own. */
#include "contract/contract.h"
#include "support/asserts.h"
#include "support/fake_backend.h"
#include "support/test_clock.h"

#include <stdlib.h>

struct store {
    struct test_clock clock;
    struct fake_store *fake;
};

static jtg_cache *open_in(void *store, unsigned name_space)
{
    jtg_cache *cache = NULL;
    assert_status(fake_cache_new(&cache, ((struct store *)store)->fake, name_space, NULL), JTG_OK);
    return cache;
}

static jtg_cache *open_store(const struct contract_limits *limits, void **store)
{
    struct store *opened = calloc(1, sizeof *opened);
    assert_non_null(opened);
    struct fake_limits fake = {limits->max_entries, limits->max_entries_per_group,
                               limits->max_values};
    test_clock_init(&opened->clock);
    jtg_clock clock = test_clock_as_jtg(&opened->clock);
    opened->fake = fake_store_new(&clock, &fake);
    assert_non_null(opened->fake);
    *store = opened;
    return open_in(opened, 1);
}

static jtg_cache *open_again(void *store)
{
    return open_in(store, 1);
}

static jtg_cache *open_neighbour(void *store)
{
    return open_in(store, 2);
}

static void advance(void *store, uint64_t ms)
{
    test_clock_advance(&((struct store *)store)->clock, (int64_t)ms);
}

static void forget(void *store)
{
    fake_store_forget(((struct store *)store)->fake);
}

static void close_store(void *store)
{
    fake_store_free(((struct store *)store)->fake);
    free(store);
}

static const struct contract_backend fake = {
    .name = "fake",
    .offers = CONTRACT_VALUES | CONTRACT_BOUND | CONTRACT_GROUP_SHARE | CONTRACT_SHARED |
              CONTRACT_NEIGHBOUR | CONTRACT_WATCHES | CONTRACT_BITMAPS,
    .slack_ms = 0,
    .open = open_store,
    .open_again = open_again,
    .open_neighbour = open_neighbour,
    .advance = advance,
    .close = close_store,
    .forget = forget,
};

int main(void)
{
    return contract_run(&fake);
}
