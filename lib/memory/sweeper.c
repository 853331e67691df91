/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/sweeper.h"

#include "core/alloc.h"
#include "core/thread.h"

#include <pthread.h>
#include <time.h>

struct jtgi_sweeper {
    struct jtgi_sweeper_target target;
    size_t units; /* partitions, then parts of the values */

    pthread_mutex_t pass_lock; /* held during a step; before a partition's or part's lock */
    size_t unit;               /* the next step is on this one */
    size_t idle;               /* units in a row that had nothing to do */
    uint64_t pass;             /* number of the pass under way, from 1 */

    pthread_mutex_t stop_lock;
    pthread_cond_t changed; /* stop, or grown */
    bool stop;
    bool grown; /* the table has grown: settle before the interval is over */
    bool has_thread;
    pthread_t thread;
    uint32_t interval_ms;
};

/* ---- the step ---- */

static bool sweep_unit(struct jtgi_sweeper *sweeper, size_t unit, uint64_t now)
{
    const struct jtgi_sweeper_target *target = &sweeper->target;
    size_t partitions = jtgi_table_partitions(target->table);
    return unit < partitions
               ? jtgi_table_sweep(target->table, unit, now, sweeper->pass)
               : jtgi_values_sweep(target->values, unit - partitions, now, sweeper->pass);
}

/* Go round to the next unit that has work, and do one step of it. Units without work cost a look,
 * so they are passed over within the step. */
static bool step_locked(struct jtgi_sweeper *sweeper)
{
    uint64_t now = sweeper->target.now(sweeper->target.context);
    while (sweeper->idle < sweeper->units) {
        bool more = sweep_unit(sweeper, sweeper->unit, now);
        sweeper->unit = (sweeper->unit + 1) % sweeper->units;
        sweeper->idle = more ? 0 : sweeper->idle + 1;
        if (more)
            return true;
    }
    sweeper->idle = 0;
    sweeper->pass++;
    return false;
}

bool jtgi_sweeper_step(struct jtgi_sweeper *sweeper)
{
    (void)pthread_mutex_lock(&sweeper->pass_lock);
    bool more = step_locked(sweeper);
    (void)pthread_mutex_unlock(&sweeper->pass_lock);
    return more;
}

uint64_t jtgi_sweeper_passes(struct jtgi_sweeper *sweeper)
{
    (void)pthread_mutex_lock(&sweeper->pass_lock);
    uint64_t passes = sweeper->pass - 1;
    (void)pthread_mutex_unlock(&sweeper->pass_lock);
    return passes;
}

/* ---- the thread ---- */

static struct timespec after_ms(uint32_t ms)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

enum wake { WAKE_TO_STOP, WAKE_TO_SETTLE, WAKE_TO_SWEEP };

/* Wait for a reason to work. Without one, that is the end of the interval. */
static enum wake wait_until(struct jtgi_sweeper *sweeper, const struct timespec *until)
{
    int timed_out = 0;
    (void)pthread_mutex_lock(&sweeper->stop_lock);
    while (!sweeper->stop && !sweeper->grown && timed_out == 0)
        timed_out = pthread_cond_timedwait(&sweeper->changed, &sweeper->stop_lock, until);
    enum wake wake = sweeper->stop ? WAKE_TO_STOP : sweeper->grown ? WAKE_TO_SETTLE : WAKE_TO_SWEEP;
    sweeper->grown = false;
    (void)pthread_mutex_unlock(&sweeper->stop_lock);
    return wake;
}

static bool is_stopping(struct jtgi_sweeper *sweeper)
{
    (void)pthread_mutex_lock(&sweeper->stop_lock);
    bool stop = sweeper->stop;
    (void)pthread_mutex_unlock(&sweeper->stop_lock);
    return stop;
}

static void settle(struct jtgi_sweeper *sweeper)
{
    while (!is_stopping(sweeper) && jtgi_table_settle(sweeper->target.table))
        ;
}

static void *run(void *argument)
{
    struct jtgi_sweeper *sweeper = argument;
    for (;;) {
        struct timespec until = after_ms(sweeper->interval_ms);
        enum wake wake;
        while ((wake = wait_until(sweeper, &until)) == WAKE_TO_SETTLE)
            settle(sweeper);
        while (wake == WAKE_TO_SWEEP && !is_stopping(sweeper))
            if (!jtgi_sweeper_step(sweeper))
                break;
        if (wake == WAKE_TO_STOP)
            return NULL;
    }
}

static void settle_soon(void *context)
{
    struct jtgi_sweeper *sweeper = context;
    (void)pthread_mutex_lock(&sweeper->stop_lock);
    sweeper->grown = true;
    (void)pthread_cond_signal(&sweeper->changed);
    (void)pthread_mutex_unlock(&sweeper->stop_lock);
}

/* ---- life ---- */

static void init_locks(struct jtgi_sweeper *sweeper)
{
    pthread_condattr_t attributes;
    (void)pthread_mutex_init(&sweeper->pass_lock, NULL);
    (void)pthread_mutex_init(&sweeper->stop_lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&sweeper->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

struct jtgi_sweeper *jtgi_sweeper_new(const struct jtgi_sweeper_target *target,
                                      uint32_t interval_ms, jtg_status *status)
{
    struct jtgi_sweeper *sweeper = jtgi_alloc(sizeof *sweeper);
    *status = JTG_ERR_MEMORY;
    if (sweeper == NULL)
        return NULL;
    sweeper->target = *target;
    sweeper->units = jtgi_table_partitions(target->table) + jtgi_values_number(target->values);
    sweeper->pass = 1;
    sweeper->interval_ms = interval_ms;
    init_locks(sweeper);

    if (interval_ms != 0) {
        jtgi_table_set_listener(target->table, settle_soon, sweeper);
        sweeper->has_thread = jtgi_thread_start(&sweeper->thread, run, sweeper);
        if (!sweeper->has_thread) {
            *status = JTG_ERR_SYSTEM;
            jtgi_sweeper_free(sweeper, false);
            return NULL;
        }
    }
    *status = JTG_OK;
    return sweeper;
}

void jtgi_sweeper_free(struct jtgi_sweeper *sweeper, bool in_child)
{
    if (sweeper == NULL)
        return;
    if (!in_child) {
        (void)pthread_mutex_lock(&sweeper->stop_lock);
        sweeper->stop = true;
        (void)pthread_cond_signal(&sweeper->changed);
        (void)pthread_mutex_unlock(&sweeper->stop_lock);
        if (sweeper->has_thread)
            (void)pthread_join(sweeper->thread, NULL);
        (void)pthread_cond_destroy(&sweeper->changed);
        (void)pthread_mutex_destroy(&sweeper->stop_lock);
        (void)pthread_mutex_destroy(&sweeper->pass_lock);
    }
    jtgi_free(sweeper);
}
