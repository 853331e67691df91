/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/blocking.h"

#include "redis/flow/word.h"
#include "redis/line/deadline.h"

#include <errno.h>
#include <poll.h>

static enum jtgi_io wait_fd(const struct jtgi_waiter *waiter, int fd, short events,
                            int64_t deadline_ns)
{
    struct pollfd poll_fd = {fd, events, 0};
    (void)waiter;
    for (;;) {
        /* Looked at first: one that is always ready would be served beyond its time. */
        int left_ms = jtgi_deadline_left_ms(deadline_ns);
        if (left_ms == 0)
            return JTGI_IO_TIMEOUT;
        int ready = poll(&poll_fd, 1, left_ms);
        if (ready > 0)
            return JTGI_IO_DONE;
        if (ready < 0 && errno != EINTR && errno != EAGAIN)
            return JTGI_IO_FAILED;
    }
}

static bool wait_word(jtgi_word *word, uint32_t expected, int64_t deadline_ns)
{
    jtgi_word_wait(word, expected, deadline_ns);
    return true;
}

const struct jtgi_waiter jtgi_blocking = {
    .fd = wait_fd,
    .word = wait_word,
    .wake = jtgi_word_wake,
    .in_kernel = true,
};
