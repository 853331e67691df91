/* SPDX-License-Identifier: Apache-2.0 */
/* No sum overflows: every time lies within the years 1970 to 9999 before the first one. */
#include "serve/verify/token_times.h"

#include "moment.h"

static bool read_time(int64_t *ms, const json_t *payload, const char *name)
{
    const json_t *value = json_object_get(payload, name);
    *ms = JTG_TIME_ABSENT;
    if (value == NULL)
        return true;
    if (!json_is_number(value))
        return false;
    *ms = moment_from_seconds(json_number_value(value));
    return true;
}

bool token_times_read(jtg_claims *claims, const json_t *payload)
{
    return read_time(&claims->iat_ms, payload, "iat") &&
           read_time(&claims->nbf_ms, payload, "nbf") && read_time(&claims->exp_ms, payload, "exp");
}

static bool is_reasonable(int64_t time_ms)
{
    return time_ms == JTG_TIME_ABSENT || (time_ms >= 0 && time_ms <= JTG_TIME_MAX_MS);
}

static bool are_reasonable(const jtg_claims *claims)
{
    return is_reasonable(claims->iat_ms) && is_reasonable(claims->nbf_ms) &&
           is_reasonable(claims->exp_ms);
}

static bool lives_too_long(const struct time_limits *limits, const jtg_claims *claims,
                           int64_t now_ms)
{
    return claims->exp_ms - now_ms > limits->max_lifetime_ms ||
           (claims->iat_ms != JTG_TIME_ABSENT &&
            claims->exp_ms - claims->iat_ms > limits->max_lifetime_ms);
}

/* An absent iat or nbf is INT64_MIN, which lies before everything. */
static enum refusal check_now(const struct time_limits *limits, const jtg_claims *claims,
                              int64_t now_ms)
{
    if (now_ms >= claims->exp_ms + limits->leeway_ms)
        return REFUSAL_EXPIRED;
    if (claims->iat_ms > now_ms + limits->future_leeway_ms)
        return REFUSAL_ISSUED_IN_FUTURE;
    if (claims->nbf_ms > now_ms + limits->future_leeway_ms)
        return REFUSAL_NOT_YET_VALID;
    if (lives_too_long(limits, claims, now_ms))
        return REFUSAL_LIFETIME_TOO_LONG;
    if (limits->max_age_ms > 0 && now_ms - claims->iat_ms >= limits->max_age_ms + limits->leeway_ms)
        return REFUSAL_TOO_OLD;
    return REFUSAL_NONE;
}

enum refusal token_times_check(const struct time_limits *limits, const jtg_claims *claims,
                               bool needs_iat, int64_t now_ms)
{
    if (claims->exp_ms == JTG_TIME_ABSENT)
        return REFUSAL_MISSING_EXP;
    if (claims->iat_ms == JTG_TIME_ABSENT && (needs_iat || limits->max_age_ms > 0))
        return REFUSAL_MISSING_IAT;
    if (!are_reasonable(claims))
        return REFUSAL_UNREASONABLE_TIME;
    if (claims->exp_ms <= claims->iat_ms || claims->exp_ms <= claims->nbf_ms)
        return REFUSAL_EXPIRES_BEFORE_ISSUED;
    return check_now(limits, claims, now_ms);
}

enum refusal token_times_check_proof(const struct time_limits *limits, const jtg_claims *claims,
                                     int64_t now_ms)
{
    if (claims->iat_ms == JTG_TIME_ABSENT)
        return REFUSAL_PROOF_MISSING_CLAIM;
    if (!are_reasonable(claims) ||
        (claims->exp_ms != JTG_TIME_ABSENT && claims->exp_ms <= claims->iat_ms))
        return REFUSAL_PROOF_MALFORMED;
    int64_t ends_ms = claims->iat_ms + limits->max_lifetime_ms;
    if (claims->exp_ms != JTG_TIME_ABSENT && claims->exp_ms < ends_ms)
        ends_ms = claims->exp_ms;
    if (now_ms >= ends_ms + limits->leeway_ms)
        return REFUSAL_PROOF_EXPIRED;
    if (claims->iat_ms > now_ms + limits->future_leeway_ms ||
        claims->nbf_ms > now_ms + limits->future_leeway_ms)
        return REFUSAL_PROOF_ISSUED_IN_FUTURE;
    return REFUSAL_NONE;
}
