/* SPDX-License-Identifier: Apache-2.0 */
/* A store of one's own, plugged in from outside: eight reservations in an array.
 *
 * Only public headers are used. It keeps both halves of the contract in backend.h: one lock
 * makes reserve one atomic step, an ended entry is absent, a live one is never evicted. */
#include <jtiguard/backend.h>
#include <jtiguard/jtiguard.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 8 };

struct place {
    unsigned char key[JTG_KEY_MAX_BYTES];
    size_t key_len;
    jtg_owner owner;
    int64_t ends_ms;
};

struct shelf {
    jtg_cache base; /* First, so that a jtg_cache * is a struct shelf *. */
    pthread_mutex_t lock;
    jtg_clock clock;
    struct place places[PLACES];
};

static struct shelf *shelf_of(jtg_cache *self)
{
    return (struct shelf *)self;
}

static int64_t now_ms(const struct shelf *shelf)
{
    return shelf->clock.monotonic_ms(shelf->clock.context);
}

static bool same_owner(const jtg_owner *one, const jtg_owner *other)
{
    return memcmp(one->bytes, other->bytes, sizeof one->bytes) == 0;
}

static struct place *find_locked(struct shelf *shelf, const jtg_key *key)
{
    for (struct place *at = shelf->places; at < shelf->places + PLACES; at++)
        if (at->ends_ms > now_ms(shelf) && at->key_len == key->data_len &&
            memcmp(at->key, key->data, key->data_len) == 0)
            return at;
    return NULL;
}

static struct place *find_free_locked(struct shelf *shelf)
{
    for (struct place *at = shelf->places; at < shelf->places + PLACES; at++)
        if (at->ends_ms <= now_ms(shelf))
            return at;
    return NULL;
}

static jtg_status keep_locked(struct shelf *shelf, struct place *place, uint64_t ttl_ms)
{
    int64_t ends_ms = now_ms(shelf) + (int64_t)ttl_ms;
    if (ends_ms > place->ends_ms)
        place->ends_ms = ends_ms;
    return JTG_OK;
}

static jtg_status reserve_locked(struct shelf *shelf, const jtg_key *key, const jtg_owner *owner,
                                 uint64_t ttl_ms, jtg_error *err)
{
    struct place *place = find_locked(shelf, key);
    if (place != NULL)
        return same_owner(&place->owner, owner) ? keep_locked(shelf, place, ttl_ms) : JTG_REPLAYED;
    place = find_free_locked(shelf);
    if (place == NULL)
        return jtg_error_set(err, JTG_ERR_FULL, 0, "all %d places are taken", PLACES);
    memcpy(place->key, key->data, key->data_len);
    place->key_len = key->data_len;
    place->owner = *owner;
    place->ends_ms = 0;
    return keep_locked(shelf, place, ttl_ms);
}

static jtg_status shelf_reserve(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                                uint64_t ttl_ms, jtg_error *err)
{
    struct shelf *shelf = shelf_of(self);
    pthread_mutex_lock(&shelf->lock);
    jtg_status status = reserve_locked(shelf, key, owner, ttl_ms, err);
    pthread_mutex_unlock(&shelf->lock);
    return status;
}

static jtg_status release_locked(struct shelf *shelf, const jtg_key *key, const jtg_owner *owner)
{
    struct place *place = find_locked(shelf, key);
    if (place == NULL)
        return JTG_NOT_FOUND;
    if (!same_owner(&place->owner, owner))
        return JTG_NOT_OWNER;
    place->ends_ms = 0;
    return JTG_OK;
}

static jtg_status shelf_release(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                                jtg_error *err)
{
    struct shelf *shelf = shelf_of(self);
    (void)err;
    pthread_mutex_lock(&shelf->lock);
    jtg_status status = release_locked(shelf, key, owner);
    pthread_mutex_unlock(&shelf->lock);
    return status;
}

static jtg_status shelf_count(jtg_cache *self, uint64_t *count, jtg_error *err)
{
    struct shelf *shelf = shelf_of(self);
    (void)err;
    *count = 0;
    pthread_mutex_lock(&shelf->lock);
    for (const struct place *at = shelf->places; at < shelf->places + PLACES; at++)
        *count += at->ends_ms > now_ms(shelf);
    pthread_mutex_unlock(&shelf->lock);
    return JTG_OK;
}

static jtg_status shelf_clear(jtg_cache *self, jtg_error *err)
{
    struct shelf *shelf = shelf_of(self);
    (void)err;
    pthread_mutex_lock(&shelf->lock);
    memset(shelf->places, 0, sizeof shelf->places);
    pthread_mutex_unlock(&shelf->lock);
    return JTG_OK;
}

static jtg_status shelf_ping(jtg_cache *self, jtg_error *err)
{
    struct shelf *shelf = shelf_of(self);
    pthread_mutex_lock(&shelf->lock);
    bool room = find_free_locked(shelf) != NULL;
    pthread_mutex_unlock(&shelf->lock);
    return room ? JTG_OK : jtg_error_set(err, JTG_ERR_FULL, 0, "all places are taken");
}

static void shelf_destroy(jtg_cache *self)
{
    struct shelf *shelf = shelf_of(self);
    jtg_cache_clear_base(&shelf->base);
    pthread_mutex_destroy(&shelf->lock);
    free(shelf);
}

/* No values: the token caches get JTG_ERR_UNSUPPORTED. */
static const jtg_backend shelf_backend = {
    .struct_size = sizeof(jtg_backend),
    .name = "shelf",
    .reserve = shelf_reserve,
    .release = shelf_release,
    .count = shelf_count,
    .clear = shelf_clear,
    .ping = shelf_ping,
    .destroy = shelf_destroy,
};

static jtg_status shelf_new(jtg_cache **cache, jtg_error *err)
{
    struct shelf *shelf = calloc(1, sizeof *shelf);
    *cache = NULL;
    if (shelf == NULL)
        return JTG_ERR_MEMORY;
    shelf->clock = jtg_clock_system();
    pthread_mutex_init(&shelf->lock, NULL);
    jtg_status status = jtg_cache_init(&shelf->base, &shelf_backend, err);
    if (status == JTG_OK) {
        *cache = &shelf->base;
        return JTG_OK;
    }
    pthread_mutex_destroy(&shelf->lock);
    free(shelf);
    return status;
}

static jtg_status reserve(jtg_cache *cache, const char *name)
{
    jtg_key key = {name, strlen(name), NULL, 0};
    jtg_owner owner;
    jtg_error err = JTG_ERROR_INIT;
    jtg_owner_generate(&owner);
    jtg_status status = jtg_cache_reserve(cache, &key, &owner, 60000, &err);
    printf("%s: %s%s%s\n", name, jtg_status_name(status), err.text[0] != '\0' ? ", " : "",
           err.text);
    return status;
}

static bool fill(jtg_cache *cache)
{
    static const char *const names[PLACES] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    for (size_t i = 0; i < PLACES; i++)
        if (reserve(cache, names[i]) != JTG_OK)
            return false;
    return true;
}

int main(void)
{
    jtg_cache *cache = NULL;
    if (shelf_new(&cache, NULL) != JTG_OK)
        return 1;
    printf("backend: %s\n", jtg_cache_backend(cache));
    bool good = fill(cache) && reserve(cache, "a") == JTG_REPLAYED &&
                reserve(cache, "one too many") == JTG_ERR_FULL;
    jtg_cache_free(cache);
    return good ? 0 : 1;
}
