/* SPDX-License-Identifier: Apache-2.0 */
/* A million reservations end at the same moment. Nobody waits for them: a wait is judged by the
 * work that was done under one lock hold, which the cache counts, because a clock would judge the
 * machine's scheduler; and by what the callers got done meanwhile. */
#include "threads/shared_cache.h"

enum { ENTRIES = 1000000, LOADERS = 2, CALLERS = 2 };

struct calls {
    atomic_uint_fast64_t during; /* calls that were answered while the sweep had steps left */
    atomic_bool swept;
};

static void load(void *context, unsigned thread)
{
    struct shared *shared = context;
    jtg_owner owner = owner_of(1);
    for (uint64_t number = thread; number < ENTRIES; number += LOADERS) {
        jtg_key key = key_of(&number);
        expect(shared, jtg_cache_reserve(shared->cache, &key, &owner, LIFE_MS, NULL) == JTG_OK);
    }
}

static void sweep_everything(struct shared *shared)
{
    struct calls *calls = shared->more;
    for (bool more = true; more;)
        expect(shared, jtg_memory_sweep_step(shared->cache, &more, NULL) == JTG_OK);
    atomic_store(&calls->swept, true);
}

/* Old keys are free again and new ones are free, from the first call on, whatever is swept. */
static void keep_calling(struct shared *shared, unsigned thread)
{
    struct calls *calls = shared->more;
    jtg_owner owner = owner_of(2 + thread);
    for (uint64_t i = 0; !atomic_load(&calls->swept); i++) {
        uint64_t number = (i % 2 == 0 ? 0 : ENTRIES) + (i * CALLERS + thread) % ENTRIES;
        jtg_key key = key_of(&number);
        expect(shared, jtg_cache_reserve(shared->cache, &key, &owner, LIFE_MS, NULL) == JTG_OK);
        expect(shared, jtg_cache_release(shared->cache, &key, &owner, NULL) == JTG_OK);
        atomic_fetch_add(&calls->during, 1);
    }
}

static void sweep_or_call(void *context, unsigned thread)
{
    if (thread == CALLERS)
        sweep_everything(context);
    else
        keep_calling(context, thread);
}

static void nobody_waits_for_a_million_ends(void **state)
{
    struct calls calls = {.during = 0};
    static struct shared shared;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    (void)state;
    shared.more = &calls;
    options.max_entries = 2 * ENTRIES;
    options.sweep_interval_ms = 0;
    shared_open(&shared, options);
    threads_run(LOADERS, load, &shared);
    assert_int_equal(shared_stats(&shared).entries, ENTRIES);
    test_clock_advance(&shared.clock, (int64_t)LIFE_MS);

    threads_run(CALLERS + 1, sweep_or_call, &shared);
    jtg_memory_stats stats = shared_stats(&shared);
    assert_true(stats.max_step_slots <= JTG_MEMORY_STEP_SLOTS);
    assert_true(atomic_load(&calls.during) >= 100);
    /* What the callers reused the place of was removed by them, not by the sweep. */
    assert_true(stats.entries <= CALLERS);
    assert_true(stats.swept <= ENTRIES);
    shared_close(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nobody_waits_for_a_million_ends)};
    return cmocka_run_group_tests_name("expiry", tests, NULL, NULL);
}
