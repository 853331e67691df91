/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `bench redis`. */
#ifndef BENCH_REDIS_OPTIONS_H
#define BENCH_REDIS_OPTIONS_H

#include "bench/numbers.h"

enum { BENCH_CALLERS_MAX = 512, BENCH_REDIS_RUNS_DEFAULT = 3 };

/* How long one client is measured. The longest is well below the time to live of a reservation,
 * so that none ends meanwhile. */
#define BENCH_SECONDS_MIN     0.05
#define BENCH_SECONDS_MAX     30.0
#define BENCH_SECONDS_DEFAULT 1.0

struct bench_redis_options {
    struct bench_list callers;
    double seconds;
    unsigned runs;
    const char *store; /* NULL: a server of our own */
    bool json;
    bool help; /* asked for; the rest is then of no use */
};

/* Defaults, then the command line. false, and a line on stderr, when it is not valid. */
bool bench_redis_options_parse(struct bench_redis_options *options, int argc, char **argv);

#endif
