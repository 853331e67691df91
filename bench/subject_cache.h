/* SPDX-License-Identifier: Apache-2.0 */
/* A store of the library, called as a program calls it: through the Cache interface. What the
 * subjects of its stores share; self is a jtg_cache. */
#ifndef BENCH_SUBJECT_CACHE_H
#define BENCH_SUBJECT_CACHE_H

#include "subject.h"

jtg_status bench_cache_reserve(void *self, const struct bench_item *item, uint64_t ttl_ms);
jtg_status bench_cache_reserve_told(void *self, const struct bench_item *item, uint64_t ttl_ms);
size_t bench_cache_reserve_many(void *self, const struct bench_item *items, size_t count,
                                uint64_t ttl_ms, jtg_status expected);
jtg_status bench_cache_release(void *self, const struct bench_item *item);

#endif
