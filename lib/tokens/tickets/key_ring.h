/* SPDX-License-Identifier: Apache-2.0 */
/* The set in use: any number of threads read it while one of them fetches the next. No lock is held
 * while the store is asked; who comes meanwhile goes on with the old set, or waits if it must. */
#ifndef JTGI_TOKENS_TICKETS_KEY_RING_H
#define JTGI_TOKENS_TICKETS_KEY_RING_H

#include "tokens/tickets/key_store.h"

#include <pthread.h>

struct jtgi_key_ring {
    struct jtgi_key_store store;
    int64_t refresh_interval_ms;
    uint64_t max_seals;
    pthread_mutex_t lock; /* for a look at what follows */
    pthread_cond_t settled;
    bool is_fetching;
    struct jtgi_key_set *current; /* NULL until the first that was loaded */
    jtg_status last;              /* what the last refresh answered */
    int64_t loaded_ms;            /* monotonic, of the last time that the store was read */
    int64_t asked_ms;             /* monotonic, of the last time that it was asked */
    _Atomic int64_t due_ms;       /* monotonic, of the next refresh */
};

/* store, refresh_interval_ms and max_seals are set. Returns: JTG_OK · JTG_ERR_SYSTEM */
jtg_status jtgi_key_ring_init(struct jtgi_key_ring *ring, jtg_error *err);
/* in_child: after fork, of the parent's ring. */
void jtgi_key_ring_clear(struct jtgi_key_ring *ring, bool in_child);

/* The set in use, held; NULL where none was loaded yet. */
struct jtgi_key_set *jtgi_key_ring_hold(struct jtgi_key_ring *ring);

/* Wait for a refresh that is under way, then do this one. */
jtg_status jtgi_key_ring_refresh(struct jtgi_key_ring *ring, enum jtgi_key_wish wish,
                                 jtg_error *err);

/* Refresh if it is time and nobody does. */
void jtgi_key_ring_refresh_if_due(struct jtgi_key_ring *ring);

/* A key is not known: look at the store, unless that was done a moment ago, or wait for the one who
 * does. True if the set may be another one now. */
bool jtgi_key_ring_recheck(struct jtgi_key_ring *ring);

/* How the set in use came about. */
struct jtgi_ring_news {
    jtg_status last;
    uint64_t loaded_ago_ms; /* UINT64_MAX = never */
};
struct jtgi_ring_news jtgi_key_ring_news(struct jtgi_key_ring *ring);

#endif
