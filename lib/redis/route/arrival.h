/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to a node on its way, step by step: where the node is, which servers its address
 * leads to, one of them met after the other until one will do, and the markers of its slots.
 *
 *     where ──> find ──> open ──> log in ──> gate, check ──(it will do)──> mark ──> there
 *                          ^                     └──(another may)──┐
 *                          └───────────────────────────────────────┘
 *
 * Who waits comes to its end in one call. Who does not comes back after JTGI_LATER; nothing is
 * begun twice. Of Sentinels and a Cluster the questions where a node is, and whether it is one of
 * theirs, wait all the same (route.h): their dialer's waiter is one that waits. */
#ifndef JTGI_REDIS_ARRIVAL_H
#define JTGI_REDIS_ARRIVAL_H

#include "redis/line/handshake.h"
#include "redis/line/link.h"
#include "redis/route/node.h"

enum jtgi_arrival_stage {
    JTGI_ARRIVAL_WHERE,
    JTGI_ARRIVAL_FIND,
    JTGI_ARRIVAL_OPEN,
    JTGI_ARRIVAL_LOG_IN,
    JTGI_ARRIVAL_MARK,
    JTGI_ARRIVAL_THERE
};

/* One of the servers that the address leads to, as it was met. */
struct jtgi_meeting {
    jtg_status status;
    jtg_error err;
    struct jtgi_connection *connection; /* NULL: it was not reached, or let nobody in */
    jtg_redis_server server;
};

struct jtgi_arrival {
    struct jtgi_node *node;     /* borrowed, as the next */
    struct jtgi_dialer *dialer; /* what its connection is opened with */
    bool marks;                 /* its slots are marked at the end */
    enum jtgi_arrival_stage stage;
    int64_t until_ns;
    int64_t share_ns; /* until when the server that is being met may take; 0: none is being met */
    struct jtgi_whereabouts where;
    struct jtgi_links links;
    struct jtgi_handshake handshake;
    struct jtgi_meeting best; /* who was met, and served best: in the end, who is taken */
    bool has_met;
    struct jtgi_meeting now; /* who is being met */
    struct jtgi_marking *marking;
};

/* It must stay where it is until jtgi_arrival_end(). until_ns: by when it must be there, and no
 * later than connect_timeout_ms allows. */
void jtgi_arrival_begin(struct jtgi_arrival *arrival, struct jtgi_node *node,
                        struct jtgi_dialer *dialer, bool marks, int64_t until_ns);

/* Returns: JTG_OK (take it) · JTGI_LATER · why it is not there; arrival->best says what was met all
 * the same */
jtg_status jtgi_arrival_go_on(struct jtgi_arrival *arrival, jtg_error *err);

/* The connection of who was met last, the caller's from now on; NULL: none. */
struct jtgi_connection *jtgi_arrival_take(struct jtgi_arrival *arrival);

/* Wherever it stands; what was not taken is closed. */
void jtgi_arrival_end(struct jtgi_arrival *arrival);

#endif
