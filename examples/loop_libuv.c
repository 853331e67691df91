/* SPDX-License-Identifier: Apache-2.0 */
/* A guard in a loop of libuv. docs/event-loops.md explains. */
#include "loop_tokens.h"

#include <uv.h>

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    if (!loop_tokens_go_on(poll->data))
        (void)uv_poll_stop(poll); /* a server goes on */
}

int main(int argc, char **argv)
{
    struct loop_tokens tokens;
    uv_loop_t *loop = uv_default_loop();
    uv_poll_t poll;
    if (!loop_tokens_open(&tokens, argc > 1 ? argv[1] : NULL) ||
        uv_poll_init(loop, &poll, jtg_async_fd(tokens.async)) != 0)
        return 1;
    poll.data = &tokens;
    loop_tokens_arrive(&tokens);
    if (tokens.waiting > 0)
        (void)uv_poll_start(&poll, UV_READABLE, on_readable);
    (void)uv_run(loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&poll, NULL);
    (void)uv_run(loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(loop);
    return loop_tokens_close(&tokens);
}
