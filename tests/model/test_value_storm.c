/* SPDX-License-Identifier: Apache-2.0 */
/* Processes on the values of a host store that are killed inside their lock, at any instruction.
 *
 * Each worker counts up a value of its own by compare and swap, as ticket keys and break-glass
 * change theirs, and puts numbers on a list that all share and takes them from it, as clients do
 * with sessions. What it was told it writes down, in memory that outlives it. One process watches:
 * it stops a worker, goes on with it an instruction at a time until it is inside the lock, and some
 * more, and kills it there; another takes its place.
 *
 * So a value that was changed may never be an older one, none may be torn, and no number be taken
 * twice. JTIGUARD_TEST_DEATHS: how many, in place of the few that the test waits for.
 * JTIGUARD_TEST_SEED: of the points at which they die. */
#include "host/attachment.h"
#include "host/value_layout.h"
#include "support/asserts.h"
#include "support/host_folder.h"
#include "support/random.h"
#include "support/value_memory.h"

#include <inttypes.h>
#include <jtiguard/host.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    WORKERS = 4,
    NUMBERS = 1 << 24, /* that are put on the list, at most */
    LISTED = 16,
    VALUE_MAX = 900,
    DEATHS = 120,
    STEPS_TO_THE_LOCK = 3000,
    STEPS_INSIDE = 700,
    LIFE_MS = 3600000,
    MAX_ENTRIES = 100,
    SKIPPED = 77
};

/* What was told, by all of them. */
struct ledger {
    _Atomic uint64_t counted[WORKERS]; /* the last that a swap was answered for */
    atomic_uint next;                  /* number for the list */
    atomic_uchar taken[NUMBERS];
    atomic_uint wrong; /* an older value, a torn one, a strange answer, taken twice */
    atomic_ulong calls;
    atomic_int only; /* this worker goes on, the others wait between two calls; 0 = all go on */
};

static struct host_folder folder;
static struct ledger *ledger;
static struct random_source source;

/* ---- a worker ---- */

static jtg_cache *opened(void)
{
    jtg_cache *cache = NULL;
    jtg_host_options options = JTG_HOST_OPTIONS_INIT;
    options.path = folder.store;
    options.max_entries = MAX_ENTRIES;
    options.lock_wait_ms = JTG_HOST_LOCK_WAIT_MS_LIMIT;
    return jtg_host_new(&cache, &options, NULL) == JTG_OK ? cache : NULL;
}

/* Its length and all its bytes follow from the number. */
static size_t value_of(uint64_t number, unsigned char bytes[VALUE_MAX])
{
    size_t len = sizeof number + number * 131 % (VALUE_MAX - sizeof number);
    memset(bytes, (int)(number % 251) + 1, len);
    memcpy(bytes, &number, sizeof number);
    return len;
}

static bool is_whole(const jtg_value *value, uint64_t *number)
{
    unsigned char must[VALUE_MAX];
    if (value->data_len < sizeof *number)
        return false;
    memcpy(number, value->data, sizeof *number);
    return value_of(*number, must) == value->data_len &&
           memcmp(value->data, must, value->data_len) == 0;
}

static void count_wrong(bool wrong)
{
    atomic_fetch_add(&ledger->wrong, wrong);
    atomic_fetch_add(&ledger->calls, 1);
}

static jtg_key key_of(const uint32_t *worker)
{
    return (jtg_key){worker, sizeof *worker, NULL, 0};
}

/* The value as it is: what was answered last, or the one after it, for which a worker died before
 * it had its answer. */
static uint64_t read_counter(jtg_cache *cache, uint32_t worker, jtg_value *value)
{
    const jtg_key key = key_of(&worker);
    uint64_t number = 0;
    uint64_t counted = atomic_load(&ledger->counted[worker]);
    jtg_status status = jtg_cache_get(cache, &key, value, NULL);
    bool good = status == JTG_OK ? is_whole(value, &number) : status == JTG_NOT_FOUND;
    count_wrong(!good || number < counted || number > counted + 1);
    return number;
}

static void count_up(jtg_cache *cache, uint32_t worker)
{
    const jtg_key key = key_of(&worker);
    unsigned char bytes[VALUE_MAX];
    jtg_value value = JTG_VALUE_INIT;
    uint64_t number = read_counter(cache, worker, &value);
    size_t len = value_of(number + 1, bytes);
    atomic_store(&ledger->counted[worker], number);
    jtg_status status =
        jtg_cache_swap(cache, &key, value.data, value.data_len, bytes, len, LIFE_MS, NULL);
    count_wrong(status != JTG_OK);
    if (status == JTG_OK)
        atomic_store(&ledger->counted[worker], number + 1);
    jtg_value_clear(&value);
}

static void put_one(jtg_cache *cache)
{
    unsigned char bytes[VALUE_MAX];
    const jtg_key key = {"sessions", 8, NULL, 0};
    uint64_t number = atomic_fetch_add(&ledger->next, 1) % NUMBERS;
    size_t len = value_of(number, bytes);
    count_wrong(jtg_cache_put(cache, &key, bytes, len, LIFE_MS, LISTED, NULL) != JTG_OK);
}

static void take_one(jtg_cache *cache)
{
    const jtg_key key = {"sessions", 8, NULL, 0};
    jtg_value value = JTG_VALUE_INIT;
    uint64_t number = 0;
    jtg_status status = jtg_cache_take(cache, &key, &value, NULL);
    if (status == JTG_OK)
        count_wrong(!is_whole(&value, &number) || number >= NUMBERS ||
                    atomic_fetch_add(&ledger->taken[number], 1) != 0);
    else
        count_wrong(status != JTG_NOT_FOUND);
    jtg_value_clear(&value);
}

/* While one is stepped through, an instruction would wait for its turn behind the others. */
static void let_another_go_on(void)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    int only = atomic_load(&ledger->only);
    while (only != 0 && only != (int)getpid()) {
        (void)nanosleep(&pause, NULL);
        only = atomic_load(&ledger->only);
    }
}

static pid_t start_worker(uint32_t number)
{
    pid_t worker = fork();
    assert_true(worker >= 0);
    if (worker != 0)
        return worker;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* not for ever, if the test is ended */
    jtg_cache *cache = opened();
    while (cache != NULL) {
        count_up(cache, number);
        let_another_go_on();
        put_one(cache);
        let_another_go_on();
        take_one(cache);
        let_another_go_on();
    }
    _exit(1);
}

/* ---- who watches ---- */

struct watch {
    struct jtgi_host_attachment *at;
    pid_t workers[WORKERS];
    unsigned deaths;
};

static bool is_inside(const struct watch *watch, pid_t worker)
{
    uint32_t place = jtgi_lock_place(atomic_load(&watch->at->values->head->lock));
    return place != 0 &&
           atomic_load(&watch->at->file.header->users[place - 1].pid) == (uint32_t)worker;
}

/* False: it is not there any more. */
static bool step(pid_t worker)
{
    int status = 0;
    return ptrace(PTRACE_SINGLESTEP, worker, NULL, NULL) == 0 &&
           waitpid(worker, &status, __WALL) == worker && WIFSTOPPED(status);
}

static bool step_into_the_lock(const struct watch *watch, pid_t worker)
{
    for (unsigned steps = 0; steps < STEPS_TO_THE_LOCK && step(worker); steps++)
        if (is_inside(watch, worker))
            return true;
    return false;
}

/* Some instructions on, if it stays inside for so long. */
static bool step_on(const struct watch *watch, pid_t worker)
{
    for (uint64_t steps = random_below(&source, STEPS_INSIDE); steps > 0; steps--)
        if (!step(worker) || !is_inside(watch, worker))
            return false;
    return true;
}

static void replace(struct watch *watch, uint32_t number)
{
    int status = 0;
    (void)kill(watch->workers[number], SIGKILL);
    (void)waitpid(watch->workers[number], &status, __WALL);
    watch->workers[number] = start_worker(number);
}

static void kill_one(struct watch *watch)
{
    uint32_t number = (uint32_t)random_below(&source, WORKERS);
    pid_t worker = watch->workers[number];
    int status = 0;
    if (ptrace(PTRACE_SEIZE, worker, NULL, NULL) != 0 ||
        ptrace(PTRACE_INTERRUPT, worker, NULL, NULL) != 0 ||
        waitpid(worker, &status, __WALL) != worker || !WIFSTOPPED(status)) {
        replace(watch, number);
        return;
    }
    atomic_store(&ledger->only, (int)worker);
    bool inside = step_into_the_lock(watch, worker) && step_on(watch, worker);
    watch->deaths += inside;
    if (inside || ptrace(PTRACE_DETACH, worker, NULL, NULL) != 0)
        replace(watch, number);
    atomic_store(&ledger->only, 0);
}

/* ---- the verdict ---- */

static struct jtgi_host_attachment *attached(void)
{
    static jtg_clock system_clock;
    struct jtgi_host_attachment *at = NULL;
    system_clock = jtg_clock_system();
    const struct jtgi_host_terms terms = {.max_entries = MAX_ENTRIES,
                                          .max_values = JTG_HOST_MAX_VALUES_DEFAULT,
                                          .max_value_bytes = JTG_HOST_MAX_VALUE_BYTES_DEFAULT,
                                          .spot = {folder.store, (uid_t)-1, (gid_t)-1},
                                          .lock_wait_ms = JTG_HOST_LOCK_WAIT_MS_LIMIT,
                                          .clock = &system_clock};
    assert_status(jtgi_host_attach(&at, &terms, NULL), JTG_OK);
    return at;
}

/* Everybody is dead; whoever comes now must find all in order, and what was counted. */
static void judge(void)
{
    struct jtgi_host_attachment *at = attached();
    const char *fault = value_area_fault(at->values);
    if (fault != NULL)
        fail_msg("%s", fault);
    assert_int_equal(at->values->head->emptied, 0);
    assert_true(at->values->head->repairs > 0);
    jtgi_host_detach(at, false);
    jtg_cache *cache = opened();
    assert_non_null(cache);
    for (uint32_t worker = 0; worker < WORKERS; worker++) {
        jtg_value value = JTG_VALUE_INIT;
        (void)read_counter(cache, worker, &value);
        jtg_value_clear(&value);
    }
    jtg_cache_free(cache);
}

static unsigned wanted_deaths(void)
{
    const char *text = getenv("JTIGUARD_TEST_DEATHS");
    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : DEATHS;
}

static void nothing_is_torn_brought_back_or_taken_twice(void **state)
{
    struct watch watch = {.deaths = 0};
    (void)state;
    host_folder_make(&folder);
    watch.at = attached();
    for (uint32_t i = 0; i < WORKERS; i++)
        watch.workers[i] = start_worker(i);
    while (watch.deaths < wanted_deaths() && atomic_load(&ledger->wrong) == 0)
        kill_one(&watch);
    for (uint32_t i = 0; i < WORKERS; i++) {
        int status = 0;
        (void)kill(watch.workers[i], SIGKILL);
        (void)waitpid(watch.workers[i], &status, __WALL);
    }
    jtgi_host_detach(watch.at, false);
    judge();
    host_folder_remove(&folder);
    print_message("%u deaths inside the lock, %lu calls: %u wrong\n", watch.deaths,
                  atomic_load(&ledger->calls), atomic_load(&ledger->wrong));
    assert_int_equal(atomic_load(&ledger->wrong), 0);
    assert_int_equal(watch.deaths, wanted_deaths());
}

/* Where nobody may be traced, it has nothing to say. */
static bool may_trace(void)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        for (;;)
            (void)pause();
    bool traced = ptrace(PTRACE_SEIZE, child, NULL, NULL) == 0;
    (void)kill(child, SIGKILL);
    (void)waitpid(child, &status, __WALL);
    return traced;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_torn_brought_back_or_taken_twice),
    };
    if (!may_trace()) {
        print_message("no process may be traced here\n");
        return SKIPPED;
    }
    uint64_t seed = random_seed();
    random_init(&source, seed);
    print_message("JTIGUARD_TEST_SEED=%" PRIu64 "\n", seed);
    ledger = mmap(NULL, sizeof *ledger, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(ledger != MAP_FAILED);
    return cmocka_run_group_tests_name("value storm", tests, NULL, NULL);
}
