/* SPDX-License-Identifier: Apache-2.0 */
/* The operations one by one; random ones are in test_partition.c. */
#include "table/segment.h"

#include "support/asserts.h"
#include "support/table_entries.h"

enum { ENTRIES = 64 };

static struct table_memory memory;

static int set_up(void **state)
{
    (void)state;
    table_memory_open(&memory, ENTRIES, 0, false);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_null(table_partition_fault(memory.table, 0));
    table_memory_close(&memory);
    return 0;
}

static struct jtgi_slot *slots(void)
{
    return memory.table->slots;
}

/* n + 1, and at home in the first slot. */
static void insert(uint64_t fingerprint, uint64_t end_and_group)
{
    const struct jtgi_slot entry = {fingerprint, fingerprint + 1, end_and_group};
    assert_true(table_insert(&memory, &entry, 1));
}

static struct jtgi_visit found(uint64_t fingerprint, uint64_t now)
{
    struct jtgi_visit visit = table_visit(&memory, now);
    visit.segment = jtgi_segment_of(memory.table, visit.partition, fingerprint);
    (void)jtgi_segment_find_locked(&visit, fingerprint, fingerprint + 1);
    return visit;
}

static void test_finds_whose_it_is(void **state)
{
    (void)state;
    insert(5, 100);
    assert_int_equal(table_find(&memory, 5, 6, 99), JTGI_OURS);
    assert_int_equal(table_find(&memory, 5, 7, 99), JTGI_ANOTHERS);
    assert_int_equal(table_find(&memory, 5, 6, 100), JTGI_FREE); /* ended */
    assert_int_equal(table_find(&memory, 4, 6, 99), JTGI_FREE);
    assert_int_equal(table_find(&memory, 6, 6, 99), JTGI_FREE);
}

static void test_keeps_the_group_of_an_entry(void **state)
{
    (void)state;
    insert(5, 77 | UINT64_C(65537) << JTGI_END_BITS);
    struct jtgi_visit visit = found(5, 1);
    jtgi_segment_extend_locked(&visit, 99);
    assert_int_equal(jtgi_slot_end(&slots()[0]), 99);
    assert_int_equal(jtgi_slot_group(&slots()[0]), 65537);
    jtgi_segment_extend_locked(&visit, 50);
    assert_int_equal(jtgi_slot_end(&slots()[0]), 99);
}

static void test_an_entry_that_has_ended_gives_its_slot(void **state)
{
    (void)state;
    insert(3, 100);
    insert(5, 10);
    insert(7, 100);
    struct jtgi_visit visit = found(1, 10);
    assert_int_equal(jtgi_segment_room_locked(&visit, 1), JTGI_ROOM_REUSES);
    assert_int_equal(visit.free_slot, 1);
    const struct jtgi_slot entry = {1, 2, 100};
    jtgi_segment_insert_locked(&visit, &entry);
    assert_int_equal(visit.partition->occupied, 3);
    assert_int_equal(visit.partition->swept, 1);
    assert_int_equal(slots()[0].fingerprint, 1);
    assert_int_equal(slots()[1].fingerprint, 3);
    assert_int_equal(slots()[2].fingerprint, 7);
    memory.table->partitions[0].earliest = 100; /* as a sweep would find */
}

static void test_the_same_key_takes_its_old_slot(void **state)
{
    (void)state;
    insert(3, 100);
    insert(5, 10);
    struct jtgi_visit visit = found(5, 10);
    assert_int_equal(jtgi_segment_room_locked(&visit, 5), JTGI_ROOM_REUSES);
    assert_int_equal(visit.free_slot, visit.at);
}

/* The rest of a run moves down, but nothing from where it is at home. */
static void test_removal_closes_the_run(void **state)
{
    (void)state;
    struct jtgi_segment segment = found(0, 1).segment;
    uint64_t width = UINT64_MAX / segment.homes + 1;
    insert(3, 100);
    insert(5, 100);
    insert(7, 100);
    insert(3 * width + 1, 100); /* at home in slot 3 */
    struct jtgi_visit visit = found(3, 1);
    jtgi_segment_remove_locked(&visit);
    assert_int_equal(slots()[0].fingerprint, 5);
    assert_int_equal(slots()[1].fingerprint, 7);
    assert_true(jtgi_slot_is_empty(&slots()[2]));
    assert_int_equal(slots()[3].fingerprint, 3 * width + 1);
    assert_int_equal(visit.partition->occupied, 3);
}

static void test_the_last_slot_stays_empty(void **state)
{
    (void)state;
    uint32_t count = found(0, 1).segment.count;
    uint64_t inserted = 0;
    for (struct jtgi_slot entry = {UINT64_MAX, 1, 100};; entry.fingerprint--, inserted++)
        if (!table_insert(&memory, &entry, 1))
            break;
    assert_int_equal(inserted, memory.plan.overrun);
    assert_true(jtgi_slot_is_empty(&slots()[count - 1]));
}

/* One slot full of nothing but ones, as a stray write may leave it, ends no loop too late. */
static void test_a_broken_segment_ends_every_loop(void **state)
{
    (void)state;
    struct jtgi_visit visit = table_visit(&memory, 1);
    visit.segment = jtgi_segment_of(memory.table, visit.partition, 0);
    for (uint32_t at = 0; at < visit.segment.count; at++)
        slots()[at] = (struct jtgi_slot){0, 1, JTGI_END_MASK};
    visit.partition->occupied = visit.segment.count;
    assert_int_equal(jtgi_segment_find_locked(&visit, 7, 1), JTGI_FREE);
    assert_int_equal(visit.at, visit.segment.count - 1);
    assert_int_equal(jtgi_segment_room_locked(&visit, 7), JTGI_ROOM_NONE);
    (void)jtgi_segment_find_locked(&visit, 0, 1);
    jtgi_segment_remove_locked(&visit);
    (void)jtgi_segment_sweep_locked(&visit, 0, 1);
    (void)jtgi_segment_sweep_locked(&visit, 0, JTGI_NEVER);
    assert_true(visit.work <= 6 * (uint64_t)visit.segment.count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_finds_whose_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keeps_the_group_of_an_entry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_entry_that_has_ended_gives_its_slot, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_same_key_takes_its_old_slot, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_removal_closes_the_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_last_slot_stays_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_broken_segment_ends_every_loop, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
