/* SPDX-License-Identifier: Apache-2.0 */
#include "test_tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>
#include <sys/wait.h>

static int exit_code_of(int how)
{
    assert_true(WIFEXITED(how));
    return WEXITSTATUS(how);
}

int bench_run_quietly(const char *arguments)
{
    char command[1024];
    (void)snprintf(command, sizeof command, "'%s' bench %s >/dev/null 2>&1", JTIGUARD_TOOL,
                   arguments);
    return exit_code_of(system(command));
}

FILE *bench_run(const char *arguments)
{
    char command[1024];
    (void)snprintf(command, sizeof command, "'%s' bench %s", JTIGUARD_TOOL, arguments);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    return output;
}

void bench_finish(FILE *output)
{
    assert_int_equal(fgetc(output), EOF);
    assert_int_equal(exit_code_of(pclose(output)), 0);
}

json_t *bench_read_object(FILE *output)
{
    static char line[16384];
    assert_non_null(fgets(line, sizeof line, output));
    json_error_t error;
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &error);
    if (object == NULL)
        fail_msg("no JSON: %s", error.text);
    return object;
}

double bench_figure(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_number(value))
        fail_msg("%s is missing or no number", name);
    return json_number_value(value);
}

void bench_assert_positive(const json_t *object, const char *name)
{
    double value = bench_figure(object, name);
    if (!isfinite(value) || value <= 0)
        fail_msg("%s is %g", name, value);
}

void bench_assert_order(const json_t *object, const char *low, const char *high)
{
    if (bench_figure(object, low) > bench_figure(object, high))
        fail_msg("%s is above %s", low, high);
}
