/* SPDX-License-Identifier: Apache-2.0 */
#include "figures.h"

static void add_samples(struct bench_report *report, const char *const names[3], const char *unit,
                        const struct bench_samples *samples)
{
    bench_report_add(report, names[0], unit, bench_samples_median(samples));
    bench_report_add(report, names[1], unit, bench_samples_min(samples));
    bench_report_add(report, names[2], unit, bench_samples_max(samples));
}

static void add_speeds(struct bench_report *report, const struct bench_comparison *comparison)
{
    static const char *const names[BENCH_SPEEDS][3] = {
        {"fresh_ns", "fresh_ns_min", "fresh_ns_max"},
        {"fresh_at_full_ns", "fresh_at_full_ns_min", "fresh_at_full_ns_max"},
        {"duplicate_ns", "duplicate_ns_min", "duplicate_ns_max"},
        {"release_ns", "release_ns_min", "release_ns_max"}};
    static const char *const chained_names[BENCH_SPEEDS] = {
        "chained_fresh_ns", "chained_fresh_at_full_ns", "chained_duplicate_ns",
        "chained_release_ns"};

    for (size_t i = 0; i < BENCH_SPEEDS; i++)
        add_samples(report, names[i], "ns", &comparison->memory.of[i]);
    for (size_t i = 0; i < BENCH_SPEEDS; i++)
        bench_report_add(report, chained_names[i], "ns",
                         bench_samples_median(&comparison->chained.of[i]));
    bench_report_add(report, "floor_ns", "ns",
                     bench_samples_median(&comparison->floor.of[BENCH_FRESH]));
}

static void add_speedups(struct bench_report *report, const struct bench_comparison *comparison)
{
    static const char *const names[BENCH_SPEEDS][3] = {
        {"fresh_speedup_vs_chained", "fresh_speedup_min", "fresh_speedup_max"},
        {"fresh_at_full_speedup_vs_chained", "fresh_at_full_speedup_min",
         "fresh_at_full_speedup_max"},
        {"duplicate_speedup_vs_chained", "duplicate_speedup_min", "duplicate_speedup_max"},
        {"release_speedup_vs_chained", "release_speedup_min", "release_speedup_max"}};
    for (size_t i = 0; i < BENCH_SPEEDS; i++) {
        struct bench_samples ratio =
            bench_samples_ratio(&comparison->chained.of[i], &comparison->memory.of[i]);
        add_samples(report, names[i], "times", &ratio);
    }
}

static void add_batches(struct bench_report *report, const struct bench_speeds *memory)
{
    static const char *const fresh[3] = {"batch_fresh_ns", "batch_fresh_ns_min",
                                         "batch_fresh_ns_max"};
    static const char *const duplicate[3] = {"batch_duplicate_ns", "batch_duplicate_ns_min",
                                             "batch_duplicate_ns_max"};
    bench_report_add(report, "batch", "", BENCH_BATCH);
    add_samples(report, fresh, "ns", &memory->of[BENCH_BATCH_FRESH]);
    add_samples(report, duplicate, "ns", &memory->of[BENCH_BATCH_DUPLICATE]);
}

/* ---- ratios of our own figures ---- */

static void add_ratio(struct bench_report *report, const char *const names[3],
                      const struct bench_samples *above, const struct bench_samples *below)
{
    struct bench_samples ratio = bench_samples_ratio(above, below);
    add_samples(report, names, "times", &ratio);
}

static void add_ratios(struct bench_report *report, const struct bench_comparison *comparison)
{
    static const char *const fresh[3] = {"fresh_over_floor", "fresh_over_floor_min",
                                         "fresh_over_floor_max"};
    static const char *const duplicate[3] = {"duplicate_over_floor", "duplicate_over_floor_min",
                                             "duplicate_over_floor_max"};
    static const char *const told[3] = {"refusal_told_ratio", "refusal_told_ratio_min",
                                        "refusal_told_ratio_max"};
    const struct bench_samples *ours = comparison->memory.of;
    const struct bench_samples *floor = &comparison->floor.of[BENCH_FRESH];
    add_ratio(report, fresh, &ours[BENCH_FRESH], floor);
    add_ratio(report, duplicate, &ours[BENCH_DUPLICATE], floor);
    bench_report_add(report, "refusal_ns", "ns", bench_samples_median(&ours[BENCH_UNTOLD]));
    bench_report_add(report, "refusal_told_ns", "ns", bench_samples_median(&ours[BENCH_TOLD]));
    add_ratio(report, told, &ours[BENCH_TOLD], &ours[BENCH_UNTOLD]);
}

/* How many times the throughput of one thread; only where one thread was measured too. */
static void add_scaling(struct bench_report *report, const struct bench_comparison *one,
                        const struct bench_comparison *comparison)
{
    static const char *const names[BENCH_SPEEDS][3] = {
        {"fresh_scaling", "fresh_scaling_min", "fresh_scaling_max"},
        {"fresh_at_full_scaling", "fresh_at_full_scaling_min", "fresh_at_full_scaling_max"},
        {"duplicate_scaling", "duplicate_scaling_min", "duplicate_scaling_max"},
        {"release_scaling", "release_scaling_min", "release_scaling_max"}};
    for (size_t i = 0; i < BENCH_SPEEDS; i++)
        add_ratio(report, names[i], &one->memory.of[i], &comparison->memory.of[i]);
}

static const struct bench_comparison *of_one_thread(const struct bench_options *options,
                                                    const struct bench_comparison *comparisons)
{
    for (size_t i = 0; i < options->threads.count; i++)
        if (options->threads.values[i] == 1)
            return &comparisons[i];
    return NULL;
}

/* ---- what is the same for every number of threads ---- */

static void add_fills(struct bench_report *report, const struct bench_common *common)
{
    static const char *const longest[3] = {"fill_max_us", "fill_max_us_min", "fill_max_us_max"};
    bench_report_add(report, "fill_wait_us", "us", bench_samples_median(&common->fill_p999_us));
    add_samples(report, longest, "us", &common->fill_max_us);
    bench_report_add(report, "chained_fill_max_us", "us", common->chained.fill_max_us);
}

static void add_common(struct bench_report *report, const struct bench_common *common)
{
    const struct bench_footprint *memory = &common->memory.footprint;
    bench_report_add(report, "bytes_per_entry", "bytes", memory->bytes_per_entry);
    bench_report_add(report, "bytes_per_entry_worst", "bytes",
                     bench_samples_max(&common->bytes_worst));
    bench_report_add(report, "chained_bytes_per_entry", "bytes", common->chained.bytes_per_entry);
    bench_report_add(report, "table_bytes", "", (double)common->memory.stats.table_bytes);
    bench_report_add(report, "growths", "", (double)common->memory.stats.growths);
    add_fills(report, common);
}

static void add_wait(struct bench_report *report, const char *const names[3],
                     const struct bench_wait *wait)
{
    bench_report_add(report, names[0], "us", wait->p999_us);
    bench_report_add(report, names[1], "us", wait->max_us);
    if (names[2] != NULL)
        bench_report_add(report, names[2], "ms", wait->pass_ms);
}

static void add_waits(struct bench_report *report, const struct bench_waits *memory,
                      const struct bench_waits *chained)
{
    static const char *const quiet_names[3] = {"quiet_wait_us", "quiet_max_us", NULL};
    static const char *const none_names[3] = {"sweep_none_wait_us", "sweep_none_max_us",
                                              "sweep_none_pass_ms"};
    static const char *const few_names[3] = {"sweep_few_wait_us", "sweep_few_max_us",
                                             "sweep_few_pass_ms"};
    static const char *const all_names[3] = {"sweep_all_wait_us", "sweep_all_max_us",
                                             "sweep_all_pass_ms"};
    add_wait(report, quiet_names, &memory->quiet);
    add_wait(report, none_names, &memory->none);
    add_wait(report, few_names, &memory->few);
    add_wait(report, all_names, &memory->all);
    bench_report_add(report, "chained_sweep_none_max_us", "us", chained->none.max_us);
    bench_report_add(report, "chained_sweep_all_max_us", "us", chained->all.max_us);
}

/* ---- the host store ---- */

static void add_host_calls(struct bench_report *report, const struct bench_host *host,
                           const struct bench_samples *memory)
{
    static const char *const fresh[3] = {"host_fresh_ratio", "host_fresh_ratio_min",
                                         "host_fresh_ratio_max"};
    static const char *const full[3] = {"host_fresh_at_full_ratio", "host_fresh_at_full_ratio_min",
                                        "host_fresh_at_full_ratio_max"};
    static const char *const duplicate[3] = {"host_duplicate_ratio", "host_duplicate_ratio_min",
                                             "host_duplicate_ratio_max"};
    bench_report_add(report, "host_fresh_ns", "ns", bench_samples_median(&host->fresh_ns));
    bench_report_add(report, "host_fresh_at_full_ns", "ns",
                     bench_samples_median(&host->fresh_at_full_ns));
    bench_report_add(report, "host_duplicate_ns", "ns", bench_samples_median(&host->duplicate_ns));
    add_ratio(report, fresh, &host->fresh_ns, &memory[BENCH_FRESH]);
    add_ratio(report, full, &host->fresh_at_full_ns, &memory[BENCH_FRESH_AT_FULL]);
    add_ratio(report, duplicate, &host->duplicate_ns, &memory[BENCH_DUPLICATE]);
}

static void add_host_pair(struct bench_report *report, const struct bench_host *host)
{
    static const char *const fresh[3] = {"host_fresh_scaling", "host_fresh_scaling_min",
                                         "host_fresh_scaling_max"};
    static const char *const duplicate[3] = {"host_duplicate_scaling", "host_duplicate_scaling_min",
                                             "host_duplicate_scaling_max"};
    add_ratio(report, fresh, &host->fresh_ns, &host->pair_fresh_ns);
    add_ratio(report, duplicate, &host->duplicate_ns, &host->pair_duplicate_ns);
}

static void add_host(struct bench_report *report, const struct bench_host *host,
                     const struct bench_samples *memory)
{
    static const char *const attach[3] = {"host_attach_us", "host_attach_us_min",
                                          "host_attach_us_max"};
    static const char *const repair[3] = {"host_repair_us", "host_repair_us_min",
                                          "host_repair_us_max"};
    if (host->fresh_ns.count == 0)
        return;
    add_host_calls(report, host, memory);
    add_host_pair(report, host);
    add_samples(report, attach, "us", &host->attach_us);
    if (host->repair_us.count > 0)
        add_samples(report, repair, "us", &host->repair_us);
    bench_report_add(report, "host_bytes_per_entry", "bytes",
                     bench_samples_median(&host->bytes_per_entry));
}

static uint64_t max_step_slots(const struct bench_comparison *comparison,
                               const struct bench_common *common)
{
    uint64_t fill = common->memory.stats.max_step_slots;
    uint64_t sweep = comparison->memory_waits.max_step_slots;
    return fill > sweep ? fill : sweep;
}

struct bench_report bench_figures_make(const struct bench_options *options, size_t place,
                                       const struct bench_comparison *comparisons,
                                       const struct bench_common *common,
                                       const struct bench_host *host)
{
    struct bench_report report = {0};
    const struct bench_comparison *comparison = &comparisons[place];
    const struct bench_comparison *one = of_one_thread(options, comparisons);
    bench_report_add(&report, "threads", "", options->threads.values[place]);
    bench_report_add(&report, "entries", "", (double)options->entries);
    bench_report_add(&report, "runs", "", options->runs);
    add_speeds(&report, comparison);
    add_speedups(&report, comparison);
    add_common(&report, common);
    add_waits(&report, &comparison->memory_waits, &common->chained_waits);
    bench_report_add(&report, "max_step_slots", "", (double)max_step_slots(comparison, common));
    add_batches(&report, &comparison->memory);
    add_ratios(&report, comparison);
    if (one != NULL) {
        add_scaling(&report, one, comparison);
        add_host(&report, host, one->memory.of);
    }
    return report;
}
