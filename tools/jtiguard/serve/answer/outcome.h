/* SPDX-License-Identifier: Apache-2.0 */
/* Why a request was decided as it was. One number holds them all: the guard's reasons and those of
 * the tool (reason.h), the verifier's refusals (refusal.h), and the service's own. */
#ifndef SERVE_OUTCOME_H
#define SERVE_OUTCOME_H

#include "reason.h"
#include "serve/verify/refusal.h"

/* Symbol, class of the answer, name for machines, text for people. TROUBLE: not the token's fault.
 */
#define SERVICE_REASON_MAP(X)                                                                      \
    X(SERVICE_TOO_MANY_REFUSALS, TROUBLE, "too_many_refusals",                                     \
      "this client has caused more refusals than allowed")                                         \
    X(SERVICE_UNUSABLE_OWNER, TROUBLE, "unusable_owner",                                           \
      "the owner header stands twice, or is longer than 512 bytes")                                \
    X(SERVICE_BODY_TOO_LONG, TROUBLE, "body_too_long", "the body is longer than allowed")          \
    X(SERVICE_OUT_OF_TIME, TROUBLE, "out_of_time",                                                 \
      "the store was not asked: its answer might have come when nobody waits for it any more")     \
    X(SERVICE_UNKNOWN_MEMBER, INVALID, "unknown_member", "a member that is not known")             \
    X(SERVICE_UNKNOWN_KIND, INVALID, "unknown_kind", "kind is none of the kinds")                  \
    X(SERVICE_MALFORMED_OWNER, INVALID, "malformed_owner", "owner is empty or too long")           \
    X(SERVICE_MALFORMED_BATCH, INVALID, "malformed_batch",                                         \
      "tokens is no array of at least one and at most as many as allowed")                         \
    X(SERVICE_MALFORMED_RESERVATION, INVALID, "malformed_reservation",                             \
      "reservation is not what a reserve has given")

enum {
    OUTCOME_REFUSAL_FIRST = 2000,
    OUTCOME_SERVICE_BEFORE_FIRST = 2999,
#define SERVICE_REASON_ENUM(symbol, class, name, text) symbol,
    SERVICE_REASON_MAP(SERVICE_REASON_ENUM)
#undef SERVICE_REASON_ENUM
        OUTCOME_SERVICE_END
};

enum {
    OUTCOME_SERVICE_FIRST = OUTCOME_SERVICE_BEFORE_FIRST + 1,
    /* How many there are, to count each: index 0 … OUTCOME_INDEXES - 1. */
    OUTCOME_INDEXES =
        (int)REASON_INDEXES + (int)REFUSAL_COUNT + (OUTCOME_SERVICE_END - OUTCOME_SERVICE_FIRST)
};

/* A refusal of the verifier, REFUSAL_NONE excepted: that is none. */
int outcome_of_refusal(enum refusal refusal);

const char *outcome_name(int outcome);
const char *outcome_text(int outcome);
jtg_verdict outcome_verdict(int outcome);

/* Whether the client is to blame: it showed something wrong, or something twice. */
bool outcome_is_clients(int outcome);

/* Whether the client has only asked what it must show: a browser's preflight and whoever does not
 * know the scheme yet come without a token, and every DPoP client's first proof without a nonce. */
bool outcome_is_question(int outcome);

/* Whether the refusal says nothing about the token: the service or its store could not answer. */
bool outcome_is_trouble(int outcome);

/* For /check: 200, 401 or 403, for proxies pass on nothing else. */
unsigned outcome_check_status(int outcome);
/* The code of `error=` in WWW-Authenticate with a 401 or 403; NULL: none. */
const char *outcome_error_code(int outcome);
/* For the API: 200, 409, 422 or 503. */
unsigned outcome_api_status(int outcome);

/* Each outcome's place in an array of OUTCOME_INDEXES, and back. */
size_t outcome_index(int outcome);
int outcome_at(size_t index);

#endif
