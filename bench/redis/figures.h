/* SPDX-License-Identifier: Apache-2.0 */
/* The names under which a contest is reported. docs/performance.md says what each means. */
#ifndef BENCH_REDIS_FIGURES_H
#define BENCH_REDIS_FIGURES_H

#include "bench/redis/contest.h"
#include "bench/report.h"

struct bench_report bench_redis_figures_make(const struct bench_redis_options *options,
                                             unsigned callers, unsigned connections,
                                             const struct bench_contest *contest);

#endif
