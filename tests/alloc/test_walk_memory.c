/* SPDX-License-Identifier: Apache-2.0 */
/* Every public call of a memory cache, with its first acquisition failing, then its second, and
 * so on until it succeeds. Each failure says so, changes nothing, loses nothing (the leak
 * sanitizer looks), and the same call then works. */
#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/test_clock.h"

#include <jtiguard/memory.h>
#include <string.h>

enum { NTH_MAX = 50 };

#define LIFE_MS UINT64_C(10000)

static const jtg_key key = {"a key", 5, "a group", 7};
static const jtg_owner owner = {"an owner"};

struct walk {
    struct test_clock clock;
    jtg_cache *cache;
    jtg_value value;
};

static jtg_status open_cache(struct walk *walk, uint32_t sweep_interval_ms, jtg_error *err)
{
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    test_clock_init(&walk->clock);
    jtg_clock clock = test_clock_as_jtg(&walk->clock);
    options.max_entries = 10000;
    options.max_entries_per_group = 10000;
    options.sweep_interval_ms = sweep_interval_ms;
    options.clock = &clock;
    return jtg_memory_new(&walk->cache, &options, err);
}

/* ---- making a cache ---- */

/* The thread is an acquisition too; it answers another status. The hook stays set until the cache
 * is gone, for nothing may change it while a thread is in the library. */
static unsigned walk_new(uint32_t sweep_interval_ms)
{
    for (unsigned nth = 1; nth < NTH_MAX; nth++) {
        struct walk walk = {.cache = (jtg_cache *)&walk};
        jtg_error err = JTG_ERROR_INIT;
        alloc_walk_fail_nth(nth);
        jtg_status status = open_cache(&walk, sweep_interval_ms, &err);
        if (status != JTG_OK)
            assert_null(walk.cache);
        jtg_cache_free(walk.cache);
        bool failed = alloc_walk_end();
        assert_err_tells(&err, status);
        assert_int_equal(failed, status != JTG_OK);
        if (!failed)
            return nth - 1;
        assert_true(status == JTG_ERR_MEMORY ||
                    (status == JTG_ERR_SYSTEM && sweep_interval_ms != 0));
    }
    fail_msg("it never succeeds");
    return 0;
}

static void making_a_cache(void **state)
{
    (void)state;
    unsigned without_thread = walk_new(0);
    unsigned with_thread = walk_new(1000);
    assert_true(without_thread >= 5); /* cache, counters, and the parts of the store */
    assert_int_equal(with_thread, without_thread + 1);
}

/* ---- calls on a cache ---- */

typedef jtg_status (*walked_call)(struct walk *walk, jtg_error *err);

static jtg_status call_reserve(struct walk *walk, jtg_error *err)
{
    return jtg_cache_reserve(walk->cache, &key, &owner, LIFE_MS, err);
}

static jtg_status call_release(struct walk *walk, jtg_error *err)
{
    return jtg_cache_release(walk->cache, &key, &owner, err);
}

static jtg_status call_put(struct walk *walk, jtg_error *err)
{
    return jtg_cache_put(walk->cache, &key, "new", 3, LIFE_MS, 2, err);
}

static jtg_status call_get(struct walk *walk, jtg_error *err)
{
    return jtg_cache_get(walk->cache, &key, &walk->value, err);
}

static jtg_status call_take(struct walk *walk, jtg_error *err)
{
    return jtg_cache_take(walk->cache, &key, &walk->value, err);
}

static jtg_status call_swap(struct walk *walk, jtg_error *err)
{
    return jtg_cache_swap(walk->cache, &key, "old", 3, "new", 3, LIFE_MS, err);
}

static jtg_status call_swap_in(struct walk *walk, jtg_error *err)
{
    return jtg_cache_swap(walk->cache, &key, NULL, 0, "new", 3, LIFE_MS, err);
}

static jtg_status call_swap_out(struct walk *walk, jtg_error *err)
{
    return jtg_cache_swap(walk->cache, &key, "old", 3, NULL, 0, 0, err);
}

static jtg_status call_drop(struct walk *walk, jtg_error *err)
{
    return jtg_cache_drop(walk->cache, &key, err);
}

static jtg_status call_count(struct walk *walk, jtg_error *err)
{
    uint64_t number = 0;
    return jtg_cache_count(walk->cache, &number, err);
}

static jtg_status call_clear(struct walk *walk, jtg_error *err)
{
    return jtg_cache_clear(walk->cache, err);
}

static jtg_status call_ping(struct walk *walk, jtg_error *err)
{
    return jtg_cache_ping(walk->cache, err);
}

static jtg_status call_sweep_step(struct walk *walk, jtg_error *err)
{
    bool more = false;
    return jtg_memory_sweep_step(walk->cache, &more, err);
}

static jtg_status call_stats(struct walk *walk, jtg_error *err)
{
    jtg_memory_stats stats = {.struct_size = sizeof stats};
    return jtg_memory_stats_get(walk->cache, &stats, err);
}

/* The calls, and what the key holds when they are made. */
static const struct walked {
    const char *name;
    walked_call call;
    bool reserved;
    const char *value;
} walked[] = {
    {"reserve", call_reserve, false, NULL},
    {"reserve again", call_reserve, true, NULL},
    {"release", call_release, true, NULL},
    {"put first", call_put, false, NULL},
    {"put second", call_put, false, "old"},
    {"get", call_get, false, "old"},
    {"take", call_take, false, "old"},
    {"swap", call_swap, false, "old"},
    {"swap in", call_swap_in, false, NULL},
    {"swap out", call_swap_out, false, "old"},
    {"drop", call_drop, false, "old"},
    {"count", call_count, true, "old"},
    {"clear", call_clear, true, "old"},
    {"ping", call_ping, true, "old"},
    {"sweep step", call_sweep_step, true, "old"},
    {"stats", call_stats, true, "old"},
};

static void hold(struct walk *walk, const struct walked *row)
{
    assert_status(open_cache(walk, 0, NULL), JTG_OK);
    if (row->reserved)
        assert_status(jtg_cache_reserve(walk->cache, &key, &owner, LIFE_MS, NULL), JTG_OK);
    if (row->value != NULL)
        assert_status(
            jtg_cache_put(walk->cache, &key, row->value, strlen(row->value), LIFE_MS, 2, NULL),
            JTG_OK);
}

/* The key holds what it held before, and the numbers say the same. */
static void nothing_has_changed(struct walk *walk, const struct walked *row)
{
    jtg_owner nobody = {"nobody"};
    jtg_value value = JTG_VALUE_INIT;
    jtg_memory_stats stats = {.struct_size = sizeof stats};
    size_t len = row->value == NULL ? 0 : strlen(row->value);
    assert_null(walk->value.data);
    assert_status(jtg_cache_release(walk->cache, &key, &nobody, NULL),
                  row->reserved ? JTG_NOT_OWNER : JTG_NOT_FOUND);
    assert_status(jtg_cache_get(walk->cache, &key, &value, NULL),
                  row->value == NULL ? JTG_NOT_FOUND : JTG_OK);
    assert_int_equal(value.data_len, len);
    if (len != 0)
        assert_memory_equal(value.data, row->value, len);
    jtg_value_clear(&value);
    assert_status(jtg_memory_stats_get(walk->cache, &stats, NULL), JTG_OK);
    assert_int_equal(stats.entries, row->reserved);
    assert_int_equal(stats.values, len != 0);
    assert_int_equal(stats.value_bytes, len == 0 ? 0 : len + key.data_len);
}

/* True if the nth acquisition was asked for, and failed the call. */
static bool walk_call(const struct walked *row, unsigned nth)
{
    struct walk walk = {.cache = NULL};
    jtg_error err = JTG_ERROR_INIT;
    hold(&walk, row);
    alloc_walk_fail_nth(nth);
    jtg_status status = row->call(&walk, &err);
    bool failed = alloc_walk_end();
    assert_err_tells(&err, status);
    if (failed != (status != JTG_OK))
        fail_msg("%s, acquisition %u: answered %s", row->name, nth, jtg_status_name(status));
    if (failed) {
        assert_status(status, JTG_ERR_MEMORY);
        nothing_has_changed(&walk, row);
        assert_status(row->call(&walk, NULL), JTG_OK);
    }
    jtg_value_clear(&walk.value);
    jtg_cache_free(walk.cache);
    return failed;
}

static void every_call_of_a_cache(void **state)
{
    unsigned acquisitions = 0;
    (void)state;
    for (size_t i = 0; i < sizeof walked / sizeof walked[0]; i++) {
        unsigned nth = 1;
        while (walk_call(&walked[i], nth))
            assert_in_range(++nth, 1, NTH_MAX);
        acquisitions += nth - 1;
    }
    assert_true(acquisitions >=
                6); /* two puts, get, take, two swaps: the walk was no walk of air */
}

/* ---- growth ---- */

/* While the table grows from nothing to thousands of entries, every acquisition fails: each call
 * either needs none or says so, and what was admitted stays admitted. */
static void growing_without_memory(void **state)
{
    struct walk walk = {.cache = NULL};
    unsigned admitted = 0;
    (void)state;
    assert_status(open_cache(&walk, 0, NULL), JTG_OK);
    for (unsigned number = 0; number < 10000; number++) {
        jtg_key numbered = {&number, sizeof number, NULL, 0};
        alloc_walk_fail_all();
        jtg_status status = jtg_cache_reserve(walk.cache, &numbered, &owner, LIFE_MS, NULL);
        (void)alloc_walk_end();
        assert_true(status == JTG_OK || status == JTG_ERR_MEMORY);
        admitted += status == JTG_OK;
        if (status == JTG_ERR_MEMORY)
            assert_status(jtg_cache_reserve(walk.cache, &numbered, &owner, LIFE_MS, NULL), JTG_OK);
    }
    jtg_owner another = {"another"};
    for (unsigned number = 0; number < 10000; number++) {
        jtg_key numbered = {&number, sizeof number, NULL, 0};
        assert_status(jtg_cache_reserve(walk.cache, &numbered, &another, LIFE_MS, NULL),
                      JTG_REPLAYED);
    }
    assert_true(admitted > 0);
    jtg_cache_free(walk.cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(making_a_cache),
        cmocka_unit_test(every_call_of_a_cache),
        cmocka_unit_test(growing_without_memory),
    };
    return cmocka_run_group_tests_name("allocation walk: memory", tests, NULL, NULL);
}
