/* SPDX-License-Identifier: Apache-2.0 */
/* The least that any striped table with keyed hashes pays: hash the key, take one of many locks,
 * write one cache line at a random place. No clock, no comparison, no growth, no answer. */
#include "subject.h"

#include "isolate.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { STRIPES = 1024, LINE_BYTES = 64 };

struct stripe {
    _Alignas(LINE_BYTES) pthread_mutex_t mutex;
};

struct line {
    uint64_t touched;
    unsigned char rest[LINE_BYTES - sizeof(uint64_t)];
};

struct floor_table {
    struct stripe stripes[STRIPES];
    struct line *lines;
    uint64_t line_count; /* a multiple of STRIPES: each stripe has lines of its own */
    unsigned char hash_key[crypto_shorthash_KEYBYTES];
};

/* Huge pages where the system has them, and every page present before the clock runs. */
static struct line *map_lines(size_t bytes)
{
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        bench_die("no memory for the floor");
    (void)madvise(pages, bytes, MADV_HUGEPAGE);
    memset(pages, 1, bytes);
    return pages;
}

static void *make(const struct bench_setup *setup)
{
    struct floor_table *table = aligned_alloc(LINE_BYTES, sizeof *table);
    if (table == NULL)
        bench_die("no memory for the floor");
    uint64_t lines_a_stripe = setup->floor_bytes / LINE_BYTES / STRIPES + 1;
    table->line_count = lines_a_stripe * STRIPES;
    table->lines = map_lines((size_t)table->line_count * sizeof(struct line));
    crypto_shorthash_keygen(table->hash_key);
    for (size_t i = 0; i < STRIPES; i++)
        if (pthread_mutex_init(&table->stripes[i].mutex, NULL) != 0)
            bench_die("no lock for the floor");
    return table;
}

static jtg_status touch(void *self, const struct bench_item *item)
{
    struct floor_table *table = self;
    uint64_t hash = 0;
    (void)crypto_shorthash((unsigned char *)&hash, (const unsigned char *)item->key,
                           BENCH_KEY_BYTES, table->hash_key);
    size_t stripe = hash % STRIPES;
    uint64_t lines_a_stripe = table->line_count / STRIPES;
    uint64_t line = stripe * lines_a_stripe + ((hash >> 32) * lines_a_stripe >> 32);

    (void)pthread_mutex_lock(&table->stripes[stripe].mutex);
    table->lines[line].touched++;
    (void)pthread_mutex_unlock(&table->stripes[stripe].mutex);
    return JTG_OK;
}

static jtg_status reserve(void *self, const struct bench_item *item, uint64_t ttl_ms)
{
    (void)ttl_ms;
    return touch(self, item);
}

const struct bench_subject bench_subject_floor = {"floor", make, reserve, touch, NULL, NULL, NULL};
