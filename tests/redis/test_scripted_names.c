/* SPDX-License-Identifier: Apache-2.0 */
/* A name that leads to several servers: which of them is used. */
#include "redis/ask/store.h"
#include "redis/line/deadline.h"
#include "redis/scripted_cache.h"
#include "support/host_table.h"
#include "support/script_words.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { SERVERS = 3, PATIENCE_MS = 5000, HURRY_MS = 900 };

static const char *const hosts[SERVERS] = {"127.0.0.1", "127.0.0.2", "127.0.0.3"};
static const char name[] = "several.test";

struct named {
    struct scripted_server servers[SERVERS];
    jtg_cache *cache;
    jtg_error err;
};

static void named_listen(struct named *named)
{
    memset(named, 0, sizeof *named);
    scripted_server_listen(&named->servers[0]);
    for (unsigned i = 1; i < SERVERS; i++)
        scripted_server_listen_beside(&named->servers[i], hosts[i], &named->servers[0]);
    host_table_set(name, "127.0.0.1,127.0.0.2,127.0.0.3");
}

static void named_open(struct named *named, uint32_t timeout_ms)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.host = name;
    options.port = named->servers[0].port;
    options.timeout_ms = timeout_ms;
    options.continuity = 0;
    assert_status(jtg_redis_new(&named->cache, &options, NULL), JTG_OK);
}

#define follow(named, number, ...)                                                                 \
    scripted_server_follow(&(named)->servers[number], SCRIPT(__VA_ARGS__), COUNT_OF(__VA_ARGS__))

static jtg_status named_reserve(struct named *named)
{
    static const jtg_key key = {"jti", 3, NULL, 0};
    static const jtg_owner owner = {"0123456789abcde"};
    static const jtg_error none = JTG_ERROR_INIT;
    named->err = none;
    return jtg_cache_reserve(named->cache, &key, &owner, 60000, &named->err);
}

static void named_close(struct named *named)
{
    jtg_cache_free(named->cache);
    for (unsigned i = 0; i < SERVERS; i++)
        assert_null(scripted_server_end(&named->servers[i]));
}

#define SAYS(info)                                                                                 \
    ACCEPT, {SCRIPT_EXPECT, "INFO", 0},                                                            \
    {                                                                                              \
        SCRIPT_SEND_INFO, info, 0                                                                  \
    }
#define REPLICA SAYS("role:slave\r\nloading:0\r\nmaxmemory:0\r\n")
#define LOADING SAYS("loading:1\r\nmaxmemory:0\r\n")
#define SERVES  SCRIPT_HANDSHAKE, EXPECT("SET"), SEND("+OK\r\n"), SEAL

/* As the name of a set of servers lists them, in an order that does not change. */
static void a_replica_that_comes_first_is_passed_over(void **state)
{
    struct named n;
    (void)state;
    named_listen(&n);
    follow(&n, 0, REPLICA, CLOSED);
    follow(&n, 1, SERVES, CLOSED);
    follow(&n, 2, DEAF);
    named_open(&n, PATIENCE_MS);
    assert_status(named_reserve(&n), JTG_OK);
    named_close(&n);
}

static void a_server_that_loads_is_passed_over(void **state)
{
    struct named n;
    (void)state;
    named_listen(&n);
    follow(&n, 0, LOADING, CLOSED);
    follow(&n, 1, REPLICA, CLOSED);
    follow(&n, 2, SERVES, CLOSED);
    named_open(&n, PATIENCE_MS);
    assert_status(named_reserve(&n), JTG_OK);
    named_close(&n);
}

static void one_that_does_not_speak_is_passed_over(void **state)
{
    struct named n;
    (void)state;
    named_listen(&n);
    follow(&n, 0, DEAF);
    follow(&n, 1, ACCEPT, CLOSE);
    follow(&n, 2, SERVES, CLOSED);
    named_open(&n, PATIENCE_MS);
    assert_status(named_reserve(&n), JTG_OK);
    named_close(&n);
}

/* It costs its share of the time, and no more. */
static void one_that_hangs_leaves_time_for_the_next(void **state)
{
    struct named n;
    (void)state;
    named_listen(&n);
    follow(&n, 0, ACCEPT, {SCRIPT_EXPECT, "INFO", 0}, CLOSED);
    follow(&n, 1, SERVES, CLOSED);
    follow(&n, 2, DEAF);
    named_open(&n, HURRY_MS);
    assert_status(named_reserve(&n), JTG_OK);
    named_close(&n);
}

static void what_the_first_said_is_told_when_none_serves(void **state)
{
    struct named n;
    (void)state;
    named_listen(&n);
    follow(&n, 0, DEAF);
    follow(&n, 1, REPLICA, CLOSED);
    follow(&n, 2, ACCEPT, CLOSE);
    named_open(&n, PATIENCE_MS);
    assert_status(named_reserve(&n), JTG_ERR_UNAVAILABLE);
    assert_string_equal(n.err.text, "redis: none of the 3 addresses of the name serves: the server "
                                    "is a replica");
    named_close(&n);
}

/* One that is there and may not be used is not replaced by chance. */
static void one_that_is_refused_ends_the_search(void **state)
{
    struct named n;
    (void)state;
    named_listen(&n);
    follow(&n, 0, SAYS("loading:0\r\nmaxmemory:1\r\nmaxmemory_policy:allkeys-lru\r\n"), CLOSED);
    follow(&n, 1, DEAF);
    follow(&n, 2, DEAF);
    named_open(&n, PATIENCE_MS);
    assert_status(named_reserve(&n), JTG_ERR_UNSAFE);
    assert_null(strstr(n.err.text, "addresses"));
    named_close(&n);
}

/* ---- a name that leads elsewhere while it is used ---- */

static struct jtgi_residence *residence_of(const struct named *named)
{
    struct jtgi_redis *redis = (struct jtgi_redis *)(void *)named->cache;
    struct jtgi_connection *connection = redis->route.nodes.list[0]->pipelines[0].connection;
    assert_non_null(connection);
    return &connection->residence;
}

#define SETS EXPECT("SET"), SEND("+OK\r\n"), SEAL

/* As a planned move has it: the old server lives on. The use that finds the name old looks it up,
 * and the next one goes to the new server. */
static void a_connection_follows_its_name(void **state)
{
    struct named n;
    (void)state;
    named_listen(&n);
    host_table_set(name, "127.0.0.1");
    follow(&n, 0, SCRIPT_HANDSHAKE, SETS, SETS, CLOSED);
    follow(&n, 1, SCRIPT_HANDSHAKE, SETS, CLOSED);
    follow(&n, 2, DEAF);
    named_open(&n, PATIENCE_MS);
    assert_status(named_reserve(&n), JTG_OK);
    host_table_set(name, "127.0.0.2");
    host_table_hold();
    residence_of(&n)->due_ns = jtgi_now_ns();
    assert_status(named_reserve(&n), JTG_OK); /* the lookup hangs, the call does not */
    host_table_let_go();
    assert_true(jtgi_lookup_await(residence_of(&n)->lookup, jtgi_deadline_in_ms(PATIENCE_MS)));
    assert_status(named_reserve(&n), JTG_OK);
    named_close(&n);
}

static void a_connection_that_was_idle_for_long_follows_at_once(void **state)
{
    struct named n;
    (void)state;
    named_listen(&n);
    host_table_set(name, "127.0.0.1");
    follow(&n, 0, SCRIPT_HANDSHAKE, SETS, CLOSED);
    follow(&n, 1, SCRIPT_HANDSHAKE, SETS, CLOSED);
    follow(&n, 2, DEAF);
    named_open(&n, PATIENCE_MS);
    assert_status(named_reserve(&n), JTG_OK);
    host_table_set(name, "127.0.0.2");
    residence_of(&n)->due_ns = 0;
    assert_status(named_reserve(&n), JTG_OK);
    named_close(&n);
}

static void a_connection_stays_while_its_name_is_not_found(void **state)
{
    struct named n;
    (void)state;
    named_listen(&n);
    host_table_set(name, "127.0.0.1");
    follow(&n, 0, SCRIPT_HANDSHAKE, SETS, SETS, CLOSED);
    follow(&n, 1, DEAF);
    follow(&n, 2, DEAF);
    named_open(&n, PATIENCE_MS);
    assert_status(named_reserve(&n), JTG_OK);
    host_table_set(name, "");
    residence_of(&n)->due_ns = 0;
    assert_status(named_reserve(&n), JTG_OK);
    assert_int_equal(host_table_lookups(), 1);
    named_close(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replica_that_comes_first_is_passed_over),
        cmocka_unit_test(a_server_that_loads_is_passed_over),
        cmocka_unit_test(one_that_does_not_speak_is_passed_over),
        cmocka_unit_test(one_that_hangs_leaves_time_for_the_next),
        cmocka_unit_test(what_the_first_said_is_told_when_none_serves),
        cmocka_unit_test(one_that_is_refused_ends_the_search),
        cmocka_unit_test(a_connection_follows_its_name),
        cmocka_unit_test(a_connection_that_was_idle_for_long_follows_at_once),
        cmocka_unit_test(a_connection_stays_while_its_name_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
