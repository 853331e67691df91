/* SPDX-License-Identifier: Apache-2.0 */
/* A client under load. The load is one piece of code for all of them. */
#ifndef BENCH_REDIS_CLIENT_H
#define BENCH_REDIS_CLIENT_H

#include "bench/redis/place.h"

/* As long as a guard's digest with a short prefix. */
enum { BENCH_FRESH_KEY_BYTES = 48 };

/* The time to live of every reservation here. */
#define BENCH_REDIS_TTL_MS 60000
#define BENCH_REDIS_TTL    "60000"

/* A key that nobody has used. */
struct bench_fresh {
    char key[BENCH_FRESH_KEY_BYTES];
    jtg_owner owner;
};

/* How commands were sent together. */
struct bench_batches {
    double mean;
    double max;
};

struct bench_client {
    const char *name;
    /* Ready for so many threads. Ends the measurement when it cannot be had, as the others do. */
    void *(*open)(const struct bench_place *place, unsigned callers);
    /* Reserve a fresh key for its owner: anything but "it is yours" is a wrong answer. */
    void (*reserve)(void *self, unsigned caller, const struct bench_fresh *fresh);
    struct bench_batches (*close)(void *self);
    bool marks; /* leaves a marker in the store, where continuity is on */
};

extern const struct bench_client bench_client_jtiguard;
extern const struct bench_client bench_client_unwatched; /* the same without continuity */
extern const struct bench_client bench_client_hiredis;

#endif
