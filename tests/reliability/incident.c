/* SPDX-License-Identifier: Apache-2.0 */
#include "reliability/incident.h"

#include "integration/store.h"
#include "reliability/reshard.h"
#include "support/asserts.h"
#include "support/history.h"

#define PROMOTION_LIMIT_NS UINT64_C(30000000000)

enum { LOOK_MS = 5, ASK_AGAIN_MS = 100, ASK_TRIES = 200, SNAPSHOT_AGE_MS = 1500 };

static const char *const names[INCIDENT_KINDS] = {"switchover", "kill",    "freeze",   "partition",
                                                  "flush",      "emptied", "outdated", "reshard"};

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
    if (kind == INCIDENT_RESHARD)
        return topology->parts > 1;
    return !incident_is_failover(kind) || topology->fails_over;
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
    unsigned client = (unsigned)random_below(&world->random, WORLD_CLIENTS);
    unsigned sentinel = (unsigned)random_below(&world->random, WORLD_SENTINELS);
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
