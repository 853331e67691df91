/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/table.h"

#include "memory/groups.h"

#include <string.h>

#define NEVER    UINT64_MAX
#define END_MASK ((UINT64_C(1) << JTGI_END_BITS) - 1)

enum { FIRST_HOMES = 64 };

static bool is_empty(const struct jtgi_slot *slot)
{
    return slot->end_and_group == 0;
}

static uint64_t end_of(const struct jtgi_slot *slot)
{
    return slot->end_and_group & END_MASK;
}

static uint32_t group_of(const struct jtgi_slot *slot)
{
    return (uint32_t)(slot->end_and_group >> JTGI_END_BITS);
}

static bool has_ended(const struct jtgi_slot *slot, uint64_t now)
{
    return end_of(slot) <= now;
}

static uint64_t min_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t max_of(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* ---- layout ---- */

uint64_t jtgi_table_slot_count(uint64_t max_homes)
{
    return max_homes + JTGI_RUN_MAX + 1;
}

uint64_t jtgi_table_homes_for(uint64_t entries)
{
    return entries * 100 / JTGI_LOAD_PERCENT + 1;
}

void jtgi_table_init(struct jtgi_table *table, uint64_t max_homes)
{
    memset(table, 0, sizeof *table);
    table->max_homes = max_homes;
    table->homes = min_of(FIRST_HOMES, max_homes);
    table->next_homes = table->homes;
    table->frontier = NEVER;
    table->slot_count = jtgi_table_slot_count(max_homes);
    table->earliest = NEVER;
    table->sweep_earliest = NEVER;
}

uint64_t jtgi_table_home(uint64_t fingerprint, uint64_t homes)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)(((wide)fingerprint * homes) >> 64);
}

static uint64_t home_of(const struct jtgi_table *table, uint64_t fingerprint)
{
    return jtgi_table_home(fingerprint,
                           fingerprint >= table->frontier ? table->next_homes : table->homes);
}

/* ---- entries come and go ---- */

static void forget_group(struct jtgi_visit *visit, const struct jtgi_slot *slot)
{
    if (visit->groups != NULL)
        jtgi_groups_leave(visit->groups, group_of(slot));
}

/* The earliest end is a promise to the sweep and to a full table: it may be too early, never too
 * late. A pass under way must learn of it too, because it may be past the slot already. */
static void note_end(struct jtgi_table *table, uint64_t end)
{
    table->earliest = min_of(table->earliest, end);
    table->sweep_earliest = min_of(table->sweep_earliest, end);
}

/* Make `at` free by moving the run from there up to the free slot by one. */
static void open_slot(struct jtgi_visit *visit, uint64_t at, uint64_t free_slot)
{
    memmove(&visit->slots[at + 1], &visit->slots[at],
            (size_t)(free_slot - at) * sizeof visit->slots[0]);
}

/* Take the slot out; those of its run that are not at home move one down, so that no gap parts
 * anything from its home. */
static void close_slot(struct jtgi_visit *visit, uint64_t at)
{
    struct jtgi_table *table = visit->table;
    struct jtgi_slot *slots = visit->slots;
    uint64_t next = at + 1;
    while (!is_empty(&slots[next]) && home_of(table, slots[next].fingerprint) < next)
        next++;
    memmove(&slots[at], &slots[at + 1], (size_t)(next - at - 1) * sizeof slots[0]);
    memset(&slots[next - 1], 0, sizeof slots[0]);
    table->occupied--;
    visit->work += next - at;

    /* The slot that the sweep would have looked at next has moved behind it. */
    if (table->sweeping && at < table->sweep_at && table->sweep_at < next)
        table->sweep_at--;
}

/* ---- growth ---- */

static bool is_growing(const struct jtgi_table *table)
{
    return table->next_homes != table->homes;
}

static void begin_growth_if_full(struct jtgi_table *table)
{
    if (is_growing(table) || table->homes == table->max_homes ||
        table->occupied * 100 <= table->homes * JTGI_LOAD_PERCENT)
        return;
    table->next_homes = min_of(table->homes + table->homes * 3 / 8, table->max_homes);
    table->frontier = NEVER;
    table->unmoved = table->top;
    table->growths++;
}

/* May a run from this home end at this slot? The bound keeps every search short, and the array's
 * overrun long enough: the last slot stays empty, where every search stops. */
static bool run_may_end_at(const struct jtgi_table *table, uint64_t home, uint64_t end)
{
    return end - home < JTGI_RUN_MAX && end + 1 < table->slot_count;
}

/* Move the entry to its new home, further up or where it is. Everything above it has moved
 * already and is greater, so it stands first among those and nothing below leans on its slot.
 * False if the run there is too long: nothing has changed, a later insertion tries again. */
static bool move_up(struct jtgi_visit *visit, uint64_t at)
{
    struct jtgi_table *table = visit->table;
    struct jtgi_slot entry = visit->slots[at];
    uint64_t home = jtgi_table_home(entry.fingerprint, table->next_homes);

    if (home > at) {
        uint64_t free_slot = home;
        while (!is_empty(&visit->slots[free_slot]))
            free_slot++;
        visit->work += free_slot - home + 1;
        if (!run_may_end_at(table, home, free_slot))
            return false;
        memset(&visit->slots[at], 0, sizeof entry);
        open_slot(visit, home, free_slot);
        visit->slots[home] = entry;
        table->top = max_of(table->top, free_slot + 1);
    }
    table->frontier = entry.fingerprint;
    return true;
}

static void grow_a_little(struct jtgi_visit *visit)
{
    struct jtgi_table *table = visit->table;
    table->growth_due += JTGI_GROWTH_WORK;
    if (table->growth_due < JTGI_GROWTH_STEP)
        return;
    table->growth_due = 0;
    uint64_t limit = visit->work + JTGI_GROWTH_STEP;

    while (table->unmoved > 0 && visit->work < limit) {
        uint64_t at = table->unmoved - 1;
        const struct jtgi_slot *slot = &visit->slots[at];
        visit->work++;
        if (!is_empty(slot) && slot->fingerprint < table->frontier && !move_up(visit, at))
            return;
        table->unmoved = at;
    }
    if (table->unmoved == 0) {
        table->homes = table->next_homes;
        table->frontier = NEVER;
    }
}

/* ---- the operations ---- */

static bool stands_at(const struct jtgi_slot *slot, uint64_t fingerprint)
{
    return !is_empty(slot) && slot->fingerprint == fingerprint;
}

enum jtgi_found jtgi_table_find_locked(struct jtgi_visit *visit, uint64_t fingerprint,
                                       uint64_t owner_tag)
{
    uint64_t home = home_of(visit->table, fingerprint);
    const struct jtgi_slot *slot = &visit->slots[home];
    while (!is_empty(slot) && slot->fingerprint < fingerprint)
        slot++;
    visit->at = (uint64_t)(slot - visit->slots);
    visit->work += visit->at - home + 1;

    if (!stands_at(slot, fingerprint) || has_ended(slot, visit->now))
        return JTGI_FREE;
    return slot->owner_tag == owner_tag ? JTGI_OURS : JTGI_ANOTHERS;
}

void jtgi_table_extend_locked(struct jtgi_visit *visit, uint64_t end)
{
    struct jtgi_slot *slot = &visit->slots[visit->at];
    if (end > end_of(slot))
        slot->end_and_group = (slot->end_and_group & ~END_MASK) | end;
}

void jtgi_table_remove_locked(struct jtgi_visit *visit)
{
    forget_group(visit, &visit->slots[visit->at]);
    close_slot(visit, visit->at);
}

enum jtgi_room jtgi_table_room_locked(struct jtgi_visit *visit, uint64_t fingerprint)
{
    uint64_t at = visit->at;
    uint64_t end = at;
    if (!stands_at(&visit->slots[at], fingerprint))
        while (!is_empty(&visit->slots[end]) && !has_ended(&visit->slots[end], visit->now))
            end++;
    visit->work += end - at;
    visit->free_slot = end;

    if (!run_may_end_at(visit->table, home_of(visit->table, fingerprint), end))
        return JTGI_ROOM_NONE;
    return is_empty(&visit->slots[end]) ? JTGI_ROOM_ADDS : JTGI_ROOM_REUSES;
}

void jtgi_table_insert_locked(struct jtgi_visit *visit, uint64_t fingerprint, uint64_t owner_tag,
                              uint64_t end, uint32_t group)
{
    struct jtgi_table *table = visit->table;
    uint64_t free_slot = visit->free_slot;

    if (is_empty(&visit->slots[free_slot])) {
        table->occupied++;
    } else {
        forget_group(visit, &visit->slots[free_slot]);
        table->swept++;
    }
    open_slot(visit, visit->at, free_slot);
    visit->slots[visit->at] =
        (struct jtgi_slot){fingerprint, owner_tag, end | (uint64_t)group << JTGI_END_BITS};
    note_end(table, end);
    table->top = max_of(table->top, free_slot + 1);

    if (is_growing(table) && fingerprint < table->frontier)
        table->unmoved = max_of(table->unmoved, free_slot + 1);
    begin_growth_if_full(table);
    if (is_growing(table))
        grow_a_little(visit);
}

/* ---- the sweep ---- */

void jtgi_table_clear_locked(struct jtgi_visit *visit)
{
    struct jtgi_table *table = visit->table;
    table->clearing = true;
    table->sweeping = true;
    table->sweep_at = 0;
    table->sweep_earliest = NEVER;
}

/* Remove what has ended between `from` and at least `from + JTGI_SWEEP_SLOTS`, moving the rest of
 * each run down into the gaps. Stops only where no gap is open, so that nothing is parted from its
 * home. Returns the slot to go on from. */
static uint64_t sweep_run(struct jtgi_visit *visit, uint64_t from, uint64_t now)
{
    struct jtgi_table *table = visit->table;
    struct jtgi_slot *slots = visit->slots;
    uint64_t limit = min_of(from + JTGI_SWEEP_SLOTS, table->top);
    uint64_t write = from;
    uint64_t read = from;

    for (; read < limit || write < read; read++) {
        struct jtgi_slot entry = slots[read];
        if (is_empty(&entry)) {
            write = read + 1;
            continue;
        }
        if (has_ended(&entry, now)) {
            forget_group(visit, &entry);
            memset(&slots[read], 0, sizeof entry);
            table->occupied--;
            table->swept += table->clearing ? 0 : 1;
            continue;
        }
        table->sweep_earliest = min_of(table->sweep_earliest, end_of(&entry));
        uint64_t to = max_of(write, home_of(table, entry.fingerprint));
        if (to != read) {
            slots[to] = entry;
            memset(&slots[read], 0, sizeof entry);
        }
        write = to + 1;
    }
    visit->work += read - from;
    return read;
}

bool jtgi_table_sweep_locked(struct jtgi_visit *visit, uint64_t pass)
{
    struct jtgi_table *table = visit->table;
    if (!table->sweeping) {
        if ((pass != JTGI_SWEEP_ANYWAY && table->sweep_pass == pass) ||
            table->earliest > visit->now)
            return false;
        table->sweeping = true;
        table->sweep_pass = pass;
        table->sweep_at = 0;
        table->sweep_earliest = NEVER;
    }
    table->sweep_at = sweep_run(visit, table->sweep_at, table->clearing ? NEVER : visit->now);
    if (table->sweep_at < table->top)
        return true;

    table->earliest = table->sweep_earliest;
    table->sweeping = false;
    table->clearing = false;
    return false;
}
