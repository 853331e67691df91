/* SPDX-License-Identifier: Apache-2.0 */
/* Why settings cannot be used, on its way from whoever finds it to whoever says it. */
#ifndef SERVE_PROBLEM_H
#define SERVE_PROBLEM_H

#include <jtiguard/status.h>
#include <stdbool.h>

/* One line, without a value that may be secret. */
enum { SETTINGS_PROBLEM_BYTES = 256 };
struct settings_problem {
    char text[SETTINGS_PROBLEM_BYTES];
};
JTG_PRINTF(2, 3)
void settings_problem_set(struct settings_problem *problem, const char *format, ...);

/* A setting, and what is wrong with it. Always false. */
bool settings_refuse(struct settings_problem *problem, const char *setting, const char *wrong);

#endif
