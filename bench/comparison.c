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
    bool own_thread; /* of the memory backend */
};

struct speed_result {
    double ns[BENCH_OWN_SPEEDS];
};

/* Told and untold in the order of A B B A, so that what drifts meanwhile drifts for both. */
static void measure_refusals(const struct speed_input *of, void *self, double *ns)
{
    static const enum bench_call calls[4] = {BENCH_RESERVE_HELD, BENCH_RESERVE_TOLD,
                                             BENCH_RESERVE_TOLD, BENCH_RESERVE_HELD};
    uint64_t held = of->entries < CALLS_MAX ? of->entries : CALLS_MAX;
    struct bench_range range = {0, held, of->entries};
    for (size_t i = 0; i < 4; i++)
        ns[calls[i] == BENCH_RESERVE_TOLD ? BENCH_TOLD : BENCH_UNTOLD] +=
            bench_phase_run(of->subject, self, calls[i], &range, of->threads) / 2;
}

static void measure_speed(const void *input, void *result)
{
    const struct speed_input *of = input;
    const struct bench_subject *subject = of->subject;
    double *ns = ((struct speed_result *)result)->ns;
    uint64_t entries = of->entries;
    uint64_t calls = entries < CALLS_MAX ? entries : CALLS_MAX;
    struct bench_setup setup = {
        .max_entries = entries * 2, .floor_bytes = of->floor_bytes, .thread = of->own_thread};
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
    if (subject->reserve_told != NULL)
        measure_refusals(of, self, ns);
    ns[BENCH_RELEASED] = bench_phase_run(subject, self, BENCH_RELEASE, &held, of->threads);
}

/* The same table, filled and asked many keys at once. */
static void measure_batches(const void *input, void *result)
{
    const struct speed_input *of = input;
    double *ns = ((struct speed_result *)result)->ns;
    uint64_t calls = of->entries < CALLS_MAX ? of->entries : CALLS_MAX;
    struct bench_setup setup = {.max_entries = of->entries * 2, .thread = of->own_thread};
    struct bench_range all = {0, of->entries, 0}, held = {0, calls, of->entries};
    bench_warm_memory(of->entries);
    void *self = of->subject->make(&setup);
    ns[BENCH_BATCH_FRESH] =
        bench_phase_run(of->subject, self, BENCH_RESERVE_FRESH_BATCH, &all, of->threads);
    ns[BENCH_BATCH_DUPLICATE] =
        bench_phase_run(of->subject, self, BENCH_RESERVE_HELD_BATCH, &held, of->threads);
}

/* ---- all runs ---- */

static bool run_speed(const struct speed_input *input, struct bench_speeds *speeds)
{
    struct speed_result result, batches = {{0}};
    if (!bench_isolate(measure_speed, input, &result, sizeof result) ||
        (input->subject->reserve_many != NULL &&
         !bench_isolate(measure_batches, input, &batches, sizeof batches)))
        return false;
    result.ns[BENCH_BATCH_FRESH] = batches.ns[BENCH_BATCH_FRESH];
    result.ns[BENCH_BATCH_DUPLICATE] = batches.ns[BENCH_BATCH_DUPLICATE];
    for (size_t i = 0; i < BENCH_OWN_SPEEDS; i++)
        bench_samples_add(&speeds->of[i], result.ns[i]);
    return true;
}

static bool run_round(const struct bench_options *options, unsigned threads, uint64_t floor_bytes,
                      struct bench_comparison *comparison)
{
    struct speed_input memory = {&bench_subject_memory, options->entries, 0, threads,
                                 !options->without_thread};
    struct speed_input chained = {&bench_subject_chained, options->entries, 0, threads, false};
    struct speed_input floor = {&bench_subject_floor, options->entries, floor_bytes, threads,
                                false};
    return run_speed(&memory, &comparison->memory) && run_speed(&chained, &comparison->chained) &&
           run_speed(&floor, &comparison->floor);
}

static bool run_waits(const struct bench_subject *subject, uint64_t entries, unsigned threads,
                      struct bench_waits *waits)
{
    struct bench_waits_input input = {subject, entries, threads};
    return bench_isolate(bench_waits_measure, &input, waits, sizeof *waits);
}

static bool run_rounds(const struct bench_options *options, const struct bench_common *common,
                       struct bench_comparison *comparisons, struct bench_host *host)
{
    bool good = true;
    for (unsigned run = 1; run <= options->runs; run++)
        for (size_t i = 0; good && i < options->threads.count; i++) {
            unsigned threads = options->threads.values[i];
            bench_progress_show("speed", threads, run, options->runs);
            good = run_round(options, threads, common->memory.stats.table_bytes, &comparisons[i]);
            if (good && threads == 1)
                good = bench_host_measure(options->entries, host);
        }
    return good;
}

bool bench_comparisons_measure(const struct bench_options *options,
                               const struct bench_common *common,
                               struct bench_comparison *comparisons, struct bench_host *host)
{
    bool good = run_rounds(options, common, comparisons, host);
    for (size_t i = 0; good && i < options->threads.count; i++) {
        unsigned threads = options->threads.values[i];
        bench_progress_show("waits", threads, 0, 0);
        good = run_waits(&bench_subject_memory, options->entries, threads,
                         &comparisons[i].memory_waits);
    }
    bench_progress_clear();
    return good;
}

static void add_fill(struct bench_common *common)
{
    const struct bench_footprint *fill = &common->memory.footprint;
    bench_samples_add(&common->bytes_worst, fill->bytes_per_entry_worst);
    bench_samples_add(&common->fill_p999_us, fill->fill_p999_us);
    bench_samples_add(&common->fill_max_us, fill->fill_max_us);
}

static bool run_fills(const struct bench_options *options, struct bench_common *common)
{
    struct bench_footprint_input memory = {&bench_subject_memory, options->entries,
                                           !options->without_thread};
    bool good = true;
    for (unsigned run = 1; good && run <= options->runs; run++) {
        bench_progress_show("memory in use", 0, run, options->runs);
        good = bench_isolate(bench_footprint_measure_memory, &memory, &common->memory,
                             sizeof common->memory);
        add_fill(common);
    }
    return good;
}

bool bench_common_measure(const struct bench_options *options, struct bench_common *common)
{
    struct bench_footprint_input chained = {&bench_subject_chained, options->entries, false};
    bool good =
        run_fills(options, common) &&
        bench_isolate(bench_footprint_measure, &chained, &common->chained, sizeof common->chained);
    bench_progress_show("waits of the chained table", 0, 0, 0);
    good = good && run_waits(&bench_subject_chained, options->entries, 1, &common->chained_waits);
    bench_progress_clear();
    return good;
}
