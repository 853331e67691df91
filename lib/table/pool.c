/* SPDX-License-Identifier: Apache-2.0 */
#include "table/pool.h"

uint64_t jtgi_pool_draw(struct jtgi_table *table, uint64_t wanted)
{
    _Atomic uint64_t *pool = &table->head->pool;
    uint64_t left = atomic_load_explicit(pool, memory_order_relaxed);
    uint64_t drawn;
    do
        drawn = left < wanted ? left : wanted;
    while (drawn != 0 && !atomic_compare_exchange_weak(pool, &left, left - drawn));
    return drawn;
}

void jtgi_pool_give(struct jtgi_table *table, uint64_t places)
{
    if (places != 0)
        atomic_fetch_add(&table->head->pool, places);
}

bool jtgi_pool_take_locked(struct jtgi_visit *visit)
{
    struct jtgi_partition *partition = visit->partition;
    if (partition->places == 0)
        partition->places = (uint32_t)jtgi_pool_draw(visit->table, visit->table->plan.batch);
    if (partition->places == 0)
        return false;
    partition->places--;
    jtgi_keep_order();
    return true;
}

void jtgi_pool_return_locked(struct jtgi_visit *visit, uint64_t freed, uint64_t keep)
{
    struct jtgi_partition *partition = visit->partition;
    uint64_t places = partition->places + freed;
    uint64_t kept = places < keep ? places : keep;
    jtgi_keep_order();
    partition->places = (uint32_t)kept;
    jtgi_keep_order();
    jtgi_pool_give(visit->table, places - kept);
}
