/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/blocking.h"
#include "redis/line/connection.h"
#include "redis/line/deadline.h"
#include "redis/say/slots/slot_map.h"
#include "support/asserts.h"
#include "support/threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 30000, SHORT_MS = 20 };

struct pair {
    struct jtgi_connection *connection;
    int theirs;
    const char *wire; /* what they say */
    size_t len;
};

static void open_pair(struct pair *pair)
{
    int ends[2];
    struct jtgi_transport transport;
    memset(pair, 0, sizeof *pair);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    jtgi_transport_init(&transport, ends[0], NULL, &jtgi_blocking);
    assert_status(jtgi_connection_new(&pair->connection, &transport, NULL), JTG_OK);
    pair->theirs = ends[1];
}

static void close_pair(struct pair *pair)
{
    jtgi_connection_free(pair->connection);
    (void)close(pair->theirs);
}

/* More than a socket holds, so it needs a thread. It ends early when nobody reads any more. */
static void say(void *context, unsigned number)
{
    const struct pair *pair = context;
    size_t said = 0;
    (void)number;
    while (said < pair->len) {
        ssize_t count = send(pair->theirs, pair->wire + said, pair->len - said, MSG_NOSIGNAL);
        if (count <= 0)
            return;
        said += (size_t)count;
    }
}

static void say_all(struct pair *pair, const char *wire)
{
    pair->wire = wire;
    pair->len = strlen(wire);
    say(pair, 0);
}

/* What a taker was given. */
struct taken {
    unsigned count;
    long long numbers[8];
};

static void take_number(void *context, const redisReply *element)
{
    struct taken *taken = context;
    const redisReply *number = element->type == REDIS_REPLY_ARRAY ? element->element[0] : element;
    if (taken->count < 8)
        taken->numbers[taken->count] = number->integer;
    taken->count++;
}

static redisReply *receive_each(struct pair *pair, struct taken *taken, uint32_t timeout_ms,
                                struct jtgi_fault *fault)
{
    struct jtgi_taker taker = {take_number, taken};
    memset(taken, 0, sizeof *taken);
    return jtgi_connection_receive_each(pair->connection, &taker, jtgi_deadline_in_ms(timeout_ms),
                                        fault);
}

static void elements_are_taken_in_turn(void **state)
{
    struct pair pair;
    struct taken taken;
    struct jtgi_fault fault;
    (void)state;
    open_pair(&pair);
    say_all(&pair, "*5\r\n:1\r\n*1\r\n:2\r\n*2\r\n:3\r\n*1\r\n:9\r\n:4\r\n*1\r\n:5\r\n+OK\r\n");
    redisReply *reply = receive_each(&pair, &taken, PATIENCE_MS, &fault);
    assert_non_null(reply);
    assert_int_equal(taken.count, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(taken.numbers[i], i + 1);
        assert_null(reply->element[i]);
    }
    freeReplyObject(reply);
    reply = jtgi_connection_receive(pair.connection, jtgi_deadline_in_ms(PATIENCE_MS), &fault);
    assert_true(reply != NULL && jtgi_reply_is_ok(reply)); /* the next one is whole again */
    freeReplyObject(reply);
    close_pair(&pair);
}

static void what_is_no_array_has_none(void **state)
{
    static const char *const replies[] = {"-NOPERM x\r\n", "+OK\r\n", "*0\r\n", "*-1\r\n",
                                          ":1\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        struct pair pair;
        struct taken taken;
        struct jtgi_fault fault;
        open_pair(&pair);
        say_all(&pair, replies[i]);
        redisReply *reply = receive_each(&pair, &taken, PATIENCE_MS, &fault);
        assert_non_null(reply);
        assert_int_equal(taken.count, 0);
        freeReplyObject(reply);
        close_pair(&pair);
    }
}

/* The half that has come is nobody's: a later reply must not be read behind it. */
static void a_part_of_an_array_is_none(void **state)
{
    struct pair pair;
    struct taken taken;
    struct jtgi_fault fault;
    (void)state;
    open_pair(&pair);
    say_all(&pair, "*3\r\n*1\r\n:1\r\n*1\r\n:2\r\n*1\r\n");
    assert_null(receive_each(&pair, &taken, SHORT_MS, &fault));
    assert_int_equal(fault.io, JTGI_IO_TIMEOUT);
    assert_int_equal(taken.count, 2);
    assert_string_equal(atomic_load(&pair.connection->broken), fault.text);
    close_pair(&pair);
}

static char *make_text(size_t size)
{
    char *text = malloc(size);
    assert_non_null(text);
    return text;
}

/* Each element has the bound that a reply has. */
static void an_element_has_a_limit(void **state)
{
    size_t size = JTGI_REPLY_BYTES_MAX + 65536;
    char *wire = make_text(size);
    struct pair pair;
    struct taken taken;
    struct jtgi_fault fault;
    (void)state;
    memset(wire, 'x', size);
    int head = snprintf(wire, size, "*1\r\n*2\r\n:1\r\n$%zu\r\n", size);
    wire[head] = 'x';
    open_pair(&pair);
    pair.wire = wire;
    pair.len = size;
    struct threads *speaker = threads_start(1, say, &pair);
    assert_null(receive_each(&pair, &taken, PATIENCE_MS, &fault));
    assert_string_equal(fault.text, "the server's answer is too large");
    threads_join(speaker);
    close_pair(&pair);
    free(wire);
}

/* ---- given up ---- */

struct waiting {
    struct pair *pair;
    struct jtgi_fault fault;
};

static void wait_for_a_reply(void *context, unsigned number)
{
    struct waiting *waiting = context;
    (void)number;
    assert_null(jtgi_connection_receive(waiting->pair->connection, jtgi_deadline_in_ms(PATIENCE_MS),
                                        &waiting->fault));
}

/* It looks to him as if the server had closed it, and a log that said so would blame the wrong one.
 * Nor may he believe that the server is done with what it was sent. */
static void who_waits_is_told_why_another_gave_up(void **state)
{
    static const char why[] = "the server did not answer in time";
    struct pair pair;
    (void)state;
    open_pair(&pair);
    struct waiting waiting = {&pair, {0}};
    struct threads *waiter = threads_start(1, wait_for_a_reply, &waiting);
    jtgi_connection_break(pair.connection, why);
    jtgi_connection_break(pair.connection, "a later reason");
    threads_join(waiter);
    assert_string_equal(waiting.fault.text, why);
    assert_false(waiting.fault.ended);
    assert_int_equal(waiting.fault.cause, 0);
    close_pair(&pair);
}

static void a_server_that_closes_is_named(void **state)
{
    struct pair pair;
    (void)state;
    open_pair(&pair);
    struct waiting waiting = {&pair, {0}};
    (void)shutdown(pair.theirs, SHUT_RDWR);
    wait_for_a_reply(&waiting, 0);
    assert_string_equal(waiting.fault.text, "the server closed the connection");
    assert_true(waiting.fault.ended);
    close_pair(&pair);
}

/* ---- the map of a Cluster whose slots lie as badly as they can ---- */

#define NAME "redis-cluster-0.redis-cluster-headless.namespace.svc.cluster.local-0123456789"
#define NAMED_ONE                                                                                  \
    "*4\r\n$13\r\n10.255.255.%02u\r\n:6379\r\n$40\r\n%040x\r\n"                                    \
    "*2\r\n$8\r\nhostname\r\n$77\r\n" NAME "\r\n"

enum { PRIMARIES = 3, REPLICAS = 3, ENTRY_BYTES = 256 };

static char *make_map(size_t *len)
{
    size_t size = (size_t)JTGI_SLOTS * (REPLICAS + 2) * ENTRY_BYTES;
    char *wire = make_text(size);
    size_t at = (size_t)snprintf(wire, size, "*%u\r\n", JTGI_SLOTS);
    for (unsigned slot = 0; slot < JTGI_SLOTS; slot++) {
        at += (size_t)snprintf(wire + at, size - at, "*%u\r\n:%u\r\n:%u\r\n", 3 + REPLICAS, slot,
                               slot);
        for (unsigned replica = 0; replica <= REPLICAS; replica++) {
            unsigned node = slot % PRIMARIES + replica * PRIMARIES + 10;
            at += (size_t)snprintf(wire + at, size - at, NAMED_ONE, node, node);
        }
    }
    *len = at;
    return wire;
}

static void take_range(void *context, const redisReply *range)
{
    static const struct jtgi_address asked = {.host = "asked.example", .port = 7000};
    jtgi_slot_map_add(context, range, &asked);
}

static void a_map_of_any_length_is_read(void **state)
{
    static struct jtgi_slot_map map;
    struct jtgi_taker taker = {take_range, &map};
    struct jtgi_fault fault;
    struct pair pair;
    (void)state;
    open_pair(&pair);
    char *wire = make_map(&pair.len);
    pair.wire = wire;
    assert_true(pair.len > 2 * JTGI_REPLY_BYTES_MAX);
    jtgi_slot_map_begin(&map);
    struct threads *speaker = threads_start(1, say, &pair);
    redisReply *reply = jtgi_connection_receive_each(pair.connection, &taker,
                                                     jtgi_deadline_in_ms(PATIENCE_MS), &fault);
    threads_join(speaker);
    assert_non_null(reply);
    assert_status(jtgi_slot_map_end(&map, reply, NULL), JTG_OK);
    assert_int_equal(map.covered, JTGI_SLOTS);
    assert_int_equal(map.count, PRIMARIES);
    assert_int_equal(map.ids.count, PRIMARIES * (REPLICAS + 1));
    for (unsigned slot = 0; slot < JTGI_SLOTS; slot++)
        assert_int_equal(map.owners[slot], slot % PRIMARIES + 1);
    freeReplyObject(reply);
    close_pair(&pair);
    free(wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_taken_in_turn),
        cmocka_unit_test(what_is_no_array_has_none),
        cmocka_unit_test(a_part_of_an_array_is_none),
        cmocka_unit_test(an_element_has_a_limit),
        cmocka_unit_test(a_map_of_any_length_is_read),
        cmocka_unit_test(who_waits_is_told_why_another_gave_up),
        cmocka_unit_test(a_server_that_closes_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
