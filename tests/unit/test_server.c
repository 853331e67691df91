/* SPDX-License-Identifier: Apache-2.0 */
/* What the doctor asks of a server, and what it is told of each answer. */
#include "redis/ask/store.h"
#include "redis/scripted_lines.h"

#include <stdio.h>
#include <string.h>

#define SOUND   "role:master\r\nloading:0\r\nmaxmemory:0\r\nredis_mode:standalone\r\n"
#define PORT    7001
#define UNKNOWN "-ERR unknown command 'x'\r\n"
#define DENIED  "-NOPERM x\r\n"
#define REFUSED "-ERR x\r\n" /* as good as an answer: it was let through */
#define WAITAOF "WAITAOF 0 0 0 "

/* Of every cache; the key is one that never exists. */
#define PROBES                                                                                     \
    "ping set t:?p:acl 1 XX PX 1 get t:?p:acl del t:?p:acl pttl t:?p:acl pexpire t:?p:acl 1 "      \
    "time hget t:?p:acl i hset t:?p:acl f v f hdel t:?p:acl i "                                    \
    "strlen t:?p:acl bitfield t:?p:acl GET u1 0 "
#define SHARES                                                                                     \
    "zadd t:?p:acl XX 1 m zcount t:?p:acl 0 1 zscore t:?p:acl m zrangebyscore t:?p:acl 0 1 "       \
    "zrem t:?p:acl m "
#define SCRIPTS "scan 0 COUNT 1 eval return 1 0 evalsha 0000000000000000000000000000000000000000 0 "

enum { OF_EVERY_CACHE = 15, ROUNDS = 3 };

static jtg_cache *cache;
static jtg_redis_server server;
static jtg_error err;

static void open_cache(jtg_redis_options options)
{
    options.host = "10.0.0.1";
    options.port = PORT;
    options.prefix = "t:";
    options.timeout_ms = JTG_REDIS_TIMEOUT_MS_LIMIT; /* however slow we are */
    options.continuity = 0;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
}

static int open_plain(void **state)
{
    const jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    open_cache(options);
    return 0;
}

static int close_cache(void **state)
{
    jtg_cache_free(cache);
    return scripted_lines_reset(state);
}

/* The latency, WAITAOF, and each probe with OK, but for one. */
static jtg_status described(const char *info, const char *waitaof, unsigned probes, int odd,
                            const char *answer)
{
    const char *texts[48] = {scripted_greeting(info)};
    unsigned count = 1;
    for (unsigned i = 0; i < ROUNDS; i++)
        texts[count++] = "+PONG\r\n";
    texts[count++] = waitaof;
    for (unsigned i = 0; i < probes; i++)
        texts[count++] = (int)i == odd ? answer : "+OK\r\n";
    texts[count] = NULL;
    scripted_line_add(PORT, texts);
    memset(&server, 0, sizeof server);
    memset(&err, 0, sizeof err);
    server.struct_size = sizeof server;
    return jtg_redis_server_get(cache, &server, &err);
}

static const char *heard(void)
{
    return scripted_line_heard(scripted_lines_used() - 1);
}

static void each_command_is_tried_without_harm(void **state)
{
    (void)state;
    assert_status(described(SOUND, UNKNOWN, OF_EVERY_CACHE, -1, NULL), JTG_OK);
    assert_string_equal(heard(), "INFO PING jtiguard ping ping ping " WAITAOF PROBES SCRIPTS);
    assert_true(server.latency_us != JTG_REDIS_UNSTATED);
    assert_int_equal(server.waitaof, 0);
    assert_string_equal(server.address, "10.0.0.1:7001");
    assert_string_equal(server.missing_commands, "");
}

static void options_ask_for_more(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.replicas = 1;
    options.max_entries_per_group = 5;
    open_cache(options);
    assert_status(described(SOUND, "*0\r\n", OF_EVERY_CACHE + 6, -1, NULL), JTG_OK);
    assert_non_null(strstr(heard(), PROBES SHARES SCRIPTS "wait 0 0 "));
    assert_int_equal(server.waitaof, 1);
}

/* An error that tells of anything else was let through. */
static void what_is_denied_or_unknown_is_named(void **state)
{
    (void)state;
    assert_status(described(SOUND, DENIED, OF_EVERY_CACHE, 1, DENIED), JTG_ERR_REFUSED);
    assert_string_equal(server.missing_commands, "set");
    assert_non_null(strstr(err.text, "the ACL user lacks commands: set"));
    assert_int_equal(server.waitaof, 1); /* it knows what it denies */
    assert_status(described(SOUND, UNKNOWN, OF_EVERY_CACHE, 14, UNKNOWN), JTG_ERR_REFUSED);
    assert_string_equal(server.unknown_commands, "evalsha");
    assert_string_equal(server.missing_commands, "");
    assert_non_null(strstr(err.text, "renamed or switched off: evalsha"));
    for (int i = 0; i < OF_EVERY_CACHE; i++)
        assert_status(described(SOUND, UNKNOWN, OF_EVERY_CACHE, i, REFUSED), JTG_OK);
}

static void several_are_named_together(void **state)
{
    const char *texts[ROUNDS + OF_EVERY_CACHE + 3];
    size_t count = 0;
    (void)state;
    texts[count++] = scripted_greeting(SOUND);
    for (unsigned i = 0; i < ROUNDS + 1 + OF_EVERY_CACHE; i++)
        texts[count++] = i == 5 || i == 6 ? DENIED : "+OK\r\n";
    texts[count] = NULL;
    scripted_line_add(PORT, texts);
    memset(&err, 0, sizeof err);
    server.struct_size = sizeof server;
    assert_status(jtg_redis_server_get(cache, &server, &err), JTG_ERR_REFUSED);
    assert_non_null(strstr(server.missing_commands, "set"));
    assert_non_null(strstr(server.missing_commands, "get"));
}

/* It is described all the same, and what the gate says is told. */
static void what_the_gate_says_goes_before(void **state)
{
    (void)state;
    assert_status(described("role:slave\r\nloading:0\r\nredis_mode:standalone\r\n", UNKNOWN,
                            OF_EVERY_CACHE, 1, DENIED),
                  JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "is a replica"));
    assert_string_equal(server.missing_commands, "set");
}

static void a_server_that_goes_away_is_told(void **state)
{
    (void)state;
    assert_status(described(SOUND, UNKNOWN, 3, -1, NULL), JTG_ERR_UNAVAILABLE);
    memset(&err, 0, sizeof err);
    assert_status(jtg_redis_server_get(cache, &server, &err), JTG_ERR_UNAVAILABLE);
    assert_err_tells(&err, JTG_ERR_UNAVAILABLE);
}

static void the_caller_says_how_much_it_knows(void **state)
{
    (void)state;
    server.struct_size = 0;
    assert_status(jtg_redis_server_get(cache, &server, NULL), JTG_ERR_ARGUMENT);
    server.struct_size = offsetof(jtg_redis_server, replication_id) - 1;
    assert_status(jtg_redis_server_get(cache, &server, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_redis_server_get(cache, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_int_equal(scripted_lines_refused(), 0);
}

/* All that a probe or a script of ours needs, and nothing beside it. */
static void the_rule_names_what_is_tried(void **state)
{
    static const char *const names[] = {
        " +ping", " +set",  " +get",     " +del",  " +zadd",   " +zcount",        " +zrangebyscore",
        " +scan", " +eval", " +evalsha", " +wait", " +asking", " +cluster|slots", " +cluster|myid"};
    const char *rule = jtg_redis_acl_commands();
    (void)state;
    assert_int_equal(strncmp(rule, "-@all +", 7), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_non_null(strstr(rule, names[i]));
    assert_null(strstr(rule, "+@"));
    assert_null(strstr(rule, "keys"));
    assert_null(strstr(rule, "flush"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_plain, close_cache)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_command_is_tried_without_harm),
        cmocka_unit_test_teardown(options_ask_for_more, close_cache),
        TEST(what_is_denied_or_unknown_is_named),
        TEST(several_are_named_together),
        TEST(what_the_gate_says_goes_before),
        TEST(a_server_that_goes_away_is_told),
        TEST(the_caller_says_how_much_it_knows),
        cmocka_unit_test(the_rule_names_what_is_tried),
    };
    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
