/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/nss/experimental.h"
#include "adapters/nss/nss_peers.h"
#include "adapters/nss/nss_socket.h"
#include "support/asserts.h"

#include <cert.h>
#include <jtiguard/anti_replay_nss.h>
#include <jtiguard/redis.h>
#include <keyhi.h>
#include <pk11pub.h>
#include <poll.h>
#include <prtime.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OPEN = 'o', END = 'e', WORDS_MAX = 64, WAIT_MS = 20000 };

/* ---- in its own process: no asserts ---- */

struct serving {
    const struct nss_server *server;
    int control;
    jtg_cache *cache;
    jtg_anti_replay_nss *guard;
    SSLAntiReplayContext *unguarded;
    CERTCertificate *certificate;
    SECKEYPrivateKey *key;
};

struct connection {
    PRFileDesc *fd; /* NULL until the client has come */
    int socket;
    bool done; /* says NSS */
    bool completed;
    bool failed;
    int error;             /* of NSS */
    char words[WORDS_MAX]; /* to send back */
    PRInt32 words_len;
};

static bool prepare(struct serving *serving)
{
    PRTime window = 20 * PR_USEC_PER_SEC;
    if (!nss_begin(serving->server->folder) ||
        SSL_ConfigServerSessionIDCache(0, 0, 0, NULL) != SECSuccess)
        return false;
    serving->certificate = PK11_FindCertFromNickname("localhost", NULL);
    serving->key = PK11_FindKeyByAnyCert(serving->certificate, NULL);
    if (serving->key == NULL || SSL_CreateAntiReplayContext(PR_Now() - window, window, 7, 14,
                                                            &serving->unguarded) != SECSuccess)
        return false;
    return jtg_redis_new_uri(&serving->cache, serving->server->redis_uri, NULL) == JTG_OK &&
           jtg_anti_replay_nss_new(&serving->guard, serving->cache, NULL, NULL) == JTG_OK;
}

static bool guard(const struct serving *serving, PRFileDesc *fd)
{
    static const SSLNamedGroup group = ssl_grp_ec_secp521r1;
    if (serving->server->other_group && SSL_NamedGroupConfig(fd, &group, 1) != SECSuccess)
        return false;
    if (serving->server->unguarded)
        return SSL_SetAntiReplayContext(fd, serving->unguarded) == SECSuccess &&
               SSL_OptionSet(fd, SSL_ENABLE_0RTT_DATA, PR_TRUE) == SECSuccess;
    return jtg_anti_replay_nss_enable(serving->guard, fd, NULL) == JTG_OK;
}

/* The first datagram tells who the client is; it stays to be read. */
static bool meet_by_datagram(struct connection *connection)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;
    char byte;
    return recvfrom(connection->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT, (struct sockaddr *)&peer,
                    &len) >= 0 &&
           connect(connection->socket, (struct sockaddr *)&peer, len) == 0;
}

static bool meet_by_stream(struct connection *connection)
{
    struct pollfd end = {.fd = connection->socket, .events = POLLIN};
    int accepted = poll(&end, 1, 0) == 1 ? accept(connection->socket, NULL, NULL) : -1;
    if (accepted < 0)
        return false;
    (void)close(connection->socket);
    connection->socket = accepted;
    return true;
}

static bool meet(const struct serving *serving, struct connection *connection)
{
    bool stream = serving->server->stream;
    if (!(stream ? meet_by_stream(connection) : meet_by_datagram(connection)))
        return true;
    const char *alpn = serving->server->alpn != NULL ? serving->server->alpn : "coap";
    connection->fd = nss_socket_import(connection->socket, alpn, stream, &connection->done);
    return connection->fd != NULL && guard(serving, connection->fd) &&
           SSL_ConfigServerCert(connection->fd, serving->certificate, serving->key, NULL, 0) ==
               SECSuccess &&
           SSL_ResetHandshake(connection->fd, PR_TRUE) == SECSuccess;
}

/* As far as it can go with what has arrived. */
static void go_on(const struct serving *serving, struct connection *connection)
{
    if (connection->fd == NULL && !meet(serving, connection))
        connection->failed = true;
    if (connection->fd == NULL || connection->failed)
        return;
    if (!connection->completed) {
        int result = nss_shake_hands(connection->fd, &connection->done);
        connection->completed = result == 1;
        connection->failed = result < 0;
        connection->error = result < 0 ? PR_GetError() : 0;
    }
    if (connection->words_len <= 0)
        connection->words_len =
            PR_Recv(connection->fd, connection->words, WORDS_MAX, 0, PR_INTERVAL_NO_WAIT);
    if (connection->completed && connection->words_len > 0) {
        (void)PR_Send(connection->fd, connection->words, connection->words_len, 0,
                      PR_INTERVAL_NO_WAIT);
        connection->words_len = 0;
    }
}

static void report(const struct serving *serving, const struct connection *connection)
{
    struct nss_report made;
    SSLChannelInfo info;
    SSLPreliminaryChannelInfo early;
    memset(&made, 0, sizeof made);
    if (connection->fd != NULL &&
        SSL_GetChannelInfo(connection->fd, &info, sizeof info) == SECSuccess) {
        made.resumed = info.resumed;
        made.early = info.earlyDataAccepted;
    }
    /* Until the handshake is done only this one tells: there is a cipher for it. */
    if (connection->fd != NULL &&
        SSL_GetPreliminaryChannelInfo(connection->fd, &early, sizeof early) == SECSuccess &&
        (early.valuesSet & ssl_preinfo_0rtt_cipher_suite) != 0)
        made.early = true;
    made.completed = connection->completed;
    made.error = connection->error;
    for (int i = 0; i < JTG_FLIGHT_REASON_COUNT; i++)
        made.reasons[i] = jtg_anti_replay_nss_counter(serving->guard, (jtg_flight_reason)i);
    (void)!write(serving->control, &made, sizeof made);
}

/* False when the test has gone. */
static bool serve(const struct serving *serving)
{
    char order = 0;
    uint16_t port = 0;
    struct connection connection = {.socket = nss_socket_bind(&port, serving->server->stream)};
    (void)!write(serving->control, &port, sizeof port);
    while (order == 0) {
        nss_wait(connection.socket, serving->control);
        ssize_t got = recv(serving->control, &order, 1, MSG_DONTWAIT);
        if (got == 0)
            return false;
        /* What was sent before the order is here, datagram by datagram. */
        for (int i = 0; i < PATH_PIECES * 2; i++)
            go_on(serving, &connection);
    }
    report(serving, &connection);
    if (connection.fd != NULL)
        (void)PR_Close(connection.fd);
    else
        (void)close(connection.socket);
    return true;
}

static int run(struct serving *serving)
{
    char order = 0;
    if (!prepare(serving))
        return 1;
    (void)!write(serving->control, &order, 1);
    while (recv(serving->control, &order, 1, 0) == 1)
        if (order == OPEN && !serve(serving))
            break;
    return 0;
}

/* ---- from the test ---- */

static void receive(int control, void *what, size_t len)
{
    struct pollfd end = {.fd = control, .events = POLLIN};
    assert_int_equal(poll(&end, 1, WAIT_MS), 1);
    assert_int_equal(recv(control, what, len, MSG_WAITALL), len);
}

void nss_server_start(struct nss_server *server)
{
    int ends[2];
    char ready = 1;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        struct serving serving = {.server = server, .control = ends[1]};
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)close(ends[0]);
        _exit(run(&serving));
    }
    (void)close(ends[1]);
    server->control = ends[0];
    receive(server->control, &ready, sizeof ready);
    assert_int_equal(ready, 0);
}

void nss_server_stop(struct nss_server *server)
{
    if (server->pid == 0)
        return;
    (void)close(server->control);
    (void)kill(server->pid, SIGKILL);
    assert_int_equal(waitpid(server->pid, NULL, 0), server->pid);
    server->pid = 0;
}

uint16_t nss_server_open(struct nss_server *server)
{
    char order = OPEN;
    uint16_t port = 0;
    assert_int_equal(send(server->control, &order, 1, MSG_NOSIGNAL), 1);
    receive(server->control, &port, sizeof port);
    return port;
}

struct nss_report nss_server_end(struct nss_server *server)
{
    struct nss_report made;
    char order = END;
    assert_int_equal(send(server->control, &order, 1, MSG_NOSIGNAL), 1);
    receive(server->control, &made, sizeof made);
    return made;
}
