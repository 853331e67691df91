/* SPDX-License-Identifier: Apache-2.0 */
/* A clock that a test moves by hand. Both times are atomic, so that threads may read them while
 * the test moves them. */
#ifndef TESTS_SUPPORT_TEST_CLOCK_H
#define TESTS_SUPPORT_TEST_CLOCK_H

#include <jtiguard/clock.h>
#include <stdatomic.h>

struct test_clock {
    _Atomic int64_t monotonic_ms;
    _Atomic int64_t wall_ms;
};

/* Where both times of a fresh clock stand: 2026-11-20T12:00:00Z. */
#define TEST_CLOCK_WALL_MS      INT64_C(1795176000000)
#define TEST_CLOCK_MONOTONIC_MS INT64_C(5000000)

void test_clock_init(struct test_clock *clock);

/* Both clocks go on, as time does. */
void test_clock_advance(struct test_clock *clock, int64_t ms);

/* Only the wall clock moves, as when somebody sets it; back if negative. */
void test_clock_set_wall_by(struct test_clock *clock, int64_t ms);

/* What the library takes. It points to clock. */
jtg_clock test_clock_as_jtg(struct test_clock *clock);

#endif
