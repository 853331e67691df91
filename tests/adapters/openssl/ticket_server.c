/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/openssl/ticket_server.h"

#include "support/asserts.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 128, WAIT_MS = 50, PATIENCE_S = 20, FIRST_ROOM = 64, PSK_TAIL_BYTES = 4 };

/* ---- what is offered ---- */

static void remember(struct ticket_server *server, const unsigned char *ticket, size_t len)
{
    unsigned count = atomic_load(&server->offered);
    if (count == server->room) {
        server->room = server->room == 0 ? FIRST_ROOM : 2 * server->room;
        server->digests = realloc(server->digests, server->room * sizeof *server->digests);
        if (server->digests == NULL)
            abort();
    }
    if (EVP_Digest(ticket, len, server->digests[count], NULL, EVP_sha256(), NULL) != 1)
        abort();
    atomic_store(&server->offered, count + 1);
}

static size_t number_at(const unsigned char *at)
{
    return (size_t)at[0] << 8 | at[1];
}

/* RFC 8446 section 4.2.11: a list of identities, each with its age behind it. */
static void remember_identities(struct ticket_server *server, const unsigned char *psk, size_t len)
{
    const unsigned char *end = len >= 2 ? psk + 2 + number_at(psk) : psk;
    const unsigned char *at = psk + 2;
    while (at < end && end <= psk + len) {
        size_t identity_len = number_at(at);
        remember(server, at + 2, identity_len);
        at += 2 + identity_len + PSK_TAIL_BYTES;
    }
}

static int on_client_hello(SSL *ssl, int *alert, void *context)
{
    struct ticket_server *server = context;
    const unsigned char *data = NULL;
    const unsigned char *id = NULL;
    size_t len = 0;
    int has_ticket = SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_session_ticket, &data, &len) == 1;
    *alert = SSL_AD_INTERNAL_ERROR;
    if (has_ticket && len != 0)
        remember(server, data, len);
    else if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_psk, &data, &len) == 1)
        remember_identities(server, data, len);
    else if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_versions, &data, &len)) {
        /* Of TLS 1.2 alone: with 1.3 the field is filled for old middleboxes. */
        len = SSL_client_hello_get0_session_id(ssl, &id);
        if (len != 0)
            remember(server, id, len);
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}

static int on_ticket_made(SSL *ssl, void *context)
{
    struct ticket_server *server = context;
    (void)ssl;
    atomic_fetch_add(&server->issued, 1);
    return 1;
}

static SSL_TICKET_RETURN on_ticket_opened(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                          size_t name_len, SSL_TICKET_STATUS status, void *context)
{
    (void)ssl;
    (void)session;
    (void)name;
    (void)name_len;
    (void)context;
    switch (status) {
    case SSL_TICKET_SUCCESS:
    case SSL_TICKET_SUCCESS_RENEW:
        /* A ticket of TLS 1.3 is used once: a new one each time. */
        return SSL_version(ssl) == TLS1_3_VERSION || status == SSL_TICKET_SUCCESS_RENEW
                   ? SSL_TICKET_RETURN_USE_RENEW
                   : SSL_TICKET_RETURN_USE;
    default:
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
}

/* ---- connections ---- */

static void serve(struct ticket_server *server, int fd)
{
    static const char line[] = TICKET_SERVER_LINE;
    struct timeval patience = {PATIENCE_S, 0};
    char rest[256];
    /* Or the second write waits for the acknowledgement of the first, which is delayed. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    SSL *ssl = SSL_new(server->context);
    if (ssl != NULL && SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1) {
        atomic_fetch_add(&server->handshakes, 1);
        if (SSL_session_reused(ssl))
            atomic_fetch_add(&server->resumed, 1);
        (void)SSL_write(ssl, line, (int)sizeof line - 1);
        (void)SSL_shutdown(ssl);
        while (SSL_read(ssl, rest, (int)sizeof rest) > 0)
            continue;
    }
    SSL_free(ssl);
    (void)close(fd);
}

static void *run(void *context)
{
    struct ticket_server *server = context;
    while (!atomic_load(&server->is_ending)) {
        struct pollfd waiting = {server->listener, POLLIN, 0};
        if (poll(&waiting, 1, WAIT_MS) != 1)
            continue;
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            serve(server, fd);
    }
    return NULL;
}

static void listen_somewhere(struct ticket_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server->listener >= 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->listener, BACKLOG), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
}

void ticket_server_present(struct ticket_server *server, const char *key_path,
                           const char *certificate_path)
{
    assert_int_equal(SSL_CTX_use_certificate_chain_file(server->context, certificate_path), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(server->context, key_path, SSL_FILETYPE_PEM), 1);
}

void ticket_server_init(struct ticket_server *server, const char *key_path,
                        const char *certificate_path)
{
    memset(server, 0, sizeof *server);
    server->context = SSL_CTX_new(TLS_server_method());
    assert_non_null(server->context);
    assert_int_equal(SSL_CTX_set_session_id_context(server->context, (const void *)"t", 1), 1);
    ticket_server_present(server, key_path, certificate_path);
    SSL_CTX_set_client_hello_cb(server->context, on_client_hello, server);
    assert_int_equal(
        SSL_CTX_set_session_ticket_cb(server->context, on_ticket_made, on_ticket_opened, server),
        1);
    listen_somewhere(server);
}

void ticket_server_run(struct ticket_server *server)
{
    atomic_store(&server->is_ending, 0);
    assert_int_equal(pthread_create(&server->thread, NULL, run, server), 0);
}

void ticket_server_stop(struct ticket_server *server)
{
    atomic_store(&server->is_ending, 1);
    assert_int_equal(pthread_join(server->thread, NULL), 0);
}

void ticket_server_clear(struct ticket_server *server)
{
    SSL_CTX_free(server->context);
    (void)close(server->listener);
    free(server->digests);
    memset(server, 0, sizeof *server);
}

static int compare(const void *left, const void *right)
{
    return memcmp(left, right, TICKET_DIGEST_BYTES);
}

unsigned ticket_server_repeated(struct ticket_server *server)
{
    unsigned repeated = 0;
    unsigned count = atomic_load(&server->offered);
    if (count != 0)
        qsort(server->digests, count, sizeof *server->digests, compare);
    for (unsigned i = 1; i < count; i++)
        repeated += compare(server->digests[i - 1], server->digests[i]) == 0;
    return repeated;
}
