/* SPDX-License-Identifier: Apache-2.0 */
/* The map of a Cluster: learnt from its nodes, and corrected by their redirects.
 *
 * It is a guess. Whether a node holds a slot is said by that node alone, with each answer: one that
 * does not says MOVED. So a map that is old costs a round trip and never an entry.
 *
 * No guess is which Cluster it is: a map of another one is sound and of the wrong store. The first
 * map is believed when those of the options that answer know one another; later ones
 * must share most nodes with the one before, and each node that is connected to must stand in it,
 * or its map must. Nodes are known by their ids. */
#ifndef JTGI_REDIS_CLUSTER_H
#define JTGI_REDIS_CLUSTER_H

#include "redis/flow/word.h"
#include "redis/line/deadline.h"
#include "redis/route/nodes.h"
#include "redis/say/slots/redirect.h"

/* A map this young is not asked for again: after a redirect, which has told the main thing; to say
 * that a node is still a primary, which is asked as often as this (flight.c), so that both together
 * stay within the smallest margin of a guard; and when a node is lost, which another one must first
 * take over. */
#define JTGI_MAP_AGE_MOVED_NS JTGI_NS_PER_S
#define JTGI_MAP_AGE_ROLE_NS  (500 * JTGI_NS_PER_MS)
#define JTGI_MAP_AGE_LOST_NS  (100 * JTGI_NS_PER_MS)

struct jtgi_cluster {
    struct jtgi_shared *shared; /* borrowed, as the next */
    struct jtgi_nodes *nodes;   /* that the map is of */
    unsigned seed_count;
    struct jtgi_address seeds[JTG_REDIS_ADDRESSES_LIMIT];

    pthread_mutex_t known_lock;
    struct jtgi_node_ids *known; /* of the map that was taken last; NULL: none was */

    jtgi_word ended; /* counts the refreshes that have ended; changed under the lock */

    /* Under the lock, which is held for short copies. */
    pthread_mutex_t lock;
    bool refreshing;   /* one caller asks; the others wait for it */
    int64_t ended_ns;  /* the last one; 0: none yet */
    jtg_error outcome; /* of it */
};

/* cluster is empty without Cluster. */
void jtgi_cluster_init(struct jtgi_cluster *cluster, struct jtgi_shared *shared,
                       struct jtgi_nodes *nodes);

/* No call may be under way. */
void jtgi_cluster_clear(struct jtgi_cluster *cluster);

/* Is a node that was just connected to one of this Cluster's? Its address may have been given to a
 * node of another.
 *
 * Returns: JTG_OK · JTG_ERR_UNAVAILABLE (it is not) · as its answer says */
jtg_status jtgi_cluster_check_node(struct jtgi_cluster *cluster, struct jtgi_connection *connection,
                                   const struct jtgi_address *address, int64_t deadline_ns,
                                   jtg_error *err);

/* Learn the map anew, unless that was done less than age_ns ago: then the outcome is that one's.
 * `first` and `last` say who is asked first and last; both may be NULL.
 *
 * Returns: JTG_OK · JTG_ERR_UNAVAILABLE · JTG_ERR_REFUSED (the nodes of the options are not of one
 * Cluster) · JTG_ERR_… what the last node that was asked said */
jtg_status jtgi_cluster_refresh(struct jtgi_cluster *cluster, int64_t age_ns, int64_t deadline_ns,
                                const struct jtgi_address *first, const struct jtgi_address *last,
                                jtg_error *err);

/* A node said MOVED: follow it. False when it cannot be followed. */
bool jtgi_cluster_moved(struct jtgi_cluster *cluster, const struct jtgi_redirect *redirect,
                        int64_t deadline_ns);

#endif
