/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/route/node.h"

#include "core/alloc.h"
#include "core/log.h"
#include "redis/flow/counts.h"
#include "redis/line/deadline.h"
#include "redis/line/handshake.h"
#include "redis/line/link.h"
#include "redis/say/server/gate.h"

#include <jtiguard/status.h>
#include <string.h>

void jtgi_node_address(struct jtgi_node *node, struct jtgi_address *address)
{
    pthread_mutex_lock(&node->address_lock);
    *address = node->address;
    pthread_mutex_unlock(&node->address_lock);
}

void jtgi_node_note_other(struct jtgi_node *node, const struct jtgi_address *address)
{
    struct jtgi_address *own = &node->address;
    pthread_mutex_lock(&node->address_lock);
    if (jtgi_address_equals(own, address))
        memcpy(own->other_host, address->other_host, sizeof own->other_host);
    else if (jtgi_address_crosses(own, address)) /* an answer that prefers the other form */
        memcpy(own->other_host, address->host, sizeof own->other_host);
    pthread_mutex_unlock(&node->address_lock);
}

struct jtgi_pipeline *jtgi_node_pipeline(struct jtgi_node *node)
{
    static atomic_uint next_thread;
    static _Thread_local unsigned own_number; /* one more than the number; 0 = not yet drawn */
    if (own_number == 0)
        own_number = atomic_fetch_add_explicit(&next_thread, 1, memory_order_relaxed) % 65536 + 1;
    return &node->pipelines[(own_number - 1) % node->shared->config.options.connections];
}

/* ---- connecting ---- */

static int64_t connect_deadline(const struct jtgi_shared *shared, int64_t deadline_ns)
{
    int64_t own = jtgi_deadline_in_ms(shared->config.options.connect_timeout_ms);
    return own < deadline_ns ? own : deadline_ns;
}

/* Whoever still talks to where it was before must ask again. */
static void leave_old_place(struct jtgi_node *node)
{
    for (size_t i = 0; i < node->shared->config.options.connections; i++)
        jtgi_pipeline_retire(&node->pipelines[i]);
}

/* Named anew under another epoch, it may have been left meanwhile without knowing: another primary
 * was used, and died before it could tell. */
jtg_status jtgi_node_be_named(struct jtgi_node *node, const struct jtgi_address *primary,
                              uint64_t epoch, struct jtgi_whereabouts *where, jtg_error *err)
{
    pthread_mutex_lock(&node->address_lock);
    /* A thread that stopped behind its question does not take back what others have heard since. */
    if (node->epoch != JTGI_NO_EPOCH && epoch < node->epoch) {
        pthread_mutex_unlock(&node->address_lock);
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                             "redis: another primary was named while the Sentinels were asked");
    }
    bool moved = !jtgi_address_equals(&node->address, primary) || node->epoch != epoch;
    node->address = *primary;
    node->epoch = epoch;
    node->place += moved;
    where->address = *primary;
    where->epoch = epoch;
    where->place = node->place;
    pthread_mutex_unlock(&node->address_lock);
    if (moved)
        leave_old_place(node);
    return JTG_OK;
}

/* One of the servers that the address leads to. */
struct meeting {
    jtg_status status;
    jtg_error err;
    struct jtgi_connection *connection; /* NULL: it was not reached, or let nobody in */
    jtg_redis_server server;
};

static void meet_next(struct jtgi_node *node, struct jtgi_links *links, int64_t deadline_ns,
                      struct meeting *meeting)
{
    const struct jtgi_redis_config *config = links->dialer->config;
    jtg_redis_server *server = &meeting->server;
    int64_t until = jtgi_targets_share(&links->targets, deadline_ns);
    memset(meeting, 0, sizeof *meeting);
    meeting->status = jtgi_links_next(links, until, &meeting->connection, &meeting->err);
    if (meeting->status != JTG_OK)
        return;
    meeting->status =
        jtgi_handshake(meeting->connection, links->dialer, until, server, &meeting->err);
    if (meeting->status != JTG_OK) {
        jtgi_connection_free(meeting->connection);
        meeting->connection = NULL;
        return;
    }
    server->tls = config->options.tls;
    server->evicts = jtgi_gate_evicts(server);
    meeting->status = jtgi_gate_judge(server, config, &meeting->err);
    if (meeting->status == JTG_OK && node->guide->check != NULL)
        meeting->status = node->guide->check(node->guide->route, meeting->connection,
                                             links->address, until, &meeting->err);
}

/* A name may lead to a primary and its replicas, and one of these come first; or to one that loads
 * its data. Whoever does not serve now is passed over. What is told when none does is what the
 * first said that let us in. */
static void meet_one_of(struct jtgi_node *node, struct jtgi_links *links, int64_t deadline_ns,
                        struct meeting *best)
{
    meet_next(node, links, deadline_ns, best);
    while (best->status == JTG_ERR_UNAVAILABLE && jtgi_targets_left(&links->targets) &&
           jtgi_now_ns() < deadline_ns) {
        struct meeting next;
        meet_next(node, links, deadline_ns, &next);
        bool better = next.status != JTG_ERR_UNAVAILABLE || best->connection == NULL;
        jtgi_connection_free(better ? best->connection : next.connection);
        if (better)
            *best = next;
    }
}

static jtg_status tell(const struct meeting *meeting, unsigned count, jtg_error *err)
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

/* For jtgi_link_tell(). */
static const struct jtgi_address *if_named(const struct jtgi_node *node,
                                           const struct jtgi_address *address)
{
    return node->guide->named_by_others ? address : NULL;
}

static jtg_status meet(struct jtgi_node *node, const struct jtgi_address *address,
                       int64_t deadline_ns, struct meeting *meeting, jtg_error *err)
{
    struct jtgi_dialer *dialer = &node->shared->dialer;
    struct jtgi_links links;
    jtg_error why = JTG_ERROR_INIT;
    jtg_status status = jtgi_links_begin(&links, dialer, address, deadline_ns, &why);
    if (status != JTG_OK)
        return jtgi_link_tell(dialer, if_named(node, address), status, &why, err);
    meet_one_of(node, &links, deadline_ns, meeting);
    status = tell(meeting, links.targets.count, &why);
    jtgi_links_end(&links);
    return jtgi_link_tell(dialer, if_named(node, address), status, &why, err);
}

jtg_status jtgi_node_connect(struct jtgi_node *node, int64_t deadline_ns,
                             struct jtgi_connection **connection, jtg_redis_server *server,
                             jtg_error *err)
{
    struct jtgi_whereabouts where;
    struct meeting meeting = {.connection = NULL};
    int64_t until = connect_deadline(node->shared, deadline_ns);
    *connection = NULL;
    jtg_status status = node->guide->where(node->guide->route, node, until, &where, err);
    if (status != JTG_OK)
        return status;
    status = meet(node, &where.address, until, &meeting, err);
    *server = meeting.server;
    jtgi_address_format(&where.address, server->address, sizeof server->address);
    *connection = meeting.connection;
    if (*connection != NULL) {
        (*connection)->use.place = where.place;
        (*connection)->peer.epoch = where.epoch;
    }
    return status;
}

/* Out of memory, or of descriptors, says nothing about the store. */
static bool is_about_store(jtg_status status)
{
    return status != JTG_ERR_MEMORY;
}

static void report(const struct jtgi_shared *shared, jtg_status status,
                   const jtg_redis_server *server, const jtg_error *err)
{
    const jtg_logger *logger = &shared->config.logger;
    char evicts[JTGI_EVICTION_BYTES];
    if (status != JTG_OK) {
        jtgi_log(logger, JTG_LOG_ERROR, "%s", err->text);
        return;
    }
    jtgi_log(logger, JTG_LOG_INFO, "redis: connected to %s %s at %s", server->software,
             server->version, server->address);
    if (!server->evicts)
        return;
    jtgi_gate_format_eviction(server, evicts);
    jtgi_log(logger, JTG_LOG_ERROR,
             "redis: UNSAFE, allowed by allow_eviction: the server may evict live entries (%s), "
             "and each of them can be admitted again",
             evicts);
}

/* ---- what a pipeline calls ---- */

static jtg_status mark(struct jtgi_node *node, struct jtgi_connection *connection,
                       const jtg_redis_server *server, int64_t deadline_ns, jtg_error *err)
{
    struct jtgi_slot_set slots;
    struct jtgi_address address;
    jtg_error why = JTG_ERROR_INIT;
    node->guide->slots_of(node->guide->route, node, &slots);
    jtg_status status =
        jtgi_watch_mark(&node->shared->watch, connection, server, &slots, deadline_ns, &why);
    jtgi_node_address(node, &address);
    return jtgi_link_tell(&node->shared->dialer, if_named(node, &address), status, &why, err);
}

static jtg_status connect_hook(void *context, int64_t deadline_ns,
                               struct jtgi_connection **connection, jtg_error *err)
{
    struct jtgi_node *node = context;
    struct jtgi_shared *shared = node->shared;
    jtg_redis_server server = {0};
    jtg_status status = jtgi_health_begin(&node->health, err);
    if (status != JTG_OK) {
        jtgi_counters_add(shared->counters, JTGI_COUNT_REFUSED_AT_ONCE);
        return status;
    }
    status = jtgi_node_connect(node, deadline_ns, connection, &server, err);
    if (status == JTG_OK && jtgi_config_watches(&shared->config))
        status = mark(node, *connection, &server, deadline_ns, err);
    if (status != JTG_OK) {
        jtgi_connection_free(*connection);
        *connection = NULL;
    }
    jtgi_health_end(&node->health, is_about_store(status) ? status : JTG_OK, err);
    jtgi_counters_add(shared->counters,
                      status == JTG_OK ? JTGI_COUNT_CONNECTS : JTGI_COUNT_CONNECT_FAILURES);
    report(shared, status, &server, err);
    return status;
}

static jtg_status known_down_hook(void *context, jtg_error *err)
{
    struct jtgi_node *node = context;
    jtg_status status = jtgi_health_check(&node->health, err);
    if (status != JTG_OK)
        jtgi_counters_add(node->shared->counters, JTGI_COUNT_REFUSED_AT_ONCE);
    return status;
}

/* Do those who name the primary still name this one? */
static jtg_status still_right_hook(void *context, const struct jtgi_connection *connection,
                                   int64_t deadline_ns)
{
    struct jtgi_node *node = context;
    struct jtgi_whereabouts now;
    jtg_status status = node->guide->where(node->guide->route, node,
                                           connect_deadline(node->shared, deadline_ns), &now, NULL);
    return status != JTG_OK || now.place == connection->use.place ? status : JTG_ERR_UNAVAILABLE;
}

static void lost_hook(void *context, const struct jtgi_fault *why)
{
    const struct jtgi_node *node = context;
    jtgi_log(&node->shared->config.logger, JTG_LOG_WARNING, "redis: a connection was given up: %s",
             why->text);
}

/* ---- life ---- */

struct jtgi_node *jtgi_node_new(struct jtgi_shared *shared, const struct jtgi_guide *guide,
                                const struct jtgi_address *address, uint64_t serial)
{
    struct jtgi_node *node = jtgi_alloc(sizeof *node);
    if (node == NULL)
        return NULL;
    const jtg_redis_options *options = &shared->config.options;
    struct jtgi_watch *watch = jtgi_shared_watch(shared);
    struct jtgi_pipeline_hooks hooks = {
        .context = node,
        .connect = connect_hook,
        .known_down = known_down_hook,
        .still_right = guide->named_by_others ? still_right_hook : NULL,
        .counters = shared->counters,
        .watch = watch,
        .durability = {options->replicas, options->replicas_timeout_ms, options->fsync != 0},
        .gains = watch != NULL ? &node->gains : NULL,
        .lost = lost_hook};
    node->shared = shared;
    node->guide = guide;
    node->serial = serial;
    node->refs = 1;
    node->epoch = JTGI_NO_EPOCH;
    node->address = *address;
    (void)pthread_mutex_init(&node->address_lock, NULL);
    jtgi_health_init(&node->health, &shared->config.clock,
                     guide->named_by_others ? JTGI_PAUSE_FAILOVER_MS : JTGI_PAUSE_LIMIT_MS);
    for (size_t i = 0; i < JTG_REDIS_CONNECTIONS_LIMIT; i++)
        jtgi_pipeline_init(&node->pipelines[i], &hooks);
    return node;
}

void jtgi_node_free(struct jtgi_node *node)
{
    for (size_t i = 0; i < JTG_REDIS_CONNECTIONS_LIMIT; i++)
        jtgi_pipeline_clear(&node->pipelines[i]);
    jtgi_free(node);
}

void jtgi_node_free_in_child(struct jtgi_node *node)
{
    for (size_t i = 0; i < JTG_REDIS_CONNECTIONS_LIMIT; i++)
        jtgi_pipeline_clear_in_child(&node->pipelines[i]);
    jtgi_free(node);
}
