/* SPDX-License-Identifier: Apache-2.0 */
/* The slots of a Cluster: which of 16,384 a key lies in. No I/O, no locks. */
#ifndef JTGI_REDIS_SLOTS_H
#define JTGI_REDIS_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JTGI_SLOTS = 16384 };

/* CRC-16/XMODEM of the key modulo 16,384; of the part between the first '{' and the next '}' alone,
 * where there is one that is not empty.
 * Source: the Redis Cluster specification, "Key distribution model" and "Hash tags" */
uint16_t jtgi_slot_of(const void *key, size_t key_len);

/* Does the text hold such a part? Every key that begins with it then lies in one slot. */
bool jtgi_slot_is_tagged(const void *text, size_t text_len);

/* A set of slots. */
struct jtgi_slot_set {
    uint8_t bits[JTGI_SLOTS / 8];
};

static inline bool jtgi_slot_set_has(const struct jtgi_slot_set *set, unsigned slot)
{
    return (set->bits[slot / 8] >> slot % 8 & 1) != 0;
}

static inline void jtgi_slot_set_add(struct jtgi_slot_set *set, unsigned slot)
{
    set->bits[slot / 8] |= (uint8_t)(1U << slot % 8);
}

#endif
