/* SPDX-License-Identifier: Apache-2.0 */
/* The reservation table: one stripe's reservations in one flat array.
 *
 * Layout. A slot is 24 bytes. The array is ordered by fingerprint: a fingerprint's home is
 * fingerprint * homes / 2^64, and it stands at its home or, where that is taken, after it,
 * always before every greater one, with no empty slot between its home and itself. So a search
 * starts at the home and stops at the first greater fingerprint or empty slot; the array ends in
 * an overrun, and nothing wraps around.
 *
 * Growth. `homes` grows by three eighths, in place: the greatest fingerprints move first, each to
 * its new home further up, and the frontier follows them down. Fingerprints at or above the
 * frontier live by next_homes, those below it still by homes. Insertions move a bounded number of
 * slots, so no call ever pays for the table, there is never a second copy of it, and the memory in
 * use follows the entries closely. Slots beyond those in use are never touched: they cost address
 * space only.
 *
 * The attack answered. Nobody who lacks the cache's random key can aim at a slot, make runs long,
 * or make two keys share a fingerprint. The cost accepted: two keys that share one by chance (64
 * bits) are taken for one, and the fresh one is refused.
 *
 * The structs hold no pointers, so that the table can live in memory that processes share.
 * Nothing here locks: the stripe's lock is held around every call (hence `_locked`). */
#ifndef JTGI_MEMORY_TABLE_H
#define JTGI_MEMORY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JTGI_END_BITS = 40,      /* an end, in ms since the cache was made: 34 years */
    JTGI_RUN_MAX = 4096,     /* most slots from a home to a free slot; beyond it refuse */
    JTGI_SWEEP_SLOTS = 1024, /* slots of one sweep step, not counting the run that it ends in */
    JTGI_GROWTH_WORK = 64,   /* slots that one insertion moves or visits for growth, on average */
    JTGI_GROWTH_STEP = 1024, /* it is done in steps of this, by one insertion in sixteen */
    JTGI_LOAD_PERCENT = 85   /* fuller than this, the table grows */
};

/* One reservation. end_and_group 0 = empty. */
struct jtgi_slot {
    uint64_t fingerprint;
    uint64_t owner_tag;
    uint64_t end_and_group; /* end in the low JTGI_END_BITS bits, the group's id above them */
};

struct jtgi_table {
    uint64_t homes;      /* homes of fingerprints below the frontier */
    uint64_t next_homes; /* homes of those at or above it; the same as homes when not growing */
    uint64_t frontier;   /* see above */
    uint64_t unmoved;    /* growing: slots from here on hold nothing below the frontier */
    uint64_t growth_due; /* growing: slots that insertions have put off */
    uint64_t max_homes;  /* never more homes than this */
    uint64_t slot_count; /* slots of the array: max_homes and the overrun; the last stays empty */
    uint64_t top;        /* slots from here on are empty */
    uint64_t occupied;   /* slots that hold something, ended or not */
    uint64_t earliest;   /* nothing ends before this */
    bool sweeping;       /* a pass of the sweep is under way */
    uint64_t sweep_at;   /* it goes on from this slot */
    uint64_t sweep_earliest; /* the earliest end that the pass has seen */
    uint64_t sweep_pass;     /* number of the last pass that began */
    bool clearing;           /* the pass removes everything */
    uint64_t swept;          /* statistics: removed because they had ended */
    uint64_t growths;        /* statistics: times that it began to grow */
};

/* One visit to a table under its lock: where its slots are, what time it is, and how many slots the
 * visit has touched, so that the bound on a lock hold is counted and not believed. */
struct jtgi_visit {
    struct jtgi_table *table;
    struct jtgi_slot *slots;
    struct jtgi_groups *groups; /* told of every entry that goes; NULL = no shares */
    uint64_t now;               /* ms since the cache was made, at least 1 */
    uint64_t work;
    uint64_t at;        /* found: where the fingerprint stands or would stand */
    uint64_t free_slot; /* room: the slot that its run can move into */
};

enum jtgi_found {
    JTGI_FREE,    /* no live entry has the fingerprint */
    JTGI_OURS,    /* the owner holds it */
    JTGI_ANOTHERS /* another owner holds it */
};

/* Slots that an array for max_homes needs. */
uint64_t jtgi_table_slot_count(uint64_t max_homes);

/* Homes that hold this many entries without going beyond the load. */
uint64_t jtgi_table_homes_for(uint64_t entries);

void jtgi_table_init(struct jtgi_table *table, uint64_t max_homes);

/* First slot that a search for the fingerprint looks at, given homes. */
uint64_t jtgi_table_home(uint64_t fingerprint, uint64_t homes);

/* The operations come in this order within one visit: find, and after it extend, or remove, or room
 * and insert. */

/* Who holds a fingerprint. */
enum jtgi_found jtgi_table_find_locked(struct jtgi_visit *visit, uint64_t fingerprint,
                                       uint64_t owner_tag);

/* Move the end of the entry that was found to `end`, if that is later. */
void jtgi_table_extend_locked(struct jtgi_visit *visit, uint64_t end);

/* Remove the entry that was found. */
void jtgi_table_remove_locked(struct jtgi_visit *visit);

/* What an insertion of the fingerprint that was found free would need. */
enum jtgi_room {
    JTGI_ROOM_REUSES, /* it takes the place of an entry that has ended */
    JTGI_ROOM_ADDS,   /* it takes a new place */
    JTGI_ROOM_NONE    /* the run is too long: refuse */
};
enum jtgi_room jtgi_table_room_locked(struct jtgi_visit *visit, uint64_t fingerprint);

/* Insert where room was found; grow a little. */
void jtgi_table_insert_locked(struct jtgi_visit *visit, uint64_t fingerprint, uint64_t owner_tag,
                              uint64_t end, uint32_t group);

/* Begin a pass that removes everything, ended or not. */
void jtgi_table_clear_locked(struct jtgi_visit *visit);

/* The pass of a caller that needs room now: begins whenever something may have ended. */
#define JTGI_SWEEP_ANYWAY UINT64_C(0)

/* One bounded step of the sweep. Goes on with the pass under way; else begins pass number `pass`,
 * once, if something may have ended. True while the pass has slots left. */
bool jtgi_table_sweep_locked(struct jtgi_visit *visit, uint64_t pass);

#endif
