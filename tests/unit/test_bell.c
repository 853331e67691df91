/* SPDX-License-Identifier: Apache-2.0 */
/* One descriptor that rings for what was wished for, and at its time. The clock is real, and nobody
 * waits longer than until it rings. */
#include "redis/loop/bell.h"

#include "redis/line/deadline.h"
#include "support/asserts.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOON_MS = 20, PATIENCE_MS = 10000 };

static struct jtgi_bell bell;
static int ends[2];

static int open_bell(void **state)
{
    (void)state;
    assert_status(jtgi_bell_init(&bell, NULL), JTG_OK);
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

static int close_bell(void **state)
{
    (void)state;
    (void)close(ends[0]);
    (void)close(ends[1]);
    jtgi_bell_clear(&bell);
    return 0;
}

static bool rings_within(int wait_ms)
{
    struct pollfd wait = {bell.epoll_fd, POLLIN, 0};
    return poll(&wait, 1, wait_ms) == 1;
}

static enum jtgi_io wish(short events)
{
    return bell.waiter.fd(&bell.waiter, ends[0], events, INT64_MAX);
}

static void a_wish_rings_once(void **state)
{
    (void)state;
    assert_int_equal(wish(POLLIN), JTGI_IO_LATER);
    assert_false(rings_within(0));
    assert_int_equal(send(ends[1], "x", 1, 0), 1);
    assert_true(rings_within(PATIENCE_MS));
    jtgi_bell_hear(&bell);
    assert_false(rings_within(0)); /* though it was not read */
    assert_int_equal(wish(POLLIN), JTGI_IO_LATER);
    assert_true(rings_within(PATIENCE_MS));
}

/* Who sends what does not fit waits for both. */
static void what_is_also_wanted_is_wished_for_beside(void **state)
{
    (void)state;
    bell.also_wanted = POLLOUT;
    assert_int_equal(wish(POLLIN), JTGI_IO_LATER);
    assert_true(rings_within(PATIENCE_MS));
}

static void a_deadline_that_has_passed_is_told(void **state)
{
    (void)state;
    assert_int_equal(bell.waiter.fd(&bell.waiter, ends[0], POLLIN, jtgi_now_ns()), JTGI_IO_TIMEOUT);
    assert_int_equal(bell.waiter.fd(&bell.waiter, -1, POLLIN, INT64_MAX), JTGI_IO_FAILED);
}

static void it_rings_at_its_time(void **state)
{
    (void)state;
    assert_false(rings_within(0));
    jtgi_bell_ring_at(&bell, jtgi_deadline_in_ms(SOON_MS));
    assert_true(rings_within(PATIENCE_MS));
    jtgi_bell_ring_at(&bell, INT64_MAX);
    assert_false(rings_within(0));
    jtgi_bell_ring_at(&bell, 0);
    jtgi_bell_ring_at(&bell, 0);
    assert_true(rings_within(PATIENCE_MS));
    jtgi_bell_ring_at(&bell, jtgi_deadline_in_ms(PATIENCE_MS));
    assert_false(rings_within(0));
    int64_t armed_ns = bell.armed_ns;
    jtgi_bell_ring_at(&bell, armed_ns + 1); /* soon enough: it stays as it is */
    assert_true(bell.armed_ns == armed_ns);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_bell, close_bell)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_wish_rings_once),
        TEST(what_is_also_wanted_is_wished_for_beside),
        TEST(a_deadline_that_has_passed_is_told),
        TEST(it_rings_at_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
