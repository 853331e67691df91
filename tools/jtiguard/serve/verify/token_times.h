/* SPDX-License-Identifier: Apache-2.0 */
/* The times of a token, judged as the guard judges them (docs/guard.md), so that what the guard
 * never sees, an access token, lives by the same rules. For what the guard sees, its own judgement
 * decides; this one only comes earlier, before a signature is checked. */
#ifndef SERVE_TOKEN_TIMES_H
#define SERVE_TOKEN_TIMES_H

#include "serve/verify/refusal.h"
#include "serve/verify/rules.h"

#include <jansson.h>

/* iat, nbf and exp of a payload. false: one of them is no number. */
bool token_times_read(jtg_claims *claims, const json_t *payload);

enum refusal token_times_check(const struct time_limits *limits, const jtg_claims *claims,
                               bool needs_iat, int64_t now_ms);

/* A DPoP proof lives from iat for so long as limits say, or until its exp if that is earlier. */
enum refusal token_times_check_proof(const struct time_limits *limits, const jtg_claims *claims,
                                     int64_t now_ms);

#endif
