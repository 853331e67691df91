/* SPDX-License-Identifier: Apache-2.0 */
/* What an address leads to, tried in turn. */
#include "redis/line/targets.h"

#include "redis/flow/blocking.h"
#include "redis/line/deadline.h"
#include "redis/scripted_lines.h"
#include "support/host_table.h"

#include <string.h>
#include <unistd.h>

static struct jtgi_resolver resolver;
static struct jtgi_targets targets;

static int open_resolver(void **state)
{
    jtgi_resolver_init(&resolver, &jtgi_blocking);
    return scripted_lines_reset(state);
}

static int close_resolver(void **state)
{
    jtgi_targets_clear(&targets);
    jtgi_resolver_clear(&resolver);
    return scripted_lines_reset(state);
}

static jtg_status find(const char *host, const char *other)
{
    struct jtgi_address address = {.unix_path = NULL};
    jtgi_targets_clear(&targets);
    assert_true(jtgi_address_set(&address, host, strlen(host), 7001));
    assert_true(other == NULL || jtgi_address_set_other(&address, other, strlen(other)));
    jtgi_targets_init(&targets, &address);
    return jtgi_targets_find(&targets, &resolver, jtgi_deadline_in_ms(30000), NULL);
}

static jtg_status connect_next(void)
{
    int fd = -1;
    jtg_status status =
        jtgi_targets_connect(&targets, 0, &jtgi_blocking, jtgi_deadline_in_ms(30000), &fd, NULL);
    if (fd >= 0)
        (void)close(fd);
    return status;
}

static void each_address_has_its_turn(void **state)
{
    (void)state;
    host_table_set("several.test", "10.0.0.1,10.0.0.2,::1");
    assert_status(find("several.test", NULL), JTG_OK);
    assert_int_equal(targets.count, 3);
    LINE(7001, "");
    LINE(7001, "");
    LINE(7001, "");
    for (unsigned i = 0; i < 3; i++) {
        assert_true(jtgi_targets_left(&targets));
        assert_status(connect_next(), JTG_OK);
    }
    assert_false(jtgi_targets_left(&targets));
    assert_string_equal(scripted_line_place(0), "10.0.0.1:7001");
    assert_string_equal(scripted_line_place(1), "10.0.0.2:7001");
    assert_string_equal(scripted_line_place(2), "[::1]:7001");
}

/* What is left of the time is shared among those that are. */
static void one_that_hangs_leaves_time_for_the_others(void **state)
{
    static const int64_t shares_s[] = {1000, 1500, 3000};
    int64_t now = jtgi_now_ns();
    int64_t deadline = now + 3000 * JTGI_NS_PER_S;
    (void)state;
    host_table_set("several.test", "10.0.0.1,10.0.0.2,10.0.0.3");
    assert_status(find("several.test", NULL), JTG_OK);
    for (size_t i = 0; i < sizeof shares_s / sizeof shares_s[0]; i++) {
        int64_t got_s = (jtgi_targets_share(&targets, deadline) - now) / JTGI_NS_PER_S;
        assert_in_range(got_s, shares_s[i], shares_s[i] + 30);
        assert_status(connect_next(), JTG_ERR_UNAVAILABLE);
    }
    assert_true(jtgi_targets_share(&targets, deadline) == deadline);
}

/* By which its Cluster knows it too. */
static void the_other_host_stands_in_for_a_name_that_is_not_found(void **state)
{
    (void)state;
    host_table_set("gone.test", "");
    assert_status(find("gone.test", NULL), JTG_ERR_UNAVAILABLE);
    assert_false(jtgi_targets_left(&targets));
    assert_status(find("gone.test", "10.0.0.7"), JTG_OK);
    assert_string_equal(targets.address.host, "10.0.0.7");
    assert_status(find("10.0.0.6", "10.0.0.7"), JTG_OK);
    assert_string_equal(targets.address.host, "10.0.0.6");
}

static void a_socket_is_the_only_one(void **state)
{
    struct jtgi_address address = {.unix_path = "/nowhere/at/all"};
    int64_t deadline = jtgi_deadline_in_ms(30000);
    (void)state;
    jtgi_targets_init(&targets, &address);
    assert_status(jtgi_targets_find(&targets, &resolver, deadline, NULL), JTG_OK);
    assert_int_equal(targets.count, 1);
    assert_true(jtgi_targets_left(&targets));
    assert_in_range(jtgi_targets_share(&targets, deadline), deadline - JTGI_NS_PER_MS, deadline);
    assert_status(connect_next(), JTG_ERR_UNAVAILABLE);
    assert_false(jtgi_targets_left(&targets));
    assert_int_equal(scripted_lines_refused(), 0); /* it was no address */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_resolver, close_resolver)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_address_has_its_turn),
        TEST(one_that_hangs_leaves_time_for_the_others),
        TEST(the_other_host_stands_in_for_a_name_that_is_not_found),
        TEST(a_socket_is_the_only_one),
    };
    return cmocka_run_group_tests_name("targets", tests, NULL, NULL);
}
