/* SPDX-License-Identifier: Apache-2.0 */
/* The memory backend, the chained table and the floor, measured in turn with the same keys, each
 * in a process of its own, so that what disturbs the machine disturbs all of them. */
#ifndef BENCH_COMPARISON_H
#define BENCH_COMPARISON_H

#include "footprint.h"
#include "options.h"
#include "samples.h"
#include "waits.h"

enum bench_speed {
    BENCH_FRESH,         /* filling the empty table */
    BENCH_FRESH_AT_FULL, /* fresh keys while it holds its N entries */
    BENCH_DUPLICATE,
    BENCH_RELEASED,
    BENCH_SPEEDS
};

/* A sample a run, in nanoseconds a call. */
struct bench_speeds {
    struct bench_samples of[BENCH_SPEEDS];
};

/* The memory backend beside the others, with one number of threads. */
struct bench_comparison {
    struct bench_speeds memory, chained, floor;
    struct bench_waits memory_waits;
};

/* What the number of threads does not change. */
struct bench_common {
    struct bench_memory_footprint memory;
    struct bench_footprint chained;
    struct bench_waits chained_waits; /* one caller: with one mutex there is little to see */
};

/* false, and a line on stderr, when a measurement failed. Progress is shown on a terminal. */
bool bench_common_measure(uint64_t entries, struct bench_common *common);

/* common: of the same entries. comparison starts as all zero. */
bool bench_comparison_measure(const struct bench_options *options, unsigned threads,
                              const struct bench_common *common,
                              struct bench_comparison *comparison);

#endif
