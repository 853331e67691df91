/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/slow_crowd.h"

#include "serve/http_client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A round in which each sends a byte takes about half a second. */
enum { BATCH = 20, PAUSE_NS = 10000000 };

static const char start[] = "GET /check HTTP/1.1\r\nHost: x\r\nX-Slow: ";

static void open_one(struct slow_crowd *crowd, int *fd)
{
    *fd = http_connect(crowd->port);
    if (*fd < 0)
        return;
    (void)send(*fd, start, sizeof start - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    atomic_fetch_add(&crowd->standing, 1);
}

static void close_one(struct slow_crowd *crowd, int *fd)
{
    (void)close(*fd);
    *fd = -1;
    atomic_fetch_sub(&crowd->standing, 1);
}

static void drip(struct slow_crowd *crowd, int *fd)
{
    char byte = 'x';
    if (*fd < 0) {
        open_one(crowd, fd);
        return;
    }
    ssize_t got = recv(*fd, &byte, 1, MSG_DONTWAIT);
    bool open = got < 0 && errno == EAGAIN;
    if (got > 0)
        atomic_fetch_add(&crowd->answered, 1);
    if (open && send(*fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1)
        return;
    atomic_fetch_add(&crowd->closed, 1);
    close_one(crowd, fd);
}

void slow_crowd_run(void *context, unsigned index)
{
    static const struct timespec pause = {0, PAUSE_NS};
    struct slow_crowd *crowd = context;
    (void)index;
    memset(crowd->fds, -1, sizeof crowd->fds);
    for (unsigned i = 0; !atomic_load(crowd->stop); i = (i + 1) % crowd->size) {
        drip(crowd, &crowd->fds[i]);
        if (i % BATCH == 0)
            (void)nanosleep(&pause, NULL);
    }
    for (unsigned i = 0; i < crowd->size; i++)
        if (crowd->fds[i] >= 0)
            close_one(crowd, &crowd->fds[i]);
}
