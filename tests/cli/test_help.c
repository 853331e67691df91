/* SPDX-License-Identifier: Apache-2.0 */
/* What each `--help` shows beside its options: examples that name no option that there is not. */
#include "cli/run_tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char heading[] = "\nExamples:\n";

/* Whether the help lists the option that begins at `option`, "--name". */
static bool lists_option(const char *help, const char *examples, const char *option)
{
    char line[80];
    size_t len = strspn(option + 2, "abcdefghijklmnopqrstuvwxyz-") + 2;
    (void)snprintf(line, sizeof line, "\n  %.*s ", (int)len, option);
    const char *found = strstr(help, line);
    return found != NULL && found < examples;
}

static void assert_options_are_listed(const char *help, const char *examples)
{
    for (const char *at = strstr(examples, " --"); at != NULL; at = strstr(at + 3, " --"))
        if (!lists_option(help, examples, at + 1))
            fail_msg("an example names an option that the help does not list: %.30s", at + 1);
}

static void assert_has_examples(const char *help, const char *beginning)
{
    const char *examples = strstr(help, heading);
    if (examples == NULL || occurrences(examples, beginning) < 2)
        fail_msg("fewer than two examples: %.60s", help);
}

static void every_command_has_examples(void **state)
{
    (void)state;
    static const char *const commands[] = {"check",   "reserve",    "release",    "key",
                                           "doctor",  "acl",        "vouch",      "host",
                                           "version", "breakglass", "ticket-keys"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char beginning[64];
        struct tool_run run;
        (void)snprintf(beginning, sizeof beginning, "\n  jtiguard %s", commands[i]);
        RUN(&run, "", commands[i], "--help");
        assert_has_examples(run.out, beginning);
        assert_options_are_listed(run.out, strstr(run.out, heading));
        tool_run_clear(&run);
    }
}

static void so_has_the_list_of_commands(void **state)
{
    (void)state;
    struct tool_run run;
    RUN(&run, "", "--help");
    assert_has_examples(run.out, "\n  jtiguard ");
    tool_run_clear(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_has_examples),
        cmocka_unit_test(so_has_the_list_of_commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
