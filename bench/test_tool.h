/* SPDX-License-Identifier: Apache-2.0 */
/* The benchmarks as their users run them, and what they print. */
#ifndef BENCH_TEST_TOOL_H
#define BENCH_TEST_TOOL_H

#include <jansson.h>
#include <stdio.h>

/* `jtiguard bench …`, its output thrown away; the exit code. */
int bench_run_quietly(const char *arguments);

/* The same, to be read: close it with bench_finish(), which wants exit code 0. */
FILE *bench_run(const char *arguments);
void bench_finish(FILE *output);

/* The object on the next line; json_decref() it. */
json_t *bench_read_object(FILE *output);

double bench_figure(const json_t *object, const char *name);
void bench_assert_positive(const json_t *object, const char *name);
void bench_assert_order(const json_t *object, const char *low, const char *high);

#endif
