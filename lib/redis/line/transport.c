/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/line/transport.h"

#include "redis/line/deadline.h"
#include "redis/line/tls/tls.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* How long one receive may block in the kernel before the deadline is looked at. The kernel's
 * timeout is set only when it would overrun the deadline, so that a call in good time costs one
 * system call and not poll() beside it. */
#define SLICE_NS (100 * JTGI_NS_PER_MS)

void jtgi_transport_init(struct jtgi_transport *transport, int fd, struct jtgi_tls_session *tls,
                         const struct jtgi_waiter *waiter)
{
    transport->waiter = waiter;
    transport->fd = fd;
    transport->tls = tls;
    transport->receive_slice_ns = 0;
}

void jtgi_transport_close(struct jtgi_transport *transport)
{
    jtgi_tls_session_free(transport->tls);
    transport->tls = NULL;
    if (transport->fd >= 0)
        (void)close(transport->fd);
    transport->fd = -1;
}

void jtgi_transport_break(const struct jtgi_transport *transport)
{
    (void)shutdown(transport->fd, SHUT_RDWR);
}

static enum jtgi_io wait_for(const struct jtgi_transport *transport, short events,
                             int64_t deadline_ns)
{
    return transport->waiter->fd(transport->waiter, transport->fd, events, deadline_ns);
}

/* ---- in clear ---- */

static enum jtgi_io send_clear(const struct jtgi_transport *transport, const unsigned char *data,
                               size_t len, size_t *sent, int64_t deadline_ns)
{
    while (*sent < len) {
        ssize_t count = send(transport->fd, data + *sent, len - *sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count > 0) {
            *sent += (size_t)count;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            enum jtgi_io io = wait_for(transport, POLLOUT, deadline_ns);
            if (io != JTGI_IO_DONE)
                return io;
        } else if (errno != EINTR) {
            return JTGI_IO_FAILED;
        }
    }
    return JTGI_IO_DONE;
}

static bool set_slice(struct jtgi_transport *transport, int64_t slice_ns)
{
    struct timeval slice = {slice_ns / JTGI_NS_PER_S, slice_ns % JTGI_NS_PER_S / 1000};
    if (setsockopt(transport->fd, SOL_SOCKET, SO_RCVTIMEO, &slice, sizeof slice) != 0)
        return false;
    transport->receive_slice_ns = slice_ns;
    return true;
}

/* The next receive must not block beyond the deadline, nor for ever: 0 would mean that. */
static enum jtgi_io arm_slice(struct jtgi_transport *transport, int64_t deadline_ns)
{
    int64_t left = deadline_ns - jtgi_now_ns();
    if (left <= 0)
        return JTGI_IO_TIMEOUT;
    int64_t slice = left < SLICE_NS ? left : SLICE_NS;
    bool fits = transport->receive_slice_ns != 0 && transport->receive_slice_ns <= left;
    if (fits && (transport->receive_slice_ns == slice || left < SLICE_NS))
        return JTGI_IO_DONE;
    if (slice < JTGI_NS_PER_MS)
        slice = JTGI_NS_PER_MS;
    return set_slice(transport, slice) ? JTGI_IO_DONE : JTGI_IO_FAILED;
}

/* After a receive that brought nothing. DONE: try again. */
static enum jtgi_io judge_nothing(const struct jtgi_transport *transport, ssize_t count,
                                  int64_t deadline_ns)
{
    if (count == 0)
        return JTGI_IO_CLOSED;
    if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
        return JTGI_IO_FAILED;
    return transport->waiter->in_kernel ? JTGI_IO_DONE : wait_for(transport, POLLIN, deadline_ns);
}

static enum jtgi_io receive_clear(struct jtgi_transport *transport, void *data, size_t capacity,
                                  size_t *received, int64_t deadline_ns)
{
    bool in_kernel = transport->waiter->in_kernel;
    for (;;) {
        enum jtgi_io io = in_kernel ? arm_slice(transport, deadline_ns) : JTGI_IO_DONE;
        if (io != JTGI_IO_DONE)
            return io;
        ssize_t count = recv(transport->fd, data, capacity, in_kernel ? 0 : MSG_DONTWAIT);
        if (count > 0) {
            *received = (size_t)count;
            return JTGI_IO_DONE;
        }
        io = judge_nothing(transport, count, deadline_ns);
        if (io != JTGI_IO_DONE)
            return io;
    }
}

/* ---- over TLS: each step is non-blocking, the waits lie between them ---- */

static enum jtgi_io send_sealed(struct jtgi_transport *transport, const unsigned char *data,
                                size_t len, size_t *sent, int64_t deadline_ns)
{
    while (*sent < len) {
        size_t count = 0;
        short wanted = 0;
        enum jtgi_io io = jtgi_tls_send(transport->tls, data + *sent, len - *sent, &count, &wanted);
        *sent += count;
        if (io == JTGI_IO_DONE && count == 0)
            io = wait_for(transport, wanted, deadline_ns);
        if (io != JTGI_IO_DONE)
            return io;
    }
    return JTGI_IO_DONE;
}

static enum jtgi_io receive_sealed(struct jtgi_transport *transport, void *data, size_t capacity,
                                   size_t *received, int64_t deadline_ns)
{
    for (;;) {
        short wanted = 0;
        enum jtgi_io io = jtgi_tls_receive(transport->tls, data, capacity, received, &wanted);
        if (io != JTGI_IO_DONE || *received > 0)
            return io;
        io = wait_for(transport, wanted, deadline_ns);
        if (io != JTGI_IO_DONE)
            return io;
    }
}

enum jtgi_io jtgi_transport_send(struct jtgi_transport *transport, const void *data, size_t len,
                                 size_t *sent, int64_t deadline_ns)
{
    *sent = 0;
    return transport->tls == NULL ? send_clear(transport, data, len, sent, deadline_ns)
                                  : send_sealed(transport, data, len, sent, deadline_ns);
}

enum jtgi_io jtgi_transport_receive(struct jtgi_transport *transport, void *data, size_t capacity,
                                    size_t *received, int64_t deadline_ns)
{
    *received = 0;
    return transport->tls == NULL
               ? receive_clear(transport, data, capacity, received, deadline_ns)
               : receive_sealed(transport, data, capacity, received, deadline_ns);
}

bool jtgi_transport_is_quiet(const struct jtgi_transport *transport)
{
    char byte = 0;
    ssize_t count = recv(transport->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}
