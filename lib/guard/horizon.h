/* SPDX-License-Identifier: Apache-2.0 */
/* What the store may have forgotten although it could be accepted again: the one place that
 * compares the two clocks. The proof is in docs/decisions/0003-clock-set-back.md. */
#ifndef JTGI_GUARD_HORIZON_H
#define JTGI_GUARD_HORIZON_H

#include "guard/retention.h"

#include <jtiguard/clock.h>
#include <jtiguard/log.h>
#include <pthread.h>
#include <stdatomic.h>

/* Both clocks, the monotonic one read after the wall clock: a pause between the two then makes
 * the wall clock look further behind than it is, which refuses. */
struct jtgi_moment {
    int64_t wall_ms;
    int64_t monotonic_ms;
};

struct jtgi_horizon {
    const struct jtgi_limits *limits; /* borrowed */
    const jtg_clock *clock;           /* borrowed */
    const jtg_logger *logger;         /* borrowed */
    bool restart_rule;
    int64_t start_monotonic_ms;

    /* An offset is wall minus monotonic clock. Written under the lock, read without it. */
    _Atomic int64_t offset_ms;   /* greatest since the clock was last set back */
    _Atomic int64_t greatest_ms; /* greatest of all */
    /* Reservations from before the clock was set back were made when the wall clock stood
     * between these two. */
    _Atomic int64_t floor_ms;
    _Atomic int64_t reached_ms;

    pthread_mutex_t lock;   /* taken only when one of them changes; nothing is called under it */
    int64_t before_step_ms; /* offset before the last step forward that was wider than the margin */
    int64_t step_wall_ms;   /* the wall clock right after that step */
    int64_t settled_reached_ms;
    unsigned unsettled; /* events whose reached_ms is not known yet */
};

/* Returns: JTG_OK · JTG_ERR_ARGUMENT (the clock gives no usable time) · JTG_ERR_MEMORY */
jtg_status jtgi_horizon_init(struct jtgi_horizon *horizon, const struct jtgi_limits *limits,
                             const jtg_clock *clock, const jtg_logger *logger, bool restart_rule,
                             jtg_error *err);
void jtgi_horizon_clear(struct jtgi_horizon *horizon);

/* Read the clocks for one decision, and notice whether the wall clock was set.
 * False if they give no usable time. */
bool jtgi_horizon_now(struct jtgi_horizon *horizon, struct jtgi_moment *now);

/* May an earlier use of a token with this life have been forgotten by this moment?
 * JTG_REASON_ADMITTED if certainly not. */
jtg_reason jtgi_horizon_judge(const struct jtgi_horizon *horizon, const struct jtgi_life *life,
                              int64_t monotonic_ms);

/* The store has answered: was the answer in time to be relied on?
 * JTG_REASON_ADMITTED if the token is still acceptable and cannot have been forgotten before
 * the store looked. */
jtg_reason jtgi_horizon_settle(const struct jtgi_horizon *horizon, const struct jtgi_life *life,
                               const struct jtgi_moment *asked);

/* Since when must the store have kept everything, by the clock as it stands, for the store to know
 * of every earlier use of a token with this life? */
int64_t jtgi_horizon_kept_since(const struct jtgi_horizon *horizon, const struct jtgi_life *life,
                                const struct jtgi_moment *now);

#endif
