/* SPDX-License-Identifier: Apache-2.0 */
/* A listener with its workers. With request.c, head.c and reply.c all that knows the HTTP library;
 * and none of these knows what is asked. */
#ifndef SERVE_HTTP_SERVER_H
#define SERVE_HTTP_SERVER_H

#include "serve/http/listener.h"
#include "serve/http/request.h"

/* Whoever answers. Called by any worker, for several requests at once. */
struct http_answerer {
    void *context;
    /* A first line has come: a place for its request, which begins as `begun`. NULL: there is no
     * memory, and the connection ends. */
    struct request *(*open)(void *context, const struct request *begun);
    /* Its head and body have come, or it goes on. Its answer was sent, or it is paused; false: its
     * connection breaks. */
    bool (*answer)(struct request *request);
    /* It has ended: free the place. complete: the answer has left. */
    void (*close)(struct request *request, bool complete);
    void (*log)(void *context, const char *text);
};

struct http_rules {
    enum http_role role;
    struct http_answerer answerer;
    struct connections *connections;
    unsigned threads;
    uint32_t max_connections;
    uint32_t max_connections_per_client;
    uint32_t max_header_bytes;
    uint32_t idle_timeout_s;
};

struct http_server;

/* listener is taken, also on failure. NULL: it could not be started. What the rules name outlives
 * it. */
struct http_server *http_server_start(struct listener *listener, const struct http_rules *rules);

/* Take no more connections. */
void http_server_quiesce(struct http_server *server);
void http_server_stop(struct http_server *server);

enum http_role http_server_role(const struct http_server *server);
const struct listener *http_server_listener(const struct http_server *server);

#endif
