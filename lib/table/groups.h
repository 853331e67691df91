/* SPDX-License-Identifier: Apache-2.0 */
/* How many reservations each group (issuer) holds, so that one cannot fill the store.
 *
 * A fixed table of counters, found by the group's keyed fingerprint and claimed once, without a
 * lock. A counter is never given to another group: groups are issuers, and only those whose tokens
 * passed a verifier get here. When the table is three quarters full, later groups share one
 * counter, and so one share: they are refused sooner, never later. */
#ifndef JTGI_TABLE_GROUPS_H
#define JTGI_TABLE_GROUPS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JTGI_GROUP_PLACES = 65536,                /* a power of two */
    JTGI_GROUPS_OWN = 49152,                  /* groups that get a counter of their own */
    JTGI_GROUP_NONE = 0,                      /* the id of no group */
    JTGI_GROUP_COMMON = JTGI_GROUP_PLACES + 1 /* the id of all later groups together */
};

struct jtgi_group {
    _Atomic uint64_t fingerprint; /* 0 = not claimed */
    _Atomic uint64_t entries;
};

/* Lies in the table's memory, so there are no pointers in it. */
struct jtgi_groups {
    uint64_t limit; /* most entries of one group */
    _Atomic uint64_t claimed;
    struct jtgi_group places[JTGI_GROUP_COMMON]; /* the id less one; the last is the common one */
};

#define JTGI_GROUPS_BYTES sizeof(struct jtgi_groups)

/* memory: JTGI_GROUPS_BYTES, zeroed. limit: at least 1. */
void jtgi_groups_format(void *memory, uint64_t limit);

/* The id of a group, 1 … JTGI_GROUP_COMMON. fingerprint is not 0. */
uint32_t jtgi_groups_id(struct jtgi_groups *groups, uint64_t fingerprint);

/* Count one entry more, unless the group has its share. */
bool jtgi_groups_join(struct jtgi_groups *groups, uint32_t id);

/* Count one entry less. */
void jtgi_groups_leave(struct jtgi_groups *groups, uint32_t id);

/* Nobody holds anything. For a recount, while nobody else uses it. */
void jtgi_groups_reset(struct jtgi_groups *groups);

/* Count one entry more, whatever the share. */
void jtgi_groups_count_in(struct jtgi_groups *groups, uint32_t id);

/* How many groups have a counter of their own. */
uint64_t jtgi_groups_count(const struct jtgi_groups *groups);

#endif
