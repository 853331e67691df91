/* SPDX-License-Identifier: Apache-2.0 */
/* The store that is measured, as hiredis reaches it. */
#ifndef BENCH_REDIS_PLACE_H
#define BENCH_REDIS_PLACE_H

#include <hiredis/hiredis.h>
#include <jtiguard/redis.h>
#include <stdbool.h>

struct bench_place {
    jtg_redis_uri *uri;
    const jtg_redis_options *options; /* what the URI stands for */
    bool ours;                        /* nobody else uses it: it may be emptied and counted */
};

/* false, and a line on stderr, when the URI is not valid or hiredis cannot go there. */
bool bench_place_open(struct bench_place *place, const char *uri, bool ours);
void bench_place_close(struct bench_place *place);

/* A connection that is logged in; NULL, and a line on stderr, when there is none. */
redisContext *bench_place_connect(const struct bench_place *place);

/* Forget everything in the store, and count what it holds. Only where it is ours. */
bool bench_place_empty(const struct bench_place *place);
bool bench_place_count(const struct bench_place *place, uint64_t *count);

#endif
