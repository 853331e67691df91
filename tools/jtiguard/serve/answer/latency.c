/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/latency.h"

const uint64_t latency_bounds_us[LATENCY_BOUNDS] = LATENCY_BOUNDS_US;

void latency_add(struct latency *latency, int64_t ns)
{
    uint64_t taken = ns > 0 ? (uint64_t)ns : 0;
    unsigned at = 0;
    while (at < LATENCY_BOUNDS && taken > latency_bounds_us[at] * 1000)
        at++;
    (void)atomic_fetch_add_explicit(&latency->counts[at], 1, memory_order_relaxed);
    (void)atomic_fetch_add_explicit(&latency->sum_ns, taken, memory_order_relaxed);
}
