/* SPDX-License-Identifier: Apache-2.0 */
#include "reliability/world.h"
#include "support/asserts.h"

#include <stdio.h>
#include <string.h>

enum { SLOTS = 16384, PRIMARIES = 3, TAG_BYTES = 8, TAG_LIMIT = 100000 };

/* CRC16 of the Cluster specification (XMODEM), written from it and not the library's. */
static unsigned slot_of(const char *tag)
{
    unsigned crc = 0;
    for (; *tag != '\0'; tag++) {
        crc ^= (unsigned)(unsigned char)*tag << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
    }
    return (crc & 0xffff) % SLOTS;
}

const char *world_part_tag(unsigned part)
{
    static char tags[WORLD_PARTS_MAX][TAG_BYTES];
    char *tag = tags[part];
    for (unsigned n = 0; *tag == '\0' && n < TAG_LIMIT; n++) {
        char candidate[TAG_BYTES];
        snprintf(candidate, sizeof candidate, "%u", n);
        if (slot_of(candidate) * WORLD_PARTS_MAX / SLOTS == part)
            memcpy(tag, candidate, sizeof candidate);
    }
    return tag;
}

unsigned world_part_slot(unsigned part)
{
    return slot_of(world_part_tag(part));
}

static uint32_t parts_within(long long first, long long last)
{
    uint32_t parts = 0;
    for (unsigned part = 0; part < WORLD_PARTS_MAX; part++) {
        long long slot = world_part_slot(part);
        parts |= slot >= first && slot <= last ? UINT32_C(1) << part : 0;
    }
    return parts;
}

/* CLUSTER SLOTS: [[first, last, [address, port, id, …], …], …] */
uint32_t world_parts_of(struct world *world, struct server *primary)
{
    uint32_t parts = 0;
    if (world->topology->parts == 1)
        return 1;
    redisReply *slots = server_ask(primary, "CLUSTER SLOTS");
    for (size_t i = 0; slots != NULL && i < slots->elements; i++) {
        const redisReply *range = slots->element[i];
        if (hosts_number(range->element[2]->element[0]->str) == primary->host)
            parts |= parts_within(range->element[0]->integer, range->element[1]->integer);
    }
    if (slots != NULL)
        freeReplyObject(slots);
    return parts;
}

static void found_cluster(struct world *world)
{
    static const char *const words[] = {NULL,
                                        "--cluster",
                                        "create",
                                        "10.77.0.1:6379",
                                        "10.77.0.2:6379",
                                        "10.77.0.3:6379",
                                        "10.77.0.4:6379",
                                        "10.77.0.5:6379",
                                        "10.77.0.6:6379",
                                        "--cluster-replicas",
                                        "1",
                                        "--cluster-yes"};
    const char *command[sizeof words / sizeof *words + 1] = {NULL};
    memcpy(command, words, sizeof words);
    command[0] = server_client_program();
    if (!world_run_tool(world, command))
        fail_msg("no cluster, see %s/tools", world->folder);
}

static void found_strangers(struct world *world)
{
    static const char *const creations[2][8] = {
        {NULL, "--cluster", "create", "10.77.0.1:6379", "10.77.0.2:6379", "10.77.0.3:6379",
         "--cluster-yes", NULL},
        {NULL, "--cluster", "create", "10.77.0.4:6379", "10.77.0.5:6379", "10.77.0.6:6379",
         "--cluster-yes", NULL},
    };
    for (unsigned i = 0; i < 2; i++) {
        const char *command[8];
        memcpy(command, creations[i], sizeof command);
        command[0] = server_client_program();
        if (!world_run_tool(world, command))
            fail_msg("no cluster, see %s/tools", world->folder);
    }
}

static bool text_holds(struct server *server, const char *about, const char *const *all,
                       const char *const *none)
{
    redisReply *reply = server_ask(server, "CLUSTER %s", about);
    bool good = reply != NULL && reply->str != NULL;
    for (; good && *all != NULL; all++)
        good = strstr(reply->str, *all) != NULL;
    for (; good && *none != NULL; none++)
        good = strstr(reply->str, *none) == NULL;
    if (reply != NULL)
        freeReplyObject(reply);
    return good;
}

/* No node has failed or is unknown to it, and no slot is on its way ('['). */
static bool is_content(struct server *server, const char *known_nodes)
{
    const char *const state[] = {"cluster_state:ok", known_nodes, NULL};
    static const char *const trouble[] = {"fail", "handshake", "noaddr", "[", NULL};
    static const char *const nothing[] = {NULL};
    return text_holds(server, "INFO", state, nothing) &&
           text_holds(server, "NODES", nothing, trouble);
}

static bool is_whole(struct world *world)
{
    unsigned pairs = 0;
    unsigned linked = 0;
    for (unsigned i = 0; i < world->topology->servers; i++) {
        struct role role = server_role(&world->servers[i]);
        pairs += role.is_primary && role.replica_count == 1;
        linked += !role.is_primary && role.is_linked;
    }
    if (pairs != PRIMARIES || linked != world->topology->servers - PRIMARIES)
        return false;
    for (unsigned i = 0; i < world->topology->servers; i++)
        if (!is_content(&world->servers[i], "cluster_known_nodes:6"))
            return false;
    return true;
}

static bool are_both_whole(struct world *world)
{
    for (unsigned i = 0; i < world->topology->servers; i++)
        if (!is_content(&world->servers[i], "cluster_known_nodes:3"))
            return false;
    return true;
}

static bool switch_over(struct world *world, struct server *primary, struct server *replica)
{
    (void)world;
    (void)primary;
    return server_order(replica, "CLUSTER FAILOVER");
}

const struct topology topology_cluster = {
    .name = "cluster",
    .servers = 6,
    .parts = WORLD_PARTS_MAX,
    .fails_over = true,
    .kinds = KIND(INCIDENT_RETURN) - 1,
    .server_lines = "cluster-enabled yes\n"
                    "cluster-node-timeout 1000\n"
                    "cluster-allow-replica-migration no\n",
    .found = found_cluster,
    .is_whole = is_whole,
    .switch_over = switch_over,
    .uri = "redis+cluster://10.77.0.1:6379,10.77.0.2:6379,10.77.0.3:6379",
};

/* Two Clusters without replicas. The address that comes first is the one that the other will have.
 *
 * The node timeout is the default and longer than a stranger's stay: Valkey since 8.1 greets
 * whoever is found under the address of a node that it has not heard from for that long, and the
 * two become one. */
const struct topology topology_strangers = {
    .name = "strangers",
    .servers = 6,
    .parts = WORLD_PARTS_MAX,
    .kinds = KIND(INCIDENT_STRANGER),
    .server_lines = "cluster-enabled yes\n"
                    "cluster-node-timeout 15000\n"
                    "cluster-require-full-coverage no\n",
    .found = found_strangers,
    .is_whole = are_both_whole,
    .uri = "redis+cluster://10.77.0.3:6379,10.77.0.1:6379,10.77.0.2:6379",
};
