/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/challenges/challenge_keys.h"

#include "core/alloc.h"
#include "core/brief_lock.h"
#include "core/error.h"

#include <jtiguard/status.h>
#include <sodium.h>
#include <string.h>

enum {
    FORMAT = 1,
    STORED_BYTES = 1 + JTG_CHALLENGE_SECRET_BYTES,
    LOOK_EVERY_MS = 100,
    ROUNDS_MAX = 4 /* of reading and writing: each that is lost is another instance that wrote */
};

/* A key is stored for as long as may be, and for as long again when half of that is over. */
#define KEPT_MS JTG_TTL_MAX_MS

/* ---- those that are known ---- */

static bool is_known_locked(const struct jtgi_challenge_keys *keys, const unsigned char *id,
                            struct jtgi_challenge_key *key)
{
    for (size_t i = 0; i < keys->count; i++)
        if (memcmp(keys->known[i].id, id, sizeof keys->known[i].id) == 0) {
            *key = keys->known[i];
            return true;
        }
    return false;
}

/* It comes first; the oldest is forgotten for it. */
static void add_locked(struct jtgi_challenge_keys *keys, const struct jtgi_challenge_key *key)
{
    size_t at = 0;
    while (at < keys->count &&
           sodium_memcmp(keys->known[at].bytes, key->bytes, sizeof key->bytes) != 0)
        at++;
    if (at == keys->count && keys->count < JTGI_CHALLENGE_KEYS_MAX)
        keys->count++;
    else if (at == keys->count)
        at--;
    for (; at > 0; at--)
        keys->known[at] = keys->known[at - 1];
    keys->known[0] = *key;
}

static void add(struct jtgi_challenge_keys *keys, const void *bytes)
{
    struct jtgi_challenge_key key;
    jtgi_challenge_key_set(&key, bytes);
    (void)pthread_mutex_lock(&keys->lock);
    add_locked(keys, &key);
    (void)pthread_mutex_unlock(&keys->lock);
    sodium_memzero(&key, sizeof key);
}

void jtgi_challenge_keys_newest(struct jtgi_challenge_keys *keys, struct jtgi_challenge_key *key)
{
    (void)pthread_mutex_lock(&keys->lock);
    *key = keys->known[0];
    (void)pthread_mutex_unlock(&keys->lock);
}

/* ---- life ---- */

static void name_place(struct jtgi_challenge_keys *keys, const char *name)
{
    static const char start[] = "jtg:ch1:key:";
    size_t start_len = sizeof start - 1;
    size_t name_len = strlen(name);
    _Static_assert(sizeof start + JTG_CHALLENGE_NAME_MAX_BYTES <= JTGI_CHALLENGE_KEY_PLACE_BYTES,
                   "room");
    memcpy(keys->place_bytes, start, start_len);
    memcpy(keys->place_bytes + start_len, name, name_len);
    keys->place = (jtg_key){keys->place_bytes, start_len + name_len, NULL, 0};
}

jtg_status jtgi_challenge_keys_init(struct jtgi_challenge_keys *keys, jtg_cache *cache,
                                    const char *name, const void *secret, jtg_error *err)
{
    memset(keys, 0, sizeof *keys);
    keys->known = jtgi_secret_alloc(JTGI_CHALLENGE_KEYS_MAX * sizeof *keys->known);
    if (keys->known == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the keys");
    jtgi_brief_lock_init(&keys->lock);
    keys->cache = cache;
    keys->looked_ms = INT64_MIN;
    name_place(keys, name);
    keys->given = secret != NULL;
    if (secret != NULL)
        add(keys, secret);
    return JTG_OK;
}

void jtgi_challenge_keys_clear(struct jtgi_challenge_keys *keys)
{
    if (keys->known == NULL)
        return;
    (void)pthread_mutex_destroy(&keys->lock);
    jtgi_secret_free(keys->known);
    keys->known = NULL;
}

/* ---- the store ---- */

/* JTG_OK and *left_ms: the store's key is the newest now. */
static jtg_status load(struct jtgi_challenge_keys *keys, uint64_t *left_ms, jtg_error *err)
{
    jtg_value value = JTG_VALUE_INIT;
    jtgi_error_begin(err);
    jtg_status status = jtg_cache_get(keys->cache, &keys->place, &value, err);
    if (status == JTG_OK && (value.data_len != STORED_BYTES || value.data[0] != FORMAT))
        status = jtg_error_set(err, JTG_ERR_PROTOCOL, 0, "what is stored is no key of challenges");
    if (status == JTG_OK)
        add(keys, value.data + 1);
    *left_ms = value.ttl_ms;
    jtg_value_clear(&value);
    return status;
}

/* The newest that is known, or one that is drawn now and not known before it is stored. */
static void choose(struct jtgi_challenge_keys *keys, unsigned char stored[STORED_BYTES])
{
    stored[0] = FORMAT;
    (void)pthread_mutex_lock(&keys->lock);
    if (keys->count > 0)
        memcpy(stored + 1, keys->known[0].bytes, JTG_CHALLENGE_SECRET_BYTES);
    else
        randombytes_buf(stored + 1, JTG_CHALLENGE_SECRET_BYTES);
    (void)pthread_mutex_unlock(&keys->lock);
}

/* there: it lies there, and is to live longer. JTG_MISMATCH: another has changed it meanwhile. */
static jtg_status store(struct jtgi_challenge_keys *keys, bool there, jtg_error *err)
{
    unsigned char stored[STORED_BYTES];
    choose(keys, stored);
    jtgi_error_begin(err);
    jtg_status status =
        jtg_cache_swap(keys->cache, &keys->place, there ? stored : NULL, there ? sizeof stored : 0,
                       stored, sizeof stored, KEPT_MS, err);
    if (status == JTG_OK)
        add(keys, stored + 1);
    sodium_memzero(stored, sizeof stored);
    return status;
}

jtg_status jtgi_challenge_keys_sync(struct jtgi_challenge_keys *keys, jtg_error *err)
{
    jtg_status status = JTG_OK;
    if (keys->given)
        return JTG_OK;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        uint64_t left_ms = 0;
        status = load(keys, &left_ms, err);
        if (status != JTG_NOT_FOUND && (status != JTG_OK || left_ms > KEPT_MS / 2))
            return status;
        status = store(keys, status == JTG_OK, err);
        if (status == JTG_OK || (status != JTG_MISMATCH && status != JTG_ERR_TIMEOUT))
            return status;
    }
    return status;
}

static bool may_look(struct jtgi_challenge_keys *keys, int64_t now_ms)
{
    (void)pthread_mutex_lock(&keys->lock);
    bool may =
        !keys->given && (keys->looked_ms == INT64_MIN || now_ms - keys->looked_ms >= LOOK_EVERY_MS);
    if (may)
        keys->looked_ms = now_ms;
    (void)pthread_mutex_unlock(&keys->lock);
    return may;
}

/* It said nothing: the next one may look at once, and is not told that the key is none. */
static void forget_look(struct jtgi_challenge_keys *keys)
{
    (void)pthread_mutex_lock(&keys->lock);
    keys->looked_ms = INT64_MIN;
    (void)pthread_mutex_unlock(&keys->lock);
}

static bool is_known(struct jtgi_challenge_keys *keys, const unsigned char *id,
                     struct jtgi_challenge_key *key)
{
    (void)pthread_mutex_lock(&keys->lock);
    bool known = is_known_locked(keys, id, key);
    (void)pthread_mutex_unlock(&keys->lock);
    return known;
}

jtg_status jtgi_challenge_keys_find(struct jtgi_challenge_keys *keys,
                                    const unsigned char id[JTGI_CHALLENGE_KEY_ID_BYTES],
                                    int64_t now_ms, struct jtgi_challenge_key *key, jtg_error *err)
{
    uint64_t left_ms = 0;
    if (is_known(keys, id, key))
        return JTG_OK;
    if (!may_look(keys, now_ms))
        return JTG_MISMATCH;
    jtg_status status = load(keys, &left_ms, err);
    if (status != JTG_OK && status != JTG_NOT_FOUND) {
        forget_look(keys);
        return status;
    }
    jtgi_error_begin(err);
    return is_known(keys, id, key) ? JTG_OK : JTG_MISMATCH;
}
