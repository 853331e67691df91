/* SPDX-License-Identifier: Apache-2.0 */
/* The example server says what a reader of it expects. */
#include "cli/run_tool.h"
#include "support/asserts.h"

static void early_data_once(void **state)
{
    static const char *const none[] = {NULL};
    struct tool_run run;
    (void)state;
    run_program(&run, EXAMPLE_EARLY_DATA_OPENSSL, none, "", 0);
    assert_string_equal(run.out, "server: GET /, after the handshake\n"
                                 "server: early data not_seen, first\n"
                                 "server: GET /, early\n"
                                 "server: early data seen, replayed\n"
                                 "server: GET /, after the handshake\n");
    assert_int_equal(run.err_len, 0);
    assert_int_equal(run.exit_code, 0);
    tool_run_clear(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(early_data_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
