/* SPDX-License-Identifier: Apache-2.0 */
/* A server that follows a script, step by step, in a thread: it says and does what no honest
 * server would, at exactly the moment that a test names. It listens on 127.0.0.1. */
#ifndef TESTS_SUPPORT_SCRIPTED_SERVER_H
#define TESTS_SUPPORT_SCRIPTED_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum script_act {
    SCRIPT_ACCEPT,        /* take the next connection; the one before is closed if it is open */
    SCRIPT_EXPECT,        /* one command whose first words are text */
    SCRIPT_EXPECT_ASIDE,  /* the same, but SCRIPT_EXPECT_SAME does not mean it */
    SCRIPT_EXPECT_SAME,   /* one command, equal to the last of SCRIPT_EXPECT but for its seal */
    SCRIPT_EXPECT_SEAL,   /* PING with a number that was not seen before */
    SCRIPT_SEES_PING,     /* from now on the PING of a handshake is a command like any other */
    SCRIPT_EXPECT_CLOSE,  /* the client closes, and sends nothing before it */
    SCRIPT_SEND,          /* text, as it is */
    SCRIPT_SEND_BYTES,    /* number bytes of text */
    SCRIPT_SEND_SEAL,     /* the answer to the last SCRIPT_EXPECT_SEAL, and text behind it */
    SCRIPT_SEND_SEAL_CUT, /* the first `number` bytes of it */
    SCRIPT_SEND_INFO,     /* INFO of a sound server, with text, if any, as further lines */
    SCRIPT_DRIP,          /* text, a byte each `number` milliseconds, until the client closes */
    SCRIPT_WAIT,          /* number milliseconds, or until the client closes */
    SCRIPT_CLOSE,         /* close the connection */
    SCRIPT_RESET,         /* close it with RST */
    SCRIPT_DEAF           /* stop listening: from now on connecting is refused */
};

/* In the order in which a script is read.
 * NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct script_step {
    enum script_act act;
    const char *text;
    unsigned number;
};

/* The steps of a handshake that goes well, without a login. */
#define SCRIPT_HANDSHAKE                                                                           \
    {SCRIPT_ACCEPT, NULL, 0}, {SCRIPT_EXPECT_ASIDE, "INFO", 0},                                    \
    {                                                                                              \
        SCRIPT_SEND_INFO, NULL, 0                                                                  \
    }

struct scripted_server {
    uint16_t port;
    bool is_beside; /* the port is another server's */
    int listener;
    int fd; /* the connection, or -1 */
    pthread_t thread;
    const struct script_step *steps;
    size_t count;
    const char *failure; /* the first thing that went otherwise than written */
    size_t failed_step;
    char input[8192]; /* what has come and is not yet read */
    size_t input_len;
    char command[4096]; /* the last command that was read, as sent */
    size_t command_len;
    char expected[4096]; /* that of SCRIPT_EXPECT */
    size_t expected_len;
    char seal[64];
    bool sees_ping;
};

/* Listen, so that the port is known, and follow a script later. steps are borrowed until
 * scripted_server_end(). */
void scripted_server_listen(struct scripted_server *server);
void scripted_server_follow(struct scripted_server *server, const struct script_step *steps,
                            size_t count);

/* Listen at another address of this host, e.g. 127.0.0.2, on the port of a server that listens. */
void scripted_server_listen_beside(struct scripted_server *server, const char *host,
                                   const struct scripted_server *other);

/* Both. */
void scripted_server_start(struct scripted_server *server, const struct script_step *steps,
                           size_t count);

/* Wait for the script's end. NULL when all went as written, else what did not. */
const char *scripted_server_end(struct scripted_server *server);

#endif
