/* SPDX-License-Identifier: Apache-2.0 */
#include "isolate.h"

#include "bench.h"
#include "progress.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void bench_die(const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    bench_progress_clear();
    fprintf(stderr, "jtiguard bench: %s\n", line);
    _exit(BENCH_FAILED);
}

static void measure_and_exit(bench_measurement measurement, const void *input, size_t result_bytes,
                             int to_parent)
{
    unsigned char *result = calloc(1, result_bytes);
    if (result == NULL)
        bench_die("no memory");
    measurement(input, result);
    for (size_t sent = 0; sent < result_bytes;) {
        ssize_t count = write(to_parent, result + sent, result_bytes - sent);
        if (count < 0 && errno != EINTR)
            bench_die("cannot hand over a result: %s", strerror(errno));
        sent += count > 0 ? (size_t)count : 0;
    }
    free(result);
    _exit(BENCH_DONE);
}

static size_t read_all(int from_child, unsigned char *result, size_t result_bytes)
{
    size_t got = 0;
    while (got < result_bytes) {
        ssize_t count = read(from_child, result + got, result_bytes - got);
        if (count == 0 || (count < 0 && errno != EINTR))
            break;
        got += count > 0 ? (size_t)count : 0;
    }
    return got;
}

/* A measurement that says why it failed has said it; one that was killed could not. */
static bool ended_well(pid_t child)
{
    int how = 0;
    while (waitpid(child, &how, 0) < 0)
        if (errno != EINTR)
            return false;
    if (WIFSIGNALED(how)) {
        bench_progress_clear();
        fprintf(stderr, "jtiguard bench: a measurement was ended by signal %d%s\n", WTERMSIG(how),
                WTERMSIG(how) == SIGKILL ? " (not enough memory?)" : "");
    }
    return WIFEXITED(how) && WEXITSTATUS(how) == BENCH_DONE;
}

bool bench_isolate(bench_measurement measurement, const void *input, void *result,
                   size_t result_bytes)
{
    int ends[2];
    if (pipe(ends) != 0) {
        perror("jtiguard bench: pipe");
        return false;
    }
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* it may take minutes, and nobody would read it */
        (void)close(ends[0]);
        measure_and_exit(measurement, input, result_bytes, ends[1]);
    }
    (void)close(ends[1]);
    if (child < 0)
        perror("jtiguard bench: fork");
    size_t got = child < 0 ? 0 : read_all(ends[0], result, result_bytes);
    (void)close(ends[0]);
    return child > 0 && ended_well(child) && got == result_bytes;
}
