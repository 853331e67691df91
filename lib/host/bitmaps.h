/* SPDX-License-Identifier: Apache-2.0 */
/* Bitmaps: the operations of backend.h. Each is a value that is all zero when it is made, of which
 * one bit after the other is set in place: one byte is stored, so whoever is killed has taken the
 * bit or has not. Room, life and sweep are those of values. */
#ifndef JTGI_HOST_BITMAPS_H
#define JTGI_HOST_BITMAPS_H

#include "host/visit.h"

jtg_status jtgi_host_bitmap_put(jtg_cache *self, const jtg_key *key, uint32_t bits, uint64_t ttl_ms,
                                int64_t kept_since_ms, jtg_error *err);
void jtgi_host_bitmap_take_many(jtg_cache *self, jtg_bitmap_call *const *calls, size_t count);

#endif
