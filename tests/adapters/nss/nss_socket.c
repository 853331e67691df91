/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/nss/nss_socket.h"

#include "adapters/nss/experimental.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <nspr.h>
#include <nss.h>
#include <poll.h>
#include <private/pprio.h>
#include <sslproto.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TIMER_MS = 100 }; /* NSS retransmits after a second at first */

int nss_socket_bind(uint16_t *port, bool stream)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0 || (stream && listen(fd, 1) != 0))
        return -1;
    *port = ntohs(address.sin_port);
    return fd;
}

bool nss_socket_connect(int fd, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
}

int nss_socket_open(uint16_t port, bool stream)
{
    int fd = socket(AF_INET, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
    if (fd >= 0 && nss_socket_connect(fd, port))
        return fd;
    return -1;
}

bool nss_begin(const char *folder)
{
    char name[80];
    (void)snprintf(name, sizeof name, "sql:%s", folder);
    return NSS_Init(name) == SECSuccess && NSS_SetDomesticPolicy() == SECSuccess;
}

static void is_done(PRFileDesc *fd, void *context)
{
    (void)fd;
    *(bool *)context = true;
}

PRFileDesc *nss_socket_import(int fd, const char *alpn, bool stream, bool *done)
{
    static const SSLVersionRange versions = {SSL_LIBRARY_VERSION_TLS_1_3,
                                             SSL_LIBRARY_VERSION_TLS_1_3};
    unsigned char protocols[64];
    PRSocketOptionData nonblocking = {.option = PR_SockOpt_Nonblocking};
    nonblocking.value.non_blocking = PR_TRUE;
    PRFileDesc *plain = stream ? PR_ImportTCPSocket(fd) : PR_ImportUDPSocket(fd);
    if (plain == NULL || PR_SetSocketOption(plain, &nonblocking) != PR_SUCCESS)
        return NULL;
    PRFileDesc *made = stream ? SSL_ImportFD(NULL, plain) : DTLS_ImportFD(NULL, plain);
    if (made == NULL || SSL_VersionRangeSet(made, &versions) != SECSuccess ||
        SSL_OptionSet(made, SSL_ENABLE_SESSION_TICKETS, PR_TRUE) != SECSuccess ||
        SSL_HandshakeCallback(made, is_done, done) != SECSuccess)
        return NULL;
    protocols[0] = (unsigned char)strlen(alpn);
    memcpy(protocols + 1, alpn, protocols[0]);
    if (protocols[0] != 0 && (SSL_OptionSet(made, SSL_ENABLE_ALPN, PR_TRUE) != SECSuccess ||
                              SSL_SetNextProtoNego(made, protocols, protocols[0] + 1U)))
        return NULL;
    return made;
}

void nss_wait(int one, int other)
{
    struct pollfd both[2] = {{.fd = one, .events = POLLIN}, {.fd = other, .events = POLLIN}};
    (void)poll(both, 2, TIMER_MS);
}

int nss_shake_hands(PRFileDesc *fd, const bool *done)
{
    if (*done || SSL_ForceHandshake(fd) == SECSuccess)
        return 1;
    return PR_GetError() == PR_WOULD_BLOCK_ERROR ? 0 : -1;
}
