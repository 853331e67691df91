/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/nss/experimental.h"
#include "adapters/nss/nss_peers.h"
#include "adapters/nss/nss_socket.h"
#include "support/asserts.h"

#include <jtiguard/dtls_sessions_nss.h>
#include <jtiguard/redis.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS "turn it on"

enum { WAIT_S = 10, WAIT_MS = 20000, WORDS_MAX = 64, SERVICE_PORT = 5684 };

/* ---- in its own process: no asserts ---- */

struct calling {
    const struct nss_client *client;
    int control;
    int socket;
    PRFileDesc *fd;
    bool done; /* says NSS */
    jtg_cache *cache;
    jtg_dtls_sessions *sessions;
    jtg_dtls_sessions_nss *kept;
    struct nss_result result;
};

static bool open_store(struct calling *calling)
{
    const struct nss_client *client = calling->client;
    jtg_endpoint endpoint = JTG_ENDPOINT_INIT;
    endpoint.host = "localhost";
    endpoint.port = SERVICE_PORT;
    endpoint.alpn = client->alpn;
    endpoint.alpn_len = strlen(client->alpn);
    endpoint.parameters = client->parameters;
    endpoint.parameters_len = client->parameters != NULL ? strlen(client->parameters) : 0;
    return jtg_redis_new_uri(&calling->cache, client->redis_uri, NULL) == JTG_OK &&
           jtg_dtls_sessions_new(&calling->sessions, calling->cache, NULL, NULL) == JTG_OK &&
           jtg_dtls_sessions_nss_new(&calling->kept, calling->sessions, &endpoint, NULL, NULL) ==
               JTG_OK;
}

/* As large as those of a client with a post-quantum share, which this NSS may not know. */
static bool widen(PRFileDesc *fd)
{
    static const SSLNamedGroup groups[] = {ssl_grp_ec_curve25519, ssl_grp_ffdhe_8192,
                                           ssl_grp_ffdhe_6144};
    return SSL_NamedGroupConfig(fd, groups, sizeof groups / sizeof groups[0]) == SECSuccess &&
           SSL_SendAdditionalKeyShares(fd, 2) == SECSuccess;
}

static bool open_connection(struct calling *calling, uint16_t port)
{
    const struct nss_client *client = calling->client;
    static const unsigned char key[JTG_DTLS_SESSIONS_NSS_KEY_BYTES] = "one key of all the clients";
    calling->socket = nss_socket_open(port, client->stream);
    if (!nss_begin(client->folder) || jtg_dtls_sessions_nss_share(key, NULL) != JTG_OK ||
        !open_store(calling) || calling->socket < 0)
        return false;
    calling->fd = nss_socket_import(calling->socket, client->alpn, client->stream, &calling->done);
    return calling->fd != NULL && (!client->wide || widen(calling->fd)) &&
           SSL_SetURL(calling->fd, client->host != NULL ? client->host : "localhost") ==
               SECSuccess &&
           SSL_OptionSet(calling->fd, SSL_ENABLE_0RTT_DATA, PR_TRUE) == SECSuccess &&
           SSL_ResetHandshake(calling->fd, PR_FALSE) == SECSuccess;
}

static bool send_words(PRFileDesc *fd)
{
    return PR_Send(fd, WORDS, sizeof WORDS, 0, PR_INTERVAL_NO_WAIT) == sizeof WORDS;
}

static void finish(struct calling *calling, bool early_sent)
{
    char words[WORDS_MAX];
    SSLChannelInfo info;
    bool sent = early_sent;
    time_t end = time(NULL) + WAIT_S;
    while (!calling->result.answered && time(NULL) < end) {
        int result = calling->result.completed ? 1 : nss_shake_hands(calling->fd, &calling->done);
        if (result < 0)
            return;
        if (result == 1 && !calling->result.completed) {
            calling->result.completed = true;
            if (SSL_GetChannelInfo(calling->fd, &info, sizeof info) == SECSuccess) {
                calling->result.early = info.earlyDataAccepted;
                calling->result.resumed = info.resumed;
            }
            if (!sent || !calling->result.early)
                sent = send_words(calling->fd);
        }
        PRInt32 len = PR_Recv(calling->fd, words, sizeof words, 0, PR_INTERVAL_NO_WAIT);
        calling->result.answered = len == sizeof WORDS && memcmp(words, WORDS, sizeof WORDS) == 0;
        if (len < 0)
            nss_wait(calling->socket, -1);
    }
}

static int run(struct calling *calling, uint16_t port)
{
    char order = 0;
    if (!open_connection(calling, port))
        return 1;
    calling->result.attached =
        jtg_dtls_sessions_nss_attach(calling->kept, calling->fd, &calling->result.offered, NULL);
    (void)nss_shake_hands(calling->fd, &calling->done);
    bool early_sent = calling->result.offered && send_words(calling->fd);
    (void)!write(calling->control, &calling->result.offered, sizeof calling->result.offered);
    if (recv(calling->control, &order, 1, 0) != 1)
        return 1;
    finish(calling, early_sent);
    for (int fate = 0; fate <= JTG_DTLS_DISCARDED; fate++)
        calling->result.fates[fate] =
            jtg_dtls_sessions_nss_counter(calling->kept, (jtg_dtls_fate)fate);
    (void)!write(calling->control, &calling->result, sizeof calling->result);
    return 0;
}

/* ---- from the test ---- */

bool nss_client_start(struct nss_client *client, uint16_t port)
{
    int ends[2];
    bool offered;
    struct pollfd end;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    client->pid = fork();
    assert_true(client->pid >= 0);
    if (client->pid == 0) {
        struct calling calling = {.client = client, .control = ends[1]};
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)close(ends[0]);
        _exit(run(&calling, port));
    }
    (void)close(ends[1]);
    client->control = ends[0];
    end = (struct pollfd){.fd = client->control, .events = POLLIN};
    assert_int_equal(poll(&end, 1, WAIT_MS), 1);
    assert_int_equal(recv(client->control, &offered, sizeof offered, 0), sizeof offered);
    return offered;
}

void nss_client_kill(struct nss_client *client)
{
    assert_int_equal(kill(client->pid, SIGKILL), 0);
    assert_int_equal(waitpid(client->pid, NULL, 0), client->pid);
    (void)close(client->control);
    client->pid = 0;
}

void nss_client_go(struct nss_client *client)
{
    char order = 'g';
    assert_int_equal(send(client->control, &order, 1, MSG_NOSIGNAL), 1);
}

struct nss_result nss_client_end(struct nss_client *client)
{
    struct nss_result result;
    int status = -1;
    struct pollfd end = {.fd = client->control, .events = POLLIN};
    assert_int_equal(poll(&end, 1, WAIT_MS), 1);
    assert_int_equal(recv(client->control, &result, sizeof result, MSG_WAITALL), sizeof result);
    assert_int_equal(waitpid(client->pid, &status, 0), client->pid);
    assert_int_equal(status, 0);
    (void)close(client->control);
    client->pid = 0;
    return result;
}

struct nss_result nss_client_run(struct nss_client *client, uint16_t port)
{
    (void)nss_client_start(client, port);
    nss_client_go(client);
    return nss_client_end(client);
}
