/* SPDX-License-Identifier: Apache-2.0 */
/* Watches callers of a table while one thread sweeps it. */
#ifndef BENCH_WATCH_H
#define BENCH_WATCH_H

#include "histogram.h"
#include "subject.h"

/* How long callers are watched where no single pass sets the length. */
#define BENCH_WATCH_NS UINT64_C(300000000)

enum bench_sweeping { BENCH_SWEEP_NEVER, BENCH_SWEEP_AGAIN_AND_AGAIN, BENCH_SWEEP_ONCE };

struct bench_watched {
    const struct bench_subject *subject;
    void *self;
    unsigned callers;
    uint64_t first_key; /* keys from here on are the callers': BENCH_BLOCK_ITEMS each */
};

/* All watches of one kind. Starts as all zero. */
struct bench_tally {
    struct bench_histogram calls;
    double pass_ms; /* the longest pass of the sweep */
};

void bench_watch_callers(const struct bench_watched *watched, enum bench_sweeping sweeping,
                         struct bench_tally *tally);

#endif
