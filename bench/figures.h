/* SPDX-License-Identifier: Apache-2.0 */
/* The names under which a comparison is reported. docs/performance.md says what each means. */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include "comparison.h"
#include "report.h"

struct bench_report bench_figures_make(const struct bench_options *options, unsigned threads,
                                       const struct bench_comparison *comparison,
                                       const struct bench_common *common);

#endif
