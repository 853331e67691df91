/* SPDX-License-Identifier: Apache-2.0 */
#include "table/growth.h"

#include "support/asserts.h"
#include "support/table_entries.h"

enum { SMALL = 2047 };

static void assert_in_order(struct table_memory *memory)
{
    const char *fault = table_partition_fault(memory->table, 0);
    if (fault != NULL)
        fail_msg("%s", fault);
}

static uint64_t fill(struct table_memory *memory, uint64_t entries, uint64_t look_each)
{
    uint64_t most_slots = 0;
    for (uint64_t i = 0; i < entries; i++) {
        const struct jtgi_slot entry = {table_fingerprint(i), i, 100};
        assert_true(table_insert(memory, &entry, 1));
        if (i % look_each == 0)
            assert_in_order(memory);
        uint64_t slots = atomic_load(&memory->table->head->frontier) - memory->plan.arena_slot;
        most_slots = slots > most_slots ? slots : most_slots;
    }
    assert_in_order(memory);
    for (uint64_t i = 0; i < entries; i++)
        assert_int_equal(table_find(memory, table_fingerprint(i), i, 1), JTGI_OURS);
    return most_slots;
}

static void test_grows_in_place_then_splits_and_loses_nothing(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, SMALL, 0, true);
    const struct jtgi_partition *partition = memory.table->partitions;
    (void)fill(&memory, 1700, 20);
    assert_int_equal(partition->depth, 0);
    assert_true(partition->growths > 5);
    for (uint64_t i = 1700; i < SMALL; i++) {
        const struct jtgi_slot entry = {table_fingerprint(i), i, 100};
        assert_true(table_insert(&memory, &entry, 1));
        assert_in_order(&memory);
    }
    assert_int_equal(partition->depth, 1);
    table_memory_close(&memory);
}

/* One partition takes all, as no table would fill it: many splits, and directories of many sizes.
 */
static void test_splits_again_and_again(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, UINT64_C(20000000), 0, true);
    const struct jtgi_partition *partition = memory.table->partitions;
    uint64_t slots = fill(&memory, 60000, 997);
    assert_true(partition->depth >= 5);
    assert_true(partition->growths >= 32);
    /* Two halves of a full segment are less than half full; nothing is emptier. */
    assert_true(slots <= 60000 * 100 / 40);
    table_memory_close(&memory);
}

/* Fingerprints that a split cannot part are refused, and nothing is lost. */
static void test_what_cannot_be_parted_is_refused(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, UINT64_C(20000000), 0, true);
    uint64_t inserted = 0;
    for (;; inserted++) {
        const struct jtgi_slot entry = {inserted, 1, 100};
        if (!table_insert(&memory, &entry, 1))
            break;
    }
    assert_in_range(inserted, memory.plan.overrun, 2 * memory.plan.homes);
    assert_in_order(&memory);
    for (uint64_t i = 0; i < inserted; i++)
        assert_int_equal(table_find(&memory, i, 1, 1), JTGI_OURS);
    /* Others find room as before. */
    const struct jtgi_slot other = {UINT64_MAX, 1, 100};
    assert_true(table_insert(&memory, &other, 1));
    table_memory_close(&memory);
}

/* At the end of the memory a segment fills up beyond what is usual, and then refuses. */
static void test_without_memory_to_grow_into_it_refuses_late(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, UINT64_C(20000000), 0, true);
    const struct jtgi_partition *partition = memory.table->partitions;
    atomic_store(&memory.table->head->frontier, memory.plan.slots);
    uint64_t inserted = 0;
    for (;; inserted++) {
        const struct jtgi_slot entry = {table_fingerprint(inserted), 1, 100};
        if (!table_insert(&memory, &entry, 1))
            break;
    }
    assert_in_range(inserted, memory.plan.homes * 85 / 100, memory.plan.homes + 31);
    assert_int_equal(partition->depth, 0);
    assert_in_order(&memory);
    for (uint64_t i = 0; i < inserted; i++)
        assert_int_equal(table_find(&memory, table_fingerprint(i), 1, 1), JTGI_OURS);
    table_memory_close(&memory);
}

static void test_what_must_not_grow_does_not(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, SMALL, 0, false);
    uint64_t inserted = 0;
    for (;; inserted++) {
        const struct jtgi_slot entry = {table_fingerprint(inserted), 1, 100};
        if (!table_insert(&memory, &entry, 1))
            break;
    }
    assert_true(inserted >= SMALL);
    assert_int_equal(memory.table->partitions[0].growths, 0);
    assert_in_order(&memory);
    table_memory_close(&memory);
}

/* Of the whole table: each partition at some other point of its way, the load is between that just
 * before and that just after a split. */
static void test_the_load_is_bounded_at_every_size(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, UINT64_C(1000000), 0, true);
    for (uint64_t i = 0; i < 600000; i++) {
        jtg_key key = {&i, sizeof i, NULL, 0};
        jtg_owner owner = {"an owner"};
        assert_int_equal(jtgi_table_reserve(memory.table, &key, &owner, 1, 100), JTG_OK);
        if (i % 50000 != 49999)
            continue;
        struct jtgi_table_stats stats;
        assert_int_equal(jtgi_table_stats_get(memory.table, &stats), JTG_OK);
        assert_int_equal(stats.entries, i + 1);
        assert_true(stats.slots * sizeof(struct jtgi_slot) <= 40 * stats.entries);
        const char *fault = table_fault(memory.table);
        if (fault != NULL)
            fail_msg("%s", fault);
    }
    table_memory_close(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_in_place_then_splits_and_loses_nothing),
        cmocka_unit_test(test_splits_again_and_again),
        cmocka_unit_test(test_what_cannot_be_parted_is_refused),
        cmocka_unit_test(test_without_memory_to_grow_into_it_refuses_late),
        cmocka_unit_test(test_what_must_not_grow_does_not),
        cmocka_unit_test(test_the_load_is_bounded_at_every_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
