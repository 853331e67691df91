/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/usage.h"

#include "redis/flow/blocking.h"
#include "redis/line/deadline.h"
#include "support/asserts.h"

#include <sys/socket.h>
#include <unistd.h>

static int theirs;
static struct jtgi_connection *connection;
static struct jtgi_batch *batch;

static int open_line(void **state)
{
    struct jtgi_transport transport;
    int ends[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    theirs = ends[1];
    jtgi_transport_init(&transport, ends[0], NULL, &jtgi_blocking);
    assert_status(jtgi_connection_new(&connection, &transport, NULL), JTG_OK);
    connection->use.used_ns = JTGI_NS_PER_S;
    connection->use.gains = 7;
    batch = jtgi_batch_new();
    assert_non_null(batch);
    return 0;
}

static int close_line(void **state)
{
    (void)state;
    jtgi_batch_free(batch);
    jtgi_connection_free(connection);
    (void)close(theirs);
    return 0;
}

/* One in use is not looked at, nor one on which something flies. */
static void an_idle_one_is_looked_at(void **state)
{
    int64_t used_ns = connection->use.used_ns;
    (void)state;
    assert_true(jtgi_usage_is_sound(connection, true, 7, used_ns + JTGI_NS_PER_S));
    assert_false(jtgi_usage_is_sound(connection, true, 8, used_ns));
    assert_int_equal(send(theirs, "x", 1, 0), 1);
    assert_true(jtgi_usage_is_sound(connection, true, 7, used_ns + 1));
    assert_true(jtgi_usage_is_sound(connection, false, 7, used_ns + JTGI_NS_PER_S));
    assert_false(jtgi_usage_is_sound(connection, true, 7, used_ns + JTGI_NS_PER_S));
    jtgi_connection_break(connection, "a test");
    assert_false(jtgi_usage_is_sound(connection, true, 7, used_ns));
}

static void one_that_was_idle_for_long_is_in_doubt_for_half_of_the_time(void **state)
{
    int64_t now_ns = connection->use.used_ns + JTGI_NS_PER_S;
    (void)state;
    batch->earliest_ns = now_ns + 100;
    assert_true(jtgi_usage_doubt(batch, connection, true, now_ns) == now_ns + 50);
    assert_true(jtgi_usage_doubt(batch, connection, false, now_ns) == 0);
    assert_true(jtgi_usage_doubt(batch, connection, true, now_ns - 1) == 0);
    batch->wait_ns = 20; /* replicas may take that */
    assert_true(jtgi_usage_doubt(batch, connection, true, now_ns) == now_ns + 60);
    batch->repeatable = false;
    assert_true(jtgi_usage_doubt(batch, connection, true, now_ns) == 0);
}

static void a_byte_is_no_silence(void **state)
{
    (void)state;
    assert_true(jtgi_usage_is_silent(batch, connection));
    connection->unparsed = 1;
    assert_false(jtgi_usage_is_silent(batch, connection));
    connection->unparsed = 0;
    batch->at = 1;
    assert_false(jtgi_usage_is_silent(batch, connection));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_line, close_line)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_idle_one_is_looked_at),
        TEST(one_that_was_idle_for_long_is_in_doubt_for_half_of_the_time),
        TEST(a_byte_is_no_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
