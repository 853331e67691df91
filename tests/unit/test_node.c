/* SPDX-License-Identifier: Apache-2.0 */
/* One server: who of its name's addresses is taken, what is told of those that are not, and which
 * of its connections are left. */
#include "redis/route/node.h"

#include "redis/flow/counts.h"
#include "redis/line/deadline.h"
#include "redis/scripted_lines.h"
#include "support/alloc_walk.h"
#include "support/host_table.h"
#include "support/test_clock.h"

#include <stdio.h>
#include <string.h>

#define SOUND   "run_id:R1\r\nrole:master\r\nloading:0\r\nmaxmemory:0\r\nredis_mode:standalone\r\n"
#define REPLICA "role:slave\r\nloading:0\r\nmaxmemory:0\r\nredis_mode:standalone\r\n"
#define LOADING "role:master\r\nloading:1\r\nmaxmemory:0\r\nredis_mode:standalone\r\n"
#define EVICTS                                                                                     \
    "role:master\r\nloading:0\r\nmaxmemory:9\r\nmaxmemory_policy:allkeys-lru\r\n"                  \
    "redis_mode:standalone\r\n"

/* A guide as a test wants it. */
struct route {
    struct jtgi_whereabouts where;
    jtg_status status;
    jtg_status check;
    unsigned checks;
};

static struct test_clock test_clock; /* of the pauses */
static struct route route;
static struct jtgi_shared shared;
static struct jtgi_node *node;
static jtg_redis_server server;
static jtg_error err;

static jtg_status where(void *context, struct jtgi_node *asked, int64_t deadline_ns,
                        struct jtgi_whereabouts *out, jtg_error *error)
{
    const struct route *as_told = context;
    (void)asked;
    (void)deadline_ns;
    *out = as_told->where;
    return as_told->status == JTG_OK
               ? JTG_OK
               : jtg_error_set(error, as_told->status, 0, "redis: nobody says where");
}

static jtg_status check(void *context, struct jtgi_connection *connection,
                        const struct jtgi_address *address, int64_t deadline_ns, jtg_error *error)
{
    struct route *as_told = context;
    (void)deadline_ns;
    assert_non_null(connection);
    assert_string_equal(address->host, as_told->where.address.host);
    as_told->checks++;
    return as_told->check == JTG_OK ? JTG_OK
                                    : jtg_error_set(error, as_told->check, 0, "redis: a stranger");
}

static void slots_of(void *context, const struct jtgi_node *asked, struct jtgi_slot_set *slots)
{
    (void)context;
    (void)asked;
    memset(slots, 0, sizeof *slots);
    jtgi_slot_set_add(slots, 0);
}

static struct jtgi_guide guide = {&route, where, true, check, slots_of};

static struct jtgi_address at(const char *host, uint32_t port)
{
    struct jtgi_address address = {.unix_path = NULL};
    assert_true(jtgi_address_set(&address, host, strlen(host), port));
    return address;
}

static void open_node(uint32_t continuity)
{
    static uint32_t port; /* each a store of its own */
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    const jtg_clock clock = test_clock_as_jtg(&test_clock);
    test_clock_init(&test_clock);
    options.clock = &clock;
    options.continuity = continuity;
    options.port = ++port;
    options.prefix = "t:";
    options.timeout_ms = JTG_REDIS_TIMEOUT_MS_LIMIT; /* however slow we are */
    options.connections = 2;
    memset(&route, 0, sizeof route);
    memset(&err, 0, sizeof err);
    guide.named_by_others = true;
    assert_status(jtgi_shared_init(&shared, &options, NULL), JTG_OK);
    route.where.address = at("10.0.0.1", 7001);
    route.where.place = 3;
    route.where.epoch = 9;
    node = jtgi_node_new(&shared, &guide, &route.where.address, 1);
    assert_non_null(node);
}

static int open_plain(void **state)
{
    (void)state;
    open_node(0);
    return 0;
}

static int close_node(void **state)
{
    jtgi_node_free(node);
    jtgi_shared_clear(&shared, false);
    return scripted_lines_reset(state);
}

static jtg_status connected(struct jtgi_connection **kept)
{
    struct jtgi_connection *connection = NULL;
    memset(&err, 0, sizeof err);
    jtg_status status =
        jtgi_node_connect(node, jtgi_deadline_in_ms(30000), &connection, &server, &err);
    if (kept != NULL)
        *kept = connection;
    else
        jtgi_connection_free(connection);
    return status;
}

/* ---- where to ---- */

static void a_connection_knows_where_it_leads(void **state)
{
    struct jtgi_connection *connection = NULL;
    (void)state;
    LINE(7001, scripted_greeting(SOUND));
    assert_status(connected(&connection), JTG_OK);
    assert_true(connection->use.place == 3 && connection->peer.epoch == 9);
    assert_string_equal(server.address, "10.0.0.1:7001");
    assert_string_equal(server.run_id, "R1");
    assert_int_equal(route.checks, 1);
    jtgi_connection_free(connection);
}

static void nobody_who_says_where_is_told(void **state)
{
    (void)state;
    route.status = JTG_ERR_UNAVAILABLE;
    assert_status(connected(NULL), JTG_ERR_UNAVAILABLE);
    assert_string_equal(err.text, "redis: nobody says where");
    assert_int_equal(scripted_lines_refused(), 0);
}

/* For the doctor: what the gate refuses is described all the same. */
static void what_the_gate_refuses_stays_connected(void **state)
{
    struct jtgi_connection *connection = NULL;
    (void)state;
    LINE(7001, scripted_greeting(EVICTS));
    assert_status(connected(&connection), JTG_ERR_UNSAFE);
    assert_non_null(connection);
    assert_int_equal(server.evicts, 1);
    assert_int_equal(route.checks, 0);
    jtgi_connection_free(connection);
    LINE(7001, scripted_greeting(SOUND));
    route.check = JTG_ERR_UNAVAILABLE;
    assert_status(connected(NULL), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "a stranger"));
    LINE(7001, "-NOAUTH x\r\n");
    assert_status(connected(&connection), JTG_ERR_REFUSED);
    assert_null(connection);
}

/* ---- one of several ---- */

static void lead_to(const char *addresses)
{
    host_table_set("several.test", addresses);
    route.where.address = at("several.test", 7001);
}

static void who_does_not_serve_is_passed_over(void **state)
{
    (void)state;
    lead_to("10.0.0.1,10.0.0.2,10.0.0.3");
    LINE(7001, scripted_greeting(REPLICA));
    LINE(7001, scripted_greeting(LOADING));
    LINE(7001, scripted_greeting(SOUND));
    assert_status(connected(NULL), JTG_OK);
    assert_string_equal(scripted_line_place(2), "10.0.0.3:7001");
}

/* It says something that another address does not mend. */
static void one_that_is_refused_ends_the_search(void **state)
{
    (void)state;
    lead_to("10.0.0.1,10.0.0.2");
    LINE(7001, scripted_greeting(EVICTS));
    LINE(7001, scripted_greeting(SOUND));
    assert_status(connected(NULL), JTG_ERR_UNSAFE);
    assert_int_equal(scripted_lines_used(), 1);
}

static void what_the_first_said_that_let_us_in_is_told(void **state)
{
    struct jtgi_connection *connection = NULL;
    (void)state;
    lead_to("10.0.0.1,10.0.0.2,10.0.0.3");
    LINE(7001, "$3\r\nx");
    LINE(7001, scripted_greeting(REPLICA));
    LINE(7001, scripted_greeting(LOADING));
    assert_status(connected(&connection), JTG_ERR_UNAVAILABLE);
    assert_string_equal(err.text, "redis: several.test:7001: none of the 3 addresses of the name "
                                  "serves: the server is a replica");
    assert_non_null(connection);
    jtgi_connection_free(connection);
    guide.named_by_others = false; /* in place of its host may stand a password */
    assert_status(connected(&connection), JTG_ERR_UNAVAILABLE);
    guide.named_by_others = true;
    assert_null(strstr(err.text, "several.test"));
    assert_null(connection);
    assert_int_equal(scripted_lines_refused(), 3);
}

/* ---- who is named ---- */

/* Whoever still talks to where it was must ask again. */
static void a_new_place_retires_what_leads_to_the_old_one(void **state)
{
    struct jtgi_whereabouts now;
    struct jtgi_address first = at("10.0.0.1", 1);
    struct jtgi_address second = at("10.0.0.2", 1);
    (void)state;
    assert_status(jtgi_node_be_named(node, &first, 4, &now, &err), JTG_OK);
    uint64_t place = now.place;
    assert_status(jtgi_node_be_named(node, &first, 4, &now, &err), JTG_OK);
    assert_true(now.place == place && now.epoch == 4);
    for (int i = 0; i < 2; i++)
        node->pipelines[i].connection = CONNECTED("");
    assert_status(jtgi_node_be_named(node, &second, 5, &now, &err), JTG_OK);
    assert_true(now.place == place + 1);
    assert_string_equal(now.address.host, "10.0.0.2");
    for (int i = 0; i < 2; i++)
        assert_null(node->pipelines[i].connection);
    assert_status(jtgi_node_be_named(node, &second, 6, &now, &err), JTG_OK);
    assert_true(now.place == place + 2); /* another life of it */
}

static void what_was_heard_late_is_not_taken_back(void **state)
{
    struct jtgi_whereabouts now;
    struct jtgi_address address;
    struct jtgi_address old = at("10.0.0.1", 1);
    struct jtgi_address newer = at("10.0.0.2", 1);
    (void)state;
    assert_status(jtgi_node_be_named(node, &newer, 5, &now, &err), JTG_OK);
    assert_status(jtgi_node_be_named(node, &old, 4, &now, &err), JTG_ERR_UNAVAILABLE);
    jtgi_node_address(node, &address);
    assert_string_equal(address.host, "10.0.0.2");
}

static void a_node_has_two_hosts(void **state)
{
    struct jtgi_address both = at("10.0.0.1", 7001);
    struct jtgi_address by_name = at("n.test", 7001);
    struct jtgi_address address;
    (void)state;
    assert_true(jtgi_address_set_other(&both, "n.test", 6));
    jtgi_node_note_other(node, &both);
    jtgi_node_address(node, &address);
    assert_string_equal(address.other_host, "n.test");
    assert_true(jtgi_address_set_other(&by_name, "10.0.0.1", 8)); /* one that prefers the name */
    jtgi_node_note_other(node, &by_name);
    jtgi_node_address(node, &address);
    assert_string_equal(address.host, "10.0.0.1");
    assert_string_equal(address.other_host, "n.test");
}

/* ---- what a pipeline is given ---- */

static jtg_status hooked(void)
{
    const struct jtgi_pipeline_hooks *hooks = &node->pipelines[0].hooks;
    struct jtgi_connection *connection = NULL;
    memset(&err, 0, sizeof err);
    jtg_status status =
        hooks->connect(hooks->context, jtgi_deadline_in_ms(30000), &connection, &err);
    assert_int_equal(status == JTG_OK, connection != NULL);
    jtgi_connection_free(connection);
    return status;
}

static uint64_t counted(unsigned counter)
{
    return jtgi_counters_read(shared.counters, counter);
}

static void connects_are_counted_and_a_failure_pauses(void **state)
{
    const struct jtgi_pipeline_hooks *hooks = &node->pipelines[0].hooks;
    (void)state;
    LINE(7001, scripted_greeting(SOUND));
    assert_status(hooked(), JTG_OK);
    assert_int_equal(counted(JTGI_COUNT_CONNECTS), 1);
    assert_status(hooks->known_down(hooks->context, &err), JTG_OK);
    assert_status(hooked(), JTG_ERR_UNAVAILABLE);
    assert_int_equal(counted(JTGI_COUNT_CONNECT_FAILURES), 1);
    assert_int_equal(scripted_lines_refused(), 1);
    assert_status(hooked(), JTG_ERR_UNAVAILABLE); /* in the pause nobody knocks */
    assert_int_equal(scripted_lines_refused(), 1);
    assert_status(hooks->known_down(hooks->context, &err), JTG_ERR_UNAVAILABLE);
    assert_int_equal(counted(JTGI_COUNT_REFUSED_AT_ONCE), 2);
    test_clock_advance(&test_clock, JTGI_PAUSE_FAILOVER_MS);
    LINE(7001, scripted_greeting(SOUND));
    assert_status(hooked(), JTG_OK);
    assert_status(hooks->known_down(hooks->context, &err), JTG_OK);
}

/* The gate is no matter of taste here: nobody gets a connection that it refuses. */
static void what_the_gate_refuses_is_not_handed_out(void **state)
{
    (void)state;
    LINE(7001, scripted_greeting(EVICTS));
    assert_status(hooked(), JTG_ERR_UNSAFE);
    assert_true(atomic_load(&node->health.down));
}

/* That we have no memory says nothing about the store. */
static void want_of_memory_does_not_count_as_down(void **state)
{
    (void)state;
    LINE(7001, scripted_greeting(SOUND));
    alloc_walk_fail_all();
    assert_status(hooked(), JTG_ERR_MEMORY);
    (void)alloc_walk_end();
    assert_false(atomic_load(&node->health.down));
}

static void a_watched_store_is_marked_first(void **state)
{
    (void)state;
    open_node(1);
    LINE(7001, scripted_greeting(SOUND "master_replid:H1\r\nevicted_keys:0\r\n"),
         scripted_bulk("2 R1 H1 0 0 9 1000 0 00000000000000aa"));
    assert_status(hooked(), JTG_OK);
    assert_string_equal(scripted_line_heard(0), "INFO PING jtiguard GET t:?c ");
    LINE(7001, scripted_greeting(SOUND)); /* it does not say who it is */
    assert_status(hooked(), JTG_ERR_UNSAFE);
    (void)close_node(state);
}

static void one_that_is_named_elsewhere_is_left(void **state)
{
    const struct jtgi_pipeline_hooks *hooks = &node->pipelines[0].hooks;
    struct jtgi_connection *connection = CONNECTED("");
    (void)state;
    connection->use.place = 3;
    assert_status(hooks->still_right(hooks->context, connection, jtgi_now_ns()), JTG_OK);
    route.where.place = 4;
    assert_status(hooks->still_right(hooks->context, connection, jtgi_now_ns()),
                  JTG_ERR_UNAVAILABLE);
    route.status = JTG_ERR_REFUSED;
    assert_status(hooks->still_right(hooks->context, connection, jtgi_now_ns()), JTG_ERR_REFUSED);
    jtgi_connection_free(connection);
}

static void one_that_the_options_name_is_always_right(void **state)
{
    (void)state;
    guide.named_by_others = false;
    struct jtgi_node *own = jtgi_node_new(&shared, &guide, &route.where.address, 2);
    assert_null(own->pipelines[0].hooks.still_right);
    assert_null(own->pipelines[0].hooks.watch);
    assert_null(own->pipelines[0].hooks.gains);
    assert_int_equal(own->health.pause_limit_ms, JTGI_PAUSE_LIMIT_MS);
    assert_int_equal(node->health.pause_limit_ms, JTGI_PAUSE_FAILOVER_MS);
    assert_ptr_equal(jtgi_node_pipeline(own), jtgi_node_pipeline(own));
    assert_true(jtgi_node_pipeline(own) < own->pipelines + 2);
    jtgi_node_free(own);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_plain, close_node)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_connection_knows_where_it_leads),
        TEST(nobody_who_says_where_is_told),
        TEST(what_the_gate_refuses_stays_connected),
        TEST(who_does_not_serve_is_passed_over),
        TEST(one_that_is_refused_ends_the_search),
        TEST(what_the_first_said_that_let_us_in_is_told),
        TEST(a_new_place_retires_what_leads_to_the_old_one),
        TEST(what_was_heard_late_is_not_taken_back),
        TEST(a_node_has_two_hosts),
        TEST(connects_are_counted_and_a_failure_pauses),
        TEST(what_the_gate_refuses_is_not_handed_out),
        TEST(want_of_memory_does_not_count_as_down),
        cmocka_unit_test(a_watched_store_is_marked_first),
        TEST(one_that_is_named_elsewhere_is_left),
        TEST(one_that_the_options_name_is_always_right),
    };
    return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}
