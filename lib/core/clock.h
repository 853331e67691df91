/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JTGI_CORE_CLOCK_H
#define JTGI_CORE_CLOCK_H

#include "core/options.h"

#include <jtiguard/clock.h>
#include <jtiguard/status.h>
#include <stdbool.h>

/* 9999-12-31T23:59:59.999Z: no time beyond it is read, given or kept, so that sums of times and
 * lives cannot overflow. */
#define JTGI_WALL_MAX_MS INT64_C(253402300799999)

/* By both clocks: the monotonic one orders what this process did, whatever the wall clock was set
 * to meanwhile. */
struct jtgi_moment {
    int64_t monotonic_ms;
    int64_t wall_ms;
};

/* Take a caller's clock, or the system's where it gives none. */
jtg_status jtgi_clock_read_option(jtg_clock *clock, const jtg_clock *given, jtg_error *err);

/* Is its monotonic clock the system's? */
bool jtgi_clock_is_system(const jtg_clock *clock);

/* The system's monotonic clock, whatever clock a cache was given: for a wait for other processes,
 * who live by it as the kernel does. */
int64_t jtgi_clock_system_ms(void);

/* The system's monotonic clock as it was a little while ago: the kernel writes it down some hundred
 * times a second. A fifth of the price; never ahead, and behind by what a pause may take. */
int64_t jtgi_clock_coarse_ms(void);

static inline int64_t jtgi_clock_monotonic_ms(const jtg_clock *clock)
{
    return clock->monotonic_ms(clock->context);
}

static inline int64_t jtgi_clock_wall_ms(const jtg_clock *clock)
{
    return clock->wall_ms(clock->context);
}

static inline struct jtgi_moment jtgi_moment_now(const jtg_clock *clock)
{
    struct jtgi_moment now = {jtgi_clock_monotonic_ms(clock), jtgi_clock_wall_ms(clock)};
    return now;
}

#endif
