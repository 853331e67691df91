/* SPDX-License-Identifier: Apache-2.0 */
/* What the backend leaves in a real server, and what it makes of what others leave there. */
#include "redis/live_server.h"
#include "redis/say/resp/scripts.h"
#include "support/asserts.h"

#include <jtiguard/redis.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct redis_server server;
static redisContext *side; /* what another program would see and do */

static const jtg_key jti = {"sts:jti:abc", 11, NULL, 0};
static const jtg_owner owner = {"0123456789abcde"};
static const jtg_owner other = {"another owner 1"};

static jtg_cache *open_with(const char *query)
{
    char uri[256];
    jtg_cache *cache = NULL;
    (void)snprintf(uri, sizeof uri, "redis://127.0.0.1:%u/0?timeout=5s%s", server.port, query);
    assert_status(jtg_redis_new_uri(&cache, uri, NULL), JTG_OK);
    return cache;
}

static void tell(const char *line)
{
    redisReply *reply = live_ask(side, line);
    assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
    freeReplyObject(reply);
}

static long long number_of(const char *line)
{
    redisReply *reply = live_ask(side, line);
    assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
    long long number = reply->integer;
    freeReplyObject(reply);
    return number;
}

/* ---- wire compatibility ---- */

static void a_foreign_verifiers_jti_is_a_replay(void **state)
{
    jtg_cache *cache = open_with("&keys=plain");
    (void)state;
    tell("SET sts:jti:abc 1 NX EX 60");
    assert_status(jtg_cache_reserve(cache, &jti, &owner, 60000, NULL), JTG_REPLAYED);
    assert_status(jtg_cache_release(cache, &jti, &owner, NULL), JTG_NOT_OWNER);
    jtg_cache_free(cache);
}

static void our_jti_is_a_replay_for_a_foreign_verifier(void **state)
{
    jtg_cache *cache = open_with("&keys=plain");
    (void)state;
    assert_status(jtg_cache_reserve(cache, &jti, &owner, 60000, NULL), JTG_OK);
    assert_int_equal(number_of("SETNX sts:jti:abc 1"), 0);
    assert_in_range(number_of("PTTL sts:jti:abc"), 59000, 60000);
    assert_status(jtg_cache_release(cache, &jti, &owner, NULL), JTG_OK);
    assert_int_equal(number_of("SETNX sts:jti:abc 1"), 1);
    jtg_cache_free(cache);
}

static void plain_keys_are_not_prefixed_twice(void **state)
{
    jtg_cache *cache = NULL;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    assert_status(jtg_redis_new_uri(&cache, "redis://127.0.0.1/?prefix=sts:jti:&keys=plain", &err),
                  JTG_ERR_ARGUMENT);
    assert_null(cache);
    assert_non_null(strstr(err.text, "belongs to the guard"));
}

static void a_key_without_an_end_is_not_given_one(void **state)
{
    jtg_cache *cache = open_with("");
    redisReply *reply = NULL;
    (void)state;
    reply = live_ask(side, "SET %b %b", jti.data, jti.data_len, owner.bytes, sizeof owner.bytes);
    freeReplyObject(reply);
    assert_status(jtg_cache_reserve(cache, &jti, &owner, 60000, NULL), JTG_OK);
    assert_int_equal(number_of("PTTL sts:jti:abc"), -1);
    jtg_cache_free(cache);
}

/* The script behind a refused SET decides by itself: free, ours or another's. */
static void the_second_question_always_decides(void **state)
{
    static const struct {
        const char *held;
        long long answer;
    } cases[] = {{NULL, 1}, {"0123456789abcdef", 1}, {"1", 0}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        tell("FLUSHALL");
        if (cases[i].held != NULL)
            freeReplyObject(live_ask(side, "SET k %s PX 1000", cases[i].held));
        redisReply *reply = live_ask(side, "EVAL %s 1 k %s 60000",
                                     jtgi_script_text(JTGI_SCRIPT_HOLD), "0123456789abcdef");
        assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
        assert_int_equal(reply->integer, cases[i].answer);
        freeReplyObject(reply);
        assert_int_equal(number_of("PTTL k") > 50000, cases[i].answer);
    }
}

/* ---- what lies under our keys ---- */

static void something_foreign_refuses(void **state)
{
    jtg_cache *cache = open_with("");
    jtg_value value = JTG_VALUE_INIT;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    tell("RPUSH sts:jti:abc x");
    assert_status(jtg_cache_reserve(cache, &jti, &owner, 60000, &err), JTG_ERR_REFUSED);
    assert_non_null(strstr(err.text, "foreign"));
    assert_status(jtg_cache_release(cache, &jti, &owner, NULL), JTG_ERR_REFUSED);
    freeReplyObject(live_ask(side, "SET %b x", "\xffv:sts:jti:abc", (size_t)14));
    assert_status(jtg_cache_get(cache, &jti, &value, NULL), JTG_ERR_REFUSED);
    assert_status(jtg_cache_put(cache, &jti, "v", 1, 1000, 1, NULL), JTG_ERR_REFUSED);
    assert_status(jtg_cache_take(cache, &jti, &value, NULL), JTG_ERR_REFUSED);
    assert_status(jtg_cache_drop(cache, &jti, NULL), JTG_ERR_REFUSED);
    jtg_cache_free(cache);
}

static void a_binary_key_meets_no_values(void **state)
{
    static const jtg_key plain = {"k", 1, NULL, 0};
    static const jtg_key sly = {"\xffv:k", 4, NULL, 0};
    jtg_cache *cache = open_with("&prefix=p:");
    jtg_value value = JTG_VALUE_INIT;
    (void)state;
    assert_status(jtg_cache_put(cache, &plain, "v", 1, 60000, 1, NULL), JTG_OK);
    assert_status(jtg_cache_reserve(cache, &sly, &owner, 60000, NULL), JTG_OK);
    assert_status(jtg_cache_reserve(cache, &sly, &other, 60000, NULL), JTG_REPLAYED);
    assert_status(jtg_cache_get(cache, &plain, &value, NULL), JTG_OK);
    jtg_value_clear(&value);
    jtg_cache_free(cache);
}

/* A key ends on the server with its last value, and carries nothing of those that were dropped. */
static void values_leave_nothing_behind(void **state)
{
    static const jtg_key key = {"k", 1, NULL, 0};
    jtg_cache *cache = open_with("&prefix=p:&continuity=no");
    (void)state;
    for (unsigned i = 0; i < 10; i++)
        assert_status(jtg_cache_put(cache, &key, &i, sizeof i, 1000 * (i + 1), 3, NULL), JTG_OK);
    redisReply *reply = live_ask(side, "HLEN %b", "p:\xffv:k", (size_t)6);
    assert_int_equal(reply->integer, 4); /* three values and the index */
    freeReplyObject(reply);
    reply = live_ask(side, "PTTL %b", "p:\xffv:k", (size_t)6);
    assert_in_range(reply->integer, 9000, 10001);
    freeReplyObject(reply);
    assert_status(jtg_cache_drop(cache, &key, NULL), JTG_OK);
    assert_int_equal(number_of("DBSIZE"), 0);
    jtg_cache_free(cache);
}

static void without_a_prefix_nothing_is_cleared(void **state)
{
    jtg_cache *cache = open_with("");
    (void)state;
    tell("SET somebody else's");
    assert_status(jtg_cache_clear(cache, NULL), JTG_ERR_ARGUMENT);
    assert_int_equal(number_of("DBSIZE"), 1);
    jtg_cache_free(cache);
}

static void ping_leaves_nothing_behind(void **state)
{
    jtg_cache *cache = open_with("&prefix=p:&continuity=no");
    (void)state;
    assert_status(jtg_cache_ping(cache, NULL), JTG_OK);
    assert_int_equal(number_of("DBSIZE"), 0);
    jtg_cache_free(cache);
}

/* ---- the server itself ---- */

/* The digests that the build computes are the server's: no script is ever sent twice. */
static void the_server_knows_the_scripts_by_our_digests(void **state)
{
    (void)state;
    for (enum jtgi_script script = 0; script < JTGI_SCRIPT_COUNT; script++) {
        redisReply *reply = live_ask(side, "SCRIPT LOAD %s", jtgi_script_text(script));
        assert_int_equal(reply->type, REDIS_REPLY_STRING);
        assert_string_equal(reply->str, jtgi_script_sha1(script));
        freeReplyObject(reply);
    }
    tell("SCRIPT FLUSH");
}

static void a_full_server_is_full(void **state)
{
    jtg_cache *cache = open_with("&prefix=p:");
    (void)state;
    tell("CONFIG SET maxmemory 1");
    assert_status(jtg_cache_reserve(cache, &jti, &owner, 60000, NULL), JTG_ERR_FULL);
    assert_status(jtg_cache_ping(cache, NULL), JTG_ERR_FULL);
    assert_status(jtg_cache_put(cache, &jti, "v", 1, 1000, 1, NULL), JTG_ERR_FULL);
    tell("CONFIG SET maxmemory 0");
    assert_status(jtg_cache_reserve(cache, &jti, &owner, 60000, NULL), JTG_OK);
    jtg_cache_free(cache);
}

static void an_evicting_server_is_unsafe(void **state)
{
    jtg_cache *before = open_with("&prefix=p:");
    (void)state;
    assert_status(jtg_cache_ping(before, NULL), JTG_OK);
    tell("CONFIG SET maxmemory 100mb");
    tell("CONFIG SET maxmemory-policy volatile-lru");
    assert_status(jtg_cache_ping(before, NULL), JTG_ERR_UNSAFE); /* changed while connected */
    jtg_cache *after = open_with("&prefix=p:");
    assert_status(jtg_cache_reserve(after, &jti, &owner, 60000, NULL), JTG_ERR_UNSAFE);
    jtg_cache *allowed = open_with("&prefix=p:&allow_eviction=yes");
    assert_status(jtg_cache_reserve(allowed, &jti, &owner, 60000, NULL), JTG_OK);
    tell("CONFIG SET maxmemory-policy noeviction");
    tell("CONFIG SET maxmemory 0");
    jtg_cache_free(before);
    jtg_cache_free(after);
    jtg_cache_free(allowed);
}

static void a_replica_is_refused(void **state)
{
    jtg_cache *cache = open_with("&prefix=p:");
    (void)state;
    assert_status(jtg_cache_ping(cache, NULL), JTG_OK);
    tell("REPLICAOF 127.0.0.1 1");
    jtg_status status = jtg_cache_reserve(cache, &jti, &owner, 60000, NULL);
    tell("REPLICAOF NO ONE");
    assert_status(status, JTG_ERR_UNAVAILABLE);
    jtg_cache_free(cache);
}

static void the_server_is_described(void **state)
{
    jtg_cache *cache = open_with("&prefix=p:");
    jtg_redis_server facts = {.struct_size = sizeof facts};
    (void)state;
    assert_status(jtg_redis_server_get(cache, &facts, NULL), JTG_OK);
    assert_true(facts.version[0] >= '6');
    assert_string_equal(facts.role, "master");
    assert_string_equal(facts.policy, "noeviction");
    assert_string_equal(facts.missing_commands, "");
    assert_int_equal(strlen(facts.run_id), 40);
    assert_int_equal(facts.clock_offset_known, 1);
    assert_in_range(facts.clock_offset_ms + 5000, 0, 10000);
    assert_in_range(facts.latency_us, 1, 1000000);
    assert_int_equal(facts.evicts, 0);
    assert_int_equal(facts.tls, 0);
    assert_int_equal(number_of("DBSIZE"), 0);
    jtg_cache_free(cache);
}

static void missing_commands_are_named(void **state)
{
    jtg_cache *cache = NULL;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    jtg_redis_server facts = {.struct_size = sizeof facts};
    (void)state;
    tell("ACL SETUSER poor on >poor ~* -@all +ping +info +set +scan +eval");
    options.port = server.port;
    options.user = options.password = "poor";
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    assert_status(jtg_redis_server_get(cache, &facts, NULL), JTG_ERR_REFUSED);
    assert_string_equal(facts.missing_commands,
                        "get del pttl pexpire time hget hset hdel strlen bitfield evalsha");
    jtg_cache_free(cache);
    tell("ACL DELUSER poor");
}

static void only_a_redis_cache_is_asked(void **state)
{
    jtg_redis_stats stats = {.struct_size = sizeof stats};
    jtg_redis_server facts = {.struct_size = 0};
    jtg_cache *cache = open_with("");
    (void)state;
    assert_status(jtg_redis_stats_get(NULL, &stats, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_redis_server_get(cache, &facts, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_redis_stats_get(cache, NULL, NULL), JTG_ERR_ARGUMENT);
    jtg_cache_free(cache);
}

/* ---- fork ---- */

static int in_child(jtg_cache *cache)
{
    jtg_status status = jtg_cache_reserve(cache, &jti, &other, 60000, NULL);
    jtg_cache_free(cache);
    return status == JTG_ERR_FORKED ? 0 : 1;
}

static void a_child_talks_on_no_connection_of_its_parents(void **state)
{
    jtg_cache *cache = open_with("&prefix=p:");
    int ended = -1;
    (void)state;
    assert_status(jtg_cache_reserve(cache, &jti, &owner, 60000, NULL), JTG_OK);
    pid_t child = fork();
    if (child == 0)
        _exit(in_child(cache));
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
    assert_status(jtg_cache_reserve(cache, &jti, &owner, 60000, NULL), JTG_OK);
    jtg_redis_stats stats = {.struct_size = sizeof stats};
    assert_status(jtg_redis_stats_get(cache, &stats, NULL), JTG_OK);
    assert_int_equal(stats.connects, 1);
    jtg_cache_free(cache);
}

/* A name is resolved on a thread, and an address is not. */
static void a_server_is_found_by_its_name(void **state)
{
    jtg_cache *cache = NULL;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.host = "localhost";
    options.port = server.port;
    options.timeout_ms = 5000;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    assert_status(jtg_cache_ping(cache, NULL), JTG_OK);
    jtg_cache_free(cache);
}

static int start_server(void **state)
{
    (void)state;
    redis_server_start(&server, NULL);
    side = redisConnect("127.0.0.1", server.port);
    return side == NULL || side->err != 0;
}

static int stop_server(void **state)
{
    (void)state;
    redisFree(side);
    redis_server_stop(&server);
    return 0;
}

static int empty_server(void **state)
{
    (void)state;
    tell("FLUSHALL");
    return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, empty_server)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_foreign_verifiers_jti_is_a_replay),
        TEST(our_jti_is_a_replay_for_a_foreign_verifier),
        TEST(plain_keys_are_not_prefixed_twice),
        TEST(a_key_without_an_end_is_not_given_one),
        TEST(the_second_question_always_decides),
        TEST(something_foreign_refuses),
        TEST(a_binary_key_meets_no_values),
        TEST(values_leave_nothing_behind),
        TEST(without_a_prefix_nothing_is_cleared),
        TEST(ping_leaves_nothing_behind),
        TEST(the_server_knows_the_scripts_by_our_digests),
        TEST(a_full_server_is_full),
        TEST(an_evicting_server_is_unsafe),
        TEST(a_replica_is_refused),
        TEST(the_server_is_described),
        TEST(missing_commands_are_named),
        TEST(only_a_redis_cache_is_asked),
        TEST(a_child_talks_on_no_connection_of_its_parents),
        TEST(a_server_is_found_by_its_name),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
