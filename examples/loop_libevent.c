/* SPDX-License-Identifier: Apache-2.0 */
/* A guard in a loop of libevent. docs/event-loops.md explains. */
#include "loop_tokens.h"

#include <event2/event.h>

struct program {
    struct loop_tokens tokens;
    struct event *readable;
};

static void on_readable(evutil_socket_t fd, short events, void *context)
{
    struct program *program = context;
    (void)fd;
    (void)events;
    if (!loop_tokens_go_on(&program->tokens))
        (void)event_del(program->readable); /* a server goes on */
}

int main(int argc, char **argv)
{
    struct program program;
    struct event_base *base = event_base_new();
    if (base == NULL || !loop_tokens_open(&program.tokens, argc > 1 ? argv[1] : NULL))
        return 1;
    program.readable = event_new(base, jtg_async_fd(program.tokens.async), EV_READ | EV_PERSIST,
                                 on_readable, &program);
    loop_tokens_arrive(&program.tokens);
    if (program.readable != NULL && program.tokens.waiting > 0)
        (void)event_add(program.readable, NULL);
    (void)event_base_dispatch(base);
    event_free(program.readable);
    event_base_free(base);
    return loop_tokens_close(&program.tokens);
}
