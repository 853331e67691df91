/* SPDX-License-Identifier: Apache-2.0 */
/* What is said on a new connection, and which answers let nobody in. */
#include "redis/line/handshake.h"

#include "redis/flow/blocking.h"
#include "redis/line/deadline.h"
#include "redis/scripted_lines.h"
#include "support/test_clock.h"

#include <string.h>

static struct test_clock test_clock;
static struct jtgi_redis_config config;
static struct jtgi_dialer dialer;
static jtg_redis_server server;
static jtg_error err;

static void open_dialer(const jtg_redis_options *options)
{
    assert_status(jtgi_redis_config_read(&config, options, NULL), JTG_OK);
    test_clock_init(&test_clock);
    config.clock = test_clock_as_jtg(&test_clock);
    assert_status(jtgi_dialer_init(&dialer, &config, &jtgi_blocking, NULL), JTG_OK);
}

static void close_dialer(void)
{
    jtgi_dialer_clear(&dialer);
    jtgi_redis_config_clear(&config);
    (void)scripted_lines_reset(NULL);
}

/* Over a line with one text, all of it or cut. */
static jtg_status greeted(const char *text, struct jtgi_connection **kept)
{
    struct jtgi_connection *connection = CONNECTED(text);
    memset(&server, 0, sizeof server);
    memset(&err, 0, sizeof err);
    jtg_status status =
        jtgi_handshake(connection, &dialer, jtgi_deadline_in_ms(30000), &server, &err);
    if (kept != NULL)
        *kept = connection;
    else
        jtgi_connection_free(connection);
    return status;
}

#define PONG "$8\r\njtiguard\r\n"
#define INFO "$11\r\nrun_id:R1\r\n\r\n"

static void it_asks_for_what_is_configured_alone(void **state)
{
    (void)state;
    open_dialer(NULL);
    assert_status(greeted(INFO PONG, NULL), JTG_OK);
    assert_string_equal(server.run_id, "R1");
    assert_string_equal(scripted_line_heard(0), "INFO PING jtiguard ");
    close_dialer();
}

static void open_with_all(void)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.user = "u";
    options.password = "s3cret";
    options.database = 3;
    options.client_name = "gw";
    options.fsync = 1;
    open_dialer(&options);
}

/* All of it in one round trip, and the login before anything else. */
static void it_says_all_that_is_configured(void **state)
{
    (void)state;
    open_with_all();
    assert_status(greeted("+OK\r\n+OK\r\n+OK\r\n" INFO "*2\r\n:0\r\n:0\r\n" PONG, NULL), JTG_OK);
    assert_int_equal(server.waitaof, 1);
    assert_string_equal(scripted_line_heard(0), "AUTH u s3cret SELECT 3 CLIENT SETNAME gw INFO "
                                                "WAITAOF 0 0 0 PING jtiguard ");
    close_dialer();
}

static void a_login_may_lack_a_user(void **state)
{
    struct jtgi_command command;
    (void)state;
    jtgi_command_init(&command);
    jtgi_handshake_login(&command, NULL, "p");
    assert_int_equal(command.len, strlen("*2\r\n$4\r\nAUTH\r\n$1\r\np\r\n"));
    jtgi_command_clear(&command);
}

/* A server without WAITAOF is the gate's to judge; one that forbids it has refused. */
static void each_refusal_is_told_by_its_step(void **state)
{
    static const struct {
        const char *text;
        jtg_status status;
        const char *told;
    } rows[] = {
        {"-WRONGPASS x\r\n", JTG_ERR_REFUSED, "AUTH was refused"},
        {"+OK\r\n-ERR x\r\n", JTG_ERR_REFUSED, "SELECT 3 was refused"},
        {"+OK\r\n+OK\r\n-NOPERM x\r\n", JTG_ERR_REFUSED, "CLIENT SETNAME was refused"},
        {"+OK\r\n+OK\r\n+OK\r\n-NOPERM x\r\n", JTG_ERR_REFUSED, "INFO was refused"},
        {"+OK\r\n+OK\r\n+OK\r\n-LOADING x\r\n", JTG_ERR_UNAVAILABLE, "INFO was refused"},
        {"+OK\r\n+OK\r\n+OK\r\n" INFO "-NOPERM x\r\n", JTG_ERR_REFUSED, "WAITAOF was refused"},
        {"+OK\r\n+OK\r\n+OK\r\n" INFO "-ERR unknown command x\r\n" PONG, JTG_OK, ""},
        {"+OK\r\n+OK\r\n+OK\r\n" INFO "*0\r\n-ERR unknown command x\r\n", JTG_ERR_REFUSED,
         "PING was refused"},
        {"+OK\r\n+OK\r\n+OK\r\n" INFO "*0\r\n-NOPERM x\r\n", JTG_ERR_REFUSED, "PING was refused"},
        {"+OK\r\n+OK\r\n+OK\r\n" INFO "*0\r\n-BUSY x\r\n", JTG_OK, ""},
        {"+OK\r\n+OK\r\n+OK\r\n" INFO "*0\r\n-MASTERDOWN x\r\n", JTG_OK, ""},
    };
    (void)state;
    open_with_all();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        jtg_status status = greeted(rows[i].text, NULL);
        if (status != rows[i].status || strstr(err.text, rows[i].told) == NULL)
            fail_msg("%s: %s", rows[i].text, err.text);
        assert_null(strstr(err.text, "s3cret"));
    }
    close_dialer();
}

static void what_was_not_asked_for_is_no_answer(void **state)
{
    static const char *const texts[] = {
        "+OK\r\n" PONG,            /* to INFO */
        INFO "+PONG\r\n",          /* to PING */
        INFO "$8\r\njtiguarD\r\n", /* another word */
        INFO PONG "+OK\r\n",       /* more */
        INFO PONG "+",
    };
    (void)state;
    open_dialer(NULL);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_status(greeted(texts[i], NULL), JTG_ERR_PROTOCOL);
    close_dialer();
}

/* A proxy that knows a command not may close: what it closed at is told. */
static void an_end_is_told_by_its_step(void **state)
{
    (void)state;
    open_dialer(NULL);
    assert_status(greeted("$14\r\nrun", NULL), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "closed in place of an answer to INFO"));
    assert_status(greeted(INFO, NULL), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "closed in place of an answer to PING"));
    close_dialer();
}

/* Before the question, so that the server's clock seems rather too far ahead. */
static void its_clock_is_read_against_ours(void **state)
{
    struct jtgi_connection *connection = NULL;
    (void)state;
    open_dialer(NULL);
    assert_status(greeted("$35\r\nserver_time_usec:1795176007000000\r\n\r\n" PONG, &connection),
                  JTG_OK);
    assert_true(connection->peer.clock_known);
    assert_true(connection->peer.clock_ms == (uint64_t)TEST_CLOCK_WALL_MS + 7000);
    assert_true(connection->peer.clock_ahead_ms ==
                TEST_CLOCK_WALL_MS + 7000 - TEST_CLOCK_MONOTONIC_MS);
    jtgi_connection_free(connection);
    assert_status(greeted(INFO PONG, &connection), JTG_OK);
    assert_false(connection->peer.clock_known);
    assert_true(connection->peer.clock_ms == 0);
    jtgi_connection_free(connection);
    close_dialer();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_asks_for_what_is_configured_alone),
        cmocka_unit_test(it_says_all_that_is_configured),
        cmocka_unit_test(a_login_may_lack_a_user),
        cmocka_unit_test(each_refusal_is_told_by_its_step),
        cmocka_unit_test(what_was_not_asked_for_is_no_answer),
        cmocka_unit_test(an_end_is_told_by_its_step),
        cmocka_unit_test(its_clock_is_read_against_ours),
    };
    return cmocka_run_group_tests_name("handshake", tests, NULL, NULL);
}
