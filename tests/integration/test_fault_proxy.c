/* SPDX-License-Identifier: Apache-2.0 */
/* The fault proxy does each thing that it is told to, to a server that sends back what it gets. */
#include "integration/proxy_control.h"
#include "support/asserts.h"
#include "support/history.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS_NS UINT64_C(1000000)

/* Long enough for any machine; only a failing test waits so long. */
enum { PATIENCE_MS = 20000 };

static struct proxy_control proxy;
static int listener;
static pthread_t echo_thread;

static struct sockaddr_in address_of(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* One connection after the other, each until its end; ends when the listener is shut. */
static void *echo(void *context)
{
    (void)context;
    for (int client; (client = accept(listener, NULL, NULL)) >= 0; close(client)) {
        char data[4096];
        for (ssize_t len; (len = recv(client, data, sizeof data, 0)) > 0;)
            if (send(client, data, (size_t)len, MSG_NOSIGNAL) != len)
                break;
    }
    return NULL;
}

static int start(void **state)
{
    (void)state;
    struct sockaddr_in address = address_of(0);
    socklen_t len = sizeof address;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 16), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(pthread_create(&echo_thread, NULL, echo, NULL), 0);
    proxy_start(&proxy, "127.0.0.1", ntohs(address.sin_port));
    return 0;
}

static int halt(void **state)
{
    (void)state;
    proxy_stop(&proxy);
    shutdown(listener, SHUT_RDWR);
    pthread_join(echo_thread, NULL);
    close(listener);
    return 0;
}

static int try_connect(void)
{
    struct sockaddr_in address = address_of(proxy.port);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(client >= 0);
    if (connect(client, (struct sockaddr *)&address, sizeof address) == 0)
        return client;
    close(client);
    return -1;
}

static int connect_through(void)
{
    int client = try_connect();
    assert_true(client >= 0);
    return client;
}

static void say(int client, const char *text)
{
    assert_int_equal(send(client, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static bool readable_within(int client, int ms)
{
    struct pollfd fd = {client, POLLIN, 0};
    return poll(&fd, 1, ms) == 1;
}

/* Reads up to len bytes; returns how many came before the end, -1 for a reset. */
static ssize_t hear(int client, char *data, size_t len)
{
    size_t have = 0;
    while (have < len) {
        assert_true(readable_within(client, PATIENCE_MS));
        ssize_t got = recv(client, data + have, len - have, 0);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

static void hear_text(int client, const char *expected)
{
    char data[256] = {0};
    assert_int_equal(hear(client, data, strlen(expected)), strlen(expected));
    assert_string_equal(data, expected);
}

/* How long it takes to get a text back. */
static uint64_t round_trip_ms(int client, const char *text)
{
    uint64_t start_ns = history_now_ns();
    say(client, text);
    hear_text(client, text);
    return (history_now_ns() - start_ns) / MS_NS;
}

static void it_passes(void **state)
{
    (void)state;
    int client = connect_through();
    round_trip_ms(client, "one");
    round_trip_ms(client, "two");
    assert_int_equal(shutdown(client, SHUT_WR), 0);
    char data[4];
    assert_int_equal(hear(client, data, sizeof data), 0); /* an end is passed on, and back */
    close(client);
}

static void latency_delays_each_direction(void **state)
{
    (void)state;
    int client = connect_through();
    proxy_order(&proxy, "latency 60 both");
    assert_true(round_trip_ms(client, "slow") >= 120);
    proxy_order(&proxy, "latency 60 20 down");
    assert_in_range(round_trip_ms(client, "slow"), 60, PATIENCE_MS);
    proxy_order(&proxy, "pass");
    assert_true(round_trip_ms(client, "fast") < 60);
    close(client);
}

static void a_hole_holds_back_and_delivers_late(void **state)
{
    (void)state;
    int client = connect_through();
    proxy_order(&proxy, "hole down");
    say(client, "lost?");
    assert_false(readable_within(client, 100));
    proxy_order(&proxy, "pass");
    hear_text(client, "lost?");
    close(client);
}

static void an_end_inside_a_hole_is_heard_after_it(void **state)
{
    (void)state;
    int client = connect_through();
    proxy_order(&proxy, "hole");
    assert_int_equal(shutdown(client, SHUT_WR), 0);
    assert_false(readable_within(client, 100));
    proxy_order(&proxy, "pass");
    char data[4];
    assert_int_equal(hear(client, data, sizeof data), 0);
    close(client);
}

static void bandwidth_is_limited(void **state)
{
    (void)state;
    int client = connect_through();
    proxy_order(&proxy, "bandwidth 1000 down");
    assert_in_range(round_trip_ms(client,
                                  "a hundred and more bytes take more than a tenth of a "
                                  "second at one thousand bytes a second, as they do here."),
                    80, PATIENCE_MS);
    close(client);
}

static void the_slicer_cuts(void **state)
{
    (void)state;
    int client = connect_through();
    proxy_order(&proxy, "slicer 1 down");
    say(client, "sliced");
    char data[8];
    assert_true(readable_within(client, PATIENCE_MS));
    assert_in_range(recv(client, data, sizeof data, 0), 1, 5);
    close(client);
}

static void the_limit_closes(void **state)
{
    (void)state;
    int client = connect_through();
    char data[16];
    proxy_order(&proxy, "limit 4 down");
    say(client, "123456");
    assert_in_range(hear(client, data, sizeof data) + 1, 0,
                    5); /* an end, or a reset by what is left */
    close(client);
}

static void reset_resets_and_does_so_once(void **state)
{
    (void)state;
    int client = connect_through();
    round_trip_ms(client, "there");
    proxy_order(&proxy, "reset");
    char data[4];
    assert_int_equal(hear(client, data, sizeof data), -1);
    assert_int_equal(errno, ECONNRESET);
    close(client);
    client = connect_through();
    round_trip_ms(client, "again");
    close(client);
}

static void refuse_refuses_and_keeps_what_is_open(void **state)
{
    (void)state;
    int client = connect_through();
    round_trip_ms(client, "open");
    proxy_order(&proxy, "refuse");
    assert_int_equal(try_connect(), -1);
    assert_int_equal(errno, ECONNREFUSED);
    round_trip_ms(client, "still open");
    close(client);
    proxy_order(&proxy, "pass");
    client = connect_through();
    round_trip_ms(client, "back");
    close(client);
}

static void slow_close_keeps_the_other_side_waiting(void **state)
{
    (void)state;
    int client = connect_through();
    proxy_order(&proxy, "slowclose 60");
    uint64_t start_ns = history_now_ns();
    assert_int_equal(shutdown(client, SHUT_WR), 0);
    char data[4];
    assert_int_equal(hear(client, data, sizeof data), 0);
    assert_true(history_now_ns() - start_ns >= 120 * MS_NS); /* there and back */
    close(client);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {"",
                                        "latency",
                                        "latency x",
                                        "hole sideways",
                                        "pass 1",
                                        "limit -1",
                                        "reset up up",
                                        "random",
                                        "random 1 0",
                                        "latency 1 2 3",
                                        "slicer 1 both both both"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char said[64];
        fprintf(proxy.orders, "%s\n", lines[i]);
        fflush(proxy.orders);
        assert_non_null(fgets(said, sizeof said, proxy.answers));
        assert_string_equal(said, "error\n");
    }
}

/* How many kinds of faults the proxy has set so far. */
static unsigned kinds_set(void)
{
    char stats[300];
    unsigned kinds = 0;
    proxy_stats(&proxy, stats, sizeof stats);
    const char *place = strstr(stats, " pass=");
    assert_non_null(place);
    for (; (place = strchr(place, '=')) != NULL; place++)
        kinds += place[1] != '0';
    return kinds;
}

static void random_mode_sets_every_fault(void **state)
{
    (void)state;
    enum { KINDS = 9 };
    uint64_t start_ns = history_now_ns();
    proxy_order(&proxy, "random 7 1");
    while (kinds_set() < KINDS)
        assert_true(history_now_ns() - start_ns < PATIENCE_MS * MS_NS);
    proxy_order(&proxy, "pass");
    int client = connect_through();
    round_trip_ms(client, "over");
    close(client);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, halt)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_passes),
        CASE(latency_delays_each_direction),
        CASE(a_hole_holds_back_and_delivers_late),
        CASE(an_end_inside_a_hole_is_heard_after_it),
        CASE(bandwidth_is_limited),
        CASE(the_slicer_cuts),
        CASE(the_limit_closes),
        CASE(reset_resets_and_does_so_once),
        CASE(refuse_refuses_and_keeps_what_is_open),
        CASE(slow_close_keeps_the_other_side_waiting),
        CASE(nonsense_is_refused),
        CASE(random_mode_sets_every_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
