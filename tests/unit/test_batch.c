/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/batch.h"
#include "redis/deadline.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t add(struct jtgi_batch *batch, const char *bytes)
{
    size_t slot = 99;
    assert_true(jtgi_batch_add(batch, bytes, strlen(bytes), &slot));
    return slot;
}

static void commands_stand_in_a_row(void **state)
{
    static const char sealed[] = "one\r\nthree\r\n*2\r\n$4\r\nPING\r\n$16\r\n10fedcba98765432\r\n";
    struct jtgi_batch *batch = jtgi_batch_new();
    (void)state;
    assert_non_null(batch);
    assert_int_equal(add(batch, "one\r\n"), 0);
    assert_int_equal(add(batch, "two\r\n"), 1);
    assert_int_equal(add(batch, "three\r\n"), 2);
    jtgi_batch_remove(batch, 1);
    jtgi_batch_seal(batch, UINT64_C(0x23456789abcdef01));
    assert_int_equal(batch->len, sizeof sealed - 1);
    assert_memory_equal(batch->bytes, sealed, sizeof sealed - 1);
    jtgi_batch_free(batch);
}

static void what_stands_behind_a_removed_command_moves(void **state)
{
    struct jtgi_batch *batch = jtgi_batch_new();
    (void)state;
    (void)add(batch, "aaa");
    (void)add(batch, "bb");
    (void)add(batch, "c");
    jtgi_batch_remove(batch, 0);
    jtgi_batch_remove(batch, 2);
    assert_int_equal(batch->len, 2);
    assert_memory_equal(batch->bytes, "bb", 2);
    jtgi_batch_remove(batch, 1);
    assert_int_equal(batch->len, 0);
    jtgi_batch_free(batch);
}

static void a_batch_grows_and_is_used_again(void **state)
{
    static char large[300000];
    struct jtgi_batch *batch = jtgi_batch_new();
    size_t slot = 0;
    (void)state;
    memset(large, 'x', sizeof large);
    for (size_t i = 0; i < 200; i++)
        assert_int_equal(add(batch, "command"), i);
    assert_true(jtgi_batch_add(batch, large, sizeof large, &slot));
    assert_int_equal(slot, 200);
    assert_memory_equal(batch->bytes + 200 * 7, large, sizeof large);
    jtgi_batch_reset(batch);
    assert_int_equal(batch->count, 0);
    assert_int_equal(batch->len, 0);
    assert_true(batch->capacity < sizeof large); /* large values are not kept room for */
    assert_int_equal(add(batch, "again"), 0);
    jtgi_batch_free(batch);
}

/* A batch that could not take a command is as it was, and its seal still fits. */
static void out_of_memory_changes_nothing(void **state)
{
    static const char large[8192];
    struct jtgi_batch *batch = jtgi_batch_new();
    size_t slot = 0;
    (void)state;
    (void)add(batch, "one");
    alloc_walk_fail_all();
    assert_false(jtgi_batch_add(batch, large, sizeof large, &slot));
    jtgi_batch_seal(batch, 1);
    assert_true(alloc_walk_end());
    assert_int_equal(batch->count, 1);
    assert_memory_equal(batch->bytes, "one*2", 5);
    jtgi_batch_free(batch);
    for (unsigned nth = 1; nth <= 3; nth++) {
        alloc_walk_fail_nth(nth);
        assert_null(jtgi_batch_new());
        assert_true(alloc_walk_end());
    }
}

static struct jtgi_connection *connect_pair(int *other)
{
    int ends[2];
    struct jtgi_transport transport;
    struct jtgi_connection *connection = NULL;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    jtgi_transport_init(&transport, ends[0], NULL);
    assert_status(jtgi_connection_new(&connection, &transport, NULL), JTG_OK);
    *other = ends[1];
    return connection;
}

static void say(int fd, const char *bytes)
{
    assert_int_equal(send(fd, bytes, strlen(bytes), 0), (ssize_t)strlen(bytes));
}

/* What a timeout interrupted is taken up where it stopped. */
static void a_receive_goes_on_after_a_timeout(void **state)
{
    int server = -1;
    struct jtgi_fault fault;
    struct jtgi_connection *connection = connect_pair(&server);
    struct jtgi_batch *batch = jtgi_batch_new();
    (void)state;
    (void)add(batch, "a");
    (void)add(batch, "gone");
    (void)add(batch, "b");
    jtgi_batch_remove(batch, 1);
    jtgi_batch_seal(batch, 0);
    say(server, ":1\r\n:");
    assert_false(jtgi_batch_receive(batch, connection, jtgi_deadline_in_ms(10), &fault));
    assert_int_equal(fault.io, JTGI_IO_TIMEOUT);
    assert_false(atomic_load(&connection->broken));
    say(server, "2\r\n$16\r\n0000000000000000\r\n");
    assert_true(jtgi_batch_receive(batch, connection, jtgi_deadline_in_ms(1000), &fault));
    assert_int_equal(batch->slots[0].reply->integer, 1);
    assert_null(batch->slots[1].reply);
    assert_int_equal(batch->slots[2].reply->integer, 2);
    assert_true(jtgi_connection_is_empty(connection));
    jtgi_batch_free(batch);
    jtgi_connection_free(connection);
    (void)close(server);
}

static void another_seal_breaks_the_connection(void **state)
{
    int server = -1;
    struct jtgi_fault fault;
    struct jtgi_connection *connection = connect_pair(&server);
    struct jtgi_batch *batch = jtgi_batch_new();
    (void)state;
    (void)add(batch, "a");
    jtgi_batch_seal(batch, 0);
    say(server, "+OK\r\n$16\r\n0000000000000001\r\n");
    assert_false(jtgi_batch_receive(batch, connection, jtgi_deadline_in_ms(1000), &fault));
    assert_int_equal(fault.io, JTGI_IO_FAILED);
    assert_true(atomic_load(&connection->broken));
    jtgi_batch_free(batch);
    jtgi_connection_free(connection);
    (void)close(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_stand_in_a_row),
        cmocka_unit_test(what_stands_behind_a_removed_command_moves),
        cmocka_unit_test(a_batch_grows_and_is_used_again),
        cmocka_unit_test(out_of_memory_changes_nothing),
        cmocka_unit_test(a_receive_goes_on_after_a_timeout),
        cmocka_unit_test(another_seal_breaks_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
