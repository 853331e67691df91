/* SPDX-License-Identifier: Apache-2.0 */
#include "support/steps.h"

#include "support/asserts.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t begin(steps_call call, uint64_t number)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(STEPS_SKIPPED);
        (void)raise(SIGSTOP);
        call(number);
        _exit(0);
    }
    return child;
}

static void call_nothing(uint64_t number)
{
    (void)number;
}

bool steps_may_trace(void)
{
    int status = 0;
    pid_t child = begin(call_nothing, 0);
    (void)waitpid(child, &status, 0);
    if (!WIFSTOPPED(status))
        return false;
    bool steps = ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0;
    if (steps)
        (void)waitpid(child, &status, 0);
    steps_end(child);
    return steps;
}

pid_t steps_start(steps_call call, uint64_t number)
{
    int status = 0;
    pid_t child = begin(call, number);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSTOPPED(status));
    return child;
}

bool steps_go(pid_t child)
{
    int status = 0;
    if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0)
        return false;
    assert_int_equal(waitpid(child, &status, 0), child);
    return !WIFEXITED(status) && !WIFSIGNALED(status);
}

void steps_end(pid_t child)
{
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
}
