/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `bench memory`. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include "numbers.h"

enum {
    BENCH_THREADS_MAX = 64,
    BENCH_ENTRIES_MIN = 1000,
    BENCH_ENTRIES_MAX = 400000000,
    BENCH_ENTRIES_DEFAULT = 1000000,
    BENCH_RUNS_DEFAULT = 3
};

struct bench_options {
    uint64_t entries;
    struct bench_list threads;
    unsigned runs;
    bool without_thread; /* measure a store that has no thread of its own */
    bool json;
    const char *svg; /* borrowed: the file of the drawing; NULL = none */
    bool help;       /* asked for; the rest is then of no use */
};

/* Defaults, then the command line. false, and a line on stderr, when it is not valid. */
bool bench_options_parse(struct bench_options *options, int argc, char **argv);

#endif
