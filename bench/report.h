/* SPDX-License-Identifier: Apache-2.0 */
/* Figures with names and units, printed for programs or for people. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>

enum { BENCH_FIGURES_MAX = 192 };

struct bench_figure {
    const char *name; /* static */
    const char *unit; /* static; "" = a bare number, which is then a whole one */
    double value;
    const char *text; /* static; NULL: it is a number */
};

/* Starts as all zero. Reports that are printed together hold the same names in one order. */
struct bench_report {
    size_t count;
    struct bench_figure figures[BENCH_FIGURES_MAX];
};

void bench_report_add(struct bench_report *report, const char *name, const char *unit,
                      double value);

/* false, and value untouched: there is none of that name. */
bool bench_report_find(const struct bench_report *report, const char *name, double *value);

/* What was measured, rather than how much. */
void bench_report_add_text(struct bench_report *report, const char *name, const char *text);

/* made: whether all of it came about. false, and a line on stderr, unless it did and stdout took
 * it. */
bool bench_written(bool made);

/* One JSON object on a line of stdout. false when it cannot be written. */
bool bench_report_print_json(const struct bench_report *report);

/* A table on stdout: a row a figure, a column a report. false when it cannot be written. */
bool bench_report_print_table(const struct bench_report *reports, size_t count);

#endif
