/* SPDX-License-Identifier: Apache-2.0 */
/* The service: everything that lives from start to end, and its life. */
#ifndef SERVE_SERVICE_H
#define SERVE_SERVICE_H

#include "connections.h"
#include "metrics.h"
#include "owner_tally.h"
#include "policy.h"
#include "prober.h"
#include "problem.h"
#include "refusal_limit.h"
#include "replay_cache.h"
#include "service_log.h"
#include "verify.h"

struct http_server;

enum { SERVICE_SERVERS_MAX = 3 * SERVICE_LISTENERS_LIMIT };

struct service {
    struct policy_holder policy;
    jtg_clock clock;
    struct service_log *log;
    jtg_logger logger;
    jtg_cache *cache;
    jtg_guard *guard;
    struct verifier *verifier; /* NULL: no issuers, the API only */
    struct replay_cache *replays;
    struct refusal_limit *refusal_limit;
    struct owner_tally *owners;
    struct prober *prober;
    struct connections *connections;       /* of those who ask about tokens */
    struct connections *admin_connections; /* of those who ask about the service */
    struct http_server *servers[SERVICE_SERVERS_MAX];
    size_t server_count;
    int64_t start_wall_ms;
    atomic_bool draining;
    atomic_int_fast64_t cut_ns; /* when the end cuts off what is under way; 0: it does not end */
    atomic_int_fast64_t loss_told_again_ns; /* guarded.c: when a loss may be logged once more */
    struct metrics metrics;
};

/* What the service is built from, when not from its settings. For tests. */
struct service_parts {
    const jtg_clock *clock; /* copied; NULL: the system's */
    jtg_cache *cache;       /* taken, also on failure; NULL: that of the settings */
    int log_fd;             /* borrowed; -1: standard error */
};

/* settings are taken, also on failure. parts may be NULL. Serves when this returns JTG_OK; else
 * problem says why. */
jtg_status service_start(struct service **service, struct service_settings *settings,
                         const struct service_parts *parts, struct settings_problem *problem);

/* New settings, for the requests to come and for those under way whose tokens they judge; taken. On
 * failure all is as before. One thread at a time. */
bool service_reload(struct service *service, struct service_settings *settings,
                    struct settings_problem *problem);

/* No longer ready; serves on. */
void service_begin_drain(struct service *service);

/* Takes no more connections, lets requests end for at most drain_timeout, and ends. In bounded
 * time, whatever clients do. */
void service_stop(struct service *service);

/* The port of the first TCP address of a list, when 0 was asked for; 0: there is none. */
enum http_role { HTTP_MAIN, HTTP_API, HTTP_ADMIN };
uint16_t service_port(const struct service *service, enum http_role role);

#endif
