/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/serve/options.h"

#include "bench/arguments.h"
#include "bench/samples.h"

static bool take_number(unsigned *into, uint64_t min, uint64_t max, const char *name,
                        const char *option, const char *range)
{
    uint64_t number = 0;
    if (!bench_number_parse(optarg, min, max, &number))
        return bench_arguments_complain(name, option, range);
    *into = (unsigned)number;
    return true;
}

static bool take(void *into, int letter, const char *name)
{
    struct bench_serve_options *options = into;
    switch (letter) {
    case 't':
        return take_number(&options->tokens, BENCH_SERVE_TOKENS_MIN, BENCH_SERVE_TOKENS_MAX, name,
                           "--tokens", "a number from 100 to 1000000");
    case 'c':
        return take_number(&options->connections, 1, BENCH_SERVE_CONNECTIONS_MAX, name,
                           "--connections", "a number from 1 to 512");
    case 'r':
        return take_number(&options->runs, 1, BENCH_RUNS_MAX, name, "--runs",
                           "a number from 1 to 99");
    case 'j':
        return options->json = true;
    default:
        return options->help = true;
    }
}

bool bench_serve_options_parse(struct bench_serve_options *options, int argc, char **argv)
{
    static const struct option names[] = {
        {"tokens", required_argument, NULL, 't'}, {"connections", required_argument, NULL, 'c'},
        {"runs", required_argument, NULL, 'r'},   {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    *options = (struct bench_serve_options){.tokens = BENCH_SERVE_TOKENS_DEFAULT,
                                            .connections = BENCH_SERVE_CONNECTIONS_DEFAULT,
                                            .runs = BENCH_SERVE_RUNS_DEFAULT};
    return bench_arguments_walk(argc, argv, names, take, options);
}
