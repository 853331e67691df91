/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/values.h"

#include "core/alloc.h"
#include "table/slot.h"
#include "table/table.h"

#include <jtiguard/backend.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

enum {
    PARTS = 16,          /* a power of two */
    SWEEP_BUCKETS = 256, /* buckets of one sweep step; a bucket holds one key on average at most */
    RECLAIM_STEPS = 64   /* sweep steps that one call makes when the store is full */
};

struct item {
    struct item *older;
    uint64_t ttl_ms;
    uint64_t end; /* set when it is pushed */
    size_t data_len;
    unsigned char data[];
};

struct entry {
    struct entry *next;
    struct item *newest;
    size_t key_len;
    unsigned char key[];
};

struct part {
    pthread_mutex_t lock;
    struct entry **buckets;  /* NULL until the first put */
    uint64_t latest;         /* latest time that a call has brought: see partition.c */
    uint64_t earliest;       /* nothing ends before this */
    size_t sweep_at;         /* the pass under way goes on from this bucket; 0 = none */
    uint64_t sweep_earliest; /* the earliest end that the pass has seen */
    uint64_t sweep_pass;
    uint64_t keys;
    uint64_t swept;
};

/* How much there is of something, and how much there may be. */
struct budget {
    _Atomic uint64_t used;
    uint64_t limit;
};

struct jtgi_values {
    size_t bucket_count; /* of one part; a power of two */
    struct budget count;
    struct budget bytes;
    unsigned char hash_key[crypto_shorthash_siphash24_KEYBYTES];
    struct part parts[PARTS];
};

/* ---- budgets ---- */

static bool spend(struct budget *budget, uint64_t amount)
{
    uint64_t used = atomic_load(&budget->used);
    do {
        if (used > budget->limit || amount > budget->limit - used)
            return false;
    } while (!atomic_compare_exchange_weak(&budget->used, &used, used + amount));
    return true;
}

static void give_back(struct budget *budget, uint64_t amount)
{
    atomic_fetch_sub(&budget->used, amount);
}

/* ---- life ---- */

struct jtgi_values *jtgi_values_new(uint64_t max_values, uint64_t max_value_bytes)
{
    struct jtgi_values *values = jtgi_alloc(sizeof *values);
    if (values == NULL)
        return NULL;
    values->bucket_count = 1;
    while (values->bucket_count * PARTS < max_values)
        values->bucket_count *= 2;
    values->count.limit = max_values;
    values->bytes.limit = max_value_bytes;
    randombytes_buf(values->hash_key, sizeof values->hash_key);
    for (size_t i = 0; i < PARTS; i++) {
        (void)pthread_mutex_init(&values->parts[i].lock, NULL);
        values->parts[i].earliest = UINT64_MAX;
    }
    return values;
}

static void free_item(struct item *item)
{
    jtgi_free_wiped(item, sizeof *item + item->data_len);
}

/* Free a list of items, and give back what they had spent. */
static void free_items(struct jtgi_values *values, struct item *item)
{
    while (item != NULL) {
        struct item *older = item->older;
        give_back(&values->count, 1);
        give_back(&values->bytes, item->data_len);
        free_item(item);
        item = older;
    }
}

static void unlink_entry(struct jtgi_values *values, struct part *part, struct entry **link)
{
    struct entry *entry = *link;
    *link = entry->next;
    part->keys--;
    give_back(&values->bytes, entry->key_len);
    jtgi_free_wiped(entry, sizeof *entry + entry->key_len);
}

static void empty_bucket(struct jtgi_values *values, struct part *part, struct entry **link)
{
    while (*link != NULL) {
        free_items(values, (*link)->newest);
        unlink_entry(values, part, link);
    }
}

/* In a child the lists may be half changed, by a thread that does not exist here: they are left to
 * the end of the process. */
void jtgi_values_free(struct jtgi_values *values, bool in_child)
{
    if (values == NULL || in_child)
        return;
    for (size_t i = 0; i < PARTS; i++) {
        struct part *part = &values->parts[i];
        for (size_t b = 0; part->buckets != NULL && b < values->bucket_count; b++)
            empty_bucket(values, part, &part->buckets[b]);
        jtgi_free(part->buckets);
        (void)pthread_mutex_destroy(&part->lock);
    }
    jtgi_free_wiped(values, sizeof *values);
}

/* ---- a visit under the lock ---- */

/* Returns the time of the visit: now, or what another call has brought already if that is later. */
static uint64_t enter(struct part *part, uint64_t now)
{
    (void)pthread_mutex_lock(&part->lock);
    if (now > part->latest)
        part->latest = now;
    return part->latest;
}

static void leave(struct part *part)
{
    (void)pthread_mutex_unlock(&part->lock);
}

static void note_end(struct part *part, uint64_t end)
{
    if (end < part->earliest)
        part->earliest = end;
    if (end < part->sweep_earliest)
        part->sweep_earliest = end;
}

/* ---- finding ---- */

struct place {
    struct part *part;
    size_t bucket;
};

static struct place place_of(struct jtgi_values *values, const jtg_key *key)
{
    uint64_t hash = 0;
    (void)crypto_shorthash_siphash24((unsigned char *)&hash, key->data, key->data_len,
                                     values->hash_key);
    struct place place = {&values->parts[hash % PARTS],
                          (size_t)(hash / PARTS) & (values->bucket_count - 1)};
    return place;
}

/* The link that points to the key's entry, or to NULL where one would be added. NULL without
 * buckets. */
static struct entry **find_locked(const struct place *place, const jtg_key *key)
{
    if (place->part->buckets == NULL)
        return NULL;
    struct entry **link = &place->part->buckets[place->bucket];
    while (*link != NULL && ((*link)->key_len != key->data_len ||
                             memcmp((*link)->key, key->data, key->data_len) != 0))
        link = &(*link)->next;
    return link;
}

/* Remove the items of a list that have ended. Each value has a life of its own, so they may stand
 * anywhere in it. */
static void purge_locked(struct jtgi_values *values, struct part *part, struct entry *entry,
                         uint64_t now)
{
    struct item **link = &entry->newest;
    while (*link != NULL) {
        struct item *item = *link;
        if (item->end > now) {
            link = &item->older;
            continue;
        }
        *link = item->older;
        item->older = NULL;
        free_items(values, item);
        part->swept++;
    }
}

/* As find, with what has ended removed: what it finds is live. NULL where nothing is. */
static struct entry **find_live_locked(struct jtgi_values *values, const struct place *place,
                                       const jtg_key *key, uint64_t now)
{
    struct entry **link = find_locked(place, key);
    if (link == NULL || *link == NULL)
        return NULL;
    purge_locked(values, place->part, *link, now);
    if ((*link)->newest != NULL)
        return link;
    unlink_entry(values, place->part, link);
    return NULL;
}

/* ---- put ---- */

static struct item *make_item(const void *data, size_t data_len, uint64_t ttl_ms)
{
    struct item *item = jtgi_alloc(sizeof *item + data_len);
    if (item == NULL)
        return NULL;
    item->ttl_ms = ttl_ms;
    item->data_len = data_len;
    memcpy(item->data, data, data_len);
    return item;
}

static bool make_buckets_locked(struct jtgi_values *values, struct part *part)
{
    if (part->buckets == NULL)
        part->buckets = jtgi_alloc(values->bucket_count * sizeof part->buckets[0]);
    return part->buckets != NULL;
}

/* Add an entry without values for a key that has none. */
static jtg_status add_entry_locked(struct jtgi_values *values, const struct place *place,
                                   const jtg_key *key, struct entry **added)
{
    if (!make_buckets_locked(values, place->part))
        return JTG_ERR_MEMORY;
    if (!spend(&values->bytes, key->data_len))
        return JTG_ERR_FULL;
    struct entry *entry = jtgi_alloc(sizeof *entry + key->data_len);
    if (entry == NULL) {
        give_back(&values->bytes, key->data_len);
        return JTG_ERR_MEMORY;
    }
    entry->key_len = key->data_len;
    memcpy(entry->key, key->data, key->data_len);
    entry->next = place->part->buckets[place->bucket];
    place->part->buckets[place->bucket] = entry;
    place->part->keys++;
    *added = entry;
    return JTG_OK;
}

/* The link behind the newest `keep` items. */
static struct item **link_after(struct item **link, size_t keep)
{
    while (keep > 0 && *link != NULL) {
        link = &(*link)->older;
        keep--;
    }
    return link;
}

/* Spend the difference between two amounts, or give it back. */
static bool exchange(struct budget *budget, uint64_t added, uint64_t removed)
{
    if (added > removed)
        return spend(budget, added - removed);
    give_back(budget, removed - added);
    return true;
}

/* Account for an item that pushes others out. What is given back is given back last: nothing can
 * fail after it, so nobody else can have taken what a failure would have to take again. */
static bool account_for(struct jtgi_values *values, const struct item *item,
                        const struct item *pushed_out)
{
    uint64_t count = 0;
    uint64_t bytes = 0;
    for (; pushed_out != NULL; pushed_out = pushed_out->older) {
        count++;
        bytes += pushed_out->data_len;
    }
    if (item->data_len > bytes && !spend(&values->bytes, item->data_len - bytes))
        return false;
    if (!exchange(&values->count, 1, count)) {
        if (item->data_len > bytes)
            give_back(&values->bytes, item->data_len - bytes);
        return false;
    }
    if (item->data_len < bytes)
        give_back(&values->bytes, bytes - item->data_len);
    return true;
}

/* Push the item on the list, keeping the newest `keep`. */
static jtg_status push_locked(struct jtgi_values *values, struct part *part, struct entry *entry,
                              struct item *item, size_t keep, uint64_t now)
{
    struct item **rest = link_after(&entry->newest, keep - 1);
    struct item *pushed_out = *rest;
    if (!account_for(values, item, pushed_out))
        return JTG_ERR_FULL;
    *rest = NULL;
    while (pushed_out != NULL) {
        struct item *older = pushed_out->older;
        free_item(pushed_out);
        pushed_out = older;
    }
    item->end = now + item->ttl_ms;
    note_end(part, item->end);
    item->older = entry->newest;
    entry->newest = item;
    return JTG_OK;
}

static jtg_status put_locked(struct jtgi_values *values, const struct place *place,
                             const jtg_key *key, struct item *item, size_t keep, uint64_t now)
{
    struct entry **link = find_live_locked(values, place, key, now);
    struct entry *entry = link != NULL ? *link : NULL;
    jtg_status status = JTG_OK;
    if (entry == NULL)
        status = add_entry_locked(values, place, key, &entry);
    if (status == JTG_OK)
        status = push_locked(values, place->part, entry, item, keep, now);
    if (entry != NULL && entry->newest == NULL)
        unlink_entry(values, place->part, find_locked(place, key));
    return status;
}

/* Make room by removing what has ended, in a bounded number of steps. A part in which nothing has
 * ended costs one look. */
static void reclaim(struct jtgi_values *values, size_t first, uint64_t now)
{
    int steps = RECLAIM_STEPS;
    for (size_t i = 0; i < PARTS; i++)
        /* Twice: the first pass may be one that began before something ended behind it. */
        for (int passes = 0; passes < 2 && steps > 0;)
            if (jtgi_values_sweep(values, (first + i) % PARTS, now, JTGI_SWEEP_ANYWAY))
                steps--;
            else
                passes++;
}

jtg_status jtgi_values_put(struct jtgi_values *values, const jtg_key *key, const void *data,
                           size_t data_len, uint64_t now, uint64_t ttl_ms, size_t keep)
{
    struct place place = place_of(values, key);
    struct item *item = make_item(data, data_len, ttl_ms);
    if (item == NULL)
        return JTG_ERR_MEMORY;

    jtg_status status = JTG_ERR_FULL;
    for (int tries = 0; status == JTG_ERR_FULL && tries < 2; tries++) {
        if (tries > 0)
            reclaim(values, (size_t)(place.part - values->parts), now);
        now = enter(place.part, now);
        status = put_locked(values, &place, key, item, keep, now);
        leave(place.part);
    }
    if (status != JTG_OK)
        free_item(item);
    return status;
}

/* ---- get, take, swap, drop ---- */

static jtg_status copy_out(const struct item *item, uint64_t now, jtg_value *value)
{
    return jtg_value_set(value, item->data, item->data_len, item->end - now);
}

jtg_status jtgi_values_get(struct jtgi_values *values, const jtg_key *key, uint64_t now,
                           jtg_value *value)
{
    struct place place = place_of(values, key);
    now = enter(place.part, now);
    struct entry **link = find_live_locked(values, &place, key, now);
    jtg_status status = link == NULL ? JTG_NOT_FOUND : copy_out((*link)->newest, now, value);
    leave(place.part);
    return status;
}

static jtg_status take_locked(struct jtgi_values *values, const struct place *place,
                              const jtg_key *key, uint64_t now, jtg_value *value)
{
    struct entry **link = find_live_locked(values, place, key, now);
    if (link == NULL)
        return JTG_NOT_FOUND;
    struct entry *entry = *link;
    struct item *taken = entry->newest;
    if (copy_out(taken, now, value) != JTG_OK)
        return JTG_ERR_MEMORY;
    entry->newest = taken->older;
    taken->older = NULL;
    free_items(values, taken);
    if (entry->newest == NULL)
        unlink_entry(values, place->part, link);
    return JTG_OK;
}

jtg_status jtgi_values_take(struct jtgi_values *values, const jtg_key *key, uint64_t now,
                            jtg_value *value)
{
    struct place place = place_of(values, key);
    now = enter(place.part, now);
    jtg_status status = take_locked(values, &place, key, now, value);
    leave(place.part);
    return status;
}

static void remove_locked(struct jtgi_values *values, const struct place *place,
                          struct entry **link)
{
    free_items(values, (*link)->newest);
    unlink_entry(values, place->part, link);
}

static bool is_expected(const struct item *newest, const void *expected, size_t expected_len)
{
    if (newest == NULL || expected == NULL)
        return newest == NULL && expected == NULL;
    return newest->data_len == expected_len &&
           sodium_memcmp(newest->data, expected, expected_len) == 0;
}

struct swap {
    const void *expected;
    size_t expected_len;
    struct item *item; /* NULL = remove */
};

static jtg_status swap_locked(struct jtgi_values *values, const struct place *place,
                              const jtg_key *key, const struct swap *swap, uint64_t now)
{
    struct entry **link = find_live_locked(values, place, key, now);
    if (!is_expected(link != NULL ? (*link)->newest : NULL, swap->expected, swap->expected_len))
        return JTG_MISMATCH;
    if (swap->item != NULL)
        return put_locked(values, place, key, swap->item, 1, now);
    remove_locked(values, place, link);
    return JTG_OK;
}

jtg_status jtgi_values_swap(struct jtgi_values *values, const jtg_key *key, const void *expected,
                            size_t expected_len, const void *data, size_t data_len, uint64_t now,
                            uint64_t ttl_ms)
{
    struct place place = place_of(values, key);
    struct swap swap = {expected, expected_len, NULL};
    if (data != NULL && (swap.item = make_item(data, data_len, ttl_ms)) == NULL)
        return JTG_ERR_MEMORY;

    jtg_status status = JTG_ERR_FULL;
    for (int tries = 0; status == JTG_ERR_FULL && tries < 2; tries++) {
        if (tries > 0)
            reclaim(values, (size_t)(place.part - values->parts), now);
        now = enter(place.part, now);
        status = swap_locked(values, &place, key, &swap, now);
        leave(place.part);
    }
    if (status != JTG_OK && swap.item != NULL)
        free_item(swap.item);
    return status;
}

jtg_status jtgi_values_drop(struct jtgi_values *values, const jtg_key *key, uint64_t now)
{
    struct place place = place_of(values, key);
    now = enter(place.part, now);
    struct entry **link = find_live_locked(values, &place, key, now);
    if (link != NULL)
        remove_locked(values, &place, link);
    leave(place.part);
    return link != NULL ? JTG_OK : JTG_NOT_FOUND;
}

jtg_status jtgi_values_edit(struct jtgi_values *values, const jtg_key *key, uint64_t now,
                            jtgi_values_editor editor, void *context)
{
    struct place place = place_of(values, key);
    now = enter(place.part, now);
    struct entry **link = find_live_locked(values, &place, key, now);
    jtg_status status = JTG_NOT_FOUND;
    if (link != NULL)
        status = editor(context, (*link)->newest->data, (*link)->newest->data_len);
    leave(place.part);
    return status;
}

/* ---- all of it ---- */

static void sweep_bucket(struct jtgi_values *values, struct part *part, struct entry **link,
                         uint64_t now)
{
    while (*link != NULL) {
        purge_locked(values, part, *link, now);
        for (const struct item *item = (*link)->newest; item != NULL; item = item->older)
            if (item->end < part->sweep_earliest)
                part->sweep_earliest = item->end;
        if ((*link)->newest == NULL)
            unlink_entry(values, part, link);
        else
            link = &(*link)->next;
    }
}

static bool sweep_locked(struct jtgi_values *values, struct part *part, uint64_t now, uint64_t pass)
{
    if (part->buckets == NULL)
        return false;
    if (part->sweep_at == 0) {
        if ((pass != JTGI_SWEEP_ANYWAY && part->sweep_pass == pass) || part->earliest > now)
            return false;
        part->sweep_pass = pass;
        part->sweep_earliest = UINT64_MAX;
    }
    for (int i = 0; i < SWEEP_BUCKETS && part->sweep_at < values->bucket_count; i++)
        sweep_bucket(values, part, &part->buckets[part->sweep_at++], now);
    if (part->sweep_at < values->bucket_count)
        return true;
    part->earliest = part->sweep_earliest;
    part->sweep_at = 0;
    return false;
}

/* One step; what it removed is added to *removed. */
static bool sweep_part(struct jtgi_values *values, struct part *part, uint64_t now, uint64_t pass,
                       uint64_t *removed)
{
    now = enter(part, now);
    uint64_t swept = part->swept;
    bool more = sweep_locked(values, part, now, pass);
    *removed += part->swept - swept;
    leave(part);
    return more;
}

bool jtgi_values_sweep(struct jtgi_values *values, size_t index, uint64_t now, uint64_t pass)
{
    uint64_t removed = 0;
    return sweep_part(values, &values->parts[index], now, pass, &removed);
}

uint64_t jtgi_values_prune(struct jtgi_values *values, uint64_t now)
{
    uint64_t removed = 0;
    for (size_t i = 0; i < PARTS; i++)
        /* Twice: the first pass may be one that began before something ended behind it. */
        for (int passes = 0; passes < 2;)
            passes += !sweep_part(values, &values->parts[i], now, JTGI_SWEEP_ANYWAY, &removed);
    return removed;
}

size_t jtgi_values_number(const struct jtgi_values *values)
{
    (void)values;
    return PARTS;
}

void jtgi_values_clear(struct jtgi_values *values)
{
    for (size_t i = 0; i < PARTS; i++) {
        struct part *part = &values->parts[i];
        for (size_t b = 0; b < values->bucket_count; b++) {
            (void)pthread_mutex_lock(&part->lock);
            if (part->buckets != NULL)
                empty_bucket(values, part, &part->buckets[b]);
            (void)pthread_mutex_unlock(&part->lock);
        }
    }
}

void jtgi_values_stats_get(struct jtgi_values *values, struct jtgi_values_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    stats->values = atomic_load(&values->count.used);
    stats->bytes = atomic_load(&values->bytes.used);
    for (size_t i = 0; i < PARTS; i++) {
        struct part *part = &values->parts[i];
        (void)pthread_mutex_lock(&part->lock);
        stats->keys += part->keys;
        stats->swept += part->swept;
        (void)pthread_mutex_unlock(&part->lock);
    }
}
