/* SPDX-License-Identifier: Apache-2.0 */
/* assert_in_range() is ours: what is out of range fails a test, and nothing else does. */
#include "support/asserts.h"

static void the_least_is_in_range(void **state)
{
    (void)state;
    assert_in_range(1, 1, 3);
}

static void the_most_is_in_range(void **state)
{
    (void)state;
    assert_in_range(UINT64_MAX, 1, UINT64_MAX);
}

static void it_is_evaluated_once(void **state)
{
    (void)state;
    int value = 0;
    assert_in_range(++value, 1, 1);
    assert_int_equal(value, 1);
}

static void less_is_not(void **state)
{
    (void)state;
    assert_in_range(0, 1, 3);
}

static void more_is_not(void **state)
{
    (void)state;
    assert_in_range(4, 1, 3);
}

static void below_0_is_not(void **state)
{
    (void)state;
    assert_in_range(-1, 0, 3);
}

int main(void)
{
    const struct CMUnitTest good[] = {
        cmocka_unit_test(the_least_is_in_range),
        cmocka_unit_test(the_most_is_in_range),
        cmocka_unit_test(it_is_evaluated_once),
    };
    const struct CMUnitTest failing[] = {
        cmocka_unit_test(less_is_not),
        cmocka_unit_test(more_is_not),
        cmocka_unit_test(below_0_is_not),
    };
    if (cmocka_run_group_tests(good, NULL, NULL) != 0)
        return 1;
    print_message("The next three have to fail.\n");
    return cmocka_run_group_tests(failing, NULL, NULL) == 3 ? 0 : 1;
}
