/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/blocking.h"
#include "redis/line/deadline.h"
#include "redis/line/waiter.h"
#include "support/asserts.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static void close_both(const int ends[2])
{
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void it_waits_for_what_is_asked(void **state)
{
    int ends[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(jtgi_blocking.fd(&jtgi_blocking, ends[0], POLLIN, jtgi_deadline_in_ms(1)),
                     JTGI_IO_TIMEOUT);
    assert_int_equal(send(ends[1], "x", 1, 0), 1);
    assert_int_equal(jtgi_blocking.fd(&jtgi_blocking, ends[0], POLLIN, jtgi_deadline_in_ms(1000)),
                     JTGI_IO_DONE);
    close_both(ends);
}

/* A peer that always has something for us gets no more time than one that has nothing. */
static void what_is_ready_too_late_is_late(void **state)
{
    int ends[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(jtgi_blocking.fd(&jtgi_blocking, ends[0], POLLOUT, jtgi_deadline_in_ms(1000)),
                     JTGI_IO_DONE);
    assert_int_equal(jtgi_blocking.fd(&jtgi_blocking, ends[0], POLLOUT, jtgi_now_ns()),
                     JTGI_IO_TIMEOUT);
    close_both(ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_waits_for_what_is_asked),
        cmocka_unit_test(what_is_ready_too_late_is_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
