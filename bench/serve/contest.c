/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/serve/contest.h"

#include "bench/isolate.h"
#include "bench/progress.h"
#include "bench/serve/alone.h"

static bool run_subject(enum bench_subject_kind kind, const struct bench_tokens *tokens,
                        unsigned connections, struct bench_subject_samples *samples)
{
    struct bench_subject_result result;
    if (!bench_subject_measure(kind, tokens, connections, &result))
        return false;
    bench_samples_add(&samples->ops_per_s, result.ops_per_s);
    bench_samples_add(&samples->p50_us, result.p50_us);
    bench_samples_add(&samples->p99_us, result.p99_us);
    bench_samples_add(&samples->cpu_us_per_op, result.cpu_us_per_op);
    return true;
}

static bool run_alone(const struct bench_tokens *tokens, struct bench_serve_contest *contest)
{
    struct bench_alone alone;
    if (!bench_isolate(bench_alone_measure, tokens, &alone, sizeof alone))
        return false;
    bench_samples_add(&contest->signature_us, alone.signature_us);
    bench_samples_add(&contest->guard_us, alone.guard_us);
    return true;
}

static bool run_all(const struct bench_tokens *tokens, unsigned connections, bool with_redis,
                    struct bench_serve_contest *contest)
{
    for (int kind = 0; kind < BENCH_SUBJECTS; kind++)
        if ((kind != BENCH_SUBJECT_REDIS || with_redis) &&
            !run_subject((enum bench_subject_kind)kind, tokens, connections, &contest->of[kind]))
            return false;
    return run_alone(tokens, contest);
}

bool bench_serve_contest_measure(const struct bench_serve_options *options, const char *alg,
                                 bool with_redis, struct bench_serve_contest *contest)
{
    struct bench_tokens tokens;
    contest->alg = alg;
    bench_progress_show("signing tokens", 0, 0, 0);
    bool good = bench_tokens_make(&tokens, alg, options->tokens);
    for (unsigned run = 1; good && run <= options->runs; run++) {
        bench_progress_show(alg, 0, run, options->runs);
        good = run_all(&tokens, options->connections, with_redis, contest);
    }
    bench_tokens_free(&tokens);
    bench_progress_clear();
    return good;
}
