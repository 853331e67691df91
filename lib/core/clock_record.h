/* SPDX-License-Identifier: Apache-2.0 */
/* What was learnt of the wall clock by all who judge by one store: the numbers of
 * docs/decisions/0003-clock-set-back.md, without a pointer and of fixed width, so that they can lie
 * in memory that a store lends and several processes map.
 *
 * Whoever changes them may be killed between any two stores. So the stores have an order: each that
 * is done leaves a record that is right, or refuses more than it must. The functions `…_locked` are
 * for who holds the record's lock; the others need none. */
#ifndef JTGI_CORE_CLOCK_RECORD_H
#define JTGI_CORE_CLOCK_RECORD_H

#include "core/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Later and earlier than any time, and far enough from the ends of int64_t to be added to. */
#define JTGI_ALWAYS (INT64_MAX / 2)
#define JTGI_NEVER  (INT64_MIN / 2)

/* All zero before the first one begins it. An offset is wall minus monotonic clock. */
struct jtgi_clock_record {
    _Atomic uint32_t version; /* 0: not begun; stored last */
    uint32_t size;

    /* Read without the lock, offset_ms first. */
    _Atomic int64_t offset_ms;   /* greatest since the clock was last set back */
    _Atomic int64_t greatest_ms; /* greatest of all */
    /* What was used before the clock was set back was used when the wall clock stood between these
     * two. */
    _Atomic int64_t floor_ms;
    _Atomic int64_t reached_ms;
    _Atomic int64_t closing_ms;      /* the offset that an unsettled event closes, or JTGI_NEVER */
    _Atomic int64_t least_margin_ms; /* of all who ever judged by it: so short a record is kept */
    _Atomic int64_t events;          /* how often offset_ms was lowered; stored before it is */

    /* Under the lock. Atomic only so that the compiler keeps the order of the stores. */
    _Atomic int64_t greatest_margin_ms; /* of all of them: so late an answer is believed */
    _Atomic int64_t before_step_ms; /* offset before the last step forward wider than the margin */
    _Atomic int64_t step_wall_ms;   /* the wall clock right after that step */
    _Atomic int64_t settled_reached_ms;
};

static inline int64_t jtgi_offset_of(const struct jtgi_moment *moment)
{
    return moment->wall_ms - moment->monotonic_ms;
}

static inline int64_t jtgi_record_load(const _Atomic int64_t *value)
{
    return atomic_load_explicit(value, memory_order_acquire);
}

/* Begun, and of a layout that we know? */
bool jtgi_clock_record_is_begun(const struct jtgi_clock_record *record);
bool jtgi_clock_record_is_foreign(const struct jtgi_clock_record *record);

/* Would this reading, of one with this margin, change the record, or is there something to settle?
 * Then the lock is needed. */
bool jtgi_clock_record_is_behind(const struct jtgi_clock_record *record, int64_t offset_ms,
                                 int64_t margin_ms);

/* Does this offset lie below the greatest by more than the margin? The record is begun. */
bool jtgi_clock_record_is_set_back(const struct jtgi_clock_record *record, int64_t offset_ms,
                                   int64_t margin_ms);

/* Begin it if nobody has, and take one with this margin in. */
void jtgi_clock_record_join_locked(struct jtgi_clock_record *record,
                                   const struct jtgi_moment *moment, int64_t margin_ms);

/* Note a reading: how far the clock was set back, 0 if it was not. After an event it must be
 * settled before the lock is let go. */
int64_t jtgi_clock_record_note_locked(struct jtgi_clock_record *record,
                                      const struct jtgi_moment *moment, int64_t margin_ms);

/* Take over what was learnt by another record, of a store that this one's has replaced: what was
 * used there is dated by it. The record is begun. monotonic_ms as in settling. */
void jtgi_clock_record_inherit_locked(struct jtgi_clock_record *record,
                                      const struct jtgi_clock_record *from, int64_t monotonic_ms);

/* Does an event wait to be settled, also one of a holder that is dead? */
bool jtgi_clock_record_is_unsettled(const struct jtgi_clock_record *record);

/* The monotonic clock, read under the lock; JTGI_ALWAYS if it gives no usable time. */
void jtgi_clock_record_settle_locked(struct jtgi_clock_record *record, int64_t monotonic_ms);

#endif
