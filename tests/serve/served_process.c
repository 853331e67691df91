/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/served_process.h"

#include "support/asserts.h"
#include "support/text_file.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS_MAX = 40, PATIENCE_STEPS = 1000, STEP_MS = 10 };

static void pause_a_step(void)
{
    const struct timespec step = {0, STEP_MS * 1000000L};
    (void)nanosleep(&step, NULL);
}

/* execve() takes strings that it does not change, and cannot say so in C. */
static void copy_words(char **words, const char *const *given, int at)
{
    for (; given != NULL && *given != NULL && at < WORDS_MAX; given++) {
        union {
            const char *given;
            char *taken;
        } word = {.given = *given};
        words[at++] = word.taken;
    }
    words[at] = NULL;
}

/* Not that of this machine, unless a test names one. */
static void add_store(char **variables)
{
    static char store[] = "JTIGUARD_STORE=memory";
    size_t at = 0;
    for (; variables[at] != NULL; at++)
        if (strncmp(variables[at], store, sizeof "JTIGUARD_STORE" - 1) == 0)
            return;
    assert_true(at < WORDS_MAX);
    variables[at] = store;
    variables[at + 1] = NULL;
}

static void become(const char *const *arguments, const char *const *environment, int err)
{
    static char tool[] = JTIGUARD_TOOL_PATH;
    static char serve[] = "serve";
    char *words[WORDS_MAX + 1] = {tool, serve};
    char *variables[WORDS_MAX + 1];
    copy_words(words, arguments, 2);
    copy_words(variables, environment, 0);
    add_store(variables);
    (void)setenv("JTIGUARD_STORE", "memory", 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(err, STDERR_FILENO) >= 0)
        (void)execve(tool, words, environment != NULL ? variables : environ);
    _exit(127);
}

void process_start(struct served_process *process, const char *folder, const char *const *arguments,
                   const char *const *environment)
{
    (void)snprintf(process->err_path, sizeof process->err_path, "%s/err", folder);
    int err = open(process->err_path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    assert_true(err >= 0);
    process->pid = fork();
    assert_true(process->pid >= 0);
    if (process->pid == 0)
        become(arguments, environment, err);
    (void)close(err);
}

char *process_await(const struct served_process *process, const char *text)
{
    for (int i = 0; i < PATIENCE_STEPS; i++) {
        char *said = text_file_read(process->err_path);
        if (strstr(said, text) != NULL)
            return said;
        free(said);
        pause_a_step();
    }
    return NULL;
}

void process_signal(const struct served_process *process, int signal_number)
{
    assert_int_equal(kill(process->pid, signal_number), 0);
}

int process_wait(struct served_process *process, unsigned timeout_ms)
{
    int status = 0;
    pid_t pid = process->pid;
    process->pid = 0;
    for (unsigned waited = 0; waited < timeout_ms; waited += STEP_MS) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        pause_a_step();
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, &status, 0);
    return -1;
}
