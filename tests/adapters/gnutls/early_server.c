/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/gnutls/early_server.h"

#include "support/asserts.h"

#include <arpa/inet.h>
#include <jtiguard/anti_replay_gnutls.h>
#include <jtiguard/redis.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3"
#define WORDS    "transfer 100"

enum { WAIT_MS = 5000, REPORT_WAIT_MS = 20000, WINDOW_MS = 60000, ANSWER_MAX = 64 };

/* ---- the server's process: no asserts ---- */

struct serving {
    const struct early_server *server;
    int reports;
    gnutls_certificate_credentials_t credentials;
    jtg_cache *cache;
    jtg_anti_replay_gnutls *anti_replay;
    gnutls_anti_replay_t whole_key;
};

struct connection {
    struct serving *serving;
    int fd;
};

static int load_certificate(gnutls_certificate_credentials_t credentials,
                            const struct tls_certificate *made)
{
    return gnutls_certificate_set_x509_key_file(credentials, made->certificate_path, made->key_path,
                                                GNUTLS_X509_FMT_PEM);
}

static int add_whole_key(void *cache, time_t end, const gnutls_datum_t *key,
                         const gnutls_datum_t *data)
{
    jtg_key whole = {key->data, key->size, NULL, 0};
    jtg_owner owner;
    (void)data;
    jtg_owner_generate(&owner);
    return jtg_cache_reserve(cache, &whole, &owner, (uint64_t)(end - time(NULL) + 60) * 1000,
                             NULL) == JTG_OK
               ? 0
               : GNUTLS_E_DB_ENTRY_EXISTS;
}

static int make_guard(struct serving *serving)
{
    jtg_anti_replay_options options;
    jtg_anti_replay_gnutls_options_init(&options);
    options.window_ms = WINDOW_MS;
    if (serving->server->guard == EARLY_GUARD_ADAPTER)
        return jtg_anti_replay_gnutls_new(&serving->anti_replay, serving->cache, &options, NULL) !=
               JTG_OK;
    int failed = gnutls_anti_replay_init(&serving->whole_key);
    gnutls_anti_replay_set_window(serving->whole_key, WINDOW_MS);
    gnutls_anti_replay_set_ptr(serving->whole_key, serving->cache);
    gnutls_anti_replay_set_add_function(serving->whole_key, add_whole_key);
    return failed;
}

static gnutls_session_t open_session(const struct serving *serving, int fd)
{
    gnutls_session_t session = NULL;
    if (gnutls_init(&session, GNUTLS_SERVER | GNUTLS_ENABLE_EARLY_DATA) < 0)
        return NULL;
    (void)gnutls_priority_set_direct(session, PRIORITY, NULL);
    (void)gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, serving->credentials);
    (void)gnutls_session_ticket_enable_server(session, serving->server->ticket_key);
    if (serving->anti_replay != NULL)
        jtg_anti_replay_gnutls_enable(serving->anti_replay, session);
    else
        gnutls_anti_replay_enable(session, serving->whole_key);
    gnutls_transport_set_int(session, fd);
    gnutls_handshake_set_timeout(session, WAIT_MS);
    return session;
}

static int shake_hands(gnutls_session_t session)
{
    int result = GNUTLS_E_AGAIN;
    while (result < 0 && gnutls_error_is_fatal(result) == 0)
        result = gnutls_handshake(session);
    return result;
}

/* Early data, or the first data after the handshake, back to the client. */
static void answer(gnutls_session_t session)
{
    char words[ANSWER_MAX];
    ssize_t len = gnutls_record_recv_early_data(session, words + 1, sizeof words - 1);
    words[0] = '+';
    if (len <= 0) {
        words[0] = '-';
        len = gnutls_record_recv(session, words + 1, sizeof words - 1);
    }
    if (len > 0)
        (void)gnutls_record_send(session, words, (size_t)len + 1);
    (void)gnutls_bye(session, GNUTLS_SHUT_RDWR);
}

static uint64_t count_unsure(const struct serving *serving)
{
    uint64_t count = 0;
    for (int reason = 0; reason < JTG_FLIGHT_REASON_COUNT; reason++)
        if (jtg_flight_reason_seen((jtg_flight_reason)reason) == JTG_SEEN_UNSURE)
            count +=
                jtg_anti_replay_gnutls_counter(serving->anti_replay, (jtg_flight_reason)reason);
    return count;
}

static void *serve(void *argument)
{
    struct connection *connection = argument;
    struct early_report report;
    memset(&report, 0, sizeof report);
    gnutls_session_t session = open_session(connection->serving, connection->fd);
    if (session != NULL) {
        report.completed = shake_hands(session) == 0;
        report.early = (gnutls_session_get_flags(session) & GNUTLS_SFLAGS_EARLY_DATA) != 0;
        report.unsure = count_unsure(connection->serving);
        if (report.completed)
            answer(session);
        gnutls_deinit(session);
    }
    (void)close(connection->fd);
    (void)!write(connection->serving->reports, &report, sizeof report);
    free(connection);
    return NULL;
}

static int run(struct serving *serving)
{
    pthread_attr_t detached;
    (void)pthread_attr_init(&detached);
    (void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    if (gnutls_certificate_allocate_credentials(&serving->credentials) != 0 ||
        load_certificate(serving->credentials, serving->server->certificate) != 0 ||
        jtg_redis_new_uri(&serving->cache, serving->server->redis_uri, NULL) != JTG_OK ||
        make_guard(serving) != 0)
        return 1;
    (void)!write(serving->reports, &(struct early_report){0}, sizeof(struct early_report));
    for (;;) {
        pthread_t thread;
        struct timeval limit = {.tv_sec = WAIT_MS / 1000, .tv_usec = 0};
        struct connection *connection = malloc(sizeof *connection);
        if (connection == NULL)
            return 1;
        *connection = (struct connection){serving, accept(serving->server->listener, NULL, NULL)};
        if (connection->fd < 0)
            return 1;
        (void)setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        if (pthread_create(&thread, &detached, serve, connection) != 0)
            return 1;
    }
}

/* ---- the server, from the test ---- */

static void open_port(struct early_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server->listener >= 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->listener, 128), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
}

void early_server_start(struct early_server *server)
{
    int ends[2];
    if (server->port == 0)
        open_port(server);
    assert_int_equal(pipe(ends), 0);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        struct serving serving = {.server = server, .reports = ends[1]};
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGPIPE, SIG_IGN);
        (void)close(ends[0]);
        _exit(run(&serving));
    }
    (void)close(ends[1]);
    server->reports = ends[0];
    (void)early_server_report(server); /* it is ready */
}

void early_server_kill(struct early_server *server)
{
    if (server->pid == 0)
        return;
    assert_int_equal(kill(server->pid, SIGKILL), 0);
    assert_int_equal(waitpid(server->pid, NULL, 0), server->pid);
    server->pid = 0;
    (void)close(server->reports);
}

void early_server_stop(struct early_server *server)
{
    early_server_kill(server);
    if (server->port != 0)
        (void)close(server->listener);
    server->port = 0;
}

struct early_report early_server_report(struct early_server *server)
{
    struct early_report report;
    struct pollfd pipe_end = {.fd = server->reports, .events = POLLIN};
    assert_int_equal(poll(&pipe_end, 1, REPORT_WAIT_MS), 1);
    assert_int_equal(read(server->reports, &report, sizeof report), sizeof report);
    return report;
}

/* ---- the client ---- */

static void open_client(struct early_client *client, const gnutls_datum_t *session, int fd)
{
    assert_int_equal(gnutls_certificate_allocate_credentials(&client->credentials), 0);
    assert_int_equal(gnutls_init(&client->session, GNUTLS_CLIENT | GNUTLS_ENABLE_EARLY_DATA), 0);
    assert_int_equal(gnutls_priority_set_direct(client->session, PRIORITY, NULL), 0);
    assert_int_equal(
        gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE, client->credentials), 0);
    if (session != NULL)
        assert_int_equal(gnutls_session_set_data(client->session, session->data, session->size), 0);
    gnutls_transport_set_int(client->session, fd);
}

static void close_client(struct early_client *client)
{
    gnutls_deinit(client->session);
    gnutls_certificate_free_credentials(client->credentials);
}

/* Reads what the server sent back; the tickets come before it. */
static void expect_answer(gnutls_session_t session, char sign)
{
    char words[ANSWER_MAX] = {0};
    ssize_t len = GNUTLS_E_AGAIN;
    while (len < 0 && gnutls_error_is_fatal((int)len) == 0) {
        struct pollfd end = {.fd = gnutls_transport_get_int(session), .events = POLLIN};
        if (gnutls_record_check_pending(session) == 0)
            assert_int_equal(poll(&end, 1, WAIT_MS), 1);
        len = gnutls_record_recv(session, words, sizeof words);
    }
    assert_int_equal(len, strlen(WORDS) + 1);
    assert_int_equal(words[0], sign);
    assert_memory_equal(words + 1, WORDS, strlen(WORDS));
}

gnutls_datum_t early_client_session(struct early_server *server)
{
    struct early_client client;
    gnutls_datum_t session = {NULL, 0};
    int fd = first_flight_connect(server->port);
    open_client(&client, NULL, fd);
    assert_int_equal(shake_hands(client.session), 0);
    assert_int_equal(gnutls_record_send(client.session, WORDS, strlen(WORDS)), strlen(WORDS));
    expect_answer(client.session, '-');
    assert_int_equal(gnutls_session_get_data2(client.session, &session), 0);
    (void)gnutls_bye(client.session, GNUTLS_SHUT_WR);
    close_client(&client);
    (void)close(fd);
    assert_true(early_server_report(server).completed);
    return session;
}

void early_client_start(struct early_client *client, const gnutls_datum_t *session,
                        struct first_flight *flight)
{
    first_flight_wire(&client->wire);
    open_client(client, session, client->wire.client);
    assert_int_equal(gnutls_record_send_early_data(client->session, WORDS, strlen(WORDS)),
                     GNUTLS_E_SUCCESS);
    assert_int_equal(gnutls_handshake(client->session), GNUTLS_E_AGAIN);
    first_flight_take(flight, &client->wire);
}

bool early_client_finish(struct early_client *client, const struct first_flight *flight,
                         struct early_server *server)
{
    int result = GNUTLS_E_AGAIN;
    first_flight_forward(flight, &client->wire, server->port);
    while (result < 0 && gnutls_error_is_fatal(result) == 0) {
        struct pollfd end = {.fd = client->wire.client, .events = POLLIN};
        assert_int_equal(poll(&end, 1, WAIT_MS), 1);
        result = gnutls_handshake(client->session);
    }
    assert_int_equal(result, GNUTLS_E_SUCCESS);
    assert_true(gnutls_session_is_resumed(client->session));
    bool early = (gnutls_session_get_flags(client->session) & GNUTLS_SFLAGS_EARLY_DATA) != 0;
    if (!early)
        assert_int_equal(gnutls_record_send(client->session, WORDS, strlen(WORDS)), strlen(WORDS));
    expect_answer(client->session, early ? '+' : '-');
    return early;
}

void early_client_stop(struct early_client *client)
{
    (void)gnutls_bye(client->session, GNUTLS_SHUT_WR);
    first_flight_hang_up(&client->wire);
    close_client(client);
}
