/* SPDX-License-Identifier: Apache-2.0 */
/* Where a server is reached. No I/O, no locks. */
#ifndef JTGI_REDIS_ADDRESS_H
#define JTGI_REDIS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JTGI_HOST_MAX_BYTES = 255,   /* DNS has no longer name */
    JTGI_ADDRESS_MAX_BYTES = 272 /* as text, with its NUL */
};

/* A host and a port, or a unix socket. */
struct jtgi_address {
    const char *unix_path; /* borrowed from the options; NULL: host and port */
    char host[JTGI_HOST_MAX_BYTES + 1];
    /* By which its Cluster knows it too: the name that it announces beside an address, or the
     * address beside a name; empty if there is none. A certificate may carry it, and it is tried
     * where `host` is a name that cannot be resolved. */
    char other_host[JTGI_HOST_MAX_BYTES + 1];
    uint32_t port;
    bool mapped; /* it is where address_map leads to (address_map.h): not to be mapped again */
};

/* False when the host is too long, empty or holds what no host does; then unchanged. */
bool jtgi_address_set(struct jtgi_address *address, const char *host, size_t host_len,
                      uint32_t port);

/* False as above. */
bool jtgi_address_set_other(struct jtgi_address *address, const char *host, size_t host_len);

/* By host and port. */
bool jtgi_address_equals(const struct jtgi_address *one, const struct jtgi_address *other);

/* Is the host of one the other host of the other, at the same port? That both announce one name is
 * no sign: several nodes may. */
bool jtgi_address_crosses(const struct jtgi_address *one, const struct jtgi_address *other);

/* "host:port", "[v6]:port" or the path. */
void jtgi_address_format(const struct jtgi_address *address, char *text, size_t size);

/* One address, "host", "host:port", "[v6]" or "[v6]:port". A default port of 0 is left at that when
 * there is none. False when it is badly formed. */
bool jtgi_address_read(const char *text, size_t len, uint32_t default_port,
                       struct jtgi_address *address);

/* The next of a list "host[:port],host[:port],…", IPv6 in brackets. *list moves behind it and
 * becomes NULL after the last one. False when it is badly formed. */
bool jtgi_address_next(const char **list, uint32_t default_port, struct jtgi_address *address);

#endif
