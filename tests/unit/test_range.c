/* SPDX-License-Identifier: Apache-2.0 */
#include "core/range.h"
#include "support/asserts.h"

static jtg_status check_one(uint64_t value, uint64_t least, uint64_t most)
{
    jtg_error err = JTG_ERROR_INIT;
    const struct jtgi_range range = {"it", value, least, most};
    jtg_status status = jtgi_ranges_check(&range, 1, "", &err);
    assert_err_tells(&err, status);
    return status;
}

static void both_ends_belong_to_it(void **state)
{
    (void)state;
    assert_status(check_one(1, 1, 3), JTG_OK);
    assert_status(check_one(3, 1, 3), JTG_OK);
    assert_status(check_one(0, 1, 3), JTG_ERR_ARGUMENT);
    assert_status(check_one(4, 1, 3), JTG_ERR_ARGUMENT);
    assert_status(check_one(0, 0, 0), JTG_OK);
    assert_status(check_one(1, 0, 0), JTG_ERR_ARGUMENT);
    assert_status(check_one(UINT64_MAX, 0, UINT64_MAX), JTG_OK);
    assert_status(check_one(UINT64_MAX, 0, UINT64_MAX - 1), JTG_ERR_ARGUMENT);
}

static void the_first_that_lies_outside_is_named(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    const struct jtgi_range ranges[] = {
        {"right", 5, 1, 9}, {"wrong", 10, 1, 9}, {"wrong_too", 0, 1, 18446744073709551615U}};
    (void)state;
    assert_status(jtgi_ranges_check(ranges, 3, "redis: ", &err), JTG_ERR_ARGUMENT);
    assert_string_equal(err.text, "redis: wrong is not between 1 and 9");
    err = (jtg_error)JTG_ERROR_INIT;
    assert_status(jtgi_ranges_check(ranges + 2, 1, "", &err), JTG_ERR_ARGUMENT);
    assert_string_equal(err.text, "wrong_too is not between 1 and 18446744073709551615");
    assert_status(jtgi_ranges_check(ranges, 1, "", &err), JTG_OK);
    assert_status(jtgi_ranges_check(ranges, 3, "", NULL), JTG_ERR_ARGUMENT);
    assert_status(jtgi_ranges_check(NULL, 0, "", NULL), JTG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_belong_to_it),
        cmocka_unit_test(the_first_that_lies_outside_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
