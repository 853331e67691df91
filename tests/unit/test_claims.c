/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/claims.h"
#include "support/asserts.h"
#include "support/guard_fixture.h"

#include <stddef.h>
#include <string.h>

static int open_fixture(void **state)
{
    static struct guard_fixture fixture;
    guard_fixture_init(&fixture);
    guard_fixture_open(&fixture);
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    guard_fixture_close(*state);
    return 0;
}

/* Every text claim given, so that one can be taken away. */
static void give_all(struct guard_fixture *f, jtg_kind kind)
{
    f->claims.kind = kind;
    f->claims.custom_kind = TEXT("email-link");
    f->claims.client = TEXT("web");
    f->claims.thumbprint = TEXT("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

static void kinds_and_names_belong_together(void **state)
{
    (void)state;
    for (unsigned kind = JTG_KIND_ID_TOKEN; kind <= JTG_KIND_CREDENTIAL_PROOF; kind++)
        assert_int_equal(jtg_kind_from_name(jtg_kind_name((jtg_kind)kind)), kind);
    assert_string_equal(jtg_kind_name(JTG_KIND_NONE), "none");
    assert_string_equal(jtg_kind_name((jtg_kind)99), "none");
    assert_string_equal(jtg_kind_name((jtg_kind)-1), "none");
    assert_int_equal(jtg_kind_from_name("none"), JTG_KIND_NONE);
    assert_int_equal(jtg_kind_from_name("ID_TOKEN"), JTG_KIND_NONE);
    assert_int_equal(jtg_kind_from_name(""), JTG_KIND_NONE);
    assert_int_equal(jtg_kind_from_name(NULL), JTG_KIND_NONE);
}

static void the_macro_and_the_function_agree(void **state)
{
    jtg_claims by_macro = JTG_CLAIMS_INIT;
    jtg_claims by_function;
    (void)state;
    memset(&by_function, 0xa5, sizeof by_function);
    jtg_claims_init(&by_function);
    assert_int_equal(by_function.struct_size, by_macro.struct_size);
    assert_int_equal(by_function.kind, by_macro.kind);
    assert_true(by_function.iat_ms == JTG_TIME_ABSENT && by_macro.iat_ms == JTG_TIME_ABSENT);
    assert_true(by_function.nbf_ms == JTG_TIME_ABSENT && by_macro.nbf_ms == JTG_TIME_ABSENT);
    assert_true(by_function.exp_ms == JTG_TIME_ABSENT && by_macro.exp_ms == JTG_TIME_ABSENT);
    assert_memory_equal(&by_function.custom_kind, &by_macro.custom_kind,
                        offsetof(jtg_claims, iat_ms) - offsetof(jtg_claims, custom_kind));
    assert_null(by_function.owner);
    assert_null(by_macro.owner);
    jtg_claims_init(NULL);
}

/* What the header says each kind needs, written down a second time. */
static void each_kind_needs_its_claims(void **state)
{
    static const struct {
        jtg_kind kind;
        jtg_reason custom_kind, issuer, audience, client, thumbprint, iat, exp;
    } rows[] = {
#define OK JTG_REASON_ADMITTED
        {JTG_KIND_ID_TOKEN, OK, JTG_REASON_MISSING_ISSUER, JTG_REASON_MISSING_AUDIENCE, OK, OK, OK,
         JTG_REASON_MISSING_EXP},
        {JTG_KIND_CLIENT_ASSERTION, OK, JTG_REASON_MISSING_ISSUER, JTG_REASON_MISSING_AUDIENCE, OK,
         OK, OK, JTG_REASON_MISSING_EXP},
        {JTG_KIND_DPOP_PROOF, OK, OK, OK, OK, JTG_REASON_MISSING_THUMBPRINT, JTG_REASON_MISSING_IAT,
         OK},
        {JTG_KIND_LOGOUT_TOKEN, OK, JTG_REASON_MISSING_ISSUER, JTG_REASON_MISSING_AUDIENCE, OK, OK,
         JTG_REASON_MISSING_IAT, JTG_REASON_MISSING_EXP},
        {JTG_KIND_SAML_ASSERTION, OK, JTG_REASON_MISSING_ISSUER, OK, OK, OK, OK,
         JTG_REASON_MISSING_EXP},
        {JTG_KIND_CUSTOM, JTG_REASON_MISSING_KIND, OK, OK, OK, OK, OK, JTG_REASON_MISSING_EXP},
        {JTG_KIND_SECURITY_EVENT, OK, JTG_REASON_MISSING_ISSUER, OK, OK, OK, JTG_REASON_MISSING_IAT,
         OK},
        {JTG_KIND_ATTESTATION_PROOF, OK, OK, JTG_REASON_MISSING_AUDIENCE, OK,
         JTG_REASON_MISSING_THUMBPRINT, JTG_REASON_MISSING_IAT, OK},
        {JTG_KIND_WORKLOAD_PROOF, OK, OK, OK, OK, JTG_REASON_MISSING_THUMBPRINT, OK,
         JTG_REASON_MISSING_EXP},
        {JTG_KIND_MESSAGE_SIGNATURE, OK, OK, OK, OK, JTG_REASON_MISSING_THUMBPRINT,
         JTG_REASON_MISSING_IAT, JTG_REASON_MISSING_EXP},
        {JTG_KIND_PASSPORT, OK, JTG_REASON_MISSING_ISSUER, OK, OK, OK, JTG_REASON_MISSING_IAT, OK},
        {JTG_KIND_CREDENTIAL_PROOF, OK, OK, JTG_REASON_MISSING_AUDIENCE, OK,
         JTG_REASON_MISSING_THUMBPRINT, JTG_REASON_MISSING_IAT, OK},
#undef OK
    };
    struct guard_fixture *f = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        give_all(f, rows[i].kind);
        const jtg_claims all = f->claims;
#define ASK_WITHOUT(member, absent, expected)                                                      \
    do {                                                                                           \
        recording_cache_forget(f->store);                                                          \
        f->claims = all;                                                                           \
        f->claims.member = (absent);                                                               \
        assert_reason(guard_fixture_ask(f), (expected));                                           \
    } while (0)
        const jtg_text absent = {NULL, 0};
        ASK_WITHOUT(kind, rows[i].kind, JTG_REASON_ADMITTED);
        ASK_WITHOUT(kind, JTG_KIND_NONE, JTG_REASON_MISSING_KIND);
        ASK_WITHOUT(jti, absent, JTG_REASON_MISSING_JTI);
        ASK_WITHOUT(custom_kind, absent, rows[i].custom_kind);
        ASK_WITHOUT(issuer, absent, rows[i].issuer);
        ASK_WITHOUT(audience, absent, rows[i].audience);
        ASK_WITHOUT(client, absent, rows[i].client);
        ASK_WITHOUT(thumbprint, absent, rows[i].thumbprint);
        ASK_WITHOUT(iat_ms, JTG_TIME_ABSENT, rows[i].iat);
        ASK_WITHOUT(exp_ms, JTG_TIME_ABSENT, rows[i].exp);
#undef ASK_WITHOUT
        f->claims = all;
    }
}

static void an_unknown_kind_is_refused(void **state)
{
    struct guard_fixture *f = *state;
    f->claims.kind = (jtg_kind)(JTG_KIND_CREDENTIAL_PROOF + 1);
    assert_reason(guard_fixture_ask(f), JTG_REASON_BAD_ARGUMENT);
    assert_int_equal(f->store->reserves, 0);
}

static void empty_text_is_absent(void **state)
{
    struct guard_fixture *f = *state;
    f->claims.issuer = TEXT("");
    assert_reason(guard_fixture_ask(f), JTG_REASON_MISSING_ISSUER);
    f->claims.issuer = TEXT(FIXTURE_ISSUER);
    f->claims.jti = TEXT("");
    assert_reason(guard_fixture_ask(f), JTG_REASON_MISSING_JTI);
}

static void a_nul_byte_is_malformed_where_it_counts(void **state)
{
    struct guard_fixture *f = *state;
    f->claims.issuer = TEXT("https://idp.example\0.evil.example");
    assert_reason(guard_fixture_ask(f), JTG_REASON_MALFORMED_CLAIM);
    f->claims.issuer = TEXT(FIXTURE_ISSUER);
    f->claims.audience = TEXT("\0");
    assert_reason(guard_fixture_ask(f), JTG_REASON_MALFORMED_CLAIM);
    f->claims.audience = TEXT(FIXTURE_AUDIENCE);
    f->claims.jti = TEXT("1\0");
    assert_reason(guard_fixture_ask(f), JTG_REASON_MALFORMED_JTI);
    f->claims.jti = TEXT(FIXTURE_JTI);
    f->claims.thumbprint = TEXT("a\0b"); /* an ID token has no use for it */
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    assert_int_equal(f->store->reserves, 1);
}

static void a_text_has_a_greatest_length(void **state)
{
    static char text[JTG_GROUP_MAX_BYTES + 1];
    struct guard_fixture *f = *state;
    memset(text, 'a', sizeof text);
    f->claims.audience = (jtg_text){text, JTG_GROUP_MAX_BYTES};
    f->claims.issuer = (jtg_text){text, JTG_GROUP_MAX_BYTES};
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    assert_int_equal(f->store->last_group_len, JTG_GROUP_MAX_BYTES);
    f->claims.audience.data_len++;
    assert_reason(guard_fixture_ask(f), JTG_REASON_MALFORMED_CLAIM);
    f->claims.audience.data_len--;
    f->claims.issuer.data_len++;
    assert_reason(guard_fixture_ask(f), JTG_REASON_MALFORMED_CLAIM);
}

static void a_length_without_bytes_is_the_callers_mistake(void **state)
{
    struct guard_fixture *f = *state;
    jtg_text *texts[] = {&f->claims.custom_kind,  &f->claims.issuer,     &f->claims.audience,
                         &f->claims.client,       &f->claims.thumbprint, &f->claims.jti,
                         &f->claims.signing_input};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        jtg_text kept = *texts[i];
        *texts[i] = (jtg_text){NULL, 3};
        assert_reason(guard_fixture_ask(f), JTG_REASON_BAD_ARGUMENT);
        *texts[i] = kept;
    }
    assert_int_equal(f->store->reserves, 0);
}

static void the_group_is_the_issuer_else_the_client(void **state)
{
    struct guard_fixture *f = *state;
    give_all(f, JTG_KIND_DPOP_PROOF);
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    assert_int_equal(f->store->last_group_len, strlen(FIXTURE_ISSUER));
    assert_memory_equal(f->store->last_group, FIXTURE_ISSUER, strlen(FIXTURE_ISSUER));

    f->claims.issuer = TEXT("");
    assert_reason(guard_fixture_ask(f), JTG_REASON_REPLAYED);
    assert_int_equal(f->store->last_group_len, 3);
    assert_memory_equal(f->store->last_group, "web", 3);

    f->claims.client = TEXT("");
    assert_reason(guard_fixture_ask(f), JTG_REASON_REPLAYED);
    assert_int_equal(f->store->last_group_len, 0);

    f->claims.client = TEXT("a\0b"); /* no part of the key, but whom to charge */
    assert_reason(guard_fixture_ask(f), JTG_REASON_MALFORMED_CLAIM);
}

/* What a newer or an older program would pass. */
static void struct_size_is_obeyed(void **state)
{
    struct guard_fixture *f = *state;
    struct {
        jtg_claims claims;
        unsigned char tail[16];
    } newer;
    memset(&newer, 0, sizeof newer);
    newer.claims = f->claims;
    newer.claims.struct_size = sizeof newer;
    jtg_decision decision = JTG_DECISION_INIT;

    newer.tail[15] = 1;
    assert_false(jtg_guard_admit(f->guard, &newer.claims, &decision, NULL));
    assert_reason(decision.reason, JTG_REASON_BAD_ARGUMENT);
    newer.claims.struct_size = offsetof(jtg_claims, apart_ms) - 1;
    assert_false(jtg_guard_admit(f->guard, &newer.claims, &decision, NULL));
    assert_reason(decision.reason, JTG_REASON_BAD_ARGUMENT);
    newer.claims.struct_size = 0;
    assert_false(jtg_guard_admit(f->guard, &newer.claims, &decision, NULL));
    assert_reason(decision.reason, JTG_REASON_BAD_ARGUMENT);
    assert_int_equal(f->store->reserves, 0);

    newer.claims.struct_size = sizeof newer;
    newer.tail[15] = 0;
    assert_true(jtg_guard_admit(f->guard, &newer.claims, &decision, NULL));
    newer.claims.apart_ms = -1; /* behind the end of one that did not know it */
    newer.claims.struct_size = offsetof(jtg_claims, apart_ms);
    assert_false(jtg_guard_admit(f->guard, &newer.claims, &decision, NULL));
    assert_reason(decision.reason, JTG_REASON_REPLAYED);
}

static void a_text_is_that_of_a_string(void **state)
{
    static const char string[] = "5c3e8f10";
    (void)state;
    jtg_text text = jtg_text_of(string);
    assert_ptr_equal(text.data, string);
    assert_int_equal(text.data_len, sizeof string - 1);
    assert_int_equal(jtg_text_of("").data_len, 0);
    assert_null(jtg_text_of(NULL).data);
    assert_int_equal(jtg_text_of(NULL).data_len, 0);
}

int main(void)
{
#define IN_FIXTURE(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_and_names_belong_together),
        cmocka_unit_test(a_text_is_that_of_a_string),
        cmocka_unit_test(the_macro_and_the_function_agree),
        IN_FIXTURE(each_kind_needs_its_claims),
        IN_FIXTURE(an_unknown_kind_is_refused),
        IN_FIXTURE(empty_text_is_absent),
        IN_FIXTURE(a_nul_byte_is_malformed_where_it_counts),
        IN_FIXTURE(a_text_has_a_greatest_length),
        IN_FIXTURE(a_length_without_bytes_is_the_callers_mistake),
        IN_FIXTURE(the_group_is_the_issuer_else_the_client),
        IN_FIXTURE(struct_size_is_obeyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
