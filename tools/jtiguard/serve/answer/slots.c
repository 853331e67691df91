/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/slots.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 4, LOCKS = 64 };

struct slot {
    struct slot_key key; /* both words 0: free */
    int64_t number;
};

struct bucket {
    struct slot ways[WAYS];
};

struct slots {
    unsigned char secret[crypto_shorthash_siphashx24_KEYBYTES];
    uint64_t mask; /* buckets - 1 */
    struct bucket *buckets;
    pthread_mutex_t locks[LOCKS]; /* bucket i is under lock i mod LOCKS */
};

static uint64_t round_up(uint64_t entries)
{
    uint64_t buckets = 1;
    while (buckets * WAYS < entries)
        buckets *= 2;
    return buckets;
}

struct slots *slots_new(uint64_t entries)
{
    struct slots *slots = calloc(1, sizeof *slots);
    if (slots == NULL)
        return NULL;
    uint64_t buckets = round_up(entries);
    slots->mask = buckets - 1;
    slots->buckets = calloc((size_t)buckets, sizeof *slots->buckets);
    if (slots->buckets == NULL) {
        free(slots);
        return NULL;
    }
    randombytes_buf(slots->secret, sizeof slots->secret);
    for (int i = 0; i < LOCKS; i++)
        (void)pthread_mutex_init(&slots->locks[i], NULL);
    return slots;
}

void slots_free(struct slots *slots)
{
    if (slots == NULL)
        return;
    for (int i = 0; i < LOCKS; i++)
        (void)pthread_mutex_destroy(&slots->locks[i]);
    free(slots->buckets);
    sodium_memzero(slots->secret, sizeof slots->secret);
    free(slots);
}

struct slot_key slots_key(const struct slots *slots, const void *data, size_t data_len)
{
    unsigned char hash[crypto_shorthash_siphashx24_BYTES];
    struct slot_key key;
    _Static_assert(sizeof hash == sizeof key, "a fingerprint is two words");
    (void)crypto_shorthash_siphashx24(hash, data, data_len, slots->secret);
    memcpy(&key, hash, sizeof key);
    key.words[0] |= 1; /* never that of a free slot */
    return key;
}

struct slot_key slots_key_pair(const struct slots *slots, struct slot_key first,
                               struct slot_key second)
{
    struct slot_key both[2] = {first, second};
    return slots_key(slots, both, sizeof both);
}

static bool same_key(struct slot_key a, struct slot_key b)
{
    return a.words[0] == b.words[0] && a.words[1] == b.words[1];
}

static bool is_free(const struct slot *slot)
{
    return slot->key.words[0] == 0;
}

static uint64_t index_of(const struct slots *slots, struct slot_key key)
{
    return key.words[1] & slots->mask;
}

static pthread_mutex_t *lock_of(struct slots *slots, struct slot_key key)
{
    return &slots->locks[index_of(slots, key) % LOCKS];
}

/* The functions named _locked run under the bucket's lock. */
static struct slot *find_locked(struct slots *slots, struct slot_key key)
{
    struct bucket *bucket = &slots->buckets[index_of(slots, key)];
    for (int i = 0; i < WAYS; i++)
        if (same_key(bucket->ways[i].key, key))
            return &bucket->ways[i];
    return NULL;
}

static struct slot *make_room_locked(struct slots *slots, struct slot_key key)
{
    struct bucket *bucket = &slots->buckets[index_of(slots, key)];
    struct slot *lowest = &bucket->ways[0];
    for (int i = 0; i < WAYS; i++) {
        struct slot *slot = &bucket->ways[i];
        if (is_free(slot))
            return slot;
        if (slot->number < lowest->number)
            lowest = slot;
    }
    return lowest;
}

static void put_locked(struct slots *slots, struct slot_key key, int64_t number)
{
    struct slot *slot = find_locked(slots, key);
    if (slot == NULL)
        slot = make_room_locked(slots, key);
    *slot = (struct slot){key, number};
}

bool slots_get(struct slots *slots, struct slot_key key, int64_t *number)
{
    pthread_mutex_t *lock = lock_of(slots, key);
    (void)pthread_mutex_lock(lock);
    const struct slot *slot = find_locked(slots, key);
    if (slot != NULL)
        *number = slot->number;
    (void)pthread_mutex_unlock(lock);
    return slot != NULL;
}

int64_t slots_raise(struct slots *slots, struct slot_key key, int64_t floor, int64_t step)
{
    pthread_mutex_t *lock = lock_of(slots, key);
    (void)pthread_mutex_lock(lock);
    const struct slot *slot = find_locked(slots, key);
    int64_t number = (slot != NULL && slot->number > floor ? slot->number : floor) + step;
    put_locked(slots, key, number);
    (void)pthread_mutex_unlock(lock);
    return number;
}

void slots_put(struct slots *slots, struct slot_key key, int64_t number)
{
    pthread_mutex_t *lock = lock_of(slots, key);
    (void)pthread_mutex_lock(lock);
    put_locked(slots, key, number);
    (void)pthread_mutex_unlock(lock);
}

void slots_clear(struct slots *slots)
{
    if (slots == NULL)
        return;
    for (uint64_t i = 0; i <= slots->mask; i++) {
        pthread_mutex_t *lock = &slots->locks[i % LOCKS];
        (void)pthread_mutex_lock(lock);
        slots->buckets[i] = (struct bucket){0};
        (void)pthread_mutex_unlock(lock);
    }
}
