/* SPDX-License-Identifier: Apache-2.0 */
#include "core/fork.h"
#include "support/asserts.h"
#include "support/threads.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

/* Run `question` in a child; true if the child says yes. */
static bool child_says(bool (*question)(uint64_t parents), uint64_t parents)
{
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0)
        _exit(question(parents) ? 0 : 1);
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    return WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

static bool differs(uint64_t parents)
{
    return jtgi_fork_generation() != parents && jtgi_fork_generation() != 0;
}

/* A grandchild differs from both. */
static bool grandchild_differs(uint64_t parents)
{
    uint64_t mine = jtgi_fork_generation();
    pid_t child = fork();
    if (child == 0)
        _exit(differs(parents) && differs(mine) ? 0 : 1);
    int how = 0;
    return child > 0 && waitpid(child, &how, 0) == child && WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

static void a_process_stays_what_it_is(void **state)
{
    (void)state;
    uint64_t mine = jtgi_fork_generation();
    assert_int_not_equal(mine, 0);
    assert_int_equal(jtgi_fork_generation(), mine);
}

static void a_child_is_another_process(void **state)
{
    (void)state;
    uint64_t mine = jtgi_fork_generation();
    assert_true(child_says(differs, mine));
    assert_true(child_says(differs, mine));
    assert_true(child_says(grandchild_differs, mine));
    assert_int_equal(jtgi_fork_generation(), mine);
}

/* _Fork() runs no handlers, as a raw clone system call does not. */
static void a_child_that_ran_no_handlers_is_another_process(void **state)
{
    (void)state;
    uint64_t mine = jtgi_fork_generation();
    pid_t child = _Fork();
    assert_int_not_equal(child, -1);
    if (child == 0)
        _exit(differs(mine) ? 0 : 1);
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
    assert_int_equal(jtgi_fork_generation(), mine);
}

static void note_generation(void *context, unsigned thread)
{
    atomic_store((atomic_uint_fast64_t *)context + thread, jtgi_fork_generation());
}

static void threads_are_one_process(void **state)
{
    atomic_uint_fast64_t seen[8];
    (void)state;
    threads_run(8, note_generation, seen);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(atomic_load(&seen[i]), jtgi_fork_generation());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_are_one_process),
        cmocka_unit_test(a_process_stays_what_it_is),
        cmocka_unit_test(a_child_is_another_process),
        cmocka_unit_test(a_child_that_ran_no_handlers_is_another_process),
    };
    return cmocka_run_group_tests_name("fork", tests, NULL, NULL);
}
