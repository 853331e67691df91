/* SPDX-License-Identifier: Apache-2.0 */
#include "support/lending_cache.h"

#include "support/asserts.h"

#include <string.h>

static struct lending_cache *of(jtg_cache *cache)
{
    return (struct lending_cache *)cache;
}

static jtg_status reserve(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          uint64_t ttl_ms, jtg_error *err)
{
    (void)key, (void)owner, (void)ttl_ms, (void)err;
    if (of(self)->in_reserve != NULL)
        of(self)->in_reserve(of(self));
    of(self)->store += of(self)->exchange_in_reserve;
    of(self)->exchange_in_reserve = false;
    return JTG_OK;
}

static jtg_status reserve_kept(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                               uint64_t ttl_ms, int64_t kept_since_ms, jtg_error *err)
{
    (void)kept_since_ms;
    return reserve(self, key, owner, ttl_ms, err);
}

static jtg_status kept_since(jtg_cache *self, int64_t *kept_since_ms, jtg_error *err)
{
    (void)self, (void)err;
    *kept_since_ms = INT64_MIN;
    return JTG_OK;
}

static jtg_status release(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          jtg_error *err)
{
    (void)self, (void)key, (void)owner, (void)err;
    return JTG_OK;
}

static jtg_status count(jtg_cache *self, uint64_t *counted, jtg_error *err)
{
    (void)self, (void)err;
    *counted = 0;
    return JTG_OK;
}

static jtg_status whole(jtg_cache *self, jtg_error *err)
{
    (void)self, (void)err;
    return JTG_OK;
}

static void destroy(jtg_cache *self)
{
    jtg_cache_clear_base(self);
}

static jtg_status lend(jtg_cache *self, jtg_borrower borrower, void **memory, jtg_error *err)
{
    (void)err;
    assert_null(*memory);
    assert_false(of(self)->is_held);
    if (of(self)->lend_answer == JTG_OK && !of(self)->lends_nothing)
        *memory = of(self)->elsewhere != NULL && borrower == JTG_BORROWER_GUARD
                      ? of(self)->elsewhere
                      : of(self)->pieces[of(self)->store][borrower];
    return of(self)->lend_answer;
}

static jtg_status lock_lent(jtg_cache *self, void *memory, jtg_error *err)
{
    (void)memory, (void)err;
    assert_false(of(self)->is_held);
    of(self)->is_held = of(self)->lock_answer == JTG_OK;
    of(self)->locks += of(self)->is_held;
    if (of(self)->is_held && of(self)->at_lock != NULL)
        of(self)->at_lock();
    return of(self)->lock_answer;
}

static void unlock_lent(jtg_cache *self, void *memory)
{
    (void)memory;
    assert_true(of(self)->is_held);
    if (of(self)->at_unlock != NULL)
        of(self)->at_unlock();
    of(self)->is_held = false;
}

#define SLOTS                                                                                      \
    .struct_size = sizeof(jtg_backend), .name = "lending", .reserve = reserve, .release = release, \
    .count = count, .clear = whole, .ping = whole, .destroy = destroy, .lend = lend,               \
    .lock_lent = lock_lent, .unlock_lent = unlock_lent

static const jtg_backend plain = {SLOTS};
static const jtg_backend watching = {SLOTS, .reserve_kept = reserve_kept, .kept_since = kept_since};

static void init(struct lending_cache *cache, const jtg_backend *backend)
{
    memset(cache, 0, sizeof *cache);
    assert_status(jtg_cache_init(&cache->base, backend, NULL), JTG_OK);
}

void lending_cache_init(struct lending_cache *cache)
{
    init(cache, &plain);
}

void lending_cache_init_watching(struct lending_cache *cache)
{
    init(cache, &watching);
}
