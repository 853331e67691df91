/* SPDX-License-Identifier: Apache-2.0 */
/* A session as bytes and back; and what is not one, is none. */
#include "adapters/openssl/client/session_record.h"
#include "adapters/openssl/session_sample.h"
#include "support/asserts.h"

#include <stdlib.h>
#include <string.h>

static struct session_sample sample;

static int set_up(void **state)
{
    (void)state;
    return session_sample_make(&sample) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    session_sample_clear(&sample);
    return 0;
}

static bool reads(const unsigned char *bytes, size_t len)
{
    struct jtgo_session_record record;
    /* Of its own size, so that a read behind its end is seen. */
    unsigned char *copy = malloc(len == 0 ? 1 : len);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    bool good = jtgo_session_record_read(&record, copy, len);
    free(copy);
    if (good)
        jtgo_session_record_clear(&record);
    return good;
}

static void comes_back_as_it_was(void **state)
{
    struct jtgo_session_record record;
    size_t len = 0;
    (void)state;
    assert_true(jtgo_session_record_read(&record, sample.bytes, sample.len));
    assert_int_equal(sk_X509_num(record.chain), 2);
    assert_int_equal(record.age_s, 0x1020304);
    assert_int_equal(SSL_SESSION_is_resumable(record.session), 1);
    unsigned char *again = jtgo_session_record_write(&record, &len);
    assert_non_null(again);
    assert_int_equal(len, sample.len);
    assert_memory_equal(again, sample.bytes, len);
    OPENSSL_clear_free(again, len);
    jtgo_session_record_clear(&record);
}

static void every_shorter_one_is_none(void **state)
{
    (void)state;
    for (size_t len = 0; len < sample.len; len++)
        assert_false(reads(sample.bytes, len));
}

static void a_longer_one_is_none(void **state)
{
    unsigned char *longer = malloc(sample.len + 1);
    (void)state;
    assert_non_null(longer);
    memcpy(longer, sample.bytes, sample.len);
    longer[sample.len] = 0;
    assert_false(reads(longer, sample.len + 1));
    free(longer);
}

/* One of each byte. Which of them are sessions still is OpenSSL's to say; none may be read past its
 * end or leak. */
static void a_flipped_bit_is_survived(void **state)
{
    unsigned char *flipped = malloc(sample.len);
    unsigned refused = 0;
    (void)state;
    assert_non_null(flipped);
    memcpy(flipped, sample.bytes, sample.len);
    for (size_t bit = 0; bit < 8 * sample.len; bit += 9) {
        flipped[bit / 8] ^= (unsigned char)(1U << bit % 8);
        refused += !reads(flipped, sample.len);
        flipped[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
    assert_true(refused > 0);
    free(flipped);
}

static void another_format_is_none(void **state)
{
    (void)state;
    sample.bytes[0]++;
    assert_false(reads(sample.bytes, sample.len));
    sample.bytes[0]--;
    assert_true(reads(sample.bytes, sample.len));
}

static void a_pin_is_of_the_key_alone(void **state)
{
    unsigned char pin[JTGO_SPKI_DIGEST_BYTES];
    unsigned char other[JTGO_SPKI_DIGEST_BYTES];
    struct jtgo_session_record record;
    (void)state;
    assert_true(jtgo_session_record_read(&record, sample.bytes, sample.len));
    X509 *certificate = SSL_SESSION_get0_peer(record.session);
    assert_true(jtgo_spki_digest(certificate, pin));
    assert_true(jtgo_spki_digest(sk_X509_value(record.chain, 0), other));
    assert_memory_equal(pin, other, sizeof pin); /* the same key, another certificate */
    assert_true(jtgo_spki_digest(sk_X509_value(record.chain, 1), other));
    assert_memory_not_equal(pin, other, sizeof pin);
    jtgo_session_record_clear(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_as_it_was),   cmocka_unit_test(every_shorter_one_is_none),
        cmocka_unit_test(a_longer_one_is_none),   cmocka_unit_test(a_flipped_bit_is_survived),
        cmocka_unit_test(another_format_is_none), cmocka_unit_test(a_pin_is_of_the_key_alone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
