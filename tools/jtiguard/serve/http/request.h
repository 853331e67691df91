/* SPDX-License-Identifier: Apache-2.0 */
/* One request, as whoever answers it sees it: who asks, its head, its body. */
#ifndef SERVE_REQUEST_H
#define SERVE_REQUEST_H

#include "bytes.h"
#include "serve/http/address.h"
#include "serve/http/connections.h"
#include "serve/http/head.h"
#include "serve/http/listener.h"

#include <jtiguard/guard.h>
#include <stdatomic.h>

/* Whoever answers gives it a place (http_server.h). */
struct request {
    struct MHD_Connection *mhd;
    struct connection *connection; /* NULL: there was no memory to list it */
    enum http_role role;           /* of the listener */
    bool is_local;                 /* which is a unix socket */
    const char *method;
    char *uri; /* path and query, as they came */
    struct head_uri raw_uri;
    struct bytes body;
    bool seen;          /* the head was looked at */
    bool body_too_long; /* the rest of it was thrown away */
    bool waited;        /* it was set aside, and goes on */
    int64_t began_ns;
    int64_t lay_ms;  /* before that, in the socket; -1: it is not known */
    unsigned status; /* that was answered; 0: none yet */

    /* Set by whoever answers. */
    uint32_t max_body_bytes;
    const atomic_bool *ending; /* answers end their connections */
};

void request_clear(struct request *request);

/* A header of the request. count: how many there are of that name; the first one is handed out. */
struct header_value {
    unsigned count;
    jtg_text text;
};
struct header_value request_header(const struct request *request, const char *name);

/* Who asks. */
struct peer request_peer(const struct request *request);

/* Whether nobody waits for the answer any more. Who ended only his own half of the connection is
 * believed to wait for a second from when his request came, unless it was set aside. Never waits.
 */
bool request_has_left(const struct request *request);

/* Set its connection aside, and have its answer asked for once more: its worker goes on with others
 * meanwhile. context is the request's mhd. */
void request_pause(void *context);
void request_resume(void *context);

#endif
