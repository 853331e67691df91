/* SPDX-License-Identifier: Apache-2.0 */
/* What the memory backend is compared with: the table that a careful C programmer writes in an
 * afternoon for the same task. Chaining, the whole key in each node, keyed SipHash-2-4 of
 * libsodium, one mutex, and doubling at load 1 under that mutex. */
#ifndef BENCH_CHAINED_TABLE_H
#define BENCH_CHAINED_TABLE_H

#include <jtiguard/cache.h>
#include <jtiguard/clock.h>

struct chained_table;

/* An empty table, or NULL when out of memory. The clock is copied; NULL = the system's. There is no
 * function to free it: see subject.h. */
struct chained_table *chained_table_new(uint64_t max_entries, const jtg_clock *clock);

/* As the functions of cache.h. Threads: any. */
jtg_status chained_table_reserve(struct chained_table *table, const void *key, size_t key_len,
                                 const jtg_owner *owner, uint64_t ttl_ms);
jtg_status chained_table_release(struct chained_table *table, const void *key, size_t key_len,
                                 const jtg_owner *owner);

/* Remove all that has ended: the whole table in one hold of the mutex. */
void chained_table_sweep(struct chained_table *table);

#endif
