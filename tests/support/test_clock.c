/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test_clock.h"

void test_clock_init(struct test_clock *clock)
{
    atomic_init(&clock->monotonic_ms, TEST_CLOCK_MONOTONIC_MS);
    atomic_init(&clock->wall_ms, TEST_CLOCK_WALL_MS);
}

void test_clock_advance(struct test_clock *clock, int64_t ms)
{
    atomic_fetch_add(&clock->monotonic_ms, ms);
    atomic_fetch_add(&clock->wall_ms, ms);
}

void test_clock_set_wall_by(struct test_clock *clock, int64_t ms)
{
    atomic_fetch_add(&clock->wall_ms, ms);
}

static int64_t monotonic_ms(void *context)
{
    return atomic_load(&((struct test_clock *)context)->monotonic_ms);
}

static int64_t wall_ms(void *context)
{
    return atomic_load(&((struct test_clock *)context)->wall_ms);
}

jtg_clock test_clock_as_jtg(struct test_clock *clock)
{
    jtg_clock as_jtg = {sizeof as_jtg, clock, monotonic_ms, wall_ms};
    return as_jtg;
}
