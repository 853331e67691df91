/* SPDX-License-Identifier: Apache-2.0 */
/* One server: where it is, whether it is up, and the connections to it. */
#ifndef JTGI_REDIS_NODE_H
#define JTGI_REDIS_NODE_H

#include "redis/flow/health.h"
#include "redis/flow/pipeline.h"
#include "redis/flow/shared.h"
#include "redis/say/address/address.h"

#include <jtiguard/redis.h>

struct jtgi_node;
struct jtgi_arrival;

/* Where a server is, by whoever names it. */
struct jtgi_whereabouts {
    struct jtgi_address address;
    uint64_t epoch; /* under which Sentinels named it, or JTGI_NO_EPOCH */
    uint64_t place; /* of the node, as it is with that */
};

/* What a node asks of the route that it stands on (route.h). */
struct jtgi_guide {
    void *route;

    /* Where to connect to now. */
    jtg_status (*where)(void *route, struct jtgi_node *node, int64_t deadline_ns,
                        struct jtgi_whereabouts *where, jtg_error *err);

    /* Somebody else says where it is, and is asked again while it is in use. */
    bool named_by_others;

    /* Is what was just connected to at this address one of this store's? NULL: it is. */
    jtg_status (*check)(void *route, struct jtgi_connection *connection,
                        const struct jtgi_address *address, int64_t deadline_ns, jtg_error *err);

    /* The slots that it holds now: those that are marked when a connection is made. */
    void (*slots_of)(void *route, const struct jtgi_node *node, struct jtgi_slot_set *slots);
};

struct jtgi_node {
    struct jtgi_shared *shared; /* borrowed, as the next */
    const struct jtgi_guide *guide;
    uint64_t serial; /* never used twice in a cache */

    _Atomic uint64_t gains; /* how often a map gave it slots that it had not */

    /* Under the lock of the nodes, in a Cluster only. */
    unsigned refs;
    int64_t gained_ns; /* see jtgi_nodes_mark_anew() */

    /* Where it is; with Sentinels, where they said last. Under address_lock. */
    struct jtgi_address address;
    uint64_t epoch; /* with Sentinels: of what they said last; else JTGI_NO_EPOCH */
    uint64_t place; /* counts what they said, so that a connection knows after what it was made */
    pthread_mutex_t address_lock;

    /* Of what went to it by other lines than its pipelines (loop/). */
    _Atomic uint64_t loop_requests;
    _Atomic uint64_t loop_max_batch;

    struct jtgi_health health;
    struct jtgi_pipeline pipelines[JTG_REDIS_CONNECTIONS_LIMIT];
};

/* NULL when out of memory. The address is empty while it is not known; the rest is borrowed. */
struct jtgi_node *jtgi_node_new(struct jtgi_shared *shared, const struct jtgi_guide *guide,
                                const struct jtgi_address *address, uint64_t serial);

/* No call may be under way. Neither talks nor waits. */
void jtgi_node_free(struct jtgi_node *node);
void jtgi_node_free_in_child(struct jtgi_node *node);

void jtgi_node_address(struct jtgi_node *node, struct jtgi_address *address);

/* Sentinels have named this one, under this epoch: whoever still talks to another leaves it.
 *
 * Returns: JTG_OK · JTG_ERR_UNAVAILABLE (others have heard better meanwhile) */
jtg_status jtgi_node_be_named(struct jtgi_node *node, const struct jtgi_address *primary,
                              uint64_t epoch, struct jtgi_whereabouts *where, jtg_error *err);

/* The Cluster knows it also by what this address, which is one of its own, says. */
void jtgi_node_note_other(struct jtgi_node *node, const struct jtgi_address *address);

/* The pipeline of the calling thread: threads spread over the connections and stay with theirs. */
struct jtgi_pipeline *jtgi_node_pipeline(struct jtgi_node *node);

/* A connection of its own, outside the pipelines: for the doctor. When the gate refuses the server
 * *connection is set all the same. */
jtg_status jtgi_node_connect(struct jtgi_node *node, int64_t deadline_ns,
                             struct jtgi_connection **connection, jtg_redis_server *server,
                             jtg_error *err);

/* A connection that is ready for commands, step by step (arrival.h): between the two the server is
 * tried by the caller alone while it is known to be down, and both are counted and told.
 *
 * Returns: JTG_OK (it must come to its end) · why it is not tried */
jtg_status jtgi_node_begin_visit(struct jtgi_node *node, struct jtgi_arrival *arrival,
                                 struct jtgi_dialer *dialer, int64_t deadline_ns, jtg_error *err);

/* How it came out. The connection is the caller's; NULL unless status is JTG_OK. */
struct jtgi_connection *jtgi_node_end_visit(struct jtgi_node *node, struct jtgi_arrival *arrival,
                                            jtg_status status, const jtg_error *err);

/* In place of that, half way: nothing is known of the server. */
void jtgi_node_leave_visit(struct jtgi_node *node, struct jtgi_arrival *arrival);

/* A connection in use was lost: tell it. */
void jtgi_node_tell_lost(const struct jtgi_node *node, const struct jtgi_fault *why);

#endif
