/* SPDX-License-Identifier: Apache-2.0 */
/* Servers whose replies lie ready before anybody asks: what is said on one line (handshake,
 * markers, a Sentinel's answers, a Cluster's map) is tested without a thread, a port or a wait.
 * Connecting is taken over, in programs that are linked with --wrap=jtgi_socket_connect. */
#ifndef TESTS_REDIS_SCRIPTED_LINES_H
#define TESTS_REDIS_SCRIPTED_LINES_H

#include "redis/line/connection.h"
#include "redis/scripted_texts.h"
#include "support/asserts.h"

enum { SCRIPTED_LINES_MAX = 32 };

/* Forget all; lines that are open end. Both a set-up and a tear-down of tests. */
int scripted_lines_reset(void **state);

/* The next connection to this port, at any address, is a line with these replies: each text is
 * received by itself, in pieces where it is long, and then comes the end, unless the last text is
 * SCRIPTED_STAYS. Ports without a line left refuse. */
#define LINE(port, ...) scripted_line_add(port, (const char *const[]){__VA_ARGS__, NULL})
void scripted_line_add(unsigned port, const char *const *texts);

#define SCRIPTED_STAYS "..."

/* More replies, on the line of this number in the order of the connects. */
void scripted_line_say(unsigned number, const char *text);

/* From now on, until the reset, each connect is on its way when it is first asked for. */
void scripted_lines_take_time(void);

/* A line of its own, as a connection; free it. */
#define CONNECTED(...) scripted_line_connect((const char *const[]){__VA_ARGS__, NULL})
struct jtgi_connection *scripted_line_connect(const char *const *texts);

/* How many were connected to since the reset, and what came on which of them, in the order of the
 * connects (scripted_add_word()). */
unsigned scripted_lines_used(void);
const char *scripted_line_heard(unsigned number);

/* Where that one was reached, "127.0.0.1:7001"; and addresses that refused count in neither. */
const char *scripted_line_place(unsigned number);

/* Connects that were refused. */
unsigned scripted_lines_refused(void);

#endif
