/* SPDX-License-Identifier: Apache-2.0 */
/* What an address leads to now: the socket addresses of its name, in the resolver's order, or a
 * unix socket. */
#ifndef JTGI_REDIS_TARGETS_H
#define JTGI_REDIS_TARGETS_H

#include "redis/line/resolver.h"
#include "redis/say/address/address.h"

struct jtgi_targets {
    struct jtgi_address address;  /* that leads to them, by the host that was resolved */
    struct addrinfo *found;       /* NULL: a unix socket */
    const struct addrinfo *next;  /* not yet tried */
    const struct addrinfo *tried; /* last */
    bool path_left;               /* likewise */
    unsigned count;               /* of all */

    /* While it is looked for. */
    struct jtgi_lookup *lookup; /* under way; NULL: none */
    bool by_other;              /* of the other host: the first was not found */
    jtg_error first_err;        /* and why */
};

/* Before it is looked for. */
void jtgi_targets_init(struct jtgi_targets *targets, const struct jtgi_address *address);

/* Returns: JTG_OK (at least one) · JTGI_LATER · JTG_ERR_UNAVAILABLE · JTG_ERR_MEMORY; then it holds
 * nothing */
jtg_status jtgi_targets_find(struct jtgi_targets *targets, struct jtgi_resolver *resolver,
                             int64_t deadline_ns, jtg_error *err);
void jtgi_targets_clear(struct jtgi_targets *targets);

/* Is one left that was not tried? */
bool jtgi_targets_left(const struct jtgi_targets *targets);

/* Until when the next one may take: what is left of the time is shared among those that are. */
int64_t jtgi_targets_share(const struct jtgi_targets *targets, int64_t deadline_ns);

/* Connect to the next one; one must be left. *fd is -1, or what JTGI_LATER left in it.
 *
 * Returns: as jtgi_socket_connect() */
jtg_status jtgi_targets_connect(struct jtgi_targets *targets, uint32_t keepalive_s,
                                const struct jtgi_waiter *waiter, int64_t deadline_ns, int *fd,
                                jtg_error *err);

#endif
