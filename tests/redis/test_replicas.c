/* SPDX-License-Identifier: Apache-2.0 */
/* A primary and its replica: what counts, and what becomes of a reservation that does not. */
#include "support/asserts.h"
#include "support/redis_server.h"

#include <jtiguard/redis.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TTL_MS = 60000, PATIENCE_MS = 10000 };

static struct redis_server primary;
static struct redis_server replica;

static const jtg_owner owners[2] = {{"the first owner"}, {"the other owner"}};

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void await_line(const struct redis_server *server, const char *line, const char *wanted)
{
    char reply[512] = "";
    int64_t until = now_ms() + PATIENCE_MS;
    while (!redis_server_ask(server, line, reply, sizeof reply) || strcmp(reply, wanted) != 0) {
        assert_true(now_ms() < until);
        (void)poll(NULL, 0, 5);
    }
}

static int start_both(void **state)
{
    static const char *const options[] = {"--repl-diskless-sync-delay", "0", NULL};
    char line[64];
    (void)state;
    redis_server_start(&primary, options);
    redis_server_start(&replica, options);
    (void)snprintf(line, sizeof line, "REPLICAOF 127.0.0.1 %u", (unsigned)primary.port);
    await_line(&replica, line, "+OK");
    await_line(&primary, "WAIT 1 100", ":1");
    await_line(&primary, "SET there 1", "+OK");
    await_line(&replica, "EXISTS there", ":1");
    return 0;
}

static int stop_both(void **state)
{
    (void)state;
    redis_server_stop(&replica);
    redis_server_stop(&primary);
    return 0;
}

static jtg_cache *open_with(const char *query)
{
    char uri[200];
    jtg_cache *cache = NULL;
    (void)snprintf(uri, sizeof uri, "%s?prefix=p:&timeout=5s%s", primary.uri, query);
    assert_status(jtg_redis_new_uri(&cache, uri, NULL), JTG_OK);
    return cache;
}

static jtg_status reserve(jtg_cache *cache, const char *jti, unsigned owner)
{
    jtg_key key = {jti, strlen(jti), NULL, 0};
    return jtg_cache_reserve(cache, &key, &owners[owner], TTL_MS, NULL);
}

static uint64_t too_few(jtg_cache *cache)
{
    jtg_redis_stats stats = {.struct_size = sizeof stats};
    assert_status(jtg_redis_stats_get(cache, &stats, NULL), JTG_OK);
    return stats.too_few_replicas;
}

static void a_replica_that_has_it_is_enough(void **state)
{
    jtg_cache *cache = open_with("&replicas=1");
    (void)state;
    assert_status(reserve(cache, "one", 0), JTG_OK);
    assert_status(reserve(cache, "one", 0), JTG_OK);
    assert_status(reserve(cache, "one", 1), JTG_REPLAYED);
    assert_status(jtg_cache_ping(cache, NULL), JTG_OK);
    char reply[64];
    assert_true(redis_server_ask(&replica, "EXISTS p:one", reply, sizeof reply));
    assert_string_equal(reply, ":1");
    jtg_cache_free(cache);
}

static void more_than_there_are_is_too_few(void **state)
{
    jtg_cache *cache = open_with("&replicas=2&replicas_timeout=50ms");
    (void)state;
    assert_status(reserve(cache, "two", 0), JTG_ERR_REPLICAS);
    assert_status(jtg_cache_ping(cache, NULL), JTG_ERR_REPLICAS);
    assert_int_equal(too_few(cache), 2);
    jtg_cache_free(cache);
}

/* It stays reserved, so that nobody else is admitted, and its owner succeeds when the replica
 * is back; on another connection too, which has written nothing of it itself. */
static void what_a_frozen_replica_lacks_does_not_count(void **state)
{
    jtg_cache *cache = open_with("&replicas=1&replicas_timeout=100ms");
    jtg_cache *other = open_with("&replicas=1&replicas_timeout=100ms");
    (void)state;
    assert_status(reserve(cache, "warm", 0), JTG_OK);
    redis_server_freeze(&replica);
    assert_status(reserve(cache, "cold", 0), JTG_ERR_REPLICAS);
    assert_status(reserve(cache, "cold", 1), JTG_REPLAYED);
    assert_status(reserve(other, "cold", 0), JTG_ERR_REPLICAS);
    assert_status(reserve(cache, "cold", 0), JTG_ERR_REPLICAS);
    redis_server_thaw(&replica);
    await_line(&replica, "EXISTS p:cold", ":1");
    int64_t until = now_ms() + PATIENCE_MS;
    jtg_status status = JTG_ERR_REPLICAS;
    while (status == JTG_ERR_REPLICAS && now_ms() < until)
        status = reserve(other, "cold", 0);
    assert_status(status, JTG_OK);
    assert_status(reserve(cache, "cold", 1), JTG_REPLAYED);
    jtg_cache_free(cache);
    jtg_cache_free(other);
}

static void waiting_ends_before_the_callers_time(void **state)
{
    jtg_cache *cache = open_with("&replicas=3");
    (void)state;
    int64_t start = now_ms();
    assert_status(reserve(cache, "three", 0), JTG_ERR_REPLICAS);
    assert_in_range(now_ms() - start, 1000, 4500);
    jtg_cache_free(cache);
}

/* The gate: without an append-only file nothing is ever on disk. */
static void without_a_file_nothing_is_on_disk(void **state)
{
    jtg_cache *cache = open_with("&fsync=yes");
    (void)state;
    assert_status(reserve(cache, "four", 0), JTG_ERR_UNSAFE);
    jtg_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replica_that_has_it_is_enough),
        cmocka_unit_test(more_than_there_are_is_too_few),
        cmocka_unit_test(what_a_frozen_replica_lacks_does_not_count),
        cmocka_unit_test(waiting_ends_before_the_callers_time),
        cmocka_unit_test(without_a_file_nothing_is_on_disk),
    };
    return cmocka_run_group_tests(tests, start_both, stop_both);
}
