/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/openssl/tls_ends.h"

#include "support/asserts.h"
#include "support/tls_certificate.h"

#include <openssl/err.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 20, ROOM = 65536 };

/* ---- the server's side ---- */

struct server_end {
    SSL *ssl;
    bool early_done;
    size_t early_read;
};

static SSL *make_end(SSL_CTX *context)
{
    SSL *ssl = SSL_new(context);
    if (ssl != NULL)
        SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    return ssl;
}

static void read_early(struct server_end *end)
{
    unsigned char bytes[TLS_EARLY_MAX];
    size_t count = 0;
    int result = SSL_READ_EARLY_DATA_SUCCESS;
    while (result == SSL_READ_EARLY_DATA_SUCCESS) {
        result = SSL_read_early_data(end->ssl, bytes, sizeof bytes, &count);
        if (result != SSL_READ_EARLY_DATA_ERROR)
            end->early_read += count;
    }
    end->early_done = result == SSL_READ_EARLY_DATA_FINISH;
}

static void serve(struct server_end *end)
{
    if (!end->early_done)
        read_early(end);
    if (end->early_done)
        (void)SSL_do_handshake(end->ssl);
    ERR_clear_error();
}

/* ---- the client's side ---- */

static int ticket_came(SSL *ssl, SSL_SESSION *session)
{
    struct tls_client *client = SSL_get_app_data(ssl);
    if (client->count == TLS_TICKETS_MAX)
        return 0;
    client->tickets[client->count++] = session;
    return 1;
}

void tls_client_init(struct tls_client *client)
{
    memset(client, 0, sizeof *client);
    client->context = SSL_CTX_new(TLS_client_method());
    assert_non_null(client->context);
    SSL_CTX_set_session_cache_mode(client->context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client->context, ticket_came);
}

void tls_client_drop(struct tls_client *client)
{
    for (unsigned i = 0; i < client->count; i++)
        SSL_SESSION_free(client->tickets[i]);
    client->count = 0;
}

void tls_client_clear(struct tls_client *client)
{
    tls_client_drop(client);
    SSL_CTX_free(client->context);
}

SSL_SESSION *tls_client_take(struct tls_client *client, unsigned n)
{
    SSL_SESSION *ticket = n < client->count ? client->tickets[n] : NULL;
    if (ticket != NULL)
        client->tickets[n] = NULL;
    return ticket;
}

SSL *tls_client_end(struct tls_client *client, int version, SSL_SESSION *ticket)
{
    SSL *ssl = make_end(client->context);
    assert_non_null(ssl);
    SSL_set_connect_state(ssl);
    SSL_set_app_data(ssl, client);
    SSL_set_min_proto_version(ssl, version);
    SSL_set_max_proto_version(ssl, version);
    if (ticket != NULL) { /* a copy, for OpenSSL spoils what it has used */
        SSL_SESSION *copy = SSL_SESSION_dup(ticket);
        assert_int_equal(SSL_set_session(ssl, copy), 1);
        SSL_SESSION_free(copy);
    }
    return ssl;
}

/* ---- both ---- */

static size_t move(SSL *from, SSL *to, struct tls_flight *copy)
{
    static unsigned char bytes[ROOM];
    int count = BIO_read(SSL_get_wbio(from), bytes, sizeof bytes);
    if (count <= 0)
        return 0;
    assert_int_equal(BIO_write(SSL_get_rbio(to), bytes, count), count);
    if (copy != NULL && copy->len == 0) {
        assert_true((size_t)count <= sizeof copy->bytes);
        memcpy(copy->bytes, bytes, (size_t)count);
        copy->len = (size_t)count;
    }
    return (size_t)count;
}

static void shake_hands(struct tls_client *client, SSL *ssl, struct server_end *end)
{
    for (int i = 0; i < ROUNDS; i++) {
        (void)SSL_do_handshake(ssl);
        (void)move(ssl, end->ssl, &client->first);
        serve(end);
        (void)move(end->ssl, ssl, NULL);
        if (SSL_is_init_finished(ssl) && SSL_is_init_finished(end->ssl))
            return;
    }
}

/* A byte from the server, and the tickets of TLS 1.3 before it. */
static void talk(SSL *client, SSL *server)
{
    char byte = 'x';
    assert_int_equal(SSL_write(server, &byte, 1), 1);
    (void)move(server, client, NULL);
    assert_int_equal(SSL_read(client, &byte, 1), 1);
}

static void say_farewell(SSL *client, SSL *server, bool unanswered)
{
    SSL_shutdown(client);
    (void)move(client, server, NULL);
    if (!unanswered)
        SSL_shutdown(server);
}

static struct tls_outcome judge(SSL *ssl, const struct server_end *end)
{
    struct tls_outcome outcome = {.early_read = end->early_read};
    outcome.completed = SSL_is_init_finished(ssl) && SSL_is_init_finished(end->ssl);
    outcome.resumed = SSL_session_reused(end->ssl) == 1;
    outcome.early = SSL_get_early_data_status(end->ssl) == SSL_EARLY_DATA_ACCEPTED;
    assert_int_equal(SSL_session_reused(ssl), outcome.resumed);
    assert_int_equal(SSL_get_early_data_status(ssl) == SSL_EARLY_DATA_ACCEPTED, outcome.early);
    assert_true(outcome.early || outcome.early_read == 0);
    return outcome;
}

static void begin_early(SSL *ssl, SSL_SESSION *ticket, const char *early)
{
    size_t written = 0;
    assert_true(SSL_SESSION_get_max_early_data(ticket) > 0);
    assert_int_equal(SSL_write_early_data(ssl, early, strlen(early), &written), 1);
}

void tls_capture(struct tls_client *client, SSL_SESSION *ticket, const char *early,
                 struct tls_flight *flight)
{
    SSL *ssl = tls_client_end(client, TLS1_3_VERSION, ticket);
    begin_early(ssl, ticket, early);
    int count = BIO_read(SSL_get_wbio(ssl), flight->bytes, sizeof flight->bytes);
    assert_true(count > 0);
    flight->len = (size_t)count;
    SSL_free(ssl);
}

struct tls_outcome tls_connect(struct tls_client *client, SSL_CTX *server, int version,
                               SSL_SESSION *ticket, const char *early)
{
    SSL *ssl = tls_client_end(client, version, ticket);
    struct server_end end = {.ssl = make_end(server)};
    assert_non_null(end.ssl);
    SSL_set_accept_state(end.ssl);
    tls_client_drop(client);
    client->first.len = 0;
    if (early != NULL)
        begin_early(ssl, ticket, early);
    shake_hands(client, ssl, &end);
    struct tls_outcome outcome = judge(ssl, &end);
    if (outcome.completed) {
        talk(ssl, end.ssl);
        say_farewell(ssl, end.ssl, client->unanswered);
    }
    if (version != TLS1_3_VERSION && client->count == 0) /* none of a resumption is announced */
        client->tickets[client->count++] = SSL_get1_session(ssl);
    SSL_free(ssl);
    SSL_free(end.ssl);
    return outcome;
}

bool tls_waits_for_client(const SSL *ssl)
{
    OSSL_HANDSHAKE_STATE state = SSL_get_state(ssl);
    return state == TLS_ST_EARLY_DATA || state == TLS_ST_SR_END_OF_EARLY_DATA ||
           state == TLS_ST_SR_FINISHED;
}

struct tls_outcome tls_replay(SSL_CTX *server, const struct tls_flight *flight)
{
    struct tls_outcome outcome = {.completed = false};
    struct server_end end = {.ssl = make_end(server)};
    if (end.ssl == NULL)
        return outcome;
    SSL_set_accept_state(end.ssl);
    if (BIO_write(SSL_get_rbio(end.ssl), flight->bytes, (int)flight->len) == (int)flight->len)
        serve(&end);
    outcome.completed = tls_waits_for_client(end.ssl) && BIO_pending(SSL_get_wbio(end.ssl)) > 0;
    outcome.resumed = SSL_session_reused(end.ssl) == 1;
    outcome.early = SSL_get_early_data_status(end.ssl) == SSL_EARLY_DATA_ACCEPTED;
    outcome.early_read = end.early_read;
    SSL_free(end.ssl);
    return outcome;
}

/* ---- contexts ---- */

SSL_CTX *tls_server_context(void)
{
    static struct tls_certificate certificate;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    assert_non_null(context);
    tls_certificate_make(&certificate, 0);
    assert_int_equal(
        SSL_CTX_use_certificate_file(context, certificate.certificate_path, SSL_FILETYPE_PEM), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(context, certificate.key_path, SSL_FILETYPE_PEM),
                     1);
    tls_certificate_clear(&certificate);
    assert_int_equal(SSL_CTX_set_session_id_context(context, (const unsigned char *)"t", 1), 1);
    return context;
}
