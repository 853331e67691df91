/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/serve/figures.h"

/* A name, and that of its least and its greatest. */
#define SPREAD(name)                                                                               \
    {                                                                                              \
        name, name "_min", name "_max"                                                             \
    }
#define SUBJECT(name)                                                                              \
    {                                                                                              \
        SPREAD(name "_ops_per_s"), SPREAD(name "_p50_us"), SPREAD(name "_p99_us"),                 \
            SPREAD(name "_cpu_us_per_op")                                                          \
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

static void add_subject(struct bench_report *report, const char *const names[4][3],
                        const struct bench_subject_samples *of)
{
    add(report, names[0], "1/s", &of->ops_per_s);
    add(report, names[1], "us", &of->p50_us);
    add(report, names[2], "us", &of->p99_us);
    add(report, names[3], "us", &of->cpu_us_per_op);
}

struct bench_report bench_serve_figures_make(const struct bench_serve_options *options,
                                             const struct bench_serve_contest *contest)
{
    static const char *const subjects[BENCH_SUBJECTS][4][3] = {SUBJECT("memory"), SUBJECT("redis"),
                                                               SUBJECT("api"), SUBJECT("bare")};
    static const char *const signature[3] = SPREAD("signature_us");
    static const char *const guard[3] = SPREAD("guard_us");
    static const char *const guard_share[3] = SPREAD("guard_share");
    static const char *const memory_share[3] = SPREAD("memory_share_of_bare");
    static const char *const redis_share[3] = SPREAD("redis_share_of_memory");
    static const char *const api_share[3] = SPREAD("api_share_of_bare");
    const struct bench_samples *memory = &contest->of[BENCH_SUBJECT_MEMORY].ops_per_s;
    const struct bench_samples *redis = &contest->of[BENCH_SUBJECT_REDIS].ops_per_s;
    struct bench_report report = {0};
    bench_report_add_text(&report, "alg", contest->alg);
    bench_report_add(&report, "tokens", "", options->tokens);
    bench_report_add(&report, "connections", "", options->connections);
    bench_report_add(&report, "runs", "", options->runs);
    for (int kind = 0; kind < BENCH_SUBJECTS; kind++)
        if (contest->of[kind].ops_per_s.count > 0)
            add_subject(&report, subjects[kind], &contest->of[kind]);
    add(&report, signature, "us", &contest->signature_us);
    add(&report, guard, "us", &contest->guard_us);
    add_ratio(&report, guard_share, &contest->guard_us, &contest->signature_us);
    add_ratio(&report, memory_share, memory, &contest->of[BENCH_SUBJECT_FLOOR].ops_per_s);
    add_ratio(&report, api_share, &contest->of[BENCH_SUBJECT_API].ops_per_s,
              &contest->of[BENCH_SUBJECT_FLOOR].ops_per_s);
    if (redis->count > 0)
        add_ratio(&report, redis_share, redis, memory);
    return report;
}
