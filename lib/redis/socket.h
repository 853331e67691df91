/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JTGI_REDIS_SOCKET_H
#define JTGI_REDIS_SOCKET_H

#include "redis/address.h"
#include "redis/resolver.h"

/* Connect to a server within the deadline: TCP (each address in turn, the time that
 * is left shared among those that are left) or a unix socket.
 *
 * Returns: JTG_OK (*fd is blocking, closed on exec) · JTG_ERR_UNAVAILABLE · JTG_ERR_MEMORY */
jtg_status jtgi_socket_connect(const struct jtgi_address *address, uint32_t keepalive_s,
                               struct jtgi_resolver *resolver, int64_t deadline_ns, int *fd,
                               jtg_error *err);

#endif
