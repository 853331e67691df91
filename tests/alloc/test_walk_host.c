/* SPDX-License-Identifier: Apache-2.0 */
/* Every public call of a host cache, with its first acquisition failing, then its second, and so on
 * until it succeeds: memory, pages, descriptors. Each failure says so and leaves the store as it
 * was. */
#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/host_folder.h"
#include "support/test_clock.h"

#include <jtiguard/host.h>

enum { NTH_MAX = 50 };

#define LIFE_MS UINT64_C(10000)

static const jtg_key key = {"a key", 5, "a group", 7};
static const jtg_owner owner = {"an owner"};
static struct host_folder folder;
static struct test_clock hands;

static jtg_status open_cache(jtg_cache **cache, jtg_error *err)
{
    jtg_host_options options = JTG_HOST_OPTIONS_INIT;
    jtg_clock clock = test_clock_as_jtg(&hands);
    options.path = folder.store;
    options.max_entries = 1000;
    options.max_entries_per_group = 1000;
    options.clock = &clock;
    return jtg_host_new(cache, &options, err);
}

/* Where there is none, and where there is one. */
static unsigned walk_new(bool is_there)
{
    for (unsigned nth = 1; nth < NTH_MAX; nth++) {
        jtg_cache *cache = (jtg_cache *)&folder;
        jtg_error err = JTG_ERROR_INIT;
        alloc_walk_fail_nth(nth);
        jtg_status status = open_cache(&cache, &err);
        bool failed = alloc_walk_end();
        assert_err_tells(&err, status);
        assert_int_equal(failed, status != JTG_OK);
        assert_int_equal(cache == NULL, status != JTG_OK);
        jtg_cache_free(cache);
        if (!failed)
            return nth - 1;
        assert_true(status == JTG_ERR_MEMORY || status == JTG_ERR_UNAVAILABLE);
    }
    fail_msg("it never succeeds, %d", is_there);
    return 0;
}

static void making_a_cache(void **state)
{
    (void)state;
    host_folder_make(&folder);
    test_clock_init(&hands);
    assert_true(walk_new(false) >= 5);
    assert_true(walk_new(true) >= 5);
    host_folder_remove(&folder);
}

/* ---- calls on a cache ---- */

static jtg_status call_reserve(jtg_cache *cache, jtg_error *err)
{
    return jtg_cache_reserve(cache, &key, &owner, LIFE_MS, err);
}

static jtg_status call_reserve_kept(jtg_cache *cache, jtg_error *err)
{
    return jtg_cache_reserve_kept(cache, &key, &owner, LIFE_MS, INT64_MAX, err);
}

static jtg_status call_release(jtg_cache *cache, jtg_error *err)
{
    return jtg_cache_release(cache, &key, &owner, err);
}

static jtg_status call_kept_since(jtg_cache *cache, jtg_error *err)
{
    int64_t since_ms = 0;
    return jtg_cache_kept_since(cache, &since_ms, err);
}

static jtg_status call_count(jtg_cache *cache, jtg_error *err)
{
    uint64_t count = 0;
    return jtg_cache_count(cache, &count, err);
}

static jtg_status call_stats(jtg_cache *cache, jtg_error *err)
{
    jtg_host_stats stats = {.struct_size = sizeof stats};
    return jtg_host_stats_get(cache, &stats, err);
}

static jtg_status call_vouch(jtg_cache *cache, jtg_error *err)
{
    return jtg_host_vouch(cache, 0, err);
}

static jtg_status call_prune(jtg_cache *cache, jtg_error *err)
{
    return jtg_cache_prune(cache, NULL, err);
}

static jtg_status (*const calls[])(jtg_cache *cache, jtg_error *err) = {
    call_reserve,    call_reserve_kept, call_release, call_kept_since, call_count,   call_prune,
    jtg_cache_clear, jtg_cache_ping,    call_stats,   call_vouch,      jtg_host_lose};

/* The file was exchanged, so that the call opens the new one. */
static bool walk_call(size_t call, unsigned nth)
{
    jtg_cache *cache = NULL;
    jtg_error err = JTG_ERROR_INIT;
    host_folder_make(&folder);
    test_clock_init(&hands);
    assert_status(open_cache(&cache, NULL), JTG_OK);
    host_folder_remove_store(&folder);
    test_clock_advance(&hands, 1001);
    alloc_walk_fail_nth(nth);
    jtg_status status = calls[call](cache, &err);
    bool failed = alloc_walk_end();
    assert_err_tells(&err, status);
    if (failed) {
        assert_true(status == JTG_ERR_MEMORY || status == JTG_ERR_UNAVAILABLE);
        status = calls[call](cache, NULL);
    }
    assert_true(status == JTG_OK || (calls[call] == call_release && status == JTG_NOT_FOUND));
    jtg_cache_free(cache);
    host_folder_remove(&folder);
    return failed;
}

static void every_call_of_a_cache(void **state)
{
    (void)state;
    for (size_t call = 0; call < sizeof calls / sizeof calls[0]; call++) {
        unsigned nth = 1;
        while (walk_call(call, nth))
            assert_in_range(++nth, 1, NTH_MAX);
        assert_true(nth > 5); /* each has opened the store */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(making_a_cache),
        cmocka_unit_test(every_call_of_a_cache),
    };
    return cmocka_run_group_tests_name("allocation walk: host", tests, NULL, NULL);
}
