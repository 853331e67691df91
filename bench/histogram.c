/* SPDX-License-Identifier: Apache-2.0 */
#include "histogram.h"

#include <stddef.h>

/* Bucket b of the first 64 holds b ns. After them each doubling has 64 steps: a value of 7 + d
 * bits falls into doubling d, and its leading 7 bits choose the step. */
enum { STEP_BITS = 6 };

static size_t bucket_of(uint64_t ns)
{
    if (ns < BENCH_HISTOGRAM_STEPS)
        return (size_t)ns;
    unsigned doubling = 63U - (unsigned)__builtin_clzll(ns) - STEP_BITS;
    size_t bucket = (size_t)doubling * BENCH_HISTOGRAM_STEPS + (size_t)(ns >> doubling);
    return bucket < BENCH_HISTOGRAM_BUCKETS ? bucket : BENCH_HISTOGRAM_BUCKETS - 1;
}

/* The largest value that a bucket holds. */
static uint64_t top_of(size_t bucket)
{
    if (bucket < BENCH_HISTOGRAM_STEPS)
        return bucket;
    unsigned doubling = (unsigned)(bucket / BENCH_HISTOGRAM_STEPS) - 1;
    uint64_t step = bucket % BENCH_HISTOGRAM_STEPS + BENCH_HISTOGRAM_STEPS;
    return ((step + 1) << doubling) - 1;
}

void bench_histogram_add(struct bench_histogram *histogram, uint64_t ns)
{
    histogram->count++;
    histogram->buckets[bucket_of(ns)]++;
    if (ns > histogram->max_ns)
        histogram->max_ns = ns;
}

void bench_histogram_merge(struct bench_histogram *into, const struct bench_histogram *from)
{
    into->count += from->count;
    if (from->max_ns > into->max_ns)
        into->max_ns = from->max_ns;
    for (size_t i = 0; i < BENCH_HISTOGRAM_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
}

double bench_histogram_quantile_us(const struct bench_histogram *histogram, double share)
{
    if (histogram->count == 0)
        return 0;
    double wanted = share * (double)histogram->count;
    uint64_t seen = 0;
    size_t bucket = 0;
    while (bucket < BENCH_HISTOGRAM_BUCKETS - 1) {
        seen += histogram->buckets[bucket];
        if (seen > 0 && (double)seen >= wanted)
            break;
        bucket++;
    }
    uint64_t ns = top_of(bucket);
    return (double)(ns < histogram->max_ns ? ns : histogram->max_ns) / 1000;
}

double bench_histogram_max_us(const struct bench_histogram *histogram)
{
    return (double)histogram->max_ns / 1000;
}
