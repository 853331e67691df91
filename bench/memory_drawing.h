/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of `bench memory`, drawn. */
#ifndef BENCH_MEMORY_DRAWING_H
#define BENCH_MEMORY_DRAWING_H

#include "comparison.h"
#include "report.h"

#include <stdio.h>

/* false, and a line on stderr, when it cannot be written. out is closed in either case. */
bool bench_memory_drawing_write(FILE *out, const struct bench_report *reports, size_t count,
                                const struct bench_common *common);

#endif
