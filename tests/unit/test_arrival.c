/* SPDX-License-Identifier: Apache-2.0 */
/* A connection on its way, of one who does not wait: it is gone on with wherever it stood, nothing
 * is said twice, and whoever is left half way leaves nothing behind. What it comes to is the
 * business of test_node.c. */
#include "redis/route/arrival.h"

#include "redis/line/deadline.h"
#include "redis/scripted_lines.h"
#include "support/host_table.h"
#include "support/impatient.h"

#include <string.h>

#define SOUND                                                                                      \
    "run_id:R1\r\nmaster_replid:H1\r\nrole:master\r\nloading:0\r\nmaxmemory:0\r\n"                 \
    "evicted_keys:0\r\nredis_mode:standalone\r\n"
#define REPLICA "role:slave\r\nloading:0\r\nmaxmemory:0\r\nredis_mode:standalone\r\n"
#define PENDING "2 R1 H1 0 0 - - 0 00000000000000bb"
#define SETTLED "2 R1 H1 0 0 - 7000 0 00000000000000bb"

static struct jtgi_shared shared;
static struct jtgi_dialer dialer; /* of who does not wait */
static struct jtgi_node *node;
static struct jtgi_arrival arrival;
static jtg_error err;

static jtg_status where(void *context, struct jtgi_node *asked, int64_t deadline_ns,
                        struct jtgi_whereabouts *out, jtg_error *error)
{
    (void)context;
    (void)deadline_ns;
    (void)error;
    jtgi_node_address(asked, &out->address);
    out->place = 3;
    out->epoch = JTGI_NO_EPOCH;
    return JTG_OK;
}

static void slots_of(void *context, const struct jtgi_node *asked, struct jtgi_slot_set *slots)
{
    (void)context;
    (void)asked;
    memset(slots, 0, sizeof *slots);
    jtgi_slot_set_add(slots, 0);
}

static const struct jtgi_guide guide = {NULL, where, false, NULL, slots_of};

static int open_node(void **state)
{
    static uint32_t port; /* each a store of its own */
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    struct jtgi_address address = {.unix_path = NULL};
    (void)state;
    options.port = ++port;
    options.prefix = "t:";
    options.timeout_ms = JTG_REDIS_TIMEOUT_MS_LIMIT;
    options.connect_timeout_ms = JTG_REDIS_TIMEOUT_MS_LIMIT; /* however slow we are */
    host_table_set("several.test", "10.0.0.1,10.0.0.2");
    assert_true(jtgi_address_set(&address, "several.test", strlen("several.test"), 7001));
    assert_status(jtgi_shared_init(&shared, &options, NULL), JTG_OK);
    assert_status(jtgi_dialer_init(&dialer, &shared.config, &impatient, NULL), JTG_OK);
    node = jtgi_node_new(&shared, &guide, &address, 1);
    assert_non_null(node);
    memset(&err, 0, sizeof err);
    scripted_lines_take_time();
    jtgi_arrival_begin(&arrival, node, &dialer, true, jtgi_deadline_in_ms(IMPATIENT_FAR_MS));
    return 0;
}

static int close_node(void **state)
{
    jtgi_arrival_end(&arrival);
    jtgi_node_free(node);
    jtgi_dialer_clear(&dialer);
    jtgi_shared_clear(&shared, false);
    return scripted_lines_reset(state);
}

/* The look-up has a thread of its own: whoever does not wait comes back until it has ended. */
static jtg_status go_on(void)
{
    jtg_status status = JTGI_LATER;
    do {
        status = jtgi_arrival_go_on(&arrival, &err);
    } while (status == JTGI_LATER && arrival.stage == JTGI_ARRIVAL_FIND);
    return status;
}

static void later_at(enum jtgi_arrival_stage stage)
{
    assert_int_equal(go_on(), JTGI_LATER);
    assert_int_equal(arrival.stage, stage);
    assert_int_equal(jtgi_arrival_go_on(&arrival, &err), JTGI_LATER); /* nothing has happened */
    assert_int_equal(arrival.stage, stage);
}

/* Its login, in two pieces. */
static void let_in(unsigned number, const char *info)
{
    const char *greeting = scripted_greeting(info);
    char head[8] = "";
    memcpy(head, greeting, sizeof head - 1);
    scripted_line_say(number, head);
    later_at(JTGI_ARRIVAL_LOG_IN);
    scripted_line_say(number, greeting + sizeof head - 1);
}

static void each_step_is_gone_on_with_where_it_stood(void **state)
{
    (void)state;
    LINE(7001, SCRIPTED_STAYS);
    assert_int_equal(go_on(), JTGI_LATER);
    assert_int_equal(arrival.stage, JTGI_ARRIVAL_OPEN);
    later_at(JTGI_ARRIVAL_LOG_IN);
    let_in(0, SOUND);
    later_at(JTGI_ARRIVAL_MARK);
    assert_true(arrival.share_ns == 0); /* a meeting's share, of which nobody waits for the end */
    scripted_line_say(0, "$-1\r\n");
    later_at(JTGI_ARRIVAL_MARK);
    scripted_line_say(0, scripted_bulk(PENDING));
    later_at(JTGI_ARRIVAL_MARK);
    scripted_line_say(0, scripted_bulk(SETTLED));
    assert_status(jtgi_arrival_go_on(&arrival, &err), JTG_OK);
    struct jtgi_connection *connection = jtgi_arrival_take(&arrival);
    assert_non_null(connection);
    assert_true(connection->use.place == 3 && (connection->peer.marked[0] & 1) != 0);
    assert_string_equal(arrival.best.server.run_id, "R1");
    const char *heard = scripted_line_heard(0);
    assert_non_null(strstr(heard, "INFO PING jtiguard GET t:"));
    assert_null(strstr(strstr(heard, "INFO") + 1, "INFO"));
    assert_null(strstr(strstr(heard, "GET") + 1, "GET"));
    jtgi_connection_free(connection);
}

static void who_does_not_serve_is_passed_over(void **state)
{
    (void)state;
    LINE(7001, SCRIPTED_STAYS);
    LINE(7001, SCRIPTED_STAYS);
    assert_int_equal(go_on(), JTGI_LATER);
    later_at(JTGI_ARRIVAL_LOG_IN);
    let_in(0, REPLICA);
    assert_int_equal(go_on(), JTGI_LATER);
    assert_int_equal(arrival.stage, JTGI_ARRIVAL_OPEN);
    later_at(JTGI_ARRIVAL_LOG_IN);
    assert_int_equal(scripted_lines_used(), 2);
    let_in(1, SOUND);
    later_at(JTGI_ARRIVAL_MARK);
    scripted_line_say(1, scripted_bulk(SETTLED));
    assert_status(jtgi_arrival_go_on(&arrival, &err), JTG_OK);
    assert_string_equal(scripted_line_place(1), "10.0.0.2:7001");
}

static void what_none_of_them_says_is_told(void **state)
{
    (void)state;
    LINE(7001, SCRIPTED_STAYS);
    assert_int_equal(go_on(), JTGI_LATER);
    later_at(JTGI_ARRIVAL_LOG_IN);
    let_in(0, REPLICA);
    assert_status(go_on(), JTG_ERR_UNAVAILABLE); /* the second refuses */
    assert_non_null(strstr(err.text, "none of the 2 addresses of the name serves"));
    assert_int_equal(scripted_lines_refused(), 1);
}

/* The tear-down ends it there. */
static void one_that_is_left_leaves_nothing(void **state)
{
    for (unsigned steps = 0; steps < 4; steps++) {
        LINE(7001, SCRIPTED_STAYS);
        for (unsigned i = 0; i < steps; i++)
            assert_int_equal(go_on(), JTGI_LATER);
        if (steps == 3) {
            scripted_line_say(0, scripted_greeting(SOUND));
            later_at(JTGI_ARRIVAL_MARK);
        }
        (void)close_node(state);
        (void)open_node(state);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_node, close_node)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_step_is_gone_on_with_where_it_stood),
        TEST(who_does_not_serve_is_passed_over),
        TEST(what_none_of_them_says_is_told),
        TEST(one_that_is_left_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
