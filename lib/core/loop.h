/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend offers a front that never blocks (jtiguard/async.h): a queue of calls, driven by
 * whoever's event loop it is. A backend without it is one whose calls never wait.
 *
 * One thread at a time, and no lock. Nothing calls back: a call that has ended is fetched. */
#ifndef JTGI_CORE_LOOP_H
#define JTGI_CORE_LOOP_H

#include <jtiguard/backend.h>

/* One reservation that is asked for, or given back. The memory is the caller's, and stays where it
 * is until the call has ended. */
struct jtgi_loop_call {
    bool gives_back;
    jtg_key key;            /* its group is borrowed until submit returns, its data as owner */
    const jtg_owner *owner; /* borrowed until the call has ended */
    uint64_t ttl_ms;
    int64_t kept_since_ms; /* JTG_KEPT_ANY: whatever the store has forgotten */

    /* Once it has ended. */
    jtg_status status;
    jtg_error err;

    /* The backend's. */
    void *under_way;
    struct jtgi_loop_call *next;
};

struct jtgi_loop_table {
    /* JTG_OK · JTG_ERR_UNSUPPORTED (this store cannot be asked so) · JTG_ERR_MEMORY ·
     * JTG_ERR_SYSTEM */
    jtg_status (*open)(jtg_cache *cache, void **loop, jtg_error *err);

    /* Readable when process has something to do. */
    int (*fd)(const void *loop);

    /* True: it has ended, and is not in the queue. */
    bool (*submit)(void *loop, struct jtgi_loop_call *call);

    void (*process)(void *loop);
    struct jtgi_loop_call *(*next)(void *loop); /* one that has ended; NULL: none */

    /* It ends now, and is the next but for those before it. */
    void (*cancel)(void *loop, struct jtgi_loop_call *call);

    /* Until process has something to do of itself: 0 now, -1 never. */
    int (*timeout_ms)(const void *loop);

    /* No call may be under way, unless in a child of fork(), which says nothing to the server. */
    void (*close)(void *loop, bool in_child);
};

/* NULL: its calls never wait. */
const struct jtgi_loop_table *jtgi_loop_of(const jtg_cache *cache);

/* A call of the cache has come to this: counted as jtg_cache_reserve() and the others count.
 * Returns the status, or JTG_ERR_PROTOCOL for one that is none. */
jtg_status jtgi_loop_count(jtg_cache *cache, struct jtgi_loop_call *call);

#endif
