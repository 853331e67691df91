/* SPDX-License-Identifier: Apache-2.0 */
/* Does a connection still lead to where its address does? A name that is looked up at the connect
 * alone is believed for as long as that lives: whoever was connected before a planned move would go
 * on with the old server for ever, beside others at the new one.
 *
 * So it is looked up again now and then, on the resolver's thread: begun by one use of the
 * connection and judged by a later one, so that none waits. Only where nobody has used it for so
 * long that the answer would come too late, one use waits for it, a part of its time.
 *
 * No lock: only the one who sends on the connection uses this. */
#ifndef JTGI_REDIS_RESIDENCE_H
#define JTGI_REDIS_RESIDENCE_H

#include "redis/say/address/address.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>

struct jtgi_lookup;
struct jtgi_waiter;

struct jtgi_residence {
    const struct jtgi_waiter *waiter; /* borrowed */
    int64_t due_ns;                   /* when to look next; INT64_MAX: never */
    int64_t age_ns;
    struct jtgi_address address;
    struct sockaddr_storage peer; /* TCP */
    struct stat path;             /* a unix socket: which one it was */
    struct jtgi_lookup *lookup;   /* under way, or ended and not judged; NULL: none */
};

/* It leads nowhere that could change. */
void jtgi_residence_init(struct jtgi_residence *residence, const struct jtgi_waiter *waiter);

/* A unix socket, before it is connected to: what is put in its place meanwhile is noticed. */
void jtgi_residence_look_at_path(struct jtgi_residence *residence, const char *path);

/* fd was connected by this address, just now. age_s 0: it is believed for ever. */
void jtgi_residence_settle(struct jtgi_residence *residence, const struct jtgi_address *address,
                           int fd, uint32_t age_s);

/* From due_ns on, before each use. True: the address leads elsewhere now, and the connection must
 * be left. An address that cannot be looked up is one that has not changed. */
bool jtgi_residence_is_left(struct jtgi_residence *residence, int64_t now_ns, int64_t deadline_ns);

void jtgi_residence_clear(struct jtgi_residence *residence);

#endif
