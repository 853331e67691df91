/* SPDX-License-Identifier: Apache-2.0 */
/* A backend for the tests of a guard: it notes what it was asked, answers any status it is told
 * to, and otherwise behaves as a store whose time is a test's clock. It can be told to forget
 * too early, so that a test can show that it would notice. */
#ifndef TESTS_SUPPORT_RECORDING_CACHE_H
#define TESTS_SUPPORT_RECORDING_CACHE_H

#include "support/test_clock.h"

#include <jtiguard/backend.h>
#include <pthread.h>
#include <stdbool.h>

enum { RECORDING_ENTRIES = 256 };

struct recorded_entry {
    unsigned char key[JTG_KEY_MAX_BYTES];
    size_t key_len;
    jtg_owner owner;
    int64_t end_ms;
};

struct recording_cache {
    jtg_cache base;
    pthread_mutex_t lock;
    struct test_clock *clock; /* borrowed */

    /* What the test sets. */
    jtg_status answer;        /* JTG_OK: behave as a store; else answer this and store nothing */
    int64_t forgets_early_ms; /* entries end that much before they should */
    int64_t kept_since_ms;    /* one that watches: since when it has kept everything */
    /* Called in each reserve, before and after the store has looked; may be NULL. */
    void (*before_look)(struct recording_cache *cache);
    void (*after_look)(struct recording_cache *cache);
    void *context;

    /* What the test reads. */
    unsigned reserves;
    unsigned releases;
    struct recorded_entry last;
    unsigned char last_group[JTG_GROUP_MAX_BYTES];
    size_t last_group_len;
    uint64_t last_ttl_ms;
    unsigned reserves_kept;     /* of the reserves */
    int64_t last_kept_since_ms; /* what the last of them needed */

    struct recorded_entry entries[RECORDING_ENTRIES]; /* key_len 0: free */
};

/* Fails the test if it cannot be made. Free with jtg_cache_free(&…->base). */
struct recording_cache *recording_cache_new(struct test_clock *clock);

/* One that notices when it has forgotten. At first it has kept everything ever made. */
struct recording_cache *recording_cache_new_watching(struct test_clock *clock);

/* Forget everything, as a process that restarts does. One that watches has kept everything since
 * the next millisecond of the clock. */
void recording_cache_forget(struct recording_cache *cache);

/* Is a live reservation of this key stored? */
bool recording_cache_holds(struct recording_cache *cache, const void *key, size_t key_len);

#endif
