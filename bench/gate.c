/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

#include <sched.h>

/* Looks before the processor is offered to others: with more threads than processors the one
 * that is waited for must get to run. */
enum { SPINS = 2000 };

void bench_gate_init(struct bench_gate *gate, unsigned threads)
{
    gate->threads = threads;
    atomic_init(&gate->arrived, 0);
    atomic_init(&gate->round, 0);
}

void bench_gate_pass(struct bench_gate *gate)
{
    unsigned round = atomic_load(&gate->round);
    if (atomic_fetch_add(&gate->arrived, 1) + 1 == gate->threads) {
        atomic_store(&gate->arrived, 0);
        atomic_fetch_add(&gate->round, 1);
        return;
    }
    for (unsigned spins = 0; atomic_load(&gate->round) == round; spins++)
        if (spins >= SPINS)
            (void)sched_yield();
}
