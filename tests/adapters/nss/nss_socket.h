/* SPDX-License-Identifier: Apache-2.0 */
/* What a server and a client of NSS share. In their own processes: no asserts. */
#ifndef TESTS_ADAPTERS_NSS_SOCKET_H
#define TESTS_ADAPTERS_NSS_SOCKET_H

#include <prio.h>
#include <stdbool.h>
#include <stdint.h>

/* A UDP socket bound to 127.0.0.1, or with stream a TCP socket that listens, and its port. */
int nss_socket_bind(uint16_t *port, bool stream);
bool nss_socket_connect(int fd, uint16_t port);
/* A connection to a port of 127.0.0.1, or -1. */
int nss_socket_open(uint16_t port, bool stream);

/* NSS with a folder's certificates. */
bool nss_begin(const char *folder);

/* DTLS 1.3, or with stream TLS 1.3, with tickets and one ALPN on a connected socket, which it
 * takes. *done is set when its handshake is done, and lives as long as it.
 */
PRFileDesc *nss_socket_import(int fd, const char *alpn, bool stream, bool *done);

/* Wait until one of two descriptors has something, or for NSS's timer. */
void nss_wait(int one, int other);

/* The handshake so far: 1 done, 0 under way, -1 failed. Of a handshake that a read has ended NSS
 * itself says "under way" until more comes, and drops what the read has left: so `done` comes
 * first.
 */
int nss_shake_hands(PRFileDesc *fd, const bool *done);

#endif
