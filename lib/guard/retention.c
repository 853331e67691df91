/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing here can overflow: every time of the token is within the years 1970 to 9999 before
 * the first sum, so is now, and no limit is longer than a month. */
#include "guard/retention.h"

_Static_assert(JTG_TIME_MAX_MS == JTGI_WALL_MAX_MS, "a token may say what a clock may say");

static int64_t ms(uint32_t seconds)
{
    return (int64_t)seconds * 1000;
}

void jtgi_limits_read(struct jtgi_limits *limits, const jtg_guard_options *options)
{
    limits->leeway_ms = ms(options->leeway_s);
    limits->future_leeway_ms = ms(options->future_leeway_s);
    limits->margin_ms = ms(options->retention_margin_s);
    limits->max_lifetime_ms = ms(options->max_lifetime_s);
    limits->proof_max_age_ms = ms(options->proof_max_age_s);
}

static bool is_given(int64_t time_ms)
{
    return time_ms != JTG_TIME_ABSENT;
}

static bool is_reasonable(int64_t time_ms)
{
    return !is_given(time_ms) || (time_ms >= 0 && time_ms <= JTG_TIME_MAX_MS);
}

/* The age limit bounds a proof's life by itself. */
static bool is_stated(const struct jtgi_kind_rule *rule, const jtg_claims *claims)
{
    return claims->lifetime_ms != 0 && !rule->ends_by_age;
}

static jtg_reason check_presence(const struct jtgi_limits *limits,
                                 const struct jtgi_kind_rule *rule, const jtg_claims *claims)
{
    if (rule->needs_exp && !is_given(claims->exp_ms) && !is_stated(rule, claims))
        return JTG_REASON_MISSING_EXP;
    if (rule->needs_iat && !is_given(claims->iat_ms))
        return JTG_REASON_MISSING_IAT;
    if (!is_reasonable(claims->exp_ms) || !is_reasonable(claims->iat_ms) ||
        !is_reasonable(claims->nbf_ms) || claims->lifetime_ms < 0 || claims->apart_ms < 0 ||
        claims->apart_ms > limits->max_lifetime_ms)
        return JTG_REASON_UNREASONABLE_TIME;
    if (is_stated(rule, claims) && claims->lifetime_ms > limits->max_lifetime_ms)
        return JTG_REASON_LIFETIME_TOO_LONG;
    return JTG_REASON_ADMITTED;
}

/* An absent iat or nbf is INT64_MIN and lies before every exp. */
static bool ends_before_it_begins(const jtg_claims *claims)
{
    return is_given(claims->exp_ms) &&
           (claims->exp_ms <= claims->iat_ms || claims->exp_ms <= claims->nbf_ms);
}

/* What is left where a token that is made ahead of our clock may live no longer than any other. */
static int64_t longest_from_iat(const struct jtgi_limits *limits)
{
    return limits->max_lifetime_ms > limits->future_leeway_ms
               ? limits->max_lifetime_ms - limits->future_leeway_ms
               : limits->max_lifetime_ms;
}

static int64_t lifetime(const struct jtgi_limits *limits, const jtg_claims *claims)
{
    return claims->lifetime_ms != 0 ? claims->lifetime_ms : longest_from_iat(limits);
}

static int64_t expiry(const struct jtgi_limits *limits, const struct jtgi_kind_rule *rule,
                      const jtg_claims *claims, int64_t now_ms)
{
    if (rule->ends_by_age) {
        int64_t by_age = claims->iat_ms + limits->proof_max_age_ms;
        return is_given(claims->exp_ms) && claims->exp_ms < by_age ? claims->exp_ms : by_age;
    }
    if (is_given(claims->exp_ms))
        return claims->exp_ms;
    return (is_given(claims->iat_ms) ? claims->iat_ms : now_ms) + lifetime(limits, claims);
}

/* With neither iat nor exp this may be the last moment of a token as well as its first. */
static bool may_end_now(const jtg_claims *claims)
{
    return !is_given(claims->exp_ms) && !is_given(claims->iat_ms);
}

/* How early it can have been made, or absent. A proof may count from a later moment than that from
 * which others could accept it: by a nonce's age, say. Its nbf is that moment. */
static int64_t issued(const struct jtgi_kind_rule *rule, const jtg_claims *claims,
                      int64_t expires_ms, int64_t now_ms)
{
    if (rule->ends_by_age && is_given(claims->nbf_ms) && claims->nbf_ms < claims->iat_ms)
        return claims->nbf_ms;
    if (is_given(claims->iat_ms) || !is_stated(rule, claims))
        return claims->iat_ms;
    return (may_end_now(claims) ? now_ms : expires_ms) - claims->lifetime_ms;
}

/* A token that ends later than its stated lifetime allows contradicts who stated it; without iat it
 * may have been made ahead of our clock by as much as an iat may lie ahead. */
static bool outlives_what_is_stated(const struct jtgi_limits *limits, const jtg_claims *claims,
                                    int64_t expires_ms, int64_t now_ms)
{
    int64_t from_ms = is_given(claims->iat_ms) ? claims->iat_ms : now_ms + limits->future_leeway_ms;
    return expires_ms - from_ms > claims->lifetime_ms;
}

static bool lives_too_long(const struct jtgi_limits *limits, const struct jtgi_kind_rule *rule,
                           const jtg_claims *claims, int64_t expires_ms, int64_t now_ms)
{
    if (rule->ends_by_age)
        return false;
    if (is_stated(rule, claims) && outlives_what_is_stated(limits, claims, expires_ms, now_ms))
        return true;
    return expires_ms - now_ms > limits->max_lifetime_ms ||
           (is_given(claims->iat_ms) && expires_ms - claims->iat_ms > limits->max_lifetime_ms);
}

/* Whoever accepted it had iat at most future_leeway ahead, or without iat exp at most max_lifetime
 * ahead, on a clock that differs from ours by at most the margin. */
static void set_ends(const struct jtgi_limits *limits, int64_t issued_ms, int64_t expires_ms,
                     struct jtgi_life *life)
{
    life->span.earliest_ms = is_given(issued_ms) ? issued_ms - limits->future_leeway_ms
                                                 : expires_ms - limits->max_lifetime_ms;
    life->span.until_ms = expires_ms + limits->leeway_ms;
    life->span.kept_until_ms = life->span.until_ms + limits->margin_ms;
    life->kept_since_ms = life->span.earliest_ms - limits->margin_ms;
}

void jtgi_retention_newest(const struct jtgi_limits *limits, int64_t now_ms, struct jtgi_life *life)
{
    set_ends(limits, now_ms, now_ms + limits->max_lifetime_ms, life);
    life->ttl_ms = 0;
}

jtg_reason jtgi_retention_judge(const struct jtgi_limits *limits, const struct jtgi_kind_rule *rule,
                                const jtg_claims *claims, int64_t now_ms, struct jtgi_life *life)
{
    jtg_reason reason = check_presence(limits, rule, claims);
    if (reason != JTG_REASON_ADMITTED)
        return reason;
    if (ends_before_it_begins(claims))
        return JTG_REASON_EXPIRES_BEFORE_ISSUED;

    int64_t expires_ms = expiry(limits, rule, claims, now_ms);
    set_ends(limits, issued(rule, claims, expires_ms, now_ms), expires_ms, life);
    if (now_ms >= life->span.until_ms)
        return JTG_REASON_EXPIRED;
    if (claims->iat_ms > now_ms + limits->future_leeway_ms)
        return JTG_REASON_ISSUED_IN_FUTURE;
    if (claims->nbf_ms > now_ms + limits->future_leeway_ms)
        return JTG_REASON_NOT_YET_VALID;
    if (lives_too_long(limits, rule, claims, expires_ms, now_ms))
        return JTG_REASON_LIFETIME_TOO_LONG;
    life->ttl_ms = (uint64_t)(life->span.kept_until_ms - now_ms);
    life->span.kept_until_ms -= claims->apart_ms;
    /* An earlier use is remembered from then on for as long as this one, so at least until now. */
    if (may_end_now(claims))
        life->span.kept_until_ms = now_ms + limits->leeway_ms + limits->margin_ms;
    return JTG_REASON_ADMITTED;
}
