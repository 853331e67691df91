/* SPDX-License-Identifier: Apache-2.0 */
/* How a partition grows: its first segment in place, in steps of three eighths, until it has its
 * full homes; from then on a segment that is full splits in two.
 *
 * Only in a private store. There a kill ends every user of the memory, so nothing here is in an
 * order that a repair could build on; and what the host store maps has all its slots from the
 * start. */
#ifndef JTGI_TABLE_GROWTH_H
#define JTGI_TABLE_GROWTH_H

#include "table/segment.h"

/* Make more room for an insertion, for which find has found `at` and room says `room`, if it is
 * time to. True: the segments have changed, find again. Bounded by the slots of one segment. */
bool jtgi_growth_step_locked(struct jtgi_visit *visit, uint64_t fingerprint, enum jtgi_room room);

#endif
