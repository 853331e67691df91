/* SPDX-License-Identifier: Apache-2.0 */
/* A Cluster of three: keys lie where their slots are, and are found while one of these moves. */
#include "redis/live_server.h"
#include "support/asserts.h"
#include "support/stalls.h"
#include "support/threads.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { KEYS = 300, SLOT = 12182 /* of foo: the last third */, FROM = 2, TO = 0 };

static struct redis_cluster topology;

static int start(void **state)
{
    (void)state;
    redis_cluster_start(&topology);
    return 0;
}

static int halt(void **state)
{
    (void)state;
    redis_cluster_stop(&topology);
    return 0;
}

static jtg_cache *open_within(uint32_t timeout_ms)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    jtg_cache *cache = NULL;
    options.cluster_nodes = topology.addresses;
    options.timeout_ms = timeout_ms;
    options.prefix = "t:";
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    return cache;
}

static jtg_cache *open_cache(void)
{
    return open_within(5000);
}

static int64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static jtg_status reserve(jtg_cache *cache, const char *key, const jtg_owner *owner)
{
    jtg_key wanted = {key, strlen(key), NULL, 0};
    return jtg_cache_reserve(cache, &wanted, owner, 600000, NULL);
}

static jtg_status reserve_new(jtg_cache *cache, const char *key)
{
    jtg_owner owner;
    jtg_owner_generate(&owner);
    return reserve(cache, key, &owner);
}

static void keys_lie_where_their_slots_are(void **state)
{
    jtg_cache *cache = open_cache();
    jtg_redis_server server = {.struct_size = sizeof server};
    jtg_owner owner;
    uint64_t count = 0;
    char key[32];
    (void)state;
    jtg_owner_generate(&owner);
    for (unsigned i = 0; i < KEYS; i++) {
        (void)snprintf(key, sizeof key, "key-%u", i);
        assert_status(reserve(cache, key, &owner), JTG_OK);
        assert_status(reserve_new(cache, key), JTG_REPLAYED);
        assert_status(reserve(cache, key, &owner), JTG_OK);
    }
    assert_status(jtg_cache_ping(cache, NULL), JTG_OK);
    assert_status(jtg_cache_count(cache, &count, NULL), JTG_OK);
    assert_int_equal(count, KEYS);
    assert_status(jtg_redis_server_get(cache, &server, NULL), JTG_OK);
    assert_int_equal(server.nodes_known, TOPOLOGY_NODES);
    assert_int_equal(server.slots_covered, 16384);
    assert_string_equal(server.mode, "cluster");
    assert_int_equal(live_stats(cache).redirects, 0);
    assert_status(jtg_cache_clear(cache, NULL), JTG_OK);
    assert_status(jtg_cache_count(cache, &count, NULL), JTG_OK);
    assert_int_equal(count, 0);
    jtg_cache_free(cache);
}

static void values_lie_there_too(void **state)
{
    jtg_cache *cache = open_cache();
    char name[16];
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        (void)snprintf(name, sizeof name, "v%u", i);
        jtg_key key = {name, strlen(name), NULL, 0};
        jtg_value value = JTG_VALUE_INIT;
        assert_status(jtg_cache_put(cache, &key, name, strlen(name), 60000, 1, NULL), JTG_OK);
        assert_status(jtg_cache_take(cache, &key, &value, NULL), JTG_OK);
        assert_memory_equal(value.data, name, strlen(name));
        jtg_value_clear(&value);
        assert_status(jtg_cache_take(cache, &key, &value, NULL), JTG_NOT_FOUND);
    }
    jtg_cache_free(cache);
}

/* ---- a slot moves ---- */

static void a_key_is_found_while_its_slot_moves(void **state)
{
    jtg_cache *cache = open_cache();
    struct moving_slot move;
    (void)state;
    assert_status(reserve_new(cache, "{foo}1"), JTG_OK);
    moving_slot_begin(&move, SLOT, &topology.nodes[FROM], &topology.nodes[TO]);
    assert_status(reserve_new(cache, "{foo}1"), JTG_REPLAYED); /* still there */
    assert_status(reserve_new(cache, "{foo}2"), JTG_OK);       /* already here */
    assert_status(reserve_new(cache, "{foo}2"), JTG_REPLAYED);
    assert_true(live_stats(cache).redirects > 0);
    moving_slot_carry(&move);
    assert_status(reserve_new(cache, "{foo}1"), JTG_REPLAYED);
    assert_status(reserve_new(cache, "{foo}2"), JTG_REPLAYED);
    moving_slot_end(&move);
    assert_status(reserve_new(cache, "{foo}1"), JTG_REPLAYED);
    assert_status(reserve_new(cache, "{foo}2"), JTG_REPLAYED);
    assert_status(reserve_new(cache, "{foo}3"), JTG_OK);

    uint64_t redirects = live_stats(cache).redirects;
    assert_status(reserve_new(cache, "{foo}3"), JTG_REPLAYED);
    assert_int_equal(live_stats(cache).redirects, redirects); /* it is known by now */
    jtg_cache_free(cache);
}

/* Many threads, and the slot goes to and fro: every key has one winner. */
enum { RACERS = 8, RACED_KEYS = 200 };

struct race {
    jtg_cache *cache;
    atomic_uint wins[RACED_KEYS];
    atomic_uint others; /* answers that are none of the two */
};

static void race_once(void *context, unsigned number)
{
    struct race *race = context;
    char key[32];
    (void)number;
    for (unsigned i = 0; i < RACED_KEYS; i++) {
        (void)snprintf(key, sizeof key, "{foo}race-%u", i);
        jtg_status status = reserve_new(race->cache, key);
        if (status == JTG_OK)
            atomic_fetch_add(&race->wins[i], 1);
        else if (status != JTG_REPLAYED)
            atomic_fetch_add(&race->others, 1);
    }
}

static void one_of_many_wins_while_the_slot_moves(void **state)
{
    static struct race race;
    struct moving_slot move;
    (void)state;
    race.cache = open_cache();
    struct threads *threads = threads_start(RACERS, race_once, &race);
    moving_slot_begin(&move, SLOT, &topology.nodes[TO], &topology.nodes[FROM]);
    while (moving_slot_left(&move) > 0)
        moving_slot_carry(&move);
    moving_slot_end(&move);
    threads_join(threads);
    for (unsigned i = 0; i < RACED_KEYS; i++)
        assert_int_equal(atomic_load(&race.wins[i]), 1);
    assert_int_equal(atomic_load(&race.others), 0);
    jtg_cache_free(race.cache);
}

/* That of a Redis has one, and that of a Valkey 9 as many as it was told, by default one. */
static void a_database_that_the_cluster_lacks_is_told(void **state)
{
    static const jtg_key key = {"jti", 3, NULL, 0};
    static const jtg_owner owner = {"0123456789abcde"};
    jtg_error err = JTG_ERROR_INIT;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    jtg_cache *cache = NULL;
    (void)state;
    options.cluster_nodes = topology.addresses;
    options.timeout_ms = 5000;
    options.database = 5;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    assert_status(jtg_cache_reserve(cache, &key, &owner, 60000, &err), JTG_ERR_REFUSED);
    assert_non_null(strstr(err.text, "the Cluster has no such database"));
    jtg_cache_free(cache);
}

/* A node without a replica: what it held is unavailable, and nothing else is. */
static void a_lost_node_takes_only_its_slots_along(void **state)
{
    jtg_cache *cache = open_cache();
    (void)state;
    for (unsigned i = 0; i < TOPOLOGY_NODES; i++)
        live_tell(&topology.nodes[i], "CONFIG SET cluster-require-full-coverage no");
    assert_status(reserve_new(cache, "bar"), JTG_OK);    /* 5061: the first third */
    assert_status(reserve_new(cache, "{foo}a"), JTG_OK); /* the last */
    redis_server_kill(&topology.nodes[0]);
    jtg_status status = reserve_new(cache, "bar");
    assert_true(status == JTG_ERR_UNAVAILABLE || status == JTG_ERR_TIMEOUT);
    assert_status(reserve_new(cache, "{foo}b"), JTG_OK);
    assert_status(jtg_cache_ping(cache, NULL), JTG_ERR_UNAVAILABLE);
    jtg_cache_free(cache);
}

/* ---- many at once ---- */

/* PREFIX 0, PREFIX 1, …, of which those that are equal lie far apart. */
struct many {
    jtg_reserve_call calls[KEYS];
    char keys[KEYS][32];
    jtg_owner owners[KEYS];
};

static void gather(struct many *many, const char *prefix, unsigned different)
{
    for (unsigned i = 0; i < KEYS; i++) {
        int len = snprintf(many->keys[i], sizeof many->keys[i], "%s%u", prefix, i % different);
        jtg_owner_generate(&many->owners[i]);
        many->calls[i] = (jtg_reserve_call){.key = {many->keys[i], (size_t)len, NULL, 0},
                                            .owner = &many->owners[i],
                                            .ttl_ms = 600000,
                                            .kept_since_ms = JTG_KEPT_ANY,
                                            .reserved = true};
    }
}

static unsigned count_status(const struct many *many, jtg_status status)
{
    unsigned count = 0;
    for (unsigned i = 0; i < KEYS; i++)
        count += many->calls[i].status == status && many->calls[i].reserved == (status == JTG_OK);
    return count;
}

static void many_keys_find_their_nodes(void **state)
{
    static struct many many;
    jtg_cache *cache = open_cache();
    (void)state;
    gather(&many, "many-", KEYS - 50);
    jtg_cache_reserve_many(cache, many.calls, KEYS);
    assert_int_equal(count_status(&many, JTG_OK), KEYS - 50);
    for (unsigned i = KEYS - 50; i < KEYS; i++) /* the second of each that is there twice */
        assert_status(many.calls[i].status, JTG_REPLAYED);
    assert_int_equal(live_stats(cache).redirects, 0);
    assert_true(live_stats(cache).batches <= 3 * TOPOLOGY_NODES);
    jtg_cache_reserve_many(cache, many.calls, KEYS); /* with the same owners */
    assert_int_equal(count_status(&many, JTG_OK), KEYS - 50);
    gather(&many, "many-", KEYS - 50);
    jtg_cache_reserve_many(cache, many.calls, KEYS);
    assert_int_equal(count_status(&many, JTG_REPLAYED), KEYS);
    jtg_cache_free(cache);
}

/* On both of its nodes: what was there, what comes while it moves, and twice in one call. */
static void many_keys_are_found_while_their_slot_moves(void **state)
{
    static struct many many;
    jtg_cache *cache = open_cache();
    struct moving_slot move;
    (void)state;
    assert_status(reserve_new(cache, "{foo}m7"), JTG_OK);
    moving_slot_begin(&move, SLOT, &topology.nodes[FROM], &topology.nodes[TO]);
    gather(&many, "{foo}m", KEYS / 2);
    jtg_cache_reserve_many(cache, many.calls, KEYS);
    assert_int_equal(count_status(&many, JTG_OK), KEYS / 2 - 1);
    assert_int_equal(count_status(&many, JTG_REPLAYED), KEYS / 2 + 1);
    assert_status(many.calls[7].status, JTG_REPLAYED);
    moving_slot_carry(&move);
    moving_slot_end(&move);
    gather(&many, "{foo}m", KEYS);
    jtg_cache_reserve_many(cache, many.calls, KEYS);
    assert_int_equal(count_status(&many, JTG_OK), KEYS / 2);
    for (unsigned i = 0; i < KEYS / 2; i++)
        assert_status(many.calls[i].status, JTG_REPLAYED);
    moving_slot_begin(&move, SLOT, &topology.nodes[TO], &topology.nodes[FROM]);
    while (moving_slot_left(&move) > 0)
        moving_slot_carry(&move);
    moving_slot_end(&move);
    jtg_cache_free(cache);
}

/* Those of a node that hangs are unknown when the time of one call is over, and the others have
 * their answers. */
static void a_node_that_hangs_keeps_its_own_back(void **state)
{
    static struct many many;
    jtg_cache *cache = open_within(1000);
    struct stalls stalls;
    unsigned hung = 0;
    (void)state;
    gather(&many, "warm-", KEYS);
    jtg_cache_reserve_many(cache, many.calls, KEYS);
    assert_int_equal(count_status(&many, JTG_OK), KEYS);
    redis_server_freeze(&topology.nodes[1]);
    gather(&many, "hung-", KEYS);
    stalls_begin(&stalls);
    int64_t began_ns = now_ns();
    jtg_cache_reserve_many(cache, many.calls, KEYS);
    int64_t took_ms = (now_ns() - began_ns) / 1000000;
    int64_t stalled_ms = stalls_end_ms(&stalls);
    redis_server_thaw(&topology.nodes[1]);
    for (unsigned i = 0; i < KEYS; i++)
        hung +=
            many.calls[i].status == JTG_ERR_TIMEOUT || many.calls[i].status == JTG_ERR_UNAVAILABLE;
    assert_in_range(hung, KEYS / 6, KEYS / 2);
    assert_int_equal(count_status(&many, JTG_OK), KEYS - hung);
    assert_true(took_ms <= 1000 + 100 + stalled_ms);
    jtg_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_lie_where_their_slots_are),
        cmocka_unit_test(values_lie_there_too),
        cmocka_unit_test(a_key_is_found_while_its_slot_moves),
        cmocka_unit_test(one_of_many_wins_while_the_slot_moves),
        cmocka_unit_test(a_database_that_the_cluster_lacks_is_told),
        cmocka_unit_test(many_keys_find_their_nodes),
        cmocka_unit_test(many_keys_are_found_while_their_slot_moves),
        cmocka_unit_test(a_node_that_hangs_keeps_its_own_back),
        cmocka_unit_test(a_lost_node_takes_only_its_slots_along),
    };
    return cmocka_run_group_tests(tests, start, halt);
}
