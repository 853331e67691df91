/* SPDX-License-Identifier: Apache-2.0 */
/* Eight processes put and take on one file: no ticket is handed out twice, and none is lost that
 * was not handed out. Then the same while they are killed at random: one that was killed may have
 * had a ticket in its hands, and no more than that is lost.
 *
 * JTIGUARD_TEST_SECONDS: how long each; 2 by default. */
#include "support/asserts.h"
#include "support/random.h"
#include "support/tls_cache.h"

#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES = 8, HOSTS = 3, TICKETS_MAX = 400000, SECONDS_DEFAULT = 2, KILL_EVERY_MS = 40 };

/* Shared by all of them. */
struct board {
    _Atomic uint32_t next;  /* number of the next ticket */
    _Atomic uint32_t wrong; /* answers that must not be */
    _Atomic uint32_t busy;  /* calls that gave up waiting */
    _Atomic bool over;      /* finish */
    _Atomic unsigned char is_put[TICKETS_MAX];
    _Atomic unsigned char taken[TICKETS_MAX];
};

static struct tls_cache cache;
static struct board *board;

static int set_up(void **state)
{
    (void)state;
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED || !tls_cache_set_up(&cache))
        return -1;
    cache.options.max_per_endpoint = JTG_TLS_PER_ENDPOINT_LIMIT;
    cache.options.max_tickets = JTG_TLS_MAX_TICKETS_LIMIT;
    cache.options.max_consumed = JTG_TLS_MAX_CONSUMED_LIMIT;
    cache.options.lock_wait_ms = JTG_TLS_LOCK_WAIT_MS_LIMIT;
    cache.options.clock = NULL; /* the system's: the moved one is not shared */
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)tls_cache_tear_down(&cache);
    (void)munmap(board, sizeof *board);
    return 0;
}

static const char *const hosts[HOSTS] = {"a.example", "b.example", "c.example"};

static void put_one(jtg_tls_tickets *tickets, const char *host)
{
    jtg_tls_fate fate = JTG_TLS_NOT_STORED;
    uint32_t number = atomic_fetch_add(&board->next, 1);
    if (number >= TICKETS_MAX) {
        atomic_store(&board->over, true);
        return;
    }
    jtg_status status = tls_cache_put(tickets, host, number, &fate);
    if (status == JTG_OK && fate == JTG_TLS_STORED)
        atomic_store(&board->is_put[number], 1);
    else
        atomic_fetch_add(status == JTG_ERR_UNAVAILABLE ? &board->busy : &board->wrong, 1);
}

static void take_one(jtg_tls_tickets *tickets, const char *host)
{
    uint32_t number = 0;
    jtg_status status = tls_cache_take(tickets, host, &number);
    if (status == JTG_OK && number < TICKETS_MAX)
        atomic_fetch_add(&board->taken[number], 1);
    else if (status == JTG_ERR_UNAVAILABLE)
        atomic_fetch_add(&board->busy, 1);
    else if (status != JTG_NOT_FOUND)
        atomic_fetch_add(&board->wrong, 1);
}

static void work(uint64_t seed)
{
    struct random_source source;
    random_init(&source, seed);
    jtg_tls_tickets *tickets = tls_cache_open(&cache);
    while (tickets != NULL && !atomic_load(&board->over)) {
        const char *host = hosts[random_below(&source, HOSTS)];
        if (random_below(&source, 2) == 0)
            put_one(tickets, host);
        else
            take_one(tickets, host);
    }
    _exit(tickets != NULL ? 0 : 1);
}

static pid_t start(uint64_t seed)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        work(seed);
    return child;
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t duration_ms(void)
{
    const char *seconds = getenv("JTIGUARD_TEST_SECONDS");
    return 1000 * (seconds != NULL ? strtoll(seconds, NULL, 10) : SECONDS_DEFAULT);
}

static void pause_ms(long ms)
{
    const struct timespec pause = {0, ms * 1000000};
    (void)nanosleep(&pause, NULL);
}

/* Let them work, and kill some of them where that is asked for. Returns how many. */
static unsigned run_all(uint64_t seed, bool with_kills)
{
    pid_t children[PROCESSES];
    struct random_source source;
    unsigned killed = 0;
    int status = 0;
    random_init(&source, seed);
    for (unsigned i = 0; i < PROCESSES; i++)
        children[i] = start(random_next(&source));
    for (int64_t until = now_ms() + duration_ms(); now_ms() < until;) {
        pause_ms(1 + (long)random_below(&source, KILL_EVERY_MS));
        if (!with_kills)
            continue;
        unsigned which = (unsigned)random_below(&source, PROCESSES);
        assert_int_equal(kill(children[which], SIGKILL), 0);
        assert_int_equal(waitpid(children[which], &status, 0), children[which]);
        children[which] = start(random_next(&source));
        killed++;
    }
    atomic_store(&board->over, true);
    for (unsigned i = 0; i < PROCESSES; i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    return killed;
}

/* Take what is left, and count. */
static void settle(unsigned killed)
{
    jtg_tls_tickets *tickets = tls_cache_open(&cache);
    uint32_t put = 0;
    uint32_t taken = 0;
    uint32_t lost = 0;
    uint32_t twice = 0;
    uint32_t number = 0;
    size_t left = jtg_tls_tickets_len(tickets);
    for (unsigned host = 0; host < HOSTS;) {
        jtg_status status = tls_cache_take(tickets, hosts[host], &number);
        assert_true(status == JTG_OK || status == JTG_NOT_FOUND);
        if (status == JTG_NOT_FOUND)
            host++;
        else
            atomic_fetch_add(&board->taken[number], 1);
    }
    jtg_tls_tickets_free(tickets);
    for (uint32_t i = 0; i < TICKETS_MAX; i++) {
        put += board->is_put[i];
        taken += board->taken[i];
        lost += board->is_put[i] != 0 && board->taken[i] == 0;
        twice += board->taken[i] > 1;
    }
    print_message("%u put, %u handed out, %zu of them at the end, %u killed, %u lost\n", put, taken,
                  left, killed, lost);
    assert_int_equal(board->wrong, 0);
    assert_int_equal(board->busy, 0);
    assert_int_equal(twice, 0);
    assert_true(lost <= killed);
    assert_true(put >= PROCESSES);
}

static void none_twice_and_none_lost(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    print_message("JTIGUARD_TEST_SEED=%" PRIu64 "\n", seed);
    settle(run_all(seed, false));
}

static void none_twice_while_they_are_killed(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    print_message("JTIGUARD_TEST_SEED=%" PRIu64 "\n", seed);
    settle(run_all(seed, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(none_twice_and_none_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(none_twice_while_they_are_killed, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("processes on one file", tests, NULL, NULL);
}
