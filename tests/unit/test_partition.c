/* SPDX-License-Identifier: Apache-2.0 */
/* A partition against its own rules: after every operation the slots are in order, nothing is
 * parted from its home, and it holds exactly what a plain list says. */
#include "table/partition.h"

#include "support/asserts.h"
#include "support/random.h"
#include "support/table_memory.h"
#include "table/growth.h"

#include <jtiguard/memory.h>
#include <string.h>

enum { MODEL_MAX = 4096 };

struct model_entry {
    uint64_t fingerprint;
    uint64_t owner_tag;
    uint64_t end;
};

struct world {
    struct table_memory memory;
    struct jtgi_partition *partition; /* the only one */
    uint64_t now;
    struct model_entry model[MODEL_MAX];
    size_t model_len;
};

static void open_world(struct world *world, uint64_t max_entries, bool grows)
{
    memset(world, 0, sizeof *world);
    table_memory_open(&world->memory, max_entries, 0, grows);
    world->partition = world->memory.table->partitions;
    assert_int_equal(world->memory.plan.partitions, 1);
    world->now = 1;
}

static void close_world(struct world *world)
{
    table_memory_close(&world->memory);
}

static struct jtgi_visit visit_of(struct world *world)
{
    return (struct jtgi_visit){
        .table = world->memory.table, .partition = world->partition, .now = world->now};
}

static enum jtgi_found find(struct jtgi_visit *visit, uint64_t fingerprint, uint64_t owner_tag)
{
    jtgi_partition_go_to_locked(visit, fingerprint);
    return jtgi_segment_find_locked(visit, fingerprint, owner_tag);
}

static enum jtgi_room room_for(struct jtgi_visit *visit, uint64_t fingerprint)
{
    enum jtgi_room room = jtgi_segment_room_locked(visit, fingerprint);
    if (room != JTGI_ROOM_REUSES && jtgi_growth_step_locked(visit, fingerprint, room)) {
        (void)find(visit, fingerprint, 0);
        room = jtgi_segment_room_locked(visit, fingerprint);
    }
    return room;
}

static void assert_rules_hold(const struct world *world)
{
    const char *fault = table_partition_fault(world->memory.table, 0);
    if (fault != NULL)
        fail_msg("%s", fault);
}

/* ---- the plain list ---- */

static struct model_entry *model_find(struct world *world, uint64_t fingerprint)
{
    for (size_t i = 0; i < world->model_len; i++)
        if (world->model[i].fingerprint == fingerprint && world->model[i].end > world->now)
            return &world->model[i];
    return NULL;
}

static void model_forget(struct world *world, uint64_t fingerprint)
{
    size_t kept = 0;
    for (size_t i = 0; i < world->model_len; i++)
        if (world->model[i].fingerprint != fingerprint && world->model[i].end > world->now)
            world->model[kept++] = world->model[i];
    world->model_len = kept;
}

static void assert_holds_the_same(struct world *world)
{
    for (size_t i = 0; i < world->model_len; i++) {
        const struct model_entry *entry = &world->model[i];
        struct jtgi_visit visit = visit_of(world);
        enum jtgi_found found = find(&visit, entry->fingerprint, entry->owner_tag);
        assert_int_equal(found, entry->end > world->now ? JTGI_OURS : JTGI_FREE);
    }
}

/* ---- one operation on both ---- */

static void insert(struct world *world, struct jtgi_visit *visit, uint64_t fingerprint,
                   uint64_t owner_tag, uint64_t end)
{
    const struct jtgi_slot entry = {fingerprint, owner_tag, end};
    if (room_for(visit, fingerprint) == JTGI_ROOM_NONE ||
        world->partition->occupied >= world->memory.plan.max_entries)
        return;
    jtgi_segment_insert_locked(visit, &entry);
    model_forget(world, fingerprint);
    world->model[world->model_len++] = (struct model_entry){fingerprint, owner_tag, end};
}

static void reserve(struct world *world, uint64_t fingerprint, uint64_t owner_tag, uint64_t end)
{
    struct jtgi_visit visit = visit_of(world);
    struct model_entry *known = model_find(world, fingerprint);
    switch (find(&visit, fingerprint, owner_tag)) {
    case JTGI_OURS:
        assert_non_null(known);
        assert_int_equal(known->owner_tag, owner_tag);
        jtgi_segment_extend_locked(&visit, end);
        known->end = end > known->end ? end : known->end;
        break;
    case JTGI_ANOTHERS:
        assert_non_null(known);
        assert_int_not_equal(known->owner_tag, owner_tag);
        break;
    case JTGI_FREE:
        assert_null(known);
        insert(world, &visit, fingerprint, owner_tag, end);
        break;
    }
    assert_true(visit.work <= JTG_MEMORY_STEP_SLOTS);
}

static void release(struct world *world, uint64_t fingerprint, uint64_t owner_tag)
{
    struct jtgi_visit visit = visit_of(world);
    const struct model_entry *known = model_find(world, fingerprint);
    enum jtgi_found found = find(&visit, fingerprint, owner_tag);
    assert_int_equal(found == JTGI_FREE, known == NULL);
    if (found != JTGI_OURS)
        return;
    jtgi_segment_remove_locked(&visit);
    model_forget(world, fingerprint);
}

static bool sweep(struct world *world, uint64_t pass)
{
    struct jtgi_visit visit = visit_of(world);
    return jtgi_partition_sweep_locked(&visit, pass);
}

/* ---- random worlds ---- */

/* Few distinct fingerprints, in the places where the arithmetic is worst: both ends, and crowds. */
static uint64_t draw_fingerprint(struct random_source *random, bool crowded)
{
    uint64_t any = random_next(random);
    if (crowded)
        return (any % 7 << 61) + any / 7 % 40;
    switch (any % 16) {
    case 0:
        return any / 16 % 3;
    case 1:
        return UINT64_MAX - any / 16 % 3;
    default:
        return any / 16 % 2600 * UINT64_C(0x9e3779b97f4a7c15);
    }
}

static void one_step(struct world *world, struct random_source *random, bool crowded,
                     uint64_t *pass)
{
    uint64_t fingerprint = draw_fingerprint(random, crowded);
    uint64_t owner_tag = random_below(random, 3);
    uint64_t life = 1 + random_below(random, random_below(random, 8) == 0 ? 20000 : 900);
    switch (random_below(random, 24)) {
    case 0:
        world->now += random_below(random, 20);
        break;
    case 1:
    case 2:
    case 3:
        release(world, fingerprint, owner_tag);
        break;
    case 4:
        *pass += sweep(world, *pass) ? 0 : 1;
        break;
    case 5:
        (void)sweep(world, JTGI_SWEEP_ANYWAY);
        break;
    default:
        reserve(world, fingerprint, owner_tag, world->now + life);
        break;
    }
}

static void run_world(struct random_source *random, uint64_t max_entries, bool grows, bool crowded,
                      int steps)
{
    static struct world world;
    uint64_t pass = 1;
    open_world(&world, max_entries, grows);
    for (int step = 0; step < steps; step++) {
        one_step(&world, random, crowded, &pass);
        if (step % 8 == 0)
            assert_rules_hold(&world);
        if (step % 64 == 0)
            assert_holds_the_same(&world);
    }
    assert_rules_hold(&world);
    assert_holds_the_same(&world);
    close_world(&world);
}

static void test_follows_its_rules_in_random_worlds(void **state)
{
    (void)state;
    struct random_source random;
    uint64_t seed = random_seed();
    print_message("JTIGUARD_TEST_SEED=%llu\n", (unsigned long long)seed);
    random_init(&random, seed);
    static const uint64_t sizes[] = {1, 2, 3, 5, 16, 64, 65, 80, 200, 1000, 2047};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (int grows = 0; grows < 2; grows++) {
            run_world(&random, sizes[i], grows != 0, false, sizes[i] > 1000 ? 20000 : 4000);
            run_world(&random, sizes[i], grows != 0, true, 2000);
        }
}

/* ---- the sweep ---- */

static void fill(struct world *world, uint64_t entries, uint64_t end)
{
    for (uint64_t i = 0; i < entries; i++)
        reserve(world, (i + 1) * UINT64_C(0x9e3779b97f4a7c15), 1, end + i % 2 * 1000);
    assert_int_equal(world->partition->occupied, entries);
}

static void test_sweeps_in_bounded_steps_what_has_ended(void **state)
{
    (void)state;
    enum { ENTRIES = 2047 };
    for (int grows = 0; grows < 2; grows++) {
        static struct world world;
        open_world(&world, ENTRIES, grows != 0);
        fill(&world, ENTRIES, 100);
        assert_false(sweep(&world, 1)); /* nothing has ended: not even begun */
        world.now = 100;
        int steps = 1;
        while (sweep(&world, 2)) {
            steps++;
            assert_rules_hold(&world);
        }
        assert_true(steps >= ENTRIES / JTGI_SWEEP_SLOTS);
        assert_int_equal(world.partition->occupied, ENTRIES / 2);
        assert_int_equal(world.partition->swept, ENTRIES - ENTRIES / 2);
        assert_int_equal(world.partition->earliest, 1100);
        assert_rules_hold(&world);
        assert_false(sweep(&world, 2)); /* a pass is made once */
        close_world(&world);
    }
}

static bool clear(struct world *world, uint64_t *from)
{
    struct jtgi_visit visit = visit_of(world);
    return jtgi_partition_clear_locked(&visit, from);
}

static void test_clearing_removes_everything(void **state)
{
    (void)state;
    static struct world world;
    uint64_t from = 0;
    open_world(&world, 2047, true);
    fill(&world, 2047, 100000);
    while (clear(&world, &from))
        assert_rules_hold(&world);
    assert_int_equal(world.partition->occupied, 0);
    assert_int_equal(world.partition->swept, 0); /* nothing had ended */
    assert_rules_hold(&world);
    close_world(&world);
}

/* Who clears may be killed between two steps. What is left, and what comes, stays. */
static void test_a_clearing_that_is_given_up_goes_no_further(void **state)
{
    (void)state;
    static struct world world;
    uint64_t from = 0;
    open_world(&world, 2047, false);
    fill(&world, 2047, 100000);
    assert_true(clear(&world, &from));
    uint32_t left = world.partition->occupied;
    assert_true(left > 0 && left < 2047);
    world.now = 50000;
    for (int pass = 0; pass < 3; pass++)
        while (sweep(&world, JTGI_SWEEP_ANYWAY))
            assert_rules_hold(&world);
    assert_int_equal(world.partition->occupied, left);
    assert_rules_hold(&world);
    close_world(&world);
}

/* A stray write can put any fingerprint where a step ends; a pass ends all the same. */
static void test_a_pass_goes_forward_whatever_stands_there(void **state)
{
    (void)state;
    static struct world world;
    open_world(&world, 2047, false);
    fill(&world, 2047, 100000);
    for (uint32_t at = JTGI_SWEEP_SLOTS; at < world.memory.plan.homes; at++)
        world.memory.table->slots[at].fingerprint = 0;
    world.partition->earliest = 1;
    unsigned steps = 1;
    while (sweep(&world, JTGI_SWEEP_ANYWAY))
        assert_in_range(++steps, 1, world.memory.plan.homes);
    uint64_t from = 0;
    while (clear(&world, &from))
        assert_in_range(++steps, 1, 2 * world.memory.plan.homes);
    close_world(&world);
}

/* Runs as long as a segment, which nobody without the key can bring about, must not stop a pass. */
static void test_a_pass_ends_however_long_the_runs_are(void **state)
{
    (void)state;
    static struct world world;
    open_world(&world, 2047, false);
    for (uint64_t i = 0; i < 2047; i++) /* all at home at the first slot, or pushed from there */
        reserve(&world, i, 1, i % 64 == 0 ? 5 : 1000);
    assert_rules_hold(&world);
    world.now = 5;
    int steps = 0;
    while (sweep(&world, 1))
        assert_true(++steps < 10);
    assert_int_equal(world.partition->occupied, 2047 - 32);
    assert_rules_hold(&world);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_follows_its_rules_in_random_worlds),
        cmocka_unit_test(test_sweeps_in_bounded_steps_what_has_ended),
        cmocka_unit_test(test_clearing_removes_everything),
        cmocka_unit_test(test_a_clearing_that_is_given_up_goes_no_further),
        cmocka_unit_test(test_a_pass_goes_forward_whatever_stands_there),
        cmocka_unit_test(test_a_pass_ends_however_long_the_runs_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
