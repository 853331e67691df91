/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/groups.h"

#include "core/alloc.h"

#include <stdatomic.h>

struct group {
    _Atomic uint64_t fingerprint; /* 0 = not claimed */
    _Atomic uint64_t entries;
};

struct jtgi_groups {
    uint64_t limit;
    _Atomic uint64_t claimed;
    struct group places[JTGI_GROUP_COMMON]; /* the id less one; the last one is the common one */
};

struct jtgi_groups *jtgi_groups_new(uint64_t limit)
{
    struct jtgi_groups *groups = jtgi_map(sizeof *groups);
    if (groups != NULL)
        groups->limit = limit;
    return groups;
}

void jtgi_groups_free(struct jtgi_groups *groups)
{
    jtgi_unmap(groups, sizeof *groups);
}

/* Claims are counted before they are made, so that a quarter of the places always stays free and
 * every search ends soon. A claim that loses its place to another group counts back. */
static bool may_claim(struct jtgi_groups *groups)
{
    if (atomic_fetch_add(&groups->claimed, 1) < JTGI_GROUPS_OWN)
        return true;
    atomic_fetch_sub(&groups->claimed, 1);
    return false;
}

uint32_t jtgi_groups_id(struct jtgi_groups *groups, uint64_t fingerprint)
{
    uint32_t at = (uint32_t)(fingerprint % JTGI_GROUP_PLACES);
    for (;; at = (at + 1) % JTGI_GROUP_PLACES) {
        struct group *place = &groups->places[at];
        uint64_t found = atomic_load_explicit(&place->fingerprint, memory_order_relaxed);
        if (found == fingerprint)
            return at + 1;
        if (found != 0)
            continue;
        if (!may_claim(groups))
            return JTGI_GROUP_COMMON;
        if (atomic_compare_exchange_strong(&place->fingerprint, &found, fingerprint))
            return at + 1;
        atomic_fetch_sub(&groups->claimed, 1);
        if (found == fingerprint)
            return at + 1;
    }
}

bool jtgi_groups_join(struct jtgi_groups *groups, uint32_t id)
{
    _Atomic uint64_t *entries = &groups->places[id - 1].entries;
    uint64_t now = atomic_load_explicit(entries, memory_order_relaxed);
    do {
        if (now >= groups->limit)
            return false;
    } while (!atomic_compare_exchange_weak(entries, &now, now + 1));
    return true;
}

void jtgi_groups_leave(struct jtgi_groups *groups, uint32_t id)
{
    if (id != JTGI_GROUP_NONE)
        atomic_fetch_sub(&groups->places[id - 1].entries, 1);
}

uint64_t jtgi_groups_count(const struct jtgi_groups *groups)
{
    return atomic_load(&groups->claimed);
}
