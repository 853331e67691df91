/* SPDX-License-Identifier: Apache-2.0 */
#include "support/recording_cache.h"

#include "support/asserts.h"

#include <stdlib.h>
#include <string.h>

static struct recording_cache *as_recording(jtg_cache *self)
{
    return (struct recording_cache *)self;
}

static bool is_live(const struct recording_cache *cache, const struct recorded_entry *entry)
{
    return entry->key_len != 0 &&
           atomic_load(&cache->clock->monotonic_ms) < entry->end_ms - cache->forgets_early_ms;
}

static struct recorded_entry *find(struct recording_cache *cache, const jtg_key *key)
{
    for (size_t i = 0; i < RECORDING_ENTRIES; i++) {
        struct recorded_entry *entry = &cache->entries[i];
        if (is_live(cache, entry) && entry->key_len == key->data_len &&
            memcmp(entry->key, key->data, key->data_len) == 0)
            return entry;
    }
    return NULL;
}

static struct recorded_entry *find_free(struct recording_cache *cache)
{
    for (size_t i = 0; i < RECORDING_ENTRIES; i++)
        if (!is_live(cache, &cache->entries[i]))
            return &cache->entries[i];
    return NULL;
}

static void note(struct recording_cache *cache, const jtg_key *key, const jtg_owner *owner,
                 uint64_t ttl_ms)
{
    memcpy(cache->last.key, key->data, key->data_len);
    cache->last.key_len = key->data_len;
    cache->last.owner = *owner;
    cache->last.end_ms = atomic_load(&cache->clock->monotonic_ms) + (int64_t)ttl_ms;
    cache->last_ttl_ms = ttl_ms;
    cache->last_group_len = key->group_len;
    if (key->group_len != 0)
        memcpy(cache->last_group, key->group, key->group_len);
}

static jtg_status look(struct recording_cache *cache, const jtg_key *key, const jtg_owner *owner)
{
    struct recorded_entry *entry = find(cache, key);
    if (entry == NULL) {
        entry = find_free(cache);
        if (entry == NULL)
            return JTG_ERR_FULL;
        *entry = cache->last;
        return JTG_OK;
    }
    if (memcmp(&entry->owner, owner, sizeof *owner) != 0)
        return JTG_REPLAYED;
    if (entry->end_ms < cache->last.end_ms)
        entry->end_ms = cache->last.end_ms;
    return JTG_OK;
}

/* What a backend with this contract does: see jtg_cache_reserve_kept(). */
static jtg_status look_kept(struct recording_cache *cache, const jtg_key *key,
                            const jtg_owner *owner, int64_t kept_since_ms)
{
    if (cache->kept_since_ms > kept_since_ms)
        return JTG_ERR_CONTINUITY;
    return look(cache, key, owner);
}

static jtg_status ask(jtg_cache *self, const jtg_key *key, const jtg_owner *owner, uint64_t ttl_ms,
                      int64_t kept_since_ms)
{
    struct recording_cache *cache = as_recording(self);
    if (cache->before_look != NULL)
        cache->before_look(cache);
    (void)pthread_mutex_lock(&cache->lock);
    cache->reserves++;
    note(cache, key, owner, ttl_ms);
    jtg_status status =
        cache->answer == JTG_OK ? look_kept(cache, key, owner, kept_since_ms) : cache->answer;
    (void)pthread_mutex_unlock(&cache->lock);
    if (cache->after_look != NULL)
        cache->after_look(cache);
    return status;
}

static jtg_status reserve(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          uint64_t ttl_ms, jtg_error *err)
{
    (void)err;
    return ask(self, key, owner, ttl_ms, INT64_MAX);
}

static jtg_status reserve_kept(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                               uint64_t ttl_ms, int64_t kept_since_ms, jtg_error *err)
{
    struct recording_cache *cache = as_recording(self);
    (void)err;
    (void)pthread_mutex_lock(&cache->lock);
    cache->reserves_kept++;
    cache->last_kept_since_ms = kept_since_ms;
    (void)pthread_mutex_unlock(&cache->lock);
    return ask(self, key, owner, ttl_ms, kept_since_ms);
}

static jtg_status release(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          jtg_error *err)
{
    struct recording_cache *cache = as_recording(self);
    jtg_status status = JTG_OK;
    (void)err;
    (void)pthread_mutex_lock(&cache->lock);
    cache->releases++;
    struct recorded_entry *entry = find(cache, key);
    if (cache->answer != JTG_OK)
        status = cache->answer;
    else if (entry == NULL)
        status = JTG_NOT_FOUND;
    else if (memcmp(&entry->owner, owner, sizeof *owner) != 0)
        status = JTG_NOT_OWNER;
    else
        entry->key_len = 0;
    (void)pthread_mutex_unlock(&cache->lock);
    return status;
}

static jtg_status count(jtg_cache *self, uint64_t *counted, jtg_error *err)
{
    struct recording_cache *cache = as_recording(self);
    (void)err;
    (void)pthread_mutex_lock(&cache->lock);
    *counted = 0;
    for (size_t i = 0; i < RECORDING_ENTRIES; i++)
        if (is_live(cache, &cache->entries[i]))
            ++*counted;
    (void)pthread_mutex_unlock(&cache->lock);
    return JTG_OK;
}

void recording_cache_forget(struct recording_cache *cache)
{
    (void)pthread_mutex_lock(&cache->lock);
    memset(cache->entries, 0, sizeof cache->entries);
    if (jtg_cache_watches(&cache->base) != 0)
        cache->kept_since_ms = atomic_load(&cache->clock->wall_ms) + 1;
    (void)pthread_mutex_unlock(&cache->lock);
}

bool recording_cache_holds(struct recording_cache *cache, const void *key, size_t key_len)
{
    jtg_key wanted = {key, key_len, NULL, 0};
    (void)pthread_mutex_lock(&cache->lock);
    bool holds = find(cache, &wanted) != NULL;
    (void)pthread_mutex_unlock(&cache->lock);
    return holds;
}

static jtg_status clear(jtg_cache *self, jtg_error *err)
{
    (void)err;
    recording_cache_forget(as_recording(self));
    return JTG_OK;
}

static jtg_status ping(jtg_cache *self, jtg_error *err)
{
    (void)err;
    return as_recording(self)->answer;
}

static jtg_status kept_since(jtg_cache *self, int64_t *kept_since_ms, jtg_error *err)
{
    (void)err;
    *kept_since_ms = as_recording(self)->kept_since_ms;
    return as_recording(self)->answer;
}

static void destroy(jtg_cache *self)
{
    struct recording_cache *cache = as_recording(self);
    jtg_cache_clear_base(self);
    (void)pthread_mutex_destroy(&cache->lock);
    free(cache);
}

#define SLOTS                                                                                      \
    .struct_size = sizeof(jtg_backend), .name = "recording", .reserve = reserve,                   \
    .release = release, .count = count, .clear = clear, .ping = ping, .destroy = destroy
static const jtg_backend backend = {SLOTS};
static const jtg_backend watching = {SLOTS, .reserve_kept = reserve_kept, .kept_since = kept_since};

static struct recording_cache *make(struct test_clock *clock, const jtg_backend *table)
{
    struct recording_cache *cache = calloc(1, sizeof *cache);
    assert_non_null(cache);
    assert_status(jtg_cache_init(&cache->base, table, NULL), JTG_OK);
    assert_int_equal(pthread_mutex_init(&cache->lock, NULL), 0);
    cache->clock = clock;
    cache->kept_since_ms = INT64_MIN;
    return cache;
}

struct recording_cache *recording_cache_new(struct test_clock *clock)
{
    return make(clock, &backend);
}

struct recording_cache *recording_cache_new_watching(struct test_clock *clock)
{
    return make(clock, &watching);
}
