/* SPDX-License-Identifier: Apache-2.0 */
/* A server that forks, as PostgreSQL, Dovecot and FreeRADIUS do, with one guard for all of its
 * processes: each of them makes its own cache on the host's store, when the first token comes.
 *
 *     forking_server SOCKET STORE WORKERS    8: that many wait for connections; 0: one a connection
 *
 * A line of a connection is "JTI IAT EXP", of a token that was verified; the answer is the name of
 * the guard's reason and who decided: "admitted 4711". */
#include <errno.h>
#include <inttypes.h>
#include <jtiguard/jtiguard.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS_MAX = 64, LINE_BYTES = 512 };

/* ---- the guard of this process ---- */

/* Never the parent's: an object belongs to the process that made it, and a copy of it in a child
 * refuses with "forked". To make one costs some microseconds, so the first token can wait for it.
 */
static jtg_guard *guard;
static const char *store;

static jtg_status open_guard(jtg_error *err)
{
    jtg_cache *cache = NULL;
    jtg_status status = jtg_host_new_uri(&cache, store, err);
    if (status == JTG_OK)
        status = jtg_guard_new(&guard, cache, NULL, err);
    if (status != JTG_OK) {
        fprintf(stderr, "store: %s\n", err->text);
        jtg_cache_free(cache);
    }
    return status;
}

static jtg_reason admit(const char *jti, int64_t iat, int64_t exp)
{
    jtg_claims claims = JTG_CLAIMS_INIT;
    jtg_decision decision = JTG_DECISION_INIT;
    jtg_error err = JTG_ERROR_INIT;
    if (guard == NULL && open_guard(&err) != JTG_OK)
        return jtg_reason_from_status(err.status); /* the next token tries again */
    claims.kind = JTG_KIND_ID_TOKEN;
    claims.issuer = (jtg_text){"https://id.example.com", 22};
    claims.audience = (jtg_text){"mail", 4};
    claims.jti = (jtg_text){jti, strlen(jti)};
    claims.iat_ms = iat * 1000;
    claims.exp_ms = exp * 1000;
    if (!jtg_guard_admit(guard, &claims, &decision, &err) && decision.reason != JTG_REASON_REPLAYED)
        fprintf(stderr, "guard: %s: %s\n", jtg_reason_name(decision.reason), err.text);
    return decision.reason;
}

/* ---- a connection ---- */

static void answer_line(int fd, char *line)
{
    char *rest = line;
    const char *jti = strtok_r(line, " \n", &rest);
    int64_t iat = strtoll(rest, &rest, 10);
    int64_t exp = strtoll(rest, &rest, 10);
    jtg_reason reason = jti != NULL ? admit(jti, iat, exp) : JTG_REASON_MISSING_JTI;
    dprintf(fd, "%s %ld\n", jtg_reason_name(reason), (long)getpid());
}

static void serve(int fd)
{
    char line[LINE_BYTES];
    FILE *connection = fdopen(fd, "r");
    while (connection != NULL && fgets(line, sizeof line, connection) != NULL)
        answer_line(fd, line);
    if (connection != NULL)
        fclose(connection);
    else
        close(fd);
}

/* ---- processes ---- */

/* In the child: ends with its parent, also when that is killed. True in the child. */
static bool fork_child(const sigset_t *blocked)
{
    pid_t parent = getpid();
    pid_t child = fork();
    if (child != 0)
        return false; /* or there is none: one worker less, or a connection without an answer */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    sigprocmask(SIG_UNBLOCK, blocked, NULL);
    return true;
}

static void work(int listener)
{
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0)
            serve(fd);
    }
}

static void serve_in_a_child(int listener, const sigset_t *blocked)
{
    int fd = accept(listener, NULL, NULL);
    if (fd < 0)
        return;
    if (fork_child(blocked)) {
        serve(fd);
        _exit(0);
    }
    close(fd);
}

static unsigned count_deaths(void)
{
    unsigned deaths = 0;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        deaths++;
    return deaths;
}

/* The parent: sees to it that there are workers, or to connections, until it is told to end. */
static void watch(int listener, int signals, const sigset_t *blocked, unsigned workers)
{
    struct pollfd waiting[] = {{signals, POLLIN, 0}, {listener, workers == 0 ? POLLIN : 0, 0}};
    struct signalfd_siginfo told = {0};
    for (unsigned missing = workers; told.ssi_signo != SIGTERM;) {
        for (; missing > 0; missing--)
            if (fork_child(blocked))
                work(listener);
        if (poll(waiting, 2, -1) < 0 && errno != EINTR)
            return;
        if ((waiting[1].revents & POLLIN) != 0)
            serve_in_a_child(listener, blocked);
        if ((waiting[0].revents & POLLIN) != 0 &&
            read(signals, &told, sizeof told) == (ssize_t)sizeof told)
            missing = count_deaths();
        if (workers == 0)
            missing = 0;
    }
}

static int listen_at(const char *path)
{
    union {
        struct sockaddr_un local;
        struct sockaddr any;
    } at = {.local = {.sun_family = AF_UNIX}};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(at.local.sun_path, sizeof at.local.sun_path, "%s", path);
    unlink(path); /* of a server that was killed */
    if (fd < 0 || bind(fd, &at.any, sizeof at.local) != 0 || listen(fd, 64) != 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

int main(int argc, char **argv)
{
    sigset_t blocked;
    unsigned workers = argc == 4 ? (unsigned)strtoul(argv[3], NULL, 10) : WORKERS_MAX + 1;
    if (workers > WORKERS_MAX) {
        fprintf(stderr, "usage: forking_server SOCKET STORE WORKERS\n");
        return 2;
    }
    store = argv[2];
    signal(SIGPIPE, SIG_IGN); /* a client may go away */
    int listener = listen_at(argv[1]);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    watch(listener, signalfd(-1, &blocked, SFD_CLOEXEC), &blocked, workers);
    return 0;
}
