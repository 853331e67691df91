/* SPDX-License-Identifier: Apache-2.0 */
#include "reliability/world.h"
#include "support/asserts.h"

#include <stdio.h>
#include <string.h>

static void found_replicas(struct world *world)
{
    for (unsigned i = 1; i < world->topology->servers; i++)
        assert_true(server_order(&world->servers[i], "REPLICAOF 10.77.0.%d 6379", FIRST_SERVER));
}

/* The one primary that both others follow; 0: not so. */
static unsigned leader(struct world *world)
{
    unsigned primary = 0;
    unsigned followers = 0;
    for (unsigned i = 0; i < world->topology->servers; i++) {
        struct role role = server_role(&world->servers[i]);
        if (role.is_primary && primary == 0 && role.replica_count == world->topology->servers - 1)
            primary = world->servers[i].host;
    }
    for (unsigned i = 0; i < world->topology->servers; i++) {
        struct role role = server_role(&world->servers[i]);
        followers += !role.is_primary && role.is_linked && role.primary == primary;
    }
    return followers == world->topology->servers - 1 ? primary : 0;
}

/* A list of names and values by turns. */
static bool says(const redisReply *facts, const char *name, const char *value)
{
    for (size_t i = 0; facts != NULL && i + 1 < facts->elements; i += 2)
        if (strcmp(facts->element[i]->str, name) == 0)
            return strcmp(facts->element[i + 1]->str, value) == 0;
    return false;
}

static bool knows_primary(struct server *sentinel, unsigned primary, unsigned replicas)
{
    char address[HOST_ADDRESS_BYTES];
    char count[8];
    snprintf(count, sizeof count, "%u", replicas);
    hosts_address(primary, address);
    redisReply *facts = server_ask(sentinel, "SENTINEL MASTER jtg");
    bool knows = says(facts, "ip", address) && says(facts, "flags", "master") &&
                 says(facts, "num-slaves", count) && says(facts, "num-other-sentinels", "2");
    if (facts != NULL)
        freeReplyObject(facts);
    return knows;
}

static bool knows_replicas(struct server *sentinel, unsigned replicas)
{
    size_t good = 0;
    redisReply *list = server_ask(sentinel, "SENTINEL REPLICAS jtg");
    for (size_t i = 0; list != NULL && i < list->elements; i++)
        good += says(list->element[i], "flags", "slave");
    if (list != NULL)
        freeReplyObject(list);
    return good == replicas;
}

/* Of one of the replicas that it knows. */
static bool sees(struct server *sentinel, const struct server *server, const char *name,
                 const char *value)
{
    bool does = false;
    char address[HOST_ADDRESS_BYTES];
    hosts_address(server->host, address);
    redisReply *list = server_ask(sentinel, "SENTINEL REPLICAS jtg");
    for (size_t i = 0; list != NULL && i < list->elements; i++)
        does |= says(list->element[i], "ip", address) && says(list->element[i], name, value);
    if (list != NULL)
        freeReplyObject(list);
    return does;
}

static bool do_all_see(struct world *world, const struct server *server, const char *name,
                       const char *value)
{
    for (unsigned i = 0; i < world->topology->sentinels; i++)
        if (!sees(&world->sentinels[i], server, name, value))
            return false;
    return true;
}

bool world_sentinels_see_down(struct world *world, const struct server *server)
{
    return do_all_see(world, server, "flags", "s_down,slave");
}

bool world_sentinels_see_primary(struct world *world, const struct server *server)
{
    return do_all_see(world, server, "role-reported", "master") &&
           do_all_see(world, server, "flags", "slave");
}

static bool is_whole(struct world *world)
{
    unsigned primary = leader(world);
    if (primary == 0)
        return false;
    for (unsigned i = 0; i < world->topology->sentinels; i++)
        if (!knows_primary(&world->sentinels[i], primary, world->topology->servers - 1) ||
            !knows_replicas(&world->sentinels[i], world->topology->servers - 1))
            return false;
    return true;
}

static bool switch_over(struct world *world, struct server *primary, struct server *replica)
{
    (void)primary;
    (void)replica;
    return server_order(&world->sentinels[random_below(&world->random, WORLD_SENTINELS)],
                        "SENTINEL FAILOVER jtg");
}

static bool names(struct server *sentinel, const struct server *primary)
{
    redisReply *reply = server_ask(sentinel, "SENTINEL GET-MASTER-ADDR-BY-NAME jtg");
    bool does = reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
                hosts_number(reply->element[0]->str) == primary->host;
    if (reply != NULL)
        freeReplyObject(reply);
    return does;
}

static bool is_named(struct world *world, const struct server *primary)
{
    for (unsigned i = 0; i < world->topology->sentinels; i++)
        if (names(&world->sentinels[i], primary))
            return true;
    return false;
}

const struct topology topology_sentinel = {
    .name = "sentinel",
    .servers = 3,
    .sentinels = WORLD_SENTINELS,
    .parts = 1,
    .fails_over = true,
    .kinds = (KIND(INCIDENT_RESHARD) - 1) | KIND(INCIDENT_RETURN),
    .server_lines = "",
    .found = found_replicas,
    .is_whole = is_whole,
    .switch_over = switch_over,
    .is_named = is_named,
    .uri = "redis+sentinel://10.77.0.7:26379,10.77.0.8:26379,10.77.0.9:26379/jtg",
};

const struct topology topology_sentinel_pair = {
    .name = "sentinel-pair",
    .servers = 2,
    .sentinels = WORLD_SENTINELS,
    .parts = 1,
    .fails_over = true,
    .kinds = KIND(INCIDENT_RETURN),
    .server_lines = "",
    .found = found_replicas,
    .is_whole = is_whole,
    .switch_over = switch_over,
    .is_named = is_named,
    .uri = "redis+sentinel://10.77.0.7:26379,10.77.0.8:26379,10.77.0.9:26379/jtg",
};

static void found_twin(struct world *world)
{
    static const char *const words[] = {"ip",  "address", "add", "10.77.0.107/24",
                                        "dev", "eth0",    NULL};
    found_replicas(world);
    assert_true(world_run_on(world, FIRST_SENTINEL, words));
}

/* The first client lists three, of which two are one that has two addresses. */
const struct topology topology_sentinel_twin = {
    .name = "sentinel-twin",
    .servers = 3,
    .sentinels = WORLD_SENTINELS,
    .parts = 1,
    .fails_over = true,
    .kinds = KIND(INCIDENT_PARTITION),
    .server_lines = "",
    .found = found_twin,
    .is_whole = is_whole,
    .switch_over = switch_over,
    .is_named = is_named,
    .uri = "redis+sentinel://10.77.0.7:26379,10.77.0.8:26379,10.77.0.9:26379/jtg",
    .slip_uri = "redis+sentinel://10.77.0.7:26379,10.77.0.107:26379,10.77.0.8:26379/jtg",
};
