/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/redis/contest.h"

#include "bench/isolate.h"
#include "bench/progress.h"
#include "bench/redis/benchmark.h"
#include "bench/redis/load.h"

#include <stdio.h>

/* The store must hold what was claimed to be stored: every reserve made a key of its own. */
static bool check_stored(const struct bench_place *place, const char *name, uint64_t least,
                         uint64_t most)
{
    uint64_t count = 0;
    if (!place->ours)
        return true;
    if (!bench_place_count(place, &count))
        return false;
    if (count >= least && count <= most)
        return true;
    bench_progress_clear();
    fprintf(stderr, "jtiguard bench redis: %s: %llu keys are stored where %llu must be\n", name,
            (unsigned long long)count, (unsigned long long)most);
    return false;
}

static void keep(struct bench_client_samples *samples, const struct bench_load_result *result)
{
    bench_samples_add(&samples->ops_per_s, result->ops_per_s);
    bench_samples_add(&samples->p50_us, result->p50_us);
    bench_samples_add(&samples->p99_us, result->p99_us);
    bench_samples_add(&samples->cpu_us_per_op, result->cpu_us_per_op);
    bench_samples_add(&samples->batch_mean, result->batches.mean);
    bench_samples_add(&samples->batch_max, result->batches.max);
}

static bool is_watched(const struct bench_place *place)
{
    return place->options->continuity != 0;
}

static bool run_client(const struct bench_load *load, struct bench_client_samples *samples)
{
    struct bench_load_result result;
    if (load->place->ours && !bench_place_empty(load->place))
        return false;
    if (!bench_isolate(bench_load_measure, load, &result, sizeof result))
        return false;
    keep(samples, &result);
    uint64_t stored = result.stored + (load->client->marks && is_watched(load->place));
    return check_stored(load->place, load->client->name, stored, stored);
}

static bool run_redis_benchmark(const struct bench_place *place, double seconds,
                                struct bench_samples *samples)
{
    double ops_per_s = 0;
    uint64_t stored = 0;
    if (place->ours && !bench_place_empty(place))
        return false;
    if (!bench_benchmark_run(place, seconds, &ops_per_s, &stored))
        return false;
    bench_samples_add(samples, ops_per_s);
    /* It may send a few more to fill its last pipelines, and draws some keys twice. */
    return check_stored(place, "redis-benchmark", stored - stored / 50, stored + UINT64_C(64) * 64);
}

bool bench_contest_measure(const struct bench_redis_options *options,
                           const struct bench_place *place, unsigned callers,
                           bool with_redis_benchmark, struct bench_contest *contest)
{
    struct bench_load ours = {&bench_client_jtiguard, place, callers, options->seconds};
    struct bench_load unwatched = {&bench_client_unwatched, place, callers, options->seconds};
    struct bench_load raw = {&bench_client_hiredis, place, callers, options->seconds};
    bool good = true;
    for (unsigned run = 1; good && run <= options->runs; run++) {
        bench_progress_show("reserve", callers, run, options->runs);
        good = run_client(&ours, &contest->jtiguard) &&
               (!is_watched(place) || run_client(&unwatched, &contest->unwatched)) &&
               run_client(&raw, &contest->hiredis) &&
               (!with_redis_benchmark ||
                run_redis_benchmark(place, options->seconds, &contest->redis_benchmark));
    }
    bench_progress_clear();
    return good;
}
