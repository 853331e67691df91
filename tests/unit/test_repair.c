/* SPDX-License-Identifier: Apache-2.0 */
/* What a kill leaves is mended, what no kill can leave is emptied. Every state that a kill can
 * leave is looked at by test_table_steps; here are those that one can make by hand. */
#include "table/repair.h"

#include "support/asserts.h"
#include "support/table_entries.h"

#include <string.h>

enum { ENTRIES = 60, NOW = 50 };

static struct table_memory memory;

static int set_up(void **state)
{
    (void)state;
    table_memory_open(&memory, ENTRIES, 10, false);
    for (uint64_t i = 0; i < ENTRIES; i++) {
        const struct jtgi_slot entry = {table_fingerprint(i), i, 100 + i};
        assert_true(table_insert(&memory, &entry, 1));
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    table_memory_close(&memory);
    return 0;
}

static bool repair(void)
{
    struct jtgi_visit visit = table_visit(&memory, NOW);
    bool kept = jtgi_repair_locked(&visit);
    assert_null(table_partition_fault(memory.table, 0));
    return kept;
}

static void assert_all_are_there_but(uint64_t one)
{
    for (uint64_t i = 0; i < ENTRIES; i++)
        assert_int_equal(table_find(&memory, table_fingerprint(i), i, NOW),
                         i == one ? JTGI_FREE : JTGI_OURS);
}

/* The first slot from `from` on that is taken. */
static struct jtgi_slot *taken_from(uint32_t from)
{
    struct jtgi_slot *slot = &memory.table->slots[from];
    while (jtgi_slot_is_empty(slot))
        slot++;
    return slot;
}

static void test_what_is_whole_stays(void **state)
{
    (void)state;
    struct jtgi_slot before[ENTRIES + 200];
    size_t bytes = (memory.plan.homes + memory.plan.overrun) * sizeof before[0];
    assert_true(bytes <= sizeof before);
    memcpy(before, memory.table->slots, bytes);
    assert_true(repair());
    assert_memory_equal(before, memory.table->slots, bytes);
    assert_int_equal(memory.table->partitions[0].earliest, 100);
    assert_int_equal(atomic_load(&memory.table->head->repairs), 1);
    assert_int_equal(atomic_load(&memory.table->head->losses), 0);
}

static void test_counters_are_made_anew(void **state)
{
    (void)state;
    struct jtgi_partition *partition = memory.table->partitions;
    partition->occupied = 7;
    partition->earliest = 1;
    partition->sweeping = true;
    partition->sweep_from = 1234;
    assert_true(repair());
    assert_int_equal(partition->occupied, ENTRIES);
    assert_int_equal(partition->earliest, 100);
    assert_false(partition->sweeping);
    assert_all_are_there_but(ENTRIES);
}

/* A shift that was broken off has left an entry twice. */
static void test_doubles_go(void **state)
{
    (void)state;
    for (uint32_t at = 1; at < memory.plan.homes; at++) {
        struct jtgi_slot *slots = memory.table->slots;
        if (!jtgi_slot_is_empty(&slots[at]) || jtgi_slot_is_empty(&slots[at - 1]))
            continue;
        slots[at] = slots[at - 1];
        assert_true(repair());
        assert_all_are_there_but(ENTRIES);
    }
}

/* A sweep that was broken off has parted entries from their homes. */
static void test_gaps_are_closed(void **state)
{
    (void)state;
    for (uint32_t from = 0; from < memory.plan.homes / 2; from += 5) {
        struct jtgi_slot *gone = taken_from(from);
        uint64_t number = gone->owner_tag;
        const struct jtgi_slot entry = *gone;
        jtgi_slot_clear(gone);
        assert_true(repair());
        assert_all_are_there_but(number);
        assert_true(table_insert(&memory, &entry, NOW));
    }
}

static void assert_emptied(void)
{
    assert_false(repair());
    assert_int_equal(memory.table->partitions[0].occupied, 0);
    assert_int_equal(atomic_load(&memory.table->partitions[0].lost_at), NOW);
    assert_int_equal(atomic_load(&memory.table->head->losses), 1);
    jtg_key key = {"a key", 5, NULL, 0};
    assert_int_equal(jtgi_table_lost_at(memory.table, &key), NOW);
    for (uint64_t i = 0; i < ENTRIES; i++)
        assert_int_equal(table_find(&memory, table_fingerprint(i), i, NOW), JTGI_FREE);
}

static void test_a_broken_order_empties(void **state)
{
    (void)state;
    struct jtgi_slot *first = taken_from(0), *next = taken_from(10);
    uint64_t fingerprint = first->fingerprint;
    first->fingerprint = next->fingerprint;
    next->fingerprint = fingerprint;
    assert_emptied();
}

static void test_a_slot_before_its_home_empties(void **state)
{
    (void)state;
    taken_from(0)->fingerprint = UINT64_MAX;
    assert_emptied();
}

static void test_doubles_that_differ_empty(void **state)
{
    (void)state;
    struct jtgi_slot *slot = memory.table->slots;
    while (jtgi_slot_is_empty(slot) || !jtgi_slot_is_empty(slot + 1))
        slot++;
    slot[1] = slot[0];
    slot[1].owner_tag++;
    assert_emptied();
}

static void test_an_entry_in_the_last_slot_empties(void **state)
{
    (void)state;
    uint32_t last = memory.plan.homes + memory.plan.overrun - 1;
    memory.table->slots[last] = (struct jtgi_slot){UINT64_MAX, 1, 100};
    assert_emptied();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_whole_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_counters_are_made_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_doubles_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gaps_are_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_broken_order_empties, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_slot_before_its_home_empties, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_doubles_that_differ_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_entry_in_the_last_slot_empties, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
