/* SPDX-License-Identifier: Apache-2.0 */
#include "support/scripted_server.h"

#include "support/asserts.h"
#include "support/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000 };

static bool differs(struct scripted_server *server, const char *what)
{
    if (server->failure == NULL)
        server->failure = what;
    return false;
}

static bool is_readable(int fd, int ms)
{
    struct pollfd poll_fd = {fd, POLLIN, 0};
    return poll(&poll_fd, 1, ms) == 1;
}

/* ---- reading commands ---- */

/* Length of the first whole command in the input, 0 if it is not whole. */
static size_t whole_command(const struct scripted_server *server)
{
    const char *at = server->input;
    const char *end = at + server->input_len;
    const char *line_end = memmem(at, (size_t)(end - at), "\r\n", 2);
    if (line_end == NULL || *at != '*')
        return 0;
    long words = strtol(at + 1, NULL, 10);
    at = line_end + 2;
    for (; words > 0; words--) {
        line_end = at < end ? memmem(at, (size_t)(end - at), "\r\n", 2) : NULL;
        if (line_end == NULL || *at != '$')
            return 0;
        long len = strtol(at + 1, NULL, 10);
        if (end - line_end < len + 4)
            return 0;
        at = line_end + 2 + len + 2;
    }
    return (size_t)(at - server->input);
}

static void take_command(struct scripted_server *server, size_t len)
{
    server->input_len -= len;
    memmove(server->input, server->input + len, server->input_len);
}

/* The PING of a handshake, behind INFO: answered as any server does, and no step of a script. */
static bool answer_handshake(struct scripted_server *server)
{
    static const char ping[] = "*2\r\n$4\r\nPING\r\n$8\r\njtiguard\r\n";
    static const char answer[] = "$8\r\njtiguard\r\n";
    if (server->sees_ping || server->input_len < sizeof ping - 1 ||
        memcmp(server->input, ping, sizeof ping - 1) != 0)
        return false;
    take_command(server, sizeof ping - 1);
    (void)send(server->fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
    return true;
}

static bool read_command(struct scripted_server *server)
{
    size_t len = 0;
    (void)answer_handshake(server);
    while ((len = whole_command(server)) == 0) {
        if (server->input_len == sizeof server->input || !is_readable(server->fd, PATIENCE_MS))
            return differs(server, "no command came");
        ssize_t got = recv(server->fd, server->input + server->input_len,
                           sizeof server->input - server->input_len, 0);
        if (got <= 0)
            return differs(server, "the client closed in place of a command");
        server->input_len += (size_t)got;
        (void)answer_handshake(server);
    }
    if (len > sizeof server->command)
        return differs(server, "the command is too long for the script");
    memcpy(server->command, server->input, len);
    server->command_len = len;
    take_command(server, len);
    return true;
}

/* The command's first words, joined by blanks, begin with text? */
static bool command_begins(const struct scripted_server *server, const char *text)
{
    char words[256] = "";
    size_t len = 0;
    const char *end = server->command + server->command_len;
    for (const char *at = strchr(server->command, '$'); at != NULL && at < end && *at == '$';) {
        long word_len = strtol(at + 1, NULL, 10);
        const char *word = strchr(at, '\n') + 1;
        if (len + (size_t)word_len + 2 > sizeof words)
            break;
        memcpy(words + len, word, (size_t)word_len);
        len += (size_t)word_len;
        words[len++] = ' ';
        at = word + word_len + 2;
    }
    return len >= strlen(text) && strncasecmp(words, text, strlen(text)) == 0;
}

static bool expect_aside(struct scripted_server *server, const char *text)
{
    return read_command(server) &&
           (command_begins(server, text) || differs(server, "another command came"));
}

static bool expect(struct scripted_server *server, const char *text)
{
    if (!expect_aside(server, text))
        return false;
    memcpy(server->expected, server->command, server->command_len);
    server->expected_len = server->command_len;
    return true;
}

static bool expect_same(struct scripted_server *server)
{
    return read_command(server) &&
           ((server->command_len == server->expected_len &&
             memcmp(server->command, server->expected, server->command_len) == 0) ||
            differs(server, "the command was not repeated as it was"));
}

static bool expect_seal(struct scripted_server *server)
{
    char before[sizeof server->seal];
    memcpy(before, server->seal, sizeof before);
    if (!read_command(server))
        return false;
    if (!command_begins(server, "PING "))
        return differs(server, "no seal came");
    const char *start = strstr(server->command, "$16\r\n");
    if (start == NULL)
        return differs(server, "the seal is not of 16 bytes");
    (void)snprintf(server->seal, sizeof server->seal, "%.23s", start);
    return strcmp(before, server->seal) != 0 || differs(server, "the seal was used before");
}

static bool expect_close(struct scripted_server *server)
{
    char byte = 0;
    (void)answer_handshake(server);
    if (server->input_len > 0)
        return differs(server, "the client sent something before it closed");
    if (!is_readable(server->fd, PATIENCE_MS))
        return differs(server, "the client did not close");
    ssize_t got = recv(server->fd, &byte, 1, 0);
    return got <= 0 || differs(server, "the client sent something in place of closing");
}

/* ---- the rest ---- */

static bool send_bytes(struct scripted_server *server, const char *bytes, size_t len)
{
    /* A client that has closed is no fault of the script: what it saw is judged by the test. */
    (void)send(server->fd, bytes, len, MSG_NOSIGNAL);
    return true;
}

/* In one go, so that what follows the seal is there when the seal is read. */
static bool send_seal(struct scripted_server *server, const char *more)
{
    char bytes[256];
    int len = snprintf(bytes, sizeof bytes, "%s%s", server->seal, more != NULL ? more : "");
    return send_bytes(server, bytes, (size_t)len);
}

static bool send_info(struct scripted_server *server, const char *more)
{
    char info[1024];
    char reply[1100];
    int len = snprintf(
        info, sizeof info,
        "# Server\r\nredis_version:7.0.15\r\n%s"
        "# Replication\r\n%s# Memory\r\n%s",
        more != NULL && strstr(more, "redis_mode:") != NULL ? "" : "redis_mode:standalone\r\n",
        more != NULL && strstr(more, "role:") != NULL ? "" : "role:master\r\n",
        more != NULL ? more : "loading:0\r\nmaxmemory:0\r\n");
    int reply_len = snprintf(reply, sizeof reply, "$%d\r\n%s\r\n", len, info);
    return send_bytes(server, reply, (size_t)reply_len);
}

static bool drip(struct scripted_server *server, const char *text, unsigned pause_ms)
{
    for (; *text != '\0'; text++) {
        if (is_readable(server->fd, (int)pause_ms))
            return true;
        (void)send_bytes(server, text, 1);
    }
    return true;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static bool accept_next(struct scripted_server *server)
{
    close_fd(&server->fd);
    server->input_len = 0;
    if (!is_readable(server->listener, PATIENCE_MS))
        return differs(server, "nobody connected");
    server->fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    return server->fd >= 0 || differs(server, "accept failed");
}

static bool reset(struct scripted_server *server)
{
    struct linger linger = {1, 0};
    (void)setsockopt(server->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close_fd(&server->fd);
    return true;
}

static bool do_step(struct scripted_server *server, const struct script_step *step)
{
    switch (step->act) {
    case SCRIPT_ACCEPT:
        return accept_next(server);
    case SCRIPT_EXPECT:
        return expect(server, step->text);
    case SCRIPT_EXPECT_ASIDE:
        return expect_aside(server, step->text);
    case SCRIPT_EXPECT_SAME:
        return expect_same(server);
    case SCRIPT_EXPECT_SEAL:
        return expect_seal(server);
    case SCRIPT_SEES_PING:
        server->sees_ping = true;
        return true;
    case SCRIPT_EXPECT_CLOSE:
        return expect_close(server);
    case SCRIPT_SEND:
        return send_bytes(server, step->text, strlen(step->text));
    case SCRIPT_SEND_BYTES:
        return send_bytes(server, step->text, step->number);
    case SCRIPT_SEND_SEAL:
        return send_seal(server, step->text);
    case SCRIPT_SEND_SEAL_CUT:
        return send_bytes(server, server->seal, step->number);
    case SCRIPT_SEND_INFO:
        return send_info(server, step->text);
    case SCRIPT_DRIP:
        return drip(server, step->text, step->number);
    case SCRIPT_WAIT:
        (void)is_readable(server->fd, (int)step->number);
        return true;
    case SCRIPT_CLOSE:
        close_fd(&server->fd);
        return true;
    case SCRIPT_RESET:
        return reset(server);
    default:
        close_fd(&server->listener);
        return true;
    }
}

static void *run(void *context)
{
    struct scripted_server *server = context;
    for (size_t i = 0; i < server->count; i++)
        if (!do_step(server, &server->steps[i])) {
            server->failed_step = i;
            break;
        }
    close_fd(&server->fd);
    close_fd(&server->listener);
    return NULL;
}

static void listen_at(struct scripted_server *server, const char *host, uint16_t port)
{
    const int one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    assert_int_equal(inet_pton(AF_INET, host, &address.sin_addr), 1);
    memset(server, 0, sizeof *server);
    server->port = port;
    server->fd = -1;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server->listener >= 0);
    assert_int_equal(setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->listener, 64), 0);
}

void scripted_server_listen(struct scripted_server *server)
{
    listen_at(server, "127.0.0.1", port_take());
}

void scripted_server_listen_beside(struct scripted_server *server, const char *host,
                                   const struct scripted_server *other)
{
    listen_at(server, host, other->port);
    server->is_beside = true;
}

void scripted_server_follow(struct scripted_server *server, const struct script_step *steps,
                            size_t count)
{
    server->steps = steps;
    server->count = count;
    assert_int_equal(pthread_create(&server->thread, NULL, run, server), 0);
}

void scripted_server_start(struct scripted_server *server, const struct script_step *steps,
                           size_t count)
{
    scripted_server_listen(server);
    scripted_server_follow(server, steps, count);
}

const char *scripted_server_end(struct scripted_server *server)
{
    (void)pthread_join(server->thread, NULL);
    if (!server->is_beside)
        port_give_back(server->port);
    if (server->failure != NULL)
        (void)fprintf(stderr, "script step %zu: %s\n", server->failed_step, server->failure);
    return server->failure;
}
