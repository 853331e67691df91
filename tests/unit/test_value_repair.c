/* SPDX-License-Identifier: Apache-2.0 */
/* What a kill leaves is mended, what no kill can leave is emptied. Every state that a kill can
 * leave is looked at by test_value_steps; here are those that one can make by hand. */
#include "host/value_repair.h"

#include "support/asserts.h"
#include "support/value_memory.h"

#include <string.h>

enum { KEYS = 10, LISTED = 3, LONG = 3 * JTGI_VALUE_CELL_ROOM, NOW = 50 };

static struct value_memory memory;

static jtg_key key_of(const uint32_t *number)
{
    return (jtg_key){number, sizeof *number, NULL, 0};
}

static int set_up(void **state)
{
    unsigned char value[LONG];
    (void)state;
    value_memory_open(&memory, KEYS * LISTED + 5, UINT64_C(100) * LONG);
    memset(value, 7, sizeof value);
    for (uint64_t i = 0; i < KEYS * LISTED; i++) {
        const uint32_t number = (uint32_t)(i % KEYS);
        const jtg_key key = key_of(&number);
        memcpy(value, &i, sizeof i);
        assert_status(
            jtgi_value_area_put(memory.area, &key, value, sizeof value, NOW, 100 + i, LISTED),
            JTG_OK);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    value_memory_close(&memory);
    return 0;
}

static bool repair(void)
{
    bool kept = jtgi_value_repair_locked(memory.area);
    assert_null(value_area_fault(memory.area));
    return kept;
}

static void assert_all_are_there(void)
{
    for (uint32_t number = 0; number < KEYS; number++) {
        const jtg_key key = key_of(&number);
        uint64_t first[VALUE_LIST_MAX];
        assert_int_equal(value_area_list(memory.area, &key, first), LISTED);
        for (unsigned i = 0; i < LISTED; i++)
            assert_int_equal(first[i], number + (LISTED - 1 - i) * KEYS);
    }
}

/* Some key that is there, and the newest of its values. */
static struct jtgi_value_cell *some_key(void)
{
    for (uint32_t i = 0; i < memory.plan.buckets; i++)
        if (memory.area->buckets[i] != 0)
            return jtgi_value_cell(memory.area, memory.area->buckets[i]);
    return NULL;
}

static struct jtgi_value_cell *some_value(void)
{
    const struct jtgi_value_cell *key = some_key();
    assert_non_null(key);
    return jtgi_value_cell(memory.area, key->newest);
}

static void test_what_is_whole_stays(void **state)
{
    (void)state;
    assert_true(repair());
    assert_all_are_there();
    assert_int_equal(memory.area->head->earliest, NOW + 100);
    assert_int_equal(memory.area->head->repairs, 1);
    assert_int_equal(memory.area->head->emptied, 0);
}

static void test_counters_are_made_anew(void **state)
{
    struct jtgi_value_head *head = memory.area->head;
    (void)state;
    head->keys = 1;
    head->values = 1000;
    head->bytes = UINT64_MAX;
    head->free = 0;
    head->earliest = 1;
    head->sweep_at = 3;
    assert_true(repair());
    assert_int_equal(head->values, KEYS * LISTED);
    assert_int_equal(head->sweep_at, 0);
    assert_all_are_there();
}

/* Taken, and nothing leads to it. */
static void test_what_was_begun_is_wiped(void **state)
{
    static const unsigned char secret[LONG] = "a value that was never stored";
    (void)state;
    assert_true(jtgi_value_cells_fill_locked(memory.area, JTGI_VALUE_DATA, secret, LONG) != 0);
    assert_true(value_area_has(memory.area, secret, 29));
    assert_true(repair());
    assert_false(value_area_has(memory.area, secret, 29));
    assert_all_are_there();
}

/* Pushed, and what it pushes out not yet removed. */
static void test_a_list_that_is_too_long_is_cut(void **state)
{
    struct jtgi_value_cell *newest = some_value();
    (void)state;
    assert_non_null(newest);
    newest->keep = LISTED - 1;
    assert_true(repair());
    assert_int_equal(memory.area->head->values, KEYS * LISTED - 1);
}

static void test_a_key_without_values_goes(void **state)
{
    struct jtgi_value_cell *key = some_key();
    (void)state;
    assert_non_null(key);
    key->newest = 0;
    assert_true(repair());
    assert_int_equal(memory.area->head->keys, KEYS - 1);
    assert_int_equal(memory.area->head->values, (KEYS - 1) * LISTED);
}

/* ---- what no death leaves ---- */

static void break_kind(void)
{
    some_value()->kind = JTGI_VALUE_REST;
}

static void break_number(void)
{
    some_value()->next = UINT32_MAX;
}

static void break_row(void)
{
    some_value()->next = 0;
}

static void break_length(void)
{
    some_value()->len = LONG + 1;
}

static void break_length_to_none(void)
{
    some_value()->len = 0;
}

static void break_keep(void)
{
    some_value()->keep = 0;
}

static void bend_list(void)
{
    some_value()->behind = some_key()->newest;
}

static void bend_bucket(void)
{
    struct jtgi_value_cell *key = some_key();
    key->behind = (uint32_t)(key - memory.area->cells) + 1;
}

static void bend_empty_keys(void)
{
    bend_bucket();
    some_key()->newest = 0;
}

static void lead_to_nothing(void)
{
    memory.area->buckets[0] = memory.plan.cells + 1;
}

static void test_what_no_death_leaves_is_emptied(void **state)
{
    static void (*const breaks[])(void) = {
        break_kind, break_number, break_row,   break_length,    break_length_to_none,
        break_keep, bend_list,    bend_bucket, lead_to_nothing,
    };
    static const unsigned char part[] = {7, 7, 7, 7, 7, 7, 7, 7};
    (void)state;
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        breaks[i]();
        assert_false(repair());
        assert_int_equal(memory.area->head->emptied, 1);
        assert_int_equal(memory.area->head->values, 0);
        assert_false(value_area_has(memory.area, part, sizeof part));
        tear_down(NULL);
        set_up(NULL);
    }
}

/* A key that is not the one of its bucket would be found by nobody, and take room for ever. */
static void test_a_key_of_another_bucket_is_a_stray_write(void **state)
{
    struct jtgi_value_cell *key = some_key();
    (void)state;
    assert_non_null(key);
    uint32_t *bucket = jtgi_value_bucket(memory.area, key->room, key->len);
    while (jtgi_value_bucket(memory.area, key->room, key->len) == bucket)
        key->room[0]++;
    assert_false(repair());
}

/* Bounded, whatever a stray write has bent. */
static void test_a_circle_of_empty_keys_is_left(void **state)
{
    (void)state;
    bend_empty_keys();
    (void)repair();
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_what_is_whole_stays),
        CASE(test_counters_are_made_anew),
        CASE(test_what_was_begun_is_wiped),
        CASE(test_a_list_that_is_too_long_is_cut),
        CASE(test_a_key_without_values_goes),
        CASE(test_what_no_death_leaves_is_emptied),
        CASE(test_a_key_of_another_bucket_is_a_stray_write),
        CASE(test_a_circle_of_empty_keys_is_left),
    };
    return cmocka_run_group_tests_name("value repair", tests, NULL, NULL);
}
