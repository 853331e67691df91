/* SPDX-License-Identifier: Apache-2.0 */
/* What a handle does for the table as a whole after a death. */
#include "table/partition.h"
#include "table/pool.h"
#include "table/repair.h"

uint64_t jtgi_table_mend(struct jtgi_table *table, uint64_t now)
{
    uint64_t lost = 0;
    for (size_t i = 0; i < table->plan.partitions; i++) {
        struct jtgi_visit visit = {.table = table, .partition = &table->partitions[i], .now = now};
        if (!jtgi_lock_take_over(&visit.partition->lock, &table->party))
            continue;
        lost += !jtgi_repair_locked(&visit);
        jtgi_lock_leave(&visit.partition->lock, &table->party);
    }
    return lost;
}

/* Entries of the partition, each counted for its group. */
static uint64_t count_entries(struct jtgi_visit *visit)
{
    uint64_t occupied = 0;
    uint64_t first = 0, last = 0;
    do {
        jtgi_partition_go_to_locked(visit, first);
        for (uint32_t at = 0; at < visit->segment.count; at++) {
            const struct jtgi_slot *slot = &visit->segment.slots[at];
            if (jtgi_slot_is_empty(slot))
                continue;
            occupied++;
            if (visit->table->groups != NULL)
                jtgi_groups_count_in(visit->table->groups, jtgi_slot_group(slot));
        }
        last = jtgi_segment_last(&visit->segment, first);
        first = last + 1;
    } while (last != UINT64_MAX);
    return occupied;
}

void jtgi_table_recount(struct jtgi_table *table)
{
    uint64_t occupied = 0;
    if (table->groups != NULL)
        jtgi_groups_reset(table->groups);
    for (size_t i = 0; i < table->plan.partitions; i++) {
        struct jtgi_visit visit = {.table = table, .partition = &table->partitions[i]};
        uint64_t entries = count_entries(&visit);
        visit.partition->places = 0;
        visit.partition->occupied = (uint32_t)entries;
        occupied += entries;
    }
    uint64_t max_entries = table->plan.max_entries;
    atomic_store(&table->head->pool, occupied < max_entries ? max_entries - occupied : 0);
}
