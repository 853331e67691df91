/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/ngtcp2/initial_relay.h"

#include "support/asserts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CLIENTS_MAX = 512,
    TOKEN_MAX = 128,
    ID_MAX = 20,
    VERSION_1 = 1,
    RETRY_MAGIC = 0xb6, /* what ngtcp2 begins the token of a Retry with */
    DRAIN_MAX = 64
};

struct seen {
    uint8_t id[ID_MAX];
    size_t id_len;
    uint8_t token[TOKEN_MAX];
    size_t token_len;
    bool retried;
};

struct initial_relay {
    pthread_t thread;
    pthread_mutex_t mutex; /* counts and last, which the test reads */
    int wake[2];
    int fd;
    struct sockaddr_in server;
    struct sockaddr_in clients[CLIENTS_MAX];
    int upstream[CLIENTS_MAX];
    size_t client_count;
    struct seen seen[CLIENTS_MAX];
    struct relay_count count;
    uint8_t last[RELAY_DATAGRAM_MAX_BYTES];
    size_t last_len;
    uint8_t buffer[RELAY_DATAGRAM_MAX_BYTES];
};

/* ---- what is in clear: RFC 9000 section 17.2 ---- */

struct reader {
    uint8_t *at;
    size_t left;
    bool bad;
};

static uint8_t *take(struct reader *reader, size_t len)
{
    uint8_t *at = reader->at;
    if (reader->bad || len > reader->left) {
        reader->bad = true;
        return NULL;
    }
    reader->at += len;
    reader->left -= len;
    return at;
}

static size_t take_byte(struct reader *reader)
{
    const uint8_t *byte = take(reader, 1);
    return byte == NULL ? 0 : *byte;
}

static size_t take_varint(struct reader *reader)
{
    size_t first = take_byte(reader);
    size_t value = first & 0x3f;
    for (size_t more = ((size_t)1 << (first >> 6)) - 1; more > 0; more--)
        value = value << 8 | take_byte(reader);
    return value;
}

static bool is_long_of_type(const uint8_t *datagram, size_t len, unsigned type)
{
    return len > 5 && (datagram[0] & 0x80) != 0 && (datagram[0] >> 4 & 3U) == type &&
           datagram[1] == 0 && datagram[2] == 0 && datagram[3] == 0 && datagram[4] == VERSION_1;
}

int is_retry_packet(const uint8_t *datagram, size_t len)
{
    return is_long_of_type(datagram, len, 3);
}

/* False: it is no Initial, or a broken one. */
static bool read_initial(uint8_t *datagram, size_t len, struct reader *id, struct reader *token)
{
    struct reader reader = {datagram, len, !is_long_of_type(datagram, len, 0)};
    (void)take(&reader, 5);
    (void)take(&reader, take_byte(&reader)); /* the server's ID */
    id->left = take_byte(&reader);
    id->at = take(&reader, id->left);
    token->left = take_varint(&reader);
    token->at = take(&reader, token->left);
    return !reader.bad && id->left <= ID_MAX && token->left <= TOKEN_MAX;
}

uint8_t *initial_token(uint8_t *datagram, size_t len, size_t *token_len)
{
    struct reader id;
    struct reader token;
    if (!read_initial(datagram, len, &id, &token) || token.left == 0)
        return NULL;
    *token_len = token.left;
    return token.at;
}

/* ---- counting ---- */

static void note_token(struct initial_relay *relay, struct seen *seen, const struct reader *token)
{
    for (unsigned i = 0; i < relay->count.connections; i++)
        relay->count.twice += relay->seen[i].token_len == token->left &&
                              memcmp(relay->seen[i].token, token->at, token->left) == 0;
    memcpy(seen->token, token->at, token->left);
    seen->token_len = token->left;
    relay->count.with_token++;
}

/* NULL: there are too many. */
static struct seen *seen_of(struct initial_relay *relay, const struct reader *id)
{
    for (unsigned i = 0; i < relay->count.connections; i++) {
        if (relay->seen[i].id_len == id->left && memcmp(relay->seen[i].id, id->at, id->left) == 0)
            return &relay->seen[i];
    }
    if (relay->count.connections == CLIENTS_MAX)
        return NULL;
    struct seen *seen = &relay->seen[relay->count.connections++];
    memcpy(seen->id, id->at, id->left);
    seen->id_len = id->left;
    return seen;
}

static void note_initial(struct initial_relay *relay, uint8_t *datagram, size_t len)
{
    struct reader id;
    struct reader token;
    if (!read_initial(datagram, len, &id, &token))
        return;
    struct seen *seen = seen_of(relay, &id);
    relay->count.faults += seen == NULL;
    if (seen == NULL || token.left == 0)
        return;
    if (token.at[0] == RETRY_MAGIC) {
        relay->count.retried += !seen->retried;
        seen->retried = true;
    } else if (seen->token_len == 0) {
        note_token(relay, seen, &token);
        memcpy(relay->last, datagram, len);
        relay->last_len = len;
    }
}

/* ---- handing on ---- */

static int udp_socket(void)
{
    return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* The way to the server for one client, or -1. */
static int way_of(struct initial_relay *relay, const struct sockaddr_in *client)
{
    for (size_t i = 0; i < relay->client_count; i++) {
        if (relay->clients[i].sin_port == client->sin_port)
            return relay->upstream[i];
    }
    if (relay->client_count == CLIENTS_MAX)
        return -1;
    int fd = udp_socket();
    if (fd < 0 || connect(fd, (const struct sockaddr *)&relay->server, sizeof relay->server) != 0)
        return -1;
    relay->clients[relay->client_count] = *client;
    relay->upstream[relay->client_count++] = fd;
    return fd;
}

static void from_clients(struct initial_relay *relay)
{
    for (int i = 0; i < DRAIN_MAX; i++) {
        struct sockaddr_in client = {0};
        socklen_t size = sizeof client;
        ssize_t len = recvfrom(relay->fd, relay->buffer, sizeof relay->buffer, 0,
                               (struct sockaddr *)&client, &size);
        if (len < 0)
            return;
        (void)pthread_mutex_lock(&relay->mutex);
        note_initial(relay, relay->buffer, (size_t)len);
        int fd = way_of(relay, &client);
        relay->count.faults += fd < 0;
        (void)pthread_mutex_unlock(&relay->mutex);
        if (fd >= 0)
            (void)send(fd, relay->buffer, (size_t)len, 0);
    }
}

static void from_server(struct initial_relay *relay, size_t index)
{
    for (int i = 0; i < DRAIN_MAX; i++) {
        ssize_t len = recv(relay->upstream[index], relay->buffer, sizeof relay->buffer, 0);
        if (len < 0)
            return;
        (void)sendto(relay->fd, relay->buffer, (size_t)len, 0,
                     (const struct sockaddr *)&relay->clients[index], sizeof *relay->clients);
    }
}

static void *hand_on(void *context)
{
    struct initial_relay *relay = context;
    struct pollfd polled[CLIENTS_MAX + 2];
    for (;;) {
        size_t ways = relay->client_count;
        polled[0] = (struct pollfd){relay->wake[0], POLLIN, 0};
        polled[1] = (struct pollfd){relay->fd, POLLIN, 0};
        for (size_t i = 0; i < ways; i++)
            polled[i + 2] = (struct pollfd){relay->upstream[i], POLLIN, 0};
        if (poll(polled, ways + 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (polled[0].revents != 0)
            return NULL;
        for (size_t i = 0; i < ways; i++) {
            if (polled[i + 2].revents != 0)
                from_server(relay, i);
        }
        from_clients(relay);
    }
}

/* ---- from the test's thread ---- */

struct initial_relay *initial_relay_start(uint16_t server_port, uint16_t *port)
{
    struct initial_relay *relay = calloc(1, sizeof *relay);
    socklen_t size = sizeof(struct sockaddr_in);
    assert_non_null(relay);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    relay->server = own;
    relay->server.sin_port = htons(server_port);
    relay->fd = udp_socket();
    assert_true(relay->fd >= 0);
    assert_int_equal(bind(relay->fd, (const struct sockaddr *)&own, sizeof own), 0);
    assert_int_equal(getsockname(relay->fd, (struct sockaddr *)&own, &size), 0);
    assert_int_equal(pipe(relay->wake), 0);
    assert_int_equal(pthread_mutex_init(&relay->mutex, NULL), 0);
    assert_int_equal(pthread_create(&relay->thread, NULL, hand_on, relay), 0);
    *port = ntohs(own.sin_port);
    return relay;
}

struct relay_count initial_relay_count(struct initial_relay *relay)
{
    (void)pthread_mutex_lock(&relay->mutex);
    struct relay_count count = relay->count;
    (void)pthread_mutex_unlock(&relay->mutex);
    return count;
}

size_t initial_relay_last(struct initial_relay *relay, uint8_t datagram[RELAY_DATAGRAM_MAX_BYTES])
{
    (void)pthread_mutex_lock(&relay->mutex);
    size_t len = relay->last_len;
    memcpy(datagram, relay->last, len);
    (void)pthread_mutex_unlock(&relay->mutex);
    return len;
}

void initial_relay_stop(struct initial_relay *relay)
{
    if (relay == NULL)
        return;
    (void)close(relay->wake[1]);
    (void)pthread_join(relay->thread, NULL);
    (void)close(relay->wake[0]);
    (void)close(relay->fd);
    for (size_t i = 0; i < relay->client_count; i++)
        (void)close(relay->upstream[i]);
    (void)pthread_mutex_destroy(&relay->mutex);
    free(relay);
}
