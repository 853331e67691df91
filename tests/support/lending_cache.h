/* SPDX-License-Identifier: Apache-2.0 */
/* A backend that lends memory and does nothing else: reservations are always had. Its store can be
 * exchanged under it, and its lock can be blocked. */
#ifndef TESTS_SUPPORT_LENDING_CACHE_H
#define TESTS_SUPPORT_LENDING_CACHE_H

#include <jtiguard/backend.h>
#include <stdbool.h>

enum { LENDING_STORES = 3 };

struct lending_cache {
    jtg_cache base;

    /* What the test sets. */
    unsigned store;         /* which of the stores is there now */
    void *elsewhere;        /* if not NULL, lent to the guards in place of theirs */
    jtg_status lend_answer; /* of lend, if not JTG_OK */
    jtg_status lock_answer; /* of lock_lent, if not JTG_OK */
    bool lends_nothing;     /* it says yes, and gives no memory */
    void (*in_reserve)(struct lending_cache *cache); /* may be NULL */
    bool exchange_in_reserve; /* the next reserve finds another store, and goes there */
    void (*at_lock)(void);    /* called when a lock was taken, and when it is let go; may be NULL */
    void (*at_unlock)(void);

    /* What the test reads. */
    unsigned locks;
    bool is_held;
    _Alignas(8) unsigned char pieces[LENDING_STORES][JTG_BORROWER_COUNT][JTG_LENT_BYTES];
};

/* In the caller's storage; end with jtg_cache_free(&cache->base). */
void lending_cache_init(struct lending_cache *cache);
/* One that watches, and has kept everything. */
void lending_cache_init_watching(struct lending_cache *cache);

#endif
