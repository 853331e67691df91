/* SPDX-License-Identifier: Apache-2.0 */
#include "table/segment.h"

static uint64_t min_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint32_t max_of(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static void forget_group(const struct jtgi_visit *visit, uint32_t group)
{
    if (visit->table->groups != NULL)
        jtgi_groups_leave(visit->table->groups, group);
}

/* The earliest end is a promise to the sweep and to a full table: it may be too early, never too
 * late. A pass under way must learn of it too, because it may be past the slot already. */
static void note_end(struct jtgi_partition *partition, uint64_t end)
{
    if (end < partition->earliest)
        partition->earliest = end;
    if (end < partition->sweep_earliest)
        partition->sweep_earliest = end;
}

static bool stands_at(const struct jtgi_slot *slot, uint64_t fingerprint)
{
    return !jtgi_slot_is_empty(slot) && slot->fingerprint == fingerprint;
}

enum jtgi_found jtgi_segment_find_locked(struct jtgi_visit *visit, uint64_t fingerprint,
                                         uint64_t owner_tag)
{
    const struct jtgi_segment *segment = &visit->segment;
    uint32_t home = jtgi_segment_home(segment, fingerprint);
    const struct jtgi_slot *slot = &segment->slots[home];
    const struct jtgi_slot *last = &segment->slots[segment->count - 1];
    while (slot < last && !jtgi_slot_is_empty(slot) && slot->fingerprint < fingerprint)
        slot++;
    visit->home = home;
    visit->at = (uint32_t)(slot - segment->slots);
    visit->work += visit->at - home + 1;

    if (!stands_at(slot, fingerprint) || jtgi_slot_has_ended(slot, visit->now))
        return JTGI_FREE;
    return slot->owner_tag == owner_tag ? JTGI_OURS : JTGI_ANOTHERS;
}

void jtgi_segment_extend_locked(struct jtgi_visit *visit, uint64_t end)
{
    struct jtgi_slot *slot = &visit->segment.slots[visit->at];
    if (end > jtgi_slot_end(slot))
        jtgi_slot_set_end(slot, (slot->end_and_group & ~JTGI_END_MASK) | end);
}

/* Those of the run behind the slot that are not at home move one down, from the slot on, so that no
 * gap parts anything from its home; the last one of them is there twice until it is cleared. */
void jtgi_segment_remove_locked(struct jtgi_visit *visit)
{
    const struct jtgi_segment *segment = &visit->segment;
    struct jtgi_slot *slots = segment->slots;
    uint32_t group = jtgi_slot_group(&slots[visit->at]);
    uint32_t at = visit->at;
    while (at + 1 < segment->count && !jtgi_slot_is_empty(&slots[at + 1]) &&
           jtgi_segment_home(segment, slots[at + 1].fingerprint) <= at) {
        jtgi_slot_put(&slots[at], slots[at + 1]);
        at++;
    }
    jtgi_slot_clear(&slots[at]);
    jtgi_keep_order();
    visit->partition->occupied--;
    visit->work += at - visit->at + 1;
    forget_group(visit, group);
}

enum jtgi_room jtgi_segment_room_locked(struct jtgi_visit *visit, uint64_t fingerprint)
{
    const struct jtgi_segment *segment = &visit->segment;
    const struct jtgi_slot *slot = &segment->slots[visit->at];
    const struct jtgi_slot *last = &segment->slots[segment->count - 1];
    if (!stands_at(slot, fingerprint))
        while (slot < last && !jtgi_slot_is_empty(slot) && !jtgi_slot_has_ended(slot, visit->now))
            slot++;
    visit->free_slot = (uint32_t)(slot - segment->slots);
    visit->work += visit->free_slot - visit->at;

    if (slot == last || visit->free_slot - visit->home >= JTGI_RUN_MAX)
        return JTGI_ROOM_NONE;
    return jtgi_slot_is_empty(slot) ? JTGI_ROOM_ADDS : JTGI_ROOM_REUSES;
}

void jtgi_segment_insert_locked(struct jtgi_visit *visit, const struct jtgi_slot *entry)
{
    struct jtgi_partition *partition = visit->partition;
    struct jtgi_slot *slots = visit->segment.slots;
    const struct jtgi_slot gone = slots[visit->free_slot];
    note_end(partition, jtgi_slot_end(entry));
    if (jtgi_slot_is_empty(&gone))
        partition->occupied++;
    jtgi_keep_order();
    for (uint32_t at = visit->free_slot; at > visit->at; at--)
        jtgi_slot_put(&slots[at], slots[at - 1]);
    jtgi_slot_put(&slots[visit->at], *entry);
    jtgi_keep_order();
    if (!jtgi_slot_is_empty(&gone)) {
        forget_group(visit, jtgi_slot_group(&gone));
        partition->swept++;
    }
}

static void drop(struct jtgi_visit *visit, struct jtgi_slot *slot, bool had_ended)
{
    uint32_t group = jtgi_slot_group(slot);
    jtgi_slot_clear(slot);
    jtgi_keep_order();
    visit->partition->occupied--;
    visit->partition->swept += had_ended ? 1 : 0;
    forget_group(visit, group);
}

uint32_t jtgi_segment_sweep_locked(struct jtgi_visit *visit, uint32_t from, uint64_t now)
{
    const struct jtgi_segment *segment = &visit->segment;
    struct jtgi_partition *partition = visit->partition;
    struct jtgi_slot *slots = segment->slots;
    uint32_t limit = (uint32_t)min_of((uint64_t)from + JTGI_SWEEP_SLOTS, segment->count);
    uint32_t write = from;
    uint32_t read = from;

    for (; read < limit || (write < read && read < segment->count); read++) {
        const struct jtgi_slot entry = slots[read];
        if (jtgi_slot_is_empty(&entry)) {
            write = read + 1;
        } else if (jtgi_slot_has_ended(&entry, now)) {
            drop(visit, &slots[read], now != JTGI_NEVER);
        } else {
            uint32_t to = max_of(write, jtgi_segment_home(segment, entry.fingerprint));
            partition->sweep_earliest = min_of(partition->sweep_earliest, jtgi_slot_end(&entry));
            if (to != read) {
                jtgi_slot_put(&slots[to], entry);
                jtgi_slot_clear(&slots[read]);
            }
            write = to + 1;
        }
    }
    visit->work += read - from;
    return read;
}
