/* SPDX-License-Identifier: Apache-2.0 */
/* A process is killed between any two instructions of any call on the values that others share.
 *
 * A child makes one call, an instruction at a time. After each one that changed the memory, this is
 * what a kill would leave: it is copied, mended as the next process would mend it, and looked at.
 * Each key must have the list of before the call, or that of after it; every value must be whole;
 * every other cell must be empty and free; and the counters must be right.
 *
 * The code is compiled into this test at -O3 without sanitizers, whatever the build: it is the
 * compiler's order that is judged. JTIGUARD_TEST_STEPS=n makes n times as many rounds. */
#include "host/value_cells.h"
#include "support/asserts.h"
#include "support/random.h"
#include "support/steps.h"
#include "support/value_memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    VALUES = 14,
    BYTES = 6000,
    KEYS = 5,
    LIST_MAX = 4,
    VALUE_MAX = 500, /* three cells */
    WORKER = 1,      /* whose word the child has */
    HEIR = 2,        /* who mends */
    NOW = 1000,
    LATER = 5000,
    ROUNDS = 4,
    STEPS_MAX = 400000 /* of one call: it is over long before */
};

/* ---- the areas ---- */

/* What a key holds, newest first. */
struct list {
    uint32_t ids[LIST_MAX + 1];
    size_t count;
};

static struct lab {
    struct random_source random;
    struct jtgi_value_plan plan;
    unsigned char *live, *scratch, *last;
    struct jtgi_value_area *worker, *heir;
    struct list before[KEYS], after[KEYS];
    bool may_lack[UINT16_MAX + 1]; /* by id: it has ended, or the call removes it */
    uint32_t next_id;
    uint64_t steps, states, bad;
    const char *call;
    /* of the call that is watched */
    uint32_t key, id;
    uint32_t expected;
    size_t keep;
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
    jtgi_value_plan(&lab.plan, VALUES, BYTES);
    lab.live = map();
    lab.scratch = map();
    lab.last = map();
    jtgi_value_area_format(lab.live, &lab.plan);
    memcpy(lab.scratch, lab.live, lab.plan.bytes);
    lab.worker = jtgi_value_area_open(lab.live, &lab.plan, &worker);
    lab.heir = jtgi_value_area_open(lab.scratch, &lab.plan, &heir);
    assert_true(lab.worker != NULL && lab.heir != NULL);
}

/* ---- keys and values ---- */

static jtg_key key_of(uint32_t number, unsigned char bytes[300])
{
    /* Every other one goes on in a second cell. */
    size_t len = number % 2 == 0 ? 20 : 300;
    memset(bytes, (int)number + 1, len);
    return (jtg_key){bytes, len, NULL, 0};
}

static size_t value_of(uint32_t id, unsigned char bytes[VALUE_MAX])
{
    size_t len = sizeof id + id * 37 % (VALUE_MAX - sizeof id);
    memset(bytes, (int)(id % 255) + 1, len);
    memcpy(bytes, &id, sizeof id);
    return len;
}

static bool is_value(const struct jtgi_value_cell *cell, uint32_t *id)
{
    unsigned char is[JTGI_VALUE_CELL_ROOM * 4], must[VALUE_MAX];
    if (cell->len > sizeof is || !jtgi_value_cells_read_locked(lab.heir, cell, is))
        return false;
    memcpy(id, is, sizeof *id);
    return value_of(*id, must) == cell->len && memcmp(is, must, cell->len) == 0;
}

/* ---- what a state must be ---- */

/* The list, but for what may lack. */
static bool is_like(const uint32_t *ids, size_t count, const struct list *list)
{
    size_t at = 0;
    for (size_t i = 0; i < list->count; i++)
        if (at < count && ids[at] == list->ids[i])
            at++;
        else if (!lab.may_lack[list->ids[i]])
            return false;
    return at == count;
}

static const char *list_fault(uint32_t number, const struct jtgi_value_cell *key)
{
    uint32_t ids[LIST_MAX + 1];
    size_t count = 0;
    const struct jtgi_value_cell *value =
        key != NULL ? jtgi_value_cell(lab.heir, key->newest) : NULL;
    for (; value != NULL; value = jtgi_value_cell(lab.heir, value->behind)) {
        if (count > LIST_MAX)
            return "a list is too long";
        if (!is_value(value, &ids[count++]))
            return "a value is torn";
    }
    return is_like(ids, count, &lab.before[number]) || is_like(ids, count, &lab.after[number])
               ? NULL
               : "neither the list of before nor that of after";
}

static const struct jtgi_value_cell *find(const jtg_key *key)
{
    const struct jtgi_value_cell *cell =
        jtgi_value_cell(lab.heir, *jtgi_value_bucket(lab.heir, key->data, key->data_len));
    while (cell != NULL && !jtgi_value_cells_are_locked(lab.heir, cell, key->data, key->data_len))
        cell = jtgi_value_cell(lab.heir, cell->behind);
    return cell;
}

static const char *lists_fault(void)
{
    unsigned char bytes[300];
    uint32_t there = 0;
    const char *fault = NULL;
    for (uint32_t number = 0; number < KEYS && fault == NULL; number++) {
        const jtg_key key = key_of(number, bytes);
        const struct jtgi_value_cell *found = find(&key);
        there += found != NULL;
        fault = list_fault(number, found);
    }
    return fault == NULL && there != lab.heir->head->keys ? "a key that nobody put in" : fault;
}

static const char *state_fault(void)
{
    bool is_held = atomic_load(&lab.heir->head->lock) != 0;
    if (!jtgi_value_area_mend(lab.heir))
        return "taken for a stray write";
    if (atomic_load(&lab.heir->head->lock) != 0)
        return "still locked";
    if (!is_held && lab.heir->head->repairs != 0)
        return "repaired without need";
    const char *fault = value_area_fault(lab.heir);
    return fault == NULL ? lists_fault() : fault;
}

/* What is in `last`, killed there. */
static void judge(void)
{
    memcpy(lab.scratch, lab.last, lab.plan.bytes);
    lab.heir->head->repairs = 0;
    lab.states++;
    const char *fault = state_fault();
    if (fault != NULL && lab.bad++ < 20)
        print_message("%s: %s\n", lab.call, fault);
}

/* ---- one instruction at a time ---- */

static void watch(steps_call call)
{
    pid_t child = steps_start(call, 0);
    memcpy(lab.last, lab.live, lab.plan.bytes);
    judge();
    for (uint64_t steps = 0; steps_go(child); steps++) {
        assert_true(steps < STEPS_MAX);
        lab.steps++;
        if (memcmp(lab.last, lab.live, lab.plan.bytes) == 0)
            continue;
        memcpy(lab.last, lab.live, lab.plan.bytes);
        judge();
    }
}

static void kill_within(steps_call call, uint64_t instructions)
{
    pid_t child = steps_start(call, 0);
    for (uint64_t i = 0; i < instructions && steps_go(child); i++)
        ;
    steps_end(child);
}

/* ---- the calls ---- */

static jtg_status put(uint32_t number, uint32_t id, size_t keep, uint64_t now, uint64_t end)
{
    unsigned char name[300], bytes[VALUE_MAX];
    const jtg_key key = key_of(number, name);
    size_t len = value_of(id, bytes);
    return jtgi_value_area_put(lab.worker, &key, bytes, len, now, end - now, keep);
}

static void call_put(uint64_t number)
{
    (void)number;
    (void)put(lab.key, lab.id, lab.keep, NOW, LATER);
}

static void call_swap(uint64_t number)
{
    unsigned char name[300], expected[VALUE_MAX], bytes[VALUE_MAX];
    const jtg_key key = key_of(lab.key, name);
    size_t expected_len = value_of(lab.expected, expected);
    size_t len = value_of(lab.id, bytes);
    (void)number;
    (void)jtgi_value_area_swap(lab.worker, &key, expected, expected_len, lab.id != 0 ? bytes : NULL,
                               lab.id != 0 ? len : 0, NOW, LATER);
}

static void call_take(uint64_t number)
{
    unsigned char name[300];
    const jtg_key key = key_of(lab.key, name);
    jtg_value value = JTG_VALUE_INIT;
    (void)number;
    (void)jtgi_value_area_take(lab.worker, &key, NOW, &value);
}

static void call_drop(uint64_t number)
{
    unsigned char name[300];
    const jtg_key key = key_of(lab.key, name);
    (void)number;
    (void)jtgi_value_area_drop(lab.worker, &key, NOW);
}

static void call_sweep(uint64_t number)
{
    (void)number;
    while (jtgi_value_area_sweep(lab.worker, NOW, 7))
        ;
}

static void call_clear(uint64_t number)
{
    (void)number;
    (void)jtgi_value_area_clear(lab.worker);
}

static void call_mend(uint64_t number)
{
    (void)number;
    (void)jtgi_value_area_mend(lab.worker);
}

/* ---- worlds ---- */

static void push(struct list *list, uint32_t id, size_t keep)
{
    memmove(list->ids + 1, list->ids, LIST_MAX * sizeof list->ids[0]);
    list->ids[0] = id;
    list->count = list->count + 1 < keep ? list->count + 1 : keep;
}

static uint32_t new_id(void)
{
    uint32_t id = lab.next_id++;
    assert_true(id <= UINT16_MAX);
    return id;
}

static void add(uint32_t number, bool ends)
{
    uint32_t id = new_id();
    lab.may_lack[id] = ends;
    assert_int_equal(put(number, id, LIST_MAX, 1, ends ? 500 : LATER), JTG_OK);
    push(&lab.before[number], id, LIST_MAX);
}

/* The first key has none, the others up to three; one in `ended_each` has ended. */
static void fill(uint64_t ended_each)
{
    memset(lab.live, 0, lab.plan.bytes);
    jtgi_value_area_format(lab.live, &lab.plan);
    memcpy(lab.worker->hash_key, lab.worker->head->hash_key, sizeof lab.worker->hash_key);
    memcpy(lab.heir->hash_key, lab.worker->head->hash_key, sizeof lab.heir->hash_key);
    memset(lab.before, 0, sizeof lab.before);
    memset(lab.may_lack, 0, sizeof lab.may_lack);
    lab.next_id = 1 + (uint32_t)random_below(&lab.random, 1000);
    for (uint32_t number = 1; number < KEYS; number++)
        for (uint64_t i = 1 + random_below(&lab.random, LIST_MAX - 1); i > 0; i--)
            add(number, ended_each != 0 && random_below(&lab.random, ended_each) == 0);
    memcpy(lab.after, lab.before, sizeof lab.after);
}

static uint32_t some_key(void)
{
    return 1 + (uint32_t)random_below(&lab.random, KEYS - 1);
}

static void prepare_put(uint32_t number, size_t keep)
{
    lab.key = number;
    lab.id = new_id();
    lab.keep = keep;
    push(&lab.after[number], lab.id, keep);
}

static void round_first(void)
{
    fill(0);
    prepare_put(0, 1);
    watch(call_put);
}

static void round_replace(void)
{
    fill(4);
    prepare_put(some_key(), 1);
    watch(call_put);
}

static void round_push(void)
{
    fill(0);
    prepare_put(some_key(), 2);
    watch(call_put);
}

/* Full: what has ended is removed first. */
static void round_reclaim(void)
{
    fill(3);
    while (lab.worker->head->values < VALUES)
        if (lab.before[1].count < LIST_MAX)
            add(1, true);
        else if (lab.before[2].count < LIST_MAX)
            add(2, false);
        else if (lab.before[3].count < LIST_MAX)
            add(3, false);
        else
            add(4, false);
    memcpy(lab.after, lab.before, sizeof lab.after);
    prepare_put(0, 1);
    watch(call_put);
}

static void prepare_swap(bool removes)
{
    fill(0);
    lab.key = some_key();
    lab.expected = lab.before[lab.key].ids[0];
    lab.id = removes ? 0 : new_id();
    lab.after[lab.key].count = 0;
    if (!removes)
        push(&lab.after[lab.key], lab.id, 1);
}

static void round_swap(void)
{
    prepare_swap(false);
    watch(call_swap);
}

static void round_remove(void)
{
    prepare_swap(true);
    watch(call_swap);
}

static void prepare_take(void)
{
    fill(0);
    lab.key = some_key();
    struct list *list = &lab.after[lab.key];
    list->count--;
    memmove(list->ids, list->ids + 1, list->count * sizeof list->ids[0]);
}

static void round_take(void)
{
    prepare_take();
    watch(call_take);
}

static void round_drop(void)
{
    fill(3);
    lab.key = some_key();
    lab.after[lab.key].count = 0;
    watch(call_drop);
}

static void round_sweep(void)
{
    fill(2);
    watch(call_sweep);
}

static void round_clear(void)
{
    fill(0);
    memset(lab.may_lack, true, sizeof lab.may_lack);
    watch(call_clear);
}

static void kill_some_call(void)
{
    if (random_below(&lab.random, 2) == 0) {
        fill(0);
        prepare_put(some_key(), 2);
        kill_within(call_put, 300 + random_below(&lab.random, 3000));
    } else {
        prepare_swap(random_below(&lab.random, 2) == 0);
        kill_within(call_swap, 300 + random_below(&lab.random, 5000));
    }
}

/* A call is killed within the lock, and then its repair is watched. */
static void round_repair(void)
{
    do
        kill_some_call();
    while (atomic_load(&lab.worker->head->lock) == 0);
    watch(call_mend);
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
STEPS(first)
STEPS(replace)
STEPS(push)
STEPS(reclaim)
STEPS(swap)
STEPS(remove)
STEPS(take)
STEPS(drop)
STEPS(sweep)
STEPS(clear)
STEPS(repair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_within_first),  cmocka_unit_test(a_kill_within_replace),
        cmocka_unit_test(a_kill_within_push),   cmocka_unit_test(a_kill_within_reclaim),
        cmocka_unit_test(a_kill_within_swap),   cmocka_unit_test(a_kill_within_remove),
        cmocka_unit_test(a_kill_within_take),   cmocka_unit_test(a_kill_within_drop),
        cmocka_unit_test(a_kill_within_sweep),  cmocka_unit_test(a_kill_within_clear),
        cmocka_unit_test(a_kill_within_repair),
    };
    if (!steps_may_trace()) {
        print_message("this system lets nobody trace a child: skipped\n");
        return STEPS_SKIPPED;
    }
    uint64_t seed = random_seed();
    random_init(&lab.random, seed);
    print_message("JTIGUARD_TEST_SEED=%llu\n", (unsigned long long)seed);
    open_lab();
    return cmocka_run_group_tests_name("steps of the values", tests, NULL, NULL);
}
