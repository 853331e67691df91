/* SPDX-License-Identifier: Apache-2.0 */
/* Latencies of millions of calls in fixed memory: 64 steps to each doubling, so that a quantile
 * is at most 1.6 % too high and never too low. The maximum is exact. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

enum {
    BENCH_HISTOGRAM_STEPS = 64,
    BENCH_HISTOGRAM_BUCKETS = 36 * BENCH_HISTOGRAM_STEPS /* up to 2^41 ns, 36 minutes */
};

/* Starts as all zero. */
struct bench_histogram {
    uint64_t count;
    uint64_t max_ns;
    uint64_t buckets[BENCH_HISTOGRAM_BUCKETS];
};

void bench_histogram_add(struct bench_histogram *histogram, uint64_t ns);

/* Add all that another one holds. */
void bench_histogram_merge(struct bench_histogram *into, const struct bench_histogram *from);

/* What a share of the calls, e.g. 0.999, did not exceed; 0 when there were none. */
double bench_histogram_quantile_us(const struct bench_histogram *histogram, double share);

double bench_histogram_max_us(const struct bench_histogram *histogram);

#endif
