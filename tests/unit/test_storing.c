/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a host store beyond the contract list: several processes, files, and bounds. */
#include "host/storing.h"

#include "support/asserts.h"
#include "support/host_store.h"

#include <string.h>
#include <unistd.h>

static const jtg_key key = {"a host", 6, NULL, 0};

static jtg_status put(jtg_cache *cache, const char *text)
{
    return jtg_cache_put(cache, &key, text, strlen(text), HOST_STORE_LIFE_MS, 2, NULL);
}

static bool takes(jtg_cache *cache, const char *text)
{
    jtg_value value = JTG_VALUE_INIT;
    bool good = jtg_cache_take(cache, &key, &value, NULL) == JTG_OK &&
                value.data_len == strlen(text) && memcmp(value.data, text, value.data_len) == 0;
    jtg_value_clear(&value);
    return good;
}

static void one_process_takes_what_another_put(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        jtg_cache *own = host_store_open();
        _exit(put(own, "older") == JTG_OK && put(own, "newer") == JTG_OK ? 0 : 1);
    }
    host_store_await(child, 0);
    jtg_cache *cache = host_store_open();
    assert_int_equal(host_store_stats(cache).values, 2);
    assert_true(takes(cache, "newer"));
    assert_true(takes(cache, "older"));
    assert_false(takes(cache, "older"));
    jtg_cache_free(cache);
}

/* The file's bounds hold, and are told. */
static void they_are_bounded(void **state)
{
    static const unsigned char large[500];
    (void)state;
    store.options.max_values = 3;
    store.options.max_value_bytes = 400;
    jtg_cache *cache = host_store_open();
    store.options.max_values = 1000;
    assert_status(jtg_cache_put(cache, &key, large, sizeof large, 1000, 1, NULL), JTG_ERR_FULL);
    assert_status(jtg_cache_put(cache, &key, large, 394, 1000, 1, NULL), JTG_OK);
    jtg_cache *other = host_store_open();
    jtg_host_stats stats = host_store_stats(other);
    assert_int_equal(stats.max_values, 3);
    assert_int_equal(stats.max_value_bytes, 400);
    assert_int_equal(stats.values, 1);
    assert_int_equal(stats.value_bytes, 400);
    jtg_cache_free(other);
    jtg_cache_free(cache);
}

/* Not the values of a file that stood there before. */
static void another_file_has_its_own(void **state)
{
    (void)state;
    jtg_cache *cache = host_store_open();
    assert_status(put(cache, "value"), JTG_OK);
    host_folder_remove_store(&store.folder);
    test_clock_advance(&store.hands, 1001);
    assert_false(takes(cache, "value"));
    assert_status(put(cache, "other"), JTG_OK);
    assert_true(takes(cache, "other"));
    jtg_cache_free(cache);
}

/* The sweep of a store in which values alone come and go. */
static void they_are_swept_by_who_stores(void **state)
{
    (void)state;
    store.options.max_entries = 100;
    jtg_cache *cache = host_store_open();
    assert_status(jtg_cache_put(cache, &key, "v", 1, 1000, 1, NULL), JTG_OK);
    test_clock_advance(&store.hands, 1000);
    for (int i = 0; i < 100 && host_store_stats(cache).swept == 0; i++) {
        const jtg_key other = {"another", 7, NULL, 0};
        test_clock_advance(&store.hands, 5000);
        assert_status(jtg_cache_drop(cache, &other, NULL), JTG_NOT_FOUND);
    }
    assert_int_equal(host_store_stats(cache).swept, 1);
    assert_int_equal(host_store_stats(cache).values, 0);
    jtg_cache_free(cache);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, host_store_begin, host_store_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_process_takes_what_another_put),
        CASE(they_are_bounded),
        CASE(another_file_has_its_own),
        CASE(they_are_swept_by_who_stores),
    };
    return cmocka_run_group_tests_name("storing", tests, NULL, NULL);
}
