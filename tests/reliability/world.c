/* SPDX-License-Identifier: Apache-2.0 */
#include "reliability/world.h"

#include "integration/store.h"
#include "support/asserts.h"
#include "support/history.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOOL_LIMIT_NS  UINT64_C(120000000000)
#define WHOLE_LIMIT_NS UINT64_C(60000000000)

enum { PAUSE_MS = 20, REDIS_PORT = 6379, SENTINEL_PORT = 26379 };

static const char every_server[] = "bind 0.0.0.0\n"
                                   "save \"\"\n"
                                   "appendonly no\n"
                                   "maxmemory 256mb\n"
                                   "maxmemory-policy noeviction\n"
                                   "repl-diskless-sync-delay 0\n"
                                   "repl-ping-replica-period 1\n";

static bool is_alone(struct world *world)
{
    return server_role(&world->servers[0]).is_primary;
}

static void found_nothing(struct world *world)
{
    (void)world;
}

const struct topology topology_single = {
    .name = "single",
    .servers = 1,
    .parts = 1,
    .kinds = KIND(INCIDENT_FLUSH) | KIND(INCIDENT_EMPTIED) | KIND(INCIDENT_OUTDATED),
    .server_lines = "",
    .found = found_nothing,
    .is_whole = is_alone,
    .uri = "redis://10.77.0.1:6379/0",
};

static void start_servers(struct world *world)
{
    char lines[512];
    int len = snprintf(lines, sizeof lines, "%s%s", every_server, world->topology->server_lines);
    assert_in_range(len, 1, sizeof lines - 1);
    for (unsigned i = 0; i < world->topology->servers; i++) {
        server_init(&world->servers[i], FIRST_SERVER + i, REDIS_PORT, world->folder, lines);
        server_start(&world->servers[i]);
    }
}

static void start_sentinels(struct world *world, bool quick)
{
    char lines[512];
    snprintf(lines, sizeof lines,
             "bind 0.0.0.0\n"
             "sentinel monitor jtg 10.77.0.%d %d 2\n"
             "sentinel down-after-milliseconds jtg %d\n"
             "sentinel failover-timeout jtg %d\n"
             "sentinel parallel-syncs jtg 2\n",
             FIRST_SERVER, REDIS_PORT, DETECTION_MS, 10 * DETECTION_MS);
    for (unsigned i = 0; i < world->topology->sentinels; i++) {
        server_init(&world->sentinels[i], FIRST_SENTINEL + i, SENTINEL_PORT, world->folder, lines);
        server_start(&world->sentinels[i]);
        if (quick)
            assert_true(server_order(&world->sentinels[i],
                                     "SENTINEL DEBUG info-period 1000 publish-period 500"));
    }
}

void world_start(struct world *world, const struct topology *topology, uint64_t seed, bool quick)
{
    memset(world, 0, sizeof *world);
    world->topology = topology;
    random_init(&world->random, seed);
    strcpy(world->folder, "/tmp/jtiguard-world.XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    if (topology->uri != NULL)
        snprintf(world->uri, sizeof world->uri, "%s", topology->uri);
    start_servers(world);
    topology->found(world);
    start_sentinels(world, quick);
    if (!world_await(world))
        fail_msg("the servers do not become a whole, see %s", world->folder);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

void world_stop(struct world *world)
{
    if (world->topology->leave != NULL)
        world->topology->leave(world);
    for (unsigned i = 0; i < world->topology->sentinels; i++)
        server_kill(&world->sentinels[i]);
    for (unsigned i = 0; i < world->topology->servers; i++)
        server_kill(&world->servers[i]);
    (void)nftw(world->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

bool world_await(struct world *world)
{
    uint64_t end_ns = history_now_ns() + WHOLE_LIMIT_NS;
    while (!world->topology->is_whole(world)) {
        if (history_now_ns() > end_ns)
            return false;
        store_sleep_ms(PAUSE_MS);
    }
    return true;
}

struct server *world_server(struct world *world, unsigned host)
{
    assert_in_range(host, FIRST_SERVER, FIRST_SERVER + world->topology->servers - 1);
    return &world->servers[host - FIRST_SERVER];
}

struct server *world_pick_primary(struct world *world)
{
    unsigned count = world->topology->servers;
    unsigned first = (unsigned)random_below(&world->random, count);
    for (unsigned i = 0; i < count; i++) {
        struct server *server = &world->servers[(first + i) % count];
        struct role role = server_role(server);
        if (role.is_primary && (role.replica_count > 0 || !world->topology->fails_over))
            return server;
    }
    fail_msg("no primary has a replica");
    return NULL;
}

bool world_run_tool(const struct world *world, const char *const *words)
{
    return world_run_on(world, TOOLS_HOST, words);
}

bool world_run_on(const struct world *world, unsigned host, const char *const *words)
{
    char path[SERVER_PATH_BYTES];
    int status = 1;
    uint64_t end_ns = history_now_ns() + TOOL_LIMIT_NS;
    snprintf(path, sizeof path, "%s/tools", world->folder);
    pid_t pid = hosts_spawn(host, words, path);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (history_now_ns() > end_ns)
            (void)kill(pid, SIGKILL);
        store_sleep_ms(PAUSE_MS);
    }
    return status == 0;
}
