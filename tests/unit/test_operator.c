/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of a host store, and what an operator says to it. */
#include <jtiguard/host.h>

#include "support/asserts.h"
#include "support/host_store.h"

#include <unistd.h>

static void numbers_are_told(void **state)
{
    jtg_host_stats stats = {.struct_size = 1};
    (void)state;
    store.options.max_entries_per_group = 50;
    jtg_cache *cache = host_store_open(), *other = host_store_open();
    assert_status(host_store_reserve(cache, "a jti", 1), JTG_OK);
    assert_status(jtg_host_stats_get(cache, &stats, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_host_stats_get(NULL, &stats, NULL), JTG_ERR_ARGUMENT);
    stats = host_store_stats(cache);
    assert_string_equal(stats.path, store.folder.store);
    assert_int_equal(stats.entries, 1);
    assert_int_equal(stats.max_entries, 5000);
    assert_int_equal(stats.max_entries_per_group, 50);
    assert_int_equal(stats.processes, 2);
    assert_int_equal(stats.repairs + stats.emptied + stats.replaced, 0);
    assert_true(stats.kept_since_ms == TEST_CLOCK_WALL_MS + 1001);
    jtg_cache_free(cache);
    jtg_cache_free(other);
}

static void tell(void *context, uint32_t process_id, const char *name)
{
    assert_int_equal(process_id, getpid());
    assert_true(name[0] != '\0');
    ++*(int *)context;
}

static void processes_are_told(void **state)
{
    int told = 0;
    (void)state;
    jtg_cache *cache = host_store_open(), *other = host_store_open();
    assert_status(jtg_host_processes(cache, NULL, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_host_processes(cache, tell, &told, NULL), JTG_OK);
    assert_int_equal(told, 2);
    jtg_cache_free(cache);
    jtg_cache_free(other);
}

static void an_operator_says_what_was_kept(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    jtg_cache *cache = host_store_open(), *other = host_store_open();
    assert_status(host_store_reserve_kept(cache, "a jti", 1, 1000), JTG_ERR_CONTINUITY);
    assert_status(jtg_host_vouch(cache, INT64_MAX, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_status(jtg_host_vouch(cache, 0, &err), JTG_OK);
    assert_status(host_store_reserve_kept(other, "a jti", 1, 1000), JTG_OK);
    assert_status(jtg_host_lose(cache, NULL), JTG_OK);
    assert_status(host_store_reserve_kept(other, "b", 1, TEST_CLOCK_WALL_MS), JTG_ERR_CONTINUITY);
    assert_status(host_store_reserve(other, "a jti", 2), JTG_REPLAYED);
    assert_status(host_store_reserve_kept(other, "a jti", 2, TEST_CLOCK_WALL_MS), JTG_REPLAYED);
    assert_status(host_store_reserve_kept(other, "a jti", 1, TEST_CLOCK_WALL_MS),
                  JTG_ERR_CONTINUITY);
    assert_true(host_store_kept_since(other) == TEST_CLOCK_WALL_MS + 1);
    jtg_cache_free(cache);
    jtg_cache_free(other);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, host_store_begin, host_store_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(numbers_are_told),
        CASE(processes_are_told),
        CASE(an_operator_says_what_was_kept),
    };
    return cmocka_run_group_tests_name("operator", tests, NULL, NULL);
}
