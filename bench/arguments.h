/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over a command line that all benchmarks share. */
#ifndef BENCH_ARGUMENTS_H
#define BENCH_ARGUMENTS_H

#include <getopt.h>
#include <stdbool.h>

/* Take one option; its value is in optarg. name: of the subcommand. false, and a line on stderr,
 * when it is not valid. */
typedef bool (*bench_take)(void *options, int letter, const char *name);

/* Hand every option to `take`, with the letter that `names` gives it. argv[0] is the
 * subcommand's name. false, and a line on stderr, when the command line is not valid. */
bool bench_arguments_walk(int argc, char **argv, const struct option *names, bench_take take,
                          void *options);

/* Say what an option takes. Always false. */
bool bench_arguments_complain(const char *name, const char *option, const char *range);

#endif
