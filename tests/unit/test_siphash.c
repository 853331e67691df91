/* SPDX-License-Identifier: Apache-2.0 */
/* Our SipHash against libsodium's, of every length; with fewer rounds against known answers. */
#include "table/siphash.h"

#include "support/asserts.h"

#include <sodium.h>

enum { LEN_MAX = 300 };

static unsigned char key[JTGI_SIPHASH_KEY_BYTES], data[LEN_MAX + 1];

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (unsigned char)i;
    randombytes_buf(data, sizeof data);
    return sodium_init() < 0;
}

static void test_64_bits_are_those_of_libsodium(void **state)
{
    (void)state;
    for (size_t len = 0; len <= LEN_MAX; len++)
        for (size_t begin = 0; begin < 2 && begin + len <= LEN_MAX; begin++) {
            unsigned char expected[crypto_shorthash_siphash24_BYTES];
            (void)crypto_shorthash_siphash24(expected, data + begin, len, key);
            assert_int_equal(jtgi_siphash64(key, data + begin, len, 2, 4),
                             jtgi_siphash_word(expected));
        }
}

static void test_128_bits_are_those_of_libsodium(void **state)
{
    (void)state;
    for (size_t len = 0; len <= LEN_MAX; len++) {
        unsigned char expected[crypto_shorthash_siphashx24_BYTES];
        (void)crypto_shorthash_siphashx24(expected, data, len, key);
        struct jtgi_hash128 hash = jtgi_siphash128(key, data, len, 2, 4);
        assert_int_equal(hash.low, jtgi_siphash_word(expected));
        assert_int_equal(hash.high, jtgi_siphash_word(expected + 8));
    }
}

/* The example of the paper's appendix A, and the answers of SipHash-1-3 to the same key and to no
 * data and one byte 0. */
static void test_known_answers(void **state)
{
    (void)state;
    unsigned char message[15];
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (unsigned char)i;
    assert_int_equal(jtgi_siphash64(key, message, sizeof message, 2, 4),
                     UINT64_C(0xa129ca6149be45e5));
    assert_int_equal(jtgi_siphash64(key, message, 0, 1, 3), UINT64_C(0xabac0158050fc4dc));
    assert_int_equal(jtgi_siphash64(key, message, 1, 1, 3), UINT64_C(0xc9f49bf37d57ca93));
}

static void test_every_bit_matters(void **state)
{
    (void)state;
    struct jtgi_hash128 first = jtgi_siphash128(key, data, 47, 1, 3);
    for (size_t bit = 0; bit < 47 * (size_t)8; bit++) {
        data[bit / 8] ^= (unsigned char)(1U << bit % 8);
        struct jtgi_hash128 hash = jtgi_siphash128(key, data, 47, 1, 3);
        data[bit / 8] ^= (unsigned char)(1U << bit % 8);
        assert_true(hash.low != first.low && hash.high != first.high);
    }
    for (size_t len = 0; len < 47; len++)
        assert_true(jtgi_siphash128(key, data, len, 1, 3).low != first.low);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_64_bits_are_those_of_libsodium),
        cmocka_unit_test(test_128_bits_are_those_of_libsodium),
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_every_bit_matters),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
