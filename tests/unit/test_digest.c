/* SPDX-License-Identifier: Apache-2.0 */
/* The digests beside SHA-256 of the bytes that the header says, written out. */
#include "core/digest.h"

#include "support/asserts.h"

#include <stdint.h>
#include <string.h>

static void assert_is_sha256_of(const unsigned char *digest, const char *bytes, size_t len)
{
    unsigned char expected[crypto_hash_sha256_BYTES];
    (void)crypto_hash_sha256(expected, (const unsigned char *)bytes, len);
    assert_memory_equal(digest, expected, sizeof expected);
}

static void parts_stand_behind_their_lengths(void **state)
{
    static const char bytes[] = "\0\0\0\0\0\0\0\3one\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0x";
    unsigned char made[JTGI_DIGEST_BYTES];
    struct jtgi_digest digest;
    (void)state;
    jtgi_digest_begin(&digest);
    jtgi_digest_part(&digest, "one", 3);
    jtgi_digest_part(&digest, NULL, 0);
    jtgi_digest_part(&digest, "\0x", 2);
    jtgi_digest_end(&digest, made);
    assert_is_sha256_of(made, bytes, sizeof bytes - 1);
}

static void a_length_has_all_its_bytes(void **state)
{
    enum { LONG = 0x012345 };
    static char bytes[8 + LONG] = "\0\0\0\0\0\x01\x23\x45";
    unsigned char made[JTGI_DIGEST_BYTES];
    struct jtgi_digest digest;
    (void)state;
    memset(bytes + 8, 'x', LONG);
    jtgi_digest_begin(&digest);
    jtgi_digest_part(&digest, bytes + 8, LONG);
    jtgi_digest_end(&digest, made);
    assert_is_sha256_of(made, bytes, sizeof bytes);
}

static void a_tag_is_counted_with_its_part(void **state)
{
    static const char bytes[] = "\0\0\0\0\0\0\0\4jone\0\0\0\0\0\0\0\1d";
    unsigned char made[JTGI_DIGEST_BYTES];
    struct jtgi_digest digest;
    (void)state;
    jtgi_digest_begin(&digest);
    jtgi_digest_tagged_part(&digest, 'j', "one", 3);
    jtgi_digest_tagged_part(&digest, 'd', NULL, 0);
    jtgi_digest_end(&digest, made);
    assert_is_sha256_of(made, bytes, sizeof bytes - 1);
}

static void a_label_ends_with_its_nul(void **state)
{
    static const char bytes[] = "label 1\0value";
    unsigned char made[JTGI_DIGEST_BYTES];
    (void)state;
    jtgi_digest_labelled("label 1", "value", 5, made);
    assert_is_sha256_of(made, bytes, sizeof bytes - 1);
    jtgi_digest_labelled("label 1", NULL, 0, made);
    assert_is_sha256_of(made, bytes, 8);
}

static void the_text_is_base64url_without_padding(void **state)
{
    unsigned char bytes[JTGI_DIGEST_BYTES] = {0xfb, 0xff};
    char text[JTGI_DIGEST_TEXT_BYTES + 1];
    (void)state;
    jtgi_digest_write(bytes, text);
    assert_string_equal(text, "-_8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_stand_behind_their_lengths),
        cmocka_unit_test(a_length_has_all_its_bytes),
        cmocka_unit_test(a_tag_is_counted_with_its_part),
        cmocka_unit_test(a_label_ends_with_its_nul),
        cmocka_unit_test(the_text_is_base64url_without_padding),
    };
    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
