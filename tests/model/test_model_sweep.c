/* SPDX-License-Identifier: Apache-2.0 */
/* A pass of the sweep takes many steps, and between two of them entries come, go and move across
 * the slot where it goes on. Whatever happens there, the pass must not end with a promise that is
 * too good: an entry that ends before the table's `earliest` would never be swept, and its place
 * be lost to a full store. */
#include "memory/table.h"
#include "support/asserts.h"
#include "support/random.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES = 6000, ROUNDS = 1500, NEAR = 6 };

/* Ends that come soon and ends that never come in this test. */
#define SOON  UINT64_C(1000)
#define NEVER (UINT64_C(1) << 38)

struct run {
    uint64_t seed;
    unsigned round;
    struct random_source random;
    struct jtgi_table table;
    struct jtgi_slot *slots;
    uint64_t now;
};

static struct jtgi_visit visit_of(struct run *run)
{
    return (struct jtgi_visit){.table = &run->table, .slots = run->slots, .now = run->now};
}

static void insert(struct run *run, uint64_t fingerprint, uint64_t end)
{
    struct jtgi_visit visit = visit_of(run);
    if (jtgi_table_find_locked(&visit, fingerprint, 1) != JTGI_FREE)
        return;
    assert_int_not_equal(jtgi_table_room_locked(&visit, fingerprint), JTGI_ROOM_NONE);
    jtgi_table_insert_locked(&visit, fingerprint, 1, end, 0);
}

static bool is_empty(const struct run *run, uint64_t at)
{
    return run->slots[at].end_and_group == 0;
}

static void remove_at(struct run *run, uint64_t at)
{
    struct jtgi_visit visit = visit_of(run);
    if (is_empty(run, at) || run->slots[at].end_and_group <= run->now)
        return;
    assert_int_equal(jtgi_table_find_locked(&visit, run->slots[at].fingerprint, 1), JTGI_OURS);
    jtgi_table_remove_locked(&visit);
}

static uint64_t soon(struct run *run)
{
    return run->now + 1 + random_below(&run->random, SOON);
}

/* Some fingerprint whose home is the slot. */
static uint64_t fingerprint_at(struct run *run, uint64_t at)
{
    uint64_t width = UINT64_MAX / run->table.homes;
    return at * width + width / 4 + random_below(&run->random, width / 2);
}

/* One call just before, at or just behind the slot where the sweep goes on. */
static void disturb(struct run *run)
{
    uint64_t at = run->table.sweep_at + random_below(&run->random, 2 * NEAR);
    at = at < NEAR ? 0 : at - NEAR;
    if (at >= run->table.homes)
        return;
    if (random_below(&run->random, 2) == 0)
        remove_at(run, at);
    else
        insert(run, fingerprint_at(run, at), run->round % 3 == 0 ? run->now + NEVER : soon(run));
}

/* An entry that ends soon, alone with that, near a slot at which a step may stop. */
static void plant(struct run *run)
{
    uint64_t stops = run->table.homes / JTGI_SWEEP_SLOTS;
    uint64_t stop = random_below(&run->random, stops) * JTGI_SWEEP_SLOTS;
    insert(run, fingerprint_at(run, stop + random_below(&run->random, NEAR)), soon(run));
}

static void promise_is_kept(const struct run *run)
{
    for (uint64_t at = 0; at < run->table.top; at++)
        if (!is_empty(run, at) && run->slots[at].end_and_group < run->table.earliest)
            fail_msg("slot %" PRIu64 " ends before the table's earliest end"
                     "\nround %u; repeat with JTIGUARD_TEST_SEED=%" PRIu64,
                     at, run->round, run->seed);
}

static void one_pass(struct run *run)
{
    bool more = true;
    while (more) {
        struct jtgi_visit visit = visit_of(run);
        more = jtgi_table_sweep_locked(&visit, run->round + 1);
        assert_true(visit.work <= 8192);
        for (int i = 0; more && i < 30; i++)
            disturb(run);
    }
    promise_is_kept(run);
}

static void fill(struct run *run)
{
    while (run->table.occupied < ENTRIES)
        insert(run, random_below(&run->random, UINT64_MAX), run->now + NEVER);
}

static void a_disturbed_pass_promises_nothing_false(void **state)
{
    static struct run run;
    (void)state;
    run.seed = random_seed();
    run.now = 1;
    print_message("JTIGUARD_TEST_SEED=%" PRIu64 "\n", run.seed);
    random_init(&run.random, run.seed);
    jtgi_table_init(&run.table, jtgi_table_homes_for(2 * ENTRIES));
    run.slots = calloc(run.table.slot_count, sizeof run.slots[0]);
    assert_non_null(run.slots);
    /* By turns: what ends soon was there before the pass, comes during it, or both. */
    for (run.round = 0; run.round < ROUNDS; run.round++) {
        fill(&run);
        insert(&run, 1, run.now + 1); /* gives the pass a reason */
        run.now += 1 + SOON;          /* what an earlier round left has ended */
        if (run.round % 3 != 1)
            plant(&run);
        one_pass(&run);
    }
    free(run.slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disturbed_pass_promises_nothing_false),
    };
    return cmocka_run_group_tests_name("model of the sweep", tests, NULL, NULL);
}
