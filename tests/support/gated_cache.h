/* SPDX-License-Identifier: Apache-2.0 */
/* A backend in front of another cache: it hands calls on, and on request does what stores do at bad
 * moments. It can hold calls of one operation back until the test lets them go, lose an answer,
 * and forget. Like a server it says since when it has kept everything. */
#ifndef TESTS_SUPPORT_GATED_CACHE_H
#define TESTS_SUPPORT_GATED_CACHE_H

#include <jtiguard/backend.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct gated_cache {
    jtg_cache base;
    jtg_cache *inner; /* borrowed */

    /* What the test sets, before the calls that it concerns. */
    jtg_operation operation; /* of which the next four speak */
    jtg_status answer;       /* not JTG_OK: answer this … */
    bool acts_all_the_same; /* … after the call was handed on, as when only the answer was lost */
    unsigned after;         /* … from the call after so many on */
    bool holds;             /* hold calls back until gated_cache_let_go() */
    void (*before)(void *context,
                   jtg_operation operation); /* called before each call; may be NULL */
    void *context;
    int64_t kept_since_ms;

    /* What the test reads. */
    atomic_uint calls[JTG_OPERATION_COUNT];
    _Atomic int64_t last_needed_ms; /* kept_since_ms of the last reserve_kept */
    _Atomic uint64_t last_ttl_ms;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned held; /* calls that are being held back */
    bool open;
};

/* watches: whether it notices losses. Free with jtg_cache_free(&…->base); the inner cache stays.
 * Fails the test if it cannot be made. */
struct gated_cache *gated_cache_new(jtg_cache *inner, bool watches);

/* Wait until so many calls are held back. */
void gated_cache_wait_held(struct gated_cache *cache, unsigned count);
void gated_cache_let_go(struct gated_cache *cache);

#endif
