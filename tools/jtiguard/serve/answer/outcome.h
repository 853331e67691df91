/* SPDX-License-Identifier: Apache-2.0 */
/* Why a request was decided as it was. One enum holds them all: the guard's reasons and those of
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

enum outcome {
    OUTCOME_NEVER = -1, /* signed, as the int that reason.h takes */
    /* The guard's reasons are outcomes as they are; by name are asked about: */
    OUTCOME_UNDECIDED = JTG_REASON_UNDECIDED, /* the guard is to say */
    OUTCOME_ADMITTED = JTG_REASON_ADMITTED,
    OUTCOME_REPLAYED = JTG_REASON_REPLAYED,
    OUTCOME_OUT_OF_MEMORY = JTG_REASON_OUT_OF_MEMORY,
    OUTCOME_INTERNAL = JTG_REASON_INTERNAL,
#define TOOL_OUTCOME(symbol, class, name, text) OUTCOME_##symbol = (symbol),
    TOOL_REASON_MAP(TOOL_OUTCOME)
#undef TOOL_OUTCOME
        OUTCOME_REFUSAL_FIRST = 2000, /* and each refusal counted from there */
    OUTCOME_SERVICE_BEFORE_FIRST = 2999,
#define SERVICE_OUTCOME(symbol, class, name, text) symbol,
    SERVICE_REASON_MAP(SERVICE_OUTCOME)
#undef SERVICE_OUTCOME
        OUTCOME_SERVICE_END,
    OUTCOME_SERVICE_FIRST = OUTCOME_SERVICE_BEFORE_FIRST + 1
};

enum {
    /* How many there are, to count each: index 0 … OUTCOME_INDEXES - 1. */
    OUTCOME_INDEXES = (int)REASON_INDEXES + (int)REFUSAL_COUNT +
                      ((int)OUTCOME_SERVICE_END - OUTCOME_SERVICE_FIRST)
};

/* A refusal of the verifier, REFUSAL_NONE excepted: that is none. */
enum outcome outcome_of_refusal(enum refusal refusal);

const char *outcome_name(enum outcome outcome);
const char *outcome_text(enum outcome outcome);
jtg_verdict outcome_verdict(enum outcome outcome);

/* Whether the client is to blame: it showed something wrong, or something twice. */
bool outcome_is_clients(enum outcome outcome);

/* Whether the client has only asked what it must show: a browser's preflight and whoever does not
 * know the scheme yet come without a token, and every DPoP client's first proof without a nonce. */
bool outcome_is_question(enum outcome outcome);

/* Whether the refusal says nothing about the token: the service or its store could not answer. */
bool outcome_is_trouble(enum outcome outcome);

/* For /check: 200, 401 or 403, for proxies pass on nothing else. */
unsigned outcome_check_status(enum outcome outcome);
/* The code of `error=` in WWW-Authenticate with a 401 or 403; NULL: none. */
const char *outcome_error_code(enum outcome outcome);
/* For the API: 200, 409, 422 or 503. */
unsigned outcome_api_status(enum outcome outcome);

/* Each outcome's place in an array of OUTCOME_INDEXES, and back. */
size_t outcome_index(enum outcome outcome);
enum outcome outcome_at(size_t index);

#endif
