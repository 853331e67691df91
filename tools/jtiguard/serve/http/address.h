/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of listeners, of peers, and networks of them. Numeric only: a name that resolves to
 * something else tomorrow is no address to trust or to bind. */
#ifndef SERVE_ADDRESS_H
#define SERVE_ADDRESS_H

#include "text_list.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Where to listen. */
struct listen_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
    } at;
    socklen_t len;
};

/* "127.0.0.1:80", "[::1]:80", "unix:/run/socket". NULL, or what is wrong. */
const char *listen_address_read(struct listen_address *address, const char *text);
bool listen_address_is_unix(const struct listen_address *address);

/* Who asks: an IPv4 address in its mapped form (RFC 4291 section 2.5.5.2), or a unix socket. */
struct peer {
    bool known;
    bool is_unix;
    unsigned char bytes[16];
};

struct peer peer_from_socket(const struct sockaddr *address);

/* "192.0.2.1", "2001:db8::1", also with a port, as X-Forwarded-For writes them. */
bool peer_read(struct peer *peer, const char *text, size_t text_len);

/* What counts as one client: an IPv4 address, a /64 of IPv6. */
enum { PEER_KEY_BYTES = 16, PEER_TEXT_BYTES = INET6_ADDRSTRLEN };
size_t peer_key(const struct peer *peer, unsigned char key[PEER_KEY_BYTES]);

/* For people: "192.0.2.1", "unix", "unknown". */
void peer_write(const struct peer *peer, char text[PEER_TEXT_BYTES]);

struct network {
    bool is_unix;
    unsigned char bytes[16];
    unsigned bits;
};

struct networks {
    struct network *items;
    size_t count;
};

/* "192.0.2.0/24", "::1", "unix". NULL, or what is wrong with one of them. */
const char *networks_read(struct networks *networks, const struct text_list *texts);
void networks_clear(struct networks *networks);
bool networks_hold(const struct networks *networks, const struct peer *peer);

#endif
