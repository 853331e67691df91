/* SPDX-License-Identifier: Apache-2.0 */
/* One reservation, 24 bytes, and how it is written.
 *
 * A process may be killed between any two instructions while it changes a table that others go on
 * using. So a slot is written in an order that leaves it empty until it is whole, and it is copied
 * before it is cleared: at every moment each live entry stands somewhere, whole, at least once. A
 * kill is precise and the kernel's switch is a barrier, so only the compiler must keep the order:
 * accesses to volatile objects are not moved across each other, and a fence of this thread keeps
 * the counters on their side. */
#ifndef JTGI_TABLE_SLOT_H
#define JTGI_TABLE_SLOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { JTGI_END_BITS = 40 /* an end, in ms since the store was made: 34 years */ };

#define JTGI_END_MASK ((UINT64_C(1) << JTGI_END_BITS) - 1)

/* Later than every end. */
#define JTGI_NEVER UINT64_MAX

/* end_and_group 0 = empty; the rest of an empty slot means nothing. */
struct jtgi_slot {
    uint64_t fingerprint;
    uint64_t owner_tag;
    uint64_t end_and_group; /* end in the low JTGI_END_BITS bits, the group's id above them */
};

static inline bool jtgi_slot_is_empty(const struct jtgi_slot *slot)
{
    return slot->end_and_group == 0;
}

static inline uint64_t jtgi_slot_end(const struct jtgi_slot *slot)
{
    return slot->end_and_group & JTGI_END_MASK;
}

static inline uint32_t jtgi_slot_group(const struct jtgi_slot *slot)
{
    return (uint32_t)(slot->end_and_group >> JTGI_END_BITS);
}

static inline bool jtgi_slot_has_ended(const struct jtgi_slot *slot, uint64_t now)
{
    return jtgi_slot_end(slot) <= now;
}

/* What stands above it in the program is done before what stands below. */
static inline void jtgi_keep_order(void)
{
    atomic_signal_fence(memory_order_seq_cst);
}

static inline void jtgi_slot_put(struct jtgi_slot *at, struct jtgi_slot entry)
{
    volatile struct jtgi_slot *slot = at;
    slot->end_and_group = 0;
    slot->fingerprint = entry.fingerprint;
    slot->owner_tag = entry.owner_tag;
    slot->end_and_group = entry.end_and_group;
}

static inline void jtgi_slot_set_end(struct jtgi_slot *at, uint64_t end_and_group)
{
    volatile struct jtgi_slot *slot = at;
    slot->end_and_group = end_and_group;
}

static inline void jtgi_slot_clear(struct jtgi_slot *at)
{
    jtgi_slot_set_end(at, 0);
}

#endif
