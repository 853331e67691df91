/* SPDX-License-Identifier: Apache-2.0 */
/* What the server says about itself and lets us do, on a connection of its own: for the doctor. */
#include "core/clock.h"
#include "core/options.h"
#include "redis/deadline.h"
#include "redis/store.h"

#include <stdio.h>
#include <string.h>

/* Everything that this backend sends, and what its scripts run. */
#define COMMANDS(X)                                                                                \
    X("ping")                                                                                      \
    X("info")                                                                                      \
    X("set")                                                                                       \
    X("get")                                                                                       \
    X("del")                                                                                       \
    X("pttl")                                                                                      \
    X("pexpire")                                                                                   \
    X("time")                                                                                      \
    X("hget")                                                                                      \
    X("hset")                                                                                      \
    X("hdel")                                                                                      \
    X("scan")                                                                                      \
    X("eval")                                                                                      \
    X("evalsha")

#define RULE(name) " +" name
static const char acl_commands[] = "-@all" COMMANDS(RULE);

const char *jtg_redis_acl_commands(void)
{
    return acl_commands;
}

/* Harmless calls, one a command, under a key of ours that never exists. A server checks the ACL
 * before it looks at what is asked for; errors other than NOPERM are as good as an answer. */
static const struct {
    const char *name;
    unsigned words;
    bool keyed; /* the word after the name is our key */
    const char *rest[4];
} probes[] = {
    {"ping", 1, false, {NULL}},
    {"set", 6, true, {"1", "XX", "PX", "1"}},
    {"get", 2, true, {NULL}},
    {"del", 2, true, {NULL}},
    {"pttl", 2, true, {NULL}},
    {"pexpire", 3, true, {"1"}},
    {"time", 1, false, {NULL}},
    {"hget", 3, true, {"i"}},
    {"hset", 5, true, {"f", "v", "f"}}, /* a field without a value: it writes nothing */
    {"hdel", 3, true, {"i"}},
    {"scan", 4, false, {"0", "COUNT", "1"}},
    {"eval", 3, false, {"return 1", "0"}},
    {"evalsha", 3, false, {"0000000000000000000000000000000000000000", "0"}},
};

enum { PROBES = sizeof probes / sizeof probes[0], LATENCY_ROUNDS = 3 };

static void build_probe(struct jtgi_command *command, const struct jtgi_redis *redis, size_t probe)
{
    static const unsigned char mark[] = {0xff, 'p', ':', 'a', 'c', 'l'};
    unsigned extra = probes[probe].words - 1 - (probes[probe].keyed ? 1 : 0);
    jtgi_command_begin(command, probes[probe].words);
    jtgi_command_text(command, probes[probe].name);
    if (probes[probe].keyed)
        jtgi_command_joined(command, redis->config.options.prefix, redis->config.prefix_len, mark,
                            sizeof mark);
    for (unsigned i = 0; i < extra; i++)
        jtgi_command_text(command, probes[probe].rest[i]);
}

static void note_missing(jtg_redis_server *server, const char *name)
{
    size_t len = strlen(server->missing_commands);
    (void)snprintf(server->missing_commands + len, sizeof server->missing_commands - len, "%s%s",
                   len == 0 ? "" : " ", name);
}

/* One question on the doctor's own connection. */
static jtg_status ask(struct jtgi_connection *connection, const struct jtgi_command *command,
                      int64_t deadline_ns, redisReply **reply, jtg_error *err)
{
    struct jtgi_fault fault;
    size_t sent = 0;
    *reply = NULL;
    if (command->failed)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "redis: no memory for a command");
    if (jtgi_connection_send(connection, command->bytes, command->len, &sent, deadline_ns, &fault))
        *reply = jtgi_connection_receive(connection, deadline_ns, &fault);
    if (*reply == NULL)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, fault.cause, "redis: %s", fault.text);
    return JTG_OK;
}

static jtg_status ask_probe(struct jtgi_redis *redis, struct jtgi_connection *connection,
                            size_t probe, int64_t deadline_ns, jtg_redis_server *server,
                            jtg_error *err)
{
    struct jtgi_command command;
    redisReply *reply = NULL;
    jtgi_command_init(&command);
    build_probe(&command, redis, probe);
    jtg_status status = ask(connection, &command, deadline_ns, &reply, err);
    jtgi_command_clear(&command);
    if (status != JTG_OK)
        return status;
    const struct jtgi_error_row *row = jtgi_reply_error(reply);
    if (row != NULL && row->class == JTGI_CLASS_ACCESS)
        note_missing(server, probes[probe].name);
    freeReplyObject(reply);
    return JTG_OK;
}

static jtg_status measure(struct jtgi_redis *redis, struct jtgi_connection *connection,
                          int64_t deadline_ns, jtg_redis_server *server, jtg_error *err)
{
    jtg_redis_server unused = {0};
    jtg_status status = JTG_OK;
    server->latency_us = JTG_REDIS_UNSTATED;
    for (unsigned i = 0; i < LATENCY_ROUNDS && status == JTG_OK; i++) {
        int64_t start = jtgi_now_ns();
        status = ask_probe(redis, connection, 0, deadline_ns, &unused, err);
        uint64_t took_us = (uint64_t)(jtgi_now_ns() - start) / 1000;
        if (status == JTG_OK && took_us < server->latency_us)
            server->latency_us = took_us;
    }
    return status;
}

static jtg_status examine(struct jtgi_redis *redis, struct jtgi_connection *connection,
                          int64_t deadline_ns, jtg_redis_server *server, jtg_error *err)
{
    jtg_status status = measure(redis, connection, deadline_ns, server, err);
    for (size_t i = 0; i < PROBES && status == JTG_OK; i++)
        status = ask_probe(redis, connection, i, deadline_ns, server, err);
    if (status == JTG_OK && server->missing_commands[0] != '\0')
        return jtg_error_set(err, JTG_ERR_REFUSED, 0, "redis: the ACL user lacks commands: %s",
                             server->missing_commands);
    return status;
}

static jtg_status describe(struct jtgi_redis *redis, jtg_redis_server *server, jtg_error *err)
{
    struct jtgi_connection *connection = NULL;
    jtg_error later = JTG_ERROR_INIT;
    int64_t deadline_ns = jtgi_deadline_in_ms(redis->config.options.timeout_ms);
    jtg_status gate = jtgi_store_connect(redis, deadline_ns, &connection, server, err);
    if (connection == NULL)
        return gate;
    jtg_status status = examine(redis, connection, deadline_ns, server, &later);
    jtgi_connection_free(connection);
    if (gate != JTG_OK)
        return gate;
    return status == JTG_OK ? JTG_OK
                            : jtg_error_set(err, status, later.system_errno, "%s", later.text);
}

jtg_status jtg_redis_server_get(jtg_cache *cache, jtg_redis_server *server, jtg_error *err)
{
    jtg_status status = JTG_OK;
    struct jtgi_redis *redis = jtgi_redis_of(cache, &status, err);
    if (redis == NULL)
        return status;
    if (server == NULL || !jtgi_output_size_ok(server->struct_size, sizeof *server))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "server: struct_size is not set");
    size_t given_size = server->struct_size;
    jtg_redis_server now = {.struct_size = given_size};
    status = describe(redis, &now, err);
    now.struct_size = given_size;
    memcpy(server, &now, given_size < sizeof now ? given_size : sizeof now);
    return status;
}
