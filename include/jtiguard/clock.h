/* SPDX-License-Identifier: Apache-2.0 */
/** @file clock.h
 * The two clocks, injected so that no test sleeps.
 *
 * They are never mixed: the monotonic clock measures how long an entry lives and how long
 * a call may wait; the wall clock only turns a claim such as `exp` into a time to live.
 */
#ifndef JTIGUARD_CLOCK_H
#define JTIGUARD_CLOCK_H

#include <jtiguard/status.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A source of time. Both functions are called from any thread, often, at times under a lock of the
 * library, and must not block nor call the library.
 *
 * Where the library takes a `const jtg_clock *`, NULL means the system's clocks
 * (CLOCK_MONOTONIC and CLOCK_REALTIME). The struct is copied; what `context` points to is
 * borrowed until the object that took it is freed.
 */
typedef struct jtg_clock {
    size_t struct_size; /**< sizeof(jtg_clock). */
    void *context;      /**< Handed to both functions. */
    /** Milliseconds since any fixed moment; never goes back. Mandatory. */
    int64_t (*monotonic_ms)(void *context);
    /** Milliseconds since 1970-01-01T00:00:00Z; may be set. Mandatory. */
    int64_t (*wall_ms)(void *context);
} jtg_clock;

/** The system's clocks.
 *
 * Returns: a copy; its functions read CLOCK_MONOTONIC and CLOCK_REALTIME.
 * Threads: any   Blocks: never
 */
JTG_API jtg_clock jtg_clock_system(void);

#ifdef __cplusplus
}
#endif
#endif
