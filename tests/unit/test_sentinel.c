/* SPDX-License-Identifier: Apache-2.0 */
/* One Sentinel's answer: all of it, or none. */
#include "redis/route/sentinel.h"

#include "redis/flow/blocking.h"
#include "redis/line/deadline.h"
#include "redis/line/dialer.h"
#include "redis/scripted_lines.h"

#include <stdio.h>
#include <string.h>

#define ID "$2\r\ns1\r\n"
#define PEERS                                                                                      \
    "*2\r\n*4\r\n$4\r\nname\r\n$1\r\nx\r\n$5\r\nrunid\r\n$2\r\ns2\r\n*2\r\n$5\r\nrunid\r\n$"       \
    "2\r\ns3\r\n"
#define MASTER  "*4\r\n$12\r\nconfig-epoch\r\n$1\r\n7\r\n$19\r\nnum-other-sentinels\r\n$1\r\n2\r\n"
#define ADDRESS "*2\r\n$8\r\n10.0.0.1\r\n$4\r\n6379\r\n"
#define ASKED                                                                                      \
    "SENTINEL MYID SENTINEL SENTINELS main SENTINEL MASTER main SENTINEL "                         \
    "GET-MASTER-ADDR-BY-NAME main "

static struct jtgi_redis_config config;
static struct jtgi_dialer dialer;
static struct jtgi_sentinel_answer answer;
static jtg_error err;

static void open_dialer(const char *password)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.sentinels = "10.0.1.1";
    options.sentinel_primary = "main";
    options.sentinel_user = password == NULL ? NULL : "u";
    options.sentinel_password = password;
    assert_status(jtgi_redis_config_read(&config, &options, NULL), JTG_OK);
    assert_status(jtgi_dialer_init(&dialer, &config, &jtgi_blocking, NULL), JTG_OK);
}

static int open_plain(void **state)
{
    (void)state;
    open_dialer(NULL);
    return 0;
}

static int close_dialer(void **state)
{
    jtgi_dialer_clear(&dialer);
    jtgi_redis_config_clear(&config);
    return scripted_lines_reset(state);
}

static jtg_status asked(const char *text, const char *next)
{
    struct jtgi_address address = {.unix_path = NULL};
    assert_true(jtgi_address_set(&address, "10.0.1.1", 8, 26379));
    memset(&answer, 0, sizeof answer);
    memset(&err, 0, sizeof err);
    LINE(26379, text, next);
    return jtgi_sentinel_ask(&dialer, &address, "s.test", jtgi_deadline_in_ms(30000), &answer,
                             &err);
}

/* The epoch before the address: a failover in between is then a new address that loses. */
static void all_of_it_is_asked_in_one_round_trip(void **state)
{
    (void)state;
    assert_status(asked(ID PEERS MASTER ADDRESS, NULL), JTG_OK);
    assert_string_equal(scripted_line_heard(0), ASKED);
    assert_string_equal(answer.id, "s1");
    assert_true(answer.epoch == 7 && answer.others == 2);
    assert_true(answer.peers.told && answer.peers.count == 2);
    assert_string_equal(answer.peers.ids[0], "s2");
    assert_string_equal(answer.peers.ids[1], "s3");
    assert_string_equal(answer.primary.host, "10.0.0.1");
    assert_int_equal(answer.primary.port, 6379);
}

static void a_login_comes_first(void **state)
{
    (void)state;
    open_dialer("s3cret");
    assert_status(asked("+OK\r\n" ID PEERS MASTER ADDRESS, NULL), JTG_OK);
    assert_string_equal(scripted_line_heard(0), "AUTH u s3cret " ASKED);
    assert_status(asked("-WRONGPASS x\r\n", NULL), JTG_ERR_REFUSED);
    assert_null(strstr(err.text, "s3cret"));
    assert_status(asked("+QUEUED\r\n", NULL), JTG_ERR_PROTOCOL);
}

/* What it does not say of the others takes nothing from what it says itself. */
static void what_may_be_left_out(void **state)
{
    (void)state;
    assert_status(asked(ID "-NOPERM x\r\n" MASTER ADDRESS, NULL), JTG_OK);
    assert_false(answer.peers.told);
    assert_status(asked(ID PEERS "*2\r\n$12\r\nconfig-epoch\r\n$1\r\n0\r\n" ADDRESS, NULL), JTG_OK);
    assert_true(answer.epoch == 0 && answer.others == 0);
}

/* By the id of its process no other knows it; who says neither is nobody. */
static void one_that_hides_its_id_is_its_process(void **state)
{
    (void)state;
    assert_status(
        asked("-NOPERM x\r\n" PEERS MASTER ADDRESS, scripted_bulk("x:y\r\nrun_id:p1\r\n")), JTG_OK);
    assert_string_equal(answer.id, "p1");
    assert_false(answer.peers.told);
    assert_string_equal(scripted_line_heard(0), ASKED "INFO server ");
    assert_status(asked("-NOPERM x\r\n" PEERS MASTER ADDRESS, "-NOPERM x\r\n"), JTG_ERR_REFUSED);
    assert_non_null(strstr(err.text, "SENTINEL MYID"));
}

static void one_that_does_not_know_the_name_is_told(void **state)
{
    (void)state;
    assert_status(asked(ID "*0\r\n-ERR No such master with that name\r\n", NULL), JTG_ERR_REFUSED);
    assert_non_null(strstr(err.text, "no primary of this name"));
    assert_status(asked(ID PEERS MASTER "*-1\r\n", NULL), JTG_ERR_REFUSED);
    assert_status(asked("-ERR unknown command x\r\n-ERR unknown command x\r\n"
                        "-ERR unknown command x\r\n",
                        NULL),
                  JTG_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "no Sentinel"));
    assert_status(asked(ID PEERS "-NOAUTH x\r\n", NULL), JTG_ERR_REFUSED);
    assert_null(strstr(err.text, "no primary of this name"));
}

static void what_is_not_understood_is_no_answer(void **state)
{
    static const char *const texts[] = {
        "+s1\r\n",
        "$0\r\n\r\n",
        ID "+OK\r\n",
        ID "*1\r\n*2\r\n$4\r\nname\r\n$1\r\nx\r\n", /* a peer without an id */
        ID PEERS "*2\r\n$12\r\nconfig-epoch\r\n$2\r\n-1\r\n",
        ID PEERS "*2\r\n$12\r\nconfig-epocH\r\n$1\r\n7\r\n",
        ID PEERS "*1\r\n$12\r\nconfig-epoch\r\n",
        ID PEERS MASTER "*1\r\n$8\r\n10.0.0.1\r\n",
        ID PEERS MASTER "*2\r\n$8\r\n10.0.0.1\r\n$5\r\n65536\r\n",
        ID PEERS MASTER "*2\r\n$8\r\n10.0.0.1\r\n:6379\r\n",
        ID PEERS MASTER "*2\r\n$0\r\n\r\n$4\r\n6379\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (asked(texts[i], NULL) != JTG_ERR_PROTOCOL)
            fail_msg("%s: %s", texts[i], err.text);
}

static void an_answer_that_ends_early_is_none(void **state)
{
    (void)state;
    assert_status(asked(ID PEERS MASTER "*2\r\n$8\r\n10.0", NULL), JTG_ERR_UNAVAILABLE);
    assert_err_tells(&err, JTG_ERR_UNAVAILABLE);
}

/* What finds no room is left out, which can only refuse. */
static void so_many_peers_are_remembered(void **state)
{
    static char text[8192];
    size_t len = (size_t)snprintf(text, sizeof text, ID "*65\r\n");
    (void)state;
    for (unsigned i = 0; i < 65; i++)
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "*2\r\n$5\r\nrunid\r\n$3\r\np%02u\r\n", i);
    (void)snprintf(text + len, sizeof text - len, MASTER ADDRESS);
    assert_status(asked(text, NULL), JTG_OK);
    assert_int_equal(answer.peers.count, JTGI_SENTINEL_PEERS_MAX);
    assert_string_equal(answer.peers.ids[63], "p63");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_plain, close_dialer)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_of_it_is_asked_in_one_round_trip),
        cmocka_unit_test_teardown(a_login_comes_first, close_dialer),
        TEST(what_may_be_left_out),
        TEST(one_that_hides_its_id_is_its_process),
        TEST(one_that_does_not_know_the_name_is_told),
        TEST(what_is_not_understood_is_no_answer),
        TEST(an_answer_that_ends_early_is_none),
        TEST(so_many_peers_are_remembered),
    };
    return cmocka_run_group_tests_name("sentinel", tests, NULL, NULL);
}
