/* SPDX-License-Identifier: Apache-2.0 */
#include <jtiguard/clock.h>

#include "core/clock.h"

#include "core/options.h"

#include <time.h>

#define OLDEST_SIZE sizeof(jtg_clock)

static int64_t read_ms(clockid_t id)
{
    struct timespec now;
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t jtgi_clock_system_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

static int64_t system_monotonic_ms(void *context)
{
    (void)context;
    return jtgi_clock_system_ms();
}

static int64_t system_wall_ms(void *context)
{
    (void)context;
    return read_ms(CLOCK_REALTIME);
}

jtg_clock jtg_clock_system(void)
{
    jtg_clock clock = {sizeof clock, NULL, system_monotonic_ms, system_wall_ms};
    return clock;
}

jtg_status jtgi_clock_read_option(jtg_clock *clock, const jtg_clock *given, jtg_error *err)
{
    *clock = jtg_clock_system();
    jtg_status status = jtg_struct_read(clock, sizeof *clock, OLDEST_SIZE, given, "clock", err);
    if (status == JTG_OK && (clock->monotonic_ms == NULL || clock->wall_ms == NULL))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "clock: both functions are mandatory");
    return status;
}

bool jtgi_clock_is_system(const jtg_clock *clock)
{
    return clock->monotonic_ms == system_monotonic_ms;
}

int64_t jtgi_clock_coarse_ms(void)
{
    return read_ms(CLOCK_MONOTONIC_COARSE);
}
