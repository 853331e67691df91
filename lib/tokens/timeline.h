/* SPDX-License-Identifier: Apache-2.0 */
/* The wall clock, and what follows from its having been set: which records may have ended although
 * their flights are acceptable again. The same attack and the same argument as in
 * docs/decisions/0003-clock-set-back.md, for flights in place of tokens. */
#ifndef JTGI_TOKENS_TIMELINE_H
#define JTGI_TOKENS_TIMELINE_H

#include "tokens/freshness.h"

#include <pthread.h>
#include <stdbool.h>

/* Offsets are the wall clock less the monotonic one. */
struct jtgi_timeline {
    const jtg_clock *clock;   /* borrowed */
    const jtg_logger *logger; /* borrowed */
    int64_t margin_ms;
    int64_t start_monotonic_ms;
    pthread_mutex_t lock;   /* held for a look at the clocks; guards what follows */
    int64_t offset_ms;      /* greatest since the clock was last set back */
    int64_t greatest_ms;    /* greatest of all */
    int64_t before_step_ms; /* offset before the last step forward that was wider than the margin */
    int64_t step_wall_ms;   /* the wall clock right after that step */
    /* Flights that were accepted before the clock was set back were so while it stood between
     * these. */
    int64_t floor_ms;
    int64_t reached_ms;
    int64_t closed_ms; /* greatest offset from before the clock was set back */
};

/* One look. */
struct jtgi_instant {
    int64_t wall_ms;
    int64_t start_ms;   /* when the timeline was made, by the furthest clock seen */
    int64_t closed_now; /* what the furthest clock that was set back would show now */
    int64_t floor_ms;
    int64_t reached_ms;
};

/* Returns: JTG_OK · JTG_ERR_ARGUMENT (the clock gives no usable time) · JTG_ERR_MEMORY */
jtg_status jtgi_timeline_init(struct jtgi_timeline *timeline, const jtg_clock *clock,
                              const jtg_logger *logger, int64_t margin_ms, jtg_error *err);
void jtgi_timeline_clear(struct jtgi_timeline *timeline);

/* Read the clocks, and notice whether the wall clock was set. False if they give no usable time. */
bool jtgi_timeline_now(struct jtgi_timeline *timeline, struct jtgi_instant *now);

/* May a record of this flight, made by this process or by one like it, have ended already? */
bool jtgi_timeline_lost(const struct jtgi_instant *now, const struct jtgi_fresh_span *span);

/* May it have been accepted before the timeline was made? */
bool jtgi_timeline_predates(const struct jtgi_instant *now, const struct jtgi_fresh_span *span);

#endif
