/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to and from one server, in clear or over TLS, each wait its waiter's and bounded by a
 * deadline.
 *
 * One thread sends while another receives. No SIGPIPE is ever raised: a library that kills its
 * program because a server went away is worse than a replay. */
#ifndef JTGI_REDIS_TRANSPORT_H
#define JTGI_REDIS_TRANSPORT_H

#include "redis/line/waiter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jtgi_tls_session;

struct jtgi_transport {
    const struct jtgi_waiter *waiter; /* borrowed */
    int fd;
    struct jtgi_tls_session *tls; /* NULL: in clear */
    int64_t receive_slice_ns;     /* what the kernel's receive timeout is set to */
};

/* Take fd. It must be connected. */
void jtgi_transport_init(struct jtgi_transport *transport, int fd, struct jtgi_tls_session *tls,
                         const struct jtgi_waiter *waiter);

/* Close at once, without a word to the server and without waiting. */
void jtgi_transport_close(struct jtgi_transport *transport);

/* Make both directions fail from now on, also for a thread that waits in one. */
void jtgi_transport_break(const struct jtgi_transport *transport);

/* Send all bytes; *sent counts those that left, also on failure. After LATER only what is left is
 * sent again, from the same place in memory. */
enum jtgi_io jtgi_transport_send(struct jtgi_transport *transport, const void *data, size_t len,
                                 size_t *sent, int64_t deadline_ns);

/* Receive at least one byte. */
enum jtgi_io jtgi_transport_receive(struct jtgi_transport *transport, void *data, size_t capacity,
                                    size_t *received, int64_t deadline_ns);

/* Nothing to read and not closed: what an idle connection must be before it is used again. */
bool jtgi_transport_is_quiet(const struct jtgi_transport *transport);

#endif
