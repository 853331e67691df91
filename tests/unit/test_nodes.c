/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/ask/store.h"
#include "redis/route/nodes.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <stdio.h>
#include <string.h>

static jtg_cache *cache;
static struct jtgi_nodes *nodes;
static struct jtgi_slot_map map; /* too large for a stack */

/* It never talks: nothing here connects. */
static int open_cluster(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.cluster_nodes = "127.0.0.1:1";
    options.continuity = 0;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    nodes = &((struct jtgi_redis *)(void *)cache)->route.nodes;
    memset(&map, 0, sizeof map);
    return 0;
}

static int close_cluster(void **state)
{
    (void)state;
    jtg_cache_free(cache);
    return 0;
}

static struct jtgi_address at(const char *host, uint32_t port)
{
    struct jtgi_address address = {.unix_path = NULL};
    assert_true(jtgi_address_set(&address, host, strlen(host), port));
    return address;
}

/* A primary of the map with the slots from first to last. */
static void add_primary(uint32_t port, unsigned first, unsigned last)
{
    map.primaries[map.count].address = at("h", port);
    assert_true(jtgi_address_set_other(&map.primaries[map.count].address, "10.0.0.1", 8));
    map.count++;
    for (unsigned slot = first; slot <= last; slot++)
        map.owners[slot] = (uint8_t)map.count;
}

static uint64_t serial_at(uint16_t slot)
{
    struct jtgi_node *node = jtgi_nodes_at_slot(nodes, slot);
    uint64_t serial = node == NULL ? 0 : node->serial;
    jtgi_nodes_let_go(nodes, node);
    return serial;
}

static void a_map_is_taken_over(void **state)
{
    struct jtgi_slot_set slots;
    (void)state;
    assert_int_equal(serial_at(0), 0);
    add_primary(1, 0, 99);
    add_primary(2, 100, JTGI_SLOTS - 2);
    assert_status(jtgi_nodes_adopt(nodes, &map, NULL), JTG_OK);
    assert_int_equal(nodes->count, 2);
    assert_int_equal(jtgi_nodes_covered(nodes), JTGI_SLOTS - 1);
    assert_true(serial_at(0) != 0 && serial_at(0) == serial_at(99));
    assert_true(serial_at(100) != 0 && serial_at(100) != serial_at(99));
    assert_int_equal(serial_at(JTGI_SLOTS - 1), 0);

    struct jtgi_node *node = jtgi_nodes_at_slot(nodes, 5);
    jtgi_nodes_slots_of(nodes, node, &slots);
    assert_true(jtgi_slot_set_has(&slots, 0) && jtgi_slot_set_has(&slots, 99));
    assert_false(jtgi_slot_set_has(&slots, 100));
    jtgi_nodes_let_go(nodes, node);
}

static void a_node_that_stays_is_the_same_one(void **state)
{
    (void)state;
    add_primary(1, 0, 99);
    add_primary(2, 100, 200);
    assert_status(jtgi_nodes_adopt(nodes, &map, NULL), JTG_OK);
    uint64_t first = serial_at(0);
    uint64_t second = serial_at(100);
    memset(&map, 0, sizeof map);
    add_primary(2, 0, 150);
    add_primary(3, 151, 200);
    assert_status(jtgi_nodes_adopt(nodes, &map, NULL), JTG_OK);
    assert_int_equal(serial_at(0), second);
    assert_int_equal(serial_at(100), second);
    assert_true(serial_at(200) != first && serial_at(200) != second);
}

/* The last who holds it ends it, and what it did still counts. */
static void a_node_that_left_lives_while_it_is_held(void **state)
{
    jtg_redis_stats stats = {.struct_size = sizeof stats};
    (void)state;
    add_primary(1, 0, 99);
    assert_status(jtgi_nodes_adopt(nodes, &map, NULL), JTG_OK);
    struct jtgi_node *held = jtgi_nodes_at_slot(nodes, 0);
    held->pipelines[0].requests = 7;
    memset(&map, 0, sizeof map);
    add_primary(2, 0, 99);
    assert_status(jtgi_nodes_adopt(nodes, &map, NULL), JTG_OK);
    assert_false(jtgi_nodes_have(nodes, held));
    assert_true(serial_at(0) != held->serial);
    jtgi_nodes_retire_connection(nodes, held->serial); /* it is not there: nothing happens */
    jtgi_nodes_let_go(nodes, held);
    assert_status(jtg_redis_stats_get(cache, &stats, NULL), JTG_OK);
    assert_int_equal(stats.requests, 7);
    assert_int_equal(stats.primary_changes, 1);
}

static void a_redirect_finds_it_by_either_name(void **state)
{
    struct jtgi_address by_name = at("H", 1);
    struct jtgi_address by_address = at("10.0.0.1", 1);
    struct jtgi_address unknown = at("10.0.0.9", 1);
    (void)state;
    add_primary(1, 0, 99);
    assert_status(jtgi_nodes_adopt(nodes, &map, NULL), JTG_OK);
    struct jtgi_node *one = jtgi_nodes_at_address(nodes, &by_name);
    struct jtgi_node *same = jtgi_nodes_at_address(nodes, &by_address);
    struct jtgi_node *other = jtgi_nodes_at_address(nodes, &unknown);
    assert_ptr_equal(one, same);
    assert_true(other != NULL && other != one);
    jtgi_nodes_move(nodes, 5, other);
    assert_int_equal(serial_at(5), other->serial);
    assert_int_equal(serial_at(6), one->serial);
    jtgi_nodes_let_go(nodes, one);
    jtgi_nodes_let_go(nodes, same);
    jtgi_nodes_let_go(nodes, other);
    assert_status(jtgi_nodes_adopt(nodes, &map, NULL), JTG_OK); /* which does not know it */
    assert_int_equal(nodes->count, 1);
}

/* Nodes that prefer different endpoints: the same server, by its address and by its name. */
static void the_other_form_is_the_same_node(void **state)
{
    (void)state;
    add_primary(1, 0, 99);
    assert_status(jtgi_nodes_adopt(nodes, &map, NULL), JTG_OK);
    uint64_t before = serial_at(0);
    memset(&map, 0, sizeof map);
    map.primaries[0].address = at("10.0.0.1", 1);
    map.count = 1;
    map.owners[0] = 1;
    assert_status(jtgi_nodes_adopt(nodes, &map, NULL), JTG_OK);
    assert_int_equal(serial_at(0), before);
    assert_int_equal(nodes->count, 1);
}

/* As where all announce the name of a load balancer. */
static void a_name_that_several_announce_is_nobodys(void **state)
{
    struct jtgi_address shared[3] = {at("10.0.0.1", 1), at("10.0.0.2", 1), at("10.0.0.3", 1)};
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_true(jtgi_address_set_other(&shared[i], "all.example", 11));
    map.count = 2;
    map.primaries[0].address = shared[0];
    map.primaries[1].address = shared[1];
    map.owners[0] = 1;
    map.owners[1] = 2;
    assert_status(jtgi_nodes_adopt(nodes, &map, NULL), JTG_OK);
    uint64_t first = serial_at(0);
    uint64_t second = serial_at(1);
    assert_true(first != second);
    map.primaries[0].address = shared[2];
    assert_status(jtgi_nodes_adopt(nodes, &map, NULL), JTG_OK);
    assert_true(serial_at(0) != first && serial_at(0) != second);
    assert_int_equal(serial_at(1), second);
}

/* Else it would be in the list twice, and be let go twice. */
static void one_node_under_two_names_is_two(void **state)
{
    (void)state;
    add_primary(1, 0, 99);
    assert_status(jtgi_nodes_adopt(nodes, &map, NULL), JTG_OK);
    memset(&map, 0, sizeof map);
    add_primary(1, 0, 49);
    add_primary(1, 50, 99);
    map.primaries[1].address = at("10.0.0.1", 1);
    assert_status(jtgi_nodes_adopt(nodes, &map, NULL), JTG_OK);
    assert_true(serial_at(0) != serial_at(50));
    memset(&map, 0, sizeof map);
    assert_status(jtgi_nodes_adopt(nodes, &map, NULL), JTG_OK);
    assert_int_equal(nodes->count, 0);
}

static void there_are_no_more_than_the_limit(void **state)
{
    struct jtgi_address one_more = at("more", 1);
    (void)state;
    for (unsigned i = 0; i < JTG_REDIS_NODES_LIMIT; i++)
        add_primary(i + 1, i, i);
    assert_status(jtgi_nodes_adopt(nodes, &map, NULL), JTG_OK);
    assert_int_equal(nodes->count, JTG_REDIS_NODES_LIMIT);
    assert_true(serial_at(JTG_REDIS_NODES_LIMIT - 1) != 0);
    assert_null(jtgi_nodes_at_address(nodes, &one_more));
}

static void out_of_memory_leaves_all_as_it_was(void **state)
{
    jtg_status status = JTG_ERR_MEMORY;
    (void)state;
    add_primary(1, 0, 99);
    assert_status(jtgi_nodes_adopt(nodes, &map, NULL), JTG_OK);
    uint64_t before = serial_at(0);
    memset(&map, 0, sizeof map);
    add_primary(2, 0, 99);
    add_primary(3, 100, 199);
    for (unsigned nth = 1; status == JTG_ERR_MEMORY; nth++) {
        assert_int_equal(serial_at(0), before);
        alloc_walk_fail_nth(nth);
        status = jtgi_nodes_adopt(nodes, &map, NULL);
        (void)alloc_walk_end();
    }
    assert_status(status, JTG_OK);
    assert_int_equal(nodes->count, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_cluster, close_cluster)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_map_is_taken_over),
        TEST(a_node_that_stays_is_the_same_one),
        TEST(a_node_that_left_lives_while_it_is_held),
        TEST(a_redirect_finds_it_by_either_name),
        TEST(the_other_form_is_the_same_node),
        TEST(a_name_that_several_announce_is_nobodys),
        TEST(one_node_under_two_names_is_two),
        TEST(there_are_no_more_than_the_limit),
        TEST(out_of_memory_leaves_all_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
