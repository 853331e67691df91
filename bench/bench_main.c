/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <stdio.h>
#include <string.h>

static const struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} subcommands[] = {
    {"memory", bench_memory_main, "the memory backend beside a plain chained table"},
    {"redis", bench_redis_main, "the Redis backend beside raw hiredis and redis-benchmark"},
    {"serve", bench_serve_main,
     "`jtiguard serve` beside a bare HTTP handler and a signature check"},
};

enum { SUBCOMMANDS = sizeof subcommands / sizeof subcommands[0] };

static void print_help(FILE *out)
{
    fputs("Usage: jtiguard bench SUBCOMMAND [OPTION]...\n"
          "Measure what the library costs on this machine.\n\n"
          "Subcommands:\n",
          out);
    for (size_t i = 0; i < SUBCOMMANDS; i++)
        fprintf(out, "  %-10s %s\n", subcommands[i].name, subcommands[i].summary);
    fputs("\n`jtiguard bench SUBCOMMAND --help` lists the options of one.\n\n"
          "Examples:\n"
          "  jtiguard bench memory --entries 1000000 --threads 1,2\n"
          "  jtiguard bench redis --callers 1,16 --seconds 0.5 --json\n",
          out);
}

int jtiguard_bench_main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return BENCH_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return BENCH_DONE;
    }
    for (size_t i = 0; i < SUBCOMMANDS; i++)
        if (strcmp(argv[1], subcommands[i].name) == 0)
            return subcommands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "jtiguard bench: no subcommand '%s'; see jtiguard bench --help\n", argv[1]);
    return BENCH_USAGE;
}
