/* SPDX-License-Identifier: Apache-2.0 */
#include "digits.h"
#include "support/asserts.h"

#include <string.h>

static bool reads(const char *text, uint64_t highest, uint64_t expected)
{
    uint64_t number = 77;
    bool read = digits_read(text, strlen(text), highest, &number);
    assert_true(number == (read ? expected : 77));
    return read;
}

static void digits_alone_are_a_number(void **state)
{
    static const char *const wrong[] = {"", " 1", "1 ", "+1", "-1", "1a", "0x10", "1.", "1\n"};
    (void)state;
    assert_true(reads("0", 0, 0));
    assert_true(reads("00443", UINT16_MAX, 443));
    assert_true(reads("18446744073709551615", UINT64_MAX, UINT64_MAX));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(reads(wrong[i], UINT64_MAX, 0));
}

static void nothing_is_above_the_highest(void **state)
{
    (void)state;
    assert_true(reads("65535", UINT16_MAX, UINT16_MAX));
    assert_false(reads("65536", UINT16_MAX, 0));
    assert_false(reads("9", 8, 0));
    assert_false(reads("18446744073709551616", UINT64_MAX, 0));
    assert_false(reads("184467440737095516150", UINT64_MAX, 0));
}

static void what_follows_is_left(void **state)
{
    static const char text[] = "8443/path";
    const char *end = text + strlen(text);
    const char *at = text;
    uint64_t number = 0;
    (void)state;
    assert_true(digits_take(&at, end, UINT16_MAX, &number));
    assert_true(number == 8443 && *at == '/');
    assert_false(digits_take(&at, end, UINT16_MAX, &number));
    assert_true(number == 8443 && *at == '/');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_alone_are_a_number),
        cmocka_unit_test(nothing_is_above_the_highest),
        cmocka_unit_test(what_follows_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
