/* SPDX-License-Identifier: Apache-2.0 */
/* Names to addresses, within a deadline. getaddrinfo() has none: it runs on a thread of its own,
 * and whoever waited too long leaves it behind. One lookup a name runs at a time; a caller that
 * comes while an old one hangs waits for that one. */
#ifndef JTGI_REDIS_RESOLVER_H
#define JTGI_REDIS_RESOLVER_H

#include "redis/say/address/address.h"

#include <jtiguard/status.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct jtgi_lookup;
struct jtgi_waiter;

/* More that hang at once are refused: each has a thread. */
enum { JTGI_LOOKUPS_MAX = 16 };

struct jtgi_resolver {
    const struct jtgi_waiter *waiter; /* borrowed */
    pthread_mutex_t lock;
    struct jtgi_lookup *running[JTGI_LOOKUPS_MAX]; /* NULL: none; two never have the same name */
};

void jtgi_resolver_init(struct jtgi_resolver *resolver, const struct jtgi_waiter *waiter);

/* Never waits for a lookup: its thread frees what is left when it ends. */
void jtgi_resolver_clear(struct jtgi_resolver *resolver);

/* *lookup is NULL at first. Returns: JTG_OK (*addresses for freeaddrinfo()) · JTGI_LATER (*lookup
 * is under way, and the caller's: jtgi_lookup_end() if it does not come back) · JTG_ERR_UNAVAILABLE
 * · JTG_ERR_MEMORY. A numeric address is answered without a thread. */
jtg_status jtgi_resolve(struct jtgi_resolver *resolver, const char *host, uint32_t port,
                        int64_t deadline_ns, struct jtgi_lookup **lookup,
                        struct addrinfo **addresses, jtg_error *err);

/* Does it need no look-up? */
bool jtgi_resolver_is_numeric(const char *host);

/* The same as a list of numeric addresses with that port, in the resolver's order and each once.
 *
 * Returns: as jtgi_resolve() · JTG_ERR_UNSUPPORTED (more than max: a part of them is not all) */
jtg_status jtgi_resolver_all(struct jtgi_resolver *resolver, const char *host, uint32_t port,
                             int64_t deadline_ns, struct jtgi_address *list, unsigned max,
                             unsigned *count, jtg_error *err);

/* ---- one that is not waited for ---- */

/* Begin it, on a thread of its own, whatever runs for others. NULL without memory or thread. */
struct jtgi_lookup *jtgi_lookup_begin(const struct jtgi_waiter *waiter, const char *host,
                                      uint32_t port);

/* Wait for its end until then at most, or look only. Has it ended? False before that moment where
 * it is not waited. */
bool jtgi_lookup_await(struct jtgi_lookup *lookup, int64_t until_ns);

/* Of one that has ended: did it before that moment? */
bool jtgi_lookup_ended_before(struct jtgi_lookup *lookup, int64_t moment_ns);

/* Of one that has ended, borrowed from it; NULL: it failed. */
const struct addrinfo *jtgi_lookup_result(const struct jtgi_lookup *lookup);

/* Let go of it, ended or not. NULL does nothing. */
void jtgi_lookup_end(struct jtgi_lookup *lookup);

#endif
