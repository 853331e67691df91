/* SPDX-License-Identifier: Apache-2.0 */
/* Whose answers this process has relied on, and until when.
 *
 * A marker says what its server has kept, not what was kept elsewhere meanwhile: a server that was
 * left and lived on has the marker it had, although tokens were used on another one in between. So
 * a server's yes is relied on only if no other server's was since its marker's time.
 *
 * One a store, for all its connections and all the caches of it in this process; it outlives the
 * caches, so that one which is freed and made again still knows. A process that starts knows
 * nothing: docs/continuity.md says what that leaves open.
 *
 * Lock. `lock` guards the slots here, and the watches of all caches of the store, so that a look
 * is judged and noted in one step: of two answers at the same time one comes first. */
#ifndef JTGI_REDIS_RELIANCE_H
#define JTGI_REDIS_RELIANCE_H

#include "core/clock.h"
#include "redis/say/keys/marker.h"
#include "redis/say/options/config.h"

#include <pthread.h>

/* By the monotonic clock: there is no such moment. */
#define JTGI_NEVER INT64_MIN

/* Of one slot. */
struct jtgi_relied {
    struct jtgi_who who;       /* whose yes was relied on last */
    struct jtgi_moment last;   /* when */
    struct jtgi_moment others; /* the same of all others before it */
};

struct jtgi_reliance {
    pthread_mutex_t lock;

    /* Under the lock of all that there are (reliance.c). */
    struct jtgi_reliance *next;
    unsigned refs;
    uint64_t freed; /* counts up: the order in which the last cache of each went */
    unsigned char store[32];

    size_t slots;
    struct jtgi_relied relied[];
};

/* What this process knows of the store that the options name; made if need be. Slots: 1, or
 * JTGI_SLOTS. NULL when out of memory. */
struct jtgi_reliance *jtgi_reliance_of(const struct jtgi_redis_config *config, size_t slots);

/* A cache of it ends. In a child of fork() that did not make it, nothing is done: the lock may be
 * held by a thread that does not exist here. NULL does nothing. */
void jtgi_reliance_let_go(struct jtgi_reliance *reliance, bool in_child);

/* The last moment at which a yes of another server was relied on. */
struct jtgi_moment jtgi_reliance_elsewhere_locked(const struct jtgi_reliance *reliance,
                                                  uint16_t slot, const struct jtgi_who *who);

/* A yes of this server is relied on now. */
void jtgi_reliance_note_locked(struct jtgi_reliance *reliance, uint16_t slot,
                               const struct jtgi_who *who, struct jtgi_moment now);

/* A moment of the past by the wall clock, for a marker's time to be compared with: as that clock
 * stood then, or as it counts back from now, whichever is earlier. One that was ahead then and was
 * set right would else refuse until it has passed the wrong time; a guard asks for so much more
 * itself (core/wall_clock.c), as it had been ahead. */
int64_t jtgi_moment_wall_ms(struct jtgi_moment moment, struct jtgi_moment now);

#endif
