/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/route/cluster.h"

#include "core/alloc.h"
#include "core/log.h"
#include "redis/line/handshake.h"
#include "redis/line/link.h"
#include "redis/route/witnesses.h"
#include "redis/say/server/gate.h"
#include "redis/say/slots/slot_map.h"

#include <jtiguard/status.h>
#include <sodium.h>
#include <string.h>

enum {
    PORT_DEFAULT = JTG_REDIS_PORT_DEFAULT,
    CANDIDATES_MAX = JTG_REDIS_NODES_LIMIT + JTG_REDIS_ADDRESSES_LIMIT + 2,
    SHARES = 4 /* one that hangs costs a quarter of the time that is left */
};

void jtgi_cluster_init(struct jtgi_cluster *cluster, struct jtgi_shared *shared,
                       struct jtgi_nodes *nodes)
{
    memset(cluster, 0, sizeof *cluster);
    cluster->shared = shared;
    cluster->nodes = nodes;
    (void)pthread_mutex_init(&cluster->lock, NULL);
    (void)pthread_mutex_init(&cluster->known_lock, NULL);
    for (const char *list = shared->config.options.cluster_nodes; list != NULL;)
        if (jtgi_address_next(&list, PORT_DEFAULT, &cluster->seeds[cluster->seed_count]))
            cluster->seed_count++;
}

void jtgi_cluster_clear(struct jtgi_cluster *cluster)
{
    jtgi_free(cluster->known);
    cluster->known = NULL;
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

static jtg_status visit(struct jtgi_cluster *cluster, const struct jtgi_address *address,
                        int64_t deadline_ns, struct jtgi_slot_map *map, char run_id[48],
                        jtg_error *err)
{
    struct jtgi_connection *connection = NULL;
    jtg_redis_server server = {0};
    jtg_status status =
        jtgi_link_open(&cluster->shared->dialer, address, deadline_ns, &connection, err);
    if (status == JTG_OK)
        status = jtgi_handshake(connection, &cluster->shared->dialer, deadline_ns, &server, err);
    if (status == JTG_OK)
        status = jtgi_gate_judge_mode(&server, true, err);
    if (status == JTG_OK)
        status = ask_map(connection, address, deadline_ns, map, err);
    if (status == JTG_OK && map->ids.count == 0)
        status = jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                               "redis: the node knows no other: it is in no Cluster");
    memcpy(run_id, server.run_id, sizeof server.run_id);
    jtgi_connection_free(connection);
    return status;
}

/* Any node will do, a replica too. */
static jtg_status ask_node(struct jtgi_cluster *cluster, const struct jtgi_address *address,
                           int64_t deadline_ns, struct jtgi_slot_map *map, char run_id[48],
                           jtg_error *err)
{
    jtg_error why = JTG_ERROR_INIT;
    jtg_status status = visit(cluster, address, deadline_ns, map, run_id, &why);
    return jtgi_link_tell(&cluster->shared->dialer, address, status, &why, err);
}

/* ---- whose node ---- */

static bool is_known(struct jtgi_cluster *cluster, const struct jtgi_node_ids *ids)
{
    pthread_mutex_lock(&cluster->known_lock);
    bool known = cluster->known != NULL && jtgi_node_ids_agree(cluster->known, ids);
    pthread_mutex_unlock(&cluster->known_lock);
    return known;
}

static bool is_id_known(struct jtgi_cluster *cluster, const redisReply *id)
{
    pthread_mutex_lock(&cluster->known_lock);
    bool known = cluster->known != NULL && id->type == REDIS_REPLY_STRING &&
                 jtgi_node_ids_have(cluster->known, id->str, id->len);
    pthread_mutex_unlock(&cluster->known_lock);
    return known;
}

static bool is_any_known(struct jtgi_cluster *cluster)
{
    pthread_mutex_lock(&cluster->known_lock);
    bool any = cluster->known != NULL;
    pthread_mutex_unlock(&cluster->known_lock);
    return any;
}

static jtg_status know(struct jtgi_cluster *cluster, const struct jtgi_node_ids *ids,
                       jtg_error *err)
{
    pthread_mutex_lock(&cluster->known_lock);
    if (cluster->known == NULL)
        cluster->known = jtgi_alloc(sizeof *cluster->known);
    bool room = cluster->known != NULL;
    if (room)
        *cluster->known = *ids;
    pthread_mutex_unlock(&cluster->known_lock);
    return room ? JTG_OK
                : jtg_error_set(err, JTG_ERR_MEMORY, 0, "redis: no memory for a Cluster's nodes");
}

static jtg_status fail_strange(const struct jtgi_address *address, jtg_error *err)
{
    char text[JTGI_ADDRESS_MAX_BYTES];
    jtgi_address_format(address, text, sizeof text);
    return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                         "redis: the node at %s belongs to another Cluster than the others", text);
}

/* Whom it knows: for one that the map does not name, because it holds no slots yet, or whose user
 * may not ask for its id. Such an answer can be long. */
static jtg_status check_friends(struct jtgi_cluster *cluster, struct jtgi_connection *connection,
                                const struct jtgi_address *address, int64_t deadline_ns,
                                jtg_error *err)
{
    struct jtgi_slot_map *map = jtgi_alloc(sizeof *map);
    if (map == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "redis: no memory for the map of a Cluster");
    jtg_status status = ask_map(connection, address, deadline_ns, map, err);
    if (status == JTG_OK && !is_known(cluster, &map->ids))
        status = fail_strange(address, err);
    jtgi_free(map);
    return status;
}

jtg_status jtgi_cluster_check_node(struct jtgi_cluster *cluster, struct jtgi_connection *connection,
                                   const struct jtgi_address *address, int64_t deadline_ns,
                                   jtg_error *err)
{
    struct jtgi_command command;
    redisReply *id = NULL;
    jtgi_command_init(&command);
    jtgi_command_begin(&command, 2);
    jtgi_command_text(&command, "CLUSTER");
    jtgi_command_text(&command, "MYID");
    jtg_status status = jtgi_link_ask(connection, &command, deadline_ns, &id, err);
    jtgi_command_clear(&command);
    if (status != JTG_OK)
        return status;
    bool known = is_id_known(cluster, id);
    freeReplyObject(id);
    return known ? JTG_OK : check_friends(cluster, connection, address, deadline_ns, err);
}

/* ---- all of them, until one answers ---- */

struct search {
    struct jtgi_slot_map map;
    unsigned strangers; /* that answered */
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

static const struct jtgi_address *random_seed(const struct jtgi_cluster *cluster)
{
    unsigned count = cluster->seed_count;
    return count == 0 ? NULL : &cluster->seeds[randombytes_uniform(count)];
}

/* Those that are up before those that are not, each from a random place on, so that not all
 * processes ask the same one; then the seeds. But one seed comes second: of many nodes that hang
 * each costs its share, and nothing would be left for those who know better. */
static void find_candidates(struct search *search, struct jtgi_cluster *cluster,
                            const struct jtgi_address *first, const struct jtgi_address *last)
{
    struct jtgi_node *held[JTG_REDIS_NODES_LIMIT];
    struct jtgi_address address;
    unsigned count = jtgi_nodes_hold_all(cluster->nodes, held);
    unsigned start = count == 0 ? 0 : randombytes_uniform(count);
    add_candidate(search, first, last);
    for (unsigned i = 0; i < 2 * count; i++) {
        struct jtgi_node *node = held[(start + i) % count];
        jtgi_node_address(node, &address);
        if (i >= count || !atomic_load(&node->health.down))
            add_candidate(search, &address, last);
        if (i == 0)
            add_candidate(search, random_seed(cluster), last);
    }
    for (unsigned i = 0; i < cluster->seed_count; i++)
        add_candidate(search, &cluster->seeds[i], last);
    add_candidate(search, last, NULL);
    jtgi_nodes_let_go_all(cluster->nodes, held, count);
}

static int64_t share_of(int64_t deadline_ns, unsigned left)
{
    int64_t now = jtgi_now_ns();
    return now + (deadline_ns - now) / (left < SHARES ? left : SHARES);
}

static jtg_status tell_failure(jtg_status status, const jtg_error *failure, jtg_error *err)
{
    return jtg_error_set(err, status, failure->system_errno, "%s",
                         failure->text[0] != '\0' ? failure->text
                                                  : "redis: no node of the Cluster answers");
}

static jtg_status take_over(struct search *search, struct jtgi_cluster *cluster, jtg_error *err)
{
    jtg_status status = jtgi_nodes_adopt(cluster->nodes, &search->map, err);
    return status == JTG_OK ? know(cluster, &search->map.ids, err) : status;
}

/* Later: whoever knows most nodes of the map before will do. What is told is a stranger, if there
 * was one: it is what somebody has to mend. */
static jtg_status ask_until_answered(struct search *search, struct jtgi_cluster *cluster,
                                     int64_t deadline_ns, jtg_error *err)
{
    jtg_error failure = JTG_ERROR_INIT;
    jtg_status failed = JTG_ERR_UNAVAILABLE;
    char run_id[48];
    for (unsigned i = 0; i < search->count && jtgi_now_ns() < deadline_ns; i++) {
        jtg_error of_this = JTG_ERROR_INIT;
        const struct jtgi_address *address = &search->candidates[i];
        jtg_status status = ask_node(cluster, address, share_of(deadline_ns, search->count - i),
                                     &search->map, run_id, &of_this);
        if (status == JTG_OK && is_known(cluster, &search->map.ids))
            return take_over(search, cluster, err);
        bool strange = status == JTG_OK;
        if (strange)
            status = fail_strange(address, &of_this);
        if (strange || search->strangers == 0) {
            failed = status;
            failure = of_this;
        }
        search->strangers += strange;
    }
    return tell_failure(failed, &failure, err);
}

/* ---- the first map ---- */

/* Every address that a name among the options has: each may be another node. Where the name is
 * mapped they are those of the name that it leads to; certificates carry the one from before. */
static void find_seeds(struct search *search, struct jtgi_cluster *cluster, int64_t deadline_ns)
{
    search->count = 0;
    for (unsigned i = 0; i < cluster->seed_count; i++) {
        const struct jtgi_address *seed = &cluster->seeds[i];
        struct jtgi_address found[JTG_REDIS_ADDRESSES_LIMIT];
        unsigned count = 0;
        jtg_status status =
            jtgi_link_find_all(&cluster->shared->dialer, seed,
                               share_of(deadline_ns, cluster->seed_count - i), found, &count, NULL);
        for (unsigned at = 0; status == JTG_OK && count > 1 && at < count; at++) {
            (void)jtgi_address_set_other(&found[at], seed->host, strlen(seed->host));
            add_candidate(search, &found[at], NULL);
        }
        if (status != JTG_OK || count <= 1)
            add_candidate(search, seed, NULL);
    }
}

static bool is_v6(const struct jtgi_address *address)
{
    return strchr(address->host, ':') != NULL;
}

/* Who was asked and did not answer, or did not say who it is, by the family of its address: it may
 * be another node. */
struct silence {
    unsigned in[2];
};

/* Where the options name one, there is nobody to ask: also when its name leads to that one by
 * several addresses. One of the other family at which nobody answers is no other node: a name has
 * both, and a server that listens at one of them is common. */
static bool is_one_enough(const struct search *search, const struct jtgi_cluster *cluster,
                          const struct jtgi_witnesses *witnesses, const struct silence *silence)
{
    if (search->count == 1)
        return true;
    return cluster->seed_count == 1 && witnesses->count == 1 &&
           silence->in[is_v6(&witnesses->list[0]->address)] == 0;
}

/* Nothing that the rest can say changes who has most voices. */
static bool is_settled(const struct jtgi_witnesses *witnesses, unsigned agreeing, unsigned left,
                       bool one_is_enough)
{
    bool confirmed = agreeing > 1 || (agreeing == 1 && one_is_enough);
    return confirmed && agreeing > left + witnesses->count - agreeing;
}

static void tell_stranger(struct jtgi_cluster *cluster, const struct jtgi_witness *stranger)
{
    jtg_error err = JTG_ERROR_INIT;
    if (stranger == NULL)
        return;
    (void)fail_strange(&stranger->address, &err);
    jtgi_log(&cluster->shared->config.logger, JTG_LOG_ERROR, "%s: take it out of cluster_nodes",
             err.text);
}

static jtg_status fail_unsettled(const struct jtgi_witnesses *witnesses, unsigned asked,
                                 jtg_status status, const jtg_error *failure, jtg_error *err)
{
    char one[JTGI_ADDRESS_MAX_BYTES];
    char other[JTGI_ADDRESS_MAX_BYTES];
    unsigned agreeing = 0;
    const struct jtgi_witness *best = jtgi_witnesses_best(witnesses, &agreeing);
    if (best == NULL)
        return tell_failure(status, failure, err);
    const struct jtgi_witness *stranger = jtgi_witnesses_stranger(witnesses, best);
    jtgi_address_format(&best->address, one, sizeof one);
    if (stranger == NULL)
        return jtg_error_set(
            err, JTG_ERR_UNAVAILABLE, failure->system_errno,
            "redis: of %u nodes of the Cluster only that at %s answers, and nobody "
            "says that it belongs to it%s%s",
            asked, one, failure->text[0] == '\0' ? "" : ": ", failure->text);
    jtgi_address_format(&stranger->address, other, sizeof other);
    return jtg_error_set(
        err, JTG_ERR_REFUSED, 0,
        "redis: the nodes at %s and %s belong to different Clusters: take the wrong "
        "one out of cluster_nodes",
        one, other);
}

/* The map of the last answer may be a stranger's, or there was none. */
static jtg_status take_from(struct search *search, struct jtgi_cluster *cluster,
                            const struct jtgi_witness *witness, int64_t deadline_ns, jtg_error *err)
{
    char run_id[48];
    jtg_status status = JTG_OK;
    if (!jtgi_node_ids_agree(&search->map.ids, &witness->ids))
        status = ask_node(cluster, &witness->address, deadline_ns, &search->map, run_id, err);
    if (status == JTG_OK && !jtgi_node_ids_agree(&search->map.ids, &witness->ids))
        return fail_strange(&witness->address, err);
    return status == JTG_OK ? take_over(search, cluster, err) : status;
}

static jtg_status ask_seeds(struct search *search, struct jtgi_cluster *cluster,
                            struct jtgi_witnesses *witnesses, int64_t deadline_ns, jtg_error *err)
{
    jtg_error failure = JTG_ERROR_INIT;
    jtg_status status = JTG_ERR_UNAVAILABLE;
    find_seeds(search, cluster, deadline_ns);
    struct silence silence = {{0, 0}};
    for (unsigned i = 0; i < search->count && jtgi_now_ns() < deadline_ns; i++) {
        const struct jtgi_address *address = &search->candidates[i];
        jtg_error of_this = JTG_ERROR_INIT;
        unsigned agreeing = 0;
        char run_id[48];
        jtg_status answer = ask_node(cluster, address, share_of(deadline_ns, search->count - i),
                                     &search->map, run_id, &of_this);
        silence.in[is_v6(address)] += answer != JTG_OK || run_id[0] == '\0';
        if (answer != JTG_OK) {
            status = answer;
            failure = of_this;
        } else if (!jtgi_witnesses_add(witnesses, address, run_id, &search->map.ids)) {
            return jtg_error_set(err, JTG_ERR_MEMORY, 0, "redis: no memory for a Cluster's nodes");
        }
        const struct jtgi_witness *best = jtgi_witnesses_best(witnesses, &agreeing);
        if (!is_settled(witnesses, agreeing, search->count - i - 1,
                        is_one_enough(search, cluster, witnesses, &silence)))
            continue;
        tell_stranger(cluster, jtgi_witnesses_stranger(witnesses, best));
        return take_from(search, cluster, best, deadline_ns, err);
    }
    return fail_unsettled(witnesses, search->count, status, &failure, err);
}

static jtg_status search_first(struct search *search, struct jtgi_cluster *cluster,
                               int64_t deadline_ns, jtg_error *err)
{
    struct jtgi_witnesses witnesses = {.count = 0};
    jtg_status status = ask_seeds(search, cluster, &witnesses, deadline_ns, err);
    jtgi_witnesses_clear(&witnesses);
    return status;
}

/* ---- any map ---- */

/* Nobody is left who knows most nodes of the map before: after a long time without a call they may
 * have been exchanged. Then it is begun anew, with what is left of the time, and as if this
 * process had just started: where the options name one, that one is believed. That admits nothing:
 * what was relied on before, slot by slot, makes the new one a store that was exchanged. */
static jtg_status search_next(struct search *search, struct jtgi_cluster *cluster,
                              int64_t deadline_ns, const struct jtgi_address *first,
                              const struct jtgi_address *last, jtg_error *err)
{
    int64_t now_ns = jtgi_now_ns();
    jtg_error failure = JTG_ERROR_INIT;
    find_candidates(search, cluster, first, last);
    jtg_status status =
        ask_until_answered(search, cluster, now_ns + (deadline_ns - now_ns) / 4 * 3, &failure);
    if (status == JTG_OK || search->strangers == 0)
        return status == JTG_OK ? JTG_OK : tell_failure(status, &failure, err);
    jtg_error again = JTG_ERROR_INIT;
    if (search_first(search, cluster, deadline_ns, &again) == JTG_OK)
        return JTG_OK;
    return tell_failure(status, &failure, err);
}

static jtg_status search_map(struct jtgi_cluster *cluster, int64_t deadline_ns,
                             const struct jtgi_address *first, const struct jtgi_address *last,
                             jtg_error *err)
{
    struct search *search = jtgi_alloc(sizeof *search);
    if (search == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "redis: no memory for the map of a Cluster");
    jtg_status status = is_any_known(cluster)
                            ? search_next(search, cluster, deadline_ns, first, last, err)
                            : search_first(search, cluster, deadline_ns, err);
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

static jtg_status refresh(struct jtgi_cluster *cluster, int64_t age_ns, int64_t deadline_ns,
                          const struct jtgi_address *first, const struct jtgi_address *last,
                          jtg_error *err)
{
    jtg_error outcome = JTG_ERROR_INIT;
    bool wait = false;
    uint32_t ended = 0;
    if (!begin(cluster, age_ns, &wait, &ended, &outcome))
        return wait ? wait_for_other(cluster, ended, deadline_ns, err)
                    : tell_outcome(&outcome, err);
    jtg_error own = JTG_ERROR_INIT;
    jtg_status status = search_map(cluster, deadline_ns, first, last, &own);
    end(cluster, status, &own);
    own.status = status;
    if (status != JTG_OK)
        jtgi_log(&cluster->shared->config.logger, JTG_LOG_ERROR, "%s", own.text);
    return tell_outcome(&own, err);
}

/* A thread that is cancelled while it asks would leave the others waiting. */
jtg_status jtgi_cluster_refresh(struct jtgi_cluster *cluster, int64_t age_ns, int64_t deadline_ns,
                                const struct jtgi_address *first, const struct jtgi_address *last,
                                jtg_error *err)
{
    int before = PTHREAD_CANCEL_ENABLE;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    jtg_status status = refresh(cluster, age_ns, deadline_ns, first, last, err);
    (void)pthread_setcancelstate(before, &before);
    return status;
}

/* ---- redirects ---- */

/* One slot is corrected at once; where one has moved others have too, so all is asked for now and
 * then, of the node that was named: nobody knows better. */
bool jtgi_cluster_moved(struct jtgi_cluster *cluster, const struct jtgi_redirect *redirect,
                        int64_t deadline_ns)
{
    (void)jtgi_cluster_refresh(cluster, JTGI_MAP_AGE_MOVED_NS, share_of(deadline_ns, SHARES),
                               &redirect->address, NULL, NULL);
    struct jtgi_node *node = jtgi_nodes_at_address(cluster->nodes, &redirect->address);
    if (node == NULL)
        return false;
    jtgi_nodes_move(cluster->nodes, redirect->slot, node);
    jtgi_nodes_let_go(cluster->nodes, node);
    return true;
}
