/* SPDX-License-Identifier: Apache-2.0 */
/* Web servers of several processes: tokens shown to them over HTTP, one a connection. */
#ifndef TESTS_RECIPES_WEB_H
#define TESTS_RECIPES_WEB_H

#include "recipes/crowd.h"
#include "recipes/place.h"

struct web {
    struct place place;
    struct process process;
    uint16_t port;  /* of 127.0.0.1 */
    bool takes_one; /* each of its processes serves one connection at a time */
    /* The header lines that show a token, each with its line end. The caller frees them. */
    char *(*headers)(const struct crowd_token *token);
};

/* 200 admits; X-JTI-Reason says why not, X-Worker who it was. The context is a struct web. */
extern const struct crowd_server web_server;

/* As process_start(), with variables (NULL-terminated, NAME=VALUE) in its environment; until it
 * takes connections. */
void web_start(struct web *web, const char *const *variables, const char *const *words);

/* End it, with SIGKILL all of its processes at once; when this returns, none is left that takes
 * connections. */
void web_stop(struct web *web, int signal_number);

/* The whole of a recipe: tokens and kills, and RESTARTS restarts by these functions; each restart
 * hands out the parent of the new workers. */
enum { WEB_RESTARTS = 3 };
void web_try(struct web *web, const char *name, unsigned tokens, unsigned kill_every,
             pid_t (*restart)(struct web *web, unsigned time));

#endif
