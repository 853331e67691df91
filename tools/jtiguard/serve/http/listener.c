/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/http/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for what arrives while every worker is busy. */
enum { BACKLOG = 4096 };

/* Whether somebody listens there. */
static bool is_alive(const struct listen_address *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return true;
    bool dead = connect(fd, &address->at.any, address->len) < 0 && errno == ECONNREFUSED;
    (void)close(fd);
    return !dead;
}

static bool remove_left_behind(const struct listen_address *address)
{
    struct stat status;
    const char *path = address->at.local.sun_path;
    if (lstat(path, &status) < 0)
        return errno == ENOENT;
    errno = EADDRINUSE;
    return S_ISSOCK(status.st_mode) && !is_alive(address) && unlink(path) == 0;
}

/* Before the socket has a name, so that nobody reaches it with other permissions. */
static bool bind_unix(int fd, const struct listen_address *address, mode_t mode)
{
    return remove_left_behind(address) && fchmod(fd, mode & 0700) == 0 &&
           bind(fd, &address->at.any, address->len) == 0 &&
           chmod(address->at.local.sun_path, mode) == 0;
}

static bool bind_inet(int fd, const struct listen_address *address)
{
    static const int one = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0)
        return false;
    if (address->at.any.sa_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) < 0)
        return false;
    return bind(fd, &address->at.any, address->len) == 0;
}

static uint16_t port_of(int fd)
{
    struct listen_address got;
    got.len = sizeof got.at;
    if (getsockname(fd, &got.at.any, &got.len) < 0)
        return 0;
    if (got.at.any.sa_family == AF_INET)
        return ntohs(got.at.v4.sin_port);
    return got.at.any.sa_family == AF_INET6 ? ntohs(got.at.v6.sin6_port) : 0;
}

static bool listen_on(int fd, const struct listen_address *address, uint32_t mode)
{
    bool bound = listen_address_is_unix(address) ? bind_unix(fd, address, (mode_t)mode)
                                                 : bind_inet(fd, address);
    return bound && listen(fd, BACKLOG) == 0;
}

static const char *give_up(struct listener *listener, const char *wrong)
{
    int error = errno;
    if (listener->fd >= 0)
        (void)close(listener->fd);
    if (listener->still >= 0)
        (void)close(listener->still);
    listener->fd = -1;
    errno = error;
    return wrong;
}

const char *listener_open(struct listener *listener, const char *text, uint32_t mode)
{
    *listener = (struct listener){.fd = -1, .still = -1};
    errno = 0;
    const char *wrong = listen_address_read(&listener->address, text);
    if (wrong != NULL)
        return wrong;
    listener->still = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    listener->fd =
        socket(listener->address.at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->still < 0 || listener->fd < 0)
        return give_up(listener, "cannot be opened");
    if (!listen_on(listener->fd, &listener->address, mode))
        return give_up(listener, "cannot be listened on");
    listener->port = port_of(listener->fd);
    return NULL;
}

/* The socket itself ends when its descriptor becomes another, and leaves every set of epoll. */
void listener_shut(struct listener *listener)
{
    if (listener->fd < 0 || listener->shut)
        return;
    listener->shut = true;
    if (listen_address_is_unix(&listener->address))
        (void)unlink(listener->address.at.local.sun_path);
    (void)dup3(listener->still, listener->fd, O_CLOEXEC);
}

void listener_close(struct listener *listener, bool fd_taken)
{
    if (listener->fd < 0)
        return;
    if (!fd_taken) {
        listener_shut(listener);
        (void)close(listener->fd);
    }
    (void)close(listener->still);
    listener->fd = -1;
}
