/* SPDX-License-Identifier: Apache-2.0 */
/* The attack: a token is used; its record ends; the wall clock is set back, and the token is
 * acceptable again. Or: the process restarts with an empty store while the token lives.
 *
 * A record that was made when the offset (wall minus monotonic clock) was o ends when the
 * monotonic clock reaches kept_until - o. So at monotonic time m it may have ended only if
 * m + o >= kept_until: if on the furthest clock under which the token can have been used it is
 * over, margin included. That, and nothing else, is what jtgi_wall_clock_may_have_lost() asks.
 *
 * A record made by one object can be met by another, in another process and after the first has
 * ended. So what was learnt of the offsets lies with the records, where the store lends memory for
 * it; only where it lends none each object learns by itself.
 */
#include "core/wall_clock.h"

#include "core/lent.h"
#include "core/log.h"

#include <inttypes.h>
#include <string.h>

/* A monotonic clock may count from anywhere, but not so far off that sums would overflow. */
#define MONOTONIC_LIMIT_MS (INT64_MAX / 8)

/* A pause between reading the two clocks looks like a clock set back. It passes; a real one
 * stays. */
enum { READINGS = 3 };

static bool read_monotonic(const struct jtgi_wall_clock *wall_clock, int64_t *monotonic_ms)
{
    *monotonic_ms = jtgi_clock_monotonic_ms(wall_clock->of.clock);
    return *monotonic_ms >= -MONOTONIC_LIMIT_MS && *monotonic_ms <= MONOTONIC_LIMIT_MS;
}

bool jtgi_wall_clock_read(const struct jtgi_wall_clock *wall_clock, struct jtgi_moment *moment)
{
    moment->wall_ms = jtgi_clock_wall_ms(wall_clock->of.clock);
    return read_monotonic(wall_clock, &moment->monotonic_ms) && moment->wall_ms >= 0 &&
           moment->wall_ms <= JTGI_WALL_MAX_MS;
}

/* ---- where it is noted ---- */

static jtg_status find_record(struct jtgi_wall_clock *wall_clock, struct jtgi_clock_record **record,
                              jtg_error *err)
{
    void *memory = NULL;
    *record = &wall_clock->own;
    if (!wall_clock->is_lent)
        return JTG_OK;
    jtg_status status = jtgi_lent_find(wall_clock->of.cache, wall_clock->of.borrower, &memory, err);
    if (status != JTG_OK)
        return status;
    *record = memory;
    if (jtgi_clock_record_is_foreign(*record))
        return jtg_error_set(err, JTG_ERR_UNSUPPORTED, 0,
                             "what others noted of the clock is of another version");
    return JTG_OK;
}

static jtg_status lock(struct jtgi_wall_clock *wall_clock, struct jtgi_clock_record *record,
                       jtg_error *err)
{
    if (record != &wall_clock->own)
        return jtgi_lent_lock(wall_clock->of.cache, record, err);
    (void)pthread_mutex_lock(&wall_clock->own_lock);
    return JTG_OK;
}

static void unlock(struct jtgi_wall_clock *wall_clock, struct jtgi_clock_record *record)
{
    if (record != &wall_clock->own)
        jtgi_lent_unlock(wall_clock->of.cache, record);
    else
        (void)pthread_mutex_unlock(&wall_clock->own_lock);
}

/* ---- noticing that the clock was set ---- */

static void settle_locked(const struct jtgi_wall_clock *wall_clock,
                          struct jtgi_clock_record *record)
{
    int64_t now = 0;
    if (!jtgi_clock_record_is_unsettled(record))
        return;
    bool usable = read_monotonic(wall_clock, &now);
    jtgi_clock_record_settle_locked(record, usable ? now : JTGI_ALWAYS);
}

/* Another store, or the first: what was learnt by the one before is not forgotten. It counts as
 * known here only when it is. */
static void inherit_locked(struct jtgi_wall_clock *wall_clock, struct jtgi_clock_record *record)
{
    int64_t now = 0;
    const struct jtgi_clock_record *before =
        atomic_load_explicit(&wall_clock->last, memory_order_acquire);
    if (before == record)
        return;
    bool usable = read_monotonic(wall_clock, &now);
    if (before != NULL && jtgi_clock_record_is_begun(before))
        jtgi_clock_record_inherit_locked(record, before, usable ? now : JTGI_ALWAYS);
    atomic_store_explicit(&wall_clock->last, record, memory_order_release);
}

/* How far the clock was set back. */
static int64_t note_locked(struct jtgi_wall_clock *wall_clock, struct jtgi_clock_record *record,
                           const struct jtgi_moment *moment)
{
    jtgi_clock_record_join_locked(record, moment, wall_clock->of.margin_ms);
    settle_locked(wall_clock, record); /* what one left that died */
    if (record != &wall_clock->own)
        inherit_locked(wall_clock, record);
    int64_t back_ms = jtgi_clock_record_note_locked(record, moment, wall_clock->of.margin_ms);
    settle_locked(wall_clock, record);
    return back_ms;
}

static jtg_status note(struct jtgi_wall_clock *wall_clock, struct jtgi_clock_record *record,
                       const struct jtgi_moment *moment, int64_t *events, jtg_error *err)
{
    jtg_status status = lock(wall_clock, record, err);
    if (status != JTG_OK)
        return status;
    int64_t back_ms = note_locked(wall_clock, record, moment);
    *events = jtgi_record_load(&record->events);
    unlock(wall_clock, record);

    if (back_ms > 0)
        jtgi_log(wall_clock->of.logger, JTG_LOG_ERROR,
                 "the wall clock was set back by %" PRId64 " ms: %s whose earlier use may be "
                 "forgotten are refused as clock_set_back; set the clock right and keep it so",
                 back_ms, wall_clock->of.whose);
    return JTG_OK;
}

static bool looks_set_back(const struct jtgi_wall_clock *wall_clock,
                           const struct jtgi_clock_record *record, int64_t offset_ms)
{
    return jtgi_clock_record_is_begun(record) &&
           jtgi_clock_record_is_set_back(record, offset_ms, wall_clock->of.margin_ms);
}

static bool read_steadily(const struct jtgi_wall_clock *wall_clock,
                          const struct jtgi_clock_record *record, struct jtgi_moment *moment)
{
    for (int reading = 1; reading <= READINGS; reading++) {
        if (!jtgi_wall_clock_read(wall_clock, moment))
            return false;
        if (!looks_set_back(wall_clock, record, jtgi_offset_of(moment)))
            break;
    }
    return true;
}

/* For the start alone. What others have seen of earlier lives of this clock is no matter of it. */
static void date_start(struct jtgi_wall_clock *wall_clock, int64_t offset_ms)
{
    int64_t known = jtgi_record_load(&wall_clock->start_greatest_ms);
    while (offset_ms > known &&
           !atomic_compare_exchange_weak_explicit(&wall_clock->start_greatest_ms, &known, offset_ms,
                                                  memory_order_release, memory_order_acquire))
        ;
}

static bool is_new_to_it(const struct jtgi_wall_clock *wall_clock,
                         const struct jtgi_clock_record *record)
{
    return wall_clock->is_lent &&
           atomic_load_explicit(&wall_clock->last, memory_order_acquire) != record;
}

jtg_status jtgi_wall_clock_now(struct jtgi_wall_clock *wall_clock, struct jtgi_reading *now,
                               jtg_error *err)
{
    struct jtgi_moment moment;
    struct jtgi_clock_record *record = NULL;
    jtg_status status = find_record(wall_clock, &record, err);
    if (status != JTG_OK)
        return status;
    int64_t events = jtgi_record_load(&record->events); /* before the offset is looked at */
    if (!read_steadily(wall_clock, record, &moment))
        return jtg_error_set(err, JTG_ERR_SYSTEM, 0, "the clock gives no usable time");
    int64_t offset = jtgi_offset_of(&moment);
    if (is_new_to_it(wall_clock, record) ||
        jtgi_clock_record_is_behind(record, offset, wall_clock->of.margin_ms))
        status = note(wall_clock, record, &moment, &events, err);
    date_start(wall_clock, offset);
    *now = (struct jtgi_reading){moment.monotonic_ms, moment.wall_ms, record, events};
    return status;
}

/* ---- life ---- */

jtg_status jtgi_wall_clock_init(struct jtgi_wall_clock *wall_clock,
                                const struct jtgi_wall_clock_of *of, jtg_error *err)
{
    struct jtgi_moment start;
    struct jtgi_reading first;
    memset(wall_clock, 0, sizeof *wall_clock);
    wall_clock->of = *of;
    wall_clock->is_lent = of->cache != NULL && jtgi_backend_lends(of->cache->backend);
    wall_clock->is_dated_by_it = wall_clock->is_lent && jtg_cache_watches(of->cache);
    if (!jtgi_wall_clock_read(wall_clock, &start))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "clock: it gives no usable time");
    if (pthread_mutex_init(&wall_clock->own_lock, NULL) != 0)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for a lock");
    wall_clock->start_monotonic_ms = start.monotonic_ms;
    atomic_init(&wall_clock->start_greatest_ms, jtgi_offset_of(&start));
    jtgi_clock_record_join_locked(&wall_clock->own, &start, of->margin_ms);
    /* A store that cannot be asked now is asked again by each decision. */
    if (wall_clock->is_lent)
        (void)jtgi_wall_clock_now(wall_clock, &first, NULL);
    return JTG_OK;
}

void jtgi_wall_clock_clear(struct jtgi_wall_clock *wall_clock)
{
    (void)pthread_mutex_destroy(&wall_clock->own_lock);
}

/* ---- judging a span ---- */

static bool has_another_record(const struct jtgi_wall_clock *wall_clock,
                               const struct jtgi_reading *asked)
{
    void *memory = NULL;
    return wall_clock->is_lent && (jtgi_lent_find(wall_clock->of.cache, wall_clock->of.borrower,
                                                  &memory, NULL) != JTG_OK ||
                                   memory != asked->record);
}

bool jtgi_wall_clock_is_late(const struct jtgi_wall_clock *wall_clock,
                             const struct jtgi_reading *asked, int64_t monotonic_ms)
{
    return monotonic_ms - asked->monotonic_ms > wall_clock->of.margin_ms ||
           has_another_record(wall_clock, asked) ||
           (wall_clock->is_dated_by_it &&
            asked->events != jtgi_record_load(&asked->record->events));
}

/* The start is dated by the furthest clock seen: a clock that was too early at the start, as on a
 * machine without a battery, would else date it before tokens that were used before it. */
bool jtgi_wall_clock_may_predate(const struct jtgi_wall_clock *wall_clock,
                                 const struct jtgi_span *span)
{
    return span->earliest_ms <=
           wall_clock->start_monotonic_ms + jtgi_record_load(&wall_clock->start_greatest_ms);
}

/* Can it have been used under an offset that an event has closed? */
static bool may_be_of_closed(const struct jtgi_clock_record *record, const struct jtgi_span *span)
{
    return span->earliest_ms <= jtgi_record_load(&record->reached_ms) &&
           span->until_ms > jtgi_record_load(&record->floor_ms);
}

/* By then every record of it may have ended, also that of one with a smaller margin. */
static int64_t kept_until(const struct jtgi_wall_clock *wall_clock,
                          const struct jtgi_clock_record *record, const struct jtgi_span *span)
{
    return span->kept_until_ms -
           (wall_clock->of.margin_ms - jtgi_record_load(&record->least_margin_ms));
}

bool jtgi_wall_clock_may_have_lost(const struct jtgi_wall_clock *wall_clock,
                                   const struct jtgi_span *span, const struct jtgi_reading *asked,
                                   int64_t monotonic_ms)
{
    const struct jtgi_clock_record *record = asked->record;
    int64_t offset = jtgi_record_load(&record->offset_ms); /* first: see close_locked() */
    int64_t end = kept_until(wall_clock, record, span);
    if (monotonic_ms + offset >= end)
        return true;
    return may_be_of_closed(record, span) &&
           monotonic_ms + jtgi_record_load(&record->greatest_ms) >= end;
}

int64_t jtgi_wall_clock_ahead(const struct jtgi_wall_clock *wall_clock,
                              const struct jtgi_span *span, const struct jtgi_reading *now)
{
    const struct jtgi_clock_record *record = now->record;
    int64_t ahead = jtgi_record_load(&record->greatest_ms) - (now->wall_ms - now->monotonic_ms);
    return ahead > wall_clock->of.margin_ms && may_be_of_closed(record, span) ? ahead : 0;
}
