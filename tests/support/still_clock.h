/* SPDX-License-Identifier: Apache-2.0 */
/* The system's monotonic clock as a test moves it, so that no stall of the machine is taken for
 * time that has passed. What waits in the kernel, on what does not come, waits for ever: deadlines
 * of such waits must have passed when they begin. Only in programs that are linked with
 * --wrap=clock_gettime. */
#ifndef TESTS_SUPPORT_STILL_CLOCK_H
#define TESTS_SUPPORT_STILL_CLOCK_H

#include <stdint.h>

void still_clock_advance_ns(int64_t ns);

#endif
