/* SPDX-License-Identifier: Apache-2.0 */
#include "core/fork.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18 /* Linux 4.14 */
#endif

/* The greatest number so far, in this process and those it comes from; 0 = the handler could not be
 * set up, which no object may be made under. */
static _Atomic uint64_t latest;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Where this process's number stands; 0 = none yet. It is moved once, to memory that the kernel
 * wipes in every child which gets a copy of it, also in one made by _Fork() or by a raw clone,
 * which run no handlers. Where the kernel does not offer that it stays here. */
static _Atomic uint64_t unwiped;
static _Atomic uint64_t *_Atomic own = &unwiped;

/* Two threads of a child that come here at once take two numbers, and an object made under the
 * first belongs to nobody, which refuses. */
static uint64_t take_number(void)
{
    uint64_t number = atomic_fetch_add(&latest, 1) + 1;
    atomic_store(atomic_load(&own), number);
    return number;
}

static void in_child(void)
{
    (void)take_number();
}

static void move_to_wiped_memory(void)
{
    size_t size = sizeof unwiped; /* the kernel rounds it up to a page */
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return;
    if (madvise(page, size, MADV_WIPEONFORK) == 0)
        atomic_store(&own, page);
    else
        (void)munmap(page, size);
}

static void set_up(void)
{
    move_to_wiped_memory();
    if (pthread_atfork(NULL, NULL, in_child) == 0)
        (void)take_number();
}

static uint64_t first_look(void)
{
    (void)pthread_once(&once, set_up);
    uint64_t now = atomic_load(atomic_load(&own));
    if (now != 0 || atomic_load(&latest) == 0)
        return now;
    return take_number(); /* it was wiped: this is a child */
}

uint64_t jtgi_fork_generation(void)
{
    const _Atomic uint64_t *at = atomic_load_explicit(&own, memory_order_acquire);
    uint64_t now = atomic_load_explicit(at, memory_order_relaxed);
    return now != 0 ? now : first_look();
}
