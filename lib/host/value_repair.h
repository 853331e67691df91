/* SPDX-License-Identifier: Apache-2.0 */
/* The values of a store after the death of a process that was inside.
 *
 * One walk from the buckets on marks each cell that something leads to. A list that the dead one
 * left too long is cut to what its newest value says, and a key without values goes. All other
 * cells are wiped and free, and the counters are made anew. May be killed at any instruction, and
 * done again.
 *
 * Only a stray write leaves a cell that two lead to, one of another kind, or a length that its
 * cells do not have. Then nothing can be believed, and all is emptied. */
#ifndef JTGI_HOST_VALUE_REPAIR_H
#define JTGI_HOST_VALUE_REPAIR_H

#include "host/value_cells.h"

/* False: emptied. Bounded by the number of cells. Under the lock. */
bool jtgi_value_repair_locked(struct jtgi_value_area *area);

#endif
