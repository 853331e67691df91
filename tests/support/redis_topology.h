/* SPDX-License-Identifier: Apache-2.0 */
/* Several servers of a test's own: a primary with a replica under three Sentinels, and a Cluster of
 * three. Failures assert, and every wait has a bound. */
#ifndef TESTS_SUPPORT_REDIS_TOPOLOGY_H
#define TESTS_SUPPORT_REDIS_TOPOLOGY_H

#include "support/redis_server.h"

enum { TOPOLOGY_SENTINELS = 3, TOPOLOGY_NODES = 3 };

/* Wait until the first line of the answer begins so; false after half a minute. */
bool redis_server_comes_to_say(const struct redis_server *server, const char *line,
                               const char *beginning);

struct redis_failover {
    struct redis_server data[2]; /* at first 0 is the primary */
    struct redis_server sentinels[TOPOLOGY_SENTINELS];
    char addresses[128]; /* of the Sentinels, as options.sentinels wants them */
};

/* Everybody knows everybody when this returns. The primary's name is "main". */
void redis_failover_start(struct redis_failover *failover);
void redis_failover_stop(struct redis_failover *failover);

/* Wait until this one is a primary, or a replica that is in step. */
void redis_failover_await_primary(const struct redis_failover *failover, unsigned number);
void redis_failover_await_replica(const struct redis_failover *failover, unsigned number);

struct redis_cluster {
    struct redis_server nodes[TOPOLOGY_NODES]; /* a third of the slots each, in order */
    char addresses[128];                       /* as options.cluster_nodes wants them */
};

void redis_cluster_start(struct redis_cluster *cluster);
/* The same, but each slot has another node than its neighbour: as many ranges as slots. */
void redis_cluster_start_scattered(struct redis_cluster *cluster);
/* All nodes end, and new ones that nobody knows take their addresses: another Cluster, and empty.
 */
void redis_cluster_exchange(struct redis_cluster *cluster);
void redis_cluster_stop(struct redis_cluster *cluster);

#endif
