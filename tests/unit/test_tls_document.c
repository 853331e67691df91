/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tls/tls_document.h"

#include "support/asserts.h"

#include <string.h>

static const struct jtgi_tls_limits limits = {86400, 2, 5, 3, false};
static struct jtgi_tls_document document;

static int tear_down(void **state)
{
    (void)state;
    jtgi_tls_document_clear(&document);
    return 0;
}

/* Its id is its number; its endpoint, trust and pin are one letter each. */
static struct jtgi_tls_entry *make(uint32_t number, char endpoint, char pin, int64_t stored_ms)
{
    struct jtgi_tls_entry *entry = jtgi_tls_entry_new(4);
    assert_non_null(entry);
    memcpy(entry->id, &number, sizeof number);
    memset(entry->place.endpoint, endpoint, sizeof entry->place.endpoint);
    memset(entry->place.trust, endpoint & ~0x20, sizeof entry->place.trust); /* a and A: one */
    entry->place.site[0] = endpoint;
    memset(entry->pin, pin, sizeof entry->pin);
    entry->stored_ms = stored_ms;
    entry->lifetime_s = 100;
    return entry;
}

static jtg_tls_fate put(uint32_t number, char endpoint, char pin, int64_t stored_ms)
{
    jtg_tls_fate fate = JTG_TLS_NOT_STORED;
    struct jtgi_tls_entry *entry = make(number, endpoint, pin, stored_ms);
    assert_status(jtgi_tls_document_put(&document, entry, &limits, &fate), JTG_OK);
    return fate;
}

static uint32_t newest(char endpoint, const char *pin)
{
    unsigned char bytes[JTGI_ENDPOINT_DIGEST_BYTES];
    unsigned char pins[JTG_TLS_PIN_BYTES];
    uint32_t number = 0;
    memset(bytes, endpoint, sizeof bytes);
    memset(pins, pin != NULL ? *pin : 0, sizeof pins);
    size_t at = jtgi_tls_document_newest(&document, bytes, pin != NULL ? pins : NULL,
                                         document.ticket_count);
    if (at != SIZE_MAX)
        memcpy(&number, document.tickets[at]->id, sizeof number);
    return number;
}

static struct jtgi_tls_pin pin_of(char trust, char pin, int64_t seen_ms)
{
    struct jtgi_tls_pin made;
    memset(made.trust, trust, sizeof made.trust);
    memset(made.pin, pin, sizeof made.pin);
    made.seen_ms = seen_ms;
    return made;
}

static bool see(char trust, char pin, int64_t seen_ms)
{
    bool changed = false;
    struct jtgi_tls_pin seen = pin_of(trust, pin, seen_ms);
    assert_status(jtgi_tls_document_see(&document, &seen, &limits, &changed), JTG_OK);
    return changed;
}

static void the_newest_is_by_time_not_by_arrival(void **state)
{
    (void)state;
    assert_int_equal(put(1, 'a', 'p', 10), JTG_TLS_STORED);
    assert_int_equal(put(2, 'a', 'q', 5), JTG_TLS_STORED);
    assert_int_equal(newest('a', NULL), 1);
    assert_int_equal(newest('a', "q"), 2);
    assert_int_equal(newest('a', "r"), 0);
    assert_int_equal(newest('b', NULL), 0);
    assert_int_equal(put(3, 'a', 'p', 10), JTG_TLS_STORED); /* of equals the last */
    assert_int_equal(newest('a', NULL), 3);
    assert_int_equal(newest('a', "q"), 0); /* the oldest gave way: two an endpoint */
    assert_int_equal(document.ticket_count, 2);
}

static void the_oldest_of_all_gives_way(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 7; i++)
        assert_int_equal(put(i, (char)('a' + i), 'p', i), JTG_TLS_STORED);
    assert_int_equal(document.ticket_count, 5);
    assert_int_equal(newest('c', NULL), 0);
    assert_int_equal(newest('d', NULL), 3);
}

static void what_is_used_up_stays_used_up(void **state)
{
    (void)state;
    struct jtgi_tls_entry *entry = NULL;
    assert_int_equal(put(1, 'a', 'p', 1500), JTG_TLS_STORED);
    assert_int_equal(put(1, 'b', 'p', 1600), JTG_TLS_DUPLICATE);
    assert_status(jtgi_tls_document_use_up(&document, 0, &limits, &entry), JTG_OK);
    assert_int_equal(document.ticket_count, 0);
    assert_true(jtgi_tls_document_is_consumed(&document, entry->id));
    assert_int_equal(document.consumed[0].end_s, 102); /* rounded up */
    jtgi_tls_entry_free(entry);
    assert_int_equal(put(1, 'a', 'p', 1700), JTG_TLS_DUPLICATE);
    jtgi_tls_document_forget(&document, 101999, &limits);
    assert_int_equal(document.consumed_count, 1);
    jtgi_tls_document_forget(&document, 102000, &limits);
    assert_int_equal(document.consumed_count, 0);
}

/* Never a ticket without the memory of it. */
static void a_full_memory_refuses(void **state)
{
    (void)state;
    struct jtgi_tls_entry *entry = NULL;
    for (uint32_t i = 9; i > 5; i--)
        assert_int_equal(put(i, (char)('a' + i), 'p', i), JTG_TLS_STORED);
    for (unsigned i = 0; i < 3; i++) {
        assert_status(jtgi_tls_document_use_up(&document, 0, &limits, &entry), JTG_OK);
        jtgi_tls_entry_free(entry);
    }
    assert_status(jtgi_tls_document_use_up(&document, 0, &limits, &entry), JTG_ERR_FULL);
    assert_null(entry);
    assert_int_equal(document.ticket_count, 1);
    for (size_t i = 1; i < document.consumed_count; i++)
        assert_true(
            memcmp(document.consumed[i - 1].id, document.consumed[i].id, JTGI_TLS_ID_BYTES) < 0);
}

static void another_pin_purges_all_of_its_trust(void **state)
{
    (void)state;
    assert_int_equal(put(1, 'a', 'p', 10), JTG_TLS_STORED);
    assert_int_equal(put(2, 'A', 'p', 11), JTG_TLS_STORED); /* another endpoint, the same trust */
    assert_int_equal(put(3, 'b', 'p', 12), JTG_TLS_STORED);
    assert_true(see('A', 'q', 20));
    assert_int_equal(document.ticket_count, 1);
    assert_int_equal(put(4, 'a', 'p', 21), JTG_TLS_OLD_PIN);
    assert_int_equal(put(5, 'a', 'q', 21), JTG_TLS_STORED);
    assert_false(see('A', 'q', 30)); /* nothing new */
    assert_false(see('A', 'p', 19)); /* it was seen before the one that is known */
    assert_int_equal(newest('a', NULL), 5);
    assert_true(see('A', 'q', 20 + 86400000)); /* after a day it is worth writing */
    assert_true(see('A', 'p', 20 + 86400001));
    assert_int_equal(newest('a', NULL), 0);
    assert_int_equal(document.pin_count, 1);
}

static void pins_are_bounded_and_end(void **state)
{
    (void)state;
    for (char i = 0; i < 7; i++)
        assert_true(see((char)('A' + i), 'p', 1000 + i));
    assert_int_equal(document.pin_count, 5);
    assert_int_equal(document.pins[0].trust[0], 'C');
    struct jtgi_tls_pin future = pin_of('Z', 'p', INT64_C(1000000000));
    assert_status(jtgi_tls_document_append_pin(&document, &future), JTG_OK);
    jtgi_tls_document_forget(&document, 2000 + INT64_C(86400000), &limits);
    assert_int_equal(document.pin_count, 6);
    assert_int_equal(document.pins[5].seen_ms, 2000); /* for no longer than others */
    jtgi_tls_document_forget(&document, 1500 + INT64_C(691200000), &limits);
    assert_int_equal(document.pin_count, 1);
    struct jtgi_tls_pin other = document.pins[0];
    other.seen_ms++;
    jtgi_tls_document_unsee(&document, &other);
    assert_int_equal(document.pin_count, 1);
    jtgi_tls_document_unsee(&document, document.pins);
    assert_int_equal(document.pin_count, 0);
}

static void what_has_ended_is_forgotten(void **state)
{
    (void)state;
    struct jtgi_tls_limits strict = limits;
    assert_int_equal(put(1, 'a', 'p', 1000), JTG_TLS_STORED);
    assert_int_equal(put(2, 'b', 'p', 5000), JTG_TLS_STORED);
    jtgi_tls_document_forget(&document, 4999, &limits); /* the second is from the future */
    assert_int_equal(document.ticket_count, 1);
    assert_int_equal(document.ended, 1);
    strict.max_age_s = 10;
    jtgi_tls_document_forget(&document, 10999, &strict);
    assert_int_equal(document.ticket_count, 1);
    jtgi_tls_document_forget(&document, 11000, &strict);
    assert_int_equal(document.ticket_count, 0);
    assert_int_equal(put(3, 'a', 'p', 1000), JTG_TLS_STORED);
    strict.sealed_only = true;
    jtgi_tls_document_forget(&document, 1000, &strict);
    assert_int_equal(document.ticket_count, 0);
    assert_int_equal(document.unreadable, 1);
}

static void a_site_is_invalidated_with_or_without_room(void **state)
{
    (void)state;
    struct jtgi_tls_limits narrow = limits;
    narrow.consumed = 1;
    for (uint32_t i = 1; i <= 2; i++)
        assert_int_equal(put(i, 'a', 'p', i), JTG_TLS_STORED);
    assert_int_equal(put(3, 'b', 'p', 3), JTG_TLS_STORED);
    assert_status(jtgi_tls_document_invalidate(&document, "x", &narrow), JTG_NOT_FOUND);
    assert_status(jtgi_tls_document_invalidate(&document, "a", &narrow), JTG_OK);
    assert_int_equal(document.consumed_count, 1);
    assert_int_equal(newest('b', NULL), 3);
    jtgi_tls_document_discard(&document, document.tickets[0]->id);
    assert_int_equal(document.ticket_count, 0);
    assert_int_equal(put(4, 'b', 'p', 4), JTG_TLS_STORED);
    assert_true(jtgi_tls_document_has(&document, document.tickets[0]->id));
    jtgi_tls_document_drop(&document, 0);
    assert_int_equal(document.unreadable, 1);
}

static void what_was_read_is_brought_in_order(void **state)
{
    (void)state;
    struct jtgi_tls_tombstone grave = {{0}, 9};
    uint32_t used = 4;
    memcpy(grave.id, &used, sizeof used);
    for (uint32_t i = 1; i <= 5; i++)
        assert_status(jtgi_tls_document_append(&document, make(i, 'a', 'p', 100 - i)), JTG_OK);
    assert_status(jtgi_tls_document_append(&document, make(2, 'b', 'p', 1)), JTG_OK);
    assert_status(jtgi_tls_document_append_consumed(&document, &grave), JTG_OK);
    grave.id[0] = 1;
    grave.id[1] = 1;
    assert_status(jtgi_tls_document_append_consumed(&document, &grave), JTG_OK);
    assert_status(jtgi_tls_document_settle(&document), JTG_OK);
    assert_int_equal(document.ticket_count, 4);
    assert_int_equal(document.unreadable, 2);
    for (size_t i = 1; i < document.ticket_count; i++)
        assert_true(document.tickets[i - 1]->stored_ms <= document.tickets[i]->stored_ms);
    assert_true(jtgi_tls_document_is_consumed(&document, grave.id));
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_newest_is_by_time_not_by_arrival),
        TEST(the_oldest_of_all_gives_way),
        TEST(what_is_used_up_stays_used_up),
        TEST(a_full_memory_refuses),
        TEST(another_pin_purges_all_of_its_trust),
        TEST(pins_are_bounded_and_end),
        TEST(what_has_ended_is_forgotten),
        TEST(a_site_is_invalidated_with_or_without_room),
        TEST(what_was_read_is_brought_in_order),
    };
    return cmocka_run_group_tests_name("document of tls tickets", tests, NULL, NULL);
}
