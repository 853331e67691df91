/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys of a set are taken, and which one a token is checked with. */
#include "serve/signer.h"
#include "serve/verify/jwk_spelling.h"
#include "serve/verify/jwks.h"
#include "serve/verify_fixture.h"
#include "support/threads.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Fault of one key, given as the members of its JWK. */
static enum jwk_fault fault_of(const char *members)
{
    struct jwk key;
    json_error_t error;
    char *text = text_of("{%s}", members);
    json_t *object = json_loads(text, 0, &error);
    assert_non_null(object);
    enum jwk_fault fault = jwk_read(&key, object);
    jwk_clear(&key);
    json_decref(object);
    free(text);
    return fault;
}

static enum jwk_fault fault_with(const struct signer *signer, const char *more)
{
    char *members = text_of("%s%s", signer_members(signer), more);
    enum jwk_fault fault = fault_of(members);
    free(members);
    return fault;
}

static void every_algorithm_signs_and_verifies(void **state)
{
    (void)state;
    for (const char *const *alg = verify_default_algs; *alg != NULL; alg++) {
        struct verify_fixture fixture;
        fixture_init(&fixture);
        signer_free(fixture.signer);
        fixture.signer = signer_new(*alg);
        char *jwks = signer_jwks(fixture.signer, FIXTURE_KID);
        fixture_write_keys(&fixture, jwks);
        free(jwks);
        fixture_start(&fixture);
        assert_refusal(fixture_verify_payload(&fixture, fixture_payload("")), REFUSAL_NONE);
        fixture_end(&fixture);
    }
}

/* A key of 2048 bits under each RSA algorithm, but for the one that it names. */
static void a_key_keeps_to_its_alg(void **state)
{
    (void)state;
    struct jwk key;
    struct signer *signer = signer_new("RS256");
    char *text = text_of("{%s,\"alg\":\"PS256\"}", signer_members(signer));
    json_t *object = json_loads(text, 0, NULL);
    assert_int_equal(jwk_read(&key, object), JWK_FAULT_NONE);
    assert_true(jwk_fits(&key, alg_find("PS256")));
    assert_false(jwk_fits(&key, alg_find("RS256")));
    assert_false(jwk_fits(&key, alg_find("PS512")));
    assert_false(jwk_fits(&key, alg_find("ES256")));
    jwk_clear(&key);
    json_decref(object);
    free(text);
    signer_free(signer);
}

static void use_and_key_ops(void **state)
{
    (void)state;
    struct signer *signer = signer_new("ES256");
    assert_int_equal(fault_with(signer, ""), JWK_FAULT_NONE);
    assert_int_equal(fault_with(signer, ",\"use\":\"sig\""), JWK_FAULT_NONE);
    assert_int_equal(fault_with(signer, ",\"use\":\"jwt-svid\""), JWK_FAULT_NONE);
    assert_int_equal(fault_with(signer, ",\"use\":\"x509-svid\""), JWK_FAULT_USELESS);
    assert_int_equal(fault_with(signer, ",\"use\":\"enc\""), JWK_FAULT_USELESS);
    assert_int_equal(fault_with(signer, ",\"use\":1"), JWK_FAULT_USELESS);
    assert_int_equal(fault_with(signer, ",\"key_ops\":[\"sign\",\"verify\"]"), JWK_FAULT_NONE);
    assert_int_equal(fault_with(signer, ",\"key_ops\":[\"sign\"]"), JWK_FAULT_USELESS);
    assert_int_equal(fault_with(signer, ",\"key_ops\":[]"), JWK_FAULT_USELESS);
    assert_int_equal(fault_with(signer, ",\"key_ops\":\"verify\""), JWK_FAULT_USELESS);
    assert_int_equal(fault_with(signer, ",\"alg\":\"ES256\""), JWK_FAULT_NONE);
    assert_int_equal(fault_with(signer, ",\"alg\":\"ES384\""), JWK_FAULT_USELESS);
    assert_int_equal(fault_with(signer, ",\"alg\":\"ECDH-ES\""), JWK_FAULT_USELESS);
    assert_int_equal(fault_with(signer, ",\"alg\":\"HS256\""), JWK_FAULT_USELESS);
    assert_int_equal(fault_with(signer, ",\"kid\":7"), JWK_FAULT_MALFORMED);
    assert_int_equal(fault_with(signer, ",\"kid\":\"\""), JWK_FAULT_MALFORMED);
    signer_free(signer);
}

static void private_parts_and_secrets(void **state)
{
    (void)state;
    static const char *const parts[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
    struct signer *signer = signer_new("ES256");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *more = text_of(",\"%s\":\"AAAA\"", parts[i]);
        assert_int_equal(fault_with(signer, more), JWK_FAULT_PRIVATE);
        free(more);
    }
    assert_int_equal(fault_of("\"kty\":\"oct\",\"k\":\"AAAA\""), JWK_FAULT_PRIVATE);
    signer_free(signer);
}

static void weak_rsa_keys(void **state)
{
    (void)state;
    static const unsigned bits[] = {1024, 2040, 2048};
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        struct signer *signer = signer_new_rsa("RS256", bits[i]);
        assert_int_equal(fault_with(signer, ""), bits[i] < 2048 ? JWK_FAULT_WEAK : JWK_FAULT_NONE);
        signer_free(signer);
    }
}

/* n from a real key, e as the test wants it. */
static enum jwk_fault fault_of_exponent(const struct signer *signer, const char *e)
{
    char *members = text_of("%s", signer_members(signer));
    char *at = strstr(members, "\"e\":");
    assert_non_null(at);
    *at = '\0';
    char *changed = text_of("%s\"e\":\"%s\"", members, e);
    enum jwk_fault fault = fault_of(changed);
    free(changed);
    free(members);
    return fault;
}

static void exponents(void **state)
{
    (void)state;
    struct signer *signer = signer_new("RS256");
    assert_int_equal(fault_of_exponent(signer, "AQAB"), JWK_FAULT_NONE);
    assert_int_equal(fault_of_exponent(signer, "Aw"), JWK_FAULT_NONE);
    assert_int_equal(fault_of_exponent(signer, "AQ"), JWK_FAULT_WEAK);
    assert_int_equal(fault_of_exponent(signer, "AQAAAAE"), JWK_FAULT_WEAK);
    assert_int_equal(fault_of_exponent(signer, "BA"), JWK_FAULT_MALFORMED);
    assert_int_equal(fault_of_exponent(signer, "AAEAAQ"), JWK_FAULT_MALFORMED);
    assert_int_equal(fault_of_exponent(signer, "AQAB="), JWK_FAULT_MALFORMED);
    assert_int_equal(fault_of_exponent(signer, ""), JWK_FAULT_MALFORMED);
    signer_free(signer);
}

#define P256_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define P256_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"

static void points(void **state)
{
    (void)state;
    assert_int_equal(
        fault_of("\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\""),
        JWK_FAULT_NONE);
    /* not on the curve */
    assert_int_equal(
        fault_of("\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_Y "\",\"y\":\"" P256_X "\""),
        JWK_FAULT_MALFORMED);
    /* another length than the curve's: RFC 7518 section 6.2.1.2 */
    assert_int_equal(
        fault_of("\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\""),
        JWK_FAULT_MALFORMED);
    assert_int_equal(fault_of("\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\""),
                     JWK_FAULT_MALFORMED);
    assert_int_equal(fault_of("\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" P256_X "\""),
                     JWK_FAULT_MALFORMED);
    assert_int_equal(
        fault_of("\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" P256_X "\",\"y\":\"" P256_Y "\""),
        JWK_FAULT_USELESS);
    assert_int_equal(fault_of("\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" P256_X "\""),
                     JWK_FAULT_USELESS);
    assert_int_equal(fault_of("\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\""),
                     JWK_FAULT_MALFORMED);
    assert_int_equal(fault_of("\"kty\":\"RSA\""), JWK_FAULT_MALFORMED);
    assert_int_equal(fault_of("\"kty\":7"), JWK_FAULT_USELESS);
    assert_int_equal(fault_of(""), JWK_FAULT_USELESS);
}

static struct jwks *read_set(const char *text, struct jwks_tally *tally)
{
    const char *why = NULL;
    struct jwks *set = jwks_read(text, strlen(text), JWKS_OF_ISSUER, tally, &why);
    assert_non_null(why);
    return set;
}

static void a_set_keeps_what_is_sound(void **state)
{
    (void)state;
    struct jwks_tally tally;
    struct signer *good = signer_new("ES256");
    struct signer *weak = signer_new_rsa("RS256", 1024);
    char *text = text_of("{\"keys\":[{%s,\"kid\":\"a\"},{%s},{\"kty\":\"oct\",\"k\":\"AA\"},7,"
                         "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"b\"},{%s,\"use\":\"enc\"}],"
                         "\"more\":1}",
                         signer_members(good), signer_members(weak), signer_members(good));
    struct jwks *set = read_set(text, &tally);
    assert_int_equal(jwks_count(set), 1);
    assert_int_equal(tally.kept, 1);
    assert_int_equal(tally.weak, 1);
    assert_int_equal(tally.private_parts, 1);
    assert_int_equal(tally.malformed, 2);
    assert_string_equal(tally.malformed_kid, "b");
    assert_int_equal(tally.others, 1);
    jwks_release(set);
    free(text);
    signer_free(weak);
    signer_free(good);
}

static void texts_that_are_no_sets(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "[]",
                                      "{}",
                                      "{\"keys\":1}",
                                      "{\"keys\":null}",
                                      "{\"keys\":[],\"keys\":[]}",
                                      "{\"keys\":[]} x"};
    struct jwks_tally tally;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(read_set(bad[i], &tally));
    struct jwks *empty = read_set("{\"keys\":[]}", &tally);
    assert_int_equal(jwks_count(empty), 0);
    jwks_release(empty);
}

static void a_set_that_is_too_large(void **state)
{
    (void)state;
    struct jwks_tally tally;
    for (unsigned count = JWKS_MAX_KEYS; count <= JWKS_MAX_KEYS + 1; count++) {
        char *text = malloc(16 + (size_t)count * 3);
        assert_non_null(text);
        char *at = stpcpy(text, "{\"keys\":[");
        for (unsigned i = 0; i < count; i++)
            at = stpcpy(at, i == 0 ? "{}" : ",{}");
        (void)stpcpy(at, "]}");
        struct jwks *set = read_set(text, &tally);
        assert_int_equal(set != NULL, count == JWKS_MAX_KEYS);
        jwks_release(set);
        free(text);
    }
}

/* ---- which key ---- */

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

static enum refusal verify_without_kid(const struct signer *signer)
{
    char *payload = fixture_payload("");
    char *token = signer_sign(signer, "{\"alg\":\"ES256\"}", payload);
    free(payload);
    return fixture_verify(&fixture, token);
}

/* The keys of all of them, none with a name. */
static void write_unnamed(struct signer *const *signers, size_t count)
{
    char *list = text_of("%s", "");
    for (size_t i = 0; i < count; i++) {
        char *longer = text_of("%s%s{%s}", list, i > 0 ? "," : "", signer_members(signers[i]));
        free(list);
        list = longer;
    }
    char *jwks = text_of("{\"keys\":[%s]}", list);
    fixture_write_keys(&fixture, jwks);
    free(jwks);
    free(list);
}

/* An issuer without names publishes the old key beside the new one while it rotates. */
static void without_kid_all_that_fit_are_tried(void **state)
{
    (void)state;
    struct signer *signers[JWKS_MAX_MATCHES + 2];
    struct signer *stranger = signer_new("ES256");
    signers[0] = signer_new("RS256");
    for (size_t i = 1; i < JWKS_MAX_MATCHES + 2; i++)
        signers[i] = signer_new("ES256");
    write_unnamed(signers, JWKS_MAX_MATCHES + 1);
    fixture_start(&fixture);
    for (size_t i = 1; i <= JWKS_MAX_MATCHES; i++)
        assert_refusal(verify_without_kid(signers[i]), REFUSAL_NONE);
    assert_refusal(verify_without_kid(stranger), REFUSAL_BAD_SIGNATURE);
    /* One more than are tried, and its tokens are told why. */
    write_unnamed(signers, JWKS_MAX_MATCHES + 2);
    assert_status(verifier_reload(fixture.verifier, &fixture.settings, NULL), JTG_OK);
    for (size_t i = 1; i <= JWKS_MAX_MATCHES; i++)
        assert_refusal(verify_without_kid(signers[i]), REFUSAL_NONE);
    assert_refusal(verify_without_kid(signers[JWKS_MAX_MATCHES + 1]), REFUSAL_AMBIGUOUS_KEY);
    for (size_t i = 0; i < JWKS_MAX_MATCHES + 2; i++)
        signer_free(signers[i]);
    signer_free(stranger);
}

/* Some issuers give one name to several keys. Each is tried, but not more than a few. */
static void several_keys_of_one_name(void **state)
{
    (void)state;
    struct signer *others[JWKS_MAX_MATCHES];
    char *list = text_of("%s", "");
    for (size_t i = 0; i < JWKS_MAX_MATCHES; i++) {
        others[i] = signer_new("ES256");
        char *longer =
            text_of("%s{%s,\"kid\":\"" FIXTURE_KID "\"},", list, signer_members(others[i]));
        free(list);
        list = longer;
    }
    char *jwks = text_of("{\"keys\":[%s{%s,\"kid\":\"" FIXTURE_KID "\"}]}", list,
                         signer_members(fixture.signer));
    char *payload = fixture_payload("");
    fixture_write_keys(&fixture, jwks);
    fixture_start(&fixture);
    for (size_t i = 0; i < JWKS_MAX_MATCHES; i++)
        assert_refusal(
            fixture_verify(&fixture, signer_token(others[i], "JWT", FIXTURE_KID, payload)),
            REFUSAL_NONE);
    assert_refusal(fixture_verify_payload(&fixture, fixture_payload("")), REFUSAL_BAD_SIGNATURE);
    for (size_t i = 0; i < JWKS_MAX_MATCHES; i++)
        signer_free(others[i]);
    free(payload);
    free(jwks);
    free(list);
}

/* A key without a name is none that a token can name. */
static void a_kid_needs_a_key_of_that_name(void **state)
{
    (void)state;
    char *unnamed = text_of("{\"keys\":[{%s}]}", signer_members(fixture.signer));
    fixture_write_keys(&fixture, unnamed);
    fixture_start(&fixture);
    assert_refusal(fixture_verify_payload(&fixture, fixture_payload("")), REFUSAL_UNKNOWN_KEY);
    assert_refusal(verify_without_kid(fixture.signer), REFUSAL_NONE);
    free(unnamed);
}

/* ---- spellings of one key ---- */

enum spelling { ZERO_IN_FRONT, ZEROS_IN_FRONT, PADDED, WITHOUT_ZEROS, SPELLINGS };

/* A member of a key written another way. */
static void spell(json_t *key, const char *name, enum spelling spelling)
{
    unsigned char bytes[1100] = {0};
    char text[2000];
    const char *given = json_string_value(json_object_get(key, name));
    size_t zeros = spelling == ZERO_IN_FRONT ? 1 : 0;
    size_t len = 0;
    assert_non_null(given);
    if (spelling == ZEROS_IN_FRONT)
        zeros = 3;
    assert_int_equal(sodium_base642bin(bytes + zeros, sizeof bytes - zeros, given, strlen(given),
                                       NULL, &len, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                     0);
    size_t start = 0;
    while (spelling == WITHOUT_ZEROS && bytes[start] == 0)
        start++;
    (void)sodium_bin2base64(text, sizeof text, bytes + start, len + zeros - start,
                            spelling == PADDED ? sodium_base64_VARIANT_URLSAFE
                                               : sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    assert_int_equal(json_object_set_new(key, name, json_string(text)), 0);
}

static json_t *key_of(const struct signer *signer)
{
    char *text = text_of("{%s,\"kid\":\"" FIXTURE_KID "\"}", signer_members(signer));
    json_t *key = json_loads(text, 0, NULL);
    assert_non_null(key);
    free(text);
    return key;
}

/* As an issuer's it is taken, and is the same key; as that of a proof it is refused wherever it
 * is another text, for that would be another thumbprint. */
static void assert_same_key(const struct signer *signer, json_t *spelled)
{
    struct jwk plain;
    struct jwk read;
    struct jwk strict;
    json_t *original = key_of(signer);
    json_t *respelled = jwk_respelled(spelled);
    assert_int_equal(jwk_read(&plain, original), JWK_FAULT_NONE);
    assert_int_equal(jwk_read(&read, respelled), JWK_FAULT_NONE);
    assert_string_equal(read.thumbprint, plain.thumbprint);
    assert_int_equal(jwk_read(&strict, spelled),
                     json_equal(spelled, original) ? JWK_FAULT_NONE : JWK_FAULT_MALFORMED);
    jwk_clear(&strict);
    jwk_clear(&read);
    jwk_clear(&plain);
    json_decref(respelled);
    json_decref(original);
    char *text = json_dumps(spelled, 0);
    char *jwks = text_of("{\"keys\":[%s]}", text);
    char *payload = fixture_payload("");
    fixture_write_keys(&fixture, jwks);
    fixture_start(&fixture);
    assert_refusal(fixture_verify(&fixture, signer_token(signer, "JWT", FIXTURE_KID, payload)),
                   REFUSAL_NONE);
    verifier_free(fixture.verifier);
    fixture.verifier = NULL;
    free(payload);
    free(jwks);
    free(text);
}

static bool has_leading_zero(const struct signer *signer)
{
    json_t *key = key_of(signer);
    bool has = strncmp(json_string_value(json_object_get(key, "x")), "AA", 2) == 0;
    json_decref(key);
    return has;
}

/* The first of 66 bytes is 0 or 1. */
static struct signer *p521_with_leading_zero(void)
{
    struct signer *signer = signer_new("ES512");
    while (!has_leading_zero(signer)) {
        signer_free(signer);
        signer = signer_new("ES512");
    }
    return signer;
}

static void numbers_in_any_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *alg;
        const char *members[2];
    } kinds[] = {
        {"RS256", {"n", "e"}}, {"ES256", {"x", "y"}}, {"ES384", {"x", "y"}}, {"ES512", {"x", "y"}}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bool is_p521 = strcmp(kinds[i].alg, "ES512") == 0;
        struct signer *signer = is_p521 ? p521_with_leading_zero() : signer_new(kinds[i].alg);
        for (int spelling = 0; spelling < SPELLINGS; spelling++)
            for (int member = 0; member < 2; member++) {
                json_t *key = key_of(signer);
                spell(key, kinds[i].members[member], (enum spelling)spelling);
                assert_same_key(signer, key);
                json_decref(key);
            }
        signer_free(signer);
    }
    /* A string of bytes and no number: but for the padding each is its own. */
    struct signer *ed25519 = signer_new("EdDSA");
    json_t *key = key_of(ed25519);
    spell(key, "x", PADDED);
    assert_same_key(ed25519, key);
    json_decref(key);
    key = key_of(ed25519);
    spell(key, "x", ZERO_IN_FRONT);
    json_t *respelled = jwk_respelled(key);
    struct jwk jwk;
    assert_int_equal(jwk_read(&jwk, respelled), JWK_FAULT_MALFORMED);
    jwk_clear(&jwk);
    json_decref(respelled);
    json_decref(key);
    signer_free(ed25519);
}

static void a_byte_order_mark(void **state)
{
    (void)state;
    char *jwks = signer_jwks(fixture.signer, FIXTURE_KID);
    char *marked = text_of("\xef\xbb\xbf%s", jwks);
    fixture_write_keys(&fixture, marked);
    fixture_start(&fixture);
    assert_refusal(fixture_verify_payload(&fixture, fixture_payload("")), REFUSAL_NONE);
    free(marked);
    free(jwks);
}

/* ---- many threads, and a reload under them ---- */

enum { THREADS = 6, ROUNDS = 150, RELOADS = 20 };
static atomic_uint accepted;
static atomic_uint stopped;
static char *shared_token;

static void verify_many(void *context, unsigned index)
{
    (void)context;
    if (index == 0) {
        for (unsigned i = 0; i < RELOADS; i++)
            if (verifier_reload(fixture.verifier, &fixture.settings, NULL) != JTG_OK)
                atomic_fetch_add(&stopped, 1);
        return;
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct verified verified;
        enum refusal refusal = verify_bearer(fixture.verifier, shared_token, strlen(shared_token),
                                             TEST_CLOCK_WALL_MS, &verified);
        if (refusal == REFUSAL_NONE && verified.claims.jti.data_len == 4)
            atomic_fetch_add(&accepted, 1);
        verified_clear(&verified);
    }
}

static void many_threads_and_reloads(void **state)
{
    (void)state;
    static const char *const kinds[] = {"RS256", "ES256", "EdDSA"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        signer_free(fixture.signer);
        fixture.signer = signer_new(kinds[i]);
        char *jwks = signer_jwks(fixture.signer, FIXTURE_KID);
        char *payload = fixture_payload("");
        fixture_write_keys(&fixture, jwks);
        shared_token = signer_token(fixture.signer, "JWT", FIXTURE_KID, payload);
        atomic_store(&accepted, 0);
        atomic_store(&stopped, 0);
        fixture_start(&fixture);
        threads_run(THREADS, verify_many, NULL);
        assert_int_equal(atomic_load(&accepted), (THREADS - 1) * ROUNDS);
        assert_int_equal(atomic_load(&stopped), 0);
        verifier_free(fixture.verifier);
        fixture.verifier = NULL;
        free(shared_token);
        free(payload);
        free(jwks);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm_signs_and_verifies),
        cmocka_unit_test(a_key_keeps_to_its_alg),
        cmocka_unit_test(use_and_key_ops),
        cmocka_unit_test(private_parts_and_secrets),
        cmocka_unit_test(weak_rsa_keys),
        cmocka_unit_test(exponents),
        cmocka_unit_test(points),
        cmocka_unit_test(a_set_keeps_what_is_sound),
        cmocka_unit_test(texts_that_are_no_sets),
        cmocka_unit_test(a_set_that_is_too_large),
        TEST(numbers_in_any_spelling),
        TEST(a_byte_order_mark),
        TEST(without_kid_all_that_fit_are_tried),
        TEST(several_keys_of_one_name),
        TEST(a_kid_needs_a_key_of_that_name),
        TEST(many_threads_and_reloads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
