/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/ask/store.h"

#include "core/alloc.h"
#include "core/fork.h"

/* Nothing here talks or waits. In a child of fork() the locks may be held by threads that do not
 * exist here: none is waited for, and closing the child's copy of a descriptor says nothing to the
 * server, for the parent still holds its own. */
void jtgi_redis_destroy(jtg_cache *self)
{
    struct jtgi_redis *redis = (struct jtgi_redis *)(void *)self;
    bool in_child = self->fork_generation != jtgi_fork_generation();
    jtgi_route_clear(&redis->route, in_child);
    jtgi_shares_clear(&redis->shares);
    jtgi_shared_clear(&redis->shared, in_child);
    jtg_cache_clear_base(&redis->base);
    jtgi_free(redis);
}

struct jtgi_redis *jtgi_redis_of(jtg_cache *cache, jtg_status *status, jtg_error *err)
{
    *status = JTG_OK;
    if (cache == NULL || cache->backend->destroy != jtgi_redis_destroy)
        *status = jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "the cache is no Redis cache");
    else if (cache->fork_generation != jtgi_fork_generation())
        *status = jtg_error_set(err, JTG_ERR_FORKED, 0,
                                "the cache was made before fork: make one in each process");
    return *status == JTG_OK ? (struct jtgi_redis *)(void *)cache : NULL;
}
