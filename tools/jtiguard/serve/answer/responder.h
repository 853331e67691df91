/* SPDX-License-Identifier: Apache-2.0 */
/* What answers are made with, from the start of the service to its end. */
#ifndef SERVE_RESPONDER_H
#define SERVE_RESPONDER_H

#include "serve/answer/metrics.h"
#include "serve/answer/prober.h"
#include "serve/answer/service_log.h"
#include "serve/answer/slots.h"
#include "serve/http/connections.h"
#include "serve/settings/policy.h"
#include "serve/verify/verify.h"

#include <jtiguard/challenges.h>

/* Of those of /v1/challenge: without one that is asked for, and the longest. */
#define CHALLENGE_LIFETIME_MS      UINT64_C(300000)
#define CHALLENGE_LIFETIME_MOST_MS UINT64_C(86400000)

struct responder {
    struct policy_holder policy;
    jtg_clock clock;
    struct service_log *log;
    jtg_cache *cache;
    jtg_guard *guard;
    jtg_challenges *challenges;
    struct verifier *verifier;   /* NULL: no issuers, the API only */
    struct slots *replays;       /* replay_cache.h; NULL: none are remembered */
    struct slots *refusal_limit; /* refusal_limit.h */
    struct slots *owners;        /* owner_tally.h */
    struct prober *prober;
    struct connections *connections;       /* of those who ask about tokens */
    struct connections *admin_connections; /* of those who ask about the service */
    int64_t start_wall_ms;
    atomic_bool draining;
    atomic_int_fast64_t cut_ns; /* when the end cuts off what is under way; 0: it does not end */
    atomic_int_fast64_t loss_told_again_ns; /* guarded.c: when a loss may be logged once more */
    struct metrics metrics;
};

#endif
