/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that take their time, send too much, or come in crowds: what they cost is bounded, and
 * others are served meanwhile. */
#include "monotonic.h"
#include "serve/service_fixture.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct served served;

static int set_up(void **state)
{
    (void)state;
    served_init(&served);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    served_end(&served);
    return 0;
}

static uint16_t port(void)
{
    return service_port(served.service, HTTP_MAIN);
}

static void admit_one(const char *jti)
{
    struct check_result result = served_bearer(&served, served_token(&served, jti, ""));
    assert_int_equal(result.status, 200);
}

/* Nothing at all, half a line, half a head, half a body: each ends with its time. */
static void a_request_that_never_comes_whole(void **state)
{
    (void)state;
    static const char *const starts[] = {
        "", "GET /ch", "GET /check HTTP/1.1\r\nHost: x\r\nX-A: b\r\n",
        "POST /check HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"};
    served_argument(&served, "--request-timeout=1s");
    served_start(&served);
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        int fd = http_connect(port());
        assert_true(fd >= 0);
        assert_true(http_send(fd, starts[i], strlen(starts[i])));
        assert_true(http_wait_closed(fd, 10000));
        (void)close(fd);
    }
    assert_true(served_await_metric(&served, "jtiguard_connections_late_total", 4));
    admit_one("after");
}

/* A byte now and then outlives any limit on idleness, not one on the whole. */
static void a_request_that_drips(void **state)
{
    (void)state;
    static const char head[] = "GET /check HTTP/1.1\r\nHost: x\r\nX-Drip: ";
    served_argument(&served, "--request-timeout=1s");
    served_start(&served);
    int fd = http_connect(port());
    assert_true(fd >= 0);
    assert_true(http_send(fd, head, strlen(head)));
    struct pollfd waiting = {fd, POLLIN, 0};
    unsigned drops = 0;
    /* A drop each 20 ms, until the service has had enough; bounded at ten seconds. */
    while (drops < 500 && poll(&waiting, 1, 20) == 0 && http_send(fd, "a", 1))
        drops++;
    assert_in_range(drops, 1, 400);
    (void)close(fd);
    admit_one("after");
}

/* A connection that was opened ahead: its first request has all its time. */
static void a_first_request_that_comes_late(void **state)
{
    (void)state;
    static const char start[] = "GET /check HTTP/1.1\r\n";
    static const char rest[] = "Host: x\r\n\r\n";
    struct http_answer answer;
    served_argument(&served, "--request-timeout=2s");
    served_start(&served);
    int fd = http_connect(port());
    assert_true(fd >= 0);
    assert_false(http_wait_closed(fd, 1300));
    assert_true(http_send(fd, start, strlen(start)));
    assert_false(http_wait_closed(fd, 1300)); /* 2.6 s from the connection's begin */
    assert_true(http_send(fd, rest, strlen(rest)));
    assert_true(http_read(fd, &answer, false));
    assert_int_equal(answer.status, 401);
    http_answer_clear(&answer);
    (void)close(fd);
}

/* Of one who drips from the first byte on: it has its time twice, and no more. */
static void a_first_line_that_drips_and_a_head(void **state)
{
    (void)state;
    static const char line[] = "GET /check HTTP/1.1\r\nX-Drip: ";
    served_argument(&served, "--request-timeout=1s");
    served_start(&served);
    int fd = http_connect(port());
    assert_true(fd >= 0);
    struct pollfd waiting = {fd, POLLIN, 0};
    int64_t began_ns = monotonic_ns();
    unsigned drops = 0;
    while (drops < 500 && poll(&waiting, 1, 20) == 0 &&
           http_send(fd, drops < strlen(line) ? &line[drops] : "a", 1))
        drops++;
    assert_in_range(drops, strlen(line), 400);
    assert_true(monotonic_ns() - began_ns < INT64_C(8000000000));
    (void)close(fd);
    admit_one("after");
}

/* The same, after a request that was good: a connection that was kept is bounded too. */
static void a_second_request_that_drips(void **state)
{
    (void)state;
    static const char good[] = "GET /check HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char head[] = "GET /check HTTP/1.1\r\nHost: x\r\nX-Drip: ";
    struct http_answer answer;
    served_argument(&served, "--request-timeout=1s");
    served_argument(&served, "--keepalive-timeout=60s");
    served_start(&served);
    int fd = http_connect(port());
    assert_true(http_send(fd, good, strlen(good)));
    assert_true(http_read(fd, &answer, false));
    assert_int_equal(answer.status, 401);
    http_answer_clear(&answer);
    assert_true(http_send(fd, head, strlen(head)));
    assert_true(http_wait_closed(fd, 10000));
    (void)close(fd);
}

static void an_idle_connection_ends(void **state)
{
    (void)state;
    static const char good[] = "GET /check HTTP/1.1\r\nHost: x\r\n\r\n";
    struct http_answer answer;
    served_argument(&served, "--keepalive-timeout=1s");
    served_start(&served);
    int fd = http_connect(port());
    for (int i = 0; i < 3; i++) {
        assert_true(http_send(fd, good, strlen(good)));
        assert_true(http_read(fd, &answer, false));
        http_answer_clear(&answer);
    }
    assert_true(http_wait_closed(fd, 10000));
    (void)close(fd);
}

static void a_head_that_is_too_long(void **state)
{
    (void)state;
    struct http_answer answer;
    served_argument(&served, "--max-header-bytes=8192");
    served_start(&served);
    char *request = text_of("GET /check HTTP/1.1\r\nHost: x\r\nX-Long: %09000d\r\n\r\n", 0);
    int fd = http_connect(port());
    assert_true(fd >= 0);
    (void)http_send(fd, request, strlen(request));
    /* Whatever it says, it is no admission, and the connection ends. */
    if (http_read(fd, &answer, false))
        assert_in_range(answer.status, 400, 499);
    http_answer_clear(&answer);
    assert_true(http_wait_closed(fd, 10000));
    (void)close(fd);
    free(request);
    admit_one("after");
}

static void requests_that_are_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET /check\r\n\r\n",
        "GET /check HTTP/9.9\r\n\r\n",
        "GET /check HTTP/1.1\r\nno colon here\r\n\r\n",
        "GET /check HTTP/1.1\r\n: x\r\n\r\n",
        "POST /check HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        "POST /check HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST /check HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    };
    served_argument(&served, "--request-timeout=1s");
    served_start(&served);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct http_answer answer;
        int fd = http_connect(port());
        assert_true(fd >= 0);
        (void)http_send(fd, texts[i], strlen(texts[i]));
        if (http_read(fd, &answer, false) && (answer.status < 400 || answer.status > 599))
            fail_msg("%s: %u", texts[i], answer.status);
        http_answer_clear(&answer);
        (void)close(fd);
    }
    admit_one("after");
}

enum { CROWD = 1000 };

static void make_room_for_a_crowd(void)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 4 * CROWD) {
        limit.rlim_cur = limit.rlim_max;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    }
}

/* A thousand that send half a head and wait. */
static void a_thousand_slow_ones(void **state)
{
    (void)state;
    static const char half[] = "GET /check HTTP/1.1\r\nHost: x\r\n";
    static int fds[CROWD];
    make_room_for_a_crowd();
    served_argument(&served, "--request-timeout=4s");
    served_start(&served);
    for (int i = 0; i < CROWD; i++) {
        fds[i] = http_connect(port());
        assert_true(fds[i] >= 0);
        assert_true(http_send(fds[i], half, strlen(half)));
    }
    for (int i = 0; i < 50; i++) {
        char jti[16];
        (void)snprintf(jti, sizeof jti, "c%d", i);
        admit_one(jti);
    }
    assert_true(served_await_metric(&served, "jtiguard_connections_late_total", CROWD));
    for (int i = 0; i < CROWD; i++)
        (void)close(fds[i]);
}

/* More than there is room for wait their turn, and their turn comes. */
static void more_connections_than_allowed(void **state)
{
    (void)state;
    enum { MANY = 64 };
    static int fds[MANY];
    served_argument(&served, "--max-connections=16");
    served_argument(&served, "--threads=2");
    served_argument(&served, "--request-timeout=1s");
    served_start(&served);
    for (int i = 0; i < MANY; i++) {
        fds[i] = http_connect(port());
        assert_true(fds[i] >= 0);
    }
    admit_one("at last");
    for (int i = 0; i < MANY; i++)
        (void)close(fds[i]);
}

static void admin_is_served_whatever_the_others_do(void **state)
{
    (void)state;
    enum { MANY = 32 };
    static int fds[MANY];
    struct http_answer answer;
    served_argument(&served, "--max-connections=4");
    served_argument(&served, "--threads=2");
    served_start(&served);
    for (int i = 0; i < MANY; i++)
        fds[i] = http_connect(port());
    for (int i = 0; i < 10; i++) {
        assert_true(http_ask(service_port(served.service, HTTP_ADMIN),
                             "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", &answer));
        assert_int_equal(answer.status, 200);
        http_answer_clear(&answer);
    }
    for (int i = 0; i < MANY; i++)
        (void)close(fds[i]);
}

int main(void)
{
#define TEST_OF(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST_OF(a_request_that_never_comes_whole),
        TEST_OF(a_request_that_drips),
        TEST_OF(a_first_request_that_comes_late),
        TEST_OF(a_first_line_that_drips_and_a_head),
        TEST_OF(a_second_request_that_drips),
        TEST_OF(an_idle_connection_ends),
        TEST_OF(a_head_that_is_too_long),
        TEST_OF(requests_that_are_none),
        TEST_OF(a_thousand_slow_ones),
        TEST_OF(more_connections_than_allowed),
        TEST_OF(admin_is_served_whatever_the_others_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
