/* SPDX-License-Identifier: Apache-2.0 */
/* The connection of a loop and what flies on it. The test is the server at the other end. */
#include "redis/loop/lane.h"

#include "redis/ask/store.h"
#include "redis/line/deadline.h"
#include "support/asserts.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static jtg_cache *cache;
static struct jtgi_bell bell;
static struct jtgi_lane lane;
static int theirs;
static struct jtgi_answer answer;

static int open_lane(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    struct jtgi_transport transport;
    struct jtgi_connection *connection = NULL;
    int ends[2];
    (void)state;
    options.continuity = 0;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    assert_status(jtgi_bell_init(&bell, NULL), JTG_OK);
    jtgi_lane_init(&lane, ((struct jtgi_redis *)(void *)cache)->route.nodes.list[0], &bell);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    theirs = ends[1];
    jtgi_transport_init(&transport, ends[0], NULL, &bell.waiter);
    assert_status(jtgi_connection_new(&connection, &transport, NULL), JTG_OK);
    jtgi_lane_take(&lane, connection, jtgi_now_ns(), 0);
    return 0;
}

static int close_lane(void **state)
{
    (void)state;
    jtgi_lane_clear(&lane);
    jtgi_bell_clear(&bell);
    jtg_cache_free(cache);
    (void)close(theirs);
    return 0;
}

static void fly(void)
{
    struct jtgi_exchange exchange = {.question = {.bytes = "*1\r\n$3\r\nASK\r\n", .len = 13},
                                     .answer = &answer};
    struct jtgi_lane_flight *flight = jtgi_lane_open(&lane);
    assert_non_null(flight);
    assert_true(jtgi_batch_add(flight->batch, &exchange));
    jtgi_lane_depart(&lane, flight, jtgi_now_ns());
}

/* Answers all that has come, seal by seal; cut: without the last byte. */
static void answer_flights(bool cut)
{
    char bytes[4096];
    struct jtgi_fault fault;
    assert_true(jtgi_lane_send(&lane, &fault));
    ssize_t got = recv(theirs, bytes, sizeof bytes - 1, MSG_DONTWAIT);
    assert_true(got > 0);
    bytes[got] = '\0';
    for (const char *at = bytes; (at = strstr(at, "PING\r\n$16\r\n")) != NULL;) {
        char reply[64] = "+OK\r\n$16\r\n";
        at += strlen("PING\r\n$16\r\n");
        memcpy(reply + 10, at, 18);
        size_t len = cut ? 27 : 28;
        assert_int_equal(send(theirs, reply, len, 0), len);
    }
}

static void flights_come_home_in_their_order(void **state)
{
    struct jtgi_fault fault;
    (void)state;
    fly();
    fly();
    assert_null(jtgi_lane_receive(&lane, &fault));
    assert_int_equal(fault.io, JTGI_IO_LATER);
    answer_flights(false);
    for (unsigned left = 2; left > 0; left--) {
        assert_ptr_equal(jtgi_lane_receive(&lane, &fault), jtgi_lane_first(&lane));
        jtgi_lane_land(&lane, false);
        assert_int_equal(lane.count, left - 1);
    }
    assert_true(jtgi_lane_is_fit(&lane, jtgi_now_ns()));
}

static void half_an_answer_is_none(void **state)
{
    struct jtgi_fault fault;
    (void)state;
    fly();
    answer_flights(true);
    assert_null(jtgi_lane_receive(&lane, &fault));
    assert_int_equal(fault.io, JTGI_IO_LATER);
    assert_int_equal(send(theirs, "\n", 1, 0), 1);
    assert_non_null(jtgi_lane_receive(&lane, &fault));
    jtgi_lane_land(&lane, true); /* it was odd: nothing more goes out */
    assert_null(lane.connection);
}

static void a_line_that_ends_is_lost(void **state)
{
    struct jtgi_fault fault;
    (void)state;
    fly();
    assert_true(jtgi_lane_send(&lane, &fault));
    assert_int_equal(shutdown(theirs, SHUT_RDWR), 0);
    assert_null(jtgi_lane_receive(&lane, &fault));
    assert_int_equal(fault.io, JTGI_IO_CLOSED);
    assert_true(fault.ended);
    jtgi_lane_drop(&lane);
    jtgi_lane_let_go(&lane);
    assert_null(lane.connection);
}

static void there_is_room_for_some(void **state)
{
    (void)state;
    for (unsigned i = 0; i < JTGI_LANE_FLIGHTS; i++) {
        assert_true(jtgi_lane_has_room(&lane));
        fly();
    }
    assert_false(jtgi_lane_has_room(&lane));
    lane.durability.replicas = 1; /* what goes out behind a WAIT grows old there */
    lane.count = 1;
    assert_false(jtgi_lane_has_room(&lane));
}

/* More than the line takes: both directions are waited for, and the rest leaves later. */
static void what_does_not_fit_leaves_later(void **state)
{
    static char much[1 << 20];
    static char got[1 << 16];
    struct jtgi_fault fault;
    struct jtgi_exchange exchange = {.question = {.bytes = much, .len = sizeof much},
                                     .answer = &answer};
    struct jtgi_lane_flight *flight = jtgi_lane_open(&lane);
    size_t total = 0;
    (void)state;
    assert_true(jtgi_batch_add(flight->batch, &exchange));
    jtgi_lane_depart(&lane, flight, jtgi_now_ns());
    assert_true(jtgi_lane_send(&lane, &fault));
    assert_true(flight->sent > 0 && flight->sent < flight->batch->len);
    assert_true(bell.also_wanted != 0);
    while (total < flight->batch->len) {
        ssize_t count = recv(theirs, got, sizeof got, MSG_DONTWAIT);
        total += count > 0 ? (size_t)count : 0;
        assert_true(jtgi_lane_send(&lane, &fault));
    }
    assert_true(flight->sent == flight->batch->len && bell.also_wanted == 0);
}

/* Else the next line, which can be written to while its answers are waited for, would ring on. */
static void what_is_let_go_of_is_wished_for_no_more(void **state)
{
    static char much[1 << 20];
    struct jtgi_fault fault;
    struct jtgi_exchange exchange = {.question = {.bytes = much, .len = sizeof much},
                                     .answer = &answer};
    struct jtgi_lane_flight *flight = jtgi_lane_open(&lane);
    (void)state;
    assert_true(jtgi_batch_add(flight->batch, &exchange));
    jtgi_lane_depart(&lane, flight, jtgi_now_ns());
    assert_true(jtgi_lane_send(&lane, &fault));
    assert_true(bell.also_wanted != 0);
    jtgi_lane_drop(&lane);
    jtgi_lane_let_go(&lane);
    assert_int_equal(bell.also_wanted, 0);
}

static void one_in_doubt_is_given_up_when_nothing_comes(void **state)
{
    (void)state;
    fly();
    assert_true(jtgi_lane_doubt_ns(&lane) == INT64_MAX);
    jtgi_lane_first(&lane)->batch->doubt_ns = 5;
    assert_true(jtgi_lane_doubt_ns(&lane) == 5);
    jtgi_lane_first(&lane)->batch->repeatable = true;
    assert_true(jtgi_lane_gives_up(&lane));
    jtgi_lane_first(&lane)->batch->repeatable = false;
    assert_false(jtgi_lane_gives_up(&lane));
    assert_true(jtgi_lane_doubt_ns(&lane) == INT64_MAX); /* it is asked once */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_lane, close_lane)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(flights_come_home_in_their_order),
        TEST(half_an_answer_is_none),
        TEST(a_line_that_ends_is_lost),
        TEST(there_is_room_for_some),
        TEST(what_does_not_fit_leaves_later),
        TEST(what_is_let_go_of_is_wished_for_no_more),
        TEST(one_in_doubt_is_given_up_when_nothing_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
