/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/http/address.h"

#include "digits.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAPPED_BITS = 96, ADDRESS_BITS = 128 };

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static const char *read_unix(struct listen_address *address, const char *path)
{
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof address->at.local.sun_path)
        return "names no socket, or one with too long a path";
    address->at.local.sun_family = AF_UNIX;
    memcpy(address->at.local.sun_path, path, len + 1);
    address->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
    return NULL;
}

static bool read_port(const char *text, in_port_t *port)
{
    uint64_t number = 0;
    size_t len = strlen(text);
    if (len > 5 || !digits_read(text, len, UINT16_MAX, &number))
        return false;
    *port = htons((uint16_t)number);
    return true;
}

const char *listen_address_read(struct listen_address *address, const char *text)
{
    static const char wrong[] = "is no HOST:PORT with a numeric host, [HOST]:PORT or unix:PATH";
    char host[INET6_ADDRSTRLEN];
    in_port_t port = 0;
    *address = (struct listen_address){.len = 0};
    if (strncmp(text, "unix:", 5) == 0)
        return read_unix(address, text + 5);
    const char *colon = strrchr(text, ':');
    if (colon == NULL || !read_port(colon + 1, &port))
        return wrong;
    bool bracketed = text[0] == '[' && colon > text && colon[-1] == ']';
    const char *start = text + (bracketed ? 1 : 0);
    size_t len = (size_t)(colon - start) - (bracketed ? 1 : 0);
    if (len >= sizeof host)
        return wrong;
    memcpy(host, start, len);
    host[len] = '\0';
    if (bracketed && inet_pton(AF_INET6, host, &address->at.v6.sin6_addr) == 1) {
        address->at.v6.sin6_family = AF_INET6;
        address->at.v6.sin6_port = port;
        address->len = sizeof address->at.v6;
        return NULL;
    }
    if (bracketed || inet_pton(AF_INET, host, &address->at.v4.sin_addr) != 1)
        return wrong;
    address->at.v4.sin_family = AF_INET;
    address->at.v4.sin_port = port;
    address->len = sizeof address->at.v4;
    return NULL;
}

bool listen_address_is_unix(const struct listen_address *address)
{
    return address->at.any.sa_family == AF_UNIX;
}

static void put_v4(unsigned char bytes[16], const void *address)
{
    memcpy(bytes, mapped, sizeof mapped);
    memcpy(bytes + sizeof mapped, address, 4);
}

static bool is_v4(const unsigned char bytes[16])
{
    return memcmp(bytes, mapped, sizeof mapped) == 0;
}

struct peer peer_from_socket(const struct sockaddr *address)
{
    struct peer peer = {false, false, {0}};
    if (address == NULL || address->sa_family == AF_UNSPEC)
        return peer;
    peer.known = true;
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        put_v4(peer.bytes, &v4.sin_addr);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        memcpy(peer.bytes, &v6.sin6_addr, sizeof peer.bytes);
    } else {
        peer.is_unix = true;
    }
    return peer;
}

static bool read_bytes(unsigned char bytes[16], const char *text, unsigned *bits)
{
    struct in_addr v4;
    *bits = ADDRESS_BITS;
    if (inet_pton(AF_INET6, text, bytes) == 1)
        return true;
    if (inet_pton(AF_INET, text, &v4) != 1)
        return false;
    put_v4(bytes, &v4);
    *bits = ADDRESS_BITS - MAPPED_BITS;
    return true;
}

/* "[2001:db8::1]:80", "[2001:db8::1]" and "192.0.2.1:80" lose their brackets and ports. */
static void cut_port(char *text)
{
    char *colon = strchr(text, ':');
    if (text[0] == '[') {
        memmove(text, text + 1, strlen(text));
        text[strcspn(text, "]")] = '\0';
    } else if (colon != NULL && strchr(colon + 1, ':') == NULL) {
        *colon = '\0';
    }
}

bool peer_read(struct peer *peer, const char *text, size_t text_len)
{
    char copy[INET6_ADDRSTRLEN + 8];
    unsigned bits = 0;
    *peer = (struct peer){false, false, {0}};
    if (text_len >= sizeof copy || memchr(text, '\0', text_len) != NULL)
        return false;
    memcpy(copy, text, text_len);
    copy[text_len] = '\0';
    cut_port(copy);
    peer->known = read_bytes(peer->bytes, copy, &bits);
    return peer->known;
}

size_t peer_key(const struct peer *peer, unsigned char key[PEER_KEY_BYTES])
{
    if (!peer->known || peer->is_unix)
        return 0;
    memcpy(key, peer->bytes, PEER_KEY_BYTES);
    if (!is_v4(peer->bytes))
        memset(key + PEER_KEY_BYTES / 2, 0, PEER_KEY_BYTES / 2);
    return PEER_KEY_BYTES;
}

void peer_write(const struct peer *peer, char text[PEER_TEXT_BYTES])
{
    bool v4 = is_v4(peer->bytes);
    (void)snprintf(text, PEER_TEXT_BYTES, "%s", peer->is_unix ? "unix" : "unknown");
    if (peer->known && !peer->is_unix)
        (void)inet_ntop(v4 ? AF_INET : AF_INET6, peer->bytes + (v4 ? sizeof mapped : 0), text,
                        PEER_TEXT_BYTES);
}

static bool read_bits(const char *text, unsigned max, unsigned *bits)
{
    uint64_t number = 0;
    size_t len = strlen(text);
    if (len > 3 || !digits_read(text, len, max, &number))
        return false;
    *bits = (unsigned)number;
    return true;
}

static bool same_start(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned whole = bits / 8;
    unsigned rest = bits % 8;
    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || ((a[whole] ^ b[whole]) & (0xff00U >> rest) & 0xffU) == 0;
}

/* 192.0.2.1/24 is a slip: which network is meant? */
static bool is_start_of_network(const struct network *network)
{
    unsigned char masked[16] = {0};
    for (unsigned bit = 0; bit < network->bits; bit++)
        masked[bit / 8] |= (unsigned char)(network->bytes[bit / 8] & (0x80U >> (bit % 8)));
    return memcmp(masked, network->bytes, sizeof masked) == 0;
}

static bool read_network(struct network *network, const char *text)
{
    char address[INET6_ADDRSTRLEN];
    unsigned address_bits = 0;
    *network = (struct network){false, {0}, ADDRESS_BITS};
    if (strcmp(text, "unix") == 0) {
        network->is_unix = true;
        return true;
    }
    size_t len = strcspn(text, "/");
    if (len >= sizeof address)
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    if (!read_bytes(network->bytes, address, &address_bits))
        return false;
    unsigned bits = address_bits;
    if (text[len] == '/' && !read_bits(text + len + 1, address_bits, &bits))
        return false;
    network->bits = ADDRESS_BITS - address_bits + bits;
    return is_start_of_network(network);
}

const char *networks_read(struct networks *networks, const struct text_list *texts)
{
    *networks = (struct networks){calloc(texts->count, sizeof *networks->items), 0};
    if (networks->items == NULL)
        return "needs more memory than there is";
    for (; networks->count < texts->count; networks->count++)
        if (!read_network(&networks->items[networks->count], texts->items[networks->count])) {
            networks_clear(networks);
            return "is no address, no ADDRESS/BITS with the rest zero, and not unix";
        }
    return NULL;
}

void networks_clear(struct networks *networks)
{
    free(networks->items);
    *networks = (struct networks){NULL, 0};
}

bool networks_hold(const struct networks *networks, const struct peer *peer)
{
    if (!peer->known)
        return false;
    for (size_t i = 0; i < networks->count; i++) {
        const struct network *network = &networks->items[i];
        if (network->is_unix != peer->is_unix)
            continue;
        if (peer->is_unix || same_start(network->bytes, peer->bytes, network->bits))
            return true;
    }
    return false;
}
