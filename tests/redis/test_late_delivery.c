/* SPDX-License-Identifier: Apache-2.0 */
/* A proxy that keeps what was sent through it, and delivers it when the connection that it came on
 * was given up long ago. Nobody may be told that something is done of which a copy still comes. */
#include "redis/ask/store.h"
#include "redis/line/deadline.h"
#include "support/asserts.h"
#include "support/ports.h"
#include "support/redis_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINES_MAX = 4, HELD_MAX = 8192, PATIENCE_MS = 10000, TIMEOUT_MS = 1000, TTL_MS = 600000 };

/* What the test tells the proxy, and it tells back when it is so. */
enum { HOLD = 'h', DELIVER = 'd', END = 'e', FAILED = 'f' };

struct line {
    int client; /* -1: closed */
    int server;
    bool holds; /* what the client sends stays here */
    size_t held_len;
    char held[HELD_MAX];
};

struct proxy {
    uint16_t port;
    uint16_t server_port;
    int listener;
    int orders[2]; /* the test's end, and the thread's */
    pthread_t thread;
    unsigned count;
    struct line lines[LINES_MAX];
};

static struct sockaddr_in at(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return address;
}

static void take_client(struct proxy *proxy)
{
    struct sockaddr_in address = at(proxy->server_port);
    struct line *line = &proxy->lines[proxy->count];
    int client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC);
    if (proxy->count == LINES_MAX) {
        (void)close(client);
        return;
    }
    line->client = client;
    line->server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)connect(line->server, (struct sockaddr *)&address, sizeof address);
    proxy->count++;
}

static void close_client(struct line *line)
{
    (void)close(line->client);
    line->client = -1;
}

static void pass_to_server(struct line *line)
{
    char *into = line->held + line->held_len;
    ssize_t count = recv(line->client, into, HELD_MAX - line->held_len, 0);
    if (count <= 0)
        close_client(line);
    else if (line->holds)
        line->held_len += (size_t)count;
    else
        (void)send(line->server, into, (size_t)count, MSG_NOSIGNAL);
}

static void pass_to_client(struct line *line)
{
    char bytes[HELD_MAX];
    ssize_t count = recv(line->server, bytes, sizeof bytes, 0);
    if (count > 0)
        (void)send(line->client, bytes, (size_t)count, MSG_NOSIGNAL);
    else
        close_client(line);
}

/* Redis answers when it has done it. */
static bool deliver(struct line *line)
{
    char bytes[HELD_MAX];
    struct pollfd answer = {line->server, POLLIN, 0};
    return line->held_len > 0 && send(line->server, line->held, line->held_len, MSG_NOSIGNAL) > 0 &&
           poll(&answer, 1, PATIENCE_MS) == 1 && recv(line->server, bytes, sizeof bytes, 0) > 0;
}

static char obey(struct proxy *proxy, char order)
{
    bool done = true;
    for (unsigned i = 0; i < proxy->count; i++) {
        struct line *line = &proxy->lines[i];
        if (order == HOLD)
            line->holds = true;
        else if (order == DELIVER && line->holds)
            done = deliver(line) && done;
    }
    if (!done)
        return FAILED;
    return order;
}

static void *run(void *context)
{
    struct proxy *proxy = context;
    for (char order = 0; order != END;) {
        struct pollfd fds[2 + 2 * LINES_MAX] = {{proxy->orders[1], POLLIN, 0},
                                                {proxy->listener, POLLIN, 0}};
        unsigned count = proxy->count;
        for (unsigned i = 0; i < count; i++) {
            const struct line *line = &proxy->lines[i];
            fds[2 + 2 * i] = (struct pollfd){line->client, POLLIN, 0};
            fds[3 + 2 * i] = (struct pollfd){line->client < 0 ? -1 : line->server, POLLIN, 0};
        }
        (void)poll(fds, 2 + 2 * count, -1);
        for (unsigned i = 0; i < count; i++) {
            if (fds[2 + 2 * i].revents != 0)
                pass_to_server(&proxy->lines[i]);
            if (fds[3 + 2 * i].revents != 0 && proxy->lines[i].client >= 0)
                pass_to_client(&proxy->lines[i]);
        }
        if (fds[1].revents != 0)
            take_client(proxy);
        if (fds[0].revents != 0 && recv(proxy->orders[1], &order, 1, 0) == 1) {
            order = obey(proxy, order);
            (void)send(proxy->orders[1], &order, 1, MSG_NOSIGNAL);
        }
    }
    return NULL;
}

static void proxy_start(struct proxy *proxy, uint16_t server_port)
{
    const int one = 1;
    memset(proxy, 0, sizeof *proxy);
    proxy->port = port_take();
    proxy->server_port = server_port;
    struct sockaddr_in address = at(proxy->port);
    proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(setsockopt(proxy->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), 0);
    assert_int_equal(bind(proxy->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(proxy->listener, 8), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, proxy->orders), 0);
    assert_int_equal(pthread_create(&proxy->thread, NULL, run, proxy), 0);
}

static void tell(struct proxy *proxy, char order)
{
    char done = 0;
    assert_int_equal(send(proxy->orders[0], &order, 1, MSG_NOSIGNAL), 1);
    assert_int_equal(recv(proxy->orders[0], &done, 1, 0), 1);
    assert_int_equal(done, order);
}

static void proxy_stop(struct proxy *proxy)
{
    tell(proxy, END);
    assert_int_equal(pthread_join(proxy->thread, NULL), 0);
    for (unsigned i = 0; i < proxy->count; i++) {
        if (proxy->lines[i].client >= 0)
            close_client(&proxy->lines[i]);
        (void)close(proxy->lines[i].server);
    }
    (void)close(proxy->listener);
    (void)close(proxy->orders[0]);
    (void)close(proxy->orders[1]);
    port_give_back(proxy->port);
}

/* ---- */

static const jtg_key token = {"token", 5, NULL, 0};
static const jtg_key other = {"other", 5, NULL, 0};

static jtg_cache *open_cache(uint16_t port)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    jtg_cache *cache = NULL;
    options.port = port;
    options.timeout_ms = TIMEOUT_MS;
    options.continuity = 0;
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    return cache;
}

/* A second or more ago, as the pipeline has it. */
static void let_it_idle(jtg_cache *cache)
{
    struct jtgi_redis *redis = (struct jtgi_redis *)(void *)cache;
    struct jtgi_connection *connection = redis->route.nodes.list[0]->pipelines[0].connection;
    assert_non_null(connection);
    connection->use.used_ns -= JTGI_NS_PER_S;
}

/* Were it told as done, its owner would use the key again, and the copy would let the next one in.
 */
static void a_release_that_comes_late_was_not_told_as_done(void **state)
{
    struct redis_server server;
    struct proxy proxy;
    jtg_owner one;
    jtg_owner two;
    (void)state;
    jtg_owner_generate(&one);
    jtg_owner_generate(&two);
    redis_server_start(&server, NULL);
    for (unsigned idles = 0; idles < 2; idles++) {
        proxy_start(&proxy, server.port);
        jtg_cache *cache = open_cache(proxy.port);
        jtg_cache *direct = open_cache(server.port);
        assert_status(jtg_cache_reserve(cache, &other, &one, TTL_MS, NULL), JTG_OK);
        assert_status(jtg_cache_release(cache, &other, &one, NULL), JTG_OK);
        assert_status(jtg_cache_reserve(cache, &token, &one, TTL_MS, NULL), JTG_OK);
        if (idles)
            let_it_idle(cache);
        tell(&proxy, HOLD);
        assert_status(jtg_cache_release(cache, &token, &one, NULL), JTG_ERR_TIMEOUT);
        assert_status(jtg_cache_reserve(direct, &token, &two, TTL_MS, NULL), JTG_REPLAYED);
        tell(&proxy, DELIVER);
        assert_status(jtg_cache_reserve(direct, &token, &two, TTL_MS, NULL), JTG_OK);
        assert_status(jtg_cache_release(direct, &token, &two, NULL), JTG_OK);
        jtg_cache_free(direct);
        jtg_cache_free(cache);
        proxy_stop(&proxy);
    }
    redis_server_stop(&server);
}

/* A reserve that comes late takes nothing from anybody: so it may be asked again in time. */
static void a_reserve_that_comes_late_takes_nothing(void **state)
{
    struct redis_server server;
    struct proxy proxy;
    jtg_owner one;
    jtg_owner two;
    (void)state;
    jtg_owner_generate(&one);
    jtg_owner_generate(&two);
    redis_server_start(&server, NULL);
    proxy_start(&proxy, server.port);
    jtg_cache *cache = open_cache(proxy.port);
    assert_status(jtg_cache_reserve(cache, &other, &one, TTL_MS, NULL), JTG_OK);
    let_it_idle(cache);
    tell(&proxy, HOLD);
    assert_status(jtg_cache_reserve(cache, &token, &one, TTL_MS, NULL), JTG_OK);
    assert_status(jtg_cache_release(cache, &token, &one, NULL), JTG_OK);
    assert_status(jtg_cache_reserve(cache, &token, &two, TTL_MS, NULL), JTG_OK);
    tell(&proxy, DELIVER);
    assert_status(jtg_cache_reserve(cache, &token, &one, TTL_MS, NULL), JTG_REPLAYED);
    assert_status(jtg_cache_release(cache, &token, &two, NULL), JTG_OK);
    jtg_cache_free(cache);
    proxy_stop(&proxy);
    redis_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_release_that_comes_late_was_not_told_as_done),
        cmocka_unit_test(a_reserve_that_comes_late_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
