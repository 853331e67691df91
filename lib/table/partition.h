/* SPDX-License-Identifier: Apache-2.0 */
/* A partition as a whole: taking its lock, its clock, and the pass of the sweep through its
 * segments.
 *
 * The pass remembers where it goes on as a fingerprint: whatever comes, goes, moves or splits
 * between two steps, what is smaller has been swept and what is not has not. */
#ifndef JTGI_TABLE_PARTITION_H
#define JTGI_TABLE_PARTITION_H

#include "table/segment.h"

/* Take the lock; repair first what a dead holder left. False: blocked, or moved; there is no visit.
 */
bool jtgi_partition_enter(struct jtgi_visit *visit, struct jtgi_table *table,
                          struct jtgi_partition *partition, uint64_t now);
/* The same for one of many in a call, which waited in vain for another already. */
bool jtgi_partition_enter_hurried(struct jtgi_visit *visit, struct jtgi_table *table,
                                  struct jtgi_partition *partition, uint64_t now);
void jtgi_partition_leave(struct jtgi_visit *visit);

/* Go on in the segment of this fingerprint. */
void jtgi_partition_go_to_locked(struct jtgi_visit *visit, uint64_t fingerprint);

/* One bounded step of a removal of everything, ended or not. It begins with *from 0, and goes on
 * while true is returned. Where it has come to is the caller's alone: were it the partition's, the
 * next pass would go on with the removal of one who died in it, and take away what came later. */
bool jtgi_partition_clear_locked(struct jtgi_visit *visit, uint64_t *from);

/* One bounded step of the sweep. Goes on with the pass under way; else begins pass number `pass`,
 * once, if something may have ended. True while the pass has slots left. */
bool jtgi_partition_sweep_locked(struct jtgi_visit *visit, uint64_t pass);

#endif
