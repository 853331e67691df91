/* SPDX-License-Identifier: Apache-2.0 */
#include "support/table_memory.h"

#include "core/alloc.h"
#include "support/asserts.h"

static const struct jtgi_lock_party alone = {.word = 1};

void table_memory_open(struct table_memory *memory, uint64_t max_entries, uint64_t per_group,
                       bool grows)
{
    struct jtgi_table_plan plan;
    jtgi_table_plan(&plan, max_entries, per_group, grows);
    table_memory_open_plan(memory, &plan);
}

void table_memory_open_plan(struct table_memory *memory, const struct jtgi_table_plan *plan)
{
    memory->plan = *plan;
    memory->pages_len = memory->plan.bytes + JTGI_HUGE_BYTES;
    memory->pages = jtgi_map(memory->pages_len);
    assert_non_null(memory->pages);
    unsigned char *base = memory->pages;
    base += (JTGI_HUGE_BYTES - (uintptr_t)base % JTGI_HUGE_BYTES) % JTGI_HUGE_BYTES;
    memory->base = base;
    jtgi_table_format(base, &memory->plan);
    memory->table = jtgi_table_open(base, &memory->plan, &alone);
    assert_non_null(memory->table);
}

void table_memory_close(struct table_memory *memory)
{
    jtgi_table_close(memory->table);
    jtgi_unmap(memory->pages, memory->pages_len);
}

/* ---- the rules ---- */

struct look {
    uint64_t last; /* fingerprint */
    bool any;
    uint32_t occupied;
};

static const char *slot_fault(struct look *look, const struct jtgi_partition *partition,
                              const struct jtgi_segment *segment, uint32_t at, uint32_t gap)
{
    const struct jtgi_slot *slot = &segment->slots[at];
    uint32_t home = jtgi_segment_home(segment, slot->fingerprint);
    if (look->any && slot->fingerprint <= look->last)
        return "out of order";
    if (home > at)
        return "before its home";
    if (home < gap)
        return "parted from its home";
    if (jtgi_slot_end(slot) < partition->earliest)
        return "ends before the earliest end";
    look->last = slot->fingerprint;
    look->any = true;
    look->occupied++;
    return NULL;
}

static const char *segment_fault(struct look *look, const struct jtgi_partition *partition,
                                 const struct jtgi_segment *segment, uint64_t first)
{
    uint32_t gap = 0; /* one past the last empty slot */
    for (uint32_t at = 0; at < segment->count; at++) {
        if (jtgi_slot_is_empty(&segment->slots[at])) {
            gap = at + 1;
            continue;
        }
        if (jtgi_segment_first(segment, segment->slots[at].fingerprint) != first)
            return "in another's segment";
        const char *fault = slot_fault(look, partition, segment, at, gap);
        if (fault != NULL)
            return fault;
    }
    return gap == segment->count ? NULL : "the last slot is taken";
}

/* The entries of the directory that share a segment are the range of its prefix. */
static const char *directory_fault(const struct jtgi_table *table,
                                   const struct jtgi_partition *partition,
                                   const struct jtgi_segment *segment, uint64_t first)
{
    uint64_t last = jtgi_segment_last(segment, first);
    uint32_t depth = jtgi_load(&partition->depth);
    if (depth == 0)
        return NULL;
    if (segment->depth > depth)
        return "deeper than its directory";
    for (uint64_t at = first >> (64 - depth); at <= last >> (64 - depth); at++)
        if (jtgi_segment_of(table, partition, at << (64 - depth)).slots != segment->slots)
            return "the directory is wrong";
    return NULL;
}

const char *table_partition_fault(struct jtgi_table *table, size_t index)
{
    const struct jtgi_partition *partition = &table->partitions[index];
    struct look look = {.any = false};
    uint64_t first = 0, last;
    do {
        struct jtgi_segment segment = jtgi_segment_of(table, partition, first);
        const char *fault = segment_fault(&look, partition, &segment, first);
        if (fault == NULL)
            fault = directory_fault(table, partition, &segment, first);
        if (fault != NULL)
            return fault;
        last = jtgi_segment_last(&segment, first);
        first = last + 1;
    } while (last != UINT64_MAX);
    return look.occupied == partition->occupied ? NULL : "counted wrong";
}

const char *table_fault(struct jtgi_table *table)
{
    uint64_t places = atomic_load(&table->head->pool);
    for (size_t index = 0; index < table->plan.partitions; index++) {
        const char *fault = table_partition_fault(table, index);
        if (fault != NULL)
            return fault;
        places += table->partitions[index].places + table->partitions[index].occupied;
    }
    return places == table->plan.max_entries ? NULL : "places are lost or doubled";
}
