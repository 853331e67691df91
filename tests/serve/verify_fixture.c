/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/verify_fixture.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 10 };

static const char *const audiences[] = {FIXTURE_AUDIENCE};

void fixture_write_keys(const struct verify_fixture *fixture, const char *jwks)
{
    FILE *file = fopen(fixture->keys_path, "w");
    assert_non_null(file);
    assert_true(fputs(jwks, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void set_entry(struct verify_fixture *fixture)
{
    fixture->entries[0] = (struct issuer_settings){.issuer = FIXTURE_ISSUER,
                                                   .keys_from = KEYS_FROM_FILE,
                                                   .keys_at = fixture->keys_path,
                                                   .kind = JTG_KIND_ID_TOKEN,
                                                   .audiences = {audiences, 1}};
    fixture->settings.issuers = fixture->entries;
    fixture->settings.issuer_count = 1;
    fixture->settings.guard = &fixture->guard;
    fixture->settings.clock = &fixture->as_jtg;
}

void fixture_init(struct verify_fixture *fixture)
{
    static const jtg_guard_options defaults = JTG_GUARD_OPTIONS_INIT;
    static const struct verify_settings empty = VERIFY_SETTINGS_INIT;
    memset(fixture, 0, sizeof *fixture);
    test_clock_init(&fixture->clock);
    fixture->as_jtg = test_clock_as_jtg(&fixture->clock);
    fixture->guard = defaults;
    fixture->settings = empty;
    fixture->signer = signer_new("ES256");
    (void)snprintf(fixture->keys_path, sizeof fixture->keys_path, "/tmp/jtiguard-keys-XXXXXX");
    int fd = mkstemp(fixture->keys_path);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    char *jwks = signer_jwks(fixture->signer, FIXTURE_KID);
    fixture_write_keys(fixture, jwks);
    free(jwks);
    set_entry(fixture);
}

void fixture_start(struct verify_fixture *fixture)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = verifier_new(&fixture->verifier, &fixture->settings, &err);
    if (status != JTG_OK)
        fail_msg("%s", err.text);
}

void fixture_end(struct verify_fixture *fixture)
{
    verifier_free(fixture->verifier);
    signer_free(fixture->signer);
    (void)unlink(fixture->keys_path);
}

char *fixture_payload_at(long iat, long exp, const char *more)
{
    return text_of("{\"iss\":\"" FIXTURE_ISSUER "\",\"aud\":\"" FIXTURE_AUDIENCE
                   "\",\"sub\":\"user-1\",\"jti\":\"id-1\",\"iat\":%ld,\"exp\":%ld%s}",
                   (long)FIXTURE_NOW_S + iat, (long)FIXTURE_NOW_S + exp, more);
}

char *fixture_payload(const char *more)
{
    return fixture_payload_at(-10, 300, more);
}

/* ---- keys that come ---- */

static int64_t real_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool was_asked(const struct keys_status *status)
{
    return status->fetches + status->fetch_fails > 0 || status->age_ms >= 0;
}

bool fixture_wait_for_keys(struct verify_fixture *fixture, unsigned timeout_ms)
{
    struct keys_status status;
    int64_t end_ms = real_ms() + timeout_ms;
    bool have_all = true;
    for (size_t i = 0; verifier_keys_status(fixture->verifier, i, &status); i++) {
        while (!was_asked(&status) && real_ms() < end_ms) {
            (void)poll(NULL, 0, 1);
            (void)verifier_keys_status(fixture->verifier, i, &status);
        }
        have_all = have_all && status.keys > 0;
    }
    return have_all;
}

static void count_pause(void *context)
{
    struct fixture_waiter *waiter = context;
    (void)pthread_mutex_lock(&waiter->lock);
    waiter->pauses++;
    (void)pthread_mutex_unlock(&waiter->lock);
}

static void count_wake(void *context)
{
    struct fixture_waiter *waiter = context;
    (void)pthread_mutex_lock(&waiter->lock);
    waiter->wakes++;
    (void)pthread_cond_broadcast(&waiter->woken);
    (void)pthread_mutex_unlock(&waiter->lock);
}

void fixture_waiter_init(struct fixture_waiter *waiter)
{
    *waiter = (struct fixture_waiter){
        .base = {.pause = count_pause, .wake = count_wake, .context = waiter}};
    assert_int_equal(pthread_mutex_init(&waiter->lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&waiter->woken, NULL), 0);
}

bool fixture_await_wake(struct fixture_waiter *waiter)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    (void)pthread_mutex_lock(&waiter->lock);
    while (waiter->wakes < waiter->pauses &&
           pthread_cond_timedwait(&waiter->woken, &waiter->lock, &until) == 0)
        continue;
    bool was_woken = waiter->wakes == waiter->pauses;
    (void)pthread_mutex_unlock(&waiter->lock);
    return was_woken;
}

static enum refusal verify_once(struct verify_fixture *fixture, const char *token,
                                struct verified *verified)
{
    enum refusal refusal =
        verify_bearer(fixture->verifier, token, strlen(token), TEST_CLOCK_WALL_MS, verified);
    if (refusal != REFUSAL_NONE) {
        assert_null(verified->storage);
        assert_null(verified->claims.jti.data);
        assert_int_equal(verified->claims.kind, JTG_KIND_NONE);
        assert_int_equal(verified->header_count, 0);
    }
    return refusal;
}

enum refusal fixture_verify(struct verify_fixture *fixture, char *token)
{
    struct verified verified;
    struct fixture_waiter waiter;
    fixture_waiter_init(&waiter);
    enum refusal refusal = verify_once(fixture, token, &verified);
    bool waits = verified_await(&verified, &waiter.base);
    verified_clear(&verified);
    if (waits) {
        assert_int_not_equal(refusal, REFUSAL_NONE);
        assert_true(fixture_await_wake(&waiter));
        refusal = verify_once(fixture, token, &verified);
        verified_clear(&verified);
    }
    free(token);
    return refusal;
}

enum refusal fixture_verify_payload(struct verify_fixture *fixture, char *payload)
{
    char *token = signer_token(fixture->signer, "JWT", FIXTURE_KID, payload);
    free(payload);
    return fixture_verify(fixture, token);
}

enum refusal fixture_verify_header(struct verify_fixture *fixture, const char *header)
{
    char *payload = fixture_payload("");
    char *token = signer_sign(fixture->signer, header, payload);
    free(payload);
    return fixture_verify(fixture, token);
}

void assert_same_refusal(enum refusal got, enum refusal expected, const char *file, int line)
{
    if (got == expected)
        return;
    print_error("got %s, expected %s\n", refusal_name(got), refusal_name(expected));
    _fail(file, line);
}
