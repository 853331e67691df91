/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/route/route.h"

#include <jtiguard/status.h>
#include <string.h>

/* What a topology does its own way. NULL: there is nothing to do. */
struct jtgi_route_table {
    jtg_status (*make_nodes)(struct jtgi_route *route, jtg_error *err);
    jtg_status (*where)(void *route, struct jtgi_node *node, int64_t deadline_ns,
                        struct jtgi_whereabouts *where, jtg_error *err);
    bool named_by_others;
    jtg_status (*check)(void *route, struct jtgi_connection *connection,
                        const struct jtgi_address *address, int64_t deadline_ns, jtg_error *err);
    /* See to it that the nodes are those of now, as far as a moment ago will do. */
    jtg_status (*learn)(struct jtgi_route *route, int64_t deadline_ns, jtg_error *err);
    enum jtgi_onward (*after)(struct jtgi_route *route, const struct jtgi_stop *stop,
                              int64_t deadline_ns);
    bool (*moved)(struct jtgi_route *route, const struct jtgi_redirect *redirect,
                  int64_t deadline_ns);
    jtg_status (*describe)(struct jtgi_route *route, int64_t deadline_ns, jtg_redis_server *server,
                           jtg_error *err);
};

static void slots_of(void *context, const struct jtgi_node *node, struct jtgi_slot_set *slots)
{
    struct jtgi_route *route = context;
    jtgi_nodes_slots_of(&route->nodes, node, slots);
}

/* ---- one server that the options name ---- */

static jtg_status make_one_node(struct jtgi_route *route, jtg_error *err)
{
    const jtg_redis_options *options = &route->shared->config.options;
    struct jtgi_address address = {.unix_path = options->unix_path};
    if (options->host != NULL)
        (void)jtgi_address_set(&address, options->host, strlen(options->host), options->port);
    return jtgi_nodes_init_one(&route->nodes, route->shared, &route->guide, &address, err);
}

static jtg_status single_where(void *context, struct jtgi_node *node, int64_t deadline_ns,
                               struct jtgi_whereabouts *where, jtg_error *err)
{
    (void)context;
    (void)deadline_ns;
    (void)err;
    where->place = 0;
    where->epoch = JTGI_NO_EPOCH;
    jtgi_node_address(node, &where->address);
    return JTG_OK;
}

static const struct jtgi_route_table single = {
    .make_nodes = make_one_node,
    .where = single_where,
};

/* ---- one that Sentinels name ---- */

static jtg_status sentinels_where(void *context, struct jtgi_node *node, int64_t deadline_ns,
                                  struct jtgi_whereabouts *where, jtg_error *err)
{
    struct jtgi_route *route = context;
    struct jtgi_naming naming = {.answers = 0};
    jtg_status status = jtgi_sentinels_ask(&route->sentinels, deadline_ns, &naming, err);
    return status == JTG_OK ? jtgi_node_be_named(node, &naming.primary, naming.epoch, where, err)
                            : status;
}

/* Its connection is closed by now, and the next one asks them. */
static enum jtgi_onward sentinels_after(struct jtgi_route *route, const struct jtgi_stop *stop,
                                        int64_t deadline_ns)
{
    (void)route;
    (void)deadline_ns;
    return stop->answered ? JTGI_ONWARD_AGAIN : JTGI_ONWARD_STOP;
}

static jtg_status sentinels_describe(struct jtgi_route *route, int64_t deadline_ns,
                                     jtg_redis_server *server, jtg_error *err)
{
    struct jtgi_naming naming = {.resolves = true};
    jtg_status status = jtgi_sentinels_ask(&route->sentinels, deadline_ns, &naming, err);
    server->sentinels_total = naming.members;
    server->sentinels_known = naming.agreeing;
    return status;
}

static const struct jtgi_route_table by_sentinels = {
    .make_nodes = make_one_node,
    .where = sentinels_where,
    .named_by_others = true,
    .after = sentinels_after,
    .describe = sentinels_describe,
};

/* ---- the nodes of a Cluster ---- */

static jtg_status make_many_nodes(struct jtgi_route *route, jtg_error *err)
{
    return jtgi_nodes_init_many(&route->nodes, route->shared, &route->guide, err);
}

/* An old primary that was cut off or frozen takes writes until it learns of its successor: the
 * others are asked first. */
static jtg_status cluster_where(void *context, struct jtgi_node *node, int64_t deadline_ns,
                                struct jtgi_whereabouts *where, jtg_error *err)
{
    struct jtgi_route *route = context;
    (void)single_where(route, node, deadline_ns, where, err);
    jtg_status status = jtgi_cluster_refresh(&route->cluster, JTGI_MAP_AGE_ROLE_NS, deadline_ns,
                                             NULL, &where->address, err);
    if (status == JTG_OK && !jtgi_nodes_have(&route->nodes, node))
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                             "redis: the Cluster has this node as a primary no longer");
    return status;
}

static jtg_status cluster_check(void *context, struct jtgi_connection *connection,
                                const struct jtgi_address *address, int64_t deadline_ns,
                                jtg_error *err)
{
    struct jtgi_route *route = context;
    return jtgi_cluster_check_node(&route->cluster, connection, address, deadline_ns, err);
}

static jtg_status cluster_learn(struct jtgi_route *route, int64_t deadline_ns, jtg_error *err)
{
    return jtgi_cluster_refresh(&route->cluster, JTGI_MAP_AGE_LOST_NS, deadline_ns, NULL, NULL,
                                err);
}

/* Perhaps another has its slot by now. Half of the time is for asking, and half for what is asked
 * for. */
static bool is_elsewhere(struct jtgi_route *route, const struct jtgi_stop *stop,
                         int64_t deadline_ns)
{
    struct jtgi_address lost;
    int64_t now_ns = jtgi_now_ns();
    jtgi_node_address(stop->node, &lost);
    (void)jtgi_cluster_refresh(&route->cluster, JTGI_MAP_AGE_LOST_NS,
                               now_ns + (deadline_ns - now_ns) / 2, NULL, &lost, NULL);
    struct jtgi_node *now = jtgi_nodes_at_slot(&route->nodes, stop->slot);
    bool other = now != NULL && now != stop->node;
    jtgi_nodes_let_go(&route->nodes, now);
    return other;
}

static enum jtgi_onward cluster_after(struct jtgi_route *route, const struct jtgi_stop *stop,
                                      int64_t deadline_ns)
{
    if (stop->pinned)
        return JTGI_ONWARD_STOP;
    if (is_elsewhere(route, stop, deadline_ns))
        return JTGI_ONWARD_AGAIN;
    return stop->answered ? JTGI_ONWARD_PAUSE : JTGI_ONWARD_STOP;
}

static bool cluster_moved(struct jtgi_route *route, const struct jtgi_redirect *redirect,
                          int64_t deadline_ns)
{
    return jtgi_cluster_moved(&route->cluster, redirect, deadline_ns);
}

static jtg_status cluster_describe(struct jtgi_route *route, int64_t deadline_ns,
                                   jtg_redis_server *server, jtg_error *err)
{
    struct jtgi_node *held[JTG_REDIS_NODES_LIMIT];
    jtg_status status = cluster_learn(route, deadline_ns, err);
    unsigned count = jtgi_nodes_hold_all(&route->nodes, held);
    server->nodes_known = count;
    server->slots_covered = jtgi_nodes_covered(&route->nodes);
    jtgi_nodes_let_go_all(&route->nodes, held, count);
    return status;
}

static const struct jtgi_route_table by_cluster = {
    .make_nodes = make_many_nodes,
    .where = cluster_where,
    .named_by_others = true,
    .check = cluster_check,
    .learn = cluster_learn,
    .after = cluster_after,
    .moved = cluster_moved,
    .describe = cluster_describe,
};

/* ---- whichever it is ---- */

static const struct jtgi_route_table *const tables[] = {
    [JTGI_TOPOLOGY_SINGLE] = &single,
    [JTGI_TOPOLOGY_SENTINELS] = &by_sentinels,
    [JTGI_TOPOLOGY_CLUSTER] = &by_cluster,
};

jtg_status jtgi_route_init(struct jtgi_route *route, struct jtgi_shared *shared, jtg_error *err)
{
    const struct jtgi_route_table *table = tables[shared->config.topology];
    const struct jtgi_guide guide = {route, table->where, table->named_by_others, table->check,
                                     slots_of};
    route->table = table;
    route->shared = shared;
    route->guide = guide;
    jtgi_sentinels_init(&route->sentinels, shared);
    jtgi_cluster_init(&route->cluster, shared, &route->nodes);
    return table->make_nodes(route, err);
}

void jtgi_route_clear(struct jtgi_route *route, bool in_child)
{
    jtgi_nodes_clear(&route->nodes, in_child);
    jtgi_cluster_clear(&route->cluster);
}

/* Before the first map there is none. */
struct jtgi_node *jtgi_route_at_slot(struct jtgi_route *route, uint16_t slot, int64_t deadline_ns,
                                     jtg_error *err)
{
    struct jtgi_node *node = jtgi_nodes_at_slot(&route->nodes, slot);
    if (node != NULL || route->table->learn == NULL)
        return node;
    jtg_status status = route->table->learn(route, deadline_ns, err);
    node = status == JTG_OK ? jtgi_nodes_at_slot(&route->nodes, slot) : NULL;
    if (node == NULL)
        err->status = jtg_error_set(err, status == JTG_OK ? JTG_ERR_UNAVAILABLE : status, 0,
                                    "redis: no node of the Cluster holds the slot of the key");
    return node;
}

static jtg_status learn_all(struct jtgi_route *route, int64_t deadline_ns, jtg_error *err)
{
    if (route->table->learn == NULL)
        return JTG_OK;
    jtg_status status = route->table->learn(route, deadline_ns, err);
    return status == JTG_OK && jtgi_nodes_covered(&route->nodes) < JTGI_SLOTS
               ? jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                               "redis: a part of the Cluster's slots has no primary")
               : status;
}

jtg_status jtgi_route_each(struct jtgi_route *route, int64_t deadline_ns,
                           jtg_status (*visit)(void *context, struct jtgi_node *node,
                                               int64_t deadline_ns, jtg_error *err),
                           void *context, jtg_error *err)
{
    struct jtgi_node *held[JTG_REDIS_NODES_LIMIT];
    jtg_status status = learn_all(route, deadline_ns, err);
    if (status != JTG_OK)
        return status;
    unsigned count = jtgi_nodes_hold_all(&route->nodes, held);
    for (unsigned i = 0; i < count && status == JTG_OK; i++)
        status = visit(context, held[i], deadline_ns, err);
    jtgi_nodes_let_go_all(&route->nodes, held, count);
    return status;
}

enum jtgi_onward jtgi_route_after(struct jtgi_route *route, const struct jtgi_stop *stop,
                                  int64_t deadline_ns)
{
    return route->table->after == NULL ? JTGI_ONWARD_STOP
                                       : route->table->after(route, stop, deadline_ns);
}

bool jtgi_route_has_redirects(const struct jtgi_route *route)
{
    return route->table->moved != NULL;
}

bool jtgi_route_moved(struct jtgi_route *route, const struct jtgi_redirect *redirect,
                      int64_t deadline_ns)
{
    return route->table->moved != NULL && route->table->moved(route, redirect, deadline_ns);
}

jtg_status jtgi_route_describe(struct jtgi_route *route, int64_t deadline_ns,
                               jtg_redis_server *server, jtg_error *err)
{
    return route->table->describe == NULL ? JTG_OK
                                          : route->table->describe(route, deadline_ns, server, err);
}
