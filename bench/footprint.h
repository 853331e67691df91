/* SPDX-License-Identifier: Apache-2.0 */
/* What a table of N entries keeps in memory, and what the calls that filled it waited for. */
#ifndef BENCH_FOOTPRINT_H
#define BENCH_FOOTPRINT_H

#include "subject.h"

struct bench_footprint_input {
    const struct bench_subject *subject;
    uint64_t entries;
    bool thread; /* as in bench_setup */
};

enum { BENCH_LOOKS = 128 /* at the resident memory, between N / 2 and N */ };

struct bench_footprint {
    double bytes_per_entry;           /* resident, at N */
    double bytes_per_entry_worst;     /* the same at its worst on the way from N / 2 to N, which a
                                         table that doubles passes through once */
    double bytes_at[BENCH_LOOKS + 1]; /* an entry, at each look */
    double fill_p999_us;              /* of the N reserves that filled it */
    double fill_max_us;
};

/* A bench_measurement: input is a bench_footprint_input, result a bench_footprint. */
void bench_footprint_measure(const void *input, void *result);

/* The same for the memory backend, with its counters. */
struct bench_memory_footprint {
    struct bench_footprint footprint;
    jtg_memory_stats stats;
};

void bench_footprint_measure_memory(const void *input, void *result);

#endif
