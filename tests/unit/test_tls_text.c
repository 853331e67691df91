/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tls/tls_text.h"

#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/tls_cache.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TICKETS = 3, GRAVES = 2, PINS = 2 };

static int set_up_sodium(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

static struct jtgi_tls_entry *make_entry(uint32_t number, size_t len)
{
    static const struct jtgi_tls_keys keys;
    static unsigned char bytes[JTG_TLS_TICKET_MAX_BYTES];
    struct jtgi_tls_place place;
    struct jtgi_tls_entry *entry = NULL;
    jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
    jtg_endpoint endpoint = tls_cache_endpoint("example.org");
    memset(bytes, (int)(number + 'A'), len);
    ticket.ticket = bytes;
    ticket.ticket_len = len;
    ticket.lifetime_s = 7200 + number;
    memset(ticket.pin, (int)number, sizeof ticket.pin);
    assert_status(jtgi_tls_place_find(&keys, &endpoint, &place, NULL), JTG_OK);
    assert_status(jtgi_tls_entry_make(&keys, &place, &ticket, TEST_CLOCK_WALL_MS + number, &entry),
                  JTG_OK);
    return entry;
}

static void fill(struct jtgi_tls_document *document)
{
    struct jtgi_tls_tombstone grave = {{0}, TEST_CLOCK_WALL_MS / 1000};
    struct jtgi_tls_pin pin = {{0}, {0}, TEST_CLOCK_WALL_MS};
    for (uint32_t i = 0; i < TICKETS; i++)
        assert_status(jtgi_tls_document_append(document, make_entry(i, 100 + i)), JTG_OK);
    for (int i = 0; i < GRAVES; i++) {
        memset(grave.id, i, sizeof grave.id);
        assert_status(jtgi_tls_document_append_consumed(document, &grave), JTG_OK);
    }
    for (int i = 0; i < PINS; i++) {
        memset(pin.trust, i, sizeof pin.trust);
        assert_status(jtgi_tls_document_append_pin(document, &pin), JTG_OK);
    }
}

static bool is_same_ticket(const struct jtgi_tls_entry *a, const struct jtgi_tls_entry *b)
{
    return a->len == b->len && memcmp(a, b, sizeof *a + a->len) == 0;
}

static void assert_same(const struct jtgi_tls_document *a, const struct jtgi_tls_document *b)
{
    assert_int_equal(a->ticket_count, b->ticket_count);
    for (size_t i = 0; i < a->ticket_count; i++)
        assert_true(is_same_ticket(a->tickets[i], b->tickets[i]));
    assert_int_equal(a->consumed_count, b->consumed_count);
    for (size_t i = 0; i < a->consumed_count; i++) {
        assert_memory_equal(a->consumed[i].id, b->consumed[i].id, JTGI_TLS_ID_BYTES);
        assert_int_equal(a->consumed[i].end_s, b->consumed[i].end_s);
    }
    assert_int_equal(a->pin_count, b->pin_count);
    assert_memory_equal(a->pins, b->pins, a->pin_count * sizeof *a->pins);
}

/* ---- */

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct jtgi_tls_document document = {0};
    struct jtgi_tls_document again = {0};
    struct jtgi_tls_text text = {0};
    struct jtgi_tls_text empty = {0};
    assert_status(jtgi_tls_text_write(&document, &empty), JTG_OK);
    assert_status(jtgi_tls_text_read(&empty, &again), JTG_OK);
    assert_int_equal(again.ticket_count + again.consumed_count + again.pin_count, 0);
    jtgi_tls_text_clear(&empty);
    fill(&document);
    assert_status(jtgi_tls_text_write(&document, &text), JTG_OK);
    assert_status(jtgi_tls_text_read(&text, &again), JTG_OK);
    assert_int_equal(again.unreadable, 0);
    assert_same(&document, &again);
    assert_true(memmem(text.bytes, text.len, "\"site\":\"example.org:443\"", 24) != NULL);
    jtgi_tls_text_clear(&text);
    assert_null(text.bytes);
    jtgi_tls_document_clear(&document);
    jtgi_tls_document_clear(&again);
}

/* A reader of another hand must understand it: it is plain JSON. */
static void it_is_json(void **state)
{
    (void)state;
    struct jtgi_tls_document document = {0};
    struct jtgi_tls_text text = {0};
    fill(&document);
    assert_status(jtgi_tls_text_write(&document, &text), JTG_OK);
    json_t *root = json_loadb(text.bytes, text.len, JSON_REJECT_DUPLICATES, NULL);
    assert_string_equal(json_string_value(json_object_get(root, "magic")), "jtiguard-tls-tickets");
    assert_int_equal(json_array_size(json_object_get(root, "tickets")), TICKETS);
    const json_t *second = json_array_get(json_object_get(root, "tickets"), 1);
    assert_int_equal(json_integer_value(json_object_get(second, "lifetime")), 7201);
    assert_int_equal(json_string_length(json_object_get(second, "ticket")), 135); /* of 101 bytes */
    json_decref(root);
    jtgi_tls_text_clear(&text);
    jtgi_tls_document_clear(&document);
}

/* Written by the first version, and read by each: version 1 of the file. */
static void the_form_stays(void **state)
{
    static const char first[] =
        "{\"magic\":\"jtiguard-tls-tickets\",\"version\":1,\"tickets\":["
        "{\"id\":\"ox9G9ffHOxseIW5HBxI1cg\",\"site\":\"example.org:443\","
        "\"endpoint\":\"YgFJuP5Qxx88fDaCj-ArJmNCFnDgf7YgJK39aO0jqQY\","
        "\"trust\":\"BMXTSbZkz2ALBcBquoe0a_jXsSJ6vn-2Pus0Af4tYFk\","
        "\"pin\":\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\","
        "\"stored\":1795176000000,\"lifetime\":7200,\"ticket\":\"YSB0aWNrZXQ\","
        "\"check\":\"mPpNZaq5Syw\"}],\"consumed\":[\"AgAAAAAAAAAAAAAAAAAAAABrADZAou0X\"],"
        "\"pins\":[{\"trust\":\"AwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
        "\"pin\":\"BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"seen\":1795176000000,"
        "\"check\":\"7Vx_6lMkVkw\"}]}\n";
    struct jtgi_tls_document document = {0};
    struct jtgi_tls_text given = {strdup(first), sizeof first - 1, sizeof first};
    struct jtgi_tls_text written = {0};
    (void)state;
    assert_status(jtgi_tls_text_read(&given, &document), JTG_OK);
    assert_int_equal(document.unreadable, 0);
    assert_int_equal(document.ticket_count, 1);
    assert_memory_equal(document.tickets[0]->bytes, "a ticket", 8);
    assert_status(jtgi_tls_text_write(&document, &written), JTG_OK);
    assert_int_equal(written.len, given.len);
    assert_memory_equal(written.bytes, given.bytes, given.len);
    jtgi_tls_text_clear(&given);
    jtgi_tls_text_clear(&written);
    jtgi_tls_document_clear(&document);
}

static void what_another_program_laid_out_is_none_of_ours(void **state)
{
#define HEAD "{\"magic\":\"jtiguard-tls-tickets\",\"version\":1"
    static const char *const laid_out[] = {
        HEAD ",\"tickets\":[],\"consumed\":[],\"pins\":[]} ",
        HEAD ",\"tickets\":[] ,\"consumed\":[],\"pins\":[]}",
        HEAD ", \"tickets\":[],\"consumed\":[],\"pins\":[]}",
        HEAD ",\"consumed\":[],\"tickets\":[],\"pins\":[]}",
        HEAD ",\"tickets\":[],\"consumed\":[],\"pins\":[],\"more\":1}",
    };
#undef HEAD
    (void)state;
    for (size_t i = 0; i < sizeof laid_out / sizeof laid_out[0]; i++) {
        struct jtgi_tls_text text = {strdup(laid_out[i]), strlen(laid_out[i]),
                                     strlen(laid_out[i]) + 1};
        struct jtgi_tls_document read = {0};
        assert_status(jtgi_tls_text_read(&text, &read), JTG_ERR_PROTOCOL);
        jtgi_tls_text_clear(&text);
    }
}

static void the_size_is_never_too_small(void **state)
{
    (void)state;
    struct jtgi_tls_document document = {0};
    struct jtgi_tls_text text = {0};
    for (uint32_t i = 0; i < 300; i++) {
        struct jtgi_tls_entry *entry = make_entry(i % 100, i + 1);
        entry->stored_ms = INT64_C(9007199254740992);
        entry->lifetime_s = JTG_TLS_LIFETIME_S_LIMIT;
        entry->is_sealed = true;
        assert_status(jtgi_tls_document_append(&document, entry), JTG_OK);
    }
    fill(&document);
    assert_status(jtgi_tls_text_write(&document, &text), JTG_OK);
    assert_true(text.len <= jtgi_tls_document_size(&document));
    jtgi_tls_text_clear(&text);
    jtgi_tls_document_clear(&document);
}

/* ---- what is damaged ---- */

static void cut_anywhere_it_is_none_of_ours(void **state)
{
    (void)state;
    struct jtgi_tls_document document = {0};
    struct jtgi_tls_text text = {0};
    fill(&document);
    assert_status(jtgi_tls_text_write(&document, &text), JTG_OK);
    for (size_t len = 0; len < text.len - 1; len++) { /* the line end is not needed */
        struct jtgi_tls_text part = {malloc(len + 1), len, len + 1};
        struct jtgi_tls_document read = {0};
        assert_non_null(part.bytes);
        memcpy(part.bytes, text.bytes, len);
        assert_status(jtgi_tls_text_read(&part, &read), JTG_ERR_PROTOCOL);
        assert_int_equal(read.ticket_count, 0);
        jtgi_tls_text_clear(&part);
    }
    jtgi_tls_text_clear(&text);
    jtgi_tls_document_clear(&document);
}

/* Every byte of it with every bit turned: it is none of ours, or each entry that is left is one of
 * those that were written, to the last byte. */
static void no_turned_bit_makes_another_entry(void **state)
{
    (void)state;
    struct jtgi_tls_document document = {0};
    struct jtgi_tls_text text = {0};
    unsigned corrupt = 0;
    unsigned entries = 0;
    fill(&document);
    assert_status(jtgi_tls_text_write(&document, &text), JTG_OK);
    for (size_t bit = 0; bit < 8 * text.len; bit++) {
        struct jtgi_tls_document read = {0};
        char turned = (char)(1U << bit % 8);
        text.bytes[bit / 8] = (char)(text.bytes[bit / 8] ^ turned);
        jtg_status status = jtgi_tls_text_read(&text, &read);
        text.bytes[bit / 8] = (char)(text.bytes[bit / 8] ^ turned);
        /* 1 becomes a newer version, or the digit of none */
        assert_true(status == JTG_OK || status == JTG_ERR_PROTOCOL ||
                    status == JTG_ERR_UNSUPPORTED);
        corrupt += status != JTG_OK;
        entries += read.unreadable;
        assert_true(read.unreadable <= 1);
        for (size_t i = 0; i < read.ticket_count; i++) {
            bool known = false;
            for (size_t k = 0; k < TICKETS; k++)
                known = known || is_same_ticket(read.tickets[i], document.tickets[k]);
            assert_true(known);
        }
        for (size_t i = 0; i < read.consumed_count; i++)
            assert_true(jtgi_tls_document_is_consumed(&document, read.consumed[i].id));
        jtgi_tls_document_clear(&read);
    }
    assert_true(corrupt > text.len && entries > text.len);
    jtgi_tls_text_clear(&text);
    jtgi_tls_document_clear(&document);
}

static void a_bad_entry_costs_that_entry(void **state)
{
    (void)state;
    static const char head[] = "{\"magic\":\"jtiguard-tls-tickets\",\"version\":1,\"tickets\":[";
    static const char tail[] = "],\"consumed\":[\"\",1,{}],\"pins\":[null,{}]}";
    static const char *const wrong[] = {"1",
                                        "null",
                                        "[]",
                                        "{}",
                                        "{\"a\":[\"}\",{\"b\":\"\\\"]\"}]}",
                                        "\"@\\\",]\"",
                                        "{\"id\":\"AAAA\",\"site\":\"a\\\\\"}",
                                        "{\"ticket\":\"\"}",
                                        "{\"ticket\":\"AAAA\",\"stored\":\"x\"}",
                                        "{\"sealed\":\"@1\"}",
                                        "{\"ticket\":\"@0+9999999\"}",
                                        "{\"ticket\":\"@99999999999999999999999+1\"}"};
    struct jtgi_tls_document document = {0};
    struct jtgi_tls_text good = {0};
    assert_status(jtgi_tls_document_append(&document, make_entry(1, 50)), JTG_OK);
    assert_status(jtgi_tls_text_write(&document, &good), JTG_OK);
    const char *from = strchr(good.bytes, '[') + 1;
    const char *to = strstr(good.bytes, "}],");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char *bytes = NULL;
        int len = asprintf(&bytes, "%s%s,%.*s},%s%s", head, wrong[i], (int)(to - from), from,
                           wrong[i], tail);
        assert_true(len > 0);
        struct jtgi_tls_text text = {bytes, (size_t)len, (size_t)len};
        struct jtgi_tls_document read = {0};
        assert_status(jtgi_tls_text_read(&text, &read), JTG_OK);
        assert_int_equal(read.ticket_count, 1);
        assert_true(is_same_ticket(read.tickets[0], document.tickets[0]));
        assert_int_equal(read.unreadable, 2 + 3 + 2);
        jtgi_tls_document_clear(&read);
        jtgi_tls_text_clear(&text);
    }
    jtgi_tls_text_clear(&good);
    jtgi_tls_document_clear(&document);
}

/* The same ticket twice, and one that is used up, are in no file of ours. */
static void doubles_are_dropped(void **state)
{
    (void)state;
    struct jtgi_tls_document document = {0};
    struct jtgi_tls_document read = {0};
    struct jtgi_tls_text text = {0};
    struct jtgi_tls_tombstone grave = {{0}, 1};
    for (uint32_t i = 3; i > 0; i--) /* the newest first, and two of each */
        for (unsigned k = 0; k < 2; k++)
            assert_status(jtgi_tls_document_append(&document, make_entry(i, 50)), JTG_OK);
    memcpy(grave.id, document.tickets[0]->id, sizeof grave.id);
    assert_status(jtgi_tls_document_append_consumed(&document, &grave), JTG_OK);
    assert_status(jtgi_tls_text_write(&document, &text), JTG_OK);
    assert_status(jtgi_tls_text_read(&text, &read), JTG_OK);
    assert_int_equal(read.ticket_count, 2);
    assert_true(read.tickets[0]->stored_ms < read.tickets[1]->stored_ms);
    assert_int_equal(read.unreadable, 4);
    jtgi_tls_text_clear(&text);
    jtgi_tls_document_clear(&document);
    jtgi_tls_document_clear(&read);
}

/* ---- memory ---- */

/* A file that cannot be read for want of memory is not one of others: it would be replaced, and all
 * that it remembers lost. */
static void no_memory_is_not_a_bad_file(void **state)
{
    (void)state;
    struct jtgi_tls_document document = {0};
    struct jtgi_tls_text text = {0};
    bool failed = true;
    unsigned nth = 1;
    fill(&document);
    assert_status(jtgi_tls_text_write(&document, &text), JTG_OK);
    for (; failed; nth++) {
        struct jtgi_tls_document read = {0};
        alloc_walk_fail_nth(nth);
        jtg_status status = jtgi_tls_text_read(&text, &read);
        failed = alloc_walk_end();
        assert_status(status, failed ? JTG_ERR_MEMORY : JTG_OK);
        if (!failed)
            assert_same(&document, &read);
        jtgi_tls_document_clear(&read);
    }
    assert_true(nth > TICKETS);
    jtgi_tls_text_clear(&text);
    jtgi_tls_document_clear(&document);
}

/* What a large file would take is dropped from the oldest on, before it is written. */
static void it_does_not_grow_beyond_its_bound(void **state)
{
    (void)state;
    const struct jtgi_tls_limits wide = {604800, 1024, 65536, 8192, false};
    struct jtgi_tls_document document = {0};
    struct jtgi_tls_text text = {0};
    jtg_tls_fate fate = JTG_TLS_NOT_STORED;
    for (uint32_t i = 0; i < 250; i++) {
        struct jtgi_tls_entry *entry = make_entry(i, JTG_TLS_TICKET_MAX_BYTES);
        assert_status(jtgi_tls_document_put(&document, entry, &wide, &fate), JTG_OK);
        assert_int_equal(fate, JTG_TLS_STORED);
    }
    assert_true(document.ticket_count > 150 && document.ticket_count < 250);
    assert_status(jtgi_tls_text_write(&document, &text), JTG_OK);
    assert_true(text.len <= JTG_TLS_FILE_MAX_BYTES);
    assert_int_equal(document.tickets[document.ticket_count - 1]->stored_ms,
                     TEST_CLOCK_WALL_MS + 249);
    jtgi_tls_text_clear(&text);
    jtgi_tls_document_clear(&document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(it_is_json),
        cmocka_unit_test(the_form_stays),
        cmocka_unit_test(what_another_program_laid_out_is_none_of_ours),
        cmocka_unit_test(the_size_is_never_too_small),
        cmocka_unit_test(cut_anywhere_it_is_none_of_ours),
        cmocka_unit_test(no_turned_bit_makes_another_entry),
        cmocka_unit_test(a_bad_entry_costs_that_entry),
        cmocka_unit_test(doubles_are_dropped),
        cmocka_unit_test(no_memory_is_not_a_bad_file),
        cmocka_unit_test(it_does_not_grow_beyond_its_bound),
    };
    return cmocka_run_group_tests_name("text of tls tickets", tests, set_up_sodium, NULL);
}
