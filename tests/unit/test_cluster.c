/* SPDX-License-Identifier: Apache-2.0 */
/* The map of a Cluster: who is asked for it, which one is believed, and how often. */
#include "redis/route/cluster.h"

#include "redis/route/route.h"
#include "redis/scripted_lines.h"
#include "support/alloc_walk.h"
#include "support/still_clock.h"

#include <stdio.h>
#include <string.h>

#define INFO(id)                 "run_id:" id "\r\nrole:master\r\nloading:0\r\nredis_mode:cluster\r\n"
#define NODE(host, port, id)     "*3\r\n$8\r\n" host "\r\n:" port "\r\n$1\r\n" id "\r\n"
#define RANGE(first, last, node) "*3\r\n:" first "\r\n:" last "\r\n" node
#define HALVES(one, other)       "*2\r\n" RANGE("0", "8191", one) RANGE("8192", "16383", other)

/* The nodes a, b, c at 10.0.0.1:7001 and on. */
#define A  NODE("10.0.0.1", "7001", "a")
#define B  NODE("10.0.0.2", "7002", "b")
#define C  NODE("10.0.0.3", "7003", "c")
#define AB HALVES(A, B)
#define BC HALVES(B, C)
/* Of another Cluster. */
#define STRANGE HALVES(NODE("10.0.9.1", "7001", "x"), NODE("10.0.9.2", "7002", "y"))

#define TELLS(port, id, map) LINE(port, scripted_greeting(INFO(id)), map)

static struct jtgi_shared shared;
static struct jtgi_route route;
static struct jtgi_cluster *cluster;
static jtg_error err;

static void open_cluster(const char *seeds)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.cluster_nodes = seeds;
    options.continuity = 0;
    memset(&err, 0, sizeof err);
    memset(&route, 0, sizeof route);
    assert_status(jtgi_shared_init(&shared, &options, NULL), JTG_OK);
    assert_status(jtgi_route_init(&route, &shared, NULL), JTG_OK);
    cluster = &route.cluster;
}

static int close_cluster(void **state)
{
    jtgi_route_clear(&route, false);
    jtgi_shared_clear(&shared, false);
    return scripted_lines_reset(state);
}

static jtg_status refreshed_by(const struct jtgi_address *first, const struct jtgi_address *last)
{
    memset(&err, 0, sizeof err);
    return jtgi_cluster_refresh(cluster, 0, jtgi_deadline_in_ms(30000), first, last, &err);
}

static jtg_status refreshed(void)
{
    return refreshed_by(NULL, NULL);
}

static struct jtgi_address at(const char *host, uint32_t port)
{
    struct jtgi_address address = {.unix_path = NULL};
    assert_true(jtgi_address_set(&address, host, strlen(host), port));
    return address;
}

static void holds(uint16_t slot, const char *place)
{
    char text[JTGI_ADDRESS_MAX_BYTES];
    struct jtgi_address address;
    struct jtgi_node *node = jtgi_nodes_at_slot(&route.nodes, slot);
    assert_non_null(node);
    jtgi_node_address(node, &address);
    jtgi_nodes_let_go(&route.nodes, node);
    jtgi_address_format(&address, text, sizeof text);
    assert_string_equal(text, place);
}

/* ---- the first map ---- */

static void one_that_is_named_alone_is_believed(void **state)
{
    (void)state;
    open_cluster("10.0.0.1:7001");
    TELLS(7001, "r1", AB);
    assert_status(refreshed(), JTG_OK);
    holds(0, "10.0.0.1:7001");
    holds(8192, "10.0.0.2:7002");
    assert_string_equal(scripted_line_heard(0), "INFO PING jtiguard CLUSTER SLOTS ");
}

/* Two of the same Cluster settle it; who is left is not asked. */
static void two_that_know_each_other_are_believed(void **state)
{
    (void)state;
    open_cluster("10.0.0.1:7001,10.0.0.2:7002,10.0.0.3:7003");
    TELLS(7001, "r1", AB);
    TELLS(7002, "r2", AB);
    assert_status(refreshed(), JTG_OK);
    assert_int_equal(scripted_lines_used(), 2);
}

static void one_alone_of_several_is_not_enough(void **state)
{
    (void)state;
    open_cluster("10.0.0.1:7001,10.0.0.2:7002");
    TELLS(7001, "r1", AB);
    assert_status(refreshed(), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "of 2 nodes of the Cluster only that at 10.0.0.1:7001"));
    assert_null(jtgi_nodes_at_slot(&route.nodes, 0));
}

static void two_clusters_are_a_mistake(void **state)
{
    (void)state;
    open_cluster("10.0.0.1:7001,10.0.9.1:7009");
    TELLS(7001, "r1", AB);
    TELLS(7009, "r9", STRANGE);
    assert_status(refreshed(), JTG_ERR_REFUSED);
    assert_non_null(strstr(err.text, "belong to different Clusters"));
    assert_null(jtgi_nodes_at_slot(&route.nodes, 0));
}

/* A stranger among three is outvoted, also when it is asked first; and last. */
static void most_voices_win(void **state)
{
    (void)state;
    open_cluster("10.0.9.1:7009,10.0.0.1:7001,10.0.0.2:7002");
    TELLS(7009, "r9", STRANGE);
    TELLS(7001, "r1", AB);
    TELLS(7002, "r2", AB);
    assert_status(refreshed(), JTG_OK);
    holds(0, "10.0.0.1:7001");
    (void)close_cluster(state);
    open_cluster("10.0.0.1:7001,10.0.0.2:7002,10.0.9.1:7009,10.0.9.2:7008");
    TELLS(7001, "r1", AB);
    TELLS(7002, "r2", AB); /* the last two could still make it even */
    TELLS(7009, "r9", STRANGE);
    TELLS(7001, "r1", AB); /* asked again: the last map to come was another */
    assert_status(refreshed(), JTG_OK);
    holds(0, "10.0.0.1:7001");
    assert_int_equal(scripted_lines_used(), 4);
}

static void who_is_no_node_says_nothing(void **state)
{
    (void)state;
    open_cluster("10.0.0.1:7001");
    LINE(7001, scripted_greeting("role:master\r\nloading:0\r\nredis_mode:standalone\r\n"), AB);
    assert_status(refreshed(), JTG_ERR_UNSUPPORTED);
    LINE(7001, scripted_greeting(INFO("r1")), "*0\r\n");
    assert_status(refreshed(), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "it is in no Cluster"));
    LINE(7001, scripted_greeting(INFO("r1")), "-NOPERM x\r\n");
    assert_status(refreshed(), JTG_ERR_REFUSED);
    LINE(7001, scripted_greeting(INFO("r1")), "*1\r\n:1\r\n");
    assert_status(refreshed(), JTG_ERR_PROTOCOL);
    assert_status(refreshed(), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "10.0.0.1:7001"));
}

/* ---- the next ---- */

static void learn_first(void)
{
    open_cluster("10.0.0.1:7001");
    TELLS(7001, "r1", AB);
    assert_status(refreshed(), JTG_OK);
}

/* Whoever knows most nodes of the map before, whatever else changed. */
static void a_map_that_shares_its_nodes_is_the_next(void **state)
{
    struct jtgi_address first = at("10.0.0.2", 7002);
    (void)state;
    learn_first();
    TELLS(7002, "r2", "*2\r\n" RANGE("0", "99", B) RANGE("100", "16383", A));
    assert_status(refreshed_by(&first, NULL), JTG_OK);
    holds(0, "10.0.0.2:7002");
    holds(100, "10.0.0.1:7001");
    assert_string_equal(scripted_line_place(1), "10.0.0.2:7002");
}

/* Its address was given to a node of another Cluster. */
static void a_strange_map_is_not_taken(void **state)
{
    struct jtgi_address first = at("10.0.0.1", 7001);
    (void)state;
    learn_first();
    TELLS(7001, "r9", STRANGE);
    TELLS(7002, "r2", AB);
    assert_status(refreshed_by(&first, NULL), JTG_OK);
    holds(0, "10.0.0.1:7001");
}

static void who_was_lost_is_asked_last(void **state)
{
    struct jtgi_address lost = at("10.0.0.1", 7001);
    (void)state;
    learn_first();
    TELLS(7002, "r2", AB);
    TELLS(7001, "r1", AB);
    assert_status(refreshed_by(NULL, &lost), JTG_OK);
    assert_string_equal(scripted_line_place(1), "10.0.0.2:7002");
    assert_int_equal(scripted_lines_used(), 2);
    LINE(7002, "-LOADING x\r\n");
    assert_status(refreshed_by(NULL, &lost), JTG_OK);
    assert_string_equal(scripted_line_place(3), "10.0.0.1:7001");
}

/* Nobody is left who knows the map before: then as if the process had just started. */
static void an_exchanged_cluster_is_begun_anew(void **state)
{
    (void)state;
    learn_first();
    for (int i = 0; i < 2; i++)
        TELLS(7001, "r9", "*1\r\n" RANGE("0", "16383", NODE("10.0.9.1", "7001", "x")));
    assert_status(refreshed(), JTG_OK);
    holds(0, "10.0.9.1:7001");
}

/* ---- whose node ---- */

static jtg_status checked(struct jtgi_connection *connection)
{
    struct jtgi_address address = at("10.0.0.1", 7001);
    memset(&err, 0, sizeof err);
    jtg_status status =
        jtgi_cluster_check_node(cluster, connection, &address, jtgi_deadline_in_ms(30000), &err);
    jtgi_connection_free(connection);
    return status;
}

static void a_node_must_stand_in_the_map_or_know_it(void **state)
{
    (void)state;
    learn_first();
    assert_status(checked(CONNECTED("$1\r\na\r\n")), JTG_OK);
    assert_string_equal(scripted_line_heard(1), "CLUSTER MYID ");
    assert_status(checked(CONNECTED("$1\r\nc\r\n", AB)), JTG_OK);
    assert_status(checked(CONNECTED("-NOPERM x\r\n", AB)), JTG_OK);
    assert_status(checked(CONNECTED("$1\r\nx\r\n", STRANGE)), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "10.0.0.1:7001 belongs to another Cluster"));
    assert_status(checked(CONNECTED("+a\r\n", STRANGE)), JTG_ERR_UNAVAILABLE);
    assert_status(checked(CONNECTED("$1\r\nx\r\n", "-NOPERM x\r\n")), JTG_ERR_REFUSED);
    assert_status(checked(CONNECTED("")), JTG_ERR_UNAVAILABLE);
}

/* ---- how often ---- */

static jtg_status asked_within(int64_t age_ns)
{
    memset(&err, 0, sizeof err);
    return jtgi_cluster_refresh(cluster, age_ns, jtgi_deadline_in_ms(30000), NULL, NULL, &err);
}

static void a_young_map_is_not_asked_for_again(void **state)
{
    (void)state;
    learn_first();
    still_clock_advance_ns(JTGI_NS_PER_S - 1);
    assert_status(asked_within(JTGI_NS_PER_S), JTG_OK);
    assert_int_equal(scripted_lines_used(), 1);
    still_clock_advance_ns(JTGI_NS_PER_S);
    TELLS(7001, "r1", AB);
    TELLS(7002, "r2", AB);
    assert_status(asked_within(JTGI_NS_PER_S), JTG_OK);
    assert_int_equal(scripted_lines_used(), 2);
}

/* And says what it found; but not for as long. */
static void a_search_that_found_nothing_is_repeated_sooner(void **state)
{
    (void)state;
    open_cluster("10.0.0.1:7001");
    assert_status(asked_within(0), JTG_ERR_UNAVAILABLE);
    assert_int_equal(scripted_lines_refused(), 1);
    still_clock_advance_ns(JTGI_MAP_AGE_LOST_NS - 1);
    assert_status(asked_within(3600 * JTGI_NS_PER_S), JTG_ERR_UNAVAILABLE);
    assert_int_equal(scripted_lines_refused(), 1);
    assert_non_null(strstr(err.text, "10.0.0.1:7001"));
    still_clock_advance_ns(1);
    TELLS(7001, "r1", AB);
    assert_status(asked_within(3600 * JTGI_NS_PER_S), JTG_OK);
}

/* While one asks, the others wait for it: until their own time is up. */
static void who_waits_in_vain_is_told(void **state)
{
    (void)state;
    learn_first();
    cluster->refreshing = true;
    assert_status(jtgi_cluster_refresh(cluster, 0, jtgi_now_ns(), NULL, NULL, &err),
                  JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "did not come in time"));
    assert_int_equal(scripted_lines_used(), 1);
    cluster->refreshing = false;
}

/* ---- redirects ---- */

static void moved_corrects_one_slot(void **state)
{
    struct jtgi_redirect redirect = {.slot = 5};
    (void)state;
    learn_first();
    redirect.address = at("10.0.0.3", 7003);
    still_clock_advance_ns(JTGI_MAP_AGE_MOVED_NS - 1);
    assert_true(jtgi_cluster_moved(cluster, &redirect, jtgi_deadline_in_ms(30000)));
    assert_int_equal(scripted_lines_used(), 1); /* the map was young */
    holds(5, "10.0.0.3:7003");
    holds(6, "10.0.0.1:7001");
}

/* Nobody knows better where the others have gone. */
static void who_is_named_is_asked_for_the_map(void **state)
{
    struct jtgi_redirect redirect = {.slot = 5};
    (void)state;
    learn_first();
    redirect.address = at("10.0.0.2", 7002);
    still_clock_advance_ns(JTGI_MAP_AGE_MOVED_NS);
    TELLS(7002, "r2", HALVES(B, A));
    assert_true(jtgi_cluster_moved(cluster, &redirect, jtgi_deadline_in_ms(30000)));
    assert_string_equal(scripted_line_place(1), "10.0.0.2:7002");
    holds(6, "10.0.0.2:7002");
}

static void without_memory_the_map_stays(void **state)
{
    (void)state;
    learn_first();
    alloc_walk_fail_all();
    assert_status(refreshed(), JTG_ERR_MEMORY);
    (void)alloc_walk_end();
    holds(0, "10.0.0.1:7001");
    assert_false(cluster->refreshing);
}

#define TEST(name) cmocka_unit_test_teardown(name, close_cluster)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_that_is_named_alone_is_believed),
        TEST(two_that_know_each_other_are_believed),
        TEST(one_alone_of_several_is_not_enough),
        TEST(two_clusters_are_a_mistake),
        TEST(most_voices_win),
        TEST(who_is_no_node_says_nothing),
        TEST(a_map_that_shares_its_nodes_is_the_next),
        TEST(a_strange_map_is_not_taken),
        TEST(who_was_lost_is_asked_last),
        TEST(an_exchanged_cluster_is_begun_anew),
        TEST(a_node_must_stand_in_the_map_or_know_it),
        TEST(a_young_map_is_not_asked_for_again),
        TEST(a_search_that_found_nothing_is_repeated_sooner),
        TEST(who_waits_in_vain_is_told),
        TEST(moved_corrects_one_slot),
        TEST(who_is_named_is_asked_for_the_map),
        TEST(without_memory_the_map_stays),
    };
    return cmocka_run_group_tests_name("cluster", tests, NULL, NULL);
}
