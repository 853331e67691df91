/* SPDX-License-Identifier: Apache-2.0 */
/* 200,000 lines with every tenth a replay: with any number of threads the counts are exact and
 * the verdicts stand in the order of the lines. two_million.sh is the same at full length. */
#include "cli/run_tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES = 200000 };

static char input_path[] = "/tmp/jtiguard-test-claims-XXXXXX";

static void check_order(const char *output)
{
    for (unsigned long line = 1; line <= LINES; line++) {
        char start[40];
        int len = snprintf(start, sizeof start, "{\"line\":%lu,", line);
        assert_memory_equal(output, start, (size_t)len);
        output = strchr(output, '\n') + 1;
    }
    assert_string_equal(output, "{\"summary\":{\"admitted\":180000,\"replayed\":20000,"
                                "\"refused\":0,\"reasons\":{\"admitted\":180000,"
                                "\"replayed\":20000}}}\n");
}

static void check_with_threads(const char *threads)
{
    struct tool_run run;
    RUN(&run, "", "check", "--now", "2026-11-20T12:00:00Z", "--json", "--threads", threads,
        input_path);
    check_order(run.out);
    assert_int_equal(run.exit_code, 1);
    tool_run_clear(&run);
}

static void counts_exactly_with_one_thread(void **state)
{
    (void)state;
    check_with_threads("1");
}

static void counts_exactly_with_two_threads(void **state)
{
    (void)state;
    check_with_threads("2");
}

static void counts_exactly_with_eight_threads(void **state)
{
    (void)state;
    check_with_threads("8");
}

static int make_input(void **state)
{
    (void)state;
    static const char *const args[] = {"200000", "1795177000", NULL};
    struct tool_run run;
    run_program(&run, JTIGUARD_MAKE_CLAIMS_PATH, args, "", 0);
    int fd = mkstemp(input_path);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (file == NULL)
        return -1;
    size_t written = fwrite(run.out, 1, run.out_len, file);
    int wrong = run.exit_code != 0 || written != run.out_len;
    wrong |= fclose(file);
    tool_run_clear(&run);
    return wrong;
}

static int remove_input(void **state)
{
    (void)state;
    return remove(input_path);
}

int main(void)
{
    (void)setenv("JTIGUARD_STORE", "memory", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_exactly_with_one_thread),
        cmocka_unit_test(counts_exactly_with_two_threads),
        cmocka_unit_test(counts_exactly_with_eight_threads),
    };
    return cmocka_run_group_tests(tests, make_input, remove_input);
}
