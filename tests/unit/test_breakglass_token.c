/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"
#include "tokens/breakglass/breakglass_token.h"

#include <sodium.h>
#include <string.h>

enum { TEXT_LEN = JTG_BREAKGLASS_TEXT_BYTES - 1 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void a_token_and_its_text_are_one(void **state)
{
    struct jtgi_breakglass_token token;
    struct jtgi_breakglass_token read;
    char text[JTG_BREAKGLASS_TEXT_BYTES];
    (void)state;
    for (int i = 0; i < 1000; i++) {
        jtgi_breakglass_token_draw(&token);
        jtgi_breakglass_token_write(&token, text);
        assert_int_equal(strlen(text), TEXT_LEN);
        assert_int_equal(strspn(text, alphabet), TEXT_LEN);
        assert_true(jtgi_breakglass_token_read(&read, text, TEXT_LEN));
        assert_memory_equal(&read, &token, sizeof token);
    }
}

static void no_two_tokens_are_equal(void **state)
{
    static struct jtgi_breakglass_token tokens[256];
    (void)state;
    for (size_t i = 0; i < 256; i++) {
        jtgi_breakglass_token_draw(&tokens[i]);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(&tokens[i], &tokens[j], sizeof tokens[i]);
    }
}

/* Each last character carries four bits of the token and two that must be 0: 3 of 4 are no text. */
static void a_token_has_one_spelling(void **state)
{
    struct jtgi_breakglass_token token;
    struct jtgi_breakglass_token read;
    char text[JTG_BREAKGLASS_TEXT_BYTES];
    unsigned spellings = 0;
    (void)state;
    jtgi_breakglass_token_draw(&token);
    jtgi_breakglass_token_write(&token, text);
    for (size_t i = 0; i < 64; i++) {
        text[TEXT_LEN - 1] = alphabet[i];
        if (jtgi_breakglass_token_read(&read, text, TEXT_LEN) &&
            memcmp(&read, &token, sizeof token) == 0)
            spellings++;
    }
    assert_int_equal(spellings, 1);
}

static void what_is_no_token_is_refused(void **state)
{
    static const char good[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    struct jtgi_breakglass_token token;
    char text[64];
    (void)state;
    assert_true(jtgi_breakglass_token_read(&token, good, TEXT_LEN));
    for (unsigned i = 0; i < sizeof token.bytes; i++)
        assert_int_equal(token.bytes[i], i);
    for (size_t len = 0; len < sizeof good + 4; len++) {
        memset(text, 'A', sizeof text);
        assert_int_equal(jtgi_breakglass_token_read(&token, text, len), len == TEXT_LEN);
    }
    for (size_t at = 0; at < TEXT_LEN; at++)
        for (int byte = 0; byte < 256; byte++) {
            if (byte != 0 && strchr(alphabet, byte) != NULL)
                continue;
            memcpy(text, good, sizeof good);
            text[at] = (char)byte;
            assert_false(jtgi_breakglass_token_read(&token, text, TEXT_LEN));
        }
}

static void a_wiped_token_is_gone(void **state)
{
    struct jtgi_breakglass_token token;
    (void)state;
    jtgi_breakglass_token_draw(&token);
    jtgi_breakglass_token_wipe(&token);
    assert_true(sodium_is_zero(token.bytes, sizeof token.bytes));
}

static int set_up(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_and_its_text_are_one),
        cmocka_unit_test(no_two_tokens_are_equal),
        cmocka_unit_test(a_token_has_one_spelling),
        cmocka_unit_test(what_is_no_token_is_refused),
        cmocka_unit_test(a_wiped_token_is_gone),
    };
    return cmocka_run_group_tests_name("breakglass token", tests, set_up, NULL);
}
