/* SPDX-License-Identifier: Apache-2.0 */
#include "support/gated_cache.h"

#include "support/asserts.h"

#include <stdlib.h>

static struct gated_cache *as_gated(jtg_cache *self)
{
    return (struct gated_cache *)self;
}

static void hold_back(struct gated_cache *cache)
{
    (void)pthread_mutex_lock(&cache->lock);
    cache->held++;
    (void)pthread_cond_broadcast(&cache->changed);
    while (!cache->open)
        (void)pthread_cond_wait(&cache->changed, &cache->lock);
    (void)pthread_mutex_unlock(&cache->lock);
}

/* Is this call to be answered by the test's status? */
static bool meddle(struct gated_cache *cache, jtg_operation operation)
{
    unsigned earlier = atomic_fetch_add(&cache->calls[operation], 1);
    if (cache->before != NULL)
        cache->before(cache->context, operation);
    if (operation != cache->operation)
        return false;
    if (cache->holds)
        hold_back(cache);
    return cache->answer != JTG_OK && earlier >= cache->after;
}

/* One call: hand it on unless it is to fail before the store. */
#define HAND_ON(cache, operation, call)                                                            \
    do {                                                                                           \
        bool meddled = meddle((cache), (operation));                                               \
        if (meddled && !(cache)->acts_all_the_same)                                                \
            return (cache)->answer;                                                                \
        jtg_status status = (call);                                                                \
        return meddled ? (cache)->answer : status;                                                 \
    } while (0)

static jtg_status reserve(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          uint64_t ttl_ms, jtg_error *err)
{
    struct gated_cache *cache = as_gated(self);
    cache->last_ttl_ms = ttl_ms;
    HAND_ON(cache, JTG_OP_RESERVE, jtg_cache_reserve(cache->inner, key, owner, ttl_ms, err));
}

static jtg_status reserve_kept(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                               uint64_t ttl_ms, int64_t kept_since_ms, jtg_error *err)
{
    struct gated_cache *cache = as_gated(self);
    cache->last_needed_ms = kept_since_ms;
    jtg_status status = reserve(self, key, owner, ttl_ms, err);
    if (status == JTG_OK && kept_since_ms < cache->kept_since_ms)
        return JTG_ERR_CONTINUITY;
    return status;
}

static jtg_status kept_since(jtg_cache *self, int64_t *kept_since_ms, jtg_error *err)
{
    struct gated_cache *cache = as_gated(self);
    (void)err;
    bool meddled = meddle(cache, JTG_OP_KEPT_SINCE);
    *kept_since_ms = cache->kept_since_ms;
    return meddled ? cache->answer : JTG_OK;
}

static jtg_status release(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          jtg_error *err)
{
    struct gated_cache *cache = as_gated(self);
    HAND_ON(cache, JTG_OP_RELEASE, jtg_cache_release(cache->inner, key, owner, err));
}

static jtg_status put(jtg_cache *self, const jtg_key *key, const void *value, size_t value_len,
                      uint64_t ttl_ms, size_t keep, jtg_error *err)
{
    struct gated_cache *cache = as_gated(self);
    HAND_ON(cache, JTG_OP_PUT,
            jtg_cache_put(cache->inner, key, value, value_len, ttl_ms, keep, err));
}

static jtg_status get(jtg_cache *self, const jtg_key *key, jtg_value *value, jtg_error *err)
{
    struct gated_cache *cache = as_gated(self);
    HAND_ON(cache, JTG_OP_GET, jtg_cache_get(cache->inner, key, value, err));
}

static jtg_status take(jtg_cache *self, const jtg_key *key, jtg_value *value, jtg_error *err)
{
    struct gated_cache *cache = as_gated(self);
    HAND_ON(cache, JTG_OP_TAKE, jtg_cache_take(cache->inner, key, value, err));
}

static jtg_status swap(jtg_cache *self, const jtg_key *key, const void *expected,
                       size_t expected_len, const void *value, size_t value_len, uint64_t ttl_ms,
                       jtg_error *err)
{
    struct gated_cache *cache = as_gated(self);
    cache->last_ttl_ms = ttl_ms;
    HAND_ON(
        cache, JTG_OP_SWAP,
        jtg_cache_swap(cache->inner, key, expected, expected_len, value, value_len, ttl_ms, err));
}

static jtg_status drop(jtg_cache *self, const jtg_key *key, jtg_error *err)
{
    struct gated_cache *cache = as_gated(self);
    HAND_ON(cache, JTG_OP_DROP, jtg_cache_drop(cache->inner, key, err));
}

static jtg_status count(jtg_cache *self, uint64_t *counted, jtg_error *err)
{
    struct gated_cache *cache = as_gated(self);
    HAND_ON(cache, JTG_OP_COUNT_ENTRIES, jtg_cache_count(cache->inner, counted, err));
}

static jtg_status clear(jtg_cache *self, jtg_error *err)
{
    struct gated_cache *cache = as_gated(self);
    HAND_ON(cache, JTG_OP_CLEAR, jtg_cache_clear(cache->inner, err));
}

static jtg_status prune(jtg_cache *self, uint64_t *removed, jtg_error *err)
{
    struct gated_cache *cache = as_gated(self);
    HAND_ON(cache, JTG_OP_PRUNE, jtg_cache_prune(cache->inner, removed, err));
}

static jtg_status ping(jtg_cache *self, jtg_error *err)
{
    struct gated_cache *cache = as_gated(self);
    HAND_ON(cache, JTG_OP_PING, jtg_cache_ping(cache->inner, err));
}

static void destroy(jtg_cache *self)
{
    struct gated_cache *cache = as_gated(self);
    jtg_cache_clear_base(self);
    (void)pthread_cond_destroy(&cache->changed);
    (void)pthread_mutex_destroy(&cache->lock);
    free(cache);
}

#define SLOTS                                                                                      \
    .struct_size = sizeof(jtg_backend), .name = "gated", .reserve = reserve, .release = release,   \
    .count = count, .clear = clear, .ping = ping, .destroy = destroy, .put = put, .get = get,      \
    .take = take, .swap = swap, .drop = drop, .prune = prune
static const jtg_backend plain = {SLOTS};
static const jtg_backend watching = {SLOTS, .reserve_kept = reserve_kept, .kept_since = kept_since};

struct gated_cache *gated_cache_new(jtg_cache *inner, bool watches)
{
    struct gated_cache *cache = calloc(1, sizeof *cache);
    assert_non_null(cache);
    assert_status(jtg_cache_init(&cache->base, watches ? &watching : &plain, NULL), JTG_OK);
    assert_int_equal(pthread_mutex_init(&cache->lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&cache->changed, NULL), 0);
    cache->inner = inner;
    cache->operation = JTG_OPERATION_COUNT;
    return cache;
}

void gated_cache_wait_held(struct gated_cache *cache, unsigned count)
{
    (void)pthread_mutex_lock(&cache->lock);
    while (cache->held < count)
        (void)pthread_cond_wait(&cache->changed, &cache->lock);
    (void)pthread_mutex_unlock(&cache->lock);
}

void gated_cache_let_go(struct gated_cache *cache)
{
    (void)pthread_mutex_lock(&cache->lock);
    cache->open = true;
    (void)pthread_cond_broadcast(&cache->changed);
    (void)pthread_mutex_unlock(&cache->lock);
}
