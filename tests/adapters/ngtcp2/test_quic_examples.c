/* SPDX-License-Identifier: Apache-2.0 */
/* The QUIC client and server of examples/, as their users run them: a token is seen once on the
 * wire, saves its Retry, and is refused when it comes again, whoever sends it. */
#include "adapters/ngtcp2/initial_relay.h"
#include "serve/processes.h"
#include "support/asserts.h"
#include "support/redis_server.h"
#include "support/redis_vouch.h"
#include "support/text_file.h"
#include "support/tls_certificate.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <jtiguard/quic_tokens.h>
#include <jtiguard/redis.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS = 100,
    ANSWER_MS = 5000,
    PATH_BYTES = 96,
    FILES = 8,
    SECRET_BYTES = 32,
    CLIENTS = 2,
    VERSION_1 = 1,
    VERSION_2 = 0x6b3343cf
};

struct program {
    struct process process;
    char log[PATH_BYTES];
};

static struct tls_certificate certificate;
static struct redis_server redis;
static char folder[64];
static char files[FILES][PATH_BYTES];
static size_t file_count;
static struct program server;
static char server_port[8];
static struct initial_relay *relay;
static char relay_port[8];

/* ---- files ---- */

static const char *new_file(const char *name, const void *bytes, size_t len)
{
    assert_true(file_count < FILES);
    char *path = files[file_count];
    (void)snprintf(path, PATH_BYTES, "%s/%s-%zu", folder, name, file_count);
    file_count++;
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    assert_int_equal(close(fd), 0);
    return path;
}

static unsigned lines_with(const struct program *program, const char *text)
{
    unsigned count = 0;
    char *whole = text_file_read(program->log);
    for (const char *at = whole; (at = strstr(at, text)) != NULL; at += strlen(text))
        count++;
    free(whole);
    return count;
}

/* ---- programs ---- */

static void start_program(struct program *program, const char *const *words)
{
    (void)snprintf(program->log, sizeof program->log, "%s", new_file("log", "", 0));
    process_start(&program->process, program->log, words);
}

static bool has_port(void *context)
{
    const struct program *program = context;
    return lines_with(program, "port ") == 1;
}

static void start_server(struct program *program, const char *log, const char *secret_file,
                         char port[8])
{
    const char *const words[] = {QUIC_SERVER,
                                 certificate.certificate_path,
                                 certificate.key_path,
                                 log,
                                 secret_file,
                                 *port == '\0' ? NULL : port,
                                 NULL};
    start_program(program, words);
    if (!wait_until(has_port, program))
        process_fail("quic_server", program->log);
    char *whole = text_file_read(program->log);
    unsigned number = (unsigned)strtoul(strstr(whole, "port ") + 5, NULL, 10);
    free(whole);
    (void)snprintf(port, 8, "%u", number);
}

static void start_relay(void)
{
    uint16_t port;
    relay = initial_relay_start((uint16_t)strtoul(server_port, NULL, 10), &port);
    (void)snprintf(relay_port, sizeof relay_port, "%u", port);
}

static void start_client(struct program *client, const char *port, const char *store,
                         unsigned count)
{
    char number[12];
    const char *const words[] = {QUIC_CLIENT, "127.0.0.1", port, certificate.certificate_path,
                                 store,       number,      NULL};
    (void)snprintf(number, sizeof number, "%u", count);
    start_program(client, words);
}

/* To its own end. */
static void finish_client(struct program *client)
{
    int code = process_stop(&client->process, 0);
    if (code != 0) {
        char *whole = text_file_read(client->log);
        fail_msg("the client answers %d:\n%s", code, whole);
    }
}

static void run_client(struct program *client, const char *port, const char *store, unsigned count)
{
    start_client(client, port, store, count);
    finish_client(client);
}

static void stop_server(struct program *program)
{
    assert_int_equal(process_stop(&program->process, SIGTERM), 0);
}

static int start(void **state)
{
    (void)state;
    file_count = 0;
    *server_port = '\0';
    (void)snprintf(folder, sizeof folder, "/tmp/jtiguard-quic.XXXXXX");
    assert_non_null(mkdtemp(folder));
    tls_certificate_make(&certificate, 0);
    return 0;
}

static int halt(void **state)
{
    (void)state;
    (void)process_stop(&server.process, SIGKILL);
    initial_relay_stop(relay);
    relay = NULL;
    if (redis.pid != 0)
        redis_server_stop(&redis);
    for (size_t i = 0; i < file_count; i++)
        (void)unlink(files[i]);
    (void)rmdir(folder);
    tls_certificate_clear(&certificate);
    return 0;
}

static void start_redis(void)
{
    redis_server_start(&redis, NULL);
    redis_vouch(redis.uri);
}

/* ---- a copy of what a client sent ---- */

/* Send it to a server from a port of our own: whether the answer is a Retry. */
static bool answered_with_retry(const uint8_t *datagram, size_t len, const char *port)
{
    uint8_t answer[RELAY_DATAGRAM_MAX_BYTES];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    to.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, datagram, len, 0), len);
    struct pollfd polled = {fd, POLLIN, 0};
    assert_int_equal(poll(&polled, 1, ANSWER_MS), 1);
    ssize_t got = recv(fd, answer, sizeof answer, 0);
    (void)close(fd);
    return got > 0 && is_retry_packet(answer, (size_t)got);
}

/* ---- cases ---- */

static void expect_wire(unsigned connections, unsigned most_retries)
{
    struct relay_count count = initial_relay_count(relay);
    print_message("%u connections, %u with a token, %u with a Retry\n", count.connections,
                  count.with_token, count.retried);
    assert_int_equal(count.faults, 0);
    assert_int_equal(count.twice, 0);
    assert_int_equal(count.connections, connections);
    assert_in_range(count.retried, 1, most_retries);
    assert_int_equal(count.with_token, connections - count.retried);
    assert_int_equal(lines_with(&server, "retry, accepted"), count.retried);
    assert_int_equal(lines_with(&server, "valid, accepted"), count.with_token);
    assert_int_equal(lines_with(&server, "reused, retry"), 0);
}

static void one_process_needs_one_retry(void **state)
{
    (void)state;
    struct program client;
    start_server(&server, "memory", "-", server_port);
    start_relay();
    run_client(&client, relay_port, "memory", CONNECTIONS);
    assert_int_equal(lines_with(&client, "1: no token, retry, kept 1"), 1);
    assert_int_equal(lines_with(&client, ": token, no retry, kept 1"), CONNECTIONS - 1);
    expect_wire(CONNECTIONS, 1);
    stop_server(&server);
}

/* Each connection takes at most one token and brings one, and brings one without taking any after a
 * Retry. With as many tokens on their way as there are processes, none finds the store empty: at
 * most one Retry for each process, whichever connection needs it. */
static void two_processes_on_one_redis_need_two(void **state)
{
    (void)state;
    struct program clients[CLIENTS];
    unsigned without = 0;
    unsigned with = 0;
    start_redis();
    start_server(&server, redis.uri, "-", server_port);
    start_relay();
    for (int i = 0; i < CLIENTS; i++)
        start_client(&clients[i], relay_port, redis.uri, CONNECTIONS / CLIENTS);
    for (int i = 0; i < CLIENTS; i++) {
        finish_client(&clients[i]);
        without += lines_with(&clients[i], ": no token, retry, kept 1");
        with += lines_with(&clients[i], ": token, no retry, kept 1");
    }
    assert_int_equal(without + with, CONNECTIONS);
    expect_wire(CONNECTIONS, CLIENTS);
    stop_server(&server);
}

/* What a client left in the Redis: for its version, with the time that a round trip took. */
static void expect_kept(uint32_t version, jtg_status expected)
{
    jtg_cache *cache = NULL;
    jtg_quic_tokens *tokens = NULL;
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    jtg_endpoint endpoint = JTG_ENDPOINT_INIT;
    endpoint.host = "127.0.0.1";
    endpoint.port = (uint32_t)strtoul(server_port, NULL, 10);
    assert_status(jtg_redis_new_uri(&cache, redis.uri, NULL), JTG_OK);
    assert_status(jtg_quic_tokens_new(&tokens, cache, NULL, NULL), JTG_OK);
    assert_status(jtg_quic_tokens_lookup(tokens, &endpoint, version, &token, NULL), expected);
    if (expected == JTG_OK)
        assert_in_range(token.rtt_us, 1, 10000000);
    jtg_quic_token_clear(&token);
    jtg_quic_tokens_free(tokens);
    jtg_cache_free(cache);
}

static void the_next_process_skips_the_retry(void **state)
{
    (void)state;
    struct program client;
    start_redis();
    start_server(&server, "memory", "-", server_port);
    run_client(&client, server_port, redis.uri, 1);
    assert_int_equal(lines_with(&client, "1: no token, retry, kept 1"), 1);
    expect_kept(VERSION_1, JTG_OK);
    expect_kept(VERSION_2, JTG_NOT_FOUND);
    run_client(&client, server_port, redis.uri, 1);
    assert_int_equal(lines_with(&client, "1: token, no retry, kept 1"), 1);
    stop_server(&server);
}

static void a_copied_token_is_refused(void **state)
{
    (void)state;
    static uint8_t datagram[RELAY_DATAGRAM_MAX_BYTES];
    static uint8_t changed[RELAY_DATAGRAM_MAX_BYTES];
    uint8_t secret[SECRET_BYTES] = "of both servers";
    size_t token_len = 0;
    struct program client;
    struct program second;
    char second_port[8] = "";
    const char *secret_file = new_file("secret", secret, sizeof secret);
    start_redis();
    start_server(&server, redis.uri, secret_file, server_port);
    start_server(&second, redis.uri, secret_file, second_port);
    start_relay();
    run_client(&client, relay_port, "memory", 2);
    assert_int_equal(lines_with(&client, "2: token, no retry"), 1);

    size_t len = initial_relay_last(relay, datagram);
    assert_true(len > 0);
    assert_true(answered_with_retry(datagram, len, server_port));
    assert_true(answered_with_retry(datagram, len, second_port));
    assert_int_equal(lines_with(&server, "reused, retry"), 1);
    assert_int_equal(lines_with(&second, "reused, retry"), 1);

    memcpy(changed, datagram, len);
    initial_token(changed, len, &token_len)[7] ^= 1;
    assert_true(answered_with_retry(changed, len, second_port));
    assert_int_equal(lines_with(&second, "invalid, retry"), 1);
    stop_server(&second);
    stop_server(&server);
}

static void a_server_that_starts_again_believes_no_old_token(void **state)
{
    (void)state;
    uint8_t secret[SECRET_BYTES] = "one that is kept";
    struct program client;
    const char *secret_file = new_file("secret", secret, sizeof secret);
    start_redis(); /* of the clients: it outlives them */
    start_server(&server, "memory", secret_file, server_port);
    run_client(&client, server_port, redis.uri, 1);
    stop_server(&server);
    start_server(&server, "memory", secret_file, server_port);
    run_client(&client, server_port, redis.uri, 1);
    assert_int_equal(lines_with(&client, "1: token, retry, kept 1"), 1);
    assert_in_range(lines_with(&server, "unsure, retry"), 1, UINT_MAX);
    stop_server(&server);
    start_server(&server, "memory", "-", server_port); /* with a secret of its own */
    run_client(&client, server_port, redis.uri, 1);
    assert_int_equal(lines_with(&client, "1: token, retry, kept 1"), 1);
    assert_in_range(lines_with(&server, "invalid, retry"), 1, UINT_MAX);
    stop_server(&server);
}

static void a_log_that_forgot_or_is_gone_costs_a_retry(void **state)
{
    (void)state;
    char reply[64];
    struct program client;
    struct redis_server clients;
    start_redis();
    redis_server_start(&clients, NULL);
    redis_vouch(clients.uri);
    start_server(&server, redis.uri, "-", server_port);
    run_client(&client, server_port, clients.uri, 2);
    assert_int_equal(lines_with(&client, "2: token, no retry"), 1);
    assert_true(redis_server_ask(&redis, "FLUSHALL", reply, sizeof reply));
    run_client(&client, server_port, clients.uri, 2);
    assert_int_equal(lines_with(&client, ": token, retry, kept 1"), 2);
    assert_in_range(lines_with(&server, "unsure, retry"), 2, UINT_MAX);
    redis_server_kill(&redis);
    run_client(&client, server_port, clients.uri, 1);
    assert_int_equal(lines_with(&client, ": token, retry, kept 1"), 1);
    assert_in_range(lines_with(&server, "unsure, retry"), 3, UINT_MAX);
    stop_server(&server);
    redis_server_start_again(&redis);
    redis_server_stop(&clients);
}

static void a_client_without_its_store_still_connects(void **state)
{
    (void)state;
    struct program client;
    start_server(&server, "memory", "-", server_port);
    run_client(&client, server_port, "redis://127.0.0.1:1/0?timeout=200ms", 1);
    assert_int_equal(lines_with(&client, "quic_client: no token: "), 1);
    stop_server(&server);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, halt)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_process_needs_one_retry),
        CASE(two_processes_on_one_redis_need_two),
        CASE(the_next_process_skips_the_retry),
        CASE(a_copied_token_is_refused),
        CASE(a_server_that_starts_again_believes_no_old_token),
        CASE(a_log_that_forgot_or_is_gone_costs_a_retry),
        CASE(a_client_without_its_store_still_connects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
