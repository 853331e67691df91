/* SPDX-License-Identifier: Apache-2.0 */
/* A server that is full, that evicts, that is emptied, and that has too many clients. */
#include "integration/store.h"
#include "support/asserts.h"
#include "support/history.h"
#include "support/redis_server.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OWNER_A = 1, OWNER_B = 2, CLIENTS = 10000, SPARE_DESCRIPTORS = 200 };

static struct redis_server server;

static int halt(void **state)
{
    (void)state;
    redis_server_stop(&server);
    return 0;
}

static void ask(const char *line, const char *expected)
{
    char reply[200];
    assert_true(redis_server_ask(&server, line, reply, sizeof reply));
    assert_string_equal(reply, expected);
}

static jtg_status release(jtg_cache *cache, uint64_t key_number, uint64_t owner_number)
{
    char buffer[STORE_NAME_BYTES];
    jtg_key key = store_key(buffer, key_number);
    jtg_owner owner = store_owner(owner_number);
    return jtg_cache_release(cache, &key, &owner, NULL);
}

/* Reserve until the server has no room; returns how many it took. */
static uint64_t fill(jtg_cache *cache)
{
    jtg_status status = JTG_OK;
    uint64_t n = 0;
    while (status == JTG_OK && n < 1000000)
        status = store_reserve(cache, n++, OWNER_A);
    assert_status(status, JTG_ERR_FULL);
    return n - 1;
}

static void a_full_server_refuses_and_forgets_nothing(void **state)
{
    (void)state;
    static const char *const options[] = {"--maxmemory", "3mb", NULL};
    redis_server_start(&server, options);
    jtg_cache *cache = store_open(server.uri);
    uint64_t held = fill(cache);
    assert_true(held > 100);
    assert_status(store_reserve(cache, 2000000, OWNER_A), JTG_ERR_FULL);
    assert_status(jtg_cache_ping(cache, NULL), JTG_ERR_FULL); /* so the probe is a real write */
    assert_status(release(cache, 0, OWNER_B), JTG_NOT_OWNER);
    for (uint64_t n = 0; n < held / 2; n++)
        assert_status(release(cache, n, OWNER_A), JTG_OK);
    assert_status(store_reserve(cache, 0, OWNER_B), JTG_OK);
    for (uint64_t n = held / 2; n < held; n++)
        assert_status(store_reserve(cache, n, OWNER_B), JTG_REPLAYED);
    jtg_cache_free(cache);
}

static void try_policy(const char *maxmemory, const char *policy, jtg_status expected)
{
    const char *const options[] = {"--maxmemory", maxmemory, "--maxmemory-policy", policy, NULL};
    redis_server_start(&server, options);
    jtg_cache *cache = store_open(server.uri);
    assert_status(store_reserve(cache, 1, OWNER_A), expected);
    assert_status(store_reserve(cache, 1, OWNER_A), expected); /* refused at every call */
    assert_status(jtg_cache_ping(cache, NULL), expected);
    jtg_cache_free(cache);
}

static void try_policy_and_stop(const char *maxmemory, const char *policy, jtg_status expected)
{
    try_policy(maxmemory, policy, expected);
    redis_server_stop(&server);
}

static void every_evicting_policy_is_refused(void **state)
{
    (void)state;
    static const char *const policies[] = {"allkeys-lru",  "allkeys-lfu",  "allkeys-random",
                                           "volatile-lru", "volatile-lfu", "volatile-random"};
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
        try_policy_and_stop("100mb", policies[i], JTG_ERR_UNSAFE);
    try_policy("100mb", "volatile-ttl", JTG_ERR_UNSAFE);
}

static void a_policy_without_a_limit_evicts_nothing(void **state)
{
    (void)state;
    try_policy("0", "allkeys-lru", JTG_OK);
}

static void eviction_can_be_allowed(void **state)
{
    (void)state;
    static const char *const options[] = {"--maxmemory", "100mb", "--maxmemory-policy",
                                          "allkeys-lru", NULL};
    char uri[STORE_URI_BYTES];
    redis_server_start(&server, options);
    store_uri_with(uri, sizeof uri, server.uri, "allow_eviction=yes");
    jtg_cache *cache = store_open(uri);
    assert_status(store_reserve(cache, 1, OWNER_A), JTG_OK);
    assert_status(store_reserve(cache, 1, OWNER_B), JTG_REPLAYED);
    jtg_cache_free(cache);
}

static void a_policy_that_turns_bad_is_seen_at_the_next_connect(void **state)
{
    (void)state;
    redis_server_start(&server, NULL);
    jtg_cache *cache = store_open(server.uri);
    assert_status(store_reserve(cache, 1, OWNER_A), JTG_OK);
    ask("CONFIG SET maxmemory 100mb", "+OK");
    ask("CONFIG SET maxmemory-policy volatile-lru", "+OK");
    ask("CLIENT KILL TYPE normal SKIPME yes", ":1");
    jtg_status status = store_reserve(cache, 2, OWNER_A);
    assert_true(status == JTG_ERR_UNSAFE || status == JTG_ERR_TIMEOUT);
    assert_status(store_reserve(cache, 3, OWNER_A), JTG_ERR_UNSAFE);
    jtg_cache_free(cache);
}

static void a_replica_is_refused(void **state)
{
    (void)state;
    static const char *const options[] = {"--replicaof", "127.0.0.1", "1", NULL};
    redis_server_start(&server, options);
    jtg_cache *cache = store_open(server.uri);
    jtg_status status = store_reserve(cache, 1, OWNER_A);
    assert_true(status == JTG_ERR_UNSAFE || status == JTG_ERR_UNAVAILABLE);
    jtg_cache_free(cache);
}

/* The manual says so: a server that is emptied has forgotten, and this backend cannot know. */
static void flushall_forgets_and_breaks_nothing_else(void **state)
{
    (void)state;
    redis_server_start(&server, NULL);
    jtg_cache *cache = store_open(server.uri);
    assert_status(store_reserve(cache, 1, OWNER_A), JTG_OK);
    assert_status(release(cache, 1, OWNER_A), JTG_OK); /* loads the script */
    assert_status(store_reserve(cache, 1, OWNER_A), JTG_OK);
    ask("FLUSHALL", "+OK");
    ask("SCRIPT FLUSH", "+OK");
    assert_status(release(cache, 1, OWNER_A), JTG_NOT_FOUND);
    assert_status(store_reserve(cache, 1, OWNER_B), JTG_OK);
    assert_status(store_reserve(cache, 1, OWNER_A), JTG_REPLAYED);
    assert_status(release(cache, 1, OWNER_B), JTG_OK);
    jtg_cache_free(cache);
}

static int connect_raw(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(server.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(descriptor >= 0);
    assert_int_equal(connect(descriptor, (struct sockaddr *)&address, sizeof address), 0);
    return descriptor;
}

/* As many as this machine lets one process have. */
static size_t clients_possible(void)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return limit.rlim_max > CLIENTS + SPARE_DESCRIPTORS ? CLIENTS
                                                        : limit.rlim_max - SPARE_DESCRIPTORS;
}

static bool server_has_clients(size_t count)
{
    char reply[64];
    return !redis_server_ask(&server, "PING", reply, sizeof reply) ||
           strncmp(reply, "-ERR max number of clients", 26) == 0 || count == 0;
}

static jtg_status reserve_until_it_works(jtg_cache *cache)
{
    uint64_t start_ns = history_now_ns();
    jtg_status status;
    while ((status = store_reserve(cache, 1, OWNER_A)) != JTG_OK &&
           history_now_ns() - start_ns < UINT64_C(5000000000))
        store_sleep_ms(5);
    return status;
}

static void ten_thousand_clients_are_no_answer_to_us(void **state)
{
    (void)state;
    char most[16];
    size_t count = clients_possible();
    const char *const options[] = {"--maxclients", most, NULL};
    snprintf(most, sizeof most, "%zu", count);
    print_message("clients: %zu\n", count); /* fewer where the machine allows no more */
    redis_server_start(&server, options);
    int *clients = calloc(count, sizeof *clients);
    assert_non_null(clients);
    for (size_t i = 0; i < count; i++)
        clients[i] = connect_raw();
    while (!server_has_clients(count))
        store_sleep_ms(5);
    jtg_cache *cache = store_open(server.uri);
    jtg_error err = JTG_ERROR_INIT;
    for (int i = 0; i < 20; i++)
        assert_status(jtg_cache_ping(cache, &err), JTG_ERR_UNAVAILABLE);
    assert_status(store_reserve(cache, 1, OWNER_A), JTG_ERR_UNAVAILABLE);
    for (size_t i = 0; i < count; i++)
        close(clients[i]);
    free(clients);
    assert_status(reserve_until_it_works(cache), JTG_OK);
    assert_status(store_reserve(cache, 1, OWNER_B), JTG_REPLAYED);
    jtg_cache_free(cache);
}

#define CASE(name) cmocka_unit_test_teardown(name, halt)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_full_server_refuses_and_forgets_nothing),
        CASE(every_evicting_policy_is_refused),
        CASE(a_policy_without_a_limit_evicts_nothing),
        CASE(eviction_can_be_allowed),
        CASE(a_policy_that_turns_bad_is_seen_at_the_next_connect),
        CASE(a_replica_is_refused),
        CASE(flushall_forgets_and_breaks_nothing_else),
        CASE(ten_thousand_clients_are_no_answer_to_us),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
