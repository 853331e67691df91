/* SPDX-License-Identifier: Apache-2.0 */
/* What the figures of `bench memory` say, in one sentence. */
#ifndef BENCH_CONCLUSION_H
#define BENCH_CONCLUSION_H

#include "report.h"

#include <stdio.h>

/* Of reports that bench_figures_make() made, one a thread count. Ends without a line end. */
void bench_conclusion_write(FILE *out, const struct bench_report *reports, size_t count);

#endif
