/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/redis/figures.h"

/* A name, and that of its least and its greatest. */
#define SPREAD(name)                                                                               \
    {                                                                                              \
        name, name "_min", name "_max"                                                             \
    }

static void add(struct bench_report *report, const char *const names[3], const char *unit,
                const struct bench_samples *samples)
{
    bench_report_add(report, names[0], unit, bench_samples_median(samples));
    bench_report_add(report, names[1], unit, bench_samples_min(samples));
    bench_report_add(report, names[2], unit, bench_samples_max(samples));
}

/* Run by run. */
static void add_ratio(struct bench_report *report, const char *const names[3],
                      const struct bench_samples *over, const struct bench_samples *under)
{
    struct bench_samples ratio = bench_samples_ratio(over, under);
    add(report, names, "times", &ratio);
}

static void add_jtiguard(struct bench_report *report, const struct bench_client_samples *of)
{
    static const char *const names[][3] = {SPREAD("ops_per_s"), SPREAD("p50_us"), SPREAD("p99_us"),
                                           SPREAD("client_cpu_us_per_op")};
    add(report, names[0], "1/s", &of->ops_per_s);
    add(report, names[1], "us", &of->p50_us);
    add(report, names[2], "us", &of->p99_us);
    add(report, names[3], "us", &of->cpu_us_per_op);
    bench_report_add(report, "batch_mean", "cmds", bench_samples_median(&of->batch_mean));
    bench_report_add(report, "batch_max", "", bench_samples_max(&of->batch_max));
}

/* The figures above are with continuity, unless the store's URI says no. */
static void add_unwatched(struct bench_report *report, const struct bench_contest *contest)
{
    static const char *const names[][3] = {
        SPREAD("unwatched_ops_per_s"), SPREAD("unwatched_p50_us"), SPREAD("unwatched_p99_us"),
        SPREAD("unwatched_client_cpu_us_per_op"), SPREAD("continuity_share")};
    const struct bench_client_samples *of = &contest->unwatched;
    if (of->ops_per_s.count == 0)
        return;
    add(report, names[0], "1/s", &of->ops_per_s);
    add(report, names[1], "us", &of->p50_us);
    add(report, names[2], "us", &of->p99_us);
    add(report, names[3], "us", &of->cpu_us_per_op);
    add_ratio(report, names[4], &contest->jtiguard.ops_per_s, &of->ops_per_s);
}

static void add_hiredis(struct bench_report *report, const struct bench_client_samples *of)
{
    static const char *const names[][3] = {SPREAD("hiredis_ops_per_s"), SPREAD("hiredis_p50_us"),
                                           SPREAD("hiredis_p99_us"),
                                           SPREAD("hiredis_client_cpu_us_per_op")};
    add(report, names[0], "1/s", &of->ops_per_s);
    add(report, names[1], "us", &of->p50_us);
    add(report, names[2], "us", &of->p99_us);
    add(report, names[3], "us", &of->cpu_us_per_op);
}

static void add_ratios(struct bench_report *report, const struct bench_contest *contest)
{
    static const char *const names[][3] = {SPREAD("speedup_vs_hiredis"), SPREAD("p50_ratio"),
                                           SPREAD("p99_ratio"), SPREAD("cpu_ratio")};
    const struct bench_client_samples *ours = &contest->jtiguard, *raw = &contest->hiredis;
    add_ratio(report, names[0], &ours->ops_per_s, &raw->ops_per_s);
    add_ratio(report, names[1], &ours->p50_us, &raw->p50_us);
    add_ratio(report, names[2], &ours->p99_us, &raw->p99_us);
    add_ratio(report, names[3], &ours->cpu_us_per_op, &raw->cpu_us_per_op);
}

static void add_redis_benchmark(struct bench_report *report, const struct bench_contest *contest)
{
    static const char *const names[][3] = {SPREAD("redis_benchmark_ops_per_s"),
                                           SPREAD("share_of_redis_benchmark")};
    if (contest->redis_benchmark.count == 0)
        return;
    add(report, names[0], "1/s", &contest->redis_benchmark);
    add_ratio(report, names[1], &contest->jtiguard.ops_per_s, &contest->redis_benchmark);
}

struct bench_report bench_redis_figures_make(const struct bench_redis_options *options,
                                             unsigned callers, unsigned connections,
                                             const struct bench_contest *contest)
{
    struct bench_report report = {0};
    bench_report_add(&report, "callers", "", callers);
    bench_report_add(&report, "connections", "", connections);
    bench_report_add(&report, "runs", "", options->runs);
    bench_report_add(&report, "seconds", "s", options->seconds);
    add_jtiguard(&report, &contest->jtiguard);
    add_unwatched(&report, contest);
    add_hiredis(&report, &contest->hiredis);
    add_ratios(&report, contest);
    add_redis_benchmark(&report, contest);
    return report;
}
