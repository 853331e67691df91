/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/loop/bell.h"

#include "core/alloc.h"
#include "redis/line/deadline.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* ---- the waiter ---- */

/* Each wish for itself: an event that is not wished for any more must not ring again and again. */
static bool wish(const struct jtgi_bell *bell, int fd, short events)
{
    struct epoll_event wished = {.events = EPOLLONESHOT, .data = {.fd = fd}};
    if ((events & POLLIN) != 0)
        wished.events |= EPOLLIN;
    if ((events & POLLOUT) != 0)
        wished.events |= EPOLLOUT;
    if (epoll_ctl(bell->epoll_fd, EPOLL_CTL_MOD, fd, &wished) == 0)
        return true;
    return errno == ENOENT && epoll_ctl(bell->epoll_fd, EPOLL_CTL_ADD, fd, &wished) == 0;
}

/* The waiter is the bell's first member. */
static enum jtgi_io wait_fd(const struct jtgi_waiter *waiter, int fd, short events,
                            int64_t deadline_ns)
{
    const struct jtgi_bell *bell = (const struct jtgi_bell *)(const void *)waiter;
    if (deadline_ns != INT64_MAX && jtgi_now_ns() >= deadline_ns)
        return JTGI_IO_TIMEOUT;
    return wish(bell, fd, (short)(events | bell->also_wanted)) ? JTGI_IO_LATER : JTGI_IO_FAILED;
}

/* ---- life ---- */

static bool add_timer(const struct jtgi_bell *bell)
{
    struct epoll_event wished = {.events = EPOLLIN, .data = {.fd = bell->timer_fd}};
    return epoll_ctl(bell->epoll_fd, EPOLL_CTL_ADD, bell->timer_fd, &wished) == 0;
}

jtg_status jtgi_bell_init(struct jtgi_bell *bell, jtg_error *err)
{
    memset(bell, 0, sizeof *bell);
    bell->waiter.fd = wait_fd;
    bell->timer_fd = -1;
    bell->epoll_fd = jtgi_alloc_permitted() ? epoll_create1(EPOLL_CLOEXEC) : -1;
    if (bell->epoll_fd >= 0)
        bell->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (bell->timer_fd >= 0 && add_timer(bell))
        return JTG_OK;
    int cause = errno;
    jtgi_bell_clear(bell);
    return jtg_error_set(err, JTG_ERR_SYSTEM, cause, "no descriptor for an event loop");
}

void jtgi_bell_clear(struct jtgi_bell *bell)
{
    if (bell->timer_fd >= 0)
        (void)close(bell->timer_fd);
    if (bell->epoll_fd >= 0)
        (void)close(bell->epoll_fd);
    bell->timer_fd = bell->epoll_fd = -1;
}

/* ---- */

/* What it was is looked at by trying: only that it rings no more is wanted. */
void jtgi_bell_hear(struct jtgi_bell *bell)
{
    struct epoll_event rung[8];
    (void)epoll_wait(bell->epoll_fd, rung, sizeof rung / sizeof rung[0], 0);
}

/* Setting it anew also takes back that it has rung. */
void jtgi_bell_ring_at(struct jtgi_bell *bell, int64_t at_ns)
{
    struct itimerspec when = {.it_interval = {0, 0}};
    int64_t now_ns = jtgi_now_ns();
    bool rings_soon_enough =
        bell->armed_ns > now_ns && bell->armed_ns <= at_ns && at_ns != INT64_MAX;
    bool rings = bell->armed_ns != 0 && bell->armed_ns <= now_ns && at_ns <= now_ns;
    if (rings || rings_soon_enough || (at_ns == INT64_MAX && bell->armed_ns == 0))
        return;
    bell->armed_ns = at_ns == INT64_MAX ? 0 : at_ns;
    if (at_ns != INT64_MAX) {
        int64_t moment_ns = at_ns > now_ns ? at_ns : 1;
        when.it_value.tv_sec = moment_ns / JTGI_NS_PER_S;
        when.it_value.tv_nsec = moment_ns % JTGI_NS_PER_S;
        bell->armed_ns = moment_ns;
    }
    (void)timerfd_settime(bell->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}
