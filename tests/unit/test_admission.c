/* SPDX-License-Identifier: Apache-2.0 */
/* What a token goes through around its store, piece by piece; as a whole it is test_guard.c's. */
#include "guard/admission.h"

#include "support/asserts.h"
#include "support/guard_fixture.h"

#include <string.h>

static void what_is_prepared_asks_for_the_token(void **state)
{
    struct guard_fixture *fixture = *state;
    struct jtgi_admission admission = {.made = jtgi_undecided};
    jtg_error err = JTG_ERROR_INIT;
    jtg_owner owner;
    jtg_owner_generate(&owner);
    assert_int_equal(
        jtgi_admission_prepare(fixture->guard, &fixture->claims, &owner, &admission, &err),
        JTG_REASON_ADMITTED);
    jtg_key key = jtgi_admission_key(&admission);
    assert_true(key.data_len > 0 && key.group_len == strlen(FIXTURE_ISSUER));
    assert_memory_equal(admission.made.reservation.owner.bytes, owner.bytes, sizeof owner.bytes);
    assert_true(admission.made.ttl_ms > FIXTURE_LIFETIME_MS);
}

/* Nothing of the reservation is told where it is another's. */
static void what_is_told_is_what_the_store_has_said(void **state)
{
    struct guard_fixture *fixture = *state;
    static const jtg_status answers[] = {JTG_OK, JTG_REPLAYED, JTG_ERR_TIMEOUT,
                                         JTG_ERR_UNAVAILABLE};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct jtgi_admission admission = {.made = jtgi_undecided};
        jtg_error err = JTG_ERROR_INIT;
        jtg_decision decision = JTG_DECISION_INIT;
        assert_true(jtgi_admission_begin(&decision, &err));
        assert_int_equal(jtgi_admission_check(fixture->guard, &fixture->claims, true, &err),
                         JTG_REASON_ADMITTED);
        assert_int_equal(
            jtgi_admission_prepare(fixture->guard, &fixture->claims, NULL, &admission, &err),
            JTG_REASON_ADMITTED);
        jtg_reason reason = jtgi_admission_conclude(fixture->guard, &admission, answers[i], &err);
        assert_int_equal(reason, jtg_reason_from_status(answers[i]));
        assert_int_equal(jtgi_admission_decide(fixture->guard, &admission, reason, &decision),
                         answers[i] == JTG_OK);
        assert_int_equal(decision.reason, reason);
        assert_int_equal(decision.reservation.key_len != 0,
                         answers[i] == JTG_OK || answers[i] == JTG_ERR_TIMEOUT);
        assert_int_equal(jtg_guard_counter(fixture->guard, reason), 1);
    }
}

static void a_decision_without_its_size_is_none(void **state)
{
    jtg_decision decision = JTG_DECISION_INIT;
    jtg_error err = JTG_ERROR_INIT;
    const struct guard_fixture *fixture = *state;
    decision.struct_size = 0;
    assert_false(jtgi_admission_begin(&decision, &err));
    assert_int_equal(jtgi_admission_check(fixture->guard, &fixture->claims, false, &err),
                     JTG_REASON_BAD_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, guard_fixture_set_up_open, guard_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_prepared_asks_for_the_token),
        TEST(what_is_told_is_what_the_store_has_said),
        TEST(a_decision_without_its_size_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
