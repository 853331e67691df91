/* SPDX-License-Identifier: Apache-2.0 */
/* A client that sends exactly the bytes that a test writes, and waits with a bound for what comes
 * back. Does not assert but where it says so, so that threads may use it. */
#ifndef TESTS_SERVE_HTTP_CLIENT_H
#define TESTS_SERVE_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An answer; status 0: none came whole within the time. */
struct http_answer {
    unsigned status;
    char head[16384]; /* with its lines, NUL-terminated */
    char *body;       /* NUL-terminated, or NULL */
    size_t body_len;
};

/* To a port of 127.0.0.1; to a unix socket. -1: refused. */
int http_connect(uint16_t port);
int http_connect_unix(const char *path);

bool http_send(int fd, const char *bytes, size_t len);

/* Read one answer. no_body: to a HEAD. false: none came, or the connection ended before it was
 * whole. */
bool http_read(int fd, struct http_answer *answer, bool no_body);

/* Whether the other side has ended the connection within the time. */
bool http_wait_closed(int fd, unsigned timeout_ms);

/* Connect, ask once, close. */
bool http_ask(uint16_t port, const char *request, struct http_answer *answer);
bool http_ask_unix(const char *path, const char *request, struct http_answer *answer);

/* The value of a header of the answer, in a buffer of the answer's own; NULL: it has none. */
const char *http_header(struct http_answer *answer, const char *name);

void http_answer_clear(struct http_answer *answer);

#endif
