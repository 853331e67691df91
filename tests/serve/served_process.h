/* SPDX-License-Identifier: Apache-2.0 */
/* `jtiguard serve` as a process of its own, with what it says on standard error in a file. */
#ifndef TESTS_SERVE_SERVED_PROCESS_H
#define TESTS_SERVE_SERVED_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct served_process {
    pid_t pid; /* 0: none */
    char err_path[128];
};

/* arguments end with NULL and begin with the first one behind `serve`; the environment likewise,
 * NULL: the test's own. It ends with the test, even one that crashes. Asserts. */
void process_start(struct served_process *process, const char *folder, const char *const *arguments,
                   const char *const *environment);

/* What stands in its standard error, once `text` does; NULL after ten seconds. The caller frees
 * it. */
char *process_await(const struct served_process *process, const char *text);

void process_signal(const struct served_process *process, int signal_number);

/* Its exit code, within the time; -1: it did not end, and was killed. */
int process_wait(struct served_process *process, unsigned timeout_ms);

#endif
