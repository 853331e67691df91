/* SPDX-License-Identifier: Apache-2.0 */
/* All reservations of a memory cache: a number of tables, each under a lock of its own.
 *
 * The first half of a key's hash is its fingerprint within a stripe, the second half chooses the
 * stripe.
 *
 * Places. max_entries holds for all stripes together, exactly. A stripe draws places from a common
 * pool in small batches, so that threads do not meet at one counter in every call; when the pool is
 * dry, a reserve collects what the other stripes have drawn and not used, and what has ended, in
 * bounded steps, and only then is the store full. */
#ifndef JTGI_MEMORY_STRIPES_H
#define JTGI_MEMORY_STRIPES_H

#include "memory/table.h"

#include <jtiguard/cache.h>

struct jtgi_stripes;

/* max_entries, max_per_group as in the options (0 = no share). NULL when out of memory. */
struct jtgi_stripes *jtgi_stripes_new(uint64_t max_entries, uint64_t max_per_group);

/* in_child: this process is a fork of the one that made it; its locks cannot be touched. */
void jtgi_stripes_free(struct jtgi_stripes *stripes, bool in_child);

/* The operations of the Cache interface. now is ms since the cache was made. */
jtg_status jtgi_stripes_reserve(struct jtgi_stripes *stripes, const jtg_key *key,
                                const jtg_owner *owner, uint64_t now, uint64_t ttl_ms);
jtg_status jtgi_stripes_release(struct jtgi_stripes *stripes, const jtg_key *key,
                                const jtg_owner *owner, uint64_t now);
uint64_t jtgi_stripes_count(struct jtgi_stripes *stripes);
void jtgi_stripes_clear(struct jtgi_stripes *stripes);
/* Sweep all stripes in bounded steps; how many entries were removed because they had ended. */
uint64_t jtgi_stripes_prune(struct jtgi_stripes *stripes, uint64_t now);

/* One bounded step of pass number `pass` on stripe `index`; true while it has steps left there. */
bool jtgi_stripes_sweep(struct jtgi_stripes *stripes, size_t index, uint64_t now, uint64_t pass);
size_t jtgi_stripes_number(const struct jtgi_stripes *stripes);

/* Who is told, without a lock held, that a stripe has grown over a whole huge page. Set once,
 * before the first reserve. */
void jtgi_stripes_set_listener(struct jtgi_stripes *stripes, void (*grown)(void *context),
                               void *context);

/* Turn one piece of what the stripes have grown over into a huge page; true while there may be
 * more. Background work: see huge.h. One piece a call, so that a close never waits for the whole
 * table. */
bool jtgi_stripes_settle(struct jtgi_stripes *stripes);

struct jtgi_stripes_stats {
    uint64_t entries;
    uint64_t slots;
    uint64_t groups;
    uint64_t swept;
    uint64_t growths;
    uint64_t max_step_slots;
};
void jtgi_stripes_stats_get(struct jtgi_stripes *stripes, struct jtgi_stripes_stats *stats);

#endif
