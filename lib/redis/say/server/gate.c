/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/server/gate.h"

#include <jtiguard/status.h>
#include <stdio.h>
#include <string.h>

bool jtgi_gate_evicts(const jtg_redis_server *server)
{
    if (server->maxmemory_bytes == 0)
        return false;
    return server->maxmemory_bytes == JTG_REDIS_UNSTATED ||
           strcmp(server->policy, "noeviction") != 0;
}

jtg_status jtgi_gate_judge_mode(const jtg_redis_server *server, bool cluster_wanted, jtg_error *err)
{
    bool is_cluster = strcmp(server->mode, "cluster") == 0;
    if (strcmp(server->mode, "sentinel") == 0)
        return jtg_error_set(err, JTG_ERR_UNSUPPORTED, 0,
                             "redis: the server is a Sentinel and keeps no data: name it with "
                             "sentinels (redis+sentinel://)");
    if (is_cluster && !cluster_wanted)
        return jtg_error_set(err, JTG_ERR_UNSUPPORTED, 0,
                             "redis: the server is a node of a Cluster: name it with cluster_nodes "
                             "(redis+cluster://)");
    if (!is_cluster && cluster_wanted)
        return jtg_error_set(
            err, JTG_ERR_UNSUPPORTED, 0,
            "redis: the server is not a node of a Cluster, its mode is %s: name it "
            "with host (redis://), or switch cluster-enabled on",
            server->mode[0] == '\0' ? "not stated" : server->mode);
    return JTG_OK;
}

static jtg_status judge_state(const jtg_redis_server *server, jtg_error *err)
{
    if (server->loading == 1)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                             "redis: the server is loading its data set");
    if (strcmp(server->role, "slave") == 0)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0, "redis: the server is a replica");
    if (server->loading != 0 || strcmp(server->role, "master") != 0)
        return jtg_error_set(err, JTG_ERR_UNSAFE, 0,
                             "redis: INFO does not say that the server is a primary that has "
                             "loaded its data");
    return JTG_OK;
}

static jtg_status judge_disk(const jtg_redis_server *server, jtg_error *err)
{
    if (server->waitaof == 0)
        return jtg_error_set(err, JTG_ERR_UNSAFE, 0,
                             "redis: fsync needs WAITAOF, which the server does not offer");
    if (server->aof_enabled != 1)
        return jtg_error_set(err, JTG_ERR_UNSAFE, 0,
                             "redis: fsync needs an append-only file, which the server has not "
                             "(appendonly)");
    return JTG_OK;
}

static void format_limit(const jtg_redis_server *server, char text[], size_t size)
{
    if (server->maxmemory_bytes == JTG_REDIS_UNSTATED)
        (void)snprintf(text, size, "not stated, or twice");
    else
        (void)snprintf(text, size, "%llu", (unsigned long long)server->maxmemory_bytes);
}

void jtgi_gate_format_eviction(const jtg_redis_server *server, char text[JTGI_EVICTION_BYTES])
{
    char limit[24];
    format_limit(server, limit, sizeof limit);
    (void)snprintf(text, JTGI_EVICTION_BYTES, "maxmemory %s, maxmemory-policy %s", limit,
                   server->policy[0] == '\0' ? "not stated, or twice" : server->policy);
}

/* Both sides: what INFO says, and which of the two is missing. */
static jtg_status refuse_eviction(const jtg_redis_server *server, jtg_error *err)
{
    char says[JTGI_EVICTION_BYTES];
    bool is_set = strcmp(server->policy, "noeviction") == 0;
    jtgi_gate_format_eviction(server, says);
    return jtg_error_set(err, JTG_ERR_UNSAFE, 0,
                         "redis: the server may evict live entries: INFO says %s: %s", says,
                         is_set ? "let it state maxmemory" : "set the policy to noeviction");
}

jtg_status jtgi_gate_judge(const jtg_redis_server *server, const struct jtgi_redis_config *config,
                           jtg_error *err)
{
    const jtg_redis_options *options = &config->options;
    jtg_status status = jtgi_gate_judge_mode(server, config->slots > 1, err);
    if (status == JTG_OK)
        status = judge_state(server, err);
    if (status == JTG_OK && options->allow_eviction == 0 && jtgi_gate_evicts(server))
        return refuse_eviction(server, err);
    if (status == JTG_OK && options->fsync != 0)
        status = judge_disk(server, err);
    return status;
}
