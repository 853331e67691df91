/* SPDX-License-Identifier: Apache-2.0 */
/* Those who wait for one fetch, in a bounded list. Under the lock of whoever has it, but for
 * waiters_wake(): that calls out, and runs under none. */
#ifndef SERVE_WAITERS_H
#define SERVE_WAITERS_H

#include "verify.h"

enum {
    WAITERS_LIMIT = 256 /* a stranger who invents kids can hold so many connections of ours */
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
