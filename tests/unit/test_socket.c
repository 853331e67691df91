/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/blocking.h"
#include "redis/line/deadline.h"
#include "redis/line/socket.h"
#include "support/asserts.h"
#include "support/impatient.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000, SHORT_MS = 150 };

static char folder[] = "/tmp/jtiguard-socket-XXXXXX";
static char path[64];

static jtg_status connect_to(const char *where, uint32_t wait_ms, int *fd, jtg_error *err)
{
    return jtgi_socket_connect_unix(where, &jtgi_blocking, jtgi_deadline_in_ms(wait_ms), fd, err);
}

/* Room for one that nobody has accepted yet. */
static int listen_narrowly(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    (void)unlink(path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 0), 0);
    return fd;
}

static int64_t cpu_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * JTGI_NS_PER_S + now.tv_nsec;
}

/* It waits, and does nothing meanwhile. */
static void a_full_backlog_is_waited_for_until_the_deadline(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    int listener = listen_narrowly();
    int first = -1;
    int second = -1;
    (void)state;
    assert_status(connect_to(path, PATIENCE_MS, &first, NULL), JTG_OK);
    int64_t began_ns = jtgi_now_ns();
    int64_t used_ns = cpu_ns();
    assert_status(connect_to(path, SHORT_MS, &second, &err), JTG_ERR_UNAVAILABLE);
    assert_true(jtgi_now_ns() - began_ns >= SHORT_MS * JTGI_NS_PER_MS);
    assert_true(cpu_ns() - used_ns < SHORT_MS * JTGI_NS_PER_MS / 2);
    assert_err_tells(&err, JTG_ERR_UNAVAILABLE);
    assert_int_equal(second, -1);
    (void)close(first);
    (void)close(listener);
}

/* A full backlog makes no descriptor ready: who does not wait is told at once. */
static void who_does_not_wait_is_told_at_once(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    int64_t far_ns = jtgi_deadline_in_ms(IMPATIENT_FAR_MS);
    int listener = listen_narrowly();
    int first = -1;
    int second = -1;
    (void)state;
    assert_status(jtgi_socket_connect_unix(path, &impatient, far_ns, &first, NULL), JTG_OK);
    assert_status(jtgi_socket_connect_unix(path, &impatient, far_ns, &second, &err),
                  JTG_ERR_UNAVAILABLE);
    assert_err_tells(&err, JTG_ERR_UNAVAILABLE);
    assert_int_equal(second, -1);
    (void)close(first);
    (void)close(listener);
}

struct waiting {
    pthread_barrier_t begin;
    jtg_status status;
    int fd;
};

static void *wait_for_room(void *context)
{
    struct waiting *waiting = context;
    (void)pthread_barrier_wait(&waiting->begin);
    waiting->status = connect_to(path, PATIENCE_MS, &waiting->fd, NULL);
    return NULL;
}

static void room_that_comes_is_taken(void **state)
{
    struct waiting waiting = {.fd = -1};
    pthread_t thread;
    int listener = listen_narrowly();
    int first = -1;
    (void)state;
    assert_status(connect_to(path, PATIENCE_MS, &first, NULL), JTG_OK);
    assert_int_equal(pthread_barrier_init(&waiting.begin, NULL, 2), 0);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_room, &waiting), 0);
    (void)pthread_barrier_wait(&waiting.begin);
    int accepted = accept(listener, NULL, NULL);
    assert_true(accepted >= 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_status(waiting.status, JTG_OK);
    assert_true(waiting.fd >= 0);
    (void)close(waiting.fd);
    (void)close(accepted);
    (void)close(first);
    (void)close(listener);
    assert_int_equal(pthread_barrier_destroy(&waiting.begin), 0);
}

static void what_is_no_socket_is_told_at_once(void **state)
{
    char too_long[256];
    int fd = -1;
    (void)state;
    memset(too_long, 'x', sizeof too_long - 1);
    too_long[sizeof too_long - 1] = '\0';
    (void)unlink(path);
    int64_t began_ns = jtgi_now_ns();
    assert_status(connect_to(path, PATIENCE_MS, &fd, NULL), JTG_ERR_UNAVAILABLE);
    assert_status(connect_to(too_long, PATIENCE_MS, &fd, NULL), JTG_ERR_UNAVAILABLE);
    assert_true(jtgi_now_ns() - began_ns < PATIENCE_MS * JTGI_NS_PER_MS);
    assert_int_equal(fd, -1);
}

static int start(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/s", folder);
    return 0;
}

static int halt(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_backlog_is_waited_for_until_the_deadline),
        cmocka_unit_test(who_does_not_wait_is_told_at_once),
        cmocka_unit_test(room_that_comes_is_taken),
        cmocka_unit_test(what_is_no_socket_is_told_at_once),
    };
    return cmocka_run_group_tests(tests, start, halt);
}
