/* SPDX-License-Identifier: Apache-2.0 */
/* The attack: a token is used; its record ends; the wall clock is set back, and the token is
 * acceptable again. Or: the process restarts with an empty store while the token lives.
 *
 * A record that was made when the offset (wall minus monotonic clock) was o ends when the
 * monotonic clock reaches kept_until - o. So at monotonic time m it may have ended only if
 * m + o >= kept_until: if on the furthest clock under which the token can have been used it is
 * over, margin included. That, and nothing else, is what jtgi_wall_clock_may_have_lost() asks.
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
#include "core/wall_clock.h"

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

static bool read_monotonic(const struct jtgi_wall_clock *wall_clock, int64_t *monotonic_ms)
{
    *monotonic_ms = jtgi_clock_monotonic_ms(wall_clock->clock);
    return *monotonic_ms >= -MONOTONIC_LIMIT_MS && *monotonic_ms <= MONOTONIC_LIMIT_MS;
}

bool jtgi_wall_clock_read(const struct jtgi_wall_clock *wall_clock, struct jtgi_moment *moment)
{
    moment->wall_ms = jtgi_clock_wall_ms(wall_clock->clock);
    return read_monotonic(wall_clock, &moment->monotonic_ms) && moment->wall_ms >= 0 &&
           moment->wall_ms <= JTGI_WALL_MAX_MS;
}

jtg_status jtgi_wall_clock_init(struct jtgi_wall_clock *wall_clock, const jtg_clock *clock,
                                const jtg_logger *logger, const char *whose, int64_t margin_ms,
                                jtg_error *err)
{
    struct jtgi_moment start;
    wall_clock->clock = clock;
    wall_clock->logger = logger;
    wall_clock->whose = whose;
    wall_clock->margin_ms = margin_ms;
    if (!jtgi_wall_clock_read(wall_clock, &start))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "clock: it gives no usable time");
    if (pthread_mutex_init(&wall_clock->lock, NULL) != 0)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for a lock");
    wall_clock->start_monotonic_ms = start.monotonic_ms;
    atomic_init(&wall_clock->offset_ms, offset_of(&start));
    atomic_init(&wall_clock->greatest_ms, offset_of(&start));
    atomic_init(&wall_clock->floor_ms, ALWAYS);
    atomic_init(&wall_clock->reached_ms, NEVER);
    wall_clock->before_step_ms = NEVER;
    wall_clock->step_wall_ms = NEVER;
    wall_clock->settled_reached_ms = NEVER;
    wall_clock->unsettled = 0;
    return JTG_OK;
}

void jtgi_wall_clock_clear(struct jtgi_wall_clock *wall_clock)
{
    (void)pthread_mutex_destroy(&wall_clock->lock);
}

/* ---- noticing that the clock was set ---- */

static bool is_set_back(const struct jtgi_wall_clock *wall_clock, int64_t offset)
{
    return load(&wall_clock->offset_ms) - offset > wall_clock->margin_ms;
}

static void raise_locked(struct jtgi_wall_clock *wall_clock, const struct jtgi_moment *moment)
{
    int64_t offset = offset_of(moment);
    int64_t before = load(&wall_clock->offset_ms);
    if (offset - before > wall_clock->margin_ms) {
        wall_clock->before_step_ms = before;
        wall_clock->step_wall_ms = moment->wall_ms;
    }
    store(&wall_clock->greatest_ms, greatest(load(&wall_clock->greatest_ms), offset));
    store(&wall_clock->offset_ms, offset);
}

/* Close the offsets seen so far. Records from before the last step forward stay open where the new
 * offset does them no harm: that is the clock that jumped ahead and was corrected.
 *
 * A thread that does not hold the lock reads offset_ms first: one that sees the new offset also
 * sees the rest. Until the event is settled everything may have been used before it. */
static void close_locked(struct jtgi_wall_clock *wall_clock, int64_t offset)
{
    int64_t margin = wall_clock->margin_ms;
    bool step_undone = offset + margin >= wall_clock->before_step_ms;
    int64_t floor = step_undone ? wall_clock->step_wall_ms - 2 * margin : NEVER;

    store(&wall_clock->floor_ms, least(load(&wall_clock->floor_ms), floor));
    store(&wall_clock->reached_ms, ALWAYS);
    wall_clock->unsettled++;
    store(&wall_clock->offset_ms,
          step_undone ? greatest(offset, wall_clock->before_step_ms) : offset);
    wall_clock->before_step_ms = NEVER;
    wall_clock->step_wall_ms = NEVER;
}

/* How far the clock had come under the offsets that were closed. The clock is read after they
 * were: whoever relied on one of them had read it before. */
static void settle_event(struct jtgi_wall_clock *wall_clock, int64_t closed_offset)
{
    int64_t now = 0;
    bool usable = read_monotonic(wall_clock, &now);
    (void)pthread_mutex_lock(&wall_clock->lock);
    wall_clock->settled_reached_ms =
        greatest(wall_clock->settled_reached_ms, usable ? now + closed_offset : ALWAYS);
    if (--wall_clock->unsettled == 0)
        store(&wall_clock->reached_ms, wall_clock->settled_reached_ms);
    (void)pthread_mutex_unlock(&wall_clock->lock);
}

static void register_change(struct jtgi_wall_clock *wall_clock, const struct jtgi_moment *moment)
{
    int64_t offset = offset_of(moment);
    (void)pthread_mutex_lock(&wall_clock->lock);
    int64_t before = load(&wall_clock->offset_ms);
    bool set_back = is_set_back(wall_clock, offset);
    if (set_back)
        close_locked(wall_clock, offset);
    else if (offset > before)
        raise_locked(wall_clock, moment);
    (void)pthread_mutex_unlock(&wall_clock->lock);

    if (!set_back)
        return;
    settle_event(wall_clock, before);
    jtgi_log(wall_clock->logger, JTG_LOG_ERROR,
             "the wall clock was set back by %" PRId64 " ms: %s whose earlier use may be "
             "forgotten are refused as clock_set_back; set the clock right and keep it so",
             before - offset, wall_clock->whose);
}

bool jtgi_wall_clock_now(struct jtgi_wall_clock *wall_clock, struct jtgi_moment *now)
{
    for (int reading = 1; reading <= READINGS; reading++) {
        if (!jtgi_wall_clock_read(wall_clock, now))
            return false;
        if (!is_set_back(wall_clock, offset_of(now)))
            break;
    }
    if (offset_of(now) > load(&wall_clock->offset_ms) || is_set_back(wall_clock, offset_of(now)))
        register_change(wall_clock, now);
    return true;
}

/* ---- judging a span ---- */

bool jtgi_wall_clock_is_late(const struct jtgi_wall_clock *wall_clock,
                             const struct jtgi_moment *asked, int64_t monotonic_ms)
{
    return monotonic_ms - asked->monotonic_ms > wall_clock->margin_ms;
}

/* The start is dated by the furthest clock seen: a clock that was too early at the start, as on a
 * machine without a battery, would else date it before tokens that were used before it. */
bool jtgi_wall_clock_may_predate(const struct jtgi_wall_clock *wall_clock,
                                 const struct jtgi_span *span)
{
    return span->earliest_ms <= wall_clock->start_monotonic_ms + load(&wall_clock->greatest_ms);
}

/* Can it have been used under an offset that an event has closed? */
static bool may_be_of_closed(const struct jtgi_wall_clock *wall_clock, const struct jtgi_span *span)
{
    return span->earliest_ms <= load(&wall_clock->reached_ms) &&
           span->until_ms > load(&wall_clock->floor_ms);
}

bool jtgi_wall_clock_may_have_lost(const struct jtgi_wall_clock *wall_clock,
                                   const struct jtgi_span *span, int64_t monotonic_ms)
{
    int64_t offset = load(&wall_clock->offset_ms); /* first: see close_locked() */
    if (monotonic_ms + offset >= span->kept_until_ms)
        return true;
    return may_be_of_closed(wall_clock, span) &&
           monotonic_ms + load(&wall_clock->greatest_ms) >= span->kept_until_ms;
}

int64_t jtgi_wall_clock_ahead(const struct jtgi_wall_clock *wall_clock,
                              const struct jtgi_span *span, const struct jtgi_moment *now)
{
    int64_t ahead = load(&wall_clock->greatest_ms) - offset_of(now);
    return ahead > wall_clock->margin_ms && may_be_of_closed(wall_clock, span) ? ahead : 0;
}
