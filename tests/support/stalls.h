/* SPDX-License-Identifier: Apache-2.0 */
/* How long this machine, and not the library, kept the process from running: a thread that wakes
 * every few milliseconds and adds up by how much it was late. A test that holds a call to its
 * deadline allows that much more, and no fixed time that is too short for one machine and too long
 * for another. */
#ifndef TESTS_SUPPORT_STALLS_H
#define TESTS_SUPPORT_STALLS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct stalls {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool over;
    int64_t late_ns;
};

/* Asserts, so use it in the test's own thread. */
void stalls_begin(struct stalls *stalls);

/* Milliseconds, rounded up, since stalls_begin(). */
int64_t stalls_end_ms(struct stalls *stalls);

#endif
