/* SPDX-License-Identifier: Apache-2.0 */
/* A TLS 1.3 server of OpenSSL that takes early data once, and a client that sends it twice.
 *
 * In your server the cache is a Redis that all instances share, the ticket keys have a KEK file
 * instead of single_instance, and start_rule stays on. */
#include <jtiguard/anti_replay_openssl.h>
#include <jtiguard/jtiguard.h>
#include <jtiguard/ticket_keys_openssl.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char request[] = "GET /";

/* ---- the server ---- */

struct server {
    jtg_cache *cache;
    jtg_ticket_keys *keys;
    jtg_anti_replay *anti_replay;
    SSL_CTX *context;
    int fd; /* of the connection that comes next */
};

static void told(SSL *ssl, const jtg_flight_decision *decision, const jtg_error *err, void *context)
{
    (void)ssl;
    (void)err;
    (void)context;
    printf("server: early data %s, %s\n", jtg_seen_name(decision->seen),
           jtg_flight_reason_name(decision->reason));
}

static int guard_early_data(struct server *server)
{
    jtg_ticket_options key_options = JTG_TICKET_OPTIONS_INIT;
    jtg_anti_replay_options replay_options = JTG_ANTI_REPLAY_OPTIONS_INIT;
    jtg_anti_replay_openssl_options options = JTG_ANTI_REPLAY_OPENSSL_OPTIONS_INIT;
    key_options.single_instance = 1;
    replay_options.start_rule = 0;
    options.told = told;
    return jtg_memory_new(&server->cache, NULL, NULL) == JTG_OK &&
           jtg_ticket_keys_new(&server->keys, server->cache, &key_options, NULL) == JTG_OK &&
           jtg_ticket_keys_refresh(server->keys, NULL) == JTG_OK &&
           jtg_anti_replay_new(&server->anti_replay, server->cache, &replay_options, NULL) ==
               JTG_OK &&
           SSL_CTX_set_max_early_data(server->context, 16384) == 1 &&
           jtg_ticket_keys_openssl_install(server->context, server->keys, NULL) == JTG_OK &&
           jtg_anti_replay_openssl_install(server->context, server->anti_replay, &options, NULL) ==
               JTG_OK;
}

static void *serve(void *context)
{
    struct server *server = context;
    char bytes[64] = "";
    size_t len = 0;
    size_t count = 0;
    int result = SSL_READ_EARLY_DATA_SUCCESS;
    SSL *ssl = SSL_new(server->context);
    SSL_set_fd(ssl, server->fd);
    while (result == SSL_READ_EARLY_DATA_SUCCESS) {
        result = SSL_read_early_data(ssl, bytes + len, sizeof bytes - 1 - len, &count);
        len += result != SSL_READ_EARLY_DATA_ERROR ? count : 0;
    }
    if (result == SSL_READ_EARLY_DATA_FINISH && SSL_accept(ssl) == 1) {
        const char *when = len != 0 ? "early" : "after the handshake";
        if (len == 0 && SSL_read_ex(ssl, bytes, sizeof bytes - 1, &len) != 1)
            len = 0;
        printf("server: %s, %s\n", bytes, when);
        (void)SSL_write(ssl, "ok", 2);
    }
    SSL_shutdown(ssl);
    SSL_free(ssl);
    close(server->fd);
    return NULL;
}

static int make_certificate(SSL_CTX *context)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    int good = key != NULL && certificate != NULL &&
               X509_gmtime_adj(X509_getm_notBefore(certificate), -60) != NULL &&
               X509_gmtime_adj(X509_getm_notAfter(certificate), 3600) != NULL &&
               X509_set_pubkey(certificate, key) == 1 &&
               X509_sign(certificate, key, EVP_sha256()) > 0 &&
               SSL_CTX_use_certificate(context, certificate) == 1 &&
               SSL_CTX_use_PrivateKey(context, key) == 1;
    X509_free(certificate);
    EVP_PKEY_free(key);
    return good;
}

/* ---- the client ---- */

static SSL_SESSION *ticket;

static int keep_ticket(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    if (ticket != NULL)
        return 0;
    ticket = session;
    return 1;
}

static void ask(SSL_CTX *context, int fd)
{
    char reply[8];
    size_t count = 0;
    SSL *ssl = SSL_new(context);
    SSL_SESSION *copy = ticket != NULL ? SSL_SESSION_dup(ticket) : NULL;
    SSL_set_fd(ssl, fd);
    if (copy != NULL && SSL_set_session(ssl, copy) == 1)
        (void)SSL_write_early_data(ssl, request, strlen(request), &count);
    if (SSL_connect(ssl) == 1) {
        if (SSL_get_early_data_status(ssl) != SSL_EARLY_DATA_ACCEPTED)
            (void)SSL_write(ssl, request, (int)strlen(request));
        (void)SSL_read(ssl, reply, sizeof reply); /* and the tickets before it */
    }
    SSL_shutdown(ssl);
    SSL_free(ssl);
    SSL_SESSION_free(copy);
    close(fd);
}

static int connect_once(struct server *server, SSL_CTX *client)
{
    int fds[2];
    pthread_t thread;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        return 0;
    server->fd = fds[0];
    if (pthread_create(&thread, NULL, serve, server) != 0)
        return 0;
    ask(client, fds[1]);
    return pthread_join(thread, NULL) == 0;
}

int main(void)
{
    struct server server = {NULL, NULL, NULL, SSL_CTX_new(TLS_server_method()), -1};
    SSL_CTX *client = SSL_CTX_new(TLS_client_method());
    int good = server.context != NULL && client != NULL && make_certificate(server.context) &&
               guard_early_data(&server);
    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to a socket whose other end may be closed */
    if (good) {
        SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(client, keep_ticket);
        for (int i = 0; i < 3 && good; i++)
            good = connect_once(&server, client);
    }
    SSL_SESSION_free(ticket);
    SSL_CTX_free(client);
    SSL_CTX_free(server.context); /* before what it borrows */
    jtg_anti_replay_free(server.anti_replay);
    jtg_ticket_keys_free(server.keys);
    jtg_cache_free(server.cache);
    return good ? 0 : 1;
}
