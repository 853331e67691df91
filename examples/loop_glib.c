/* SPDX-License-Identifier: Apache-2.0 */
/* A guard in a main loop of GLib. docs/event-loops.md explains. */
#include "loop_tokens.h"

#include <glib-unix.h>

struct program {
    struct loop_tokens tokens;
    GMainLoop *loop;
};

static gboolean on_readable(gint fd, GIOCondition condition, gpointer context)
{
    struct program *program = context;
    (void)fd;
    (void)condition;
    if (loop_tokens_go_on(&program->tokens))
        return G_SOURCE_CONTINUE;
    g_main_loop_quit(program->loop); /* a server goes on */
    return G_SOURCE_REMOVE;
}

int main(int argc, char **argv)
{
    struct program program;
    if (!loop_tokens_open(&program.tokens, argc > 1 ? argv[1] : NULL))
        return 1;
    program.loop = g_main_loop_new(NULL, FALSE);
    loop_tokens_arrive(&program.tokens);
    if (program.tokens.waiting > 0) {
        (void)g_unix_fd_add(jtg_async_fd(program.tokens.async), G_IO_IN, on_readable, &program);
        g_main_loop_run(program.loop);
    }
    g_main_loop_unref(program.loop);
    return loop_tokens_close(&program.tokens);
}
