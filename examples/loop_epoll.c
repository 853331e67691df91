/* SPDX-License-Identifier: Apache-2.0 */
/* A guard in a loop of epoll(7). docs/event-loops.md explains. */
#include "loop_tokens.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

static void run(struct loop_tokens *tokens, int epoll_fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = tokens}};
    (void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, jtg_async_fd(tokens->async), &event);
    loop_tokens_arrive(tokens);
    bool going_on = tokens->waiting > 0;
    while (going_on) {
        int ready = epoll_wait(epoll_fd, &event, 1, -1);
        if (ready < 0 && errno != EINTR)
            return;
        if (ready == 1) /* a real program looks whose event it is */
            going_on = loop_tokens_go_on(event.data.ptr);
    }
}

int main(int argc, char **argv)
{
    struct loop_tokens tokens;
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0 || !loop_tokens_open(&tokens, argc > 1 ? argv[1] : NULL))
        return 1;
    run(&tokens, epoll_fd);
    (void)close(epoll_fd);
    return loop_tokens_close(&tokens);
}
