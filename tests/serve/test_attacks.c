/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens that somebody made to be taken for others. Each is one change away from a token that is
 * accepted, and is refused for that change. */
#include "serve/verify_fixture.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct verify_fixture fixture;

#define HEADER(more) "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"" FIXTURE_KID "\"" more "}"

static int open_fixture(void **state)
{
    (void)state;
    fixture_init(&fixture);
    fixture_start(&fixture);
    return 0;
}

static int close_fixture(void **state)
{
    (void)state;
    fixture_end(&fixture);
    return 0;
}

static char *good_token(void)
{
    char *payload = fixture_payload("");
    char *token = signer_token(fixture.signer, "JWT", FIXTURE_KID, payload);
    free(payload);
    return token;
}

static enum refusal verify_payload(const char *more)
{
    return fixture_verify_payload(&fixture, fixture_payload(more));
}

static void the_unchanged_token_is_accepted(void **state)
{
    (void)state;
    assert_refusal(fixture_verify(&fixture, good_token()), REFUSAL_NONE);
    assert_refusal(fixture_verify_header(&fixture, HEADER("")), REFUSAL_NONE);
}

static void alg_none(void **state)
{
    (void)state;
    static const char *const spellings[] = {"none", "None", "NONE", "nOnE", ""};
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        char *payload = fixture_payload("");
        char *header = text_of("{\"alg\":\"%s\",\"typ\":\"JWT\"}", spellings[i]);
        assert_refusal(fixture_verify(&fixture, join_token(header, payload, "")),
                       REFUSAL_UNSUPPORTED_ALG);
        assert_refusal(fixture_verify(&fixture, signer_sign(fixture.signer, header, payload)),
                       REFUSAL_UNSUPPORTED_ALG);
        free(header);
        free(payload);
    }
}

static void no_alg_or_no_text_as_alg(void **state)
{
    (void)state;
    assert_refusal(fixture_verify_header(&fixture, "{\"typ\":\"JWT\"}"), REFUSAL_UNSUPPORTED_ALG);
    assert_refusal(fixture_verify_header(&fixture, "{\"alg\":null}"), REFUSAL_WRONG_TYPE);
    assert_refusal(fixture_verify_header(&fixture, "{\"alg\":[\"ES256\"]}"), REFUSAL_WRONG_TYPE);
}

static void a_signature_is_cut_off(void **state)
{
    (void)state;
    char *payload = fixture_payload("");
    assert_refusal(fixture_verify(&fixture, join_token(HEADER(""), payload, "")),
                   REFUSAL_BAD_SIGNATURE);
    free(payload);
}

/* The public key is no secret: whoever takes it for one lets everybody sign. */
static void a_mac_with_the_public_key(void **state)
{
    (void)state;
    char *payload = fixture_payload("");
    char *pem = signer_pem(fixture.signer);
    char *jwk = text_of("{%s}", signer_members(fixture.signer));
    const char *const secrets[] = {pem, jwk, ""};
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        char *token = sign_with_mac(secrets[i], strlen(secrets[i]),
                                    "{\"alg\":\"HS256\",\"kid\":\"" FIXTURE_KID "\"}", payload);
        assert_refusal(fixture_verify(&fixture, token), REFUSAL_UNSUPPORTED_ALG);
    }
    free(jwk);
    free(pem);
    free(payload);
}

/* The key of the set under an algorithm that is not its own. */
static void another_algorithm_for_the_key(void **state)
{
    (void)state;
    static const char *const others[] = {"ES384", "ES512", "RS256", "PS256", "EdDSA"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char *header = text_of("{\"alg\":\"%s\",\"kid\":\"" FIXTURE_KID "\"}", others[i]);
        assert_refusal(fixture_verify_header(&fixture, header), REFUSAL_UNKNOWN_KEY);
        free(header);
    }
}

static void an_algorithm_that_the_issuer_does_not_use(void **state)
{
    (void)state;
    static const char *const only[] = {"RS256"};
    jtg_error err = JTG_ERROR_INIT;
    fixture.entries[0].algs = (struct text_list){only, 1};
    assert_status(verifier_reload(fixture.verifier, &fixture.settings, &err), JTG_OK);
    assert_refusal(fixture_verify(&fixture, good_token()), REFUSAL_UNSUPPORTED_ALG);
}

static void kid_is_only_a_name(void **state)
{
    (void)state;
    static const char *const kids[] = {
        "../../../../etc/passwd", "/dev/null", "key-1/../key-1", "' OR 1=1 --",
        "key-1\\u0020",           "|id",       "KEY-1"};
    for (size_t i = 0; i < sizeof kids / sizeof *kids; i++) {
        char *header = text_of("{\"alg\":\"ES256\",\"kid\":\"%s\"}", kids[i]);
        assert_refusal(fixture_verify_header(&fixture, header), REFUSAL_UNKNOWN_KEY);
        free(header);
    }
    assert_refusal(fixture_verify_header(&fixture, "{\"alg\":\"ES256\",\"kid\":\"\"}"),
                   REFUSAL_MALFORMED_KID);
    assert_refusal(fixture_verify_header(&fixture, "{\"alg\":\"ES256\",\"kid\":7}"),
                   REFUSAL_WRONG_TYPE);
    assert_refusal(fixture_verify_header(&fixture, "{\"alg\":\"ES256\",\"kid\":\"key-1\\u0000\"}"),
                   REFUSAL_MALFORMED_HEADER);
}

static void a_kid_that_is_too_long(void **state)
{
    (void)state;
    char kid[300];
    memset(kid, 'k', sizeof kid - 1);
    kid[sizeof kid - 1] = '\0';
    char *header = text_of("{\"alg\":\"ES256\",\"kid\":\"%s\"}", kid);
    assert_refusal(fixture_verify_header(&fixture, header), REFUSAL_MALFORMED_KID);
    free(header);
}

/* A key, or the place of one, from the token itself: the attacker signs with his own. */
static void a_key_from_the_token(void **state)
{
    (void)state;
    struct signer *attacker = signer_new("ES256");
    char *payload = fixture_payload("");
    char *headers[] = {
        text_of("{\"alg\":\"ES256\",\"kid\":\"" FIXTURE_KID "\",\"jwk\":{%s}}",
                signer_members(attacker)),
        text_of(HEADER(",\"jku\":\"https://evil.example/keys\"")),
        text_of(HEADER(",\"x5u\":\"https://evil.example/cert\"")),
        text_of(HEADER(",\"x5c\":[\"MIIB\"],\"x5t\":\"AAAA\"")),
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        assert_refusal(fixture_verify(&fixture, signer_sign(attacker, headers[i], payload)),
                       REFUSAL_BAD_SIGNATURE);
        /* An honest token may have such a member, and is what it is without it. */
        assert_refusal(fixture_verify(&fixture, signer_sign(fixture.signer, headers[i], payload)),
                       REFUSAL_NONE);
        free(headers[i]);
    }
    char *unnamed =
        text_of("{\"alg\":\"ES256\",\"kid\":\"other\",\"jwk\":{%s}}", signer_members(attacker));
    assert_refusal(fixture_verify(&fixture, signer_sign(attacker, unnamed, payload)),
                   REFUSAL_UNKNOWN_KEY);
    free(unnamed);
    free(payload);
    signer_free(attacker);
}

static void typ_of_another_kind(void **state)
{
    (void)state;
    static const char *const typs[] = {"at+jwt",       "dpop+jwt", "logout+jwt",
                                       "secevent+jwt", "JWE",      "application/x-jwt"};
    for (size_t i = 0; i < sizeof typs / sizeof *typs; i++) {
        char *header = text_of("{\"alg\":\"ES256\",\"typ\":\"%s\"}", typs[i]);
        assert_refusal(fixture_verify_header(&fixture, header), REFUSAL_WRONG_TYP);
        free(header);
    }
    assert_refusal(fixture_verify_header(&fixture, "{\"alg\":\"ES256\",\"typ\":1}"),
                   REFUSAL_WRONG_TYPE);
}

static void extensions_that_must_be_understood(void **state)
{
    (void)state;
    assert_refusal(fixture_verify_header(&fixture, HEADER(",\"crit\":[\"exp\"],\"exp\":1")),
                   REFUSAL_CRIT_UNKNOWN);
    assert_refusal(fixture_verify_header(&fixture, HEADER(",\"crit\":[]")), REFUSAL_CRIT_UNKNOWN);
    assert_refusal(fixture_verify_header(&fixture, HEADER(",\"crit\":null")), REFUSAL_CRIT_UNKNOWN);
    assert_refusal(fixture_verify_header(&fixture, HEADER(",\"crit\":[\"b64\"],\"b64\":false")),
                   REFUSAL_CRIT_UNKNOWN);
    assert_refusal(fixture_verify_header(&fixture, HEADER(",\"b64\":false")), REFUSAL_CRIT_UNKNOWN);
}

static enum refusal verify_with_aud(const char *aud)
{
    return fixture_verify_payload(&fixture, text_of("{\"iss\":\"" FIXTURE_ISSUER
                                                    "\",\"sub\":\"u\",\"jti\":\"1\",\"exp\":%ld"
                                                    "%s}",
                                                    (long)FIXTURE_NOW_S + 60, aud));
}

static void an_audience_that_is_not_us(void **state)
{
    (void)state;
    assert_refusal(verify_with_aud(",\"aud\":\"" FIXTURE_AUDIENCE "\""), REFUSAL_NONE);
    assert_refusal(verify_with_aud(",\"aud\":[\"" FIXTURE_AUDIENCE "\"]"), REFUSAL_NONE);
    assert_refusal(verify_with_aud(",\"aud\":\"https://api.example.evil\""),
                   REFUSAL_WRONG_AUDIENCE);
    assert_refusal(verify_with_aud(",\"aud\":\"https://api.exampl\""), REFUSAL_WRONG_AUDIENCE);
    assert_refusal(verify_with_aud(",\"aud\":\"HTTPS://API.EXAMPLE\""), REFUSAL_WRONG_AUDIENCE);
    assert_refusal(verify_with_aud(",\"aud\":\"\""), REFUSAL_WRONG_AUDIENCE);
    assert_refusal(verify_with_aud(",\"aud\":[]"), REFUSAL_WRONG_AUDIENCE);
    assert_refusal(verify_with_aud(",\"aud\":[[\"" FIXTURE_AUDIENCE "\"]]"), REFUSAL_WRONG_TYPE);
    assert_refusal(verify_with_aud(",\"aud\":{\"a\":\"" FIXTURE_AUDIENCE "\"}"),
                   REFUSAL_WRONG_TYPE);
    assert_refusal(verify_with_aud(",\"aud\":null"), REFUSAL_WRONG_TYPE);
    assert_refusal(verify_with_aud(""), REFUSAL_MISSING_AUDIENCE);
}

static void an_issuer_that_is_not_ours(void **state)
{
    (void)state;
    static const char *const issuers[] = {"https://issuer.example/", "https://issuer.example.evil",
                                          "https://ISSUER.example", ""};
    for (size_t i = 0; i < sizeof issuers / sizeof *issuers; i++)
        assert_refusal(fixture_verify_payload(&fixture, text_of("{\"iss\":\"%s\"}", issuers[i])),
                       REFUSAL_UNKNOWN_ISSUER);
    assert_refusal(fixture_verify_payload(&fixture, text_of("{}")), REFUSAL_MISSING_ISSUER);
    assert_refusal(fixture_verify_payload(&fixture, text_of("{\"iss\":1}")), REFUSAL_WRONG_TYPE);
}

/* Two parsers that take another one of two equal names would see two tokens where there is one. */
static void a_member_that_stands_twice(void **state)
{
    (void)state;
    assert_refusal(verify_payload(",\"jti\":\"id-2\""), REFUSAL_DUPLICATE_CLAIM);
    assert_refusal(verify_payload(",\"\\u006ati\":\"id-2\""), REFUSAL_DUPLICATE_CLAIM);
    assert_refusal(verify_payload(",\"cnf\":{\"jkt\":\"a\",\"jkt\":\"b\"}"),
                   REFUSAL_DUPLICATE_CLAIM);
    assert_refusal(fixture_verify_header(&fixture, HEADER(",\"alg\":\"none\"")),
                   REFUSAL_DUPLICATE_CLAIM);
    assert_refusal(fixture_verify_header(&fixture, HEADER(",\"kid\":\"other\"")),
                   REFUSAL_DUPLICATE_CLAIM);
}

static void numbers_that_do_not_fit(void **state)
{
    (void)state;
    char digits[400];
    memset(digits, '9', sizeof digits - 1);
    digits[sizeof digits - 1] = '\0';
    char *huge = text_of(",\"n\":%s", digits);
    assert_refusal(verify_payload(huge), REFUSAL_NUMBER_TOO_BIG);
    free(huge);
    assert_refusal(verify_payload(",\"n\":1e400"), REFUSAL_NUMBER_TOO_BIG);
    assert_refusal(verify_payload(",\"n\":9223372036854775808"), REFUSAL_NUMBER_TOO_BIG);
    assert_refusal(verify_payload(",\"nbf\":1e300"), REFUSAL_UNREASONABLE_TIME);
    assert_refusal(verify_payload(",\"nbf\":9223372036854775807"), REFUSAL_UNREASONABLE_TIME);
    assert_refusal(verify_payload(",\"nbf\":-1"), REFUSAL_UNREASONABLE_TIME);
    assert_refusal(verify_payload(",\"nbf\":NaN"), REFUSAL_MALFORMED_PAYLOAD);
    assert_refusal(verify_payload(",\"nbf\":\"1795175990\""), REFUSAL_WRONG_TYPE);
    assert_refusal(verify_payload(",\"nbf\":true"), REFUSAL_WRONG_TYPE);
    assert_refusal(verify_payload(",\"nbf\":null"), REFUSAL_WRONG_TYPE);
}

static char *nested(char open, char close, size_t depth)
{
    char *text = malloc(2 * depth + 1);
    assert_non_null(text);
    memset(text, open, depth);
    memset(text + depth, close, depth);
    text[2 * depth] = '\0';
    return text;
}

static void nested_a_thousand_deep(void **state)
{
    (void)state;
    char *lists = nested('[', ']', 1000);
    char *more = text_of(",\"x\":%s", lists);
    char *header = text_of("{\"alg\":\"ES256\",\"x\":%s}", lists);
    assert_refusal(verify_payload(more), REFUSAL_TOO_DEEP);
    assert_refusal(fixture_verify_header(&fixture, header), REFUSAL_TOO_DEEP);
    /* What is in a text does not nest. */
    char *quoted = text_of(",\"x\":\"%s \\\" %s\"", lists, lists);
    assert_refusal(verify_payload(quoted), REFUSAL_NONE);
    free(quoted);
    free(header);
    free(more);
    free(lists);
}

static int64_t cpu_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Refused by its length, before a byte of it is read: a thousand of them cost nothing. */
static void a_megabyte(void **state)
{
    (void)state;
    enum { BYTES = 1 << 20 };
    struct verified verified;
    char *token = malloc(BYTES);
    assert_non_null(token);
    memset(token, 'A', BYTES);
    token[10] = '.';
    token[BYTES - 90] = '.';
    int64_t before_ms = cpu_ms();
    for (int i = 0; i < 1000; i++) {
        assert_refusal(verify_bearer(fixture.verifier, token, BYTES, TEST_CLOCK_WALL_MS, &verified),
                       REFUSAL_TOKEN_TOO_LONG);
        verified_clear(&verified);
    }
    assert_true(cpu_ms() - before_ms < 1000);
    free(token);
}

/* Of 1 kB of junk in every place where it could be: no check is quadratic, none asks for keys. */
static void junk_of_every_length(void **state)
{
    (void)state;
    char junk[1024];
    struct verified verified;
    memset(junk, '.', sizeof junk);
    for (size_t len = 0; len <= sizeof junk; len++) {
        assert_refusal(verify_bearer(fixture.verifier, junk, len, TEST_CLOCK_WALL_MS, &verified),
                       len == 2 ? REFUSAL_MALFORMED_HEADER : REFUSAL_MALFORMED_TOKEN);
        verified_clear(&verified);
    }
}

/* One signature must have one spelling, or a guard that compares texts sees two tokens. */
static void another_spelling_of_the_last_letter(void **state)
{
    (void)state;
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *token = good_token();
    size_t last = strlen(token) - 1;
    unsigned accepted = 0;
    for (const char *letter = letters; *letter != '\0'; letter++) {
        char *changed = text_of("%s", token);
        changed[last] = *letter;
        bool is_same = *letter == token[last];
        enum refusal refusal = fixture_verify(&fixture, changed);
        accepted += refusal == REFUSAL_NONE;
        if (is_same)
            assert_refusal(refusal, REFUSAL_NONE);
        else
            assert_true(refusal == REFUSAL_MALFORMED_TOKEN || refusal == REFUSAL_BAD_SIGNATURE);
    }
    assert_int_equal(accepted, 1);
    free(token);
}

static void trailing_bytes(void **state)
{
    (void)state;
    static const char *const tails[] = {"=",    "==", "=.x", "==evil", "A",  "AA",
                                        "AAAA", ".",  ".AA", " ",      "\n", "%00"};
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        char *token = good_token();
        char *longer = text_of("%s%s", token, tails[i]);
        free(token);
        enum refusal refusal = fixture_verify(&fixture, longer);
        assert_true(refusal == REFUSAL_MALFORMED_TOKEN || refusal == REFUSAL_BAD_SIGNATURE);
    }
}

/* r and s with zeros before them are the same numbers; cjose would take them. */
static void a_longer_spelling_of_an_ec_signature(void **state)
{
    (void)state;
    unsigned char signature[64];
    unsigned char longer[66] = {0};
    size_t signature_len = 0;
    char *token = good_token();
    char *last = strrchr(token, '.') + 1;
    assert_int_equal(sodium_base642bin(signature, sizeof signature, last, strlen(last), NULL,
                                       &signature_len, NULL,
                                       sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                     0);
    memcpy(longer + 1, signature, 32);
    memcpy(longer + 34, signature + 32, 32);
    char text[128];
    (void)sodium_bin2base64(text, sizeof text, longer, sizeof longer,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    *last = '\0';
    char *changed = text_of("%s%s", token, text);
    free(token);
    assert_refusal(fixture_verify(&fixture, changed), REFUSAL_BAD_SIGNATURE);
}

static void letters_outside_the_alphabet(void **state)
{
    (void)state;
    static const char others[] = "+/= \t\n\"%~\x7f\x80\xc1\xff";
    for (const char *other = others; *other != '\0'; other++)
        for (unsigned part = 0; part < 3; part++) {
            char *token = good_token();
            char *at = token;
            for (unsigned i = 0; i < part; i++)
                at = strchr(at, '.') + 1;
            at[4] = *other;
            assert_refusal(fixture_verify(&fixture, token), REFUSAL_MALFORMED_TOKEN);
        }
}

static void a_nul_in_the_token(void **state)
{
    (void)state;
    struct verified verified;
    char *token = good_token();
    size_t token_len = strlen(token);
    for (size_t i = 0; i < token_len; i += 7) {
        char *changed = text_of("%s", token);
        changed[i] = '\0';
        assert_refusal(
            verify_bearer(fixture.verifier, changed, token_len, TEST_CLOCK_WALL_MS, &verified),
            REFUSAL_MALFORMED_TOKEN);
        verified_clear(&verified);
        free(changed);
    }
    assert_refusal(
        verify_bearer(fixture.verifier, token, token_len + 1, TEST_CLOCK_WALL_MS, &verified),
        REFUSAL_MALFORMED_TOKEN);
    verified_clear(&verified);
    free(token);
}

/* Flip each bit of the token in turn: never accepted. */
static void any_bit_changed(void **state)
{
    (void)state;
    char *token = good_token();
    size_t token_len = strlen(token);
    for (size_t i = 0; i < token_len; i++)
        for (unsigned bit = 0; bit < 7; bit += 3) {
            char *changed = text_of("%s", token);
            struct verified verified;
            changed[i] = (char)((unsigned char)changed[i] ^ (1U << bit));
            assert_int_not_equal(
                verify_bearer(fixture.verifier, changed, token_len, TEST_CLOCK_WALL_MS, &verified),
                REFUSAL_NONE);
            verified_clear(&verified);
            free(changed);
        }
    free(token);
}

static void no_json_object_as_payload(void **state)
{
    (void)state;
    static const char *const payloads[] = {
        "",     "[]",      "\"a\"",          "1",     "null",     "{",     "{}{}",
        "{} x", "{'a':1}", "\xef\xbb\xbf{}", "{a:1}", "\xff\xfe", "{}\n{", "{\"a\":1,}"};
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++)
        assert_refusal(fixture_verify_payload(&fixture, text_of("%s", payloads[i])),
                       REFUSAL_MALFORMED_PAYLOAD);
    assert_refusal(verify_payload(",\"x\":\"\xc3\x28\""), REFUSAL_MALFORMED_PAYLOAD);
    assert_refusal(verify_payload(",\"x\":\"\\u0000\""), REFUSAL_MALFORMED_PAYLOAD);
    assert_refusal(verify_payload(",\"x\":\"\\ud800\""), REFUSAL_MALFORMED_PAYLOAD);
}

static enum refusal verify_at(long iat, long exp, const char *more)
{
    return fixture_verify_payload(&fixture, fixture_payload_at(iat, exp, more));
}

static void expired_by_a_second(void **state)
{
    (void)state;
    long leeway = JTG_LEEWAY_S_DEFAULT;
    assert_refusal(verify_at(-300, 1 - leeway, ""), REFUSAL_NONE);
    assert_refusal(verify_at(-300, -leeway, ""), REFUSAL_EXPIRED);
    assert_refusal(verify_at(-300, -1 - leeway, ""), REFUSAL_EXPIRED);
}

static void from_the_future(void **state)
{
    (void)state;
    long ahead = JTG_FUTURE_LEEWAY_S_DEFAULT;
    char *nbf = text_of(",\"nbf\":%ld", (long)FIXTURE_NOW_S + ahead + 1);
    char *nbf_within = text_of(",\"nbf\":%ld", (long)FIXTURE_NOW_S + ahead);
    assert_refusal(verify_at(ahead, 300, ""), REFUSAL_NONE);
    assert_refusal(verify_at(ahead + 1, 300, ""), REFUSAL_ISSUED_IN_FUTURE);
    assert_refusal(verify_at(-10, 300, nbf), REFUSAL_NOT_YET_VALID);
    assert_refusal(verify_at(-10, 300, nbf_within), REFUSAL_NONE);
    assert_refusal(verify_at(300, 100, ""), REFUSAL_EXPIRES_BEFORE_ISSUED);
    free(nbf);
    free(nbf_within);
}

static void a_life_that_is_too_long(void **state)
{
    (void)state;
    long longest = JTG_MAX_LIFETIME_S_DEFAULT;
    assert_refusal(verify_at(-10, longest - 10, ""), REFUSAL_NONE);
    assert_refusal(verify_at(-10, longest - 9, ""), REFUSAL_LIFETIME_TOO_LONG);
}

/* Another issuer's key signs for this one, when its kid is the same. */
static void a_key_of_another_issuer(void **state)
{
    (void)state;
    struct signer *other = signer_new("ES256");
    char *payload = fixture_payload("");
    assert_refusal(fixture_verify(&fixture, signer_token(other, "JWT", FIXTURE_KID, payload)),
                   REFUSAL_BAD_SIGNATURE);
    free(payload);
    signer_free(other);
}

int main(void)
{
#define ATTACK(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        ATTACK(the_unchanged_token_is_accepted),
        ATTACK(alg_none),
        ATTACK(no_alg_or_no_text_as_alg),
        ATTACK(a_signature_is_cut_off),
        ATTACK(a_mac_with_the_public_key),
        ATTACK(another_algorithm_for_the_key),
        ATTACK(an_algorithm_that_the_issuer_does_not_use),
        ATTACK(kid_is_only_a_name),
        ATTACK(a_kid_that_is_too_long),
        ATTACK(a_key_from_the_token),
        ATTACK(typ_of_another_kind),
        ATTACK(extensions_that_must_be_understood),
        ATTACK(an_audience_that_is_not_us),
        ATTACK(an_issuer_that_is_not_ours),
        ATTACK(a_member_that_stands_twice),
        ATTACK(numbers_that_do_not_fit),
        ATTACK(nested_a_thousand_deep),
        ATTACK(a_megabyte),
        ATTACK(junk_of_every_length),
        ATTACK(another_spelling_of_the_last_letter),
        ATTACK(trailing_bytes),
        ATTACK(a_longer_spelling_of_an_ec_signature),
        ATTACK(letters_outside_the_alphabet),
        ATTACK(a_nul_in_the_token),
        ATTACK(any_bit_changed),
        ATTACK(no_json_object_as_payload),
        ATTACK(expired_by_a_second),
        ATTACK(from_the_future),
        ATTACK(a_life_that_is_too_long),
        ATTACK(a_key_of_another_issuer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
