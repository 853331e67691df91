/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fake_backend.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A reservation or a value: the key's bytes, then those of the group or of the value. */
struct entry {
    struct entry *next;
    unsigned name_space;
    int64_t end_ms;
    jtg_owner owner;
    size_t key_len;
    size_t rest_len;
    unsigned char bytes[];
};

struct fake_store {
    pthread_mutex_t lock;
    jtg_clock clock;
    struct fake_limits limits;
    struct entry *reservations;
    struct entry *values;  /* newest first */
    struct entry *bitmaps; /* the rest is a byte for each bit */
    int64_t kept_since_ms;
};

struct fake_cache {
    jtg_cache base;
    struct fake_store *store;
    unsigned name_space;
};

/* ---- entries ---- */

static struct entry *entry_new(const struct fake_cache *cache, const jtg_key *key, const void *rest,
                               size_t rest_len, int64_t end_ms)
{
    struct entry *entry = calloc(1, sizeof *entry + key->data_len + rest_len);
    if (entry == NULL)
        return NULL;
    entry->name_space = cache->name_space;
    entry->end_ms = end_ms;
    entry->key_len = key->data_len;
    entry->rest_len = rest_len;
    memcpy(entry->bytes, key->data, key->data_len);
    if (rest_len != 0)
        memcpy(entry->bytes + key->data_len, rest, rest_len);
    return entry;
}

static void unlink_entry(struct entry **link)
{
    struct entry *entry = *link;
    *link = entry->next;
    free(entry);
}

static bool has_key(const struct entry *entry, unsigned name_space, const void *key, size_t len)
{
    return entry->name_space == name_space && entry->key_len == len &&
           memcmp(entry->bytes, key, len) == 0;
}

static bool has_rest(const struct entry *entry, const void *rest, size_t rest_len)
{
    return entry->rest_len == rest_len &&
           (rest_len == 0 || memcmp(entry->bytes + entry->key_len, rest, rest_len) == 0);
}

/* The first entry of a key from here on, as the link that leads to it. */
static struct entry **find(struct entry **link, const struct fake_cache *cache, const jtg_key *key)
{
    while (*link != NULL && !has_key(*link, cache->name_space, key->data, key->data_len))
        link = &(*link)->next;
    return link;
}

static void remove_ended(struct entry **link, int64_t now_ms)
{
    while (*link != NULL)
        if ((*link)->end_ms <= now_ms)
            unlink_entry(link);
        else
            link = &(*link)->next;
}

static void remove_name_space(struct entry **link, unsigned name_space)
{
    while (*link != NULL)
        if ((*link)->name_space == name_space)
            unlink_entry(link);
        else
            link = &(*link)->next;
}

/* Every slot works between these two, on live entries only. */
static int64_t enter(struct fake_store *store)
{
    (void)pthread_mutex_lock(&store->lock);
    int64_t now_ms = store->clock.monotonic_ms(store->clock.context);
    remove_ended(&store->reservations, now_ms);
    remove_ended(&store->values, now_ms);
    remove_ended(&store->bitmaps, now_ms);
    return now_ms;
}

static jtg_status leave(struct fake_store *store, jtg_status status)
{
    (void)pthread_mutex_unlock(&store->lock);
    return status;
}

/* Whatever was made up to now may be forgotten. Two losses are never at the same time. */
static void begin_keeping(struct fake_store *store)
{
    int64_t now_ms = store->clock.wall_ms(store->clock.context);
    if (now_ms > store->kept_since_ms)
        store->kept_since_ms = now_ms;
    store->kept_since_ms++;
}

/* ---- reservations ---- */

static uint64_t length(const struct entry *entry)
{
    uint64_t count = 0;
    for (; entry != NULL; entry = entry->next)
        count++;
    return count;
}

static uint64_t count_group(const struct entry *entry, const void *group, size_t group_len)
{
    uint64_t count = 0;
    for (; entry != NULL; entry = entry->next)
        count += has_rest(entry, group, group_len);
    return count;
}

static jtg_status find_room(const struct fake_store *store, const void *group, size_t group_len,
                            jtg_error *err)
{
    const struct fake_limits *limits = &store->limits;
    if (limits->max_entries != 0 && length(store->reservations) >= limits->max_entries)
        return jtg_error_set(err, JTG_ERR_FULL, 0, "the fake store is full");
    if (limits->max_entries_per_group != 0 && group_len != 0 &&
        count_group(store->reservations, group, group_len) >= limits->max_entries_per_group)
        return jtg_error_set(err, JTG_ERR_GROUP_FULL, 0, "the fake group is full");
    return JTG_OK;
}

static jtg_status add_reservation(const struct fake_cache *cache, const jtg_key *key,
                                  const jtg_owner *owner, int64_t end_ms, jtg_error *err)
{
    struct fake_store *store = cache->store;
    jtg_status status = find_room(store, key->group, key->group_len, err);
    if (status != JTG_OK)
        return status;
    struct entry *entry = entry_new(cache, key, key->group, key->group_len, end_ms);
    if (entry == NULL)
        return JTG_ERR_MEMORY;
    entry->owner = *owner;
    entry->next = store->reservations;
    store->reservations = entry;
    return JTG_OK;
}

static jtg_status reserve(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          uint64_t ttl_ms, jtg_error *err)
{
    struct fake_cache *cache = (struct fake_cache *)self;
    int64_t end_ms = enter(cache->store) + (int64_t)ttl_ms;
    struct entry *held = *find(&cache->store->reservations, cache, key);

    if (held == NULL)
        return leave(cache->store, add_reservation(cache, key, owner, end_ms, err));
    if (memcmp(&held->owner, owner, sizeof *owner) != 0)
        return leave(cache->store, JTG_REPLAYED);
    if (held->end_ms < end_ms)
        held->end_ms = end_ms;
    return leave(cache->store, JTG_OK);
}

static jtg_status release(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          jtg_error *err)
{
    struct fake_cache *cache = (struct fake_cache *)self;
    (void)err;
    (void)enter(cache->store);
    struct entry **held = find(&cache->store->reservations, cache, key);
    if (*held == NULL)
        return leave(cache->store, JTG_NOT_FOUND);
    if (memcmp(&(*held)->owner, owner, sizeof *owner) != 0)
        return leave(cache->store, JTG_NOT_OWNER);
    unlink_entry(held);
    return leave(cache->store, JTG_OK);
}

/* ---- values ---- */

/* Forget what a key holds beyond its newest `keep` values. Returns how many. */
static uint64_t trim(struct fake_cache *cache, const jtg_key *key, size_t keep)
{
    struct entry **link = find(&cache->store->values, cache, key);
    uint64_t removed = 0;
    for (size_t i = 0; *link != NULL && i < keep; i++)
        link = find(&(*link)->next, cache, key);
    for (; *link != NULL; link = find(link, cache, key), removed++)
        unlink_entry(link);
    return removed;
}

static uint64_t count_beyond(struct fake_cache *cache, const jtg_key *key, size_t keep)
{
    struct entry **link = find(&cache->store->values, cache, key);
    uint64_t count = 0;
    for (; *link != NULL; link = find(&(*link)->next, cache, key))
        count++;
    return count > keep ? count - keep : 0;
}

/* Push a value, where `leaving` older ones are about to make room. */
static jtg_status push(struct fake_store *store, struct entry *entry, uint64_t leaving,
                       jtg_error *err)
{
    if (entry == NULL)
        return JTG_ERR_MEMORY;
    if (store->limits.max_values != 0 &&
        length(store->values) - leaving >= store->limits.max_values) {
        free(entry);
        return jtg_error_set(err, JTG_ERR_FULL, 0, "the fake store is full of values");
    }
    entry->next = store->values;
    store->values = entry;
    return JTG_OK;
}

static jtg_status put(jtg_cache *self, const jtg_key *key, const void *value, size_t value_len,
                      uint64_t ttl_ms, size_t keep, jtg_error *err)
{
    struct fake_cache *cache = (struct fake_cache *)self;
    int64_t end_ms = enter(cache->store) + (int64_t)ttl_ms;
    struct entry *entry = entry_new(cache, key, value, value_len, end_ms);
    jtg_status status = push(cache->store, entry, count_beyond(cache, key, keep - 1), err);
    if (status == JTG_OK)
        (void)trim(cache, key, keep);
    return leave(cache->store, status);
}

static jtg_status copy_newest(struct fake_cache *cache, const jtg_key *key, jtg_value *value,
                              bool remove)
{
    int64_t now_ms = enter(cache->store);
    struct entry **newest = find(&cache->store->values, cache, key);
    if (*newest == NULL)
        return leave(cache->store, JTG_NOT_FOUND);
    jtg_status status = jtg_value_set(value, (*newest)->bytes + (*newest)->key_len,
                                      (*newest)->rest_len, (uint64_t)((*newest)->end_ms - now_ms));
    if (status == JTG_OK && remove)
        unlink_entry(newest);
    return leave(cache->store, status);
}

static jtg_status get(jtg_cache *self, const jtg_key *key, jtg_value *value, jtg_error *err)
{
    (void)err;
    return copy_newest((struct fake_cache *)self, key, value, false);
}

static jtg_status take(jtg_cache *self, const jtg_key *key, jtg_value *value, jtg_error *err)
{
    (void)err;
    return copy_newest((struct fake_cache *)self, key, value, true);
}

static jtg_status swap(jtg_cache *self, const jtg_key *key, const void *expected,
                       size_t expected_len, const void *value, size_t value_len, uint64_t ttl_ms,
                       jtg_error *err)
{
    struct fake_cache *cache = (struct fake_cache *)self;
    int64_t end_ms = enter(cache->store) + (int64_t)ttl_ms;
    const struct entry *newest = *find(&cache->store->values, cache, key);
    bool as_expected = newest == NULL
                           ? expected == NULL
                           : expected != NULL && has_rest(newest, expected, expected_len);
    if (!as_expected)
        return leave(cache->store, JTG_MISMATCH);

    jtg_status status = JTG_OK;
    size_t keep = 0;
    if (value != NULL) {
        struct entry *entry = entry_new(cache, key, value, value_len, end_ms);
        status = push(cache->store, entry, count_beyond(cache, key, 0), err);
        keep = 1;
    }
    if (status == JTG_OK)
        (void)trim(cache, key, keep);
    return leave(cache->store, status);
}

static jtg_status drop(jtg_cache *self, const jtg_key *key, jtg_error *err)
{
    struct fake_cache *cache = (struct fake_cache *)self;
    (void)err;
    (void)enter(cache->store);
    return leave(cache->store, trim(cache, key, 0) != 0 ? JTG_OK : JTG_NOT_FOUND);
}

/* ---- bitmaps ---- */

static bool has_kept(const struct fake_store *store, int64_t since_ms)
{
    return since_ms == JTG_KEPT_ANY || store->kept_since_ms <= since_ms;
}

static jtg_status bitmap_put(jtg_cache *self, const jtg_key *key, uint32_t bits, uint64_t ttl_ms,
                             int64_t kept_since_ms, jtg_error *err)
{
    struct fake_cache *cache = (struct fake_cache *)self;
    struct fake_store *store = cache->store;
    int64_t end_ms = enter(store) + (int64_t)ttl_ms;
    if (!has_kept(store, kept_since_ms))
        return leave(store, JTG_ERR_CONTINUITY);
    if (*find(&store->bitmaps, cache, key) != NULL)
        return leave(store, JTG_REPLAYED);
    if (store->limits.max_values != 0 && length(store->bitmaps) >= store->limits.max_values)
        return leave(store, jtg_error_set(err, JTG_ERR_FULL, 0, "the fake store is full"));
    unsigned char *none = calloc(bits, 1);
    struct entry *entry = none != NULL ? entry_new(cache, key, none, bits, end_ms) : NULL;
    free(none);
    if (entry == NULL)
        return leave(store, jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the bitmap"));
    entry->next = store->bitmaps;
    store->bitmaps = entry;
    return leave(store, JTG_OK);
}

static jtg_status take_bit(struct fake_cache *cache, const jtg_bitmap_call *call)
{
    struct entry *entry = *find(&cache->store->bitmaps, cache, &call->key);
    if (entry == NULL || call->bit >= entry->rest_len)
        return JTG_NOT_FOUND;
    unsigned char *taken = &entry->bytes[entry->key_len + call->bit];
    if (*taken != 0)
        return JTG_REPLAYED;
    if (!has_kept(cache->store, call->kept_since_ms))
        return JTG_ERR_CONTINUITY;
    *taken = 1;
    return JTG_OK;
}

static void bitmap_take_many(jtg_cache *self, jtg_bitmap_call *const *calls, size_t count)
{
    struct fake_cache *cache = (struct fake_cache *)self;
    (void)enter(cache->store);
    for (size_t i = 0; i < count; i++)
        calls[i]->status = take_bit(cache, calls[i]);
    (void)leave(cache->store, JTG_OK);
}

/* ---- the whole cache ---- */

/* Is no newer value under the same key? */
static bool is_newest(const struct entry *entry, const struct entry *newer)
{
    while (newer != entry && !has_key(newer, entry->name_space, entry->bytes, entry->key_len))
        newer = newer->next;
    return newer == entry;
}

static jtg_status count(jtg_cache *self, uint64_t *counted, jtg_error *err)
{
    const struct fake_cache *cache = (struct fake_cache *)self;
    (void)err;
    (void)enter(cache->store);
    for (const struct entry *at = cache->store->reservations; at != NULL; at = at->next)
        *counted += at->name_space == cache->name_space;
    for (const struct entry *at = cache->store->values; at != NULL; at = at->next)
        *counted += at->name_space == cache->name_space && is_newest(at, cache->store->values);
    for (const struct entry *at = cache->store->bitmaps; at != NULL; at = at->next)
        *counted += at->name_space == cache->name_space;
    return leave(cache->store, JTG_OK);
}

static jtg_status clear(jtg_cache *self, jtg_error *err)
{
    const struct fake_cache *cache = (struct fake_cache *)self;
    (void)err;
    (void)enter(cache->store);
    remove_name_space(&cache->store->reservations, cache->name_space);
    remove_name_space(&cache->store->values, cache->name_space);
    remove_name_space(&cache->store->bitmaps, cache->name_space);
    begin_keeping(cache->store);
    return leave(cache->store, JTG_OK);
}

/* ---- continuity ---- */

static jtg_status reserve_kept(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                               uint64_t ttl_ms, int64_t kept_since_ms, jtg_error *err)
{
    struct fake_store *store = ((struct fake_cache *)self)->store;
    (void)enter(store);
    bool kept = store->kept_since_ms <= kept_since_ms;
    (void)leave(store, JTG_OK);
    if (!kept)
        return jtg_error_set(err, JTG_ERR_CONTINUITY, 0, "the fake store has forgotten");
    return reserve(self, key, owner, ttl_ms, err);
}

static jtg_status kept_since(jtg_cache *self, int64_t *kept_since_ms, jtg_error *err)
{
    struct fake_store *store = ((struct fake_cache *)self)->store;
    (void)err;
    (void)enter(store);
    *kept_since_ms = store->kept_since_ms;
    return leave(store, JTG_OK);
}

void fake_store_forget(struct fake_store *store)
{
    (void)enter(store);
    while (store->reservations != NULL)
        unlink_entry(&store->reservations);
    while (store->values != NULL)
        unlink_entry(&store->values);
    while (store->bitmaps != NULL)
        unlink_entry(&store->bitmaps);
    begin_keeping(store);
    (void)leave(store, JTG_OK);
}

void fake_store_rewind(struct fake_store *store)
{
    (void)enter(store);
    for (struct entry *at = store->bitmaps; at != NULL; at = at->next)
        memset(at->bytes + at->key_len, 0, at->rest_len);
    begin_keeping(store);
    (void)leave(store, JTG_OK);
}

static jtg_status ping(jtg_cache *self, jtg_error *err)
{
    const struct fake_cache *cache = (struct fake_cache *)self;
    (void)enter(cache->store);
    return leave(cache->store, find_room(cache->store, NULL, 0, err));
}

static void destroy(jtg_cache *self)
{
    jtg_cache_clear_base(self);
    free(self);
}

/* ---- life ---- */

static const jtg_backend fake_backend = {
    .struct_size = sizeof(jtg_backend),
    .name = "fake",
    .reserve = reserve,
    .release = release,
    .count = count,
    .clear = clear,
    .ping = ping,
    .destroy = destroy,
    .put = put,
    .get = get,
    .take = take,
    .swap = swap,
    .drop = drop,
    .reserve_kept = reserve_kept,
    .kept_since = kept_since,
    .bitmap_put = bitmap_put,
    .bitmap_take_many = bitmap_take_many,
};

jtg_status fake_cache_new(jtg_cache **cache, struct fake_store *store, unsigned name_space,
                          jtg_error *err)
{
    *cache = NULL;
    struct fake_cache *made = calloc(1, sizeof *made);
    if (made == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the cache");
    jtg_status status = jtg_cache_init(&made->base, &fake_backend, err);
    if (status != JTG_OK) {
        free(made);
        return status;
    }
    made->store = store;
    made->name_space = name_space;
    *cache = &made->base;
    return JTG_OK;
}

struct fake_store *fake_store_new(const jtg_clock *clock, const struct fake_limits *limits)
{
    struct fake_store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return NULL;
    (void)pthread_mutex_init(&store->lock, NULL);
    store->clock = *clock;
    store->limits = *limits;
    begin_keeping(store);
    return store;
}

void fake_store_free(struct fake_store *store)
{
    remove_ended(&store->reservations, INT64_MAX);
    remove_ended(&store->values, INT64_MAX);
    remove_ended(&store->bitmaps, INT64_MAX);
    (void)pthread_mutex_destroy(&store->lock);
    free(store);
}
