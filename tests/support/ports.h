/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of 127.0.0.1 that no other test gets, also not while nobody listens on them.
 *
 * A port that is found free and let go of again is anybody's: another test's server, or a client's
 * own end of a connection, even of one to this very port. So a port that was taken stays bound, by
 * a socket that does not listen. One that binds with SO_REUSEADDR, as servers do, may listen beside
 * it, again and again; bind() without it, and the system's own choice of ports, pass it over. What
 * this cannot keep away is a server with a fixed port that looks at nothing: none of ours has one.
 *
 * Failures assert, so use it in the test's own thread. */
#ifndef TESTS_SUPPORT_PORTS_H
#define TESTS_SUPPORT_PORTS_H

#include <stdint.h>

enum { PORT_BUS_OFFSET = 10000 };

/* A port, until it is given back or the process ends. */
uint16_t port_take(void);

/* The same with the port PORT_BUS_OFFSET above it, where a node of a Redis Cluster listens too. */
uint16_t port_take_with_bus(void);

/* Both, if it was taken with its bus. 0 is no port. */
void port_give_back(uint16_t port);

#endif
