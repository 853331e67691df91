/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/line/socket.h"

#include "core/alloc.h"
#include "redis/line/deadline.h"
#include "redis/line/waiter.h"

#include <errno.h>
#include <fcntl.h>
#include <jtiguard/status.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static jtg_status fail(jtg_error *err, int cause)
{
    return jtg_error_set(err, JTG_ERR_UNAVAILABLE, cause, "redis: cannot connect: %s",
                         strerror(cause));
}

/* Not over yet, in place of an errno. */
enum { ON_ITS_WAY = -1 };

/* Has it come to its end? Then *cause is 0, or the errno of the failure. */
static bool is_over(int fd, int *cause)
{
    struct sockaddr_storage peer;
    socklen_t peer_size = sizeof peer;
    socklen_t size = sizeof *cause;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, cause, &size) != 0)
        *cause = errno;
    return *cause != 0 || getpeername(fd, (struct sockaddr *)&peer, &peer_size) == 0;
}

/* 0, or the errno of the failure. It is looked at first: whoever comes back need not wait. */
static int finish_connect(int fd, const struct jtgi_waiter *waiter, int64_t deadline_ns)
{
    int cause = 0;
    if (is_over(fd, &cause))
        return cause;
    enum jtgi_io io = waiter->fd(waiter, fd, POLLOUT, deadline_ns);
    if (io == JTGI_IO_LATER)
        return ON_ITS_WAY;
    if (io == JTGI_IO_TIMEOUT)
        return ETIMEDOUT;
    if (io != JTGI_IO_DONE)
        return errno;
    return is_over(fd, &cause) ? cause : ENOTCONN;
}

static int connect_fd(int fd, const struct sockaddr *address, socklen_t size,
                      const struct jtgi_waiter *waiter, int64_t deadline_ns)
{
    if (connect(fd, address, size) == 0)
        return 0;
    if (errno == EINPROGRESS || errno == EINTR)
        return finish_connect(fd, waiter, deadline_ns);
    return errno;
}

static int make_blocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ? errno : 0;
}

static int begin_connect(const struct sockaddr *address, socklen_t size,
                         const struct jtgi_waiter *waiter, int64_t deadline_ns, int *fd)
{
    if (!jtgi_alloc_permitted())
        return ENOMEM;
    *fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return *fd < 0 ? errno : connect_fd(*fd, address, size, waiter, deadline_ns);
}

static int connect_one(const struct sockaddr *address, socklen_t size,
                       const struct jtgi_waiter *waiter, int64_t deadline_ns, int *fd)
{
    int cause = *fd < 0 ? begin_connect(address, size, waiter, deadline_ns, fd)
                        : finish_connect(*fd, waiter, deadline_ns);
    if (cause == 0)
        cause = make_blocking(*fd);
    if (cause == 0 || cause == ON_ITS_WAY)
        return cause;
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
    return cause;
}

static void set_option(int fd, int level, int name, int value)
{
    /* A kernel that lacks an option still serves; deadlines do not depend on these. */
    (void)setsockopt(fd, level, name, &value, sizeof value);
}

static void tune(int fd, uint32_t keepalive_s)
{
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (keepalive_s == 0)
        return;
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)keepalive_s);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, (int)(keepalive_s / 3 + 1));
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

jtg_status jtgi_socket_connect(const struct sockaddr *address, socklen_t size, uint32_t keepalive_s,
                               const struct jtgi_waiter *waiter, int64_t deadline_ns, int *fd,
                               jtg_error *err)
{
    int cause = connect_one(address, size, waiter, deadline_ns, fd);
    if (cause == ON_ITS_WAY)
        return JTGI_LATER;
    if (cause != 0)
        return fail(err, cause);
    tune(*fd, keepalive_s);
    return JTG_OK;
}

/* A socket that does not block is told of a full backlog at once (EAGAIN), and by nothing when
 * there is room. One that blocks waits for room, as long as it may take to send. */
static int connect_unix_fd(int fd, const struct sockaddr_un *address,
                           const struct jtgi_waiter *waiter, int64_t deadline_ns)
{
    if (!waiter->in_kernel && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        return errno;
    for (;;) {
        int64_t left = deadline_ns - jtgi_now_ns();
        struct timeval wait = {left / JTGI_NS_PER_S, left % JTGI_NS_PER_S / 1000 + 1};
        if (left <= 0)
            return ETIMEDOUT;
        if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) != 0)
            return errno;
        if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
            return 0;
        if (errno != EINTR && (errno != EAGAIN || !waiter->in_kernel))
            return errno;
    }
}

jtg_status jtgi_socket_connect_unix(const char *path, const struct jtgi_waiter *waiter,
                                    int64_t deadline_ns, int *fd, jtg_error *err)
{
    struct sockaddr_un address;
    *fd = -1;
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address.sun_path)
        return fail(err, ENAMETOOLONG);
    memcpy(address.sun_path, path, strlen(path));
    if (!jtgi_alloc_permitted())
        return fail(err, ENOMEM);
    int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int cause = made < 0 ? errno : connect_unix_fd(made, &address, waiter, deadline_ns);
    if (cause == 0) {
        *fd = made;
        return JTG_OK;
    }
    if (made >= 0)
        (void)close(made);
    return fail(err, cause);
}
