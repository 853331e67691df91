/* SPDX-License-Identifier: Apache-2.0 */
#include "table/arena.h"

#include "support/asserts.h"
#include "support/table_memory.h"

enum { ENTRIES = 3000000, COUNT = 1000 };

static void test_gives_out_what_follows_until_nothing_is_left(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, ENTRIES, 0, true);
    struct jtgi_visit visit = {.table = memory.table};
    uint64_t expected = memory.plan.arena_slot, taken;
    while ((taken = jtgi_arena_take_locked(&visit, COUNT)) != JTGI_ARENA_NONE) {
        assert_int_equal(taken, expected);
        expected += COUNT;
    }
    assert_in_range(memory.plan.slots, expected, expected + COUNT - 1);
    uint64_t left = memory.plan.slots - expected;
    if (left > 0)
        assert_int_equal(jtgi_arena_take_locked(&visit, (uint32_t)left), expected);
    assert_true(jtgi_arena_take_locked(&visit, 1) == JTGI_ARENA_NONE);
    table_memory_close(&memory);
}

static void test_tells_of_each_new_page(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, ENTRIES, 0, true);
    unsigned told = 0, taken = 0;
    for (; taken * COUNT * sizeof(struct jtgi_slot) < 4 * JTGI_HUGE_BYTES; taken++) {
        struct jtgi_visit visit = {.table = memory.table};
        (void)jtgi_arena_take_locked(&visit, COUNT);
        told += visit.grown;
        assert_true(taken > 0 || visit.grown); /* at once, so that the next page is on its way */
    }
    assert_in_range(told, 4, 5);
    table_memory_close(&memory);
}

/* The page in use, and when little of it is left the next; none before the arena is used at all. */
static void test_asks_for_a_page_ahead(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, ENTRIES, 0, true);
    struct jtgi_visit visit = {.table = memory.table};
    assert_false(jtgi_table_settle(memory.table));
    (void)jtgi_arena_take_locked(&visit, COUNT);
    (void)jtgi_table_settle(memory.table);
    assert_int_equal(memory.table->populated, 1);
    assert_false(jtgi_table_settle(memory.table));
    while (!visit.grown || memory.table->head->frontier < memory.plan.arena_slot + 2 * COUNT) {
        visit.grown = false;
        (void)jtgi_arena_take_locked(&visit, COUNT);
    }
    (void)jtgi_table_settle(memory.table);
    assert_int_equal(memory.table->populated, 2);
    assert_false(jtgi_table_settle(memory.table));
    uint64_t used =
        (memory.table->head->frontier - memory.plan.arena_slot) * sizeof(struct jtgi_slot);
    assert_in_range(used, JTGI_HUGE_BYTES * 3 / 4, JTGI_HUGE_BYTES);
    table_memory_close(&memory);
}

/* To the very end of the memory, and not beyond it. */
static void test_asks_for_nothing_beyond_the_end(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, ENTRIES, 0, true);
    atomic_store(&memory.table->head->frontier, memory.plan.slots);
    uint64_t pages = (memory.plan.bytes - memory.plan.slots_at) / JTGI_HUGE_BYTES;
    atomic_store(&memory.table->populated, pages);
    while (jtgi_table_settle(memory.table))
        ;
    assert_true(atomic_load(&memory.table->populated) <= pages + 1);
    table_memory_close(&memory);
}

static void test_small_tables_ask_for_nothing(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, 200000, 0, true);
    struct jtgi_visit visit = {.table = memory.table};
    assert_int_equal(jtgi_arena_take_locked(&visit, COUNT), memory.plan.arena_slot);
    assert_false(visit.grown);
    assert_false(jtgi_table_settle(memory.table));
    table_memory_close(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gives_out_what_follows_until_nothing_is_left),
        cmocka_unit_test(test_tells_of_each_new_page),
        cmocka_unit_test(test_asks_for_a_page_ahead),
        cmocka_unit_test(test_asks_for_nothing_beyond_the_end),
        cmocka_unit_test(test_small_tables_ask_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
