/* SPDX-License-Identifier: Apache-2.0 */
#include "table/transfer.h"

#include "table/partition.h"
#include "table/repair.h"

#include <string.h>

/* ---- the locks and the marks ---- */

static void let_go_of(struct jtgi_table *table, size_t count)
{
    for (size_t i = 0; i < count; i++)
        jtgi_lock_leave(&table->partitions[i].lock, &table->party);
}

bool jtgi_table_hold(struct jtgi_table *table)
{
    for (size_t i = 0; i < table->plan.partitions; i++) {
        struct jtgi_visit visit;
        if (!jtgi_partition_enter(&visit, table, &table->partitions[i], 0)) {
            let_go_of(table, i);
            return false;
        }
    }
    return true;
}

void jtgi_table_let_go_locked(struct jtgi_table *table)
{
    let_go_of(table, table->plan.partitions);
}

void jtgi_table_mark_locked(struct jtgi_table *table, bool moved)
{
    for (size_t i = 0; i < table->plan.partitions; i++)
        table->partitions[i].moved = moved;
    jtgi_keep_order();
}

bool jtgi_table_unmark(struct jtgi_table *table)
{
    bool all = true;
    for (size_t i = 0; i < table->plan.partitions && all; i++) {
        struct jtgi_visit visit = {.table = table, .partition = &table->partitions[i], .now = 1};
        enum jtgi_lock_answer answer = jtgi_lock_take(&visit.partition->lock, &table->party);
        if (answer == JTGI_LOCK_INHERITED)
            (void)jtgi_repair_locked(&visit);
        if (answer == JTGI_LOCK_BLOCKED)
            all = false;
        else {
            visit.partition->moved = false;
            jtgi_lock_leave(&visit.partition->lock, &table->party);
        }
    }
    return all;
}

/* ---- the copy ---- */

/* Of one partition, and of all. */
struct copy {
    struct jtgi_table *to;
    struct jtgi_visit target; /* of the partition that is filled */
    uint64_t now;
    uint32_t write; /* the next slot of it that is free */
    uint64_t entries;
};

/* The last slot stays empty, as everywhere. */
static bool copy_entry(struct copy *copy, const struct jtgi_slot *entry)
{
    struct jtgi_partition *partition = copy->target.partition;
    const struct jtgi_segment *segment = &copy->target.segment;
    uint32_t home = jtgi_segment_home(segment, entry->fingerprint);
    uint32_t at = copy->write > home ? copy->write : home;
    if (at + 1 >= segment->count || at - home >= JTGI_RUN_MAX)
        return false;
    segment->slots[at] = *entry;
    copy->write = at + 1;
    partition->occupied++;
    if (jtgi_slot_end(entry) < partition->earliest)
        partition->earliest = jtgi_slot_end(entry);
    if (copy->to->groups != NULL)
        jtgi_groups_count_in(copy->to->groups, jtgi_slot_group(entry));
    copy->entries++;
    return true;
}

static bool copy_segment(struct copy *copy, const struct jtgi_segment *segment)
{
    for (uint32_t at = 0; at < segment->count; at++) {
        const struct jtgi_slot *entry = &segment->slots[at];
        if (!jtgi_slot_is_empty(entry) && !jtgi_slot_has_ended(entry, copy->now) &&
            !copy_entry(copy, entry))
            return false;
    }
    return true;
}

static void copy_facts(struct jtgi_partition *to, struct jtgi_partition *from)
{
    to->latest = from->latest;
    to->swept = from->swept;
    to->sweep_pass = from->sweep_pass;
    atomic_store(&to->lost_at, atomic_load(&from->lost_at));
}

static bool copy_partition(struct copy *copy, struct jtgi_table *from, size_t index)
{
    struct jtgi_visit source = {.table = from, .partition = &from->partitions[index]};
    uint64_t first = 0, last = 0;
    copy->target =
        (struct jtgi_visit){.table = copy->to, .partition = &copy->to->partitions[index]};
    copy->write = 0;
    jtgi_partition_go_to_locked(&copy->target, 0);
    copy_facts(copy->target.partition, source.partition);
    do {
        jtgi_partition_go_to_locked(&source, first);
        if (!copy_segment(copy, &source.segment))
            return false;
        last = jtgi_segment_last(&source.segment, first);
        first = last + 1;
    } while (last != UINT64_MAX);
    return true;
}

/* The ids stand in the slots. Each entry is counted as it is copied. */
static void copy_groups(struct jtgi_table *to, const struct jtgi_table *from)
{
    if (to->groups == NULL)
        return;
    atomic_store(&to->groups->claimed, atomic_load(&from->groups->claimed));
    for (size_t at = 0; at < JTGI_GROUP_COMMON; at++)
        atomic_store(&to->groups->places[at].fingerprint,
                     atomic_load(&from->groups->places[at].fingerprint));
}

jtg_status jtgi_table_copy_locked(struct jtgi_table *to, struct jtgi_table *from, uint64_t now)
{
    struct copy copy = {.to = to, .now = now};
    to->keys = to->head->keys = from->head->keys;
    atomic_store(&to->head->repairs, atomic_load(&from->head->repairs));
    atomic_store(&to->head->losses, atomic_load(&from->head->losses));
    copy_groups(to, from);
    for (size_t i = 0; i < from->plan.partitions; i++)
        if (!copy_partition(&copy, from, i))
            return JTG_ERR_FULL;
    if (copy.entries > to->plan.max_entries)
        return JTG_ERR_FULL;
    atomic_store(&to->head->pool, to->plan.max_entries - copy.entries);
    return JTG_OK;
}
