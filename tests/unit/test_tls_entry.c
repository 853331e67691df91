/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tls/tls_entry.h"

#include "support/asserts.h"

#include <sodium.h>
#include <string.h>

enum { NOW_MS = 1000000, MAX_AGE_S = 50 };

static const struct jtgi_tls_keys clear;
static struct jtgi_tls_keys sealing = {.is_sealing = true};
static struct jtgi_tls_keys hiding = {.is_sealing = true, .is_hiding = true};

static int set_up(void **state)
{
    (void)state;
    unsigned char key[JTGI_SECRET_BYTES];
    if (sodium_init() < 0)
        return -1;
    randombytes_buf(key, sizeof key);
    return jtgi_tls_keys_derive(&sealing, key) == JTG_OK &&
                   jtgi_tls_keys_derive(&hiding, key) == JTG_OK
               ? 0
               : -1;
}

static struct jtgi_tls_place place_of(const struct jtgi_tls_keys *keys, const char *host,
                                      uint32_t port, const char *alpn, const char *parameters)
{
    struct jtgi_tls_place place;
    jtg_endpoint endpoint = JTG_ENDPOINT_INIT;
    endpoint.host = host;
    endpoint.port = port;
    endpoint.alpn = alpn;
    endpoint.alpn_len = strlen(alpn);
    endpoint.parameters = parameters;
    endpoint.parameters_len = strlen(parameters);
    assert_status(jtgi_tls_place_find(keys, &endpoint, &place, NULL), JTG_OK);
    return place;
}

static struct jtgi_tls_entry *make(const struct jtgi_tls_keys *keys, const char *text)
{
    struct jtgi_tls_entry *entry = NULL;
    struct jtgi_tls_place place = place_of(keys, "example.org", 443, "h2", "x");
    jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
    ticket.ticket = text;
    ticket.ticket_len = strlen(text);
    ticket.lifetime_s = 100;
    memset(ticket.pin, 'p', sizeof ticket.pin);
    assert_status(jtgi_tls_entry_make(keys, &place, &ticket, NOW_MS, &entry), JTG_OK);
    return entry;
}

static bool is_same(const void *a, const void *b)
{
    return memcmp(a, b, JTGI_ENDPOINT_DIGEST_BYTES) == 0;
}

static void a_place_has_three_widths(void **state)
{
    (void)state;
    struct jtgi_tls_place a = place_of(&clear, "Example.org.", 443, "h2", "x");
    struct jtgi_tls_place other_alpn = place_of(&clear, "example.org", 443, "h3", "x");
    struct jtgi_tls_place other_trust = place_of(&clear, "example.org", 443, "h2", "y");
    assert_string_equal(a.site, "example.org:443");
    assert_string_equal(other_trust.site, a.site);
    assert_true(is_same(a.trust, other_alpn.trust));
    assert_false(is_same(a.trust, other_trust.trust));
    assert_false(is_same(a.endpoint, other_alpn.endpoint));
    assert_false(is_same(a.endpoint, other_trust.endpoint));
    assert_false(is_same(a.endpoint, a.trust));
    a = place_of(&clear, "[2001:DB8::1]", 65535, "", "");
    assert_string_equal(a.site, "[2001:db8::1]:65535");
    jtg_endpoint wrong = JTG_ENDPOINT_INIT;
    assert_status(jtgi_tls_place_find(&clear, &wrong, &a, NULL), JTG_ERR_ARGUMENT);
}

static void a_hidden_place_says_nothing(void **state)
{
    (void)state;
    struct jtgi_tls_place open = place_of(&sealing, "example.org", 443, "h2", "x");
    struct jtgi_tls_place hidden = place_of(&hiding, "example.org", 443, "h2", "x");
    struct jtgi_tls_place again = place_of(&hiding, "EXAMPLE.org", 443, "h2", "x");
    assert_string_equal(open.site, "example.org:443");
    assert_int_equal(strlen(hidden.site), JTGI_ENDPOINT_DIGEST_TEXT_BYTES);
    assert_string_equal(hidden.site, again.site);
    assert_false(is_same(open.endpoint, hidden.endpoint)); /* a list of hosts finds none */
    assert_false(is_same(open.trust, hidden.trust));
    assert_true(is_same(again.endpoint, hidden.endpoint));
}

static void a_ticket_comes_back(void **state)
{
    (void)state;
    const struct jtgi_tls_keys *const all[] = {&clear, &sealing, &hiding};
    for (size_t i = 0; i < 3; i++) {
        jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
        struct jtgi_tls_entry *entry = make(all[i], "a ticket");
        assert_int_equal(memmem(entry->bytes, entry->len, "ticket", 6) != NULL, i == 0);
        assert_status(jtgi_tls_entry_open(all[i], entry, NOW_MS + 7, MAX_AGE_S, &ticket), JTG_OK);
        assert_int_equal(ticket.ticket_len, 8);
        assert_memory_equal(ticket.ticket, "a ticket", 8);
        assert_true(ticket.pin[0] == 'p' && ticket.pin[31] == 'p');
        assert_int_equal(memmem(entry->pin, sizeof entry->pin, "pp", 2) == NULL, i == 2);
        assert_int_equal(ticket.age_ms, 7);
        assert_int_equal(ticket.left_ms, 1000 * MAX_AGE_S - 7);
        jtg_tls_ticket_clear(&ticket);
        jtgi_tls_entry_free(entry);
    }
}

/* Sealed, it is bound to all that is said of it. */
static void a_changed_entry_does_not_open(void **state)
{
    (void)state;
    struct jtgi_tls_entry *good = make(&sealing, "a ticket");
    jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
    for (unsigned i = 0; i < 9; i++) {
        struct jtgi_tls_entry *bad = jtgi_tls_entry_copy(good);
        unsigned char before[JTGI_TLS_CHECK_BYTES];
        unsigned char after[JTGI_TLS_CHECK_BYTES];
        jtgi_tls_entry_check(good, before);
        if (i == 0)
            bad->place.site[0] = 'x';
        bad->place.trust[31] ^= i == 1;
        bad->place.endpoint[0] ^= i == 2;
        bad->id[15] ^= i == 3;
        bad->pin[31] ^= i == 4;
        bad->stored_ms += i == 5;
        bad->lifetime_s += i == 6;
        bad->bytes[0] ^= i == 7;
        bad->bytes[bad->len - 1] ^= i == 8;
        jtgi_tls_entry_check(bad, after);
        assert_true(memcmp(before, after, sizeof before) != 0);
        assert_status(jtgi_tls_entry_open(&sealing, bad, NOW_MS, MAX_AGE_S, &ticket), JTG_MISMATCH);
        assert_null(ticket.storage);
        jtgi_tls_entry_free(bad);
    }
    assert_status(jtgi_tls_entry_open(&clear, good, NOW_MS, MAX_AGE_S, &ticket), JTG_MISMATCH);
    good->len = JTGI_TLS_SEALED_MORE_BYTES;
    assert_status(jtgi_tls_entry_open(&sealing, good, NOW_MS, MAX_AGE_S, &ticket), JTG_MISMATCH);
    jtgi_tls_entry_free(good);
    good = make(&clear, "a ticket");
    assert_status(jtgi_tls_entry_open(&sealing, good, NOW_MS, MAX_AGE_S, &ticket), JTG_MISMATCH);
    jtgi_tls_entry_free(good);
}

static void it_lives_from_when_it_was_stored(void **state)
{
    (void)state;
    struct jtgi_tls_entry *entry = make(&clear, "a ticket");
    assert_false(jtgi_tls_entry_is_live(entry, NOW_MS - 1, MAX_AGE_S));
    assert_true(jtgi_tls_entry_is_live(entry, NOW_MS, MAX_AGE_S));
    assert_true(jtgi_tls_entry_is_live(entry, NOW_MS + 1000 * MAX_AGE_S - 1, MAX_AGE_S));
    assert_false(jtgi_tls_entry_is_live(entry, NOW_MS + 1000 * MAX_AGE_S, MAX_AGE_S));
    assert_int_equal(jtgi_tls_entry_end_ms(entry, 1000), NOW_MS + 100000); /* the server's */
    jtgi_tls_entry_free(entry);
    jtgi_tls_entry_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_has_three_widths),
        cmocka_unit_test(a_hidden_place_says_nothing),
        cmocka_unit_test(a_ticket_comes_back),
        cmocka_unit_test(a_changed_entry_does_not_open),
        cmocka_unit_test(it_lives_from_when_it_was_stored),
    };
    return cmocka_run_group_tests_name("entry of tls tickets", tests, set_up, NULL);
}
