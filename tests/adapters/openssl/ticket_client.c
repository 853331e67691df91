/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/openssl/ticket_client.h"

#include "adapters/openssl/ticket_server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_S = 20 };

SSL_CTX *ticket_client_context(const char *authority_path)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || authority_path == NULL)
        return context;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_load_verify_file(context, authority_path) == 1)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

jtg_endpoint ticket_client_endpoint(uint16_t port)
{
    jtg_endpoint endpoint = JTG_ENDPOINT_INIT;
    endpoint.host = "localhost";
    endpoint.port = port;
    return endpoint;
}

int ticket_client_dial(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct timeval patience = {PATIENCE_S, 0};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

SSL *ticket_client_new(SSL_CTX *context, int fd)
{
    char name[] = "localhost";
    SSL *ssl = fd >= 0 ? SSL_new(context) : NULL;
    if (ssl != NULL && SSL_set_fd(ssl, fd) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1 &&
        SSL_set1_host(ssl, name) == 1)
        return ssl;
    SSL_free(ssl);
    return NULL;
}

bool ticket_client_read(SSL *ssl)
{
    char got[256];
    size_t len = 0;
    int count = 0;
    while (len < sizeof got && (count = SSL_read(ssl, got + len, (int)(sizeof got - len))) > 0)
        len += (size_t)count;
    return SSL_get_error(ssl, count) == SSL_ERROR_ZERO_RETURN &&
           len == sizeof TICKET_SERVER_LINE - 1 && memcmp(got, TICKET_SERVER_LINE, len) == 0;
}

static void talk(SSL *ssl, struct visit *visit)
{
    if (SSL_connect(ssl) != 1)
        return;
    if (visit->endpoint != NULL)
        visit->connected = jtg_tls_tickets_openssl_connected(ssl, &visit->resumption, NULL);
    visit->is_done = visit->is_deaf || ticket_client_read(ssl);
    visit->verify_result = SSL_get_verify_result(ssl);
    (void)SSL_shutdown(ssl);
}

void ticket_client_visit(SSL_CTX *context, struct visit *visit)
{
    int fd = ticket_client_dial(visit->port);
    SSL *ssl = ticket_client_new(context, fd);
    visit->prepared = visit->connected = JTG_ERR_ARGUMENT;
    visit->is_done = false;
    if (ssl != NULL) {
        if (visit->adjust != NULL)
            visit->adjust(ssl);
        if (visit->endpoint != NULL)
            visit->prepared = jtg_tls_tickets_openssl_prepare(ssl, visit->endpoint, NULL);
        if (visit->meddle != NULL)
            visit->meddle(ssl);
        talk(ssl, visit);
    }
    SSL_free(ssl);
    if (fd >= 0)
        (void)close(fd);
}
