/* SPDX-License-Identifier: Apache-2.0 */
/* The sweep against everything else: callers, other sweepers, and the end of the cache. */
#include "threads/shared_cache.h"

/* ---- closing while the sweeper works ---- */

static void load_with_what_ends(struct shared *shared, unsigned entries)
{
    static const char text[32] = "a ticket";
    for (uint64_t number = 0; number < entries; number++) {
        jtg_key key = key_of(&number);
        jtg_owner owner = owner_of(1);
        assert_status(jtg_cache_reserve(shared->cache, &key, &owner, 1 + number % LIFE_MS, NULL),
                      JTG_OK);
        if (number % 8 == 0)
            assert_status(jtg_cache_put(shared->cache, &key, text, sizeof text,
                                        1 + number % LIFE_MS, 1, NULL),
                          JTG_OK);
    }
}

static void a_cache_closes_while_it_is_swept(void **state)
{
    static struct shared shared;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    (void)state;
    options.sweep_interval_ms = 1;
    for (unsigned round = 0; round < 60; round++) {
        shared_open(&shared, options);
        load_with_what_ends(&shared, 4000);
        test_clock_advance(&shared.clock, (int64_t)(LIFE_MS / 2));
        /* Half of the rounds close once the sweeper has begun, the others before or while. */
        while (round % 2 == 0 && shared_stats(&shared).swept == 0)
            ;
        shared_close(&shared);
    }
}

/* A thread that waits out its hour would keep this test from ever ending. */
static void a_cache_closes_though_the_interval_is_an_hour(void **state)
{
    static struct shared shared;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    (void)state;
    options.sweep_interval_ms = JTG_MEMORY_SWEEP_INTERVAL_MS_LIMIT;
    for (unsigned round = 0; round < 200; round++) {
        shared_open(&shared, options);
        shared_close(&shared);
    }
}

/* ---- sweeping from many threads while others work ---- */

enum { KEYS = 3000, TURNS = 30000 };

static void sweep_until_done(struct shared *shared)
{
    while (atomic_load(&shared->done) < THREADS / 2) {
        bool more = false;
        expect(shared, jtg_memory_sweep_step(shared->cache, &more, NULL) == JTG_OK);
        expect(shared, jtg_cache_prune(shared->cache, NULL, NULL) == JTG_OK);
    }
}

/* A key that this thread alone uses: what it answers is known exactly. */
static void work_on_my_keys(struct shared *shared, unsigned thread)
{
    bool held[KEYS] = {false};
    for (unsigned turn = 0; turn < TURNS; turn++) {
        unsigned at = turn * 7919U % KEYS;
        uint64_t number = (uint64_t)thread << 32 | at;
        jtg_key key = key_of(&number);
        jtg_owner owner = owner_of(turn % 3 == 0);
        /* Odd keys live for ever, beside even ones that end while the test runs. */
        uint64_t ttl_ms = at % 2 == 1 ? JTG_TTL_MAX_MS : 1 + turn % 20;
        jtg_status status = jtg_cache_reserve(shared->cache, &key, &owner, ttl_ms, NULL);
        expect(shared, status == JTG_OK || status == JTG_REPLAYED);
        expect(shared, at % 2 == 0 || held[at] || status == JTG_OK);
        held[at] = true;
        if (turn % 16 == 0)
            test_clock_advance(&shared->clock, 1);
    }
    atomic_fetch_add(&shared->done, 1);
}

static void sweep_or_work(void *context, unsigned thread)
{
    if (thread % 2 == 0)
        sweep_until_done(context);
    else
        work_on_my_keys(context, thread);
}

static void what_is_live_survives_many_sweepers(void **state)
{
    static struct shared shared;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    (void)state;
    options.sweep_interval_ms = 1;
    shared_open(&shared, options);
    threads_run(THREADS, sweep_or_work, &shared);
    for (unsigned thread = 1; thread < THREADS; thread += 2)
        for (uint64_t at = 1; at < KEYS; at += 2) {
            uint64_t number = (uint64_t)thread << 32 | at;
            jtg_key key = key_of(&number);
            jtg_owner nobody = owner_of(99);
            assert_status(jtg_cache_release(shared.cache, &key, &nobody, NULL), JTG_NOT_OWNER);
        }
    assert_true(shared_stats(&shared).max_step_slots <= JTG_MEMORY_STEP_SLOTS);
    shared_close(&shared);
}

/* ---- clearing while others work ---- */

static void clear_or_work(void *context, unsigned thread)
{
    struct shared *shared = context;
    for (unsigned turn = 0; turn < 3000; turn++) {
        uint64_t number = turn % 500;
        jtg_key key = key_of(&number);
        jtg_owner owner = owner_of(thread);
        jtg_value value = JTG_VALUE_INIT;
        if (thread == 0 && turn % 100 == 0)
            expect(shared, jtg_cache_clear(shared->cache, NULL) == JTG_OK);
        jtg_status status = jtg_cache_reserve(shared->cache, &key, &owner, LIFE_MS, NULL);
        expect(shared, status == JTG_OK || status == JTG_REPLAYED);
        expect(shared,
               jtg_cache_put(shared->cache, &key, &turn, sizeof turn, LIFE_MS, 2, NULL) == JTG_OK);
        status = jtg_cache_get(shared->cache, &key, &value, NULL);
        expect(shared, status == JTG_NOT_FOUND || value.data_len == sizeof turn);
        jtg_value_clear(&value);
    }
}

static void clear_and_work_get_along(void **state)
{
    static struct shared shared;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    (void)state;
    options.sweep_interval_ms = 1;
    shared_open(&shared, options);
    threads_run(THREADS, clear_or_work, &shared);
    assert_status(jtg_cache_clear(shared.cache, NULL), JTG_OK);
    assert_int_equal(shared_stats(&shared).entries, 0);
    assert_int_equal(shared_stats(&shared).values, 0);
    assert_int_equal(shared_stats(&shared).value_bytes, 0);
    shared_close(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cache_closes_while_it_is_swept),
        cmocka_unit_test(a_cache_closes_though_the_interval_is_an_hour),
        cmocka_unit_test(what_is_live_survives_many_sweepers),
        cmocka_unit_test(clear_and_work_get_along),
    };
    return cmocka_run_group_tests_name("sweep race", tests, NULL, NULL);
}
