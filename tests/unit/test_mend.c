/* SPDX-License-Identifier: Apache-2.0 */
/* What a dead process left locked is repaired when another attaches, or by whoever takes the lock;
 * a living one's is not touched, and the answer says so. */
#include "support/asserts.h"
#include "support/table_memory.h"

#include <string.h>

enum { ENTRIES = 5000, GROUPS = 3, ME = 1, DEAD = 2, ALIVE = 3, NOW = 10 };

static struct table_memory memory;

static bool is_dead(void *context, uint32_t word)
{
    (void)context;
    return jtgi_lock_place(word) == DEAD;
}

static int set_up(void **state)
{
    (void)state;
    const struct jtgi_lock_party party = {
        .word = jtgi_lock_word(ME, 1), .wait_ms = 1, .is_dead = is_dead};
    table_memory_open(&memory, ENTRIES, ENTRIES, false);
    memory.table->party = party;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    table_memory_close(&memory);
    return 0;
}

static jtg_status reserve(uint64_t number)
{
    static const char *const names[GROUPS] = {"a", "b", "c"};
    jtg_key key = {&number, sizeof number, names[number % GROUPS], 1};
    jtg_owner owner = {"an owner"};
    return jtgi_table_reserve(memory.table, &key, &owner, NOW, 1000);
}

static void lock_all(uint32_t place)
{
    for (uint32_t i = 0; i < memory.plan.partitions; i++)
        atomic_store(&memory.table->partitions[i].lock, jtgi_lock_word(place, 1));
}

static uint64_t repairs(void)
{
    return atomic_load(&memory.table->head->repairs);
}

static void test_mends_what_a_dead_one_held(void **state)
{
    (void)state;
    assert_int_equal(reserve(1), JTG_OK);
    lock_all(DEAD);
    assert_int_equal(jtgi_table_mend(memory.table, NOW), 0);
    assert_int_equal(repairs(), memory.plan.partitions);
    for (uint32_t i = 0; i < memory.plan.partitions; i++)
        assert_int_equal(atomic_load(&memory.table->partitions[i].lock), 0);
    assert_int_equal(jtgi_table_mend(memory.table, NOW), 0);
    assert_int_equal(repairs(), memory.plan.partitions);
}

/* A process that has my place, and died in it before me. */
static void test_mends_what_my_word_held(void **state)
{
    (void)state;
    lock_all(ME);
    assert_int_equal(jtgi_table_mend(memory.table, NOW), 0);
    assert_int_equal(repairs(), memory.plan.partitions);
    assert_int_equal(reserve(1), JTG_OK);
}

static void test_leaves_the_living_alone(void **state)
{
    (void)state;
    uint64_t number = 0;
    struct jtgi_table_stats stats;
    lock_all(ALIVE);
    assert_int_equal(jtgi_table_mend(memory.table, NOW), 0);
    assert_int_equal(repairs(), 0);
    const jtg_status blocked = JTG_ERR_BLOCKED;
    assert_int_equal(reserve(1), blocked);
    jtg_key key = {"a key", 5, NULL, 0};
    jtg_owner owner = {"an owner"};
    assert_int_equal(jtgi_table_release(memory.table, &key, &owner, NOW), blocked);
    assert_int_equal(jtgi_table_count(memory.table, &number), blocked);
    assert_int_equal(jtgi_table_clear(memory.table), blocked);
    assert_int_equal(jtgi_table_prune(memory.table, NOW, &number), blocked);
    assert_int_equal(jtgi_table_stats_get(memory.table, &stats), blocked);
    assert_false(jtgi_table_sweep(memory.table, 0, NOW, 1));
    for (uint32_t i = 0; i < memory.plan.partitions; i++)
        atomic_store(&memory.table->partitions[i].lock, 0);
    assert_int_equal(reserve(1), JTG_OK);
}

static void test_whoever_takes_the_lock_repairs_first(void **state)
{
    (void)state;
    assert_int_equal(reserve(1), JTG_OK);
    lock_all(DEAD);
    memory.table->partitions[0].occupied = 77;
    uint64_t count = 0;
    assert_int_equal(jtgi_table_count(memory.table, &count), JTG_OK);
    assert_int_equal(count, 1);
    assert_int_equal(repairs(), memory.plan.partitions);
}

static void test_says_how_many_were_lost(void **state)
{
    (void)state;
    lock_all(DEAD);
    uint32_t slots = memory.plan.homes + memory.plan.overrun;
    memory.table->slots[slots - 1] = (struct jtgi_slot){1, 1, 1};
    assert_int_equal(jtgi_table_mend(memory.table, NOW), 1);
    assert_int_equal(atomic_load(&memory.table->partitions[0].lost_at), NOW);
    struct jtgi_table_stats stats;
    assert_int_equal(jtgi_table_stats_get(memory.table, &stats), JTG_OK);
    assert_int_equal(stats.losses, 1);
    assert_int_equal(stats.repairs, memory.plan.partitions);
}

/* Places and shares that deaths have lost are found again. */
static void test_a_recount_finds_everything(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 3000; i++)
        assert_int_equal(reserve(i), JTG_OK);
    atomic_store(&memory.table->head->pool, 5);
    memory.table->partitions[1].places = 3;
    memory.table->partitions[2].occupied = 1;
    uint32_t id = jtgi_groups_id(memory.table->groups, 77);
    for (int i = 0; i < 40; i++)
        assert_true(jtgi_groups_join(memory.table->groups, id));
    jtgi_table_recount(memory.table);
    assert_null(table_fault(memory.table));
    for (int i = 0; i < ENTRIES; i++)
        assert_true(jtgi_groups_join(memory.table->groups, id));
    assert_false(jtgi_groups_join(memory.table->groups, id));
    for (uint64_t i = 3000; i < ENTRIES; i++)
        assert_int_equal(reserve(i), JTG_OK);
    assert_int_equal(reserve(ENTRIES), JTG_ERR_FULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mends_what_a_dead_one_held, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mends_what_my_word_held, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_leaves_the_living_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_whoever_takes_the_lock_repairs_first, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_says_how_many_were_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_recount_finds_everything, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
