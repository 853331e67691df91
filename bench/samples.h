/* SPDX-License-Identifier: Apache-2.0 */
/* The same figure from several runs. */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include <stddef.h>

enum { BENCH_RUNS_MAX = 99 };

/* Starts as all zero. */
struct bench_samples {
    size_t count;
    double values[BENCH_RUNS_MAX];
};

void bench_samples_add(struct bench_samples *samples, double value);

/* At least one sample must be there. */
double bench_samples_median(const struct bench_samples *samples);
double bench_samples_min(const struct bench_samples *samples);
double bench_samples_max(const struct bench_samples *samples);

/* Run by run: how many times as long theirs took as ours. */
struct bench_samples bench_samples_ratio(const struct bench_samples *theirs,
                                         const struct bench_samples *ours);

#endif
