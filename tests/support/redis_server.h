/* SPDX-License-Identifier: Apache-2.0 */
/* A Redis server of a test's own, to be killed, frozen and filled up.
 *
 * It runs the program JTIGUARD_TEST_REDIS_SERVER (default redis-server) on a port of 127.0.0.1 and
 * in a folder of its own, and ends with the test, even one that crashes. Failures assert, so use
 * it in the test's own thread. */
#ifndef TESTS_SUPPORT_REDIS_SERVER_H
#define TESTS_SUPPORT_REDIS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { REDIS_SERVER_OPTIONS_MAX = 24 };

struct redis_server {
    pid_t pid; /* 0 = not running */
    uint16_t port;
    char folder[64];
    char uri[64]; /* redis://127.0.0.1:PORT/0 */
    const char *options[REDIS_SERVER_OPTIONS_MAX];
    char sentinel_file[80]; /* its configuration, which it writes; empty: it is no Sentinel */
};

/* options: further words of the command line, NULL-terminated, borrowed until redis_server_stop();
 * NULL = none. It keeps nothing on disk and never evicts, unless they say otherwise. Answers when
 * this returns. */
void redis_server_start(struct redis_server *server, const char *const *options);

/* The same as a Sentinel, which watches nothing yet. */
void redis_server_start_sentinel(struct redis_server *server, const char *const *options);

/* An orderly end, and its folder goes. */
void redis_server_stop(struct redis_server *server);

/* kill -9. The folder stays. */
void redis_server_kill(struct redis_server *server);

/* The same server anew, on the same port and in the same folder. */
void redis_server_start_again(struct redis_server *server);

/* SIGSTOP and SIGCONT: connections stay, nothing answers. */
void redis_server_freeze(struct redis_server *server);
void redis_server_thaw(struct redis_server *server);

/* Send one line and read the reply's first line into `reply`, without its line end. False if the
 * server does not answer, within five seconds. */
bool redis_server_ask(const struct redis_server *server, const char *line, char *reply,
                      size_t reply_len);

#endif
