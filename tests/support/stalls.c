/* SPDX-License-Identifier: Apache-2.0 */
#include "support/stalls.h"

#include "support/asserts.h"

#include <errno.h>
#include <time.h>

#define MS_NS    INT64_C(1000000)
#define PAUSE_NS (3 * MS_NS)

static int64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 * MS_NS + now.tv_nsec;
}

/* Both a wake-up that comes late and one that is still to come when it is over count. */
static void *watch(void *context)
{
    struct stalls *stalls = context;
    pthread_mutex_lock(&stalls->lock);
    while (!stalls->over) {
        int64_t due_ns = now_ns() + PAUSE_NS;
        struct timespec due = {(time_t)(due_ns / (1000 * MS_NS)), (long)(due_ns % (1000 * MS_NS))};
        int result = 0;
        while (!stalls->over && result != ETIMEDOUT)
            result = pthread_cond_timedwait(&stalls->ended, &stalls->lock, &due);
        int64_t late_ns = now_ns() - due_ns;
        if (late_ns > 0)
            stalls->late_ns += late_ns;
    }
    pthread_mutex_unlock(&stalls->lock);
    return NULL;
}

void stalls_begin(struct stalls *stalls)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&stalls->lock, NULL);
    (void)pthread_cond_init(&stalls->ended, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    stalls->over = false;
    stalls->late_ns = 0;
    assert_int_equal(pthread_create(&stalls->thread, NULL, watch, stalls), 0);
}

int64_t stalls_end_ms(struct stalls *stalls)
{
    pthread_mutex_lock(&stalls->lock);
    stalls->over = true;
    pthread_cond_signal(&stalls->ended);
    pthread_mutex_unlock(&stalls->lock);
    assert_int_equal(pthread_join(stalls->thread, NULL), 0);
    (void)pthread_cond_destroy(&stalls->ended);
    (void)pthread_mutex_destroy(&stalls->lock);
    return (stalls->late_ns + MS_NS - 1) / MS_NS;
}
