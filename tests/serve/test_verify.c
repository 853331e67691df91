/* SPDX-License-Identifier: Apache-2.0 */
/* What a token must say to be of its kind, and what the verifier makes of it. */
#include "serve/verify_fixture.h"

#include <errno.h>
#include <jtiguard/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct verify_fixture fixture;

static int open_fixture(void **state)
{
    (void)state;
    fixture_init(&fixture);
    return 0;
}

static int close_fixture(void **state)
{
    (void)state;
    fixture_end(&fixture);
    return 0;
}

static enum refusal verify_payload(const char *more)
{
    return fixture_verify_payload(&fixture, fixture_payload(more));
}

/* A payload of exactly these members beside iss, aud and exp, under this typ. */
static enum refusal verify_members(const char *typ, const char *members)
{
    char *payload =
        text_of("{\"iss\":\"" FIXTURE_ISSUER "\",\"aud\":\"" FIXTURE_AUDIENCE "\",\"exp\":%ld%s}",
                (long)FIXTURE_NOW_S + 60, members);
    char *token = signer_token(fixture.signer, typ, FIXTURE_KID, payload);
    free(payload);
    return fixture_verify(&fixture, token);
}

static void assert_text(jtg_text text, const char *expected)
{
    assert_int_equal(text.data_len, strlen(expected));
    assert_memory_equal(text.data, expected, text.data_len);
}

static void what_the_guard_gets(void **state)
{
    (void)state;
    struct verified verified;
    char *payload = fixture_payload(",\"nbf\":1795175000.5,\"azp\":\"web\"");
    char *token = signer_token(fixture.signer, "JWT", FIXTURE_KID, payload);
    fixture_start(&fixture);
    assert_refusal(
        verify_bearer(fixture.verifier, token, strlen(token), TEST_CLOCK_WALL_MS, &verified),
        REFUSAL_NONE);
    assert_int_equal(verified.claims.kind, JTG_KIND_ID_TOKEN);
    assert_int_equal(verified.claims.struct_size, sizeof(jtg_claims));
    assert_text(verified.claims.issuer, FIXTURE_ISSUER);
    assert_text(verified.claims.audience, FIXTURE_AUDIENCE);
    assert_text(verified.claims.jti, "id-1");
    assert_text(verified.claims.client, "web");
    assert_int_equal(verified.claims.iat_ms, TEST_CLOCK_WALL_MS - 10000);
    assert_int_equal(verified.claims.exp_ms, TEST_CLOCK_WALL_MS + 300000);
    assert_int_equal(verified.claims.nbf_ms, INT64_C(1795175000500));
    assert_int_equal(verified.claims.signing_input.data_len, strrchr(token, '.') - token);
    assert_null(verified.claims.owner);
    assert_text(verified.issuer, FIXTURE_ISSUER);
    assert_text(verified.subject, "user-1");
    assert_int_equal(verified.entry, 0);
    verified_clear(&verified);
    free(token);
    free(payload);
}

/* A memory store and a guard behind it: the same token once. */
static void one_token_is_admitted_once(void **state)
{
    (void)state;
    jtg_cache *cache = NULL;
    jtg_guard *guard = NULL;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    options.clock = &fixture.as_jtg;
    fixture.guard.clock = &fixture.as_jtg;
    fixture_start(&fixture);
    assert_status(jtg_memory_new(&cache, &options, NULL), JTG_OK);
    assert_status(jtg_guard_new(&guard, cache, &fixture.guard, NULL), JTG_OK);
    char *payload = fixture_payload("");
    for (unsigned i = 0; i < 3; i++) {
        struct verified verified;
        jtg_decision decision = JTG_DECISION_INIT;
        /* ECDSA signs differently each time: the jti is what counts. */
        char *token = signer_token(fixture.signer, "JWT", FIXTURE_KID, payload);
        assert_refusal(
            verify_bearer(fixture.verifier, token, strlen(token), TEST_CLOCK_WALL_MS, &verified),
            REFUSAL_NONE);
        assert_int_equal(jtg_guard_admit(guard, &verified.claims, &decision, NULL), i == 0);
        assert_int_equal(decision.reason, i == 0 ? JTG_REASON_ADMITTED : JTG_REASON_REPLAYED);
        verified_clear(&verified);
        free(token);
    }
    free(payload);
    jtg_guard_free(guard);
    jtg_cache_free(cache);
}

static void typ_has_several_spellings(void **state)
{
    (void)state;
    static const char *const typs[] = {"JWT", "jwt", "application/jwt", "APPLICATION/JWT"};
    fixture_start(&fixture);
    for (size_t i = 0; i < sizeof typs / sizeof *typs; i++)
        assert_refusal(verify_members(typs[i], ",\"sub\":\"u\",\"jti\":\"1\""), REFUSAL_NONE);
    assert_refusal(verify_members(NULL, ",\"sub\":\"u\",\"jti\":\"1\""), REFUSAL_NONE);
    assert_refusal(verify_members("", ",\"sub\":\"u\",\"jti\":\"1\""), REFUSAL_NONE);
}

static void members_have_their_types(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        ",\"jti\":7",           ",\"jti\":null",  ",\"sub\":[\"u\"]",
        ",\"azp\":1",           ",\"azp\":{}",    ",\"cnf\":\"x\"",
        ",\"cnf\":{\"jkt\":1}", ",\"iat\":\"1\"", ",\"client_id\":1"};
    fixture_start(&fixture);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        bool has_sub = strstr(wrong[i], "\"sub\"") != NULL;
        char *members = text_of("%s%s", has_sub ? "" : ",\"sub\":\"u\"", wrong[i]);
        assert_refusal(verify_members("JWT", members), REFUSAL_WRONG_TYPE);
        free(members);
    }
}

/* It is the guard's to refuse, or to take the digest: its option decides. */
static void a_missing_jti_is_left_to_the_guard(void **state)
{
    (void)state;
    fixture_start(&fixture);
    assert_refusal(verify_members("JWT", ",\"sub\":\"u\""), REFUSAL_NONE);
}

static void an_id_token_needs_a_subject(void **state)
{
    (void)state;
    fixture_start(&fixture);
    assert_refusal(verify_members("JWT", ",\"jti\":\"1\""), REFUSAL_MISSING_SUBJECT);
    assert_refusal(verify_members("JWT", ",\"jti\":\"1\",\"sub\":\"\""), REFUSAL_MISSING_SUBJECT);
}

static enum refusal verify_audiences(const char *members)
{
    return fixture_verify_payload(&fixture, text_of("{\"iss\":\"" FIXTURE_ISSUER
                                                    "\",\"sub\":\"u\",\"jti\":\"1\",\"exp\":%ld"
                                                    "%s}",
                                                    (long)FIXTURE_NOW_S + 60, members));
}

static void an_id_token_for_several_names_its_party(void **state)
{
    (void)state;
    fixture_start(&fixture);
    assert_refusal(verify_audiences(",\"aud\":[\"" FIXTURE_AUDIENCE "\",\"b\"]"),
                   REFUSAL_WRONG_CLIENT);
    assert_refusal(verify_audiences(",\"aud\":[\"" FIXTURE_AUDIENCE "\",\"b\"],\"azp\":\"b\""),
                   REFUSAL_WRONG_CLIENT);
    assert_refusal(verify_audiences(",\"aud\":[\"" FIXTURE_AUDIENCE
                                    "\",\"b\"],\"azp\":\"" FIXTURE_AUDIENCE "\""),
                   REFUSAL_NONE);
    assert_refusal(verify_audiences(",\"aud\":\"" FIXTURE_AUDIENCE "\",\"azp\":\"app\""),
                   REFUSAL_NONE);
}

static void a_configured_client_is_the_only_one(void **state)
{
    (void)state;
    fixture.entries[0].client = "web";
    fixture_start(&fixture);
    assert_refusal(verify_payload(",\"azp\":\"web\""), REFUSAL_NONE);
    assert_refusal(verify_payload(",\"client_id\":\"web\""), REFUSAL_NONE);
    assert_refusal(verify_payload(",\"azp\":\"app\",\"client_id\":\"web\""), REFUSAL_WRONG_CLIENT);
    assert_refusal(verify_payload(""), REFUSAL_WRONG_CLIENT);
}

/* The scope of the jti must not depend on the order of a list that somebody may sort, nor on which
 * audiences are ours: a reload would make a used token new. */
static void the_same_audience_whatever_the_order(void **state)
{
    (void)state;
    static const char *const one_way[] = {"b", "a"};
    static const char *const other_way[] = {"a", "b"};
    static const char *const one[] = {"b"};
    static const struct text_list ours[] = {{one_way, 2}, {other_way, 2}, {one, 1}};
    for (size_t i = 0; i < 3; i++) {
        struct verified verified;
        jtg_error err = JTG_ERROR_INIT;
        fixture.entries[0].audiences = ours[i];
        if (i == 0)
            fixture_start(&fixture);
        else
            assert_status(verifier_reload(fixture.verifier, &fixture.settings, &err), JTG_OK);
        char *payload = text_of("{\"iss\":\"" FIXTURE_ISSUER "\",\"sub\":\"u\",\"exp\":%ld,"
                                "\"aud\":[\"b\",\"a\"],\"azp\":\"b\"}",
                                (long)FIXTURE_NOW_S + 60);
        char *token = signer_token(fixture.signer, "JWT", FIXTURE_KID, payload);
        assert_refusal(
            verify_bearer(fixture.verifier, token, strlen(token), TEST_CLOCK_WALL_MS, &verified),
            REFUSAL_NONE);
        assert_text(verified.claims.audience, "a");
        verified_clear(&verified);
        free(token);
        free(payload);
    }
}

static void a_client_assertion_is_of_its_client(void **state)
{
    (void)state;
    fixture.entries[0].kind = JTG_KIND_CLIENT_ASSERTION;
    fixture_start(&fixture);
    assert_refusal(verify_members("JWT", ",\"sub\":\"" FIXTURE_ISSUER "\",\"jti\":\"1\""),
                   REFUSAL_NONE);
    assert_refusal(verify_members("client-authentication+jwt",
                                  ",\"sub\":\"" FIXTURE_ISSUER "\",\"jti\":\"1\""),
                   REFUSAL_NONE);
    assert_refusal(verify_members("JWT", ",\"sub\":\"other\""), REFUSAL_WRONG_SUBJECT);
    assert_refusal(verify_members("JWT", ""), REFUSAL_MISSING_SUBJECT);
}

#define EVENT                                                                                      \
    ",\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}},\"jti\":\"1\""

static void a_logout_token_has_its_event(void **state)
{
    (void)state;
    char *now = text_of(EVENT ",\"sub\":\"u\",\"iat\":%ld", (long)FIXTURE_NOW_S);
    char *session = text_of(EVENT ",\"sid\":\"s\",\"iat\":%ld", (long)FIXTURE_NOW_S);
    char *nobody = text_of(EVENT ",\"iat\":%ld", (long)FIXTURE_NOW_S);
    char *nonce = text_of("%s,\"nonce\":\"n\"", now);
    char *no_event = text_of(",\"sub\":\"u\",\"events\":{},\"iat\":%ld", (long)FIXTURE_NOW_S);
    fixture.entries[0].kind = JTG_KIND_LOGOUT_TOKEN;
    fixture_start(&fixture);
    assert_refusal(verify_members("logout+jwt", now), REFUSAL_NONE);
    assert_refusal(verify_members("logout+jwt", session), REFUSAL_NONE);
    assert_refusal(verify_members("logout+jwt", nobody), REFUSAL_MISSING_SUBJECT);
    assert_refusal(verify_members("logout+jwt", nonce), REFUSAL_WRONG_KIND);
    assert_refusal(verify_members("logout+jwt", no_event), REFUSAL_WRONG_KIND);
    assert_refusal(verify_members("logout+jwt", EVENT ",\"sub\":\"u\""), REFUSAL_MISSING_IAT);
    assert_refusal(verify_members("JWT", now), REFUSAL_WRONG_TYP);
    free(no_event);
    free(nonce);
    free(nobody);
    free(session);
    free(now);
}

/* The event makes a logout token, whatever its value; only an object makes a good one. */
static void an_event_that_is_no_object(void **state)
{
    (void)state;
    static const char *const values[] = {"[]", "null", "\"x\"", "true", "0"};
    static const jtg_kind kinds[] = {JTG_KIND_ID_TOKEN, JTG_KIND_LOGOUT_TOKEN};
    static const char *const typs[] = {"JWT"};
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        fixture.entries[0].kind = kinds[kind];
        fixture.entries[0].typs = (struct text_list){typs, 1};
        fixture_start(&fixture);
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            char *members = text_of(",\"sub\":\"u\",\"jti\":\"1\",\"iat\":%ld,\"events\":{"
                                    "\"http://schemas.openid.net/event/backchannel-logout\":%s}",
                                    (long)FIXTURE_NOW_S, values[i]);
            assert_refusal(verify_members("JWT", members), REFUSAL_WRONG_KIND);
            free(members);
        }
        verifier_free(fixture.verifier);
        fixture.verifier = NULL;
    }
}

/* iat bounds it, as it bounds a proof; and with an exp of its own nothing changes. */
static void a_logout_token_without_exp(void **state)
{
    (void)state;
    enum { LIFE_S = 120 };
    fixture.entries[0].kind = JTG_KIND_LOGOUT_TOKEN;
    fixture.entries[0].life_without_exp_s = LIFE_S;
    fixture_start(&fixture);
    const struct {
        long iat;
        const char *exp; /* behind it */
        enum refusal refusal;
    } cases[] = {
        {0, "", REFUSAL_NONE},
        {-LIFE_S - JTG_LEEWAY_S_DEFAULT + 1, "", REFUSAL_NONE},
        {-LIFE_S - JTG_LEEWAY_S_DEFAULT, "", REFUSAL_EXPIRED},
        {JTG_FUTURE_LEEWAY_S_DEFAULT, "", REFUSAL_NONE},
        {JTG_FUTURE_LEEWAY_S_DEFAULT + 1, "", REFUSAL_ISSUED_IN_FUTURE},
        {-3000, ",\"exp\":%ld", REFUSAL_NONE},
        {0, ",\"exp\":null", REFUSAL_WRONG_TYPE},
        {-FIXTURE_NOW_S - 1, "", REFUSAL_MISSING_EXP},
        {(long)INT32_MAX * 1000, "", REFUSAL_MISSING_EXP},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *exp = strstr(cases[i].exp, "%ld") != NULL
                        ? text_of(",\"exp\":%ld", (long)FIXTURE_NOW_S + 60)
                        : text_of("%s", cases[i].exp);
        char *payload = text_of("{\"iss\":\"" FIXTURE_ISSUER "\",\"aud\":\"" FIXTURE_AUDIENCE
                                "\",\"sub\":\"u\"" EVENT ",\"iat\":%ld%s}",
                                (long)FIXTURE_NOW_S + cases[i].iat, exp);
        char *token = signer_token(fixture.signer, "logout+jwt", FIXTURE_KID, payload);
        assert_refusal(fixture_verify(&fixture, token), cases[i].refusal);
        free(payload);
        free(exp);
    }
}

/* The guard is given the latest end that any setting could make up, so that it remembers until
 * then. */
static void the_guard_gets_the_end_of_a_logout_token(void **state)
{
    (void)state;
    struct verified verified;
    fixture.entries[0].kind = JTG_KIND_LOGOUT_TOKEN;
    fixture.entries[0].life_without_exp_s = 60;
    fixture_start(&fixture);
    char *payload = text_of("{\"iss\":\"" FIXTURE_ISSUER "\",\"aud\":\"" FIXTURE_AUDIENCE
                            "\",\"sub\":\"u\"" EVENT ",\"iat\":%ld}",
                            (long)FIXTURE_NOW_S);
    char *token = signer_token(fixture.signer, "logout+jwt", FIXTURE_KID, payload);
    assert_refusal(
        verify_bearer(fixture.verifier, token, strlen(token), TEST_CLOCK_WALL_MS, &verified),
        REFUSAL_NONE);
    assert_int_equal(verified.claims.exp_ms,
                     TEST_CLOCK_WALL_MS + INT64_C(1000) * JTG_MAX_LIFETIME_S_DEFAULT);
    verified_clear(&verified);
    free(token);
    free(payload);
}

static int64_t wall_ms(void)
{
    return atomic_load(&fixture.clock.wall_ms);
}

static jtg_reason admit_logout(jtg_guard *guard, const char *text, int64_t now_ms)
{
    struct verified verified;
    jtg_decision decision = JTG_DECISION_INIT;
    assert_refusal(verify_bearer(fixture.verifier, text, strlen(text), now_ms, &verified),
                   REFUSAL_NONE);
    bool admitted = jtg_guard_admit(guard, &verified.claims, &decision, NULL);
    assert_int_equal(admitted, decision.reason == JTG_REASON_ADMITTED);
    verified_clear(&verified);
    return decision.reason;
}

/* What a short life_without_exp has ended, a reload to a long one begins again: the guard must not
 * have forgotten it. Also not where its iat lay ahead of us. */
static void a_longer_life_without_exp_makes_nothing_new(void **state)
{
    (void)state;
    static const long issued[] = {0, JTG_FUTURE_LEEWAY_S_DEFAULT};
    const uint32_t longest_s = JTG_MAX_LIFETIME_S_DEFAULT - JTG_FUTURE_LEEWAY_S_DEFAULT;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    options.clock = &fixture.as_jtg;
    fixture.guard.clock = &fixture.as_jtg;
    fixture.entries[0].kind = JTG_KIND_LOGOUT_TOKEN;
    for (size_t i = 0; i < sizeof issued / sizeof *issued; i++) {
        jtg_cache *cache = NULL;
        jtg_guard *guard = NULL;
        char *payload = text_of("{\"iss\":\"" FIXTURE_ISSUER "\",\"aud\":\"" FIXTURE_AUDIENCE
                                "\",\"sub\":\"u\"" EVENT ",\"iat\":%ld}",
                                (long)(wall_ms() / 1000) + issued[i]);
        char *text = signer_token(fixture.signer, "logout+jwt", FIXTURE_KID, payload);
        assert_status(jtg_memory_new(&cache, &options, NULL), JTG_OK);
        assert_status(jtg_guard_new(&guard, cache, &fixture.guard, NULL), JTG_OK);
        fixture.entries[0].life_without_exp_s = 1;
        if (i == 0)
            fixture_start(&fixture);
        else
            assert_status(verifier_reload(fixture.verifier, &fixture.settings, NULL), JTG_OK);
        assert_int_equal(admit_logout(guard, text, wall_ms()), JTG_REASON_ADMITTED);
        test_clock_advance(&fixture.clock,
                           INT64_C(1000) * (longest_s + issued[i] + JTG_LEEWAY_S_DEFAULT - 1));
        fixture.entries[0].life_without_exp_s = longest_s;
        assert_status(verifier_reload(fixture.verifier, &fixture.settings, NULL), JTG_OK);
        assert_int_equal(admit_logout(guard, text, wall_ms()), JTG_REASON_REPLAYED);
        jtg_guard_free(guard);
        jtg_cache_free(cache);
        free(text);
        free(payload);
    }
}

/* An issuer that writes typ JWT into both: the event tells them apart. */
static void id_and_logout_tokens_of_one_typ(void **state)
{
    (void)state;
    static const char *const typs[] = {"JWT", ""};
    char *logout = text_of(EVENT ",\"sub\":\"u\",\"iat\":%ld", (long)FIXTURE_NOW_S);
    for (int order = 0; order < 2; order++) {
        struct issuer_settings *entry = &fixture.entries[order];
        fixture.entries[1] = fixture.entries[0];
        fixture.entries[1 - order].kind = JTG_KIND_ID_TOKEN;
        entry->kind = JTG_KIND_LOGOUT_TOKEN;
        entry->typs = (struct text_list){typs, 2};
        fixture.entries[1 - order].typs = (struct text_list){NULL, 0};
        fixture.settings.issuer_count = 2;
        fixture_start(&fixture);
        assert_refusal(verify_payload(""), REFUSAL_NONE);
        assert_refusal(verify_members("JWT", logout), REFUSAL_NONE);
        assert_refusal(verify_members(NULL, logout), REFUSAL_NONE);
        assert_refusal(verify_members("JWT", ",\"sub\":\"u\",\"events\":{}"), REFUSAL_NONE);
        verifier_free(fixture.verifier);
        fixture.verifier = NULL;
    }
    free(logout);
}

static void another_claim_as_jti(void **state)
{
    (void)state;
    struct verified verified;
    fixture.entries[0].jti_claim = "uti";
    fixture_start(&fixture);
    char *payload = fixture_payload(",\"uti\":\"unique\"");
    char *token = signer_token(fixture.signer, "JWT", FIXTURE_KID, payload);
    assert_refusal(
        verify_bearer(fixture.verifier, token, strlen(token), TEST_CLOCK_WALL_MS, &verified),
        REFUSAL_NONE);
    assert_text(verified.claims.jti, "unique");
    verified_clear(&verified);
    free(token);
    free(payload);
    /* jti is not taken in its place: which of the two is unique was said. */
    payload = fixture_payload("");
    token = signer_token(fixture.signer, "JWT", FIXTURE_KID, payload);
    assert_refusal(
        verify_bearer(fixture.verifier, token, strlen(token), TEST_CLOCK_WALL_MS, &verified),
        REFUSAL_NONE);
    assert_int_equal(verified.claims.jti.data_len, 0);
    verified_clear(&verified);
    free(token);
    free(payload);
    assert_refusal(verify_payload(",\"uti\":7"), REFUSAL_WRONG_TYPE);
}

/* Kubernetes and CI systems name several audiences, and nobody in azp. */
static void a_workload_token_for_several(void **state)
{
    (void)state;
    fixture.entries[0].is_workload = true;
    fixture_start(&fixture);
    assert_refusal(verify_audiences(",\"aud\":[\"" FIXTURE_AUDIENCE "\",\"b\"]"), REFUSAL_NONE);
    assert_refusal(verify_audiences(",\"aud\":[\"a\",\"b\"]"), REFUSAL_WRONG_AUDIENCE);
    assert_refusal(verify_members("JWT", ",\"jti\":\"1\""), REFUSAL_MISSING_SUBJECT);
    fixture.entries[0].client = "web";
    assert_status(verifier_reload(fixture.verifier, &fixture.settings, NULL), JTG_OK);
    assert_refusal(verify_audiences(",\"aud\":[\"" FIXTURE_AUDIENCE "\",\"b\"]"),
                   REFUSAL_WRONG_CLIENT);
}

/* ---- issuers of many tenants, and of none ---- */

#define TENANTS_ISSUER "https://login.example/{tenantid}/v2.0"

static enum refusal verify_of(const char *typ, const char *members)
{
    char *payload = text_of("{\"aud\":\"" FIXTURE_AUDIENCE "\",\"exp\":%ld,\"jti\":\"1\"%s}",
                            (long)FIXTURE_NOW_S + 60, members);
    char *token = signer_token(fixture.signer, typ, FIXTURE_KID, payload);
    free(payload);
    return fixture_verify(&fixture, token);
}

static enum refusal verify_of_tenant(const char *tenant)
{
    char *members = text_of(",\"sub\":\"u\",\"iss\":\"https://login.example/%s/v2.0\"", tenant);
    enum refusal refusal = verify_of("JWT", members);
    free(members);
    return refusal;
}

static void an_issuer_of_many_tenants(void **state)
{
    (void)state;
    static const char *const tenants[] = {"contoso", "fabrikam"};
    struct verified verified;
    fixture.entries[0].issuer = TENANTS_ISSUER;
    fixture.entries[0].tenants = (struct text_list){tenants, 2};
    fixture_start(&fixture);
    assert_refusal(verify_of_tenant("contoso"), REFUSAL_NONE);
    assert_refusal(verify_of_tenant("fabrikam"), REFUSAL_NONE);
    assert_refusal(verify_of_tenant("initech"), REFUSAL_UNKNOWN_ISSUER);
    assert_refusal(verify_of_tenant("{tenantid}"), REFUSAL_UNKNOWN_ISSUER);
    /* One tenant cannot use up another's jti. */
    char *payload =
        text_of("{\"aud\":\"" FIXTURE_AUDIENCE "\",\"exp\":%ld,\"jti\":\"1\",\"sub\":\"u\","
                "\"iss\":\"https://login.example/contoso/v2.0\"}",
                (long)FIXTURE_NOW_S + 60);
    char *token = signer_token(fixture.signer, "JWT", FIXTURE_KID, payload);
    assert_refusal(
        verify_bearer(fixture.verifier, token, strlen(token), TEST_CLOCK_WALL_MS, &verified),
        REFUSAL_NONE);
    assert_text(verified.claims.issuer, "https://login.example/contoso/v2.0");
    verified_clear(&verified);
    free(token);
    free(payload);
}

/* An entry for one tenant gets the provider's keys too; and the many of others, before ours and
 * without a name, are none of those that are tried. */
static void keys_of_other_tenants(void **state)
{
    (void)state;
    const struct {
        const char *issuer;
        enum refusal refusal;
    } cases[] = {{FIXTURE_ISSUER, REFUSAL_NONE},
                 {"https://other.example", REFUSAL_UNKNOWN_KEY},
                 {"https://issuer.example/{tenant}", REFUSAL_UNKNOWN_KEY}};
    const char *members = signer_members(fixture.signer);
    fixture_start(&fixture);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *other = text_of("{%s,\"issuer\":\"https://other.example\"}", members);
        char *jwks = text_of("{\"keys\":[%s,%s,%s,%s,%s,{%s,\"issuer\":\"%s\"}]}", other, other,
                             other, other, other, members, cases[i].issuer);
        char *header = text_of("{\"alg\":\"ES256\",\"typ\":\"JWT\"}");
        fixture_write_keys(&fixture, jwks);
        assert_status(verifier_reload(fixture.verifier, &fixture.settings, NULL), JTG_OK);
        assert_refusal(fixture_verify_header(&fixture, header), cases[i].refusal);
        free(header);
        free(jwks);
        free(other);
    }
}

/* Providers publish the keys of one tenant among those of all. */
static void a_key_of_one_tenant(void **state)
{
    (void)state;
    static const char *const any[] = {"*"};
    static const struct {
        const char *issuer;
        enum refusal refusal;
    } cases[] = {{TENANTS_ISSUER, REFUSAL_NONE},
                 {"https://login.example/contoso/v2.0", REFUSAL_NONE},
                 {"https://login.example/fabrikam/v2.0", REFUSAL_UNKNOWN_KEY},
                 {"https://login.example/{other}/v2.0", REFUSAL_UNKNOWN_KEY}};
    fixture.entries[0].issuer = TENANTS_ISSUER;
    fixture.entries[0].tenants = (struct text_list){any, 1};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *jwks = text_of("{\"keys\":[{%s,\"kid\":\"" FIXTURE_KID "\",\"issuer\":\"%s\"}]}",
                             signer_members(fixture.signer), cases[i].issuer);
        fixture_write_keys(&fixture, jwks);
        fixture_start(&fixture);
        assert_refusal(verify_of_tenant("contoso"), cases[i].refusal);
        verifier_free(fixture.verifier);
        fixture.verifier = NULL;
        free(jwks);
    }
}

/* use: with its name and a comma behind, or empty. */
static void write_bundle(const char *use)
{
    char *jwks = text_of("{\"keys\":[{\"kid\":\"" FIXTURE_KID "\",%s%s}]}", use,
                         signer_members(fixture.signer));
    fixture_write_keys(&fixture, jwks);
    free(jwks);
}

static void a_trust_domain(void **state)
{
    (void)state;
    fixture.entries[1] = fixture.entries[0];
    fixture.entries[1].issuer = NULL;
    fixture.entries[1].trust_domain = "example.org";
    fixture.settings.issuer_count = 2;
    write_bundle("\"use\":\"jwt-svid\",");
    fixture_start(&fixture);
    assert_refusal(verify_of("JOSE", ",\"sub\":\"spiffe://example.org/w\""), REFUSAL_NONE);
    assert_refusal(verify_of("JWT", ",\"sub\":\"spiffe://example.org/w\""), REFUSAL_NONE);
    assert_refusal(verify_of(NULL, ",\"sub\":\"spiffe://example.org/w\""), REFUSAL_NONE);
    assert_refusal(verify_of("JWT", ",\"sub\":\"spiffe://example.org/w\",\"iss\":\"https://o\""),
                   REFUSAL_NONE);
    assert_refusal(verify_of("JWT", ",\"sub\":\"spiffe://other.org/w\""), REFUSAL_MISSING_ISSUER);
    assert_refusal(verify_of("JWT", ",\"sub\":\"spiffe://other.org/w\",\"iss\":\"https://o\""),
                   REFUSAL_UNKNOWN_ISSUER);
    assert_refusal(verify_of("JWT", ",\"sub\":\"w\""), REFUSAL_MISSING_ISSUER);
    assert_refusal(verify_of("JWT", ",\"sub\":7"), REFUSAL_MISSING_ISSUER);
    assert_refusal(verify_of("JWT", ",\"sub\":\"spiffe://example.org/a/../w\""),
                   REFUSAL_MISSING_ISSUER);
    assert_refusal(verify_of("at+jwt", ",\"sub\":\"spiffe://example.org/w\""), REFUSAL_WRONG_TYP);
    /* An issuer that has an entry is never taken for a domain. */
    assert_refusal(
        verify_of("JOSE", ",\"sub\":\"spiffe://example.org/w\",\"iss\":\"" FIXTURE_ISSUER "\""),
        REFUSAL_WRONG_TYP);
}

/* Guarded under its own iss, which may come to have an entry; shown as the domain's. */
static void the_issuer_of_a_trust_domain(void **state)
{
    static const struct {
        const char *iss;
        const char *guarded;
    } cases[] = {{"", "spiffe://example.org"},
                 {",\"iss\":\"\"", "spiffe://example.org"},
                 {",\"iss\":\"https://oidc.example.org\"", "https://oidc.example.org"}};
    (void)state;
    struct verified verified;
    fixture.entries[0].issuer = NULL;
    fixture.entries[0].trust_domain = "example.org";
    write_bundle("\"use\":\"jwt-svid\",");
    fixture_start(&fixture);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *payload =
            text_of("{\"aud\":[\"" FIXTURE_AUDIENCE "\",\"b\"],\"exp\":%ld,\"jti\":\"1\","
                    "\"sub\":\"spiffe://example.org/w\"%s}",
                    (long)FIXTURE_NOW_S + 60, cases[i].iss);
        char *token = signer_token(fixture.signer, "JWT", FIXTURE_KID, payload);
        assert_refusal(
            verify_bearer(fixture.verifier, token, strlen(token), TEST_CLOCK_WALL_MS, &verified),
            REFUSAL_NONE);
        assert_text(verified.claims.issuer, cases[i].guarded);
        assert_text(verified.issuer, "spiffe://example.org");
        assert_text(verified.subject, "spiffe://example.org/w");
        verified_clear(&verified);
        free(token);
        free(payload);
    }
}

static void assert_refused_setting(const char *word)
{
    jtg_error err = JTG_ERROR_INIT;
    struct verifier *verifier = NULL;
    assert_status(verifier_new(&verifier, &fixture.settings, &err), JTG_ERR_ARGUMENT);
    assert_null(verifier);
    if (strstr(err.text, word) == NULL)
        fail_msg("\"%s\" does not name %s", err.text, word);
}

/* Of a bundle only the keys that are for these tokens; an issuer may publish it as its keys. */
static void the_keys_of_a_trust_domain(void **state)
{
    static const char *const uses[] = {"\"use\":\"jwt-svid\",", "\"use\":\"sig\",",
                                       "\"use\":\"x509-svid\",", ""};
    (void)state;
    struct issuer_settings of_issuer = fixture.entries[0];
    struct issuer_settings of_domain = of_issuer;
    of_domain.issuer = NULL;
    of_domain.trust_domain = "example.org";
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        write_bundle(uses[i]);
        fixture.entries[0] = of_domain;
        if (i > 0) {
            assert_refused_setting("it has no usable key of use jwt-svid");
            continue;
        }
        fixture.entries[1] = of_issuer;
        fixture.settings.issuer_count = 2;
        fixture_start(&fixture);
        assert_refusal(verify_of("JWT", ",\"sub\":\"spiffe://example.org/w\""), REFUSAL_NONE);
        assert_refusal(
            verify_of("JWT", ",\"sub\":\"spiffe://example.org/w\",\"iss\":\"" FIXTURE_ISSUER "\""),
            REFUSAL_NONE);
        verifier_free(fixture.verifier);
        fixture.verifier = NULL;
        fixture.settings.issuer_count = 1;
    }
}

/* One place for both, even by one name: each has its own part of it. */
static void the_keys_of_a_trust_domain_and_of_an_issuer(void **state)
{
    (void)state;
    struct signer *of_issuer = signer_new("ES256");
    char *jwks = text_of("{\"keys\":[{\"kid\":\"" FIXTURE_KID "\",\"use\":\"jwt-svid\",%s},"
                         "{\"kid\":\"i\",\"use\":\"sig\",%s}]}",
                         signer_members(fixture.signer), signer_members(of_issuer));
    fixture_write_keys(&fixture, jwks);
    fixture.entries[0].issuer = "spiffe://example.org";
    fixture.entries[1] = fixture.entries[0];
    fixture.entries[1].issuer = NULL;
    fixture.entries[1].trust_domain = "example.org";
    fixture.settings.issuer_count = 2;
    fixture_start(&fixture);
    for (int i = 0; i < 2; i++) {
        char *payload =
            text_of("{\"aud\":\"" FIXTURE_AUDIENCE "\",\"jti\":\"1\",\"exp\":%ld,"
                    "\"sub\":\"spiffe://example.org/w\"%s}",
                    (long)FIXTURE_NOW_S + 60, i == 0 ? "" : ",\"iss\":\"spiffe://example.org\"");
        assert_refusal(fixture_verify(&fixture, signer_token(of_issuer, "JWT", "i", payload)),
                       i == 0 ? REFUSAL_UNKNOWN_KEY : REFUSAL_NONE);
        free(payload);
    }
    assert_refusal(verify_of("JWT", ",\"sub\":\"spiffe://example.org/w\""), REFUSAL_NONE);
    signer_free(of_issuer);
    free(jwks);
}

/* Both without typ: the event tells them apart. */
static void a_logout_token_is_no_id_token(void **state)
{
    (void)state;
    fixture_start(&fixture);
    assert_refusal(verify_members(NULL, EVENT ",\"sub\":\"u\""), REFUSAL_WRONG_KIND);
}

static void two_kinds_of_one_issuer(void **state)
{
    (void)state;
    struct verified verified;
    char *logout = text_of("{\"iss\":\"" FIXTURE_ISSUER "\",\"aud\":\"" FIXTURE_AUDIENCE
                           "\",\"sub\":\"u\",\"iat\":%ld,\"exp\":%ld" EVENT "}",
                           (long)FIXTURE_NOW_S, (long)FIXTURE_NOW_S + 60);
    char *token = signer_token(fixture.signer, "logout+jwt", FIXTURE_KID, logout);
    fixture.entries[1] = fixture.entries[0];
    fixture.entries[1].kind = JTG_KIND_LOGOUT_TOKEN;
    fixture.settings.issuer_count = 2;
    fixture_start(&fixture);
    assert_refusal(verify_payload(""), REFUSAL_NONE);
    assert_refusal(
        verify_bearer(fixture.verifier, token, strlen(token), TEST_CLOCK_WALL_MS, &verified),
        REFUSAL_NONE);
    assert_int_equal(verified.claims.kind, JTG_KIND_LOGOUT_TOKEN);
    assert_int_equal(verified.entry, 1);
    verified_clear(&verified);
    assert_refusal(verify_members("at+jwt", ",\"sub\":\"u\""), REFUSAL_WRONG_TYP);
    free(token);
    free(logout);
}

static void a_custom_kind_has_its_name(void **state)
{
    (void)state;
    struct verified verified;
    char *payload = text_of("{\"iss\":\"" FIXTURE_ISSUER "\",\"aud\":\"" FIXTURE_AUDIENCE
                            "\",\"jti\":\"1\",\"exp\":%ld}",
                            (long)FIXTURE_NOW_S + 60);
    char *token = signer_token(fixture.signer, NULL, FIXTURE_KID, payload);
    fixture.entries[0].kind = JTG_KIND_CUSTOM;
    fixture.entries[0].custom_kind = "email-link";
    fixture_start(&fixture);
    assert_refusal(
        verify_bearer(fixture.verifier, token, strlen(token), TEST_CLOCK_WALL_MS, &verified),
        REFUSAL_NONE);
    assert_text(verified.claims.custom_kind, "email-link");
    assert_int_equal(verified.subject.data_len, 0);
    verified_clear(&verified);
    free(token);
    free(payload);
}

/* A bound token without its proof is whoever's who holds it. */
static void a_bound_token_is_no_bearer_token(void **state)
{
    (void)state;
    fixture_start(&fixture);
    assert_refusal(verify_payload(",\"cnf\":{\"jkt\":\"x\"}"), REFUSAL_PROOF_REQUIRED);
    assert_refusal(verify_payload(",\"cnf\":{\"x5t#S256\":\"x\"}"), REFUSAL_UNKNOWN_BINDING);
    assert_refusal(verify_payload(",\"cnf\":{\"jkt\":\"x\",\"x5t#S256\":\"x\"}"),
                   REFUSAL_UNKNOWN_BINDING);
    assert_refusal(verify_payload(",\"cnf\":{}"), REFUSAL_UNKNOWN_BINDING);
}

static void scopes_are_words(void **state)
{
    (void)state;
    static const char *const scopes[] = {"read", "write"};
    fixture.entries[0].scopes = (struct text_list){scopes, 2};
    fixture_start(&fixture);
    assert_refusal(verify_payload(",\"scope\":\"read write\""), REFUSAL_NONE);
    assert_refusal(verify_payload(",\"scope\":\" write  read\""), REFUSAL_NONE);
    assert_refusal(verify_payload(",\"scp\":[\"read\",\"write\"]"), REFUSAL_NONE);
    assert_refusal(verify_payload(",\"scp\":\"write read\""), REFUSAL_NONE);
    assert_refusal(verify_payload(",\"scope\":\"read\""), REFUSAL_INSUFFICIENT_SCOPE);
    assert_refusal(verify_payload(",\"scope\":\"read writer\""), REFUSAL_INSUFFICIENT_SCOPE);
    assert_refusal(verify_payload(",\"scope\":[\"read\",\"write\"]"), REFUSAL_NONE);
    assert_refusal(verify_payload(",\"scope\":[\"read\"],\"scp\":\"write\""), REFUSAL_NONE);
    assert_refusal(verify_payload(",\"scope\":[\"read write\"]"), REFUSAL_INSUFFICIENT_SCOPE);
    assert_refusal(verify_payload(",\"scope\":[\"read\",7]"), REFUSAL_INSUFFICIENT_SCOPE);
    assert_refusal(verify_payload(""), REFUSAL_INSUFFICIENT_SCOPE);
}

/* Whoever forged a token is not told which scopes are asked for. */
static void scopes_come_after_the_signature(void **state)
{
    (void)state;
    static const char *const scopes[] = {"read"};
    struct signer *other = signer_new("ES256");
    char *payload = fixture_payload("");
    fixture.entries[0].scopes = (struct text_list){scopes, 1};
    fixture_start(&fixture);
    assert_refusal(fixture_verify(&fixture, signer_token(other, "JWT", FIXTURE_KID, payload)),
                   REFUSAL_BAD_SIGNATURE);
    free(payload);
    signer_free(other);
}

static void limits_of_an_issuer(void **state)
{
    (void)state;
    fixture.entries[0].max_lifetime_s = 600;
    fixture.entries[0].max_age_s = 60;
    fixture_start(&fixture);
    assert_refusal(fixture_verify_payload(&fixture, fixture_payload_at(-10, 590, "")),
                   REFUSAL_NONE);
    assert_refusal(fixture_verify_payload(&fixture, fixture_payload_at(-10, 591, "")),
                   REFUSAL_LIFETIME_TOO_LONG);
    assert_refusal(fixture_verify_payload(&fixture, fixture_payload_at(-89, 60, "")), REFUSAL_NONE);
    assert_refusal(fixture_verify_payload(&fixture, fixture_payload_at(-90, 60, "")),
                   REFUSAL_TOO_OLD);
    assert_refusal(verify_members("JWT", ",\"sub\":\"u\""), REFUSAL_MISSING_IAT);
}

/* ---- chosen claims ---- */

static const struct claim_header chosen[] = {{"email", "X-Email"},     {"groups", "X-Groups"},
                                             {"level", "X-Level"},     {"admin", "X-Admin"},
                                             {"nothing", "X-Nothing"}, {"absent", "X-Absent"}};

static void chosen_claims_become_headers(void **state)
{
    (void)state;
    struct verified verified;
    char *payload =
        fixture_payload(",\"email\":\"zo\xc3\xab@x.example\",\"groups\":[\"a,b\",\"\xc3\xab\"],"
                        "\"level\":3,\"admin\":false,\"nothing\":null");
    char *token = signer_token(fixture.signer, "JWT", FIXTURE_KID, payload);
    fixture.entries[0].headers = chosen;
    fixture.entries[0].header_count = sizeof chosen / sizeof *chosen;
    fixture_start(&fixture);
    assert_refusal(
        verify_bearer(fixture.verifier, token, strlen(token), TEST_CLOCK_WALL_MS, &verified),
        REFUSAL_NONE);
    assert_int_equal(verified.header_count, 4);
    assert_string_equal(verified.headers[0].name, "X-Email");
    assert_text(verified.headers[0].value, "zo\xc3\xab@x.example");
    assert_string_equal(verified.headers[1].name, "X-Groups");
    assert_text(verified.headers[1].value, "[\"a,b\",\"\\u00EB\"]");
    assert_text(verified.headers[2].value, "3");
    assert_text(verified.headers[3].value, "false");
    /* Good also when the settings are gone that named them. */
    fixture.entries[0].header_count = 0;
    assert_status(verifier_reload(fixture.verifier, &fixture.settings, NULL), JTG_OK);
    assert_string_equal(verified.headers[1].name, "X-Groups");
    verified_clear(&verified);
    free(token);
    free(payload);
}

/* A line end would make a header of the attacker's; a blank at the end would be cut off. */
static void a_claim_that_no_header_can_carry(void **state)
{
    (void)state;
    static const char *const unsafe[] = {",\"email\":\"a\\r\\nX-Admin: true\"",
                                         ",\"email\":\"a\\n\"",
                                         ",\"email\":\" a\"",
                                         ",\"email\":\"a \"",
                                         ",\"email\":\"\\t\"",
                                         ",\"email\":\"\\u007f\"",
                                         ",\"groups\":[\"\\u007f\"]"};
    char longest[5000];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    char *too_long = text_of(",\"email\":\"%s\"", longest);
    fixture.entries[0].headers = chosen;
    fixture.entries[0].header_count = 2;
    fixture_start(&fixture);
    for (size_t i = 0; i < sizeof unsafe / sizeof *unsafe; i++)
        assert_refusal(verify_payload(unsafe[i]), REFUSAL_UNSAFE_CLAIM);
    assert_refusal(verify_payload(too_long), REFUSAL_UNSAFE_CLAIM);
    assert_refusal(verify_payload(",\"email\":\"\""), REFUSAL_NONE);
    assert_refusal(verify_payload(",\"groups\":[\"a\\r\\nb\"]"), REFUSAL_NONE);
    assert_refusal(verify_members("JWT", ",\"sub\":\"admin \""), REFUSAL_UNSAFE_CLAIM);
    assert_refusal(verify_members("JWT", ",\"sub\":\"a\\nb\""), REFUSAL_UNSAFE_CLAIM);
    free(too_long);
}

/* ---- settings ---- */

static void settings_that_weaken_are_refused(void **state)
{
    (void)state;
    static const char *const symmetric[] = {"HS256"};
    static const char *const none[] = {"none"};
    struct issuer_settings good = fixture.entries[0];
    struct issuer_settings *entry = &fixture.entries[0];
    static const struct claim_header bad_header[] = {{"email", "X Email\r\n"}};

    entry->algs = (struct text_list){symmetric, 1};
    assert_refused_setting("alg that is none of RS256");
    entry->algs = (struct text_list){none, 1};
    assert_refused_setting("alg that is none of RS256");
    *entry = good;
    entry->audiences.count = 0;
    assert_refused_setting("needs audience");
    *entry = good;
    entry->issuer = "";
    assert_refused_setting("needs issuer");
    *entry = good;
    entry->kind = JTG_KIND_NONE;
    assert_refused_setting("wants kind id_token");
    entry->kind = JTG_KIND_SAML_ASSERTION;
    assert_refused_setting("wants kind id_token");
    entry->kind = JTG_KIND_CUSTOM;
    assert_refused_setting("custom_kind");
    *entry = good;
    entry->max_lifetime_s = JTG_MAX_LIFETIME_S_DEFAULT + 1;
    assert_refused_setting("max_lifetime above");
    *entry = good;
    entry->headers = bad_header;
    entry->header_count = 1;
    assert_refused_setting("claim_header");
    *entry = good;
    static const char *const any[] = {"*"};
    entry->tenants = (struct text_list){any, 1};
    assert_refused_setting("one {NAME}");
    *entry = good;
    entry->trust_domain = "example.org";
    assert_refused_setting("trust_domain and an issuer");
    entry->issuer = NULL;
    entry->kind = JTG_KIND_LOGOUT_TOKEN;
    assert_refused_setting("workload or custom");
    entry->kind = JTG_KIND_ID_TOKEN;
    entry->trust_domain = "spiffe://example.org";
    assert_refused_setting("without spiffe://");
    entry->trust_domain = "example.org";
    entry->keys_from = KEYS_FROM_DISCOVERY;
    entry->keys_at = NULL;
    assert_refused_setting("set jwks_url or jwks_file");
    *entry = good;
    entry->is_workload = true;
    entry->kind = JTG_KIND_LOGOUT_TOKEN;
    assert_refused_setting("is_workload");
    *entry = good;
    entry->jti_claim = "";
    assert_refused_setting("jti_claim");
    entry->jti_claim = "uti";
    entry->kind = JTG_KIND_DPOP_PROOF;
    assert_refused_setting("jti_claim");
    *entry = good;
    entry->life_without_exp_s = 60;
    assert_refused_setting("life_without_exp with another kind");
    entry->kind = JTG_KIND_LOGOUT_TOKEN;
    entry->life_without_exp_s = JTG_MAX_LIFETIME_S_DEFAULT - JTG_FUTURE_LEEWAY_S_DEFAULT + 1;
    assert_refused_setting("life_without_exp above");
    *entry = good;
    fixture.settings.keys_retry_s = 0;
    assert_refused_setting("keys_retry_s is 0, and must be from 1 to 3600");
    fixture.settings.keys_retry_s = KEYS_RETRY_S_DEFAULT;
    fixture.settings.issuer_count = 0;
    assert_refused_setting("issuers");
}

static void places_of_keys_that_are_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {"http://issuer.example/keys",
                                       "ftp://issuer.example/keys",
                                       "file:///etc/passwd",
                                       "https://",
                                       "issuer.example/keys",
                                       "https://u:p@issuer.example/keys",
                                       "https://issuer.example/#frag",
                                       "http://127.0.0.1/keys",
                                       "//issuer.example/keys",
                                       "https://issuer.example/\r\nX",
                                       ""};
    fixture.entries[0].keys_from = KEYS_FROM_URL;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        fixture.entries[0].keys_at = urls[i];
        assert_refused_setting("jwks_url");
    }
    fixture.entries[0].keys_from = KEYS_FROM_DISCOVERY;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        fixture.entries[0].keys_at = urls[i];
        assert_refused_setting("discovery_url");
    }
    fixture.entries[0].keys_from = KEYS_FROM_FILE;
    fixture.entries[0].keys_at = fixture.keys_path;
    fixture.entries[0].keys_token_file = "token";
    assert_refused_setting("jwks_token_file");
    fixture.entries[0].keys_token_file = NULL;
    fixture.entries[0].keys_ca_file = "ca";
    assert_refused_setting("jwks_ca_file");
    fixture.entries[0].keys_ca_file = NULL;
    fixture.entries[0].keys_from = KEYS_FROM_URL;
    fixture.settings.allow_loopback_http = true;
    fixture.entries[0].keys_at = "http://issuer.example/keys";
    assert_refused_setting("jwks_url");
    fixture.entries[0].keys_at = "http://127.0.0.1.evil.example/keys";
    assert_refused_setting("jwks_url");
    fixture.entries[0].keys_from = KEYS_FROM_DISCOVERY;
    fixture.entries[0].keys_at = NULL;
    fixture.entries[0].issuer = "http://issuer.example";
    assert_refused_setting("jwks_url");
    fixture.entries[0].issuer = "https://issuer.example?tenant=1";
    assert_refused_setting("jwks_url");
}

/* Two entries that both take a token would make its kind a matter of their order. */
static void entries_that_overlap_are_refused(void **state)
{
    (void)state;
    static const char *const spelled[] = {"application/jwt"};
    fixture.settings.issuer_count = 2;
    fixture.entries[1] = fixture.entries[0];
    assert_refused_setting("typ");
    fixture.entries[1].typs = (struct text_list){spelled, 1};
    assert_refused_setting("typ");
    static const char *const any[] = {"*"};
    fixture.entries[0].issuer = "https://other.example/a/v2.0";
    fixture.entries[1].issuer = "https://other.example/{tenant}/v2.0";
    fixture.entries[1].tenants = (struct text_list){any, 1};
    assert_refused_setting("typ");
    fixture.entries[1].tenants = (struct text_list){NULL, 0};
    fixture.entries[1].issuer = "https://other.example";
    fixture_start(&fixture);
}

static void a_key_file_that_is_none(void **state)
{
    (void)state;
    static const char *const files[] = {"",
                                        "{}",
                                        "{\"keys\":{}}",
                                        "{\"keys\":[]}",
                                        "[]",
                                        "{\"keys\":[],\"keys\":[]}",
                                        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        fixture_write_keys(&fixture, files[i]);
        assert_refused_setting("key file");
    }
    jtg_error err = JTG_ERROR_INIT;
    fixture.entries[0].keys_at = "/nonexistent/keys";
    assert_status(verifier_new(&fixture.verifier, &fixture.settings, &err), JTG_ERR_SYSTEM);
    assert_int_equal(err.system_errno, ENOENT);
}

static void a_reload_takes_new_keys_and_a_bad_one_nothing(void **state)
{
    (void)state;
    struct signer *rotated = signer_new("ES256");
    char *payload = fixture_payload("");
    char *jwks = signer_jwks(rotated, "key-2");
    jtg_error err = JTG_ERROR_INIT;
    fixture_start(&fixture);
    fixture_write_keys(&fixture, "{\"keys\":[");
    assert_status(verifier_reload(fixture.verifier, &fixture.settings, &err), JTG_ERR_ARGUMENT);
    assert_refusal(verify_payload(""), REFUSAL_NONE);
    fixture_write_keys(&fixture, jwks);
    assert_refusal(fixture_verify(&fixture, signer_token(rotated, "JWT", "key-2", payload)),
                   REFUSAL_UNKNOWN_KEY);
    assert_status(verifier_reload(fixture.verifier, &fixture.settings, &err), JTG_OK);
    assert_refusal(fixture_verify(&fixture, signer_token(rotated, "JWT", "key-2", payload)),
                   REFUSAL_NONE);
    assert_refusal(verify_payload(""), REFUSAL_UNKNOWN_KEY);
    free(jwks);
    free(payload);
    signer_free(rotated);
}

static void the_state_of_the_keys(void **state)
{
    (void)state;
    struct keys_status status;
    fixture_start(&fixture);
    test_clock_advance(&fixture.clock, 5000);
    assert_true(fixture_wait_for_keys(&fixture, 0));
    assert_true(verifier_keys_status(fixture.verifier, 0, &status));
    assert_string_equal(status.issuer, FIXTURE_ISSUER);
    assert_int_equal(status.keys, 1);
    assert_int_equal(status.age_ms, 5000);
    assert_false(verifier_keys_status(fixture.verifier, 1, &status));
}

/* Every name once; every class has its code; only zero is no refusal. */
static void names_of_refusals(void **state)
{
    (void)state;
    assert_string_equal(refusal_name(REFUSAL_NONE), "verified");
    assert_int_equal(refusal_class(REFUSAL_NONE), REFUSAL_CLASS_NONE);
    for (unsigned i = 0; i < REFUSAL_COUNT; i++) {
        const char *name = refusal_name((enum refusal)i);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
        assert_true(strlen(refusal_text((enum refusal)i)) > 0);
        assert_int_equal(refusal_class((enum refusal)i) == REFUSAL_CLASS_NONE, i == 0);
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(name, refusal_name((enum refusal)j));
    }
    assert_string_equal(refusal_error_code(REFUSAL_EXPIRED), "invalid_token");
    assert_string_equal(refusal_error_code(REFUSAL_PROOF_EXPIRED), "invalid_dpop_proof");
    assert_string_equal(refusal_error_code(REFUSAL_PROOF_WRONG_NONCE), "use_dpop_nonce");
    assert_string_equal(refusal_error_code(REFUSAL_INSUFFICIENT_SCOPE), "insufficient_scope");
    assert_string_equal(refusal_error_code(REFUSAL_REPEATED_AUTHORIZATION), "invalid_request");
    assert_null(refusal_error_code(REFUSAL_MISSING_TOKEN));
    assert_null(refusal_error_code(REFUSAL_KEYS_UNAVAILABLE));
    assert_int_equal(refusal_class(REFUSAL_COUNT), REFUSAL_CLASS_TROUBLE);
    assert_int_equal(refusal_class((enum refusal) - 1), REFUSAL_CLASS_TROUBLE);
}

/* An operator finds every reason in the manual. */
static void every_reason_is_documented(void **state)
{
    (void)state;
    static char manual[65536];
    FILE *file = fopen(JTIGUARD_SERVE_TOKENS, "r");
    assert_non_null(file);
    manual[fread(manual, 1, sizeof manual - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    for (unsigned i = 1; i < REFUSAL_COUNT; i++) {
        char *quoted = text_of("`%s`", refusal_name((enum refusal)i));
        if (strstr(manual, quoted) == NULL)
            fail_msg("%s is not in the manual", quoted);
        free(quoted);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(what_the_guard_gets),
        TEST(one_token_is_admitted_once),
        TEST(typ_has_several_spellings),
        TEST(members_have_their_types),
        TEST(a_missing_jti_is_left_to_the_guard),
        TEST(an_id_token_needs_a_subject),
        TEST(an_id_token_for_several_names_its_party),
        TEST(a_configured_client_is_the_only_one),
        TEST(the_same_audience_whatever_the_order),
        TEST(a_client_assertion_is_of_its_client),
        TEST(a_logout_token_has_its_event),
        TEST(an_event_that_is_no_object),
        TEST(a_logout_token_without_exp),
        TEST(the_guard_gets_the_end_of_a_logout_token),
        TEST(a_longer_life_without_exp_makes_nothing_new),
        TEST(id_and_logout_tokens_of_one_typ),
        TEST(another_claim_as_jti),
        TEST(a_workload_token_for_several),
        TEST(an_issuer_of_many_tenants),
        TEST(a_key_of_one_tenant),
        TEST(keys_of_other_tenants),
        TEST(a_trust_domain),
        TEST(the_issuer_of_a_trust_domain),
        TEST(the_keys_of_a_trust_domain),
        TEST(the_keys_of_a_trust_domain_and_of_an_issuer),
        TEST(a_logout_token_is_no_id_token),
        TEST(two_kinds_of_one_issuer),
        TEST(a_custom_kind_has_its_name),
        TEST(a_bound_token_is_no_bearer_token),
        TEST(scopes_are_words),
        TEST(scopes_come_after_the_signature),
        TEST(limits_of_an_issuer),
        TEST(chosen_claims_become_headers),
        TEST(a_claim_that_no_header_can_carry),
        TEST(settings_that_weaken_are_refused),
        TEST(places_of_keys_that_are_refused),
        TEST(entries_that_overlap_are_refused),
        TEST(a_key_file_that_is_none),
        TEST(a_reload_takes_new_keys_and_a_bad_one_nothing),
        TEST(the_state_of_the_keys),
        cmocka_unit_test(names_of_refusals),
        cmocka_unit_test(every_reason_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
