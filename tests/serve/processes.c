/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/processes.h"

#include "serve/http_client.h"
#include "support/asserts.h"
#include "support/ports.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STEPS = 2000, STEP_NS = 10000000, MAX_WORDS = 48, LOG_BYTES = 2000 };

bool wait_until(bool (*holds)(void *context), void *context)
{
    const struct timespec step = {0, STEP_NS};
    for (int i = 0; i < STEPS; i++) {
        if (holds(context))
            return true;
        (void)nanosleep(&step, NULL);
    }
    return false;
}

/* ---- programs ---- */

__attribute__((noreturn)) static void become(const char *log_path, const char *const *words)
{
    /* execv() takes char *const *, and changes nothing. */
    union {
        const char *const *ours;
        char *const *its;
    } arguments = {words};
    int in = open("/dev/null", O_RDONLY);
    int out = open(log_path, O_CREAT | O_WRONLY | O_APPEND, 0600);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (in >= 0 && out >= 0 && dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
        dup2(out, STDERR_FILENO) >= 0)
        (void)execv(words[0], arguments.its);
    _exit(127);
}

void process_start(struct process *process, const char *log_path, const char *const *words)
{
    process->pid = fork();
    assert_true(process->pid >= 0);
    if (process->pid == 0)
        become(log_path, words);
}

struct end {
    struct process *process;
    int *how;
};

static bool has_ended(void *context)
{
    const struct end *end = context;
    pid_t got = waitpid(end->process->pid, end->how, WNOHANG);
    return got == end->process->pid || (got < 0 && errno == ECHILD);
}

int process_stop(struct process *process, int signal_number)
{
    int how = 0;
    struct end end = {process, &how};
    if (process->pid == 0)
        return 0;
    (void)kill(process->pid, signal_number);
    bool ended = wait_until(has_ended, &end);
    if (!ended) {
        (void)kill(process->pid, SIGKILL);
        (void)waitpid(process->pid, &how, 0);
    }
    process->pid = 0;
    assert_true(ended);
    return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

bool process_lives(struct process *process)
{
    int how = 0;
    struct end end = {process, &how};
    if (process->pid != 0 && has_ended(&end))
        process->pid = 0;
    return process->pid != 0;
}

void process_fail(const char *program, const char *log_path)
{
    char text[LOG_BYTES + 1] = "";
    FILE *log = fopen(log_path, "r");
    if (log != NULL) {
        (void)fseek(log, -LOG_BYTES, SEEK_END);
        text[fread(text, 1, LOG_BYTES, log)] = '\0';
        (void)fclose(log);
    }
    fail_msg("%s does not start:\n%s", program, text);
    abort();
}

const char *program_path(const char *name)
{
    static char path[256];
    const char *others = getenv("JTIGUARD_TEST_PROGRAMS");
    const char *const folders[] = {others != NULL ? others : "/usr/local/sbin", "/usr/local/sbin",
                                   "/usr/local/bin", "/usr/sbin", "/usr/bin"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folders[i], name);
        if (access(path, X_OK) == 0)
            return path;
    }
    return NULL;
}

uint16_t free_port(void)
{
    return port_take();
}

/* ---- instances ---- */

bool instance_answers(const struct instance *instance, const char *path, unsigned status)
{
    char request[128];
    struct http_answer answer;
    (void)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    bool good = http_ask(instance->admin_port, request, &answer) && answer.status == status;
    http_answer_clear(&answer);
    return good;
}

/* Also true of one that has ended: there is nothing to wait for then. */
static bool is_up_or_dead(void *context)
{
    struct instance *instance = context;
    return !process_lives(&instance->process) || instance_answers(instance, "/readyz", 200);
}

static size_t add_words(const char **words, size_t count, const char *const *more)
{
    for (; *more != NULL; more++) {
        assert_true(count + 1 < MAX_WORDS);
        words[count++] = *more;
    }
    words[count] = NULL;
    return count;
}

static const char *tool(void)
{
    const char *path = getenv("JTIGUARD_TOOL");
    return path != NULL ? path : JTIGUARD_TOOL_PATH;
}

void instance_start_again(struct instance *instance, const char *log_path, const char *keys_path,
                          const char *const *more)
{
    char listen[40];
    char admin[48];
    char keys[128];
    const char *words[MAX_WORDS];
    (void)snprintf(listen, sizeof listen, "--listen=127.0.0.1:%u", (unsigned)instance->port);
    (void)snprintf(admin, sizeof admin, "--admin-listen=127.0.0.1:%u",
                   (unsigned)instance->admin_port);
    (void)snprintf(keys, sizeof keys, "--jwks-file=%s", keys_path != NULL ? keys_path : "");
    const char *const fixed[] = {tool(), "serve", listen, admin, "--log-level=warning", NULL};
    const char *const issuer[] = {keys, "--issuer=" INSTANCE_ISSUER,
                                  "--audience=" INSTANCE_AUDIENCE, NULL};
    size_t count = add_words(words, 0, fixed);
    if (keys_path != NULL)
        count = add_words(words, count, issuer);
    (void)add_words(words, count, more);
    (void)setenv("JTIGUARD_STORE", "memory", 0); /* not that of this machine */
    process_start(&instance->process, log_path, words);
    bool up = wait_until(is_up_or_dead, instance) && process_lives(&instance->process);
    if (up)
        return;
    (void)process_stop(&instance->process, SIGKILL);
    process_fail("jtiguard serve", log_path);
}

void instance_start(struct instance *instance, const char *log_path, const char *keys_path,
                    const char *const *more)
{
    instance->port = free_port();
    instance->admin_port = free_port();
    instance_start_again(instance, log_path, keys_path, more);
}

void instance_stop(struct instance *instance)
{
    if (instance->process.pid != 0)
        assert_int_equal(process_stop(&instance->process, SIGTERM), 0);
    port_give_back(instance->port);
    port_give_back(instance->admin_port);
}

double instance_metric(const struct instance *instance, const char *series)
{
    struct http_answer answer;
    double value = 0;
    size_t len = strlen(series);
    bool came = http_ask(instance->admin_port, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", &answer);
    for (const char *line = came ? answer.body : NULL; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        if (strncmp(line, series, len) == 0 && line[len] == ' ')
            value = strtod(line + len, NULL);
    }
    http_answer_clear(&answer);
    assert_true(came);
    return value;
}
