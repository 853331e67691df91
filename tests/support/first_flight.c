/* SPDX-License-Identifier: Apache-2.0 */
#include "support/first_flight.h"

#include "support/asserts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { WAIT_S = 5, RECORD_HEADER = 5, RANDOM_AT = 11, RANDOM_BYTES = 32 };

/* What ServerHello.random is in a HelloRetryRequest: SHA-256 of that word (RFC 8446 section 4.1.3).
 */
static const unsigned char retry_random[RANDOM_BYTES] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

/* ---- sockets ---- */

static void send_all(int fd, const unsigned char *bytes, size_t len)
{
    for (size_t sent = 0; sent < len;) {
        ssize_t more = send(fd, bytes + sent, len - sent, MSG_NOSIGNAL);
        if (more < 0 && errno == EINTR)
            continue;
        assert_true(more > 0);
        sent += (size_t)more;
    }
}

/* Up to len bytes, fewer if the other side ends or is silent for too long: then *silent tells. */
static size_t read_up_to(int fd, unsigned char *bytes, size_t len, bool *silent)
{
    size_t got = 0;
    *silent = false;
    while (got < len) {
        ssize_t more = recv(fd, bytes + got, len - got, 0);
        if (more < 0 && errno == EINTR)
            continue;
        if (more < 0 && errno == EAGAIN)
            *silent = true;
        if (more <= 0)
            break;
        got += (size_t)more;
    }
    return got;
}

int first_flight_connect(uint16_t port)
{
    struct timeval limit = {.tv_sec = WAIT_S, .tv_usec = 0};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* ---- the client's wire ---- */

void first_flight_wire(struct first_flight_wire *wire)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    wire->client = ends[0];
    wire->path = ends[1];
    wire->server = -1;
    assert_int_equal(fcntl(wire->client, F_SETFL, O_NONBLOCK), 0);
}

void first_flight_take(struct first_flight *flight, struct first_flight_wire *wire)
{
    flight->len = 0;
    for (;;) {
        ssize_t more = recv(wire->path, flight->bytes + flight->len,
                            sizeof flight->bytes - flight->len, MSG_DONTWAIT);
        if (more < 0 && errno == EINTR)
            continue;
        if (more <= 0)
            break;
        flight->len += (size_t)more;
        assert_true(flight->len < sizeof flight->bytes);
    }
    assert_true(flight->len > 0);
}

/* ---- the attacker ---- */

static enum first_flight_answer read_answer(int fd)
{
    unsigned char hello[RANDOM_AT + RANDOM_BYTES];
    bool silent;
    size_t got = read_up_to(fd, hello, sizeof hello, &silent);
    if (got >= RECORD_HEADER && hello[0] == 21)
        return FIRST_FLIGHT_ALERT;
    if (got < sizeof hello)
        return silent ? FIRST_FLIGHT_SILENCE : FIRST_FLIGHT_CLOSED;
    assert_int_equal(hello[0], 22);            /* a record of the handshake */
    assert_int_equal(hello[RECORD_HEADER], 2); /* ServerHello */
    return memcmp(hello + RANDOM_AT, retry_random, RANDOM_BYTES) == 0 ? FIRST_FLIGHT_HELLO_RETRY
                                                                      : FIRST_FLIGHT_HELLO;
}

int first_flight_send(const struct first_flight *flight, uint16_t port)
{
    int fd = first_flight_connect(port);
    send_all(fd, flight->bytes, flight->len);
    return fd;
}

enum first_flight_answer first_flight_answer(int fd)
{
    enum first_flight_answer answer = read_answer(fd);
    (void)close(fd);
    return answer;
}

enum first_flight_answer first_flight_replay(const struct first_flight *flight, uint16_t port)
{
    return first_flight_answer(first_flight_send(flight, port));
}

/* ---- the way on ---- */

/* False at the end of one side. Must not assert: it runs in a thread. */
static bool carry(int from, int to)
{
    unsigned char bytes[4096];
    ssize_t got = recv(from, bytes, sizeof bytes, 0);
    for (ssize_t sent = 0; sent < got;) {
        ssize_t more = send(to, bytes + sent, (size_t)(got - sent), MSG_NOSIGNAL);
        if (more <= 0)
            return false;
        sent += more;
    }
    return got > 0;
}

static void *pump(void *argument)
{
    struct first_flight_wire *wire = argument;
    struct pollfd sides[2] = {{.fd = wire->path, .events = POLLIN},
                              {.fd = wire->server, .events = POLLIN}};
    bool both = true;
    while (both && poll(sides, 2, -1) > 0) {
        if (sides[0].revents != 0)
            both = carry(wire->path, wire->server);
        if (both && sides[1].revents != 0)
            both = carry(wire->server, wire->path);
    }
    (void)shutdown(wire->path, SHUT_RDWR);
    (void)shutdown(wire->server, SHUT_RDWR);
    return NULL;
}

void first_flight_forward(const struct first_flight *flight, struct first_flight_wire *wire,
                          uint16_t port)
{
    wire->server = first_flight_send(flight, port);
    assert_int_equal(pthread_create(&wire->pump, NULL, pump, wire), 0);
}

void first_flight_hang_up(struct first_flight_wire *wire)
{
    (void)shutdown(wire->client, SHUT_RDWR);
    if (wire->server >= 0) {
        assert_int_equal(pthread_join(wire->pump, NULL), 0);
        (void)close(wire->server);
    }
    (void)close(wire->path);
    (void)close(wire->client);
}
