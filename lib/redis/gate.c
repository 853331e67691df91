/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/gate.h"

#include <jtiguard/backend.h>
#include <string.h>

bool jtgi_gate_evicts(const jtg_redis_server *server)
{
    if (server->maxmemory_bytes == 0)
        return false;
    return server->maxmemory_bytes == JTG_REDIS_UNSTATED ||
           strcmp(server->policy, "noeviction") != 0;
}

static jtg_status judge_state(const jtg_redis_server *server, jtg_error *err)
{
    if (server->loading == 1)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                             "redis: the server is loading its data set");
    if (strcmp(server->role, "slave") == 0)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0, "redis: the server is a replica");
    if (strcmp(server->mode, "cluster") == 0)
        return jtg_error_set(err, JTG_ERR_UNSUPPORTED, 0,
                             "redis: the server is a cluster node, which this version does not "
                             "support");
    if (strcmp(server->mode, "sentinel") == 0)
        return jtg_error_set(err, JTG_ERR_UNSUPPORTED, 0,
                             "redis: the server is a Sentinel and keeps no data");
    return JTG_OK;
}

jtg_status jtgi_gate_judge(const jtg_redis_server *server, bool allow_eviction, jtg_error *err)
{
    jtg_status status = judge_state(server, err);
    if (status != JTG_OK)
        return status;
    if (server->loading != 0 || strcmp(server->role, "master") != 0)
        return jtg_error_set(err, JTG_ERR_UNSAFE, 0,
                             "redis: INFO does not say that the server is a primary that has "
                             "loaded its data");
    if (!allow_eviction && jtgi_gate_evicts(server))
        return jtg_error_set(err, JTG_ERR_UNSAFE, 0,
                             "redis: the server may evict live entries: maxmemory-policy is %s, "
                             "set it to noeviction",
                             server->policy[0] == '\0' ? "not stated" : server->policy);
    return JTG_OK;
}
