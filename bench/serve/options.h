/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `bench serve`. */
#ifndef BENCH_SERVE_OPTIONS_H
#define BENCH_SERVE_OPTIONS_H

#include "bench/numbers.h"

enum {
    BENCH_SERVE_TOKENS_MIN = 100,
    BENCH_SERVE_TOKENS_MAX = 1000000,
    BENCH_SERVE_TOKENS_DEFAULT = 5000,
    BENCH_SERVE_CONNECTIONS_MAX = 512,
    BENCH_SERVE_CONNECTIONS_DEFAULT = 32,
    BENCH_SERVE_RUNS_DEFAULT = 3
};

struct bench_serve_options {
    unsigned tokens;
    unsigned connections;
    unsigned runs;
    bool json;
    bool help; /* asked for; the rest is then of no use */
};

/* Defaults, then the command line. false, and a line on stderr, when it is not valid. */
bool bench_serve_options_parse(struct bench_serve_options *options, int argc, char **argv);

#endif
