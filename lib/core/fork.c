/* SPDX-License-Identifier: Apache-2.0 */
#include "core/fork.h"

#include <pthread.h>
#include <stdatomic.h>

/* 0 = the handler could not be set up, which no object may be made under. */
static _Atomic uint64_t generation;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void in_child(void)
{
    atomic_fetch_add_explicit(&generation, 1, memory_order_relaxed);
}

static void set_up(void)
{
    if (pthread_atfork(NULL, NULL, in_child) == 0)
        atomic_store_explicit(&generation, 1, memory_order_relaxed);
}

uint64_t jtgi_fork_generation(void)
{
    uint64_t now = atomic_load_explicit(&generation, memory_order_relaxed);
    if (now != 0)
        return now;
    (void)pthread_once(&once, set_up);
    return atomic_load_explicit(&generation, memory_order_relaxed);
}
