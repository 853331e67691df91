/* SPDX-License-Identifier: Apache-2.0 */
#include "support/redis_topology.h"

#include "support/asserts.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_S = 30, SLOTS = 16384 };

static void sleep_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

bool redis_server_comes_to_say(const struct redis_server *server, const char *line,
                               const char *beginning)
{
    char reply[256];
    for (int i = 0; i < PATIENCE_S * 100; i++) {
        if (redis_server_ask(server, line, reply, sizeof reply) &&
            strncmp(reply, beginning, strlen(beginning)) == 0)
            return true;
        sleep_ms(10);
    }
    return false;
}

static void tell(const struct redis_server *server, const char *line)
{
    char reply[256];
    assert_true(redis_server_ask(server, line, reply, sizeof reply));
    if (strcmp(reply, "+OK") != 0)
        fail_msg("%s: %s", line, reply);
}

static void add_address(char *addresses, size_t size, const struct redis_server *server)
{
    size_t len = strlen(addresses);
    (void)snprintf(addresses + len, size - len, "%s127.0.0.1:%u", len == 0 ? "" : ",",
                   (unsigned)server->port);
}

/* ---- Sentinels ---- */

static void start_data(struct redis_failover *failover)
{
    static const char *const options[] = {"--repl-diskless-sync-delay", "0", NULL};
    char line[64];
    redis_server_start(&failover->data[0], options);
    redis_server_start(&failover->data[1], options);
    (void)snprintf(line, sizeof line, "REPLICAOF 127.0.0.1 %u", (unsigned)failover->data[0].port);
    tell(&failover->data[1], line);
    redis_failover_await_replica(failover, 1);
}

static void start_sentinel(struct redis_failover *failover, unsigned number)
{
    struct redis_server *sentinel = &failover->sentinels[number];
    char line[96];
    redis_server_start_sentinel(sentinel, NULL);
    (void)snprintf(line, sizeof line, "SENTINEL MONITOR main 127.0.0.1 %u 2",
                   (unsigned)failover->data[0].port);
    tell(sentinel, line);
    tell(sentinel, "SENTINEL SET main down-after-milliseconds 500");
    tell(sentinel, "SENTINEL SET main failover-timeout 1000");
    add_address(failover->addresses, sizeof failover->addresses, sentinel);
}

void redis_failover_start(struct redis_failover *failover)
{
    memset(failover, 0, sizeof *failover);
    start_data(failover);
    for (unsigned i = 0; i < TOPOLOGY_SENTINELS; i++)
        start_sentinel(failover, i);
    for (unsigned i = 0; i < TOPOLOGY_SENTINELS; i++) {
        const struct redis_server *sentinel = &failover->sentinels[i];
        assert_true(redis_server_comes_to_say(sentinel, "SENTINEL CKQUORUM main", "+OK 3 "));
        assert_true(redis_server_comes_to_say(sentinel, "SENTINEL REPLICAS main", "*1"));
    }
}

void redis_failover_stop(struct redis_failover *failover)
{
    for (unsigned i = 0; i < TOPOLOGY_SENTINELS; i++)
        redis_server_stop(&failover->sentinels[i]);
    for (unsigned i = 0; i < 2; i++)
        redis_server_stop(&failover->data[i]);
}

/* ROLE of a primary has three parts, that of a replica five. */
void redis_failover_await_primary(const struct redis_failover *failover, unsigned number)
{
    assert_true(redis_server_comes_to_say(&failover->data[number], "ROLE", "*3"));
}

/* Its primary counts it. */
void redis_failover_await_replica(const struct redis_failover *failover, unsigned number)
{
    assert_true(redis_server_comes_to_say(&failover->data[number], "ROLE", "*5"));
    assert_true(redis_server_comes_to_say(&failover->data[1 - number], "WAIT 1 100", ":1"));
}

/* ---- Cluster ---- */

static void start_node(struct redis_cluster *cluster, unsigned number)
{
    static const char *const options[] = {"--cluster-enabled", "yes", "--cluster-node-timeout",
                                          "2000", NULL};
    struct redis_server *node = &cluster->nodes[number];
    unsigned share = SLOTS / TOPOLOGY_NODES + 1;
    unsigned last = (number + 1) * share - 1;
    char line[96];
    redis_server_start(node, options);
    (void)snprintf(line, sizeof line, "CLUSTER ADDSLOTSRANGE %u %u", number * share,
                   last < SLOTS ? last : SLOTS - 1);
    tell(node, line);
    (void)snprintf(line, sizeof line, "CLUSTER SET-CONFIG-EPOCH %u", number + 1);
    tell(node, line);
    add_address(cluster->addresses, sizeof cluster->addresses, node);
    (void)snprintf(line, sizeof line, "CLUSTER MEET 127.0.0.1 %u",
                   (unsigned)cluster->nodes[0].port);
    if (number > 0)
        tell(node, line);
}

/* foo lies in the last third. */
void redis_cluster_start(struct redis_cluster *cluster)
{
    memset(cluster, 0, sizeof *cluster);
    for (unsigned i = 0; i < TOPOLOGY_NODES; i++)
        start_node(cluster, i);
    for (unsigned i = 0; i < TOPOLOGY_NODES; i++) {
        const char *expected = i == TOPOLOGY_NODES - 1 ? "$-1" : "-MOVED";
        assert_true(redis_server_comes_to_say(&cluster->nodes[i], "GET foo", expected));
        assert_true(redis_server_comes_to_say(&cluster->nodes[i], "CLUSTER SLOTS", "*3"));
    }
}

void redis_cluster_stop(struct redis_cluster *cluster)
{
    for (unsigned i = 0; i < TOPOLOGY_NODES; i++)
        redis_server_stop(&cluster->nodes[i]);
}
