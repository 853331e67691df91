/* SPDX-License-Identifier: Apache-2.0 */
#include "host/keeping.h"

#include "core/error.h"
#include "host/since.h"
#include "host/sweep.h"

#include <sodium.h>
#include <string.h>

static jtg_status since(const struct jtgi_host_visit *visit, int64_t *since_ms)
{
    return jtgi_host_since_read(visit->at->file.header, &visit->at->party,
                                &visit->host->settings.clock, since_ms);
}

static void note_clocks(const struct jtgi_host_visit *visit)
{
    const struct jtgi_moment now = {visit->now_ms,
                                    jtgi_clock_wall_ms(&visit->host->settings.clock)};
    jtgi_host_since_note(visit->at->file.header, &now);
}

/* Has everything that may be this key been kept since then? */
static jtg_status check_kept(const struct jtgi_host_visit *visit, const jtg_key *key,
                             int64_t kept_since_ms, jtg_error *err)
{
    const struct jtgi_host_header *header = visit->at->file.header;
    int64_t since_ms = 0;
    jtg_status status = since(visit, &since_ms);
    if (status != JTG_OK)
        return status;
    uint64_t lost_at = jtgi_table_lost_at(visit->at->table, key);
    if (lost_at != 0 && header->epoch_ms + (int64_t)lost_at > since_ms)
        since_ms = header->epoch_ms + (int64_t)lost_at;
    if (kept_since_ms >= jtgi_host_since_as_wall(header, since_ms))
        return JTG_OK;
    return jtg_error_set(err, JTG_ERR_CONTINUITY, 0,
                         "host store: it may have forgotten what was used before it was made");
}

/* A replay is the store's word, whatever it has forgotten. Nobody can have this owner, so nothing
 * is released; what somebody holds is asked for, and told from what the caller holds himself. */
static jtg_status judge_forgetful(const struct jtgi_host_visit *visit, const jtg_key *key,
                                  const jtg_owner *owner, uint64_t ttl_ms, jtg_error *err)
{
    jtg_owner nobody;
    randombytes_buf(&nobody, sizeof nobody);
    jtg_status status = jtgi_table_release(visit->at->table, key, &nobody, visit->now);
    if (status == JTG_NOT_OWNER)
        status = jtgi_table_reserve(visit->at->table, key, owner, visit->now, ttl_ms);
    if (status != JTG_REPLAYED && status != JTG_ERR_BLOCKED)
        return JTG_ERR_CONTINUITY;
    jtgi_error_begin(err);
    return status;
}

static jtg_status say_unknown(jtg_error *err)
{
    return jtg_error_set(err, JTG_ERR_TIMEOUT, 0,
                         "host store: it was stored; what was kept before is not known");
}

/* Behind a reservation that was stored. Who cannot be told so now may ask again as the same owner;
 * "blocked" would say that nothing was stored, and leave it to nobody. */
static jtg_status check_still_kept(const struct jtgi_host_visit *visit, const jtg_key *key,
                                   int64_t kept_since_ms, jtg_error *err)
{
    jtg_status status = check_kept(visit, key, kept_since_ms, err);
    return status == JTG_ERR_BLOCKED ? say_unknown(err) : status;
}

/* Before, for what is refused is not stored; and behind, for it may have been lost meanwhile. */
static jtg_status reserve_kept_inside(const struct jtgi_host_visit *visit, const jtg_key *key,
                                      const jtg_owner *owner, uint64_t ttl_ms,
                                      int64_t kept_since_ms, jtg_error *err)
{
    jtg_status status = jtgi_table_check_end(visit->now, JTG_TTL_MAX_MS, err);
    if (status == JTG_OK)
        status = check_kept(visit, key, kept_since_ms, err);
    if (status == JTG_ERR_CONTINUITY)
        return judge_forgetful(visit, key, owner, ttl_ms, err);
    if (status == JTG_OK)
        status = jtgi_table_reserve(visit->at->table, key, owner, visit->now, ttl_ms);
    return status == JTG_OK ? check_still_kept(visit, key, kept_since_ms, err) : status;
}

jtg_status jtgi_host_reserve_kept(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                                  uint64_t ttl_ms, int64_t kept_since_ms, jtg_error *err)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    jtg_status status;
    do {
        status = jtgi_host_visit_enter(&visit, self, err);
        if (status != JTG_OK)
            return status;
        note_clocks(&visit);
        status = reserve_kept_inside(&visit, key, owner, ttl_ms, kept_since_ms, err);
        jtgi_host_sweep_if_due(&visit);
    } while (jtgi_host_visit_leave(&visit, status));
    return status;
}

static jtg_status judge_one(const struct jtgi_host_visit *visit, const jtg_reserve_call *call)
{
    jtg_error unasked = JTG_ERROR_INIT;
    jtg_error *err = call->err != NULL ? call->err : &unasked;
    jtg_status status = check_kept(visit, &call->key, call->kept_since_ms, err);
    return status == JTG_ERR_CONTINUITY
               ? judge_forgetful(visit, &call->key, call->owner, call->ttl_ms, err)
               : status;
}

/* Those for which enough was kept go to the table at once; each of the others gets its answer. One
 * that was blocked has waited for all: those behind it that would ask the same are blocked, too. */
static size_t sort_out(const struct jtgi_host_visit *visit, jtg_reserve_call *const *calls,
                       size_t count, jtg_reserve_call **kept)
{
    size_t number = 0;
    bool blocked = false;
    for (size_t i = 0; i < count; i++) {
        jtg_reserve_call *call = calls[i];
        if (call->kept_since_ms == JTG_KEPT_ANY)
            call->status = JTG_OK;
        else
            call->status = blocked ? JTG_ERR_BLOCKED : judge_one(visit, call);
        blocked |= call->status == JTG_ERR_BLOCKED;
        if (call->status == JTG_OK)
            kept[number++] = call;
    }
    return number;
}

/* The same: one that could not be told that its reservation counts has waited for all. */
static void check_all_still_kept(const struct jtgi_host_visit *visit, jtg_reserve_call **calls,
                                 size_t count)
{
    bool blocked = false;
    for (size_t i = 0; i < count; i++) {
        jtg_reserve_call *call = calls[i];
        if (call->status != JTG_OK || call->kept_since_ms == JTG_KEPT_ANY)
            continue;
        call->status = blocked
                           ? say_unknown(call->err)
                           : check_still_kept(visit, &call->key, call->kept_since_ms, call->err);
        blocked |= call->status == JTG_ERR_TIMEOUT;
    }
}

static void reserve_sorted(const struct jtgi_host_visit *visit, jtg_reserve_call *const *calls,
                           size_t count)
{
    jtg_reserve_call *kept[JTG_MANY_MAX];
    size_t number = sort_out(visit, calls, count, kept);
    if (number > 0)
        jtgi_table_reserve_many(visit->at->table, kept, number, visit->now);
    check_all_still_kept(visit, kept, number);
}

/* In one file; those that it answers as blocked come first afterwards. */
static size_t reserve_here(const struct jtgi_host_visit *visit, jtg_reserve_call **calls,
                           size_t count)
{
    size_t blocked = 0;
    reserve_sorted(visit, calls, count);
    for (size_t i = 0; i < count; i++)
        if (calls[i]->status == JTG_ERR_BLOCKED)
            calls[blocked++] = calls[i];
    return blocked;
}

static void refuse_all(jtg_reserve_call *const *calls, size_t count, jtg_status status,
                       const jtg_error *why)
{
    for (size_t i = 0; i < count; i++)
        calls[i]->status = jtg_error_set(calls[i]->err, status, why->system_errno, "%s", why->text);
}

void jtgi_host_reserve_many(jtg_cache *self, jtg_reserve_call *const *calls, size_t count)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    jtg_reserve_call *left[JTG_MANY_MAX];
    memcpy(left, calls, count * sizeof(jtg_reserve_call *));
    do {
        jtg_error err = JTG_ERROR_INIT;
        jtg_status status = jtgi_host_visit_enter(&visit, self, &err);
        if (status != JTG_OK) {
            refuse_all(left, count, status, &err);
            return;
        }
        note_clocks(&visit);
        status = jtgi_table_check_end(visit.now, JTG_TTL_MAX_MS, &err);
        if (status != JTG_OK)
            refuse_all(left, count, status, &err);
        count = status == JTG_OK ? reserve_here(&visit, left, count) : 0;
        jtgi_host_sweep_if_due(&visit);
    } while (jtgi_host_visit_leave(&visit, count > 0 ? JTG_ERR_BLOCKED : JTG_OK));
}

jtg_status jtgi_host_kept_since(jtg_cache *self, int64_t *kept_since_ms, jtg_error *err)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    int64_t since_ms = 0;
    jtg_status status = jtgi_host_visit_enter(&visit, self, err);
    if (status != JTG_OK)
        return status;
    note_clocks(&visit);
    status = since(&visit, &since_ms);
    if (status == JTG_OK)
        *kept_since_ms = jtgi_host_since_as_wall(visit.at->file.header, since_ms);
    (void)jtgi_host_visit_leave(&visit, status);
    return status;
}

jtg_status jtgi_host_check_since(const struct jtgi_host_visit *visit, int64_t kept_since_ms,
                                 jtg_error *err)
{
    int64_t since_ms = 0;
    if (kept_since_ms == JTG_KEPT_ANY)
        return JTG_OK;
    note_clocks(visit);
    jtg_status status = since(visit, &since_ms);
    if (status != JTG_OK)
        return status;
    if (kept_since_ms >= jtgi_host_since_as_wall(visit->at->file.header, since_ms))
        return JTG_OK;
    return jtg_error_set(err, JTG_ERR_CONTINUITY, 0,
                         "host store: it may have forgotten what was used before it was made");
}

/* By the monotonic clock, which nobody sets: told by the wall clock, it would be another each time
 * that the two are seen further apart. */
jtg_status jtgi_host_epoch(jtg_cache *self, int64_t *epoch, jtg_error *err)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    jtg_status status = jtgi_host_visit_enter(&visit, self, err);
    if (status != JTG_OK)
        return status;
    status = since(&visit, epoch);
    (void)jtgi_host_visit_leave(&visit, status);
    return status;
}

/* Nothing is kept while it goes on; who dies in it leaves the date to the next one. */
jtg_status jtgi_host_lose(const struct jtgi_host_visit *visit, bool everything)
{
    struct jtgi_host_header *header = visit->at->file.header;
    int64_t before_ms = 0;
    jtg_status status = jtgi_host_since_begin_loss(header, &visit->at->party, &before_ms);
    if (status != JTG_OK)
        return status;
    if (everything)
        status = jtgi_table_clear(visit->at->table);
    if (everything && status == JTG_OK)
        status = jtgi_value_area_clear(visit->at->values);
    jtgi_host_since_end_loss(header, &visit->at->party, &visit->host->settings.clock, before_ms);
    return status;
}
