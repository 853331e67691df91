/* SPDX-License-Identifier: Apache-2.0 */
/* The contract list against the Redis backend, on a server of its own: with one connection and
 * with three, and as an ACL user that may do no more than jtg_redis_acl_commands() says. */
#include "contract/contract.h"
#include "support/asserts.h"
#include "support/redis_server.h"

#include <hiredis/hiredis.h>
#include <jtiguard/redis.h>
#include <stdio.h>
#include <stdlib.h>

static struct redis_server server;

struct store {
    redisContext *side; /* moves time */
    jtg_redis_options options;
    char prefix[32];
};

/* Time goes on for every entry under the prefix: keys come ms nearer to their end, and so does
 * every value in a list. What has ended is removed. */
static const char advance_script[] =
    "local ms = tonumber(ARGV[2])\n"
    "for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do\n"
    "  local index = redis.call('TYPE', key).ok == 'hash' and redis.call('HGET', key, 'i')\n"
    "  if index then\n"
    "    redis.call('HSET', key, 'i', (string.gsub(index, ':(%d+)', function(ends)\n"
    "      return ':' .. string.format('%.0f', tonumber(ends) - ms * 1000) end)))\n"
    "  end\n"
    "  local left = redis.call('PTTL', key) - ms\n"
    "  if left <= 0 then redis.call('DEL', key) else redis.call('PEXPIRE', key, left) end\n"
    "end\n"
    "return 1";

static void advance(void *opened, uint64_t ms)
{
    struct store *store = opened;
    redisReply *reply = redisCommand(store->side, "EVAL %s 0 %s %llu", advance_script,
                                     store->prefix, (unsigned long long)ms);
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
    freeReplyObject(reply);
}

static jtg_cache *open_with_prefix(const struct store *store, const char *prefix)
{
    jtg_cache *cache = NULL;
    jtg_redis_options options = store->options;
    options.prefix = prefix;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    return cache;
}

static jtg_cache *open_again(void *opened)
{
    struct store *store = opened;
    return open_with_prefix(store, store->prefix);
}

/* The same letters with a wildcard in them: a pattern that is not escaped would reach both. */
static jtg_cache *open_neighbour(void *opened)
{
    return open_with_prefix(opened, "neigh?our*:");
}

static void empty_server(const struct store *store)
{
    redisReply *reply = redisCommand(store->side, "FLUSHDB");
    assert_non_null(reply);
    freeReplyObject(reply);
}

static jtg_cache *open_as(void **opened, const char *user, uint32_t connections)
{
    static unsigned opened_before;
    struct store *store = calloc(1, sizeof *store);
    assert_non_null(store);
    jtg_redis_options_init(&store->options);
    store->options.port = server.port;
    store->options.timeout_ms = 20000; /* a busy machine must not fail the list */
    store->options.connections = connections;
    store->options.user = user;
    store->options.password = user == NULL ? NULL : "contract";
    (void)snprintf(store->prefix, sizeof store->prefix, "contract-%u:", opened_before++);
    store->side = redisConnect("127.0.0.1", server.port);
    assert_true(store->side != NULL && store->side->err == 0);
    empty_server(store);
    *opened = store;
    return open_again(store);
}

static jtg_cache *open_one(const struct contract_limits *limits, void **store)
{
    (void)limits;
    return open_as(store, NULL, 1);
}

static jtg_cache *open_three(const struct contract_limits *limits, void **store)
{
    (void)limits;
    return open_as(store, NULL, 3);
}

static jtg_cache *open_restricted(const struct contract_limits *limits, void **store)
{
    (void)limits;
    return open_as(store, "contract", 1);
}

static void close_store(void *opened)
{
    struct store *store = opened;
    redisFree(store->side);
    free(store);
}

static void make_user(void)
{
    char line[512];
    char reply[128];
    (void)snprintf(line, sizeof line, "ACL SETUSER contract on >contract resetchannels ~* %s",
                   jtg_redis_acl_commands());
    assert_true(redis_server_ask(&server, line, reply, sizeof reply));
    assert_string_equal(reply, "+OK");
}

#define REDIS                                                                                      \
    .name = "redis", .slack_ms = 400,                                                              \
    .offers = CONTRACT_VALUES | CONTRACT_SHARED | CONTRACT_NEIGHBOUR, .open_again = open_again,    \
    .open_neighbour = open_neighbour, .advance = advance, .close = close_store

int main(void)
{
    static const struct contract_backend one = {REDIS, .open = open_one};
    static const struct contract_backend three = {REDIS, .open = open_three};
    static const struct contract_backend restricted = {REDIS, .open = open_restricted};
    redis_server_start(&server, NULL);
    make_user();
    int failed = contract_run(&one) + contract_run(&three) + contract_run(&restricted);
    redis_server_stop(&server);
    return failed;
}
