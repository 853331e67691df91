/* SPDX-License-Identifier: Apache-2.0 */
/* A lock that is never held for longer than a trip through the scheduler takes. */
#ifndef JTGI_CORE_BRIEF_LOCK_H
#define JTGI_CORE_BRIEF_LOCK_H

#include <pthread.h>

/* Who finds it taken looks again for a while before going to sleep: glibc does so when it is asked
 * to, musl with every lock. */
void jtgi_brief_lock_init(pthread_mutex_t *lock);

#endif
