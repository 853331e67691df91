/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/verify/waiters.h"

#include <stddef.h>

bool waiters_push(struct waiters *waiters, struct verify_waiter *waiter)
{
    if (waiters->count == WAITERS_LIMIT)
        return false;
    waiter->next = waiters->first;
    waiters->first = waiter;
    waiters->count++;
    return true;
}

struct waiters waiters_take(struct waiters *waiters)
{
    struct waiters taken = *waiters;
    *waiters = (struct waiters){NULL, 0};
    return taken;
}

struct waiters waiters_take_due(struct waiters *waiters, int64_t now_ms)
{
    struct waiters all = waiters_take(waiters);
    struct waiters due = {NULL, 0};
    while (all.first != NULL) {
        struct verify_waiter *waiter = all.first;
        all.first = waiter->next;
        (void)waiters_push(now_ms >= waiter->until_ms ? &due : waiters, waiter);
    }
    return due;
}

void waiters_mark_moved(const struct waiters *taken)
{
    for (struct verify_waiter *at = taken->first; at != NULL; at = at->next)
        at->moved = true;
}

/* Whoever is woken may be gone at once. */
void waiters_wake(struct waiters taken)
{
    while (taken.first != NULL) {
        struct verify_waiter *waiter = taken.first;
        taken.first = waiter->next;
        waiter->wake(waiter->context);
    }
}
