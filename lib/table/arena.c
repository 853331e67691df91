/* SPDX-License-Identifier: Apache-2.0 */
/* A search goes to a random place of a large table: with small pages it pays for the translation of
 * the address about as much as for the data. So the arena asks for huge pages before it touches
 * them. To make one takes the system a tenth of a millisecond or, where a host must lend the memory
 * first, some milliseconds: the sweeper's thread does it ahead of the frontier. */
#include "table/arena.h"

#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14; older kernels answer EINVAL */
#endif

/* So much of a page is left when the next one is asked for: some milliseconds of the fastest fill.
 */
#define AHEAD_BYTES (JTGI_HUGE_BYTES / 8)

/* The page that will be needed soon, from the arena's first. (It does not matter that the first
 * slot is not quite at a page's beginning.) */
static uint64_t page_soon(const struct jtgi_table *table, uint64_t frontier)
{
    uint64_t slots = frontier - table->plan.arena_slot;
    return (slots * sizeof(struct jtgi_slot) + AHEAD_BYTES) / JTGI_HUGE_BYTES;
}

uint64_t jtgi_arena_take_locked(struct jtgi_visit *visit, uint32_t count)
{
    struct jtgi_table *table = visit->table;
    _Atomic uint64_t *frontier = &table->head->frontier;
    uint64_t taken = atomic_load_explicit(frontier, memory_order_relaxed);
    do
        if (count > table->plan.slots - taken)
            return JTGI_ARENA_NONE;
    while (!atomic_compare_exchange_weak_explicit(frontier, &taken, taken + count,
                                                  memory_order_relaxed, memory_order_relaxed));
    if (table->plan.huge && (taken == table->plan.arena_slot ||
                             page_soon(table, taken) != page_soon(table, taken + count)))
        visit->grown = true;
    return taken;
}

static unsigned char *arena_of(const struct jtgi_table *table)
{
    unsigned char *at = (unsigned char *)&table->slots[table->plan.arena_slot];
    return at - (uintptr_t)at % JTGI_HUGE_BYTES;
}

static size_t arena_bytes(const struct jtgi_table *table)
{
    return (size_t)((unsigned char *)&table->slots[table->plan.slots] - arena_of(table));
}

void jtgi_arena_open(struct jtgi_table *table)
{
    if (table->plan.huge)
        (void)madvise(arena_of(table), arena_bytes(table), MADV_HUGEPAGE);
}

bool jtgi_arena_populate(struct jtgi_table *table)
{
    uint64_t frontier = atomic_load_explicit(&table->head->frontier, memory_order_relaxed);
    uint64_t done = atomic_load_explicit(&table->populated, memory_order_relaxed);
    if (!table->plan.huge || frontier == table->plan.arena_slot ||
        done > page_soon(table, frontier) || (done + 1) * JTGI_HUGE_BYTES > arena_bytes(table))
        return false;
    if (!atomic_compare_exchange_strong(&table->populated, &done, done + 1))
        return true;
    return madvise(arena_of(table) + done * JTGI_HUGE_BYTES, JTGI_HUGE_BYTES,
                   MADV_POPULATE_WRITE) == 0;
}
