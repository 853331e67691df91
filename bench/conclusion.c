/* SPDX-License-Identifier: Apache-2.0 */
#include "conclusion.h"

static double figure(const struct bench_report *report, const char *name)
{
    double value = 0;
    (void)bench_report_find(report, name, &value);
    return value;
}

/* Of the first report and, where there are more, of the last: "437 and 414". */
static void write_ends(FILE *out, const struct bench_report *reports, size_t count,
                       const char *name, int decimals)
{
    fprintf(out, "%.*f", decimals, figure(&reports[0], name));
    if (count > 1)
        fprintf(out, " and %.*f", decimals, figure(&reports[count - 1], name));
}

void bench_conclusion_write(FILE *out, const struct bench_report *reports, size_t count)
{
    const struct bench_report *any = &reports[0];
    bool one = count == 1 && figure(any, "threads") == 1;
    fputs("With ", out);
    write_ends(out, reports, count, "threads", 0);
    fprintf(out, " thread%s a reservation that filled the table took ", one ? "" : "s");
    write_ends(out, reports, count, "fresh_ns", 0);
    fputs(" ns, which is ", out);
    write_ends(out, reports, count, "fresh_speedup_vs_chained", 2);
    fputs(" times as fast as the chained table and ", out);
    write_ends(out, reports, count, "fresh_over_floor", 2);
    fprintf(out,
            " times as long as the floor program; an entry took at most %.1f bytes (chained %.1f), "
            "and the longest call of a fill %.2f ms (chained %.2f).",
            figure(any, "bytes_per_entry_worst"), figure(any, "chained_bytes_per_entry"),
            figure(any, "fill_max_us_max") / 1000, figure(any, "chained_fill_max_us") / 1000);
}
