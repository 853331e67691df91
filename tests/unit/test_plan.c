/* SPDX-License-Identifier: Apache-2.0 */
/* How a table is cut up, for every size: what lies in the memory does not overlap, everything finds
 * room, and it costs what the pages say. */
#include "support/asserts.h"
#include "support/table_memory.h"

#include <jtiguard/memory.h>
#include <string.h>

static const uint64_t sizes[] = {1,     2,      10,      1023,    2047,     2048,      5000,
                                 65536, 100000, 1000000, 6000000, 10000000, 100000000, 1000000000};

static void assert_parts_are_in_order(const struct jtgi_table_plan *plan)
{
    size_t entries = (size_t)plan->partitions << plan->depth_max;
    assert_true(plan->partitions_at >= sizeof(struct jtgi_table_head));
    assert_int_equal(plan->partitions_at % _Alignof(struct jtgi_partition), 0);
    assert_true(plan->directories_at >=
                plan->partitions_at + plan->partitions * sizeof(struct jtgi_partition));
    assert_true(plan->groups_at >= plan->directories_at + entries * sizeof(uint64_t));
    assert_true(plan->slots_at >=
                plan->groups_at + (plan->max_entries_per_group != 0 ? JTGI_GROUPS_BYTES : 0));
    assert_true(plan->bytes >= plan->slots_at + plan->slots * sizeof(struct jtgi_slot));
    assert_true(plan->slots <= UINT32_MAX);
    assert_int_equal(plan->partitions & (plan->partitions - 1), 0);
}

static void test_everything_has_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (int grows = 0; grows < 2; grows++) {
            struct jtgi_table_plan plan, again;
            jtgi_table_plan(&plan, sizes[i], i % 2 == 0 ? 0 : 1, grows != 0);
            jtgi_table_plan(&again, sizes[i], i % 2 == 0 ? 0 : 1, grows != 0);
            assert_memory_equal(&plan, &again, sizeof plan);
            assert_parts_are_in_order(&plan);
        }
}

/* What the pages promise: 64 partitions from 65,536 entries on, one under 2,048. */
static void test_as_many_partitions_as_the_pages_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct jtgi_table_plan plan;
        jtgi_table_plan(&plan, sizes[i], 0, true);
        if (sizes[i] < 2048)
            assert_int_equal(plan.partitions, 1);
        if (sizes[i] >= 65536)
            assert_true(plan.partitions >= 64);
    }
}

/* A file has all its slots from the start: at most 40 bytes an entry from a million on. */
static void test_a_table_that_does_not_grow_is_small(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct jtgi_table_plan plan;
        jtgi_table_plan(&plan, sizes[i], 1, false);
        assert_int_equal(plan.depth_max, 0);
        if (sizes[i] >= 1000000)
            assert_true(plan.bytes <= 40 * sizes[i]);
        assert_true(plan.bytes <= 40 * sizes[i] + 2 * JTGI_GROUPS_BYTES);
    }
}

/* Address space is cheap, but not for nothing. */
static void test_a_table_that_grows_reserves_a_bounded_space(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct jtgi_table_plan plan;
        jtgi_table_plan(&plan, sizes[i], 0, true);
        assert_true(plan.bytes <= 72 * sizes[i] + 16 * JTGI_HUGE_BYTES);
        assert_int_equal(plan.huge, sizes[i] >= 3000000);
    }
}

/* The homes of the partitions go down to one half, so that not all split at the same time. */
static void test_partitions_are_staggered(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, 10000000, 0, true);
    const struct jtgi_partition *partitions = memory.table->partitions;
    uint32_t most = partitions[0].full_homes, least = partitions[63].full_homes;
    assert_int_equal(most, memory.plan.homes);
    assert_in_range(least, most / 2, most * 52 / 100);
    for (uint32_t i = 1; i < 64; i++)
        assert_true(partitions[i].full_homes < partitions[i - 1].full_homes);
    assert_int_equal(partitions[64].full_homes, most);
    for (uint32_t i = 1; i < memory.plan.partitions; i++)
        assert_int_equal(partitions[i].first, partitions[i - 1].first +
                                                  partitions[i - 1].full_homes +
                                                  memory.plan.overrun);
    assert_null(table_fault(memory.table));
    table_memory_close(&memory);
}

static void test_the_arena_begins_at_a_huge_page(void **state)
{
    (void)state;
    struct jtgi_table_plan plan;
    jtgi_table_plan(&plan, 10000000, 0, true);
    size_t arena = plan.slots_at + plan.arena_slot * sizeof(struct jtgi_slot);
    assert_true(arena % JTGI_HUGE_BYTES < sizeof(struct jtgi_slot));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_has_its_place),
        cmocka_unit_test(test_as_many_partitions_as_the_pages_say),
        cmocka_unit_test(test_a_table_that_does_not_grow_is_small),
        cmocka_unit_test(test_a_table_that_grows_reserves_a_bounded_space),
        cmocka_unit_test(test_partitions_are_staggered),
        cmocka_unit_test(test_the_arena_begins_at_a_huge_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
