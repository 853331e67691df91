/* SPDX-License-Identifier: Apache-2.0 */
/* One below the other: a pair of bars for each kind of call and thread count, the memory an entry
 * takes while the table grows to double, and how long single calls waited. */
#include "memory_drawing.h"

#include "conclusion.h"
#include "drawing.h"

#include <math.h>
#include <stdlib.h>

enum {
    WIDTH = 840,
    MARGIN = 24,
    LABELS = 276, /* where bars begin */
    BARS = 440,   /* the longest bar; its value stands behind it */
    BAR = 16,
    ROW = 2 * BAR + 8,
    HEADING = 36,
    CURVES = 200
};

struct page {
    FILE *out;
    const struct bench_report *reports;
    size_t count;
    double y; /* of the next thing */
};

/* Rows of one panel, and how long its longest bar is. */
struct panel {
    struct page *page;
    double greatest;
    bool logarithmic; /* from 0.1 on */
};

/* A kind of figure, and the chained table's of it, NULL where that has none. */
struct pair {
    const char *label, *own, *other;
};

static const struct pair calls[] = {
    {"fresh keys, growth", "fresh_ns", "chained_fresh_ns"},
    {"fresh keys, full table", "fresh_at_full_ns", "chained_fresh_at_full_ns"},
    {"duplicates", "duplicate_ns", "chained_duplicate_ns"},
    {"releases", "release_ns", "chained_release_ns"},
    {"32 fresh keys at once", "batch_fresh_ns", NULL},
    {"32 duplicates at once", "batch_duplicate_ns", NULL},
};

/* Once, with one thread. */
static const struct pair host_calls[] = {
    {"host store, fresh keys", "host_fresh_ns", NULL},
    {"host store, full table", "host_fresh_at_full_ns", NULL},
    {"host store, duplicates", "host_duplicate_ns", NULL},
};

static const struct pair waits[] = {
    {"the table grows", "fill_max_us", "chained_fill_max_us"},
    {"nobody sweeps", "quiet_max_us", NULL},
    {"a sweep, nothing has ended", "sweep_none_max_us", "chained_sweep_none_max_us"},
    {"a sweep, 1 of 1,000 has ended", "sweep_few_max_us", NULL},
    {"a sweep, everything has ended", "sweep_all_max_us", "chained_sweep_all_max_us"},
};

enum {
    CALLS = sizeof calls / sizeof calls[0],
    HOST_CALLS = sizeof host_calls / sizeof host_calls[0],
    WAITS = sizeof waits / sizeof waits[0]
};

static double figure(const struct bench_report *report, const char *name)
{
    double value = 0;
    if (name != NULL)
        (void)bench_report_find(report, name, &value);
    return value;
}

/* ---- bars ---- */

static void raise_to(double *greatest, double value)
{
    if (value > *greatest)
        *greatest = value;
}

static double greatest_of(const struct page *page, const struct pair *pairs, size_t count)
{
    double greatest = 1;
    for (size_t place = 0; place < page->count; place++)
        for (size_t i = 0; i < count; i++) {
            raise_to(&greatest, figure(&page->reports[place], pairs[i].own));
            raise_to(&greatest, figure(&page->reports[place], pairs[i].other));
        }
    return greatest;
}

static double length_of(const struct panel *panel, double value)
{
    if (!panel->logarithmic)
        return BARS * value / panel->greatest;
    return value <= 0.1 ? 0 : BARS * log10(value * 10) / log10(panel->greatest * 10);
}

static void draw_bar(const struct panel *panel, double y, double value, const char *whose,
                     const char *name)
{
    char text[64];
    double length = length_of(panel, value);
    struct bench_point from = {LABELS, y}, behind = {LABELS + length + 6, y + BAR - 4};
    (void)snprintf(text, sizeof text, "%.*f %s", value < 10 ? 1 : 0, value, name);
    bench_drawing_bar(panel->page->out, from, length, BAR - 3, whose);
    bench_drawing_text(panel->page->out, behind, "start", text);
}

static void draw_pair(const struct panel *panel, const struct pair *pair, size_t place)
{
    struct page *page = panel->page;
    const struct bench_report *report = &page->reports[place];
    double threads = figure(report, "threads");
    char label[96];
    (void)snprintf(label, sizeof label, "%s, %.0f thread%s", pair->label, threads,
                   threads == 1 ? "" : "s");
    struct bench_point before = {LABELS - 8, page->y + BAR + 2};
    bench_drawing_text(page->out, before, "end", label);
    draw_bar(panel, page->y, figure(report, pair->own), "own", "jtiguard");
    if (pair->other != NULL)
        draw_bar(panel, page->y + BAR, figure(report, pair->other), "other", "chained");
    page->y += ROW;
}

static void draw_heading(struct page *page, const char *heading)
{
    struct bench_point at = {MARGIN, page->y + HEADING - 14};
    bench_drawing_heading(page->out, at, heading);
    page->y += HEADING;
}

static size_t host_rows(const struct bench_report *reports)
{
    return figure(&reports[0], "host_fresh_ns") > 0 ? HOST_CALLS : 0;
}

static void draw_calls(struct page *page)
{
    struct panel panel = {page, greatest_of(page, calls, CALLS), false};
    raise_to(&panel.greatest, greatest_of(page, host_calls, HOST_CALLS));
    draw_heading(page, "Time of a call in nanoseconds: shorter is better");
    for (size_t i = 0; i < CALLS; i++)
        for (size_t place = 0; place < page->count; place++)
            draw_pair(&panel, &calls[i], place);
    for (size_t i = 0; i < host_rows(page->reports); i++)
        draw_pair(&panel, &host_calls[i], 0);
}

/* With the last thread count: the most of them. */
static void draw_waits(struct page *page)
{
    struct panel panel = {page, greatest_of(page, waits, WAITS), true};
    draw_heading(page, "Longest single call in microseconds, on a logarithmic scale");
    for (size_t i = 0; i < WAITS; i++)
        draw_pair(&panel, &waits[i], i == 0 ? 0 : page->count - 1);
}

/* ---- curves ---- */

static double greatest_bytes(const struct bench_common *common)
{
    double greatest = 1;
    for (size_t i = 0; i <= BENCH_LOOKS; i++) {
        raise_to(&greatest, common->memory.footprint.bytes_at[i]);
        raise_to(&greatest, common->chained.bytes_at[i]);
    }
    return greatest;
}

static void draw_curve(const struct page *page, const double *bytes_at, double greatest,
                       const char *whose, const char *name)
{
    struct bench_point points[BENCH_LOOKS + 1];
    char text[64];
    for (size_t i = 0; i <= BENCH_LOOKS; i++) {
        points[i].x = LABELS + (double)BARS * (double)i / BENCH_LOOKS;
        points[i].y = page->y + CURVES * (1 - bytes_at[i] / greatest);
    }
    struct bench_point behind = {LABELS + BARS + 6, points[BENCH_LOOKS].y + 4};
    (void)snprintf(text, sizeof text, "%.1f %s", bytes_at[BENCH_LOOKS], name);
    bench_drawing_curve(page->out, points, BENCH_LOOKS + 1, whose);
    bench_drawing_text(page->out, behind, "start", text);
}

static void draw_axes(const struct page *page, double greatest)
{
    double entries = figure(&page->reports[0], "entries");
    struct bench_point corner[3] = {
        {LABELS, page->y}, {LABELS, page->y + CURVES}, {LABELS + BARS, page->y + CURVES}};
    struct bench_point top = {LABELS - 8, page->y + 10}, bottom = {LABELS - 8, page->y + CURVES};
    struct bench_point half = {LABELS, page->y + CURVES + 18};
    struct bench_point all = {LABELS + BARS, page->y + CURVES + 18};
    char text[64];
    bench_drawing_curve(page->out, corner, 3, "axis");
    (void)snprintf(text, sizeof text, "%.0f", greatest);
    bench_drawing_text(page->out, top, "end", text);
    bench_drawing_text(page->out, bottom, "end", "0");
    (void)snprintf(text, sizeof text, "%.0f live entries", entries / 2);
    bench_drawing_text(page->out, half, "start", text);
    (void)snprintf(text, sizeof text, "%.0f", entries);
    bench_drawing_text(page->out, all, "end", text);
}

static void draw_memory(struct page *page, const struct bench_common *common)
{
    double greatest = greatest_bytes(common);
    draw_heading(page, "Bytes an entry, while the table grows from half its entries to all");
    draw_axes(page, greatest);
    draw_curve(page, common->memory.footprint.bytes_at, greatest, "own", "jtiguard");
    draw_curve(page, common->chained.bytes_at, greatest, "other", "chained");
    page->y += CURVES + 24;
}

/* ---- all of it ---- */

static double height_of(const struct bench_report *reports, size_t count)
{
    size_t rows = CALLS * count + host_rows(reports) + WAITS;
    return 3.0 * HEADING + (double)ROW * (double)rows + CURVES + 24 + MARGIN;
}

/* NULL when there is no memory for it; free() it. */
static char *describe(const struct bench_report *reports, size_t count)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return NULL;
    bench_conclusion_write(out, reports, count);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

bool bench_memory_drawing_write(FILE *out, const struct bench_report *reports, size_t count,
                                const struct bench_common *common)
{
    struct page page = {out, reports, count, 0};
    char *description = describe(reports, count);
    if (description != NULL) {
        bench_drawing_begin(out, WIDTH, height_of(reports, count),
                            "The memory store of jtiguard beside a chained table", description);
        draw_calls(&page);
        draw_memory(&page, common);
        draw_waits(&page);
        bench_drawing_end(out);
    }
    bool good = description != NULL && !ferror(out);
    free(description);
    if (fclose(out) != 0 || !good) {
        fputs("jtiguard bench: the drawing could not be written\n", stderr);
        return false;
    }
    return true;
}
