/* SPDX-License-Identifier: Apache-2.0 */
#include "core/counters.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/threads.h"

enum { COUNT = 23, THREADS = 20, ADDS = 5000 };

static void counters_start_at_zero(void **state)
{
    (void)state;
    struct jtgi_counters *counters = jtgi_counters_new(COUNT);
    assert_non_null(counters);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(jtgi_counters_read(counters, i), 0);
    jtgi_counters_free(counters);
    jtgi_counters_free(NULL);
}

static void each_counter_is_its_own(void **state)
{
    (void)state;
    struct jtgi_counters *counters = jtgi_counters_new(COUNT);
    assert_non_null(counters);
    for (size_t i = 0; i < COUNT; i++)
        for (size_t times = 0; times < i; times++)
            jtgi_counters_add(counters, i);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(jtgi_counters_read(counters, i), i);
    assert_int_equal(jtgi_counters_read(counters, COUNT), 0);
    assert_int_equal(jtgi_counters_read(counters, SIZE_MAX), 0);
    jtgi_counters_free(counters);
}

static void add_to_all(void *context, unsigned thread)
{
    (void)thread;
    for (unsigned i = 0; i < ADDS; i++)
        jtgi_counters_add(context, i % COUNT);
}

/* More threads than copies of the set, so that some share one. */
static void threads_lose_no_count(void **state)
{
    uint64_t sum = 0;
    (void)state;
    struct jtgi_counters *counters = jtgi_counters_new(COUNT);
    assert_non_null(counters);
    threads_run(THREADS, add_to_all, counters);
    for (size_t i = 0; i < COUNT; i++)
        sum += jtgi_counters_read(counters, i);
    assert_int_equal(sum, THREADS * ADDS);
    assert_int_equal(jtgi_counters_read(counters, 0), THREADS * ((ADDS + COUNT - 1) / COUNT));
    jtgi_counters_free(counters);
}

/* What every thread reads on each call, on a line that one of them writes, would be taken from all
 * others by each count. */
static void what_is_read_stands_apart_from_what_is_written(void **state)
{
    (void)state;
    for (size_t count = 1; count <= 3 * JTGI_PLACE_BYTES / sizeof(uint64_t); count++) {
        struct jtgi_counters *counters = jtgi_counters_new(count);
        assert_non_null(counters);
        assert_int_equal((uintptr_t)counters % JTGI_PLACE_BYTES, 0);
        assert_int_equal((uintptr_t)counters->values % JTGI_PLACE_BYTES, 0);
        assert_true((uintptr_t)counters->values >= (uintptr_t)counters + JTGI_PLACE_BYTES);
        assert_true(counters->stride >= count);
        assert_int_equal(counters->stride * sizeof counters->values[0] % JTGI_PLACE_BYTES, 0);
        jtgi_counters_free(counters);
    }
}

static void no_memory_no_counters(void **state)
{
    (void)state;
    alloc_walk_fail_all();
    struct jtgi_counters *counters = jtgi_counters_new(COUNT);
    assert_true(alloc_walk_end());
    assert_null(counters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_start_at_zero),
        cmocka_unit_test(each_counter_is_its_own),
        cmocka_unit_test(threads_lose_no_count),
        cmocka_unit_test(what_is_read_stands_apart_from_what_is_written),
        cmocka_unit_test(no_memory_no_counters),
    };
    return cmocka_run_group_tests_name("counters", tests, NULL, NULL);
}
