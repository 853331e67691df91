/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"

#include <jtiguard/breakglass.h>
#include <string.h>

static void every_outcome_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned a = 0; a < JTG_BREAKGLASS_OUTCOME_COUNT; a++) {
        const char *name = jtg_breakglass_outcome_name((jtg_breakglass_outcome)a);
        assert_true(strspn(name, "abcdefghijklmnopqrstuvwxyz_") == strlen(name) && *name != '\0');
        assert_true(strlen(jtg_breakglass_outcome_text((jtg_breakglass_outcome)a)) > 3);
        for (unsigned b = 0; b < a; b++)
            assert_string_not_equal(name, jtg_breakglass_outcome_name((jtg_breakglass_outcome)b));
    }
}

static void every_event_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned a = 0; a < JTG_BREAKGLASS_EVENT_COUNT; a++)
        for (unsigned b = 0; b < a; b++)
            assert_string_not_equal(jtg_breakglass_event_name((jtg_breakglass_event)a),
                                    jtg_breakglass_event_name((jtg_breakglass_event)b));
    assert_string_equal(jtg_breakglass_event_name(JTG_BREAKGLASS_ISSUE), "issue");
}

static void a_number_that_is_none_is_unknown(void **state)
{
    static const int numbers[] = {-1, 1000, JTG_BREAKGLASS_OUTCOME_COUNT};
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_string_equal(jtg_breakglass_outcome_name((jtg_breakglass_outcome)numbers[i]),
                            "unknown");
        assert_string_equal(jtg_breakglass_outcome_text((jtg_breakglass_outcome)numbers[i]),
                            "unknown");
        assert_string_equal(jtg_breakglass_event_name((jtg_breakglass_event)numbers[i]), "unknown");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_has_a_name_of_its_own),
        cmocka_unit_test(every_event_has_a_name_of_its_own),
        cmocka_unit_test(a_number_that_is_none_is_unknown),
    };
    return cmocka_run_group_tests_name("breakglass outcomes", tests, NULL, NULL);
}
