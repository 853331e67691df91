/* SPDX-License-Identifier: Apache-2.0 */
#include "core/digits.h"
#include "support/asserts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool reads(const char *text, uint64_t highest, uint64_t expected)
{
    uint64_t number = 77;
    bool read = jtgi_digits_read(text, strlen(text), highest, &number);
    assert_true(number == (read ? expected : 77));
    return read;
}

static void a_number_is_read(void **state)
{
    (void)state;
    assert_true(reads("0", UINT64_MAX, 0));
    assert_true(reads("6379", UINT16_MAX, 6379));
    assert_true(reads("007", 7, 7));
    assert_true(reads("000000000000000000000000000000001", 1, 1));
    assert_true(reads("18446744073709551615", UINT64_MAX, UINT64_MAX));
}

static void what_is_no_number_is_none(void **state)
{
    static const char *const wrong[] = {"",   " 1",  "1 ",  "+1",  "-1",       "1a", "0x10",
                                        "1.", "1e3", "1\n", "1,2", "\xd9\xa1", "/",  ":"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(reads(wrong[i], UINT64_MAX, 0));
}

/* Whatever the highest is: it, and no more. */
static void nothing_is_above_the_highest(void **state)
{
    static const uint64_t highest[] = {
        0, 1, 9, 10, 11, 99, 100, UINT16_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX - 1};
    char text[32];
    (void)state;
    for (size_t i = 0; i < sizeof highest / sizeof highest[0]; i++) {
        (void)snprintf(text, sizeof text, "%" PRIu64, highest[i]);
        assert_true(reads(text, highest[i], highest[i]));
        (void)snprintf(text, sizeof text, "%" PRIu64, highest[i] + 1);
        assert_false(reads(text, highest[i], 0));
        (void)snprintf(text, sizeof text, "%" PRIu64 "0", highest[i] + 1);
        assert_false(reads(text, highest[i], 0));
    }
    assert_false(reads("18446744073709551616", UINT64_MAX, 0));
    assert_false(reads("99999999999999999999", UINT64_MAX, 0));
}

static void it_ends_where_the_text_does(void **state)
{
    uint64_t number = 0;
    (void)state;
    assert_true(jtgi_digits_read("1234", 2, 99, &number));
    assert_true(number == 12);
    assert_false(jtgi_digits_read("1234", 0, 99, &number));
    assert_false(jtgi_digits_read("12\0004", 4, 9999, &number));
}

static void what_follows_is_left(void **state)
{
    static const char text[] = "16383 host:7000";
    const char *end = text + strlen(text);
    const char *at = text;
    uint64_t number = 0;
    (void)state;
    assert_true(jtgi_digits_take(&at, end, 16383, &number));
    assert_true(number == 16383 && at == text + 5);
    assert_false(jtgi_digits_take(&at, end, 16383, &number));
    assert_true(number == 16383 && at == text + 5);
    at = text;
    assert_false(jtgi_digits_take(&at, end, 16382, &number));
    assert_true(at == text);
    assert_false(jtgi_digits_take(&end, end, 9, &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_read),
        cmocka_unit_test(what_is_no_number_is_none),
        cmocka_unit_test(nothing_is_above_the_highest),
        cmocka_unit_test(it_ends_where_the_text_does),
        cmocka_unit_test(what_follows_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
