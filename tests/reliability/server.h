/* SPDX-License-Identifier: Apache-2.0 */
/* A Redis, Valkey or Sentinel process on a host of its own: started, asked, killed and frozen.
 *
 * The program is JTIGUARD_TEST_REDIS_SERVER (default redis-server). It keeps its configuration file
 * over a restart, in which it and the Sentinels note its role. */
#ifndef TESTS_RELIABILITY_SERVER_H
#define TESTS_RELIABILITY_SERVER_H

#include "reliability/hosts.h"

#include <hiredis.h>

enum { SERVER_PATH_BYTES = 96, SERVER_REPLICAS_MAX = 4 };

struct server {
    unsigned host;
    unsigned port;
    bool is_sentinel;
    bool is_frozen;
    pid_t pid; /* 0: not running */
    char folder[SERVER_PATH_BYTES];
    redisContext *control;
};

/* Make the folder in `parent` and its configuration of these lines, one text, borrowed for the
 * call. */
void server_init(struct server *server, unsigned host, unsigned port, const char *parent,
                 const char *lines);

/* Run it on; it answers when this returns. */
void server_start(struct server *server);
/* kill -9 */
void server_kill(struct server *server);
void server_freeze(struct server *server);
void server_thaw(struct server *server);
/* Remove what it would load at the next start. */
void server_forget(const struct server *server);

/* Ask it over a connection inside its own host; format as hiredis reads it. NULL: no answer within
 * a second. */
redisReply *server_ask(struct server *server, const char *format, ...);
/* The same for a command that must answer OK. False if it answers anything else. */
bool server_order(struct server *server, const char *format, ...);

struct role {
    bool known;
    bool is_primary;
    bool is_linked;   /* a replica whose primary has sent it everything */
    unsigned primary; /* host; of a replica */
    unsigned replica_count;
    unsigned replicas[SERVER_REPLICAS_MAX]; /* hosts; of a primary */
};

/* Not known: it does not run, or does not answer. */
struct role server_role(struct server *server);

/* "redis-cli" or "valkey-cli". */
const char *server_client_program(void);
const char *server_program(void);

#endif
