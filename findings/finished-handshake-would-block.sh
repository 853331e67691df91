#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# NSS 3.87.1 (Debian 12) and 3.132 (sid): of a handshake that is done, SSL_ForceHandshake() says that it would block,
# for ever, and it throws away what PR_Recv() has left.
#
# One would guess: on a non-blocking socket SSL_ForceHandshake() carries the handshake on and says how far it is:
# would block while it is under way, success when it is done, and so again however often it is asked.
#
# Instead: success says that this call read a record, nothing more. If PR_Recv() came first and read the
# client's Finished, the handshake is done, its callback was called, data flows, and SSL_ForceHandshake() fails
# with PR_WOULD_BLOCK_ERROR until the client sends something. And the call begins by forgetting the record before:
# if PR_Recv() had room for a part of it only, the rest is gone, without an error at either end.
#
# Seen on 2026-12-01 with both, TLS 1.3; the client's Finished and its "words" have arrived when the server calls:
#
#     SSL_ForceHandshake, PR_Recv                  callback, success, words
#     PR_Recv, SSL_ForceHandshake three times      callback, words, would block three times
#         the client sends "x"; both again         success, x
#     PR_Recv of 2 bytes, then the rest            callback, wo, rds
#     PR_Recv of 2 bytes, SSL_ForceHandshake       callback, wo, would block
#         the client sends "x"; PR_Recv            x: the "rds" between them is lost
#
# Why it matters: a server that asks both in each turn, and answers when SSL_ForceHandshake() has succeeded, waits
# for a client that waits for the answer, if the client's last two messages arrive between the two calls: rarely,
# and on a busy machine. Only SSL_HandshakeCallback() says that a handshake is done, and nobody may call
# SSL_ForceHandshake() after it.
#
# shellcheck source-path=SCRIPTDIR source=ground.bash
. "$(dirname "$(readlink -f "$0")")/ground.bash"

command -v gcc >/dev/null || cannot "no gcc"
debian bookworm libnss3=2:3.87.1-1+deb12u2 libnss3-dev=2:3.87.1-1+deb12u2 libnss3-tools=2:3.87.1-1+deb12u2 \
    libnspr4=2:4.35-1 libnspr4-dev=2:4.35-1 libsqlite3-0 zlib1g
debian sid libnss3=2:3.132-1 libnss3-tools=2:3.132-1 libnspr4=2:4.40-1 libsqlite3-0 zlib1g libc6

# Client and server in one thread: talk FOLDER CALL... brings both to where the server has the next call, makes
# the calls, and prints what each said.
cat >"$lab/talk.c" <<'END'
#include <linux/sockios.h>
#include <nspr.h>
#include <nss.h>
#include <pk11pub.h>
#include <private/pprio.h>
#include <ssl.h>
#include <sslproto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

static void need(int fine, const char *what)
{
    if (!fine) {
        fprintf(stderr, "%s: %s\n", what, PR_ErrorToName(PR_GetError()));
        exit(1);
    }
}

static void is_done(PRFileDesc *fd, void *context)
{
    (void)fd, (void)context;
    printf("callback ");
}

static SECStatus trust(void *context, PRFileDesc *fd, PRBool check, PRBool server)
{
    (void)context, (void)fd, (void)check, (void)server;
    return SECSuccess;
}

static void connect_both(PRFileDesc *sockets[2])
{
    PRNetAddr address;
    PRFileDesc *listener = PR_NewTCPSocket();
    sockets[0] = PR_NewTCPSocket();
    need(PR_InitializeNetAddr(PR_IpAddrLoopback, 0, &address) == PR_SUCCESS &&
             PR_Bind(listener, &address) == PR_SUCCESS && PR_Listen(listener, 1) == PR_SUCCESS &&
             PR_GetSockName(listener, &address) == PR_SUCCESS &&
             PR_Connect(sockets[0], &address, PR_INTERVAL_NO_TIMEOUT) == PR_SUCCESS,
         "connect");
    sockets[1] = PR_Accept(listener, NULL, PR_INTERVAL_NO_TIMEOUT);
    need(sockets[1] != NULL, "accept");
}

static PRFileDesc *tls_1_3(PRFileDesc *plain)
{
    SSLVersionRange versions = {SSL_LIBRARY_VERSION_TLS_1_3, SSL_LIBRARY_VERSION_TLS_1_3};
    PRSocketOptionData option = {.option = PR_SockOpt_Nonblocking, .value.non_blocking = PR_TRUE};
    need(PR_SetSocketOption(plain, &option) == PR_SUCCESS, "non-blocking");
    PRFileDesc *fd = SSL_ImportFD(NULL, plain);
    need(fd != NULL && SSL_VersionRangeSet(fd, &versions) == SECSuccess &&
             SSL_OptionSet(fd, SSL_NO_CACHE, PR_TRUE) == SECSuccess,
         "import");
    return fd;
}

/* Whatever fd has sent is acknowledged, so the peer's kernel has it. */
static void arrive(PRFileDesc *fd)
{
    int left = 1;
    while (ioctl(PR_FileDesc2NativeHandle(fd), SIOCOUTQ, &left) == 0 && left > 0)
        PR_Sleep(PR_MillisecondsToInterval(1));
}

static void say(PRFileDesc *fd, const char *words)
{
    PRInt32 len = (PRInt32)strlen(words);
    need(PR_Send(fd, words, len, 0, PR_INTERVAL_NO_TIMEOUT) == len, "send");
    arrive(fd);
}

static int force(PRFileDesc *fd)
{
    int done = SSL_ForceHandshake(fd) == SECSuccess;
    need(done || PR_GetError() == PR_WOULD_BLOCK_ERROR, "handshake");
    arrive(fd);
    return done;
}

static void hear(PRFileDesc *fd, PRInt32 room)
{
    char words[16];
    PRInt32 len = PR_Recv(fd, words, room, 0, PR_INTERVAL_NO_TIMEOUT);
    need(len >= 0 || PR_GetError() == PR_WOULD_BLOCK_ERROR, "receive");
    printf("%.*s ", len < 0 ? 5 : len, len < 0 ? "block" : words);
}

int main(int argc, char **argv)
{
    PRFileDesc *sockets[2];
    need(argc > 1 && NSS_Init(argv[1]) == SECSuccess, "begin");
    CERTCertificate *certificate = PK11_FindCertFromNickname("server", NULL);
    SECKEYPrivateKey *key = certificate ? PK11_FindKeyByAnyCert(certificate, NULL) : NULL;
    need(key != NULL, "key");
    connect_both(sockets);
    PRFileDesc *client = tls_1_3(sockets[0]), *server = tls_1_3(sockets[1]);
    need(SSL_AuthCertificateHook(client, trust, NULL) == SECSuccess &&
             SSL_SetURL(client, "localhost") == SECSuccess &&
             SSL_ResetHandshake(client, PR_FALSE) == SECSuccess &&
             SSL_ConfigServerCert(server, certificate, key, NULL, 0) == SECSuccess &&
             SSL_HandshakeCallback(server, is_done, NULL) == SECSuccess &&
             SSL_ResetHandshake(server, PR_TRUE) == SECSuccess,
         "configure");
    need(!force(client) && !force(server) && force(client), "flights");
    say(client, "words");

    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "force") == 0)
            printf("%s ", force(server) ? "success" : "block");
        else if (strcmp(argv[i], "receive") == 0)
            hear(server, 16);
        else if (strcmp(argv[i], "receive-2") == 0)
            hear(server, 2);
        else
            say(client, argv[i]);
    }
    return 0;
}
END
libraries=$(dirname "$(find "$lab/bookworm" -name libssl3.so)")
gcc -o "$lab/talk" "$lab/talk.c" -I"$lab/bookworm/usr/include/nss" -I"$lab/bookworm/usr/include/nspr" \
    -L"$libraries" -Wl,-rpath-link,"$libraries" -lssl3 -lnss3 -lnspr4 || cannot "the program is not compiled"

prepare() {
    cp "$lab/talk" "$1/usr/bin"
    runners "$1"
    mkdir "$1/keys"
    head -c 64 /dev/urandom >"$1/noise"
    {
        "$1/run/certutil" -N -d "sql:$1/keys" --empty-password
        "$1/run/certutil" -S -d "sql:$1/keys" -x -n server -s CN=localhost -t ,, -k ec -q nistp256 -m 1 \
            -z "$1/noise"
    } >>"$lab/output" 2>&1 || cannot "no certificate from certutil"
}

talk() {
    timeout 10 "$1/run/talk" "sql:$1/keys" "${@:2}" | sed 's/ *$//'
}

for suite in bookworm sid; do
    root=$lab/$suite
    prepare "$root"
    seen=$(talk "$root" force receive)
    expect "$suite, handshake first" "callback success words" "$seen"
    seen=$(talk "$root" receive force force force x force receive)
    expect "$suite, read first" "callback words block block block success x" "$seen"
    seen=$(talk "$root" receive-2 receive)
    expect "$suite, read in two" "callback wo rds" "$seen"
    seen=$(talk "$root" receive-2 force x receive)
    expect "$suite, handshake in between" "callback wo block x" "$seen"
done
verdict
