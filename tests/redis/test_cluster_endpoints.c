/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes of a Cluster that announce a name: they are reached by the endpoint that they prefer, for a
 * name may be announced that only the Cluster's own network resolves. */
#include "redis/live_server.h"
#include "support/asserts.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_S = 30 };

#define NOWHERE "pod-0.internal.invalid"

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

static void configure(unsigned node, const char *name, const char *preferred)
{
    char line[96];
    (void)snprintf(line, sizeof line, "CONFIG SET cluster-announce-hostname %s", name);
    live_tell(&topology.nodes[node], line);
    (void)snprintf(line, sizeof line, "CONFIG SET cluster-preferred-endpoint-type %s", preferred);
    live_tell(&topology.nodes[node], line);
}

/* Does this node say so of the slot's primary? An announcement is passed on by gossip. */
static bool says_name(redisContext *context, unsigned slot, const char *name)
{
    redisReply *slots = live_ask(context, "CLUSTER SLOTS");
    bool says = false;
    for (size_t i = 0; i < slots->elements; i++) {
        const redisReply *node = slots->element[i]->element[2];
        const redisReply *names = node->elements > 3 ? node->element[3] : NULL;
        if (slots->element[i]->element[0]->integer != slot)
            continue;
        says = node->element[0]->type == REDIS_REPLY_STRING &&
               strcmp(node->element[0]->str, name) == 0;
        for (size_t k = 0; names != NULL && k < names->elements; k++)
            says = says || strcmp(names->element[k]->str, name) == 0;
    }
    freeReplyObject(slots);
    return says;
}

static void await_name_of(const struct redis_cluster *cluster, unsigned slot, const char *name)
{
    for (unsigned i = 0; i < TOPOLOGY_NODES; i++) {
        redisContext *context = live_connect(&cluster->nodes[i]);
        time_t end = time(NULL) + PATIENCE_S;
        while (!says_name(context, slot, name))
            assert_true(time(NULL) < end);
        redisFree(context);
    }
}

static void await_name(const char *name)
{
    await_name_of(&topology, 0, name);
}

static void assert_every_slot_is_served(void)
{
    static const char *const keys[] = {"bar", "somekey", "foo"}; /* a third of the slots each */
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    jtg_cache *cache = NULL;
    options.timeout_ms = 5000;
    options.cluster_nodes = topology.addresses;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    for (size_t i = 0; i < 3; i++) {
        jtg_error err = JTG_ERROR_INIT;
        jtg_owner owner;
        jtg_key key = {keys[i], strlen(keys[i]), NULL, 0};
        jtg_owner_generate(&owner);
        if (jtg_cache_reserve(cache, &key, &owner, 1000, &err) != JTG_OK)
            fail_msg("%s: %s", keys[i], err.text);
        assert_status(jtg_cache_release(cache, &key, &owner, NULL), JTG_OK);
    }
    jtg_cache_free(cache);
}

static void the_preferred_endpoint_is_used(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TOPOLOGY_NODES; i++)
        configure(i, i == 0 ? NOWHERE : "localhost", "ip");
    await_name(NOWHERE);
    assert_every_slot_is_served();
}

static void where_we_asked_is_used(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TOPOLOGY_NODES; i++)
        configure(i, i == 0 ? NOWHERE : "localhost", "unknown-endpoint");
    await_name(NOWHERE);
    assert_every_slot_is_served();
}

static void a_preferred_name_that_is_not_resolved_has_an_address(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TOPOLOGY_NODES; i++)
        configure(i, i == 0 ? NOWHERE : "localhost", "hostname");
    await_name(NOWHERE);
    assert_every_slot_is_served();
}

/* Each asks another node, by its own way of naming. */
static void nodes_may_prefer_different_ones(void **state)
{
    static const char *const preferred[] = {"ip", "hostname", "unknown-endpoint"};
    (void)state;
    for (unsigned i = 0; i < TOPOLOGY_NODES; i++)
        configure(i, i == 0 ? NOWHERE : "localhost", preferred[i]);
    await_name(NOWHERE);
    for (unsigned i = 0; i < 5; i++)
        assert_every_slot_is_served();
}

/* Names as long as a server lets them be, and nothing shares a range: some 6 MB. */
static void a_map_as_large_as_it_can_be_is_read(void **state)
{
    static struct redis_cluster scattered;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    jtg_redis_server server = {.struct_size = sizeof server};
    jtg_error err = JTG_ERROR_INIT;
    jtg_cache *cache = NULL;
    char line[320];
    (void)state;
    redis_cluster_start_scattered(&scattered);
    for (unsigned i = 0; i < TOPOLOGY_NODES; i++) {
        (void)snprintf(line, sizeof line, "CONFIG SET cluster-announce-hostname %0247u.invalid", i);
        live_tell(&scattered.nodes[i], line);
        (void)snprintf(line, sizeof line, "%0247u.invalid", i);
        await_name_of(&scattered, i, line);
    }
    options.cluster_nodes = scattered.addresses;
    options.timeout_ms = 20000;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    if (jtg_redis_server_get(cache, &server, &err) != JTG_OK)
        fail_msg("%s", err.text);
    assert_int_equal(server.slots_covered, 16384);
    assert_int_equal(server.nodes_known, TOPOLOGY_NODES);
    jtg_cache_free(cache);
    redis_cluster_stop(&scattered);
}

static jtg_status ping_with(const jtg_redis_options *options)
{
    jtg_cache *cache = NULL;
    assert_status(jtg_redis_new(&cache, options, NULL), JTG_OK);
    jtg_status status = jtg_cache_ping(cache, NULL);
    jtg_cache_free(cache);
    return status;
}

/* A Cluster in a network of its own, which announces an address that is good there only. */
static void a_node_is_reached_where_the_map_says(void **state)
{
    static const char *const inner[] = {"--cluster-enabled",
                                        "yes",
                                        "--cluster-announce-ip",
                                        "192.0.2.7",
                                        "--cluster-announce-port",
                                        "7000",
                                        NULL};
    struct redis_server node;
    char list[32];
    char map[64];
    char reply[64];
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    redis_server_start(&node, inner);
    assert_true(redis_server_ask(&node, "CLUSTER ADDSLOTSRANGE 0 16383", reply, sizeof reply));
    assert_true(redis_server_comes_to_say(&node, "GET foo", "$-1"));
    (void)snprintf(list, sizeof list, "127.0.0.1:%u", (unsigned)node.port);
    (void)snprintf(map, sizeof map, "192.0.2.7:7000=%s", list);
    options.cluster_nodes = list;
    options.timeout_ms = 300; /* nothing answers there without the map */
    options.prefix = "m:";
    assert_int_not_equal(ping_with(&options), JTG_OK);
    options.timeout_ms = 5000;
    options.address_map = map;
    assert_status(ping_with(&options), JTG_OK);
    redis_server_stop(&node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_preferred_endpoint_is_used),
        cmocka_unit_test(where_we_asked_is_used),
        cmocka_unit_test(a_preferred_name_that_is_not_resolved_has_an_address),
        cmocka_unit_test(nodes_may_prefer_different_ones),
        cmocka_unit_test(a_map_as_large_as_it_can_be_is_read),
        cmocka_unit_test(a_node_is_reached_where_the_map_says),
    };
    return cmocka_run_group_tests(tests, start, halt);
}
