/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/ask/store.h"

#include "core/alloc.h"
#include "core/fork.h"

/* Nothing here talks or waits. In a child of fork() the locks may be held by threads that do not
 * exist here: none is waited for, and closing the child's copy of a descriptor says nothing to the
 * server, for the parent still holds its own. */
static void destroy(jtg_cache *self)
{
    struct jtgi_redis *redis = (struct jtgi_redis *)(void *)self;
    bool in_child = self->fork_generation != jtgi_fork_generation();
    jtgi_route_clear(&redis->route, in_child);
    jtgi_shares_clear(&redis->shares);
    jtgi_shared_clear(&redis->shared, in_child);
    jtg_cache_clear_base(&redis->base);
    jtgi_free(redis);
}

/* With and without continuity: the slots that both have. */
#define SLOTS                                                                                      \
    .struct_size = sizeof(jtg_backend), .name = "redis", .reserve = jtgi_redis_reserve,            \
    .release = jtgi_redis_release, .count = jtgi_redis_count, .clear = jtgi_redis_clear,           \
    .ping = jtgi_redis_ping, .destroy = destroy, .put = jtgi_redis_put, .get = jtgi_redis_get,     \
    .take = jtgi_redis_take, .swap = jtgi_redis_swap, .drop = jtgi_redis_drop,                     \
    .reserve_many = jtgi_redis_reserve_many, .bitmap_put = jtgi_redis_bitmap_put,                  \
    .bitmap_take_many = jtgi_redis_bitmap_take_many

static const jtg_backend watching = {
    SLOTS,
    .reserve_kept = jtgi_redis_reserve_kept,
    .kept_since = jtgi_redis_kept_since,
};
static const jtg_backend unwatching = {SLOTS};

const jtg_backend *jtgi_redis_backend(bool watches)
{
    return watches ? &watching : &unwatching;
}

struct jtgi_redis *jtgi_redis_of(jtg_cache *cache, jtg_status *status, jtg_error *err)
{
    *status = JTG_OK;
    if (cache == NULL || (cache->backend != &watching && cache->backend != &unwatching))
        *status = jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "the cache is no Redis cache");
    else if (cache->fork_generation != jtgi_fork_generation())
        *status = jtg_error_set(err, JTG_ERR_FORKED, 0,
                                "the cache was made before fork: make one in each process");
    return *status == JTG_OK ? (struct jtgi_redis *)(void *)cache : NULL;
}
