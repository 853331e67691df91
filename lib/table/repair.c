/* SPDX-License-Identifier: Apache-2.0 */
#include "table/repair.h"

#include "table/partition.h"

/* What the walk has seen so far. */
struct walk {
    struct jtgi_slot kept; /* the last entry */
    bool any;
    uint32_t occupied;
    uint64_t earliest;
};

static bool is_same(const struct jtgi_slot *a, const struct jtgi_slot *b)
{
    return a->fingerprint == b->fingerprint && a->owner_tag == b->owner_tag &&
           a->end_and_group == b->end_and_group;
}

/* May the entry stand there, behind what was kept last? */
static bool is_believable(const struct walk *walk, const struct jtgi_segment *segment,
                          uint64_t first, const struct jtgi_slot *entry, uint32_t at)
{
    if (jtgi_segment_first(segment, entry->fingerprint) != first ||
        jtgi_segment_home(segment, entry->fingerprint) > at || at + 1 >= segment->count)
        return false;
    return !walk->any || entry->fingerprint > walk->kept.fingerprint || is_same(entry, &walk->kept);
}

static void keep(struct walk *walk, const struct jtgi_slot *entry)
{
    walk->kept = *entry;
    walk->any = true;
    walk->occupied++;
    if (jtgi_slot_end(entry) < walk->earliest)
        walk->earliest = jtgi_slot_end(entry);
}

static bool mend_segment(struct walk *walk, const struct jtgi_segment *segment, uint64_t first)
{
    struct jtgi_slot *slots = segment->slots;
    uint32_t write = 0;
    for (uint32_t at = 0; at < segment->count; at++) {
        const struct jtgi_slot entry = slots[at];
        if (jtgi_slot_is_empty(&entry))
            continue;
        if (!is_believable(walk, segment, first, &entry, at))
            return false;
        if (walk->any && entry.fingerprint == walk->kept.fingerprint) {
            jtgi_slot_clear(&slots[at]);
            continue;
        }
        uint32_t home = jtgi_segment_home(segment, entry.fingerprint);
        uint32_t to = write > home ? write : home;
        if (to != at) {
            jtgi_slot_put(&slots[to], entry);
            jtgi_slot_clear(&slots[at]);
        }
        write = to + 1;
        keep(walk, &entry);
    }
    return true;
}

/* Call for each segment, from the first on; ends with the last, or where one says no. */
static bool each_segment(struct jtgi_visit *visit, struct walk *walk,
                         bool (*step)(struct walk *walk, const struct jtgi_segment *segment,
                                      uint64_t first))
{
    uint64_t first = 0;
    for (;;) {
        jtgi_partition_go_to_locked(visit, first);
        visit->work += visit->segment.count;
        if (!step(walk, &visit->segment, first))
            return false;
        uint64_t last = jtgi_segment_last(&visit->segment, first);
        if (last == UINT64_MAX)
            return true;
        first = last + 1;
    }
}

static bool empty_segment(struct walk *walk, const struct jtgi_segment *segment, uint64_t first)
{
    (void)walk;
    (void)first;
    for (uint32_t at = 0; at < segment->count; at++)
        jtgi_slot_clear(&segment->slots[at]);
    return true;
}

bool jtgi_repair_locked(struct jtgi_visit *visit)
{
    struct jtgi_partition *partition = visit->partition;
    struct jtgi_table_head *head = visit->table->head;
    struct walk walk = {.earliest = JTGI_NEVER};
    bool kept = each_segment(visit, &walk, mend_segment);
    if (!kept) {
        atomic_store(&partition->lost_at, visit->now);
        jtgi_keep_order();
        walk = (struct walk){.earliest = JTGI_NEVER};
        (void)each_segment(visit, &walk, empty_segment);
        atomic_fetch_add(&head->losses, 1);
    }
    jtgi_keep_order();
    partition->occupied = walk.occupied;
    partition->earliest = walk.earliest;
    partition->sweeping = false;
    partition->sweep_earliest = JTGI_NEVER;
    atomic_fetch_add(&head->repairs, 1);
    return kept;
}
