/* SPDX-License-Identifier: Apache-2.0 */
#include "table/groups.h"

void jtgi_groups_format(void *memory, uint64_t limit)
{
    struct jtgi_groups *groups = memory;
    groups->limit = limit;
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
        struct jtgi_group *place = &groups->places[at];
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
    if (id != JTGI_GROUP_NONE && id <= JTGI_GROUP_COMMON)
        atomic_fetch_sub(&groups->places[id - 1].entries, 1);
}

void jtgi_groups_reset(struct jtgi_groups *groups)
{
    for (size_t at = 0; at < JTGI_GROUP_COMMON; at++)
        atomic_store(&groups->places[at].entries, 0);
}

void jtgi_groups_count_in(struct jtgi_groups *groups, uint32_t id)
{
    if (id != JTGI_GROUP_NONE && id <= JTGI_GROUP_COMMON)
        atomic_fetch_add(&groups->places[id - 1].entries, 1);
}

uint64_t jtgi_groups_count(const struct jtgi_groups *groups)
{
    return atomic_load(&groups->claimed);
}
