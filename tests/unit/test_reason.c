/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"

#include <jtiguard/guard.h>
#include <string.h>

static void every_reason_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned a = 0; a < JTG_REASON_COUNT; a++) {
        const char *name = jtg_reason_name((jtg_reason)a);
        assert_non_null(name);
        assert_true(strspn(name, "abcdefghijklmnopqrstuvwxyz_") == strlen(name) && name[0] != '\0');
        assert_true(strlen(jtg_reason_text((jtg_reason)a)) > 3);
        for (unsigned b = 0; b < a; b++)
            assert_string_not_equal(name, jtg_reason_name((jtg_reason)b));
    }
}

static void only_one_reason_admits(void **state)
{
    (void)state;
    for (unsigned reason = 0; reason < JTG_REASON_COUNT; reason++) {
        jtg_verdict expected = reason == JTG_REASON_ADMITTED   ? JTG_VERDICT_ADMITTED
                               : reason == JTG_REASON_REPLAYED ? JTG_VERDICT_REPLAYED
                                                               : JTG_VERDICT_REFUSED;
        assert_int_equal(jtg_reason_verdict((jtg_reason)reason), expected);
    }
}

/* Of each by hand: whoever adds a reason has to say what it tells the client. */
static void trouble_is_told_from_a_bad_token(void **state)
{
    static const jtg_reason of_the_token[] = {
        JTG_REASON_ADMITTED,           JTG_REASON_REPLAYED,
        JTG_REASON_MISSING_KIND,       JTG_REASON_MISSING_JTI,
        JTG_REASON_MALFORMED_JTI,      JTG_REASON_JTI_TOO_LONG,
        JTG_REASON_MISSING_ISSUER,     JTG_REASON_MISSING_AUDIENCE,
        JTG_REASON_MISSING_THUMBPRINT, JTG_REASON_MALFORMED_CLAIM,
        JTG_REASON_MISSING_EXP,        JTG_REASON_MISSING_IAT,
        JTG_REASON_UNREASONABLE_TIME,  JTG_REASON_EXPIRED,
        JTG_REASON_NOT_YET_VALID,      JTG_REASON_ISSUED_IN_FUTURE,
        JTG_REASON_LIFETIME_TOO_LONG,  JTG_REASON_EXPIRES_BEFORE_ISSUED,
        JTG_REASON_ISSUED_BEFORE_START};
    enum { OF_THE_TOKEN = sizeof of_the_token / sizeof of_the_token[0], OF_THE_GUARD = 17 };
    unsigned trouble = 0;
    (void)state;
    for (unsigned i = 0; i < OF_THE_TOKEN; i++)
        assert_false(jtg_reason_is_trouble(of_the_token[i]));
    for (unsigned reason = 0; reason < JTG_REASON_COUNT; reason++)
        trouble += jtg_reason_is_trouble((jtg_reason)reason);
    assert_int_equal(trouble, OF_THE_GUARD);
    assert_int_equal(JTG_REASON_COUNT, OF_THE_TOKEN + OF_THE_GUARD);
}

static void a_number_that_is_no_reason_refuses(void **state)
{
    static const int numbers[] = {JTG_REASON_COUNT, JTG_REASON_COUNT + 1, 1000, -1};
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        jtg_reason reason = (jtg_reason)numbers[i];
        assert_string_equal(jtg_reason_name(reason), "internal");
        assert_true(strlen(jtg_reason_text(reason)) > 3);
        assert_int_equal(jtg_reason_verdict(reason), JTG_VERDICT_REFUSED);
        assert_true(jtg_reason_is_trouble(reason));
    }
    assert_string_equal(jtg_verdict_name((jtg_verdict)77), "refused");
}

static void verdicts_have_names(void **state)
{
    (void)state;
    assert_string_equal(jtg_verdict_name(JTG_VERDICT_ADMITTED), "admitted");
    assert_string_equal(jtg_verdict_name(JTG_VERDICT_REPLAYED), "replayed");
    assert_string_equal(jtg_verdict_name(JTG_VERDICT_REFUSED), "refused");
}

static void every_status_becomes_a_reason_and_one_admits(void **state)
{
    (void)state;
    for (int status = -1; status <= JTG_STATUS_COUNT + 1; status++) {
        jtg_reason reason = jtg_reason_from_status((jtg_status)status);
        assert_int_equal(reason == JTG_REASON_ADMITTED, status == JTG_OK);
        assert_int_equal(reason == JTG_REASON_REPLAYED, status == JTG_REPLAYED);
        assert_int_not_equal(reason, JTG_REASON_UNDECIDED);
    }
}

static void a_status_keeps_its_meaning(void **state)
{
    static const struct {
        jtg_status status;
        jtg_reason reason;
    } pairs[] = {
        {JTG_NOT_FOUND, JTG_REASON_INTERNAL},
        {JTG_NOT_OWNER, JTG_REASON_INTERNAL},
        {JTG_MISMATCH, JTG_REASON_INTERNAL},
        {JTG_ERR_ARGUMENT, JTG_REASON_BAD_ARGUMENT},
        {JTG_ERR_MEMORY, JTG_REASON_OUT_OF_MEMORY},
        {JTG_ERR_FULL, JTG_REASON_STORE_FULL},
        {JTG_ERR_GROUP_FULL, JTG_REASON_ISSUER_SHARE_FULL},
        {JTG_ERR_UNAVAILABLE, JTG_REASON_STORE_UNAVAILABLE},
        {JTG_ERR_TIMEOUT, JTG_REASON_OUTCOME_UNKNOWN},
        {JTG_ERR_UNSAFE, JTG_REASON_STORE_UNSAFE},
        {JTG_ERR_CONTINUITY, JTG_REASON_CONTINUITY_LOST},
        {JTG_ERR_REFUSED, JTG_REASON_STORE_REFUSED},
        {JTG_ERR_PROTOCOL, JTG_REASON_STORE_PROTOCOL},
        {JTG_ERR_REPLICAS, JTG_REASON_TOO_FEW_REPLICAS},
        {JTG_ERR_FORKED, JTG_REASON_FORKED},
        {JTG_ERR_UNSUPPORTED, JTG_REASON_STORE_UNSUPPORTED},
        {JTG_ERR_SYSTEM, JTG_REASON_INTERNAL},
        {JTG_ERR_BLOCKED, JTG_REASON_STORE_BLOCKED},
        {(jtg_status)JTG_STATUS_COUNT, JTG_REASON_INTERNAL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        assert_int_equal(jtg_reason_from_status(pairs[i].status), pairs[i].reason);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_a_name_of_its_own),
        cmocka_unit_test(only_one_reason_admits),
        cmocka_unit_test(trouble_is_told_from_a_bad_token),
        cmocka_unit_test(a_number_that_is_no_reason_refuses),
        cmocka_unit_test(verdicts_have_names),
        cmocka_unit_test(every_status_becomes_a_reason_and_one_admits),
        cmocka_unit_test(a_status_keeps_its_meaning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
