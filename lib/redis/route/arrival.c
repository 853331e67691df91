/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/route/arrival.h"

#include "redis/line/deadline.h"
#include "redis/say/server/gate.h"

#include <jtiguard/status.h>
#include <string.h>

void jtgi_arrival_begin(struct jtgi_arrival *arrival, struct jtgi_node *node,
                        struct jtgi_dialer *dialer, bool marks, int64_t until_ns)
{
    int64_t own_ns = jtgi_deadline_in_ms(dialer->config->options.connect_timeout_ms);
    memset(arrival, 0, sizeof *arrival);
    arrival->node = node;
    arrival->dialer = dialer;
    arrival->marks = marks;
    arrival->until_ns = own_ns < until_ns ? own_ns : until_ns;
    jtgi_command_init(&arrival->handshake.command);
}

/* For jtgi_link_tell(). */
static const struct jtgi_address *if_named(const struct jtgi_node *node,
                                           const struct jtgi_address *address)
{
    return node->guide->named_by_others ? address : NULL;
}

static jtg_status tell_of_address(const struct jtgi_arrival *arrival, jtg_status status,
                                  const jtg_error *why, jtg_error *err)
{
    return jtgi_link_tell(arrival->dialer, if_named(arrival->node, &arrival->where.address), status,
                          why, err);
}

/* ---- where, and which servers ---- */

static jtg_status ask_where(struct jtgi_arrival *arrival, jtg_error *err)
{
    struct jtgi_node *node = arrival->node;
    struct jtgi_whereabouts *where = &arrival->where;
    jtg_status status = node->guide->where(node->guide->route, node, arrival->until_ns, where, err);
    if (status != JTG_OK)
        return status;
    jtgi_links_begin(&arrival->links, arrival->dialer, &where->address);
    arrival->stage = JTGI_ARRIVAL_FIND;
    return JTG_OK;
}

static void describe(struct jtgi_arrival *arrival)
{
    struct jtgi_meeting *best = &arrival->best;
    jtgi_address_format(&arrival->where.address, best->server.address, sizeof best->server.address);
    if (best->connection == NULL)
        return;
    best->connection->use.place = arrival->where.place;
    best->connection->peer.epoch = arrival->where.epoch;
}

static jtg_status find(struct jtgi_arrival *arrival, jtg_error *err)
{
    jtg_error why = JTG_ERROR_INIT;
    jtg_status status = jtgi_links_find(&arrival->links, arrival->until_ns, &why);
    if (status == JTGI_LATER)
        return status;
    arrival->stage = JTGI_ARRIVAL_OPEN;
    describe(arrival);
    return tell_of_address(arrival, status, &why, err);
}

/* ---- one after the other ---- */

static jtg_status open_next(struct jtgi_arrival *arrival)
{
    struct jtgi_meeting *now = &arrival->now;
    if (arrival->share_ns == 0) {
        memset(now, 0, sizeof *now);
        arrival->share_ns = jtgi_targets_share(&arrival->links.targets, arrival->until_ns);
    }
    jtg_status status =
        jtgi_links_next(&arrival->links, arrival->share_ns, &now->connection, &now->err);
    if (status != JTG_OK)
        return status;
    arrival->stage = JTGI_ARRIVAL_LOG_IN;
    return jtgi_handshake_begin(&arrival->handshake, now->connection, arrival->dialer, &now->err);
}

static jtg_status judge(struct jtgi_arrival *arrival)
{
    struct jtgi_meeting *now = &arrival->now;
    const struct jtgi_redis_config *config = arrival->dialer->config;
    const struct jtgi_guide *guide = arrival->node->guide;
    now->server.tls = config->options.tls;
    now->server.evicts = jtgi_gate_evicts(&now->server);
    jtg_status status = jtgi_gate_judge(&now->server, config, &now->err);
    if (status == JTG_OK && guide->check != NULL)
        status = guide->check(guide->route, now->connection, arrival->links.address,
                              arrival->share_ns, &now->err);
    return status;
}

/* How the server that is being met has answered, or LATER. Whoever let nobody in is not kept. */
static jtg_status meet(struct jtgi_arrival *arrival)
{
    struct jtgi_meeting *now = &arrival->now;
    jtg_status status = arrival->stage == JTGI_ARRIVAL_OPEN ? open_next(arrival) : JTG_OK;
    if (status == JTG_OK)
        status =
            jtgi_handshake_go_on(&arrival->handshake, arrival->share_ns, &now->server, &now->err);
    if (status == JTGI_LATER)
        return status;
    jtgi_handshake_end(&arrival->handshake);
    if (status == JTG_OK)
        return judge(arrival);
    jtgi_connection_free(now->connection);
    now->connection = NULL;
    return status;
}

/* A name may lead to a primary and its replicas, and one of these come first; or to one that loads
 * its data. Whoever does not serve now is passed over. What is told when none does is what the
 * first said that let us in. */
static void keep_better(struct jtgi_arrival *arrival)
{
    struct jtgi_meeting *best = &arrival->best;
    struct jtgi_meeting *now = &arrival->now;
    bool better =
        !arrival->has_met || now->status != JTG_ERR_UNAVAILABLE || best->connection == NULL;
    jtgi_connection_free(better ? best->connection : now->connection);
    if (better)
        *best = *now;
    memset(now, 0, sizeof *now);
    arrival->has_met = true;
}

static jtg_status tell(const struct jtgi_meeting *meeting, unsigned count, jtg_error *err)
{
    static const char head[] = "redis: ";
    bool several = count > 1 && meeting->status == JTG_ERR_UNAVAILABLE &&
                   strncmp(meeting->err.text, head, sizeof head - 1) == 0;
    if (meeting->status == JTG_OK)
        return JTG_OK;
    if (several)
        return jtg_error_set(err, meeting->status, meeting->err.system_errno,
                             "redis: none of the %u addresses of the name serves: %s", count,
                             meeting->err.text + sizeof head - 1);
    return jtg_error_set(err, meeting->status, meeting->err.system_errno, "%s", meeting->err.text);
}

static jtg_status end_meetings(struct jtgi_arrival *arrival, jtg_error *err)
{
    jtg_error why = JTG_ERROR_INIT;
    jtg_status status = tell(&arrival->best, arrival->links.targets.count, &why);
    arrival->stage = arrival->marks ? JTGI_ARRIVAL_MARK : JTGI_ARRIVAL_THERE;
    arrival->share_ns = 0;
    describe(arrival);
    return tell_of_address(arrival, status, &why, err);
}

static jtg_status meet_one_of(struct jtgi_arrival *arrival, jtg_error *err)
{
    for (;;) {
        jtg_status status = meet(arrival);
        if (status == JTGI_LATER)
            return status;
        arrival->now.status = status;
        keep_better(arrival);
        if (arrival->best.status != JTG_ERR_UNAVAILABLE ||
            !jtgi_targets_left(&arrival->links.targets) || jtgi_now_ns() >= arrival->until_ns)
            return end_meetings(arrival, err);
        arrival->stage = JTGI_ARRIVAL_OPEN;
        arrival->share_ns = 0;
    }
}

/* ---- the markers ---- */

static jtg_status mark(struct jtgi_arrival *arrival, jtg_error *err)
{
    struct jtgi_node *node = arrival->node;
    struct jtgi_slot_set slots;
    struct jtgi_address address;
    jtg_error why = JTG_ERROR_INIT;
    if (arrival->marking == NULL) {
        node->guide->slots_of(node->guide->route, node, &slots);
        arrival->marking = jtgi_marking_begin(&node->shared->watch, arrival->best.connection,
                                              &arrival->best.server, &slots);
    }
    jtg_status status =
        arrival->marking == NULL
            ? jtg_error_set(&why, JTG_ERR_MEMORY, 0, "redis: no memory to mark the store")
            : jtgi_marking_go_on(arrival->marking, arrival->until_ns, &why);
    if (status == JTGI_LATER)
        return status;
    arrival->stage = JTGI_ARRIVAL_THERE;
    jtgi_marking_end(arrival->marking);
    arrival->marking = NULL;
    jtgi_node_address(node, &address);
    return jtgi_link_tell(arrival->dialer, if_named(node, &address), status, &why, err);
}

/* ---- all of it ---- */

jtg_status jtgi_arrival_go_on(struct jtgi_arrival *arrival, jtg_error *err)
{
    jtg_status status = JTG_OK;
    if (arrival->stage == JTGI_ARRIVAL_WHERE)
        status = ask_where(arrival, err);
    if (status == JTG_OK && arrival->stage == JTGI_ARRIVAL_FIND)
        status = find(arrival, err);
    if (status == JTG_OK &&
        (arrival->stage == JTGI_ARRIVAL_OPEN || arrival->stage == JTGI_ARRIVAL_LOG_IN))
        status = meet_one_of(arrival, err);
    if (status == JTG_OK && arrival->stage == JTGI_ARRIVAL_MARK)
        status = mark(arrival, err);
    return status;
}

struct jtgi_connection *jtgi_arrival_take(struct jtgi_arrival *arrival)
{
    struct jtgi_connection *taken = arrival->best.connection;
    arrival->best.connection = NULL;
    return taken;
}

void jtgi_arrival_end(struct jtgi_arrival *arrival)
{
    jtgi_marking_end(arrival->marking);
    jtgi_handshake_end(&arrival->handshake);
    jtgi_connection_free(arrival->now.connection);
    jtgi_connection_free(arrival->best.connection);
    if (arrival->stage != JTGI_ARRIVAL_WHERE)
        jtgi_links_end(&arrival->links);
}
