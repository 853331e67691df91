/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/admission.h"

#include "core/alloc.h"
#include "core/error.h"

#include <jtiguard/status.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

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

static jtg_status ask_store(const jtg_guard *guard, const struct jtgi_admission *admission,
                            jtg_error *err)
{
    jtg_key key = jtgi_admission_key(admission);
    const jtg_owner *owner = &admission->made.reservation.owner;
    if (jtg_cache_watches(guard->cache))
        return jtg_cache_reserve_kept(guard->cache, &key, owner, admission->made.ttl_ms,
                                      admission->kept_since_ms, err);
    return jtg_cache_reserve(guard->cache, &key, owner, admission->made.ttl_ms, err);
}

bool jtg_guard_admit(jtg_guard *guard, const jtg_claims *claims, jtg_decision *decision,
                     jtg_error *err)
{
    struct jtgi_admission admission = {.made = jtgi_undecided};
    bool decision_ok = jtgi_admission_begin(decision, err);
    jtg_reason reason = jtgi_admission_check(guard, claims, decision_ok, err);
    if (reason == JTG_REASON_ADMITTED)
        reason = jtgi_admission_prepare(guard, claims, NULL, &admission, err);
    if (reason == JTG_REASON_ADMITTED)
        reason = jtgi_admission_conclude(guard, &admission, ask_store(guard, &admission, err), err);
    return jtgi_admission_decide(guard, &admission, reason, decision_ok ? decision : NULL);
}

/* ---- many tokens at once ---- */

struct crowd {
    struct jtgi_admission *admissions; /* one a call; in one piece of memory with the next two */
    jtg_reserve_call *reserves;        /* of those of which the store is asked */
    jtg_owner *owners;                 /* one a call, for those that bring none */
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
                                           const struct jtgi_admission *admission, jtg_error *err)
{
    jtg_reserve_call *reserve = &crowd->reserves[crowd->reserve_count++];
    reserve->key = jtgi_admission_key(admission);
    reserve->owner = &admission->made.reservation.owner;
    reserve->ttl_ms = admission->made.ttl_ms;
    reserve->kept_since_ms =
        jtg_cache_watches(guard->cache) ? admission->kept_since_ms : JTG_KEPT_ANY;
    reserve->err = err;
    return reserve;
}

/* Those of which the store need not be asked are decided here. */
static void prepare_one(jtg_guard *guard, struct crowd *crowd, const jtg_admit_call *call,
                        struct jtgi_admission *admission)
{
    bool decision_ok = jtgi_admission_begin(call->decision, call->err);
    jtg_reason reason = jtgi_admission_check(guard, call->claims, decision_ok, call->err);
    admission->made = jtgi_undecided;
    if (reason == JTG_REASON_ADMITTED)
        reason = jtgi_admission_prepare(guard, call->claims,
                                        &crowd->owners[admission - crowd->admissions], admission,
                                        call->err);
    if (reason == JTG_REASON_ADMITTED)
        admission->reserve = add_reserve(crowd, guard, admission, call->err);
    else
        (void)jtgi_admission_decide(guard, admission, reason, decision_ok ? call->decision : NULL);
}

static void conclude_one(jtg_guard *guard, struct jtgi_admission *admission, jtg_admit_call *call)
{
    jtg_reason reason =
        jtgi_admission_conclude(guard, admission, admission->reserve->status, call->err);
    call->admitted = jtgi_admission_decide(guard, admission, reason, call->decision);
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
        struct jtgi_admission none = {.made = jtgi_undecided};
        const jtg_admit_call *call = &calls[i];
        bool decision_ok = jtgi_admission_begin(call->decision, call->err);
        jtg_reason reason = jtgi_admission_check(guard, call->claims, decision_ok, call->err);
        if (reason == JTG_REASON_ADMITTED)
            reason = jtg_reason_from_status(jtg_error_set(call->err, status, 0, "%s", text));
        (void)jtgi_admission_decide(guard, &none, reason, decision_ok ? call->decision : NULL);
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
    jtg_status status = jtgi_guard_check_process(guard, err);
    if (status != JTG_OK)
        return status;
    jtg_key key = {reservation->key, reservation->key_len, NULL, 0};
    return jtg_cache_release(guard->cache, &key, &reservation->owner, err);
}

/* ---- readiness ---- */

/* Until is beyond what a clock can say only when the store is known to keep nothing. */
static jtg_status in_doubt(int64_t until_ms, jtg_error *err)
{
    char until[JTGI_MOMENT_TEXT_BYTES];
    if (jtgi_moment_text(until_ms, until))
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
    int64_t reach_ms = jtgi_guard_reach(guard, now);
    if (kept_since_ms <= now->wall_ms - reach_ms)
        return JTG_OK;
    return in_doubt(kept_since_ms > JTG_TIME_MAX_MS ? INT64_MAX : kept_since_ms + reach_ms, err);
}

jtg_status jtg_guard_ping(jtg_guard *guard, jtg_error *err)
{
    jtgi_error_begin(err);
    if (guard == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "guard is NULL");
    jtg_status status = jtgi_guard_check_process(guard, err);
    if (status == JTG_OK)
        status = jtg_cache_ping(guard->cache, err);
    int64_t kept_since_ms = INT64_MIN;
    if (status == JTG_OK && jtg_cache_watches(guard->cache))
        status = jtg_cache_kept_since(guard->cache, &kept_since_ms, err);
    if (status == JTG_ERR_CONTINUITY)
        jtgi_guard_advise(guard, err);
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
    return jtgi_guard_make_key(guard, &claims, &rule, key, key_len, NULL);
}

uint64_t jtg_guard_counter(const jtg_guard *guard, jtg_reason reason)
{
    return guard == NULL ? 0 : jtgi_counters_read(guard->base.counters, (size_t)reason);
}
