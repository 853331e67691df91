/* SPDX-License-Identifier: Apache-2.0 */
/* Setting the clock back by no more than the margin is harmless and goes unnoticed. Beyond it an
 * event closes the offsets seen so far: a token that can have been used under them is judged by
 * the greatest of them from then on, and the greatest offset starts anew, so that later tokens
 * are judged by the clock as it stands and the next event is noticed like the first.
 *
 * A clock that jumped ahead and was corrected must not refuse everything until time catches up:
 * under the clock that was ahead only tokens were accepted that had not expired on it. That is
 * floor_ms, and why the last step forward is remembered.
 */
#include "core/clock_record.h"

#include <jtiguard/backend.h>

enum { VERSION = 1 };

_Static_assert(sizeof(struct jtgi_clock_record) <= JTG_LENT_BYTES, "it lies in lent memory");

static int64_t load(const _Atomic int64_t *value)
{
    return jtgi_record_load(value);
}

static void store(_Atomic int64_t *value, int64_t to)
{
    atomic_store_explicit(value, to, memory_order_release);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t greatest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static uint32_t version_of(const struct jtgi_clock_record *record)
{
    return atomic_load_explicit(&record->version, memory_order_acquire);
}

bool jtgi_clock_record_is_begun(const struct jtgi_clock_record *record)
{
    return version_of(record) == VERSION;
}

bool jtgi_clock_record_is_foreign(const struct jtgi_clock_record *record)
{
    uint32_t version = version_of(record);
    return version != 0 && (version != VERSION || record->size != sizeof *record);
}

bool jtgi_clock_record_is_set_back(const struct jtgi_clock_record *record, int64_t offset_ms,
                                   int64_t margin_ms)
{
    return load(&record->offset_ms) - offset_ms > margin_ms;
}

bool jtgi_clock_record_is_unsettled(const struct jtgi_clock_record *record)
{
    return load(&record->closing_ms) != JTGI_NEVER;
}

static bool has_joined(const struct jtgi_clock_record *record, int64_t margin_ms)
{
    return load(&record->least_margin_ms) <= margin_ms &&
           load(&record->greatest_margin_ms) >= margin_ms;
}

bool jtgi_clock_record_is_behind(const struct jtgi_clock_record *record, int64_t offset_ms,
                                 int64_t margin_ms)
{
    return !jtgi_clock_record_is_begun(record) || offset_ms > load(&record->offset_ms) ||
           jtgi_clock_record_is_set_back(record, offset_ms, margin_ms) ||
           jtgi_clock_record_is_unsettled(record) || !has_joined(record, margin_ms);
}

/* ---- to begin it ---- */

/* Whoever dies before the last store has begun nothing. */
static void begin_locked(struct jtgi_clock_record *record, int64_t offset_ms, int64_t margin_ms)
{
    record->size = sizeof *record;
    store(&record->offset_ms, offset_ms);
    store(&record->greatest_ms, offset_ms);
    store(&record->floor_ms, JTGI_ALWAYS);
    store(&record->reached_ms, JTGI_NEVER);
    store(&record->closing_ms, JTGI_NEVER);
    store(&record->least_margin_ms, margin_ms);
    store(&record->events, 0);
    store(&record->greatest_margin_ms, margin_ms);
    store(&record->before_step_ms, JTGI_NEVER);
    store(&record->step_wall_ms, JTGI_NEVER);
    store(&record->settled_reached_ms, JTGI_NEVER);
    atomic_store_explicit(&record->version, VERSION, memory_order_release);
}

void jtgi_clock_record_join_locked(struct jtgi_clock_record *record,
                                   const struct jtgi_moment *moment, int64_t margin_ms)
{
    if (!jtgi_clock_record_is_begun(record))
        begin_locked(record, jtgi_offset_of(moment), margin_ms);
    if (has_joined(record, margin_ms))
        return;
    store(&record->least_margin_ms, least(load(&record->least_margin_ms), margin_ms));
    store(&record->greatest_margin_ms, greatest(load(&record->greatest_margin_ms), margin_ms));
}

/* ---- noting that the clock was set ---- */

/* The step is noted after the offset, and the clock behind it last. A step that was noted, but not
 * taken, would give uses of before it a floor; so would its clock beside an earlier offset. */
static void raise_locked(struct jtgi_clock_record *record, const struct jtgi_moment *moment,
                         int64_t margin_ms)
{
    int64_t offset = jtgi_offset_of(moment);
    int64_t before = load(&record->offset_ms);
    store(&record->greatest_ms, greatest(load(&record->greatest_ms), offset));
    store(&record->offset_ms, offset);
    if (offset - before <= margin_ms)
        return;
    store(&record->before_step_ms, before);
    store(&record->step_wall_ms, moment->wall_ms);
}

/* A step that a later event must not take for its own. Without its clock the floor is below
 * everything; without what was before it, its clock would be a floor for all that is closed. */
static void forget_step_locked(struct jtgi_clock_record *record)
{
    store(&record->step_wall_ms, JTGI_NEVER);
    store(&record->before_step_ms, JTGI_NEVER);
}

/* Close the offsets seen so far. Records from before the last step forward stay open where the new
 * offset does them no harm: that is the clock that jumped ahead and was corrected.
 *
 * Who does not hold the lock reads offset_ms first: one that sees the new offset also sees the
 * rest. Until the event is settled everything may have been used before it, and the offset is
 * lowered when all else is careful. */
static void close_locked(struct jtgi_clock_record *record, int64_t offset, int64_t margin_ms)
{
    int64_t before_step = load(&record->before_step_ms);
    int64_t step_wall = load(&record->step_wall_ms);
    bool step_undone = offset + margin_ms >= before_step;
    int64_t late = 2 * load(&record->greatest_margin_ms);
    int64_t floor = step_undone ? step_wall - late : JTGI_NEVER;

    store(&record->closing_ms, load(&record->offset_ms));
    store(&record->floor_ms, least(load(&record->floor_ms), floor));
    store(&record->reached_ms, JTGI_ALWAYS);
    forget_step_locked(record);
    store(&record->events, load(&record->events) + 1);
    store(&record->offset_ms, step_undone ? greatest(offset, before_step) : offset);
}

int64_t jtgi_clock_record_note_locked(struct jtgi_clock_record *record,
                                      const struct jtgi_moment *moment, int64_t margin_ms)
{
    int64_t offset = jtgi_offset_of(moment);
    int64_t before = load(&record->offset_ms);
    if (jtgi_clock_record_is_set_back(record, offset, margin_ms)) {
        close_locked(record, offset, margin_ms);
        return before - offset;
    }
    if (offset > before)
        raise_locked(record, moment, margin_ms);
    return 0;
}

/* How far the clock had come under the offsets that were closed. It is read after they were:
 * whoever relied on one of them had read it before. One that died before it lowered the offset has
 * closed nothing; then this says more than it must. */
void jtgi_clock_record_settle_locked(struct jtgi_clock_record *record, int64_t monotonic_ms)
{
    int64_t reached =
        monotonic_ms == JTGI_ALWAYS ? JTGI_ALWAYS : monotonic_ms + load(&record->closing_ms);
    store(&record->settled_reached_ms, greatest(load(&record->settled_reached_ms), reached));
    store(&record->reached_ms, load(&record->settled_reached_ms));
    store(&record->closing_ms, JTGI_NEVER);
}

/* ---- a store in the place of another ---- */

static int64_t reached_by(const struct jtgi_clock_record *from, int64_t monotonic_ms)
{
    int64_t closing = load(&from->closing_ms);
    if (closing == JTGI_NEVER || monotonic_ms == JTGI_ALWAYS)
        return load(&from->reached_ms);
    return greatest(load(&from->settled_reached_ms), monotonic_ms + closing);
}

/* What is open there is open here, and is closed by the next event: without a floor, for the steps
 * are not the same. */
void jtgi_clock_record_inherit_locked(struct jtgi_clock_record *record,
                                      const struct jtgi_clock_record *from, int64_t monotonic_ms)
{
    int64_t reached = reached_by(from, monotonic_ms);
    store(&record->greatest_ms, greatest(load(&record->greatest_ms), load(&from->greatest_ms)));
    store(&record->floor_ms, least(load(&record->floor_ms), load(&from->floor_ms)));
    store(&record->settled_reached_ms, greatest(load(&record->settled_reached_ms), reached));
    store(&record->reached_ms, greatest(load(&record->reached_ms), reached));
    if (load(&from->offset_ms) <= load(&record->offset_ms))
        return;
    forget_step_locked(record);
    store(&record->offset_ms, load(&from->offset_ms));
}
