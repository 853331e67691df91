/* SPDX-License-Identifier: Apache-2.0 */
/* What the service counts. Any thread counts at any time; nothing here locks. No label is made
 * from what a client sent. */
#ifndef SERVE_METRICS_H
#define SERVE_METRICS_H

#include "serve/answer/latency.h"
#include "serve/answer/outcome.h"

enum metrics_endpoint {
    METRICS_CHECK,
    METRICS_RESERVE, /* /v1/reserve */
    METRICS_BATCH,   /* /v1/check */
    METRICS_RELEASE,
    METRICS_CHALLENGE,
    METRICS_CONSUME,
    METRICS_LIVEZ,
    METRICS_READYZ,
    METRICS_METRICS,
    METRICS_OPENAPI,
    METRICS_OTHER, /* no such path */
    METRICS_ENDPOINTS
};

/* Statuses that the service answers; anything else counts as 500. */
#define METRICS_STATUSES                                                                           \
    {                                                                                              \
        200, 400, 401, 403, 404, 405, 409, 413, 415, 422, 431, 500, 503                            \
    }
enum { METRICS_STATUS_COUNT = 13, METRICS_DECIDERS = METRICS_BATCH + 1 };

struct metrics {
    atomic_uint_fast64_t decisions[METRICS_DECIDERS][OUTCOME_INDEXES];
    atomic_uint_fast64_t releases[JTG_STATUS_COUNT];
    atomic_uint_fast64_t requests[METRICS_ENDPOINTS][METRICS_STATUS_COUNT];
    atomic_uint_fast64_t unfinished; /* requests that ended before their answer had left */
    atomic_uint_fast64_t replay_cache_hits;
    atomic_uint_fast64_t reloads;
    atomic_uint_fast64_t reload_failures;
    struct latency wait;   /* in the socket, before a worker read it */
    struct latency check;  /* a whole /check, verification and guard included */
    struct latency verify; /* the verification alone */
    struct latency guard;  /* the guard with its store alone */
    struct latency api;    /* /v1/reserve, /v1/check, /v1/challenge and /v1/consume */
};

const char *metrics_endpoint_name(enum metrics_endpoint endpoint);
extern const unsigned metrics_statuses[METRICS_STATUS_COUNT];

void metrics_add(atomic_uint_fast64_t *counter);
uint64_t metrics_read(const atomic_uint_fast64_t *counter);

void metrics_decided(struct metrics *metrics, enum metrics_endpoint endpoint, enum outcome outcome);
void metrics_released(struct metrics *metrics, jtg_status status);
void metrics_answered(struct metrics *metrics, enum metrics_endpoint endpoint, unsigned status);

#endif
