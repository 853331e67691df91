/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads on one connection, against a real server: each key is admitted once, each thread
 * gets its own answer, and a server that goes away and comes back changes nothing of that. Also
 * run under TSan. */
#include "support/asserts.h"
#include "support/redis_server.h"
#include "support/threads.h"

#include <jtiguard/redis.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { THREADS = 24, KEYS = 400 };

static struct redis_server server;

struct race {
    jtg_cache *caches[2]; /* as two processes would have */
    atomic_uint admits[KEYS];
    atomic_uint odd_answers;
};

static jtg_cache *open_cache(uint32_t connections, uint32_t timeout_ms)
{
    jtg_cache *cache = NULL;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.port = server.port;
    options.timeout_ms = timeout_ms;
    options.connections = connections;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    return cache;
}

static jtg_key numbered_key(char text[32], const char *kind, unsigned number)
{
    jtg_key key = {text, (size_t)snprintf(text, 32, "%s-%u", kind, number), NULL, 0};
    return key;
}

static void present_every_key(void *context, unsigned index)
{
    struct race *race = context;
    char text[32];
    for (unsigned i = 0; i < KEYS; i++) {
        unsigned number = (i + index * 7) % KEYS;
        jtg_key key = numbered_key(text, "race", number);
        jtg_owner owner;
        jtg_owner_generate(&owner);
        jtg_status status = jtg_cache_reserve(race->caches[index % 2], &key, &owner, 60000, NULL);
        if (status == JTG_OK)
            atomic_fetch_add(&race->admits[number], 1);
        else if (status != JTG_REPLAYED)
            atomic_fetch_add(&race->odd_answers, 1);
    }
}

static void race_on(uint32_t connections)
{
    char reply[64];
    struct race race = {.odd_answers = 0};
    assert_true(redis_server_ask(&server, "FLUSHALL", reply, sizeof reply));
    race.caches[0] = open_cache(connections, 20000);
    race.caches[1] = open_cache(connections, 20000);
    threads_run(THREADS, present_every_key, &race);
    assert_int_equal(race.odd_answers, 0);
    for (unsigned i = 0; i < KEYS; i++)
        assert_int_equal(race.admits[i], 1);
    jtg_cache_free(race.caches[0]);
    jtg_cache_free(race.caches[1]);
}

static void each_key_is_admitted_once(void **state)
{
    (void)state;
    race_on(1);
    race_on(3);
}

/* A value per thread: a reply that went to the wrong caller would show. */
static void keep_own_values(void *context, unsigned index)
{
    struct race *race = context;
    char text[32];
    for (unsigned i = 0; i < 100; i++) {
        jtg_key key = numbered_key(text, "value", index);
        unsigned char sent[600];
        jtg_value got = JTG_VALUE_INIT;
        memset(sent, (int)(index + i), sizeof sent);
        size_t len = 1 + (index * 31 + i * 7) % sizeof sent;
        bool good = jtg_cache_put(race->caches[0], &key, sent, len, 60000, 1, NULL) == JTG_OK &&
                    jtg_cache_get(race->caches[0], &key, &got, NULL) == JTG_OK &&
                    got.data_len == len && memcmp(got.data, sent, len) == 0;
        jtg_value_clear(&got);
        if (!good)
            atomic_fetch_add(&race->odd_answers, 1);
    }
}

static void each_thread_gets_its_own_answer(void **state)
{
    struct race race = {.odd_answers = 0};
    (void)state;
    race.caches[0] = open_cache(1, 20000);
    threads_run(THREADS, keep_own_values, &race);
    assert_int_equal(race.odd_answers, 0);
    jtg_redis_stats stats = {.struct_size = sizeof stats};
    assert_status(jtg_redis_stats_get(race.caches[0], &stats, NULL), JTG_OK);
    assert_int_equal(stats.connects, 1);
    assert_true(stats.max_batch > 1); /* they did go out together */
    jtg_cache_free(race.caches[0]);
}

static jtg_status reserve_once(jtg_cache *cache, const char *kind, unsigned number)
{
    char text[32];
    jtg_key key = numbered_key(text, kind, number);
    jtg_owner owner;
    jtg_owner_generate(&owner);
    return jtg_cache_reserve(cache, &key, &owner, 60000, NULL);
}

static bool is_outage(jtg_status status)
{
    return status == JTG_ERR_UNAVAILABLE || status == JTG_ERR_TIMEOUT;
}

struct outage {
    jtg_cache *cache;
    atomic_bool over;
    atomic_uint wrong;
    atomic_uint served;
};

static void go_on_reserving(void *context, unsigned index)
{
    struct outage *outage = context;
    for (unsigned i = 0; !atomic_load(&outage->over); i++) {
        jtg_status status = reserve_once(outage->cache, "outage", index * 1000000 + i);
        if (status == JTG_OK)
            atomic_fetch_add(&outage->served, 1);
        else if (!is_outage(status))
            atomic_fetch_add(&outage->wrong, 1);
    }
}

/* True within a second of the server's return: the pauses are at most half a second. */
static bool comes_back(jtg_cache *cache)
{
    for (unsigned i = 0; i < 100; i++) {
        if (reserve_once(cache, "back", i) == JTG_OK)
            return true;
        (void)poll(NULL, 0, 10);
    }
    return false;
}

static void an_outage_refuses_and_ends(void **state)
{
    struct outage outage = {.over = false};
    (void)state;
    outage.cache = open_cache(1, 500);
    assert_status(jtg_cache_ping(outage.cache, NULL), JTG_OK);
    struct threads *threads = threads_start(THREADS, go_on_reserving, &outage);
    for (unsigned round = 0; round < 3; round++) {
        redis_server_kill(&server);
        assert_true(is_outage(reserve_once(outage.cache, "down", round)));
        redis_server_start_again(&server);
        assert_true(comes_back(outage.cache));
    }
    atomic_store(&outage.over, true);
    threads_join(threads);
    assert_int_equal(outage.wrong, 0);
    assert_true(outage.served > 0);
    jtg_cache_free(outage.cache);
}

/* Nobody is on the way when the server dies: nothing is unknown then. */
static void a_call_to_a_dead_server_is_unreachable(void **state)
{
    jtg_cache *cache = open_cache(1, 500);
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        assert_true(comes_back(cache));
        redis_server_kill(&server);
        (void)poll(NULL, 0, 2);
        assert_status(reserve_once(cache, "dead", round), JTG_ERR_UNAVAILABLE);
        redis_server_start_again(&server);
    }
    jtg_cache_free(cache);
}

static int start_server(void **state)
{
    (void)state;
    redis_server_start(&server, NULL);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    redis_server_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_is_admitted_once),
        cmocka_unit_test(each_thread_gets_its_own_answer),
        cmocka_unit_test(an_outage_refuses_and_ends),
        cmocka_unit_test(a_call_to_a_dead_server_is_unreachable),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
