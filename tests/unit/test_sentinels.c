/* SPDX-License-Identifier: Apache-2.0 */
/* Several Sentinels: whom is believed, and when nobody is. How voices make groups is
 * test_voices.c's; names that lead to several are test_scripted_sentinels.c's. */
#include "redis/route/sentinels.h"

#include "redis/flow/counts.h"
#include "redis/line/deadline.h"
#include "redis/scripted_lines.h"
#include "support/still_clock.h"

#include <stdio.h>
#include <string.h>

static struct jtgi_shared shared;
static struct jtgi_sentinels sentinels;
static struct jtgi_naming naming;
static jtg_error err;

static void open_list(const char *list)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.sentinels = list;
    options.sentinel_primary = "main";
    options.continuity = 0;
    assert_status(jtgi_shared_init(&shared, &options, NULL), JTG_OK);
    jtgi_sentinels_init(&sentinels, &shared);
}

static int open_three(void **state)
{
    (void)state;
    open_list("10.0.1.1:1,10.0.1.2:2,10.0.1.3:3");
    return 0;
}

static int close_list(void **state)
{
    jtgi_shared_clear(&shared, false);
    return scripted_lines_reset(state);
}

/* That of this port, with a letter as its id, says that the primary is "10.0.0.<host>:6379" and
 * that it knows these others. */
static void says(unsigned port, char id, unsigned epoch, unsigned host, const char *knows)
{
    char text[1024];
    int len = snprintf(text, sizeof text, "$1\r\n%c\r\n*%zu\r\n", id, strlen(knows));
    for (const char *at = knows; *at != '\0'; at++)
        len += snprintf(text + len, sizeof text - (size_t)len, "*2\r\n$5\r\nrunid\r\n$1\r\n%c\r\n",
                        *at);
    (void)snprintf(text + len, sizeof text - (size_t)len,
                   "*4\r\n$12\r\nconfig-epoch\r\n$1\r\n%u\r\n$19\r\nnum-other-sentinels\r\n"
                   "$1\r\n%zu\r\n*2\r\n$8\r\n10.0.0.%u\r\n$4\r\n6379\r\n",
                   epoch, strlen(knows), host);
    LINE(port, text);
}

static jtg_status asked(void)
{
    memset(&err, 0, sizeof err);
    memset(&naming, 0, sizeof naming);
    return jtgi_sentinels_ask(&sentinels, jtgi_deadline_in_ms(30000), &naming, &err);
}

static uint64_t changes(void)
{
    return jtgi_counters_read(shared.counters, JTGI_COUNT_PRIMARY_CHANGES);
}

static void the_list_is_read_with_its_ports(void **state)
{
    (void)state;
    open_list("10.0.1.1,[::1]:5");
    assert_int_equal(sentinels.count, 2);
    assert_int_equal(sentinels.list[0].address.port, JTGI_SENTINEL_PORT_DEFAULT);
    assert_int_equal(sentinels.list[1].address.port, 5);
}

static void the_one_that_they_name_is_the_primary(void **state)
{
    (void)state;
    says(1, 'a', 4, 1, "bc");
    says(2, 'b', 4, 1, "ac");
    says(3, 'c', 4, 1, "ab");
    assert_status(asked(), JTG_OK);
    assert_string_equal(naming.primary.host, "10.0.0.1");
    assert_true(naming.epoch == 4 && naming.members == 3);
    assert_true(naming.answers == 3 && naming.agreeing == 3);
    assert_int_equal(changes(), 0);
}

/* One that was cut off goes on naming the old one. */
static void the_greatest_epoch_wins(void **state)
{
    (void)state;
    says(1, 'a', 4, 1, "bc");
    says(2, 'b', 5, 2, "ac");
    assert_status(asked(), JTG_OK);
    assert_string_equal(naming.primary.host, "10.0.0.2");
    assert_true(naming.epoch == 5 && naming.answers == 2 && naming.agreeing == 1);
}

static void what_was_said_is_not_gone_back_behind(void **state)
{
    (void)state;
    says(1, 'a', 5, 2, "bc");
    says(2, 'b', 5, 2, "ac");
    assert_status(asked(), JTG_OK);
    says(1, 'a', 4, 1, "bc");
    says(2, 'b', 4, 1, "ac");
    assert_status(asked(), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "behind what one said before"));
    assert_int_equal(changes(), 0);
    says(1, 'a', 6, 1, "bc");
    says(2, 'b', 4, 1, "ac");
    assert_status(asked(), JTG_OK);
    assert_int_equal(changes(), 1);
}

static void a_minority_is_not_believed(void **state)
{
    (void)state;
    says(3, 'c', 9, 3, "ab");
    assert_status(asked(), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "1 of 3 answer: 10.0.1.2:2: "));
    assert_true(naming.members == 3 && naming.answers == 1);
    assert_status(asked(), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "no Sentinel names the primary"));
}

/* Whatever its epoch: another deployment numbers the failovers of its own primary. */
static void a_stranger_is_not_believed(void **state)
{
    (void)state;
    says(1, 'x', 9, 9, "yz");
    says(2, 'b', 4, 1, "ac");
    says(3, 'c', 4, 1, "ab");
    assert_status(asked(), JTG_OK);
    assert_string_equal(naming.primary.host, "10.0.0.1");
    assert_int_equal(naming.agreeing, 2);
}

static void strangers_to_each_other_are_told(void **state)
{
    (void)state;
    says(1, 'a', 4, 1, "bc");
    says(2, 'x', 4, 2, "yz");
    assert_status(asked(), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "10.0.1.1:1 and 10.0.1.2:2 do not know each other"));
}

static void two_primaries_of_one_epoch_are_none(void **state)
{
    (void)state;
    says(1, 'a', 4, 1, "bc");
    says(2, 'b', 4, 2, "ac");
    assert_status(asked(), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "as many name 10.0.0.2:6379"));
    still_clock_advance_ns(JTGI_NS_PER_S); /* the third has failed, and is asked anew */
    says(1, 'a', 4, 1, "bc");
    says(2, 'b', 4, 2, "ac");
    says(3, 'c', 4, 2, "ab");
    assert_status(asked(), JTG_OK);
    assert_string_equal(naming.primary.host, "10.0.0.2");
}

/* By another address; its second voice is that of one that does not answer. */
static void one_that_stands_twice_counts_once(void **state)
{
    (void)state;
    says(1, 'a', 4, 1, "bc");
    says(2, 'a', 4, 1, "bc");
    assert_status(asked(), JTG_ERR_UNAVAILABLE);
    assert_int_equal(naming.answers, 1);
    assert_true(sentinels.told_twofold);
}

/* One entry says nothing of how many there are: they say so themselves. */
static void one_alone_is_counted_by_what_it_says(void **state)
{
    (void)state;
    open_list("10.0.1.1:1");
    says(1, 'a', 4, 1, "bc");
    assert_status(asked(), JTG_ERR_UNAVAILABLE);
    assert_int_equal(naming.members, 3);
    assert_non_null(strstr(err.text, "1 of 3 answer: list all that they know of"));
    says(1, 'a', 4, 1, "");
    assert_status(asked(), JTG_OK);
    assert_int_equal(naming.members, 1);
}

/* Those that gave no answer come last, and not at all where most have answered. */
static void one_that_failed_a_moment_ago_is_spared(void **state)
{
    (void)state;
    says(2, 'b', 4, 1, "ac");
    says(3, 'c', 4, 1, "ab");
    assert_status(asked(), JTG_OK);
    assert_true(sentinels.list[0].failed_ns != 0 && sentinels.list[1].failed_ns == 0);
    still_clock_advance_ns(JTGI_NS_PER_S - 1);
    says(2, 'b', 4, 1, "ac");
    says(3, 'c', 4, 1, "ab");
    assert_status(asked(), JTG_OK);
    assert_int_equal(scripted_lines_refused(), 1);
    still_clock_advance_ns(1);
    says(1, 'a', 4, 1, "bc");
    says(2, 'b', 4, 1, "ac");
    says(3, 'c', 4, 1, "ab");
    assert_status(asked(), JTG_OK);
    assert_string_equal(scripted_line_place(6), "10.0.1.1:1");
    assert_true(sentinels.list[0].failed_ns == 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_three, close_list)
#define OWN(name)  cmocka_unit_test_teardown(name, close_list)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OWN(the_list_is_read_with_its_ports),
        TEST(the_one_that_they_name_is_the_primary),
        TEST(the_greatest_epoch_wins),
        TEST(what_was_said_is_not_gone_back_behind),
        TEST(a_minority_is_not_believed),
        TEST(a_stranger_is_not_believed),
        TEST(strangers_to_each_other_are_told),
        TEST(two_primaries_of_one_epoch_are_none),
        TEST(one_that_stands_twice_counts_once),
        OWN(one_alone_is_counted_by_what_it_says),
        TEST(one_that_failed_a_moment_ago_is_spared),
    };
    return cmocka_run_group_tests_name("sentinels", tests, NULL, NULL);
}
