/* SPDX-License-Identifier: Apache-2.0 */
/* A word that threads wait on until another changes it (futex(2)). A condition variable would
 * do, but wakes its waiters one by one through a shared mutex: with hundreds of callers in one
 * round trip that costs more than the round trip. */
#ifndef JTGI_REDIS_WORD_H
#define JTGI_REDIS_WORD_H

#include "redis/line/waiter.h"

#include <limits.h>

/* Sleep while *word == expected, until the deadline at most. May return early for no reason: the
 * caller looks at the word and at the time again. */
void jtgi_word_wait(jtgi_word *word, uint32_t expected, int64_t deadline_ns);

/* Wake up to count of the threads that wait. The word may already be gone: nothing is read. */
void jtgi_word_wake(jtgi_word *word, int count);

#endif
