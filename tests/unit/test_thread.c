/* SPDX-License-Identifier: Apache-2.0 */
#include "core/thread.h"

#include "support/alloc_walk.h"
#include "support/asserts.h"

#include <signal.h>

static void *note_mask(void *mask)
{
    (void)pthread_sigmask(SIG_SETMASK, NULL, mask);
    return mask;
}

static void the_thread_leaves_signals_to_the_program(void **state)
{
    pthread_t thread;
    sigset_t before;
    sigset_t inside;
    sigset_t after;
    (void)state;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &before);
    assert_true(jtgi_thread_start(&thread, note_mask, &inside));
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &after);
    static const int programs[] = {SIGTERM, SIGINT, SIGHUP, SIGALRM, SIGCHLD, SIGUSR1, SIGPIPE};
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        assert_int_equal(sigismember(&inside, programs[i]), 1);
        assert_int_equal(sigismember(&after, programs[i]), sigismember(&before, programs[i]));
    }
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        assert_int_equal(sigismember(&inside, faults[i]), 0);
}

static void without_a_thread_it_says_so(void **state)
{
    pthread_t thread;
    sigset_t inside;
    (void)state;
    alloc_walk_fail_nth(1);
    assert_false(jtgi_thread_start(&thread, note_mask, &inside));
    assert_true(alloc_walk_end());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_thread_leaves_signals_to_the_program),
        cmocka_unit_test(without_a_thread_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
