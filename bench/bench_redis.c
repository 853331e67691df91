/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard bench redis`. */
#include "bench.h"

#include "bench/redis/benchmark.h"
#include "bench/redis/figures.h"
#include "bench/redis/server.h"

#include <stdio.h>

static void print_help(void)
{
    fputs("Usage: jtiguard bench redis [OPTION]...\n"
          "Measure the Redis backend (one cache, one connection) beside raw hiredis with a\n"
          "connection a thread and beside redis-benchmark -c 64 -P 64. All reserve fresh keys.\n"
          "Every answer is checked. Without --store it starts a redis-server of its own.\n\n"
          "  --callers LIST  thread counts to measure, each 1 ... 512 (default 1,16,64,256)\n"
          "  --seconds S     for each client and run, 0.05 ... 30 (default 1)\n"
          "  --runs N        times to measure, 1 ... 99 (default 3); medians are reported\n"
          "  --store URI     measure this store: its keys stay for a minute, up to half a\n"
          "                  million for every second that is measured\n"
          "  --json          one JSON object a caller count, a line each\n"
          "  -h, --help      this text\n\n"
          "Figures are with continuity, unless the URI says no; unwatched_* are without.\n"
          "Names end in their unit. *_p50_us is the time that half of the calls did not exceed,\n"
          "*_p99_us 99 % of them. client_cpu_us_per_op is user and system time of the client's\n"
          "process. Exit: 0 done, 2 usage, 3 a measurement failed.\n\n"
          "Examples:\n"
          "  jtiguard bench redis --callers 1,16 --seconds 0.5\n"
          "  jtiguard bench redis --store redis://cache.example --json\n",
          stdout);
}

static bool measure_all(const struct bench_redis_options *options, const struct bench_place *place)
{
    static struct bench_report reports[BENCH_LIST_MAX];
    bool with_redis_benchmark = bench_benchmark_is_there(place);
    for (size_t i = 0; i < options->callers.count; i++) {
        struct bench_contest contest = {0};
        unsigned callers = options->callers.values[i];
        if (!bench_contest_measure(options, place, callers, with_redis_benchmark, &contest))
            return false;
        reports[i] =
            bench_redis_figures_make(options, callers, place->options->connections, &contest);
        if (options->json && !bench_report_print_json(&reports[i]))
            return false;
    }
    return options->json || bench_report_print_table(reports, options->callers.count);
}

static int measure_store(const struct bench_redis_options *options)
{
    struct bench_place place;
    if (!bench_place_open(&place, options->store, false))
        return BENCH_USAGE;
    bool good = measure_all(options, &place);
    bench_place_close(&place);
    return good ? BENCH_DONE : BENCH_FAILED;
}

static int measure_own_server(const struct bench_redis_options *options)
{
    struct bench_server server;
    struct bench_place place;
    if (!bench_server_start(&server))
        return BENCH_FAILED;
    bool good = bench_place_open(&place, server.uri, true);
    if (good) {
        good = measure_all(options, &place);
        bench_place_close(&place);
    }
    bench_server_stop(&server);
    return good ? BENCH_DONE : BENCH_FAILED;
}

int bench_redis_main(int argc, char **argv)
{
    struct bench_redis_options options;
    if (!bench_redis_options_parse(&options, argc, argv)) {
        fputs("jtiguard bench redis --help lists the options\n", stderr);
        return BENCH_USAGE;
    }
    if (options.help) {
        print_help();
        return BENCH_DONE;
    }
    return options.store != NULL ? measure_store(&options) : measure_own_server(&options);
}
