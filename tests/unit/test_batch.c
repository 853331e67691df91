/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/batch.h"
#include "redis/flow/blocking.h"
#include "redis/flow/counts.h"
#include "redis/line/deadline.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct jtgi_durability no_replicas = {0, 0, false};

static bool add_question(struct jtgi_batch *batch, const struct jtgi_question *question,
                         size_t *slot)
{
    struct jtgi_exchange exchange = {.question = *question};
    bool added = jtgi_batch_add(batch, &exchange);
    *slot = exchange.place;
    return added;
}

static void take(struct jtgi_batch *batch, size_t slot, struct jtgi_answer *answer)
{
    const struct jtgi_exchange exchange = {.answer = answer, .place = slot};
    jtgi_batch_take(batch, &exchange);
}

static size_t add(struct jtgi_batch *batch, const char *bytes)
{
    struct jtgi_question question = {.bytes = bytes, .len = strlen(bytes)};
    size_t slot = 99;
    assert_true(add_question(batch, &question, &slot));
    return slot;
}

static void seal(struct jtgi_batch *batch, uint64_t number)
{
    static struct jtgi_connection connection;
    connection.use.next_seal = number;
    jtgi_batch_finish(batch, NULL, &no_replicas, &connection, 0);
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
    jtgi_batch_remove(batch, 1, 1);
    seal(batch, UINT64_C(0x23456789abcdef01));
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
    jtgi_batch_remove(batch, 0, 1);
    jtgi_batch_remove(batch, 2, 1);
    assert_int_equal(batch->len, 2);
    assert_memory_equal(batch->bytes, "bb", 2);
    jtgi_batch_remove(batch, 1, 1);
    assert_int_equal(batch->len, 0);
    jtgi_batch_free(batch);
}

/* Those of one caller lie side by side, and go together. */
static void several_are_added_and_removed_together(void **state)
{
    static const char *const words[] = {"two", "three", "four"};
    struct jtgi_exchange exchanges[3];
    struct jtgi_batch *batch = jtgi_batch_new();
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        exchanges[i] =
            (struct jtgi_exchange){.question = {.bytes = words[i], .len = strlen(words[i])},
                                   .next = i < 2 ? &exchanges[i + 1] : NULL};
    (void)add(batch, "one");
    assert_true(jtgi_batch_add(batch, exchanges));
    assert_int_equal(exchanges[0].place, 1);
    assert_int_equal(add(batch, "five"), 4);
    assert_int_equal(batch->commands, 5);
    assert_memory_equal(batch->bytes, "onetwothreefourfive", 19);
    jtgi_batch_remove(batch, 1, 3);
    assert_int_equal(batch->commands, 2);
    assert_int_equal(batch->len, 7);
    assert_memory_equal(batch->bytes, "onefive", 7);
    assert_int_equal(batch->slots[4].offset, 3);
    assert_int_equal(add(batch, "six"), 5);
    jtgi_batch_remove(batch, 0, 1);
    assert_memory_equal(batch->bytes, "fivesix", 7);
    jtgi_batch_free(batch);
}

static void so_many_have_room_at_once(void **state)
{
    enum { MANY = 1024 };
    static struct jtgi_exchange exchanges[MANY];
    struct jtgi_batch *batch = jtgi_batch_new();
    (void)state;
    for (unsigned i = 0; i < MANY; i++)
        exchanges[i] = (struct jtgi_exchange){.question = {.bytes = "0123456789", .len = 10},
                                              .next = i + 1 < MANY ? &exchanges[i + 1] : NULL};
    (void)add(batch, "one");
    alloc_walk_fail_all();
    bool added = jtgi_batch_add(batch, exchanges);
    (void)alloc_walk_end();
    assert_false(added);
    assert_int_equal(batch->count, 1);
    assert_int_equal(batch->commands, 1);
    assert_int_equal(batch->len, 3);
    assert_true(jtgi_batch_add(batch, exchanges));
    assert_int_equal(batch->count, 1 + MANY);
    assert_int_equal(batch->len, 3 + 10 * MANY);
    jtgi_batch_remove(batch, 1, MANY);
    assert_int_equal(batch->len, 3);
    jtgi_batch_free(batch);
}

static void a_batch_grows_and_is_used_again(void **state)
{
    static char large[300000];
    struct jtgi_batch *batch = jtgi_batch_new();
    struct jtgi_question question = {.bytes = large, .len = sizeof large};
    size_t slot = 0;
    (void)state;
    memset(large, 'x', sizeof large);
    for (size_t i = 0; i < 200; i++)
        assert_int_equal(add(batch, "command"), i);
    assert_true(add_question(batch, &question, &slot));
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
    struct jtgi_question question = {.bytes = large, .len = sizeof large};
    size_t slot = 0;
    (void)state;
    (void)add(batch, "one");
    alloc_walk_fail_all();
    assert_false(add_question(batch, &question, &slot));
    seal(batch, 1);
    assert_true(alloc_walk_end());
    assert_int_equal(batch->count, 1);
    assert_memory_equal(batch->bytes, "one*2", 5);
    jtgi_batch_free(batch);
    for (unsigned nth = 1; nth <= 4; nth++) {
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
    jtgi_transport_init(&transport, ends[0], NULL, &jtgi_blocking);
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
    jtgi_batch_remove(batch, 1, 1);
    seal(batch, 0);
    say(server, ":1\r\n:");
    assert_false(
        jtgi_batch_receive(batch, &no_replicas, connection, jtgi_deadline_in_ms(10), &fault));
    assert_int_equal(fault.io, JTGI_IO_TIMEOUT);
    assert_null(atomic_load(&connection->broken));
    say(server, "2\r\n$16\r\n0000000000000000\r\n");
    assert_true(
        jtgi_batch_receive(batch, &no_replicas, connection, jtgi_deadline_in_ms(1000), &fault));
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
    seal(batch, 0);
    say(server, "+OK\r\n$16\r\n0000000000000001\r\n");
    assert_false(
        jtgi_batch_receive(batch, &no_replicas, connection, jtgi_deadline_in_ms(1000), &fault));
    assert_int_equal(fault.io, JTGI_IO_FAILED);
    assert_non_null(atomic_load(&connection->broken));
    jtgi_batch_free(batch);
    jtgi_connection_free(connection);
    (void)close(server);
}

/* The answer to ASKING is nobody's, and may be what a timeout came behind. */
static void asking_goes_right_before(void **state)
{
    static const char sent[] = "one\r\n*1\r\n$6\r\nASKING\r\ntwo\r\n*2\r\n$4\r\nPING";
    struct jtgi_question asked = {.bytes = "two\r\n", .len = 5, .asking = true};
    struct jtgi_answer answer = {.reply = NULL};
    struct jtgi_fault fault;
    int server = -1;
    size_t slot = 9;
    struct jtgi_connection *connection = connect_pair(&server);
    struct jtgi_batch *batch = jtgi_batch_new();
    (void)state;
    (void)add(batch, "one\r\n");
    assert_true(add_question(batch, &asked, &slot));
    seal(batch, 0);
    assert_memory_equal(batch->bytes, sent, sizeof sent - 1);
    say(server, ":1\r\n-ERR what is ASKING\r\n");
    assert_false(
        jtgi_batch_receive(batch, &no_replicas, connection, jtgi_deadline_in_ms(10), &fault));
    assert_int_equal(fault.io, JTGI_IO_TIMEOUT);
    say(server, ":2\r\n$16\r\n0000000000000000\r\n");
    assert_true(
        jtgi_batch_receive(batch, &no_replicas, connection, jtgi_deadline_in_ms(1000), &fault));
    take(batch, slot, &answer);
    assert_int_equal(answer.reply->integer, 2);
    assert_int_equal(answer.sight, JTGI_SIGHT_NONE);
    freeReplyObject(answer.reply);
    jtgi_batch_free(batch);
    jtgi_connection_free(connection);
    (void)close(server);
}

/* The first who reads has no time left behind WAIT's answer; the next goes on at the seal. */
static void a_receive_goes_on_behind_the_confirmation(void **state)
{
    static const struct jtgi_durability one_replica = {1, 10, false};
    static const char wait[] = "*3\r\n$4\r\nWAIT\r\n$1\r\n1\r\n$1\r\n1\r\n";
    struct jtgi_question question = {.bytes = "one\r\n", .len = 5, .writes = true};
    struct jtgi_answer answer = {.reply = NULL};
    struct jtgi_fault fault;
    int server = -1;
    size_t slot = 9;
    struct jtgi_connection *connection = connect_pair(&server);
    struct jtgi_batch *batch = jtgi_batch_new();
    (void)state;
    assert_true(add_question(batch, &question, &slot));
    batch->earliest_ns = 1000000; /* a millisecond: half of it is none, and WAIT 0 has no end */
    jtgi_batch_finish(batch, NULL, &one_replica, connection, 0);
    assert_memory_equal(batch->bytes + 5, wait, sizeof wait - 1);
    say(server, ":7\r\n:1\r\n");
    assert_false(
        jtgi_batch_receive(batch, &one_replica, connection, jtgi_deadline_in_ms(10), &fault));
    assert_int_equal(fault.io, JTGI_IO_TIMEOUT);
    say(server, "$16\r\n");
    assert_int_equal(send(server, batch->seal, sizeof batch->seal, 0), sizeof batch->seal);
    say(server, "\r\n");
    assert_true(
        jtgi_batch_receive(batch, &one_replica, connection, jtgi_deadline_in_ms(1000), &fault));
    take(batch, slot, &answer);
    assert_int_equal(answer.reply->integer, 7);
    assert_true(answer.confirmed);
    freeReplyObject(answer.reply);
    jtgi_batch_free(batch);
    jtgi_connection_free(connection);
    (void)close(server);
}

/* Everything that a batch can have, a reply at a time: each attempt goes on at the next part. */
static void a_receive_goes_on_at_each_part(void **state)
{
    static const struct {
        const char *reply;
        enum jtgi_part part; /* then */
        size_t at;
    } steps[] = {
        {"", JTGI_PART_COMMANDS, 0},         {":1\r\n", JTGI_PART_COMMANDS, 1},
        {":2\r\n", JTGI_PART_WAIT, 0},       {":1\r\n", JTGI_PART_LOOKS, 0},
        {"$1\r\nx\r\n", JTGI_PART_LOOKS, 1}, {"$1\r\ny\r\n", JTGI_PART_INFO, 0},
        {"$2\r\nab\r\n", JTGI_PART_SEAL, 0},
    };
    static const struct jtgi_durability one_replica = {1, 10, false};
    int server = -1;
    struct jtgi_fault fault;
    struct jtgi_connection *connection = connect_pair(&server);
    struct jtgi_batch *batch = jtgi_batch_new();
    (void)state;
    (void)add(batch, "a");
    (void)add(batch, "b");
    seal(batch, 0);
    batch->wait_ns = 1;
    batch->look_count = 2;
    memset(batch->looks, 0, 2 * sizeof *batch->looks);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        say(server, steps[i].reply);
        /* On a busy machine a millisecond may be over before a reply is read that is there. */
        for (unsigned tries = 0; tries < 1000; tries++) {
            assert_false(jtgi_batch_receive(batch, &one_replica, connection, jtgi_deadline_in_ms(1),
                                            &fault));
            assert_int_equal(fault.io, JTGI_IO_TIMEOUT);
            if (batch->part == steps[i].part && batch->at == steps[i].at)
                break;
        }
        assert_int_equal(batch->part, steps[i].part);
        assert_int_equal(batch->at, steps[i].at);
    }
    say(server, "$16\r\n0000000000000000\r\n");
    assert_true(
        jtgi_batch_receive(batch, &one_replica, connection, jtgi_deadline_in_ms(1000), &fault));
    assert_int_equal(batch->slots[1].reply->integer, 2);
    assert_int_equal(batch->looks[0].reply->str[0], 'x');
    assert_int_equal(batch->looks[1].reply->str[0], 'y');
    assert_memory_equal(batch->info->str, "ab", 2);
    assert_true(batch->confirmed);
    jtgi_batch_free(batch);
    jtgi_connection_free(connection);
    (void)close(server);
}

static void open_watch(struct jtgi_watch *watch, struct jtgi_redis_config *config)
{
    static char prefix[] = "p:";
    struct jtgi_counters *counters = jtgi_counters_new(JTGI_COUNTERS);
    assert_non_null(counters);
    memset(config, 0, sizeof *config);
    config->options.prefix = prefix;
    config->prefix_len = 2;
    config->slots = 1;
    config->clock = jtg_clock_system();
    assert_status(jtgi_watch_init(watch, config, counters, NULL), JTG_OK);
}

static void close_watch(struct jtgi_watch *watch)
{
    jtgi_counters_free(watch->counters);
    jtgi_watch_clear(watch, false);
}

/* What a server has said yes to is noted (reliance.h): one that was left and comes back holds less.
 * A bit that was taken is as much of a yes as a reservation. */
static void a_yes_is_told_from_a_no(void **state)
{
    static const struct {
        const char *reply;
        bool yes;
    } said[] = {
        {"+OK\r\n", true},        {":1\r\n", true},           {"$3\r\n0-1\r\n", true},
        {"$-1\r\n", false},       {":0\r\n", false},          {":-1\r\n", false},
        {"$3\r\n0-0\r\n", false}, {"-READONLY 1\r\n", false}, {"*2\r\n$1\r\nv\r\n:9\r\n", true}};
    int server = -1;
    struct jtgi_fault fault;
    struct jtgi_redis_config config;
    struct jtgi_watch watch;
    struct jtgi_connection *connection = connect_pair(&server);
    struct jtgi_question question = {.bytes = "a", .len = 1, .writes = true, .watched = true};
    (void)state;
    open_watch(&watch, &config);
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        size_t slot = 9;
        struct jtgi_batch *batch = jtgi_batch_new();
        assert_true(add_question(batch, &question, &slot));
        seal(batch, 0);
        batch->slots[slot].watched = true; /* as with a watch it would stay */
        batch->look_count = 1;
        memset(batch->looks, 0, sizeof *batch->looks);
        say(server, said[i].reply);
        while (batch->part == JTGI_PART_COMMANDS)
            assert_false(jtgi_batch_receive(batch, &no_replicas, connection, jtgi_deadline_in_ms(1),
                                            &fault));
        jtgi_batch_judge(batch, &watch, connection);
        assert_int_equal(batch->looks[0].yes, said[i].yes);
        jtgi_batch_free(batch);
    }
    close_watch(&watch);
    jtgi_connection_free(connection);
    (void)close(server);
}

static bool was_relied_on(struct jtgi_watch *watch, const struct jtgi_who *who)
{
    pthread_mutex_lock(&watch->reliance->lock);
    bool was = memcmp(&watch->reliance->relied[0].who, who, sizeof *who) == 0 &&
               watch->reliance->relied[0].last.monotonic_ms != JTGI_NEVER;
    pthread_mutex_unlock(&watch->reliance->lock);
    return was;
}

/* A value that was taken, at which nobody looks: the server was used. A value that was read is no
 * use of it. */
static void a_yes_nobody_looks_behind_is_noted(void **state)
{
    int server = -1;
    struct jtgi_fault fault;
    struct jtgi_redis_config config;
    struct jtgi_watch watch;
    struct jtgi_connection *connection = connect_pair(&server);
    (void)state;
    open_watch(&watch, &config);
    memset(connection->peer.who.bytes, 7, sizeof connection->peer.who.bytes);
    for (int writes = 0; writes < 2; writes++) {
        size_t slot = 9;
        struct jtgi_question question = {.bytes = "a", .len = 1, .writes = writes != 0};
        struct jtgi_batch *batch = jtgi_batch_new();
        assert_true(add_question(batch, &question, &slot));
        seal(batch, 0);
        say(server, "*2\r\n$1\r\nv\r\n:9\r\n");
        while (batch->part == JTGI_PART_COMMANDS)
            assert_false(jtgi_batch_receive(batch, &no_replicas, connection, jtgi_deadline_in_ms(1),
                                            &fault));
        jtgi_batch_judge(batch, NULL, connection); /* without continuity: nothing to note it in */
        assert_false(was_relied_on(&watch, &connection->peer.who));
        jtgi_batch_judge(batch, &watch, connection);
        assert_int_equal(was_relied_on(&watch, &connection->peer.who), writes != 0);
        jtgi_batch_free(batch);
    }
    close_watch(&watch);
    jtgi_connection_free(connection);
    (void)close(server);
}

/* One that gave up leaves nothing of its ASKING behind. */
static void asking_goes_with_its_command(void **state)
{
    struct jtgi_question asked = {.bytes = "two", .len = 3, .asking = true};
    size_t slot = 9;
    struct jtgi_batch *batch = jtgi_batch_new();
    (void)state;
    (void)add(batch, "one");
    assert_true(add_question(batch, &asked, &slot));
    (void)add(batch, "three");
    jtgi_batch_remove(batch, slot, 1);
    assert_int_equal(batch->len, 8);
    assert_memory_equal(batch->bytes, "onethree", 8);
    jtgi_batch_free(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_stand_in_a_row),
        cmocka_unit_test(what_stands_behind_a_removed_command_moves),
        cmocka_unit_test(several_are_added_and_removed_together),
        cmocka_unit_test(so_many_have_room_at_once),
        cmocka_unit_test(a_batch_grows_and_is_used_again),
        cmocka_unit_test(out_of_memory_changes_nothing),
        cmocka_unit_test(a_receive_goes_on_after_a_timeout),
        cmocka_unit_test(another_seal_breaks_the_connection),
        cmocka_unit_test(asking_goes_right_before),
        cmocka_unit_test(a_yes_is_told_from_a_no),
        cmocka_unit_test(a_yes_nobody_looks_behind_is_noted),
        cmocka_unit_test(asking_goes_with_its_command),
        cmocka_unit_test(a_receive_goes_on_behind_the_confirmation),
        cmocka_unit_test(a_receive_goes_on_at_each_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
