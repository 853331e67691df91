/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to the process itself: signals, no descriptors, fork. */
#include "integration/store.h"
#include "support/asserts.h"
#include "support/history.h"
#include "support/redis_server.h"
#include "support/threads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLERS = 8, CALLS = 400, OWNER_A = 1, OWNER_B = 2 };

static struct redis_server server;
static jtg_cache *cache;

static int start(void **state)
{
    (void)state;
    char uri[STORE_URI_BYTES];
    redis_server_start(&server, NULL);
    store_uri_with(uri, sizeof uri, server.uri, "timeout=5s");
    cache = store_open(uri);
    return 0;
}

static int halt(void **state)
{
    (void)state;
    jtg_cache_free(cache);
    redis_server_stop(&server);
    return 0;
}

static _Atomic uint64_t signals_taken;

static void take_signal(int signal_number)
{
    (void)signal_number;
    atomic_fetch_add_explicit(&signals_taken, 1, memory_order_relaxed);
}

struct tally {
    _Atomic uint64_t admitted;
    _Atomic uint64_t replayed;
    _Atomic uint64_t other;
    atomic_bool over;
};

/* Each key is asked for by every thread; one gets it. */
static void race_for_keys(void *context, unsigned index)
{
    struct tally *tally = context;
    for (uint64_t key = 0; key < CALLS; key++) {
        jtg_status status = store_reserve(cache, key, index + 1);
        _Atomic uint64_t *place = status == JTG_OK         ? &tally->admitted
                                  : status == JTG_REPLAYED ? &tally->replayed
                                                           : &tally->other;
        atomic_fetch_add(place, 1);
    }
}

static void set_timer(long interval_us)
{
    struct itimerval timer = {{0, interval_us}, {0, interval_us}};
    assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/* The timer's signals fall on whichever thread runs; the callers get some of their own as well, for
 * most of them sleep. Neither is restarted by the system. */
static void a_storm_of_signals_changes_no_answer(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = take_signal};
    struct sigaction before[2];
    struct tally tally = {.admitted = 0};
    assert_int_equal(sigaction(SIGALRM, &action, &before[0]), 0);
    assert_int_equal(sigaction(SIGUSR1, &action, &before[1]), 0);
    set_timer(500);
    struct threads *threads = threads_start(CALLERS, race_for_keys, &tally);
    while (tally.admitted + tally.replayed + tally.other < (uint64_t)CALLERS * CALLS) {
        threads_signal(threads, SIGUSR1);
        store_sleep_ms(1);
    }
    set_timer(0);
    threads_join(threads);
    sigaction(SIGALRM, &before[0], NULL);
    sigaction(SIGUSR1, &before[1], NULL);
    assert_true(signals_taken > 20);
    assert_int_equal(tally.other, 0);
    assert_int_equal(tally.admitted, CALLS);
    assert_int_equal(tally.replayed, (CALLERS - 1) * CALLS);
}

static rlim_t highest_descriptor(void)
{
    int probe = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(probe >= 0);
    close(probe);
    return (rlim_t)probe;
}

static void without_descriptors_it_refuses_and_recovers(void **state)
{
    (void)state;
    struct rlimit usual;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    struct rlimit none = {highest_descriptor(), usual.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    jtg_error err = JTG_ERROR_INIT;
    jtg_status refused = jtg_cache_ping(cache, &err);
    jtg_status reserved = store_reserve(cache, 1, OWNER_A);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    assert_true(refused == JTG_ERR_SYSTEM || refused == JTG_ERR_UNAVAILABLE);
    assert_int_equal(err.system_errno, EMFILE);
    assert_true(reserved == JTG_ERR_SYSTEM || reserved == JTG_ERR_UNAVAILABLE);
    uint64_t start_ns = history_now_ns();
    while (store_reserve(cache, 1, OWNER_A) != JTG_OK) {
        assert_true(history_now_ns() - start_ns < UINT64_C(1000000000));
        store_sleep_ms(5);
    }
    assert_status(store_reserve(cache, 1, OWNER_B), JTG_REPLAYED);
}

static size_t open_descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void connections_that_fail_leave_no_descriptor_open(void **state)
{
    (void)state;
    assert_status(store_reserve(cache, 1, OWNER_A), JTG_OK);
    size_t before = open_descriptors();
    for (int i = 0; i < 5; i++) {
        redis_server_kill(&server);
        while (store_reserve(cache, 2, OWNER_A) != JTG_ERR_UNAVAILABLE)
            ;
        for (int k = 0; k < 30; k++) {
            (void)store_reserve(cache, 2, OWNER_A);
            store_sleep_ms(5);
        }
        redis_server_start_again(&server);
        while (store_reserve(cache, 2, OWNER_A) != JTG_OK)
            store_sleep_ms(1);
    }
    assert_int_equal(open_descriptors(), before);
}

/* 0 = all as it must be. No assert, which would run the parent's tests on in the child. */
static int use_in_child(void)
{
    if (store_reserve(cache, 2, OWNER_B) != JTG_ERR_FORKED ||
        store_reserve(cache, 1, OWNER_B) != JTG_ERR_FORKED ||
        jtg_cache_ping(cache, NULL) != JTG_ERR_FORKED)
        return 1;
    jtg_cache_free(cache);
    return 0;
}

static void a_child_is_refused_and_spoils_nothing(void **state)
{
    (void)state;
    int status;
    assert_status(store_reserve(cache, 1, OWNER_A), JTG_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(use_in_child());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_status(store_reserve(cache, 1, OWNER_B), JTG_REPLAYED);
    assert_status(store_reserve(cache, 2, OWNER_A), JTG_OK);
}

static void call_until_over(void *context, unsigned index)
{
    struct tally *tally = context;
    for (uint64_t n = 0; !atomic_load(&tally->over); n++) {
        jtg_status status = store_reserve(cache, 1000 * n + 10 + index, OWNER_A);
        atomic_fetch_add(status == JTG_OK ? &tally->admitted : &tally->other, 1);
    }
}

/* The child of a process whose other threads are inside calls inherits their locks, held. */
static void fork_while_others_call_does_not_hang(void **state)
{
    (void)state;
    struct tally tally = {.admitted = 0};
    struct threads *threads = threads_start(4, call_until_over, &tally);
    for (int i = 0; i < 20; i++) {
        int status;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            alarm(10);
            _exit(use_in_child());
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    atomic_store(&tally.over, true);
    threads_join(threads);
    assert_true(tally.admitted > 0);
    assert_int_equal(tally.other, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, halt)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_storm_of_signals_changes_no_answer),
        CASE(without_descriptors_it_refuses_and_recovers),
        CASE(connections_that_fail_leave_no_descriptor_open),
        CASE(a_child_is_refused_and_spoils_nothing),
        CASE(fork_while_others_call_does_not_hang),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
