/* SPDX-License-Identifier: Apache-2.0 */
/* The service on both stores, the bare handler and the parts alone in turn, again and again, so
 * that what disturbs the machine disturbs all of them. */
#ifndef BENCH_SERVE_CONTEST_H
#define BENCH_SERVE_CONTEST_H

#include "bench/samples.h"
#include "bench/serve/options.h"
#include "bench/serve/subject.h"

/* A sample a run; empty where it was left out. */
struct bench_subject_samples {
    struct bench_samples ops_per_s, p50_us, p99_us, cpu_us_per_op;
};

/* With one algorithm. Starts as all zero. */
struct bench_serve_contest {
    const char *alg;
    struct bench_subject_samples of[BENCH_SUBJECTS];
    struct bench_samples signature_us, guard_us;
};

/* false, and a line on stderr, when a measurement failed. */
bool bench_serve_contest_measure(const struct bench_serve_options *options, const char *alg,
                                 bool with_redis, struct bench_serve_contest *contest);

#endif
