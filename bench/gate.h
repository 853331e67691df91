/* SPDX-License-Identifier: Apache-2.0 */
/* Lets threads start a round in the same moment. It spins, because a thread that sleeps until
 * the others are there wakes tens of microseconds late, and that would be measured. */
#ifndef BENCH_GATE_H
#define BENCH_GATE_H

#include <stdatomic.h>

struct bench_gate {
    unsigned threads;
    atomic_uint arrived;
    atomic_uint round;
};

void bench_gate_init(struct bench_gate *gate, unsigned threads);

/* Returns when all threads have called it. */
void bench_gate_pass(struct bench_gate *gate);

#endif
