/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/redis/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static bool redirect(int out)
{
    int nowhere = open("/dev/null", O_RDWR);
    return nowhere >= 0 && dup2(nowhere, STDIN_FILENO) >= 0 && dup2(nowhere, STDERR_FILENO) >= 0 &&
           dup2(out < 0 ? nowhere : out, STDOUT_FILENO) >= 0;
}

__attribute__((noreturn)) static void become(const char *const *words, int out, unsigned limit_s)
{
    /* execvp() takes char *const *, and changes nothing. */
    union {
        const char *const *ours;
        char *const *its;
    } arguments = {words};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)alarm(limit_s); /* survives exec */
    if (redirect(out))
        (void)execvp(words[0], arguments.its);
    _exit(BENCH_CHILD_NOT_FOUND);
}

pid_t bench_child_start(const char *const *words, int out, unsigned limit_s)
{
    pid_t child = fork();
    if (child == 0)
        become(words, out, limit_s);
    return child < 0 ? 0 : child;
}

int bench_child_wait(pid_t child)
{
    int how = 0;
    while (waitpid(child, &how, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}
