/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/openssl/early_data_fleet.h"

#include "support/asserts.h"
#include "support/redis_vouch.h"
#include "support/threads.h"
#include "support/ticket_fixture.h"

#include <arpa/inet.h>
#include <jtiguard/anti_replay_openssl.h>
#include <jtiguard/redis.h>
#include <jtiguard/ticket_keys_openssl.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    WORKERS = 4,
    PATIENCE_S = 20,
    EARLY_MAX = 512,
    LIFE_S = 3600,
    LEAD_MS = 1300,
    REFRESH_MS = 300,
    MARGIN_MS = 900
};

static const char early_start[] = "GET /flight/";

/* ---- a connection, as its server sees it ---- */

struct server {
    struct fleet_board *board;
    SSL_CTX *context;
    int listener;
};

/* The first bytes of early data name their flight; whatever was read was accepted. */
static void note_early(struct fleet_board *board, const char *early, size_t len)
{
    char text[FLEET_EARLY_ROOM] = "";
    size_t start = strlen(early_start);
    if (len < start || len >= sizeof text || memcmp(early, early_start, start) != 0)
        return;
    memcpy(text, early, len);
    unsigned long n = strtoul(text + start, NULL, 10);
    if (n < FLEET_FLIGHTS)
        atomic_fetch_add(&board->accepted[n], 1);
}

/* False: the client ended before its Finished. */
static bool read_early(struct fleet_board *board, SSL *ssl)
{
    char early[EARLY_MAX];
    size_t len = 0;
    size_t count = 0;
    int result = SSL_READ_EARLY_DATA_SUCCESS;
    while (result == SSL_READ_EARLY_DATA_SUCCESS) {
        result = SSL_read_early_data(ssl, early + len, sizeof early - len, &count);
        if (result != SSL_READ_EARLY_DATA_ERROR)
            len += count;
    }
    if (len != 0)
        note_early(board, early, len);
    return result == SSL_READ_EARLY_DATA_FINISH;
}

static void talk(SSL *ssl)
{
    char byte;
    if (SSL_write(ssl, "x", 1) == 1)
        while (SSL_read(ssl, &byte, 1) > 0)
            continue;
    (void)SSL_shutdown(ssl);
}

static void serve(const struct server *server, int fd)
{
    struct timeval patience = {.tv_sec = PATIENCE_S};
    SSL *ssl = SSL_new(server->context);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (ssl != NULL && SSL_set_fd(ssl, fd) == 1) {
        SSL_set_accept_state(ssl);
        bool good = read_early(server->board, ssl) && SSL_do_handshake(ssl) == 1;
        atomic_uint *how = good                        ? &server->board->completed
                           : tls_waits_for_client(ssl) ? &server->board->waited
                                                       : &server->board->broken;
        atomic_fetch_add(how, 1);
        if (good)
            talk(ssl);
    }
    SSL_free(ssl);
    ERR_clear_error();
    (void)close(fd);
}

static void work(void *context, unsigned index)
{
    const struct server *server = context;
    (void)index;
    for (;;) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            serve(server, fd);
    }
}

/* ---- a process ---- */

static void told(SSL *ssl, const jtg_flight_decision *decision, const jtg_error *err, void *context)
{
    struct fleet_board *board = context;
    (void)ssl;
    (void)err;
    atomic_fetch_add(&board->reasons[decision->reason], 1);
}

static jtg_ticket_keys *make_keys(const struct fleet *fleet, jtg_cache *cache)
{
    jtg_ticket_keys *keys = NULL;
    jtg_ticket_options options = JTG_TICKET_OPTIONS_INIT;
    options.kek_file = fleet->kek_file;
    options.publish_lead_ms = LEAD_MS;
    options.refresh_interval_ms = REFRESH_MS;
    options.margin_ms = MARGIN_MS;
    assert_status(jtg_ticket_keys_new(&keys, cache, &options, NULL), JTG_OK);
    assert_status(jtg_ticket_keys_refresh(keys, NULL), JTG_OK);
    return keys;
}

static SSL_CTX *make_context(const struct fleet *fleet)
{
    jtg_cache *cache = NULL;
    jtg_anti_replay *anti_replay = NULL;
    jtg_anti_replay_openssl_options options = JTG_ANTI_REPLAY_OPENSSL_OPTIONS_INIT;
    char uri[128];
    SSL_CTX *context = tls_server_context();
    (void)snprintf(uri, sizeof uri, "%s?timeout=3s", fleet->redis.uri);
    assert_status(jtg_redis_new_uri(&cache, uri, NULL), JTG_OK);
    assert_status(jtg_anti_replay_new(&anti_replay, cache, NULL, NULL), JTG_OK);
    jtg_ticket_keys *keys = make_keys(fleet, cache);
    SSL_CTX_set_timeout(context, LIFE_S);
    assert_int_equal(SSL_CTX_set_max_early_data(context, EARLY_MAX), 1);
    assert_status(jtg_ticket_keys_openssl_install(context, keys, NULL), JTG_OK);
    options.sessions = fleet->stores ? cache : NULL;
    options.session_keys = fleet->stores ? keys : NULL;
    options.told = told;
    options.told_context = fleet->board;
    assert_status(jtg_anti_replay_openssl_install(context, anti_replay, &options, NULL), JTG_OK);
    return context;
}

/* Everything of the library is made after fork, and ends with the process. */
static void run_server(const struct fleet *fleet, unsigned n)
{
    struct server server = {.board = fleet->board, .listener = fleet->listeners[n]};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_IGN);
    server.context = make_context(fleet);
    atomic_fetch_add(&fleet->board->ready, 1);
    threads_run(WORKERS, work, &server);
}

static void start_server(struct fleet *fleet, unsigned n)
{
    fleet->started++;
    fleet->pids[n] = fork();
    assert_true(fleet->pids[n] >= 0);
    if (fleet->pids[n] == 0) {
        run_server(fleet, n);
        _exit(1);
    }
}

static void end_server(struct fleet *fleet, unsigned n)
{
    assert_int_equal(kill(fleet->pids[n], SIGKILL), 0);
    assert_int_equal(waitpid(fleet->pids[n], NULL, 0), fleet->pids[n]);
}

static void await_servers(const struct fleet *fleet)
{
    for (int i = 0; i < PATIENCE_S * 100; i++) {
        if (atomic_load(&fleet->board->ready) == fleet->started)
            return;
        (void)poll(NULL, 0, 10);
    }
    fail_msg("a server does not start");
}

void fleet_restart_server(struct fleet *fleet, unsigned server)
{
    end_server(fleet, server);
    start_server(fleet, server);
    await_servers(fleet);
}

/* ---- all of it ---- */

static void listen_at(struct fleet *fleet, unsigned n)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    fleet->listeners[n] = fd;
    fleet->ports[n] = ntohs(address.sin_port);
}

void fleet_start(struct fleet *fleet, bool stores)
{
    unsigned char kek[32];
    memset(fleet, 0, sizeof *fleet);
    fleet->stores = stores;
    fleet->board =
        mmap(NULL, sizeof *fleet->board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(fleet->board != MAP_FAILED);
    randombytes_buf(kek, sizeof kek);
    ticket_fixture_key_file(fleet->kek_file, kek, sizeof kek, 0600);
    redis_server_start(&fleet->redis, NULL);
    redis_vouch(fleet->redis.uri);
    for (unsigned n = 0; n < FLEET_SERVERS; n++) {
        listen_at(fleet, n);
        start_server(fleet, n);
    }
    await_servers(fleet);
}

void fleet_stop(struct fleet *fleet)
{
    for (unsigned n = 0; n < FLEET_SERVERS; n++) {
        end_server(fleet, n);
        (void)close(fleet->listeners[n]);
    }
    redis_server_stop(&fleet->redis);
    (void)unlink(fleet->kek_file);
    (void)munmap(fleet->board, sizeof *fleet->board);
}

void fleet_restart_redis(struct fleet *fleet)
{
    redis_server_kill(&fleet->redis);
    redis_server_start_again(&fleet->redis);
}

void fleet_early(char early[FLEET_EARLY_ROOM], unsigned n)
{
    (void)snprintf(early, FLEET_EARLY_ROOM, "%s%u", early_start, n);
}
