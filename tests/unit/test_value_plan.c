/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"
#include "support/value_memory.h"

#include <jtiguard/host.h>

static void test_parts_follow_each_other(void **state)
{
    struct jtgi_value_plan plan;
    (void)state;
    jtgi_value_plan(&plan, 1000, 100000);
    assert_true(plan.marks_at >= sizeof(struct jtgi_value_head));
    assert_true(plan.buckets_at >= plan.marks_at + plan.cells / 8 + 1);
    assert_true(plan.cells_at >= plan.buckets_at + plan.buckets * sizeof(uint32_t));
    assert_int_equal(plan.cells_at % JTGI_VALUE_CELL_BYTES, 0);
    assert_true(plan.bytes >= plan.cells_at + (size_t)plan.cells * JTGI_VALUE_CELL_BYTES);
    assert_int_equal(plan.bytes % 4096, 0);
    assert_int_equal(plan.buckets, 1024);
}

/* As host.h says; and the greatest that may be asked for has numbers for its cells. */
static void test_it_costs_what_is_said(void **state)
{
    struct jtgi_value_plan plan;
    (void)state;
    jtgi_value_plan(&plan, JTG_HOST_MAX_VALUES_DEFAULT, JTG_HOST_MAX_VALUE_BYTES_DEFAULT);
    assert_true(plan.bytes < UINT64_C(4) << 20);
    jtgi_value_plan(&plan, JTG_HOST_MAX_VALUES_LIMIT, JTG_HOST_MAX_VALUE_BYTES_LIMIT);
    assert_true(plan.bytes > JTG_HOST_MAX_VALUE_BYTES_LIMIT);
    assert_true(plan.cells < UINT32_MAX / 2);
    jtgi_value_plan(&plan, 1, 1);
    assert_true(plan.bytes <= 8192);
}

/* Whatever the lengths: each a byte more than its cells have room for. */
static void test_what_is_allowed_has_cells(void **state)
{
    enum { VALUES = 20, LEN = JTGI_VALUE_CELL_ROOM + 1, KEY_LEN = JTGI_VALUE_CELL_ROOM + 1 };
    static const unsigned char bytes[LEN] = {1};
    struct value_memory memory;
    (void)state;
    value_memory_open(&memory, VALUES, VALUES * (LEN + KEY_LEN));
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < VALUES; i++) {
            const unsigned char name[KEY_LEN] = {(unsigned char)i};
            const jtg_key key = {name, sizeof name, NULL, 0};
            assert_status(jtgi_value_area_put(memory.area, &key, bytes, LEN, 1, 10, 1), JTG_OK);
        }
    assert_null(value_area_fault(memory.area));
    value_memory_close(&memory);
}

static void test_all_is_free_at_first(void **state)
{
    struct value_memory memory, other;
    (void)state;
    value_memory_open(&memory, 10, 1000);
    value_memory_open(&other, 10, 1000);
    assert_null(value_area_fault(memory.area));
    assert_memory_not_equal(memory.area->hash_key, other.area->hash_key,
                            sizeof memory.area->hash_key);
    value_memory_close(&memory);
    value_memory_close(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_follow_each_other),
        cmocka_unit_test(test_it_costs_what_is_said),
        cmocka_unit_test(test_what_is_allowed_has_cells),
        cmocka_unit_test(test_all_is_free_at_first),
    };
    return cmocka_run_group_tests_name("value plan", tests, NULL, NULL);
}
