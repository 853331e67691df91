/* SPDX-License-Identifier: Apache-2.0 */
#include "table/growth.h"

#include "table/arena.h"

#include <string.h>

enum {
    GROW_PERCENT = 85,      /* fuller than this, a first segment grows in place */
    SPLIT_PERCENT = 93,     /* fuller than this, a segment splits */
    SPLIT_MIN_PERCENT = 75, /* emptier than this it does not, whatever a run looks like */
    LONG_WAY = 28           /* slots from a home: where entries stand so far, it is full */
};

static uint32_t max_of(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t min_of(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Some slots in a row, from begin up to end. */
struct range {
    struct jtgi_slot *slots;
    uint32_t begin, end;
};

/* Entries of the range, and whether all find room in `to`, whose last slot must stay empty. */
static bool fits(const struct range *from, const struct jtgi_segment *to, uint32_t *entries)
{
    uint32_t write = 0;
    for (uint32_t at = from->begin; at < from->end; at++) {
        if (jtgi_slot_is_empty(&from->slots[at]))
            continue;
        write = max_of(write, jtgi_segment_home(to, from->slots[at].fingerprint)) + 1;
        ++*entries;
    }
    return write < to->count;
}

/* Lay the entries of the range out in `to`, in order. Where the two overlap, none may stand before
 * the place that it comes to. */
static void lay_out(const struct range *from, const struct jtgi_segment *to)
{
    uint32_t write = 0;
    for (uint32_t at = from->begin; at < from->end; at++) {
        const struct jtgi_slot entry = from->slots[at];
        if (jtgi_slot_is_empty(&entry))
            continue;
        from->slots[at].end_and_group = 0;
        write = max_of(write, jtgi_segment_home(to, entry.fingerprint));
        to->slots[write++] = entry;
    }
}

/* Lay out the first `end` slots over the whole of `to`, which begins at the same place: first all
 * entries go to its end, so that from there each can only move down. */
static void spread(const struct jtgi_segment *to, uint32_t end)
{
    uint32_t write = to->count;
    for (uint32_t at = end; at > 0; at--) {
        if (jtgi_slot_is_empty(&to->slots[at - 1]))
            continue;
        const struct jtgi_slot entry = to->slots[at - 1];
        to->slots[at - 1].end_and_group = 0;
        to->slots[--write] = entry;
    }
    const struct range gathered = {to->slots, write, to->count};
    lay_out(&gathered, to);
}

/* ---- the first segment, in place ---- */

static bool grow_in_place(struct jtgi_visit *visit)
{
    struct jtgi_partition *partition = visit->partition;
    const struct jtgi_segment *old = &visit->segment;
    uint32_t homes = min_of(old->homes + old->homes * 3 / 8, partition->full_homes);
    struct jtgi_segment larger = {old->slots, homes + visit->table->plan.overrun, homes, 0};
    const struct range all = {old->slots, 0, old->count};
    uint32_t entries = 0;
    visit->work += old->count;
    if (!fits(&all, &larger, &entries))
        return false;
    visit->work += larger.count;
    spread(&larger, old->count);
    atomic_store_explicit(&partition->homes, homes, memory_order_relaxed);
    partition->growths++;
    return true;
}

/* ---- the split ---- */

/* A new directory is made in place, from the end: each entry twice. */
static void double_directory(struct jtgi_visit *visit, uint32_t depth)
{
    _Atomic uint64_t *directory = jtgi_directory(visit->table, visit->partition);
    if (depth == 0)
        atomic_store_explicit(&directory[0], jtgi_directory_entry(visit->partition->first, 0),
                              memory_order_relaxed);
    for (size_t at = (size_t)1 << depth; at > 0; at--) {
        uint64_t entry = atomic_load_explicit(&directory[at - 1], memory_order_relaxed);
        atomic_store_explicit(&directory[2 * at - 1], entry, memory_order_relaxed);
        atomic_store_explicit(&directory[2 * at - 2], entry, memory_order_relaxed);
    }
    atomic_store_explicit(&visit->partition->depth, depth + 1, memory_order_relaxed);
}

/* The two halves of a segment take over its entries of the directory. */
static void enter_halves(struct jtgi_visit *visit, const struct jtgi_segment *lower,
                         const struct jtgi_segment *upper, uint64_t middle)
{
    _Atomic uint64_t *directory = jtgi_directory(visit->table, visit->partition);
    uint32_t depth = jtgi_load(&visit->partition->depth);
    size_t span = (size_t)1 << (depth - lower->depth);
    size_t at = (size_t)(middle >> (64 - depth));
    const struct jtgi_slot *base = visit->table->slots;
    for (size_t i = 0; i < span; i++) {
        atomic_store_explicit(&directory[at - span + i],
                              jtgi_directory_entry((uint64_t)(lower->slots - base), lower->depth),
                              memory_order_relaxed);
        atomic_store_explicit(&directory[at + i],
                              jtgi_directory_entry((uint64_t)(upper->slots - base), upper->depth),
                              memory_order_relaxed);
    }
}

/* The first slot of the segment that holds a fingerprint of the upper half, or could. */
static uint32_t first_of_upper(const struct jtgi_segment *segment, uint64_t middle)
{
    uint32_t at = jtgi_segment_home(segment, middle);
    while (at < segment->count && !jtgi_slot_is_empty(&segment->slots[at]) &&
           segment->slots[at].fingerprint < middle)
        at++;
    return at;
}

static bool is_emptier_than(uint32_t entries, uint32_t homes, uint32_t percent)
{
    return (uint64_t)entries * 100 < (uint64_t)homes * percent;
}

/* The lower half stays and is spread, the upper half goes to a new segment. */
static bool split(struct jtgi_visit *visit, uint64_t fingerprint, bool must)
{
    const struct jtgi_segment old = visit->segment;
    struct jtgi_segment lower = old, upper = old;
    uint64_t middle = jtgi_segment_first(&old, fingerprint) | (UINT64_C(1) << 63) >> old.depth;
    uint32_t boundary = first_of_upper(&old, middle);
    struct range below = {old.slots, 0, boundary}, above = {old.slots, boundary, old.count};
    uint32_t entries = 0;
    lower.depth = upper.depth = old.depth + 1;
    visit->work += old.count;
    if (!fits(&below, &lower, &entries) || !fits(&above, &upper, &entries) ||
        (!must && is_emptier_than(entries, old.homes, SPLIT_MIN_PERCENT)))
        return false;
    uint64_t taken = jtgi_arena_take_locked(visit, old.count);
    if (taken == JTGI_ARENA_NONE)
        return false;

    visit->work += old.count;
    upper.slots = visit->table->slots + taken;
    lay_out(&above, &upper);
    spread(&lower, boundary);
    if (jtgi_load(&visit->partition->depth) == old.depth)
        double_directory(visit, old.depth);
    enter_halves(visit, &lower, &upper, middle);
    visit->partition->growths++;
    return true;
}

/* ---- when ---- */

/* A segment does not count its entries: that would be one more line that each call dirties. But
 * keys fall evenly on the prefixes, so that it holds its part of what the partition counts, within
 * some hundredths. Where it holds more, its runs grow long. */
static bool is_full(const struct jtgi_visit *visit)
{
    const struct jtgi_partition *partition = visit->partition;
    const struct jtgi_segment *segment = &visit->segment;
    uint32_t percent = segment->homes < partition->full_homes ? GROW_PERCENT : SPLIT_PERCENT;
    return !is_emptier_than(partition->occupied >> segment->depth, segment->homes, percent) ||
           visit->at - visit->home > LONG_WAY;
}

bool jtgi_growth_step_locked(struct jtgi_visit *visit, uint64_t fingerprint, enum jtgi_room room)
{
    const struct jtgi_table_plan *plan = &visit->table->plan;
    bool must = room == JTGI_ROOM_NONE;
    if (!plan->grows || (!must && !is_full(visit)))
        return false;
    if (visit->segment.homes < visit->partition->full_homes)
        return grow_in_place(visit);
    return visit->segment.depth < plan->depth_max && split(visit, fingerprint, must);
}
