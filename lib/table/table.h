/* SPDX-License-Identifier: Apache-2.0 */
/* The reservation table of both stores: all reservations, in partitions under a lock each, in one
 * piece of memory without pointers (layout.h). Who maps the memory is the caller: the memory store
 * takes pages of its own and lets the table grow in them, the host store maps a file in which
 * everything is there from the start.
 *
 * The attack answered. Nobody who lacks the table's random keys can aim at a slot, make runs long,
 * or make two keys share a fingerprint. The cost accepted: two keys that share one by chance (64
 * bits, and the partition's number) are taken for one, and the fresh one is refused. Owners are
 * told apart by a tag of 64 bits of a universal hash: a wrong owner passes for the right one with a
 * probability of 2^-64, for tags are never shown.
 *
 * Places. max_entries holds for all partitions together, exactly. A partition draws places from a
 * common pool in small batches, so that threads do not meet at one counter in every call; when the
 * pool is dry, a reserve collects what the others have drawn and not used, and what has ended, in
 * bounded steps, and only then is the store full.
 *
 * Death. Where processes share the memory, one may be killed inside any call. Whoever then takes
 * its lock repairs the partition first (repair.h). Counters change before a slot on entry and after
 * it on exit, so a death leaves them too high, never too low: the store is full a little sooner
 * until jtgi_table_recount.
 *
 * Every function may be called from any thread, but for those that say otherwise. */
#ifndef JTGI_TABLE_TABLE_H
#define JTGI_TABLE_TABLE_H

#include "table/lock.h"

#include <jtiguard/cache.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jtgi_table;

/* ---- the memory ---- */

struct jtgi_table_plan {
    uint64_t max_entries;
    uint64_t max_entries_per_group; /* 0 = no share */
    bool grows;                     /* false: every slot is there from the start */

    /* What follows from them. */
    bool huge;            /* grows by huge pages: its memory begins at a multiple of one */
    uint32_t partitions;  /* a power of two */
    uint32_t batch;       /* places that a partition draws at once */
    uint32_t homes;       /* of a segment of the first partition: the most */
    uint32_t overrun;     /* slots behind the homes of each segment */
    uint32_t depth_max;   /* of a directory; 0 = a partition is one segment */
    uint64_t arena_slot;  /* first slot of the arena */
    uint64_t slots;       /* all */
    size_t partitions_at; /* offsets in the memory */
    size_t directories_at;
    size_t groups_at;
    size_t slots_at;
    size_t bytes; /* of the memory */
};

/* Size of a huge page, and what memory that grows by them must be aligned to. */
#define JTGI_HUGE_BYTES ((size_t)1 << 21)

/* Pure: the same for the same arguments. */
void jtgi_table_plan(struct jtgi_table_plan *plan, uint64_t max_entries,
                     uint64_t max_entries_per_group, bool grows);

/* The same without growth, and with so many partitions: as many as another table has, whatever its
 * size. A power of two, up to JTGI_PARTITIONS_MAX. */
enum { JTGI_PARTITIONS_MAX = 256 };
void jtgi_table_plan_like(struct jtgi_table_plan *plan, uint64_t max_entries,
                          uint64_t max_entries_per_group, uint32_t partitions);

/* Make an empty table of zeroed memory of plan->bytes, aligned to a page, and its keys. */
void jtgi_table_format(void *memory, const struct jtgi_table_plan *plan);

/* A handle to a table that was made by the same plan. memory: borrowed; plan, party: copied. NULL:
 * out of memory. */
struct jtgi_table *jtgi_table_open(void *memory, const struct jtgi_table_plan *plan,
                                   const struct jtgi_lock_party *party);

/* The memory stays. Also in a child of fork: no lock is touched. */
void jtgi_table_close(struct jtgi_table *table);

/* Wipe the keys in the memory, which nobody will use any more; before close. */
void jtgi_table_wipe_keys(struct jtgi_table *table);

/* May several processes map the memory? Not on a machine whose 64-bit atomics are a lock of the
 * process's own beside them. */
bool jtgi_table_can_be_shared(void);

/* ---- time ----
 * now is ms since the store was made, at least 1, and may be late: then an entry lives a little
 * longer. It is never ahead of the clock. An end must not be early: where `exact` is set, a reserve
 * asks it, once the slots that it needs are on their way. Set once, before the first call. */
void jtgi_table_set_exact(struct jtgi_table *table, uint64_t (*exact)(void *context),
                          void *context);

/* Would an entry that is made now, or a little later, end at a time that the table can hold?
 * Returns: JTG_OK · JTG_ERR_SYSTEM */
jtg_status jtgi_table_check_end(uint64_t now, uint64_t ttl_ms, jtg_error *err);

/* ---- the operations of the Cache interface ----
 * Each may also answer JTG_ERR_BLOCKED where the memory is shared: nothing was stored. So it does
 * where another table took the place of this one (transfer.h). */

jtg_status jtgi_table_reserve(struct jtgi_table *table, const jtg_key *key, const jtg_owner *owner,
                              uint64_t now, uint64_t ttl_ms);
jtg_status jtgi_table_release(struct jtgi_table *table, const jtg_key *key, const jtg_owner *owner,
                              uint64_t now);
/* Each as one reserve, in this order, but with the memory of many on its way at once. */
void jtgi_table_reserve_many(struct jtgi_table *table, jtg_reserve_call *const *calls, size_t count,
                             uint64_t now);
jtg_status jtgi_table_count(struct jtgi_table *table, uint64_t *count);
jtg_status jtgi_table_clear(struct jtgi_table *table);
/* Sweep everything in bounded steps; how many entries were removed because they had ended. */
jtg_status jtgi_table_prune(struct jtgi_table *table, uint64_t now, uint64_t *removed);

/* ---- the sweep ---- */

enum { JTGI_SWEEP_SLOTS = 1024 /* of one step, not counting the run that it ends in */ };

/* The pass of a caller that needs room now: begins whenever something may have ended. */
#define JTGI_SWEEP_ANYWAY UINT64_C(0)

/* One bounded step of pass number `pass` on partition `index`; true while it has steps left there.
 */
bool jtgi_table_sweep(struct jtgi_table *table, size_t index, uint64_t now, uint64_t pass);
size_t jtgi_table_partitions(const struct jtgi_table *table);

/* ---- growth ---- */

/* Who is told, without a lock held, that the table has grown into memory that settle has not asked
 * for. Set once, before the first call. */
void jtgi_table_set_listener(struct jtgi_table *table, void (*grown)(void *context), void *context);

/* Ask the system for one more piece of the memory that the table will grow into; true while there
 * may be more. Background work: a caller that gets there first waits for it itself. */
bool jtgi_table_settle(struct jtgi_table *table);

/* ---- after a death ---- */

/* Repair every partition that a dead process, or one that held my word before me, left locked.
 * Returns how many had to be emptied, which is what a stray write leaves and no death. */
uint64_t jtgi_table_mend(struct jtgi_table *table, uint64_t now);

/* Count places and groups anew. Only while nobody else uses the memory. */
void jtgi_table_recount(struct jtgi_table *table);

/* When the partition of this key was emptied; 0 = never. */
uint64_t jtgi_table_lost_at(const struct jtgi_table *table, const jtg_key *key);

/* ---- statistics ---- */

struct jtgi_table_stats {
    uint64_t entries;
    uint64_t slots;
    uint64_t groups;
    uint64_t swept;
    uint64_t growths;
    uint64_t max_step_slots;
    uint64_t repairs; /* partitions that were repaired */
    uint64_t losses;  /* and those that were emptied by it */
};
jtg_status jtgi_table_stats_get(struct jtgi_table *table, struct jtgi_table_stats *stats);

#endif
