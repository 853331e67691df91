/* SPDX-License-Identifier: Apache-2.0 */
#include "ticker.h"

#include "monotonic.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

enum { LONGEST_WAIT_MS = 3600000 };

struct ticker {
    ticker_work *work;
    void *context;
    int64_t first_ms;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; /* what stands below */
    pthread_cond_t changed;
    bool woken;
    bool stopping;
};

/* false: it is to stop. */
static bool wait_for(struct ticker *ticker, int64_t wait_ms)
{
    int64_t bounded_ms = wait_ms < LONGEST_WAIT_MS ? wait_ms : LONGEST_WAIT_MS;
    int64_t end_ns = monotonic_ns() + bounded_ms * 1000000;
    const struct timespec end = {(time_t)(end_ns / 1000000000), (long)(end_ns % 1000000000)};
    bool is_over = wait_ms <= 0;
    (void)pthread_mutex_lock(&ticker->lock);
    while (!ticker->stopping && !ticker->woken && !is_over)
        is_over = pthread_cond_timedwait(&ticker->changed, &ticker->lock, &end) != 0;
    ticker->woken = false;
    bool stopping = ticker->stopping;
    (void)pthread_mutex_unlock(&ticker->lock);
    return !stopping;
}

static void *run(void *context)
{
    struct ticker *ticker = context;
    int64_t wait_ms = ticker->first_ms;
    while (wait_for(ticker, wait_ms))
        wait_ms = ticker->work(ticker->context);
    return NULL;
}

static void start_thread(struct ticker *ticker)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    ticker->has_thread = pthread_create(&ticker->thread, NULL, run, ticker) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct ticker *ticker_new(ticker_work *work, void *context, int64_t first_ms)
{
    pthread_condattr_t monotonic;
    struct ticker *ticker = calloc(1, sizeof *ticker);
    if (ticker == NULL)
        return NULL;
    ticker->work = work;
    ticker->context = context;
    ticker->first_ms = first_ms;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&ticker->lock, NULL);
    (void)pthread_cond_init(&ticker->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    start_thread(ticker);
    if (ticker->has_thread)
        return ticker;
    ticker_free(ticker);
    return NULL;
}

static void tell(struct ticker *ticker, bool *what)
{
    (void)pthread_mutex_lock(&ticker->lock);
    *what = true;
    (void)pthread_cond_signal(&ticker->changed);
    (void)pthread_mutex_unlock(&ticker->lock);
}

void ticker_wake(struct ticker *ticker)
{
    tell(ticker, &ticker->woken);
}

void ticker_stop(struct ticker *ticker)
{
    if (ticker == NULL || !ticker->has_thread)
        return;
    tell(ticker, &ticker->stopping);
    (void)pthread_join(ticker->thread, NULL);
    ticker->has_thread = false;
}

void ticker_free(struct ticker *ticker)
{
    if (ticker == NULL)
        return;
    ticker_stop(ticker);
    (void)pthread_cond_destroy(&ticker->changed);
    (void)pthread_mutex_destroy(&ticker->lock);
    free(ticker);
}
