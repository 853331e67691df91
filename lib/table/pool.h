/* SPDX-License-Identifier: Apache-2.0 */
/* Places: how many reservations may be made. The pool, what the partitions have drawn from it, and
 * the entries together are max_entries. A place is taken away before it is given, so that a death
 * in between loses it and never doubles it. */
#ifndef JTGI_TABLE_POOL_H
#define JTGI_TABLE_POOL_H

#include "table/layout.h"

/* Take up to `wanted` places from the pool. */
uint64_t jtgi_pool_draw(struct jtgi_table *table, uint64_t wanted);

/* Give places to the pool. */
void jtgi_pool_give(struct jtgi_table *table, uint64_t places);

/* A place for one entry, the partition's or drawn anew. */
bool jtgi_pool_take_locked(struct jtgi_visit *visit);

/* `freed` entries have gone; the partition keeps at most `keep` places. */
void jtgi_pool_return_locked(struct jtgi_visit *visit, uint64_t freed, uint64_t keep);

#endif
