/* SPDX-License-Identifier: Apache-2.0 */
/* A primary and a replica under three Sentinels: the cache follows, and believes no primary that
 * was deposed. */
#include "redis/live_server.h"
#include "support/asserts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TIMEOUT_MS = 500, PATIENCE_MS = 30000, RECOVERY_MS = 1000 };

static struct redis_failover topology;

/* A second failover of the same servers would wait until Sentinel's patience is over: each test has
 * its own. */
static int start(void **state)
{
    (void)state;
    redis_failover_start(&topology);
    return 0;
}

static int halt(void **state)
{
    (void)state;
    redis_failover_stop(&topology);
    return 0;
}

static jtg_cache *open_cache_on(const char *sentinels)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    jtg_cache *cache = NULL;
    options.sentinels = sentinels;
    options.sentinel_primary = "main";
    options.timeout_ms = TIMEOUT_MS;
    options.prefix = "t:";
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    return cache;
}

static jtg_cache *open_cache(void)
{
    return open_cache_on(topology.addresses);
}

static jtg_status reserve(jtg_cache *cache, const char *key, const jtg_owner *owner)
{
    jtg_key wanted = {key, strlen(key), NULL, 0};
    return jtg_cache_reserve(cache, &wanted, owner, 60000, NULL);
}

static jtg_status reserve_new(jtg_cache *cache, const char *key)
{
    jtg_owner owner;
    jtg_owner_generate(&owner);
    return reserve(cache, key, &owner);
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool has_key(const struct redis_server *server, const char *key)
{
    char line[64];
    char reply[64];
    (void)snprintf(line, sizeof line, "EXISTS t:%s", key);
    assert_true(redis_server_ask(server, line, reply, sizeof reply));
    return strcmp(reply, ":1") == 0;
}

/* Does one of the Sentinels, if only that, name this server? Until then nobody can know. */
static bool is_named(unsigned number)
{
    unsigned named = 0;
    for (unsigned i = 0; i < TOPOLOGY_SENTINELS && named != topology.data[number].port; i++) {
        redisContext *context = live_connect(&topology.sentinels[i]);
        redisReply *reply = live_ask(context, "SENTINEL GET-MASTER-ADDR-BY-NAME main");
        assert_int_equal(reply->elements, 2);
        named = (unsigned)strtoul(reply->element[1]->str, NULL, 10);
        freeReplyObject(reply);
        redisFree(context);
    }
    return named == topology.data[number].port;
}

static void await_name(unsigned number)
{
    for (int64_t start_ms = now_ms(); !is_named(number);)
        assert_true(now_ms() - start_ms < PATIENCE_MS);
}

/* It thaws with a connection of ours that looks sound, and takes writes until it is told. */
static void a_primary_that_was_frozen_is_not_believed(void **state)
{
    jtg_cache *cache = open_cache();
    (void)state;
    assert_status(reserve_new(cache, "before"), JTG_OK);
    redis_server_freeze(&topology.data[0]);
    await_name(1); /* takes longer than a second */
    redis_server_thaw(&topology.data[0]);
    assert_status(reserve_new(cache, "after"), JTG_OK);
    assert_true(has_key(&topology.data[1], "after"));
    assert_int_equal(live_stats(cache).primary_changes, 1);
    jtg_cache_free(cache);
}

/* Under load all the while, as a service is. */
static void a_failover_is_followed_within_a_second(void **state)
{
    jtg_cache *cache = open_cache();
    char key[32];
    int64_t named_ms = 0; /* Sentinel itself takes up to a second to see its promotion */
    int64_t start_ms = now_ms();
    unsigned number = 0;
    jtg_status status = JTG_ERR_UNAVAILABLE;
    (void)state;
    assert_status(reserve_new(cache, "first"), JTG_OK);
    redis_server_kill(&topology.data[0]);
    while (status != JTG_OK && now_ms() - start_ms < PATIENCE_MS) {
        (void)snprintf(key, sizeof key, "k%u", number++);
        status = reserve_new(cache, key);
        assert_true(status == JTG_OK || status == JTG_ERR_UNAVAILABLE || status == JTG_ERR_TIMEOUT);
        if (named_ms == 0 && is_named(1))
            named_ms = now_ms();
    }
    assert_status(status, JTG_OK);
    if (named_ms != 0) /* else it worked before we saw it */
        assert_true(now_ms() - named_ms <= RECOVERY_MS);
    assert_true(has_key(&topology.data[1], key));
    assert_int_equal(live_stats(cache).primary_changes, 1);
    jtg_cache_free(cache);
}

/* The first of the list leads to another deployment, whose primary has the same name and epoch. */
static void a_sentinel_of_others_is_not_believed(void **state)
{
    static struct redis_server foreign;
    static struct redis_server sentinel;
    jtg_redis_server server = {.struct_size = sizeof server};
    char line[96];
    char list[192];
    char expected[64];
    (void)state;
    redis_server_start(&foreign, NULL);
    redis_server_start_sentinel(&sentinel, NULL);
    (void)snprintf(line, sizeof line, "SENTINEL MONITOR main 127.0.0.1 %u 1",
                   (unsigned)foreign.port);
    live_tell(&sentinel, line);
    (void)snprintf(list, sizeof list, "127.0.0.1:%u,%s", (unsigned)sentinel.port,
                   topology.addresses);
    jtg_cache *cache = open_cache_on(list);
    assert_status(reserve_new(cache, "ours"), JTG_OK);
    assert_true(has_key(&topology.data[0], "ours"));
    assert_status(jtg_redis_server_get(cache, &server, NULL), JTG_OK);
    assert_int_equal(server.sentinels_total, TOPOLOGY_SENTINELS + 1);
    assert_int_equal(server.sentinels_known, TOPOLOGY_SENTINELS);
    (void)snprintf(expected, sizeof expected, "127.0.0.1:%u", (unsigned)topology.data[0].port);
    assert_string_equal(server.address, expected);
    jtg_cache_free(cache);
    redis_server_stop(&sentinel);
    redis_server_stop(&foreign);
}

static void the_doctor_is_told(void **state)
{
    jtg_cache *cache = open_cache();
    jtg_redis_server server = {.struct_size = sizeof server};
    char expected[64];
    (void)state;
    assert_status(jtg_redis_server_get(cache, &server, NULL), JTG_OK);
    assert_int_equal(server.sentinels_total, TOPOLOGY_SENTINELS);
    assert_int_equal(server.sentinels_known, TOPOLOGY_SENTINELS);
    assert_int_equal(server.nodes_known, 0);
    (void)snprintf(expected, sizeof expected, "127.0.0.1:%u", (unsigned)topology.data[0].port);
    assert_string_equal(server.address, expected);
    assert_int_equal(strlen(server.replication_id), 40);
    redis_server_kill(&topology.sentinels[0]);
    assert_status(jtg_redis_server_get(cache, &server, NULL), JTG_OK);
    assert_int_equal(server.sentinels_known, TOPOLOGY_SENTINELS - 1);
    redis_server_start_again(&topology.sentinels[0]);
    jtg_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_primary_that_was_frozen_is_not_believed, start, halt),
        cmocka_unit_test_setup(a_sentinel_of_others_is_not_believed, start),
        cmocka_unit_test(the_doctor_is_told),
        cmocka_unit_test_teardown(a_failover_is_followed_within_a_second, halt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
