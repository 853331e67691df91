/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that removes what has ended, and the step that it makes, callable without it.
 *
 * A pass visits every partition of the table and every part of the values. It goes round them, one
 * bounded step each, so that it never takes the same lock twice in a row while somebody waits for
 * it. Stops of a pass: each unit has been through once (a unit in which something ends meanwhile
 * waits for the next pass), or the cache is closing. */
#ifndef JTGI_MEMORY_SWEEPER_H
#define JTGI_MEMORY_SWEEPER_H

#include "memory/values.h"
#include "table/table.h"

#include <jtiguard/clock.h>

struct jtgi_sweeper;

/* What a sweeper works on. */
struct jtgi_sweeper_target {
    struct jtgi_table *table;
    struct jtgi_values *values;
    uint64_t (*now)(void *context); /* ms since the cache was made */
    void *context;
};

/* interval_ms 0 = no thread. NULL with *status set: out of memory, or no thread. */
struct jtgi_sweeper *jtgi_sweeper_new(const struct jtgi_sweeper_target *target,
                                      uint32_t interval_ms, jtg_status *status);

/* Joins the thread at once, after the step under way at most. in_child: there is none here. */
void jtgi_sweeper_free(struct jtgi_sweeper *sweeper, bool in_child);

/* One bounded step; true while the pass has steps left. */
bool jtgi_sweeper_step(struct jtgi_sweeper *sweeper);

/* Whole passes so far. */
uint64_t jtgi_sweeper_passes(struct jtgi_sweeper *sweeper);

#endif
