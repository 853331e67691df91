/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard bench serve`. */
#include "bench.h"

#include "bench/serve/figures.h"

#include <stdio.h>

enum { ALGS = 2 };

static void print_help(void)
{
    fputs("Usage: jtiguard bench serve [OPTION]...\n"
          "Measure `jtiguard serve` (/check, fresh tokens) on the memory store and on a Redis\n"
          "of its own, its API (/v1/reserve) on the memory store, beside a bare handler on the "
          "same HTTP library, and the signature check\n"
          "and the guard alone. With RS256 and ES256. Every answer is checked.\n\n"
          "  --tokens N       to sign, and to show once to each server, 100 ... 1000000\n"
          "                   (default 5000)\n"
          "  --connections N  that ask at once, 1 ... 512 (default 32)\n"
          "  --runs N         times to measure, 1 ... 99 (default 3); medians are reported\n"
          "  --json           one JSON object an algorithm, a line each\n"
          "  -h, --help       this text\n\n"
          "Names end in their unit. *_p50_us is the time that half of the requests did not\n"
          "exceed, *_p99_us 99 % of them. *_cpu_us_per_op is user and system time of the server's\n"
          "process. Exit: 0 done, 2 usage, 3 a measurement failed.\n\n"
          "Examples:\n"
          "  jtiguard bench serve --tokens 1000\n"
          "  jtiguard bench serve --connections 8 --runs 1 --json\n",
          stdout);
}

static bool measure_all(const struct bench_serve_options *options)
{
    static const char *const algs[ALGS] = {"RS256", "ES256"};
    static struct bench_report reports[ALGS];
    bool with_redis = bench_subject_has_redis();
    for (int i = 0; i < ALGS; i++) {
        struct bench_serve_contest contest = {0};
        if (!bench_serve_contest_measure(options, algs[i], with_redis, &contest))
            return false;
        reports[i] = bench_serve_figures_make(options, &contest);
        if (options->json && !bench_report_print_json(&reports[i]))
            return false;
    }
    return options->json || bench_report_print_table(reports, ALGS);
}

int bench_serve_main(int argc, char **argv)
{
    struct bench_serve_options options;
    if (!bench_serve_options_parse(&options, argc, argv)) {
        fputs("jtiguard bench serve --help lists the options\n", stderr);
        return BENCH_USAGE;
    }
    if (options.help) {
        print_help();
        return BENCH_DONE;
    }
    return measure_all(&options) ? BENCH_DONE : BENCH_FAILED;
}
