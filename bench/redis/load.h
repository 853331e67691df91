/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that reserve fresh keys as fast as they are answered, for a given time. */
#ifndef BENCH_REDIS_LOAD_H
#define BENCH_REDIS_LOAD_H

#include "bench/redis/client.h"

struct bench_load {
    const struct bench_client *client;
    const struct bench_place *place;
    unsigned callers;
    double seconds; /* after a tenth of it to warm up */
};

struct bench_load_result {
    double ops_per_s;
    double p50_us;
    double p99_us;
    double cpu_us_per_op; /* user and system time of the whole process */
    struct bench_batches batches;
    uint64_t stored; /* every reservation, those of the warm-up too */
};

/* A measurement for bench_isolate(): a bench_load to a bench_load_result. */
void bench_load_measure(const void *input, void *result);

#endif
