/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs of possession (RFC 9449 section 4.3), each check by one proof that fails it. */
#include "serve/verify_fixture.h"

#include <jtiguard/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METHOD "GET"
#define URL    "https://api.example/orders"

static struct verify_fixture fixture;
static struct signer *holder; /* of the key that the token is bound to */
static char *token;
static char jkt[44];
static char ath[44];

/* RFC 7638 by hand: crv, kty, x, y. */
static void thumbprint_of(char hash[44], const struct signer *signer)
{
    const char *xy = strstr(signer_members(signer), "\"x\":");
    char *canonical = text_of("{\"crv\":\"P-256\",\"kty\":\"EC\",%s}", xy);
    hash_text(hash, canonical);
    free(canonical);
}

static char *make_token(const char *more)
{
    char *payload = fixture_payload(more);
    char *made = signer_token(fixture.signer, "at+jwt", FIXTURE_KID, payload);
    free(payload);
    return made;
}

static void bind_token(const char *more)
{
    char *cnf = text_of(",\"cnf\":{\"jkt\":\"%s\"}%s", jkt, more);
    free(token);
    token = make_token(cnf);
    hash_text(ath, token);
    free(cnf);
}

static int open_fixture(void **state)
{
    (void)state;
    fixture_init(&fixture);
    fixture.entries[0].kind = JTG_KIND_DPOP_PROOF;
    holder = signer_new("ES256");
    thumbprint_of(jkt, holder);
    token = NULL;
    bind_token("");
    return 0;
}

static int close_fixture(void **state)
{
    (void)state;
    free(token);
    signer_free(holder);
    fixture_end(&fixture);
    return 0;
}

static char *make_header(const struct signer *signer, const char *typ, const char *alg)
{
    return text_of("{\"typ\":\"%s\",\"alg\":\"%s\",\"jwk\":{%s}}", typ, alg,
                   signer_members(signer));
}

/* What a proof says; NULL leaves the member out. */
struct saying {
    const char *jti;
    const char *htm;
    const char *htu;
    const char *ath;
    const char *iat;
    const char *more;
};

static char now_text[32];

static struct saying good_saying(void)
{
    (void)snprintf(now_text, sizeof now_text, "%lld", (long long)FIXTURE_NOW_S);
    return (struct saying){"proof-1", METHOD, URL, ath, now_text, ""};
}

static char *member(const char *name, const char *value, bool is_text)
{
    if (value == NULL)
        return text_of("%s", "");
    return is_text ? text_of("\"%s\":\"%s\",", name, value) : text_of("\"%s\":%s,", name, value);
}

static char *make_payload(const struct saying *saying)
{
    char *members[] = {member("jti", saying->jti, true), member("htm", saying->htm, true),
                       member("htu", saying->htu, true), member("ath", saying->ath, true),
                       member("iat", saying->iat, false)};
    char *payload = text_of("{%s%s%s%s%s\"x\":1%s}", members[0], members[1], members[2], members[3],
                            members[4], saying->more);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        free(members[i]);
    return payload;
}

static enum refusal verify_request(const char *proof, const char *method, const char *url,
                                   struct verified *verified)
{
    struct dpop_request request = {{method, strlen(method)},
                                   {url, strlen(url)},
                                   {token, strlen(token)},
                                   {proof, strlen(proof)}};
    return verify_dpop(fixture.verifier, &request, TEST_CLOCK_WALL_MS, verified);
}

/* proof is freed. */
static enum refusal verify_proof(char *proof)
{
    struct verified verified;
    enum refusal refusal = verify_request(proof, METHOD, URL, &verified);
    assert_int_equal(verified.storage != NULL, refusal == REFUSAL_NONE);
    verified_clear(&verified);
    free(proof);
    return refusal;
}

static char *sign_saying(const struct saying *saying)
{
    char *header = make_header(holder, "dpop+jwt", "ES256");
    char *payload = make_payload(saying);
    char *proof = signer_sign(holder, header, payload);
    free(payload);
    free(header);
    return proof;
}

static enum refusal verify_saying(struct saying saying)
{
    return verify_proof(sign_saying(&saying));
}

static char *good_proof(void)
{
    struct saying saying = good_saying();
    return sign_saying(&saying);
}

/* The usual payload under this header, signed by signer. header is freed. */
static enum refusal verify_under(const struct signer *signer, char *header)
{
    struct saying saying = good_saying();
    char *payload = make_payload(&saying);
    char *proof = signer_sign(signer, header, payload);
    free(payload);
    free(header);
    return verify_proof(proof);
}

static void what_the_guard_gets(void **state)
{
    (void)state;
    struct verified verified;
    char *proof = good_proof();
    fixture_start(&fixture);
    assert_refusal(verify_request(proof, METHOD, URL, &verified), REFUSAL_NONE);
    free(proof);
    assert_int_equal(verified.claims.kind, JTG_KIND_DPOP_PROOF);
    assert_int_equal(verified.claims.jti.data_len, strlen("proof-1"));
    assert_memory_equal(verified.claims.jti.data, "proof-1", strlen("proof-1"));
    assert_int_equal(verified.claims.thumbprint.data_len, 43);
    assert_memory_equal(verified.claims.thumbprint.data, jkt, 43);
    assert_int_equal(verified.claims.iat_ms, TEST_CLOCK_WALL_MS);
    assert_int_equal(verified.claims.exp_ms, JTG_TIME_ABSENT);
    assert_int_equal(verified.claims.issuer.data_len, strlen(FIXTURE_ISSUER));
    assert_memory_equal(verified.subject.data, "user-1", 6);
    verified_clear(&verified);
}

/* The access token is shown again and again, each proof once. */
static void a_proof_is_admitted_once_and_its_token_again(void **state)
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
    for (unsigned i = 0; i < 6; i++) {
        struct verified verified;
        jtg_decision decision = JTG_DECISION_INIT;
        char jti[8];
        (void)snprintf(jti, sizeof jti, "p%u", i / 2);
        struct saying saying = good_saying();
        saying.jti = jti;
        char *proof = sign_saying(&saying);
        assert_refusal(verify_request(proof, METHOD, URL, &verified), REFUSAL_NONE);
        free(proof);
        assert_int_equal(jtg_guard_admit(guard, &verified.claims, &decision, NULL), i % 2 == 0);
        verified_clear(&verified);
    }
    jtg_guard_free(guard);
    jtg_cache_free(cache);
}

static void a_proof_needs_its_members(void **state)
{
    (void)state;
    fixture_start(&fixture);
    for (unsigned i = 0; i < 5; i++) {
        struct saying saying = good_saying();
        const char **const members[] = {&saying.jti, &saying.htm, &saying.htu, &saying.ath,
                                        &saying.iat};
        *members[i] = NULL;
        assert_refusal(verify_saying(saying), REFUSAL_PROOF_MISSING_CLAIM);
    }
    struct saying empty = good_saying();
    empty.jti = "";
    assert_refusal(verify_saying(empty), REFUSAL_PROOF_MISSING_CLAIM);
}

static void the_method_is_the_requests(void **state)
{
    (void)state;
    static const char *const others[] = {"POST", "get", "GET ", "", "GETX"};
    fixture_start(&fixture);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct saying saying = good_saying();
        saying.htm = others[i];
        assert_refusal(verify_saying(saying), REFUSAL_PROOF_WRONG_METHOD);
    }
}

static void the_url_is_the_requests(void **state)
{
    (void)state;
    static const struct {
        const char *htu;
        enum refusal refusal;
    } cases[] = {
        {"HTTPS://API.example:443/orders", REFUSAL_NONE},
        {"https://api.example/x/../%6Frders", REFUSAL_NONE},
        {"https://api.example/orders?page=2#x", REFUSAL_NONE},
        {"https://api.example/orders/", REFUSAL_PROOF_WRONG_URL},
        {"https://api.example/Orders", REFUSAL_PROOF_WRONG_URL},
        {"http://api.example/orders", REFUSAL_PROOF_WRONG_URL},
        {"https://api.example:8443/orders", REFUSAL_PROOF_WRONG_URL},
        {"https://api.example.evil/orders", REFUSAL_PROOF_WRONG_URL},
        {"https://evil@api.example/orders", REFUSAL_PROOF_WRONG_URL},
        {"/orders", REFUSAL_PROOF_WRONG_URL},
        {"", REFUSAL_PROOF_WRONG_URL},
    };
    fixture_start(&fixture);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct saying saying = good_saying();
        saying.htu = cases[i].htu;
        assert_refusal(verify_saying(saying), cases[i].refusal);
    }
}

static void the_query_of_the_request_does_not_count(void **state)
{
    (void)state;
    struct verified verified;
    char *proof = good_proof();
    fixture_start(&fixture);
    assert_refusal(verify_request(proof, METHOD, URL "?a=b&c=/d", &verified), REFUSAL_NONE);
    verified_clear(&verified);
    assert_refusal(verify_request(proof, METHOD, "not a url", &verified), REFUSAL_MISSING_TARGET);
    verified_clear(&verified);
    assert_refusal(verify_request(proof, METHOD, "", &verified), REFUSAL_MISSING_TARGET);
    verified_clear(&verified);
    free(proof);
}

static enum refusal verify_issued(long offset_s)
{
    char iat[32];
    struct saying saying = good_saying();
    (void)snprintf(iat, sizeof iat, "%lld", (long long)FIXTURE_NOW_S + offset_s);
    saying.iat = iat;
    return verify_saying(saying);
}

static void the_window_of_a_proof(void **state)
{
    (void)state;
    long longest = JTG_PROOF_MAX_AGE_S_DEFAULT + JTG_LEEWAY_S_DEFAULT;
    fixture_start(&fixture);
    assert_refusal(verify_issued(1 - longest), REFUSAL_NONE);
    assert_refusal(verify_issued(-longest), REFUSAL_PROOF_EXPIRED);
    assert_refusal(verify_issued(JTG_FUTURE_LEEWAY_S_DEFAULT), REFUSAL_NONE);
    assert_refusal(verify_issued(JTG_FUTURE_LEEWAY_S_DEFAULT + 1), REFUSAL_PROOF_ISSUED_IN_FUTURE);
    assert_refusal(verify_issued(-(long)FIXTURE_NOW_S - 1), REFUSAL_PROOF_MALFORMED);
}

static void the_times_that_a_proof_may_add(void **state)
{
    (void)state;
    struct saying saying = good_saying();
    char *ended = text_of(",\"exp\":%lld", (long long)FIXTURE_NOW_S - JTG_LEEWAY_S_DEFAULT);
    char *early = text_of(",\"nbf\":%lld", (long long)FIXTURE_NOW_S + 31);
    char iat[32];
    fixture_start(&fixture);
    (void)snprintf(iat, sizeof iat, "%lld", (long long)FIXTURE_NOW_S - 60);
    saying.iat = iat;
    saying.more = ended;
    assert_refusal(verify_saying(saying), REFUSAL_PROOF_EXPIRED);
    saying.more = early;
    assert_refusal(verify_saying(saying), REFUSAL_PROOF_ISSUED_IN_FUTURE);
    saying.more = ",\"exp\":1";
    assert_refusal(verify_saying(saying), REFUSAL_PROOF_MALFORMED);
    saying.more = ",\"exp\":\"soon\"";
    assert_refusal(verify_saying(saying), REFUSAL_PROOF_MALFORMED);
    free(early);
    free(ended);
}

static void a_proof_is_for_one_token(void **state)
{
    (void)state;
    char other[44];
    struct saying saying = good_saying();
    fixture_start(&fixture);
    hash_text(other, "another token");
    saying.ath = other;
    assert_refusal(verify_saying(saying), REFUSAL_PROOF_WRONG_TOKEN);
    saying.ath = "";
    assert_refusal(verify_saying(saying), REFUSAL_PROOF_WRONG_TOKEN);
}

/* Whoever stole the token has a key too, but not this one. */
static void a_proof_by_another_key(void **state)
{
    (void)state;
    struct signer *thief = signer_new("ES256");
    fixture_start(&fixture);
    assert_refusal(verify_under(thief, make_header(thief, "dpop+jwt", "ES256")),
                   REFUSAL_PROOF_WRONG_KEY);
    assert_refusal(verify_under(thief, make_header(holder, "dpop+jwt", "ES256")),
                   REFUSAL_PROOF_BAD_SIGNATURE);
    signer_free(thief);
}

static void typ_is_exact(void **state)
{
    (void)state;
    static const char *const others[] = {"JWT", "DPOP+JWT", "application/dpop+jwt", "at+jwt", ""};
    fixture_start(&fixture);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_refusal(verify_under(holder, make_header(holder, others[i], "ES256")),
                       REFUSAL_PROOF_WRONG_TYP);
    assert_refusal(
        verify_under(holder, text_of("{\"alg\":\"ES256\",\"jwk\":{%s}}", signer_members(holder))),
        REFUSAL_PROOF_WRONG_TYP);
}

static void algorithms_of_a_proof(void **state)
{
    (void)state;
    fixture_start(&fixture);
    assert_refusal(verify_under(holder, make_header(holder, "dpop+jwt", "none")),
                   REFUSAL_PROOF_UNSUPPORTED_ALG);
    assert_refusal(verify_under(holder, make_header(holder, "dpop+jwt", "HS256")),
                   REFUSAL_PROOF_UNSUPPORTED_ALG);
    assert_refusal(verify_under(holder, make_header(holder, "dpop+jwt", "ES384")),
                   REFUSAL_PROOF_BAD_KEY);
    assert_refusal(verify_under(holder, make_header(holder, "dpop+jwt", "RS256")),
                   REFUSAL_PROOF_BAD_KEY);
}

static enum refusal verify_jwk(const char *jwk)
{
    return verify_under(holder,
                        text_of("{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":%s}", jwk));
}

static void keys_that_are_none(void **state)
{
    (void)state;
    static const char *const jwks[] = {
        "null",
        "\"x\"",
        "[]",
        "{}",
        "{\"kty\":\"oct\",\"k\":\"AAAA\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}"};
    fixture_start(&fixture);
    for (size_t i = 0; i < sizeof jwks / sizeof *jwks; i++)
        assert_refusal(verify_jwk(jwks[i]), REFUSAL_PROOF_BAD_KEY);
    char *with_private = text_of("{%s,\"d\":\"AAAA\"}", signer_members(holder));
    assert_refusal(verify_jwk(with_private), REFUSAL_PROOF_BAD_KEY);
    free(with_private);
    assert_refusal(verify_under(holder, text_of("{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\"}")),
                   REFUSAL_PROOF_BAD_KEY);
}

static void a_weak_key(void **state)
{
    (void)state;
    struct signer *weak = signer_new_rsa("RS256", 1024);
    fixture_start(&fixture);
    assert_refusal(verify_under(weak, make_header(weak, "dpop+jwt", "RS256")),
                   REFUSAL_PROOF_BAD_KEY);
    signer_free(weak);
}

static void shapes_of_a_proof(void **state)
{
    (void)state;
    static const char *const shapes[] = {"", ".", "..", "a.b.c", "a.b", "a.b.c.d"};
    struct saying twice = good_saying();
    fixture_start(&fixture);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        assert_refusal(verify_proof(text_of("%s", shapes[i])), REFUSAL_PROOF_MALFORMED);
    twice.more = ",\"jti\":\"proof-2\"";
    assert_refusal(verify_saying(twice), REFUSAL_PROOF_MALFORMED);
    char *proof = good_proof();
    char *longer = text_of("%s=", proof);
    free(proof);
    assert_refusal(verify_proof(longer), REFUSAL_PROOF_MALFORMED);
    assert_refusal(
        verify_under(holder, text_of("{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"crit\":[\"x\"],"
                                     "\"jwk\":{%s}}",
                                     signer_members(holder))),
        REFUSAL_PROOF_MALFORMED);
}

/* ---- the token beside the proof ---- */

static void the_token_must_hold_too(void **state)
{
    (void)state;
    fixture_start(&fixture);
    token[strlen(token) - 10] = token[strlen(token) - 10] == 'A' ? 'B' : 'A';
    hash_text(ath, token);
    assert_refusal(verify_proof(good_proof()), REFUSAL_BAD_SIGNATURE);
}

static void a_token_that_is_not_bound(void **state)
{
    (void)state;
    fixture_start(&fixture);
    free(token);
    token = make_token("");
    hash_text(ath, token);
    assert_refusal(verify_proof(good_proof()), REFUSAL_NOT_BOUND);
}

static void a_token_bound_otherwise_too(void **state)
{
    (void)state;
    fixture_start(&fixture);
    char *cnf = text_of(",\"cnf\":{\"jkt\":\"%s\",\"x5t#S256\":\"x\"}", jkt);
    free(token);
    token = make_token(cnf);
    hash_text(ath, token);
    free(cnf);
    assert_refusal(verify_proof(good_proof()), REFUSAL_UNKNOWN_BINDING);
}

static void a_bound_token_as_bearer(void **state)
{
    (void)state;
    fixture_start(&fixture);
    assert_refusal(fixture_verify(&fixture, text_of("%s", token)), REFUSAL_PROOF_REQUIRED);
    /* Nor one that is not bound: an access token may be shown many times. No proof would help it.
     */
    assert_refusal(fixture_verify(&fixture, make_token("")), REFUSAL_NOT_BOUND);
}

/* A single-use token beside a proof: then both would have to be guarded. */
static void a_token_of_another_kind(void **state)
{
    (void)state;
    static const char *const typs[] = {"at+jwt"};
    fixture.entries[0].kind = JTG_KIND_ID_TOKEN;
    fixture.entries[0].typs = (struct text_list){typs, 1};
    fixture_start(&fixture);
    assert_refusal(verify_proof(good_proof()), REFUSAL_WRONG_KIND);
}

static void scopes_of_a_bound_token(void **state)
{
    (void)state;
    static const char *const scopes[] = {"orders"};
    fixture.entries[0].scopes = (struct text_list){scopes, 1};
    fixture_start(&fixture);
    assert_refusal(verify_proof(good_proof()), REFUSAL_INSUFFICIENT_SCOPE);
    bind_token(",\"scope\":\"orders\"");
    assert_refusal(verify_proof(good_proof()), REFUSAL_NONE);
}

/* ---- nonces ---- */

static void a_nonce_where_it_is_asked_for(void **state)
{
    (void)state;
    static const unsigned char key[DPOP_NONCE_KEY_BYTES] = {7};
    char nonce[DPOP_NONCE_TEXT_BYTES];
    struct saying saying = good_saying();
    fixture.settings.dpop_nonce = true;
    fixture.settings.dpop_nonce_key = key;
    fixture_start(&fixture);
    assert_true(verifier_uses_dpop_nonce(fixture.verifier));
    assert_refusal(verify_saying(saying), REFUSAL_PROOF_WRONG_NONCE);
    saying.more = ",\"nonce\":\"made-up\"";
    assert_refusal(verify_saying(saying), REFUSAL_PROOF_WRONG_NONCE);
    saying.more = ",\"nonce\":7";
    assert_refusal(verify_saying(saying), REFUSAL_PROOF_WRONG_NONCE);
    verifier_dpop_nonce(fixture.verifier, TEST_CLOCK_WALL_MS, nonce);
    char *more = text_of(",\"nonce\":\"%s\"", nonce);
    saying.more = more;
    assert_refusal(verify_saying(saying), REFUSAL_NONE);
    free(more);
    verifier_dpop_nonce(fixture.verifier, TEST_CLOCK_WALL_MS - DPOP_NONCE_LIFETIME_S_DEFAULT * 1000,
                        nonce);
    more = text_of(",\"nonce\":\"%s\"", nonce);
    saying.more = more;
    assert_refusal(verify_saying(saying), REFUSAL_PROOF_WRONG_NONCE);
    free(more);
}

/* iat of this saying, so many seconds from now, with the nonce of so many seconds from now. */
static enum refusal verify_by_clocks(long iat, long nonce_at, const char *more,
                                     struct verified *verified)
{
    char iat_text[32];
    char nonce[DPOP_NONCE_TEXT_BYTES];
    struct saying saying = good_saying();
    (void)snprintf(iat_text, sizeof iat_text, "%ld", (long)FIXTURE_NOW_S + iat);
    verifier_dpop_nonce(fixture.verifier, TEST_CLOCK_WALL_MS + nonce_at * 1000, nonce);
    char *members = text_of(",\"nonce\":\"%s\"%s", nonce, more);
    saying.iat = iat_text;
    saying.more = members;
    char *proof = sign_saying(&saying);
    enum refusal refusal = verify_request(proof, METHOD, URL, verified);
    free(proof);
    free(members);
    return refusal;
}

static void assert_by_clocks(long iat, long nonce_at, const char *more, enum refusal expected)
{
    struct verified verified;
    assert_refusal(verify_by_clocks(iat, nonce_at, more, &verified), expected);
    verified_clear(&verified);
}

/* The nonce was made by our clock: a proof that holds it is no older, and no younger. */
static void a_nonce_excuses_a_wrong_clock(void **state)
{
    (void)state;
    static const long clocks[] = {-100000000, -3600, 0, 3600, 100000000};
    const long slot_s = DPOP_NONCE_LIFETIME_S_DEFAULT / 2;
    int64_t end_ms = 0;
    fixture.settings.dpop_nonce = true;
    fixture.settings.dpop_clock_of_nonce = true;
    fixture_start(&fixture);
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        struct verified verified;
        assert_refusal(verify_by_clocks(clocks[i], 0, "", &verified), REFUSAL_NONE);
        /* The guard asks for what was kept since the same moment, whatever the client says, and
         * counts from it or from an iat that others take: else it could forget a proof that is
         * still taken. */
        int64_t made_ms = verified.claims.nbf_ms;
        assert_true(made_ms <= TEST_CLOCK_WALL_MS);
        assert_true(made_ms > TEST_CLOCK_WALL_MS - slot_s * 1000);
        assert_true(i == 0 || made_ms == end_ms);
        assert_int_equal(verified.claims.iat_ms, clocks[i] == 0 ? TEST_CLOCK_WALL_MS : made_ms);
        end_ms = made_ms;
        verified_clear(&verified);
        assert_by_clocks(clocks[i], -slot_s, "", REFUSAL_NONE);
        assert_by_clocks(clocks[i], -2 * slot_s, "", REFUSAL_PROOF_WRONG_NONCE);
    }
    /* An iat that lies ahead is cut at what may lie ahead, and the guard is told how far it can
     * have moved: from where it was cut when the nonce was new. */
    const int64_t future_ms = JTG_FUTURE_LEEWAY_S_DEFAULT * INT64_C(1000);
    struct verified ahead;
    assert_refusal(verify_by_clocks(60, 0, "", &ahead), REFUSAL_NONE);
    assert_int_equal(ahead.claims.iat_ms, TEST_CLOCK_WALL_MS + future_ms);
    assert_int_equal(ahead.claims.apart_ms, TEST_CLOCK_WALL_MS - ahead.claims.nbf_ms);
    verified_clear(&ahead);
    assert_refusal(verify_by_clocks(-60, 0, "", &ahead), REFUSAL_NONE);
    assert_int_equal(ahead.claims.apart_ms, 0);
    verified_clear(&ahead);
    /* What lives for a minute by the client's clock lives for a minute by ours. */
    char *short_life = text_of(",\"exp\":%ld", (long)FIXTURE_NOW_S - 3600 + 1);
    char *long_life = text_of(",\"exp\":%ld", (long)FIXTURE_NOW_S - 3600 + slot_s * 2);
    char *no_life = text_of(",\"exp\":%ld", (long)FIXTURE_NOW_S - 3600);
    assert_by_clocks(-3600, -slot_s, short_life, REFUSAL_PROOF_EXPIRED);
    assert_by_clocks(-3600, 0, long_life, REFUSAL_NONE);
    /* And for the life of a nonce whatever the nonce's age. */
    assert_by_clocks(-3600, -slot_s, long_life, REFUSAL_NONE);
    assert_by_clocks(-3600, 0, no_life, REFUSAL_PROOF_MALFORMED);
    free(no_life);
    free(long_life);
    free(short_life);
    /* Whoever has no nonce yet gets one, and is not told that the proof has expired. */
    struct saying saying = good_saying();
    saying.iat = "1";
    assert_refusal(verify_proof(sign_saying(&saying)), REFUSAL_PROOF_WRONG_NONCE);
}

/* Who verifies a proof, and when, by whose clock. */
struct showing {
    bool by_nonce;
    bool asks_nonce;
    long at_s;
};

static jtg_reason admit_proof(jtg_guard *guard, const char *proof, struct showing showing)
{
    struct verified verified;
    jtg_decision decision = JTG_DECISION_INIT;
    struct dpop_request request = {{METHOD, strlen(METHOD)},
                                   {URL, strlen(URL)},
                                   {token, strlen(token)},
                                   {proof, strlen(proof)}};
    int64_t now_ms = TEST_CLOCK_WALL_MS + showing.at_s * 1000;
    test_clock_advance(&fixture.clock, now_ms - atomic_load(&fixture.clock.wall_ms));
    fixture.settings.dpop_nonce = showing.asks_nonce;
    fixture.settings.dpop_clock_of_nonce = showing.by_nonce;
    assert_status(verifier_reload(fixture.verifier, &fixture.settings, NULL), JTG_OK);
    assert_refusal(verify_dpop(fixture.verifier, &request, now_ms, &verified), REFUSAL_NONE);
    bool admitted = jtg_guard_admit(guard, &verified.claims, &decision, NULL);
    assert_int_equal(admitted, decision.reason == JTG_REASON_ADMITTED);
    verified_clear(&verified);
    return decision.reason;
}

/* A reload to the other clock, at the last moment at which that one takes the proof. */
static void another_clock_makes_no_proof_new(void **state)
{
    (void)state;
    const long life_s = DPOP_NONCE_LIFETIME_S_DEFAULT;
    const long slack_s = JTG_LEEWAY_S_DEFAULT;
    const long ahead_s = JTG_FUTURE_LEEWAY_S_DEFAULT;
    const long age_s = JTG_PROOF_MAX_AGE_S_DEFAULT;
    const struct {
        struct showing first;
        struct showing second;
        long iat;
        const char *exp;
    } cases[] = {
        {{true, true, 0}, {false, false, age_s + slack_s - 1}, 0, ""},
        {{true, true, 0}, {false, false, ahead_s + age_s + slack_s - 1}, ahead_s, ""},
        {{true, true, life_s - 1}, {false, false, life_s + age_s + slack_s - 2}, life_s - 1, ""},
        {{false, true, 0}, {true, true, life_s - 1}, 1 - age_s - slack_s, ""},
        {{false, false, 0}, {true, true, life_s - 1}, 1 - age_s - slack_s, ""},
        {{false, true, 0}, {true, true, life_s - 1}, 1 - age_s, ",\"exp\":%ld"},
    };
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    options.clock = &fixture.as_jtg;
    fixture.guard.clock = &fixture.as_jtg;
    fixture.guard.retention_margin_s = 1;
    char *cnf = text_of(",\"cnf\":{\"jkt\":\"%s\"}", jkt);
    char *payload = fixture_payload_at(0, 3600, cnf);
    free(token);
    token = signer_token(fixture.signer, "at+jwt", FIXTURE_KID, payload);
    hash_text(ath, token);
    free(payload);
    free(cnf);
    fixture_start(&fixture);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        jtg_cache *cache = NULL;
        jtg_guard *guard = NULL;
        char nonce[DPOP_NONCE_TEXT_BYTES];
        fixture.settings.dpop_nonce = true;
        assert_status(verifier_reload(fixture.verifier, &fixture.settings, NULL), JTG_OK);
        verifier_dpop_nonce(fixture.verifier, TEST_CLOCK_WALL_MS, nonce);
        assert_status(jtg_memory_new(&cache, &options, NULL), JTG_OK);
        assert_status(jtg_guard_new(&guard, cache, &fixture.guard, NULL), JTG_OK);
        struct saying saying = good_saying();
        char iat[32];
        (void)snprintf(iat, sizeof iat, "%ld", (long)FIXTURE_NOW_S + cases[i].iat);
        saying.iat = iat;
        char *exp = *cases[i].exp != '\0' ? text_of(",\"exp\":%ld", (long)FIXTURE_NOW_S + 1)
                                          : text_of("%s", "");
        char *more = text_of(",\"nonce\":\"%s\"%s", nonce, exp);
        saying.more = more;
        char *proof = sign_saying(&saying);
        assert_int_equal(admit_proof(guard, proof, cases[i].first), JTG_REASON_ADMITTED);
        assert_int_equal(admit_proof(guard, proof, cases[i].second), JTG_REASON_REPLAYED);
        jtg_guard_free(guard);
        jtg_cache_free(cache);
        free(proof);
        free(more);
        free(exp);
    }
}

/* A client whose clock is slow shows a token that has ended: to us. */
static void a_nonce_excuses_no_token(void **state)
{
    (void)state;
    fixture.settings.dpop_nonce = true;
    fixture.settings.dpop_clock_of_nonce = true;
    char *cnf = text_of(",\"cnf\":{\"jkt\":\"%s\"}", jkt);
    char *payload = fixture_payload_at(-100, -JTG_LEEWAY_S_DEFAULT, cnf);
    free(token);
    token = signer_token(fixture.signer, "at+jwt", FIXTURE_KID, payload);
    hash_text(ath, token);
    free(payload);
    free(cnf);
    fixture_start(&fixture);
    assert_by_clocks(-100, 0, "", REFUSAL_EXPIRED);
}

static void without_the_option_iat_counts(void **state)
{
    (void)state;
    fixture.settings.dpop_nonce = true;
    fixture_start(&fixture);
    assert_by_clocks(0, 0, "", REFUSAL_NONE);
    assert_by_clocks(-3600, 0, "", REFUSAL_PROOF_EXPIRED);
    assert_by_clocks(3600, 0, "", REFUSAL_PROOF_ISSUED_IN_FUTURE);
}

static void a_clock_without_nonces_is_refused(void **state)
{
    (void)state;
    jtg_error err = JTG_ERROR_INIT;
    fixture.settings.dpop_clock_of_nonce = true;
    assert_status(verifier_new(&fixture.verifier, &fixture.settings, &err), JTG_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "needs dpop_nonce"));
    fixture.settings.dpop_nonce = true;
    fixture.guard.proof_max_age_s = DPOP_NONCE_LIFETIME_S_DEFAULT - 1;
    assert_status(verifier_new(&fixture.verifier, &fixture.settings, &err), JTG_ERR_ARGUMENT);
    fixture.guard.proof_max_age_s = DPOP_NONCE_LIFETIME_S_DEFAULT;
    fixture_start(&fixture);
}

/* A random key lives on through a reload, and clients keep the nonce that they hold. */
static void nonces_outlive_a_reload(void **state)
{
    (void)state;
    char before[DPOP_NONCE_TEXT_BYTES];
    char after[DPOP_NONCE_TEXT_BYTES];
    fixture_start(&fixture);
    verifier_dpop_nonce(fixture.verifier, TEST_CLOCK_WALL_MS, before);
    assert_string_equal(before, "");
    assert_false(verifier_uses_dpop_nonce(fixture.verifier));
    fixture.settings.dpop_nonce = true;
    assert_status(verifier_reload(fixture.verifier, &fixture.settings, NULL), JTG_OK);
    verifier_dpop_nonce(fixture.verifier, TEST_CLOCK_WALL_MS, before);
    assert_status(verifier_reload(fixture.verifier, &fixture.settings, NULL), JTG_OK);
    verifier_dpop_nonce(fixture.verifier, TEST_CLOCK_WALL_MS, after);
    assert_string_equal(before, after);
    assert_int_equal(strlen(after), 43);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(what_the_guard_gets),
        TEST(a_proof_is_admitted_once_and_its_token_again),
        TEST(a_proof_needs_its_members),
        TEST(the_method_is_the_requests),
        TEST(the_url_is_the_requests),
        TEST(the_query_of_the_request_does_not_count),
        TEST(the_window_of_a_proof),
        TEST(the_times_that_a_proof_may_add),
        TEST(a_proof_is_for_one_token),
        TEST(a_proof_by_another_key),
        TEST(typ_is_exact),
        TEST(algorithms_of_a_proof),
        TEST(keys_that_are_none),
        TEST(a_weak_key),
        TEST(shapes_of_a_proof),
        TEST(the_token_must_hold_too),
        TEST(a_token_that_is_not_bound),
        TEST(a_token_bound_otherwise_too),
        TEST(a_bound_token_as_bearer),
        TEST(a_token_of_another_kind),
        TEST(scopes_of_a_bound_token),
        TEST(a_nonce_where_it_is_asked_for),
        TEST(a_nonce_excuses_a_wrong_clock),
        TEST(another_clock_makes_no_proof_new),
        TEST(a_nonce_excuses_no_token),
        TEST(without_the_option_iat_counts),
        TEST(a_clock_without_nonces_is_refused),
        TEST(nonces_outlive_a_reload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
