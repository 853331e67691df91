/* SPDX-License-Identifier: Apache-2.0 */
/* What the contract list cannot see from outside: budgets, steps, and what is left behind. */
#include "memory/values.h"

#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "table/slot.h"

#include <stdio.h>
#include <string.h>

enum { MAX_VALUES = 8, MAX_BYTES = 200, NOW = 10, LATER = 1000 };

static struct jtgi_values *values;

static int set_up(void **state)
{
    (void)state;
    values = jtgi_values_new(MAX_VALUES, MAX_BYTES);
    return values == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    jtgi_values_free(values, false);
    return 0;
}

static jtg_key key_of(const char *name)
{
    return (jtg_key){name, strlen(name), NULL, 0};
}

static jtg_status put(const char *name, size_t data_len, uint64_t end, size_t keep)
{
    static const unsigned char data[MAX_BYTES + 1] = {7};
    jtg_key key = key_of(name);
    return jtgi_values_put(values, &key, data, data_len, NOW, end - NOW, keep);
}

static struct jtgi_values_stats stats(void)
{
    struct jtgi_values_stats now;
    jtgi_values_stats_get(values, &now);
    return now;
}

static void assert_holds(uint64_t keys, uint64_t count, uint64_t bytes)
{
    assert_int_equal(stats().keys, keys);
    assert_int_equal(stats().values, count);
    assert_int_equal(stats().bytes, bytes);
}

static void test_accounts_for_every_byte(void **state)
{
    (void)state;
    jtg_key key = key_of("a");
    jtg_value value = JTG_VALUE_INIT;
    assert_int_equal(put("a", 10, LATER, 2), JTG_OK);
    assert_holds(1, 1, 11);
    assert_int_equal(put("a", 20, LATER, 2), JTG_OK);
    assert_holds(1, 2, 31);
    assert_int_equal(put("a", 5, LATER, 2), JTG_OK); /* pushes out the 10 */
    assert_holds(1, 2, 26);
    assert_int_equal(put("a", 1, LATER, 1), JTG_OK);
    assert_holds(1, 1, 2);
    assert_int_equal(jtgi_values_take(values, &key, NOW, &value), JTG_OK);
    assert_int_equal(value.ttl_ms, LATER - NOW);
    jtg_value_clear(&value);
    assert_holds(0, 0, 0);
    assert_int_equal(put("b", 3, LATER, 1), JTG_OK);
    jtgi_values_clear(values);
    assert_holds(0, 0, 0);
}

static void test_refuses_beyond_the_number(void **state)
{
    (void)state;
    char name[16];
    for (int i = 0; i < MAX_VALUES; i++) {
        (void)snprintf(name, sizeof name, "%d", i);
        assert_int_equal(put(name, 1, LATER, 1), JTG_OK);
    }
    assert_int_equal(put("more", 1, LATER, 1), JTG_ERR_FULL);
    assert_holds(MAX_VALUES, MAX_VALUES, 2 * MAX_VALUES);
    assert_int_equal(put("3", 1, LATER, 1), JTG_OK);       /* replaces */
    assert_int_equal(put("3", 1, LATER, 2), JTG_ERR_FULL); /* adds */
    assert_holds(MAX_VALUES, MAX_VALUES, 2 * MAX_VALUES);
}

static void test_refuses_beyond_the_bytes_and_stays_as_it_was(void **state)
{
    (void)state;
    assert_int_equal(put("a", 100, LATER, 1), JTG_OK);
    assert_int_equal(put("b", 100, LATER, 1), JTG_ERR_FULL);
    assert_int_equal(put("a", 200, LATER, 1), JTG_ERR_FULL);
    assert_holds(1, 1, 101);
    assert_int_equal(put("a", 199, LATER, 1), JTG_OK); /* what it replaces is given back */
    assert_holds(1, 1, 200);
    assert_int_equal(put("a", 50, LATER, 4), JTG_ERR_FULL);
    assert_int_equal(put("a", 1, LATER, 1), JTG_OK);
    assert_holds(1, 1, 2);
}

static void test_makes_room_of_what_has_ended(void **state)
{
    (void)state;
    char name[16];
    for (int i = 0; i < MAX_VALUES; i++) {
        (void)snprintf(name, sizeof name, "%d", i);
        assert_int_equal(put(name, 1, NOW + (i == 5 ? 1U : 100U), 1), JTG_OK);
    }
    jtg_key key = key_of("new");
    assert_int_equal(jtgi_values_put(values, &key, "v", 1, NOW, 9, 1), JTG_ERR_FULL);
    assert_int_equal(jtgi_values_put(values, &key, "v", 1, NOW + 1, 9, 1), JTG_OK);
    key = key_of("newer");
    assert_int_equal(jtgi_values_put(values, &key, "v", 1, NOW + 1, 9, 1), JTG_ERR_FULL);
    assert_int_equal(stats().swept, 1);
}

static void test_sweeps_in_steps_until_nothing_is_left(void **state)
{
    (void)state;
    assert_int_equal(put("a", 1, NOW + 5, 4), JTG_OK);
    assert_int_equal(put("a", 2, LATER, 4), JTG_OK);
    assert_int_equal(put("a", 3, NOW + 5, 4), JTG_OK);
    assert_int_equal(put("b", 4, NOW + 5, 4), JTG_OK);
    for (size_t i = 0; i < jtgi_values_number(values); i++)
        while (jtgi_values_sweep(values, i, NOW + 5, 1))
            ;
    assert_holds(1, 1, 3);
    assert_int_equal(stats().swept, 3);
    for (size_t i = 0; i < jtgi_values_number(values); i++)
        (void)jtgi_values_sweep(values, i, NOW + 6, 1);
    assert_holds(1, 1, 3);
}

static void test_running_out_of_memory_leaves_it_as_it_was(void **state)
{
    (void)state;
    jtg_key key = key_of("a");
    jtg_value value = JTG_VALUE_INIT;
    assert_int_equal(put("a", 4, LATER, 2), JTG_OK);

    alloc_walk_fail_all();
    jtg_status again = put("a", 5, LATER, 2);
    jtg_status fresh = put("fresh", 5, LATER, 2);
    jtg_status taken = jtgi_values_take(values, &key, NOW, &value);
    jtg_status swapped = jtgi_values_swap(values, &key, "x", 1, "y", 1, NOW, LATER - NOW);
    assert_true(alloc_walk_end());

    assert_int_equal(again, JTG_ERR_MEMORY);
    assert_int_equal(fresh, JTG_ERR_MEMORY);
    assert_int_equal(taken, JTG_ERR_MEMORY);
    assert_int_equal(swapped, JTG_ERR_MEMORY);
    assert_holds(1, 1, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_accounts_for_every_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refuses_beyond_the_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refuses_beyond_the_bytes_and_stays_as_it_was, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_makes_room_of_what_has_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sweeps_in_steps_until_nothing_is_left, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_running_out_of_memory_leaves_it_as_it_was, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
