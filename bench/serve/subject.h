/* SPDX-License-Identifier: Apache-2.0 */
/* A server under load: one piece of code for all of them. */
#ifndef BENCH_SERVE_SUBJECT_H
#define BENCH_SERVE_SUBJECT_H

#include "bench/serve/tokens.h"

enum bench_subject_kind {
    BENCH_SUBJECT_MEMORY,
    BENCH_SUBJECT_REDIS,
    BENCH_SUBJECT_API, /* /v1/reserve, on the memory store */
    BENCH_SUBJECT_FLOOR
};
enum { BENCH_SUBJECTS = 4 };

struct bench_subject_result {
    double ops_per_s;
    double p50_us;
    double p99_us;
    double cpu_us_per_op; /* user and system time of the server's process */
};

/* Show every token once to a new server with an empty store. false, and a line on stderr, when it
 * fails, or when an answer is not 200. */
bool bench_subject_measure(enum bench_subject_kind kind, const struct bench_tokens *tokens,
                           unsigned connections, struct bench_subject_result *result);

/* Whether `redis-server` can be had. Where not, a line on stderr says so. */
bool bench_subject_has_redis(void);

#endif
