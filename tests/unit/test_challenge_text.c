/* SPDX-License-Identifier: Apache-2.0 */
/* The form of a challenge is pinned: instances of different builds read each other's. */
#include "tokens/challenges/challenge_text.h"

#include "support/asserts.h"

#include <string.h>

static const struct jtgi_challenge_scope scope = {"default", 7, "webauthn", 8};
static const struct jtgi_challenge one = {.range = "a range's name..",
                                          .number = 65471,
                                          .born_ms = 1795176000000,
                                          .end_ms = 1795176300000};

static struct jtgi_challenge_key key_of(unsigned char number)
{
    unsigned char bytes[JTG_CHALLENGE_SECRET_BYTES];
    struct jtgi_challenge_key key;
    memset(bytes, number, sizeof bytes);
    jtgi_challenge_key_set(&key, bytes);
    return key;
}

static bool is_ours(const char *text, const struct jtgi_challenge_key *key,
                    const struct jtgi_challenge_scope *of)
{
    struct jtgi_challenge_shown shown;
    return jtgi_challenge_read(&shown, text, strlen(text)) && jtgi_challenge_is_of(&shown, key, of);
}

static void what_is_written_is_read(void **state)
{
    struct jtgi_challenge_key key = key_of(7);
    struct jtgi_challenge_shown shown;
    char text[JTG_CHALLENGE_TEXT_BYTES];
    (void)state;
    jtgi_challenge_write(&one, &key, &scope, text);
    assert_int_equal(strlen(text), JTG_CHALLENGE_TEXT_BYTES - 1);
    assert_true(jtgi_challenge_read(&shown, text, strlen(text)));
    assert_memory_equal(shown.challenge.range, one.range, sizeof one.range);
    assert_memory_equal(shown.challenge.key_id, key.id, sizeof key.id);
    assert_int_equal(shown.challenge.number, one.number);
    assert_int_equal(shown.challenge.born_ms, one.born_ms);
    assert_int_equal(shown.challenge.end_ms, one.end_ms);
    assert_true(jtgi_challenge_is_of(&shown, &key, &scope));
}

/* Worked out with Python's hashlib.blake2b. */
static void the_form_is_pinned(void **state)
{
    struct jtgi_challenge_key key = key_of(7);
    char text[JTG_CHALLENGE_TEXT_BYTES];
    (void)state;
    jtgi_challenge_write(&one, &key, &scope, text);
    assert_string_equal(text,
                        "Ae_ocZthIHJhbmdlJ3MgbmFtZS4uAAD_vwGh-NPqAAGh-Nh94GKk4WrrLMHGZT7MkFCd6E0");
}

static void every_changed_character_is_another(void **state)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct jtgi_challenge_key key = key_of(7);
    char text[JTG_CHALLENGE_TEXT_BYTES];
    (void)state;
    jtgi_challenge_write(&one, &key, &scope, text);
    for (size_t at = 0; at + 1 < sizeof text; at++) {
        char was = text[at];
        for (size_t i = 0; i < sizeof letters - 1; i++) {
            text[at] = letters[i];
            assert_int_equal(is_ours(text, &key, &scope), letters[i] == was);
        }
        text[at] = was;
    }
}

static void what_is_none_is_not_read(void **state)
{
    struct jtgi_challenge_key key = key_of(7);
    struct jtgi_challenge_shown shown;
    char text[JTG_CHALLENGE_TEXT_BYTES + 1];
    (void)state;
    jtgi_challenge_write(&one, &key, &scope, text);
    for (size_t len = 0; len + 2 < sizeof text; len++)
        assert_false(jtgi_challenge_read(&shown, text, len));
    text[JTG_CHALLENGE_TEXT_BYTES - 1] = 'A';
    assert_false(jtgi_challenge_read(&shown, text, JTG_CHALLENGE_TEXT_BYTES));
    text[5] = '=';
    assert_false(jtgi_challenge_read(&shown, text, JTG_CHALLENGE_TEXT_BYTES - 1));
    text[5] = (char)0xc2;
    assert_false(jtgi_challenge_read(&shown, text, JTG_CHALLENGE_TEXT_BYTES - 1));
    memset(text, 'A', sizeof text); /* version 0 */
    assert_false(jtgi_challenge_read(&shown, text, JTG_CHALLENGE_TEXT_BYTES - 1));
}

/* No byte can move from the name to the purpose. */
static void key_name_and_purpose_are_under_the_tag(void **state)
{
    static const struct jtgi_challenge_scope others[] = {
        {"default", 7, "webauthn2", 9}, {"default", 7, "webauth", 7},
        {"default", 7, "c_nonce.", 8},  {"defaul", 6, "twebauthn", 9},
        {"defaultw", 8, "ebauthn", 7},  {"DEFAULT", 7, "webauthn", 8}};
    struct jtgi_challenge_key key = key_of(7);
    struct jtgi_challenge_key other = key_of(8);
    char text[JTG_CHALLENGE_TEXT_BYTES];
    (void)state;
    jtgi_challenge_write(&one, &key, &scope, text);
    assert_true(is_ours(text, &key, &scope));
    assert_false(is_ours(text, &other, &scope));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(is_ours(text, &key, &others[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(the_form_is_pinned),
        cmocka_unit_test(every_changed_character_is_another),
        cmocka_unit_test(what_is_none_is_not_read),
        cmocka_unit_test(key_name_and_purpose_are_under_the_tag),
    };
    return cmocka_run_group_tests_name("the text of a challenge", tests, NULL, NULL);
}
