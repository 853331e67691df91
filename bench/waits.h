/* SPDX-License-Identifier: Apache-2.0 */
/* How long callers wait while the table is swept. */
#ifndef BENCH_WAITS_H
#define BENCH_WAITS_H

#include "subject.h"

struct bench_waits_input {
    const struct bench_subject *subject;
    uint64_t entries;
    unsigned callers;
};

/* Of each single call of all callers together. */
struct bench_wait {
    double p999_us;
    double max_us;
    double pass_ms; /* the longest pass of the sweep */
};

struct bench_waits {
    struct bench_wait quiet; /* nobody sweeps: what the machine does to callers by itself */
    struct bench_wait none;  /* swept while nothing has ended */
    struct bench_wait few;   /* swept while one in a thousand has just ended */
    struct bench_wait all;   /* swept while everything has just ended */
    uint64_t max_step_slots; /* of the memory backend: most slots in any one lock hold */
};

/* A bench_measurement: input is a bench_waits_input, result a bench_waits. */
void bench_waits_measure(const void *input, void *result);

#endif
