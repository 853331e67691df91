/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/common/cipher.h"

#include "support/asserts.h"

#include <sodium.h>
#include <string.h>

enum { PLAIN_BYTES = 45, SEALED_BYTES = PLAIN_BYTES + JTGI_CIPHER_TAG_BYTES };

static struct jtgi_span text(const char *string)
{
    struct jtgi_span span = {string, strlen(string)};
    return span;
}

static void seals_to(unsigned char key_byte, const char *aad, const char *plain, const char *hex)
{
    unsigned char key[JTGI_SECRET_BYTES];
    unsigned char sealed[64];
    unsigned char opened[64];
    char got[2 * sizeof sealed + 1];
    const unsigned char *nonce = (const unsigned char *)"ABCDEFGHIJKLMNOPQRSTUVWX";
    struct jtgi_bound bound = {text(aad), {NULL, 0}};
    size_t sealed_len = strlen(plain) + JTGI_CIPHER_TAG_BYTES;
    memset(key, key_byte, sizeof key);
    assert_status(jtgi_cipher_seal(key, nonce, &bound, text(plain), sealed), JTG_OK);
    assert_string_equal(sodium_bin2hex(got, sizeof got, sealed, sealed_len), hex);
    struct jtgi_span span = {sealed, sealed_len};
    assert_status(jtgi_cipher_open(key, nonce, &bound, span, opened), JTG_OK);
    assert_memory_equal(opened, plain, strlen(plain));
}

/* The vectors of the specification: the first subkey of one key has its highest bit set, of the
 * other not. */
static void it_is_xaes_256_gcm(void **state)
{
    (void)state;
    seals_to(1, "", "XAES-256-GCM", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271");
    seals_to(3, "c2sp.org/XAES-256-GCM", "XAES-256-GCM",
             "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d");
}

struct message {
    unsigned char key[JTGI_SECRET_BYTES];
    unsigned char nonce[JTGI_CIPHER_NONCE_BYTES];
    unsigned char header[9];
    unsigned char context[5];
    unsigned char plain[PLAIN_BYTES];
    unsigned char sealed[SEALED_BYTES];
};

static jtg_status open_message(const struct message *message)
{
    unsigned char opened[SEALED_BYTES];
    struct jtgi_bound bound = {{message->header, sizeof message->header},
                               {message->context, sizeof message->context}};
    struct jtgi_span sealed = {message->sealed, sizeof message->sealed};
    memset(opened, 0xaa, sizeof opened);
    jtg_status status = jtgi_cipher_open(message->key, message->nonce, &bound, sealed, opened);
    if (status == JTG_OK)
        assert_memory_equal(opened, message->plain, PLAIN_BYTES);
    else
        assert_true(sodium_is_zero(opened, PLAIN_BYTES)); /* nothing unauthentic is left */
    return status;
}

/* Every bit of key, nonce, header, context, text and tag. */
static void every_bit_counts(void **state)
{
    (void)state;
    struct message message;
    randombytes_buf(&message, sizeof message);
    struct jtgi_bound bound = {{message.header, sizeof message.header},
                               {message.context, sizeof message.context}};
    struct jtgi_span plain = {message.plain, sizeof message.plain};
    assert_status(jtgi_cipher_seal(message.key, message.nonce, &bound, plain, message.sealed),
                  JTG_OK);
    assert_status(open_message(&message), JTG_OK);
    unsigned char *bytes = (unsigned char *)&message;
    for (size_t bit = 0; bit < 8 * sizeof message; bit++) {
        size_t at = bit / 8;
        if (at >= offsetof(struct message, plain) && at < offsetof(struct message, sealed))
            continue;
        bytes[at] = (unsigned char)(bytes[at] ^ 1U << bit % 8);
        assert_status(open_message(&message), JTG_MISMATCH);
        bytes[at] = (unsigned char)(bytes[at] ^ 1U << bit % 8);
    }
    assert_status(open_message(&message), JTG_OK);
}

static void shorter_than_a_tag_is_not_authentic(void **state)
{
    (void)state;
    unsigned char key[JTGI_SECRET_BYTES] = {1};
    unsigned char nonce[JTGI_CIPHER_NONCE_BYTES] = {2};
    unsigned char sealed[JTGI_CIPHER_TAG_BYTES] = {3};
    struct jtgi_bound bound = {{NULL, 0}, {NULL, 0}};
    for (size_t len = 0; len <= sizeof sealed; len++) {
        struct jtgi_span span = {sealed, len};
        assert_status(jtgi_cipher_open(key, nonce, &bound, span, nonce), JTG_MISMATCH);
    }
}

/* The first block of HKDF-Expand is HMAC(key, info, 1): by another library. */
static void it_derives_by_hkdf(void **state)
{
    (void)state;
    unsigned char key[JTGI_SECRET_BYTES];
    unsigned char derived[JTGI_SECRET_BYTES];
    unsigned char longer[2 * JTGI_SECRET_BYTES];
    unsigned char expected[crypto_auth_hmacsha256_BYTES];
    static const unsigned char info[] = "label\0zone\1";
    randombytes_buf(key, sizeof key);
    assert_status(jtgi_cipher_derive(key, "label", text("zone"), derived, sizeof derived), JTG_OK);
    crypto_auth_hmacsha256(expected, info, sizeof info - 1, key);
    assert_memory_equal(derived, expected, sizeof expected);
    assert_status(jtgi_cipher_derive(key, "label", text("zone"), longer, sizeof longer), JTG_OK);
    assert_memory_equal(longer, expected, sizeof expected);
    assert_status(jtgi_cipher_derive(key, "labe", text("lzone"), derived, sizeof derived), JTG_OK);
    assert_memory_not_equal(derived, expected, sizeof expected);
}

static void what_is_no_random_key_is_weak(void **state)
{
    (void)state;
    unsigned char secret[JTGI_SECRET_BYTES] = {0};
    assert_true(jtgi_secret_is_weak(secret));
    memset(secret, 0xff, sizeof secret);
    assert_true(jtgi_secret_is_weak(secret));
    for (unsigned step = 1; step < 256; step++) {
        for (unsigned i = 0; i < sizeof secret; i++)
            secret[i] = (unsigned char)(7 + step * i);
        assert_true(jtgi_secret_is_weak(secret));
    }
    memcpy(secret, "changemechangemechangemechangeme", sizeof secret);
    assert_true(jtgi_secret_is_weak(secret));
    for (int i = 0; i < 10000; i++) {
        randombytes_buf(secret, sizeof secret);
        assert_false(jtgi_secret_is_weak(secret));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_xaes_256_gcm),
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(shorter_than_a_tag_is_not_authentic),
        cmocka_unit_test(it_derives_by_hkdf),
        cmocka_unit_test(what_is_no_random_key_is_weak),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
