/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/admission.h"

#include "core/error.h"
#include "core/options.h"

#include <jtiguard/status.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The size of the first release; a shorter struct was never ours. */
#define DECISION_OLDEST_SIZE sizeof(jtg_decision)

jtg_status jtgi_guard_check_process(const jtg_guard *guard, jtg_error *err)
{
    return jtgi_object_check(&guard->base, "the guard was", err);
}

/* ---- deciding ---- */

jtg_reason jtgi_guard_make_key(const jtg_guard *guard, const jtg_claims *claims,
                               const struct jtgi_kind_rule **rule, unsigned char *key,
                               size_t *key_len, jtg_error *err)
{
    jtg_reason reason = jtgi_claims_check(claims, rule, err);
    if (reason != JTG_REASON_ADMITTED)
        return reason;
    return jtgi_key_make(&guard->key_style, *rule, claims, key, key_len, err);
}

/* ---- what a loss means for tokens ---- */

/* How much later than since when the store has kept everything a token must be issued. */
int64_t jtgi_guard_reach(jtg_guard *guard, const struct jtgi_reading *now)
{
    struct jtgi_life life;
    jtgi_retention_newest(&guard->limits, now->wall_ms, &life);
    return now->wall_ms - jtgi_horizon_kept_since(&guard->horizon, &life, now);
}

bool jtgi_moment_text(int64_t wall_ms, char text[JTGI_MOMENT_TEXT_BYTES])
{
    struct tm tm;
    time_t wall_s = (time_t)(wall_ms / 1000);
    return wall_ms >= 0 && wall_ms <= JTG_TIME_MAX_MS && gmtime_r(&wall_s, &tm) != NULL &&
           strftime(text, JTGI_MOMENT_TEXT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm) != 0;
}

/* Behind what the store says of a loss: when it ends by itself, at the latest, for the store has
 * kept everything since now; and what ends it at once. */
void jtgi_guard_advise(jtg_guard *guard, jtg_error *err)
{
    char from[JTGI_MOMENT_TEXT_BYTES];
    struct jtgi_reading now;
    if (err == NULL || jtgi_wall_clock_now(&guard->horizon.wall_clock, &now, NULL) != JTG_OK ||
        !jtgi_moment_text(now.wall_ms + jtgi_guard_reach(guard, &now), from))
        return;
    size_t len = strlen(err->text);
    (void)snprintf(err->text + len, sizeof err->text - len,
                   "%stokens issued after %s pass, older ones after 'jtiguard vouch'",
                   len > 0 ? "; " : "", from);
}

static jtg_reason judge_times(jtg_guard *guard, const jtg_claims *claims,
                              const struct jtgi_kind_rule *rule, struct jtgi_reading *now,
                              struct jtgi_life *life, jtg_error *err)
{
    jtg_status status = jtgi_wall_clock_now(&guard->horizon.wall_clock, now, err);
    if (status != JTG_OK)
        return jtg_reason_from_status(status);
    jtg_reason reason = jtgi_retention_judge(&guard->limits, rule, claims, now->wall_ms, life);
    return reason == JTG_REASON_ADMITTED
               ? jtgi_horizon_judge(&guard->horizon, life, now, now->monotonic_ms)
               : reason;
}

/* The store has answered: is the yes still one, and what else is there to say? */
static jtg_reason settle(jtg_guard *guard, const struct jtgi_life *life,
                         const struct jtgi_reading *asked, jtg_reason reason, jtg_error *err)
{
    if (reason == JTG_REASON_ADMITTED)
        reason = jtgi_horizon_settle(&guard->horizon, life, asked);
    if (reason == JTG_REASON_CONTINUITY_LOST)
        jtgi_guard_advise(guard, err);
    if (reason == JTG_REASON_OUTCOME_UNKNOWN)
        (void)jtg_error_set(err, JTG_ERR_TIMEOUT, 0, "the answer came too late to be relied on");
    return reason;
}

/* ---- one token on its way ---- */

const jtg_decision jtgi_undecided = JTG_DECISION_INIT;

/* The caller's decision is one to be filled; until then it says that the guard was not asked. */
bool jtgi_admission_begin(jtg_decision *decision, jtg_error *err)
{
    jtgi_error_begin(err);
    if (decision == NULL)
        return true;
    if (!jtgi_struct_size_ok(decision->struct_size, DECISION_OLDEST_SIZE))
        return false;
    jtgi_struct_give(decision, &jtgi_undecided, sizeof jtgi_undecided);
    return true;
}

jtg_reason jtgi_admission_check(const jtg_guard *guard, const jtg_claims *given, bool decision_ok,
                                jtg_error *err)
{
    if (guard == NULL || given == NULL || !decision_ok) {
        (void)jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                            decision_ok ? "guard or claims is NULL"
                                        : "decision: struct_size is not set");
        return JTG_REASON_BAD_ARGUMENT;
    }
    return jtgi_guard_check_process(guard, err) == JTG_OK ? JTG_REASON_ADMITTED : JTG_REASON_FORKED;
}

/* The caller's, or one that was made for it, or a fresh one. */
static void choose_owner(jtg_owner *owner, const jtg_owner *given, const jtg_owner *made)
{
    if (given == NULL && made == NULL)
        jtg_owner_generate(owner);
    else
        *owner = given != NULL ? *given : *made;
}

/* All that can be said before the store is asked: ADMITTED if it has to be. */
jtg_reason jtgi_admission_prepare(jtg_guard *guard, const jtg_claims *given, const jtg_owner *made,
                                  struct jtgi_admission *admission, jtg_error *err)
{
    jtg_claims claims;
    const struct jtgi_kind_rule *rule = NULL;
    jtg_reservation *reservation = &admission->made.reservation;
    size_t key_len = 0;
    if (jtgi_claims_read(&claims, given, err) != JTG_OK)
        return JTG_REASON_BAD_ARGUMENT;
    jtg_reason reason = jtgi_guard_make_key(guard, &claims, &rule, reservation->key, &key_len, err);
    if (reason != JTG_REASON_ADMITTED)
        return reason;
    reservation->key_len = (uint32_t)key_len;
    choose_owner(&reservation->owner, claims.owner, made);
    reason = judge_times(guard, &claims, rule, &admission->asked, &admission->life, err);
    if (reason != JTG_REASON_ADMITTED)
        return reason;
    admission->group = jtgi_claims_group(&claims);
    admission->made.ttl_ms = admission->life.ttl_ms;
    admission->kept_since_ms =
        jtgi_horizon_kept_since(&guard->horizon, &admission->life, &admission->asked);
    return JTG_REASON_ADMITTED;
}

jtg_key jtgi_admission_key(const struct jtgi_admission *admission)
{
    const jtg_text *group = &admission->group;
    return (jtg_key){admission->made.reservation.key, admission->made.reservation.key_len,
                     group->data_len != 0 ? group->data : NULL, group->data_len};
}

/* The store has answered. */
jtg_reason jtgi_admission_conclude(jtg_guard *guard, const struct jtgi_admission *admission,
                                   jtg_status status, jtg_error *err)
{
    return settle(guard, &admission->life, &admission->asked, jtg_reason_from_status(status), err);
}

/* A reservation that may be the caller's: it can be given back, or asked for again. */
static bool is_ours(jtg_reason reason)
{
    return reason == JTG_REASON_ADMITTED || reason == JTG_REASON_OUTCOME_UNKNOWN ||
           reason == JTG_REASON_TOO_FEW_REPLICAS;
}

/* Tell and count it. decision: NULL where there is none to be filled. */
bool jtgi_admission_decide(jtg_guard *guard, struct jtgi_admission *admission, jtg_reason reason,
                           jtg_decision *decision)
{
    admission->made.reason = reason;
    if (!is_ours(reason))
        admission->made.reservation = jtgi_undecided.reservation;
    if (decision != NULL)
        jtgi_struct_give(decision, &admission->made, sizeof admission->made);
    if (guard != NULL)
        jtgi_counters_add(guard->base.counters, (size_t)reason);
    return reason == JTG_REASON_ADMITTED;
}
