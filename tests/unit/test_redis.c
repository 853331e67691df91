/* SPDX-License-Identifier: Apache-2.0 */
/* A Redis cache's making and its numbers. Nothing connects. */
#include "redis/ask/store.h"
#include "redis/flow/counts.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <jtiguard/cache.h>
#include <string.h>

static jtg_cache *cache;

static int open_cache(void **state)
{
    (void)state;
    assert_status(jtg_redis_new(&cache, NULL, NULL), JTG_OK);
    return 0;
}

static int close_cache(void **state)
{
    (void)state;
    jtg_cache_free(cache);
    cache = NULL;
    return 0;
}

static struct jtgi_redis *redis(void)
{
    return (struct jtgi_redis *)(void *)cache;
}

static void the_table_goes_by_continuity(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    assert_ptr_equal(cache->backend, jtgi_redis_backend(true));
    (void)close_cache(NULL);
    options.continuity = 0;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    assert_ptr_equal(cache->backend, jtgi_redis_backend(false));
}

static void what_cannot_be_made_is_null(void **state)
{
    jtg_cache *none = cache;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    options.timeout_ms = 0;
    options.port = 70000;
    assert_status(jtg_redis_new(&none, &options, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_null(none);
    none = cache;
    assert_status(jtg_redis_new_uri(&none, "redis:", NULL), JTG_ERR_ARGUMENT);
    assert_null(none);
    assert_status(jtg_redis_new(NULL, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_redis_new_uri(NULL, "redis://h", NULL), JTG_ERR_ARGUMENT);
}

/* The guard would put its own prefix behind it. */
static void plain_keys_and_a_prefix_do_not_go_together(void **state)
{
    jtg_cache *made = NULL;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    assert_status(jtg_redis_new_uri(&made, "redis://h?keys=plain&prefix=x:", &err),
                  JTG_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "keys=plain"));
    assert_status(jtg_redis_new_uri(&made, "redis://h?keys=plain", NULL), JTG_OK);
    jtg_cache_free(made);
    assert_status(jtg_redis_new_uri(&made, "redis://h?keys=digest&prefix=x:", NULL), JTG_OK);
    jtg_cache_free(made);
}

static void without_memory_nothing_is_left(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    jtg_cache *made = NULL;
    jtg_status status = JTG_ERR_MEMORY;
    unsigned failures = 0;
    (void)state;
    options.max_entries_per_group = 5;
    options.continuity = 0;
    options.cluster_nodes = "127.0.0.1:1";
    while (status == JTG_ERR_MEMORY) {
        alloc_walk_fail_nth(failures + 1);
        status = jtg_redis_new(&made, &options, NULL);
        failures += alloc_walk_end();
        assert_true((status == JTG_OK) == (made != NULL));
    }
    assert_status(status, JTG_OK);
    assert_true(failures > 5);
    jtg_cache_free(made);
}

/* ---- numbers ---- */

static jtg_redis_stats stats_of(void)
{
    jtg_redis_stats stats = {.struct_size = sizeof stats};
    assert_status(jtg_redis_stats_get(cache, &stats, NULL), JTG_OK);
    return stats;
}

static void each_counter_is_told_where_it_belongs(void **state)
{
    struct jtgi_counters *counters = redis()->shared.counters;
    (void)state;
    for (unsigned which = 0; which < JTGI_COUNTERS; which++)
        for (unsigned i = 0; i <= which; i++)
            jtgi_counters_add(counters, which);
    jtg_redis_stats stats = stats_of();
    assert_int_equal(stats.connects, JTGI_COUNT_CONNECTS + 1);
    assert_int_equal(stats.connect_failures, JTGI_COUNT_CONNECT_FAILURES + 1);
    assert_int_equal(stats.poisoned, JTGI_COUNT_POISONED + 1);
    assert_int_equal(stats.batches, JTGI_COUNT_BATCHES + 1);
    assert_int_equal(stats.unknown, JTGI_COUNT_UNKNOWN + 1);
    assert_int_equal(stats.asked_again, JTGI_COUNT_ASKED_AGAIN + 1);
    assert_int_equal(stats.expired, JTGI_COUNT_EXPIRED + 1);
    assert_int_equal(stats.refused_at_once, JTGI_COUNT_REFUSED_AT_ONCE + 1);
    assert_int_equal(stats.primary_changes, JTGI_COUNT_PRIMARY_CHANGES + 1);
    assert_int_equal(stats.redirects, JTGI_COUNT_REDIRECTS + 1);
    assert_int_equal(stats.too_few_replicas, JTGI_COUNT_TOO_FEW_REPLICAS + 1);
    assert_int_equal(stats.losses, JTGI_COUNT_LOSSES + 1);
}

static void requests_are_those_of_all_nodes(void **state)
{
    struct jtgi_nodes *nodes = &redis()->route.nodes;
    (void)state;
    nodes->list[0]->pipelines[0].requests = 3;
    nodes->list[0]->pipelines[0].max_batch = 4;
    nodes->gone_requests = 10;
    nodes->gone_max_batch = 2;
    jtg_redis_stats stats = stats_of();
    assert_true(stats.requests == 13 && stats.max_batch == 4 && stats.up == 1);
    nodes->gone_max_batch = 9;
    atomic_store(&nodes->list[0]->health.down, true);
    stats = stats_of();
    assert_true(stats.max_batch == 9 && stats.up == 0);
}

/* Whichever of its nodes is down. */
static void a_cluster_is_up_when_each_node_is(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    struct jtgi_address address = {.unix_path = NULL};
    struct jtgi_node *nodes[2];
    (void)state;
    (void)close_cache(NULL);
    options.cluster_nodes = "127.0.0.1:1";
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    assert_int_equal(stats_of().up, 1);
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(jtgi_address_set(&address, "127.0.0.1", 9, 1 + i));
        nodes[i] = jtgi_nodes_at_address(&redis()->route.nodes, &address);
    }
    assert_int_equal(stats_of().up, 1);
    for (size_t i = 0; i < 2; i++) {
        atomic_store(&nodes[i]->health.down, true);
        assert_int_equal(stats_of().up, 0);
        atomic_store(&nodes[i]->health.down, false);
        jtgi_nodes_let_go(&redis()->route.nodes, nodes[i]);
    }
}

static void what_was_kept_is_told_once_it_is_known(void **state)
{
    struct jtgi_kept *kept = redis()->shared.watch.kept;
    (void)state;
    assert_true(stats_of().kept_since_ms == JTG_REDIS_UNSTATED && stats_of().watches == 1);
    atomic_store(&kept->nonce, 0xaa);
    atomic_store(&kept->since_ms, JTGI_SINCE_PENDING);
    assert_true(stats_of().kept_since_ms == JTG_REDIS_UNSTATED);
    atomic_store(&kept->since_ms, 1000);
    assert_true(stats_of().kept_since_ms == 1000);
    atomic_store(&kept->since_ms, JTGI_SINCE_EVER);
    assert_true(stats_of().kept_since_ms == 0);
}

static void the_caller_says_how_much_it_knows(void **state)
{
    jtg_redis_stats stats = {.struct_size = offsetof(jtg_redis_stats, primary_changes),
                             .primary_changes = 77};
    (void)state;
    assert_status(jtg_redis_stats_get(cache, &stats, NULL), JTG_OK);
    assert_int_equal(stats.primary_changes, 77);
    stats.struct_size--;
    assert_status(jtg_redis_stats_get(cache, &stats, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_redis_stats_get(cache, NULL, NULL), JTG_ERR_ARGUMENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_cache, close_cache)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_table_goes_by_continuity),
        TEST(what_cannot_be_made_is_null),
        TEST(plain_keys_and_a_prefix_do_not_go_together),
        TEST(without_memory_nothing_is_left),
        TEST(each_counter_is_told_where_it_belongs),
        TEST(requests_are_those_of_all_nodes),
        TEST(a_cluster_is_up_when_each_node_is),
        TEST(what_was_kept_is_told_once_it_is_known),
        TEST(the_caller_says_how_much_it_knows),
    };
    return cmocka_run_group_tests_name("redis", tests, NULL, NULL);
}
