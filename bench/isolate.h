/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one measurement in a process of its own, so that no measurement inherits the heap, the
 * page tables or the resident memory of the one before. */
#ifndef BENCH_ISOLATE_H
#define BENCH_ISOLATE_H

#include <jtiguard/status.h>
#include <stdbool.h>

/* Fills result; calls bench_die() when it cannot. */
typedef void (*bench_measurement)(const void *input, void *result);

/* false, and a line on stderr, when the measurement failed. Call it with one thread only. */
bool bench_isolate(bench_measurement measurement, const void *input, void *result,
                   size_t result_bytes);

/* End a measurement that cannot go on: one line on stderr. Inside bench_isolate() only. */
JTG_PRINTF(1, 2) __attribute__((noreturn)) void bench_die(const char *format, ...);

#endif
