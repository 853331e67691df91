/* SPDX-License-Identifier: Apache-2.0 */
/* Connections over which requests are asked one after another, in one thread. The answers are
 * counted and timed, and nothing of them is believed but their form. */
#ifndef BENCH_SERVE_HTTP_LOAD_H
#define BENCH_SERVE_HTTP_LOAD_H

#include "bench/histogram.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* What is sent at once. */
struct bench_http_request {
    const char *bytes;
    size_t len;
    unsigned answers; /* requests in it, so answers to wait for */
};

struct bench_http_load {
    uint16_t port; /* of 127.0.0.1 */
    unsigned connections;
    const struct bench_http_request *requests;
    size_t count;
    /* NULL: each request once. Else over and over, until it is set. */
    const atomic_bool *stop;
    /* How long to wait between two requests, of all connections together; 0 as fast as answers
     * come. A request that no connection is free for counts from when it was due. */
    uint64_t interval_ns;
    size_t warm; /* so many first answers are not timed */
    /* Called each time that an answer has come, with its status. May be NULL. */
    void (*answered)(void *context, size_t request, unsigned status);
    void *context;
};

enum { BENCH_HTTP_STATUSES = 600 };

struct bench_http_result {
    uint64_t statuses[BENCH_HTTP_STATUSES];
    uint64_t answers;
    uint64_t broken; /* requests whose connection ended, or brought nonsense, before the answer */
    double seconds;  /* of what was timed */
    double ops_per_s;
    struct bench_histogram latency;
};

/* false, and a line on stderr, when the server cannot be reached, or answers nothing for ten
 * seconds. result is then incomplete. */
bool bench_http_load_run(const struct bench_http_load *load, struct bench_http_result *result);

#endif
