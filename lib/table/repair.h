/* SPDX-License-Identifier: Apache-2.0 */
/* A partition after the death of a process that was inside.
 *
 * One walk. What a kill can leave is in order, perhaps with an entry twice in a row, with a gap
 * between an entry and its home, and with counters that are not those of the slots: doubles go, all
 * move down to their home or to the first free slot after it, and the counters are made anew. What
 * the dead one was putting in may stay or not: it was not admitted, or it is burnt. May be killed
 * at any instruction, and done again.
 *
 * Only a stray write leaves an order that is broken, a slot before its home, or two of one
 * fingerprint that differ. Then nothing of the partition can be believed: it is emptied, and its
 * lost_at says when. */
#ifndef JTGI_TABLE_REPAIR_H
#define JTGI_TABLE_REPAIR_H

#include "table/segment.h"

/* False: emptied. Bounded by the slots of the partition. */
bool jtgi_repair_locked(struct jtgi_visit *visit);

#endif
