/* SPDX-License-Identifier: Apache-2.0 */
#include "table/partition.h"

#include "table/repair.h"

/* A thread may be stopped between reading the clock and getting here. Its old time must not see an
 * entry as not yet made whose end others have seen already: time does not go back within a
 * partition. */
static uint64_t settle_time(struct jtgi_partition *partition, uint64_t now)
{
    if (now > partition->latest)
        partition->latest = now;
    return partition->latest;
}

static inline bool enter(struct jtgi_visit *visit, struct jtgi_table *table,
                         struct jtgi_partition *partition, uint64_t now,
                         const struct jtgi_lock_party *party)
{
    enum jtgi_lock_answer answer = jtgi_lock_take(&partition->lock, party);
    if (answer == JTGI_LOCK_BLOCKED)
        return false;
    *visit = (struct jtgi_visit){
        .table = table, .partition = partition, .now = settle_time(partition, now)};
    if (answer == JTGI_LOCK_INHERITED)
        (void)jtgi_repair_locked(visit);
    if (partition->moved) {
        jtgi_lock_leave(&partition->lock, &table->party);
        return false;
    }
    return true;
}

bool jtgi_partition_enter(struct jtgi_visit *visit, struct jtgi_table *table,
                          struct jtgi_partition *partition, uint64_t now)
{
    return enter(visit, table, partition, now, &table->party);
}

bool jtgi_partition_enter_hurried(struct jtgi_visit *visit, struct jtgi_table *table,
                                  struct jtgi_partition *partition, uint64_t now)
{
    const struct jtgi_lock_party hurried = jtgi_lock_hurried(&table->party);
    return enter(visit, table, partition, now, &hurried);
}

void jtgi_partition_leave(struct jtgi_visit *visit)
{
    struct jtgi_table *table = visit->table;
    struct jtgi_partition *partition = visit->partition;
    if (visit->work > partition->max_step_slots)
        partition->max_step_slots = (uint32_t)visit->work;
    jtgi_lock_leave(&partition->lock, &table->party);
    if (visit->grown && table->grown != NULL)
        table->grown(table->grown_context);
}

void jtgi_partition_go_to_locked(struct jtgi_visit *visit, uint64_t fingerprint)
{
    visit->segment = jtgi_segment_of(visit->table, visit->partition, fingerprint);
}

/* ---- the sweep ---- */

static void begin_pass(struct jtgi_partition *partition)
{
    partition->sweeping = true;
    partition->sweep_from = 0;
    partition->sweep_earliest = JTGI_NEVER;
}

/* The slot from which on everything is at least the fingerprint. */
static uint32_t slot_of(const struct jtgi_segment *segment, uint64_t fingerprint)
{
    uint32_t at = jtgi_segment_home(segment, fingerprint);
    while (at < segment->count && !jtgi_slot_is_empty(&segment->slots[at]) &&
           segment->slots[at].fingerprint < fingerprint)
        at++;
    return at;
}

/* A fingerprint above all before the slot and not above any from it on. Where the slot is empty,
 * what follows is at home behind it. */
static uint64_t fingerprint_at(const struct jtgi_segment *segment, uint32_t at, uint64_t from)
{
    __extension__ typedef unsigned __int128 wide;
    if (!jtgi_slot_is_empty(&segment->slots[at]) && segment->slots[at].fingerprint > from)
        return segment->slots[at].fingerprint;
    uint64_t within = (uint64_t)(((wide)at << 64) / segment->homes);
    return jtgi_segment_first(segment, from) | within >> segment->depth;
}

/* Where a pass goes on after it has come to this slot. False: nowhere, it has been through. Always
 * forward, whatever a stray write has put there: else a pass would never end. */
static bool go_on(const struct jtgi_segment *segment, uint32_t at, uint64_t *from)
{
    if (at < segment->count && (at < segment->homes || !jtgi_slot_is_empty(&segment->slots[at]))) {
        uint64_t next = fingerprint_at(segment, at, *from);
        if (next > *from) {
            *from = next;
            return true;
        }
    }
    uint64_t last = jtgi_segment_last(segment, *from);
    *from = last + 1;
    return last != UINT64_MAX;
}

/* One step of a pass that has come to the fingerprint; what ends by then is removed. */
static bool step(struct jtgi_visit *visit, uint64_t *from, uint64_t by)
{
    jtgi_partition_go_to_locked(visit, *from);
    uint32_t at = jtgi_segment_sweep_locked(visit, slot_of(&visit->segment, *from), by);
    return go_on(&visit->segment, at, from);
}

bool jtgi_partition_clear_locked(struct jtgi_visit *visit, uint64_t *from)
{
    return step(visit, from, JTGI_NEVER);
}

bool jtgi_partition_sweep_locked(struct jtgi_visit *visit, uint64_t pass)
{
    struct jtgi_partition *partition = visit->partition;
    if (!partition->sweeping) {
        if ((pass != JTGI_SWEEP_ANYWAY && partition->sweep_pass == pass) ||
            partition->earliest > visit->now)
            return false;
        partition->sweep_pass = pass;
        begin_pass(partition);
    }
    if (step(visit, &partition->sweep_from, visit->now))
        return true;

    partition->earliest = partition->sweep_earliest;
    partition->sweeping = false;
    return false;
}
