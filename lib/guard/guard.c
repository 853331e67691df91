/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/claims.h"
#include "guard/horizon.h"
#include "guard/key.h"
#include "guard/options.h"
#include "guard/retention.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/object.h"
#include "core/options.h"

#include <jtiguard/status.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The size of the first release; a shorter struct was never ours. */
#define DECISION_OLDEST_SIZE sizeof(jtg_decision)

struct jtg_guard {
    struct jtgi_object base;
    jtg_cache *cache; /* borrowed */
    struct jtgi_limits limits;
    struct jtgi_key_style key_style;
    struct jtgi_horizon horizon;
};

static jtg_status take_options(jtg_guard *guard, const jtg_guard_options *given, jtg_error *err)
{
    jtg_guard_options options;
    jtg_status status = jtgi_guard_options_read(&options, given, err);
    if (status == JTG_OK)
        status = jtgi_key_style_read(&guard->key_style, &options, err);
    if (status == JTG_OK)
        status =
            jtgi_object_begin(&guard->base, options.clock, options.logger, JTG_REASON_COUNT, err);
    if (status == JTG_OK)
        jtgi_limits_read(&guard->limits, &options);
    guard->horizon.restart_rule = options.restart_rule != 0;
    return status;
}

/* ---- life ---- */

static jtg_status set_up(jtg_guard *guard, const jtg_guard_options *options, jtg_error *err)
{
    jtg_status status = take_options(guard, options, err);
    if (status != JTG_OK)
        return status;
    const struct jtgi_wall_clock_of of = {&guard->base.clock, &guard->base.logger,
                                          "tokens",           guard->limits.margin_ms,
                                          guard->cache,       JTG_BORROWER_GUARD};
    return jtgi_wall_clock_init(&guard->horizon.wall_clock, &of, err);
}

jtg_status jtg_guard_new(jtg_guard **guard, jtg_cache *cache, const jtg_guard_options *options,
                         jtg_error *err)
{
    jtgi_error_begin(err);
    if (guard == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for the guard");
    *guard = NULL;
    if (cache == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "cache is NULL");
    jtg_guard *made = jtgi_alloc(sizeof *made);
    if (made == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the guard");
    made->cache = cache;
    jtg_status status = set_up(made, options, err);
    if (status != JTG_OK) {
        jtgi_object_end(&made->base);
        jtgi_free(made);
        return status;
    }
    *guard = made;
    return JTG_OK;
}

void jtg_guard_free(jtg_guard *guard)
{
    if (guard == NULL)
        return;
    jtgi_wall_clock_clear(&guard->horizon.wall_clock);
    jtgi_object_end(&guard->base);
    jtgi_free(guard);
}

static jtg_status check_process(const jtg_guard *guard, jtg_error *err)
{
    return jtgi_object_check(&guard->base, "the guard was", err);
}

/* ---- deciding ---- */

static jtg_reason make_key(const jtg_guard *guard, const jtg_claims *claims,
                           const struct jtgi_kind_rule **rule, unsigned char *key, size_t *key_len,
                           jtg_error *err)
{
    jtg_reason reason = jtgi_claims_check(claims, rule, err);
    if (reason != JTG_REASON_ADMITTED)
        return reason;
    return jtgi_key_make(&guard->key_style, *rule, claims, key, key_len, err);
}

/* ---- what a loss means for tokens ---- */

/* How much later than since when the store has kept everything a token must be issued. */
static int64_t reach_of(jtg_guard *guard, const struct jtgi_reading *now)
{
    struct jtgi_life life;
    jtgi_retention_newest(&guard->limits, now->wall_ms, &life);
    return now->wall_ms - jtgi_horizon_kept_since(&guard->horizon, &life, now);
}

enum { MOMENT_BYTES = 32 };

static bool moment_text(int64_t wall_ms, char text[MOMENT_BYTES])
{
    struct tm tm;
    time_t wall_s = (time_t)(wall_ms / 1000);
    return wall_ms >= 0 && wall_ms <= JTG_TIME_MAX_MS && gmtime_r(&wall_s, &tm) != NULL &&
           strftime(text, MOMENT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm) != 0;
}

/* Behind what the store says of a loss: when it ends by itself, at the latest, for the store has
 * kept everything since now; and what ends it at once. */
static void advise(jtg_guard *guard, jtg_error *err)
{
    char from[MOMENT_BYTES];
    struct jtgi_reading now;
    if (err == NULL || jtgi_wall_clock_now(&guard->horizon.wall_clock, &now, NULL) != JTG_OK ||
        !moment_text(now.wall_ms + reach_of(guard, &now), from))
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
        advise(guard, err);
    if (reason == JTG_REASON_OUTCOME_UNKNOWN)
        (void)jtg_error_set(err, JTG_ERR_TIMEOUT, 0, "the answer came too late to be relied on");
    return reason;
}

/* ---- one token on its way ---- */

/* What must be known of it when the store has answered. */
struct admission {
    jtg_decision made;
    jtg_text group; /* of the caller's claims */
    struct jtgi_life life;
    struct jtgi_reading asked;
    int64_t kept_since_ms;
    const jtg_reserve_call *reserve; /* of many: how the store is asked; NULL: it is not */
};

static const jtg_decision undecided = JTG_DECISION_INIT;

/* The caller's decision is one to be filled; until then it says that the guard was not asked. */
static bool begin_decision(jtg_decision *decision, jtg_error *err)
{
    jtgi_error_begin(err);
    if (decision == NULL)
        return true;
    if (!jtgi_struct_size_ok(decision->struct_size, DECISION_OLDEST_SIZE))
        return false;
    jtgi_struct_give(decision, &undecided, sizeof undecided);
    return true;
}

static jtg_reason check_call(const jtg_guard *guard, const jtg_claims *given, bool decision_ok,
                             jtg_error *err)
{
    if (guard == NULL || given == NULL || !decision_ok) {
        (void)jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                            decision_ok ? "guard or claims is NULL"
                                        : "decision: struct_size is not set");
        return JTG_REASON_BAD_ARGUMENT;
    }
    return check_process(guard, err) == JTG_OK ? JTG_REASON_ADMITTED : JTG_REASON_FORKED;
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
static jtg_reason prepare(jtg_guard *guard, const jtg_claims *given, const jtg_owner *made,
                          struct admission *admission, jtg_error *err)
{
    jtg_claims claims;
    const struct jtgi_kind_rule *rule = NULL;
    jtg_reservation *reservation = &admission->made.reservation;
    size_t key_len = 0;
    if (jtgi_claims_read(&claims, given, err) != JTG_OK)
        return JTG_REASON_BAD_ARGUMENT;
    jtg_reason reason = make_key(guard, &claims, &rule, reservation->key, &key_len, err);
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

static jtg_key key_of(const struct admission *admission)
{
    const jtg_text *group = &admission->group;
    return (jtg_key){admission->made.reservation.key, admission->made.reservation.key_len,
                     group->data_len != 0 ? group->data : NULL, group->data_len};
}

static jtg_status ask_store(const jtg_guard *guard, const struct admission *admission,
                            jtg_error *err)
{
    jtg_key key = key_of(admission);
    const jtg_owner *owner = &admission->made.reservation.owner;
    if (jtg_cache_watches(guard->cache))
        return jtg_cache_reserve_kept(guard->cache, &key, owner, admission->made.ttl_ms,
                                      admission->kept_since_ms, err);
    return jtg_cache_reserve(guard->cache, &key, owner, admission->made.ttl_ms, err);
}

/* The store has answered. */
static jtg_reason conclude(jtg_guard *guard, const struct admission *admission, jtg_status status,
                           jtg_error *err)
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
static bool decide(jtg_guard *guard, struct admission *admission, jtg_reason reason,
                   jtg_decision *decision)
{
    admission->made.reason = reason;
    if (!is_ours(reason))
        admission->made.reservation = undecided.reservation;
    if (decision != NULL)
        jtgi_struct_give(decision, &admission->made, sizeof admission->made);
    if (guard != NULL)
        jtgi_counters_add(guard->base.counters, (size_t)reason);
    return reason == JTG_REASON_ADMITTED;
}

bool jtg_guard_admit(jtg_guard *guard, const jtg_claims *claims, jtg_decision *decision,
                     jtg_error *err)
{
    struct admission admission = {.made = undecided};
    bool decision_ok = begin_decision(decision, err);
    jtg_reason reason = check_call(guard, claims, decision_ok, err);
    if (reason == JTG_REASON_ADMITTED)
        reason = prepare(guard, claims, NULL, &admission, err);
    if (reason == JTG_REASON_ADMITTED)
        reason = conclude(guard, &admission, ask_store(guard, &admission, err), err);
    return decide(guard, &admission, reason, decision_ok ? decision : NULL);
}

/* ---- many tokens at once ---- */

struct crowd {
    struct admission *admissions; /* one a call; in one piece of memory with the next two */
    jtg_reserve_call *reserves;   /* of those of which the store is asked */
    jtg_owner *owners;            /* one a call, for those that bring none */
    size_t reserve_count;
};

/* What jtg_owner_generate() makes, with one call of the system for all of them. */
static void generate_owners(jtg_owner *owners, size_t count)
{
    randombytes_buf(owners, count * sizeof *owners);
    for (size_t i = 0; i < count; i++) {
        unsigned char *bytes = owners[i].bytes;
        bytes[6] = (unsigned char)(0x40 | (bytes[6] & 0x0f));
        bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3f));
    }
}

static bool crowd_init(struct crowd *crowd, size_t count)
{
    crowd->reserve_count = 0;
    crowd->admissions = jtgi_alloc(
        count * (sizeof *crowd->admissions + sizeof *crowd->reserves + sizeof *crowd->owners));
    if (crowd->admissions == NULL)
        return false;
    crowd->reserves = (void *)(crowd->admissions + count);
    crowd->owners = (void *)(crowd->reserves + count);
    generate_owners(crowd->owners, count);
    return true;
}

static const jtg_reserve_call *add_reserve(struct crowd *crowd, const jtg_guard *guard,
                                           const struct admission *admission, jtg_error *err)
{
    jtg_reserve_call *reserve = &crowd->reserves[crowd->reserve_count++];
    reserve->key = key_of(admission);
    reserve->owner = &admission->made.reservation.owner;
    reserve->ttl_ms = admission->made.ttl_ms;
    reserve->kept_since_ms =
        jtg_cache_watches(guard->cache) ? admission->kept_since_ms : JTG_KEPT_ANY;
    reserve->err = err;
    return reserve;
}

/* Those of which the store need not be asked are decided here. */
static void prepare_one(jtg_guard *guard, struct crowd *crowd, const jtg_admit_call *call,
                        struct admission *admission)
{
    bool decision_ok = begin_decision(call->decision, call->err);
    jtg_reason reason = check_call(guard, call->claims, decision_ok, call->err);
    admission->made = undecided;
    if (reason == JTG_REASON_ADMITTED)
        reason = prepare(guard, call->claims, &crowd->owners[admission - crowd->admissions],
                         admission, call->err);
    if (reason == JTG_REASON_ADMITTED)
        admission->reserve = add_reserve(crowd, guard, admission, call->err);
    else
        (void)decide(guard, admission, reason, decision_ok ? call->decision : NULL);
}

static void conclude_one(jtg_guard *guard, struct admission *admission, jtg_admit_call *call)
{
    jtg_reason reason = conclude(guard, admission, admission->reserve->status, call->err);
    call->admitted = decide(guard, admission, reason, call->decision);
}

static void admit_all(jtg_guard *guard, struct crowd *crowd, jtg_admit_call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        prepare_one(guard, crowd, &calls[i], &crowd->admissions[i]);
    if (crowd->reserve_count > 0)
        jtg_cache_reserve_many(guard->cache, crowd->reserves, crowd->reserve_count);
    for (size_t i = 0; i < count; i++)
        if (crowd->admissions[i].reserve != NULL)
            conclude_one(guard, &crowd->admissions[i], &calls[i]);
}

/* Of all of them the store is not asked. */
static void refuse_all(jtg_guard *guard, const jtg_admit_call *calls, size_t count,
                       jtg_status status, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        struct admission none = {.made = undecided};
        const jtg_admit_call *call = &calls[i];
        bool decision_ok = begin_decision(call->decision, call->err);
        jtg_reason reason = check_call(guard, call->claims, decision_ok, call->err);
        if (reason == JTG_REASON_ADMITTED)
            reason = jtg_reason_from_status(jtg_error_set(call->err, status, 0, "%s", text));
        (void)decide(guard, &none, reason, decision_ok ? call->decision : NULL);
    }
}

void jtg_guard_admit_many(jtg_guard *guard, jtg_admit_call *calls, size_t count)
{
    struct crowd crowd;
    if (calls == NULL || count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        calls[i].admitted = false;
    if (count > JTG_MANY_MAX) {
        refuse_all(guard, calls, count, JTG_ERR_ARGUMENT, "there are too many calls at once");
    } else if (!crowd_init(&crowd, count)) {
        refuse_all(guard, calls, count, JTG_ERR_MEMORY, "no memory for so many tokens at once");
    } else {
        admit_all(guard, &crowd, calls, count);
        jtgi_free(crowd.admissions);
    }
}

/* ---- giving back ---- */

jtg_status jtg_guard_release(jtg_guard *guard, const jtg_reservation *reservation, jtg_error *err)
{
    jtgi_error_begin(err);
    if (guard == NULL || reservation == NULL || reservation->key_len == 0 ||
        reservation->key_len > JTG_KEY_MAX_BYTES)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no guard, or no reservation");
    jtg_status status = check_process(guard, err);
    if (status != JTG_OK)
        return status;
    jtg_key key = {reservation->key, reservation->key_len, NULL, 0};
    return jtg_cache_release(guard->cache, &key, &reservation->owner, err);
}

/* ---- readiness ---- */

/* Until is beyond what a clock can say only when the store is known to keep nothing. */
static jtg_status in_doubt(int64_t until_ms, jtg_error *err)
{
    char until[MOMENT_BYTES];
    if (moment_text(until_ms, until))
        return jtg_error_set(err, JTG_ERR_CONTINUITY, 0,
                             "the store may have forgotten, or is new: tokens issued up to %s are "
                             "refused; 'jtiguard vouch' says that none was forgotten",
                             until);
    return jtg_error_set(err, JTG_ERR_CONTINUITY, 0,
                         "the store may have forgotten: all tokens are refused");
}

/* iat moves with kept_since, so what kept_since lacks is what iat lacks. */
static jtg_status judge_kept(jtg_guard *guard, const struct jtgi_reading *now,
                             int64_t kept_since_ms, jtg_error *err)
{
    int64_t reach_ms = reach_of(guard, now);
    if (kept_since_ms <= now->wall_ms - reach_ms)
        return JTG_OK;
    return in_doubt(kept_since_ms > JTG_TIME_MAX_MS ? INT64_MAX : kept_since_ms + reach_ms, err);
}

jtg_status jtg_guard_ping(jtg_guard *guard, jtg_error *err)
{
    jtgi_error_begin(err);
    if (guard == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "guard is NULL");
    jtg_status status = check_process(guard, err);
    if (status == JTG_OK)
        status = jtg_cache_ping(guard->cache, err);
    int64_t kept_since_ms = INT64_MIN;
    if (status == JTG_OK && jtg_cache_watches(guard->cache))
        status = jtg_cache_kept_since(guard->cache, &kept_since_ms, err);
    if (status == JTG_ERR_CONTINUITY)
        advise(guard, err);
    struct jtgi_reading now;
    if (status == JTG_OK)
        status = jtgi_wall_clock_now(&guard->horizon.wall_clock, &now, err);
    return status == JTG_OK ? judge_kept(guard, &now, kept_since_ms, err) : status;
}

/* ---- keys and counts ---- */

jtg_reason jtg_guard_key(const jtg_guard *guard, const jtg_claims *given, unsigned char *key,
                         size_t *key_len)
{
    jtg_claims claims;
    const struct jtgi_kind_rule *rule = NULL;
    if (guard == NULL || given == NULL || key == NULL || key_len == NULL)
        return JTG_REASON_BAD_ARGUMENT;
    *key_len = 0;
    if (jtgi_claims_read(&claims, given, NULL) != JTG_OK)
        return JTG_REASON_BAD_ARGUMENT;
    return make_key(guard, &claims, &rule, key, key_len, NULL);
}

uint64_t jtg_guard_counter(const jtg_guard *guard, jtg_reason reason)
{
    return guard == NULL ? 0 : jtgi_counters_read(guard->base.counters, (size_t)reason);
}
