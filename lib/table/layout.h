/* SPDX-License-Identifier: Apache-2.0 */
/* What lies where in the memory of a table.
 *
 *     head | partitions | directories | groups | first segments ... | arena: further segments ...
 *
 * There are no pointers in it, so that it can lie in memory that processes map at different
 * addresses. What a handle knows of it by itself (struct jtgi_table) is the process's own.
 *
 * A partition is what one lock guards, chosen by the second half of a key's hash. A call may dirty
 * one line of it and no other shared one: its first. What stands on the second is read before the
 * lock is taken, to ask for the slots in time, and changes when the partition grows.
 *
 * A segment is an array of slots in the order of the fingerprints, which are the first half of the
 * hash. It holds the fingerprints of one prefix of `depth` bits; what follows the prefix says where
 * an entry is at home: (fingerprint << depth) * homes / 2^64. It stands there or, where that is
 * taken, after it, before every greater one, with no empty slot between its home and itself. So a
 * search begins at the home and ends at the first greater fingerprint or empty slot. Behind the
 * homes an overrun takes what is pushed beyond the end; the last slot stays empty.
 *
 * The directory of a partition tells the segment of each prefix: 2^depth entries, an offset in
 * slots and the segment's own depth. A segment of a smaller depth has several entries in a row. */
#ifndef JTGI_TABLE_LAYOUT_H
#define JTGI_TABLE_LAYOUT_H

#include "table/groups.h"
#include "table/lock.h"
#include "table/siphash.h"
#include "table/slot.h"
#include "table/table.h"

enum { JTGI_LINE_BYTES = 64, JTGI_OWNER_KEY_WORDS = 6 };

struct jtgi_table_keys {
    unsigned char hash[JTGI_SIPHASH_KEY_BYTES];  /* of keys */
    unsigned char group[JTGI_SIPHASH_KEY_BYTES]; /* of groups */
    uint64_t owner[JTGI_OWNER_KEY_WORDS];        /* of owners */
};

enum { JTGI_BEHIND_COUNTER = 120 /* bytes up to the end of its two lines */ };

struct jtgi_table_head {
    struct jtgi_table_keys keys;
    _Atomic uint64_t repairs; /* partitions repaired */
    _Atomic uint64_t losses;  /* and those emptied by it */
    /* Two counters that many threads change, each on lines of its own. */
    _Alignas(2 * JTGI_LINE_BYTES) _Atomic uint64_t pool; /* places that no partition has drawn */
    unsigned char behind_pool[JTGI_BEHIND_COUNTER];
    _Atomic uint64_t frontier; /* slots from here on are not given out */
    unsigned char behind_frontier[JTGI_BEHIND_COUNTER];
};

struct jtgi_partition {
    /* The line of the lock: what a call may change. */
    _Alignas(2 * JTGI_LINE_BYTES) _Atomic uint32_t lock;
    uint32_t places;         /* drawn from the pool and not used */
    uint32_t occupied;       /* slots that hold something, ended or not */
    bool sweeping;           /* a pass of the sweep is under way */
    bool moved;              /* another table may have taken the place of this (transfer.h) */
    uint64_t latest;         /* latest time that a visit has brought */
    uint64_t earliest;       /* nothing ends before this */
    uint64_t sweep_from;     /* the pass goes on with this fingerprint */
    uint64_t sweep_earliest; /* the earliest end that the pass has seen */
    uint64_t sweep_pass;     /* number of the last pass that began */
    uint64_t swept;          /* statistics: removed because they had ended */

    /* The line of the shape. */
    _Alignas(JTGI_LINE_BYTES) _Atomic uint32_t homes; /* of each of its segments */
    _Atomic uint32_t depth;                           /* its directory has 2^depth entries */
    uint32_t full_homes;      /* its segments never have more homes than this */
    uint32_t first;           /* its first segment, in slots */
    uint32_t max_step_slots;  /* statistics: most work of a lock hold */
    uint32_t growths;         /* statistics: times that it grew */
    _Atomic uint64_t lost_at; /* when it was emptied, for its order was broken; 0 = never */
};

/* The handle. */
struct jtgi_table {
    struct jtgi_table_plan plan;
    struct jtgi_lock_party party;
    struct jtgi_table_keys keys;
    struct jtgi_table_head *head;
    struct jtgi_partition *partitions;
    _Atomic uint64_t *directories;
    struct jtgi_groups *groups; /* NULL = no share per group */
    struct jtgi_slot *slots;
    uint64_t (*exact)(void *context); /* NULL = the caller's time is exact */
    void *exact_context;
    void (*grown)(void *context);
    void *grown_context;
    _Atomic uint64_t populated; /* bytes of the arena that have been asked for */
};

/* A piece of a partition, as this process sees it. */
struct jtgi_segment {
    struct jtgi_slot *slots;
    uint32_t count; /* of slots: homes and the overrun */
    uint32_t homes;
    uint32_t depth;
};

/* One visit under a partition's lock: where it is, what time it is, and how many slots it has
 * touched, so that the bound on a lock hold is counted and not believed. */
struct jtgi_visit {
    struct jtgi_table *table;
    struct jtgi_partition *partition;
    struct jtgi_segment segment; /* of the fingerprint that was looked for */
    uint64_t now;                /* ms since the store was made, at least 1 */
    uint64_t work;
    uint32_t home;
    uint32_t at;        /* found: where the fingerprint stands or would stand */
    uint32_t free_slot; /* room: the slot that its run can move into */
    bool grown;         /* the frontier has come into memory that nobody has asked for */
};

static inline uint32_t jtgi_segment_home(const struct jtgi_segment *segment, uint64_t fingerprint)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint32_t)(((wide)(fingerprint << segment->depth) * segment->homes) >> 64);
}

static inline uint32_t jtgi_load(const _Atomic uint32_t *at)
{
    return atomic_load_explicit(at, memory_order_relaxed);
}

static inline size_t jtgi_partition_index(const struct jtgi_table *table,
                                          const struct jtgi_partition *partition)
{
    return (size_t)(partition - table->partitions);
}

/* The entries of a partition's directory. */
static inline _Atomic uint64_t *jtgi_directory(const struct jtgi_table *table,
                                               const struct jtgi_partition *partition)
{
    return &table->directories[jtgi_partition_index(table, partition) << table->plan.depth_max];
}

static inline uint64_t jtgi_directory_entry(uint64_t offset, uint32_t depth)
{
    return offset << 8 | depth;
}

static inline struct jtgi_segment jtgi_segment_at(const struct jtgi_table *table, uint64_t offset,
                                                  uint32_t homes, uint32_t depth)
{
    return (struct jtgi_segment){table->slots + offset, homes + table->plan.overrun, homes, depth};
}

/* The segment in which a fingerprint lies. Also without the lock: then it may be any, and serves to
 * ask for memory only. Where nothing grows, nothing is taken from the shared memory, so that a
 * stray write there cannot lead outside. */
static inline struct jtgi_segment jtgi_segment_of(const struct jtgi_table *table,
                                                  const struct jtgi_partition *partition,
                                                  uint64_t fingerprint)
{
    if (!table->plan.grows)
        return jtgi_segment_at(table,
                               jtgi_partition_index(table, partition) *
                                   (table->plan.homes + table->plan.overrun),
                               table->plan.homes, 0);
    uint32_t depth = jtgi_load(&partition->depth);
    uint32_t homes = jtgi_load(&partition->homes);
    if (depth == 0)
        return jtgi_segment_at(table, partition->first, homes, 0);
    uint64_t entry = atomic_load_explicit(
        &jtgi_directory(table, partition)[fingerprint >> (64 - depth)], memory_order_relaxed);
    return jtgi_segment_at(table, entry >> 8, homes, (uint32_t)(entry & 63));
}

/* The greatest fingerprint of a segment in which this one lies. */
static inline uint64_t jtgi_segment_last(const struct jtgi_segment *segment, uint64_t fingerprint)
{
    return segment->depth == 0 ? UINT64_MAX : fingerprint | UINT64_MAX >> segment->depth;
}

static inline uint64_t jtgi_segment_first(const struct jtgi_segment *segment, uint64_t fingerprint)
{
    return segment->depth == 0 ? 0 : fingerprint & ~(UINT64_MAX >> segment->depth);
}

#endif
