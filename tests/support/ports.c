/* SPDX-License-Identifier: Apache-2.0 */
#include "support/ports.h"

#include "support/asserts.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORTS_MAX = 256, BUS_TRIES = 64 };

static struct held {
    uint16_t port; /* 0 = a free place */
    int fd;
    int bus_fd; /* -1 = none */
} held[PORTS_MAX];

static union address {
    struct sockaddr_in in;
    struct sockaddr any;
} loopback(uint16_t port)
{
    union address address = {.in = {.sin_family = AF_INET,
                                    .sin_port = htons(port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    return address;
}

/* Bound alone, so that nobody else has it; from then on together with who says that he may. */
static int hold(uint16_t port)
{
    const int one = 1;
    union address address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (bind(fd, &address.any, sizeof address.in) != 0) {
        (void)close(fd);
        return -1;
    }
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), 0);
    return fd;
}

static uint16_t port_of(int fd)
{
    union address address = loopback(0);
    socklen_t size = sizeof address.in;
    assert_int_equal(getsockname(fd, &address.any, &size), 0);
    return ntohs(address.in.sin_port);
}

static uint16_t keep(int fd, int bus_fd)
{
    for (unsigned i = 0; i < PORTS_MAX; i++) {
        if (held[i].port != 0)
            continue;
        held[i] = (struct held){port_of(fd), fd, bus_fd};
        return held[i].port;
    }
    fail_msg("more than %d ports at once", PORTS_MAX);
    return 0;
}

uint16_t port_take(void)
{
    int fd = hold(0);
    assert_true(fd >= 0);
    return keep(fd, -1);
}

uint16_t port_take_with_bus(void)
{
    for (int i = 0; i < BUS_TRIES; i++) {
        int fd = hold(0);
        assert_true(fd >= 0);
        unsigned bus = port_of(fd) + (unsigned)PORT_BUS_OFFSET;
        int bus_fd = bus <= UINT16_MAX ? hold((uint16_t)bus) : -1;
        if (bus_fd >= 0)
            return keep(fd, bus_fd);
        (void)close(fd);
    }
    fail_msg("no two ports that far apart are free");
    return 0;
}

void port_give_back(uint16_t port)
{
    for (unsigned i = 0; i < PORTS_MAX && port != 0; i++) {
        if (held[i].port != port)
            continue;
        (void)close(held[i].fd);
        if (held[i].bus_fd >= 0)
            (void)close(held[i].bus_fd);
        held[i].port = 0;
        return;
    }
}
