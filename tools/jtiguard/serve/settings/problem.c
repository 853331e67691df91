/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/settings/problem.h"

#include <stdarg.h>
#include <stdio.h>

void settings_problem_set(struct settings_problem *problem, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    /* clang 14 does not see the va_start. NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
    (void)vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
}

bool settings_refuse(struct settings_problem *problem, const char *setting, const char *wrong)
{
    settings_problem_set(problem, "%s %s", setting, wrong);
    return false;
}
