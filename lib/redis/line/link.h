/* SPDX-License-Identifier: Apache-2.0 */
/* A way to a server: socket and, where it is asked for, TLS. Nothing is said on it yet. */
#ifndef JTGI_REDIS_LINK_H
#define JTGI_REDIS_LINK_H

#include "redis/line/connection.h"
#include "redis/line/dialer.h"
#include "redis/line/targets.h"
#include "redis/say/address/address.h"
#include "redis/say/resp/command.h"

/* Where an address leads to, as numeric addresses and in the resolver's order: those of its host,
 * or of what address_map says in its place, which are then not mapped again. The list has room for
 * JTG_REDIS_ADDRESSES_LIMIT.
 *
 * Returns: as jtgi_resolver_all() */
jtg_status jtgi_link_find_all(struct jtgi_dialer *dialer, const struct jtgi_address *address,
                              int64_t deadline_ns, struct jtgi_address *list, unsigned *count,
                              jtg_error *err);

/* ---- to one server, whichever of an address's serves ---- */

/* Returns: JTG_OK (*connection is the caller's) · JTG_ERR_UNAVAILABLE · JTG_ERR_MEMORY */
jtg_status jtgi_link_open(struct jtgi_dialer *dialer, const struct jtgi_address *address,
                          int64_t deadline_ns, struct jtgi_connection **connection, jtg_error *err);

/* The same to a Sentinel, which may differ in TLS, and is reached at one address of those that its
 * name has: the certificate must carry the name. */
jtg_status jtgi_link_open_sentinel(struct jtgi_dialer *dialer, const struct jtgi_address *address,
                                   const char *tls_name, int64_t deadline_ns,
                                   struct jtgi_connection **connection, jtg_error *err);

/* ---- to each in turn ---- */

/* Which certificate will do: that of `name` or, if there is one, of `other`. NULL: in clear. */
struct jtgi_link_names {
    const char *name;
    const char *other;
};

struct jtgi_links {
    struct jtgi_dialer *dialer;
    const struct jtgi_address *address; /* borrowed */
    struct jtgi_link_names names;       /* likewise */
    struct jtgi_targets targets;

    /* The one that is being opened. */
    int fd; /* -1: none */
    struct jtgi_tls_session *session;
    bool is_connected;
    struct jtgi_residence residence;
};

/* The servers that an address leads to, which is borrowed until jtgi_links_end(). */
void jtgi_links_begin(struct jtgi_links *links, struct jtgi_dialer *dialer,
                      const struct jtgi_address *address);

/* Find out which. Returns: JTG_OK (at least one) · JTGI_LATER · JTG_ERR_UNAVAILABLE ·
 * JTG_ERR_MEMORY */
jtg_status jtgi_links_find(struct jtgi_links *links, int64_t deadline_ns, jtg_error *err);

/* Whatever has become of it; what was begun to be opened is closed. */
void jtgi_links_end(struct jtgi_links *links);

/* Then open one to the next; one must be left (targets.h). Returns: as jtgi_link_open(), and
 * JTGI_LATER. */
jtg_status jtgi_links_next(struct jtgi_links *links, int64_t deadline_ns,
                           struct jtgi_connection **connection, jtg_error *err);

/* ---- */

/* One question and its reply, on a connection that nobody else uses.
 *
 * Returns: JTG_OK (*reply for freeReplyObject()) · JTG_ERR_UNAVAILABLE · JTG_ERR_MEMORY */
jtg_status jtgi_link_ask(struct jtgi_connection *connection, const struct jtgi_command *command,
                         int64_t deadline_ns, redisReply **reply, jtg_error *err);

/* The same of an answer that is an array of any length (jtgi_connection_receive_each()). */
jtg_status jtgi_link_ask_each(struct jtgi_connection *connection,
                              const struct jtgi_command *command, const struct jtgi_taker *taker,
                              int64_t deadline_ns, redisReply **reply, jtg_error *err);

/* Tell what went wrong with a server, and with which: the address by which Sentinels or Cluster
 * know it, and where that is mapped to. NULL: the one that was configured; its host is not
 * repeated, for in its place may stand a password. Returns status. */
jtg_status jtgi_link_tell(const struct jtgi_dialer *dialer, const struct jtgi_address *address,
                          jtg_status status, const jtg_error *why, jtg_error *err);

#endif
