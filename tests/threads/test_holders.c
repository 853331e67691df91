/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and values that go from thread to thread: never two holders, nothing handed out twice,
 * everything counted. */
#include "threads/shared_cache.h"

#include <sched.h>
#include <string.h>

enum { KEYS = 4, TURNS = 20000 };

/* ---- reservations that are given back ---- */

struct holders {
    atomic_int of[KEYS]; /* who holds the key, or -1 */
    atomic_uint reserved;
    atomic_uint released;
    atomic_uint refused;
};

/* The note of who holds a key is written after the reserve and erased before the release: it is
 * found taken only if two hold the key. */
static void hold_for_a_moment(struct shared *shared, uint64_t number, unsigned thread)
{
    struct holders *holders = shared->more;
    jtg_key key = key_of(&number);
    jtg_owner owner = owner_of(thread);
    jtg_status status = jtg_cache_reserve(shared->cache, &key, &owner, LIFE_MS, NULL);
    if (status != JTG_OK) {
        expect(shared, status == JTG_REPLAYED);
        atomic_fetch_add(&holders->refused, 1);
        return;
    }
    atomic_fetch_add(&holders->reserved, 1);
    expect(shared, atomic_exchange(&holders->of[number], (int)thread) == -1);
    expect(shared, atomic_exchange(&holders->of[number], -1) == (int)thread);
    expect(shared, jtg_cache_release(shared->cache, &key, &owner, NULL) == JTG_OK);
    atomic_fetch_add(&holders->released, 1);
}

static void hold_by_turns(void *context, unsigned thread)
{
    for (unsigned turn = 0; turn < TURNS; turn++)
        hold_for_a_moment(context, (turn + thread) % KEYS, thread);
}

static void a_key_has_one_holder_at_a_time(void **state)
{
    struct holders holders = {.reserved = 0};
    static struct shared shared;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    (void)state;
    shared.more = &holders;
    for (unsigned i = 0; i < KEYS; i++)
        atomic_store(&holders.of[i], -1);
    options.sweep_interval_ms = 1;
    shared_open(&shared, options);
    threads_run(THREADS, hold_by_turns, &shared);
    uint64_t reserved = atomic_load(&holders.reserved);
    uint64_t refused = atomic_load(&holders.refused);
    assert_int_equal(reserved + refused, THREADS * TURNS);
    assert_int_equal(jtg_cache_counter(shared.cache, JTG_OP_RESERVE, JTG_OK), reserved);
    assert_int_equal(jtg_cache_counter(shared.cache, JTG_OP_RESERVE, JTG_REPLAYED), refused);
    assert_int_equal(jtg_cache_counter(shared.cache, JTG_OP_RELEASE, JTG_OK), reserved);
    assert_int_equal(shared_stats(&shared).entries, 0);
    shared_close(&shared);
}

/* ---- reservations that end ---- */

enum { LIVES = 3000 };

struct lives {
    atomic_uint passed;
    atomic_uint admitted;
};

/* The time, and then a pause: as when a thread is preempted between reading the time and using it,
 * only far more often. */
static int64_t read_and_yield(void *context)
{
    int64_t now_ms = atomic_load(&((struct test_clock *)context)->monotonic_ms);
    (void)sched_yield();
    return now_ms;
}

/* All want the key all the time, each time as a new owner; the first thread lets it end. */
static void want_it_all_the_time(void *context, unsigned thread)
{
    struct shared *shared = context;
    struct lives *lives = shared->more;
    uint64_t number = 1;
    jtg_key key = key_of(&number);
    for (unsigned turn = 0; atomic_load(&lives->passed) < LIVES; turn++) {
        jtg_owner owner = owner_of(THREADS * turn + thread);
        jtg_status status = jtg_cache_reserve(shared->cache, &key, &owner, LIFE_MS, NULL);
        expect(shared, status == JTG_OK || status == JTG_REPLAYED);
        if (status == JTG_OK)
            atomic_fetch_add(&lives->admitted, 1);
        if (thread == 0) {
            test_clock_advance(&shared->clock, LIFE_MS);
            atomic_fetch_add(&lives->passed, 1);
        }
    }
}

/* The first thread asks after each end, so there is an admission for each; and no more, for time
 * passes by a whole life only that often. */
static void a_key_is_admitted_once_a_life(void **state)
{
    struct lives lives = {.passed = 0};
    static struct shared shared;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    (void)state;
    shared.more = &lives;
    jtg_clock clock = {sizeof clock, &shared.clock, read_and_yield, read_and_yield};
    options.clock = &clock;
    options.sweep_interval_ms = 1;
    shared_open(&shared, options);
    threads_run(THREADS, want_it_all_the_time, &shared);
    assert_in_range(atomic_load(&lives.admitted), LIVES / 2, LIVES + 1);
    shared_close(&shared);
}

/* ---- values ---- */

enum { VALUES = 40000 };

struct handed_out {
    atomic_uint times[VALUES];
};

/* Every thread puts its share of the values under a few keys, and takes what it finds. */
static void put_and_take(void *context, unsigned thread)
{
    struct shared *shared = context;
    struct handed_out *out = shared->more;
    for (unsigned i = thread; i < VALUES; i += THREADS) {
        uint64_t number = i % KEYS;
        jtg_key key = key_of(&number);
        jtg_value value = JTG_VALUE_INIT;
        expect(shared, jtg_cache_put(shared->cache, &key, &i, sizeof i, LIFE_MS, JTG_KEEP_MAX,
                                     NULL) == JTG_OK);
        jtg_status status = jtg_cache_take(shared->cache, &key, &value, NULL);
        expect(shared, status == JTG_OK || status == JTG_NOT_FOUND);
        if (status == JTG_OK) {
            unsigned taken = VALUES;
            memcpy(&taken, value.data, sizeof taken);
            expect(shared, taken < VALUES && taken % KEYS == number &&
                               atomic_fetch_add(&out->times[taken % VALUES], 1) == 0);
        }
        jtg_value_clear(&value);
    }
}

/* No key ever holds more than THREADS values here, so none is pushed out: each is handed out. */
static void each_value_is_handed_out_once(void **state)
{
    static struct handed_out out;
    static struct shared shared;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    (void)state;
    shared.more = &out;
    options.sweep_interval_ms = 1;
    shared_open(&shared, options);
    threads_run(THREADS, put_and_take, &shared);
    for (unsigned i = 0; i < VALUES; i++)
        assert_int_equal(atomic_load(&out.times[i]), 1);
    assert_int_equal(shared_stats(&shared).values, 0);
    assert_int_equal(shared_stats(&shared).value_bytes, 0);
    shared_close(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_has_one_holder_at_a_time),
        cmocka_unit_test(a_key_is_admitted_once_a_life),
        cmocka_unit_test(each_value_is_handed_out_once),
    };
    return cmocka_run_group_tests_name("holders", tests, NULL, NULL);
}
