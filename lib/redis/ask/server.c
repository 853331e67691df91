/* SPDX-License-Identifier: Apache-2.0 */
/* What the server says about itself and lets us do, on a connection of its own: for the doctor. */
#include "core/clock.h"
#include "core/options.h"
#include "redis/ask/store.h"
#include "redis/line/deadline.h"
#include "redis/line/link.h"

#include <stdio.h>
#include <string.h>

/* The struct as it was first released. */
#define OLDEST_SIZE offsetof(jtg_redis_server, replication_id)

#define RULE(name, rule) rule
static const char acl_commands[] = "-@all" JTGI_COMMANDS(RULE);

const char *jtg_redis_acl_commands(void)
{
    return acl_commands;
}

/* Harmless calls, one a command, under a key of ours that never exists. A server checks the ACL
 * before it looks at what is asked for; errors other than NOPERM are as good as an answer. */
enum need { NEED_ALWAYS, NEED_REPLICAS, NEED_FSYNC, NEED_CLUSTER, NEED_SHARES };

static const struct {
    const char *name;
    unsigned words;
    bool keyed; /* the word after the name is our key */
    const char *rest[4];
    enum need need;
} probes[] = {
    {"ping", 1, false, {NULL}, NEED_ALWAYS},
    {"set", 6, true, {"1", "XX", "PX", "1"}, NEED_ALWAYS},
    {"get", 2, true, {NULL}, NEED_ALWAYS},
    {"del", 2, true, {NULL}, NEED_ALWAYS},
    {"pttl", 2, true, {NULL}, NEED_ALWAYS},
    {"pexpire", 3, true, {"1"}, NEED_ALWAYS},
    {"time", 1, false, {NULL}, NEED_ALWAYS},
    {"hget", 3, true, {"i"}, NEED_ALWAYS},
    {"hset",
     5,
     true,
     {"f", "v", "f"},
     NEED_ALWAYS}, /* a field without a value: it writes nothing */
    {"hdel", 3, true, {"i"}, NEED_ALWAYS},
    {"strlen", 2, true, {NULL}, NEED_ALWAYS},
    {"bitfield", 5, true, {"GET", "u1", "0"}, NEED_ALWAYS}, /* it writes nothing */
    {"zadd", 5, true, {"XX", "1", "m"}, NEED_SHARES},       /* XX: it adds nothing */
    {"zcount", 4, true, {"0", "1"}, NEED_SHARES},
    {"zscore", 3, true, {"m"}, NEED_SHARES},
    {"zrangebyscore", 4, true, {"0", "1"}, NEED_SHARES},
    {"zrem", 3, true, {"m"}, NEED_SHARES},
    {"scan", 4, false, {"0", "COUNT", "1"}, NEED_ALWAYS},
    {"eval", 3, false, {"return 1", "0"}, NEED_ALWAYS},
    {"evalsha", 3, false, {"0000000000000000000000000000000000000000", "0"}, NEED_ALWAYS},
    {"wait", 3, false, {"0", "0"}, NEED_REPLICAS},
    {"waitaof", 4, false, {"0", "0", "0"}, NEED_FSYNC},
    {"asking", 1, false, {NULL}, NEED_CLUSTER},
    {"cluster", 2, false, {"SLOTS"}, NEED_CLUSTER},
};

enum { PROBES = sizeof probes / sizeof probes[0], LATENCY_ROUNDS = 3 };

static void build_probe(struct jtgi_command *command, const struct jtgi_shared *shared,
                        size_t probe)
{
    static const unsigned char mark[] = {0xff, 'p', ':', 'a', 'c', 'l'};
    unsigned extra = probes[probe].words - 1 - (probes[probe].keyed ? 1 : 0);
    jtgi_command_begin(command, probes[probe].words);
    jtgi_command_text(command, probes[probe].name);
    if (probes[probe].keyed)
        jtgi_command_joined(command, shared->config.options.prefix, shared->config.prefix_len, mark,
                            sizeof mark);
    for (unsigned i = 0; i < extra; i++)
        jtgi_command_text(command, probes[probe].rest[i]);
}

static bool is_needed(const struct jtgi_shared *shared, enum need need)
{
    const jtg_redis_options *options = &shared->config.options;
    switch (need) {
    case NEED_REPLICAS:
        return options->replicas != 0 && options->fsync == 0;
    case NEED_FSYNC:
        return options->fsync != 0;
    case NEED_CLUSTER:
        return shared->config.slots > 1;
    case NEED_SHARES:
        return options->max_entries_per_group != 0;
    default:
        return true;
    }
}

enum { NAMES_BYTES = sizeof((jtg_redis_server *)0)->missing_commands };
_Static_assert(NAMES_BYTES == sizeof((jtg_redis_server *)0)->unknown_commands, "lists alike");

static void note(char names[NAMES_BYTES], const char *name)
{
    size_t len = strlen(names);
    (void)snprintf(names + len, NAMES_BYTES - len, "%s%s", len == 0 ? "" : " ", name);
}

/* It matters whether there is an answer; that of CLUSTER SLOTS may be long. */
static void let_pass(void *context, const redisReply *element)
{
    (void)context;
    (void)element;
}

static jtg_status ask_probe(struct jtgi_shared *shared, struct jtgi_connection *connection,
                            size_t probe, int64_t deadline_ns, jtg_redis_server *server,
                            jtg_error *err)
{
    struct jtgi_taker taker = {let_pass, NULL};
    struct jtgi_command command;
    redisReply *reply = NULL;
    jtgi_command_init(&command);
    build_probe(&command, shared, probe);
    jtg_status status = jtgi_link_ask_each(connection, &command, &taker, deadline_ns, &reply, err);
    jtgi_command_clear(&command);
    if (status != JTG_OK)
        return status;
    const struct jtgi_error_row *row = jtgi_reply_error(reply);
    if (row != NULL && row->class == JTGI_CLASS_ACCESS)
        note(server->missing_commands, probes[probe].name);
    if (row != NULL && row->class == JTGI_CLASS_COMMAND)
        note(server->unknown_commands, probes[probe].name);
    freeReplyObject(reply);
    return JTG_OK;
}

static jtg_status measure(struct jtgi_shared *shared, struct jtgi_connection *connection,
                          int64_t deadline_ns, jtg_redis_server *server, jtg_error *err)
{
    jtg_redis_server unused = {0};
    jtg_status status = JTG_OK;
    server->latency_us = JTG_REDIS_UNSTATED;
    for (unsigned i = 0; i < LATENCY_ROUNDS && status == JTG_OK; i++) {
        int64_t start = jtgi_now_ns();
        status = ask_probe(shared, connection, 0, deadline_ns, &unused, err);
        uint64_t took_us = (uint64_t)(jtgi_now_ns() - start) / 1000;
        if (status == JTG_OK && took_us < server->latency_us)
            server->latency_us = took_us;
    }
    return status;
}

/* A server that knows WAITAOF answers it, or denies it. */
static jtg_status probe_waitaof(struct jtgi_connection *connection, int64_t deadline_ns,
                                jtg_redis_server *server, jtg_error *err)
{
    struct jtgi_command command;
    redisReply *reply = NULL;
    jtgi_command_init(&command);
    jtgi_command_begin(&command, 4);
    jtgi_command_text(&command, "WAITAOF");
    for (unsigned i = 0; i < 3; i++)
        jtgi_command_text(&command, "0");
    jtg_status status = jtgi_link_ask(connection, &command, deadline_ns, &reply, err);
    jtgi_command_clear(&command);
    if (status != JTG_OK)
        return status;
    const struct jtgi_error_row *row = jtgi_reply_error(reply);
    server->waitaof = row == NULL || row->class == JTGI_CLASS_ACCESS;
    freeReplyObject(reply);
    return JTG_OK;
}

static jtg_status examine(struct jtgi_shared *shared, struct jtgi_connection *connection,
                          int64_t deadline_ns, jtg_redis_server *server, jtg_error *err)
{
    jtg_status status = measure(shared, connection, deadline_ns, server, err);
    if (status == JTG_OK)
        status = probe_waitaof(connection, deadline_ns, server, err);
    for (size_t i = 0; i < PROBES && status == JTG_OK; i++)
        if (is_needed(shared, probes[i].need))
            status = ask_probe(shared, connection, i, deadline_ns, server, err);
    if (status == JTG_OK && server->unknown_commands[0] != '\0')
        return jtg_error_set(err, JTG_ERR_REFUSED, 0,
                             "redis: the server does not know commands, renamed or switched off: "
                             "%s",
                             server->unknown_commands);
    if (status == JTG_OK && server->missing_commands[0] != '\0')
        return jtg_error_set(err, JTG_ERR_REFUSED, 0, "redis: the ACL user lacks commands: %s",
                             server->missing_commands);
    return status;
}

static jtg_status describe_node(void *context, struct jtgi_node *node, int64_t deadline_ns,
                                jtg_error *err)
{
    jtg_redis_server *server = context;
    struct jtgi_connection *connection = NULL;
    jtg_error later = JTG_ERROR_INIT;
    memset(server, 0, sizeof *server);
    jtg_status gate = jtgi_node_connect(node, deadline_ns, &connection, server, err);
    if (connection == NULL)
        return gate;
    jtg_status status = examine(node->shared, connection, deadline_ns, server, &later);
    jtgi_connection_free(connection);
    if (gate != JTG_OK)
        return gate;
    return status == JTG_OK ? JTG_OK
                            : jtg_error_set(err, status, later.system_errno, "%s", later.text);
}

/* Of those who name the servers, to what is said of one of them. */
static void add_naming(jtg_redis_server *server, const jtg_redis_server *naming)
{
    server->sentinels_known = naming->sentinels_known;
    server->sentinels_total = naming->sentinels_total;
    server->nodes_known = naming->nodes_known;
    server->slots_covered = naming->slots_covered;
}

/* In a Cluster the first primary that is not well, or else the last one. */
static jtg_status describe(struct jtgi_redis *redis, jtg_redis_server *server, jtg_error *err)
{
    int64_t deadline_ns = jtgi_deadline_in_ms(redis->shared.config.options.timeout_ms);
    jtg_redis_server naming = {0};
    jtg_status status = jtgi_route_describe(&redis->route, deadline_ns, &naming, err);
    if (status == JTG_OK)
        status = jtgi_route_each(&redis->route, deadline_ns, describe_node, server, err);
    add_naming(server, &naming);
    return status;
}

jtg_status jtg_redis_server_get(jtg_cache *cache, jtg_redis_server *server, jtg_error *err)
{
    jtg_status status = JTG_OK;
    struct jtgi_redis *redis = jtgi_redis_of(cache, &status, err);
    if (redis == NULL)
        return status;
    if (server == NULL || !jtgi_struct_size_ok(server->struct_size, OLDEST_SIZE))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "server: struct_size is not set");
    jtg_redis_server now = {.struct_size = sizeof now};
    status = describe(redis, &now, err);
    jtgi_struct_give(server, &now, sizeof now);
    return status;
}
