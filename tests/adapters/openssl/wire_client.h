/* SPDX-License-Identifier: Apache-2.0 */
/* A client of TLS over a socket, whose first flight is kept; and who has nothing but that copy. */
#ifndef TESTS_ADAPTERS_OPENSSL_WIRE_CLIENT_H
#define TESTS_ADAPTERS_OPENSSL_WIRE_CLIENT_H

#include "adapters/openssl/tls_ends.h"

#include <stdint.h>

/* tls_connect() with TLS 1.3 to a server on a port of 127.0.0.1. early_read is not known. */
struct tls_outcome wire_connect(struct tls_client *client, uint16_t port, SSL_SESSION *ticket,
                                const char *early);

/* Send a flight, and nothing more, and read to the end. True: the server answered with its part of
 * a handshake. Asserts nothing, so any thread may call it. */
bool wire_replay(uint16_t port, const struct tls_flight *flight);

#endif
