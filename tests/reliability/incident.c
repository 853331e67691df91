/* SPDX-License-Identifier: Apache-2.0 */
#include "reliability/incident.h"

#include "integration/store.h"
#include "reliability/clients.h"
#include "reliability/reshard.h"
#include "support/asserts.h"
#include "support/history.h"

#include <string.h>

#define PROMOTION_LIMIT_NS UINT64_C(30000000000)

enum {
    LOOK_MS = 5,
    ASK_AGAIN_MS = 100,
    ASK_TRIES = 200,
    SNAPSHOT_AGE_MS = 1500,
    /* Longer than the margin, so that tokens are admitted at the new primary. */
    USE_LEAST_MS = 2 * LOAD_MARGIN_MS,
    USE_MOST_MS = 3 * LOAD_MARGIN_MS,
    VISIT_LEAST_MS = 1000,
    VISIT_MOST_MS = 2000
};

static const char *const names[INCIDENT_KINDS] = {"switchover", "kill",     "freeze",   "partition",
                                                  "flush",      "emptied",  "outdated", "reshard",
                                                  "return",     "exchange", "shuffle",  "stranger"};

const char *incident_name(enum incident_kind kind)
{
    return names[kind];
}

bool incident_is_failover(enum incident_kind kind)
{
    return kind <= INCIDENT_PARTITION;
}

bool incident_fits(enum incident_kind kind, const struct topology *topology)
{
    return (topology->kinds & KIND(kind)) != 0;
}

/* A failover under way. */
struct change {
    struct world *world;
    struct incident *incident;
    struct server *primary; /* the old one */
    struct role before;
    struct server *heir; /* NULL: none has been promoted yet */
};

static struct change begin_change(struct world *world, struct server *primary,
                                  struct incident *incident)
{
    return (struct change){world, incident, primary, server_role(primary), NULL};
}

static void look_for_heir(struct change *change)
{
    for (unsigned i = 0; i < change->before.replica_count; i++) {
        struct server *server = world_server(change->world, change->before.replicas[i]);
        if (server_role(server).is_primary) {
            change->incident->promoted_ns = history_now_ns();
            change->heir = server;
            return;
        }
    }
}

static void look_for_name(struct change *change)
{
    const struct topology *topology = change->world->topology;
    if (topology->is_named == NULL)
        change->incident->named_ns = change->incident->promoted_ns;
    else if (topology->is_named(change->world, change->heir))
        change->incident->named_ns = history_now_ns();
}

/* Both are looked for all the time, so that what else is done must not take long. */
static void look(struct change *change)
{
    if (change->heir == NULL)
        look_for_heir(change);
    if (change->heir != NULL && change->incident->named_ns == 0)
        look_for_name(change);
}

static void await_promotion(struct change *change)
{
    uint64_t end_ns = history_now_ns() + PROMOTION_LIMIT_NS;
    while (look(change), change->heir == NULL) {
        if (history_now_ns() > end_ns)
            fail_msg("no replica is promoted, see %s", change->world->folder);
        store_sleep_ms(LOOK_MS);
    }
}

static void await_name(struct change *change)
{
    uint64_t end_ns = history_now_ns() + PROMOTION_LIMIT_NS;
    while (look(change), change->incident->named_ns == 0) {
        if (history_now_ns() > end_ns)
            fail_msg("nobody names the new primary, see %s", change->world->folder);
        store_sleep_ms(LOOK_MS);
    }
}

static void linger(struct change *change, unsigned least_ms, unsigned most_ms)
{
    uint64_t ms = least_ms + random_below(&change->world->random, most_ms - least_ms + 1);
    uint64_t end_ns = history_now_ns() + ms * UINT64_C(1000000);
    while (history_now_ns() < end_ns) {
        look(change);
        store_sleep_ms(LOOK_MS);
    }
}

static void switch_over(struct world *world, struct server *primary, struct incident *incident)
{
    struct change change = begin_change(world, primary, incident);
    struct server *replica = world_server(world, change.before.replicas[0]);
    int tries = 0;
    while (!world->topology->switch_over(world, primary, replica)) {
        assert_true(++tries < ASK_TRIES);
        store_sleep_ms(ASK_AGAIN_MS);
    }
    await_promotion(&change);
    await_name(&change);
}

/* It comes back as what it was, as from an init system, or as a replica, as by a careful hand. */
static void kill_one(struct world *world, struct server *primary, struct incident *incident)
{
    struct change change = begin_change(world, primary, incident);
    server_kill(primary);
    await_promotion(&change);
    linger(&change, 0, DETECTION_MS);
    server_forget(primary);
    server_start(primary);
    if (world->topology->sentinels > 0 && random_below(&world->random, 2) == 0)
        assert_true(
            server_order(primary, "REPLICAOF 10.77.0.%u %u", change.heir->host, change.heir->port));
    await_name(&change);
}

static void freeze_one(struct world *world, struct server *primary, struct incident *incident)
{
    struct change change = begin_change(world, primary, incident);
    server_freeze(primary);
    await_promotion(&change);
    linger(&change, 0, DETECTION_MS);
    server_thaw(primary);
    await_name(&change);
}

static void divide(struct world *world, struct server *primary, struct incident *incident)
{
    struct change change = begin_change(world, primary, incident);
    bool slip = world->topology->slip_uri != NULL; /* of the first client, by the first Sentinel */
    unsigned client = (unsigned)random_below(&world->random, slip ? 1 : WORLD_CLIENTS);
    unsigned sentinel = (unsigned)random_below(&world->random, slip ? 1 : WORLD_SENTINELS);
    incident->client_apart = (int)client;
    hosts_cut_off(primary->host);
    hosts_cut_off(FIRST_CLIENT + client);
    if (world->topology->sentinels > 0)
        hosts_cut_off(FIRST_SENTINEL + sentinel);
    await_promotion(&change);
    linger(&change, 2 * DETECTION_MS, 4 * DETECTION_MS);
    hosts_join(FIRST_CLIENT + client);
    hosts_join(primary->host);
    if (world->topology->sentinels > 0)
        hosts_join(FIRST_SENTINEL + sentinel);
    await_name(&change);
}

/* ---- there and back ---- */

static void sleep_between(struct world *world, unsigned least_ms, unsigned most_ms)
{
    store_sleep_ms(least_ms + random_below(&world->random, most_ms - least_ms + 1));
}

/* A process that knows nothing of what was. */
static void receive_newcomer(struct world *world)
{
    clients_add_newcomer(world->clients);
    sleep_between(world, VISIT_LEAST_MS, VISIT_MOST_MS);
    clients_dismiss_newcomer(world->clients);
}

static void await_sight(struct world *world, const struct server *server,
                        bool (*is_seen)(struct world *, const struct server *))
{
    uint64_t end_ns = history_now_ns() + PROMOTION_LIMIT_NS;
    while (!is_seen(world, server)) {
        if (history_now_ns() > end_ns)
            fail_msg("the Sentinels do not see what is, see %s", world->folder);
        store_sleep_ms(LOOK_MS);
    }
}

static void await_named_again(struct world *world, struct server *primary)
{
    uint64_t end_ns = history_now_ns() + PROMOTION_LIMIT_NS;
    /* Whoever is promoted cuts its connections, and ours with them. */
    while (!world->topology->is_named(world, primary) || !server_role(primary).is_primary) {
        if (history_now_ns() > end_ns)
            fail_msg("the old primary is not named again, see %s", world->folder);
        store_sleep_ms(LOOK_MS);
    }
}

static struct server *third_of(struct world *world, const struct server *one,
                               const struct server *other)
{
    for (unsigned i = 0; i < world->topology->servers; i++)
        if (&world->servers[i] != one && &world->servers[i] != other)
            return &world->servers[i];
    return NULL;
}

/* By a careful hand, for Sentinels take ten seconds; and with `replicas` nothing is admitted until
 * then. */
static void follow(struct server *replica, const struct server *primary)
{
    int tries = 0;
    while (!server_order(replica, "REPLICAOF 10.77.0.%u %u", primary->host, primary->port)) {
        assert_true(++tries < ASK_TRIES);
        store_sleep_ms(ASK_AGAIN_MS);
    }
}

/* The new primary dies before anybody has told the old one to be a replica, which Sentinels do
 * after eight seconds; and they know that the old one is the only one left. */
static void come_back(struct world *world, struct server *primary)
{
    struct incident unused = {.promoted_ns = 0};
    struct change change = begin_change(world, primary, &unused);
    server_freeze(primary);
    await_promotion(&change);
    await_name(&change);
    linger(&change, USE_LEAST_MS, USE_MOST_MS);
    struct server *third = third_of(world, primary, change.heir);
    if (third != NULL)
        server_freeze(third);
    server_thaw(primary);
    await_sight(world, primary, world_sentinels_see_primary);
    if (third != NULL)
        await_sight(world, third, world_sentinels_see_down);
    server_kill(change.heir);
    await_named_again(world, primary);
    if (third != NULL) {
        server_thaw(third);
        follow(third, primary);
    }
    receive_newcomer(world);
    server_forget(change.heir);
    server_start(change.heir);
    follow(change.heir, primary);
}

/* Each process uses the store before it is led away from it: one that did not has nothing to tell
 * it. */
static void exchange(struct world *world)
{
    unsigned before = world->place;
    if (!clients_await_admitted(world->clients, history_now_ns()))
        fail_msg("nothing is admitted, see %s", world->folder);
    world->topology->lead(world, 1 - before);
    if (!clients_await_admitted(world->clients, history_now_ns()))
        fail_msg("nothing is admitted on the other store, see %s", world->folder);
    sleep_between(world, 0, DETECTION_MS);
    world->topology->lead(world, before);
    if (!clients_await_answered(world->clients, history_now_ns()))
        fail_msg("nothing is answered after the return, see %s", world->folder);
    receive_newcomer(world);
}

static void await_cluster(struct world *world, struct server *node)
{
    uint64_t end_ns = history_now_ns() + PROMOTION_LIMIT_NS;
    for (bool ok = false; !ok; store_sleep_ms(LOOK_MS)) {
        redisReply *reply = server_ask(node, "CLUSTER INFO");
        ok = reply != NULL && reply->str != NULL && strstr(reply->str, "cluster_state:ok") != NULL;
        if (reply != NULL)
            freeReplyObject(reply);
        if (history_now_ns() > end_ns)
            fail_msg("a node does not come back to its cluster, see %s", world->folder);
    }
}

/* The stranger has the address and its own data; what it is to its Cluster it learns from that. */
static void estrange(struct world *world)
{
    struct server *node = &world->servers[2];
    struct server *stranger = &world->servers[5];
    unsigned home = stranger->host;
    server_kill(node);
    server_kill(stranger);
    stranger->host = node->host;
    server_start(stranger);
    await_cluster(world, stranger);
    receive_newcomer(world);
    server_kill(stranger);
    stranger->host = home;
    server_start(stranger);
    server_start(node);
}

static void flush(struct world *world, struct server *primary)
{
    const char *command = random_below(&world->random, 2) == 0 ? "FLUSHALL" : "FLUSHDB";
    assert_true(server_order(primary, "%s", command));
}

static void empty(struct server *primary)
{
    server_kill(primary);
    server_forget(primary);
    server_start(primary);
}

static void set_back(struct server *primary)
{
    assert_true(server_order(primary, "SAVE"));
    store_sleep_ms(SNAPSHOT_AGE_MS);
    server_kill(primary);
    server_start(primary);
}

static void bring_about(struct world *world, struct server *primary, struct incident *incident)
{
    switch (incident->kind) {
    case INCIDENT_SWITCHOVER:
        switch_over(world, primary, incident);
        break;
    case INCIDENT_KILL:
        kill_one(world, primary, incident);
        break;
    case INCIDENT_FREEZE:
        freeze_one(world, primary, incident);
        break;
    case INCIDENT_PARTITION:
        divide(world, primary, incident);
        break;
    case INCIDENT_FLUSH:
        flush(world, primary);
        break;
    case INCIDENT_EMPTIED:
        empty(primary);
        break;
    case INCIDENT_OUTDATED:
        set_back(primary);
        break;
    case INCIDENT_RETURN:
        come_back(world, primary);
        break;
    case INCIDENT_EXCHANGE:
        exchange(world);
        break;
    case INCIDENT_SHUFFLE:
        world->topology->lead(world, 0);
        incident->parts = 0;
        break;
    case INCIDENT_STRANGER:
        estrange(world);
        incident->parts = 0;
        break;
    default:
        incident->parts |= reshard_run(world, primary);
    }
}

struct incident incident_run(struct world *world, enum incident_kind kind)
{
    struct server *primary = world_pick_primary(world);
    struct incident incident = {.kind = kind, .client_apart = -1};
    incident.parts = world_parts_of(world, primary);
    incident.start_ns = history_now_ns();
    bring_about(world, primary, &incident);
    incident.healed_ns = history_now_ns();
    if (!world_await(world))
        fail_msg("the servers do not become a whole again, see %s", world->folder);
    incident.settled_ns = history_now_ns();
    return incident;
}
