/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <string.h>

static void gives_each_reason_a_place_and_a_name_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < REASON_INDEXES; i++) {
        const char *name = reason_name(reason_at(i));
        assert_int_equal(reason_index(reason_at(i)), i);
        assert_true(*name != '\0' && *reason_text(reason_at(i)) != '\0');
        for (const char *at = name; *at != '\0'; at++)
            assert_true(islower((unsigned char)*at) || isdigit((unsigned char)*at) || *at == '_');
        for (size_t other = 0; other < i; other++)
            assert_string_not_equal(name, reason_name(reason_at(other)));
    }
}

static void admits_for_one_reason_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < REASON_INDEXES; i++) {
        bool admitted = reason_at(i) == JTG_REASON_ADMITTED;
        assert_true((reason_exit_code(reason_at(i)) == EXIT_ADMITTED) == admitted);
        assert_true((reason_verdict(reason_at(i)) == JTG_VERDICT_ADMITTED) == admitted);
    }
    assert_int_equal(reason_exit_code(-1), EXIT_TROUBLE);
    assert_int_equal(reason_exit_code(TOOL_REASON_END), EXIT_TROUBLE);
    assert_int_equal(reason_index(-1), JTG_REASON_INTERNAL);
    assert_int_equal(reason_index(TOOL_REASON_END), JTG_REASON_INTERNAL);
}

static void tells_malformed_lines_from_refused_tokens(void **state)
{
    (void)state;
    assert_true(reason_is_malformed(TOOL_MALFORMED_JSON));
    assert_true(reason_is_malformed(TOOL_LINE_TOO_LONG));
    assert_true(reason_is_malformed(TOOL_MALFORMED_EXP));
    assert_false(reason_is_malformed(TOOL_WRONG_AUDIENCE));
    assert_false(reason_is_malformed(JTG_REASON_EXPIRED));
    assert_false(reason_is_malformed(JTG_REASON_ADMITTED));
}

static enum exit_code exit_code_of(const int *reasons, size_t count)
{
    struct tally tally = {{0}};
    struct tally sum = {{0}};
    for (size_t i = 0; i < count; i++)
        tally_add(&tally, reasons[i]);
    tally_merge(&sum, &tally);
    assert_int_equal(tally_total(&sum), count);
    return tally_exit_code(&sum);
}

static void ends_with_the_gravest(void **state)
{
    (void)state;
    static const int reasons[] = {JTG_REASON_ADMITTED, JTG_REASON_REPLAYED, JTG_REASON_EXPIRED,
                                  JTG_REASON_STORE_FULL};
    assert_int_equal(exit_code_of(reasons, 0), EXIT_INVALID);
    assert_int_equal(exit_code_of(reasons, 1), EXIT_ADMITTED);
    assert_int_equal(exit_code_of(reasons, 2), EXIT_REPLAYED);
    assert_int_equal(exit_code_of(reasons, 3), EXIT_INVALID);
    assert_int_equal(exit_code_of(reasons, 4), EXIT_TROUBLE);
}

static void sums_up_by_verdict(void **state)
{
    (void)state;
    struct tally tally = {{0}};
    tally_add(&tally, JTG_REASON_ADMITTED);
    tally_add(&tally, JTG_REASON_REPLAYED);
    tally_add(&tally, JTG_REASON_EXPIRED);
    tally_add(&tally, TOOL_INVALID_UTF8);
    assert_int_equal(tally_of_verdict(&tally, JTG_VERDICT_ADMITTED), 1);
    assert_int_equal(tally_of_verdict(&tally, JTG_VERDICT_REPLAYED), 1);
    assert_int_equal(tally_of_verdict(&tally, JTG_VERDICT_REFUSED), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_each_reason_a_place_and_a_name_of_its_own),
        cmocka_unit_test(admits_for_one_reason_only),
        cmocka_unit_test(tells_malformed_lines_from_refused_tokens),
        cmocka_unit_test(ends_with_the_gravest),
        cmocka_unit_test(sums_up_by_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
