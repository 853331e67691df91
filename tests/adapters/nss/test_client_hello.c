/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/nss/client_hello.h"

#include "support/asserts.h"
#include "support/random.h"

#include <stdio.h>
#include <string.h>

enum { ROUNDS = 200000, BYTES_MAX = 512 };

static const unsigned char ticket[] = "a ticket of the server";

/* A ClientHello under construction. */
struct made {
    unsigned char bytes[BYTES_MAX];
    size_t len;
};

static void add(struct made *made, const void *bytes, size_t len)
{
    memcpy(made->bytes + made->len, bytes, len);
    made->len += len;
}

static void add_number(struct made *made, size_t len, size_t number)
{
    for (size_t i = len; i-- > 0;)
        made->bytes[made->len++] = (unsigned char)(number >> (8 * i));
}

static size_t begin(struct made *made, size_t length_bytes)
{
    add_number(made, length_bytes, 0);
    return made->len;
}

static void end(struct made *made, size_t begun, size_t length_bytes)
{
    size_t len = made->len;
    made->len = begun - length_bytes;
    add_number(made, length_bytes, len - begun);
    made->len = len;
}

struct shape {
    unsigned tickets;
    unsigned binders;
    unsigned fragment_offset;
    unsigned sequence;
    bool datagram;
    bool early_data;
    bool psk_first; /* before another extension */
    bool short_fragment;
    bool encrypted; /* has another one inside */
};

static void add_psk(struct made *made, const struct shape *shape)
{
    unsigned char binder[32] = {1};
    add_number(made, 2, 41);
    size_t psk = begin(made, 2);
    size_t identities = begin(made, 2);
    for (unsigned i = 0; i < shape->tickets; i++) {
        add_number(made, 2, sizeof ticket);
        add(made, ticket, sizeof ticket);
        add_number(made, 4, 1000);
    }
    end(made, identities, 2);
    size_t binders = begin(made, 2);
    for (unsigned i = 0; i < shape->binders; i++) {
        add_number(made, 1, sizeof binder);
        add(made, binder, sizeof binder);
    }
    end(made, binders, 2);
    end(made, psk, 2);
}

static void add_extensions(struct made *made, const struct shape *shape)
{
    size_t extensions = begin(made, 2);
    if (shape->psk_first)
        add_psk(made, shape);
    if (shape->early_data) {
        add_number(made, 2, 42);
        add_number(made, 2, 0);
    }
    add_number(made, 2, 43);
    add_number(made, 2, 3);
    add(made, "\2\3\4", 3);
    if (shape->encrypted) {
        add_number(made, 2, 0xfe0d);
        add_number(made, 2, 1);
        add_number(made, 1, 0);
    }
    if (!shape->psk_first && shape->tickets != 0)
        add_psk(made, shape);
    end(made, extensions, 2);
}

static void add_hello(struct made *made, const struct shape *shape)
{
    unsigned char random[34] = {3, 3};
    add(made, random, sizeof random);
    add_number(made, 1, 0);
    if (shape->datagram)
        add_number(made, 1, 0);
    add_number(made, 2, 2);
    add_number(made, 2, 0x1301);
    add_number(made, 2, 0x0100);
    add_extensions(made, shape);
}

static struct made make(const struct shape *shape)
{
    struct made made = {.len = 0};
    add_number(&made, 1, 22);
    add_number(&made, 2, shape->datagram ? 0xfefd : 0x0301);
    if (shape->datagram)
        add_number(&made, 8, 7); /* epoch 0, record 7 */
    size_t record = begin(&made, 2);
    add_number(&made, 1, 1);
    size_t message = begin(&made, 3);
    if (shape->datagram) {
        add_number(&made, 2, shape->sequence);
        add_number(&made, 3, shape->fragment_offset);
        size_t fragment = begin(&made, 3);
        add_hello(&made, shape);
        end(&made, fragment, 3);
        size_t len = made.len;
        made.len = message - 3;
        add_number(&made, 3, len - fragment + (shape->short_fragment ? 1 : 0));
        made.len = len;
    } else {
        add_hello(&made, shape);
        end(&made, message, 3);
    }
    end(&made, record, 2);
    return made;
}

static bool reads(const struct shape *shape, struct jtgi_client_hello *hello)
{
    static struct made made; /* the ticket points into it */
    made = make(shape);
    return jtgi_client_hello_read(hello, made.bytes, made.len, shape->datagram);
}

static void the_ticket_is_found(void **state)
{
    struct jtgi_client_hello hello;
    (void)state;
    for (int datagram = 0; datagram < 2; datagram++) {
        struct shape shape = {
            .datagram = datagram != 0, .early_data = true, .tickets = 1, .binders = 1};
        assert_true(reads(&shape, &hello));
        assert_true(hello.early_data);
        assert_int_equal(hello.ticket_len, sizeof ticket);
        assert_memory_equal(hello.ticket, ticket, sizeof ticket);
        shape.early_data = false;
        assert_true(reads(&shape, &hello));
        assert_false(hello.early_data);
        shape.tickets = 0;
        assert_true(reads(&shape, &hello));
        assert_null(hello.ticket);
        assert_false(hello.hides_another);
        shape.encrypted = true;
        assert_true(reads(&shape, &hello));
        assert_true(hello.hides_another);
    }
}

/* NSS goes by the first of several; whoever can choose what comes first must gain nothing. */
static void what_has_not_just_one_ticket_at_its_end_is_refused(void **state)
{
    static const struct shape shapes[] = {
        {.early_data = true, .tickets = 2, .binders = 2},
        {.early_data = true, .tickets = 1, .binders = 2},
        {.early_data = true, .tickets = 1, .binders = 0},
        {.early_data = true, .tickets = 1, .binders = 1, .psk_first = true},
    };
    struct jtgi_client_hello hello;
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        assert_false(reads(&shapes[i], &hello));
}

static void fragments_are_refused(void **state)
{
    static const struct shape shapes[] = {
        {.datagram = true, .early_data = true, .tickets = 1, .binders = 1, .fragment_offset = 1},
        {.datagram = true, .early_data = true, .tickets = 1, .binders = 1, .sequence = 1},
        {.datagram = true, .early_data = true, .tickets = 1, .binders = 1, .short_fragment = true},
    };
    struct jtgi_client_hello hello;
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        assert_false(reads(&shapes[i], &hello));
}

/* A second plaintext record could be the ClientHello that NSS goes by. */
static void only_what_is_encrypted_may_follow(void **state)
{
    struct jtgi_client_hello hello;
    (void)state;
    for (int datagram = 0; datagram < 2; datagram++) {
        struct shape shape = {
            .datagram = datagram != 0, .early_data = true, .tickets = 1, .binders = 1};
        struct made made = make(&shape);
        for (unsigned next = 0; next < 256; next++) {
            made.bytes[made.len] = (unsigned char)next;
            assert_int_equal(
                jtgi_client_hello_read(&hello, made.bytes, made.len + 1, shape.datagram),
                datagram != 0 && next >= 0x20 && next < 0x40);
        }
    }
}

static void a_shorter_one_is_refused(void **state)
{
    struct jtgi_client_hello hello;
    (void)state;
    for (int datagram = 0; datagram < 2; datagram++) {
        struct shape shape = {
            .datagram = datagram != 0, .early_data = true, .tickets = 1, .binders = 1};
        struct made made = make(&shape);
        for (size_t len = 0; len < made.len; len++)
            assert_false(jtgi_client_hello_read(&hello, made.bytes, len, shape.datagram));
        assert_false(jtgi_client_hello_read(&hello, made.bytes, made.len, !shape.datagram));
    }
}

/* ---- several datagrams ---- */

enum { HEAD = 25 /* of record and message */, PIECES = JTGI_HELLO_PIECES_MAX };

struct pieces {
    unsigned char bytes[PIECES * (HEAD + BYTES_MAX)];
    size_t len;
    size_t lens[PIECES];
    unsigned count;
};

static void put(unsigned char *at, size_t len, size_t number)
{
    for (size_t i = len; i-- > 0; number >>= 8)
        at[i] = (unsigned char)number;
}

/* A datagram of its own with the bytes from..end of the message. */
static void add_piece(struct pieces *pieces, const struct made *whole, size_t from, size_t to)
{
    unsigned char *piece = pieces->bytes + pieces->len;
    memcpy(piece, whole->bytes, HEAD);
    piece[10] = (unsigned char)(7 + pieces->count); /* the record's number */
    put(piece + 11, 2, to - from + 12);
    put(piece + 19, 3, from);
    put(piece + 22, 3, to - from);
    memcpy(piece + HEAD, whole->bytes + HEAD + from, to - from);
    pieces->lens[pieces->count++] = HEAD + to - from;
    pieces->len += HEAD + to - from;
}

static const struct shape wide = {.datagram = true, .early_data = true, .tickets = 1, .binders = 1};

/* In so many parts. */
static struct pieces cut(const struct made *whole, unsigned parts)
{
    struct pieces pieces = {.len = 0};
    size_t message = whole->len - HEAD;
    for (unsigned i = 0; i < parts; i++)
        add_piece(&pieces, whole, message * i / parts, message * (i + 1) / parts);
    return pieces;
}

static void a_hello_in_several_datagrams_is_as_if_whole(void **state)
{
    struct made whole = make(&wide);
    (void)state;
    for (unsigned parts = 1; parts <= PIECES; parts++) {
        struct jtgi_client_hello hello;
        struct pieces pieces = cut(&whole, parts);
        size_t len = jtgi_client_hello_join(pieces.bytes, pieces.lens, pieces.count);
        assert_int_equal(len, whole.len);
        assert_memory_equal(pieces.bytes, whole.bytes, whole.len);
        assert_true(jtgi_client_hello_read(&hello, pieces.bytes, len, true));
        assert_int_equal(hello.ticket_len, sizeof ticket);
        assert_memory_equal(hello.ticket, ticket, sizeof ticket);
    }
}

/* What is sent behind it is encrypted, and not a part. */
static void early_data_may_follow_the_last_one(void **state)
{
    struct made whole = make(&wide);
    (void)state;
    for (unsigned next = 0; next < 256; next++) {
        struct pieces pieces = cut(&whole, 2);
        pieces.bytes[pieces.len] = (unsigned char)next;
        pieces.lens[1]++;
        size_t len = jtgi_client_hello_join(pieces.bytes, pieces.lens, pieces.count);
        assert_int_equal(len, next >= 0x20 && next < 0x40 ? whole.len : 0);
    }
    struct pieces pieces = cut(&whole, 2);
    memmove(pieces.bytes + pieces.lens[0] + 1, pieces.bytes + pieces.lens[0], pieces.lens[1]);
    pieces.bytes[pieces.lens[0]++] = 0x20; /* behind the first */
    assert_int_equal(jtgi_client_hello_join(pieces.bytes, pieces.lens, pieces.count), 0);
}

/* Each is a message that could be put together in another way, or not at all. */
static void what_does_not_cover_it_once_and_in_order_is_none(void **state)
{
    static const size_t wrong[][2 * PIECES] = {
        {0, 50, 51},        /* a gap */
        {0, 50, 49},        /* an overlap */
        {0, 50, 0, 50, 50}, /* one twice */
        {50, 0, 0, 50},     /* the other way round */
        {0, 50, 50, 60},    /* the end is missing */
        {1, 50, 50},        /* the beginning is */
        {0, 0, 0},          /* a whole one behind one of nothing */
        {0, 50, 0},         /* a whole one behind a part */
    };
    struct made whole = make(&wide);
    size_t end = whole.len - HEAD;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct pieces pieces = {.len = 0};
        unsigned count = i == 2 ? 3 : 2;
        for (unsigned k = 0; k < count; k++) {
            size_t to = wrong[i][2 * k + 1];
            bool empty = i == 6 && k == 0;
            add_piece(&pieces, &whole, wrong[i][2 * k], to == 0 && !empty ? end : to);
        }
        assert_int_equal(jtgi_client_hello_join(pieces.bytes, pieces.lens, pieces.count), 0);
    }
}

/* Of the second datagram: another type, version, epoch, message, length, number. */
static void every_part_is_one_of_the_same_message(void **state)
{
    static const unsigned places[] = {0, 1, 3, 4, 13, 14, 15, 16, 17, 18};
    struct made whole = make(&wide);
    (void)state;
    for (unsigned which = 0; which < 2; which++)
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
            struct pieces pieces = cut(&whole, 2);
            pieces.bytes[(which == 0 ? 0 : pieces.lens[0]) + places[i]] ^= 1;
            assert_int_equal(jtgi_client_hello_join(pieces.bytes, pieces.lens, pieces.count), 0);
        }
    assert_int_equal(jtgi_client_hello_join(whole.bytes, NULL, 0), 0);
}

/* Whatever was changed: what is taken for a ticket lies within the bytes, and is not empty. */
static void changed_bytes_are_read_within_their_bounds(void **state)
{
    struct random_source source;
    uint64_t seed = random_seed();
    (void)state;
    printf("seed %llu\n", (unsigned long long)seed);
    random_init(&source, seed);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct jtgi_client_hello hello;
        struct shape shape = {
            .datagram = round % 2 == 0, .early_data = true, .tickets = 1, .binders = 1};
        struct made made = make(&shape);
        for (unsigned i = 0; i < 3; i++)
            made.bytes[random_below(&source, made.len)] = (unsigned char)random_next(&source);
        if (jtgi_client_hello_read(&hello, made.bytes, made.len, shape.datagram) &&
            hello.ticket != NULL) {
            assert_true(hello.ticket > made.bytes && hello.ticket_len > 0);
            assert_true(hello.ticket + hello.ticket_len <= made.bytes + made.len);
        }
    }
}

static void changed_datagrams_are_joined_within_their_bounds(void **state)
{
    struct random_source source;
    uint64_t seed = random_seed();
    struct made whole = make(&wide);
    (void)state;
    printf("seed %llu\n", (unsigned long long)seed);
    random_init(&source, seed);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct pieces pieces = cut(&whole, 2 + round % (PIECES - 1));
        for (unsigned i = 0; i < 2; i++)
            pieces.bytes[random_below(&source, pieces.len)] = (unsigned char)random_next(&source);
        size_t len = jtgi_client_hello_join(pieces.bytes, pieces.lens, pieces.count);
        assert_true(len == 0 || len == whole.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ticket_is_found),
        cmocka_unit_test(what_has_not_just_one_ticket_at_its_end_is_refused),
        cmocka_unit_test(a_hello_in_several_datagrams_is_as_if_whole),
        cmocka_unit_test(early_data_may_follow_the_last_one),
        cmocka_unit_test(what_does_not_cover_it_once_and_in_order_is_none),
        cmocka_unit_test(every_part_is_one_of_the_same_message),
        cmocka_unit_test(changed_datagrams_are_joined_within_their_bounds),
        cmocka_unit_test(fragments_are_refused),
        cmocka_unit_test(only_what_is_encrypted_may_follow),
        cmocka_unit_test(a_shorter_one_is_refused),
        cmocka_unit_test(changed_bytes_are_read_within_their_bounds),
    };
    return cmocka_run_group_tests_name("ClientHello", tests, NULL, NULL);
}
