/* SPDX-License-Identifier: Apache-2.0 */
#include "samples.h"

#include <stdlib.h>

void bench_samples_add(struct bench_samples *samples, double value)
{
    if (samples->count < BENCH_RUNS_MAX)
        samples->values[samples->count++] = value;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static struct bench_samples sorted(const struct bench_samples *samples)
{
    struct bench_samples copy = *samples;
    qsort(copy.values, copy.count, sizeof copy.values[0], compare);
    return copy;
}

double bench_samples_median(const struct bench_samples *samples)
{
    struct bench_samples order = sorted(samples);
    return (order.values[(order.count - 1) / 2] + order.values[order.count / 2]) / 2;
}

double bench_samples_min(const struct bench_samples *samples)
{
    return sorted(samples).values[0];
}

double bench_samples_max(const struct bench_samples *samples)
{
    return sorted(samples).values[samples->count - 1];
}

struct bench_samples bench_samples_ratio(const struct bench_samples *theirs,
                                         const struct bench_samples *ours)
{
    struct bench_samples ratio = {0};
    for (size_t i = 0; i < ours->count && i < theirs->count; i++)
        bench_samples_add(&ratio, theirs->values[i] / ours->values[i]);
    return ratio;
}
