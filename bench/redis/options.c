/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/redis/options.h"

#include "bench/arguments.h"
#include "bench/samples.h"

static bool take(void *into, int letter, const char *name)
{
    struct bench_redis_options *options = into;
    uint64_t number = 0;
    switch (letter) {
    case 'c':
        return bench_list_parse(optarg, BENCH_CALLERS_MAX, &options->callers) ||
               bench_arguments_complain(name, "--callers",
                                        "up to 16 numbers from 1 to 512, such as 1,16");
    case 's':
        return bench_fraction_parse(optarg, BENCH_SECONDS_MIN, BENCH_SECONDS_MAX,
                                    &options->seconds) ||
               bench_arguments_complain(name, "--seconds", "a number from 0.05 to 30");
    case 'r':
        if (!bench_number_parse(optarg, 1, BENCH_RUNS_MAX, &number))
            return bench_arguments_complain(name, "--runs", "a number from 1 to 99");
        options->runs = (unsigned)number;
        return true;
    case 'u':
        options->store = optarg;
        return true;
    case 'j':
        return options->json = true;
    default:
        return options->help = true;
    }
}

bool bench_redis_options_parse(struct bench_redis_options *options, int argc, char **argv)
{
    static const struct option names[] = {{"callers", required_argument, NULL, 'c'},
                                          {"seconds", required_argument, NULL, 's'},
                                          {"runs", required_argument, NULL, 'r'},
                                          {"store", required_argument, NULL, 'u'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    static const struct bench_redis_options defaults = {.callers = {4, {1, 16, 64, 256}},
                                                        .seconds = BENCH_SECONDS_DEFAULT,
                                                        .runs = BENCH_REDIS_RUNS_DEFAULT};
    *options = defaults;
    return bench_arguments_walk(argc, argv, names, take, options);
}
