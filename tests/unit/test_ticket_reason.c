/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"

#include <jtiguard/ticket_keys.h>
#include <string.h>

static void each_has_a_name_and_a_text_of_its_own(void **state)
{
    (void)state;
    for (jtg_ticket_reason a = 0; a < JTG_TICKET_REASON_COUNT; a++) {
        assert_true(strlen(jtg_ticket_reason_name(a)) > 0);
        assert_true(strlen(jtg_ticket_reason_text(a)) > 0);
        for (jtg_ticket_reason b = 0; b < a; b++) {
            assert_string_not_equal(jtg_ticket_reason_name(a), jtg_ticket_reason_name(b));
            assert_string_not_equal(jtg_ticket_reason_text(a), jtg_ticket_reason_text(b));
        }
    }
}

/* Stored in logs and metrics: they never change. */
static void the_values_are_pinned(void **state)
{
    (void)state;
    assert_int_equal(JTG_TICKET_UNDECIDED, 0);
    assert_int_equal(JTG_TICKET_DONE, 1);
    assert_int_equal(JTG_TICKET_WRONG_ZONE, 3);
    assert_int_equal(JTG_TICKET_TAMPERED, 6);
    assert_int_equal(JTG_TICKET_SEALED_OUT, 9);
    assert_int_equal(JTG_TICKET_INTERNAL, 17);
    assert_string_equal(jtg_ticket_reason_name(JTG_TICKET_EXPIRED_KEY), "expired_key");
}

static void an_unknown_value_is_internal(void **state)
{
    (void)state;
    assert_string_equal(jtg_ticket_reason_name(JTG_TICKET_REASON_COUNT), "internal");
    assert_string_equal(jtg_ticket_reason_text((jtg_ticket_reason)99),
                        jtg_ticket_reason_text(JTG_TICKET_INTERNAL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_a_name_and_a_text_of_its_own),
        cmocka_unit_test(the_values_are_pinned),
        cmocka_unit_test(an_unknown_value_is_internal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
