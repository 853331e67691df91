/* SPDX-License-Identifier: Apache-2.0 */
/* Keys from a server that answers, lies, hangs, drips and dies. Ages go by a clock that the test
 * moves; only the bounds of a fetch are real time, and short. */
#include "serve/keys_server.h"
#include "serve/verify/keys.h"
#include "serve/verify/waiters.h"
#include "serve/verify_fixture.h"
#include "support/threads.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WELL_KNOWN "/.well-known/openid-configuration"
#define KEYS       "/keys"

enum { PATIENCE_MS = 10000, SHORT_MS = 300 };

static struct verify_fixture fixture;
static struct keys_server *server;
static struct signer *rotated;
static char place[128];

static int64_t real_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void publish(const struct signer *signer, const char *kid, const char *header)
{
    char *jwks = signer_jwks(signer, kid);
    keys_server_put(server, KEYS, 200, jwks, header);
    free(jwks);
}

static void publish_discovery(const char *issuer, const char *jwks_uri)
{
    char *document = text_of("{\"issuer\":\"%s\",\"jwks_uri\":\"%s\",\"x\":[]}", issuer, jwks_uri);
    keys_server_put(server, WELL_KNOWN, 200, document, NULL);
    free(document);
}

/* The fixture's issuer, with its keys at a URL. */
static int open_fixture(void **state)
{
    (void)state;
    fixture_init(&fixture);
    server = keys_server_new(false);
    rotated = signer_new("ES256");
    (void)snprintf(place, sizeof place, "%s" KEYS, keys_server_base(server));
    fixture.entries[0].keys_from = KEYS_FROM_URL;
    fixture.entries[0].keys_at = place;
    fixture.settings.allow_loopback_http = true;
    publish(fixture.signer, FIXTURE_KID, NULL);
    return 0;
}

static int close_fixture(void **state)
{
    (void)state;
    fixture_end(&fixture);
    keys_server_free(server);
    signer_free(rotated);
    return 0;
}

static void start_with_keys(void)
{
    fixture_start(&fixture);
    assert_true(fixture_wait_for_keys(&fixture, PATIENCE_MS));
}

static enum refusal verify(void)
{
    return fixture_verify_payload(&fixture, fixture_payload(""));
}

static enum refusal verify_rotated(void)
{
    char *payload = fixture_payload("");
    char *token = signer_token(rotated, "JWT", "key-2", payload);
    free(payload);
    return fixture_verify(&fixture, token);
}

static struct keys_status keys_status(void)
{
    struct keys_status status;
    assert_true(verifier_keys_status(fixture.verifier, 0, &status));
    return status;
}

/* Until so many fetches have ended, well or not. */
static void await_fetches(uint64_t count)
{
    int64_t end_ms = real_ms() + PATIENCE_MS;
    struct keys_status status = keys_status();
    while (status.fetches + status.fetch_fails < count && real_ms() < end_ms) {
        (void)poll(NULL, 0, 1);
        status = keys_status();
    }
    assert_int_equal(status.fetches + status.fetch_fails, count);
}

static void advance_s(int64_t seconds)
{
    test_clock_advance(&fixture.clock, seconds * 1000);
}

/* ---- from a URL ---- */

static void keys_of_a_url(void **state)
{
    (void)state;
    start_with_keys();
    assert_refusal(verify(), REFUSAL_NONE);
    assert_int_equal(keys_status().keys, 1);
    assert_int_equal(keys_status().fetches, 1);
    assert_int_equal(keys_server_count(server, KEYS), 1);
}

/* An issuer's keys are none of a trust domain, however many there are. */
static void no_key_of_a_trust_domain(void **state)
{
    (void)state;
    char *payload = text_of("{\"aud\":\"" FIXTURE_AUDIENCE "\",\"jti\":\"1\",\"exp\":%ld,"
                            "\"sub\":\"spiffe://example.org/w\"}",
                            (long)FIXTURE_NOW_S + 60);
    fixture.entries[0].issuer = NULL;
    fixture.entries[0].trust_domain = "example.org";
    fixture_start(&fixture);
    await_fetches(1);
    assert_int_equal(keys_status().keys, 0);
    assert_refusal(
        fixture_verify(&fixture, signer_token(fixture.signer, "JWT", FIXTURE_KID, payload)),
        REFUSAL_KEYS_UNAVAILABLE);
    free(payload);
}

static void nothing_before_the_first_answer(void **state)
{
    (void)state;
    keys_server_hold(server, KEYS, true);
    fixture_start(&fixture);
    assert_false(fixture_wait_for_keys(&fixture, 0));
    assert_refusal(verify(), REFUSAL_KEYS_UNAVAILABLE);
    assert_int_equal(keys_status().age_ms, -1);
    keys_server_hold(server, KEYS, false);
    assert_true(fixture_wait_for_keys(&fixture, PATIENCE_MS));
    assert_refusal(verify(), REFUSAL_NONE);
}

static void assert_no_keys(unsigned status, const char *body, const char *header)
{
    keys_server_put(server, KEYS, status, body, header);
    fixture_start(&fixture);
    assert_false(fixture_wait_for_keys(&fixture, PATIENCE_MS));
    assert_int_equal(keys_status().fetch_fails, 1);
    assert_refusal(verify(), REFUSAL_KEYS_UNAVAILABLE);
    verifier_free(fixture.verifier);
    fixture.verifier = NULL;
}

static void answers_that_are_no_keys(void **state)
{
    (void)state;
    char *jwks = signer_jwks(fixture.signer, FIXTURE_KID);
    assert_no_keys(404, jwks, NULL);
    assert_no_keys(500, jwks, NULL);
    assert_no_keys(204, "", NULL);
    assert_no_keys(200, "", NULL);
    assert_no_keys(200, "<html>", NULL);
    assert_no_keys(200, "{\"keys\":[],\"keys\":[]}", NULL);
    assert_no_keys(200, "{\"keys\":\"none\"}", NULL);
    free(jwks);
}

/* Another host must not speak for the issuer, nor the same one by another way. */
static void redirects_are_not_followed(void **state)
{
    (void)state;
    char *elsewhere = text_of("Location: %s/other", keys_server_base(server));
    char *jwks = signer_jwks(fixture.signer, FIXTURE_KID);
    static const unsigned statuses[] = {301, 302, 303, 307, 308};
    keys_server_put(server, "/other", 200, jwks, NULL);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        assert_no_keys(statuses[i], jwks, elsewhere);
    assert_int_equal(keys_server_count(server, "/other"), 0);
    free(jwks);
    free(elsewhere);
}

static void a_document_that_is_too_large(void **state)
{
    (void)state;
    char *jwks = signer_jwks(fixture.signer, FIXTURE_KID);
    fixture.settings.keys_max_bytes = (uint32_t)strlen(jwks) - 1;
    assert_no_keys(200, jwks, NULL);
    /* Also where the server does not say the length before it sends. */
    keys_server_drip(server, 1);
    fixture.settings.keys_max_bytes = 20;
    assert_no_keys(200, jwks, NULL);
    keys_server_drip(server, 0);
    fixture.settings.keys_max_bytes = (uint32_t)strlen(jwks);
    start_with_keys();
    free(jwks);
}

static void a_server_that_is_not_there(void **state)
{
    (void)state;
    (void)snprintf(place, sizeof place, "http://127.0.0.1:1/keys");
    fixture_start(&fixture);
    assert_false(fixture_wait_for_keys(&fixture, PATIENCE_MS));
    assert_refusal(verify(), REFUSAL_KEYS_UNAVAILABLE);
}

/* The bound is on the whole fetch: a drip outlives one on each read. */
static void a_server_that_drips(void **state)
{
    (void)state;
    fixture.settings.keys_timeout_ms = SHORT_MS;
    keys_server_drip(server, 20);
    int64_t start_ms = real_ms();
    fixture_start(&fixture);
    assert_false(fixture_wait_for_keys(&fixture, PATIENCE_MS));
    assert_true(real_ms() - start_ms >= SHORT_MS);
    assert_int_equal(keys_status().fetch_fails, 1);
}

static void an_issuer_that_withdraws_its_keys(void **state)
{
    (void)state;
    start_with_keys();
    keys_server_put(server, KEYS, 200, "{\"keys\":[]}", NULL);
    advance_s(KEYS_MAX_AGE_S_DEFAULT);
    (void)verify();
    await_fetches(2);
    assert_refusal(verify(), REFUSAL_KEYS_UNAVAILABLE);
}

/* ---- again ---- */

/* A fetch once the moment has come, and none before; by itself, or for a token. The clock stands
 * where the last attempt began. */
static void assert_asked_again_after(int64_t seconds, uint64_t ended, bool is_wanted)
{
    advance_s(seconds - 1);
    (void)verify();
    assert_int_equal(keys_server_count(server, KEYS), ended);
    advance_s(1);
    if (is_wanted)
        (void)verify();
    assert_true(keys_server_await(server, KEYS, (unsigned)ended + 1));
    await_fetches(ended + 1);
}

/* As an issuer does that has just been set up, or sweeps its keys before it makes new ones. */
static void a_set_without_a_usable_key_is_asked_for_again(void **state)
{
    (void)state;
    static const char *const sets[] = {
        "{\"keys\":[]}", "{\"keys\":[{}]}",
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\",\"use\":\"enc\"}]}"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        unsigned before = keys_server_count(server, KEYS);
        keys_server_put(server, KEYS, 200, sets[i], NULL);
        fixture_start(&fixture);
        assert_false(fixture_wait_for_keys(&fixture, PATIENCE_MS));
        assert_refusal(verify(), REFUSAL_KEYS_UNAVAILABLE);
        assert_int_equal(keys_status().fetch_fails, 1);
        publish(fixture.signer, FIXTURE_KID, NULL);
        advance_s(KEYS_RETRY_S_DEFAULT - 1);
        assert_refusal(verify(), REFUSAL_KEYS_UNAVAILABLE);
        assert_int_equal(keys_server_count(server, KEYS), before + 1);
        advance_s(1);
        assert_refusal(verify(), REFUSAL_NONE);
        assert_int_equal(keys_server_count(server, KEYS), before + 2);
        verifier_free(fixture.verifier);
        fixture.verifier = NULL;
    }
}

static void an_empty_set_between_two_good_ones(void **state)
{
    (void)state;
    start_with_keys();
    keys_server_put(server, KEYS, 200, "{\"keys\":[]}", NULL);
    advance_s(KEYS_MAX_AGE_S_DEFAULT);
    (void)verify();
    await_fetches(2);
    assert_refusal(verify(), REFUSAL_KEYS_UNAVAILABLE);
    publish(fixture.signer, FIXTURE_KID, NULL);
    advance_s(KEYS_RETRY_S_DEFAULT);
    assert_refusal(verify(), REFUSAL_NONE);
    advance_s(KEYS_MAX_AGE_S_DEFAULT - 1);
    assert_refusal(verify(), REFUSAL_NONE);
    assert_int_equal(keys_server_count(server, KEYS), 3);
}

static void an_issuer_says_when_to_come_again(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        const char *header;
        int64_t seconds;
    } cases[] = {
        {429, "Retry-After: 120", 120},
        {503, "Retry-After: 3600", KEYS_RETRY_AFTER_MOST_S},
        {503, "Retry-After: Fri, 31 Dec 2199 23:59:59 GMT", KEYS_RETRY_AFTER_MOST_S},
        {503, "Retry-After: 1", KEYS_RETRY_S_DEFAULT},
        {503, "Retry-After: -5", KEYS_RETRY_S_DEFAULT},
        {503, "Retry-After: soon", KEYS_RETRY_S_DEFAULT},
        {503, "Retry-After: Fri, 01 Jan 1999 00:00:00 GMT", KEYS_RETRY_S_DEFAULT},
        {503, NULL, KEYS_RETRY_S_DEFAULT},
    };
    keys_server_put(server, KEYS, 503, "", NULL);
    fixture_start(&fixture);
    assert_false(fixture_wait_for_keys(&fixture, PATIENCE_MS));
    int64_t pause_s = KEYS_RETRY_S_DEFAULT;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        keys_server_put(server, KEYS, cases[i].status, "", cases[i].header);
        assert_asked_again_after(pause_s, i + 1, true);
        pause_s = cases[i].seconds;
    }
    publish(fixture.signer, FIXTURE_KID, NULL);
    advance_s(pause_s);
    assert_refusal(verify(), REFUSAL_NONE);
}

/* ---- age ---- */

static void old_keys_are_fetched_anew(void **state)
{
    (void)state;
    start_with_keys();
    advance_s(KEYS_MAX_AGE_S_DEFAULT - 1);
    assert_refusal(verify(), REFUSAL_NONE);
    assert_int_equal(keys_server_count(server, KEYS), 1);
    publish(rotated, "key-2", NULL);
    advance_s(1);
    assert_refusal(verify(), REFUSAL_NONE);
    await_fetches(2);
    assert_refusal(verify_rotated(), REFUSAL_NONE);
    assert_refusal(verify(), REFUSAL_UNKNOWN_KEY);
}

static void assert_fresh_for(const char *header, int64_t seconds)
{
    publish(fixture.signer, FIXTURE_KID, header);
    unsigned before = keys_server_count(server, KEYS);
    start_with_keys();
    advance_s(seconds - 1);
    assert_refusal(verify(), REFUSAL_NONE);
    assert_int_equal(keys_server_count(server, KEYS), before + 1);
    advance_s(1);
    assert_refusal(verify(), REFUSAL_NONE);
    assert_true(keys_server_await(server, KEYS, before + 2));
    verifier_free(fixture.verifier);
    fixture.verifier = NULL;
}

static void max_age_within_bounds(void **state)
{
    (void)state;
    assert_fresh_for(NULL, KEYS_MAX_AGE_S_DEFAULT);
    assert_fresh_for("Cache-Control: max-age=600", 600);
    assert_fresh_for("Cache-Control: public, max-age=600, must-revalidate", 600);
    assert_fresh_for("Cache-Control: max-age=1", 60);
    assert_fresh_for("Cache-Control: no-store", 60);
    assert_fresh_for("Cache-Control: max-age=99999999999999999999", KEYS_MAX_AGE_S_DEFAULT);
    assert_fresh_for("Cache-Control: max-age=-5", KEYS_MAX_AGE_S_DEFAULT);
    assert_fresh_for("Cache-Control: x-max-age=5", KEYS_MAX_AGE_S_DEFAULT);
}

static void stale_keys_serve_for_so_long(void **state)
{
    (void)state;
    start_with_keys();
    keys_server_put(server, KEYS, 503, "", NULL);
    advance_s(KEYS_MAX_AGE_S_DEFAULT);
    assert_refusal(verify(), REFUSAL_NONE);
    await_fetches(2);
    assert_refusal(verify(), REFUSAL_NONE);
    advance_s(KEYS_STALE_S_DEFAULT - 1);
    assert_refusal(verify(), REFUSAL_NONE);
    await_fetches(3);
    advance_s(1);
    assert_refusal(verify(), REFUSAL_KEYS_UNAVAILABLE);
    assert_int_equal(keys_status().keys, 0);
    publish(fixture.signer, FIXTURE_KID, NULL);
    advance_s(KEYS_RETRY_S_DEFAULT);
    (void)verify();
    await_fetches(4);
    assert_refusal(verify(), REFUSAL_NONE);
}

/* ---- an unknown kid ---- */

static void a_new_key_is_found_at_once(void **state)
{
    (void)state;
    start_with_keys();
    publish(rotated, "key-2", NULL);
    advance_s(KEYS_RETRY_S_DEFAULT);
    assert_refusal(verify_rotated(), REFUSAL_NONE);
    assert_int_equal(keys_server_count(server, KEYS), 2);
}

static void invented_kids_do_not_hammer_the_issuer(void **state)
{
    (void)state;
    start_with_keys();
    for (unsigned i = 0; i < 200; i++)
        assert_refusal(verify_rotated(), REFUSAL_UNKNOWN_KEY);
    assert_int_equal(keys_server_count(server, KEYS), 1);
    for (unsigned round = 1; round <= 3; round++) {
        advance_s(KEYS_RETRY_S_DEFAULT);
        for (unsigned i = 0; i < 200; i++)
            assert_refusal(verify_rotated(), REFUSAL_UNKNOWN_KEY);
        assert_int_equal(keys_server_count(server, KEYS), 1 + round);
    }
}

/* An issuer that names no keys shows a new one only by its signatures. */
static void a_new_key_without_a_name(void **state)
{
    (void)state;
    char *before = text_of("{\"keys\":[{%s}]}", signer_members(fixture.signer));
    char *after = text_of("{\"keys\":[{%s}]}", signer_members(rotated));
    char *payload = fixture_payload("");
    keys_server_put(server, KEYS, 200, before, NULL);
    start_with_keys();
    keys_server_put(server, KEYS, 200, after, NULL);
    advance_s(KEYS_RETRY_S_DEFAULT);
    assert_refusal(fixture_verify(&fixture, signer_sign(rotated, "{\"alg\":\"ES256\"}", payload)),
                   REFUSAL_NONE);
    free(payload);
    free(after);
    free(before);
}

/* A kid that an issuer gives to its new key, the old one being gone. */
static void a_new_key_of_the_old_name(void **state)
{
    (void)state;
    char *payload = fixture_payload("");
    start_with_keys();
    publish(rotated, FIXTURE_KID, NULL);
    assert_refusal(fixture_verify(&fixture, signer_token(rotated, "JWT", FIXTURE_KID, payload)),
                   REFUSAL_BAD_SIGNATURE);
    assert_refusal(verify(), REFUSAL_NONE);
    advance_s(KEYS_RETRY_S_DEFAULT);
    assert_refusal(fixture_verify(&fixture, signer_token(rotated, "JWT", FIXTURE_KID, payload)),
                   REFUSAL_NONE);
    assert_refusal(verify(), REFUSAL_BAD_SIGNATURE);
    assert_int_equal(keys_server_count(server, KEYS), 2);
    free(payload);
}

/* Signed by nobody that is known: as an invented kid. */
static void forged_signatures_do_not_hammer_the_issuer(void **state)
{
    (void)state;
    char *payload = fixture_payload("");
    start_with_keys();
    for (unsigned round = 0; round <= 3; round++) {
        for (unsigned i = 0; i < 50; i++)
            assert_refusal(
                fixture_verify(&fixture, signer_token(rotated, "JWT", FIXTURE_KID, payload)),
                REFUSAL_BAD_SIGNATURE);
        assert_int_equal(keys_server_count(server, KEYS), 1 + round);
        advance_s(KEYS_RETRY_S_DEFAULT);
    }
    free(payload);
}

/* ---- those who wait ---- */

enum { CALLERS = 8 };
static atomic_uint refused;
static char *unknown_token;

static enum refusal verify_unknown(struct verified *verified)
{
    return verify_bearer(fixture.verifier, unknown_token, strlen(unknown_token), TEST_CLOCK_WALL_MS,
                         verified);
}

/* The issuer hangs from its second fetch on, which an unknown kid may now ask for. */
static void hang_with_unknown_kid(void)
{
    char *payload = fixture_payload("");
    unknown_token = signer_token(rotated, "JWT", "key-2", payload);
    free(payload);
    fixture.settings.keys_timeout_ms = KEYS_TIMEOUT_MS_LIMIT;
    start_with_keys();
    keys_server_hold(server, KEYS, true);
    advance_s(KEYS_RETRY_S_DEFAULT);
}

static bool await_keys(struct fixture_waiter *waiter)
{
    struct verified verified;
    assert_refusal(verify_unknown(&verified), REFUSAL_UNKNOWN_KEY);
    bool waits = verified_await(&verified, &waiter->base);
    verified_clear(&verified);
    return waits;
}

static void verify_and_count(void *context, unsigned index)
{
    struct verified verified;
    (void)context;
    (void)index;
    atomic_fetch_add(&refused, verify_unknown(&verified) == REFUSAL_UNKNOWN_KEY);
    verified_clear(&verified);
}

/* All come back although the answer that they ask for never does. */
static void an_issuer_that_hangs_holds_no_caller(void **state)
{
    (void)state;
    hang_with_unknown_kid();
    atomic_store(&refused, 0);
    threads_run(CALLERS, verify_and_count, NULL);
    assert_int_equal(atomic_load(&refused), CALLERS);
    assert_true(keys_server_await(server, KEYS, 2));
    assert_refusal(verify(), REFUSAL_NONE);
    assert_int_equal(keys_status().waits, 0);
    free(unknown_token);
}

static void who_waits_is_woken_when_the_fetch_is_late(void **state)
{
    (void)state;
    struct fixture_waiter waiter;
    fixture_waiter_init(&waiter);
    fixture.settings.keys_wait_ms = SHORT_MS;
    hang_with_unknown_kid();
    assert_true(await_keys(&waiter));
    assert_true(fixture_await_wake(&waiter));
    /* The fetch still hangs, and now nobody waits for it. */
    assert_false(await_keys(&waiter));
    assert_int_equal(waiter.pauses, 1);
    assert_int_equal(waiter.wakes, 1);
    assert_int_equal(keys_server_count(server, KEYS), 2);
    assert_int_equal(keys_status().waits, 1);
    free(unknown_token);
}

static void who_waits_is_woken_by_an_answer(void **state)
{
    (void)state;
    struct fixture_waiter waiter;
    struct verified verified;
    fixture_waiter_init(&waiter);
    fixture.settings.keys_wait_ms = KEYS_WAIT_MS_LIMIT;
    hang_with_unknown_kid();
    assert_true(await_keys(&waiter));
    publish(rotated, "key-2", NULL);
    keys_server_hold(server, KEYS, false);
    assert_true(fixture_await_wake(&waiter));
    assert_refusal(verify_unknown(&verified), REFUSAL_NONE);
    verified_clear(&verified);
    free(unknown_token);
}

static void who_waits_is_woken_by_a_failure(void **state)
{
    (void)state;
    struct fixture_waiter waiter;
    fixture_waiter_init(&waiter);
    fixture.settings.keys_wait_ms = KEYS_WAIT_MS_LIMIT;
    hang_with_unknown_kid();
    assert_true(await_keys(&waiter));
    keys_server_put(server, KEYS, 503, "", NULL);
    keys_server_hold(server, KEYS, false);
    assert_true(fixture_await_wake(&waiter));
    assert_false(await_keys(&waiter));
    free(unknown_token);
}

static void only_so_many_wait(void **state)
{
    (void)state;
    static struct fixture_waiter waiters[WAITERS_LIMIT + 1];
    for (size_t i = 0; i <= WAITERS_LIMIT; i++)
        fixture_waiter_init(&waiters[i]);
    fixture.settings.keys_wait_ms = KEYS_WAIT_MS_LIMIT;
    hang_with_unknown_kid();
    for (size_t i = 0; i < WAITERS_LIMIT; i++)
        assert_true(await_keys(&waiters[i]));
    assert_false(await_keys(&waiters[WAITERS_LIMIT]));
    keys_server_hold(server, KEYS, false);
    for (size_t i = 0; i < WAITERS_LIMIT; i++)
        assert_true(fixture_await_wake(&waiters[i]));
    free(unknown_token);
}

static void nobody_waits_where_it_is_switched_off(void **state)
{
    (void)state;
    struct fixture_waiter waiter;
    fixture_waiter_init(&waiter);
    fixture.settings.keys_wait_ms = 0;
    hang_with_unknown_kid();
    assert_false(await_keys(&waiter));
    assert_true(keys_server_await(server, KEYS, 2));
    free(unknown_token);
}

/* A reload, and the end of the service, leave nobody behind. */
static void who_waits_is_woken_by_the_end(void **state)
{
    (void)state;
    struct fixture_waiter waiter;
    fixture_waiter_init(&waiter);
    fixture.settings.keys_wait_ms = KEYS_WAIT_MS_LIMIT;
    hang_with_unknown_kid();
    assert_true(await_keys(&waiter));
    assert_status(verifier_reload(fixture.verifier, &fixture.settings, NULL), JTG_OK);
    assert_true(fixture_await_wake(&waiter));
    assert_true(waiter.base.moved);
    assert_true(await_keys(&waiter));
    verifier_hurry(fixture.verifier);
    assert_true(fixture_await_wake(&waiter));
    assert_false(waiter.base.moved);
    assert_false(await_keys(&waiter));
    free(unknown_token);
}

/* A reload makes no wait longer than it would have been. */
static void a_wait_ends_in_its_time_over_a_reload(void **state)
{
    (void)state;
    struct fixture_waiter waiter;
    fixture_waiter_init(&waiter);
    fixture.settings.keys_wait_ms = SHORT_MS;
    hang_with_unknown_kid();
    assert_true(await_keys(&waiter));
    fixture.settings.keys_wait_ms = KEYS_WAIT_MS_LIMIT;
    assert_status(verifier_reload(fixture.verifier, &fixture.settings, NULL), JTG_OK);
    assert_true(fixture_await_wake(&waiter));
    /* Woken by the reload or by its time, and in either case by its time after that. */
    if (await_keys(&waiter))
        assert_true(fixture_await_wake(&waiter));
    assert_false(waiter.base.moved);
    assert_false(await_keys(&waiter));
    free(unknown_token);
}

/* Who was refused by the keys before a reload, and asks to wait only after it, is moved on. */
static void who_asks_keys_that_were_stopped(void **state)
{
    (void)state;
    struct fixture_waiter waiter;
    struct verified verified;
    fixture_waiter_init(&waiter);
    fixture.settings.keys_wait_ms = KEYS_WAIT_MS_LIMIT;
    hang_with_unknown_kid();
    assert_refusal(verify_unknown(&verified), REFUSAL_UNKNOWN_KEY);
    assert_status(verifier_reload(fixture.verifier, &fixture.settings, NULL), JTG_OK);
    assert_true(verified_await(&verified, &waiter.base));
    verified_clear(&verified);
    assert_int_equal(waiter.wakes, 1);
    assert_true(waiter.base.moved);
    assert_true(await_keys(&waiter));
    publish(rotated, "key-2", NULL);
    keys_server_hold(server, KEYS, false);
    assert_true(fixture_await_wake(&waiter));
    assert_refusal(verify_unknown(&verified), REFUSAL_NONE);
    verified_clear(&verified);
    free(unknown_token);
}

static void waiting_and_the_end_at_once(void *context, unsigned index)
{
    struct fixture_waiter waiter;
    fixture_waiter_init(&waiter);
    if (index == 0) {
        verifier_hurry(context);
        return;
    }
    struct verified verified;
    (void)verify_unknown(&verified);
    bool waits = verified_await(&verified, &waiter.base);
    verified_clear(&verified);
    atomic_fetch_add(&refused, !waits || fixture_await_wake(&waiter));
}

static void nobody_is_left_behind(void **state)
{
    (void)state;
    fixture.settings.keys_wait_ms = KEYS_WAIT_MS_LIMIT;
    hang_with_unknown_kid();
    atomic_store(&refused, 0);
    threads_run(CALLERS + 1, waiting_and_the_end_at_once, fixture.verifier);
    assert_int_equal(atomic_load(&refused), CALLERS);
    free(unknown_token);
}

/* ---- the end, and a reload ---- */

static void a_fetch_under_way_does_not_hold_the_end(void **state)
{
    (void)state;
    fixture.settings.keys_timeout_ms = KEYS_TIMEOUT_MS_LIMIT;
    keys_server_hold(server, KEYS, true);
    fixture_start(&fixture);
    assert_true(keys_server_await(server, KEYS, 1));
    int64_t start_ms = real_ms();
    verifier_free(fixture.verifier);
    fixture.verifier = NULL;
    assert_true(real_ms() - start_ms < PATIENCE_MS);
}

static void keys_serve_on_through_a_reload(void **state)
{
    (void)state;
    start_with_keys();
    keys_server_hold(server, KEYS, true);
    assert_status(verifier_reload(fixture.verifier, &fixture.settings, NULL), JTG_OK);
    assert_refusal(verify(), REFUSAL_NONE);
    assert_true(keys_server_await(server, KEYS, 2));
    publish(rotated, "key-2", NULL);
    keys_server_hold(server, KEYS, false);
    await_fetches(2);
    assert_refusal(verify_rotated(), REFUSAL_NONE);
}

static void a_reload_with_another_place_starts_empty(void **state)
{
    (void)state;
    static char other[160];
    start_with_keys();
    (void)snprintf(other, sizeof other, "%s/other", keys_server_base(server));
    keys_server_put(server, "/other", 200, "", NULL);
    keys_server_hold(server, "/other", true);
    fixture.entries[0].keys_at = other;
    assert_status(verifier_reload(fixture.verifier, &fixture.settings, NULL), JTG_OK);
    assert_refusal(verify(), REFUSAL_KEYS_UNAVAILABLE);
}

/* A counter that falls is a restart to whoever reads it, and the fetches in between are lost. */
static void counters_never_fall_in_a_reload(void **state)
{
    (void)state;
    static char other[160];
    (void)snprintf(other, sizeof other, "%s/other", keys_server_base(server));
    start_with_keys();
    for (unsigned round = 0; round < 4; round++) {
        struct keys_status before = keys_status();
        /* Also where the same issuer's keys come from another place, which fails. */
        fixture.entries[0].keys_at = round % 2 == 0 ? other : place;
        assert_status(verifier_reload(fixture.verifier, &fixture.settings, NULL), JTG_OK);
        assert_true(keys_status().fetches >= before.fetches);
        assert_true(keys_status().fetch_fails >= before.fetch_fails);
        await_fetches(round + 2);
    }
    assert_int_equal(keys_status().fetches, 3);
    assert_int_equal(keys_status().fetch_fails, 2);
}

static void the_pause_doubles(void **state)
{
    (void)state;
    const int64_t most_ms = (int64_t)KEYS_BACK_OFF_MOST_S * 1000;
    assert_int_equal(keys_back_off_ms(10000, 0), 10000);
    assert_int_equal(keys_back_off_ms(10000, 1), 10000);
    assert_int_equal(keys_back_off_ms(10000, 2), 20000);
    assert_int_equal(keys_back_off_ms(10000, 5), 160000);
    assert_int_equal(keys_back_off_ms(10000, 6), most_ms);
    assert_int_equal(keys_back_off_ms(10000, UINT32_MAX), most_ms);
    /* Never sooner than it may be at all. */
    assert_int_equal(keys_back_off_ms(most_ms + 1, 9), most_ms + 1);
}

/* ---- discovery ---- */

static enum refusal verify_discovered(const struct signer *signer)
{
    char *payload =
        text_of("{\"iss\":\"%s\",\"aud\":\"" FIXTURE_AUDIENCE "\",\"sub\":\"u\",\"exp\":%ld}",
                keys_server_base(server), (long)FIXTURE_NOW_S + 60);
    char *token = signer_token(signer, "JWT", FIXTURE_KID, payload);
    free(payload);
    return fixture_verify(&fixture, token);
}

static void use_discovery(void)
{
    fixture.entries[0].issuer = keys_server_base(server);
    fixture.entries[0].keys_from = KEYS_FROM_DISCOVERY;
    fixture.entries[0].keys_at = NULL;
}

static void keys_by_discovery(void **state)
{
    (void)state;
    use_discovery();
    publish_discovery(keys_server_base(server), place);
    start_with_keys();
    assert_refusal(verify_discovered(fixture.signer), REFUSAL_NONE);
    assert_refusal(verify_discovered(rotated), REFUSAL_BAD_SIGNATURE);
    assert_int_equal(keys_server_count(server, WELL_KNOWN), 1);
    assert_int_equal(keys_server_count(server, KEYS), 1);
}

static void assert_not_discovered(const char *document)
{
    keys_server_put(server, WELL_KNOWN, 200, document, NULL);
    fixture_start(&fixture);
    assert_false(fixture_wait_for_keys(&fixture, PATIENCE_MS));
    assert_refusal(verify_discovered(fixture.signer), REFUSAL_KEYS_UNAVAILABLE);
    verifier_free(fixture.verifier);
    fixture.verifier = NULL;
}

static void documents_that_lead_nowhere(void **state)
{
    (void)state;
    const char *base = keys_server_base(server);
    char *documents[] = {
        text_of("{\"issuer\":\"https://other.example\",\"jwks_uri\":\"%s\"}", place),
        text_of("{\"issuer\":\"%s/\",\"jwks_uri\":\"%s\"}", base, place),
        text_of("{\"jwks_uri\":\"%s\"}", place),
        text_of("{\"issuer\":\"%s\"}", base),
        text_of("{\"issuer\":\"%s\",\"jwks_uri\":7}", base),
        text_of("{\"issuer\":\"%s\",\"jwks_uri\":\"%s\",\"jwks_uri\":\"%s\"}", base, place, place),
        text_of("{\"issuer\":\"%s\",\"jwks_uri\":\"file:///etc/passwd\"}", base),
        text_of("{\"issuer\":\"%s\",\"jwks_uri\":\"http://issuer.example/keys\"}", base),
        text_of("{\"issuer\":\"%s\",\"jwks_uri\":\"gopher://127.0.0.1:6379/_\"}", base),
        text_of("[\"%s\"]", base),
    };
    use_discovery();
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        assert_not_discovered(documents[i]);
        free(documents[i]);
    }
    assert_int_equal(keys_server_count(server, KEYS), 0);
}

/* ---- what is said ---- */

enum { LOG_BYTES = 8192 };

static struct {
    pthread_mutex_t lock;
    char text[LOG_BYTES];
} lines = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void keep_line(void *context, jtg_log_level level, const char *line)
{
    (void)context;
    (void)level;
    (void)pthread_mutex_lock(&lines.lock);
    size_t len = strlen(lines.text);
    (void)snprintf(lines.text + len, sizeof lines.text - len, "%s\n", line);
    (void)pthread_mutex_unlock(&lines.lock);
}

static unsigned count_lines(const char *part)
{
    unsigned count = 0;
    (void)pthread_mutex_lock(&lines.lock);
    for (const char *at = lines.text; (at = strstr(at, part)) != NULL; at++)
        count++;
    (void)pthread_mutex_unlock(&lines.lock);
    return count;
}

static void assert_said_within(const char *part)
{
    int64_t end_ms = real_ms() + PATIENCE_MS;
    while (count_lines(part) == 0 && real_ms() < end_ms)
        (void)poll(NULL, 0, 1);
    if (count_lines(part) != 1)
        fail_msg("\"%s\" is not once in \"%s\"", part, lines.text);
}

static void start_logging(void)
{
    static const jtg_logger logger = {sizeof logger, NULL, JTG_LOG_INFO, keep_line};
    fixture.settings.logger = &logger;
    lines.text[0] = '\0';
}

/* text is freed. */
static void assert_said_of(const char *path, unsigned status, const char *body, const char *header,
                           char *text)
{
    keys_server_put(server, path, status, body, header);
    start_logging();
    fixture_start(&fixture);
    assert_false(fixture_wait_for_keys(&fixture, PATIENCE_MS));
    assert_said_within(text);
    verifier_free(fixture.verifier);
    fixture.verifier = NULL;
    free(text);
}

static void what_is_said_of_a_key_set(void **state)
{
    (void)state;
    const char *base = keys_server_base(server);
    assert_said_of(KEYS, 403, "", NULL,
                   text_of("not fetched: key set %s: status 403: an answer other than 200", place));
    assert_said_of(KEYS, 302, "", "Location: /other",
                   text_of("key set %s: status 302: a redirect, which is not followed", place));
    assert_said_of(KEYS, 200, "", NULL, text_of("key set %s: it is empty", place));
    assert_said_of(KEYS, 200, "<html>", NULL, text_of("key set %s: it is no JSON object", place));
    assert_said_of(KEYS, 200, "\x1f\x8b\x08", NULL, text_of("key set %s: it is compressed", place));
    assert_said_of(KEYS, 200, "{\"keys\":[],\"keys\":[]}", NULL,
                   text_of("key set %s: a member name stands twice in it", place));
    assert_said_of(KEYS, 200, "{\"kty\":\"EC\"}", NULL,
                   text_of("key set %s: it is no JWK Set: it has no list of keys", place));
    assert_said_of(KEYS, 200, "{\"keys\":[]}", NULL,
                   text_of("key set %s: it has no usable key", place));
    /* What a URL may hold as a secret is not shown. */
    (void)snprintf(place, sizeof place, "%s" KEYS "?secret=hunter2", base);
    assert_said_of(KEYS, 503, "", NULL, text_of("key set %s" KEYS ": status 503", base));
    assert_int_equal(count_lines("hunter2"), 0);
}

static void what_is_said_of_a_discovery_document(void **state)
{
    (void)state;
    const char *base = keys_server_base(server);
    char *other = text_of("{\"issuer\":\"https://other.example\",\"jwks_uri\":\"%s\"}", place);
    char *slash = text_of("{\"issuer\":\"%s/\",\"jwks_uri\":\"%s\"}", base, place);
    use_discovery();
    assert_said_of(WELL_KNOWN, 404, "", NULL,
                   text_of("discovery document %s" WELL_KNOWN ": status 404", base));
    assert_said_of(WELL_KNOWN, 200, other, NULL,
                   text_of("it is of the issuer https://other.example, and not of %s\n", base));
    assert_said_of(WELL_KNOWN, 200, slash, NULL,
                   text_of("it is of the issuer %s/, and not of %s: mind the slash", base, base));
    assert_said_of(WELL_KNOWN, 200, "{}", NULL, text_of("it names no issuer"));
    free(slash);
    free(other);
}

static void a_failure_is_said_once_and_its_end_too(void **state)
{
    (void)state;
    keys_server_put(server, KEYS, 503, "", NULL);
    start_logging();
    fixture_start(&fixture);
    assert_false(fixture_wait_for_keys(&fixture, PATIENCE_MS));
    for (uint64_t ended = 1; ended < 4; ended++) {
        advance_s(KEYS_RETRY_S_DEFAULT);
        (void)verify();
        await_fetches(ended + 1);
    }
    publish(fixture.signer, FIXTURE_KID, NULL);
    advance_s(KEYS_RETRY_S_DEFAULT);
    assert_refusal(verify(), REFUSAL_NONE);
    assert_said_within("fetched again");
    assert_int_equal(count_lines("not fetched"), 1);
    assert_int_equal(count_lines("1 in use"), 1);
}

#define ELSEWHERE "/elsewhere/config"

/* A document that does not lie below the issuer's name, and speaks for it all the same. */
static void a_document_apart_from_its_issuer(void **state)
{
    (void)state;
    static char url[128];
    char *good = text_of("{\"issuer\":\"" FIXTURE_ISSUER "\",\"jwks_uri\":\"%s\"}", place);
    (void)snprintf(url, sizeof url, "%s" ELSEWHERE, keys_server_base(server));
    fixture.entries[0].keys_from = KEYS_FROM_DISCOVERY;
    fixture.entries[0].keys_at = url;
    keys_server_put(server, ELSEWHERE, 200, good, NULL);
    start_with_keys();
    assert_refusal(verify(), REFUSAL_NONE);
    assert_int_equal(keys_server_count(server, ELSEWHERE), 1);
    verifier_free(fixture.verifier);
    fixture.verifier = NULL;
    keys_server_put(server, ELSEWHERE, 200, "{\"issuer\":\"https://other.example\"}", NULL);
    fixture_start(&fixture);
    assert_false(fixture_wait_for_keys(&fixture, PATIENCE_MS));
    free(good);
}

/* Such a document names the template as its issuer, letter by letter. */
static void a_document_of_many_tenants(void **state)
{
    (void)state;
    static const char *const any[] = {"*"};
    static char url[128];
    char *document =
        text_of("{\"issuer\":\"https://i.example/{tenant}/v2\",\"jwks_uri\":\"%s\"}", place);
    (void)snprintf(url, sizeof url, "%s" ELSEWHERE, keys_server_base(server));
    fixture.entries[0].issuer = "https://i.example/{tenant}/v2";
    fixture.entries[0].tenants = (struct text_list){any, 1};
    fixture.entries[0].keys_from = KEYS_FROM_DISCOVERY;
    fixture.entries[0].keys_at = url;
    keys_server_put(server, ELSEWHERE, 200, document, NULL);
    start_with_keys();
    char *payload = text_of("{\"iss\":\"https://i.example/a/v2\",\"aud\":\"" FIXTURE_AUDIENCE
                            "\",\"sub\":\"u\",\"exp\":%ld}",
                            (long)FIXTURE_NOW_S + 60);
    assert_refusal(
        fixture_verify(&fixture, signer_token(fixture.signer, "JWT", FIXTURE_KID, payload)),
        REFUSAL_NONE);
    free(payload);
    free(document);
}

/* ---- a credential ---- */

static char token_path[96];

static void write_token(const char *text)
{
    (void)snprintf(token_path, sizeof token_path, "%s.token", fixture.keys_path);
    FILE *file = fopen(token_path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    fixture.entries[0].keys_token_file = token_path;
}

/* Read for each fetch: they are exchanged while the service runs. */
static void a_token_for_the_keys(void **state)
{
    (void)state;
    write_token("first-token\n");
    keys_server_want(server, KEYS, "Bearer first-token");
    start_with_keys();
    assert_refusal(verify(), REFUSAL_NONE);
    write_token("second-token");
    keys_server_want(server, KEYS, "Bearer second-token");
    advance_s(KEYS_MAX_AGE_S_DEFAULT);
    (void)verify();
    await_fetches(2);
    assert_int_equal(keys_status().fetches, 2);
    assert_int_equal(unlink(token_path), 0);
}

static void a_token_that_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n", "two words", "a\tb", "\xc3\xab"};
    for (size_t i = 0; i <= sizeof texts / sizeof *texts; i++) {
        bool is_gone = i == sizeof texts / sizeof *texts;
        write_token(is_gone ? "x" : texts[i]);
        if (is_gone)
            assert_int_equal(unlink(token_path), 0);
        start_logging();
        fixture_start(&fixture);
        assert_false(fixture_wait_for_keys(&fixture, PATIENCE_MS));
        assert_said_within("cannot be read from jwks_token_file");
        verifier_free(fixture.verifier);
        fixture.verifier = NULL;
    }
    assert_int_equal(keys_server_count(server, KEYS), 0);
}

/* The document may name any host: one that is not the configured one gets no token. */
static void a_token_is_for_the_configured_host_alone(void **state)
{
    (void)state;
    struct keys_server *other = keys_server_new(false);
    char *jwks = signer_jwks(fixture.signer, FIXTURE_KID);
    char *place_of_other = text_of("%s" KEYS, keys_server_base(other));
    keys_server_put(other, KEYS, 200, jwks, NULL);
    write_token("the-token");
    use_discovery();
    publish_discovery(keys_server_base(server), place_of_other);
    start_with_keys();
    assert_int_equal(keys_server_shown(server, WELL_KNOWN), 1);
    assert_int_equal(keys_server_count(other, KEYS), 1);
    assert_int_equal(keys_server_shown(other, KEYS), 0);
    publish_discovery(keys_server_base(server), place);
    assert_status(verifier_reload(fixture.verifier, &fixture.settings, NULL), JTG_OK);
    await_fetches(2);
    assert_int_equal(keys_server_shown(server, KEYS), 1);
    assert_int_equal(unlink(token_path), 0);
    verifier_free(fixture.verifier);
    fixture.verifier = NULL;
    free(place_of_other);
    free(jwks);
    keys_server_free(other);
}

static void origins(void **state)
{
    (void)state;
    assert_true(fetch_same_origin("https://a/x", "https://a/y"));
    assert_true(fetch_same_origin("https://a/x", "https://A:443/"));
    assert_false(fetch_same_origin("https://a/x", "https://a:444/x"));
    assert_false(fetch_same_origin("https://a/x", "http://a/x"));
    assert_false(fetch_same_origin("https://a/x", "https://a.evil/x"));
    assert_false(fetch_same_origin("https://a/x", "https://evil/https://a/x"));
    assert_false(fetch_same_origin("https://a/x", ""));
}

/* ---- TLS ---- */

static void use_tls(void)
{
    keys_server_free(server);
    server = keys_server_new(true);
    (void)snprintf(place, sizeof place, "%s" KEYS, keys_server_base(server));
    fixture.settings.allow_loopback_http = false;
    publish(fixture.signer, FIXTURE_KID, NULL);
}

static void a_certificate_that_is_trusted(void **state)
{
    (void)state;
    use_tls();
    fixture.settings.ca_file = keys_server_ca(server);
    start_with_keys();
    assert_refusal(verify(), REFUSAL_NONE);
}

/* For one issuer's keys; the others believe the rest of the world. */
static void authorities_of_one_issuer(void **state)
{
    (void)state;
    use_tls();
    fixture.entries[0].keys_ca_file = keys_server_ca(server);
    start_with_keys();
    assert_refusal(verify(), REFUSAL_NONE);
    fixture.entries[1] = fixture.entries[0];
    fixture.entries[1].issuer = "https://other.example";
    fixture.entries[1].keys_ca_file = NULL;
    fixture.settings.issuer_count = 2;
    assert_status(verifier_reload(fixture.verifier, &fixture.settings, NULL), JTG_OK);
    await_fetches(2);
    struct keys_status other;
    assert_true(verifier_keys_status(fixture.verifier, 1, &other));
    assert_int_equal(other.keys, 0);
    assert_refusal(verify(), REFUSAL_NONE);
}

static void a_certificate_that_is_not(void **state)
{
    (void)state;
    use_tls();
    fixture_start(&fixture);
    assert_false(fixture_wait_for_keys(&fixture, PATIENCE_MS));
    assert_refusal(verify(), REFUSAL_KEYS_UNAVAILABLE);
    assert_int_equal(keys_server_count(server, KEYS), 0);
}

static void a_certificate_of_another_name(void **state)
{
    (void)state;
    use_tls();
    const char *port = strrchr(keys_server_base(server), ':');
    (void)snprintf(place, sizeof place, "https://127.0.0.1%s" KEYS, port);
    fixture.settings.ca_file = keys_server_ca(server);
    fixture_start(&fixture);
    assert_false(fixture_wait_for_keys(&fixture, PATIENCE_MS));
    assert_int_equal(keys_server_count(server, KEYS), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(keys_of_a_url),
        TEST(no_key_of_a_trust_domain),
        TEST(nothing_before_the_first_answer),
        TEST(answers_that_are_no_keys),
        TEST(redirects_are_not_followed),
        TEST(a_document_that_is_too_large),
        TEST(a_server_that_is_not_there),
        TEST(a_server_that_drips),
        TEST(an_issuer_that_withdraws_its_keys),
        TEST(a_set_without_a_usable_key_is_asked_for_again),
        TEST(an_empty_set_between_two_good_ones),
        TEST(an_issuer_says_when_to_come_again),
        TEST(old_keys_are_fetched_anew),
        TEST(max_age_within_bounds),
        TEST(stale_keys_serve_for_so_long),
        TEST(a_new_key_is_found_at_once),
        TEST(invented_kids_do_not_hammer_the_issuer),
        TEST(a_new_key_without_a_name),
        TEST(a_new_key_of_the_old_name),
        TEST(forged_signatures_do_not_hammer_the_issuer),
        TEST(an_issuer_that_hangs_holds_no_caller),
        TEST(who_waits_is_woken_when_the_fetch_is_late),
        TEST(who_waits_is_woken_by_an_answer),
        TEST(who_waits_is_woken_by_a_failure),
        TEST(only_so_many_wait),
        TEST(nobody_waits_where_it_is_switched_off),
        TEST(who_waits_is_woken_by_the_end),
        TEST(a_wait_ends_in_its_time_over_a_reload),
        TEST(who_asks_keys_that_were_stopped),
        TEST(nobody_is_left_behind),
        TEST(a_fetch_under_way_does_not_hold_the_end),
        TEST(keys_serve_on_through_a_reload),
        TEST(a_reload_with_another_place_starts_empty),
        TEST(counters_never_fall_in_a_reload),
        TEST(the_pause_doubles),
        TEST(keys_by_discovery),
        TEST(documents_that_lead_nowhere),
        TEST(a_document_apart_from_its_issuer),
        TEST(a_document_of_many_tenants),
        TEST(a_token_for_the_keys),
        TEST(a_token_that_is_none),
        TEST(a_token_is_for_the_configured_host_alone),
        cmocka_unit_test(origins),
        TEST(authorities_of_one_issuer),
        TEST(what_is_said_of_a_key_set),
        TEST(what_is_said_of_a_discovery_document),
        TEST(a_failure_is_said_once_and_its_end_too),
        TEST(a_certificate_that_is_trusted),
        TEST(a_certificate_that_is_not),
        TEST(a_certificate_of_another_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
