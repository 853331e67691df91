/* SPDX-License-Identifier: Apache-2.0 */
/* The names under which a contest is reported. docs/performance.md says what each means. */
#ifndef BENCH_SERVE_FIGURES_H
#define BENCH_SERVE_FIGURES_H

#include "bench/report.h"
#include "bench/serve/contest.h"

struct bench_report bench_serve_figures_make(const struct bench_serve_options *options,
                                             const struct bench_serve_contest *contest);

#endif
