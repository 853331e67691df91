/* SPDX-License-Identifier: Apache-2.0 */
/* The host backend: a call of one process and of two, and what it takes to open the store. */
#ifndef BENCH_HOST_H
#define BENCH_HOST_H

#include "samples.h"

#include <stdbool.h>
#include <stdint.h>

/* A sample a run; none where this machine has no place for the store. */
struct bench_host {
    struct bench_samples fresh_ns, fresh_at_full_ns, duplicate_ns; /* one process */
    struct bench_samples pair_fresh_ns, pair_duplicate_ns;         /* two: the calls of both */
    struct bench_samples attach_us;       /* opening a store that is there and full */
    struct bench_samples repair_us;       /* the same, behind one who died inside it */
    struct bench_samples bytes_per_entry; /* of the file, for each that it can hold */
};

/* One run. false, and a line on stderr, when the measurement failed. */
bool bench_host_measure(uint64_t entries, struct bench_host *host);

#endif
