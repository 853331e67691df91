/* SPDX-License-Identifier: Apache-2.0 */
/* What is done again and again: when it is, when it is not, and that its end waits for it. */
#include "ticker.h"

#include "support/asserts.h"
#include "support/threads.h"

#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { HOUR_MS = 3600000 };

static struct job {
    sem_t begun;
    sem_t may_end;
    bool waits; /* for may_end */
    int64_t again_ms;
    atomic_uint ended;
    bool took_signals;
} job;

static struct ticker *ticker;

static int64_t work(void *context)
{
    struct job *done = context;
    sigset_t blocked;
    (void)pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    done->took_signals = sigismember(&blocked, SIGTERM) == 0;
    (void)sem_post(&done->begun);
    if (done->waits)
        (void)sem_wait(&done->may_end);
    (void)atomic_fetch_add(&done->ended, 1);
    return done->again_ms;
}

static int set_up(void **state)
{
    (void)state;
    job = (struct job){.again_ms = HOUR_MS};
    return sem_init(&job.begun, 0, 0) + sem_init(&job.may_end, 0, 0);
}

static int tear_down(void **state)
{
    (void)state;
    ticker_free(ticker);
    ticker = NULL;
    return sem_destroy(&job.begun) + sem_destroy(&job.may_end);
}

static void start(int64_t first_ms)
{
    ticker = ticker_new(work, &job, first_ms);
    assert_non_null(ticker);
}

static void await_begin(void)
{
    assert_int_equal(sem_wait(&job.begun), 0);
}

static void it_is_done_again_and_again(void **state)
{
    (void)state;
    job.again_ms = 1;
    start(0);
    for (unsigned i = 0; i < 5; i++)
        await_begin();
    ticker_stop(ticker);
    assert_true(atomic_load(&job.ended) >= 5);
    assert_false(job.took_signals);
}

static void a_wake_cuts_the_wait_short(void **state)
{
    (void)state;
    start(HOUR_MS);
    for (unsigned i = 0; i < 3; i++) {
        ticker_wake(ticker);
        await_begin();
    }
    ticker_stop(ticker);
    assert_int_equal(atomic_load(&job.ended), 3);
}

/* It may have come too late for what is under way. */
static void a_wake_meanwhile_is_not_lost(void **state)
{
    (void)state;
    job.waits = true;
    start(0);
    await_begin();
    ticker_wake(ticker);
    ticker_wake(ticker);
    (void)sem_post(&job.may_end);
    await_begin();
    (void)sem_post(&job.may_end);
    ticker_stop(ticker);
    assert_int_equal(atomic_load(&job.ended), 2);
}

static void the_end_does_not_wait_for_the_next_time(void **state)
{
    (void)state;
    start(HOUR_MS);
    ticker_stop(ticker);
    assert_int_equal(atomic_load(&job.ended), 0);
    ticker_wake(ticker);
    ticker_stop(ticker);
    assert_int_equal(atomic_load(&job.ended), 0);
}

static unsigned ended_at_stop;

static void stop_ticker(void *context, unsigned index)
{
    (void)context;
    (void)index;
    ticker_stop(ticker);
    ended_at_stop = atomic_load(&job.ended);
}

static void the_end_waits_for_what_is_being_done(void **state)
{
    (void)state;
    job.waits = true;
    start(0);
    await_begin();
    struct threads *threads = threads_start(1, stop_ticker, NULL);
    (void)sem_post(&job.may_end);
    threads_join(threads);
    assert_int_equal(ended_at_stop, 1);
}

static void nothing_is_freed_of_nothing(void **state)
{
    (void)state;
    ticker_stop(NULL);
    ticker_free(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(it_is_done_again_and_again),           TEST(a_wake_cuts_the_wait_short),
        TEST(a_wake_meanwhile_is_not_lost),         TEST(the_end_does_not_wait_for_the_next_time),
        TEST(the_end_waits_for_what_is_being_done), TEST(nothing_is_freed_of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
