/* SPDX-License-Identifier: Apache-2.0 */
/* DTLS 1.3 servers and clients of NSS, as processes of their own (NSS cannot be forked), and the
 * path between them, which belongs to the test.
 *
 * A server serves one connection after another, each on a port of its own. It sends early data, or
 * the first data after the handshake, back. A client connects, sends its words as early data where
 * it may and after the handshake otherwise, and reads what comes back. */
#ifndef TESTS_ADAPTERS_NSS_PEERS_H
#define TESTS_ADAPTERS_NSS_PEERS_H

#include <jtiguard/anti_replay.h>
#include <jtiguard/dtls_sessions.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PATH_PIECES = 8, PATH_PIECE_BYTES = 2048 };

/* A folder with a certificate for localhost, its key, and trust in it. */
void nss_folder_make(char folder[64]);
void nss_folder_clear(const char *folder);

/* ---- servers ---- */

struct nss_server {
    pid_t pid; /* 0: not running */
    int control;
    const char *folder;    /* borrowed */
    const char *redis_uri; /* borrowed */
    const char *alpn;      /* borrowed; "" for none. NULL: coap */
    bool stream;           /* TLS over TCP in place of DTLS over UDP */
    bool other_group;      /* only a key exchange for which clients send no share at first */
    bool unguarded;        /* early data as NSS takes it by itself */
};

struct nss_report {
    bool completed; /* the handshake */
    bool resumed;
    bool early; /* early data was accepted */
    int error;  /* of NSS, that ended the connection; 0: none */
    uint64_t reasons[JTG_FLIGHT_REASON_COUNT];
};

void nss_server_start(struct nss_server *server);
void nss_server_stop(struct nss_server *server);
/* The port of 127.0.0.1 on which it waits for one connection. */
uint16_t nss_server_open(struct nss_server *server);
/* It reads what has arrived, ends the connection, and tells of it. */
struct nss_report nss_server_end(struct nss_server *server);

/* ---- clients ---- */

struct nss_client {
    pid_t pid;
    int control;
    const char *folder;    /* borrowed */
    const char *redis_uri; /* borrowed */
    const char *alpn;      /* borrowed; what it offers, and wants a session for */
    const char *parameters;
    const char *host; /* NULL: localhost */
    bool stream;      /* TLS over TCP in place of DTLS over UDP */
    bool wide;        /* with key shares that one datagram does not hold */
};

struct nss_result {
    jtg_status attached;
    bool completed;
    bool offered; /* a session was taken and given to NSS */
    bool resumed;
    bool early; /* the server accepted the early data */
    bool answered;
    uint64_t fates[JTG_DTLS_DISCARDED + 1];
};

/* Connect to a port; wait with the rest until nss_client_go(). Returns when its first flight is on
 * the wire: whether it offers a session. */
bool nss_client_start(struct nss_client *client, uint16_t port);
/* kill -9. */
void nss_client_kill(struct nss_client *client);
void nss_client_go(struct nss_client *client);
struct nss_result nss_client_end(struct nss_client *client);
/* All of it. */
struct nss_result nss_client_run(struct nss_client *client, uint16_t port);

/* ---- the path ---- */

struct path_pieces {
    unsigned count;
    size_t len[PATH_PIECES];
    unsigned char bytes[PATH_PIECES][PATH_PIECE_BYTES];
};

struct nss_path {
    int client_side;
    int server_side; /* -1 until the flight is delivered */
    uint16_t port;   /* where the client connects to */
};

void nss_path_open(struct nss_path *path);
/* What the client has sent, each piece once; there must be some. */
void nss_path_take(struct nss_path *path, struct path_pieces *flight);
/* Send the flight to a server's port, from a new address. */
void nss_path_deliver(struct nss_path *path, const struct path_pieces *flight, uint16_t port);
/* Whether a datagram comes back, within five seconds; it goes nowhere. */
bool nss_path_answered(struct nss_path *path);
/* Carry datagrams until the client is done, those of the server `copies` times. */
struct nss_result nss_path_carry(struct nss_path *path, struct nss_client *client, unsigned copies);
void nss_path_close(struct nss_path *path);

#endif
