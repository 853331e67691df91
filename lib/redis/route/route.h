/* SPDX-License-Identifier: Apache-2.0 */
/* Who holds a slot, now, and where: one server that the options name, one that Sentinels name, or
 * the nodes of a Cluster. In route.c alone it is asked which; everybody above goes by slots. */
#ifndef JTGI_REDIS_ROUTE_H
#define JTGI_REDIS_ROUTE_H

#include "redis/route/cluster.h"
#include "redis/route/nodes.h"
#include "redis/route/sentinels.h"
#include "redis/say/slots/redirect.h"

struct jtgi_route_table;

struct jtgi_route {
    const struct jtgi_route_table *table; /* what the topology does its own way */
    struct jtgi_shared *shared;           /* borrowed */
    struct jtgi_guide guide;
    struct jtgi_nodes nodes;
    struct jtgi_sentinels sentinels; /* none without Sentinel */
    struct jtgi_cluster cluster;     /* empty without Cluster */
};

/* It must stay where it is. Returns: JTG_OK · JTG_ERR_MEMORY; then it holds nothing */
jtg_status jtgi_route_init(struct jtgi_route *route, struct jtgi_shared *shared, jtg_error *err);

/* No call may be under way. Neither talks nor waits. */
void jtgi_route_clear(struct jtgi_route *route, bool in_child);

/* The node that holds a slot, held (jtgi_nodes_let_go()); NULL, and *err, when nobody is known to.
 */
struct jtgi_node *jtgi_route_at_slot(struct jtgi_route *route, uint16_t slot, int64_t deadline_ns,
                                     jtg_error *err);

/* For what goes over all primaries, as they are now: one after the other, until one fails. It fails
 * when a slot has none, for then it would not be all.
 *
 * Returns: JTG_OK · as jtgi_cluster_refresh() · as the visit that failed */
jtg_status jtgi_route_each(struct jtgi_route *route, int64_t deadline_ns,
                           jtg_status (*visit)(void *context, struct jtgi_node *node,
                                               int64_t deadline_ns, jtg_error *err),
                           void *context, jtg_error *err);

/* A question that got no further: is it worth another? */
enum jtgi_onward {
    JTGI_ONWARD_STOP,
    JTGI_ONWARD_AGAIN,
    JTGI_ONWARD_PAUSE /* again, after a moment: nobody has taken over yet */
};
struct jtgi_stop {
    struct jtgi_node *node;
    uint16_t slot;
    bool answered; /* that it does not serve now; else it was not reached */
    bool pinned;   /* this node is asked for, whatever slots it holds */
};
enum jtgi_onward jtgi_route_after(struct jtgi_route *route, const struct jtgi_stop *stop,
                                  int64_t deadline_ns);

/* Does a redirect mean anything here? */
bool jtgi_route_has_redirects(const struct jtgi_route *route);

/* Follow MOVED. False when it cannot be followed. */
bool jtgi_route_moved(struct jtgi_route *route, const struct jtgi_redirect *redirect,
                      int64_t deadline_ns);

/* What those say who name the servers, for the doctor: sets the counts of Sentinels, nodes and
 * slots. Returns: JTG_OK · as jtgi_sentinels_ask() */
jtg_status jtgi_route_describe(struct jtgi_route *route, int64_t deadline_ns,
                               jtg_redis_server *server, jtg_error *err);

#endif
