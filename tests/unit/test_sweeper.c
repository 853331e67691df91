/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/sweeper.h"

#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/table_memory.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

enum { ENTRIES = 5000, HOUR_MS = 3600000 };

static struct table_memory memory;
static struct jtgi_values *values;
static _Atomic uint64_t clock_ms;

static uint64_t now(void *context)
{
    (void)context;
    return atomic_load(&clock_ms);
}

static int set_up(void **state)
{
    (void)state;
    atomic_store(&clock_ms, 1);
    table_memory_open(&memory, ENTRIES, 0, true);
    values = jtgi_values_new(ENTRIES, 1 << 20);
    for (uint64_t i = 0; i < ENTRIES; i++) {
        jtg_key key = {&i, sizeof i, NULL, 0};
        jtg_owner owner = {{0}};
        assert_int_equal(jtgi_table_reserve(memory.table, &key, &owner, 1, 99), JTG_OK);
        if (i < 100)
            assert_int_equal(jtgi_values_put(values, &key, "v", 1, 1, 99, 1), JTG_OK);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    table_memory_close(&memory);
    jtgi_values_free(values, false);
    return 0;
}

static struct jtgi_sweeper *open_sweeper(uint32_t interval_ms)
{
    const struct jtgi_sweeper_target target = {memory.table, values, now, NULL};
    jtg_status status = JTG_ERR_SYSTEM;
    struct jtgi_sweeper *sweeper = jtgi_sweeper_new(&target, interval_ms, &status);
    assert_int_equal(status, JTG_OK);
    assert_non_null(sweeper);
    return sweeper;
}

static uint64_t left(void)
{
    struct jtgi_values_stats stats;
    jtgi_values_stats_get(values, &stats);
    uint64_t count = 0;
    assert_int_equal(jtgi_table_count(memory.table, &count), JTG_OK);
    return count + stats.values;
}

static void test_without_a_thread_the_caller_steps(void **state)
{
    (void)state;
    struct jtgi_sweeper *sweeper = open_sweeper(0);
    while (jtgi_sweeper_step(sweeper))
        ;
    assert_int_equal(jtgi_sweeper_passes(sweeper), 1);
    assert_int_equal(left(), ENTRIES + 100);

    atomic_store(&clock_ms, 100);
    int steps = 0;
    while (jtgi_sweeper_step(sweeper))
        steps++;
    assert_true(steps >= ENTRIES / JTGI_SWEEP_SLOTS);
    assert_int_equal(jtgi_sweeper_passes(sweeper), 2);
    assert_int_equal(left(), 0);
    jtgi_sweeper_free(sweeper, false);
}

static void test_the_thread_does_it_alone(void **state)
{
    (void)state;
    struct jtgi_sweeper *sweeper = open_sweeper(1);
    atomic_store(&clock_ms, 100);
    while (left() > 0)
        (void)sched_yield();
    jtgi_sweeper_free(sweeper, false);
}

static void test_ends_at_once_whatever_the_interval(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++)
        jtgi_sweeper_free(open_sweeper(HOUR_MS), false); /* returns: the test has a time limit */
}

/* Runs on the sweeper's thread: which signals can reach it? 1 = only faults, 2 = others too. */
static atomic_int reached_by;

static uint64_t look_at_signals(void *context)
{
    sigset_t blocked;
    (void)pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    bool faults_only = sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGUSR1) == 1 &&
                       sigismember(&blocked, SIGALRM) == 1 && sigismember(&blocked, SIGSEGV) == 0;
    atomic_store(&reached_by, faults_only ? 1 : 2);
    return now(context);
}

/* A program that blocks a signal in its threads, to wait for it in one, must find it there. */
static void test_leaves_signals_to_the_program(void **state)
{
    (void)state;
    const struct jtgi_sweeper_target target = {memory.table, values, look_at_signals, NULL};
    jtg_status status = JTG_ERR_SYSTEM;
    sigset_t mask;
    struct jtgi_sweeper *sweeper = jtgi_sweeper_new(&target, 1, &status);
    assert_int_equal(status, JTG_OK);
    while (atomic_load(&reached_by) == 0)
        (void)sched_yield();
    jtgi_sweeper_free(sweeper, false);
    assert_int_equal(atomic_load(&reached_by), 1);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    assert_int_equal(sigismember(&mask, SIGUSR1), 0); /* this thread's are as they were */
}

static void test_says_what_was_missing(void **state)
{
    (void)state;
    const struct jtgi_sweeper_target target = {memory.table, values, now, NULL};
    jtg_status status = JTG_OK;
    alloc_walk_fail_nth(1);
    assert_null(jtgi_sweeper_new(&target, HOUR_MS, &status));
    assert_true(alloc_walk_end());
    assert_int_equal(status, JTG_ERR_MEMORY);
    alloc_walk_fail_nth(2);
    assert_null(jtgi_sweeper_new(&target, HOUR_MS, &status));
    assert_true(alloc_walk_end());
    assert_int_equal(status, JTG_ERR_SYSTEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_without_a_thread_the_caller_steps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_thread_does_it_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ends_at_once_whatever_the_interval, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_leaves_signals_to_the_program, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_says_what_was_missing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
