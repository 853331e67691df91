/* SPDX-License-Identifier: Apache-2.0 */
/* As test_model_memory.c, for reservations only but very many of them: the table grows, is
 * swept while it grows, empties and fills again. */
#include "support/asserts.h"
#include "support/random.h"
#include "support/test_clock.h"

#include <inttypes.h>
#include <jtiguard/memory.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 200000, ROUNDS = 6, CALLS = 250000 };

struct run {
    uint64_t seed;
    unsigned step;
    struct random_source random;
    struct test_clock clock;
    jtg_cache *cache;
    int64_t now_ms;
    int64_t *end_ms;      /* of each key; ended or never held: not after now */
    unsigned char *owner; /* of each key */
};

static void agree(const struct run *run, const char *call, int64_t got, int64_t expected)
{
    if (got != expected)
        fail_msg("%s: got %" PRId64 ", the model says %" PRId64
                 "\nstep %u; repeat with JTIGUARD_TEST_SEED=%" PRIu64,
                 call, got, expected, run->step, run->seed);
}

static jtg_key key_of(const unsigned *key)
{
    jtg_key made = {key, sizeof *key, NULL, 0};
    return made;
}

static bool is_live(const struct run *run, unsigned key)
{
    return run->end_ms[key] > run->now_ms;
}

static void reserve(struct run *run, unsigned key, unsigned char owner, uint64_t ttl_ms)
{
    jtg_key given = key_of(&key);
    jtg_owner by = {{owner}};
    jtg_status got = jtg_cache_reserve(run->cache, &given, &by, ttl_ms, NULL);
    bool replayed = is_live(run, key) && run->owner[key] != owner;
    agree(run, "reserve", got, replayed ? JTG_REPLAYED : JTG_OK);
    if (replayed)
        return;
    int64_t end_ms = run->now_ms + (int64_t)ttl_ms;
    if (!is_live(run, key) || end_ms > run->end_ms[key])
        run->end_ms[key] = end_ms;
    run->owner[key] = owner;
}

static void release(struct run *run, unsigned key, unsigned char owner)
{
    jtg_key given = key_of(&key);
    jtg_owner by = {{owner}};
    jtg_status expected = !is_live(run, key)         ? JTG_NOT_FOUND
                          : run->owner[key] != owner ? JTG_NOT_OWNER
                                                     : JTG_OK;
    agree(run, "release", jtg_cache_release(run->cache, &given, &by, NULL), expected);
    if (expected == JTG_OK)
        run->end_ms[key] = run->now_ms;
}

static void pass_time(struct run *run, int64_t ms)
{
    test_clock_advance(&run->clock, ms);
    run->now_ms += ms;
}

static void one_call(struct run *run, uint64_t most_ttl_ms)
{
    unsigned key = (unsigned)random_below(&run->random, KEYS);
    unsigned char owner = (unsigned char)random_below(&run->random, 2);
    uint64_t drawn = random_below(&run->random, 1000);
    bool more = false;
    run->step++;
    if (drawn < 850)
        reserve(run, key, owner, 1 + random_below(&run->random, most_ttl_ms));
    else if (drawn < 990)
        release(run, key, owner);
    else if (drawn < 995)
        pass_time(run, (int64_t)random_below(&run->random, 20));
    else
        assert_status(jtg_memory_sweep_step(run->cache, &more, NULL), JTG_OK);
}

/* Every key answers as the model says, and after a sweep the number fits. */
static void check_all(struct run *run)
{
    jtg_memory_stats stats = {.struct_size = sizeof stats};
    uint64_t live = 0;
    for (unsigned key = 0; key < KEYS; key++) {
        jtg_key given = key_of(&key);
        jtg_owner nobody = {{9}};
        agree(run, "check", jtg_cache_release(run->cache, &given, &nobody, NULL),
              is_live(run, key) ? JTG_NOT_OWNER : JTG_NOT_FOUND);
        live += is_live(run, key);
    }
    for (int pass = 0; pass < 2; pass++)
        for (bool more = true; more;)
            assert_status(jtg_memory_sweep_step(run->cache, &more, NULL), JTG_OK);
    assert_status(jtg_memory_stats_get(run->cache, &stats, NULL), JTG_OK);
    agree(run, "entries", (int64_t)stats.entries, (int64_t)live);
    agree(run, "step slots", stats.max_step_slots <= JTG_MEMORY_STEP_SLOTS, true);
}

static int set_up(void **state)
{
    static struct run run;
    memset(&run, 0, sizeof run);
    run.seed = random_seed();
    random_init(&run.random, run.seed);
    print_message("JTIGUARD_TEST_SEED=%" PRIu64 "\n", run.seed);
    run.end_ms = calloc(KEYS, sizeof run.end_ms[0]);
    run.owner = calloc(KEYS, 1);
    *state = &run;
    return run.end_ms == NULL || run.owner == NULL;
}

static int tear_down(void **state)
{
    struct run *run = *state;
    jtg_cache_free(run->cache);
    free(run->end_ms);
    free(run->owner);
    return 0;
}

static void open_cache(struct run *run, uint64_t max_entries)
{
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    test_clock_init(&run->clock);
    jtg_clock clock = test_clock_as_jtg(&run->clock);
    options.max_entries = max_entries;
    options.sweep_interval_ms = 0;
    options.clock = &clock;
    assert_status(jtg_memory_new(&run->cache, &options, NULL), JTG_OK);
}

/* Long and short lives by turns: the store fills, most of it ends at once, it fills again. */
static void a_store_that_grows_and_empties_agrees(void **state)
{
    struct run *run = *state;
    jtg_memory_stats stats = {.struct_size = sizeof stats};
    open_cache(run, 2 * KEYS);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < CALLS; i++)
            one_call(run, round % 2 == 0 ? 3600000 : 2000);
        check_all(run);
        if (round % 2 == 1)
            pass_time(run, 3500000);
    }
    assert_status(jtg_memory_stats_get(run->cache, &stats, NULL), JTG_OK);
    assert_true(stats.growths > 20);
    assert_true(stats.swept > KEYS / 2);
}

/* No more places than keys: the last ones fill the store to the brim. */
static void a_store_filled_to_the_brim_agrees(void **state)
{
    struct run *run = *state;
    unsigned more = KEYS;
    jtg_key key = key_of(&more);
    jtg_owner owner = {{1}};
    open_cache(run, KEYS);
    for (unsigned i = 0; i < KEYS; i++)
        reserve(run, i, 1, 1000 + i);
    assert_status(jtg_cache_reserve(run->cache, &key, &owner, 1, NULL), JTG_ERR_FULL);
    check_all(run);
    for (unsigned i = 0; i < KEYS; i += 3)
        release(run, i, 1);
    for (unsigned i = 0; i < KEYS; i += 3)
        reserve(run, i, 2, 2000000);
    assert_status(jtg_cache_reserve(run->cache, &key, &owner, 1, NULL), JTG_ERR_FULL);
    pass_time(run, 1000 + KEYS / 2);
    check_all(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_store_that_grows_and_empties_agrees, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_store_filled_to_the_brim_agrees, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("growth", tests, NULL, NULL);
}
