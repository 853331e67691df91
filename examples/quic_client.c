/* SPDX-License-Identifier: Apache-2.0 */
/* A QUIC client that keeps the tokens of its servers, and skips Retry from its second connection
 * on.
 *
 *   quic_client HOST PORT CA-FILE STORE [COUNT]
 *
 * STORE is "memory", or the URI of a Redis that several clients share: no token is ever taken by
 * two of them. Makes COUNT connections, one after the other, each until it has been given a token,
 * and prints a line for each:
 *
 *   1: no token, retry, kept 1
 *   2: token, no retry, kept 1
 *
 * Whether a server sends a Retry is its own affair; "token, retry" is what one does that has been
 * restarted. */
#include "quic_connection.h"

#include <arpa/inet.h>
#include <jtiguard/jtiguard.h>
#include <jtiguard/quic_tokens_ngtcp2.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So many packets at once: a server that floods us must not outlast our patience. */
enum { PATIENCE_MS = 15000, WAIT_MS = 1000, RECEIVE_MAX = 256 };

struct client {
    struct quic_connection connection;
    jtg_ngtcp2_client tokens;
    jtg_endpoint endpoint;
    gnutls_certificate_credentials_t credentials;
    const char *port;
    unsigned given;
    unsigned kept;
    jtg_quic_load load;
};

/* ---- the two places where tokens come in ---- */

/* A token that cannot be kept is not worth a connection. */
static int on_new_token(ngtcp2_conn *conn, QUIC_TOKEN_PARAMETERS, void *user_data)
{
    struct client *client = ((struct quic_connection *)user_data)->owner;
    jtg_quic_fate fate;
    client->given++;
    if (jtg_ngtcp2_token_keep(&client->tokens, conn, QUIC_TOKEN_BYTES, QUIC_TOKEN_LEN, &fate,
                              NULL) == JTG_OK &&
        fate == JTG_QUIC_STORED)
        client->kept++;
    return 0;
}

static bool make(struct client *client)
{
    struct quic_connection *connection = &client->connection;
    ngtcp2_callbacks callbacks;
    ngtcp2_settings settings;
    ngtcp2_transport_params params;
    ngtcp2_cid dcid;
    ngtcp2_cid scid;
    jtg_error err = JTG_ERROR_INIT;
    ngtcp2_path path = quic_path(connection);
    quic_callbacks(&callbacks);
    callbacks.recv_new_token = on_new_token;
    quic_defaults(&settings, &params);
    if (jtg_ngtcp2_token_offer(&client->tokens, NGTCP2_PROTO_VER_V1, &settings, &client->load,
                               &err) != JTG_OK)
        (void)fprintf(stderr, "quic_client: no token: %s\n", err.text);
    bool made = quic_random_cid(&dcid) && quic_random_cid(&scid) &&
                ngtcp2_conn_client_new(&connection->conn, &dcid, &scid, &path, NGTCP2_PROTO_VER_V1,
                                       &callbacks, &settings, &params, NULL, connection) == 0;
    jtg_ngtcp2_client_clear(&client->tokens);
    return made;
}

/* ---- a connection ---- */

static bool open_socket(struct client *client)
{
    struct quic_connection *connection = &client->connection;
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(client->endpoint.host, client->port, &hints, &found) != 0)
        return false;
    connection->remote.len = found->ai_addrlen;
    memcpy(&connection->remote.at, found->ai_addr, found->ai_addrlen);
    connection->local.len = sizeof connection->local.at;
    connection->fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    freeaddrinfo(found);
    return connection->fd >= 0 &&
           connect(connection->fd, (const struct sockaddr *)&connection->remote.at,
                   connection->remote.len) == 0 &&
           getsockname(connection->fd, (struct sockaddr *)&connection->local.at,
                       &connection->local.len) == 0;
}

static bool name_server(struct client *client)
{
    const char *host = client->endpoint.host;
    gnutls_session_t tls = client->connection.tls;
    unsigned char address[sizeof(struct in6_addr)];
    gnutls_session_set_verify_cert(tls, host, 0);
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1 ||
           gnutls_server_name_set(tls, GNUTLS_NAME_DNS, host, strlen(host)) == 0;
}

/* Read what has come, and do what is due. */
static int step(struct quic_connection *connection)
{
    static uint8_t packet[QUIC_DATAGRAM_MAX_BYTES];
    struct pollfd polled = {connection->fd, POLLIN, 0};
    int error = quic_send(connection);
    if (error != 0 || poll(&polled, 1, quic_timeout_ms(connection, WAIT_MS)) < 0)
        return error;
    for (int i = 0; i < RECEIVE_MAX; i++) {
        ssize_t len = recv(connection->fd, packet, sizeof packet, MSG_DONTWAIT);
        if (len < 0)
            break;
        error = quic_read(connection, packet, (size_t)len);
        if (error != 0)
            return error;
    }
    return quic_timer(connection);
}

/* Until the handshake is over and a token has come. */
static int talk(struct client *client)
{
    struct quic_connection *connection = &client->connection;
    ngtcp2_tstamp end = quic_now() + (ngtcp2_tstamp)PATIENCE_MS * NGTCP2_MILLISECONDS;
    while (client->given == 0 || !ngtcp2_conn_get_handshake_completed(connection->conn)) {
        int error = step(connection);
        if (error != 0)
            return error;
        if (quic_now() > end)
            return NGTCP2_ERR_HANDSHAKE_TIMEOUT;
    }
    return 0;
}

static bool connect_once(struct client *client, unsigned number)
{
    struct quic_connection *connection = &client->connection;
    int error = NGTCP2_ERR_INTERNAL;
    memset(connection, 0, sizeof *connection);
    connection->owner = client;
    connection->fd = -1;
    client->given = 0;
    client->kept = 0;
    if (open_socket(client) && quic_tls(connection, GNUTLS_CLIENT, client->credentials) &&
        name_server(client) && make(client)) {
        quic_tls_attach(connection);
        error = talk(client);
        (void)printf("%u: %s, %s, kept %u%s%s\n", number,
                     client->load == JTG_QUIC_LOAD_LOADED ? "token" : "no token",
                     ngtcp2_conn_after_retry(connection->conn) ? "retry" : "no retry", client->kept,
                     error == 0 ? "" : ", ", error == 0 ? "" : ngtcp2_strerror(error));
    } else {
        (void)printf("%u: cannot begin\n", number);
    }
    quic_close(connection, error);
    if (connection->fd >= 0)
        (void)close(connection->fd);
    return error == 0;
}

/* ---- start ---- */

static bool trust(struct client *client, const char *ca_file)
{
    return gnutls_certificate_allocate_credentials(&client->credentials) == 0 &&
           gnutls_certificate_set_x509_trust_file(client->credentials, ca_file,
                                                  GNUTLS_X509_FMT_PEM) > 0;
}

static bool open_store(jtg_cache **cache, jtg_quic_tokens **tokens, const char *store)
{
    jtg_status status = strcmp(store, "memory") == 0 ? jtg_memory_new(cache, NULL, NULL)
                                                     : jtg_redis_new_uri(cache, store, NULL);
    if (status == JTG_OK)
        status = jtg_quic_tokens_new(tokens, *cache, NULL, NULL);
    return status == JTG_OK;
}

int main(int argc, char **argv)
{
    static struct client client = {.tokens = JTG_NGTCP2_CLIENT_INIT, .endpoint = JTG_ENDPOINT_INIT};
    jtg_cache *cache = NULL;
    if (argc < 5 || argc > 6) {
        (void)fprintf(stderr, "usage: quic_client HOST PORT CA-FILE STORE [COUNT]\n");
        return 2;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    client.endpoint.host = argv[1];
    client.endpoint.port = (uint32_t)strtoul(argv[2], NULL, 10);
    client.port = argv[2];
    client.tokens.endpoint = &client.endpoint;
    bool good = trust(&client, argv[3]) && open_store(&cache, &client.tokens.tokens, argv[4]);
    if (!good)
        (void)fprintf(stderr, "quic_client: the CA file or the store cannot be used\n");
    unsigned long count = argc > 5 ? strtoul(argv[5], NULL, 10) : 1;
    for (unsigned number = 1; good && number <= count; number++)
        good = connect_once(&client, number);
    jtg_quic_tokens_free(client.tokens.tokens);
    jtg_cache_free(cache);
    if (client.credentials != NULL)
        gnutls_certificate_free_credentials(client.credentials);
    return good ? 0 : 1;
}
