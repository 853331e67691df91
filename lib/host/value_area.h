/* SPDX-License-Identifier: Apache-2.0 */
/* The values of a host store (token caches): short lists, newest first, under their whole key, in
 * a part of the file behind the table of reservations (value_layout.h).
 *
 * One lock for all of it: values are few, and a call holds it for a copy. They are bounded by their
 * number and their bytes; what goes is wiped, for values are tickets and keys.
 *
 * Every function may be called from any thread. Each that has a status also answers
 * JTG_ERR_BLOCKED: nothing was done. */
#ifndef JTGI_HOST_VALUE_AREA_H
#define JTGI_HOST_VALUE_AREA_H

#include "table/lock.h"

#include <jtiguard/cache.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jtgi_value_area;

/* ---- the memory ---- */

struct jtgi_value_plan {
    uint64_t max_values;
    uint64_t max_bytes; /* of values with their keys */

    /* What follows from them. */
    uint32_t cells;
    uint32_t buckets; /* a power of two */
    size_t marks_at;  /* offsets in the memory */
    size_t buckets_at;
    size_t cells_at;
    size_t bytes; /* of the memory */
};

/* Pure: the same for the same arguments. */
void jtgi_value_plan(struct jtgi_value_plan *plan, uint64_t max_values, uint64_t max_bytes);

/* Make an empty one of zeroed memory of plan->bytes, aligned to a page, and its key. */
void jtgi_value_area_format(void *memory, const struct jtgi_value_plan *plan);

/* A handle to one that was made by the same plan. memory: borrowed; plan, party: copied. NULL: out
 * of memory. */
struct jtgi_value_area *jtgi_value_area_open(void *memory, const struct jtgi_value_plan *plan,
                                             const struct jtgi_lock_party *party);

/* The memory stays. NULL does nothing. Also in a child of fork: no lock is touched. */
void jtgi_value_area_close(struct jtgi_value_area *area);

/* ---- the operations of the Cache interface; now is ms since the store was made ---- */

jtg_status jtgi_value_area_put(struct jtgi_value_area *area, const jtg_key *key, const void *value,
                               size_t value_len, uint64_t now, uint64_t ttl_ms, size_t keep);
/* *value: empty. JTG_ERR_UNSAFE: a stray write has broken it. */
jtg_status jtgi_value_area_get(struct jtgi_value_area *area, const jtg_key *key, uint64_t now,
                               jtg_value *value);
jtg_status jtgi_value_area_take(struct jtgi_value_area *area, const jtg_key *key, uint64_t now,
                                jtg_value *value);
jtg_status jtgi_value_area_swap(struct jtgi_value_area *area, const jtg_key *key,
                                const void *expected, size_t expected_len, const void *value,
                                size_t value_len, uint64_t now, uint64_t ttl_ms);
jtg_status jtgi_value_area_drop(struct jtgi_value_area *area, const jtg_key *key, uint64_t now);
/* Set a bit of the newest value of a key. JTG_REPLAYED: it was set before · JTG_NOT_FOUND: there is
 * no such bit · JTG_ERR_UNSAFE: a stray write has broken the value. */
jtg_status jtgi_value_area_set_bit(struct jtgi_value_area *area, const jtg_key *key, uint32_t bit,
                                   uint64_t now);
jtg_status jtgi_value_area_clear(struct jtgi_value_area *area);
/* Sweep everything in bounded steps; *removed: values that had ended are added to it. */
jtg_status jtgi_value_area_prune(struct jtgi_value_area *area, uint64_t now, uint64_t *removed);

/* One bounded step of pass number `pass`; true while it has steps left. Does not wait for a holder
 * who lives. */
bool jtgi_value_area_sweep(struct jtgi_value_area *area, uint64_t now, uint64_t pass);

/* ---- after a death ---- */

/* Repair it if a dead process, or one that held my word before me, left it locked. False: it had to
 * be emptied, which is what a stray write leaves and no death. */
bool jtgi_value_area_mend(struct jtgi_value_area *area);

/* ---- another file in its place, as with the table: see table/transfer.h ---- */

/* Take the lock. False: it is blocked, or all is marked. */
bool jtgi_value_area_hold(struct jtgi_value_area *area);
void jtgi_value_area_let_go_locked(struct jtgi_value_area *area);

/* All of it, to memory for the same plan. */
void jtgi_value_area_copy_locked(const struct jtgi_value_area *area, void *to);

/* Marked, it is not entered: calls answer JTG_ERR_BLOCKED. */
void jtgi_value_area_mark_locked(struct jtgi_value_area *area, bool moved);

/* Take the mark away. Only while nobody can be about to move it. False: it is blocked. */
bool jtgi_value_area_unmark(struct jtgi_value_area *area);

/* ---- statistics ---- */

struct jtgi_value_stats {
    uint64_t keys; /* ended ones not yet swept included, as in all of these */
    uint64_t values;
    uint64_t bytes;
    uint64_t swept;
    uint64_t repairs;
    uint64_t emptied;
};
jtg_status jtgi_value_area_stats(struct jtgi_value_area *area, struct jtgi_value_stats *stats);

#endif
