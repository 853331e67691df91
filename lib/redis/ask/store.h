/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis cache itself: its parts, its table, and its end. redis.c makes it. */
#ifndef JTGI_REDIS_STORE_H
#define JTGI_REDIS_STORE_H

#include "redis/ask/request.h"
#include "redis/flow/shared.h"
#include "redis/route/route.h"
#include "redis/say/keys/share.h"

#include <jtiguard/backend.h>

struct jtgi_redis {
    jtg_cache base;
    struct jtgi_shared shared;
    struct jtgi_shares shares; /* of each group; empty without a limit */
    struct jtgi_route route;
};

/* The slots of the table. */
jtg_status jtgi_redis_reserve(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                              uint64_t ttl_ms, jtg_error *err);
jtg_status jtgi_redis_reserve_kept(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                                   uint64_t ttl_ms, int64_t kept_since_ms, jtg_error *err);
void jtgi_redis_reserve_many(jtg_cache *self, jtg_reserve_call *const *calls, size_t count);
jtg_status jtgi_redis_kept_since(jtg_cache *self, int64_t *kept_since_ms, jtg_error *err);
jtg_status jtgi_redis_release(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                              jtg_error *err);
jtg_status jtgi_redis_ping(jtg_cache *self, jtg_error *err);
jtg_status jtgi_redis_count(jtg_cache *self, uint64_t *count, jtg_error *err);
jtg_status jtgi_redis_clear(jtg_cache *self, jtg_error *err);
jtg_status jtgi_redis_put(jtg_cache *self, const jtg_key *key, const void *value, size_t value_len,
                          uint64_t ttl_ms, size_t keep, jtg_error *err);
jtg_status jtgi_redis_get(jtg_cache *self, const jtg_key *key, jtg_value *value, jtg_error *err);
jtg_status jtgi_redis_take(jtg_cache *self, const jtg_key *key, jtg_value *value, jtg_error *err);
jtg_status jtgi_redis_swap(jtg_cache *self, const jtg_key *key, const void *expected,
                           size_t expected_len, const void *value, size_t value_len,
                           uint64_t ttl_ms, jtg_error *err);
jtg_status jtgi_redis_drop(jtg_cache *self, const jtg_key *key, jtg_error *err);
jtg_status jtgi_redis_bitmap_put(jtg_cache *self, const jtg_key *key, uint32_t bits,
                                 uint64_t ttl_ms, int64_t kept_since_ms, jtg_error *err);
void jtgi_redis_bitmap_take_many(jtg_cache *self, jtg_bitmap_call *const *calls, size_t count);

/* Nothing in it talks or waits. */
void jtgi_redis_destroy(jtg_cache *self);

/* The table; with continuity or without. In redis.c. */
const jtg_backend *jtgi_redis_backend(bool watches);

/* The cache as ours; NULL (and err) if it is of another backend or of another process. */
struct jtgi_redis *jtgi_redis_of(jtg_cache *cache, jtg_status *status, jtg_error *err);

#endif
