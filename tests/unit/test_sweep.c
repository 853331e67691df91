/* SPDX-License-Identifier: Apache-2.0 */
/* The sweep of a host store, which its callers make. */
#include "host/sweep.h"

#include "support/asserts.h"
#include "support/host_store.h"

#include <stdio.h>

/* Calls do it, a step at a time. */
static void what_has_ended_is_swept_without_a_thread(void **state)
{
    (void)state;
    jtg_cache *cache = host_store_open();
    for (unsigned i = 0; i < 2000; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%u", i);
        assert_status(host_store_reserve(cache, text, 1), JTG_OK);
    }
    test_clock_advance(&store.hands, HOST_STORE_LIFE_MS);
    for (unsigned i = 0; i < 200 && host_store_stats(cache).swept < 2000; i++) {
        test_clock_advance(&store.hands, 1000);
        (void)host_store_reserve(cache, "another", 1);
    }
    assert_int_equal(host_store_stats(cache).swept, 2000);
    assert_true(host_store_stats(cache).sweep_passes >= 1);
    jtg_cache_free(cache);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, host_store_begin, host_store_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_has_ended_is_swept_without_a_thread),
    };
    return cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
}
