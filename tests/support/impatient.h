/* SPDX-License-Identifier: Apache-2.0 */
/* A waiter that never waits, as the front of an event loop has it: whoever would wait is told to
 * come back. */
#ifndef TESTS_SUPPORT_IMPATIENT_H
#define TESTS_SUPPORT_IMPATIENT_H

#include "redis/flow/blocking.h"

static inline enum jtgi_io impatient_fd(const struct jtgi_waiter *waiter, int fd, short events,
                                        int64_t deadline_ns)
{
    (void)waiter;
    (void)fd;
    (void)events;
    (void)deadline_ns;
    return JTGI_IO_LATER;
}

static inline bool impatient_word(jtgi_word *word, uint32_t expected, int64_t deadline_ns)
{
    (void)word;
    (void)expected;
    (void)deadline_ns;
    return false;
}

static inline void impatient_wake(jtgi_word *word, int count)
{
    jtgi_blocking.wake(word, count);
}

static const struct jtgi_waiter impatient = {
    .fd = impatient_fd,
    .word = impatient_word,
    .wake = impatient_wake,
    .in_kernel = false,
};

/* No test waits so long: one that did would be seen. */
enum { IMPATIENT_FAR_MS = 3600 * 1000 };

#endif
