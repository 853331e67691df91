/* SPDX-License-Identifier: Apache-2.0 */
/* A process is killed between any two instructions of any call on a table that others share.
 *
 * A child makes one call on shared memory, an instruction at a time (ptrace). After each one that
 * changed the memory, this is what a kill would leave: it is copied, mended as the next process
 * would mend it, and looked at. Nothing live may be missing or changed, nothing may be there that
 * nobody put in, the order and the counters must be right, and places may be lost, never doubled.
 *
 * The table's code is compiled into this test at -O3 without sanitizers, whatever the build: it is
 * the compiler's order that is judged. JTIGUARD_TEST_STEPS=n makes n times as many rounds. */
#include "support/asserts.h"
#include "support/random.h"
#include "support/steps.h"
#include "support/table_memory.h"
#include "table/hash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    ENTRIES = 90,
    SHARE = 60,
    GROUPS = 3, /* number 0 is no group */
    WORKER = 1, /* whose word the child has */
    HEIR = 2,   /* who mends */
    NOW = 1000,
    LATER = 5000,
    MODEL_MAX = 256,
    ROUNDS = 8,
    REPAIRS = 2,       /* kills of a call for each round */
    STEPS_MAX = 200000 /* of one call: it is over long before */
};

/* ---- the tables ---- */

struct known {
    uint64_t number;
    struct jtgi_slot slot;
    uint64_t other_end; /* may stand there in place of its end; 0 = none */
    bool may_lack;      /* the call may have removed it, or not yet put it in */
};

static struct lab {
    struct random_source random;
    struct jtgi_table_plan plan;
    unsigned char *live, *scratch, *last;
    struct jtgi_table *worker, *heir;
    struct known known[MODEL_MAX];
    size_t known_len;
    uint32_t groups[GROUPS + 1]; /* ids */
    uint64_t next_number;
    uint64_t steps, states, bad;
    const char *call;
    uint64_t seed;
} lab;

static bool is_worker(void *context, uint32_t word)
{
    (void)context;
    return word == WORKER;
}

static unsigned char *map(void)
{
    void *pages =
        mmap(NULL, lab.plan.bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    return pages;
}

static void open_lab(void)
{
    const struct jtgi_lock_party worker = {.word = WORKER, .shared = true, .wait_ms = 1000};
    const struct jtgi_lock_party heir = {
        .word = HEIR, .shared = true, .wait_ms = 1000, .is_dead = is_worker};
    jtgi_table_plan(&lab.plan, ENTRIES, SHARE, false);
    assert_int_equal(lab.plan.partitions, 1);
    lab.live = map();
    lab.scratch = map();
    lab.last = map();
    jtgi_table_format(lab.live, &lab.plan);
    memcpy(lab.scratch, lab.live, lab.plan.bytes);
    lab.worker = jtgi_table_open(lab.live, &lab.plan, &worker);
    lab.heir = jtgi_table_open(lab.scratch, &lab.plan, &heir);
    assert_true(lab.worker != NULL && lab.heir != NULL);
}

/* What a state consists of: all but the groups, of which there is a megabyte, and of these the
 * counters in use. */
static bool differs(const unsigned char *a, const unsigned char *b)
{
    size_t slots = lab.plan.slots_at;
    if (memcmp(a, b, lab.plan.groups_at) != 0 ||
        memcmp(a + slots, b + slots, lab.plan.bytes - slots) != 0)
        return true;
    const struct jtgi_groups *one = (const void *)(a + lab.plan.groups_at);
    const struct jtgi_groups *other = (const void *)(b + lab.plan.groups_at);
    for (size_t group = 1; group <= GROUPS; group++)
        if (one->places[lab.groups[group] - 1].entries !=
            other->places[lab.groups[group] - 1].entries)
            return true;
    return false;
}

static void copy(unsigned char *to, const unsigned char *from)
{
    size_t slots = lab.plan.slots_at;
    memcpy(to, from, lab.plan.groups_at);
    memcpy(to + slots, from + slots, lab.plan.bytes - slots);
    const struct jtgi_groups *groups = (const void *)(from + lab.plan.groups_at);
    struct jtgi_groups *copied = (void *)(to + lab.plan.groups_at);
    for (size_t group = 1; group <= GROUPS; group++)
        atomic_store(&copied->places[lab.groups[group] - 1].entries,
                     groups->places[lab.groups[group] - 1].entries);
}

/* ---- calls ---- */

struct call {
    jtg_key key;
    jtg_owner owner;
    uint64_t number;
};

static struct call call_of(uint64_t number)
{
    static const char names[GROUPS + 1] = {'-', 'a', 'b', 'c'};
    struct call call = {.number = number};
    uint64_t group = number % (GROUPS + 1);
    memcpy(call.owner.bytes, &number, sizeof number);
    call.key = (jtg_key){NULL, sizeof number, group == 0 ? NULL : &names[group], group != 0};
    return call;
}

static jtg_status reserve(uint64_t number, uint64_t now, uint64_t end)
{
    struct call call = call_of(number);
    call.key.data = &call.number;
    return jtgi_table_reserve(lab.worker, &call.key, &call.owner, now, end - now);
}

static void release(uint64_t number)
{
    struct call call = call_of(number);
    call.key.data = &call.number;
    (void)jtgi_table_release(lab.worker, &call.key, &call.owner, NOW);
}

/* The slot of an entry, as it must be. */
static struct jtgi_slot slot_of(uint64_t number, uint64_t end)
{
    struct call call = call_of(number);
    call.key.data = &call.number;
    uint64_t group = jtgi_hash_group(lab.worker, &call.key);
    return (struct jtgi_slot){jtgi_hash_key(lab.worker, &call.key).fingerprint,
                              jtgi_hash_owner(lab.worker, &call.owner),
                              end | group << JTGI_END_BITS};
}

static struct known *know(uint64_t number, uint64_t end)
{
    struct known *known = &lab.known[lab.known_len++];
    *known = (struct known){.number = number, .slot = slot_of(number, end)};
    return known;
}

/* ---- what a state must be ---- */

static bool is_as_known(const struct known *known, const struct jtgi_slot *slot)
{
    uint64_t other = (known->slot.end_and_group & ~JTGI_END_MASK) | known->other_end;
    return slot->owner_tag == known->slot.owner_tag &&
           (slot->end_and_group == known->slot.end_and_group ||
            (known->other_end != 0 && slot->end_and_group == other));
}

static const struct known *find_known(const struct jtgi_slot *slot)
{
    for (size_t i = 0; i < lab.known_len; i++)
        if (lab.known[i].slot.fingerprint == slot->fingerprint)
            return &lab.known[i];
    return NULL;
}

static const char *entries_fault(uint64_t in_group[GROUPS + 1])
{
    bool there[MODEL_MAX] = {false};
    uint32_t count = lab.plan.homes + lab.plan.overrun;
    for (uint32_t at = 0; at < count; at++) {
        const struct jtgi_slot *slot = &lab.heir->slots[at];
        if (jtgi_slot_is_empty(slot))
            continue;
        const struct known *known = find_known(slot);
        if (known == NULL)
            return "an entry that nobody put in";
        if (!is_as_known(known, slot))
            return "a mixture";
        there[known - lab.known] = true;
        in_group[known->number % (GROUPS + 1)]++;
    }
    for (size_t i = 0; i < lab.known_len; i++)
        if (!there[i] && !lab.known[i].may_lack)
            return "a live entry is lost";
    return NULL;
}

/* Too high by what one call may hold, never too low. */
static const char *counters_fault(const uint64_t in_group[GROUPS + 1])
{
    const struct jtgi_partition *partition = lab.heir->partitions;
    uint64_t places = atomic_load(&lab.heir->head->pool) + partition->places + partition->occupied;
    if (places > ENTRIES)
        return "places are doubled";
    if (places + 64 + 1 < ENTRIES)
        return "too many places are lost";
    for (size_t group = 1; group <= GROUPS; group++) {
        uint64_t counted = lab.heir->groups->places[lab.groups[group] - 1].entries;
        if (counted < in_group[group])
            return "a group has more than is counted";
        if (counted > in_group[group] + 2)
            return "a group is counted much too high";
    }
    return NULL;
}

static const char *sweep_fault(void)
{
    while (jtgi_table_sweep(lab.heir, 0, NOW, 7))
        ;
    return table_partition_fault(lab.heir, 0);
}

static const char *recount_fault(const uint64_t in_group[GROUPS + 1])
{
    jtgi_table_recount(lab.heir);
    for (size_t group = 1; group <= GROUPS; group++)
        if (lab.heir->groups->places[lab.groups[group] - 1].entries != in_group[group])
            return "a group is counted anew, and wrong";
    return table_fault(lab.heir);
}

static const char *state_fault(void)
{
    uint64_t in_group[GROUPS + 1] = {0};
    if (jtgi_table_mend(lab.heir, NOW) != 0)
        return "taken for a stray write";
    if (atomic_load(&lab.heir->partitions[0].lock) != 0)
        return "still locked";
    const char *fault = table_partition_fault(lab.heir, 0);
    if (fault == NULL)
        fault = entries_fault(in_group);
    if (fault == NULL)
        fault = counters_fault(in_group);
    if (fault == NULL && lab.states % 32 == 0)
        fault = recount_fault(in_group);
    return fault == NULL ? sweep_fault() : fault;
}

/* What is in `last`, killed there. */
static void judge(void)
{
    copy(lab.scratch, lab.last);
    lab.states++;
    const char *fault = state_fault();
    if (fault != NULL && lab.bad++ < 20)
        print_message("%s: %s\n", lab.call, fault);
}

/* ---- one instruction at a time ---- */

/* Every state of a call. */
static void watch(steps_call call, uint64_t number)
{
    pid_t child = steps_start(call, number);
    copy(lab.last, lab.live);
    judge();
    for (uint64_t steps = 0; steps_go(child); steps++) {
        assert_true(steps < STEPS_MAX);
        lab.steps++;
        if (!differs(lab.last, lab.live))
            continue;
        copy(lab.last, lab.live);
        judge();
    }
}

/* Some state of a call, after which the worker is dead. */
static void kill_within(steps_call call, uint64_t number, uint64_t instructions)
{
    pid_t child = steps_start(call, number);
    for (uint64_t i = 0; i < instructions && steps_go(child); i++)
        ;
    steps_end(child);
}

/* ---- the calls ---- */

static void call_reserve(uint64_t number)
{
    (void)reserve(number, NOW, LATER);
}

static void call_extend(uint64_t number)
{
    (void)reserve(number, NOW, 2 * LATER);
}

static void call_sweep(uint64_t number)
{
    (void)number;
    while (jtgi_table_sweep(lab.worker, 0, NOW, 7))
        ;
}

static void call_clear(uint64_t number)
{
    (void)number;
    (void)jtgi_table_clear(lab.worker);
}

static void call_mend(uint64_t number)
{
    (void)number;
    (void)jtgi_table_mend(lab.worker, NOW);
}

/* ---- worlds ---- */

/* `count` entries, one in `ended_each` of which has ended. */
static void fill(uint64_t count, uint64_t ended_each)
{
    memset(lab.live, 0, lab.plan.bytes);
    jtgi_table_format(lab.live, &lab.plan);
    lab.worker->keys = lab.worker->head->keys;
    lab.heir->keys = lab.worker->head->keys;
    lab.known_len = 0;
    for (uint64_t number = 1; number <= GROUPS; number++) {
        struct call call = call_of(number);
        lab.groups[number] = jtgi_hash_group(lab.worker, &call.key);
    }
    memcpy(lab.scratch, lab.live, lab.plan.bytes);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t number = lab.next_number++;
        bool ends = ended_each != 0 && random_below(&lab.random, ended_each) == 0;
        uint64_t end =
            ends ? 500 + random_below(&lab.random, 400) : LATER + random_below(&lab.random, LATER);
        assert_int_equal(reserve(number, 1, end), JTG_OK);
        know(number, end)->may_lack = ends;
    }
}

/* A pass of the sweep is under way, and has been through the first half. */
static void begin_pass(void)
{
    struct jtgi_partition *partition = lab.worker->partitions;
    partition->sweeping = true;
    partition->sweep_pass = 7;
    partition->sweep_from = UINT64_C(1) << 63;
    partition->sweep_earliest = JTGI_NEVER;
    for (size_t i = 0; i < lab.known_len; i++)
        if (lab.known[i].slot.fingerprint < partition->sweep_from &&
            jtgi_slot_end(&lab.known[i].slot) < partition->sweep_earliest)
            partition->sweep_earliest = jtgi_slot_end(&lab.known[i].slot);
}

static struct known *some_live(void)
{
    for (;;) {
        struct known *known = &lab.known[random_below(&lab.random, lab.known_len)];
        if (!known->may_lack)
            return known;
    }
}

static uint64_t to_come(void)
{
    uint64_t number = lab.next_number++;
    know(number, LATER)->may_lack = true;
    return number;
}

static void round_insert(void)
{
    fill(60 + random_below(&lab.random, 29), 0);
    begin_pass();
    watch(call_reserve, to_come());
}

static void round_reuse(void)
{
    fill(80 + random_below(&lab.random, 10), 3);
    watch(call_reserve, to_come());
}

/* Full: what has ended is collected first. */
static void round_reclaim(void)
{
    fill(ENTRIES, 10);
    watch(call_reserve, to_come());
}

/* The share of an issuer is used up: places that the partition has go to the pool meanwhile. */
static void round_share(void)
{
    fill(73, 8); /* of the places drawn last some are left */
    uint64_t number = to_come();
    if (number % (GROUPS + 1) == 0)
        number = to_come();
    uint32_t id = lab.groups[number % (GROUPS + 1)];
    lab.worker->groups->limit = lab.worker->groups->places[id - 1].entries;
    watch(call_reserve, number);
}

static void round_remove(void)
{
    fill(70 + random_below(&lab.random, 20), 0);
    struct known *known = some_live();
    known->may_lack = true;
    watch(release, known->number);
}

static void round_extend(void)
{
    fill(70, 4);
    struct known *known = some_live();
    known->other_end = 2 * LATER;
    if (jtgi_slot_end(&known->slot) < known->other_end)
        watch(call_extend, known->number);
}

static void round_sweep(void)
{
    fill(80, 3);
    watch(call_sweep, 0);
}

static void round_clear(void)
{
    fill(40, 4);
    for (size_t i = 0; i < lab.known_len; i++)
        lab.known[i].may_lack = true;
    watch(call_clear, 0);
}

static void kill_some_call(void)
{
    uint64_t kind = random_below(&lab.random, 3);
    fill(80, kind == 0 ? 0 : 3);
    if (kind == 2) {
        kill_within(call_sweep, 0, 300 + random_below(&lab.random, 3500));
    } else if (kind == 1) {
        kill_within(call_reserve, to_come(), 700 + random_below(&lab.random, 1200));
    } else {
        struct known *known = some_live();
        known->may_lack = true;
        kill_within(release, known->number, 500 + random_below(&lab.random, 700));
    }
}

/* A call is killed within the lock, and then its repair is watched. */
static void round_repair(void)
{
    for (int i = 0; i < REPAIRS; i++) {
        do
            kill_some_call();
        while (atomic_load(&lab.worker->partitions[0].lock) == 0);
        watch(call_mend, 0);
    }
}

/* ---- */

static unsigned rounds(void)
{
    const char *times = getenv("JTIGUARD_TEST_STEPS");
    long given = times == NULL ? 1 : strtol(times, NULL, 10);
    return ROUNDS * (given < 1 ? 1 : (unsigned)given);
}

static void run(const char *call, void (*round)(void))
{
    uint64_t steps = lab.steps, states = lab.states, bad = lab.bad;
    lab.call = call;
    for (unsigned i = 0; i < rounds(); i++)
        round();
    print_message("%-8s %9llu instructions, %6llu states, %llu bad\n", call,
                  (unsigned long long)(lab.steps - steps),
                  (unsigned long long)(lab.states - states), (unsigned long long)(lab.bad - bad));
    assert_int_equal(lab.bad, bad);
    assert_true(lab.states - states > rounds());
}

#define STEPS(name)                                                                                \
    static void a_kill_within_##name(void **state)                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        run(#name, round_##name);                                                                  \
    }
STEPS(insert)
STEPS(reuse)
STEPS(reclaim)
STEPS(share)
STEPS(remove)
STEPS(extend)
STEPS(sweep)
STEPS(clear)
STEPS(repair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_within_insert),  cmocka_unit_test(a_kill_within_reuse),
        cmocka_unit_test(a_kill_within_reclaim), cmocka_unit_test(a_kill_within_share),
        cmocka_unit_test(a_kill_within_remove),  cmocka_unit_test(a_kill_within_extend),
        cmocka_unit_test(a_kill_within_sweep),   cmocka_unit_test(a_kill_within_clear),
        cmocka_unit_test(a_kill_within_repair),
    };
    if (!steps_may_trace()) {
        print_message("this system lets nobody trace a child: skipped\n");
        return STEPS_SKIPPED;
    }
    lab.seed = random_seed();
    random_init(&lab.random, lab.seed);
    print_message("JTIGUARD_TEST_SEED=%llu\n", (unsigned long long)lab.seed);
    open_lab();
    return cmocka_run_group_tests_name("steps of the table", tests, NULL, NULL);
}
