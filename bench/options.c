/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "arguments.h"
#include "samples.h"

static bool take(void *into, int letter, const char *name)
{
    struct bench_options *options = into;
    uint64_t number = 0;
    switch (letter) {
    case 'e':
        return bench_number_parse(optarg, BENCH_ENTRIES_MIN, BENCH_ENTRIES_MAX,
                                  &options->entries) ||
               bench_arguments_complain(name, "--entries", "a number from 1000 to 400000000");
    case 't':
        return bench_list_parse(optarg, BENCH_THREADS_MAX, &options->threads) ||
               bench_arguments_complain(name, "--threads",
                                        "up to 16 numbers from 1 to 64, such as 1,2");
    case 'r':
        if (!bench_number_parse(optarg, 1, BENCH_RUNS_MAX, &number))
            return bench_arguments_complain(name, "--runs", "a number from 1 to 99");
        options->runs = (unsigned)number;
        return true;
    case 'w':
        return options->without_thread = true;
    case 's':
        options->svg = optarg;
        return *optarg != '\0' || bench_arguments_complain(name, "--svg", "the name of a file");
    case 'j':
        return options->json = true;
    default:
        return options->help = true;
    }
}

bool bench_options_parse(struct bench_options *options, int argc, char **argv)
{
    static const struct option names[] = {
        {"entries", required_argument, NULL, 'e'}, {"threads", required_argument, NULL, 't'},
        {"runs", required_argument, NULL, 'r'},    {"json", no_argument, NULL, 'j'},
        {"svg", required_argument, NULL, 's'},     {"without-thread", no_argument, NULL, 'w'},

        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    static const struct bench_options defaults = {
        .entries = BENCH_ENTRIES_DEFAULT, .threads = {2, {1, 2}}, .runs = BENCH_RUNS_DEFAULT};
    *options = defaults;
    return bench_arguments_walk(argc, argv, names, take, options);
}
