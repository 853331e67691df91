/* SPDX-License-Identifier: Apache-2.0 */
#include "support/still_clock.h"

#include <stdatomic.h>
#include <time.h>

enum { NS_PER_S = 1000000000 };

static _Atomic int64_t passed_ns = INT64_C(1000) * NS_PER_S;

void still_clock_advance_ns(int64_t ns)
{
    (void)atomic_fetch_add(&passed_ns, ns);
}

int __real_clock_gettime(clockid_t which, struct timespec *now);
int __wrap_clock_gettime(clockid_t which, struct timespec *now);

int __wrap_clock_gettime(clockid_t which, struct timespec *now)
{
    if (which != CLOCK_MONOTONIC)
        return __real_clock_gettime(which, now);
    int64_t ns = atomic_load(&passed_ns);
    now->tv_sec = (time_t)(ns / NS_PER_S);
    now->tv_nsec = (long)(ns % NS_PER_S);
    return 0;
}
