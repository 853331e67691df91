/* SPDX-License-Identifier: Apache-2.0 */
/* What only the memory backend has: options, the step of the sweep, numbers, its own bounds. All
 * else is the contract list's. */
#include "support/asserts.h"
#include "support/fake_backend.h"
#include "support/test_clock.h"

#include <jtiguard/memory.h>
#include <string.h>

#define LIFE_MS UINT64_C(10000)

struct opened {
    struct test_clock clock;
    jtg_memory_options options;
    jtg_cache *cache;
};

static void open_cache(struct opened *opened)
{
    test_clock_init(&opened->clock);
    jtg_clock clock = test_clock_as_jtg(&opened->clock);
    opened->options.clock = &clock;
    assert_status(jtg_memory_new(&opened->cache, &opened->options, NULL), JTG_OK);
    opened->options.clock = NULL; /* was copied */
}

static struct opened defaults_without_thread(void)
{
    struct opened opened = {.options = JTG_MEMORY_OPTIONS_INIT};
    opened.options.sweep_interval_ms = 0;
    return opened;
}

static jtg_status reserve(const struct opened *opened, uint64_t number, uint64_t ttl_ms)
{
    jtg_key key = {&number, sizeof number, NULL, 0};
    jtg_owner owner = {"an owner"};
    return jtg_cache_reserve(opened->cache, &key, &owner, ttl_ms, NULL);
}

static jtg_status put(const struct opened *opened, uint64_t number, size_t len, uint64_t ttl_ms)
{
    static const char bytes[4096];
    jtg_key key = {&number, sizeof number, NULL, 0};
    return jtg_cache_put(opened->cache, &key, bytes, len, ttl_ms, 4, NULL);
}

static jtg_memory_stats stats_of(const struct opened *opened)
{
    jtg_memory_stats stats = {.struct_size = sizeof stats};
    assert_status(jtg_memory_stats_get(opened->cache, &stats, NULL), JTG_OK);
    return stats;
}

static unsigned sweep_pass(const struct opened *opened)
{
    unsigned steps = 0;
    for (bool more = true; more; steps++)
        assert_status(jtg_memory_sweep_step(opened->cache, &more, NULL), JTG_OK);
    return steps;
}

/* ---- options ---- */

static void the_macro_and_the_function_agree(void **state)
{
    jtg_memory_options by_macro = JTG_MEMORY_OPTIONS_INIT;
    jtg_memory_options by_function;
    (void)state;
    memset(&by_function, 0xff, sizeof by_function);
    jtg_memory_options_init(&by_function);
    assert_int_equal(by_function.struct_size, sizeof by_function);
    assert_int_equal(by_function.max_entries, JTG_MEMORY_MAX_ENTRIES_DEFAULT);
    assert_int_equal(by_function.max_entries_per_group, 0);
    assert_int_equal(by_function.sweep_interval_ms, JTG_MEMORY_SWEEP_INTERVAL_MS_DEFAULT);
    assert_int_equal(by_function.max_values, JTG_MEMORY_MAX_VALUES_DEFAULT);
    assert_int_equal(by_function.max_value_bytes, JTG_MEMORY_MAX_VALUE_BYTES_DEFAULT);
    assert_null(by_function.clock);
    assert_int_equal(by_macro.struct_size, by_function.struct_size);
    assert_int_equal(by_macro.max_entries, by_function.max_entries);
    assert_int_equal(by_macro.max_entries_per_group, by_function.max_entries_per_group);
    assert_int_equal(by_macro.sweep_interval_ms, by_function.sweep_interval_ms);
    assert_int_equal(by_macro.max_values, by_function.max_values);
    assert_int_equal(by_macro.max_value_bytes, by_function.max_value_bytes);
    assert_null(by_macro.clock);
}

static void options_refused(const jtg_memory_options *options)
{
    jtg_cache *cache = (jtg_cache *)(void *)&cache;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtg_memory_new(&cache, options, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_null(cache);
}

static void options_taken(const jtg_memory_options *options)
{
    jtg_cache *cache = NULL;
    jtg_error err = {JTG_ERR_SYSTEM, 1, "left from an earlier call"};
    assert_status(jtg_memory_new(&cache, options, &err), JTG_OK);
    assert_err_tells(&err, JTG_OK);
    assert_status(jtg_cache_ping(cache, NULL), JTG_OK);
    jtg_cache_free(cache);
}

/* least and most are taken, beyond_least and beyond_most refused. */
#define RANGE(member, least, most, beyond_most)                                                    \
    do {                                                                                           \
        jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;                                      \
        options.member = (least);                                                                  \
        options_taken(&options);                                                                   \
        options.member = (most);                                                                   \
        options_taken(&options);                                                                   \
        options.member = (beyond_most);                                                            \
        options_refused(&options);                                                                 \
    } while (0)

#define REFUSED(member, value)                                                                     \
    do {                                                                                           \
        jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;                                      \
        options.member = (value);                                                                  \
        options_refused(&options);                                                                 \
    } while (0)

static void options_have_ranges(void **state)
{
    (void)state;
    RANGE(max_entries, 1, 10000000, JTG_MEMORY_MAX_ENTRIES_LIMIT + 1);
    RANGE(max_entries_per_group, 0, JTG_MEMORY_MAX_ENTRIES_DEFAULT,
          JTG_MEMORY_MAX_ENTRIES_DEFAULT + 1);
    RANGE(sweep_interval_ms, 0, JTG_MEMORY_SWEEP_INTERVAL_MS_LIMIT,
          JTG_MEMORY_SWEEP_INTERVAL_MS_LIMIT + 1);
    RANGE(max_values, 1, JTG_MEMORY_MAX_VALUES_LIMIT, JTG_MEMORY_MAX_VALUES_LIMIT + 1);
    RANGE(max_value_bytes, 1, JTG_MEMORY_MAX_VALUE_BYTES_LIMIT,
          JTG_MEMORY_MAX_VALUE_BYTES_LIMIT + 1);
    REFUSED(max_entries, 0);
    REFUSED(max_entries, UINT64_MAX);
    REFUSED(max_entries_per_group, UINT64_MAX);
    REFUSED(sweep_interval_ms, UINT32_MAX);
    REFUSED(max_values, 0);
    REFUSED(max_values, UINT64_MAX);
    REFUSED(max_value_bytes, 0);
    REFUSED(max_value_bytes, UINT64_MAX);
}

static void no_options_means_the_defaults(void **state)
{
    struct opened opened = {.cache = NULL};
    (void)state;
    assert_status(jtg_memory_new(&opened.cache, NULL, NULL), JTG_OK);
    assert_int_equal(stats_of(&opened).max_entries, JTG_MEMORY_MAX_ENTRIES_DEFAULT);
    assert_status(reserve(&opened, 1, LIFE_MS), JTG_OK);
    assert_string_equal(jtg_cache_backend(opened.cache), "memory");
    jtg_cache_free(opened.cache);
}

static void a_place_for_the_cache_is_needed(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    assert_status(jtg_memory_new(NULL, NULL, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
}

static void the_struct_may_be_of_another_version(void **state)
{
    struct {
        jtg_memory_options known;
        uint64_t later;
    } newer = {JTG_MEMORY_OPTIONS_INIT, 0};
    (void)state;
    newer.known.struct_size = sizeof newer;
    options_taken(&newer.known);
    newer.later = 1;
    options_refused(&newer.known);
    REFUSED(struct_size, 0);
    REFUSED(struct_size, sizeof(jtg_memory_options) - 1);
    REFUSED(struct_size, SIZE_MAX);
}

static void half_a_clock_is_refused(void **state)
{
    (void)state;
    jtg_clock clock = jtg_clock_system();
    clock.monotonic_ms = NULL;
    REFUSED(clock, &clock);
    clock = jtg_clock_system();
    clock.struct_size = 0;
    REFUSED(clock, &clock);
}

/* ---- the sweep ---- */

static void without_a_thread_only_steps_sweep(void **state)
{
    struct opened opened = defaults_without_thread();
    (void)state;
    open_cache(&opened);
    for (uint64_t number = 0; number < 3000; number++)
        assert_status(reserve(&opened, number, number % 2 == 0 ? LIFE_MS : 2 * LIFE_MS), JTG_OK);
    assert_status(put(&opened, 1, 10, LIFE_MS), JTG_OK);
    test_clock_advance(&opened.clock, (int64_t)LIFE_MS);
    assert_int_equal(stats_of(&opened).entries, 3000);
    assert_int_equal(stats_of(&opened).values, 1);
    assert_int_equal(stats_of(&opened).swept, 0);

    assert_true(sweep_pass(&opened) >= 1);
    jtg_memory_stats stats = stats_of(&opened);
    assert_int_equal(stats.entries, 1500);
    assert_int_equal(stats.values, 0);
    assert_int_equal(stats.value_bytes, 0);
    assert_int_equal(stats.swept, 1501);
    assert_int_equal(stats.sweep_passes, 1);
    (void)sweep_pass(&opened);
    assert_int_equal(stats_of(&opened).swept, 1501);
    assert_int_equal(stats_of(&opened).sweep_passes, 2);
    jtg_cache_free(opened.cache);
}

/* What was reserved is what is stored, was released, or counts as swept. */
static void an_ended_entry_that_is_replaced_counts_as_swept(void **state)
{
    struct opened opened = defaults_without_thread();
    (void)state;
    open_cache(&opened);
    for (uint64_t round = 0; round < 3; round++) {
        assert_status(reserve(&opened, 1, LIFE_MS), JTG_OK);
        assert_int_equal(stats_of(&opened).swept, round);
        assert_int_equal(stats_of(&opened).entries, 1);
        test_clock_advance(&opened.clock, (int64_t)LIFE_MS);
    }
    jtg_cache_free(opened.cache);
}

/* The thread sweeps by itself: waits for it to have done so, however long the machine takes. */
static void with_a_thread_nobody_steps(void **state)
{
    struct opened opened = {.options = JTG_MEMORY_OPTIONS_INIT};
    (void)state;
    opened.options.sweep_interval_ms = 1;
    open_cache(&opened);
    for (uint64_t number = 0; number < 1000; number++)
        assert_status(reserve(&opened, number, LIFE_MS), JTG_OK);
    test_clock_advance(&opened.clock, (int64_t)LIFE_MS);
    while (stats_of(&opened).entries != 0)
        ;
    assert_int_equal(stats_of(&opened).swept, 1000);
    jtg_cache_free(opened.cache);
}

static void a_step_is_bounded(void **state)
{
    struct opened opened = defaults_without_thread();
    (void)state;
    opened.options.max_entries = 200000;
    open_cache(&opened);
    for (uint64_t number = 0; number < 200000; number++)
        assert_status(reserve(&opened, number, LIFE_MS), JTG_OK);
    test_clock_advance(&opened.clock, (int64_t)LIFE_MS);
    unsigned steps = sweep_pass(&opened);
    assert_true(steps >= 200000 / JTG_MEMORY_STEP_SLOTS);
    assert_int_equal(stats_of(&opened).entries, 0);
    assert_in_range(stats_of(&opened).max_step_slots, 1, JTG_MEMORY_STEP_SLOTS);
    jtg_cache_free(opened.cache);
}

static uint64_t prune(const struct opened *opened)
{
    uint64_t removed = UINT64_MAX;
    assert_status(jtg_cache_prune(opened->cache, &removed, NULL), JTG_OK);
    return removed;
}

static void prune_removes_all_that_has_ended_and_nothing_else(void **state)
{
    struct opened opened = defaults_without_thread();
    (void)state;
    open_cache(&opened);
    for (uint64_t number = 0; number < 30000; number++)
        assert_status(reserve(&opened, number, number % 3 == 0 ? LIFE_MS : 2 * LIFE_MS), JTG_OK);
    for (uint64_t number = 0; number < 3000; number++)
        assert_status(put(&opened, number, 10, number % 3 == 0 ? LIFE_MS : 2 * LIFE_MS), JTG_OK);
    assert_status(put(&opened, 0, 20, 2 * LIFE_MS), JTG_OK); /* above one that ends */
    assert_int_equal(prune(&opened), 0);
    test_clock_advance(&opened.clock, (int64_t)LIFE_MS);
    assert_int_equal(prune(&opened), 11000);
    assert_int_equal(stats_of(&opened).entries, 20000);
    assert_int_equal(stats_of(&opened).values, 2001);
    assert_int_equal(stats_of(&opened).swept, 11000);
    assert_int_equal(stats_of(&opened).sweep_passes, 0); /* those of the sweep are its own */
    assert_int_equal(prune(&opened), 0);
    test_clock_advance(&opened.clock, (int64_t)LIFE_MS);
    assert_int_equal(prune(&opened), 22001);
    assert_int_equal(stats_of(&opened).entries, 0);
    assert_int_equal(stats_of(&opened).value_bytes, 0);
    jtg_cache_free(opened.cache);
}

/* A pass of the sweep that is under way has looked at what ends behind it already. */
static void prune_finds_what_ended_behind_a_pass(void **state)
{
    struct opened opened = defaults_without_thread();
    bool more = false;
    (void)state;
    opened.options.max_entries = 200000;
    open_cache(&opened);
    for (uint64_t number = 0; number < 200000; number++)
        assert_status(reserve(&opened, number, number == 0 ? LIFE_MS : 2 * LIFE_MS), JTG_OK);
    test_clock_advance(&opened.clock, (int64_t)LIFE_MS);
    /* Into the middle of the partition in which something has ended. */
    assert_status(jtg_memory_sweep_step(opened.cache, &more, NULL), JTG_OK);
    assert_true(more);
    test_clock_advance(&opened.clock, (int64_t)LIFE_MS);
    uint64_t swept = stats_of(&opened).swept;
    assert_int_equal(prune(&opened), 200000 - swept);
    assert_int_equal(stats_of(&opened).entries, 0);
    assert_in_range(stats_of(&opened).max_step_slots, 1, JTG_MEMORY_STEP_SLOTS);
    assert_status(reserve(&opened, 1, LIFE_MS), JTG_OK);
    jtg_cache_free(opened.cache);
}

/* Two end, one before and one behind the place where the pass stands: whichever that is, room is
 * found. Of many chosen ones some lie there. */
static void a_full_store_finds_what_ended_behind_a_pass(void **state)
{
    enum { ENTRIES = 2047 }; /* one partition */
    unsigned refused = 0;
    for (uint64_t chosen = 1; chosen <= 32; chosen++) {
        struct opened opened = defaults_without_thread();
        bool more = false;
        (void)state;
        opened.options.max_entries = ENTRIES;
        open_cache(&opened);
        for (uint64_t number = 0; number < ENTRIES; number++)
            assert_status(reserve(&opened, number,
                                  (number == 0        ? 1
                                   : number == chosen ? 2
                                                      : 9) *
                                      LIFE_MS),
                          JTG_OK);
        test_clock_advance(&opened.clock, (int64_t)LIFE_MS);
        assert_status(jtg_memory_sweep_step(opened.cache, &more, NULL), JTG_OK);
        if (stats_of(&opened).entries < ENTRIES)
            assert_status(reserve(&opened, ENTRIES, 9 * LIFE_MS), JTG_OK);
        test_clock_advance(&opened.clock, (int64_t)LIFE_MS);
        refused += reserve(&opened, ENTRIES + 1, 9 * LIFE_MS) != JTG_OK;
        jtg_cache_free(opened.cache);
    }
    assert_int_equal(refused, 0);
}

static void prune_finds_a_value_that_ended_behind_a_pass(void **state)
{
    enum { VALUES = 100000 };
    struct opened opened = defaults_without_thread();
    bool more = true;
    (void)state;
    opened.options.max_values = VALUES;
    open_cache(&opened);
    for (uint64_t number = 0; number < VALUES; number++)
        assert_status(put(&opened, number, 10, number == 0 ? LIFE_MS : 2 * LIFE_MS), JTG_OK);
    test_clock_advance(&opened.clock, (int64_t)LIFE_MS);
    assert_status(jtg_memory_sweep_step(opened.cache, &more, NULL), JTG_OK);
    assert_true(more);
    test_clock_advance(&opened.clock, (int64_t)LIFE_MS);
    uint64_t swept = stats_of(&opened).swept;
    assert_int_equal(prune(&opened), VALUES - swept);
    assert_int_equal(stats_of(&opened).values, 0);
    jtg_cache_free(opened.cache);
}

/* ---- bounds ---- */

/* One place after the other ends among very many that do not: each is found, without a sweep, and
 * without more than a bounded step under one lock hold. */
static void one_end_makes_room_among_many(void **state)
{
    struct opened opened = defaults_without_thread();
    enum { ENTRIES = 1000000, ENDS = 24 };
    (void)state;
    opened.options.max_entries = ENTRIES;
    open_cache(&opened);
    for (uint64_t number = 0; number < ENTRIES; number++)
        assert_status(reserve(&opened, number, (number < ENDS ? number + 1 : ENTRIES) * LIFE_MS),
                      JTG_OK);
    for (uint64_t end = 0; end < ENDS; end++) {
        uint64_t fresh = ENTRIES + end;
        assert_status(reserve(&opened, fresh, ENTRIES * LIFE_MS), JTG_ERR_FULL);
        test_clock_advance(&opened.clock, (int64_t)LIFE_MS);
        assert_status(reserve(&opened, fresh, ENTRIES * LIFE_MS), JTG_OK);
    }
    assert_in_range(stats_of(&opened).max_step_slots, 1, JTG_MEMORY_STEP_SLOTS);
    jtg_cache_free(opened.cache);
}

/* The same for the share of a group. */
static void one_end_makes_room_in_a_share(void **state)
{
    struct opened opened = defaults_without_thread();
    enum { ENTRIES = 100000 };
    (void)state;
    opened.options.max_entries_per_group = ENTRIES;
    open_cache(&opened);
    for (uint64_t number = 0; number <= ENTRIES; number++) {
        jtg_key key = {&number, sizeof number, "issuer", 6};
        jtg_owner owner = {"an owner"};
        if (number == ENTRIES)
            test_clock_advance(&opened.clock, (int64_t)LIFE_MS);
        assert_status(jtg_cache_reserve(opened.cache, &key, &owner,
                                        number == 777 ? LIFE_MS : 9 * LIFE_MS, NULL),
                      JTG_OK);
    }
    assert_int_equal(stats_of(&opened).groups, 1);
    jtg_cache_free(opened.cache);
}

static void one_end_makes_room_among_many_values(void **state)
{
    struct opened opened = defaults_without_thread();
    (void)state;
    open_cache(&opened);
    for (uint64_t number = 0; number < JTG_MEMORY_MAX_VALUES_DEFAULT; number++)
        assert_status(put(&opened, number, 1, number == 777 ? LIFE_MS : 9 * LIFE_MS), JTG_OK);
    uint64_t one_more = JTG_MEMORY_MAX_VALUES_DEFAULT;
    assert_status(put(&opened, one_more, 1, LIFE_MS), JTG_ERR_FULL);
    test_clock_advance(&opened.clock, (int64_t)LIFE_MS);
    assert_status(put(&opened, one_more, 1, LIFE_MS), JTG_OK);
    jtg_cache_free(opened.cache);
}

static void the_bytes_of_values_are_bounded(void **state)
{
    struct opened opened = defaults_without_thread();
    (void)state;
    opened.options.max_value_bytes = 2 * (sizeof(uint64_t) + 100);
    open_cache(&opened);
    assert_status(put(&opened, 1, 100, LIFE_MS), JTG_OK);
    assert_status(put(&opened, 2, 101, LIFE_MS), JTG_ERR_FULL);
    assert_status(put(&opened, 2, 100, LIFE_MS), JTG_OK);
    assert_int_equal(stats_of(&opened).value_bytes, opened.options.max_value_bytes);
    assert_status(put(&opened, 1, 1, LIFE_MS), JTG_ERR_FULL);
    assert_status(put(&opened, 3, 1, LIFE_MS), JTG_ERR_FULL);
    assert_int_equal(stats_of(&opened).value_bytes, opened.options.max_value_bytes);
    test_clock_advance(&opened.clock, (int64_t)LIFE_MS);
    assert_status(put(&opened, 3, 208, LIFE_MS), JTG_OK);
    jtg_cache_free(opened.cache);
}

static void reservations_and_values_have_their_own_bounds(void **state)
{
    struct opened opened = defaults_without_thread();
    (void)state;
    opened.options.max_entries = 1;
    opened.options.max_values = 1;
    open_cache(&opened);
    assert_status(reserve(&opened, 1, LIFE_MS), JTG_OK);
    assert_status(reserve(&opened, 2, LIFE_MS), JTG_ERR_FULL);
    assert_status(put(&opened, 1, 1, LIFE_MS), JTG_OK);
    assert_status(put(&opened, 2, 1, LIFE_MS), JTG_ERR_FULL);
    jtg_cache_free(opened.cache);
}

/* More groups than counters: later ones share one, none gets more than a share. */
static void groups_beyond_the_counters_share_one(void **state)
{
    struct opened opened = defaults_without_thread();
    unsigned refused = 0;
    (void)state;
    opened.options.max_entries_per_group = 1;
    open_cache(&opened);
    for (uint64_t number = 0; number < 70000; number++) {
        jtg_key key = {&number, sizeof number, &number, sizeof number};
        jtg_owner owner = {"an owner"};
        jtg_status status = jtg_cache_reserve(opened.cache, &key, &owner, LIFE_MS, NULL);
        assert_true(status == JTG_OK || status == JTG_ERR_GROUP_FULL);
        refused += status != JTG_OK;
    }
    uint64_t groups = stats_of(&opened).groups;
    assert_in_range(groups, 1, 65535);
    assert_int_equal(refused, 70000 - groups - 1);
    jtg_cache_free(opened.cache);
}

/* ---- numbers ---- */

static void the_numbers_are_those_of_the_store(void **state)
{
    struct opened opened = defaults_without_thread();
    (void)state;
    opened.options.max_entries = 5000;
    open_cache(&opened);
    jtg_memory_stats stats = stats_of(&opened);
    assert_int_equal(stats.entries, 0);
    assert_int_equal(stats.growths, 0);
    assert_int_equal(stats.max_entries, 5000);
    for (uint64_t number = 0; number < 5000; number++)
        assert_status(reserve(&opened, number, LIFE_MS), JTG_OK);
    assert_status(put(&opened, 1, 10, LIFE_MS), JTG_OK);
    assert_status(put(&opened, 1, 20, LIFE_MS), JTG_OK);
    stats = stats_of(&opened);
    assert_int_equal(stats.struct_size, sizeof stats);
    assert_int_equal(stats.entries, 5000);
    assert_int_equal(stats.values, 2);
    assert_int_equal(stats.value_bytes, sizeof(uint64_t) + 30);
    assert_true(stats.growths > 0);
    assert_true(stats.slots >= 5000);
    assert_true(stats.table_bytes <= 40 * stats.entries);
    assert_int_equal(stats.groups, 0);
    jtg_cache_free(opened.cache);
}

static void only_a_memory_cache_has_them(void **state)
{
    struct test_clock clock;
    struct fake_limits limits = {0, 0, 0};
    jtg_memory_stats stats = {.struct_size = sizeof stats};
    jtg_error err = JTG_ERROR_INIT;
    jtg_cache *fake = NULL;
    bool more = false;
    (void)state;
    test_clock_init(&clock);
    jtg_clock as_jtg = test_clock_as_jtg(&clock);
    struct fake_store *store = fake_store_new(&as_jtg, &limits);
    assert_non_null(store);
    assert_status(fake_cache_new(&fake, store, 1, NULL), JTG_OK);
    assert_status(jtg_memory_stats_get(fake, &stats, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_status(jtg_memory_sweep_step(fake, &more, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_status(jtg_memory_stats_get(NULL, &stats, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_memory_sweep_step(NULL, &more, NULL), JTG_ERR_ARGUMENT);
    jtg_cache_free(fake);
    fake_store_free(store);
}

static void places_for_them_are_needed(void **state)
{
    struct opened opened = defaults_without_thread();
    jtg_memory_stats stats = {.struct_size = 0};
    (void)state;
    open_cache(&opened);
    assert_status(jtg_memory_stats_get(opened.cache, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_memory_stats_get(opened.cache, &stats, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_memory_sweep_step(opened.cache, NULL, NULL), JTG_ERR_ARGUMENT);
    jtg_cache_free(opened.cache);
}

static void a_later_programs_stats_are_filled(void **state)
{
    struct {
        jtg_memory_stats known;
        uint64_t later;
    } newer = {.known = {.struct_size = sizeof newer}, .later = 7};
    struct opened opened = defaults_without_thread();
    (void)state;
    open_cache(&opened);
    assert_status(reserve(&opened, 1, LIFE_MS), JTG_OK);
    assert_status(jtg_memory_stats_get(opened.cache, &newer.known, NULL), JTG_OK);
    assert_int_equal(newer.known.entries, 1);
    assert_int_equal(newer.known.struct_size, sizeof newer);
    assert_int_equal(newer.later, 7);
    jtg_cache_free(opened.cache);
}

/* ---- the clock ---- */

/* A monotonic clock that goes back breaks its contract; nothing live may be forgotten for it. */
static void a_clock_that_goes_back_forgets_nothing(void **state)
{
    struct opened opened = defaults_without_thread();
    uint64_t number = 1;
    jtg_key key = {&number, sizeof number, NULL, 0};
    jtg_owner another = {"another"};
    (void)state;
    open_cache(&opened);
    assert_status(reserve(&opened, 1, LIFE_MS), JTG_OK);
    test_clock_advance(&opened.clock, -1000000);
    (void)sweep_pass(&opened);
    assert_status(jtg_cache_reserve(opened.cache, &key, &another, LIFE_MS, NULL), JTG_REPLAYED);
    jtg_cache_free(opened.cache);
}

/* An hour passes between any two looks at it. */
static int64_t hasty_ms(void *context)
{
    return *(int64_t *)context += 3600000;
}

/* The probe has ended when it is to be released. It could be stored, which was the question. */
static void a_slow_ping_still_tells_that_it_can(void **state)
{
    int64_t now_ms = 0;
    const jtg_clock clock = {sizeof clock, &now_ms, hasty_ms, hasty_ms};
    struct opened opened = defaults_without_thread();
    (void)state;
    opened.options.clock = &clock;
    assert_status(jtg_memory_new(&opened.cache, &opened.options, NULL), JTG_OK);
    assert_status(jtg_cache_ping(opened.cache, NULL), JTG_OK);
    jtg_cache_free(opened.cache);
}

/* The wall clock decides nothing here. */
static void the_wall_clock_is_not_read(void **state)
{
    struct opened opened = defaults_without_thread();
    uint64_t number = 1;
    jtg_key key = {&number, sizeof number, NULL, 0};
    jtg_owner another = {"another"};
    (void)state;
    open_cache(&opened);
    assert_status(reserve(&opened, 1, LIFE_MS), JTG_OK);
    test_clock_set_wall_by(&opened.clock, INT64_C(1000000000000));
    assert_status(jtg_cache_reserve(opened.cache, &key, &another, LIFE_MS, NULL), JTG_REPLAYED);
    test_clock_set_wall_by(&opened.clock, INT64_C(-2000000000000));
    assert_status(jtg_cache_reserve(opened.cache, &key, &another, LIFE_MS, NULL), JTG_REPLAYED);
    jtg_cache_free(opened.cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_macro_and_the_function_agree),
        cmocka_unit_test(options_have_ranges),
        cmocka_unit_test(no_options_means_the_defaults),
        cmocka_unit_test(a_place_for_the_cache_is_needed),
        cmocka_unit_test(the_struct_may_be_of_another_version),
        cmocka_unit_test(half_a_clock_is_refused),
        cmocka_unit_test(without_a_thread_only_steps_sweep),
        cmocka_unit_test(an_ended_entry_that_is_replaced_counts_as_swept),
        cmocka_unit_test(with_a_thread_nobody_steps),
        cmocka_unit_test(a_step_is_bounded),
        cmocka_unit_test(prune_removes_all_that_has_ended_and_nothing_else),
        cmocka_unit_test(prune_finds_what_ended_behind_a_pass),
        cmocka_unit_test(a_full_store_finds_what_ended_behind_a_pass),
        cmocka_unit_test(prune_finds_a_value_that_ended_behind_a_pass),
        cmocka_unit_test(one_end_makes_room_among_many),
        cmocka_unit_test(one_end_makes_room_in_a_share),
        cmocka_unit_test(one_end_makes_room_among_many_values),
        cmocka_unit_test(the_bytes_of_values_are_bounded),
        cmocka_unit_test(reservations_and_values_have_their_own_bounds),
        cmocka_unit_test(groups_beyond_the_counters_share_one),
        cmocka_unit_test(the_numbers_are_those_of_the_store),
        cmocka_unit_test(only_a_memory_cache_has_them),
        cmocka_unit_test(places_for_them_are_needed),
        cmocka_unit_test(a_later_programs_stats_are_filled),
        cmocka_unit_test(a_clock_that_goes_back_forgets_nothing),
        cmocka_unit_test(a_slow_ping_still_tells_that_it_can),
        cmocka_unit_test(the_wall_clock_is_not_read),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
