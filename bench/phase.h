/* SPDX-License-Identifier: Apache-2.0 */
/* One kind of call over a range of keys, by some threads at once, timed and verified. */
#ifndef BENCH_PHASE_H
#define BENCH_PHASE_H

#include "subject.h"

#include <time.h>

/* The time to live of every reservation here; an hour, so that none ends while it is timed. */
#define BENCH_TTL_MS UINT64_C(3600000)

/* How many items a thread makes ahead of each timed stretch: 1 MiB, which a core's own cache
 * holds, as it holds a token that was just parsed. */
enum { BENCH_BLOCK_ITEMS = 16384 };

enum bench_call {
    BENCH_RESERVE_FRESH,       /* must answer JTG_OK */
    BENCH_RESERVE_TURNOVER,    /* the same, and each block is released again outside the timing */
    BENCH_RESERVE_HELD,        /* must answer JTG_REPLAYED */
    BENCH_RESERVE_TOLD,        /* the same, by callers who want to know why */
    BENCH_RESERVE_FRESH_BATCH, /* as BENCH_RESERVE_FRESH and … */
    BENCH_RESERVE_HELD_BATCH,  /* … BENCH_RESERVE_HELD, BENCH_BATCH keys at once */
    BENCH_RELEASE              /* must answer JTG_OK */
};

/* Nanoseconds now, on a clock that nobody sets. */
static inline uint64_t bench_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* Zeroed, and all of it present in memory; ends the measurement when there is none. */
struct bench_item *bench_block_new(void);

/* The wall time of the timed stretches divided by the calls of all threads together, in
 * nanoseconds. Ends the measurement when an answer is not what it must be. */
double bench_phase_run(const struct bench_subject *subject, void *self, enum bench_call call,
                       const struct bench_range *range, unsigned threads);

/* The same by processes in place of threads, at most BENCH_THREADS_MAX, each of which has made the
 * subject for itself, with this setup. */
double bench_phase_run_apart(const struct bench_subject *subject, const struct bench_setup *setup,
                             enum bench_call call, const struct bench_range *range,
                             unsigned processes);

#endif
