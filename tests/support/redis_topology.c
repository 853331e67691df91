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
    char reply[256] = "";
    for (int i = 0; i < PATIENCE_S * 100; i++) {
        if (redis_server_ask(server, line, reply, sizeof reply) &&
            strncmp(reply, beginning, strlen(beginning)) == 0)
            return true;
        sleep_ms(10);
    }
    print_message("%s: %s, not %s\n", line, reply, beginning);
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

static void add_third(const struct redis_server *node, unsigned number)
{
    unsigned share = SLOTS / TOPOLOGY_NODES + 1;
    unsigned last = (number + 1) * share - 1;
    char line[96];
    (void)snprintf(line, sizeof line, "CLUSTER ADDSLOTSRANGE %u %u", number * share,
                   last < SLOTS ? last : SLOTS - 1);
    tell(node, line);
}

static void add_every_third(const struct redis_server *node, unsigned number)
{
    static char line[SLOTS * 3];
    size_t len = (size_t)snprintf(line, sizeof line, "CLUSTER ADDSLOTS");
    for (unsigned slot = number; slot < SLOTS; slot += TOPOLOGY_NODES)
        len += (size_t)snprintf(line + len, sizeof line - len, " %u", slot);
    tell(node, line);
}

static void start_node(struct redis_cluster *cluster, unsigned number)
{
    static const char *const options[] = {"--cluster-enabled", "yes", "--cluster-node-timeout",
                                          "2000", NULL};
    redis_server_start(&cluster->nodes[number], options);
    add_address(cluster->addresses, sizeof cluster->addresses, &cluster->nodes[number]);
}

/* A node that knows none of the others yet. */
static void found_node(const struct redis_cluster *cluster, unsigned number,
                       void (*add_slots)(const struct redis_server *node, unsigned number))
{
    const struct redis_server *node = &cluster->nodes[number];
    char line[96];
    add_slots(node, number);
    (void)snprintf(line, sizeof line, "CLUSTER SET-CONFIG-EPOCH %u", number + 1);
    tell(node, line);
    (void)snprintf(line, sizeof line, "CLUSTER MEET 127.0.0.1 %u",
                   (unsigned)cluster->nodes[0].port);
    if (number > 0)
        tell(node, line);
}

/* Everybody knows when one of them serves foo and each names so many ranges. */
static void found_cluster(const struct redis_cluster *cluster,
                          void (*add_slots)(const struct redis_server *node, unsigned number),
                          unsigned with_foo, const char *ranges)
{
    for (unsigned i = 0; i < TOPOLOGY_NODES; i++)
        found_node(cluster, i, add_slots);
    for (unsigned i = 0; i < TOPOLOGY_NODES; i++) {
        const char *expected = i == with_foo ? "$-1" : "-MOVED";
        assert_true(redis_server_comes_to_say(&cluster->nodes[i], "GET foo", expected));
        assert_true(redis_server_comes_to_say(&cluster->nodes[i], "CLUSTER SLOTS", ranges));
    }
}

static void start_nodes(struct redis_cluster *cluster)
{
    memset(cluster, 0, sizeof *cluster);
    for (unsigned i = 0; i < TOPOLOGY_NODES; i++)
        start_node(cluster, i);
}

static void found_in_thirds(const struct redis_cluster *cluster)
{
    found_cluster(cluster, add_third, TOPOLOGY_NODES - 1, "*3");
}

void redis_cluster_start(struct redis_cluster *cluster)
{
    start_nodes(cluster);
    found_in_thirds(cluster);
}

void redis_cluster_start_scattered(struct redis_cluster *cluster)
{
    enum { FOO = 12182 };
    start_nodes(cluster);
    found_cluster(cluster, add_every_third, FOO % TOPOLOGY_NODES, "*16384");
}

/* Who a node is lies in its folder. */
void redis_cluster_exchange(struct redis_cluster *cluster)
{
    char path[96];
    for (unsigned i = 0; i < TOPOLOGY_NODES; i++)
        redis_server_kill(&cluster->nodes[i]);
    for (unsigned i = 0; i < TOPOLOGY_NODES; i++) {
        (void)snprintf(path, sizeof path, "%s/nodes.conf", cluster->nodes[i].folder);
        assert_int_equal(remove(path), 0);
        redis_server_start_again(&cluster->nodes[i]);
    }
    found_in_thirds(cluster);
}

void redis_cluster_stop(struct redis_cluster *cluster)
{
    for (unsigned i = 0; i < TOPOLOGY_NODES; i++)
        redis_server_stop(&cluster->nodes[i]);
}
