/* SPDX-License-Identifier: Apache-2.0 */
/* What each of the three topologies answers for: where a server is, who holds a slot, what comes
 * after a question that got no further, redirects, and what the doctor is told. */
#include "redis/route/route.h"

#include "redis/scripted_lines.h"

#include <stdio.h>
#include <string.h>

#define NODE(host, port, id)     "*3\r\n$8\r\n" host "\r\n:" port "\r\n$1\r\n" id "\r\n"
#define RANGE(first, last, node) "*3\r\n:" first "\r\n:" last "\r\n" node
#define A                        NODE("10.0.0.1", "7001", "a")
#define B                        NODE("10.0.0.2", "7002", "b")
#define AB                       "*2\r\n" RANGE("0", "8191", A) RANGE("8192", "16383", B)
#define BA                       "*2\r\n" RANGE("0", "8191", B) RANGE("8192", "16383", A)
#define GREETS                   scripted_greeting("role:master\r\nloading:0\r\nredis_mode:cluster\r\nrun_id:r\r\n")

/* What a Sentinel says that knows no other: the primary of this epoch. */
#define SENTINEL(epoch, host)                                                                      \
    "$1\r\ns\r\n*0\r\n*2\r\n$12\r\nconfig-epoch\r\n$1\r\n" epoch "\r\n*2\r\n$8\r\n" host           \
    "\r\n$4\r\n6379\r\n"

static struct jtgi_shared shared;
static struct jtgi_route route;
static struct jtgi_node *held; /* of slot 0; the test's */
static jtg_error err;
static unsigned most_visits = JTG_REDIS_NODES_LIMIT;

static int64_t soon(void)
{
    return jtgi_deadline_in_ms(30000);
}

static void open_route(const jtg_redis_options *options)
{
    memset(&err, 0, sizeof err);
    memset(&route, 0, sizeof route);
    held = NULL;
    assert_status(jtgi_shared_init(&shared, options, NULL), JTG_OK);
    assert_status(jtgi_route_init(&route, &shared, NULL), JTG_OK);
}

static int open_single(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.host = "10.0.0.1";
    options.port = 7001;
    options.continuity = 0;
    open_route(&options);
    return 0;
}

static int open_sentinels(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.sentinels = "10.0.1.1:1";
    options.sentinel_primary = "main";
    options.continuity = 0;
    open_route(&options);
    return 0;
}

static int open_cluster(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.cluster_nodes = "10.0.0.1:7001";
    options.continuity = 0;
    open_route(&options);
    return 0;
}

static int close_route(void **state)
{
    jtgi_nodes_let_go(&route.nodes, held);
    jtgi_route_clear(&route, false);
    jtgi_shared_clear(&shared, false);
    return scripted_lines_reset(state);
}

static struct jtgi_node *hold(uint16_t slot)
{
    memset(&err, 0, sizeof err);
    jtgi_nodes_let_go(&route.nodes, held);
    held = jtgi_route_at_slot(&route, slot, soon(), &err);
    return held;
}

static jtg_status asked_where(struct jtgi_whereabouts *where)
{
    memset(&err, 0, sizeof err);
    return held->guide->where(held->guide->route, held, soon(), where, &err);
}

static enum jtgi_onward after(uint16_t slot, bool answered, bool pinned)
{
    const struct jtgi_stop stop = {held, slot, answered, pinned};
    return jtgi_route_after(&route, &stop, soon());
}

static bool moved(uint16_t slot, const char *host, uint32_t port)
{
    struct jtgi_redirect redirect = {.slot = slot};
    assert_true(jtgi_address_set(&redirect.address, host, strlen(host), port));
    return jtgi_route_moved(&route, &redirect, soon());
}

static jtg_status described(jtg_redis_server *server)
{
    memset(server, 0, sizeof *server);
    memset(&err, 0, sizeof err);
    return jtgi_route_describe(&route, soon(), server, &err);
}

static jtg_status count_node(void *context, struct jtgi_node *node, int64_t deadline_ns,
                             jtg_error *failure)
{
    unsigned *count = context;
    assert_non_null(node);
    assert_true(deadline_ns > jtgi_now_ns());
    assert_ptr_equal(failure, &err);
    return ++*count <= most_visits ? JTG_OK
                                   : jtg_error_set(failure, JTG_ERR_REFUSED, 0, "no more of them");
}

static jtg_status visited_each(unsigned *count)
{
    *count = 0;
    memset(&err, 0, sizeof err);
    return jtgi_route_each(&route, soon(), count_node, count, &err);
}

/* ---- one server ---- */

static void a_single_server_is_where_the_options_say(void **state)
{
    struct jtgi_whereabouts where;
    unsigned count = 0;
    (void)state;
    assert_non_null(hold(0));
    assert_ptr_equal(hold(0), hold(9));
    assert_false(held->guide->named_by_others);
    assert_null(held->guide->check);
    assert_status(asked_where(&where), JTG_OK);
    assert_string_equal(where.address.host, "10.0.0.1");
    assert_true(where.address.port == 7001 && where.place == 0 && where.epoch == JTGI_NO_EPOCH);
    assert_status(visited_each(&count), JTG_OK);
    assert_int_equal(count, 1);
    assert_int_equal(scripted_lines_refused(), 0); /* nobody was asked */
}

static void nobody_takes_over_from_a_single_server(void **state)
{
    jtg_redis_server server;
    (void)state;
    assert_non_null(hold(0));
    assert_int_equal(after(0, true, false), JTGI_ONWARD_STOP);
    assert_int_equal(after(0, false, false), JTGI_ONWARD_STOP);
    assert_false(jtgi_route_has_redirects(&route));
    assert_false(moved(0, "10.0.0.2", 7002));
    assert_status(described(&server), JTG_OK);
    assert_true(server.sentinels_total == 0 && server.nodes_known == 0);
}

static void a_socket_is_a_server_too(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    struct jtgi_whereabouts where;
    (void)state;
    options.unix_path = "/run/r.sock";
    options.continuity = 0;
    open_route(&options);
    assert_non_null(hold(0));
    assert_status(asked_where(&where), JTG_OK);
    assert_string_equal(where.address.unix_path, "/run/r.sock");
}

/* ---- Sentinels ---- */

static void sentinels_are_asked_where_it_is(void **state)
{
    struct jtgi_whereabouts where;
    (void)state;
    assert_non_null(hold(0));
    assert_true(held->guide->named_by_others);
    LINE(1, SENTINEL("4", "10.0.0.1"));
    assert_status(asked_where(&where), JTG_OK);
    assert_string_equal(where.address.host, "10.0.0.1");
    assert_true(where.epoch == 4);
    uint64_t place = where.place;
    LINE(1, SENTINEL("5", "10.0.0.2"));
    assert_status(asked_where(&where), JTG_OK);
    assert_string_equal(where.address.host, "10.0.0.2");
    assert_true(where.epoch == 5 && where.place == place + 1);
    LINE(1, SENTINEL("4", "10.0.0.1"));
    assert_status(asked_where(&where), JTG_ERR_UNAVAILABLE);
    assert_status(asked_where(&where), JTG_ERR_UNAVAILABLE); /* nobody answers */
}

/* A primary that says it is none was left: the next connection asks. One that was not reached may
 * be asked for again only by the next call. */
static void sentinels_may_have_named_another(void **state)
{
    (void)state;
    assert_non_null(hold(0));
    assert_int_equal(after(0, true, false), JTGI_ONWARD_AGAIN);
    assert_int_equal(after(0, false, false), JTGI_ONWARD_STOP);
    assert_false(jtgi_route_has_redirects(&route));
    assert_false(moved(0, "10.0.0.2", 7002));
    assert_int_equal(scripted_lines_refused(), 0);
}

static void sentinels_are_counted_for_the_doctor(void **state)
{
    jtg_redis_server server;
    (void)state;
    LINE(1, SENTINEL("4", "10.0.0.1"));
    assert_status(described(&server), JTG_OK);
    assert_true(server.sentinels_total == 1 && server.sentinels_known == 1);
    assert_status(described(&server), JTG_ERR_UNAVAILABLE);
    assert_true(server.sentinels_total == 1 && server.sentinels_known == 0);
}

/* ---- a Cluster ---- */

#define TELLS(port, map) LINE(port, GREETS, map)

static void learn(void)
{
    TELLS(7001, AB);
    assert_non_null(hold(0));
}

static void be_old(void)
{
    route.cluster.ended_ns = jtgi_now_ns() - 3600 * JTGI_NS_PER_S;
}

static void be_young(void)
{
    route.cluster.ended_ns = jtgi_now_ns() + 3600 * JTGI_NS_PER_S;
}

static void a_cluster_is_learnt_when_it_is_needed(void **state)
{
    struct jtgi_address address;
    (void)state;
    assert_int_equal(scripted_lines_refused(), 0);
    assert_null(hold(0));
    assert_non_null(strstr(err.text, "10.0.0.1:7001"));
    be_old();
    learn();
    jtgi_node_address(held, &address);
    assert_string_equal(address.host, "10.0.0.1");
    assert_non_null(hold(8192));
    jtgi_node_address(held, &address);
    assert_string_equal(address.host, "10.0.0.2");
    assert_int_equal(scripted_lines_used(), 1);
    assert_non_null(held->guide->check);
}

static void a_slot_without_a_primary_is_told(void **state)
{
    unsigned count = 7;
    (void)state;
    TELLS(7001, "*1\r\n" RANGE("0", "8191", A));
    assert_non_null(hold(0));
    be_young();
    assert_null(hold(8192));
    assert_non_null(strstr(err.text, "no node of the Cluster holds the slot"));
    assert_status(visited_each(&count), JTG_ERR_UNAVAILABLE); /* it would not be all */
    assert_int_equal(count, 0);
    be_old();
    TELLS(7001, AB);
    assert_status(visited_each(&count), JTG_OK);
    assert_int_equal(count, 2);
}

static void the_visit_that_fails_is_the_last(void **state)
{
    unsigned count = 0;
    (void)state;
    learn();
    be_young();
    most_visits = 0;
    assert_status(visited_each(&count), JTG_ERR_REFUSED);
    most_visits = JTG_REDIS_NODES_LIMIT;
    assert_int_equal(count, 1);
}

/* An old primary that was cut off takes writes until it learns of its successor: the others say
 * whether it is one. */
static void a_cluster_must_still_have_the_node(void **state)
{
    struct jtgi_whereabouts where;
    (void)state;
    learn();
    for (unsigned i = 0; i < 8; i++) { /* the order is drawn, but for the one in question */
        be_old();
        TELLS(7002, AB);
        assert_status(asked_where(&where), JTG_OK);
        assert_string_equal(where.address.host, "10.0.0.1");
    }
    assert_int_equal(scripted_lines_refused(), 0);
    be_old();
    TELLS(7002, "*1\r\n" RANGE("0", "16383", B "*3\r\n$8\r\n10.0.0.1\r\n:7001\r\n$1\r\na\r\n"));
    LINE(7001, "");
    assert_status(asked_where(&where), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "as a primary no longer"));
}

static void another_may_have_the_slot_by_now(void **state)
{
    (void)state;
    learn();
    be_young();
    assert_int_equal(after(0, true, false), JTGI_ONWARD_PAUSE);
    assert_int_equal(after(0, false, false), JTGI_ONWARD_STOP);
    be_old();
    TELLS(7002, BA);
    assert_int_equal(after(0, false, false), JTGI_ONWARD_AGAIN);
    be_young();
    assert_int_equal(after(0, true, false), JTGI_ONWARD_AGAIN);
    assert_int_equal(after(8192, true, false), JTGI_ONWARD_PAUSE); /* it has this one */
    assert_int_equal(after(0, true, true), JTGI_ONWARD_STOP);      /* this one was asked for */
}

static void a_cluster_redirects(void **state)
{
    struct jtgi_address address;
    (void)state;
    assert_true(jtgi_route_has_redirects(&route));
    learn();
    be_young();
    assert_true(moved(0, "10.0.0.2", 7002));
    (void)hold(0);
    jtgi_node_address(held, &address);
    assert_string_equal(address.host, "10.0.0.2");
}

static void nodes_are_counted_for_the_doctor(void **state)
{
    jtg_redis_server server;
    (void)state;
    learn();
    be_young();
    assert_status(described(&server), JTG_OK);
    assert_true(server.nodes_known == 2 && server.slots_covered == JTGI_SLOTS);
    assert_int_equal(held->refs, 2);
}

#define TEST(name, open) cmocka_unit_test_setup_teardown(name, open, close_route)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_single_server_is_where_the_options_say, open_single),
        TEST(nobody_takes_over_from_a_single_server, open_single),
        cmocka_unit_test_teardown(a_socket_is_a_server_too, close_route),
        TEST(sentinels_are_asked_where_it_is, open_sentinels),
        TEST(sentinels_may_have_named_another, open_sentinels),
        TEST(sentinels_are_counted_for_the_doctor, open_sentinels),
        TEST(a_cluster_is_learnt_when_it_is_needed, open_cluster),
        TEST(a_slot_without_a_primary_is_told, open_cluster),
        TEST(the_visit_that_fails_is_the_last, open_cluster),
        TEST(a_cluster_must_still_have_the_node, open_cluster),
        TEST(another_may_have_the_slot_by_now, open_cluster),
        TEST(a_cluster_redirects, open_cluster),
        TEST(nodes_are_counted_for_the_doctor, open_cluster),
    };
    return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
