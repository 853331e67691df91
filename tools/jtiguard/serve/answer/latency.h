/* SPDX-License-Identifier: Apache-2.0 */
/* A histogram of how long things took, for Prometheus. Any thread may add. */
#ifndef SERVE_LATENCY_H
#define SERVE_LATENCY_H

#include <stdatomic.h>
#include <stdint.h>

/* Upper bounds in microseconds: from a refusal out of memory to a store that hangs. */
#define LATENCY_BOUNDS_US                                                                          \
    {                                                                                              \
        50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, \
            2500000, 5000000, 10000000                                                             \
    }
enum { LATENCY_BOUNDS = 17 };

struct latency {
    atomic_uint_fast64_t counts[LATENCY_BOUNDS + 1]; /* the last: above all bounds */
    atomic_uint_fast64_t sum_ns;
};

extern const uint64_t latency_bounds_us[LATENCY_BOUNDS];

void latency_add(struct latency *latency, int64_t ns);

#endif
