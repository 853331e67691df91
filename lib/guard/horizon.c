/* SPDX-License-Identifier: Apache-2.0 */
/* The attack: a token is used; its reservation ends; the wall clock is set back, and the token
 * is acceptable again. Or: the process restarts with an empty store while the token lives.
 *
 * A reservation that was made when the offset (wall minus monotonic clock) was o ends when the
 * monotonic clock reaches kept_until - o. So at monotonic time m it may have ended only if
 * m + o >= kept_until: if on the furthest clock under which the token can have been used it is
 * over, margin included. That, and nothing else, is what jtgi_horizon_judge() asks.
 *
 * Setting the clock back by no more than the margin is harmless and goes unnoticed. Beyond it an
 * event closes the offsets seen so far: a token that can have been used under them is judged by
 * the greatest of them from then on, and the greatest offset starts anew, so that later tokens
 * are judged by the clock as it stands and the next event is noticed like the first.
 *
 * A clock that jumped ahead and was corrected must not refuse everything until time catches up:
 * under the clock that was ahead only tokens were accepted that had not expired on it. That is
 * floor_ms, and why the last step forward is remembered.
 */
#include "guard/horizon.h"

#include "core/clock.h"
#include "core/log.h"

#include <inttypes.h>

/* Later and earlier than any time, and far enough from the ends of int64_t to be added to. */
#define ALWAYS (INT64_MAX / 2)
#define NEVER  (INT64_MIN / 2)
/* A monotonic clock may count from anywhere, but not so far off that sums would overflow. */
#define MONOTONIC_LIMIT_MS (INT64_MAX / 8)

/* A pause between reading the two clocks looks like a clock set back. It passes; a real one
 * stays. */
enum { READINGS = 3 };

static int64_t load(const _Atomic int64_t *value)
{
    return atomic_load_explicit(value, memory_order_acquire);
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

static int64_t offset_of(const struct jtgi_moment *moment)
{
    return moment->wall_ms - moment->monotonic_ms;
}

static bool read_monotonic(const struct jtgi_horizon *horizon, int64_t *monotonic_ms)
{
    *monotonic_ms = jtgi_clock_monotonic_ms(horizon->clock);
    return *monotonic_ms >= -MONOTONIC_LIMIT_MS && *monotonic_ms <= MONOTONIC_LIMIT_MS;
}

static bool read_clocks(const struct jtgi_horizon *horizon, struct jtgi_moment *moment)
{
    moment->wall_ms = jtgi_clock_wall_ms(horizon->clock);
    return read_monotonic(horizon, &moment->monotonic_ms) && moment->wall_ms >= 0 &&
           moment->wall_ms <= JTG_TIME_MAX_MS;
}

jtg_status jtgi_horizon_init(struct jtgi_horizon *horizon, const struct jtgi_limits *limits,
                             const jtg_clock *clock, const jtg_logger *logger, bool restart_rule,
                             jtg_error *err)
{
    struct jtgi_moment start;
    horizon->limits = limits;
    horizon->clock = clock;
    horizon->logger = logger;
    horizon->restart_rule = restart_rule;
    if (!read_clocks(horizon, &start))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "clock: it gives no usable time");
    if (pthread_mutex_init(&horizon->lock, NULL) != 0)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for a lock");
    horizon->start_monotonic_ms = start.monotonic_ms;
    atomic_init(&horizon->offset_ms, offset_of(&start));
    atomic_init(&horizon->greatest_ms, offset_of(&start));
    atomic_init(&horizon->floor_ms, ALWAYS);
    atomic_init(&horizon->reached_ms, NEVER);
    horizon->before_step_ms = NEVER;
    horizon->step_wall_ms = NEVER;
    horizon->settled_reached_ms = NEVER;
    horizon->unsettled = 0;
    return JTG_OK;
}

void jtgi_horizon_clear(struct jtgi_horizon *horizon)
{
    (void)pthread_mutex_destroy(&horizon->lock);
}

/* ---- noticing that the clock was set ---- */

static bool is_set_back(const struct jtgi_horizon *horizon, int64_t offset)
{
    return load(&horizon->offset_ms) - offset > horizon->limits->margin_ms;
}

static void raise_locked(struct jtgi_horizon *horizon, const struct jtgi_moment *moment)
{
    int64_t offset = offset_of(moment);
    int64_t before = load(&horizon->offset_ms);
    if (offset - before > horizon->limits->margin_ms) {
        horizon->before_step_ms = before;
        horizon->step_wall_ms = moment->wall_ms;
    }
    store(&horizon->greatest_ms, greatest(load(&horizon->greatest_ms), offset));
    store(&horizon->offset_ms, offset);
}

/* Close the offsets seen so far. Reservations from before the last step forward stay open where
 * the new offset does them no harm: that is the clock that jumped ahead and was corrected.
 *
 * A thread that does not hold the lock reads offset_ms first: one that sees the new offset also
 * sees the rest. Until the event is settled everything may have been used before it. */
static void close_locked(struct jtgi_horizon *horizon, int64_t offset)
{
    int64_t margin = horizon->limits->margin_ms;
    bool step_undone = offset + margin >= horizon->before_step_ms;
    int64_t floor = step_undone ? horizon->step_wall_ms - 2 * margin : NEVER;

    store(&horizon->floor_ms, least(load(&horizon->floor_ms), floor));
    store(&horizon->reached_ms, ALWAYS);
    horizon->unsettled++;
    store(&horizon->offset_ms, step_undone ? greatest(offset, horizon->before_step_ms) : offset);
    horizon->before_step_ms = NEVER;
    horizon->step_wall_ms = NEVER;
}

/* How far the clock had come under the offsets that were closed. The clock is read after they
 * were: whoever relied on one of them had read it before. */
static void settle_event(struct jtgi_horizon *horizon, int64_t closed_offset)
{
    int64_t now = 0;
    bool usable = read_monotonic(horizon, &now);
    (void)pthread_mutex_lock(&horizon->lock);
    horizon->settled_reached_ms =
        greatest(horizon->settled_reached_ms, usable ? now + closed_offset : ALWAYS);
    if (--horizon->unsettled == 0)
        store(&horizon->reached_ms, horizon->settled_reached_ms);
    (void)pthread_mutex_unlock(&horizon->lock);
}

static void register_change(struct jtgi_horizon *horizon, const struct jtgi_moment *moment)
{
    int64_t offset = offset_of(moment);
    (void)pthread_mutex_lock(&horizon->lock);
    int64_t before = load(&horizon->offset_ms);
    bool set_back = is_set_back(horizon, offset);
    if (set_back)
        close_locked(horizon, offset);
    else if (offset > before)
        raise_locked(horizon, moment);
    (void)pthread_mutex_unlock(&horizon->lock);

    if (!set_back)
        return;
    settle_event(horizon, before);
    jtgi_log(horizon->logger, JTG_LOG_ERROR,
             "the wall clock was set back by %" PRId64 " ms: tokens whose earlier use may be "
             "forgotten are refused as clock_set_back; set the clock right and keep it so",
             before - offset);
}

bool jtgi_horizon_now(struct jtgi_horizon *horizon, struct jtgi_moment *now)
{
    for (int reading = 1; reading <= READINGS; reading++) {
        if (!read_clocks(horizon, now))
            return false;
        if (!is_set_back(horizon, offset_of(now)))
            break;
    }
    if (offset_of(now) > load(&horizon->offset_ms) || is_set_back(horizon, offset_of(now)))
        register_change(horizon, now);
    return true;
}

/* ---- judging a token ---- */

/* Can it have been accepted while the wall clock stood no further than this? Without an iat, its
 * exp says so: it was at most max_lifetime_s ahead. */
static bool may_predate(const struct jtgi_limits *limits, const struct jtgi_life *life,
                        int64_t wall_ms)
{
    if (life->issued_ms != JTG_TIME_ABSENT)
        return life->issued_ms <= wall_ms + limits->future_leeway_ms;
    return life->expires_ms <= wall_ms + limits->max_lifetime_ms;
}

/* The start is dated by the furthest clock seen: a clock that was too early at the start, as on a
 * machine without a battery, would else date it before tokens that were used before it. */
static bool may_predate_start(const struct jtgi_horizon *horizon, const struct jtgi_life *life)
{
    return horizon->restart_rule &&
           may_predate(horizon->limits, life,
                       horizon->start_monotonic_ms + load(&horizon->greatest_ms));
}

/* Can it have been used under an offset that an event has closed? */
static bool may_be_of_closed(const struct jtgi_horizon *horizon, const struct jtgi_life *life)
{
    return may_predate(horizon->limits, life, load(&horizon->reached_ms)) &&
           life->accepted_until_ms > load(&horizon->floor_ms);
}

jtg_reason jtgi_horizon_judge(const struct jtgi_horizon *horizon, const struct jtgi_life *life,
                              int64_t monotonic_ms)
{
    int64_t offset = load(&horizon->offset_ms); /* first: see close_locked() */
    if (may_predate_start(horizon, life))
        return JTG_REASON_ISSUED_BEFORE_START;
    if (monotonic_ms + offset >= life->kept_until_ms)
        return JTG_REASON_CLOCK_SET_BACK;
    if (may_be_of_closed(horizon, life) &&
        monotonic_ms + load(&horizon->greatest_ms) >= life->kept_until_ms)
        return JTG_REASON_CLOCK_SET_BACK;
    return JTG_REASON_ADMITTED;
}

/* A token that was used under a clock that was ahead was used earlier than it says, by as much; and
 * the loss is dated by clocks that are right. */
int64_t jtgi_horizon_kept_since(const struct jtgi_horizon *horizon, const struct jtgi_life *life,
                                const struct jtgi_moment *now)
{
    int64_t ahead = load(&horizon->greatest_ms) - offset_of(now);
    bool counts = ahead > horizon->limits->margin_ms && may_be_of_closed(horizon, life);
    return life->kept_since_ms - (counts ? ahead : 0);
}

/* A thread can be stopped, and a store can be slow, between the look at the clock and the store's
 * answer: long enough for an earlier reservation to end. So the token is judged again, by the
 * time of the answer. A wait beyond the margin is never relied on; the reservation is ours, and
 * asking again with its owner settles it. */
jtg_reason jtgi_horizon_settle(const struct jtgi_horizon *horizon, const struct jtgi_life *life,
                               const struct jtgi_moment *asked)
{
    struct jtgi_moment now;
    if (!read_clocks(horizon, &now))
        return JTG_REASON_OUTCOME_UNKNOWN;
    int64_t waited = now.monotonic_ms - asked->monotonic_ms;
    if (greatest(asked->wall_ms + waited, now.wall_ms) >= life->accepted_until_ms)
        return JTG_REASON_EXPIRED;
    if (waited > horizon->limits->margin_ms)
        return JTG_REASON_OUTCOME_UNKNOWN;
    return jtgi_horizon_judge(horizon, life, now.monotonic_ms);
}
