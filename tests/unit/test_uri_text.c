/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/options/uri_text.h"

#include "support/asserts.h"

#include <jtiguard/redis.h>
#include <stdio.h>
#include <string.h>

static bool decoded(const char *text, const char *expected)
{
    char copy[64];
    (void)snprintf(copy, sizeof copy, "%s", text);
    if (!jtgi_uri_decode(copy))
        return false;
    assert_string_equal(copy, expected);
    return true;
}

static void escapes_are_decoded_in_place(void **state)
{
    (void)state;
    assert_true(decoded("", ""));
    assert_true(decoded("a+b", "a+b")); /* no blank: this is no form */
    assert_true(decoded("%41%7a%7A%2F", "Azz/"));
    assert_true(decoded("%ff%0a", "\xff\n"));
    assert_true(decoded("%2541", "%41")); /* once */
}

static void a_broken_escape_is_refused(void **state)
{
    static const char *const texts[] = {"%",   "%4",    "a%4", "%4g", "%g4",
                                        "%00", "x%00y", "% 4", "%-1"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(decoded(texts[i], ""));
}

static void it_is_cut_at_the_first(void **state)
{
    char text[] = "a&b&c";
    char *rest = jtgi_uri_cut(text, '&');
    (void)state;
    assert_string_equal(text, "a");
    assert_string_equal(rest, "b&c");
    assert_null(jtgi_uri_cut(text, '&'));
    assert_string_equal(text, "a");
}

static void a_number_is_digits_within_its_range(void **state)
{
    uint32_t number = 7;
    (void)state;
    assert_true(jtgi_uri_number("0", 9, &number) && number == 0);
    assert_true(jtgi_uri_number("9", 9, &number) && number == 9);
    assert_true(jtgi_uri_number("4294967295", UINT32_MAX, &number) && number == UINT32_MAX);
    static const char *const texts[] = {"10", "", "-1", "+1", " 1", "1 ", "0x1", "4294967296"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(jtgi_uri_number(texts[i], 9, &number));
}

static bool duration(const char *text, uint32_t expected_ms)
{
    char copy[32];
    uint32_t ms = 0;
    (void)snprintf(copy, sizeof copy, "%s", text);
    if (!jtgi_uri_duration(copy, &ms))
        return false;
    assert_int_equal(ms, expected_ms);
    return true;
}

static void a_duration_has_its_unit(void **state)
{
    static const char *const texts[] = {"1",  "0s",  "0ms",     "1m",  "1 s", "s",
                                        "ms", "1ss", "60001ms", "61s", "-1s", "1.5s"};
    (void)state;
    assert_true(duration("1ms", 1));
    assert_true(duration("2s", 2000));
    assert_true(duration("60s", JTG_REDIS_TIMEOUT_MS_LIMIT));
    assert_true(duration("60000ms", JTG_REDIS_TIMEOUT_MS_LIMIT));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(duration(texts[i], 0));
}

static bool seconds(const char *text, uint32_t expected_s)
{
    char copy[32];
    uint32_t s = 7;
    (void)snprintf(copy, sizeof copy, "%s", text);
    if (!jtgi_uri_seconds(copy, 30, &s))
        return false;
    assert_int_equal(s, expected_s);
    return true;
}

static void seconds_may_be_none(void **state)
{
    (void)state;
    assert_true(seconds("0s", 0));
    assert_true(seconds("30s", 30));
    assert_false(seconds("31s", 0));
    assert_false(seconds("30", 0));
    assert_false(seconds("30ms", 0));
    assert_false(seconds("s", 0));
}

/* Any part of a URI may be the password in the wrong place. */
static void a_refusal_says_what_is_ours_alone(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    assert_status(jtgi_uri_refuse(&err, "a query key is not known"), JTG_ERR_ARGUMENT);
    assert_string_equal(err.text, "store URI: a query key is not known");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_are_decoded_in_place),
        cmocka_unit_test(a_broken_escape_is_refused),
        cmocka_unit_test(it_is_cut_at_the_first),
        cmocka_unit_test(a_number_is_digits_within_its_range),
        cmocka_unit_test(a_duration_has_its_unit),
        cmocka_unit_test(seconds_may_be_none),
        cmocka_unit_test(a_refusal_says_what_is_ours_alone),
    };
    return cmocka_run_group_tests_name("uri text", tests, NULL, NULL);
}
