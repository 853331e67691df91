/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void add(struct bench_report *report, struct bench_figure figure)
{
    if (report->count < BENCH_FIGURES_MAX)
        report->figures[report->count++] = figure;
}

void bench_report_add(struct bench_report *report, const char *name, const char *unit, double value)
{
    add(report, (struct bench_figure){name, unit, value, NULL});
}

bool bench_report_find(const struct bench_report *report, const char *name, double *value)
{
    for (size_t i = 0; i < report->count; i++)
        if (strcmp(report->figures[i].name, name) == 0) {
            *value = report->figures[i].value;
            return true;
        }
    return false;
}

void bench_report_add_text(struct bench_report *report, const char *name, const char *text)
{
    add(report, (struct bench_figure){name, "", 0, text});
}

static bool is_whole(const struct bench_figure *figure)
{
    return figure->unit[0] == '\0';
}

static json_t *value_of(const struct bench_figure *figure)
{
    if (figure->text != NULL)
        return json_string(figure->text);
    return is_whole(figure) ? json_integer((json_int_t)figure->value) : json_real(figure->value);
}

bool bench_written(bool made)
{
    bool good = made && fflush(stdout) == 0 && !ferror(stdout);
    if (!good)
        fputs("jtiguard bench: the result could not be written\n", stderr);
    return good;
}

bool bench_report_print_json(const struct bench_report *report)
{
    json_t *object = json_object();
    bool made = object != NULL;
    for (size_t i = 0; made && i < report->count; i++)
        made = json_object_set_new(object, report->figures[i].name,
                                   value_of(&report->figures[i])) == 0;
    made = made && json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6)) == 0 &&
           putchar('\n') != EOF;
    json_decref(object);
    return bench_written(made);
}

static void print_cell(const struct bench_figure *figure)
{
    if (figure->text != NULL) {
        printf("  %12s", figure->text);
        return;
    }
    printf("  %12.*f", is_whole(figure) ? 0 : figure->value < 100 ? 2 : 1, figure->value);
}

bool bench_report_print_table(const struct bench_report *reports, size_t count)
{
    for (size_t row = 0; row < reports[0].count; row++) {
        printf("%-34s  %-5s", reports[0].figures[row].name, reports[0].figures[row].unit);
        for (size_t column = 0; column < count; column++)
            print_cell(&reports[column].figures[row]);
        putchar('\n');
    }
    return bench_written(true);
}
