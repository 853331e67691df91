/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of the verifier failing in turn, the first, the second, … until it succeeds: it
 * refuses, leaks nothing, and works on. The linker puts these functions in the place of malloc and
 * the like, and jansson is told of them. cjose is not: 0.6.2 does not look at what malloc answers.
 */
#include "serve/verify_fixture.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names that the linker's --wrap asks for.
 * NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *data, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *data, size_t size);
char *__wrap_strdup(const char *text);

static unsigned left; /* allocations until the one that fails; 0: none fails */
static bool has_failed;

static bool fails_now(void)
{
    if (left == 0 || --left > 0)
        return false;
    has_failed = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *data, size_t size)
{
    return fails_now() ? NULL : __real_realloc(data, size);
}

char *__wrap_strdup(const char *text)
{
    return fails_now() ? NULL : __real_strdup(text);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static struct verify_fixture fixture;
static struct signer *holder;
static const struct claim_header chosen[] = {{"groups", "X-Groups"}, {"email", "X-Email"}};

static int open_fixture(void **state)
{
    (void)state;
    left = 0;
    fixture_init(&fixture);
    holder = signer_new("ES256");
    fixture.entries[0].headers = chosen;
    fixture.entries[0].header_count = 2;
    return 0;
}

static int close_fixture(void **state)
{
    (void)state;
    left = 0;
    signer_free(holder);
    fixture_end(&fixture);
    return 0;
}

static bool make_verifier(const void *context)
{
    jtg_error err = JTG_ERROR_INIT;
    (void)context;
    return verifier_new(&fixture.verifier, &fixture.settings, &err) == JTG_OK;
}

/* Fail the first, the second, … until a whole call passes without one. What the last call said.
 * *refused: how many of the others refused, which are nearly all: jansson survives some failures
 * inside cjose, where nothing hangs on them. */
static bool walk(bool (*call)(const void *context), const void *context, unsigned *refused)
{
    *refused = 0;
    for (unsigned nth = 1; nth < 5000; nth++) {
        left = nth;
        has_failed = false;
        bool is_good = call(context);
        left = 0;
        if (!has_failed)
            return is_good;
        *refused += !is_good;
        /* A verifier that was made all the same would be lost. */
        assert_true(!is_good || call != make_verifier);
    }
    fail_msg("it never ends");
    return false;
}

static bool reload(const void *context)
{
    (void)context;
    return verifier_reload(fixture.verifier, &fixture.settings, NULL) == JTG_OK;
}

static bool is_accepted(enum refusal refusal, struct verified *verified)
{
    bool is_good = refusal == REFUSAL_NONE && verified->header_count == 2;
    verified_clear(verified);
    return is_good;
}

static bool show_bearer(const void *context)
{
    struct verified verified;
    const char *token = context;
    enum refusal refusal =
        verify_bearer(fixture.verifier, token, strlen(token), TEST_CLOCK_WALL_MS, &verified);
    return is_accepted(refusal, &verified);
}

static bool show_proof(const void *context)
{
    struct verified verified;
    enum refusal refusal = verify_dpop(fixture.verifier, context, TEST_CLOCK_WALL_MS, &verified);
    return is_accepted(refusal, &verified);
}

#define MORE ",\"groups\":[\"a\"],\"email\":\"e\""

static void a_verifier_is_made(void **state)
{
    (void)state;
    unsigned refused = 0;
    assert_true(walk(make_verifier, NULL, &refused));
    assert_true(refused > 10);
    char *payload = fixture_payload(MORE);
    char *token = signer_token(fixture.signer, "JWT", FIXTURE_KID, payload);
    assert_true(show_bearer(token));
    assert_true(walk(reload, NULL, &refused));
    assert_true(refused > 10);
    assert_true(show_bearer(token));
    free(token);
    free(payload);
}

static void a_token_is_verified(void **state)
{
    (void)state;
    unsigned refused = 0;
    char *payload = fixture_payload(MORE);
    char *token = signer_token(fixture.signer, "JWT", FIXTURE_KID, payload);
    fixture_start(&fixture);
    assert_true(walk(show_bearer, token, &refused));
    assert_true(refused > 10);
    free(token);
    free(payload);
}

static char *make_bound_token(void)
{
    char jkt[44];
    const char *xy = strstr(signer_members(holder), "\"x\":");
    char *canonical = text_of("{\"crv\":\"P-256\",\"kty\":\"EC\",%s}", xy);
    hash_text(jkt, canonical);
    char *more = text_of(MORE ",\"cnf\":{\"jkt\":\"%s\"}", jkt);
    char *payload = fixture_payload(more);
    char *token = signer_token(fixture.signer, "at+jwt", FIXTURE_KID, payload);
    free(payload);
    free(more);
    free(canonical);
    return token;
}

static char *make_proof(const char *token)
{
    char ath[44];
    hash_text(ath, token);
    char *header =
        text_of("{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":{%s}}", signer_members(holder));
    char *payload = text_of("{\"jti\":\"p\",\"htm\":\"GET\",\"htu\":\"https://a.example/\","
                            "\"iat\":%lld,\"ath\":\"%s\"}",
                            (long long)FIXTURE_NOW_S, ath);
    char *proof = signer_sign(holder, header, payload);
    free(payload);
    free(header);
    return proof;
}

static void a_proof_is_verified(void **state)
{
    (void)state;
    unsigned refused = 0;
    char *token = make_bound_token();
    char *proof = make_proof(token);
    struct dpop_request request = {
        {"GET", 3}, {"https://a.example/", 18}, {token, strlen(token)}, {proof, strlen(proof)}};
    fixture.entries[0].kind = JTG_KIND_DPOP_PROOF;
    fixture_start(&fixture);
    assert_true(walk(show_proof, &request, &refused));
    assert_true(refused > 20);
    free(proof);
    free(token);
}

/* No failure opens the door. */
static bool show_forged(const void *context)
{
    struct verified verified;
    const char *token = context;
    enum refusal refusal =
        verify_bearer(fixture.verifier, token, strlen(token), TEST_CLOCK_WALL_MS, &verified);
    assert_int_not_equal(refusal, REFUSAL_NONE);
    verified_clear(&verified);
    return false;
}

static void a_forged_token_is_never_accepted(void **state)
{
    (void)state;
    unsigned refused = 0;
    char *payload = fixture_payload(MORE);
    char *token = signer_token(holder, "JWT", FIXTURE_KID, payload);
    fixture_start(&fixture);
    assert_false(walk(show_forged, token, &refused));
    assert_true(refused > 10);
    free(token);
    free(payload);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(a_verifier_is_made),
        TEST(a_token_is_verified),
        TEST(a_proof_is_verified),
        TEST(a_forged_token_is_never_accepted),
    };
    json_object_seed(1);
    json_set_alloc_funcs(__wrap_malloc, free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
