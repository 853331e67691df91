/* SPDX-License-Identifier: Apache-2.0 */
/* The bitmaps of a memory cache: each is a value of the table of values, all zero when it is made,
 * of which one bit after the other is set in place. Room, life, sweep and clearing are those of
 * values, and so is the bound: a live one is never removed, and a full table refuses a new one. */
#ifndef JTGI_MEMORY_BITMAPS_H
#define JTGI_MEMORY_BITMAPS_H

#include "memory/values.h"

/* now is ms since the cache was made.
 * Returns: JTG_OK · JTG_REPLAYED (there is one) · JTG_ERR_FULL · JTG_ERR_MEMORY */
jtg_status jtgi_bitmaps_put(struct jtgi_values *values, const jtg_key *key, uint32_t bits,
                            uint64_t now, uint64_t ttl_ms);

/* Answers each: JTG_OK · JTG_REPLAYED · JTG_NOT_FOUND */
void jtgi_bitmaps_take_many(struct jtgi_values *values, jtg_bitmap_call *const *calls, size_t count,
                            uint64_t now);

#endif
