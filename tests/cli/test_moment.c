/* SPDX-License-Identifier: Apache-2.0 */
#include "moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jtiguard/guard.h>
#include <math.h>

static void reads_moments(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {{"0", 0},
                 {"1795176000", INT64_C(1795176000000)},
                 {"253402300799", INT64_C(253402300799000)},
                 {"2026-11-20T12:00:00Z", INT64_C(1795176000000)},
                 {"2026-11-20T13:30:00+01:30", INT64_C(1795176000000)},
                 {"2026-11-20T07:00:00-05:00", INT64_C(1795176000000)},
                 {"2026-11-20T12:00:00.25Z", INT64_C(1795176000250)},
                 {"2026-11-20T12:00:00.123456789Z", INT64_C(1795176000123)},
                 {"2024-02-29T00:00:00Z", INT64_C(1709164800000)},
                 {"1969-12-31T23:59:59Z", -1000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = -7;
        assert_true(moment_from_text(cases[i].text, &ms));
        assert_int_equal(ms, cases[i].ms);
    }
}

static void refuses_what_is_no_moment(void **state)
{
    (void)state;
    static const char *const cases[] = {"",
                                        "-1",
                                        "1.5",
                                        "1e9",
                                        " 1",
                                        "253402300800",
                                        "99999999999999999999999",
                                        "2026-11-20",
                                        "2026-11-20T12:00:00",
                                        "2026-11-20 12:00:00Z",
                                        "2026-11-20t12:00:00z",
                                        "2026-11-20T12:00Z",
                                        "2026-11-20T12:00:60Z",
                                        "2026-11-20T24:00:00Z",
                                        "2026-02-30T00:00:00Z",
                                        "2023-02-29T00:00:00Z",
                                        "2026-13-01T00:00:00Z",
                                        "2026-00-01T00:00:00Z",
                                        "2026-11-20T12:00:00.Z",
                                        "2026-11-20T12:00:00+0100",
                                        "2026-11-20T12:00:00+24:00",
                                        "2026-11-20T12:00:00+01:60",
                                        "2026-11-20T12:00:00ZZ"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = 0;
        assert_false(moment_from_text(cases[i], &ms));
    }
}

static void turns_numeric_dates_into_milliseconds(void **state)
{
    (void)state;
    assert_int_equal(moment_from_seconds(0.0), 0);
    assert_int_equal(moment_from_seconds(1795176000.0), INT64_C(1795176000000));
    assert_int_equal(moment_from_seconds(1.9999), 1999);
    assert_int_equal(moment_from_seconds(-0.0001), -1);
    assert_int_equal(moment_from_seconds(-1e300), -1);
    assert_int_equal(moment_from_seconds((double)NAN), -1);
    assert_int_equal(moment_from_seconds(253402300799.0), INT64_C(253402300799000));
    assert_int_equal(moment_from_seconds(253402300800.0), JTG_TIME_MAX_MS + 1);
    assert_int_equal(moment_from_seconds((double)INFINITY), JTG_TIME_MAX_MS + 1);
}

static void reads_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t seconds;
    } cases[] = {{"0s", 0},      {"30s", 30},    {"5m", 300},
                 {"24h", 86400}, {"2d", 172800}, {"2000ms", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t seconds = 99;
        assert_true(duration_from_text(cases[i].text, &seconds));
        assert_int_equal(seconds, cases[i].seconds);
    }
}

static void writes_moments(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {{0, "1970-01-01T00:00:00Z"},
                 {1, "1970-01-01T00:00:01Z"},
                 {INT64_C(1795176000000), "2026-11-20T12:00:00Z"},
                 {INT64_C(1795176000001), "2026-11-20T12:00:01Z"},
                 {-1, "1970-01-01T00:00:00Z"},
                 {INT64_MIN, "1970-01-01T00:00:00Z"},
                 {INT64_C(253402300799999), "9999-12-31T23:59:59Z"},
                 {INT64_MAX, "9999-12-31T23:59:59Z"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[MOMENT_TEXT_BYTES];
        moment_to_text(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void refuses_what_is_no_duration(void **state)
{
    (void)state;
    static const char *const cases[] = {"",
                                        "30",
                                        "s",
                                        "300ms",
                                        "-5s",
                                        "+5s",
                                        "1.5h",
                                        "5 s",
                                        "5S",
                                        "5sec",
                                        "99999999999999999999d",
                                        "184467440737095517d"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t seconds = 0;
        assert_false(duration_from_text(cases[i], &seconds));
    }
}

static void writes_what_it_reads(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } moments[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1795176000250, "2026-11-20T12:00:00.250Z"},
        {INT64_C(253402300799999), "9999-12-31T23:59:59.999Z"},
    };
    char text[MOMENT_TEXT_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        int64_t ms = -1;
        moment_to_exact_text(moments[i].ms, text);
        assert_string_equal(text, moments[i].text);
        assert_true(moment_from_text(text, &ms));
        assert_int_equal(ms, moments[i].ms);
    }
    moment_to_exact_text(-1, text);
    assert_string_equal(text, "unknown");
    moment_to_exact_text(INT64_MAX, text);
    assert_string_equal(text, "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(reads_moments),
        cmocka_unit_test(refuses_what_is_no_moment),
        cmocka_unit_test(turns_numeric_dates_into_milliseconds),
        cmocka_unit_test(writes_moments),
        cmocka_unit_test(reads_durations),
        cmocka_unit_test(refuses_what_is_no_duration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
