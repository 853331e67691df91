/* SPDX-License-Identifier: Apache-2.0 */
/* Moments on CLOCK_MONOTONIC, in nanoseconds. Not the injected clock: these bound real waits in
 * the kernel, which knows no other time. */
#ifndef JTGI_REDIS_DEADLINE_H
#define JTGI_REDIS_DEADLINE_H

#include <stdint.h>
#include <time.h>

#define JTGI_NS_PER_MS INT64_C(1000000)
#define JTGI_NS_PER_S  INT64_C(1000000000)

static inline int64_t jtgi_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * JTGI_NS_PER_S + now.tv_nsec;
}

static inline int64_t jtgi_deadline_in_ms(uint32_t ms)
{
    return jtgi_now_ns() + (int64_t)ms * JTGI_NS_PER_MS;
}

/* For poll(): rounded up, so that a wait never spins in its last millisecond; 0 when past. */
static inline int jtgi_deadline_left_ms(int64_t deadline_ns)
{
    int64_t left = deadline_ns - jtgi_now_ns();
    return left <= 0 ? 0 : (int)((left + JTGI_NS_PER_MS - 1) / JTGI_NS_PER_MS);
}

#endif
