/* SPDX-License-Identifier: Apache-2.0 */
/* Real time to take differences of, also in tests: CLOCK_MONOTONIC. */
#ifndef TOOL_MONOTONIC_H
#define TOOL_MONOTONIC_H

#include <stdint.h>

int64_t monotonic_ns(void);
int64_t monotonic_ms(void);

#endif
