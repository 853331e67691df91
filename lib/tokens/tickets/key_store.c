/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tickets/key_store.h"

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"

#include <inttypes.h>
#include <jtiguard/status.h>
#include <sodium.h>
#include <string.h>

/* How much longer than its last key a set is stored: it costs nothing, and keeps the time of the
 * set for a fleet that was down over night. */
#define KEPT_LONGER_MS INT64_C(86400000)

/* A wall clock beyond the year 9000 is not one. */
#define WALL_MAX_MS INT64_C(221845392000000)

void jtgi_key_store_init(struct jtgi_key_store *store)
{
    static const char prefix[] = "ticket-keys:1:";
    _Static_assert(sizeof prefix <= sizeof store->key - JTG_TICKET_ZONE_MAX_BYTES, "room");
    struct jtgi_span zone = jtgi_wrapper_zone(store->wrapper);
    memcpy(store->key, prefix, sizeof prefix - 1);
    memcpy(store->key + sizeof prefix - 1, zone.data, zone.len);
    store->key_len = sizeof prefix - 1 + zone.len;
}

static jtg_key key_of(const struct jtgi_key_store *store)
{
    jtg_key key = {store->key, store->key_len, NULL, 0};
    return key;
}

static int64_t now_of(const struct jtgi_key_store *store, const struct jtgi_key_set *set)
{
    return jtgi_key_set_time(set, jtgi_clock_monotonic_ms(store->clock),
                             jtgi_clock_wall_ms(store->clock))
        .low_ms;
}

/* ---- one attempt ---- */

/* What the store holds, and what is made of it. */
struct attempt {
    const struct jtgi_key_store *store;
    const struct jtgi_key_set *local;
    jtg_value value;              /* as stored; empty = nothing is stored */
    struct jtgi_key_set *known;   /* all that is known, before any wish; NULL = nothing */
    struct jtgi_key_set *planned; /* known and what is wished */
    bool is_lost;                 /* the store lacks a part of what is known */
};

static void clear(struct attempt *attempt)
{
    jtg_value_clear(&attempt->value);
    jtgi_key_set_drop(attempt->known);
    jtgi_key_set_drop(attempt->planned);
    attempt->known = NULL;
    attempt->planned = NULL;
    attempt->is_lost = false;
}

/* Read the value into *stored; NULL where there is none. */
static jtg_status read_stored(struct attempt *attempt, struct jtgi_key_set **stored, jtg_error *err)
{
    const struct jtgi_key_store *store = attempt->store;
    jtg_key key = key_of(store);
    struct jtgi_set_anchor anchor = {.asked_monotonic_ms = jtgi_clock_monotonic_ms(store->clock),
                                     .asked_wall_ms = jtgi_clock_wall_ms(store->clock)};
    *stored = NULL;
    jtg_status status = jtg_cache_get(store->cache, &key, &attempt->value, err);
    if (status == JTG_NOT_FOUND)
        jtgi_error_begin(err); /* no failure */
    if (status != JTG_OK)
        return status == JTG_NOT_FOUND ? JTG_OK : status;
    anchor.answered_monotonic_ms = jtgi_clock_monotonic_ms(store->clock);
    if (anchor.answered_monotonic_ms - anchor.asked_monotonic_ms >
        jtgi_key_schedule_slack(&store->schedule))
        return jtg_error_set(err, JTG_ERR_TIMEOUT, 0,
                             "the store's answer took longer than margin_ms");
    struct jtgi_span blob = {attempt->value.data, attempt->value.data_len};
    status = jtgi_key_blob_read(stored, store->wrapper, attempt->local, blob, attempt->value.ttl_ms,
                                err);
    if (status != JTG_OK)
        return status;
    anchor.set_ms = (*stored)->anchor.set_ms;
    (*stored)->anchor = anchor;
    return JTG_OK;
}

static bool is_newer(const struct jtgi_key_set *local, const struct jtgi_key_set *stored)
{
    return jtgi_key_set_same_epoch(local, stored) && local->version > stored->version;
}

static bool take_in(const struct attempt *attempt, struct jtgi_key_set *set,
                    const struct jtgi_key_set *other)
{
    int64_t now_ms = now_of(attempt->store, set);
    bool is_same = jtgi_key_set_same_epoch(set, other);
    return jtgi_key_set_merge(set, other, now_ms,
                              is_same ? 0 : now_ms - now_of(attempt->store, other));
}

/* The time of a set never goes back. It is behind in the store when the one who wrote it was
 * stopped between a look at the clock and the write, or when the store's clock was set back: then
 * the time that goes on here is the better one. True if the store should learn of it. */
static bool keep_time(const struct attempt *attempt, struct jtgi_key_set *stored)
{
    if (!jtgi_key_set_same_epoch(stored, attempt->local))
        return false;
    int64_t behind_ms = now_of(attempt->store, attempt->local) - now_of(attempt->store, stored);
    if (behind_ms > 0)
        stored->anchor.set_ms += behind_ms;
    return behind_ms > jtgi_key_schedule_slack(&attempt->store->schedule) / 2;
}

/* Put what is stored and what is known here together; stored is taken. */
static jtg_status combine(struct attempt *attempt, struct jtgi_key_set *stored)
{
    const struct jtgi_key_set *local = attempt->local;
    attempt->known = stored;
    if (local == NULL)
        return JTG_OK;
    if (stored != NULL && !is_newer(local, stored)) {
        attempt->is_lost = keep_time(attempt, stored);
        attempt->is_lost |= take_in(attempt, stored, local);
        return JTG_OK;
    }
    attempt->is_lost = true;
    attempt->known = jtgi_key_set_copy(local);
    if (attempt->known != NULL && stored != NULL)
        (void)take_in(attempt, attempt->known, stored);
    jtgi_key_set_drop(stored);
    return attempt->known != NULL ? JTG_OK : JTG_ERR_MEMORY;
}

/* ---- what is wished ---- */

/* The first set of all: its time is this wall clock's, from now on carried on by the store. */
static jtg_status begin_epoch(struct attempt *attempt, jtg_error *err)
{
    const jtg_clock *clock = attempt->store->clock;
    struct jtgi_key_set *set = jtgi_key_set_new();
    if (set == NULL)
        return JTG_ERR_MEMORY;
    attempt->planned = set;
    randombytes_buf(set->epoch, sizeof set->epoch);
    set->anchor.asked_monotonic_ms = jtgi_clock_monotonic_ms(clock);
    set->anchor.answered_monotonic_ms = set->anchor.asked_monotonic_ms;
    set->anchor.asked_wall_ms = jtgi_clock_wall_ms(clock);
    set->anchor.set_ms = set->anchor.asked_wall_ms;
    bool good = set->anchor.set_ms > 0 && set->anchor.set_ms < WALL_MAX_MS;
    return good ? JTG_OK : jtg_error_set(err, JTG_ERR_SYSTEM, 0, "the clock gives no usable time");
}

static jtg_status begin_plan(struct attempt *attempt, jtg_error *err)
{
    if (attempt->known == NULL)
        return begin_epoch(attempt, err);
    attempt->planned = jtgi_key_set_copy(attempt->known);
    return attempt->planned != NULL ? JTG_OK : JTG_ERR_MEMORY;
}

/* Two where the first one seals at once (single_instance). */
static jtg_status publish_next(struct attempt *attempt, int64_t now_ms, bool *changed)
{
    const struct jtgi_key_schedule *schedule = &attempt->store->schedule;
    jtg_status status = JTG_OK;
    if (!jtgi_key_set_lacks_next(attempt->planned, now_ms))
        return JTG_OK;
    *changed = true;
    jtgi_key_set_prune(attempt->planned, schedule, now_ms);
    for (int i = 0; i < 2 && status == JTG_OK; i++)
        if (jtgi_key_set_lacks_next(attempt->planned, now_ms))
            status = jtgi_key_set_publish(attempt->planned, schedule,
                                          jtgi_wrapper_zone(attempt->store->wrapper), now_ms);
    return status;
}

/* Later than the publishing of any key that is known: whoever still holds one, and a clock a little
 * ahead, must not put it back. */
static int64_t revoke_until(const struct attempt *attempt, int64_t now_ms)
{
    const struct jtgi_key_set *known = attempt->known;
    int64_t until_ms = now_ms + attempt->store->schedule.margin_ms;
    for (size_t i = 0; known != NULL && i < known->count; i++)
        if (known->entries[i].published_ms > until_ms)
            until_ms = known->entries[i].published_ms;
    return until_ms;
}

static jtg_status plan(struct attempt *attempt, enum jtgi_key_wish wish, bool *changed,
                       jtg_error *err)
{
    jtg_status status = begin_plan(attempt, err);
    if (status != JTG_OK)
        return status;
    struct jtgi_key_set *set = attempt->planned;
    int64_t now_ms = now_of(attempt->store, set);
    *changed = attempt->is_lost || attempt->known == NULL;
    if (wish == JTGI_KEYS_REVOKE)
        jtgi_key_set_revoke(set, revoke_until(attempt, now_ms));
    /* A new key must not pass for one that was revoked. */
    if (now_ms <= set->revoked_ms && set->count == 0)
        now_ms = set->revoked_ms + 1;
    status = publish_next(attempt, now_ms, changed);
    if (status == JTG_ERR_FULL)
        return jtg_error_set(err, status, 0, "all %d keys of the set are live",
                             JTG_TICKET_KEYS_MAX);
    if (status == JTG_OK && wish == JTGI_KEYS_HURRY)
        *changed |= jtgi_key_set_hurry(set, &attempt->store->schedule, now_ms);
    return status;
}

static uint64_t kept_ms(const struct jtgi_key_set *set, int64_t now_ms)
{
    int64_t kept = jtgi_key_set_end(set) - now_ms + KEPT_LONGER_MS;
    if (kept < KEPT_LONGER_MS)
        kept = KEPT_LONGER_MS;
    return (uint64_t)kept < JTG_TTL_MAX_MS ? (uint64_t)kept : JTG_TTL_MAX_MS;
}

static jtg_status write_planned(struct attempt *attempt, jtg_error *err)
{
    const struct jtgi_key_store *store = attempt->store;
    struct jtgi_key_set *set = attempt->planned;
    unsigned char blob[JTGI_BLOB_MAX_BYTES];
    size_t blob_len = 0;
    jtg_key key = key_of(store);
    int64_t now_ms = now_of(store, set);
    uint64_t ttl_ms = kept_ms(set, now_ms);
    set->version++;
    jtg_status status = jtgi_key_blob_write(set, store->wrapper, now_ms, ttl_ms, blob, &blob_len);
    if (status != JTG_OK)
        return status;
    return jtg_cache_swap(store->cache, &key, attempt->value.data, attempt->value.data_len, blob,
                          blob_len, ttl_ms, err);
}

/* ---- all attempts ---- */

static void tell(const struct attempt *attempt, enum jtgi_key_wish wish)
{
    const struct jtgi_key_set *set = attempt->planned;
    if (attempt->known == NULL)
        jtgi_log(attempt->store->logger, JTG_LOG_INFO, "ticket keys: began a new set");
    else if (wish == JTGI_KEYS_REVOKE)
        jtgi_log(attempt->store->logger, JTG_LOG_WARNING, "ticket keys: revoked every key");
    else if (attempt->is_lost)
        jtgi_log(attempt->store->logger, JTG_LOG_WARNING,
                 "ticket keys: the store had lost keys, they were put back");
    jtgi_log(attempt->store->logger, JTG_LOG_INFO,
             "ticket keys: wrote version %" PRIu64 " with %zu keys", set->version, set->count);
}

static void replace(struct jtgi_key_set **place, struct jtgi_key_set **by)
{
    if (*by == NULL)
        return;
    jtgi_key_set_drop(*place);
    *place = *by;
    *by = NULL;
}

/* JTG_MISMATCH: somebody else was faster; try again. */
static jtg_status try_once(struct attempt *attempt, enum jtgi_key_wish wish,
                           struct jtgi_key_set **fresh, jtg_error *err)
{
    struct jtgi_key_set *stored = NULL;
    bool changed = false;
    jtg_status status = read_stored(attempt, &stored, err);
    if (status == JTG_ERR_PROTOCOL && wish == JTGI_KEYS_REVOKE && attempt->value.data != NULL) {
        status = JTG_OK;
        jtgi_error_begin(err);
    }
    if (status == JTG_OK)
        status = combine(attempt, stored);
    if (status == JTG_OK && wish == JTGI_KEYS_LOAD)
        status = attempt->known != NULL ? JTG_OK : JTG_NOT_FOUND;
    else if (status == JTG_OK)
        status = plan(attempt, wish, &changed, err);
    if (status == JTG_OK && changed)
        status = write_planned(attempt, err);
    if (status == JTG_OK && changed) {
        tell(attempt, wish);
        replace(fresh, &attempt->planned);
    } else {
        replace(fresh, &attempt->known);
    }
    return status;
}

jtg_status jtgi_key_store_sync(const struct jtgi_key_store *store, enum jtgi_key_wish wish,
                               unsigned attempts, const struct jtgi_key_set *local,
                               struct jtgi_key_set **fresh, jtg_error *err)
{
    struct attempt attempt = {.store = store, .local = local};
    jtg_status status = JTG_MISMATCH;
    *fresh = NULL;
    for (unsigned i = 0; i < attempts && status == JTG_MISMATCH; i++) {
        jtgi_error_begin(err);
        status = try_once(&attempt, wish, fresh, err);
        clear(&attempt);
    }
    if (status == JTG_MISMATCH && wish == JTGI_KEYS_KEEP) {
        status = JTG_OK;
        jtgi_error_begin(err);
    }
    return status;
}
