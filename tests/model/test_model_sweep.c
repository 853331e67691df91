/* SPDX-License-Identifier: Apache-2.0 */
/* A pass of the sweep takes many steps, and between two of them entries come, go and move across
 * the slot where it goes on, and segments split. Whatever happens there, the pass must not end with
 * a promise that is too good: an entry that ends before the partition's `earliest` would never be
 * swept, and its place be lost to a full store. */
#include "support/asserts.h"
#include "support/random.h"
#include "support/table_entries.h"
#include "table/partition.h"

#include <inttypes.h>
#include <string.h>

enum { ENTRIES = 6000, ROUNDS = 1500, NEAR = 6 };

/* Ends that come soon and ends that never come in this test. */
#define SOON  UINT64_C(1000)
#define NEVER (UINT64_C(1) << 38)

struct run {
    uint64_t seed;
    unsigned round;
    struct random_source random;
    struct table_memory memory;
    struct jtgi_partition *partition;
    uint64_t now;
};

static void insert(struct run *run, uint64_t fingerprint, uint64_t end)
{
    const struct jtgi_slot entry = {fingerprint, 1, end};
    (void)table_insert(&run->memory, &entry, run->now);
}

static struct jtgi_segment segment_of(const struct run *run, uint64_t fingerprint)
{
    return jtgi_segment_of(run->memory.table, run->partition, fingerprint);
}

static void remove_at(struct run *run, const struct jtgi_segment *segment, uint32_t at)
{
    struct jtgi_visit visit = table_visit(&run->memory, run->now);
    const struct jtgi_slot *slot = &segment->slots[at];
    if (jtgi_slot_is_empty(slot) || jtgi_slot_has_ended(slot, run->now))
        return;
    visit.segment = *segment;
    assert_int_equal(jtgi_segment_find_locked(&visit, slot->fingerprint, 1), JTGI_OURS);
    jtgi_segment_remove_locked(&visit);
}

static uint64_t soon(struct run *run)
{
    return run->now + 1 + random_below(&run->random, SOON);
}

/* Some fingerprint whose home is the slot. */
static uint64_t fingerprint_at(struct run *run, uint64_t from, uint32_t at)
{
    struct jtgi_segment segment = segment_of(run, from);
    uint64_t width = (UINT64_MAX >> segment.depth) / segment.homes;
    return jtgi_segment_first(&segment, from) + at * width + width / 4 +
           random_below(&run->random, width / 2);
}

/* One call just before, at or just behind the slot where the sweep goes on. */
static void disturb(struct run *run)
{
    uint64_t from = run->partition->sweep_from;
    struct jtgi_segment segment = segment_of(run, from);
    uint32_t at =
        jtgi_segment_home(&segment, from) + (uint32_t)random_below(&run->random, 2 * NEAR);
    at = at < NEAR ? 0 : at - NEAR;
    if (at >= segment.homes)
        return;
    if (random_below(&run->random, 2) == 0)
        remove_at(run, &segment, at);
    else
        insert(run, fingerprint_at(run, from, at),
               run->round % 3 == 0 ? run->now + NEVER : soon(run));
}

/* An entry that ends soon, alone with that, near a slot at which a step may stop. */
static void plant(struct run *run)
{
    uint64_t from = random_next(&run->random);
    uint32_t stops = segment_of(run, from).homes / JTGI_SWEEP_SLOTS + 1;
    uint32_t stop = (uint32_t)random_below(&run->random, stops) * JTGI_SWEEP_SLOTS;
    insert(run, fingerprint_at(run, from, stop + (uint32_t)random_below(&run->random, NEAR)),
           soon(run));
}

static void promise_is_kept(const struct run *run)
{
    const char *fault = table_partition_fault(run->memory.table, 0);
    if (fault != NULL)
        fail_msg("%s\nround %u; repeat with JTIGUARD_TEST_SEED=%" PRIu64, fault, run->round,
                 run->seed);
}

static void one_pass(struct run *run)
{
    bool more = true;
    while (more) {
        struct jtgi_visit visit = table_visit(&run->memory, run->now);
        more = jtgi_partition_sweep_locked(&visit, run->round + 1);
        assert_true(visit.work <= 8192);
        for (int i = 0; more && i < 30; i++)
            disturb(run);
    }
    promise_is_kept(run);
}

static void fill(struct run *run, uint32_t entries)
{
    while (run->partition->occupied < entries)
        insert(run, random_next(&run->random), run->now + NEVER);
}

static void disturb_passes(bool grows)
{
    static struct run run;
    memset(&run, 0, sizeof run);
    run.seed = random_seed();
    run.now = 1;
    print_message("JTIGUARD_TEST_SEED=%" PRIu64 "\n", run.seed);
    random_init(&run.random, run.seed);
    table_memory_open(&run.memory, grows ? UINT64_C(10000000) : 64 * 2 * ENTRIES, 0, grows);
    run.partition = run.memory.table->partitions;
    /* By turns: what ends soon was there before the pass, comes during it, or both. */
    for (run.round = 0; run.round < ROUNDS; run.round++) {
        fill(&run, grows ? ENTRIES + run.round : ENTRIES);
        insert(&run, 1, run.now + 1); /* gives the pass a reason */
        run.now += 1 + SOON;          /* what an earlier round left has ended */
        if (run.round % 3 != 1)
            plant(&run);
        one_pass(&run);
    }
    table_memory_close(&run.memory);
}

/* Of one long segment, and of several that split meanwhile. */
static void a_disturbed_pass_promises_nothing_false(void **state)
{
    (void)state;
    disturb_passes(false);
    disturb_passes(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disturbed_pass_promises_nothing_false),
    };
    return cmocka_run_group_tests_name("model of the sweep", tests, NULL, NULL);
}
