/* SPDX-License-Identifier: Apache-2.0 */
/* What a program was compiled against, and what it runs with, where they are the same. */
#include "support/asserts.h"

#include <jtiguard/version.h>
#include <stdio.h>

static void the_text_has_the_three_numbers(void **state)
{
    char text[32];
    (void)state;
    (void)snprintf(text, sizeof text, "%d.%d.%d", JTG_VERSION_MAJOR, JTG_VERSION_MINOR,
                   JTG_VERSION_PATCH);
    assert_string_equal(jtg_version(), text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_has_the_three_numbers),
    };
    return cmocka_run_group_tests_name("version", tests, NULL, NULL);
}
