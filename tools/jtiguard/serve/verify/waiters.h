/* SPDX-License-Identifier: Apache-2.0 */
/* Those who wait for one fetch, in a bounded list. Under the lock of whoever has it, but for
 * waiters_wake(): that calls out, and runs under none. */
#ifndef SERVE_WAITERS_H
#define SERVE_WAITERS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    WAITERS_LIMIT = 256 /* a stranger who invents kids can hold so many connections of ours */
};

/* Somebody who would rather wait for keys than be refused: one request. Zeroed but for the first
 * three. */
struct verify_waiter {
    void (*pause)(void *context); /* by the thread that asks, before anybody can wake it */
    void (*wake)(void *context);  /* once after it, by any thread, under no lock of the verifier */
    void *context;
    /* Set before it is woken because a reload took its keys away: that was no answer, and its token
     * may wait once more, for the keys in their place. Its time goes on. */
    bool moved;
    int64_t until_ms;           /* the verifier's own: the end of its time, by CLOCK_MONOTONIC */
    struct verify_waiter *next; /* the verifier's own */
};

struct waiters {
    struct verify_waiter *first;
    unsigned count;
};

/* false: it is full. */
bool waiters_push(struct waiters *waiters, struct verify_waiter *waiter);

/* All of them, and none is left. */
struct waiters waiters_take(struct waiters *waiters);

/* Those whose time is up. */
struct waiters waiters_take_due(struct waiters *waiters, int64_t now_ms);

/* Tell all of them, before they are woken, that a reload moved them. */
void waiters_mark_moved(const struct waiters *taken);

void waiters_wake(struct waiters taken);

#endif
