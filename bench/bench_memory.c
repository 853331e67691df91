/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard bench memory`. */
#include "bench.h"

#include "comparison.h"
#include "figures.h"
#include "memory_drawing.h"
#include "memory_page.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void print_help(void)
{
    fputs("Usage: jtiguard bench memory [OPTION]...\n"
          "Measure the memory backend beside a plain chained table with one mutex, with the\n"
          "same keys: time of each call, resident memory, and how long callers wait while\n"
          "the table is swept. Every answer is checked. Ten million entries need 3 GiB.\n\n"
          "  --entries N     live entries, 1000 ... 400000000 (default 1000000)\n"
          "  --threads LIST  thread counts to measure, each 1 ... 64 (default 1,2)\n"
          "  --runs N        times to measure, 1 ... 99 (default 3); medians are reported\n"
          "  --without-thread  a store whose sweep_interval_ms is 0\n"
          "  --json          one JSON object a thread count, a line each\n"
          "  --svg FILE      draw the figures into FILE, besides\n"
          "  -h, --help      this text\n\n"
          "Names end in their unit. A time a call is wall time divided by the calls of all\n"
          "threads. *_wait_us is the time that 99.9 % of the calls did not exceed, *_max_us\n"
          "the longest. Exit: 0 done, 2 usage, 3 a measurement failed.\n\n"
          "Examples:\n"
          "  jtiguard bench memory --entries 1000000 --threads 1,2\n"
          "  jtiguard bench memory --entries 10000000 --json --svg memory.svg\n",
          stdout);
}

static bool print_json(const struct bench_report *reports, size_t count)
{
    bool good = true;
    for (size_t i = 0; good && i < count; i++)
        good = bench_report_print_json(&reports[i]);
    return good;
}

static bool show(const struct bench_options *options, const struct bench_report *reports,
                 const struct bench_common *common, FILE *drawing)
{
    size_t count = options->threads.count;
    bool drawn = drawing == NULL || bench_memory_drawing_write(drawing, reports, count, common);
    bool printed =
        options->json ? print_json(reports, count) : bench_memory_page_print(reports, count);
    return drawn && printed;
}

/* drawing: NULL = none; closed here. */
static bool measure_all(const struct bench_options *options, FILE *drawing)
{
    static struct bench_common common;
    static struct bench_comparison comparisons[BENCH_LIST_MAX];
    static struct bench_host host;
    static struct bench_report reports[BENCH_LIST_MAX];
    if (!bench_common_measure(options, &common) ||
        !bench_comparisons_measure(options, &common, comparisons, &host)) {
        if (drawing != NULL)
            (void)fclose(drawing);
        return false;
    }
    for (size_t i = 0; i < options->threads.count; i++)
        reports[i] = bench_figures_make(options, i, comparisons, &common, &host);
    return show(options, reports, &common, drawing);
}

/* Before minutes are spent on what it would show. */
static bool open_drawing(const char *path, FILE **drawing)
{
    *drawing = path == NULL ? NULL : fopen(path, "we");
    if (path == NULL || *drawing != NULL)
        return true;
    fprintf(stderr, "jtiguard bench: %s: %s\n", path, strerror(errno));
    return false;
}

int bench_memory_main(int argc, char **argv)
{
    struct bench_options options;
    if (!bench_options_parse(&options, argc, argv)) {
        fputs("jtiguard bench memory --help lists the options\n", stderr);
        return BENCH_USAGE;
    }
    if (options.help) {
        print_help();
        return BENCH_DONE;
    }
    FILE *drawing = NULL;
    return open_drawing(options.svg, &drawing) && measure_all(&options, drawing) ? BENCH_DONE
                                                                                 : BENCH_FAILED;
}
