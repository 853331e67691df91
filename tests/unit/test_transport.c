/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/blocking.h"
#include "redis/line/deadline.h"
#include "redis/line/transport.h"
#include "support/asserts.h"
#include "support/impatient.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct pair {
    struct jtgi_transport ours;
    int theirs;
};

static void open_pair(struct pair *pair)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    jtgi_transport_init(&pair->ours, ends[0], NULL, &jtgi_blocking);
    pair->theirs = ends[1];
}

static void close_pair(struct pair *pair)
{
    jtgi_transport_close(&pair->ours);
    if (pair->theirs >= 0)
        (void)close(pair->theirs);
}

static void what_is_sent_arrives(void **state)
{
    struct pair pair;
    char got[8] = "";
    size_t count = 0;
    (void)state;
    open_pair(&pair);
    assert_int_equal(jtgi_transport_send(&pair.ours, "hello", 5, &count, jtgi_deadline_in_ms(1000)),
                     JTGI_IO_DONE);
    assert_int_equal(count, 5);
    assert_int_equal(recv(pair.theirs, got, sizeof got, 0), 5);
    assert_int_equal(send(pair.theirs, "you", 3, 0), 3);
    assert_int_equal(
        jtgi_transport_receive(&pair.ours, got, sizeof got, &count, jtgi_deadline_in_ms(1000)),
        JTGI_IO_DONE);
    assert_int_equal(count, 3);
    assert_memory_equal(got, "you", 3);
    close_pair(&pair);
}

static void a_deadline_ends_a_receive(void **state)
{
    struct pair pair;
    char got[8];
    size_t count = 0;
    (void)state;
    open_pair(&pair);
    int64_t start = jtgi_now_ns();
    assert_int_equal(
        jtgi_transport_receive(&pair.ours, got, sizeof got, &count, jtgi_deadline_in_ms(30)),
        JTGI_IO_TIMEOUT);
    int64_t took = jtgi_now_ns() - start;
    assert_true(took >= 29 * JTGI_NS_PER_MS && took < 130 * JTGI_NS_PER_MS);
    assert_int_equal(jtgi_transport_receive(&pair.ours, got, sizeof got, &count, 0),
                     JTGI_IO_TIMEOUT);
    close_pair(&pair);
}

/* Nobody reads: the kernel's buffers fill, and the deadline ends it. */
static void a_deadline_ends_a_send(void **state)
{
    static char large[4 << 20];
    struct pair pair;
    size_t sent = 0;
    (void)state;
    open_pair(&pair);
    assert_int_equal(
        jtgi_transport_send(&pair.ours, large, sizeof large, &sent, jtgi_deadline_in_ms(30)),
        JTGI_IO_TIMEOUT);
    assert_true(sent > 0 && sent < sizeof large);
    close_pair(&pair);
}

/* SIGPIPE has its default action here: were it raised, this program would end. */
static void a_closed_peer_raises_no_signal(void **state)
{
    struct pair pair;
    char got[8];
    size_t count = 0;
    (void)state;
    (void)signal(SIGPIPE, SIG_DFL);
    open_pair(&pair);
    (void)close(pair.theirs);
    pair.theirs = -1;
    assert_int_equal(jtgi_transport_send(&pair.ours, "x", 1, &count, jtgi_deadline_in_ms(1000)),
                     JTGI_IO_FAILED);
    assert_int_equal(count, 0);
    assert_int_equal(
        jtgi_transport_receive(&pair.ours, got, sizeof got, &count, jtgi_deadline_in_ms(1000)),
        JTGI_IO_CLOSED);
    close_pair(&pair);
}

static void only_silence_is_quiet(void **state)
{
    struct pair pair;
    (void)state;
    open_pair(&pair);
    assert_true(jtgi_transport_is_quiet(&pair.ours));
    assert_int_equal(send(pair.theirs, "x", 1, 0), 1);
    assert_false(jtgi_transport_is_quiet(&pair.ours));
    close_pair(&pair);
    open_pair(&pair);
    (void)shutdown(pair.theirs, SHUT_WR);
    assert_false(jtgi_transport_is_quiet(&pair.ours));
    close_pair(&pair);
}

static void *break_soon(void *context)
{
    (void)poll(NULL, 0, 20);
    jtgi_transport_break(context);
    return NULL;
}

static void breaking_wakes_who_waits(void **state)
{
    struct pair pair;
    pthread_t thread;
    char got[8];
    size_t count = 0;
    (void)state;
    open_pair(&pair);
    assert_int_equal(pthread_create(&thread, NULL, break_soon, &pair.ours), 0);
    assert_int_equal(
        jtgi_transport_receive(&pair.ours, got, sizeof got, &count, jtgi_deadline_in_ms(5000)),
        JTGI_IO_CLOSED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    close_pair(&pair);
}

static void ignore_signal(int number)
{
    (void)number;
}

static atomic_bool storm_over;

static void *storm(void *context)
{
    while (!atomic_load(&storm_over)) {
        (void)pthread_kill(*(pthread_t *)context, SIGUSR1);
        (void)poll(NULL, 0, 1);
    }
    return NULL;
}

/* Interrupted calls go on, and end at their deadline all the same. */
static void signals_change_nothing(void **state)
{
    struct sigaction action = {.sa_handler = ignore_signal};
    struct pair pair;
    pthread_t self = pthread_self();
    pthread_t thread;
    char got[8];
    size_t count = 0;
    (void)state;
    (void)sigaction(SIGUSR1, &action, NULL);
    open_pair(&pair);
    assert_int_equal(pthread_create(&thread, NULL, storm, &self), 0);
    int64_t start = jtgi_now_ns();
    assert_int_equal(
        jtgi_transport_receive(&pair.ours, got, sizeof got, &count, jtgi_deadline_in_ms(50)),
        JTGI_IO_TIMEOUT);
    assert_int_equal(
        jtgi_blocking.fd(&jtgi_blocking, pair.ours.fd, POLLIN, jtgi_deadline_in_ms(50)),
        JTGI_IO_TIMEOUT);
    int64_t took = jtgi_now_ns() - start;
    atomic_store(&storm_over, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(took >= 99 * JTGI_NS_PER_MS && took < 300 * JTGI_NS_PER_MS);
    close_pair(&pair);
}

/* It comes back at once, and goes on where it was when it is called again. */
static void what_waits_is_brought_along(void **state)
{
    static char much[1 << 20];
    struct pair pair;
    char got[8];
    size_t count = 0;
    (void)state;
    open_pair(&pair);
    pair.ours.waiter = &impatient;
    int64_t far_ns = jtgi_deadline_in_ms(IMPATIENT_FAR_MS);
    assert_int_equal(jtgi_transport_receive(&pair.ours, got, sizeof got, &count, far_ns),
                     JTGI_IO_LATER);
    assert_int_equal(send(pair.theirs, "you", 3, 0), 3);
    assert_int_equal(jtgi_transport_receive(&pair.ours, got, sizeof got, &count, far_ns),
                     JTGI_IO_DONE);
    assert_int_equal(count, 3);
    assert_int_equal(jtgi_transport_send(&pair.ours, much, sizeof much, &count, far_ns),
                     JTGI_IO_LATER);
    assert_true(count > 0 && count < sizeof much);
    assert_int_equal(shutdown(pair.theirs, SHUT_RDWR), 0);
    assert_int_equal(jtgi_transport_receive(&pair.ours, got, sizeof got, &count, far_ns),
                     JTGI_IO_CLOSED);
    close_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_arrives),   cmocka_unit_test(a_deadline_ends_a_receive),
        cmocka_unit_test(a_deadline_ends_a_send), cmocka_unit_test(a_closed_peer_raises_no_signal),
        cmocka_unit_test(only_silence_is_quiet),  cmocka_unit_test(breaking_wakes_who_waits),
        cmocka_unit_test(signals_change_nothing), cmocka_unit_test(what_waits_is_brought_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
