/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard bench serve` in a build that cannot do it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "test_tool.h"

#include <string.h>

static void says_that_this_build_has_no_service(void **state)
{
    (void)state;
    char line[256] = "";
    FILE *output = bench_run("serve --tokens 100 2>&1; test $? -eq 2");
    assert_non_null(fgets(line, sizeof line, output));
    assert_non_null(strstr(line, "no service"));
    bench_finish(output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(says_that_this_build_has_no_service)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
