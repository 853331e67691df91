/* SPDX-License-Identifier: Apache-2.0 */
/* A host store that is resized again and again under its users, by processes that are killed at any
 * instruction of it.
 *
 * Workers reserve tokens that live longer than the test, and count them in memory that outlives
 * them. Beside them one resizer after the other makes the store larger or smaller; most are stopped
 * at some system call, go on by some instructions, and are killed there. No token may be admitted
 * twice, none that was admitted be forgotten, and nothing may be answered but a yes or a replay: to
 * no worker has the store lost anything.
 *
 * JTIGUARD_TEST_DEATHS: how many, in place of the few that the tests wait for. JTIGUARD_TEST_SEED:
 * of the points at which they die, as an earlier run has told it. */
#include "host/attachment.h"
#include "support/asserts.h"
#include "support/host_folder.h"
#include "support/random.h"
#include "support/table_memory.h"
#include "support/test_clock.h"

#include <inttypes.h>
#include <jtiguard/host.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    WORKERS = 4,
    TOKENS = 4000,
    SMALLER = 5000,
    LARGER = 20000,
    DEATHS = 150,
    CALLS_MAX = 110, /* stops at the system calls of a resize, of which there are fewer */
    STEPS_MAX = 3000,
    ROUND_CALLS = 20, /* of the workers, between two resizers, at least */
    LIFE_MS = 3600000,
    KEPT_SINCE_MS = 1000,
    SKIPPED = 77
};

struct ledger {
    atomic_uint admitted[TOKENS];
    atomic_uint strange; /* answers */
    atomic_uint last_strange;
    atomic_ulong calls;
};

static struct host_folder folder;
static struct test_clock hands; /* stands: whatever a stop does, no second passes */
static jtg_clock clock_of_test;
static struct ledger *ledger;
static struct random_source source;

static jtg_cache *opened(void)
{
    jtg_cache *cache = NULL;
    jtg_host_options options = JTG_HOST_OPTIONS_INIT;
    options.path = folder.store;
    options.max_entries = SMALLER;
    options.lock_wait_ms = JTG_HOST_LOCK_WAIT_MS_LIMIT;
    options.clock = &clock_of_test;
    return jtg_host_new(&cache, &options, NULL) == JTG_OK ? cache : NULL;
}

/* ---- the users ---- */

static jtg_status reserve(jtg_cache *cache, uint32_t token)
{
    jtg_owner owner;
    const jtg_key key = {&token, sizeof token, NULL, 0};
    jtg_owner_generate(&owner);
    return jtg_cache_reserve_kept(cache, &key, &owner, LIFE_MS, KEPT_SINCE_MS, NULL);
}

static void make_one_call(jtg_cache *cache, uint32_t token)
{
    jtg_status status = reserve(cache, token);
    if (status == JTG_OK)
        atomic_fetch_add(&ledger->admitted[token], 1);
    else if (status != JTG_REPLAYED) {
        atomic_fetch_add(&ledger->strange, 1);
        atomic_store(&ledger->last_strange, (unsigned)status);
    }
    atomic_fetch_add(&ledger->calls, 1);
}

static pid_t start(void)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* not for ever, if the test is ended */
    return child;
}

static pid_t start_worker(void)
{
    uint32_t token = 0;
    pid_t worker = start();
    if (worker != 0)
        return worker;
    if (getrandom(&token, sizeof token, 0) != sizeof token)
        _exit(1);
    jtg_cache *cache = opened();
    if (cache == NULL)
        _exit(1);
    for (;; token += 7)
        make_one_call(cache, token % TOKENS);
}

static void await_calls(void)
{
    unsigned long until = atomic_load(&ledger->calls) + ROUND_CALLS;
    while (atomic_load(&ledger->calls) < until)
        (void)usleep(100);
}

/* ---- the resizers ---- */

static pid_t start_resizer(uint64_t size)
{
    pid_t child = start();
    if (child != 0)
        return child;
    jtg_cache *cache = opened();
    if (cache == NULL || ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(SKIPPED);
    (void)raise(SIGSTOP);
    jtg_error err = JTG_ERROR_INIT;
    if (jtg_host_resize(cache, size, &err) == JTG_OK)
        _exit(0);
    (void)fprintf(stderr, "resize: %s (errno %d)\n", err.text, err.system_errno);
    _exit(1);
}

/* False: it is over. */
static bool go_on(pid_t child, bool to_call, int *status)
{
    return ptrace(to_call ? PTRACE_SYSCALL : PTRACE_SINGLESTEP, child, NULL, NULL) == 0 &&
           waitpid(child, status, 0) == child && WIFSTOPPED(*status);
}

/* 1: it died on the way. */
static unsigned resize_and_die(uint64_t size)
{
    int status = 0;
    pid_t child = start_resizer(size);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSTOPPED(status));
    bool within = true;
    for (uint64_t calls = random_below(&source, CALLS_MAX); calls > 0 && within; calls--)
        within = go_on(child, true, &status);
    for (uint64_t steps = random_below(&source, STEPS_MAX); steps > 0 && within; steps--)
        within = go_on(child, false, &status);
    if (within) {
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        return 1;
    }
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    return 0;
}

/* ---- the verdict ---- */

static void assert_in_order(void)
{
    struct jtgi_host_attachment *at = NULL;
    const struct jtgi_host_terms terms = {.max_entries = SMALLER,
                                          .max_values = 50,
                                          .max_value_bytes = 20000,
                                          .spot = {folder.store, (uid_t)-1, (gid_t)-1},
                                          .lock_wait_ms = JTG_HOST_LOCK_WAIT_MS_LIMIT,
                                          .must_exist = true,
                                          .clock = &clock_of_test};
    assert_status(jtgi_host_attach(&at, &terms, NULL), JTG_OK);
    const char *fault = table_fault(at->table);
    if (fault != NULL)
        fail_msg("%s", fault);
    jtgi_host_detach(at, false);
}

static void assert_nothing_is_lost(void)
{
    jtg_cache *cache = opened();
    assert_non_null(cache);
    for (uint32_t token = 0; token < TOKENS; token++) {
        unsigned admitted = atomic_load(&ledger->admitted[token]);
        assert_true(admitted <= 1);
        jtg_status status = reserve(cache, token);
        assert_status(status, admitted == 1 || status == JTG_REPLAYED ? JTG_REPLAYED : JTG_OK);
    }
    jtg_cache_free(cache);
}

static unsigned wanted_deaths(void)
{
    const char *text = getenv("JTIGUARD_TEST_DEATHS");
    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : DEATHS;
}

/* A worker dies with the test: what it had been about to count was admitted to nobody else. */
static void a_kill_of_who_resizes_loses_nothing(void **state)
{
    pid_t workers[WORKERS];
    unsigned died = 0, resized = 0;
    (void)state;
    uint64_t seed = random_seed();
    print_message("JTIGUARD_TEST_SEED=%" PRIu64 "\n", seed);
    random_init(&source, seed);
    jtg_cache *cache = opened();
    assert_status(jtg_host_vouch(cache, 0, NULL), JTG_OK);
    for (unsigned i = 0; i < WORKERS; i++)
        workers[i] = start_worker();
    while (died < wanted_deaths() && atomic_load(&ledger->strange) == 0) {
        unsigned died_now = resize_and_die(random_below(&source, 2) == 0 ? SMALLER : LARGER);
        died += died_now;
        resized += 1 - died_now;
        await_calls();
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        int status = 0;
        (void)kill(workers[i], SIGKILL);
        (void)waitpid(workers[i], &status, 0);
    }
    jtg_cache_free(cache);
    print_message("%u resizers died, %u did not, %lu calls\n", died, resized,
                  atomic_load(&ledger->calls));
    assert_int_equal(atomic_load(&ledger->last_strange), 0);
    assert_in_order();
    assert_nothing_is_lost();
}

static bool may_trace(void)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? 0 : SKIPPED);
    (void)waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_kill_of_who_resizes_loses_nothing)};
    if (!may_trace()) {
        print_message("no process may be traced here\n");
        return SKIPPED;
    }
    ledger = mmap(NULL, sizeof *ledger, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    host_folder_make(&folder);
    test_clock_init(&hands);
    clock_of_test = test_clock_as_jtg(&hands);
    int failed = cmocka_run_group_tests_name("host resize", tests, NULL, NULL);
    host_folder_remove(&folder);
    return failed;
}
