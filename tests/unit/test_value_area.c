/* SPDX-License-Identifier: Apache-2.0 */
/* The operations under their lock, beyond the contract list: the lock, the sweep, and time. */
#include "host/value_area.h"

#include "core/alloc.h"
#include "support/asserts.h"
#include "support/value_memory.h"

#include <stdio.h>
#include <string.h>

enum { VALUES = 600, BYTES = 1 << 16, NOW = 100, ME = 1, OTHER = 2, WAIT_MS = 10 };

static struct value_memory memory;

static int set_up(void **state)
{
    (void)state;
    value_memory_open(&memory, VALUES, BYTES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_null(value_area_fault(memory.area));
    value_memory_close(&memory);
    return 0;
}

static jtg_status put(uint32_t number, uint64_t now, uint64_t ttl_ms)
{
    const jtg_key key = {&number, sizeof number, NULL, 0};
    return jtgi_value_area_put(memory.area, &key, "value", 5, now, ttl_ms, 1);
}

static jtg_status get(uint32_t number, uint64_t now, uint64_t *ttl_ms)
{
    const jtg_key key = {&number, sizeof number, NULL, 0};
    jtg_value value = JTG_VALUE_INIT;
    jtg_status status = jtgi_value_area_get(memory.area, &key, now, &value);
    *ttl_ms = value.ttl_ms;
    assert_int_equal(value.data != NULL, status == JTG_OK);
    jtg_value_clear(&value);
    return status;
}

static struct jtgi_value_stats stats(void)
{
    struct jtgi_value_stats now;
    assert_status(jtgi_value_area_stats(memory.area, &now), JTG_OK);
    return now;
}

/* ---- the lock ---- */

static bool yes(void *context, uint32_t word)
{
    (void)context;
    return word == OTHER;
}

static struct jtgi_value_area *held_by_other(bool is_dead)
{
    const struct jtgi_lock_party party = {
        .word = ME, .shared = true, .wait_ms = WAIT_MS, .is_dead = is_dead ? yes : NULL};
    struct jtgi_value_area *area = jtgi_value_area_open(memory.pages, &memory.plan, &party);
    assert_non_null(area);
    atomic_store(&area->head->lock, OTHER);
    return area;
}

static void test_a_holder_blocks_every_call(void **state)
{
    static const jtg_key key = {"a key", 5, NULL, 0};
    jtg_value value = JTG_VALUE_INIT;
    struct jtgi_value_stats told;
    uint64_t removed = 0;
    (void)state;
    struct jtgi_value_area *area = held_by_other(false);
    assert_status(jtgi_value_area_put(area, &key, "v", 1, NOW, 9, 1), JTG_ERR_BLOCKED);
    assert_status(jtgi_value_area_get(area, &key, NOW, &value), JTG_ERR_BLOCKED);
    assert_status(jtgi_value_area_take(area, &key, NOW, &value), JTG_ERR_BLOCKED);
    assert_status(jtgi_value_area_swap(area, &key, NULL, 0, "v", 1, NOW, 9), JTG_ERR_BLOCKED);
    assert_status(jtgi_value_area_drop(area, &key, NOW), JTG_ERR_BLOCKED);
    assert_status(jtgi_value_area_clear(area), JTG_ERR_BLOCKED);
    assert_status(jtgi_value_area_prune(area, NOW, &removed), JTG_ERR_BLOCKED);
    assert_status(jtgi_value_area_stats(area, &told), JTG_ERR_BLOCKED);
    assert_false(jtgi_value_area_sweep(area, NOW, 1));
    assert_true(jtgi_value_area_mend(area));
    assert_int_equal(atomic_load(&area->head->lock) & ~JTGI_LOCK_WAITERS, OTHER);
    atomic_store(&area->head->lock, 0);
    jtgi_value_area_close(area);
    jtgi_value_area_close(NULL);
}

/* It is done beside calls that want something else. */
static void test_a_sweep_does_not_wait(void **state)
{
    const struct jtgi_lock_party patient = {.word = ME, .shared = true, .wait_ms = 3600000};
    (void)state;
    struct jtgi_value_area *area = jtgi_value_area_open(memory.pages, &memory.plan, &patient);
    assert_non_null(area);
    atomic_store(&area->head->lock, OTHER);
    assert_false(jtgi_value_area_sweep(area, NOW, 1));
    atomic_store(&area->head->lock, 0);
    jtgi_value_area_close(area);
}

static void test_a_dead_holders_is_repaired(void **state)
{
    (void)state;
    assert_status(put(1, NOW, 1000), JTG_OK);
    struct jtgi_value_area *area = held_by_other(true);
    memory.area->head->values = 77;
    assert_true(jtgi_value_area_mend(area));
    assert_int_equal(stats().values, 1);
    assert_int_equal(stats().repairs, 1);
    atomic_store(&area->head->lock, OTHER);
    const jtg_key key = {"a key", 5, NULL, 0};
    assert_status(jtgi_value_area_put(area, &key, "v", 1, NOW, 9, 1), JTG_OK);
    assert_int_equal(stats().repairs, 2);
    atomic_store(&area->head->lock, OTHER);
    area->buckets[0] = UINT32_MAX;
    assert_false(jtgi_value_area_mend(area));
    assert_int_equal(stats().emptied, 1);
    jtgi_value_area_close(area);
}

/* Another file takes the place: what is marked is entered by nobody, and the copy by all. */
static void test_another_takes_the_place(void **state)
{
    struct value_memory other;
    uint64_t ttl_ms = 0;
    (void)state;
    value_memory_open(&other, VALUES, BYTES);
    assert_status(put(1, NOW, 1000), JTG_OK);
    assert_true(jtgi_value_area_hold(memory.area));
    jtgi_value_area_copy_locked(memory.area, other.pages);
    jtgi_value_area_mark_locked(memory.area, true);
    jtgi_value_area_let_go_locked(memory.area);
    assert_status(get(1, NOW, &ttl_ms), JTG_ERR_BLOCKED);
    assert_false(jtgi_value_area_hold(memory.area));
    assert_true(jtgi_value_area_unmark(memory.area));
    assert_status(get(1, NOW, &ttl_ms), JTG_OK);
    memcpy(other.area->hash_key, other.area->head->hash_key, sizeof other.area->hash_key);
    const uint32_t number = 1;
    const jtg_key key = {&number, sizeof number, NULL, 0};
    assert_status(jtgi_value_area_drop(other.area, &key, NOW), JTG_OK);
    assert_null(value_area_fault(other.area));
    value_memory_close(&other);
}

static void test_a_mark_is_not_taken_from_who_holds(void **state)
{
    (void)state;
    struct jtgi_value_area *area = held_by_other(false);
    assert_false(jtgi_value_area_unmark(area));
    jtgi_value_area_close(area);
    area = held_by_other(true);
    area->head->moved = 1;
    area->head->values = 77;
    assert_true(jtgi_value_area_unmark(area));
    assert_int_equal(stats().values, 0);
    jtgi_value_area_close(area);
}

/* ---- time ---- */

static void test_a_life_is_told_to_the_millisecond(void **state)
{
    uint64_t ttl_ms = 0;
    (void)state;
    assert_status(put(1, NOW, 10), JTG_OK);
    assert_status(get(1, NOW + 9, &ttl_ms), JTG_OK);
    assert_int_equal(ttl_ms, 1);
    assert_status(get(1, NOW + 10, &ttl_ms), JTG_NOT_FOUND);
}

/* A thread that was stopped since it read the clock. */
static void test_time_does_not_go_back(void **state)
{
    uint64_t ttl_ms = 0;
    (void)state;
    assert_status(put(1, NOW, 10), JTG_OK);
    assert_status(put(2, NOW + 10, 10), JTG_OK);
    assert_status(get(1, NOW, &ttl_ms), JTG_NOT_FOUND);
}

/* ---- the sweep ---- */

static void fill(uint64_t ttl_ms)
{
    for (uint32_t i = 0; i < VALUES; i++)
        assert_status(put(i, NOW, ttl_ms), JTG_OK);
}

static void test_a_pass_goes_in_bounded_steps(void **state)
{
    (void)state;
    unsigned steps = 1;
    fill(10);
    assert_false(jtgi_value_area_sweep(memory.area, NOW + 9, 1)); /* nothing has ended */
    while (jtgi_value_area_sweep(memory.area, NOW + 10, 1))
        steps++;
    assert_int_equal(steps, 4); /* 1,024 buckets */
    assert_int_equal(stats().values, 0);
    assert_int_equal(stats().swept, VALUES);
    assert_status(put(1, NOW + 10, 1), JTG_OK);
    assert_false(jtgi_value_area_sweep(memory.area, NOW + 20, 1)); /* a pass goes once */
    assert_true(jtgi_value_area_sweep(memory.area, NOW + 20, 2));
}

static void test_room_is_made_of_what_has_ended(void **state)
{
    (void)state;
    fill(10);
    assert_status(put(VALUES, NOW + 9, 10), JTG_ERR_FULL);
    assert_status(put(VALUES, NOW + 10, 10), JTG_OK);
    assert_int_equal(stats().values, 1);
}

static void test_a_prune_removes_all_that_has_ended(void **state)
{
    uint64_t removed = 3;
    (void)state;
    fill(10);
    assert_status(put(0, NOW, 100), JTG_OK);
    assert_true(jtgi_value_area_sweep(memory.area, NOW + 10, 1)); /* one is under way */
    assert_status(jtgi_value_area_prune(memory.area, NOW + 10, &removed), JTG_OK);
    assert_int_equal(stats().values, 1);
    assert_int_equal(stats().swept, VALUES - 1);
    assert_status(jtgi_value_area_clear(memory.area), JTG_OK);
    assert_int_equal(stats().values + stats().keys + stats().bytes, 0);
}

/* ---- trouble ---- */

static bool always(void)
{
    return true;
}

static void test_without_memory_nothing_is_taken(void **state)
{
    static const jtg_key key = {"a key", 5, NULL, 0};
    jtg_value value = JTG_VALUE_INIT;
    (void)state;
    assert_status(jtgi_value_area_put(memory.area, &key, "v", 1, NOW, 9, 1), JTG_OK);
    jtgi_alloc_set_failure(always);
    assert_status(jtgi_value_area_take(memory.area, &key, NOW, &value), JTG_ERR_MEMORY);
    jtgi_alloc_set_failure(NULL);
    assert_status(jtgi_value_area_take(memory.area, &key, NOW, &value), JTG_OK);
    jtg_value_clear(&value);
}

/* Not in part, and not from outside. */
static void test_a_broken_value_is_not_handed_out(void **state)
{
    static const jtg_key key = {"a key", 5, NULL, 0};
    static const unsigned char data[2 * JTGI_VALUE_CELL_ROOM] = {1};
    jtg_value value = JTG_VALUE_INIT;
    (void)state;
    assert_status(jtgi_value_area_put(memory.area, &key, data, sizeof data, NOW, 9, 1), JTG_OK);
    struct jtgi_value_cell *found =
        jtgi_value_cell(memory.area, *jtgi_value_bucket(memory.area, key.data, key.data_len));
    assert_non_null(found);
    struct jtgi_value_cell *cell = jtgi_value_cell(memory.area, found->newest);
    assert_non_null(cell);
    const struct jtgi_value_cell whole = *cell;
    cell->next = 0;
    assert_status(jtgi_value_area_take(memory.area, &key, NOW, &value), JTG_ERR_UNSAFE);
    assert_null(value.data);
    cell->len = UINT32_MAX;
    assert_status(jtgi_value_area_get(memory.area, &key, NOW, &value), JTG_ERR_UNSAFE);
    *cell = whole;
    assert_status(jtgi_value_area_take(memory.area, &key, NOW, &value), JTG_OK);
    jtg_value_clear(&value);
}

/* ---- bits ---- */

/* In each of the cells that a value goes on in. */
static void test_each_bit_is_set_once(void **state)
{
    static const jtg_key key = {"a key", 5, NULL, 0};
    static const unsigned char none[1000];
    (void)state;
    assert_status(jtgi_value_area_set_bit(memory.area, &key, 0, NOW), JTG_NOT_FOUND);
    assert_status(jtgi_value_area_put(memory.area, &key, none, sizeof none, NOW, 10, 1), JTG_OK);
    for (uint32_t bit = 0; bit < 8 * sizeof none; bit++)
        assert_status(jtgi_value_area_set_bit(memory.area, &key, bit, NOW), JTG_OK);
    for (uint32_t bit = 0; bit < 8 * sizeof none; bit++)
        assert_status(jtgi_value_area_set_bit(memory.area, &key, bit, NOW), JTG_REPLAYED);
    assert_status(jtgi_value_area_set_bit(memory.area, &key, 8 * sizeof none, NOW), JTG_NOT_FOUND);
    assert_status(jtgi_value_area_set_bit(memory.area, &key, 0, NOW + 10), JTG_NOT_FOUND);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_each_bit_is_set_once),
        CASE(test_a_holder_blocks_every_call),
        CASE(test_a_sweep_does_not_wait),
        CASE(test_a_dead_holders_is_repaired),
        CASE(test_another_takes_the_place),
        CASE(test_a_mark_is_not_taken_from_who_holds),
        CASE(test_a_life_is_told_to_the_millisecond),
        CASE(test_time_does_not_go_back),
        CASE(test_a_pass_goes_in_bounded_steps),
        CASE(test_room_is_made_of_what_has_ended),
        CASE(test_a_prune_removes_all_that_has_ended),
        CASE(test_without_memory_nothing_is_taken),
        CASE(test_a_broken_value_is_not_handed_out),
    };
    return cmocka_run_group_tests_name("value area", tests, NULL, NULL);
}
