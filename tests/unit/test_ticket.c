/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tickets/ticket.h"

#include "support/asserts.h"

#include <sodium.h>
#include <string.h>

static jtg_ticket_session session;
static unsigned char body[70000];

static int set_up(void **state)
{
    (void)state;
    session = (jtg_ticket_session)JTG_TICKET_SESSION_INIT;
    session.psk = "secret";
    session.psk_len = 6;
    session.lifetime_s = 60;
    return 0;
}

static void assert_round(void)
{
    jtg_ticket_session read = JTG_TICKET_SESSION_INIT;
    size_t size = jtgi_session_size(&session);
    assert_true(size > 0 && size <= sizeof body);
    memset(body, 0, sizeof body);
    jtgi_session_write(&session, body, size);
    assert_true(jtgi_session_read(&read, body, size));
    assert_int_equal(read.psk_len, session.psk_len);
    assert_memory_equal(read.psk, session.psk, session.psk_len);
    assert_int_equal(read.nonce_len, session.nonce_len);
    assert_int_equal(read.app_len, session.app_len);
    assert_int_equal(read.cipher_suite, session.cipher_suite);
    assert_int_equal(read.age_add, session.age_add);
    assert_int_equal(read.max_early_data, session.max_early_data);
    assert_false(jtgi_session_read(&read, body, size - 1));
    assert_false(jtgi_session_read(&read, body, size + 1));
}

static void the_bounds_are_as_documented(void **state)
{
    (void)state;
    static unsigned char bytes[JTG_TICKET_APP_MAX_BYTES + 1];
    assert_round();
    session.psk = session.nonce = session.app = bytes;
    session.psk_len = JTG_TICKET_PSK_MAX_BYTES;
    session.nonce_len = JTG_TICKET_NONCE_MAX_BYTES;
    session.app_len = JTG_TICKET_APP_MAX_BYTES;
    session.cipher_suite = 0xffff;
    session.age_add = session.max_early_data = UINT32_MAX;
    assert_round();
    assert_true(jtgi_session_size(&session) + JTGI_TICKET_HEADER_BYTES + JTGI_CIPHER_TAG_BYTES <=
                JTG_TICKET_MAX_BYTES);
    session.app_len++;
    assert_int_equal(jtgi_session_size(&session), 0);
    session.app_len = 0;
    session.nonce_len++;
    assert_int_equal(jtgi_session_size(&session), 0);
    session.nonce_len = 0;
    session.psk_len++;
    assert_int_equal(jtgi_session_size(&session), 0);
    session.psk_len = 0;
    assert_int_equal(jtgi_session_size(&session), 0);
    session.psk_len = 1;
    session.cipher_suite = 0x10000;
    assert_int_equal(jtgi_session_size(&session), 0);
    session.cipher_suite = 0;
    session.psk = NULL;
    assert_int_equal(jtgi_session_size(&session), 0);
}

/* A ticket of this very form was handed out: pinned. */
static void the_layout_is_pinned(void **state)
{
    (void)state;
    struct jtgi_span name = {"zone", 4};
    struct jtgi_ticket_zone zone;
    struct jtgi_ticket_key *key = NULL;
    struct jtgi_ticket_times times = {1795176000000, 60};
    unsigned char ticket[256];
    jtgi_ticket_zone_init(&zone, name);
    assert_status(jtgi_ticket_key_draw(&key, name), JTG_OK);
    size_t size = jtgi_session_size(&session);
    jtgi_session_write(&session, body, size);
    assert_status(jtgi_ticket_seal(key, &zone, JTGI_TICKET_SESSION, &times, body, size, ticket),
                  JTG_OK);
    assert_memory_equal(ticket, key->name, JTG_TICKET_NAME_BYTES);
    assert_memory_equal(ticket + 16, "\1\1", 2);
    assert_memory_equal(ticket + 18, zone.tag, 4);
    assert_memory_equal(body, "\0\0\1\xa1\xf8\xd3\xea\0\0\0\0\x3c", 12);
    struct jtgi_span span = {ticket, size + JTGI_TICKET_HEADER_BYTES + JTGI_CIPHER_TAG_BYTES};
    assert_int_equal(jtgi_ticket_check(&zone, JTGI_TICKET_SESSION, span), JTG_TICKET_DONE);
    assert_int_equal(jtgi_ticket_check(&zone, JTGI_TICKET_BYTES, span), JTG_TICKET_MALFORMED);
    for (size_t len = 0; len < JTGI_TICKET_LEAST_BYTES; len++) {
        struct jtgi_span cut = {ticket, len};
        assert_int_equal(jtgi_ticket_check(&zone, JTGI_TICKET_SESSION, cut), JTG_TICKET_MALFORMED);
    }
    jtgi_ticket_key_drop(key);
}

static void zone_tags_differ(void **state)
{
    (void)state;
    struct jtgi_ticket_zone a;
    struct jtgi_ticket_zone b;
    jtgi_ticket_zone_init(&a, (struct jtgi_span){"zone", 4});
    jtgi_ticket_zone_init(&b, (struct jtgi_span){"zonf", 4});
    assert_memory_not_equal(a.tag, b.tag, sizeof a.tag);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_bounds_are_as_documented, set_up),
        cmocka_unit_test_setup(the_layout_is_pinned, set_up),
        cmocka_unit_test_setup(zone_tags_differ, set_up),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
