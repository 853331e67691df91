/* SPDX-License-Identifier: Apache-2.0 */
/* The reservation table against its own rules: after every operation the array is in order, nothing
 * is parted from its home, and it holds exactly what a plain list says. */
#include "memory/table.h"

#include "support/asserts.h"
#include "support/random.h"

#include <jtiguard/memory.h>

#include <stdlib.h>
#include <string.h>

enum { MODEL_MAX = 4096 };

struct model_entry {
    uint64_t fingerprint;
    uint64_t owner_tag;
    uint64_t end;
};

struct world {
    struct jtgi_table table;
    struct jtgi_slot *slots;
    uint64_t now;
    struct model_entry model[MODEL_MAX];
    size_t model_len;
};

static void open_world(struct world *world, uint64_t max_homes)
{
    memset(world, 0, sizeof *world);
    jtgi_table_init(&world->table, max_homes);
    world->slots = calloc(world->table.slot_count, sizeof world->slots[0]);
    assert_non_null(world->slots);
    world->now = 1;
}

static void close_world(struct world *world)
{
    free(world->slots);
}

static struct jtgi_visit visit_of(struct world *world)
{
    return (struct jtgi_visit){.table = &world->table, .slots = world->slots, .now = world->now};
}

/* ---- the rules ---- */

static uint64_t home_in(const struct jtgi_table *table, uint64_t fingerprint)
{
    return jtgi_table_home(fingerprint,
                           fingerprint >= table->frontier ? table->next_homes : table->homes);
}

static uint64_t end_in(const struct jtgi_slot *slot)
{
    return slot->end_and_group & ((UINT64_C(1) << JTGI_END_BITS) - 1);
}

static void assert_rules_hold(const struct world *world)
{
    const struct jtgi_table *table = &world->table;
    uint64_t occupied = 0;
    uint64_t last = 0;
    uint64_t gap = 0; /* one past the last empty slot */
    for (uint64_t i = 0; i < table->slot_count; i++) {
        const struct jtgi_slot *slot = &world->slots[i];
        if (slot->end_and_group == 0) {
            gap = i + 1;
            continue;
        }
        uint64_t home = home_in(table, slot->fingerprint);
        assert_true(occupied == 0 || slot->fingerprint > last);
        assert_true(home <= i);
        assert_true(home >= gap);
        assert_true(i < table->top);
        assert_true(end_in(slot) >= table->earliest || table->clearing);
        if (table->next_homes != table->homes && i >= table->unmoved)
            assert_true(slot->fingerprint >= table->frontier);
        last = slot->fingerprint;
        occupied++;
    }
    assert_int_equal(occupied, table->occupied);
    assert_int_equal(world->slots[table->slot_count - 1].end_and_group, 0);
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
        enum jtgi_found found =
            jtgi_table_find_locked(&visit, entry->fingerprint, entry->owner_tag);
        assert_int_equal(found, entry->end > world->now ? JTGI_OURS : JTGI_FREE);
    }
}

/* ---- one operation on both ---- */

static void reserve(struct world *world, uint64_t fingerprint, uint64_t owner_tag, uint64_t end)
{
    struct jtgi_visit visit = visit_of(world);
    struct model_entry *known = model_find(world, fingerprint);
    switch (jtgi_table_find_locked(&visit, fingerprint, owner_tag)) {
    case JTGI_OURS:
        assert_non_null(known);
        assert_int_equal(known->owner_tag, owner_tag);
        jtgi_table_extend_locked(&visit, end);
        known->end = end > known->end ? end : known->end;
        break;
    case JTGI_ANOTHERS:
        assert_non_null(known);
        assert_int_not_equal(known->owner_tag, owner_tag);
        break;
    case JTGI_FREE:
        assert_null(known);
        if (jtgi_table_room_locked(&visit, fingerprint) == JTGI_ROOM_NONE ||
            world->table.occupied * 100 > world->table.max_homes * 95)
            break;
        jtgi_table_insert_locked(&visit, fingerprint, owner_tag, end, 0);
        model_forget(world, fingerprint);
        world->model[world->model_len++] = (struct model_entry){fingerprint, owner_tag, end};
        break;
    }
    assert_true(visit.work <= JTG_MEMORY_STEP_SLOTS);
}

static void release(struct world *world, uint64_t fingerprint, uint64_t owner_tag)
{
    struct jtgi_visit visit = visit_of(world);
    const struct model_entry *known = model_find(world, fingerprint);
    enum jtgi_found found = jtgi_table_find_locked(&visit, fingerprint, owner_tag);
    assert_int_equal(found == JTGI_FREE, known == NULL);
    if (found != JTGI_OURS)
        return;
    jtgi_table_remove_locked(&visit);
    model_forget(world, fingerprint);
}

static bool sweep(struct world *world, uint64_t pass)
{
    struct jtgi_visit visit = visit_of(world);
    return jtgi_table_sweep_locked(&visit, pass);
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
        return UINT64_MAX - 1 - any / 16 % 3;
    default:
        return any / 16 % 1500 * UINT64_C(0x9e3779b97f4a7c15);
    }
}

static void run_world(struct random_source *random, uint64_t max_homes, bool crowded, int steps)
{
    static struct world world;
    uint64_t pass = 1;
    open_world(&world, max_homes);
    for (int step = 0; step < steps; step++) {
        uint64_t fingerprint = draw_fingerprint(random, crowded);
        uint64_t owner_tag = random_below(random, 3);
        switch (random_below(random, 16)) {
        case 0:
            world.now += random_below(random, 40);
            break;
        case 1:
        case 2:
        case 3:
            release(&world, fingerprint, owner_tag);
            break;
        case 4:
            pass += sweep(&world, pass) ? 0 : 1;
            break;
        case 5:
            (void)sweep(&world, JTGI_SWEEP_ANYWAY);
            break;
        default:
            reserve(&world, fingerprint, owner_tag,
                    world.now + 1 +
                        random_below(random, random_below(random, 8) == 0 ? 5000 : 300));
            break;
        }
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
    static const uint64_t sizes[] = {2, 3, 5, 16, 64, 65, 80, 200, 1000, 3000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        run_world(&random, sizes[i], false, 6000);
        run_world(&random, sizes[i], true, 3000);
    }
}

/* ---- growth ---- */

static void test_grows_by_bounded_steps_and_loses_nothing(void **state)
{
    (void)state;
    enum { ENTRIES = 4000 };
    static struct world world;
    open_world(&world, jtgi_table_homes_for(ENTRIES));
    uint64_t most_work = 0;
    for (uint64_t i = 0; i < ENTRIES; i++) {
        uint64_t fingerprint = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        struct jtgi_visit visit = visit_of(&world);
        assert_int_equal(jtgi_table_find_locked(&visit, fingerprint, 1), JTGI_FREE);
        assert_int_equal(jtgi_table_room_locked(&visit, fingerprint), JTGI_ROOM_ADDS);
        jtgi_table_insert_locked(&visit, fingerprint, 1, 100, 0);
        if (visit.work > most_work)
            most_work = visit.work;
        if (i % 50 == 0)
            assert_rules_hold(&world);
    }
    assert_rules_hold(&world);
    assert_true(world.table.growths > 10);
    assert_true(most_work <= 2 * JTGI_GROWTH_STEP);
    for (uint64_t i = 0; i < ENTRIES; i++) {
        struct jtgi_visit visit = visit_of(&world);
        uint64_t fingerprint = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        assert_int_equal(jtgi_table_find_locked(&visit, fingerprint, 2), JTGI_ANOTHERS);
    }
    /* Never much larger than the entries ask for. */
    assert_true(world.table.homes * 100 <= ENTRIES * 100 / JTGI_LOAD_PERCENT * 140);
    close_world(&world);
}

static void test_refuses_a_run_that_is_too_long(void **state)
{
    (void)state;
    static struct world world;
    open_world(&world, 100000);
    world.table.homes = world.table.next_homes = 100000;
    /* All at one home, which nobody without the key can bring about. */
    enum jtgi_room room = JTGI_ROOM_ADDS;
    uint64_t inserted = 0;
    for (; room == JTGI_ROOM_ADDS; inserted++) {
        struct jtgi_visit visit = visit_of(&world);
        assert_int_equal(jtgi_table_find_locked(&visit, inserted, 1), JTGI_FREE);
        room = jtgi_table_room_locked(&visit, inserted);
        if (room == JTGI_ROOM_ADDS)
            jtgi_table_insert_locked(&visit, inserted, 1, 100, 0);
    }
    assert_int_equal(room, JTGI_ROOM_NONE);
    assert_int_equal(inserted - 1, JTGI_RUN_MAX);
    assert_rules_hold(&world);
    close_world(&world);
}

/* ---- the sweep ---- */

static void fill(struct world *world, uint64_t entries, uint64_t end)
{
    for (uint64_t i = 0; i < entries; i++) {
        uint64_t fingerprint = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
        struct jtgi_visit visit = visit_of(world);
        assert_int_equal(jtgi_table_find_locked(&visit, fingerprint, 1), JTGI_FREE);
        assert_int_not_equal(jtgi_table_room_locked(&visit, fingerprint), JTGI_ROOM_NONE);
        jtgi_table_insert_locked(&visit, fingerprint, 1, end + i % 2 * 1000, 0);
    }
}

static void test_sweeps_in_bounded_steps_what_has_ended(void **state)
{
    (void)state;
    enum { ENTRIES = 20000 };
    static struct world world;
    open_world(&world, jtgi_table_homes_for(ENTRIES));
    fill(&world, ENTRIES, 100);
    assert_false(sweep(&world, 1)); /* nothing has ended: not even begun */
    world.now = 100;
    int steps = 1;
    while (sweep(&world, 2)) {
        steps++;
        assert_rules_hold(&world);
    }
    assert_true(steps >= ENTRIES / JTGI_SWEEP_SLOTS);
    assert_int_equal(world.table.occupied, ENTRIES / 2);
    assert_int_equal(world.table.swept, ENTRIES / 2);
    assert_int_equal(world.table.earliest, 1100);
    assert_rules_hold(&world);
    assert_false(sweep(&world, 2)); /* a pass is made once */
    close_world(&world);
}

static void test_a_clearing_pass_removes_everything(void **state)
{
    (void)state;
    enum { ENTRIES = 5000 };
    static struct world world;
    open_world(&world, jtgi_table_homes_for(ENTRIES));
    fill(&world, ENTRIES, 100000);
    struct jtgi_visit visit = visit_of(&world);
    jtgi_table_clear_locked(&visit);
    while (sweep(&world, JTGI_SWEEP_ANYWAY))
        assert_rules_hold(&world);
    assert_int_equal(world.table.occupied, 0);
    assert_int_equal(world.table.swept, 0); /* nothing had ended */
    assert_rules_hold(&world);
    close_world(&world);
}

static void test_keeps_the_group_of_an_entry(void **state)
{
    (void)state;
    static struct world world;
    open_world(&world, 64);
    struct jtgi_visit visit = visit_of(&world);
    (void)jtgi_table_find_locked(&visit, 5, 1);
    (void)jtgi_table_room_locked(&visit, 5);
    jtgi_table_insert_locked(&visit, 5, 1, 77, 65537);
    assert_int_equal(world.slots[0].end_and_group >> JTGI_END_BITS, 65537);
    (void)jtgi_table_find_locked(&visit, 5, 1);
    jtgi_table_extend_locked(&visit, 99);
    assert_int_equal(end_in(&world.slots[0]), 99);
    assert_int_equal(world.slots[0].end_and_group >> JTGI_END_BITS, 65537);
    jtgi_table_extend_locked(&visit, 50);
    assert_int_equal(end_in(&world.slots[0]), 99);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_follows_its_rules_in_random_worlds),
        cmocka_unit_test(test_grows_by_bounded_steps_and_loses_nothing),
        cmocka_unit_test(test_refuses_a_run_that_is_too_long),
        cmocka_unit_test(test_sweeps_in_bounded_steps_what_has_ended),
        cmocka_unit_test(test_a_clearing_pass_removes_everything),
        cmocka_unit_test(test_keeps_the_group_of_an_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
