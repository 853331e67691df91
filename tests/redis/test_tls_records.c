/* SPDX-License-Identifier: Apache-2.0 */
/* What the transport says did not leave over TLS, the server did not get: it is sent again. The
 * server is in the test, and does not read until the sender has given up. */
#include "redis/flow/blocking.h"
#include "redis/line/deadline.h"
#include "redis/line/tls/tls.h"
#include "redis/line/transport.h"
#include "support/asserts.h"
#include "support/tls_certificate.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MUCH = 400000, PATIENCE_MS = 5000, SHORT_MS = 100 };

struct server {
    int fd;
    SSL *ssl;
    pthread_t thread;
    pthread_barrier_t given_up; /* by the sender */
    size_t got;
};

static struct tls_certificate identity;

/* TLS 1.2, so that the cipher can be one of CBC, of which OpenSSL writes several records at once;
 * it does so for a server that does not offer to authenticate what is encrypted. */
static SSL *make_server_session(const char *cipher)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    tls_certificate_make(&identity, 1);
    assert_int_equal(
        SSL_CTX_use_certificate_file(context, identity.certificate_path, SSL_FILETYPE_PEM), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(context, identity.key_path, SSL_FILETYPE_PEM), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION), 1);
    assert_int_equal(SSL_CTX_set_cipher_list(context, cipher), 1);
    (void)SSL_CTX_set_options(context, SSL_OP_NO_ENCRYPT_THEN_MAC);
    SSL *ssl = SSL_new(context);
    assert_non_null(ssl);
    SSL_CTX_free(context);
    return ssl;
}

static void *serve(void *context)
{
    static char bytes[16384];
    struct server *server = context;
    size_t count = 0;
    if (SSL_accept(server->ssl) != 1)
        return NULL;
    (void)pthread_barrier_wait(&server->given_up);
    while (SSL_read_ex(server->ssl, bytes, sizeof bytes, &count) == 1)
        server->got += count;
    return NULL;
}

static void start(struct server *server, int fd, const char *cipher)
{
    memset(server, 0, sizeof *server);
    server->fd = fd;
    server->ssl = make_server_session(cipher);
    assert_int_equal(SSL_set_fd(server->ssl, fd), 1);
    assert_int_equal(pthread_barrier_init(&server->given_up, NULL, 2), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void end(struct server *server)
{
    (void)pthread_barrier_wait(&server->given_up);
    assert_int_equal(pthread_join(server->thread, NULL), 0);
    assert_int_equal(pthread_barrier_destroy(&server->given_up), 0);
    SSL_free(server->ssl);
    (void)close(server->fd);
}

static void connect_to(struct jtgi_transport *transport, struct jtgi_tls **tls, int fd)
{
    struct jtgi_redis_config config;
    struct jtgi_tls_session *session = NULL;
    memset(&config, 0, sizeof config);
    config.options.tls = 1;
    config.options.tls_ca_file = identity.certificate_path;
    assert_status(jtgi_tls_new(tls, &config, NULL), JTG_OK);
    assert_status(jtgi_tls_connect(*tls, "localhost", NULL, fd, &jtgi_blocking,
                                   jtgi_deadline_in_ms(PATIENCE_MS), &session, NULL),
                  JTG_OK);
    jtgi_transport_init(transport, fd, session, &jtgi_blocking);
}

static void send_more_than_fits(const char *cipher, int room)
{
    static const char much[MUCH];
    int fds[2];
    size_t sent = 0;
    struct server server;
    struct jtgi_tls *tls = NULL;
    struct jtgi_transport transport;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
    start(&server, fds[1], cipher);
    connect_to(&transport, &tls, fds[0]);
    assert_int_equal(
        jtgi_transport_send(&transport, much, sizeof much, &sent, jtgi_deadline_in_ms(SHORT_MS)),
        JTGI_IO_TIMEOUT);
    jtgi_transport_break(&transport);
    end(&server);
    assert_int_equal(server.got, sent);
    jtgi_transport_close(&transport);
    jtgi_tls_free(tls);
    tls_certificate_clear(&identity);
}

static void what_is_not_counted_did_not_leave(void **state)
{
    (void)state;
    send_more_than_fits("ECDHE-RSA-AES128-SHA@SECLEVEL=0", 10000);
    send_more_than_fits("ECDHE-RSA-AES128-SHA@SECLEVEL=0", 60000);
    send_more_than_fits("ECDHE-RSA-AES128-GCM-SHA256", 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_counted_did_not_leave),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* of the server's, which uses OpenSSL's own sockets */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
