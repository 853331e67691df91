/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP: a listener with its workers, and one request as an endpoint sees it. The one room that
 * knows the HTTP library, with reply.h. */
#ifndef SERVE_HTTP_H
#define SERVE_HTTP_H

#include "bytes.h"
#include "head.h"
#include "listener.h"
#include "service.h"

#include <microhttpd.h>

struct http_server;

struct http_rules {
    enum http_role role;
    struct connections *connections;
    unsigned threads;
    uint32_t max_connections;
    uint32_t max_connections_per_client;
    uint32_t max_header_bytes;
    uint32_t idle_timeout_s;
};

/* listener is taken, also on failure. NULL: it could not be started. service outlives it. */
struct http_server *http_server_start(struct service *service, struct listener *listener,
                                      const struct http_rules *rules);

/* Take no more connections. */
void http_server_quiesce(struct http_server *server);
void http_server_stop(struct http_server *server);

enum http_role http_server_role(const struct http_server *server);
const struct listener *http_server_listener(const struct http_server *server);

/* A request whose head and body have come. */
struct exchange {
    struct service *service;
    const struct http_server *server;
    struct MHD_Connection *mhd;
    struct policy *policy; /* held until the answer has left */
    const char *method;
    char *uri; /* path and query, as they came */
    struct head_uri raw_uri;
    struct bytes body;
    bool seen;          /* the head was looked at */
    bool body_too_long; /* the rest of it was thrown away */
    int64_t began_ns;
    int64_t lay_ms; /* before that, in the socket, as far as it is known */
    struct verify_waiter waiter;
    bool waited; /* for keys; and does so once only, but for a reload meanwhile */
    enum metrics_endpoint endpoint;
    unsigned status; /* that was answered; 0: none yet */
};

/* A header of the request. count: how many there are of that name; the first one is handed out. */
struct header_value {
    unsigned count;
    jtg_text text;
};
struct header_value exchange_header(const struct exchange *exchange, const char *name);

/* Have the request answered later: its connection is set aside, and its worker goes on with others.
 * When the keys have come, or time is up, its endpoint is called once more. false: answer now. */
bool exchange_await(struct exchange *exchange, struct verified *verified);

/* Go on with the settings of now. What was read by the ones before is to be read anew. */
void exchange_renew_policy(struct exchange *exchange);

/* Whether so many milliseconds pass before the connection ends, by request_timeout or by the
 * service's own end. A token that would be used up later than that has nobody who learns of it. */
bool exchange_has_time(const struct exchange *exchange, uint64_t wanted_ms);

/* Whether nobody waits for the answer any more. Who ended only his own half of the connection is
 * believed to wait for a second from when his request came, unless it waited for keys. Never
 * waits. */
bool exchange_has_left(const struct exchange *exchange);

struct peer exchange_peer(const struct exchange *exchange);

#endif
