/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens, each shown several times at once to a server of many processes, of which some are killed
 * meanwhile: who admitted what, and whether that may be. Asserts, so use it in the test's own
 * thread. */
#ifndef TESTS_RECIPES_CROWD_H
#define TESTS_RECIPES_CROWD_H

#include "support/random.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { CROWD_SHOWN = 8, CROWD_TOKENS_MAX = 1024, CROWD_WORKERS_MAX = 1024 };

struct crowd_token {
    char jti[32];
    long iat; /* seconds */
    long exp;
    unsigned admitted;
};

enum crowd_answer {
    CROWD_LOST, /* none came: its worker was killed */
    CROWD_ADMITTED,
    CROWD_REPLAYED,
    CROWD_BLOCKED /* store_blocked: who was inside did not get the processor; nothing is stored */
};

/* How one talks with a server. */
struct crowd_server {
    bool keeps_connections; /* as many tokens on one as come; false: one */
    /* A connection, one of CROWD_SHOWN; -1: refused. */
    int (*open)(void *context, unsigned which);
    /* Once all are open, wait until they are where they shall be; NULL: nothing. */
    void (*settle)(void *context);
    /* Show a token; what cannot be sent is a lost answer. */
    void (*show)(void *context, int fd, const struct crowd_token *token);
    /* The answer, and who gave it where that is told. Fails the test for any other. */
    enum crowd_answer (*read)(void *context, int fd, pid_t *worker);
};

struct crowd {
    const struct crowd_server *server;
    void *context;
    pid_t parent; /* of the workers */
    struct random_source random;
    int fds[CROWD_SHOWN];
    pid_t pids[CROWD_SHOWN]; /* who answered last on each; 0: nobody yet, or it is not told */
    struct crowd_token tokens[CROWD_TOKENS_MAX];
    unsigned count;
    pid_t workers[CROWD_WORKERS_MAX]; /* who ever answered */
    unsigned worker_count;
    unsigned asked;
    unsigned admitted;
    unsigned lost;
    unsigned blocked;
    unsigned replayed;
    unsigned kills;
    unsigned spread; /* sum over the tokens: how many different workers answered */
    unsigned restarts;
};

/* Draws a seed and prints it. */
void crowd_init(struct crowd *crowd, const struct crowd_server *server, void *context);

/* So many new tokens, one after the other, each to CROWD_SHOWN connections at once; behind every
 * kill_every-th of them, while it is being looked at, one worker is killed (0: none). Each is
 * admitted once. A token of which answers were lost may have been admitted by one of them; one of
 * which no answer came but such that say nothing of it is shown again. */
void crowd_show_new(struct crowd *crowd, unsigned tokens, unsigned kill_every);

/* Everything once more, each on one connection: after a restart, none is admitted. */
void crowd_show_all_again(struct crowd *crowd);

/* The server was ended and started again, as a child of the test or of another process. */
void crowd_restarted(struct crowd *crowd, pid_t parent);

/* The processes that a process has as its children now; asked of the system, for the number of one
 * that has ended may be another's. How many they are, at most as many as there is room for. */
unsigned children_of(pid_t parent, pid_t *children, unsigned most);

/* Close what is open, and print the figures in a line. */
void crowd_end(struct crowd *crowd, const char *name);

#endif
