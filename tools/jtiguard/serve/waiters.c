/* SPDX-License-Identifier: Apache-2.0 */
#include "waiters.h"

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

/* Whoever is woken may be gone at once. */
void waiters_wake(struct waiters taken)
{
    while (taken.first != NULL) {
        struct verify_waiter *waiter = taken.first;
        taken.first = waiter->next;
        waiter->wake(waiter->context);
    }
}
