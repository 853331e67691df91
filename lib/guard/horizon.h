/* SPDX-License-Identifier: Apache-2.0 */
/* What the guard makes of the wall clock: which tokens the store may have forgotten although they
 * are acceptable. */
#ifndef JTGI_GUARD_HORIZON_H
#define JTGI_GUARD_HORIZON_H

#include "core/wall_clock.h"
#include "guard/retention.h"

struct jtgi_horizon {
    struct jtgi_wall_clock wall_clock;
    bool restart_rule;
};

/* May an earlier use of a token with this life have been forgotten by this moment, by what was
 * learnt where asked was noted? JTG_REASON_ADMITTED if certainly not. */
jtg_reason jtgi_horizon_judge(const struct jtgi_horizon *horizon, const struct jtgi_life *life,
                              const struct jtgi_reading *asked, int64_t monotonic_ms);

/* The store has answered: was the answer in time to be relied on?
 * JTG_REASON_ADMITTED if the token is still acceptable and cannot have been forgotten before
 * the store looked. */
jtg_reason jtgi_horizon_settle(const struct jtgi_horizon *horizon, const struct jtgi_life *life,
                               const struct jtgi_reading *asked);

/* Since when must the store have kept everything, by the clock as it stands, for the store to know
 * of every earlier use of a token with this life? */
int64_t jtgi_horizon_kept_since(const struct jtgi_horizon *horizon, const struct jtgi_life *life,
                                const struct jtgi_reading *now);

#endif
