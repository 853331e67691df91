/* SPDX-License-Identifier: Apache-2.0 */
#include "support/table_entries.h"

#include "table/growth.h"
#include "table/partition.h"

struct jtgi_visit table_visit(struct table_memory *memory, uint64_t now)
{
    return (struct jtgi_visit){
        .table = memory->table, .partition = memory->table->partitions, .now = now};
}

static enum jtgi_found find(struct jtgi_visit *visit, uint64_t fingerprint, uint64_t owner_tag)
{
    jtgi_partition_go_to_locked(visit, fingerprint);
    return jtgi_segment_find_locked(visit, fingerprint, owner_tag);
}

enum jtgi_found table_find(struct table_memory *memory, uint64_t fingerprint, uint64_t owner_tag,
                           uint64_t now)
{
    struct jtgi_visit visit = table_visit(memory, now);
    return find(&visit, fingerprint, owner_tag);
}

bool table_insert(struct table_memory *memory, const struct jtgi_slot *entry, uint64_t now)
{
    struct jtgi_visit visit = table_visit(memory, now);
    if (find(&visit, entry->fingerprint, entry->owner_tag) != JTGI_FREE)
        return false;
    enum jtgi_room room = jtgi_segment_room_locked(&visit, entry->fingerprint);
    if (room != JTGI_ROOM_REUSES && jtgi_growth_step_locked(&visit, entry->fingerprint, room)) {
        (void)find(&visit, entry->fingerprint, entry->owner_tag);
        room = jtgi_segment_room_locked(&visit, entry->fingerprint);
    }
    if (room == JTGI_ROOM_NONE)
        return false;
    jtgi_segment_insert_locked(&visit, entry);
    return true;
}

uint64_t table_fingerprint(uint64_t number)
{
    return (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
}
