/* SPDX-License-Identifier: Apache-2.0 */
/* A table under measurement. Every phase is one piece of code for all of them. */
#ifndef BENCH_SUBJECT_H
#define BENCH_SUBJECT_H

#include "items.h"

#include <jtiguard/clock.h>
#include <jtiguard/memory.h>

/* How many keys a caller that has many asks about at once. */
enum { BENCH_BATCH = 32 };

struct bench_setup {
    uint64_t max_entries;
    const jtg_clock *clock; /* NULL = the system's */
    bool thread;            /* with the library's own thread, as programs have it by default */
    const char *path;       /* of the host store */
    uint64_t floor_bytes;   /* what the floor spreads its touches over */
};

struct bench_subject {
    const char *name;
    /* An empty table; ends the measurement when it cannot be had. It is
     * never freed: it goes with the process of its measurement, because to free a node at a time
     * takes as long as to measure. */
    void *(*make)(const struct bench_setup *setup);
    jtg_status (*reserve)(void *self, const struct bench_item *item, uint64_t ttl_ms);
    jtg_status (*release)(void *self, const struct bench_item *item);
    /* reserve of a caller who wants to know why it was refused; NULL where nobody tells. Without a
     * text a refusal is answered as no refusal. */
    jtg_status (*reserve_told)(void *self, const struct bench_item *item, uint64_t ttl_ms);
    /* Many at once, at most BENCH_BATCH; how many were not answered as expected. NULL where that is
     * not offered. */
    size_t (*reserve_many)(void *self, const struct bench_item *items, size_t count,
                           uint64_t ttl_ms, jtg_status expected);
    /* One lock hold's worth of sweeping; whether the pass goes on. NULL where there is none. */
    bool (*sweep)(void *self);
};

extern const struct bench_subject bench_subject_memory;
extern const struct bench_subject bench_subject_host;
extern const struct bench_subject bench_subject_chained;
extern const struct bench_subject bench_subject_floor;

/* The counters of the memory backend; self was made by bench_subject_memory. */
jtg_memory_stats bench_memory_stats(void *self);

#endif
