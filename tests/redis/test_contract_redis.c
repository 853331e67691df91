/* SPDX-License-Identifier: Apache-2.0 */
/* The contract list against the Redis backend, on a server of its own: with one connection and
 * with three, as an ACL user that may do no more than jtg_redis_acl_commands() says, and without
 * continuity; and on a Cluster, as such a user too. */
#include "contract/contract.h"
#include "support/asserts.h"
#include "support/redis_topology.h"

#include <hiredis/hiredis.h>
#include <jtiguard/redis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What may pass between two steps of a case: dozens of round trips, on a busy machine. */
enum { SLACK_MS = 2000 };

static struct redis_server server;
static struct redis_cluster cluster;

struct store {
    redisContext *sides[TOPOLOGY_NODES]; /* move time, on every primary */
    unsigned side_count;
    jtg_redis_options options;
    char prefix[32];
};

/* Time goes on for every entry under the prefix: keys come ms nearer to their end, and so does
 * every value in a list and every member of a share. What has ended is removed. */
static const char advance_script[] =
    "local ms = tonumber(ARGV[2])\n"
    "for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do\n"
    "  local index = redis.call('TYPE', key).ok == 'hash' and redis.call('HGET', key, 'i')\n"
    "  if index then\n"
    "    redis.call('HSET', key, 'i', (string.gsub(index, ':(%d+)', function(ends)\n"
    "      return ':' .. string.format('%.0f', tonumber(ends) - ms * 1000) end)))\n"
    "  end\n"
    "  if redis.call('TYPE', key).ok == 'zset' then\n"
    "    local all = redis.call('ZRANGE', key, 0, -1)\n"
    "    for _, member in ipairs(all) do redis.call('ZINCRBY', key, -ms, member) end\n"
    "  end\n"
    "  local left = redis.call('PTTL', key)\n" /* -1: it has no end */
    "  if left >= 0 and left <= ms then redis.call('DEL', key) end\n"
    "  if left > ms then redis.call('PEXPIRE', key, left - ms) end\n"
    "end\n"
    "return 1";

static void advance(void *opened, uint64_t ms)
{
    struct store *store = opened;
    for (unsigned i = 0; i < store->side_count; i++) {
        redisReply *reply = redisCommand(store->sides[i], "EVAL %s 0 %s %llu", advance_script,
                                         store->prefix, (unsigned long long)ms);
        assert_non_null(reply);
        assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
        freeReplyObject(reply);
    }
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

static void empty_servers(const struct store *store)
{
    for (unsigned i = 0; i < store->side_count; i++) {
        redisReply *reply = redisCommand(store->sides[i], "FLUSHALL");
        assert_non_null(reply);
        freeReplyObject(reply);
    }
}

static struct store *make_store(const struct redis_server *servers, unsigned count,
                                const char *user, const struct contract_limits *limits)
{
    static unsigned made_before;
    struct store *store = calloc(1, sizeof *store);
    assert_non_null(store);
    jtg_redis_options_init(&store->options);
    store->options.timeout_ms = 20000; /* a busy machine must not fail the list */
    store->options.max_entries_per_group = limits->max_entries_per_group;
    store->options.user = user;
    store->options.password = user == NULL ? NULL : "contract";
    (void)snprintf(store->prefix, sizeof store->prefix, "contract-%u:", made_before++);
    for (; store->side_count < count; store->side_count++) {
        redisContext *side = redisConnect("127.0.0.1", servers[store->side_count].port);
        assert_true(side != NULL && side->err == 0);
        store->sides[store->side_count] = side;
    }
    empty_servers(store);
    return store;
}

static jtg_cache *open_as(void **opened, const char *user, uint32_t connections,
                          const struct contract_limits *limits)
{
    struct store *store = make_store(&server, 1, user, limits);
    store->options.port = server.port;
    store->options.connections = connections;
    *opened = store;
    return open_again(store);
}

/* Not watched: here it is about where keys lie, and 16,384 markers a case would take minutes. */
static jtg_cache *open_cluster_as(void **opened, const char *user, const char *tag,
                                  const struct contract_limits *limits)
{
    struct store *store = make_store(cluster.nodes, TOPOLOGY_NODES, user, limits);
    size_t len = strlen(store->prefix);
    (void)snprintf(store->prefix + len, sizeof store->prefix - len, "%s", tag);
    store->options.cluster_nodes = cluster.addresses;
    store->options.continuity = 0;
    *opened = store;
    return open_again(store);
}

static jtg_cache *open_one(const struct contract_limits *limits, void **store)
{
    return open_as(store, NULL, 1, limits);
}

static jtg_cache *open_three(const struct contract_limits *limits, void **store)
{
    return open_as(store, NULL, 3, limits);
}

static jtg_cache *open_unwatched(const struct contract_limits *limits, void **opened)
{
    jtg_cache_free(open_one(limits, opened));
    ((struct store *)*opened)->options.continuity = 0;
    return open_again(*opened);
}

static jtg_cache *open_restricted(const struct contract_limits *limits, void **store)
{
    return open_as(store, "contract", 1, limits);
}

static jtg_cache *open_cluster(const struct contract_limits *limits, void **store)
{
    return open_cluster_as(store, NULL, "", limits);
}

static jtg_cache *open_cluster_restricted(const struct contract_limits *limits, void **store)
{
    return open_cluster_as(store, "contract", "", limits);
}

/* In one slot, where a share is that of the whole cache. */
static jtg_cache *open_one_slot(const struct contract_limits *limits, void **store)
{
    return open_cluster_as(store, "contract", "{slot}", limits);
}

static void forget(void *opened)
{
    empty_servers(opened);
}

static void close_store(void *opened)
{
    struct store *store = opened;
    for (unsigned i = 0; i < store->side_count; i++)
        redisFree(store->sides[i]);
    free(store);
}

static void make_user(const struct redis_server *at)
{
    char line[512];
    char reply[128];
    (void)snprintf(line, sizeof line, "ACL SETUSER contract on >contract resetchannels ~* %s",
                   jtg_redis_acl_commands());
    assert_true(redis_server_ask(at, line, reply, sizeof reply));
    assert_string_equal(reply, "+OK");
}

#define OFFERS (CONTRACT_VALUES | CONTRACT_SHARED | CONTRACT_NEIGHBOUR | CONTRACT_BITMAPS)
#define COMMON                                                                                     \
    .name = "redis", .slack_ms = SLACK_MS, .open_again = open_again,                               \
    .open_neighbour = open_neighbour, .advance = advance, .close = close_store
#define WATCHED   COMMON, .offers = OFFERS | CONTRACT_GROUP_SHARE | CONTRACT_WATCHES, .forget = forget
#define UNWATCHED COMMON, .offers = OFFERS | CONTRACT_GROUP_SHARE
#define SPREAD    COMMON, .offers = OFFERS /* a share of each slot is more than that of the cache */

int main(void)
{
    static const struct contract_backend one = {WATCHED, .open = open_one};
    static const struct contract_backend three = {WATCHED, .open = open_three};
    static const struct contract_backend restricted = {WATCHED, .open = open_restricted};
    static const struct contract_backend unwatched = {UNWATCHED, .open = open_unwatched};
    static const struct contract_backend nodes = {SPREAD, .open = open_cluster};
    static const struct contract_backend restricted_nodes = {SPREAD,
                                                             .open = open_cluster_restricted};
    static const struct contract_backend one_slot = {UNWATCHED, .open = open_one_slot};
    redis_server_start(&server, NULL);
    make_user(&server);
    int failed = contract_run(&one) + contract_run(&three) + contract_run(&restricted) +
                 contract_run(&unwatched);
    redis_server_stop(&server);
    redis_cluster_start(&cluster);
    for (unsigned i = 0; i < TOPOLOGY_NODES; i++)
        make_user(&cluster.nodes[i]);
    failed += contract_run(&nodes) + contract_run(&restricted_nodes) + contract_run(&one_slot);
    redis_cluster_stop(&cluster);
    return failed;
}
