/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/redis/server.h"

#include "bench/port.h"
#include "bench/redis/child.h"

#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PORT_TRIES = 8, READY_TRIES = 1000, READY_PAUSE_MS = 10 };

static void spawn(struct bench_server *server, unsigned port)
{
    char number[24];
    (void)snprintf(number, sizeof number, "%u", port);
    (void)snprintf(server->uri, sizeof server->uri, "redis://127.0.0.1:%u?timeout=10s", port);
    const char *words[] = {"redis-server", "--port", number,         "--bind", "127.0.0.1",
                           "--save",       "",       "--appendonly", "no",     "--maxmemory-policy",
                           "noeviction",   "--dir",  server->folder, NULL};
    server->pid = bench_child_start(words, -1, 0);
}

/* Whoever took the port in between is not to be emptied: the server says which process it is. */
static bool is_ours(const struct bench_server *server, unsigned port)
{
    static const struct timeval patience = {1, 0};
    char wanted[48];
    redisContext *context = redisConnectWithTimeout("127.0.0.1", (int)port, patience);
    redisReply *reply = NULL;
    if (context != NULL && context->err == 0 && redisSetTimeout(context, patience) == REDIS_OK)
        reply = redisCommand(context, "INFO server");
    (void)snprintf(wanted, sizeof wanted, "\nprocess_id:%ld\r\n", (long)server->pid);
    bool good = reply != NULL && reply->type == REDIS_REPLY_STRING && strstr(reply->str, wanted);
    if (reply != NULL)
        freeReplyObject(reply);
    if (context != NULL)
        redisFree(context);
    return good;
}

static void end(struct bench_server *server)
{
    if (server->pid == 0)
        return;
    (void)kill(server->pid, SIGTERM);
    (void)bench_child_wait(server->pid);
    server->pid = 0;
}

static bool wait_until_it_answers(struct bench_server *server, unsigned port)
{
    static const struct timespec pause = {0, READY_PAUSE_MS * 1000000L};
    for (int i = 0; i < READY_TRIES; i++) {
        if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
            server->pid = 0;
            return false;
        }
        if (is_ours(server, port))
            return true;
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

static bool try_once(struct bench_server *server)
{
    unsigned port = bench_port_find();
    if (port == 0)
        return false;
    spawn(server, port);
    bool good = server->pid != 0 && wait_until_it_answers(server, port);
    if (!good)
        end(server);
    return good;
}

bool bench_server_start(struct bench_server *server)
{
    const char *base = getenv("TMPDIR");
    int len = snprintf(server->folder, sizeof server->folder, "%s/jtiguard-bench.XXXXXX",
                       base != NULL && *base == '/' ? base : "/tmp");
    server->pid = 0;
    if (len < 0 || (size_t)len >= sizeof server->folder || mkdtemp(server->folder) == NULL) {
        perror("jtiguard bench redis: no folder for a server");
        return false;
    }
    for (int i = 0; i < PORT_TRIES; i++)
        if (try_once(server))
            return true;
    fputs("jtiguard bench redis: redis-server does not start (is it installed?); "
          "--store names another\n",
          stderr);
    (void)rmdir(server->folder);
    return false;
}

void bench_server_stop(struct bench_server *server)
{
    end(server);
    (void)rmdir(server->folder);
}
