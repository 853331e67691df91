/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tickets/ticket.h"

#include "support/asserts.h"
#include "support/ticket_fixture.h"

#include <sodium.h>
#include <string.h>

static void a_session_comes_back_as_it_was(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_session session = JTG_TICKET_SESSION_INIT;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, keys, 3600));
    assert_int_equal(fixture->ticket_len, JTG_TICKET_SESSION_FIXED_BYTES + 33 + 2 + 3);
    test_clock_advance(&fixture->clock, 1500);
    assert_true(jtg_ticket_open(keys, fixture->ticket, fixture->ticket_len, &session, NULL, NULL));
    assert_int_equal(session.age_ms, 1500);
    assert_int_equal(session.lifetime_s, 3600);
    assert_int_equal(session.renew, 0);
    jtg_ticket_session_clear(&session);
    assert_null(session.psk);
    assert_true(ticket_fixture_opens(fixture, keys));
}

/* Each bit of a ticket, with the reason of its place. */
static void every_bit_of_a_ticket_counts(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, keys, 3600));
    for (size_t bit = 0; bit < 8 * fixture->ticket_len; bit++) {
        size_t at = bit / 8;
        fixture->ticket[at] ^= (unsigned char)(1U << bit % 8);
        assert_false(ticket_fixture_opens(fixture, keys));
        assert_ticket_reason(fixture->reason, at < 16   ? JTG_TICKET_UNKNOWN_KEY
                                              : at < 18 ? JTG_TICKET_MALFORMED
                                              : at < 22 ? JTG_TICKET_WRONG_ZONE
                                                        : JTG_TICKET_TAMPERED);
        fixture->ticket[at] ^= (unsigned char)(1U << bit % 8);
    }
    for (size_t len = 0; len < fixture->ticket_len; len++) {
        size_t whole = fixture->ticket_len;
        fixture->ticket_len = len;
        assert_false(ticket_fixture_opens(fixture, keys));
        fixture->ticket_len = whole;
    }
    assert_true(ticket_fixture_opens(fixture, keys));
}

/* The header of one ticket with the body of another. */
static void parts_of_two_tickets_do_not_mix(void **state)
{
    struct ticket_fixture *fixture = *state;
    unsigned char first[TICKET_ROOM];
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, keys, 3600));
    memcpy(first, fixture->ticket, fixture->ticket_len);
    assert_true(ticket_fixture_seal(fixture, keys, 3600));
    memcpy(fixture->ticket, first, JTGI_TICKET_HEADER_BYTES);
    assert_false(ticket_fixture_opens(fixture, keys));
    assert_ticket_reason(fixture->reason, JTG_TICKET_TAMPERED);
}

static void a_ticket_ends_with_its_lifetime(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, keys, 10));
    test_clock_advance(&fixture->clock, 9999);
    assert_true(ticket_fixture_opens(fixture, keys));
    test_clock_advance(&fixture->clock, 1);
    assert_false(ticket_fixture_opens(fixture, keys));
    assert_ticket_reason(fixture->reason, JTG_TICKET_EXPIRED);
}

static void a_lifetime_that_was_shortened_holds_for_old_tickets_too(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, keys, TICKET_LIFETIME_S));
    fixture->options.ticket_lifetime_s = 60;
    keys = ticket_fixture_open(fixture, 1);
    assert_true(ticket_fixture_opens(fixture, keys));
    test_clock_advance(&fixture->clock, 60000);
    assert_false(ticket_fixture_opens(fixture, keys));
    assert_ticket_reason(fixture->reason, JTG_TICKET_EXPIRED);
}

/* Nobody rotated for so long that the key is still in the set, and over. */
static void a_key_that_is_over_opens_nothing(void **state)
{
    struct ticket_fixture *fixture = *state;
    fixture->options.refresh_on_use = 0;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, keys, TICKET_LIFETIME_S));
    test_clock_advance(&fixture->clock, INT64_C(2) * TICKET_ROTATION_MS +
                                            (int64_t)TICKET_LIFETIME_S * 1000 +
                                            fixture->options.margin_ms - 1);
    assert_false(ticket_fixture_opens(fixture, keys));
    assert_ticket_reason(fixture->reason, JTG_TICKET_EXPIRED);
    test_clock_advance(&fixture->clock, 1);
    assert_false(ticket_fixture_opens(fixture, keys));
    assert_ticket_reason(fixture->reason, JTG_TICKET_EXPIRED_KEY);
}

/* The wall clock goes on in a suspend, the monotonic one does not: the later of the two decides. */
static void a_ticket_ages_while_the_machine_sleeps(void **state)
{
    struct ticket_fixture *fixture = *state;
    fixture->options.refresh_on_use = 0;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, keys, 60));
    fixture->clock.wall_ms += 60 * 1000;
    assert_false(ticket_fixture_opens(fixture, keys));
    assert_ticket_reason(fixture->reason, JTG_TICKET_EXPIRED);
}

static void another_zone_opens_nothing(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, keys, 60));
    fixture->options.zone = "other";
    jtg_ticket_keys *other = ticket_fixture_open(fixture, 1);
    assert_false(ticket_fixture_opens(fixture, other));
    assert_ticket_reason(fixture->reason, JTG_TICKET_WRONG_ZONE);
    struct jtgi_ticket_zone zone; /* and with its tag put right it has no such key */
    jtgi_ticket_zone_init(&zone, (struct jtgi_span){"other", 5});
    memcpy(fixture->ticket + 18, zone.tag, sizeof zone.tag);
    assert_false(ticket_fixture_opens(fixture, other));
    assert_ticket_reason(fixture->reason, JTG_TICKET_UNKNOWN_KEY);
}

/* Sealed by an instance whose time runs ahead of all the others'. */
static void a_ticket_from_the_future_is_refused(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    struct test_clock fast = {fixture->clock.monotonic_ms, fixture->clock.wall_ms};
    jtg_clock fast_option = test_clock_as_jtg(&fast);
    fixture->options.clock = &fast_option;
    fixture->options.refresh_on_use = 0;
    jtg_ticket_keys *ahead = ticket_fixture_open(fixture, 1);
    fixture->options.clock = &fixture->clock_option;
    test_clock_advance(&fast, fixture->options.margin_ms + 1);
    assert_true(ticket_fixture_seal(fixture, ahead, 60));
    assert_false(ticket_fixture_opens(fixture, keys));
    assert_ticket_reason(fixture->reason, JTG_TICKET_FROM_THE_FUTURE);
    test_clock_advance(&fixture->clock, 1);
    assert_true(ticket_fixture_opens(fixture, keys));
}

static void a_newer_key_says_renew(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_session session = JTG_TICKET_SESSION_INIT;
    jtg_ticket_cbc_key key;
    uint32_t renew = 7;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, keys, TICKET_LIFETIME_S));
    assert_true(jtg_ticket_cbc_open_key(keys, fixture->ticket, &key, &renew, NULL, NULL));
    assert_int_equal(renew, 0);
    test_clock_advance(&fixture->clock, TICKET_ROTATION_MS);
    assert_status(jtg_ticket_keys_refresh(keys, NULL), JTG_OK);
    assert_true(jtg_ticket_open(keys, fixture->ticket, fixture->ticket_len, &session, NULL, NULL));
    assert_int_equal(session.renew, 1);
    jtg_ticket_session_clear(&session);
    assert_true(jtg_ticket_cbc_open_key(keys, fixture->ticket, &key, &renew, NULL, NULL));
    assert_int_equal(renew, 1);
    jtg_ticket_cbc_key_clear(&key);
    assert_true(sodium_is_zero((unsigned char *)&key, sizeof key));
}

static void the_bound_on_seals_holds_and_calls_for_the_next_key(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_error err = JTG_ERROR_INIT;
    jtg_ticket_cbc_key key;
    fixture->options.max_seals = 8;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    for (int i = 0; i < 8; i++)
        assert_true(ticket_fixture_seal(fixture, keys, 60));
    assert_false(jtg_ticket_cbc_seal_key(keys, &key, &fixture->reason, &err));
    assert_ticket_reason(fixture->reason, JTG_TICKET_SEALED_OUT);
    assert_true(ticket_fixture_opens(fixture, keys));
    test_clock_advance(&fixture->clock, fixture->options.refresh_interval_ms);
    assert_false(ticket_fixture_seal(fixture, keys, 60)); /* which asks for the next key */
    assert_ticket_reason(fixture->reason, JTG_TICKET_SEALED_OUT);
    test_clock_advance(&fixture->clock, TICKET_LEAD_MS);
    for (int i = 0; i < 8; i++)
        assert_true(ticket_fixture_seal(fixture, keys, 60));
    assert_false(ticket_fixture_seal(fixture, keys, 60));
}

static void bytes_come_back_as_they_were(void **state)
{
    struct ticket_fixture *fixture = *state;
    static unsigned char data[JTG_TICKET_MAX_BYTES];
    static unsigned char ticket[JTG_TICKET_MAX_BYTES];
    static unsigned char opened[JTG_TICKET_MAX_BYTES];
    const size_t most = JTG_TICKET_MAX_BYTES - JTG_TICKET_OVERHEAD_BYTES;
    const size_t lengths[] = {0, 1, 16, 1000, most};
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    randombytes_buf(data, sizeof data);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t ticket_len = sizeof ticket;
        size_t opened_len = sizeof opened;
        uint32_t renew = 7;
        assert_true(
            jtg_ticket_seal_bytes(keys, data, lengths[i], 60, ticket, &ticket_len, NULL, NULL));
        assert_int_equal(ticket_len, lengths[i] + JTG_TICKET_OVERHEAD_BYTES);
        assert_true(jtg_ticket_open_bytes(keys, ticket, ticket_len, opened, &opened_len, &renew,
                                          NULL, NULL));
        assert_int_equal(opened_len, lengths[i]);
        assert_memory_equal(opened, data, opened_len);
        assert_int_equal(renew, 0);
    }
    size_t ticket_len = sizeof ticket;
    assert_false(jtg_ticket_seal_bytes(keys, data, most + 1, 60, ticket, &ticket_len,
                                       &fixture->reason, NULL));
    assert_ticket_reason(fixture->reason, JTG_TICKET_BAD_ARGUMENT);
    assert_int_equal(ticket_len, 0);
}

/* One kind cannot pass for the other. */
static void sessions_and_bytes_are_kept_apart(void **state)
{
    struct ticket_fixture *fixture = *state;
    unsigned char data[TICKET_ROOM];
    size_t data_len = sizeof data;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, keys, 60));
    assert_false(jtg_ticket_open_bytes(keys, fixture->ticket, fixture->ticket_len, data, &data_len,
                                       NULL, &fixture->reason, NULL));
    assert_ticket_reason(fixture->reason, JTG_TICKET_MALFORMED);
    assert_int_equal(data_len, 0);
    fixture->ticket[17] = JTGI_TICKET_BYTES;
    data_len = sizeof data;
    assert_false(jtg_ticket_open_bytes(keys, fixture->ticket, fixture->ticket_len, data, &data_len,
                                       NULL, &fixture->reason, NULL));
    assert_ticket_reason(fixture->reason, JTG_TICKET_TAMPERED);
}

static void the_cbc_view_is_the_same_everywhere(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_cbc_key sealing;
    jtg_ticket_cbc_key opening;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    jtg_ticket_keys *other = ticket_fixture_open(fixture, 1);
    assert_true(jtg_ticket_cbc_seal_key(keys, &sealing, NULL, NULL));
    assert_true(jtg_ticket_cbc_open_key(other, sealing.name, &opening, NULL, NULL, NULL));
    assert_memory_equal(&sealing, &opening, sizeof sealing);
    opening.name[3] ^= 1;
    assert_false(
        jtg_ticket_cbc_open_key(other, opening.name, &opening, NULL, &fixture->reason, NULL));
    assert_ticket_reason(fixture->reason, JTG_TICKET_UNKNOWN_KEY);
    assert_true(sodium_is_zero((unsigned char *)&opening, sizeof opening));
}

static void bad_arguments_are_told(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    jtg_ticket_session session = JTG_TICKET_SESSION_INIT;
    unsigned char ticket[TICKET_ROOM];
    size_t len = sizeof ticket;
    jtg_error err = JTG_ERROR_INIT;
    session.psk = "secret";
    session.psk_len = 6;
    session.lifetime_s = 60;
    assert_false(jtg_ticket_seal(NULL, &session, ticket, &len, NULL, &err));
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_false(jtg_ticket_seal(keys, NULL, ticket, &len, NULL, &err));
    assert_false(jtg_ticket_seal(keys, &session, ticket, NULL, NULL, &err));
    len = sizeof ticket;
    assert_false(jtg_ticket_seal(keys, &session, NULL, &len, NULL, &err));
    len = JTG_TICKET_SESSION_FIXED_BYTES + 5;
    assert_false(jtg_ticket_seal(keys, &session, ticket, &len, NULL, &err));
    len = JTG_TICKET_SESSION_FIXED_BYTES + 6;
    assert_true(jtg_ticket_seal(keys, &session, ticket, &len, NULL, &err));
    assert_err_tells(&err, JTG_OK);
    session.lifetime_s = 0;
    len = sizeof ticket;
    assert_false(jtg_ticket_seal(keys, &session, ticket, &len, NULL, &err));
    session.lifetime_s = TICKET_LIFETIME_S + 1;
    len = sizeof ticket;
    assert_false(jtg_ticket_seal(keys, &session, ticket, &len, &fixture->reason, &err));
    assert_ticket_reason(fixture->reason, JTG_TICKET_BAD_ARGUMENT);
    session.struct_size = 0;
    assert_false(jtg_ticket_open(keys, ticket, 100, &session, NULL, &err));
    assert_false(jtg_ticket_open(keys, NULL, 100, &session, NULL, &err));
    assert_false(jtg_ticket_cbc_seal_key(keys, NULL, NULL, NULL));
    assert_int_equal(jtg_ticket_keys_counter(keys, JTG_TICKET_BAD_ARGUMENT), 9);
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, ticket_fixture_set_up, ticket_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_session_comes_back_as_it_was),
        CASE(every_bit_of_a_ticket_counts),
        CASE(parts_of_two_tickets_do_not_mix),
        CASE(a_ticket_ends_with_its_lifetime),
        CASE(a_lifetime_that_was_shortened_holds_for_old_tickets_too),
        CASE(a_key_that_is_over_opens_nothing),
        CASE(a_ticket_ages_while_the_machine_sleeps),
        CASE(another_zone_opens_nothing),
        CASE(a_ticket_from_the_future_is_refused),
        CASE(a_newer_key_says_renew),
        CASE(the_bound_on_seals_holds_and_calls_for_the_next_key),
        CASE(bytes_come_back_as_they_were),
        CASE(sessions_and_bytes_are_kept_apart),
        CASE(the_cbc_view_is_the_same_everywhere),
        CASE(bad_arguments_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
