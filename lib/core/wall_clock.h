/* SPDX-License-Identifier: Apache-2.0 */
/* The wall clock, and what follows from its having been set: which records of uses may have ended
 * although what was used is acceptable again. The one place that compares the two clocks; the proof
 * is in docs/decisions/0003-clock-set-back.md. */
#ifndef JTGI_CORE_WALL_CLOCK_H
#define JTGI_CORE_WALL_CLOCK_H

#include "core/clock.h"

#include <jtiguard/log.h>
#include <jtiguard/status.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* When something that passes once can be accepted, were no use of it recorded: not before
 * earliest_ms, and before until_ms. A record of an earlier use lives to kept_until_ms at least, by
 * the clock of that use; later than this one by more than the margin.
 */
struct jtgi_span {
    int64_t earliest_ms;
    int64_t until_ms;
    int64_t kept_until_ms;
};

struct jtgi_wall_clock {
    const jtg_clock *clock;   /* borrowed */
    const jtg_logger *logger; /* borrowed */
    const char *whose;        /* what passes once, for the log: static, plural */
    int64_t margin_ms;
    int64_t start_monotonic_ms;

    /* An offset is wall minus monotonic clock. Written under the lock, read without it. */
    _Atomic int64_t offset_ms;   /* greatest since the clock was last set back */
    _Atomic int64_t greatest_ms; /* greatest of all */
    /* Records from before the clock was set back were made when the wall clock stood between these
     * two. */
    _Atomic int64_t floor_ms;
    _Atomic int64_t reached_ms;

    pthread_mutex_t lock;   /* taken only when one of them changes; nothing is called under it */
    int64_t before_step_ms; /* offset before the last step forward that was wider than the margin */
    int64_t step_wall_ms;   /* the wall clock right after that step */
    int64_t settled_reached_ms;
    unsigned unsettled; /* events whose reached_ms is not known yet */
};

/* Returns: JTG_OK · JTG_ERR_ARGUMENT (the clock gives no usable time) · JTG_ERR_MEMORY */
jtg_status jtgi_wall_clock_init(struct jtgi_wall_clock *wall_clock, const jtg_clock *clock,
                                const jtg_logger *logger, const char *whose, int64_t margin_ms,
                                jtg_error *err);
void jtgi_wall_clock_clear(struct jtgi_wall_clock *wall_clock);

/* Read the clocks for one decision, and notice whether the wall clock was set. The monotonic one is
 * read after the wall clock: a pause between the two then makes the wall clock look further behind
 * than it is, which refuses. False if they give no usable time. */
bool jtgi_wall_clock_now(struct jtgi_wall_clock *wall_clock, struct jtgi_moment *now);

/* Read them only: for what is no decision. */
bool jtgi_wall_clock_read(const struct jtgi_wall_clock *wall_clock, struct jtgi_moment *moment);

/* Is a judgement of that moment too old to be acted on? The clocks are read without a lock, so that
 * a thread that stopped behind its reading comes with an offset from before changes that others
 * have noticed. The proof allows that for the margin; whoever says yes asks this with the time of
 * the answer. */
bool jtgi_wall_clock_is_late(const struct jtgi_wall_clock *wall_clock,
                             const struct jtgi_moment *asked, int64_t monotonic_ms);

/* May it have been accepted before this object was made? */
bool jtgi_wall_clock_may_predate(const struct jtgi_wall_clock *wall_clock,
                                 const struct jtgi_span *span);

/* May a record of it have ended by this moment although it is acceptable? */
bool jtgi_wall_clock_may_have_lost(const struct jtgi_wall_clock *wall_clock,
                                   const struct jtgi_span *span, int64_t monotonic_ms);

/* How much earlier than its times say it may have been used, by the clock as it stands: by as much
 * as a clock under which it can have been accepted was ahead. 0, or more than the margin. */
int64_t jtgi_wall_clock_ahead(const struct jtgi_wall_clock *wall_clock,
                              const struct jtgi_span *span, const struct jtgi_moment *now);

#endif
