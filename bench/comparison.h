/* SPDX-License-Identifier: Apache-2.0 */
/* The memory backend, the chained table and the floor, measured in turn with the same keys, each
 * in a process of its own, so that what disturbs the machine disturbs all of them. */
#ifndef BENCH_COMPARISON_H
#define BENCH_COMPARISON_H

#include "footprint.h"
#include "host.h"
#include "options.h"
#include "samples.h"
#include "waits.h"

enum bench_speed {
    BENCH_FRESH,         /* filling the empty table */
    BENCH_FRESH_AT_FULL, /* fresh keys while it holds its N entries */
    BENCH_DUPLICATE,
    BENCH_RELEASED,
    BENCH_SPEEDS, /* those of every table; what follows only the memory backend has */
    BENCH_UNTOLD = BENCH_SPEEDS, /* duplicates whose callers do not ask why they are refused */
    BENCH_TOLD,                  /* the same with callers who do, taken in turn with them */
    BENCH_BATCH_FRESH,           /* BENCH_BATCH keys at once: filling the empty table */
    BENCH_BATCH_DUPLICATE,
    BENCH_OWN_SPEEDS
};

/* A sample a run, in nanoseconds a call. */
struct bench_speeds {
    struct bench_samples of[BENCH_OWN_SPEEDS];
};

/* The memory backend beside the others, with one number of threads. */
struct bench_comparison {
    struct bench_speeds memory, chained, floor;
    struct bench_waits memory_waits;
};

/* What the number of threads does not change. */
struct bench_common {
    struct bench_memory_footprint memory;                        /* of the last fill */
    struct bench_samples bytes_worst, fill_p999_us, fill_max_us; /* a fill a run */
    struct bench_footprint chained;
    struct bench_waits chained_waits; /* one caller: with one mutex there is little to see */
};

/* false, and a line on stderr, when a measurement failed. Progress is shown on a terminal. */
bool bench_common_measure(const struct bench_options *options, struct bench_common *common);

/* A comparison a thread count, taken in turn so that they can be compared with one another, and
 * with the host store where one thread is among them; all start as all zero. common: of the same
 * options. */
bool bench_comparisons_measure(const struct bench_options *options,
                               const struct bench_common *common,
                               struct bench_comparison *comparisons, struct bench_host *host);

#endif
