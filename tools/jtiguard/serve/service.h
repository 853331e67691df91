/* SPDX-License-Identifier: Apache-2.0 */
/* The service: everything that lives from start to end, and its life. */
#ifndef SERVE_SERVICE_H
#define SERVE_SERVICE_H

#include "serve/answer/responder.h"
#include "serve/http/listener.h"
#include "serve/settings/problem.h"

struct http_server;

enum { SERVICE_SERVERS_MAX = 3 * SERVICE_LISTENERS_LIMIT };

struct service {
    struct responder responder;
    jtg_logger logger;
    struct http_server *servers[SERVICE_SERVERS_MAX];
    size_t server_count;
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
uint16_t service_port(const struct service *service, enum http_role role);

#endif
