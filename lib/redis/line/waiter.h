/* SPDX-License-Identifier: Apache-2.0 */
/* How a step on a descriptor ended, and how one waits for the next.
 *
 * Nothing on this floor waits by itself: whoever calls it brings a waiter. The front whose callers
 * block has one (flow/blocking.h). One for an event loop answers LATER: then what was begun is
 * kept, the caller is told JTGI_LATER, and calls the same function with the same arguments again
 * when the loop says so. Whoever brings a waiter that waits never hears of it. */
#ifndef JTGI_REDIS_WAITER_H
#define JTGI_REDIS_WAITER_H

#include <jtiguard/status.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum jtgi_io {
    JTGI_IO_DONE,
    JTGI_IO_LATER,   /* it is not waited */
    JTGI_IO_TIMEOUT, /* the deadline passed */
    JTGI_IO_CLOSED,  /* the other side closed it in order */
    JTGI_IO_FAILED   /* errno says why */
};

/* In place of a status: not over yet. No caller of the library is ever told so. */
#define JTGI_LATER ((jtg_status)1000)

/* A word that one thread waits on until another changes it. */
typedef _Atomic uint32_t jtgi_word;

struct jtgi_waiter {
    /* Until fd is ready for events of poll(2). DONE, LATER, TIMEOUT or FAILED. */
    enum jtgi_io (*fd)(const struct jtgi_waiter *waiter, int fd, short events, int64_t deadline_ns);

    /* While *word == expected, until the deadline at most; may return early for no reason. False:
     * it is not waited. And tell those that wait on it, when it has changed. NULL: what another
     * thread does is waited for on a descriptor too. */
    bool (*word)(jtgi_word *word, uint32_t expected, int64_t deadline_ns);
    void (*wake)(jtgi_word *word, int count);

    /* Connecting to a unix socket, and receiving, may wait in the kernel, bounded by SO_SNDTIMEO
     * and SO_RCVTIMEO: that spares each receive a system call. */
    bool in_kernel;
};

#endif
