/* SPDX-License-Identifier: Apache-2.0 */
/* The library with and without continuity, raw hiredis and redis-benchmark in turn, again and
 * again, so that what disturbs the machine disturbs all of them. */
#ifndef BENCH_REDIS_CONTEST_H
#define BENCH_REDIS_CONTEST_H

#include "bench/redis/options.h"
#include "bench/redis/place.h"
#include "bench/samples.h"

/* A sample a run. */
struct bench_client_samples {
    struct bench_samples ops_per_s, p50_us, p99_us, cpu_us_per_op, batch_mean, batch_max;
};

/* With one number of callers. Starts as all zero. */
struct bench_contest {
    struct bench_client_samples jtiguard, hiredis;
    struct bench_client_samples
        unwatched; /* jtiguard without continuity; empty: it was off anyhow */
    struct bench_samples redis_benchmark; /* empty: it was left out */
};

/* false, and a line on stderr, when a measurement failed. */
bool bench_contest_measure(const struct bench_redis_options *options,
                           const struct bench_place *place, unsigned callers,
                           bool with_redis_benchmark, struct bench_contest *contest);

#endif
