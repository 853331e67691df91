/* SPDX-License-Identifier: Apache-2.0 */
/* The wall clock, and what follows from its having been set: which records of uses may have ended
 * although what was used is acceptable again. The one place that compares the two clocks; the proof
 * is in docs/decisions/0003-clock-set-back.md. */
#ifndef JTGI_CORE_WALL_CLOCK_H
#define JTGI_CORE_WALL_CLOCK_H

#include "core/clock_record.h"

#include <jtiguard/backend.h>
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

/* The clocks as one decision has read them, and where that was noted. */
struct jtgi_reading {
    int64_t monotonic_ms;
    int64_t wall_ms;
    const struct jtgi_clock_record *record;
    int64_t events; /* of the record, until then */
};

/* Whose wall clock it is: what does not change. */
struct jtgi_wall_clock_of {
    const jtg_clock *clock;   /* borrowed */
    const jtg_logger *logger; /* borrowed */
    const char *whose;        /* what passes once, for the log: static, plural */
    int64_t margin_ms;
    jtg_cache *cache; /* borrowed: who judges by one store learns together; NULL: none is there */
    jtg_borrower borrower;
};

struct jtgi_wall_clock {
    struct jtgi_wall_clock_of of;
    bool is_lent;                                   /* the record, by the store */
    bool is_dated_by_it;                            /* what the store has kept, on the wall clock */
    _Atomic(const struct jtgi_clock_record *) last; /* that was lent; NULL: none yet */
    int64_t start_monotonic_ms;
    _Atomic int64_t start_greatest_ms; /* offset, of those that were read here */

    /* Where the store lends nothing. */
    struct jtgi_clock_record own;
    pthread_mutex_t own_lock;
};

/* What is borrowed must stay until the end. A store that lends now is asked for its record in each
 * decision; it need not be there yet.
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (the clock gives no usable time) · JTG_ERR_MEMORY */
jtg_status jtgi_wall_clock_init(struct jtgi_wall_clock *wall_clock,
                                const struct jtgi_wall_clock_of *of, jtg_error *err);
void jtgi_wall_clock_clear(struct jtgi_wall_clock *wall_clock);

/* Read the clocks for one decision, and notice whether the wall clock was set. The monotonic one is
 * read after the wall clock: a pause between the two then makes the wall clock look further behind
 * than it is, which refuses.
 * Returns: JTG_OK · JTG_ERR_SYSTEM (they give no usable time) · JTG_ERR_… of a store that lends:
 * nothing was noted, and nothing may be decided by this reading */
jtg_status jtgi_wall_clock_now(struct jtgi_wall_clock *wall_clock, struct jtgi_reading *now,
                               jtg_error *err);

/* Read them only: for what is no decision. False if they give no usable time. */
bool jtgi_wall_clock_read(const struct jtgi_wall_clock *wall_clock, struct jtgi_moment *moment);

/* Is a judgement of that reading too old to be acted on? The clocks are read without a lock, so
 * that a thread that stopped behind its reading comes with an offset from before changes that
 * others have noticed. The proof allows that for the margin; whoever says yes asks this with the
 * time of the answer. It is too old as well if the store has another record by now, for those who
 * use what it reserves do not see that it was noted; and if the clock was set back meanwhile, where
 * the store said by the clock since when it has kept everything. */
bool jtgi_wall_clock_is_late(const struct jtgi_wall_clock *wall_clock,
                             const struct jtgi_reading *asked, int64_t monotonic_ms);

/* May it have been accepted before this object was made? */
bool jtgi_wall_clock_may_predate(const struct jtgi_wall_clock *wall_clock,
                                 const struct jtgi_span *span);

/* May a record of it have ended by this moment although it is acceptable? By what was learnt where
 * asked was noted. */
bool jtgi_wall_clock_may_have_lost(const struct jtgi_wall_clock *wall_clock,
                                   const struct jtgi_span *span, const struct jtgi_reading *asked,
                                   int64_t monotonic_ms);

/* How much earlier than its times say it may have been used, by the clock as it stands: by as much
 * as a clock under which it can have been accepted was ahead. 0, or more than the margin. */
int64_t jtgi_wall_clock_ahead(const struct jtgi_wall_clock *wall_clock,
                              const struct jtgi_span *span, const struct jtgi_reading *now);

#endif
