/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/cluster.h"

#include "core/alloc.h"
#include "core/log.h"
#include "redis/gate.h"
#include "redis/handshake.h"
#include "redis/link.h"
#include "redis/slot_map.h"
#include "redis/store.h"

#include <jtiguard/backend.h>
#include <sodium.h>
#include <string.h>

enum {
    PORT_DEFAULT = JTG_REDIS_PORT_DEFAULT,
    CANDIDATES_MAX = JTG_REDIS_NODES_LIMIT + JTG_REDIS_ADDRESSES_LIMIT + 2,
    SHARES = 4 /* one that hangs costs a quarter of the time that is left */
};

void jtgi_cluster_init(struct jtgi_cluster *cluster, const struct jtgi_redis_config *config)
{
    memset(cluster, 0, sizeof *cluster);
    (void)pthread_mutex_init(&cluster->lock, NULL);
    for (const char *list = config->options.cluster_nodes; list != NULL;)
        if (jtgi_address_next(&list, PORT_DEFAULT, &cluster->seeds[cluster->seed_count]))
            cluster->seed_count++;
}

/* ---- one node ---- */

struct answer {
    struct jtgi_slot_map *map;
    const struct jtgi_address *asked;
};

static void take_range(void *context, const redisReply *range)
{
    const struct answer *answer = context;
    jtgi_slot_map_add(answer->map, range, answer->asked);
}

static jtg_status ask_map(struct jtgi_connection *connection, const struct jtgi_address *address,
                          int64_t deadline_ns, struct jtgi_slot_map *map, jtg_error *err)
{
    struct answer answer = {map, address};
    struct jtgi_taker taker = {take_range, &answer};
    struct jtgi_command command;
    redisReply *reply = NULL;
    jtgi_command_init(&command);
    jtgi_command_begin(&command, 2);
    jtgi_command_text(&command, "CLUSTER");
    jtgi_command_text(&command, "SLOTS");
    jtgi_slot_map_begin(map);
    jtg_status status = jtgi_link_ask_each(connection, &command, &taker, deadline_ns, &reply, err);
    jtgi_command_clear(&command);
    if (status == JTG_OK)
        status = jtgi_slot_map_end(map, reply, err);
    if (reply != NULL)
        freeReplyObject(reply);
    return status;
}

/* Any node will do, a replica too. */
static jtg_status ask_node(struct jtgi_redis *redis, const struct jtgi_address *address,
                           int64_t deadline_ns, struct jtgi_slot_map *map, jtg_error *err)
{
    struct jtgi_connection *connection = NULL;
    jtg_redis_server server = {0};
    jtg_status status = jtgi_link_open(redis, address, deadline_ns, &connection, err);
    if (status == JTG_OK)
        status = jtgi_handshake(connection, &redis->config, deadline_ns, &server, err);
    if (status == JTG_OK)
        status = jtgi_gate_judge_mode(&server, true, err);
    if (status == JTG_OK)
        status = ask_map(connection, address, deadline_ns, map, err);
    jtgi_connection_free(connection);
    return status;
}

/* ---- all of them, until one answers ---- */

struct search {
    struct jtgi_slot_map map;
    unsigned count;
    struct jtgi_address candidates[CANDIDATES_MAX];
};

static void add_candidate(struct search *search, const struct jtgi_address *address,
                          const struct jtgi_address *last)
{
    if (address == NULL || search->count == CANDIDATES_MAX ||
        (last != NULL && jtgi_address_equals(address, last)))
        return;
    for (unsigned i = 0; i < search->count; i++)
        if (jtgi_address_equals(&search->candidates[i], address))
            return;
    search->candidates[search->count++] = *address;
}

/* Those that are up before those that are not, each from a random place on, so that not all
 * processes ask the same one; then the seeds. */
static void find_candidates(struct search *search, struct jtgi_redis *redis,
                            const struct jtgi_address *first, const struct jtgi_address *last)
{
    struct jtgi_node *held[JTG_REDIS_NODES_LIMIT];
    struct jtgi_address address;
    unsigned count = jtgi_nodes_hold_all(&redis->nodes, held);
    unsigned start = count == 0 ? 0 : randombytes_uniform(count);
    add_candidate(search, first, last);
    for (unsigned i = 0; i < 2 * count; i++) {
        struct jtgi_node *node = held[(start + i) % count];
        jtgi_node_address(node, &address);
        if (i >= count || !atomic_load(&node->health.down))
            add_candidate(search, &address, last);
    }
    for (unsigned i = 0; i < redis->cluster.seed_count; i++)
        add_candidate(search, &redis->cluster.seeds[i], last);
    add_candidate(search, last, NULL);
    jtgi_nodes_let_go_all(&redis->nodes, held, count);
}

static int64_t share_of(int64_t deadline_ns, unsigned left)
{
    int64_t now = jtgi_now_ns();
    return now + (deadline_ns - now) / (left < SHARES ? left : SHARES);
}

static jtg_status ask_until_answered(struct search *search, struct jtgi_redis *redis,
                                     int64_t deadline_ns, jtg_error *err)
{
    jtg_error failure = JTG_ERROR_INIT;
    jtg_status status = JTG_ERR_UNAVAILABLE;
    for (unsigned i = 0; i < search->count && jtgi_now_ns() < deadline_ns; i++) {
        jtg_error of_this = JTG_ERROR_INIT;
        status = ask_node(redis, &search->candidates[i], share_of(deadline_ns, search->count - i),
                          &search->map, &of_this);
        if (status == JTG_OK)
            return jtgi_nodes_adopt(&redis->nodes, &search->map, err);
        failure = of_this;
    }
    return jtg_error_set(err, status, failure.system_errno, "%s",
                         failure.text[0] != '\0' ? failure.text
                                                 : "redis: no node of the Cluster answers");
}

static jtg_status search_map(struct jtgi_redis *redis, int64_t deadline_ns,
                             const struct jtgi_address *first, const struct jtgi_address *last,
                             jtg_error *err)
{
    struct search *search = jtgi_alloc(sizeof *search);
    if (search == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "redis: no memory for the map of a Cluster");
    find_candidates(search, redis, first, last);
    jtg_status status = ask_until_answered(search, redis, deadline_ns, err);
    jtgi_free(search);
    return status;
}

/* ---- one at a time ---- */

static jtg_status tell_outcome(const jtg_error *outcome, jtg_error *err)
{
    if (outcome->status == JTG_OK)
        return JTG_OK;
    return jtg_error_set(err, outcome->status, outcome->system_errno, "%s", outcome->text);
}

/* A search that found nothing is repeated sooner. */
static bool is_young_locked(const struct jtgi_cluster *cluster, int64_t age_ns)
{
    if (cluster->outcome.status != JTG_OK && age_ns > JTGI_MAP_AGE_LOST_NS)
        age_ns = JTGI_MAP_AGE_LOST_NS;
    return cluster->ended_ns != 0 && jtgi_now_ns() - cluster->ended_ns < age_ns;
}

/* True: the caller must search, and end it. */
static bool begin(struct jtgi_cluster *cluster, int64_t age_ns, bool *wait, uint32_t *ended,
                  jtg_error *outcome)
{
    pthread_mutex_lock(&cluster->lock);
    bool mine = !cluster->refreshing && !is_young_locked(cluster, age_ns);
    *wait = cluster->refreshing;
    *ended = atomic_load(&cluster->ended);
    *outcome = cluster->outcome;
    if (mine)
        cluster->refreshing = true;
    pthread_mutex_unlock(&cluster->lock);
    return mine;
}

static void end(struct jtgi_cluster *cluster, jtg_status status, const jtg_error *err)
{
    pthread_mutex_lock(&cluster->lock);
    cluster->refreshing = false;
    cluster->ended_ns = jtgi_now_ns();
    cluster->outcome = *err;
    cluster->outcome.status = status;
    atomic_fetch_add(&cluster->ended, 1);
    pthread_mutex_unlock(&cluster->lock);
    jtgi_word_wake(&cluster->ended, INT_MAX);
}

static jtg_status wait_for_other(struct jtgi_cluster *cluster, uint32_t ended, int64_t deadline_ns,
                                 jtg_error *err)
{
    jtg_error outcome = JTG_ERROR_INIT;
    while (atomic_load(&cluster->ended) == ended && jtgi_now_ns() < deadline_ns)
        jtgi_word_wait(&cluster->ended, ended, deadline_ns);
    if (atomic_load(&cluster->ended) == ended)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                             "redis: the map of the Cluster did not come in time");
    pthread_mutex_lock(&cluster->lock);
    outcome = cluster->outcome;
    pthread_mutex_unlock(&cluster->lock);
    return tell_outcome(&outcome, err);
}

static jtg_status refresh(struct jtgi_redis *redis, int64_t age_ns, int64_t deadline_ns,
                          const struct jtgi_address *first, const struct jtgi_address *last,
                          jtg_error *err)
{
    struct jtgi_cluster *cluster = &redis->cluster;
    jtg_error outcome = JTG_ERROR_INIT;
    bool wait = false;
    uint32_t ended = 0;
    if (!begin(cluster, age_ns, &wait, &ended, &outcome))
        return wait ? wait_for_other(cluster, ended, deadline_ns, err)
                    : tell_outcome(&outcome, err);
    jtg_error own = JTG_ERROR_INIT;
    jtg_status status = search_map(redis, deadline_ns, first, last, &own);
    end(cluster, status, &own);
    own.status = status;
    if (status != JTG_OK)
        jtgi_log(&redis->config.logger, JTG_LOG_ERROR, "%s", own.text);
    return tell_outcome(&own, err);
}

/* A thread that were cancelled while it asks would leave the others waiting. */
jtg_status jtgi_cluster_refresh(struct jtgi_redis *redis, int64_t age_ns, int64_t deadline_ns,
                                const struct jtgi_address *first, const struct jtgi_address *last,
                                jtg_error *err)
{
    int before = PTHREAD_CANCEL_ENABLE;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    jtg_status status = refresh(redis, age_ns, deadline_ns, first, last, err);
    (void)pthread_setcancelstate(before, &before);
    return status;
}

/* ---- redirects ---- */

/* One slot is corrected at once; where one has moved others have too, so all is asked for now and
 * then, of the node that was named: nobody knows better. */
bool jtgi_cluster_moved(struct jtgi_redis *redis, const struct jtgi_redirect *redirect,
                        int64_t deadline_ns)
{
    (void)jtgi_cluster_refresh(redis, JTGI_MAP_AGE_MOVED_NS, share_of(deadline_ns, SHARES),
                               &redirect->address, NULL, NULL);
    struct jtgi_node *node = jtgi_nodes_at_address(&redis->nodes, &redirect->address);
    if (node == NULL)
        return false;
    jtgi_nodes_move(&redis->nodes, redirect->slot, node);
    jtgi_nodes_let_go(&redis->nodes, node);
    return true;
}

/* ---- all primaries ---- */

jtg_status jtgi_redis_hold_primaries(struct jtgi_redis *redis, int64_t deadline_ns,
                                     struct jtgi_node *held[JTG_REDIS_NODES_LIMIT],
                                     unsigned *held_count, jtg_error *err)
{
    jtg_status status = JTG_OK;
    *held_count = 0;
    if (jtgi_redis_is_cluster(redis)) {
        status = jtgi_cluster_refresh(redis, JTGI_MAP_AGE_LOST_NS, deadline_ns, NULL, NULL, err);
        if (status == JTG_OK && jtgi_nodes_covered(&redis->nodes) < JTGI_SLOTS)
            status = jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                                   "redis: a part of the Cluster's slots has no primary");
    }
    if (status == JTG_OK)
        *held_count = jtgi_nodes_hold_all(&redis->nodes, held);
    return status;
}
