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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ticket_is_found),
        cmocka_unit_test(what_has_not_just_one_ticket_at_its_end_is_refused),
        cmocka_unit_test(fragments_are_refused),
        cmocka_unit_test(only_what_is_encrypted_may_follow),
        cmocka_unit_test(a_shorter_one_is_refused),
        cmocka_unit_test(changed_bytes_are_read_within_their_bounds),
    };
    return cmocka_run_group_tests_name("ClientHello", tests, NULL, NULL);
}
