/* SPDX-License-Identifier: Apache-2.0 */
/* Every refusal of /check that a request can bring about: its status, its headers, and its
 * counter. The list is checked against refusal.h, so that none is left out. */
#include "serve/service_fixture.h"
#include "serve/verify/jwks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRICT "https://strict.example"
#define CLIENT "https://client.example"
#define LOGOUT "https://logout.example"
#define BOUND  "https://bound.example"
#define DOWN   "https://down.example"
#define EVENT  "\"events\":{\"http://schemas.openid.net/event/backchannel-logout\":{}}"

static struct served served;
static struct signer *holder; /* of the key that tokens are bound to */
static char jkt[44];
static bool seen[REFUSAL_COUNT];

/* The issuer's own key behind as many as are tried, so that a token without kid is ambiguous. */
static void write_keys(void)
{
    char *list = text_of("%s", "");
    for (int i = 0; i < JWKS_MAX_MATCHES; i++) {
        struct signer *other = signer_new("ES256");
        char *longer = text_of("%s{\"kid\":\"key-%d\",%s},", list, i + 2, signer_members(other));
        free(list);
        list = longer;
        signer_free(other);
    }
    char *jwks =
        text_of("{\"keys\":[%s{\"kid\":\"key-1\",%s}]}", list, signer_members(served.signer));
    served_write(&served, "keys.json", jwks);
    free(jwks);
    free(list);
}

static void write_issuers(void)
{
    char *keys = text_of("\"audience\":\"" SERVED_AUDIENCE "\",\"jwks_file\":\"%s/keys.json\"",
                         served.folder);
    char *config = text_of("{\"keys_loopback_http\":true,\"issuers\":["
                           "{\"issuer\":\"" SERVED_ISSUER "\",%s},"
                           "{\"issuer\":\"" STRICT
                           "\",\"scope\":[\"read\"],\"client\":\"web\",\"max_age\":\"1m\","
                           "\"claim_header\":[\"email=X-Email\"],%s},"
                           "{\"issuer\":\"" CLIENT "\",\"kind\":\"client_assertion\",%s},"
                           "{\"issuer\":\"" LOGOUT "\",\"kind\":\"logout_token\",%s},"
                           "{\"issuer\":\"" BOUND "\",\"kind\":\"dpop_proof\",%s},"
                           "{\"issuer\":\"" DOWN "\",\"audience\":\"" SERVED_AUDIENCE
                           "\",\"jwks_url\":\"http://127.0.0.1:1/keys\"}]}",
                           keys, keys, keys, keys, keys);
    served_write(&served, "config.json", config);
    free(config);
    free(keys);
}

static int set_up(void **state)
{
    (void)state;
    served_init(&served);
    holder = signer_new("ES256");
    char *canonical =
        text_of("{\"crv\":\"P-256\",\"kty\":\"EC\",%s}", strstr(signer_members(holder), "\"x\":"));
    hash_text(jkt, canonical);
    free(canonical);
    write_keys();
    write_issuers();
    served_argument(&served, "--config=%s/config.json", served.folder);
    served_start(&served);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    signer_free(holder);
    served_end(&served);
    return 0;
}

static enum refusal find_refusal(const char *name)
{
    for (unsigned i = 1; i < REFUSAL_COUNT; i++)
        if (strcmp(refusal_name((enum refusal)i), name) == 0)
            return (enum refusal)i;
    fail_msg("no such refusal: %s", name);
    return REFUSAL_NONE;
}

static unsigned status_of(enum refusal refusal)
{
    enum refusal_class class = refusal_class(refusal);
    return class == REFUSAL_CLASS_SCOPE || class == REFUSAL_CLASS_TROUBLE ? 403 : 401;
}

/* What the answer owes the client (RFC 6750 section 3). */
static void check_challenge(struct http_answer *answer, enum refusal refusal)
{
    char wanted[64];
    const char *challenge = http_header(answer, "WWW-Authenticate");
    const char *code = refusal_error_code(refusal);
    if (answer->status != 401 && code == NULL) {
        assert_null(challenge);
        return;
    }
    assert_non_null(challenge);
    assert_true(strncmp(challenge, "Bearer ", 7) == 0 || strncmp(challenge, "DPoP ", 5) == 0);
    (void)snprintf(wanted, sizeof wanted, "error=\"%s\"", code != NULL ? code : "");
    assert_true((strstr(challenge, wanted) != NULL) == (code != NULL));
}

/* headers are freed. */
static void expect(const char *reason, char *headers)
{
    struct http_answer answer;
    enum refusal refusal = find_refusal(reason);
    double before = served_decisions(&served, "check", "refused", reason);
    (void)served_check(&served, headers, &answer);
    const char *got = http_header(&answer, "X-JTI-Reason");
    if (got == NULL || strcmp(got, reason) != 0)
        fail_msg("%s, where %s is due: %.200s", got, reason, headers);
    assert_string_equal(http_header(&answer, "X-JTI-Result"), "refused");
    assert_int_equal(answer.status, status_of(refusal));
    check_challenge(&answer, refusal);
    assert_null(http_header(&answer, "X-JTI-Subject"));
    assert_true(served_decisions(&served, "check", "refused", reason) == before + 1);
    seen[refusal] = true;
    http_answer_clear(&answer);
    free(headers);
}

/* token is freed. */
static void expect_token(const char *reason, char *token)
{
    char *headers = text_of("Authorization: Bearer %s\r\n", token);
    free(token);
    expect(reason, headers);
}

/* Under the usual header; payload is freed. */
static void expect_payload(const char *reason, const char *typ, char *payload)
{
    char *token = signer_token(served.signer, typ, SERVED_KID, payload);
    free(payload);
    expect_token(reason, token);
}

static char *payload_of(const char *issuer, long iat, long exp, const char *more)
{
    return text_of("{\"iss\":\"%s\",\"aud\":\"" SERVED_AUDIENCE "\",\"jti\":\"1\",\"iat\":%ld,"
                   "\"exp\":%ld%s}",
                   issuer, SERVED_NOW_S + iat, SERVED_NOW_S + exp, more);
}

/* Of the usual issuer, issued now, good for a minute. */
static void expect_members(const char *reason, const char *more)
{
    expect_payload(reason, "JWT", payload_of(SERVED_ISSUER, 0, 60, more));
}

static void expect_header(const char *reason, const char *header)
{
    char *payload = payload_of(SERVED_ISSUER, 0, 60, ",\"sub\":\"u\"");
    char *token = signer_sign(served.signer, header, payload);
    free(payload);
    expect_token(reason, token);
}

static char *padded(const char *format_before, size_t count, const char *after)
{
    char *filler = calloc(1, count + 1);
    assert_non_null(filler);
    memset(filler, 'a', count);
    char *text = text_of("%s%s%s", format_before, filler, after);
    free(filler);
    return text;
}

static void of_the_request(void **state)
{
    (void)state;
    expect("missing_token", text_of("X-Nothing: 1\r\n"));
    expect("repeated_authorization",
           text_of("Authorization: Bearer a\r\nAuthorization: Bearer a\r\n"));
    expect("repeated_authorization",
           text_of("Authorization: Bearer a\r\nX: 1\r\nauthorization: DPoP b\r\n"));
    expect("malformed_authorization", text_of("Authorization: Bearer a b\r\n"));
    expect("malformed_authorization", text_of("Authorization: Bearer a, Bearer b\r\n"));
    expect("malformed_authorization", text_of("Authorization: Bearer\r\n"));
    expect("malformed_authorization", text_of("Authorization: DPoP a\tb\r\n"));
    expect("unsupported_scheme", text_of("Authorization: Basic dTpw\r\n"));
    expect("unsupported_scheme", text_of("Authorization: Bearerx a\r\n"));
    expect("missing_proof", text_of("Authorization: DPoP a.b.c\r\n"));
    expect("repeated_proof", text_of("Authorization: DPoP a.b.c\r\nDPoP: x\r\nDPoP: x\r\n"));
    expect("missing_target", text_of("Authorization: DPoP a.b.c\r\nDPoP: x\r\n"));
    expect("missing_target",
           text_of("Authorization: DPoP a.b.c\r\nDPoP: x\r\nX-Forwarded-Method: GET\r\n"
                   "X-Forwarded-Proto: https\r\nX-Forwarded-Host: a\r\nX-Forwarded-Host: b\r\n"
                   "X-Forwarded-Uri: /\r\n"));
}

static void of_the_shape(void **state)
{
    (void)state;
    expect_token("token_too_long", padded("", 16400, ".b.c"));
    expect_token("malformed_token", text_of("abc"));
    expect_token("malformed_token", text_of("e30.e30.e30.e30"));
    expect_header("malformed_header", "[]");
    expect_payload("malformed_payload", "JWT", text_of("[]"));
    expect_members("too_deep", ",\"x\":[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]");
    expect_members("duplicate_claim", ",\"jti\":\"2\"");
    expect_members("number_too_big", ",\"x\":1e999");
    expect_members("wrong_type", ",\"sub\":7");
}

static void of_the_header(void **state)
{
    (void)state;
    expect_header("unsupported_alg", "{\"alg\":\"none\"}");
    expect_header("unsupported_alg", "{\"alg\":\"HS256\",\"kid\":\"key-1\"}");
    expect_header("wrong_typ", "{\"alg\":\"ES256\",\"kid\":\"key-1\",\"typ\":\"at+jwt\"}");
    expect_header("crit_unknown", "{\"alg\":\"ES256\",\"kid\":\"key-1\",\"crit\":[\"x\"],\"x\":1}");
    expect_header("malformed_kid", "{\"alg\":\"ES256\",\"kid\":\"\"}");
    expect_header("unknown_key", "{\"alg\":\"ES256\",\"kid\":\"../key-1\"}");
    expect_header("unknown_key", "{\"alg\":\"RS256\",\"kid\":\"key-1\"}");
    expect_header("ambiguous_key", "{\"alg\":\"ES256\"}");
    expect_header("bad_signature", "{\"alg\":\"ES256\",\"kid\":\"key-2\"}");
}

static void of_the_claims(void **state)
{
    (void)state;
    char *none =
        text_of("{\"aud\":\"" SERVED_AUDIENCE "\",\"jti\":\"1\",\"exp\":%ld}", SERVED_NOW_S + 60);
    char *no_aud =
        text_of("{\"iss\":\"" SERVED_ISSUER "\",\"sub\":\"u\",\"jti\":\"1\",\"exp\":%ld}",
                SERVED_NOW_S + 60);
    char *other_aud = text_of("{\"iss\":\"" SERVED_ISSUER "\",\"aud\":\"other\",\"sub\":\"u\","
                              "\"jti\":\"1\",\"exp\":%ld}",
                              SERVED_NOW_S + 60);
    char *no_exp = text_of("{\"iss\":\"" SERVED_ISSUER "\",\"aud\":\"" SERVED_AUDIENCE
                           "\",\"sub\":\"u\",\"jti\":\"1\"}");
    char *no_iat = text_of("{\"iss\":\"" LOGOUT "\",\"aud\":\"" SERVED_AUDIENCE
                           "\",\"sub\":\"u\",\"jti\":\"1\",\"exp\":%ld," EVENT "}",
                           SERVED_NOW_S + 60);
    char *ahead = text_of(",\"sub\":\"u\",\"nbf\":%ld", SERVED_NOW_S + 31);
    expect_payload("missing_issuer", "JWT", none);
    expect_payload("unknown_issuer", "JWT", payload_of("https://evil.example", 0, 60, ""));
    expect_payload("missing_audience", "JWT", no_aud);
    expect_payload("wrong_audience", "JWT", other_aud);
    expect_payload("missing_exp", "JWT", no_exp);
    expect_payload("missing_iat", "logout+jwt", no_iat);
    expect_payload("wrong_kind", "logout+jwt", payload_of(LOGOUT, 0, 60, ",\"sub\":\"u\""));
    expect_payload("missing_subject", "JWT", payload_of(CLIENT, 0, 60, ""));
    expect_payload("wrong_subject", "JWT", payload_of(CLIENT, 0, 60, ",\"sub\":\"other\""));
    expect_members("unreasonable_time", ",\"sub\":\"u\",\"nbf\":-1");
    expect_payload("expires_before_issued", "JWT",
                   payload_of(SERVED_ISSUER, 20, 10, ",\"sub\":\"u\""));
    expect_payload("expired", "JWT", payload_of(SERVED_ISSUER, -100, -30, ",\"sub\":\"u\""));
    expect_members("not_yet_valid", ahead);
    expect_payload("issued_in_future", "JWT", payload_of(SERVED_ISSUER, 31, 90, ",\"sub\":\"u\""));
    expect_payload("lifetime_too_long", "JWT",
                   payload_of(SERVED_ISSUER, 0, 86401, ",\"sub\":\"u\""));
    expect_members("unsafe_claim", ",\"sub\":\"a\\nb\"");
    expect_members("unknown_binding", ",\"sub\":\"u\",\"cnf\":{\"x5t#S256\":\"x\"}");
    expect_members("proof_required", ",\"sub\":\"u\",\"cnf\":{\"jkt\":\"x\"}");
    expect_payload("keys_unavailable", "JWT", payload_of(DOWN, 0, 60, ",\"sub\":\"u\""));
    free(ahead);
}

static void of_a_strict_issuer(void **state)
{
    (void)state;
#define WEB ",\"sub\":\"u\",\"azp\":\"web\""
    expect_payload("wrong_client", "JWT", payload_of(STRICT, 0, 60, ",\"sub\":\"u\""));
    expect_payload("insufficient_scope", "JWT", payload_of(STRICT, 0, 60, WEB));
    expect_payload("too_old", "JWT", payload_of(STRICT, -120, 60, WEB ",\"scope\":\"read\""));
    expect_payload("unsafe_claim", "JWT",
                   payload_of(STRICT, 0, 60, WEB ",\"scope\":\"read\",\"email\":\"a\\r\\nb\""));
}

/* ---- proofs ---- */

static char *bound_token(const char *cnf)
{
    char *more = text_of(",\"sub\":\"u\"%s", cnf);
    char *payload = payload_of(BOUND, 0, 60, more);
    char *token = signer_token(served.signer, "at+jwt", SERVED_KID, payload);
    free(payload);
    free(more);
    return token;
}

static char *usual_token(void)
{
    char *cnf = text_of(",\"cnf\":{\"jkt\":\"%s\"}", jkt);
    char *token = bound_token(cnf);
    free(cnf);
    return token;
}

static char *proof_header(const struct signer *signer)
{
    return text_of("{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":{%s}}", signer_members(signer));
}

static char *proof_payload(const char *token, const char *jti, const char *htm, long iat)
{
    char ath[44];
    hash_text(ath, token);
    return text_of("{\"jti\":\"%s\",\"htm\":\"%s\",\"htu\":\"https://api.example/orders\","
                   "\"iat\":%ld,\"ath\":\"%s\"}",
                   jti, htm, SERVED_NOW_S + iat, ath);
}

/* All are freed. */
static char *proof_headers(char *token, char *proof)
{
    char *headers = text_of("Authorization: DPoP %s\r\nDPoP: %s\r\nX-Forwarded-Method: GET\r\n"
                            "X-Forwarded-Proto: https\r\nX-Forwarded-Host: api.example\r\n"
                            "X-Forwarded-Uri: /orders?page=2\r\n",
                            token, proof);
    free(proof);
    free(token);
    return headers;
}

/* header and payload are freed. */
static void expect_proof(const char *reason, const char *token, const struct signer *signer,
                         char *header, char *payload)
{
    char *proof = signer_sign(signer, header, payload);
    free(header);
    free(payload);
    expect(reason, proof_headers(strdup(token), proof));
}

static void of_a_proof(void **state)
{
    (void)state;
    char *token = usual_token();
    struct signer *thief = signer_new("ES256");
    expect("not_bound", proof_headers(bound_token(""), text_of("a.b.c")));
    char *unbound = bound_token("");
    expect("not_bound", text_of("Authorization: Bearer %s\r\n", unbound));
    free(unbound);
    expect("proof_malformed", proof_headers(usual_token(), text_of("a.b.c")));
    expect_proof(
        "proof_wrong_typ", token, holder,
        text_of("{\"typ\":\"JWT\",\"alg\":\"ES256\",\"jwk\":{%s}}", signer_members(holder)),
        proof_payload(token, "1", "GET", 0));
    expect_proof(
        "proof_unsupported_alg", token, holder,
        text_of("{\"typ\":\"dpop+jwt\",\"alg\":\"none\",\"jwk\":{%s}}", signer_members(holder)),
        proof_payload(token, "1", "GET", 0));
    expect_proof("proof_bad_key", token, holder,
                 text_of("{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\"}"),
                 proof_payload(token, "1", "GET", 0));
    expect_proof("proof_bad_signature", token, thief, proof_header(holder),
                 proof_payload(token, "1", "GET", 0));
    expect_proof("proof_missing_claim", token, holder, proof_header(holder), text_of("{}"));
    expect_proof("proof_wrong_method", token, holder, proof_header(holder),
                 proof_payload(token, "1", "POST", 0));
    expect_proof("proof_wrong_url", token, holder, proof_header(holder),
                 text_of("{\"jti\":\"1\",\"htm\":\"GET\",\"htu\":\"https://api.example/other\","
                         "\"iat\":%ld,\"ath\":\"x\"}",
                         SERVED_NOW_S));
    expect_proof("proof_expired", token, holder, proof_header(holder),
                 proof_payload(token, "1", "GET", -400));
    expect_proof("proof_issued_in_future", token, holder, proof_header(holder),
                 proof_payload(token, "1", "GET", 40));
    expect_proof("proof_wrong_token", token, holder, proof_header(holder),
                 proof_payload("another token", "1", "GET", 0));
    expect_proof("proof_wrong_key", token, thief, proof_header(thief),
                 proof_payload(token, "1", "GET", 0));
    signer_free(thief);
    free(token);
}

/* The access token may be shown again, the proof may not. */
static void a_proof_is_admitted_once(void **state)
{
    (void)state;
    char *token = usual_token();
    static const char *const jtis[] = {"p1", "p2", "p1"};
    static const unsigned statuses[] = {200, 200, 403};
    for (size_t i = 0; i < 3; i++) {
        struct http_answer answer;
        char *header = proof_header(holder);
        char *payload = proof_payload(token, jtis[i], "GET", 0);
        char *headers = proof_headers(strdup(token), signer_sign(holder, header, payload));
        assert_int_equal(served_check(&served, headers, &answer), statuses[i]);
        http_answer_clear(&answer);
        free(headers);
        free(payload);
        free(header);
    }
    free(token);
    assert_true(served_decisions(&served, "check", "replayed", "replayed") == 1);
}

/* ---- nonces: of a service of its own ---- */

static void a_nonce_is_asked_for(void **state)
{
    (void)state;
    struct http_answer answer;
    served_end(&served);
    served_init(&served);
    write_keys();
    write_issuers();
    served_argument(&served, "--config=%s/config.json", served.folder);
    served_argument(&served, "--dpop-nonce");
    served_start(&served);
    char *token = usual_token();
    expect_proof("proof_wrong_nonce", token, holder, proof_header(holder),
                 proof_payload(token, "1", "GET", 0));
    char *headers = text_of("Authorization: DPoP %s\r\nDPoP: x.y.z\r\n", token);
    (void)served_check(&served, headers, &answer);
    assert_non_null(http_header(&answer, "DPoP-Nonce"));
    http_answer_clear(&answer);
    free(headers);
    free(token);
}

/* Memory that is out is not brought about here. */
static void none_is_left_out(void **state)
{
    (void)state;
    for (unsigned i = 1; i < REFUSAL_COUNT; i++)
        if (!seen[i] && i != REFUSAL_OUT_OF_MEMORY)
            fail_msg("not brought about: %s", refusal_name((enum refusal)i));
}

/* What is exposed is what Prometheus can read: each series once, under its own HELP and TYPE. */
static void the_metrics_are_well_formed(void **state)
{
    (void)state;
    struct http_answer answer;
    assert_true(http_ask(service_port(served.service, HTTP_ADMIN),
                         "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", &answer));
    assert_string_equal(http_header(&answer, "Content-Type"),
                        "text/plain; version=0.0.4; charset=utf-8");
    char family[128] = "";
    unsigned lines = 0;
    for (char *line = answer.body; *line != '\0'; lines++) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        *end = '\0';
        if (strncmp(line, "# HELP ", 7) == 0) {
            (void)snprintf(family, sizeof family, "%.*s", (int)strcspn(line + 7, " "), line + 7);
            assert_true(strncmp(family, "jtiguard_", 9) == 0);
        } else if (strncmp(line, "# TYPE ", 7) == 0) {
            assert_true(strncmp(line + 7, family, strlen(family)) == 0);
            if (strstr(line, " counter") != NULL)
                assert_string_equal(family + strlen(family) - 6, "_total");
        } else {
            char *number = NULL;
            assert_true(strncmp(line, family, strlen(family)) == 0);
            const char *value = strrchr(line, ' ');
            assert_non_null(value);
            (void)strtod(value + 1, &number);
            assert_true(*number == '\0');
            /* Each series once: what stands before the value is nowhere else. */
            char series[256];
            (void)snprintf(series, sizeof series, "\n%.*s ", (int)(value - line), line);
            assert_null(strstr(end + 1, series));
        }
        *end = '\n';
        line = end + 1;
    }
    assert_true(lines > 100);
    http_answer_clear(&answer);
}

int main(void)
{
#define TEST_OF(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST_OF(of_the_request),
        TEST_OF(of_the_shape),
        TEST_OF(of_the_header),
        TEST_OF(of_the_claims),
        TEST_OF(of_a_strict_issuer),
        TEST_OF(of_a_proof),
        TEST_OF(a_proof_is_admitted_once),
        TEST_OF(a_nonce_is_asked_for),
        cmocka_unit_test(none_is_left_out),
        TEST_OF(the_metrics_are_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
