/* SPDX-License-Identifier: Apache-2.0 */
/* The names under which a comparison is reported. docs/performance.md says what each means. */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include "comparison.h"
#include "report.h"

/* Of the comparison at `place` of comparisons, one a thread count of the options. */
struct bench_report bench_figures_make(const struct bench_options *options, size_t place,
                                       const struct bench_comparison *comparisons,
                                       const struct bench_common *common,
                                       const struct bench_host *host);

#endif
