/* SPDX-License-Identifier: Apache-2.0 */
/* The two parts of a decision, each alone, in one thread and without HTTP: the signature, as cjose
 * checks it for any verifier, and the guard. */
#ifndef BENCH_SERVE_ALONE_H
#define BENCH_SERVE_ALONE_H

#include "bench/serve/tokens.h"

/* Processor time for each token. */
struct bench_alone {
    double signature_us;
    double guard_us; /* on the memory store */
};

/* A measurement for bench_isolate(): a bench_tokens to a bench_alone. */
void bench_alone_measure(const void *input, void *result);

#endif
