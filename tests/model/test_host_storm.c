/* SPDX-License-Identifier: Apache-2.0 */
/* Processes on a host store that are killed inside its locks, at any instruction.
 *
 * Each worker reserves and releases at random, beside sweeps and shares. One process watches: it
 * stops a worker, goes on with it an instruction at a time until it is inside a lock, and some
 * more, and kills it there; another takes its place. What a worker was told it writes down, in
 * memory that outlives it: a token that it was told to be admitted it notes behind the answer, one
 * that it gives back before the call. So none may be admitted twice, and none that was admitted be
 * forgotten.
 *
 * The same without the repair must show what the repair is for: by chance in the storm, and always
 * where one process is killed at a point that hides an entry.
 *
 * JTIGUARD_TEST_DEATHS: how many, in place of the few that the tests wait for. */
#include "host/attachment.h"
#include "support/asserts.h"
#include "support/host_folder.h"
#include "support/table_memory.h"
#include "table/hash.h"
#include "table/partition.h"
#include "table/repair.h"

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
#include <time.h>
#include <unistd.h>

enum {
    WORKERS = 8,
    KEPT = 2400,  /* tokens that are never given back, and live longer than the storm */
    GIVEN = 1200, /* and those that are, at once; what a dead worker held ends */
    BRIEF = 100,  /* and those that end at once, for the sweep */
    TOKENS = KEPT + GIVEN,
    MAX_ENTRIES = 2600,
    DEATHS = 200,
    DEATHS_UNREPAIRED = 4000, /* at most, until it shows */
    LOOK_EVERY = 50,
    STEPS_TO_A_LOCK = 3000,
    STEPS_INSIDE = 160,
    LONG_MS = 3600000,
    GIVEN_MS = 5000
};

/* What was told, by all of them. */
struct ledger {
    atomic_uint admitted[TOKENS];
    atomic_uint vanished; /* was mine, and the store does not know it */
    atomic_uint strange;  /* answers */
    atomic_ulong calls;
    atomic_int only; /* this worker goes on, the others wait between two calls; 0 = all go on */
};

static struct host_folder folder;
static struct ledger *ledger;
static bool unrepaired;

/* ---- without the repair ---- */

bool __real_jtgi_repair_locked(struct jtgi_visit *visit);
bool __wrap_jtgi_repair_locked(struct jtgi_visit *visit);

bool __wrap_jtgi_repair_locked(struct jtgi_visit *visit)
{
    return unrepaired || __real_jtgi_repair_locked(visit);
}

/* ---- a worker ---- */

static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static jtg_cache *opened(void)
{
    jtg_cache *cache = NULL;
    jtg_host_options options = JTG_HOST_OPTIONS_INIT;
    options.path = folder.store;
    options.max_entries = MAX_ENTRIES;
    options.max_entries_per_group = MAX_ENTRIES;
    options.lock_wait_ms = JTG_HOST_LOCK_WAIT_MS_LIMIT;
    return jtg_host_new(&cache, &options, NULL) == JTG_OK ? cache : NULL;
}

static jtg_key key_of(const uint32_t *token)
{
    static const char *const groups[] = {"one issuer", "another one", "a third one"};
    const char *group = groups[*token % 3];
    return (jtg_key){token, sizeof *token, group, strlen(group)};
}

static jtg_owner new_owner(void)
{
    jtg_owner owner;
    uint64_t halves[2] = {next_random(), next_random()};
    memcpy(&owner, halves, sizeof owner);
    return owner;
}

static jtg_status reserve(jtg_cache *cache, uint32_t token, const jtg_owner *owner, uint64_t ttl_ms)
{
    const jtg_key key = key_of(&token);
    return jtg_cache_reserve(cache, &key, owner, ttl_ms, NULL);
}

static void give_back(jtg_cache *cache, uint32_t token, const jtg_owner *owner)
{
    const jtg_key key = key_of(&token);
    jtg_status status = jtg_cache_release(cache, &key, owner, NULL);
    atomic_fetch_add(&ledger->vanished, status == JTG_NOT_FOUND || status == JTG_NOT_OWNER);
}

/* Mostly what comes and goes, for only changes can break something. */
static uint32_t choose_token(void)
{
    uint64_t dice = next_random() % 16;
    if (dice < 3)
        return (uint32_t)(next_random() % KEPT);
    return dice < 15 ? KEPT + (uint32_t)(next_random() % GIVEN)
                     : TOKENS + (uint32_t)(next_random() % BRIEF);
}

static uint64_t life_of(uint32_t token)
{
    return token < KEPT ? LONG_MS : token < TOKENS ? GIVEN_MS : 1;
}

static void make_one_call(jtg_cache *cache)
{
    uint32_t token = choose_token();
    jtg_owner owner = new_owner();
    jtg_status status = reserve(cache, token, &owner, life_of(token));
    atomic_fetch_add(&ledger->calls, 1);
    if (status != JTG_OK && status != JTG_REPLAYED && status != JTG_ERR_FULL)
        atomic_fetch_add(&ledger->strange, 1);
    if (status != JTG_OK || token >= TOKENS)
        return;
    atomic_fetch_add(&ledger->admitted[token], 1);
    if (token >= KEPT)
        give_back(cache, token, &owner);
}

/* While one is stepped through, an instruction would wait for its turn behind seven others. */
static void let_another_go_on(void)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    int only = atomic_load(&ledger->only);
    while (only != 0 && only != (int)getpid()) {
        (void)nanosleep(&pause, NULL);
        only = atomic_load(&ledger->only);
    }
}

static pid_t start_worker(void)
{
    pid_t worker = fork();
    assert_true(worker >= 0);
    if (worker != 0)
        return worker;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* not for ever, if the test is ended */
    if (getrandom(&random_state, sizeof random_state, 0) != sizeof random_state)
        _exit(1);
    random_state |= 1;
    jtg_cache *cache = opened();
    while (cache != NULL) {
        make_one_call(cache);
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

static bool is_held_by(const struct watch *watch, _Atomic uint32_t *lock, pid_t worker)
{
    uint32_t place = jtgi_lock_place(atomic_load(lock));
    return place != 0 &&
           atomic_load(&watch->at->file.header->users[place - 1].pid) == (uint32_t)worker;
}

static bool is_inside(const struct watch *watch, pid_t worker)
{
    const struct jtgi_table *table = watch->at->table;
    for (uint32_t i = 0; i < table->plan.partitions; i++)
        if (is_held_by(watch, &table->partitions[i].lock, worker))
            return true;
    return false;
}

/* False: it is not there any more. */
static bool step(pid_t worker)
{
    int status = 0;
    return ptrace(PTRACE_SINGLESTEP, worker, NULL, NULL) == 0 &&
           waitpid(worker, &status, __WALL) == worker && WIFSTOPPED(status);
}

static bool step_into_a_lock(const struct watch *watch, pid_t worker)
{
    for (unsigned steps = 0; steps < STEPS_TO_A_LOCK && step(worker); steps++)
        if (is_inside(watch, worker))
            return true;
    return false;
}

/* Some instructions on, if it stays inside for so long. */
static bool step_on(const struct watch *watch, pid_t worker)
{
    for (uint64_t steps = next_random() % STEPS_INSIDE; steps > 0; steps--)
        if (!step(worker) || !is_inside(watch, worker))
            return false;
    return true;
}

static void replace(pid_t *worker)
{
    int status = 0;
    (void)kill(*worker, SIGKILL);
    (void)waitpid(*worker, &status, __WALL);
    *worker = start_worker();
}

static void kill_one(struct watch *watch)
{
    pid_t *worker = &watch->workers[next_random() % WORKERS];
    int status = 0;
    if (ptrace(PTRACE_SEIZE, *worker, NULL, NULL) != 0 ||
        ptrace(PTRACE_INTERRUPT, *worker, NULL, NULL) != 0 ||
        waitpid(*worker, &status, __WALL) != *worker || !WIFSTOPPED(status)) {
        replace(worker);
        return;
    }
    atomic_store(&ledger->only, (int)*worker);
    bool inside = step_into_a_lock(watch, *worker) && step_on(watch, *worker);
    watch->deaths += inside;
    if (inside || ptrace(PTRACE_DETACH, *worker, NULL, NULL) != 0)
        replace(worker);
    atomic_store(&ledger->only, 0);
}

/* ---- the verdict ---- */

struct verdict {
    unsigned twice;
    unsigned forgotten;
    bool broken; /* order, gaps, doubles, or counters that are not those of the slots */
};

static unsigned count_twice(void)
{
    unsigned twice = 0;
    for (uint32_t token = 0; token < KEPT; token++)
        twice += atomic_load(&ledger->admitted[token]) > 1;
    return twice;
}

static struct jtgi_host_attachment *attached(void)
{
    static jtg_clock system_clock;
    struct jtgi_host_attachment *at = NULL;
    system_clock = jtg_clock_system();
    const struct jtgi_host_terms terms = {.max_entries = MAX_ENTRIES,
                                          .max_values = 50,
                                          .max_value_bytes = 20000,
                                          .max_entries_per_group = MAX_ENTRIES,
                                          .spot = {folder.store, (uid_t)-1, (gid_t)-1},
                                          .lock_wait_ms = JTG_HOST_LOCK_WAIT_MS_LIMIT,
                                          .clock = &system_clock};
    assert_status(jtgi_host_attach(&at, &terms, NULL), JTG_OK);
    return at;
}

/* Everybody is dead; whoever comes now is alone, and must find all in order, and what was admitted.
 */
static struct verdict judge(void)
{
    struct verdict verdict = {count_twice(), atomic_load(&ledger->vanished), false};
    struct jtgi_host_attachment *at = attached();
    const char *fault = table_fault(at->table);
    verdict.broken = fault != NULL;
    if (fault != NULL)
        print_message("%s\n", fault);
    jtgi_host_detach(at, false);
    jtg_cache *cache = opened();
    assert_non_null(cache);
    for (uint32_t token = 0; token < KEPT; token++) {
        jtg_owner owner = new_owner();
        if (atomic_load(&ledger->admitted[token]) > 0)
            verdict.forgotten += reserve(cache, token, &owner, LONG_MS) != JTG_REPLAYED;
    }
    jtg_cache_free(cache);
    return verdict;
}

static bool is_good(const struct verdict *verdict)
{
    return verdict->twice + verdict->forgotten == 0 && !verdict->broken;
}

static void begin_storm(struct watch *watch)
{
    host_folder_make(&folder);
    memset(ledger, 0, sizeof *ledger);
    watch->at = attached();
    for (unsigned i = 0; i < WORKERS; i++)
        watch->workers[i] = start_worker();
}

static struct verdict end_storm(struct watch *watch)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        int status = 0;
        (void)kill(watch->workers[i], SIGKILL);
        (void)waitpid(watch->workers[i], &status, __WALL);
    }
    jtgi_host_detach(watch->at, false);
    struct verdict verdict = judge();
    host_folder_remove(&folder);
    return verdict;
}

/* It goes on until so many have died, or something is seen. */
static struct verdict storm(unsigned deaths, unsigned *died)
{
    struct watch watch = {.deaths = 0};
    begin_storm(&watch);
    while (watch.deaths < deaths && count_twice() + atomic_load(&ledger->vanished) == 0)
        kill_one(&watch);
    *died = watch.deaths;
    return end_storm(&watch);
}

static unsigned wanted_deaths(void)
{
    const char *text = getenv("JTIGUARD_TEST_DEATHS");
    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : DEATHS;
}

static void nothing_is_admitted_twice_or_forgotten(void **state)
{
    unsigned died = 0;
    (void)state;
    unrepaired = false;
    struct verdict verdict = storm(wanted_deaths(), &died);
    print_message("%u deaths inside a lock, %lu calls: %u admitted twice, %u forgotten\n", died,
                  atomic_load(&ledger->calls), verdict.twice, verdict.forgotten);
    assert_true(is_good(&verdict));
    assert_int_equal(atomic_load(&ledger->strange), 0);
    assert_int_equal(died, wanted_deaths());
}

/* By chance, and on a machine that does nothing else it may take thousands of deaths: so it belongs
 * to the long form. without_the_repair_it_is_admitted_twice leaves nothing to chance. */
static void without_the_repair_it_shows(void **state)
{
    unsigned died = 0, all = 0;
    struct verdict verdict = {0, 0, false};
    (void)state;
    if (getenv("JTIGUARD_TEST_DEATHS") == NULL)
        skip();
    unrepaired = true;
    while (is_good(&verdict) && all < DEATHS_UNREPAIRED) {
        verdict = storm(LOOK_EVERY, &died);
        all += died;
    }
    unrepaired = false;
    print_message("without the repair, %u deaths: %u admitted twice, %u forgotten%s\n", all,
                  verdict.twice, verdict.forgotten, verdict.broken ? ", and broken" : "");
    assert_false(is_good(&verdict));
}

/* ---- one death at a point that is chosen ---- */

enum {
    FILLED = 2000,
    APART = 200, /* slots from one chosen pair to the next: no run is so long */
    PAIRS_MAX = 32,
    STEPS_OF_A_CALL = 200000
};

/* Two neighbours. When the first is removed the second moves into its slot, which is empty for some
 * instructions: who looks for the second then does not come as far. */
struct pair {
    uint32_t first, second; /* tokens */
    const struct jtgi_slot *slot;
};

static jtg_owner owner_of(uint32_t token)
{
    jtg_owner owner = {{1}};
    memcpy(&owner.bytes[1], &token, sizeof token);
    return owner;
}

static void fill(jtg_cache *cache)
{
    for (uint32_t token = 0; token < FILLED; token++) {
        const jtg_owner owner = owner_of(token);
        assert_status(reserve(cache, token, &owner, LONG_MS), JTG_OK);
    }
}

/* The token of what stands in a slot. */
static uint32_t token_of(const struct jtgi_table *table, const struct jtgi_slot *slot)
{
    for (uint32_t token = 0; token < FILLED; token++) {
        const jtg_key key = key_of(&token);
        if (jtgi_hash_key(table, &key).fingerprint == slot->fingerprint)
            return token;
    }
    fail_msg("an entry that nobody put in");
    return 0;
}

static size_t find_pairs(const struct jtgi_table *table, struct pair pairs[PAIRS_MAX])
{
    size_t found = 0;
    for (uint32_t i = 0; i < table->plan.partitions; i++) {
        struct jtgi_segment segment = jtgi_segment_of(table, &table->partitions[i], 0);
        for (uint32_t at = 0; at + 1 < segment.count && found < PAIRS_MAX; at++) {
            const struct jtgi_slot *slot = &segment.slots[at];
            if (jtgi_slot_is_empty(slot) || jtgi_slot_is_empty(slot + 1) ||
                jtgi_segment_home(&segment, slot[1].fingerprint) > at)
                continue;
            pairs[found++] = (struct pair){token_of(table, slot), token_of(table, slot + 1), slot};
            at += APART;
        }
    }
    return found;
}

static pid_t start_releaser(uint32_t token)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const jtg_owner owner = owner_of(token);
        const jtg_key key = key_of(&token);
        jtg_cache *cache = opened();
        if (cache == NULL || ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(1);
        (void)raise(SIGSTOP);
        _exit(jtg_cache_release(cache, &key, &owner, NULL) == JTG_OK ? 0 : 1);
    }
    return child;
}

/* Between the two stores. */
static void die_between(const struct pair *pair)
{
    int status = 0;
    pid_t child = start_releaser(pair->first);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSTOPPED(status));
    unsigned steps = 0;
    while (!jtgi_slot_is_empty(pair->slot) && steps++ < STEPS_OF_A_CALL)
        assert_true(step(child));
    assert_true(jtgi_slot_is_empty(pair->slot));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
}

/* Of the second ones, that somebody else holds: those that are admitted again. */
static unsigned admitted_again(void)
{
    struct pair pairs[PAIRS_MAX];
    unsigned again = 0;
    host_folder_make(&folder);
    struct jtgi_host_attachment *at = attached();
    jtg_cache *cache = opened();
    assert_non_null(cache);
    fill(cache);
    size_t count = find_pairs(at->table, pairs);
    assert_in_range(count, 4, PAIRS_MAX);
    for (size_t i = 0; i < count; i++) {
        const jtg_owner another = new_owner();
        die_between(&pairs[i]);
        jtg_status status = reserve(cache, pairs[i].second, &another, LONG_MS);
        assert_true(status == JTG_OK || status == JTG_REPLAYED);
        again += status == JTG_OK;
    }
    if (!unrepaired)
        assert_null(table_partition_fault(at->table, 0));
    assert_true(again == 0 || again == count);
    jtg_cache_free(cache);
    jtgi_host_detach(at, false);
    host_folder_remove(&folder);
    return again;
}

static void what_a_death_hides_is_found_again(void **state)
{
    (void)state;
    unrepaired = false;
    assert_int_equal(admitted_again(), 0);
}

static void without_the_repair_it_is_admitted_twice(void **state)
{
    (void)state;
    unrepaired = true;
    unsigned again = admitted_again();
    unrepaired = false;
    assert_true(again > 0);
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
    enum { SKIPPED = 77 };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_death_hides_is_found_again),
        cmocka_unit_test(without_the_repair_it_is_admitted_twice),
        cmocka_unit_test(nothing_is_admitted_twice_or_forgotten),
        cmocka_unit_test(without_the_repair_it_shows),
    };
    if (!may_trace()) {
        print_message("no process may be traced here\n");
        return SKIPPED;
    }
    ledger = mmap(NULL, sizeof *ledger, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    random_state = (uint64_t)time(NULL) | 1;
    return cmocka_run_group_tests_name("host storm", tests, NULL, NULL);
}
