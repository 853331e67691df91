/* SPDX-License-Identifier: Apache-2.0 */
/* An https client whose next run resumes: https_client HOST PORT CA-FILE CACHE-FILE
 *
 * It prints "new" or "reused", and the first line of the answer. */
#include <jtiguard/tls_tickets_openssl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESS_BYTES = 300, REQUEST_BYTES = 400, CHUNK_BYTES = 4096 };

static const unsigned char protocols[] = "\x08http/1.1";

static SSL_CTX *make_context(const char *ca_file, jtg_tls_tickets *tickets)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    jtg_error err = JTG_ERROR_INIT;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_load_verify_file(context, ca_file) == 1 &&
        SSL_CTX_set_alpn_protos(context, protocols, sizeof protocols - 1) == 0 &&
        jtg_tls_tickets_openssl_install(context, tickets, NULL, &err) == JTG_OK)
        return context;
    (void)fprintf(stderr, "context: %s\n", err.text);
    SSL_CTX_free(context);
    return NULL;
}

/* Whom the certificate must name. An address is not sent as the server's name. */
static int expect_host(SSL *ssl, char *host)
{
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1)
        return 1;
    ERR_clear_error();
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

/* The server can be reached: now, and not before, a ticket is taken. */
static int shake_hands(SSL *ssl, const char *host, uint32_t port)
{
    jtg_endpoint endpoint = JTG_ENDPOINT_INIT;
    jtg_tls_resumption resumption = JTG_TLS_FULL;
    jtg_error err = JTG_ERROR_INIT;
    endpoint.host = host;
    endpoint.port = port;
    endpoint.alpn = protocols;
    endpoint.alpn_len = sizeof protocols - 1;
    jtg_status status = jtg_tls_tickets_openssl_prepare(ssl, &endpoint, &err);
    if (status != JTG_OK && status != JTG_NOT_FOUND)
        (void)fprintf(stderr, "no ticket: %s\n", err.text);
    if (SSL_connect(ssl) != 1) {
        ERR_print_errors_fp(stderr);
        return 0;
    }
    status = jtg_tls_tickets_openssl_connected(ssl, &resumption, &err);
    if (status != JTG_OK)
        (void)fprintf(stderr, "tickets: %s\n", err.text);
    puts(resumption == JTG_TLS_RESUMED ? "reused" : "new");
    return status != JTG_MISMATCH && status != JTG_ERR_MEMORY;
}

/* To the end: the tickets come before it. */
static int fetch(SSL *ssl, const char *host)
{
    char text[REQUEST_BYTES];
    char chunk[CHUNK_BYTES];
    size_t len = 0;
    int count = 0;
    (void)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                   host);
    if (SSL_write(ssl, text, (int)strlen(text)) <= 0)
        return 0;
    while ((count = SSL_read(ssl, chunk, sizeof chunk)) > 0)
        for (int i = 0; i < count && len + 1 < sizeof text; i++)
            text[len++] = chunk[i];
    text[len] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    puts(text);
    return text[0] != '\0';
}

static int talk(SSL_CTX *context, char *host, const char *port)
{
    char address[ADDRESS_BYTES];
    int done = 0;
    (void)snprintf(address, sizeof address, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host,
                   port);
    BIO *connection = BIO_new_connect(address);
    SSL *ssl = SSL_new(context);
    if (connection != NULL && ssl != NULL && BIO_do_connect(connection) == 1) {
        SSL_set_bio(ssl, connection, connection); /* taken */
        connection = NULL;
        done = expect_host(ssl, host) &&
               shake_hands(ssl, host, (uint32_t)strtoul(port, NULL, 10)) && fetch(ssl, host);
        (void)SSL_shutdown(ssl);
    }
    BIO_free_all(connection);
    SSL_free(ssl);
    return done;
}

int main(int argc, char **argv)
{
    jtg_tls_tickets *tickets = NULL;
    jtg_error err = JTG_ERROR_INIT;
    if (argc != 5) {
        (void)fprintf(stderr, "usage: https_client HOST PORT CA-FILE CACHE-FILE\n");
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    if (jtg_tls_tickets_open(&tickets, argv[4], NULL, &err) != JTG_OK) {
        (void)fprintf(stderr, "cache: %s\n", err.text);
        return 1;
    }
    SSL_CTX *context = make_context(argv[3], tickets);
    int done = context != NULL && talk(context, argv[1], argv[2]);
    SSL_CTX_free(context);
    jtg_tls_tickets_free(tickets);
    return done ? 0 : 1;
}
