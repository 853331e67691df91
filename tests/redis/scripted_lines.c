/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/scripted_lines.h"

#include "redis/flow/blocking.h"
#include "redis/line/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct line {
    unsigned port;
    bool used;
    int theirs; /* our end of it, the server's */
    int ours;   /* the library's, until it is connected to */
    char place[64];
    char heard[16384];
};

static struct line lines[SCRIPTED_LINES_MAX];
static unsigned line_count;
static unsigned refused;
static bool takes_time;

/* In the order of the connects. */
static struct line *used[SCRIPTED_LINES_MAX];
static unsigned used_count;

int scripted_lines_reset(void **state)
{
    (void)state;
    for (unsigned i = 0; i < line_count; i++) {
        (void)close(lines[i].theirs);
        if (!lines[i].used)
            (void)close(lines[i].ours);
    }
    memset(lines, 0, sizeof lines);
    line_count = used_count = refused = 0;
    takes_time = false;
    return 0;
}

static void say(int fd, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        size_t piece = left < JTGI_RECEIVE_BYTES ? left : JTGI_RECEIVE_BYTES;
        assert_int_equal(send(fd, text, piece, 0), piece);
        text += piece;
        left -= piece;
    }
}

/* A socket that keeps the texts apart. */
void scripted_line_add(unsigned port, const char *const *texts)
{
    int ends[2];
    assert_true(line_count < SCRIPTED_LINES_MAX);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    for (; *texts != NULL && strcmp(*texts, SCRIPTED_STAYS) != 0; texts++)
        say(ends[1], *texts);
    if (*texts == NULL)
        assert_int_equal(shutdown(ends[1], SHUT_WR), 0);
    struct line *line = &lines[line_count++];
    line->port = port;
    line->ours = ends[0];
    line->theirs = ends[1];
}

void scripted_lines_take_time(void)
{
    takes_time = true;
}

void scripted_line_say(unsigned number, const char *text)
{
    assert_true(number < used_count);
    say(used[number]->theirs, text);
}

static int take(struct line *line, const char *place)
{
    line->used = true;
    (void)snprintf(line->place, sizeof line->place, "%s", place);
    used[used_count++] = line;
    return line->ours;
}

struct jtgi_connection *scripted_line_connect(const char *const *texts)
{
    struct jtgi_transport transport;
    struct jtgi_connection *connection = NULL;
    scripted_line_add(0, texts);
    jtgi_transport_init(&transport, take(&lines[line_count - 1], ""), NULL, &jtgi_blocking);
    assert_status(jtgi_connection_new(&connection, &transport, NULL), JTG_OK);
    jtgi_residence_init(&connection->residence, &jtgi_blocking);
    return connection;
}

unsigned scripted_lines_used(void)
{
    return used_count;
}

unsigned scripted_lines_refused(void)
{
    return refused;
}

const char *scripted_line_place(unsigned number)
{
    assert_true(number < used_count);
    return used[number]->place;
}

/* The words of commands as they were sent; lengths are left out. */
static void add_words(char *heard, size_t size, const char *bytes, size_t len)
{
    for (const char *end = bytes + len; bytes < end;) {
        const char *body = (const char *)memchr(bytes, '\n', (size_t)(end - bytes)) + 1;
        size_t word_len = strtoul(bytes + 1, NULL, 10);
        bool is_word = *bytes == '$';
        if (is_word)
            scripted_add_word(heard, size, body, word_len);
        bytes = is_word ? body + word_len + 2 : body;
    }
}

const char *scripted_line_heard(unsigned number)
{
    static char bytes[65536];
    assert_true(number < used_count);
    struct line *line = used[number];
    ssize_t got = 0;
    while ((got = recv(line->theirs, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        add_words(line->heard, sizeof line->heard, bytes, (size_t)got);
    return line->heard;
}

/* ---- in place of the network ---- */

jtg_status __wrap_jtgi_socket_connect(const struct sockaddr *address, socklen_t size,
                                      uint32_t keepalive_s, const struct jtgi_waiter *waiter,
                                      int64_t deadline_ns, int *fd, jtg_error *err);

static void read_place(const struct sockaddr *address, char place[64], unsigned *port)
{
    char host[INET6_ADDRSTRLEN] = "";
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    bool is_v6 = address->sa_family == AF_INET6;
    memcpy(&v4, address, sizeof v4);
    memcpy(&v6, address, is_v6 ? sizeof v6 : sizeof v4);
    (void)inet_ntop(address->sa_family,
                    is_v6 ? (const void *)&v6.sin6_addr : (const void *)&v4.sin_addr, host,
                    sizeof host);
    *port = ntohs(v4.sin_port);
    (void)snprintf(place, 64, is_v6 ? "[%s]:%u" : "%s:%u", host, *port);
}

jtg_status __wrap_jtgi_socket_connect(const struct sockaddr *address, socklen_t size,
                                      uint32_t keepalive_s, const struct jtgi_waiter *waiter,
                                      int64_t deadline_ns, int *fd, jtg_error *err)
{
    char place[64];
    unsigned port = 0;
    (void)size;
    (void)keepalive_s;
    (void)waiter;
    (void)deadline_ns;
    if (*fd >= 0)
        return JTG_OK;
    read_place(address, place, &port);
    for (unsigned i = 0; i < line_count; i++)
        if (!lines[i].used && lines[i].port == port) {
            *fd = take(&lines[i], place);
            return takes_time ? JTGI_LATER : JTG_OK;
        }
    refused++;
    *fd = -1;
    return jtg_error_set(err, JTG_ERR_UNAVAILABLE, ECONNREFUSED, "redis: cannot connect: refused");
}
