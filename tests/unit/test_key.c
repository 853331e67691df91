/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"
#include "support/guard_fixture.h"

#include <stdlib.h>
#include <string.h>

struct made_key {
    unsigned char bytes[JTG_KEY_MAX_BYTES];
    size_t len;
};

static struct made_key make(const struct guard_fixture *f, const jtg_claims *claims)
{
    struct made_key key;
    memset(&key, 0, sizeof key);
    assert_reason(jtg_guard_key(f->guard, claims, key.bytes, &key.len), JTG_REASON_ADMITTED);
    return key;
}

static void assert_key_is(const struct guard_fixture *f, const jtg_claims *claims,
                          const char *expected)
{
    struct made_key key = make(f, claims);
    assert_int_equal(key.len, strlen(expected));
    assert_memory_equal(key.bytes, expected, key.len);
}

/* Computed by another program from the description in docs/guard.md. */
static void digests_are_the_documented_ones(void **state)
{
    struct guard_fixture *f = *state;
    jtg_claims claims = f->claims;
    assert_key_is(f, &claims, "jtg:HTBmScWFXt_3iY8P0EFX2WXn6y0vBqVlHzCaMjzfOeU");
    claims.kind = JTG_KIND_CLIENT_ASSERTION;
    claims.issuer = TEXT("client-7");
    assert_key_is(f, &claims, "jtg:tz6QA4wj5Oye55kdMD4ceESW-z5PXJ_mQ6la4sJPP34");
    claims.kind = JTG_KIND_DPOP_PROOF;
    claims.thumbprint = TEXT("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    claims.jti = TEXT("-BwC3ESc6acc2lTc");
    assert_key_is(f, &claims, "jtg:MvfpUs4pTVGE_zDn4fvNRSXx-m2trriB5ieYJ_cMwYs");
    claims.kind = JTG_KIND_LOGOUT_TOKEN;
    claims.issuer = TEXT("https://idp.example");
    claims.audience = TEXT("rp-1");
    claims.jti = TEXT("bWJq");
    assert_key_is(f, &claims, "jtg:UnblSYy9RF4EKydI5e0IuBS0kebJ0ZxYcOoUEJXiJaM");
    claims.kind = JTG_KIND_SAML_ASSERTION;
    claims.issuer = TEXT("https://idp.example/saml");
    claims.audience = TEXT("");
    claims.jti = TEXT("_d71a3a8e9fcc45c9e9d248ef7049393f");
    assert_key_is(f, &claims, "jtg:EUaqsuRRZO6MoneMGnhKOmEzNVO-VDOxogUq2WOG750");
    claims = (jtg_claims)JTG_CLAIMS_INIT;
    claims.kind = JTG_KIND_CUSTOM;
    claims.custom_kind = TEXT("email-link");
    claims.client = TEXT("web");
    claims.jti = TEXT("1");
    assert_key_is(f, &claims, "jtg:EEEDlsUceb1iTfTDMM21FPrZvJ3xIBbRHLhwYYpds_c");
}

static void a_missing_jti_is_replaced_only_when_asked(void **state)
{
    struct guard_fixture *f = *state;
    f->claims.jti = TEXT("");
    f->claims.signing_input = TEXT("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZXBvIn0");
    guard_fixture_open(f);
    assert_reason(guard_fixture_ask(f), JTG_REASON_MISSING_JTI);
    guard_fixture_close(f);

    f->options.missing_jti = JTG_MISSING_JTI_DIGEST;
    guard_fixture_open(f);
    assert_key_is(f, &f->claims, "jtg:1jvbibX17GqlcYTnEjwWIQ96GrnPLYMmuyulSnYGqcU");
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    assert_reason(guard_fixture_ask(f), JTG_REASON_REPLAYED);
    f->claims.signing_input = TEXT("");
    assert_reason(guard_fixture_ask(f), JTG_REASON_MISSING_JTI);
    f->claims.signing_input = TEXT("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZXBvIn0.c2ln");
    assert_reason(guard_fixture_ask(f), JTG_REASON_BAD_ARGUMENT);
    f->claims.signing_input = TEXT("eyJhbGciOiJSUzI1NiJ9");
    assert_reason(guard_fixture_ask(f), JTG_REASON_BAD_ARGUMENT);
    f->claims.signing_input = TEXT("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZXBvIn0.");
    assert_reason(guard_fixture_ask(f), JTG_REASON_BAD_ARGUMENT);
}

/* Nothing behind its dot, and no byte behind it: what lies there is not read. */
static void a_signing_input_is_as_long_as_it_says(void **state)
{
    static const char text[] = "eyJhbGciOiJSUzI1NiJ9.";
    struct guard_fixture *f = *state;
    char *exact = malloc(sizeof text - 1);
    assert_non_null(exact);
    memcpy(exact, text, sizeof text - 1);
    f->options.missing_jti = JTG_MISSING_JTI_DIGEST;
    guard_fixture_open(f);
    f->claims.jti = TEXT("");
    f->claims.signing_input = (jtg_text){exact, sizeof text - 1};
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    free(exact);
}

/* A jti of 32 bytes that equals the digest must not meet the token whose digest it is. */
static void a_jti_cannot_pass_for_a_digest(void **state)
{
    static const unsigned char digest[] = {/* SHA-256 of "a.b" */
                                           0x2e, 0x73, 0x36, 0xdc, 0x8e, 0xba, 0x87, 0xef,
                                           0x47, 0x2d, 0xf5, 0x68, 0xc3, 0x54, 0x82, 0xab,
                                           0xf2, 0x57, 0x5d, 0xc3, 0xe5, 0xea, 0xc0, 0xc5,
                                           0xc6, 0x2b, 0x8f, 0xfa, 0xea, 0xc2, 0xc9, 0x34};
    struct guard_fixture *f = *state;
    f->options.missing_jti = JTG_MISSING_JTI_DIGEST;
    guard_fixture_open(f);
    jtg_claims by_jti = f->claims;
    jtg_claims by_digest = f->claims;
    by_jti.jti = (jtg_text){(const char *)digest, sizeof digest};
    by_digest.jti = TEXT("");
    by_digest.signing_input = TEXT("a.b");
    struct made_key a = make(f, &by_jti);
    struct made_key b = make(f, &by_digest);
    assert_memory_not_equal(a.bytes, b.bytes, a.len);
}

/* All ways to cut one text into the parts of a custom token's scope give different keys. */
static void no_two_scopes_give_one_key(void **state)
{
    enum { TEXT_LEN = 5, MAX_KEYS = 256 };
    static const char text[TEXT_LEN + 1] = "aaaaa";
    static struct made_key keys[MAX_KEYS];
    struct guard_fixture *f = *state;
    size_t made = 0;
    jtg_claims claims = JTG_CLAIMS_INIT;
    claims.kind = JTG_KIND_CUSTOM;
    for (size_t a = 1; a <= TEXT_LEN; a++)
        for (size_t b = a; b <= TEXT_LEN; b++)
            for (size_t c = b; c <= TEXT_LEN; c++)
                for (size_t d = c; d < TEXT_LEN; d++) {
                    claims.custom_kind = (jtg_text){text, a};
                    claims.issuer = (jtg_text){text, b - a};
                    claims.audience = (jtg_text){text, c - b};
                    claims.thumbprint = (jtg_text){text, d - c};
                    claims.jti = (jtg_text){text, TEXT_LEN - d};
                    assert_true(made < MAX_KEYS);
                    keys[made++] = make(f, &claims);
                }
    assert_int_equal(made, 35);
    for (size_t i = 0; i < made; i++)
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(keys[i].bytes, keys[j].bytes, keys[i].len);
}

static void case_and_spelling_count(void **state)
{
    static const char *const spellings[] = {"abc", "Abc", "abC", " abc", "abc ", "ab\xc3\xa7"};
    struct guard_fixture *f = *state;
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        f->claims.jti = (jtg_text){spellings[i], strlen(spellings[i])};
        assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    }
    f->claims.jti = TEXT("abc");
    assert_reason(guard_fixture_ask(f), JTG_REASON_REPLAYED);
    f->claims.issuer = TEXT("https://Token.ci.example");
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
}

static void an_issuer_cannot_burn_anothers_jti(void **state)
{
    struct guard_fixture *f = *state;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    f->claims.issuer = TEXT("https://other.example");
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    f->claims.audience = TEXT("https://other-sts.example");
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    f->claims.kind = JTG_KIND_CLIENT_ASSERTION;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    assert_reason(guard_fixture_ask(f), JTG_REASON_REPLAYED);
}

static void what_a_kind_ignores_is_no_part_of_its_key(void **state)
{
    struct guard_fixture *f = *state;
    struct made_key plain = make(f, &f->claims);
    f->claims.client = TEXT("web");
    f->claims.thumbprint = TEXT("t");
    f->claims.custom_kind = TEXT("c");
    f->claims.signing_input = TEXT("a.b");
    f->claims.exp_ms += 1;
    struct made_key same = make(f, &f->claims);
    assert_int_equal(plain.len, same.len);
    assert_memory_equal(plain.bytes, same.bytes, plain.len);
}

static void the_plain_form_is_prefix_and_jti(void **state)
{
    static char jti[257];
    struct guard_fixture *f = *state;
    f->options.key_form = JTG_KEY_PLAIN;
    guard_fixture_open(f);
    assert_key_is(f, &f->claims, "sts:jti:" FIXTURE_JTI);
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    assert_int_equal(f->decision.reservation.key_len, strlen("sts:jti:" FIXTURE_JTI));
    assert_memory_equal(f->store->last.key, "sts:jti:" FIXTURE_JTI, f->store->last.key_len);

    memset(jti, 'x', sizeof jti);
    f->claims.jti = (jtg_text){jti, 256};
    assert_int_equal(make(f, &f->claims).len, 264);
    f->claims.jti = (jtg_text){jti, 257};
    assert_reason(guard_fixture_ask(f), JTG_REASON_JTI_TOO_LONG);
}

static void the_prefix_can_be_chosen(void **state)
{
    struct guard_fixture *f = *state;
    char prefix[] = "team-a/";
    f->options.key_prefix = prefix;
    guard_fixture_open(f);
    prefix[0] = 'X'; /* it was copied */
    assert_key_is(f, &f->claims, "team-a/HTBmScWFXt_3iY8P0EFX2WXn6y0vBqVlHzCaMjzfOeU");
}

static void a_jti_has_a_greatest_length(void **state)
{
    static char jti[JTG_MAX_JTI_BYTES_LIMIT + 1];
    struct guard_fixture *f = *state;
    memset(jti, 'x', sizeof jti);
    f->options.max_jti_bytes = JTG_MAX_JTI_BYTES_LIMIT;
    guard_fixture_open(f);
    f->claims.jti = (jtg_text){jti, JTG_MAX_JTI_BYTES_LIMIT};
    assert_int_equal(make(f, &f->claims).len, 47);
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    f->claims.jti.data_len++;
    assert_reason(guard_fixture_ask(f), JTG_REASON_JTI_TOO_LONG);
}

static void a_key_is_refused_for_the_same_reasons(void **state)
{
    struct guard_fixture *f = *state;
    unsigned char key[JTG_KEY_MAX_BYTES];
    size_t len = 77;
    jtg_claims claims = f->claims;
    claims.issuer = TEXT("");
    assert_reason(jtg_guard_key(f->guard, &claims, key, &len), JTG_REASON_MISSING_ISSUER);
    assert_int_equal(len, 0);
    claims = f->claims;
    claims.struct_size = 1;
    assert_reason(jtg_guard_key(f->guard, &claims, key, &len), JTG_REASON_BAD_ARGUMENT);
    claims = f->claims;
    claims.exp_ms = 0; /* the times are not looked at */
    assert_reason(jtg_guard_key(f->guard, &claims, key, &len), JTG_REASON_ADMITTED);
    assert_reason(jtg_guard_key(NULL, &claims, key, &len), JTG_REASON_BAD_ARGUMENT);
    assert_reason(jtg_guard_key(f->guard, NULL, key, &len), JTG_REASON_BAD_ARGUMENT);
    assert_reason(jtg_guard_key(f->guard, &claims, NULL, &len), JTG_REASON_BAD_ARGUMENT);
    assert_reason(jtg_guard_key(f->guard, &claims, key, NULL), JTG_REASON_BAD_ARGUMENT);
    assert_int_equal(f->store->reserves, 0);
}

int main(void)
{
#define IN_FIXTURE(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, guard_fixture_set_up_open, guard_fixture_tear_down)
#define OPENS_ITSELF(test)                                                                         \
    cmocka_unit_test_setup_teardown(test, guard_fixture_set_up, guard_fixture_tear_down)
    const struct CMUnitTest tests[] = {
        IN_FIXTURE(digests_are_the_documented_ones),
        OPENS_ITSELF(a_missing_jti_is_replaced_only_when_asked),
        OPENS_ITSELF(a_signing_input_is_as_long_as_it_says),
        OPENS_ITSELF(a_jti_cannot_pass_for_a_digest),
        IN_FIXTURE(no_two_scopes_give_one_key),
        IN_FIXTURE(case_and_spelling_count),
        IN_FIXTURE(an_issuer_cannot_burn_anothers_jti),
        IN_FIXTURE(what_a_kind_ignores_is_no_part_of_its_key),
        OPENS_ITSELF(the_plain_form_is_prefix_and_jti),
        OPENS_ITSELF(the_prefix_can_be_chosen),
        OPENS_ITSELF(a_jti_has_a_greatest_length),
        IN_FIXTURE(a_key_is_refused_for_the_same_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
