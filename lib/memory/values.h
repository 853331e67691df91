/* SPDX-License-Identifier: Apache-2.0 */
/* The values of a memory cache (token caches): short lists, newest first, under their whole key.
 *
 * A chained hash table under a few locks. Its buckets are as many as max_values asks for and are
 * made on the first put, so it never grows and no call pays for a growth. Values are wiped when
 * they go: they are tickets and tokens. */
#ifndef JTGI_MEMORY_VALUES_H
#define JTGI_MEMORY_VALUES_H

#include <jtiguard/cache.h>
#include <stdbool.h>

struct jtgi_values;

/* NULL when out of memory. */
struct jtgi_values *jtgi_values_new(uint64_t max_values, uint64_t max_value_bytes);

/* in_child: this process is a fork of the one that made it; its locks cannot be touched. */
void jtgi_values_free(struct jtgi_values *values, bool in_child);

/* The operations of the Cache interface. now is ms since the cache was made. */
jtg_status jtgi_values_put(struct jtgi_values *values, const jtg_key *key, const void *data,
                           size_t data_len, uint64_t now, uint64_t ttl_ms, size_t keep);
jtg_status jtgi_values_get(struct jtgi_values *values, const jtg_key *key, uint64_t now,
                           jtg_value *value);
jtg_status jtgi_values_take(struct jtgi_values *values, const jtg_key *key, uint64_t now,
                            jtg_value *value);
jtg_status jtgi_values_swap(struct jtgi_values *values, const jtg_key *key, const void *expected,
                            size_t expected_len, const void *data, size_t data_len, uint64_t now,
                            uint64_t ttl_ms);
jtg_status jtgi_values_drop(struct jtgi_values *values, const jtg_key *key, uint64_t now);
/* Show the newest value of a key to a function, which may change its bytes, in one step; it holds
 * the lock of the key, and must not come back here. Returns: its answer · JTG_NOT_FOUND */
typedef jtg_status (*jtgi_values_editor)(void *context, unsigned char *data, size_t data_len);
jtg_status jtgi_values_edit(struct jtgi_values *values, const jtg_key *key, uint64_t now,
                            jtgi_values_editor editor, void *context);
void jtgi_values_clear(struct jtgi_values *values);
/* Sweep all parts in bounded steps; how many values were removed because they had ended. */
uint64_t jtgi_values_prune(struct jtgi_values *values, uint64_t now);

/* One bounded step of pass number `pass` on part `index`; true while it has steps left there. */
bool jtgi_values_sweep(struct jtgi_values *values, size_t index, uint64_t now, uint64_t pass);
size_t jtgi_values_number(const struct jtgi_values *values);

struct jtgi_values_stats {
    uint64_t keys;
    uint64_t values;
    uint64_t bytes;
    uint64_t swept;
};
void jtgi_values_stats_get(struct jtgi_values *values, struct jtgi_values_stats *stats);

#endif
