/* SPDX-License-Identifier: Apache-2.0 */
/* A program of the system, run for a measurement. */
#ifndef BENCH_REDIS_CHILD_H
#define BENCH_REDIS_CHILD_H

#include <sys/types.h>

/* Exit code of a child whose program is not there, as in the shell. */
enum { BENCH_CHILD_NOT_FOUND = 127 };

/* Start a program by its name, with nothing to read and nothing to complain to. It ends with us,
 * and after limit_s seconds at the latest (0 = no limit). out: its standard output; -1 = nowhere.
 * words: NULL-terminated. 0 when no process could be had. */
pid_t bench_child_start(const char *const *words, int out, unsigned limit_s);

/* Wait for its end. Its exit code, or -1 when a signal ended it. */
int bench_child_wait(pid_t child);

#endif
