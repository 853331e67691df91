/* SPDX-License-Identifier: Apache-2.0 */
#include "reliability/server.h"

#include "integration/store.h"
#include "support/asserts.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_TRIES = 2000, ANSWER_PAUSE_MS = 5 };

const char *server_program(void)
{
    const char *chosen = getenv("JTIGUARD_TEST_REDIS_SERVER");
    return chosen == NULL || *chosen == '\0' ? "redis-server" : chosen;
}

const char *server_client_program(void)
{
    return strstr(server_program(), "valkey") != NULL ? "valkey-cli" : "redis-cli";
}

static void path_of(const struct server *server, const char *name, char path[SERVER_PATH_BYTES])
{
    int len = snprintf(path, SERVER_PATH_BYTES, "%s/%s", server->folder, name);
    assert_in_range(len, 1, SERVER_PATH_BYTES - 1);
}

void server_init(struct server *server, unsigned host, unsigned port, const char *parent,
                 const char *lines)
{
    char path[SERVER_PATH_BYTES];
    memset(server, 0, sizeof *server);
    server->host = host;
    server->port = port;
    server->is_sentinel = strstr(lines, "sentinel ") != NULL;
    int len = snprintf(server->folder, sizeof server->folder, "%s/%s%u", parent,
                       server->is_sentinel ? "sentinel" : "server", host);
    assert_in_range(len, 1, sizeof server->folder - 1);
    assert_int_equal(mkdir(server->folder, 0700), 0);
    path_of(server, "conf", path);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fprintf(file, "port %u\ndir %s\nprotected-mode no\n%s", port, server->folder, lines);
    assert_int_equal(fclose(file), 0);
}

static void hang_up(struct server *server)
{
    if (server->control != NULL)
        redisFree(server->control);
    server->control = NULL;
}

/* A socket stays in the namespace in which it was opened. */
static bool call_up(struct server *server)
{
    struct timeval patience = {1, 0};
    char address[HOST_ADDRESS_BYTES];
    if (server->control != NULL && server->control->err == 0)
        return true;
    hang_up(server);
    hosts_address(server->host, address);
    hosts_enter(server->host);
    server->control = redisConnectWithTimeout(address, (int)server->port, patience);
    hosts_leave();
    if (server->control != NULL && server->control->err == 0 &&
        redisSetTimeout(server->control, patience) == REDIS_OK)
        return true;
    hang_up(server);
    return false;
}

static redisReply *ask(struct server *server, const char *format, va_list words)
{
    if (server->pid == 0 || server->is_frozen || !call_up(server))
        return NULL;
    redisReply *reply = redisvCommand(server->control, format, words);
    if (reply == NULL)
        hang_up(server);
    return reply;
}

redisReply *server_ask(struct server *server, const char *format, ...)
{
    va_list words;
    va_start(words, format);
    redisReply *reply = ask(server, format, words);
    va_end(words);
    return reply;
}

bool server_order(struct server *server, const char *format, ...)
{
    va_list words;
    va_start(words, format);
    redisReply *reply = ask(server, format, words);
    va_end(words);
    bool obeyed = reply != NULL && reply->type == REDIS_REPLY_STATUS;
    if (reply != NULL)
        freeReplyObject(reply);
    return obeyed;
}

static bool answers(struct server *server)
{
    redisReply *reply = server_ask(server, "PING");
    bool does = reply != NULL && reply->type == REDIS_REPLY_STATUS;
    if (reply != NULL)
        freeReplyObject(reply);
    return does;
}

void server_start(struct server *server)
{
    char conf[SERVER_PATH_BYTES];
    char log[SERVER_PATH_BYTES];
    path_of(server, "conf", conf);
    path_of(server, "log", log);
    const char *words[] = {server_program(), conf, server->is_sentinel ? "--sentinel" : NULL, NULL};
    assert_int_equal(server->pid, 0);
    server->pid = hosts_spawn(server->host, words, log);
    for (int i = 0; i < ANSWER_TRIES; i++) {
        if (answers(server))
            return;
        if (waitpid(server->pid, NULL, WNOHANG) != 0)
            break;
        store_sleep_ms(ANSWER_PAUSE_MS);
    }
    fail_msg("a server does not start, see %s", log);
}

void server_kill(struct server *server)
{
    hang_up(server);
    if (server->pid == 0)
        return;
    assert_int_equal(kill(server->pid, SIGKILL), 0);
    assert_int_equal(waitpid(server->pid, NULL, 0), server->pid);
    server->pid = 0;
    server->is_frozen = false;
}

void server_freeze(struct server *server)
{
    int status;
    assert_int_equal(kill(server->pid, SIGSTOP), 0);
    assert_int_equal(waitpid(server->pid, &status, WUNTRACED), server->pid);
    assert_true(WIFSTOPPED(status));
    server->is_frozen = true;
}

void server_thaw(struct server *server)
{
    assert_int_equal(kill(server->pid, SIGCONT), 0);
    server->is_frozen = false;
}

void server_forget(const struct server *server)
{
    char path[SERVER_PATH_BYTES];
    path_of(server, "dump.rdb", path);
    unlink(path);
}

static bool is_text(const redisReply *reply, const char *text)
{
    return reply != NULL && reply->str != NULL && strcmp(reply->str, text) == 0;
}

/* ["master", offset, [[address, port, offset], …]] */
static void read_primary(const redisReply *reply, struct role *role)
{
    role->is_primary = true;
    const redisReply *list = reply->elements == 3 ? reply->element[2] : NULL;
    for (size_t i = 0; list != NULL && i < list->elements && i < SERVER_REPLICAS_MAX; i++)
        role->replicas[role->replica_count++] = hosts_number(list->element[i]->element[0]->str);
}

/* ["slave", address, port, "connected", offset] */
static void read_replica(const redisReply *reply, struct role *role)
{
    role->is_linked = reply->elements == 5 && is_text(reply->element[3], "connected");
    role->primary = reply->elements == 5 ? hosts_number(reply->element[1]->str) : 0;
}

struct role server_role(struct server *server)
{
    struct role role = {.known = false};
    redisReply *reply = server_ask(server, "ROLE");
    if (reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements > 0) {
        role.known = true;
        if (is_text(reply->element[0], "master"))
            read_primary(reply, &role);
        else
            read_replica(reply, &role);
    }
    if (reply != NULL)
        freeReplyObject(reply);
    return role;
}
