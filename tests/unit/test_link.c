/* SPDX-License-Identifier: Apache-2.0 */
/* The way to a server: where an address leads by the map, and what is told of one that fails. */
#include "redis/line/link.h"

#include "redis/flow/blocking.h"
#include "redis/line/deadline.h"
#include "redis/scripted_lines.h"
#include "support/host_table.h"

#include <errno.h>
#include <string.h>

static struct jtgi_redis_config config;
static struct jtgi_dialer dialer;
static jtg_error err;

static void open_dialer(const char *map, const char *cluster)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.address_map = map;
    options.cluster_nodes = cluster;
    memset(&err, 0, sizeof err);
    assert_status(jtgi_redis_config_read(&config, &options, NULL), JTG_OK);
    assert_status(jtgi_dialer_init(&dialer, &config, &jtgi_blocking, NULL), JTG_OK);
}

static int close_dialer(void **state)
{
    jtgi_dialer_clear(&dialer);
    jtgi_redis_config_clear(&config);
    return scripted_lines_reset(state);
}

static struct jtgi_address at(const char *host, uint32_t port)
{
    struct jtgi_address address = {.unix_path = NULL};
    assert_true(jtgi_address_set(&address, host, strlen(host), port));
    return address;
}

static jtg_status opened(const struct jtgi_address *address, char server[JTGI_ADDRESS_MAX_BYTES])
{
    struct jtgi_connection *connection = NULL;
    jtg_status status =
        jtgi_link_open(&dialer, address, jtgi_deadline_in_ms(30000), &connection, &err);
    assert_int_equal(status == JTG_OK, connection != NULL);
    if (connection != NULL && server != NULL)
        memcpy(server, connection->server, sizeof connection->server);
    jtgi_connection_free(connection);
    return status;
}

/* Known by its own address, and reached where that leads. */
static void an_address_is_mapped_when_it_is_reached(void **state)
{
    struct jtgi_address address = at("10.0.0.1", 7001);
    char server[JTGI_ADDRESS_MAX_BYTES];
    (void)state;
    open_dialer("10.0.0.1=10.9.9.9:7009", "10.0.0.1:7001");
    LINE(7009, "");
    assert_status(opened(&address, server), JTG_OK);
    assert_string_equal(scripted_line_place(0), "10.9.9.9:7009");
    assert_string_equal(server, "10.0.0.1:7001");
}

static void the_first_that_is_reached_will_do(void **state)
{
    struct jtgi_address address = at("several.test", 7001);
    (void)state;
    open_dialer(NULL, NULL);
    host_table_set("several.test", "10.0.0.1,10.0.0.2");
    LINE(7001, "");
    assert_status(opened(&address, NULL), JTG_OK);
    assert_status(opened(&address, NULL), JTG_ERR_UNAVAILABLE);
    assert_int_equal(scripted_lines_refused(), 2);
    assert_int_equal(err.system_errno, ECONNREFUSED);
}

static void all_that_a_name_leads_to_are_found(void **state)
{
    struct jtgi_address list[JTG_REDIS_ADDRESSES_LIMIT];
    struct jtgi_address mapped = at("a.test", 1);
    struct jtgi_address own = at("b.test", 2);
    unsigned count = 0;
    (void)state;
    open_dialer("a.test=b.test", NULL);
    host_table_set("b.test", "10.0.0.1,10.0.0.2");
    assert_status(
        jtgi_link_find_all(&dialer, &mapped, jtgi_deadline_in_ms(30000), list, &count, &err),
        JTG_OK);
    assert_int_equal(count, 2);
    assert_string_equal(list[1].host, "10.0.0.2");
    assert_true(list[0].mapped && list[1].mapped && list[0].port == 1);
    assert_status(jtgi_link_find_all(&dialer, &own, jtgi_deadline_in_ms(30000), list, &count, &err),
                  JTG_OK);
    assert_false(list[0].mapped);
}

/* ---- what is told ---- */

/* host: by which others know it; NULL: nobody but the options does. */
static const char *told(const char *host, jtg_status status, const char *why)
{
    struct jtgi_address address = at(host == NULL ? "unnamed" : host, 7001);
    jtg_error cause = JTG_ERROR_INIT;
    (void)jtg_error_set(&cause, status, 5, "%s", why);
    memset(&err, 0, sizeof err);
    assert_status(jtgi_link_tell(&dialer, host == NULL ? NULL : &address, status, &cause, &err),
                  status);
    assert_int_equal(err.system_errno, status == JTG_OK ? 0 : 5);
    return err.text;
}

/* In place of its host may stand a password. */
static void a_single_server_is_not_named(void **state)
{
    (void)state;
    open_dialer(NULL, NULL);
    assert_string_equal(told(NULL, JTG_ERR_UNAVAILABLE, "redis: no"), "redis: no");
}

static void one_of_several_is_named(void **state)
{
    (void)state;
    open_dialer("10.0.0.2=10.9.9.9", "10.0.0.1:1");
    assert_string_equal(told("10.0.0.1", JTG_ERR_UNAVAILABLE, "redis: no"),
                        "redis: 10.0.0.1:7001: no");
    assert_string_equal(told("10.0.0.2", JTG_ERR_REFUSED, "redis: no"),
                        "redis: 10.0.0.2:7001, mapped to 10.9.9.9:7001: no");
    assert_string_equal(told("10.0.0.1", JTG_ERR_MEMORY, "redis: no"), "redis: no");
    assert_string_equal(told("10.0.0.1", JTG_ERR_UNAVAILABLE, "no"), "no");
    assert_string_equal(told("10.0.0.1", JTG_OK, "redis: no"), "");
}

/* ---- one question ---- */

static jtg_status asked(struct jtgi_connection *connection, redisReply **reply)
{
    struct jtgi_command command;
    jtgi_command_init(&command);
    jtgi_command_begin(&command, 1);
    jtgi_command_text(&command, "TIME");
    jtg_status status =
        jtgi_link_ask(connection, &command, jtgi_deadline_in_ms(30000), reply, &err);
    jtgi_command_clear(&command);
    jtgi_connection_free(connection);
    return status;
}

static void a_question_has_its_reply(void **state)
{
    redisReply *reply = NULL;
    (void)state;
    open_dialer(NULL, NULL);
    assert_status(asked(CONNECTED("*2\r\n:1\r\n:2\r\n"), &reply), JTG_OK);
    assert_int_equal(reply->elements, 2);
    freeReplyObject(reply);
    assert_string_equal(scripted_line_heard(0), "TIME ");
    assert_status(asked(CONNECTED("*2\r\n:1\r\n"), &reply), JTG_ERR_UNAVAILABLE);
    assert_null(reply);
    assert_err_tells(&err, JTG_ERR_UNAVAILABLE);
}

static void what_was_not_built_is_not_sent(void **state)
{
    struct jtgi_connection *connection = CONNECTED("+OK\r\n");
    struct jtgi_command command = {.failed = true};
    redisReply *reply = NULL;
    (void)state;
    open_dialer(NULL, NULL);
    assert_status(jtgi_link_ask(connection, &command, jtgi_deadline_in_ms(30000), &reply, &err),
                  JTG_ERR_MEMORY);
    assert_null(reply);
    assert_string_equal(scripted_line_heard(0), "");
    jtgi_connection_free(connection);
}

#define TEST(name) cmocka_unit_test_teardown(name, close_dialer)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_address_is_mapped_when_it_is_reached),
        TEST(the_first_that_is_reached_will_do),
        TEST(all_that_a_name_leads_to_are_found),
        TEST(a_single_server_is_not_named),
        TEST(one_of_several_is_named),
        TEST(a_question_has_its_reply),
        TEST(what_was_not_built_is_not_sent),
    };
    return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
