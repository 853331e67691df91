/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/horizon.h"

jtg_reason jtgi_horizon_judge(const struct jtgi_horizon *horizon, const struct jtgi_life *life,
                              const struct jtgi_reading *asked, int64_t monotonic_ms)
{
    /* First, as the look at the offset comes first there; what the start says grows only stricter.
     */
    bool lost =
        jtgi_wall_clock_may_have_lost(&horizon->wall_clock, &life->span, asked, monotonic_ms);
    if (horizon->restart_rule && jtgi_wall_clock_may_predate(&horizon->wall_clock, &life->span))
        return JTG_REASON_ISSUED_BEFORE_START;
    return lost ? JTG_REASON_CLOCK_SET_BACK : JTG_REASON_ADMITTED;
}

/* A token that was used under a clock that was ahead was used earlier than it says, by as much; and
 * the loss is dated by clocks that are right. */
int64_t jtgi_horizon_kept_since(const struct jtgi_horizon *horizon, const struct jtgi_life *life,
                                const struct jtgi_reading *now)
{
    return life->kept_since_ms - jtgi_wall_clock_ahead(&horizon->wall_clock, &life->span, now);
}

/* A thread can be stopped, and a store can be slow, between the look at the clock and the store's
 * answer: long enough for an earlier reservation to end. So the token is judged again, by the
 * time of the answer. A wait beyond the margin is never relied on; the reservation is ours, and
 * asking again with its owner settles it. */
jtg_reason jtgi_horizon_settle(const struct jtgi_horizon *horizon, const struct jtgi_life *life,
                               const struct jtgi_reading *asked)
{
    struct jtgi_moment now;
    if (!jtgi_wall_clock_read(&horizon->wall_clock, &now))
        return JTG_REASON_OUTCOME_UNKNOWN;
    int64_t waited = now.monotonic_ms - asked->monotonic_ms;
    int64_t at_least = asked->wall_ms + waited;
    if ((at_least > now.wall_ms ? at_least : now.wall_ms) >= life->span.until_ms)
        return JTG_REASON_EXPIRED;
    if (jtgi_wall_clock_is_late(&horizon->wall_clock, asked, now.monotonic_ms))
        return JTG_REASON_OUTCOME_UNKNOWN;
    return jtgi_horizon_judge(horizon, life, asked, now.monotonic_ms);
}
