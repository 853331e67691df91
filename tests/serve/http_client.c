/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/http_client.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000 };

int http_connect(uint16_t port)
{
    static const int one = 1;
    union {
        struct sockaddr_in v4;
        struct sockaddr any;
    } to = {.v4 = {.sin_family = AF_INET,
                   .sin_port = htons(port),
                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, &to.any, sizeof to.v4) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

int http_connect_unix(const char *path)
{
    union {
        struct sockaddr_un local;
        struct sockaddr any;
    } to = {.local = {.sun_family = AF_UNIX}};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(to.local.sun_path, sizeof to.local.sun_path, "%s", path);
    if (fd >= 0 && connect(fd, &to.any, sizeof to.local) == 0)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

bool http_send(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

static ssize_t read_some(int fd, char *bytes, size_t len)
{
    struct pollfd waiting = {fd, POLLIN, 0};
    if (poll(&waiting, 1, PATIENCE_MS) <= 0)
        return -1;
    return recv(fd, bytes, len, 0);
}

/* A byte at a time: no byte of a second answer is taken. */
static bool read_head(int fd, struct http_answer *answer)
{
    size_t len = 0;
    while (len + 1 < sizeof answer->head) {
        if (read_some(fd, answer->head + len, 1) != 1)
            return false;
        answer->head[++len] = '\0';
        if (len >= 4 && memcmp(answer->head + len - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

const char *http_header(struct http_answer *answer, const char *name)
{
    static _Thread_local char value[1024];
    size_t name_len = strlen(name);
    for (const char *line = strstr(answer->head, "\r\n"); line != NULL && line[2] != '\r';
         line = strstr(line + 2, "\r\n")) {
        const char *at = line + 2;
        if (strncasecmp(at, name, name_len) != 0 || at[name_len] != ':')
            continue;
        at += name_len + 1;
        at += strspn(at, " ");
        (void)snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\r"), at);
        return value;
    }
    return NULL;
}

bool http_read(int fd, struct http_answer *answer, bool no_body)
{
    *answer = (struct http_answer){.status = 0};
    if (!read_head(fd, answer) || strncmp(answer->head, "HTTP/1.", 7) != 0)
        return false;
    const char *length = http_header(answer, "Content-Length");
    answer->body_len = length != NULL && !no_body ? (size_t)strtoul(length, NULL, 10) : 0;
    answer->body = calloc(1, answer->body_len + 1);
    for (size_t got = 0; answer->body != NULL && got < answer->body_len;) {
        ssize_t more = read_some(fd, answer->body + got, answer->body_len - got);
        if (more <= 0)
            return false;
        got += (size_t)more;
    }
    answer->status = (unsigned)strtoul(answer->head + 9, NULL, 10);
    return answer->body != NULL;
}

bool http_wait_closed(int fd, unsigned timeout_ms)
{
    char bytes[256];
    struct pollfd waiting = {fd, POLLIN, 0};
    while (poll(&waiting, 1, (int)timeout_ms) > 0)
        if (recv(fd, bytes, sizeof bytes, 0) <= 0)
            return true;
    return false;
}

static bool ask(int fd, const char *request, struct http_answer *answer)
{
    *answer = (struct http_answer){.status = 0};
    bool good = fd >= 0 && http_send(fd, request, strlen(request)) &&
                http_read(fd, answer, strncmp(request, "HEAD", 4) == 0);
    if (fd >= 0)
        (void)close(fd);
    return good;
}

bool http_ask(uint16_t port, const char *request, struct http_answer *answer)
{
    return ask(http_connect(port), request, answer);
}

bool http_ask_unix(const char *path, const char *request, struct http_answer *answer)
{
    return ask(http_connect_unix(path), request, answer);
}

void http_answer_clear(struct http_answer *answer)
{
    free(answer->body);
    answer->body = NULL;
}
