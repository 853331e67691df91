/* SPDX-License-Identifier: Apache-2.0 */
#include "comparison.h"

#include "isolate.h"
#include "phase.h"
#include "progress.h"
#include "warm.h"

/* ---- one run of one table ---- */

/* Calls of a phase that does not fill the table: enough for a mean, and a large table is not
 * walked through three times. */
#define CALLS_MAX UINT64_C(4000000)

struct speed_input {
    const struct bench_subject *subject;
    uint64_t entries;
    uint64_t floor_bytes;
    unsigned threads;
};

struct speed_result {
    double ns[BENCH_SPEEDS];
};

static void measure_speed(const void *input, void *result)
{
    const struct speed_input *of = input;
    const struct bench_subject *subject = of->subject;
    double *ns = ((struct speed_result *)result)->ns;
    uint64_t entries = of->entries;
    uint64_t calls = entries < CALLS_MAX ? entries : CALLS_MAX;
    struct bench_setup setup = {.max_entries = entries * 2, .floor_bytes = of->floor_bytes};
    struct bench_range all = {0, entries, 0}, held = {0, calls, entries};
    struct bench_range new_keys = {entries, calls / 4, 0};

    bench_warm_memory(entries);
    void *self = subject->make(&setup);
    if (subject == &bench_subject_floor) {
        ns[BENCH_FRESH] = bench_phase_run(subject, self, BENCH_RESERVE_FRESH, &held, of->threads);
        return;
    }
    ns[BENCH_FRESH] = bench_phase_run(subject, self, BENCH_RESERVE_FRESH, &all, of->threads);
    ns[BENCH_FRESH_AT_FULL] =
        bench_phase_run(subject, self, BENCH_RESERVE_TURNOVER, &new_keys, of->threads);
    ns[BENCH_DUPLICATE] = bench_phase_run(subject, self, BENCH_RESERVE_HELD, &held, of->threads);
    ns[BENCH_RELEASED] = bench_phase_run(subject, self, BENCH_RELEASE, &held, of->threads);
}

/* ---- all runs ---- */

static bool run_speed(const struct speed_input *input, struct bench_speeds *speeds)
{
    struct speed_result result;
    if (!bench_isolate(measure_speed, input, &result, sizeof result))
        return false;
    for (size_t i = 0; i < BENCH_SPEEDS; i++)
        bench_samples_add(&speeds->of[i], result.ns[i]);
    return true;
}

static bool run_round(const struct bench_options *options, unsigned threads, uint64_t floor_bytes,
                      struct bench_comparison *comparison)
{
    struct speed_input memory = {&bench_subject_memory, options->entries, 0, threads};
    struct speed_input chained = {&bench_subject_chained, options->entries, 0, threads};
    struct speed_input floor = {&bench_subject_floor, options->entries, floor_bytes, threads};
    return run_speed(&memory, &comparison->memory) && run_speed(&chained, &comparison->chained) &&
           run_speed(&floor, &comparison->floor);
}

static bool run_waits(const struct bench_subject *subject, uint64_t entries, unsigned threads,
                      struct bench_waits *waits)
{
    struct bench_waits_input input = {subject, entries, threads};
    return bench_isolate(bench_waits_measure, &input, waits, sizeof *waits);
}

bool bench_comparison_measure(const struct bench_options *options, unsigned threads,
                              const struct bench_common *common,
                              struct bench_comparison *comparison)
{
    bool good = true;
    for (unsigned run = 1; good && run <= options->runs; run++) {
        bench_progress_show("speed", threads, run, options->runs);
        good = run_round(options, threads, common->memory.stats.table_bytes, comparison);
    }
    bench_progress_show("waits", threads, 0, 0);
    good = good &&
           run_waits(&bench_subject_memory, options->entries, threads, &comparison->memory_waits);
    bench_progress_clear();
    return good;
}

static bool run_footprints(uint64_t entries, struct bench_common *common)
{
    struct bench_footprint_input memory = {&bench_subject_memory, entries};
    struct bench_footprint_input chained = {&bench_subject_chained, entries};
    return bench_isolate(bench_footprint_measure_memory, &memory, &common->memory,
                         sizeof common->memory) &&
           bench_isolate(bench_footprint_measure, &chained, &common->chained,
                         sizeof common->chained);
}

bool bench_common_measure(uint64_t entries, struct bench_common *common)
{
    bench_progress_show("memory in use", 0, 0, 0);
    bool good = run_footprints(entries, common);
    bench_progress_show("waits of the chained table", 0, 0, 0);
    good = good && run_waits(&bench_subject_chained, entries, 1, &common->chained_waits);
    bench_progress_clear();
    return good;
}
