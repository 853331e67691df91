/* SPDX-License-Identifier: Apache-2.0 */
/* It is meant to be a fair opponent, so it takes what costs little: the hash is made before the
 * lock, kept in the node, compared before the key, and never made again when the table doubles;
 * a node is freed after the unlock. */
#include "chained_table.h"

#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 64 };

struct node {
    struct node *next;
    uint64_t hash;
    int64_t deadline_ms;
    jtg_owner owner;
    uint16_t key_len;
    unsigned char key[];
};

struct chained_table {
    pthread_mutex_t mutex;
    struct node **buckets;
    size_t bucket_count; /* a power of two */
    uint64_t entries;
    uint64_t max_entries;
    jtg_clock clock;
    unsigned char hash_key[crypto_shorthash_KEYBYTES];
};

struct chained_table *chained_table_new(uint64_t max_entries, const jtg_clock *clock)
{
    struct chained_table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return NULL;
    table->buckets = calloc(FIRST_BUCKETS, sizeof(struct node *));
    if (table->buckets == NULL || pthread_mutex_init(&table->mutex, NULL) != 0) {
        free(table->buckets);
        free(table);
        return NULL;
    }
    table->bucket_count = FIRST_BUCKETS;
    table->max_entries = max_entries;
    table->clock = clock != NULL ? *clock : jtg_clock_system();
    crypto_shorthash_keygen(table->hash_key);
    return table;
}

static uint64_t hash_of(const struct chained_table *table, const void *key, size_t key_len)
{
    uint64_t hash = 0;
    (void)crypto_shorthash((unsigned char *)&hash, key, key_len, table->hash_key);
    return hash;
}

static struct node **bucket_of(const struct chained_table *table, uint64_t hash)
{
    return &table->buckets[hash & (table->bucket_count - 1)];
}

static bool is_for(const struct node *node, uint64_t hash, const void *key, size_t key_len)
{
    return node->hash == hash && node->key_len == key_len && memcmp(node->key, key, key_len) == 0;
}

/* Where the link to the key's node is, or the end of its chain. */
static struct node **find_locked(struct chained_table *table, uint64_t hash, const void *key,
                                 size_t key_len)
{
    struct node **link = bucket_of(table, hash);
    while (*link != NULL && !is_for(*link, hash, key, key_len))
        link = &(*link)->next;
    return link;
}

/* A table that cannot double goes on with longer chains. */
static void double_locked(struct chained_table *table)
{
    struct node **old = table->buckets;
    size_t old_count = table->bucket_count;
    struct node **buckets = calloc(old_count * 2, sizeof(struct node *));
    if (buckets == NULL)
        return;
    table->buckets = buckets;
    table->bucket_count = old_count * 2;
    for (size_t i = 0; i < old_count; i++)
        for (struct node *node = old[i], *next; node != NULL; node = next) {
            struct node **bucket = bucket_of(table, node->hash);
            next = node->next;
            node->next = *bucket;
            *bucket = node;
        }
    free(old);
}

static jtg_status insert_locked(struct chained_table *table, const struct node *head,
                                const void *key)
{
    if (table->entries >= table->max_entries)
        return JTG_ERR_FULL;
    if (table->entries >= table->bucket_count)
        double_locked(table);
    struct node *node = malloc(sizeof *node + head->key_len);
    if (node == NULL)
        return JTG_ERR_MEMORY;
    struct node **bucket = bucket_of(table, head->hash);
    *node = *head;
    memcpy(node->key, key, head->key_len);
    node->next = *bucket;
    *bucket = node;
    table->entries++;
    return JTG_OK;
}

/* The key has a node: whose is it? */
static jtg_status take_over_locked(struct node *node, const struct node *head, int64_t now_ms)
{
    bool ours = memcmp(&node->owner, &head->owner, sizeof node->owner) == 0;
    if (node->deadline_ms > now_ms && !ours)
        return JTG_REPLAYED;
    if (!ours || node->deadline_ms < head->deadline_ms)
        node->deadline_ms = head->deadline_ms;
    node->owner = head->owner;
    return JTG_OK;
}

jtg_status chained_table_reserve(struct chained_table *table, const void *key, size_t key_len,
                                 const jtg_owner *owner, uint64_t ttl_ms)
{
    int64_t now_ms = table->clock.monotonic_ms(table->clock.context);
    struct node head = {.hash = hash_of(table, key, key_len),
                        .deadline_ms = now_ms + (int64_t)ttl_ms,
                        .owner = *owner,
                        .key_len = (uint16_t)key_len};

    (void)pthread_mutex_lock(&table->mutex);
    struct node *held = *find_locked(table, head.hash, key, key_len);
    jtg_status status =
        held != NULL ? take_over_locked(held, &head, now_ms) : insert_locked(table, &head, key);
    (void)pthread_mutex_unlock(&table->mutex);
    return status;
}

jtg_status chained_table_release(struct chained_table *table, const void *key, size_t key_len,
                                 const jtg_owner *owner)
{
    int64_t now_ms = table->clock.monotonic_ms(table->clock.context);
    uint64_t hash = hash_of(table, key, key_len);
    struct node *removed = NULL;
    jtg_status status = JTG_NOT_FOUND;

    (void)pthread_mutex_lock(&table->mutex);
    struct node **link = find_locked(table, hash, key, key_len);
    if (*link != NULL && (*link)->deadline_ms > now_ms) {
        status = JTG_NOT_OWNER;
        if (memcmp(&(*link)->owner, owner, sizeof *owner) == 0) {
            removed = *link;
            *link = removed->next;
            table->entries--;
            status = JTG_OK;
        }
    }
    (void)pthread_mutex_unlock(&table->mutex);
    free(removed);
    return status;
}

static void sweep_chain_locked(struct chained_table *table, struct node **link, int64_t now_ms)
{
    while (*link != NULL) {
        struct node *node = *link;
        if (node->deadline_ms > now_ms) {
            link = &node->next;
            continue;
        }
        *link = node->next;
        table->entries--;
        free(node);
    }
}

void chained_table_sweep(struct chained_table *table)
{
    int64_t now_ms = table->clock.monotonic_ms(table->clock.context);
    (void)pthread_mutex_lock(&table->mutex);
    for (size_t i = 0; i < table->bucket_count; i++)
        sweep_chain_locked(table, &table->buckets[i], now_ms);
    (void)pthread_mutex_unlock(&table->mutex);
}
