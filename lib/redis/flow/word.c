/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/word.h"

#include "redis/line/deadline.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(jtgi_word) == sizeof(uint32_t), "the kernel compares 32 bits");

void jtgi_word_wait(jtgi_word *word, uint32_t expected, int64_t deadline_ns)
{
    struct timespec until = {deadline_ns / JTGI_NS_PER_S, deadline_ns % JTGI_NS_PER_S};
    /* The BITSET form takes an absolute time on CLOCK_MONOTONIC. */
    (void)syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, &until, NULL,
                  FUTEX_BITSET_MATCH_ANY);
}

void jtgi_word_wake(jtgi_word *word, int count)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, NULL, NULL, 0);
}
