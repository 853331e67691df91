/* SPDX-License-Identifier: Apache-2.0 */
/* How many reservations each group (issuer) holds, so that one cannot fill the store.
 *
 * A fixed table of counters, found by the group's keyed fingerprint and claimed once, without a
 * lock. A counter is never given to another group: groups are issuers, and only those whose tokens
 * passed a verifier get here. When the table is three quarters full, later groups share one
 * counter, and so one share: they are refused sooner, never later. */
#ifndef JTGI_MEMORY_GROUPS_H
#define JTGI_MEMORY_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JTGI_GROUP_PLACES = 65536,                /* a power of two */
    JTGI_GROUPS_OWN = 49152,                  /* groups that get a counter of their own */
    JTGI_GROUP_NONE = 0,                      /* the id of no group */
    JTGI_GROUP_COMMON = JTGI_GROUP_PLACES + 1 /* the id of all later groups together */
};

struct jtgi_groups;

/* limit: most entries of one group, at least 1. NULL when out of memory. */
struct jtgi_groups *jtgi_groups_new(uint64_t limit);
void jtgi_groups_free(struct jtgi_groups *groups);

/* The id of a group, 1 … JTGI_GROUP_COMMON. fingerprint is not 0. */
uint32_t jtgi_groups_id(struct jtgi_groups *groups, uint64_t fingerprint);

/* Count one entry more, unless the group has its share. */
bool jtgi_groups_join(struct jtgi_groups *groups, uint32_t id);

/* Count one entry less. */
void jtgi_groups_leave(struct jtgi_groups *groups, uint32_t id);

/* How many groups have a counter of their own. */
uint64_t jtgi_groups_count(const struct jtgi_groups *groups);

#endif
