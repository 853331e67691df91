/* SPDX-License-Identifier: Apache-2.0 */
/* A record that was made while the offset was o ends when the monotonic clock reaches kept_until -
 * o. Its flight is acceptable again while monotonic + offset < until, which is margin before that
 * as long as the offset has not fallen by more than the margin below o. So a fall beyond the margin
 * under the greatest offset is what has to be noticed. It closes the offsets seen so far: flights
 * that can have been accepted under them, and whose records may have ended on the furthest of those
 * clocks, are refused from then on.
 *
 * A clock that jumped ahead and was corrected must not refuse everything until time catches up with
 * it. Under it only flights were accepted that had not ended by it: floor_ms.
 */
#include "tokens/timeline.h"

#include "core/clock.h"
#include "core/log.h"

#include <inttypes.h>
#include <jtiguard/backend.h>

/* Later and earlier than any time, and far enough from the ends of int64_t to be added to. */
#define ALWAYS (INT64_MAX / 2)
#define NEVER  (INT64_MIN / 2)
/* A monotonic clock may count from anywhere, but not so far off that sums would overflow. */
#define MONOTONIC_LIMIT_MS (INT64_MAX / 8)
#define WALL_MAX_MS        INT64_C(253402300799999)

/* A pause between reading the two clocks looks like a clock set back. It passes; a real one stays.
 */
enum { READINGS = 3 };

struct reading {
    int64_t wall_ms;
    int64_t monotonic_ms;
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t greatest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t offset_of(const struct reading *reading)
{
    return reading->wall_ms - reading->monotonic_ms;
}

/* The wall clock first: a pause then makes it look further behind than it is, which refuses. */
static bool read_clocks(const struct jtgi_timeline *timeline, struct reading *reading)
{
    reading->wall_ms = jtgi_clock_wall_ms(timeline->clock);
    reading->monotonic_ms = jtgi_clock_monotonic_ms(timeline->clock);
    return reading->wall_ms >= 0 && reading->wall_ms <= WALL_MAX_MS &&
           reading->monotonic_ms >= -MONOTONIC_LIMIT_MS &&
           reading->monotonic_ms <= MONOTONIC_LIMIT_MS;
}

jtg_status jtgi_timeline_init(struct jtgi_timeline *timeline, const jtg_clock *clock,
                              const jtg_logger *logger, int64_t margin_ms, jtg_error *err)
{
    struct reading start;
    timeline->clock = clock;
    timeline->logger = logger;
    timeline->margin_ms = margin_ms;
    if (!read_clocks(timeline, &start))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "clock: it gives no usable time");
    if (pthread_mutex_init(&timeline->lock, NULL) != 0)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for a lock");
    timeline->start_monotonic_ms = start.monotonic_ms;
    timeline->offset_ms = offset_of(&start);
    timeline->greatest_ms = offset_of(&start);
    timeline->before_step_ms = NEVER;
    timeline->step_wall_ms = NEVER;
    timeline->floor_ms = ALWAYS;
    timeline->reached_ms = NEVER;
    timeline->closed_ms = NEVER;
    return JTG_OK;
}

void jtgi_timeline_clear(struct jtgi_timeline *timeline)
{
    (void)pthread_mutex_destroy(&timeline->lock);
}

/* ---- under the lock ---- */

static bool is_set_back(const struct jtgi_timeline *timeline, const struct reading *reading)
{
    return timeline->offset_ms - offset_of(reading) > timeline->margin_ms;
}

static void raise_locked(struct jtgi_timeline *timeline, const struct reading *reading)
{
    int64_t offset = offset_of(reading);
    if (offset - timeline->offset_ms > timeline->margin_ms) {
        timeline->before_step_ms = timeline->offset_ms;
        timeline->step_wall_ms = reading->wall_ms;
    }
    timeline->offset_ms = offset;
    timeline->greatest_ms = greatest(timeline->greatest_ms, offset);
}

/* Returns by how much the clock was set back. */
static int64_t close_locked(struct jtgi_timeline *timeline, const struct reading *reading)
{
    int64_t offset = offset_of(reading);
    int64_t closed = timeline->offset_ms;
    bool step_undone = offset + timeline->margin_ms >= timeline->before_step_ms;
    int64_t floor = step_undone ? timeline->step_wall_ms - 2 * timeline->margin_ms : NEVER;

    timeline->floor_ms = least(timeline->floor_ms, floor);
    timeline->reached_ms = greatest(timeline->reached_ms, reading->monotonic_ms + closed);
    timeline->closed_ms = greatest(timeline->closed_ms, closed);
    timeline->offset_ms = step_undone ? greatest(offset, timeline->before_step_ms) : offset;
    timeline->before_step_ms = NEVER;
    timeline->step_wall_ms = NEVER;
    return closed - offset;
}

static void fill_locked(const struct jtgi_timeline *timeline, const struct reading *reading,
                        struct jtgi_instant *now)
{
    now->wall_ms = reading->wall_ms;
    now->start_ms = timeline->start_monotonic_ms + timeline->greatest_ms;
    now->closed_now =
        timeline->closed_ms == NEVER ? NEVER : reading->monotonic_ms + timeline->closed_ms;
    now->floor_ms = timeline->floor_ms;
    now->reached_ms = timeline->reached_ms;
}

static bool look_locked(struct jtgi_timeline *timeline, struct jtgi_instant *now,
                        int64_t *set_back_by)
{
    struct reading reading;
    for (int tries = 1; tries <= READINGS; tries++) {
        if (!read_clocks(timeline, &reading))
            return false;
        if (!is_set_back(timeline, &reading))
            break;
    }
    if (is_set_back(timeline, &reading))
        *set_back_by = close_locked(timeline, &reading);
    else if (offset_of(&reading) > timeline->offset_ms)
        raise_locked(timeline, &reading);
    fill_locked(timeline, &reading, now);
    return true;
}

/* ---- for all ---- */

bool jtgi_timeline_now(struct jtgi_timeline *timeline, struct jtgi_instant *now)
{
    int64_t set_back_by = 0;
    (void)pthread_mutex_lock(&timeline->lock);
    bool usable = look_locked(timeline, now, &set_back_by);
    (void)pthread_mutex_unlock(&timeline->lock);
    if (set_back_by != 0)
        jtgi_log(timeline->logger, JTG_LOG_ERROR,
                 "the wall clock was set back by %" PRId64 " ms: flights whose earlier use may be "
                 "forgotten are refused as clock_set_back; set the clock right and keep it so",
                 set_back_by);
    return usable;
}

bool jtgi_timeline_lost(const struct jtgi_instant *now, const struct jtgi_fresh_span *span)
{
    return span->earliest_ms <= now->reached_ms && span->until_ms > now->floor_ms &&
           now->closed_now >= span->kept_until_ms;
}

bool jtgi_timeline_predates(const struct jtgi_instant *now, const struct jtgi_fresh_span *span)
{
    return span->earliest_ms <= now->start_ms;
}
