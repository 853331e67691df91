/* SPDX-License-Identifier: Apache-2.0 */
/* A Cluster of one node, which has all slots, behind a line on which each answer takes a while. */
#include "integration/proxy_control.h"
#include "support/asserts.h"
#include "support/redis_topology.h"

#include <jtiguard/redis.h>
#include <stdio.h>
#include <string.h>

enum {
    PATIENT_MS = 20000,
    /* There and back take 20 ms, so that a hundred round trips do not fit in here, and half of them
     * do on a busy machine too. */
    TIMEOUT_MS = 2000,
    TRIES = 10
};

static struct redis_server node;
static struct proxy_control proxy;

static int start(void **state)
{
    static const char *const options[] = {"--cluster-enabled", "yes", NULL};
    char reply[64];
    (void)state;
    redis_server_start(&node, options);
    assert_true(redis_server_ask(&node, "CLUSTER ADDSLOTSRANGE 0 16383", reply, sizeof reply));
    assert_string_equal(reply, "+OK");
    assert_true(redis_server_comes_to_say(&node, "GET foo", "$-1"));
    proxy_start(&proxy, "127.0.0.1", node.port);
    return 0;
}

static int halt(void **state)
{
    (void)state;
    proxy_stop(&proxy);
    redis_server_stop(&node);
    return 0;
}

static jtg_cache *open_cache(uint32_t timeout_ms)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    jtg_cache *cache = NULL;
    char nodes[32];
    char map[64];
    (void)snprintf(nodes, sizeof nodes, "127.0.0.1:%u", (unsigned)proxy.port);
    (void)snprintf(map, sizeof map, "127.0.0.1:%u=127.0.0.1:%u", (unsigned)node.port,
                   (unsigned)proxy.port);
    options.cluster_nodes = nodes;
    options.address_map = map;
    options.timeout_ms = timeout_ms;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    return cache;
}

static jtg_status reserve(jtg_cache *cache, const char *name, jtg_error *err)
{
    jtg_key key = {name, strlen(name), NULL, 0};
    jtg_owner owner;
    jtg_owner_generate(&owner);
    return jtg_cache_reserve(cache, &key, &owner, 60000, err);
}

/* Each new connection reads the marker of each slot. */
static void all_slots_are_looked_at_within_one_call(void **state)
{
    jtg_status status = JTG_ERR_UNAVAILABLE;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    jtg_cache *cache = open_cache(PATIENT_MS);
    assert_status(reserve(cache, "one", &err), JTG_OK); /* and marks them */
    jtg_cache_free(cache);
    proxy_order(&proxy, "latency 10");
    cache = open_cache(TIMEOUT_MS);
    for (unsigned i = 0; i < TRIES && status == JTG_ERR_UNAVAILABLE; i++)
        status = reserve(cache, "two", &err);
    if (status != JTG_OK)
        fail_msg("%s", err.text);
    assert_status(reserve(cache, "one", &err), JTG_REPLAYED);
    jtg_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_slots_are_looked_at_within_one_call)};
    return cmocka_run_group_tests(tests, start, halt);
}
