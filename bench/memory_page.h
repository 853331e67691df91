/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of `bench memory` as people read them: tables with headings, and what they say. */
#ifndef BENCH_MEMORY_PAGE_H
#define BENCH_MEMORY_PAGE_H

#include "report.h"

/* On stdout. false, and a line on stderr, when it cannot be written. */
bool bench_memory_page_print(const struct bench_report *reports, size_t count);

#endif
