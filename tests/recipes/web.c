/* SPDX-License-Identifier: Apache-2.0 */
#include "recipes/web.h"

#include "serve/http_client.h"
#include "serve/signer.h"
#include "support/asserts.h"

#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 40 };

static int open_door(void *context, unsigned which)
{
    const struct web *web = context;
    (void)which;
    return http_connect(web->port);
}

/* How many connections wait for a process that takes them. */
static unsigned count_waiting(uint16_t port)
{
    char line[256];
    unsigned waiting = 0;
    FILE *file = fopen("/proc/net/tcp", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned at = 0;
        unsigned state = 0;
        unsigned queued = 0;
        if (sscanf(line, "%*u: %*x:%x %*x:%*x %x %*x:%x", &at, &state, &queued) == 3 &&
            at == port && state == TCP_LISTEN)
            waiting = queued;
    }
    (void)fclose(file);
    return waiting;
}

/* One may wait for a new process in place of one that was killed. */
static bool are_taken(void *context)
{
    const struct web *web = context;
    return count_waiting(web->port) <= 1;
}

/* So that a token is shown to different processes: not to the one that is ready first. */
static void settle(void *context)
{
    struct web *web = context;
    if (web->takes_one)
        (void)wait_until(are_taken, web);
}

static void show_token(void *context, int fd, const struct crowd_token *token)
{
    const struct web *web = context;
    char *headers = web->headers(token);
    char *request = text_of("GET /login HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n"
                            "%s\r\n",
                            headers);
    (void)http_send(fd, request, strlen(request));
    free(request);
    free(headers);
}

static enum crowd_answer judge(const struct web *web, struct http_answer *answer, pid_t *worker)
{
    const char *who = http_header(answer, "X-Worker");
    *worker = who != NULL ? (pid_t)strtol(who, NULL, 10) : 0;
    if (answer->status == 200)
        return CROWD_ADMITTED;
    const char *reason = http_header(answer, "X-JTI-Reason");
    if (reason != NULL && strcmp(reason, "store_blocked") == 0)
        return CROWD_BLOCKED;
    if (reason == NULL || strcmp(reason, "replayed") != 0)
        place_fail(&web->place, answer->head);
    return CROWD_REPLAYED;
}

static enum crowd_answer read_answer(void *context, int fd, pid_t *worker)
{
    struct http_answer answer;
    bool came = http_read(fd, &answer, false);
    enum crowd_answer result = came ? judge(context, &answer, worker) : CROWD_LOST;
    http_answer_clear(&answer);
    return result;
}

const struct crowd_server web_server = {false, open_door, settle, show_token, read_answer};

static bool is_up_or_dead(void *context)
{
    struct web *web = context;
    int fd = open_door(web, 0);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0 || !process_lives(&web->process);
}

void web_start(struct web *web, const char *const *variables, const char *const *words)
{
    /* A group of its own: httpd ends all of its group. */
    const char *all[WORDS_MAX] = {"/usr/bin/setsid", "/usr/bin/env"};
    size_t count = 2;
    for (; *variables != NULL && count + 1 < WORDS_MAX; variables++)
        all[count++] = *variables;
    for (; *words != NULL && count + 1 < WORDS_MAX; words++)
        all[count++] = *words;
    all[count] = NULL;
    process_start(&web->process, web->place.log_path, all);
    if (!wait_until(is_up_or_dead, web) || !process_lives(&web->process))
        place_fail(&web->place, "it does not start");
}

static bool is_gone(void *context)
{
    int fd = open_door(context, 0);
    if (fd >= 0)
        (void)close(fd);
    return fd < 0;
}

void web_stop(struct web *web, int signal_number)
{
    pid_t group = web->process.pid;
    assert_true(group > 0); /* 0 would be the test's own */
    if (signal_number == SIGKILL)
        (void)kill(-group, SIGKILL);
    (void)process_stop(&web->process, signal_number);
    (void)kill(-group, SIGKILL);
    assert_true(wait_until(is_gone, web));
}

void web_try(struct web *web, const char *name, unsigned tokens, unsigned kill_every,
             pid_t (*restart)(struct web *web, unsigned time))
{
    static struct crowd crowd;
    crowd_init(&crowd, &web_server, web);
    crowd_restarted(&crowd, web->process.pid);
    for (unsigned i = 0; i <= WEB_RESTARTS; i++) {
        crowd_show_new(&crowd, tokens, kill_every);
        if (i == WEB_RESTARTS)
            break;
        crowd_restarted(&crowd, restart(web, i));
        crowd_show_all_again(&crowd);
    }
    crowd_end(&crowd, name);
}
