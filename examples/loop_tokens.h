/* SPDX-License-Identifier: Apache-2.0 */
/* What the examples with an event loop have in common: tokens that come, and what becomes of them.
 * The loop itself, and how it watches the guard's descriptor, is each example's own. */
#ifndef EXAMPLES_LOOP_TOKENS_H
#define EXAMPLES_LOOP_TOKENS_H

#include <jtiguard/jtiguard.h>

struct loop_tokens {
    jtg_cache *cache;
    jtg_guard *guard;
    jtg_async *async;
    unsigned waiting; /* tokens that have a ticket */
    unsigned admitted;
    unsigned refused;
};

/* Of the store at the URI, redis://… or NULL for one in memory. Tells what hinders it on stderr. */
bool loop_tokens_open(struct loop_tokens *tokens, const char *uri);

/* A turn of the program's work: some tokens come, each twice. */
void loop_tokens_arrive(struct loop_tokens *tokens);

/* The guard's descriptor is readable. False: nothing is under way any more. */
bool loop_tokens_go_on(struct loop_tokens *tokens);

/* Prints what became of them. Returns the exit code. */
int loop_tokens_close(struct loop_tokens *tokens);

#endif
