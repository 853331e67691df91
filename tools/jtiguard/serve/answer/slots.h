/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded table of numbers under keys that strangers choose. Keys are kept as 128-bit
 * fingerprints under a random key, so that nobody can aim a collision and no text stays in
 * memory. A full bucket forgets its oldest entry: fit only for what may be forgotten, never for
 * what admits. */
#ifndef SERVE_SLOTS_H
#define SERVE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slots;

/* Room for about `entries`, rounded up to a power of two. NULL when memory is out. */
struct slots *slots_new(uint64_t entries);
void slots_free(struct slots *slots);

struct slot_key {
    uint64_t words[2];
};

/* The fingerprint of a text; of a pair, in that order. */
struct slot_key slots_key(const struct slots *slots, const void *data, size_t data_len);
struct slot_key slots_key_pair(const struct slots *slots, struct slot_key first,
                               struct slot_key second);

/* The number under a key; false where there is none. */
bool slots_get(struct slots *slots, struct slot_key key, int64_t *number);

/* Put max(number there, floor) + step under the key, and hand it out. What is lowest in a full
 * bucket makes room. */
int64_t slots_raise(struct slots *slots, struct slot_key key, int64_t floor, int64_t step);

/* Put a number under the key, whatever was there. */
void slots_put(struct slots *slots, struct slot_key key, int64_t number);

/* Forget all. NULL does nothing. */
void slots_clear(struct slots *slots);

#endif
