/* SPDX-License-Identifier: Apache-2.0 */
/* The contract list as the ACL user that `jtiguard acl` makes, word for word: no command and no key
 * pattern beyond that line. Its rules are what operators use, so they must be enough for all that a
 * cache does, and the doctor must find nothing missing. */
#include "cli/run_tool.h"
#include "contract/contract.h"
#include "support/asserts.h"
#include "support/redis_server.h"

#include <hiredis/hiredis.h>
#include <jtiguard/redis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USER     "contract"
#define PASSWORD "of-the-test"
#define PREFIX   "acl-test:" /* All that the user may touch. */

static struct redis_server server;

struct store {
    redisContext *side; /* The administrator, who moves time. */
    char prefix[32];
};

/* What is left of an entry's life shrinks by ARGV[1] milliseconds: of a key, and of each value in
 * the index of a hash of values. */
static const char shorten[] = "local ms = tonumber(ARGV[1])\n"
                              "local function nearer(ends)\n"
                              "  return ':' .. string.format('%.0f', tonumber(ends) - ms * 1000)\n"
                              "end\n"
                              "for _, key in ipairs(redis.call('KEYS', '*')) do\n"
                              "  if redis.call('TYPE', key).ok == 'hash' then\n"
                              "    local index = redis.call('HGET', key, 'i')\n"
                              "    redis.call('HSET', key, 'i', (index:gsub(':(%d+)', nearer)))\n"
                              "  end\n"
                              "  local left = redis.call('PTTL', key)\n" /* -1: it has no end */
                              "  if left >= 0 and left <= ms then redis.call('DEL', key) end\n"
                              "  if left > ms then redis.call('PEXPIRE', key, left - ms) end\n"
                              "end\n"
                              "return 1";

static void command(const struct store *store, const char *const *words, int count, int reply_type)
{
    union {
        const char *const *ours;
        const char **its;
    } arguments = {words};
    redisReply *reply = redisCommandArgv(store->side, count, arguments.its, NULL);
    assert_non_null(reply);
    assert_int_equal(reply->type, reply_type);
    freeReplyObject(reply);
}

static void advance(void *opened, uint64_t ms)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)ms);
    command(opened, (const char *const[]){"EVAL", shorten, "0", text}, 4, REDIS_REPLY_INTEGER);
}

static jtg_cache *open_with_prefix(const char *prefix)
{
    jtg_cache *cache = NULL;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.port = server.port;
    options.timeout_ms = 20000; /* a busy machine must not fail the list */
    options.user = USER;
    options.password = PASSWORD;
    options.prefix = prefix;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    return cache;
}

static void forget(void *opened)
{
    command(opened, (const char *const[]){"FLUSHALL"}, 1, REDIS_REPLY_STATUS);
}

static jtg_cache *open_store(const struct contract_limits *limits, void **opened)
{
    static unsigned opened_before;
    struct store *store = calloc(1, sizeof *store);
    (void)limits;
    assert_non_null(store);
    (void)snprintf(store->prefix, sizeof store->prefix, PREFIX "%u:", opened_before++);
    store->side = redisConnect("127.0.0.1", server.port);
    assert_true(store->side != NULL && store->side->err == 0);
    forget(store);
    *opened = store;
    return open_with_prefix(store->prefix);
}

static jtg_cache *open_again(void *opened)
{
    struct store *store = opened;
    return open_with_prefix(store->prefix);
}

static jtg_cache *open_neighbour(void *opened)
{
    (void)opened;
    return open_with_prefix(PREFIX "neighbour:");
}

static void close_store(void *opened)
{
    struct store *store = opened;
    redisFree(store->side);
    free(store);
}

/* The line of the tool, with a password in the place that it leaves for one. */
static void make_user(void)
{
    static const char gap[] = "PASSWORD";
    struct tool_run run;
    char line[512];
    char reply[128];
    RUN(&run, "", "acl", "--user", USER, "--store", ("redis://localhost?prefix=" PREFIX));
    assert_int_equal(run.exit_code, 0);
    char *at = strstr(run.out, gap);
    assert_non_null(at);
    *at = '\0';
    at += strlen(gap);
    at[strcspn(at, "\n")] = '\0';
    (void)snprintf(line, sizeof line, "%s" PASSWORD "%s", run.out, at);
    assert_true(redis_server_ask(&server, line, reply, sizeof reply));
    assert_string_equal(reply, "+OK");
    tool_run_clear(&run);
}

/* A line that allowed everything would pass the list as well. */
static void check_that_nothing_else_is_allowed(void)
{
    static const char *const denied[] = {"GET other",  "CONFIG GET maxmemory", "FLUSHALL",
                                         "KEYS *",     "SET jtg:x 1",          "ACL LIST",
                                         "PUBLISH c m"};
    redisContext *context = redisConnect("127.0.0.1", server.port);
    assert_non_null(context);
    redisReply *reply = redisCommand(context, "AUTH %s %s", USER, PASSWORD);
    assert_int_equal(reply->type, REDIS_REPLY_STATUS);
    freeReplyObject(reply);
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++) {
        reply = redisCommand(context, denied[i]);
        assert_int_equal(reply->type, REDIS_REPLY_ERROR);
        assert_memory_equal(reply->str, "NOPERM", 6);
        freeReplyObject(reply);
    }
    redisFree(context);
}

static void check_that_the_doctor_misses_nothing(void)
{
    jtg_redis_server seen = {.struct_size = sizeof seen};
    jtg_cache *cache = open_with_prefix(PREFIX);
    assert_status(jtg_redis_server_get(cache, &seen, NULL), JTG_OK);
    assert_string_equal(seen.missing_commands, "");
    jtg_cache_free(cache);
}

int main(void)
{
    static const struct contract_backend backend = {
        .name = "redis",
        .offers = CONTRACT_VALUES | CONTRACT_SHARED | CONTRACT_NEIGHBOUR | CONTRACT_WATCHES |
                  CONTRACT_BITMAPS,
        .slack_ms = 2000, /* dozens of round trips, on a busy machine */
        .open = open_store,
        .open_again = open_again,
        .open_neighbour = open_neighbour,
        .advance = advance,
        .close = close_store,
        .forget = forget,
    };
    redis_server_start(&server, NULL);
    make_user();
    check_that_nothing_else_is_allowed();
    check_that_the_doctor_misses_nothing();
    int failed = contract_run(&backend);
    redis_server_stop(&server);
    return failed;
}
