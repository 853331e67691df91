/* SPDX-License-Identifier: Apache-2.0 */
/* A QUIC server that lets a client skip Retry once for each token that it gave.
 *
 *   quic_server CERTIFICATE KEY LOG [SECRET-FILE [PORT]]
 *
 * LOG is "memory", or the URI of a Redis that all instances share. SECRET-FILE holds the 32 bytes
 * that tokens are sealed with, the same for all instances; without one, or with "-", they are
 * drawn, and tokens end with the process. It listens on 127.0.0.1, on a free port unless told
 * which, prints "port N", and a line for each Initial that begins a connection:
 *
 *   none, retry        no token: a Retry, to see whether the client is where it says
 *   retry, accepted    with the token of a Retry
 *   valid, accepted    with a token that was given before: one round trip saved
 *   reused, retry      with one that was used before; unsure, retry: it may have been
 *   invalid, retry     with one that is not ours, too old, or another address's
 *
 * SIGTERM ends it. One thread: what a question to a Redis takes, every client waits for.
 *
 * A server of yours has a table of connections where this one has a list, and answers with its
 * application data. */
#include "quic_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So many packets at once: whoever floods us must not keep timers and signals waiting. */
enum { WAIT_MS = 1000, RECEIVE_MAX = 256 };

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

/* ---- connections ---- */

static bool has_cid(ngtcp2_conn *conn, const ngtcp2_cid *wanted)
{
    ngtcp2_cid ids[QUIC_SERVER_CIDS_MAX];
    size_t count = quic_scid_count(conn);
    /* The client's first packets bear an ID that it drew itself. */
    if (ngtcp2_cid_eq(ngtcp2_conn_get_client_initial_dcid(conn), wanted))
        return true;
    if (count > QUIC_SERVER_CIDS_MAX)
        return false;
    (void)ngtcp2_conn_get_scid(conn, ids);
    for (size_t i = 0; i < count; i++) {
        if (ngtcp2_cid_eq(&ids[i], wanted))
            return true;
    }
    return false;
}

static bool is_from(const struct quic_connection *connection, const struct quic_address *from)
{
    return connection->remote.len == from->len &&
           memcmp(&connection->remote.at, &from->at, from->len) == 0;
}

/* The client may not move to another address: what comes from there is another client's. */
static struct quic_connection *find(struct quic_server *server, const struct quic_address *from,
                                    const ngtcp2_version_cid *header)
{
    ngtcp2_cid cid;
    if (header->dcidlen > NGTCP2_MAX_CIDLEN)
        return NULL;
    ngtcp2_cid_init(&cid, header->dcid, header->dcidlen);
    for (size_t i = 0; i < QUIC_SERVER_CONNECTIONS_MAX; i++) {
        struct quic_connection *connection = &server->connections[i];
        if (connection->conn != NULL && is_from(connection, from) &&
            has_cid(connection->conn, &cid))
            return connection;
    }
    return NULL;
}

static struct quic_connection *free_place(struct quic_server *server)
{
    for (size_t i = 0; i < QUIC_SERVER_CONNECTIONS_MAX; i++) {
        if (server->connections[i].conn == NULL)
            return &server->connections[i];
    }
    return NULL;
}

/* ---- datagrams ---- */

static void on_datagram(struct quic_server *server, const struct quic_address *from,
                        const uint8_t *packet, size_t len)
{
    ngtcp2_version_cid header;
    int error = ngtcp2_pkt_decode_version_cid(&header, packet, len, QUIC_CID_BYTES);
    if (error == NGTCP2_ERR_VERSION_NEGOTIATION) {
        quic_server_negotiate(server, from, &header);
        return;
    }
    if (error != 0)
        return;
    struct quic_connection *connection = find(server, from, &header);
    if (connection == NULL) {
        connection = free_place(server);
        /* With no place left the packet is lost, and the client sends it again. */
        if (connection == NULL || !quic_server_begin(server, connection, from, packet, len))
            return;
    }
    error = quic_read(connection, packet, len);
    if (error == 0)
        error = quic_send(connection);
    if (error != 0)
        quic_close(connection, error);
}

static void receive(struct quic_server *server)
{
    static uint8_t packet[QUIC_DATAGRAM_MAX_BYTES];
    for (int i = 0; i < RECEIVE_MAX; i++) {
        struct quic_address from = {.len = sizeof from.at};
        ssize_t len = recvfrom(server->fd, packet, sizeof packet, MSG_DONTWAIT,
                               (struct sockaddr *)&from.at, &from.len);
        if (len < 0)
            return;
        on_datagram(server, &from, packet, (size_t)len);
    }
}

static int wait_ms(const struct quic_server *server)
{
    int wait = WAIT_MS;
    for (size_t i = 0; i < QUIC_SERVER_CONNECTIONS_MAX; i++) {
        if (server->connections[i].conn != NULL)
            wait = quic_timeout_ms(&server->connections[i], wait);
    }
    return wait;
}

static void on_timers(struct quic_server *server)
{
    for (size_t i = 0; i < QUIC_SERVER_CONNECTIONS_MAX; i++) {
        struct quic_connection *connection = &server->connections[i];
        if (connection->conn == NULL)
            continue;
        int error = quic_timer(connection);
        if (error == 0)
            error = quic_send(connection);
        if (error != 0)
            quic_close(connection, error);
    }
}

/* The signal is let in only here, so that none is missed. */
static void serve(struct quic_server *server, const sigset_t *open)
{
    while (!stop) {
        struct pollfd polled = {server->fd, POLLIN, 0};
        int wait = wait_ms(server);
        struct timespec limit = {wait / 1000, wait % 1000 * 1000000L};
        if (ppoll(&polled, 1, &limit, open) > 0)
            receive(server);
        on_timers(server);
    }
    for (size_t i = 0; i < QUIC_SERVER_CONNECTIONS_MAX; i++) {
        if (server->connections[i].conn != NULL)
            quic_close(&server->connections[i], 0);
    }
}

/* ---- start ---- */

static bool listen_on(struct quic_server *server, const char *port)
{
    struct sockaddr_in *at = (struct sockaddr_in *)&server->local.at;
    at->sin_family = AF_INET;
    at->sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->local.len = sizeof server->local.at;
    server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return server->fd >= 0 && bind(server->fd, (const struct sockaddr *)at, sizeof *at) == 0 &&
           getsockname(server->fd, (struct sockaddr *)at, &server->local.len) == 0 &&
           printf("port %u\n", ntohs(at->sin_port)) > 0;
}

static void block_signals(sigset_t *open)
{
    struct sigaction action;
    sigset_t ours;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    (void)sigemptyset(&ours);
    (void)sigaddset(&ours, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &ours, open);
    (void)sigaction(SIGTERM, &action, NULL);
}

int main(int argc, char **argv)
{
    static struct quic_server server = {.fd = -1};
    sigset_t open;
    if (argc < 4 || argc > 6) {
        (void)fprintf(stderr, "usage: quic_server CERTIFICATE KEY LOG [SECRET-FILE [PORT]]\n");
        return 2;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    block_signals(&open);
    const char *secret_file = argc > 4 && strcmp(argv[4], "-") != 0 ? argv[4] : NULL;
    bool good = quic_server_open(&server, argv[1], argv[2], argv[3], secret_file) &&
                listen_on(&server, argc > 5 ? argv[5] : "0");
    if (good)
        serve(&server, &open);
    else
        (void)fprintf(stderr, "quic_server: %s\n", server.why);
    quic_server_close(&server);
    if (server.fd >= 0)
        (void)close(server.fd);
    return good ? 0 : 1;
}
