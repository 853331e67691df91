/* SPDX-License-Identifier: Apache-2.0 */
/* QUIC tokens on a Redis: the contract over two caches, two processes that take, a server that
 * forgets and one that comes back with what was taken, and the reuse log of two QUIC servers. */
#include "support/asserts.h"
#include "support/quic_contract.h"
#include "support/redis_server.h"
#include "support/redis_topology.h"
#include "support/redis_vouch.h"

#include <jtiguard/quic_reuse.h>
#include <jtiguard/redis.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOST "server.example"

static struct redis_server server;
static jtg_cache *caches[2];
static char uri[128];

static void open_caches(void)
{
    for (int i = 0; i < 2; i++)
        assert_status(jtg_redis_new_uri(&caches[i], uri, NULL), JTG_OK);
}

static void close_caches(void)
{
    for (int i = 0; i < 2; i++)
        jtg_cache_free(caches[i]);
}

static int start(void **state)
{
    static const char *const options[] = {"--save", "3600", "1", NULL};
    (void)state;
    redis_server_start(&server, options);
    snprintf(uri, sizeof uri, "%s?prefix=quic-test:&timeout=5000ms", server.uri);
    open_caches();
    return 0;
}

static int halt(void **state)
{
    (void)state;
    close_caches();
    redis_server_stop(&server);
    return 0;
}

static void ask(const char *line)
{
    char reply[128];
    assert_true(redis_server_ask(&server, line, reply, sizeof reply));
    assert_string_equal(reply, "+OK");
}

/* ---- the contract ---- */

static void pass(struct quic_world *world)
{
    (void)world;
    usleep(1000); /* the server's clock is real, and the list waits for what it shows */
}

static void the_contract_on_redis(void **state)
{
    (void)state;
    struct quic_world world = {{caches[0], caches[1]}, pass, NULL};
    for (const struct quic_case *at = quic_contract; at->name != NULL; at++) {
        print_message("  %s\n", at->name);
        ask("FLUSHALL");
        at->run(&world);
    }
}

static void open_at_cluster(const struct redis_cluster *cluster, size_t number)
{
    char prefix[32];
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    snprintf(prefix, sizeof prefix, "quic-%zu:", number);
    options.cluster_nodes = cluster->addresses;
    options.prefix = prefix;
    options.timeout_ms = 5000;
    for (int i = 0; i < 2; i++)
        assert_status(jtg_redis_new(&caches[i], &options, NULL), JTG_OK);
}

/* Tokens, marks and list lie on different nodes. Some of the list, for each case marks all slots of
 * a prefix of its own; JTIGUARD_TEST_SECONDS makes it the whole. */
static void the_contract_on_a_cluster(void **state)
{
    (void)state;
    static const char *const some[] = {"a duplicate is dropped also after use",
                                       "each token is stored once and taken once"};
    struct redis_cluster cluster;
    unsigned cases = 0;
    redis_cluster_start(&cluster);
    for (size_t i = 0; quic_contract[i].name != NULL; i++) {
        const char *name = quic_contract[i].name;
        if (getenv("JTIGUARD_TEST_SECONDS") == NULL && strcmp(name, some[0]) != 0 &&
            strcmp(name, some[1]) != 0)
            continue;
        open_at_cluster(&cluster, i);
        struct quic_world world = {{caches[0], caches[1]}, pass, NULL};
        print_message("  %s\n", name);
        quic_contract[i].run(&world);
        close_caches();
        cases++;
    }
    assert_in_range(cases, 2, 100);
    redis_cluster_stop(&cluster);
}

/* ---- two processes ---- */

/* JTIGUARD_TEST_SECONDS makes it longer, by hand: a minute, an hour. */
enum { SECONDS = 1, PROCESSES = 2, NUMBERS_MAX = 1 << 21, LIFE_MS = 150 };

/* In memory that the processes share. */
struct tally {
    atomic_uint next;
    atomic_uint failures;
    atomic_uchar stored[NUMBERS_MAX];
    atomic_uchar taken[NUMBERS_MAX];
};

static struct tally *tally;

static jtg_status store_next(jtg_quic_tokens *tokens)
{
    jtg_endpoint endpoint = quic_endpoint(HOST);
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    jtg_quic_fate fate = JTG_QUIC_NOT_STORED;
    unsigned number = atomic_fetch_add(&tally->next, 1) / 2; /* each one twice */
    if (number >= NUMBERS_MAX)
        return JTG_ERR_FULL;
    token.data = &number;
    token.data_len = sizeof number;
    jtg_status status = jtg_quic_tokens_store(tokens, &endpoint, QUIC_V1, &token, &fate, NULL);
    atomic_fetch_add(&tally->stored[number], fate == JTG_QUIC_STORED);
    return status;
}

static jtg_status take_next(jtg_quic_tokens *tokens)
{
    jtg_endpoint endpoint = quic_endpoint(HOST);
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    unsigned number = 0;
    jtg_status status = jtg_quic_tokens_take(tokens, &endpoint, QUIC_V1, &token, NULL);
    if (status == JTG_OK) {
        memcpy(&number, token.data, sizeof number);
        atomic_fetch_add(&tally->taken[number], 1);
    }
    jtg_quic_token_clear(&token);
    return status;
}

static void work(void)
{
    jtg_cache *cache = NULL;
    jtg_quic_tokens *tokens = NULL;
    jtg_status status = JTG_OK;
    if (jtg_redis_new_uri(&cache, uri, NULL) != JTG_OK ||
        jtg_quic_tokens_new(&tokens, cache, NULL, NULL) != JTG_OK)
        status = JTG_ERR_MEMORY;
    while (status == JTG_OK) {
        status = store_next(tokens);
        if (status == JTG_OK)
            status = take_next(tokens);
        if (status == JTG_NOT_FOUND)
            status = JTG_OK;
    }
    atomic_fetch_add(&tally->failures, status != JTG_ERR_FULL);
    _exit(0);
}

static pid_t start_worker(void)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        work();
    return pid;
}

static void kill_worker(pid_t pid)
{
    int status = 0;
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

static int64_t monotonic_ms(void)
{
    jtg_clock clock = jtg_clock_system();
    return clock.monotonic_ms(clock.context);
}

/* Each worker is killed in turn, in the middle of whatever it does. */
static void kill_in_turn(pid_t *workers)
{
    const char *seconds = getenv("JTIGUARD_TEST_SECONDS");
    int64_t until_ms =
        monotonic_ms() + 1000 * (seconds != NULL ? strtol(seconds, NULL, 10) : SECONDS);
    for (int turn = 0; monotonic_ms() < until_ms; turn++) {
        usleep(1000 * LIFE_MS); /* while they work */
        kill_worker(workers[turn % PROCESSES]);
        workers[turn % PROCESSES] = start_worker();
    }
    for (int i = 0; i < PROCESSES; i++)
        kill_worker(workers[i]);
}

static void two_processes_never_take_one_token(void **state)
{
    (void)state;
    pid_t workers[PROCESSES];
    unsigned taken = 0;
    tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(tally, MAP_FAILED);
    for (int i = 0; i < PROCESSES; i++)
        workers[i] = start_worker();
    kill_in_turn(workers);
    jtg_quic_tokens *tokens = quic_open(caches[0], NULL);
    while (take_next(tokens) == JTG_OK)
        ;
    jtg_quic_tokens_free(tokens);
    for (int i = 0; i < NUMBERS_MAX; i++) {
        assert_in_range(atomic_load(&tally->stored[i]), 0, 1);
        assert_in_range(atomic_load(&tally->taken[i]), 0, 1);
        taken += atomic_load(&tally->taken[i]);
    }
    print_message("%u tokens stored twice, %u taken\n", atomic_load(&tally->next) / 2, taken);
    assert_int_equal(atomic_load(&tally->failures), 0);
    assert_in_range(taken, 1, NUMBERS_MAX);
    assert_int_equal(munmap(tally, sizeof *tally), 0);
}

/* ---- a store that forgets, or remembers too much ---- */

static jtg_status take_status(jtg_quic_tokens *tokens)
{
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    jtg_endpoint endpoint = quic_endpoint(HOST);
    jtg_status status = jtg_quic_tokens_take(tokens, &endpoint, QUIC_V1, &token, NULL);
    jtg_quic_token_clear(&token);
    return status;
}

/* A bounded wait for the server to be back: calls fail while it is known to be down. */
static jtg_status take_when_back(jtg_quic_tokens *tokens)
{
    jtg_status status = JTG_ERR_UNAVAILABLE;
    for (int i = 0; status == JTG_ERR_UNAVAILABLE && i < 5000; i++) {
        status = take_status(tokens);
        usleep(1000);
    }
    return status;
}

static void a_token_that_a_backup_brought_back_is_not_handed_out(void **state)
{
    (void)state;
    jtg_quic_tokens *tokens = quic_open(caches[0], NULL);
    assert_int_equal(quic_store(tokens, HOST, "one", 0), JTG_QUIC_STORED);
    ask("SAVE");
    assert_string_equal(quic_take(tokens, HOST), "one");
    redis_server_kill(&server); /* the take was not saved */
    redis_server_start_again(&server);
    assert_status(take_when_back(tokens), JTG_ERR_CONTINUITY);
    assert_status(take_status(tokens), JTG_NOT_FOUND);
    assert_int_equal(quic_store(tokens, HOST, "two", 0), JTG_QUIC_STORED);
    assert_string_equal(quic_take(tokens, HOST), "two");
    jtg_quic_tokens_free(tokens);
}

static void a_copy_whose_first_was_forgotten_is_not_stored(void **state)
{
    (void)state;
    jtg_quic_tokens *tokens = quic_open(caches[0], NULL);
    jtg_endpoint endpoint = quic_endpoint(HOST);
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    jtg_quic_fate fate = JTG_QUIC_NOT_STORED;
    jtg_clock clock = jtg_clock_system();
    redis_vouch(uri);
    token.data = "one";
    token.data_len = 3;
    token.connected_ms = clock.wall_ms(clock.context);
    assert_status(jtg_quic_tokens_store(tokens, &endpoint, QUIC_V1, &token, &fate, NULL), JTG_OK);
    assert_int_equal(fate, JTG_QUIC_STORED);
    assert_string_equal(quic_take(tokens, HOST), "one");
    ask("FLUSHALL");
    assert_status(jtg_quic_tokens_store(tokens, &endpoint, QUIC_V1, &token, &fate, NULL),
                  JTG_ERR_CONTINUITY);
    assert_int_equal(fate, JTG_QUIC_MAY_BE_FORGOTTEN);
    assert_string_equal(quic_take(tokens, HOST), "");
    jtg_quic_tokens_free(tokens);
}

static void a_server_that_is_gone_is_told(void **state)
{
    (void)state;
    jtg_quic_tokens *tokens = quic_open(caches[0], NULL);
    jtg_endpoint endpoint = quic_endpoint(HOST);
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    jtg_quic_load load = JTG_QUIC_LOAD_LOADED;
    jtg_error err = JTG_ERROR_INIT;
    assert_int_equal(quic_store(tokens, HOST, "one", 0), JTG_QUIC_STORED);
    redis_server_kill(&server);
    jtg_status status = jtg_quic_tokens_maybe_load(tokens, &endpoint, QUIC_V1, &token, &load, &err);
    assert_true(status == JTG_ERR_UNAVAILABLE || status == JTG_ERR_TIMEOUT);
    assert_err_tells(&err, status);
    assert_int_equal(load, JTG_QUIC_LOAD_FAILED);
    assert_null(token.data);
    jtg_quic_tokens_free(tokens);
    redis_server_start_again(&server);
}

/* ---- servers ---- */

static void two_servers_share_a_reuse_log(void **state)
{
    (void)state;
    jtg_quic_reuse *servers[2] = {NULL, NULL};
    jtg_flight_decision decision = JTG_FLIGHT_DECISION_INIT;
    jtg_quic_presented presented = JTG_QUIC_PRESENTED_INIT;
    jtg_clock clock = jtg_clock_system();
    for (int i = 0; i < 2; i++)
        assert_status(jtg_quic_reuse_new(&servers[i], caches[i], NULL, NULL), JTG_OK);
    presented.token = "one";
    presented.token_len = 3;
    presented.issued_ms = clock.wall_ms(clock.context);
    presented.lifetime_ms = 3600000;
    assert_false(jtg_quic_reuse_first(servers[0], &presented, &decision, NULL));
    assert_int_equal(decision.reason, JTG_FLIGHT_CONTINUITY_LOST); /* the store is new */
    redis_vouch(uri);
    presented.token = "two";
    assert_true(jtg_quic_reuse_first(servers[0], &presented, NULL, NULL));
    assert_false(jtg_quic_reuse_first(servers[1], &presented, &decision, NULL));
    assert_int_equal(decision.seen, JTG_SEEN_BEFORE);
    ask("FLUSHALL");
    assert_false(jtg_quic_reuse_first(servers[1], &presented, &decision, NULL));
    assert_int_equal(decision.seen, JTG_SEEN_UNSURE);
    for (int i = 0; i < 2; i++)
        jtg_quic_reuse_free(servers[i]);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, halt)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_contract_on_redis),
        cmocka_unit_test(the_contract_on_a_cluster),
        CASE(two_processes_never_take_one_token),
        CASE(a_token_that_a_backup_brought_back_is_not_handed_out),
        CASE(a_copy_whose_first_was_forgotten_is_not_stored),
        CASE(a_server_that_is_gone_is_told),
        CASE(two_servers_share_a_reuse_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
