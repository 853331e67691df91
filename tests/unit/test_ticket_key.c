/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tickets/ticket_key.h"

#include "support/asserts.h"

#include <sodium.h>
#include <string.h>

static const struct jtgi_span zone = {"zone", 4};
static const struct jtgi_span other_zone = {"enoz", 4};

static void drawn_keys_differ_in_everything(void **state)
{
    (void)state;
    struct jtgi_ticket_key *a = NULL;
    struct jtgi_ticket_key *b = NULL;
    assert_status(jtgi_ticket_key_draw(&a, zone), JTG_OK);
    assert_status(jtgi_ticket_key_draw(&b, zone), JTG_OK);
    assert_memory_not_equal(a->name, b->name, sizeof a->name);
    assert_memory_not_equal(a->secret, b->secret, sizeof a->secret);
    assert_memory_not_equal(a->aead, b->aead, sizeof a->aead);
    assert_memory_not_equal(a->cbc, b->cbc, sizeof a->cbc);
    jtgi_ticket_key_drop(a);
    jtgi_ticket_key_drop(b);
}

/* No key is used for two ciphers, nor in two zones. */
static void what_is_derived_is_separate(void **state)
{
    (void)state;
    struct jtgi_ticket_key *a = NULL;
    struct jtgi_ticket_key *same = NULL;
    struct jtgi_ticket_key *other = NULL;
    assert_status(jtgi_ticket_key_draw(&a, zone), JTG_OK);
    assert_status(jtgi_ticket_key_new(&same, a->name, a->secret, zone), JTG_OK);
    assert_status(jtgi_ticket_key_new(&other, a->name, a->secret, other_zone), JTG_OK);
    assert_memory_equal(a->aead, same->aead, sizeof a->aead);
    assert_memory_equal(a->cbc, same->cbc, sizeof a->cbc);
    assert_memory_not_equal(a->aead, other->aead, sizeof a->aead);
    assert_memory_not_equal(a->cbc, other->cbc, sizeof a->cbc);
    assert_memory_not_equal(a->aead, a->secret, sizeof a->aead);
    assert_memory_not_equal(a->aead, a->cbc, sizeof a->aead);
    assert_memory_not_equal(a->cbc, a->cbc + JTGI_SECRET_BYTES, JTGI_SECRET_BYTES);
    jtgi_ticket_key_drop(a);
    jtgi_ticket_key_drop(same);
    jtgi_ticket_key_drop(other);
}

static void zeros_and_weak_keys_are_refused(void **state)
{
    (void)state;
    struct jtgi_ticket_key *key = NULL;
    unsigned char name[JTG_TICKET_NAME_BYTES] = {0};
    unsigned char secret[JTGI_SECRET_BYTES] = {0};
    randombytes_buf(secret, sizeof secret);
    assert_status(jtgi_ticket_key_new(&key, name, secret, zone), JTG_ERR_ARGUMENT);
    name[0] = 1;
    memset(secret, 0, sizeof secret);
    assert_status(jtgi_ticket_key_new(&key, name, secret, zone), JTG_ERR_ARGUMENT);
    memset(secret, 0x41, sizeof secret);
    assert_status(jtgi_ticket_key_new(&key, name, secret, zone), JTG_ERR_ARGUMENT);
    assert_null(key);
}

static void seals_are_counted_to_the_bound(void **state)
{
    (void)state;
    struct jtgi_ticket_key *key = NULL;
    assert_status(jtgi_ticket_key_draw(&key, zone), JTG_OK);
    for (int i = 0; i < 5; i++)
        assert_true(jtgi_ticket_key_count_seal(key, 5));
    assert_false(jtgi_ticket_key_count_seal(key, 5));
    assert_false(jtgi_ticket_key_count_seal(key, 5));
    assert_int_equal(atomic_load(&key->seals), 5);
    atomic_store(&key->seals, JTG_TICKET_MAX_SEALS_LIMIT - 1);
    assert_true(jtgi_ticket_key_count_seal(key, JTG_TICKET_MAX_SEALS_LIMIT));
    assert_false(jtgi_ticket_key_count_seal(key, JTG_TICKET_MAX_SEALS_LIMIT));
    jtgi_ticket_key_drop(key);
}

static void the_last_holder_frees(void **state)
{
    (void)state;
    struct jtgi_ticket_key *key = NULL;
    assert_status(jtgi_ticket_key_draw(&key, zone), JTG_OK);
    assert_ptr_equal(jtgi_ticket_key_hold(key), key);
    jtgi_ticket_key_drop(key);
    assert_int_equal(atomic_load(&key->holders), 1);
    jtgi_ticket_key_drop(key);
    jtgi_ticket_key_drop(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drawn_keys_differ_in_everything),
        cmocka_unit_test(what_is_derived_is_separate),
        cmocka_unit_test(zeros_and_weak_keys_are_refused),
        cmocka_unit_test(seals_are_counted_to_the_bound),
        cmocka_unit_test(the_last_holder_frees),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
