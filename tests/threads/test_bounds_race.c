/* SPDX-License-Identifier: Apache-2.0 */
/* The bounds of a memory cache while many threads meet them. */
#include "threads/shared_cache.h"

enum { ENTRIES = 40000 };

/* ---- as many reservations as there are places ---- */

static void reserve_my_share(void *context, unsigned thread)
{
    struct shared *shared = context;
    jtg_owner owner = owner_of(thread);
    for (uint64_t number = thread; number < ENTRIES; number += THREADS) {
        jtg_key key = key_of(&number);
        expect(shared, jtg_cache_reserve(shared->cache, &key, &owner, LIFE_MS, NULL) == JTG_OK);
    }
}

/* Each finds a place, for a place is only refused when all are taken by what is live. */
static void threads_use_every_place(void **state)
{
    static struct shared shared;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    uint64_t one_more = ENTRIES;
    jtg_key key = key_of(&one_more);
    jtg_owner owner = owner_of(0);
    (void)state;
    options.max_entries = ENTRIES;
    options.sweep_interval_ms = 0;
    for (unsigned repeat = 0; repeat < 3; repeat++) {
        shared_open(&shared, options);
        threads_run(THREADS, reserve_my_share, &shared);
        assert_status(jtg_cache_reserve(shared.cache, &key, &owner, LIFE_MS, NULL), JTG_ERR_FULL);
        assert_int_equal(shared_stats(&shared).entries, ENTRIES);
        shared_close(&shared);
    }
}

/* ---- more than there are places, while others are given back ---- */

static void overfill_and_give_back(void *context, unsigned thread)
{
    struct shared *shared = context;
    jtg_owner owner = owner_of(thread);
    for (unsigned i = 0; i < ENTRIES / 2; i++) {
        uint64_t number = (uint64_t)thread << 32 | i;
        jtg_key key = key_of(&number);
        jtg_status status = jtg_cache_reserve(shared->cache, &key, &owner, LIFE_MS, NULL);
        expect(shared, status == JTG_OK || status == JTG_ERR_FULL);
        if (status == JTG_OK && i % 3 == 0)
            expect(shared, jtg_cache_release(shared->cache, &key, &owner, NULL) == JTG_OK);
        uint64_t held = 0;
        if (i % 64 == 0)
            expect(shared,
                   jtg_cache_count(shared->cache, &held, NULL) == JTG_OK && held <= ENTRIES);
    }
}

static void no_place_is_lost_or_made(void **state)
{
    static struct shared shared;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    (void)state;
    options.max_entries = ENTRIES;
    options.sweep_interval_ms = 1;
    shared_open(&shared, options);
    for (unsigned repeat = 0; repeat < 3; repeat++) {
        threads_run(THREADS, overfill_and_give_back, &shared);
        assert_true(shared_stats(&shared).entries <= ENTRIES);
        test_clock_advance(&shared.clock, LIFE_MS);
    }
    for (uint64_t number = 0; number < ENTRIES; number++) {
        jtg_key key = key_of(&number);
        jtg_owner owner = owner_of(0);
        assert_status(jtg_cache_reserve(shared.cache, &key, &owner, LIFE_MS, NULL), JTG_OK);
    }
    shared_close(&shared);
}

/* ---- values that replace each other in a full store ---- */

enum { VALUES = 64, TURNS = 20000 };

/* Even threads replace what is there; odd ones try to add what must not fit. */
static void replace_or_add(void *context, unsigned thread)
{
    struct shared *shared = context;
    static const char text[256];
    for (unsigned i = 0; i < TURNS; i++) {
        uint64_t number = thread % 2 == 0 ? i % VALUES : VALUES + i;
        jtg_key key = key_of(&number);
        jtg_status status = jtg_cache_put(shared->cache, &key, text, sizeof text, LIFE_MS, 1, NULL);
        expect(shared, status == (thread % 2 == 0 ? JTG_OK : JTG_ERR_FULL));
    }
}

static void a_full_store_of_values_stays_full(struct shared *shared)
{
    for (uint64_t number = 0; number < VALUES; number++) {
        jtg_key key = key_of(&number);
        static const char text[256];
        assert_status(jtg_cache_put(shared->cache, &key, text, sizeof text, LIFE_MS, 1, NULL),
                      JTG_OK);
    }
    uint64_t bytes = shared_stats(shared).value_bytes;
    threads_run(4, replace_or_add, shared);
    assert_int_equal(shared_stats(shared).values, VALUES);
    assert_int_equal(shared_stats(shared).value_bytes, bytes);
    shared_close(shared);
}

static void replacing_values_makes_no_room_for_others(void **state)
{
    static struct shared shared;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    (void)state;
    options.max_values = VALUES;
    shared_open(&shared, options);
    a_full_store_of_values_stays_full(&shared);
}

static void replacing_bytes_makes_no_room_for_others(void **state)
{
    static struct shared shared;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    (void)state;
    options.max_value_bytes = VALUES * (256 + sizeof(uint64_t));
    shared_open(&shared, options);
    a_full_store_of_values_stays_full(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_use_every_place),
        cmocka_unit_test(no_place_is_lost_or_made),
        cmocka_unit_test(replacing_values_makes_no_room_for_others),
        cmocka_unit_test(replacing_bytes_makes_no_room_for_others),
    };
    return cmocka_run_group_tests_name("bounds race", tests, NULL, NULL);
}
