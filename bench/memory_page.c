/* SPDX-License-Identifier: Apache-2.0 */
#include "memory_page.h"

#include "conclusion.h"

enum { LABEL = 34, CELL = 10, COLUMNS = 5, ROWS = 11 };

/* ---- what stands where ---- */

enum whose { EVERY_COUNT, SEVERAL_THREADS, ANY_COUNT /* the same for all: told once */ };

/* A row for each thread count. */
struct row {
    const char *label; /* NULL: the table has ended */
    enum whose whose;
    const char *names[COLUMNS]; /* of the figures; NULL = an empty cell */
};

struct table {
    const char *heading;
    const char *columns[COLUMNS];
    struct row rows[ROWS];
};

static const struct table tables[] = {
    {"Time of a call, nanoseconds",
     {"jtiguard", "least", "most", "chained", "speed-up"},
     {{"fresh keys, the table grows",
       EVERY_COUNT,
       {"fresh_ns", "fresh_ns_min", "fresh_ns_max", "chained_fresh_ns",
        "fresh_speedup_vs_chained"}},
      {"fresh keys around a full table",
       EVERY_COUNT,
       {"fresh_at_full_ns", "fresh_at_full_ns_min", "fresh_at_full_ns_max",
        "chained_fresh_at_full_ns", "fresh_at_full_speedup_vs_chained"}},
      {"duplicates",
       EVERY_COUNT,
       {"duplicate_ns", "duplicate_ns_min", "duplicate_ns_max", "chained_duplicate_ns",
        "duplicate_speedup_vs_chained"}},
      {"releases",
       EVERY_COUNT,
       {"release_ns", "release_ns_min", "release_ns_max", "chained_release_ns",
        "release_speedup_vs_chained"}},
      {"32 fresh keys at once, each",
       EVERY_COUNT,
       {"batch_fresh_ns", "batch_fresh_ns_min", "batch_fresh_ns_max"}},
      {"32 duplicates at once, each",
       EVERY_COUNT,
       {"batch_duplicate_ns", "batch_duplicate_ns_min", "batch_duplicate_ns_max"}},
      {"the floor program", EVERY_COUNT, {"floor_ns"}}}},
    {"Ratios",
     {"median", "least", "most"},
     {{"a fresh key to the floor program",
       EVERY_COUNT,
       {"fresh_over_floor", "fresh_over_floor_min", "fresh_over_floor_max"}},
      {"a duplicate to the floor program",
       EVERY_COUNT,
       {"duplicate_over_floor", "duplicate_over_floor_min", "duplicate_over_floor_max"}},
      {"a refusal that says why to one not",
       EVERY_COUNT,
       {"refusal_told_ratio", "refusal_told_ratio_min", "refusal_told_ratio_max"}},
      {"throughput to 1 thread: fresh keys",
       SEVERAL_THREADS,
       {"fresh_scaling", "fresh_scaling_min", "fresh_scaling_max"}},
      {"  around a full table",
       SEVERAL_THREADS,
       {"fresh_at_full_scaling", "fresh_at_full_scaling_min", "fresh_at_full_scaling_max"}},
      {"  duplicates",
       SEVERAL_THREADS,
       {"duplicate_scaling", "duplicate_scaling_min", "duplicate_scaling_max"}},
      {"  releases",
       SEVERAL_THREADS,
       {"release_scaling", "release_scaling_min", "release_scaling_max"}}}},
    {"The host store",
     {"median", "least", "most"},
     {{"to the memory store: fresh keys",
       ANY_COUNT,
       {"host_fresh_ratio", "host_fresh_ratio_min", "host_fresh_ratio_max"}},
      {"  around a full table",
       ANY_COUNT,
       {"host_fresh_at_full_ratio", "host_fresh_at_full_ratio_min",
        "host_fresh_at_full_ratio_max"}},
      {"  duplicates",
       ANY_COUNT,
       {"host_duplicate_ratio", "host_duplicate_ratio_min", "host_duplicate_ratio_max"}},
      {"2 processes to 1: fresh keys",
       ANY_COUNT,
       {"host_fresh_scaling", "host_fresh_scaling_min", "host_fresh_scaling_max"}},
      {"  duplicates",
       ANY_COUNT,
       {"host_duplicate_scaling", "host_duplicate_scaling_min", "host_duplicate_scaling_max"}},
      {"to open it, microseconds",
       ANY_COUNT,
       {"host_attach_us", "host_attach_us_min", "host_attach_us_max"}},
      {"  behind one who died inside",
       ANY_COUNT,
       {"host_repair_us", "host_repair_us_min", "host_repair_us_max"}},
      {"bytes of the file for an entry", ANY_COUNT, {"host_bytes_per_entry"}}}},
    {"Memory, bytes an entry",
     {"jtiguard", "chained"},
     {{"when all are live", ANY_COUNT, {"bytes_per_entry", "chained_bytes_per_entry"}},
      {"at its worst on the way there", ANY_COUNT, {"bytes_per_entry_worst"}}}},
    {"Waits of single calls, microseconds",
     {"99.9 %", "longest", "chained"},
     {{"the table grows", ANY_COUNT, {"fill_wait_us", "fill_max_us", "chained_fill_max_us"}},
      {"nobody sweeps", EVERY_COUNT, {"quiet_wait_us", "quiet_max_us"}},
      {"a sweep, nothing has ended",
       EVERY_COUNT,
       {"sweep_none_wait_us", "sweep_none_max_us", "chained_sweep_none_max_us"}},
      {"a sweep, 1 of 1,000 has ended", EVERY_COUNT, {"sweep_few_wait_us", "sweep_few_max_us"}},
      {"a sweep, everything has ended",
       EVERY_COUNT,
       {"sweep_all_wait_us", "sweep_all_max_us", "chained_sweep_all_max_us"}}}},
    {"Bounded work",
     {"jtiguard"},
     {{"most slots that one step looks at", EVERY_COUNT, {"max_step_slots"}},
      {"milliseconds of a sweep of all", EVERY_COUNT, {"sweep_all_pass_ms"}}}},
};

/* ---- how it is printed ---- */

static double figure(const struct bench_report *report, const char *name)
{
    double value = 0;
    (void)bench_report_find(report, name, &value);
    return value;
}

static void print_heading(const struct table *table)
{
    printf("\n%-*s %7s", LABEL + 2, table->heading, "threads");
    for (size_t i = 0; i < COLUMNS && table->columns[i] != NULL; i++)
        printf("%*s", CELL, table->columns[i]);
    putchar('\n');
}

static void print_cell(const struct bench_report *report, const char *name)
{
    double value = 0;
    if (bench_report_find(report, name, &value))
        printf("%*.*f", CELL, value < 10 ? 2 : value < 100 ? 1 : 0, value);
    else
        printf("%*s", CELL, "-");
}

static bool is_of(enum whose whose, double threads, size_t place)
{
    return whose == EVERY_COUNT || (whose == SEVERAL_THREADS ? threads > 1 : place == 0);
}

static void print_row(const struct row *row, const struct bench_report *reports, size_t count)
{
    const char *label = row->label;
    for (size_t place = 0; place < count; place++) {
        double threads = figure(&reports[place], "threads"), ignored = 0;
        if (!is_of(row->whose, threads, place) ||
            !bench_report_find(&reports[place], row->names[0], &ignored))
            continue;
        printf("  %-*s", LABEL, label);
        label = ""; /* the next line is of the same */
        if (row->whose == ANY_COUNT)
            printf(" %7s", "");
        else
            printf(" %7.0f", threads);
        for (size_t i = 0; i < COLUMNS && row->names[i] != NULL; i++)
            print_cell(&reports[place], row->names[i]);
        putchar('\n');
    }
}

static void print_table(const struct table *table, const struct bench_report *reports, size_t count)
{
    double ignored = 0;
    if (!bench_report_find(&reports[0], table->rows[0].names[0], &ignored))
        return;
    print_heading(table);
    for (const struct row *row = table->rows; row->label != NULL; row++)
        print_row(row, reports, count);
}

bool bench_memory_page_print(const struct bench_report *reports, size_t count)
{
    double runs = figure(&reports[0], "runs");
    printf("%.0f entries, %.0f run%s: medians\n", figure(&reports[0], "entries"), runs,
           runs == 1 ? "" : "s");
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        print_table(&tables[i], reports, count);
    putchar('\n');
    bench_conclusion_write(stdout, reports, count);
    putchar('\n');
    return bench_written(true);
}
