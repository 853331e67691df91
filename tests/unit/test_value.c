/* SPDX-License-Identifier: Apache-2.0 */
#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <jtiguard/backend.h>
#include <stdbool.h>

static void is_empty(const jtg_value *value)
{
    assert_null(value->data);
    assert_int_equal(value->data_len, 0);
    assert_int_equal(value->ttl_ms, 0);
}

static void a_value_holds_a_copy(void **state)
{
    char text[] = "text";
    jtg_value value = JTG_VALUE_INIT;
    (void)state;
    is_empty(&value);
    assert_status(jtg_value_set(&value, text, 4, 7), JTG_OK);
    text[0] = 'x';
    assert_int_equal(value.data_len, 4);
    assert_int_equal(value.ttl_ms, 7);
    assert_memory_equal(value.data, "text", 4);
    jtg_value_clear(&value);
    is_empty(&value);
}

static void clearing_nothing_does_nothing(void **state)
{
    jtg_value value = JTG_VALUE_INIT;
    (void)state;
    jtg_value_clear(NULL);
    jtg_value_clear(&value);
    jtg_value_clear(&value);
    is_empty(&value);
}

static void without_memory_it_stays_empty(void **state)
{
    jtg_value value = JTG_VALUE_INIT;
    (void)state;
    alloc_walk_fail_all();
    jtg_status status = jtg_value_set(&value, "text", 4, 7);
    assert_true(alloc_walk_end());
    assert_status(status, JTG_ERR_MEMORY);
    is_empty(&value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_holds_a_copy),
        cmocka_unit_test(clearing_nothing_does_nothing),
        cmocka_unit_test(without_memory_it_stays_empty),
    };
    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
