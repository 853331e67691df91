/* SPDX-License-Identifier: Apache-2.0 */
/* A guard on a recording cache, with a clock moved by hand and a logger that counts. */
#ifndef TESTS_SUPPORT_GUARD_FIXTURE_H
#define TESTS_SUPPORT_GUARD_FIXTURE_H

#include "support/recording_cache.h"

#include <jtiguard/guard.h>

struct guard_fixture {
    struct test_clock clock;
    jtg_clock clock_option;
    jtg_logger logger_option;
    atomic_uint errors_logged;
    jtg_guard_options options; /* defaults with the two above; a test changes it, then opens */
    bool watching;             /* set before opening: the store notices what it forgets */
    struct recording_cache *store;
    jtg_guard *guard;
    jtg_claims claims;     /* of an ID token issued now, good for 300 seconds */
    jtg_decision decision; /* of the last guard_fixture_ask() */
};

#define FIXTURE_ISSUER   "https://token.ci.example"
#define FIXTURE_AUDIENCE "https://sts.example"
#define FIXTURE_JTI      "4f1c2d9e-7a3b"
enum { FIXTURE_LIFETIME_MS = 300000 };

/* {text, its length} of a literal. */
#define TEXT(literal) ((jtg_text){(literal), sizeof(literal) - 1})

void guard_fixture_init(struct guard_fixture *fixture);
/* Make the guard of the options, on a store that stays if there is one already. */
void guard_fixture_open(struct guard_fixture *fixture);
/* Free the guard, keep the store: what a restart does to a guard on a shared store. */
void guard_fixture_close_guard(struct guard_fixture *fixture);
void guard_fixture_close(struct guard_fixture *fixture);

/* Set-ups and tear-down of cmocka: *state is a fixture that is initialised, or open too. */
int guard_fixture_set_up(void **state);
int guard_fixture_set_up_open(void **state);
int guard_fixture_set_up_watching(void **state); /* open, on a store that watches */
int guard_fixture_tear_down(void **state);

/* Ask for the fixture's claims. Checks that the answer and the decision agree. */
jtg_reason guard_fixture_ask(struct guard_fixture *fixture);

/* Claims of a token that is issued now by the wall clock. */
void guard_fixture_issue(struct guard_fixture *fixture, int64_t lifetime_ms);

#define assert_reason(call, expected)                                                              \
    assert_same_reason((call), (expected), #call, __FILE__, __LINE__)
void assert_same_reason(jtg_reason got, jtg_reason expected, const char *what, const char *file,
                        int line);

#endif
