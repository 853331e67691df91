/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/openssl/wire_client.h"

#include "support/asserts.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_S = 20, ROOM = 16384, HANDSHAKE = 22, ALERT = 21, SERVER_HELLO = 2 };

static int dial(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
        connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static bool send_all(int fd, const unsigned char *bytes, size_t len)
{
    while (len != 0) {
        ssize_t count = send(fd, bytes, len, MSG_NOSIGNAL);
        if (count <= 0)
            return false;
        bytes += count;
        len -= (size_t)count;
    }
    return true;
}

/* ---- a client ---- */

static void send_written(SSL *ssl, int fd, struct tls_flight *copy)
{
    unsigned char bytes[ROOM];
    int count;
    while ((count = BIO_read(SSL_get_wbio(ssl), bytes, sizeof bytes)) > 0) {
        if (copy != NULL && copy->len == 0) {
            memcpy(copy->bytes, bytes, (size_t)count);
            copy->len = (size_t)count;
        }
        assert_true(send_all(fd, bytes, (size_t)count));
    }
}

static bool receive(SSL *ssl, int fd)
{
    unsigned char bytes[ROOM];
    ssize_t count = recv(fd, bytes, sizeof bytes, 0);
    return count > 0 && BIO_write(SSL_get_rbio(ssl), bytes, (int)count) == (int)count;
}

static bool shake_hands(SSL *ssl, int fd, struct tls_flight *first)
{
    int result;
    while ((result = SSL_do_handshake(ssl)) != 1) {
        if (SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ)
            return false;
        send_written(ssl, fd, first);
        if (!receive(ssl, fd))
            return false;
    }
    send_written(ssl, fd, first);
    return true;
}

/* A byte, and the tickets before it. */
static bool hear(SSL *ssl, int fd)
{
    char byte;
    while (SSL_read(ssl, &byte, 1) != 1)
        if (!receive(ssl, fd))
            return false;
    return true;
}

struct tls_outcome wire_connect(struct tls_client *client, uint16_t port, SSL_SESSION *ticket,
                                const char *early)
{
    struct tls_outcome outcome = {.completed = false};
    size_t written = 0;
    SSL *ssl = tls_client_end(client, TLS1_3_VERSION, ticket);
    int fd = dial(port);
    assert_true(fd >= 0);
    tls_client_drop(client);
    client->first.len = 0;
    if (early != NULL)
        assert_int_equal(SSL_write_early_data(ssl, early, strlen(early), &written), 1);
    outcome.completed = shake_hands(ssl, fd, &client->first) && hear(ssl, fd);
    outcome.resumed = SSL_session_reused(ssl) == 1;
    outcome.early = SSL_get_early_data_status(ssl) == SSL_EARLY_DATA_ACCEPTED;
    (void)SSL_shutdown(ssl);
    send_written(ssl, fd, NULL);
    (void)close(fd);
    SSL_free(ssl);
    return outcome;
}

/* ---- a copy ---- */

/* Records in clear: a ServerHello is there, and no alert. */
static bool is_handshake(const unsigned char *bytes, size_t len)
{
    bool hello = len > 5 && bytes[0] == HANDSHAKE && bytes[5] == SERVER_HELLO;
    for (size_t at = 0; at + 5 <= len; at += 5 + ((size_t)bytes[at + 3] << 8 | bytes[at + 4]))
        if (bytes[at] == ALERT)
            return false;
    return hello;
}

bool wire_replay(uint16_t port, const struct tls_flight *flight)
{
    unsigned char bytes[ROOM];
    size_t len = 0;
    ssize_t count = 1;
    int fd = dial(port);
    if (fd < 0)
        return false;
    bool sent = send_all(fd, flight->bytes, flight->len) && shutdown(fd, SHUT_WR) == 0;
    while (sent && count > 0 && len < sizeof bytes) {
        count = recv(fd, bytes + len, sizeof bytes - len, 0);
        len += count > 0 ? (size_t)count : 0;
    }
    (void)close(fd);
    return sent && count == 0 && is_handshake(bytes, len);
}
