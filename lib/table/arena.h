/* SPDX-License-Identifier: Apache-2.0 */
/* Where a table that grows gets its segments: from one frontier upwards, never given back. */
#ifndef JTGI_TABLE_ARENA_H
#define JTGI_TABLE_ARENA_H

#include "table/layout.h"

#define JTGI_ARENA_NONE UINT64_MAX

/* Slots that nobody has, all empty, as an offset; JTGI_ARENA_NONE when there are no more. Tells the
 * visit when the frontier has come into a new huge page. */
uint64_t jtgi_arena_take_locked(struct jtgi_visit *visit, uint32_t count);

/* Where the system can, it gives the arena huge pages. */
void jtgi_arena_open(struct jtgi_table *table);

/* jtgi_table_settle. */
bool jtgi_arena_populate(struct jtgi_table *table);

#endif
