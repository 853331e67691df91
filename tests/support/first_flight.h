/* SPDX-License-Identifier: Apache-2.0 */
/* An attacker on the path: takes a client's first flight, ClientHello and early data, off the wire,
 * and sends it as often as it likes, to whom it likes.
 *
 * The client talks to one end of a pair of sockets in place of a connection, and the test holds the
 * other end:
 *
 *   first_flight_wire(&wire);            the client's socket is wire.client, non-blocking
 *   … the client writes its early data and begins the handshake, until it waits for an answer …
 *   first_flight_take(&flight, &wire);   what it has sent, all of it, for nothing is in transit
 *   first_flight_replay(&flight, port);  as often as wanted
 *   first_flight_forward(&flight, &wire, port);  and the client goes on, with the server at last
 *   … the client ends its handshake …
 *   first_flight_hang_up(&wire);
 *
 * Waits are bounded. Failures assert, so use it in the test's own thread. */
#ifndef TESTS_SUPPORT_FIRST_FLIGHT_H
#define TESTS_SUPPORT_FIRST_FLIGHT_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct first_flight {
    unsigned char bytes[32768];
    size_t len;
};

struct first_flight_wire {
    int client; /* the client's end; the test may close it by hanging up only */
    int path;   /* the attacker's end */
    int server; /* once it is forwarded, else -1 */
    pthread_t pump;
};

/* How a server answers a first flight, by its first record. */
enum first_flight_answer {
    FIRST_FLIGHT_SILENCE,    /* nothing for five seconds */
    FIRST_FLIGHT_CLOSED,     /* the end, without a word */
    FIRST_FLIGHT_ALERT,      /* it ends the handshake */
    FIRST_FLIGHT_HELLO,      /* the handshake goes on: ServerHello */
    FIRST_FLIGHT_HELLO_RETRY /* the handshake goes on: HelloRetryRequest */
};

void first_flight_wire(struct first_flight_wire *wire);

/* All that the client has sent so far; there must be some. */
void first_flight_take(struct first_flight *flight, struct first_flight_wire *wire);

/* Send a copy to a server on 127.0.0.1, read its answer, and leave. */
enum first_flight_answer first_flight_replay(const struct first_flight *flight, uint16_t port);

/* The same in two halves, so that many copies are under way at once: a connection with a copy in
 * it, and its answer and end. */
int first_flight_send(const struct first_flight *flight, uint16_t port);
enum first_flight_answer first_flight_answer(int fd);

/* Send the flight to a server, and carry all that follows between it and the client, in a thread,
 * until one of them hangs up. */
void first_flight_forward(const struct first_flight *flight, struct first_flight_wire *wire,
                          uint16_t port);

/* Close all, and wait for the thread. */
void first_flight_hang_up(struct first_flight_wire *wire);

/* A connection to 127.0.0.1, blocking, whose reads and writes end after five seconds. */
int first_flight_connect(uint16_t port);

#endif
