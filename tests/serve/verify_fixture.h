/* SPDX-License-Identifier: Apache-2.0 */
/* A verifier with one issuer, whose keys lie in a file, at a time that stands still; and a token
 * of that issuer that it takes. A test changes the one thing that it is about. */
#ifndef TESTS_SERVE_VERIFY_FIXTURE_H
#define TESTS_SERVE_VERIFY_FIXTURE_H

#include "serve/signer.h"
#include "serve/verify/verify.h"
#include "support/asserts.h"
#include "support/test_clock.h"

#include <pthread.h>

#define FIXTURE_ISSUER   "https://issuer.example"
#define FIXTURE_AUDIENCE "https://api.example"
#define FIXTURE_KID      "key-1"
/* The moment of every check, in seconds. */
#define FIXTURE_NOW_S (TEST_CLOCK_WALL_MS / 1000)

enum { FIXTURE_MAX_ENTRIES = 4 };

struct verify_fixture {
    struct signer *signer; /* ES256 */
    struct test_clock clock;
    jtg_clock as_jtg;
    jtg_guard_options guard;
    struct issuer_settings entries[FIXTURE_MAX_ENTRIES];
    struct verify_settings settings;
    struct verifier *verifier;
    char keys_path[64];
};

/* Fills in settings with one entry for ID tokens. */
void fixture_init(struct verify_fixture *fixture);
/* Makes the verifier of them. */
void fixture_start(struct verify_fixture *fixture);
void fixture_end(struct verify_fixture *fixture);

/* Write the file of keys anew. */
void fixture_write_keys(const struct verify_fixture *fixture, const char *jwks);

/* The members of a payload that is accepted, without braces; with `more` behind, which begins
 * with a comma or is empty. The caller frees it. */
char *fixture_payload(const char *more);
/* The same with other times, relative to now, in seconds. */
char *fixture_payload_at(long iat, long exp, const char *more);

/* Until each document was fetched, or failed, once; at most so long. Whether all have keys. */
bool fixture_wait_for_keys(struct verify_fixture *fixture, unsigned timeout_ms);

/* Somebody who waits for keys: he counts, and his thread waits only in fixture_await_wake(). */
struct fixture_waiter {
    struct verify_waiter base;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    unsigned pauses;
    unsigned wakes;
};
void fixture_waiter_init(struct fixture_waiter *waiter);
/* Until he was woken as often as paused; false after ten seconds. */
bool fixture_await_wake(struct fixture_waiter *waiter);

/* What the verifier says of a token, which is freed, once it has waited for keys where that helps;
 * nothing of a refused one is handed out. */
enum refusal fixture_verify(struct verify_fixture *fixture, char *token);
/* … of a payload that the issuer signs with the usual header. Both are freed. */
enum refusal fixture_verify_payload(struct verify_fixture *fixture, char *payload);
/* … of the usual payload under this header, signed. header is not freed. */
enum refusal fixture_verify_header(struct verify_fixture *fixture, const char *header);

/* As assert_int_equal, but a failure names both. */
#define assert_refusal(call, expected) assert_same_refusal((call), (expected), __FILE__, __LINE__)
void assert_same_refusal(enum refusal got, enum refusal expected, const char *file, int line);

#endif
