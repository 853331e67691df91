/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of one segment: found, put in, taken out, swept. Ordered stores only (slot.h), and
 * every loop ends with the segment, so that a word broken by a stray write can hang no call.
 *
 * Nothing here locks: the partition's lock is held around every call (hence `_locked`). The
 * operations come in this order within one visit: find, and after it extend, or remove, or room and
 * insert. */
#ifndef JTGI_TABLE_SEGMENT_H
#define JTGI_TABLE_SEGMENT_H

#include "table/layout.h"

enum { JTGI_RUN_MAX = 4096 /* most slots from a home to a free slot; beyond it refuse */ };

enum jtgi_found {
    JTGI_FREE,    /* no live entry has the fingerprint */
    JTGI_OURS,    /* the owner holds it */
    JTGI_ANOTHERS /* another owner holds it */
};

/* Who holds a fingerprint, in visit->segment. */
enum jtgi_found jtgi_segment_find_locked(struct jtgi_visit *visit, uint64_t fingerprint,
                                         uint64_t owner_tag);

/* Move the end of the entry that was found to `end`, if that is later. */
void jtgi_segment_extend_locked(struct jtgi_visit *visit, uint64_t end);

/* Remove the entry that was found. */
void jtgi_segment_remove_locked(struct jtgi_visit *visit);

/* What an insertion of the fingerprint that was found free would need. */
enum jtgi_room {
    JTGI_ROOM_REUSES, /* it takes the place of an entry that has ended */
    JTGI_ROOM_ADDS,   /* it takes a new place */
    JTGI_ROOM_NONE    /* the run is too long */
};
enum jtgi_room jtgi_segment_room_locked(struct jtgi_visit *visit, uint64_t fingerprint);

/* Insert where room was found. */
void jtgi_segment_insert_locked(struct jtgi_visit *visit, const struct jtgi_slot *entry);

/* Remove what has ended from slot `from` on, for at least JTGI_SWEEP_SLOTS slots or up to the end,
 * and move the rest of each run down into the gaps. Stops only where no gap is open, so that
 * nothing is parted from its home. now: JTGI_NEVER removes everything. Returns the slot to go on
 * from. */
uint32_t jtgi_segment_sweep_locked(struct jtgi_visit *visit, uint32_t from, uint64_t now);

#endif
