/* SPDX-License-Identifier: Apache-2.0 */
/* The list of open connections: who is counted, who is ended and when, and who has gone. */
#include "serve/http/connections.h"
#include "support/asserts.h"
#include "support/threads.h"

#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* LONG: no test reaches it. SHORT: those that are about it wait for it. */
enum { LONG_MS = 600000, SHORT_MS = 200, PATIENCE_MS = 10000, CROWD = 8, ROUNDS = 200 };

static struct connections *all;
static int ours;
static int theirs;

static int open_pair(void **state)
{
    int fds[2];
    (void)state;
    all = NULL;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return -1;
    ours = fds[0];
    theirs = fds[1];
    return 0;
}

static int close_pair(void **state)
{
    (void)state;
    connections_free(all);
    (void)close(ours);
    (void)close(theirs);
    return 0;
}

static struct connection *list(uint32_t request_ms, uint32_t keepalive_ms)
{
    all = connections_new(request_ms, keepalive_ms);
    assert_non_null(all);
    struct connection *connection = connection_opened(all, ours);
    assert_non_null(connection);
    return connection;
}

static void assert_counts(unsigned open, unsigned busy, uint64_t taken, uint64_t late)
{
    struct connection_count count = connections_count(all);
    assert_int_equal(count.open, open);
    assert_int_equal(count.busy, busy);
    assert_int_equal(count.taken, taken);
    assert_int_equal(count.late, late);
}

/* Whether nothing more is to be read of it, and it is not just silent. */
static bool is_ended(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static bool await_end(int fd)
{
    struct pollfd look = {.fd = fd, .events = POLLIN};
    return poll(&look, 1, PATIENCE_MS) == 1 && is_ended(fd);
}

/* ---- counted ---- */

static void each_is_counted_once(void **state)
{
    (void)state;
    struct connection *connection = list(LONG_MS, LONG_MS);
    assert_counts(1, 0, 1, 0);
    connection_request_begins(connection);
    connection_request_begins(connection);
    assert_counts(1, 1, 1, 0);
    connection_request_ended(connection);
    connection_request_ended(connection);
    assert_counts(1, 0, 1, 0);
    connection_closed(connection);
    assert_counts(0, 0, 1, 0);
}

static void who_closes_within_a_request_is_busy_no_more(void **state)
{
    (void)state;
    struct connection *connection = list(LONG_MS, LONG_MS);
    struct connection *other = connection_opened(all, theirs);
    connection_request_begins(connection);
    connection_request_begins(other);
    connection_closed(connection);
    assert_counts(1, 1, 2, 0);
    connection_closed(other);
    assert_counts(0, 0, 2, 0);
}

static void come_and_go(void *context, unsigned index)
{
    (void)context;
    (void)index;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct connection *connection = connection_opened(all, ours);
        connection_request_begins(connection);
        connection_request_ended(connection);
        connection_closed(connection);
    }
}

static void a_crowd_leaves_nobody_behind(void **state)
{
    (void)state;
    all = connections_new(LONG_MS, LONG_MS);
    threads_run(CROWD, come_and_go, NULL);
    assert_counts(0, 0, (uint64_t)CROWD * ROUNDS, 0);
}

static void what_is_not_listed_has_no_bound(void **state)
{
    (void)state;
    connection_request_begins(NULL);
    connection_request_ended(NULL);
    connection_closed(NULL);
    assert_false(connection_is_gone(NULL, true));
    assert_int_equal(connection_lay_ms(NULL), -1);
    connections_free(NULL);
}

/* ---- ended ---- */

static void a_first_request_that_does_not_come(void **state)
{
    (void)state;
    struct connection *connection = list(SHORT_MS, LONG_MS);
    assert_true(await_end(theirs));
    assert_counts(1, 0, 1, 1);
    connection_closed(connection);
}

static void a_request_that_takes_too_long(void **state)
{
    (void)state;
    struct connection *connection = list(SHORT_MS, LONG_MS);
    connection_request_begins(connection);
    assert_true(await_end(theirs));
    assert_counts(1, 1, 1, 1);
    connection_closed(connection);
}

/* The end of a connection that nobody uses is no news. */
static void an_idle_one_ends_uncounted(void **state)
{
    (void)state;
    struct connection *connection = list(SHORT_MS, 0);
    connection_request_begins(connection);
    connection_request_ended(connection);
    assert_true(await_end(theirs));
    assert_counts(1, 0, 1, 0);
    connection_closed(connection);
}

static void a_drain_ends_the_idle_alone(void **state)
{
    (void)state;
    struct connection *connection = list(LONG_MS, LONG_MS);
    struct connection *fresh = connection_opened(all, theirs);
    connection_request_begins(connection);
    connections_drain(all);
    /* One is answered yet, and the other has not asked: its request may be on its way. */
    assert_false(is_ended(ours));
    assert_false(is_ended(theirs));
    connection_request_ended(connection);
    assert_true(is_ended(ours));
    connection_closed(connection);
    connection_closed(fresh);
}

static void a_drain_ends_who_stands_idle_at_once(void **state)
{
    (void)state;
    struct connection *connection = list(LONG_MS, LONG_MS);
    connection_request_begins(connection);
    connection_request_ended(connection);
    assert_false(is_ended(ours));
    connections_drain(all);
    assert_true(is_ended(ours));
    assert_counts(1, 0, 1, 0);
    connection_closed(connection);
}

/* ---- gone ---- */

static void who_has_closed_is_gone(void **state)
{
    (void)state;
    struct connection *connection = list(LONG_MS, LONG_MS);
    assert_false(connection_is_gone(connection, true));
    (void)close(theirs);
    assert_true(connection_is_gone(connection, false));
    connection_closed(connection);
}

static void who_has_ended_his_half_is_believed_when_asked(void **state)
{
    (void)state;
    struct connection *connection = list(LONG_MS, LONG_MS);
    (void)shutdown(theirs, SHUT_WR);
    assert_false(connection_is_gone(connection, false));
    assert_true(connection_is_gone(connection, true));
    connection_closed(connection);
}

/* It looks as if the other side had ended it. */
static void a_half_that_we_have_ended_is_not_his(void **state)
{
    (void)state;
    struct connection *connection = list(LONG_MS, LONG_MS);
    connection_request_begins(connection);
    connection_request_ended(connection);
    connections_drain(all);
    assert_false(connection_is_gone(connection, true));
    connection_closed(connection);
}

/* ---- lain in the socket ---- */

static void only_of_tcp_it_is_known_how_long_it_lay(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    struct connection *connection = list(LONG_MS, LONG_MS);
    assert_int_equal(connection_lay_ms(connection), -1);
    connection_closed(connection);

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, len), 0);
    int taken = accept(listener, NULL, NULL);
    connection = connection_opened(all, taken);
    assert_in_range(connection_lay_ms(connection), 0, PATIENCE_MS);
    connection_closed(connection);
    (void)close(taken);
    (void)close(client);
    (void)close(listener);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pair, close_pair)
    const struct CMUnitTest tests[] = {
        TEST(each_is_counted_once),
        TEST(who_closes_within_a_request_is_busy_no_more),
        TEST(a_crowd_leaves_nobody_behind),
        TEST(what_is_not_listed_has_no_bound),
        TEST(a_first_request_that_does_not_come),
        TEST(a_request_that_takes_too_long),
        TEST(an_idle_one_ends_uncounted),
        TEST(a_drain_ends_the_idle_alone),
        TEST(a_drain_ends_who_stands_idle_at_once),
        TEST(who_has_closed_is_gone),
        TEST(who_has_ended_his_half_is_believed_when_asked),
        TEST(a_half_that_we_have_ended_is_not_his),
        TEST(only_of_tcp_it_is_known_how_long_it_lay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
