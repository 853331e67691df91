/* SPDX-License-Identifier: Apache-2.0 */
/* What facts about a store mean for the promise. No I/O: the doctor asks, this judges. */
#ifndef TOOL_DIAGNOSIS_H
#define TOOL_DIAGNOSIS_H

#include "findings.h"
#include "settings.h"

#include <jtiguard/redis.h>

/* Redis keeps about so much for a reservation with the default prefix: measured on 7.0, 192 with
 * digest keys and 176 with plain keys of 36 bytes. */
enum { DIAGNOSIS_BYTES_PER_TOKEN = 200 };

/* How the server is reached. */
enum route {
    ROUTE_SOCKET,   /* A unix socket. */
    ROUTE_LOOPBACK, /* This host. */
    ROUTE_NETWORK
};

/* What the store's URI says of it. */
enum topology { TOPOLOGY_SINGLE, TOPOLOGY_SENTINEL, TOPOLOGY_CLUSTER };

struct redis_facts {
    const jtg_redis_server *server; /* As far as it described itself. */
    bool described;                 /* It did. */
    jtg_status answer;              /* What describing it answered, */
    const char *answer_text;        /* and the detail. */
    jtg_status probe;               /* Whether a reserve works now; as the two above. */
    const char *probe_text;

    unsigned looks;   /* Times that it described itself, each on a connection of its own, */
    unsigned servers; /* and different servers among them; without Cluster. */

    bool watches;          /* Continuity is on; then: */
    jtg_status kept;       /* what asking since when answered, */
    const char *kept_text; /* the detail, */
    int64_t kept_since_ms; /* since when, */
    const char *loss;      /* and what was noticed. */

    jtg_status ready;       /* What a guard says of a token that is issued now: jtg_guard_ping(), */
    const char *ready_text; /* and the detail. */

    enum route route;
    enum topology topology;
    bool login;        /* A password is given. */
    bool fsync;        /* A write counts only when it is on disk, */
    uint32_t replicas; /* or when so many have it. */
    uint32_t timeout_ms;
    uint64_t future_leeway_s; /* How far iat may lie ahead. */
    uint64_t margin_s;        /* How much longer than needed a token is remembered. */
    uint64_t max_lifetime_s;  /* Longest life of a token. */
    int64_t now_s;            /* Since 1970. */
};

/* All of it. */
void diagnose_redis(struct findings *findings, const struct redis_facts *facts);

/* Its parts: can it be reached, and safely; does it keep what it is given; which servers are there,
 * and is a loss noticed. */
void diagnose_reach(struct findings *findings, const struct redis_facts *facts);
void diagnose_server(struct findings *findings, const struct redis_facts *facts);
void diagnose_topology(struct findings *findings, const struct redis_facts *facts);

void diagnose_memory(struct findings *findings, const struct settings *settings, jtg_status probe);

enum route route_of(const jtg_redis_options *options);
enum topology topology_of(const jtg_redis_options *options);

#endif
