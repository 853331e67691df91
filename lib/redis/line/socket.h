/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JTGI_REDIS_SOCKET_H
#define JTGI_REDIS_SOCKET_H

#include "redis/line/waiter.h"

#include <jtiguard/status.h>
#include <stdint.h>
#include <sys/socket.h>

/* Connect within the deadline, over TCP or to a unix socket, whose connect is never on its way: a
 * full backlog makes no descriptor ready.
 *
 * *fd is -1 at first. Returns: JTG_OK (*fd is blocking, closed on exec) · JTGI_LATER (TCP only: *fd
 * is on its way, and the caller's) · JTG_ERR_UNAVAILABLE (*fd is -1) */
jtg_status jtgi_socket_connect(const struct sockaddr *address, socklen_t size, uint32_t keepalive_s,
                               const struct jtgi_waiter *waiter, int64_t deadline_ns, int *fd,
                               jtg_error *err);
jtg_status jtgi_socket_connect_unix(const char *path, const struct jtgi_waiter *waiter,
                                    int64_t deadline_ns, int *fd, jtg_error *err);

#endif
