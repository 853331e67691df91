/* SPDX-License-Identifier: Apache-2.0 */
/* Why a line was decided as it was: the guard's reasons (guard.h), and the tool's own for
 * lines that never reach the guard. Both are one `int`: the tool's begin at 1000. */
#ifndef TOOL_REASON_H
#define TOOL_REASON_H

#include "exit_code.h"

#include <jtiguard/guard.h>

/* Symbol, class, name for machines, text for people. MALFORMED: the line is no set of claims,
 * --strict stops there. POLICY: it is one, and is not for this verifier. */
#define TOOL_REASON_MAP(X)                                                                         \
    X(TOOL_LINE_TOO_LONG, MALFORMED, "line_too_long", "the line is longer than allowed")           \
    X(TOOL_INVALID_UTF8, MALFORMED, "invalid_utf8", "the line is not UTF-8")                       \
    X(TOOL_MALFORMED_JSON, MALFORMED, "malformed_json", "it is not JSON")                          \
    X(TOOL_TOO_DEEP, MALFORMED, "too_deep", "the JSON is nested too deeply")                       \
    X(TOOL_NUMBER_TOO_BIG, MALFORMED, "number_too_big", "a number is too big for any claim")       \
    X(TOOL_NOT_AN_OBJECT, MALFORMED, "not_an_object", "the line is no JSON object")                \
    X(TOOL_DUPLICATE_KEY, MALFORMED, "duplicate_key", "a member name stands twice")                \
    X(TOOL_WRONG_TYPE, MALFORMED, "wrong_type", "a claim has the wrong JSON type")                 \
    X(TOOL_MALFORMED_EXP, MALFORMED, "malformed_exp", "exp (NotOnOrAfter) is no time")             \
    X(TOOL_MALFORMED_IAT, MALFORMED, "malformed_iat", "iat (IssueInstant) is no time")             \
    X(TOOL_MALFORMED_NBF, MALFORMED, "malformed_nbf", "nbf (NotBefore) is no time")                \
    X(TOOL_WRONG_AUDIENCE, POLICY, "wrong_audience", "the audience asked for is not in aud")

enum tool_reason {
    TOOL_REASON_BEFORE_FIRST = 999,
#define TOOL_REASON_ENUM(symbol, class, name, text) symbol,
    TOOL_REASON_MAP(TOOL_REASON_ENUM)
#undef TOOL_REASON_ENUM
        TOOL_REASON_END
};

enum {
    TOOL_REASON_FIRST = TOOL_REASON_BEFORE_FIRST + 1,
    /* How many there are, to count each: index 0 … REASON_INDEXES - 1. */
    REASON_INDEXES = (int)JTG_REASON_COUNT + (TOOL_REASON_END - TOOL_REASON_FIRST)
};

const char *reason_name(int reason);
const char *reason_text(int reason);
jtg_verdict reason_verdict(int reason);

/* What a command about one token ends with for this reason. */
enum exit_code reason_exit_code(int reason);

/* Whether the line was no set of claims at all. */
bool reason_is_malformed(int reason);

/* Each reason's place in an array of REASON_INDEXES, and back. */
size_t reason_index(int reason);
int reason_at(size_t index);

#endif
