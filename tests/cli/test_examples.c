/* SPDX-License-Identifier: Apache-2.0 */
/* The example programs print what a reader of them expects. */
#include "cli/run_tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(const char *path, const char *output)
{
    static const char *const none[] = {NULL};
    struct tool_run run;
    run_program(&run, path, none, "", 0);
    assert_string_equal(run.out, output);
    assert_int_equal(run.err_len, 0);
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
}

static void guard_token(void **state)
{
    (void)state;
    expect(EXAMPLE_GUARD_TOKEN, "welcome\nrefused: replayed\nwelcome\n1 replayed\n");
}

static void idempotent_owner(void **state)
{
    (void)state;
    expect(EXAMPLE_IDEMPOTENT_OWNER, "request-1: admitted\nrequest-1: admitted\n"
                                     "request-2: replayed\nrelease: ok\nrequest-3: admitted\n");
}

static void custom_backend(void **state)
{
    (void)state;
    expect(EXAMPLE_CUSTOM_BACKEND,
           "backend: shelf\na: ok\nb: ok\nc: ok\nd: ok\ne: ok\nf: ok\ng: ok\nh: ok\n"
           "a: replayed, another owner holds the key\n"
           "one too many: store_full, all 8 places are taken\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guard_token),
        cmocka_unit_test(idempotent_owner),
        cmocka_unit_test(custom_backend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
