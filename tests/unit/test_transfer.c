/* SPDX-License-Identifier: Apache-2.0 */
/* A table that takes over what another one holds: all that lives, in order, with its counters; and
 * the locks and marks meanwhile. */
#include "table/transfer.h"

#include "support/asserts.h"
#include "support/table_memory.h"

#include <string.h>

enum { NOW = 1000, SOON = 2000, LATER = 5000, ENTRIES = 30000 };

static const struct jtgi_lock_party other = {.word = 2, .shared = true, .wait_ms = 1};

/* Another handle to the same table, of a process that does not wait. */
static struct jtgi_table *open_other(const struct table_memory *memory)
{
    struct jtgi_table *table = jtgi_table_open(memory->base, &memory->plan, &other);
    assert_non_null(table);
    return table;
}

static void open_like(struct table_memory *memory, const struct table_memory *old, uint64_t entries,
                      uint64_t per_group)
{
    struct jtgi_table_plan plan;
    jtgi_table_plan_like(&plan, entries, per_group, old->plan.partitions);
    table_memory_open_plan(memory, &plan);
}

static jtg_status reserve(struct jtgi_table *table, uint64_t number, uint64_t owner, uint64_t end)
{
    jtg_key key = {&number, sizeof number, number % 2 == 0 ? "even" : NULL,
                   number % 2 == 0 ? 4 : 0};
    jtg_owner by = {{0}};
    memcpy(by.bytes, &owner, sizeof owner);
    return jtgi_table_reserve(table, &key, &by, NOW, end - NOW);
}

static uint64_t count_of(struct jtgi_table *table)
{
    uint64_t count = 0;
    assert_status(jtgi_table_count(table, &count), JTG_OK);
    return count;
}

static jtg_status copy(struct table_memory *to, struct table_memory *from, uint64_t now)
{
    assert_true(jtgi_table_hold(from->table));
    jtg_status status = jtgi_table_copy_locked(to->table, from->table, now);
    jtgi_table_let_go_locked(from->table);
    return status;
}

/* Of every number of partitions that the old one may have, and grown or not. */
static void what_lives_goes_along(void **state)
{
    const uint64_t sizes[] = {1000, 3000, 20000, 300000};
    (void)state;
    for (unsigned i = 0; i < 2 * sizeof sizes / sizeof sizes[0]; i++) {
        struct table_memory old, heir;
        uint64_t entries = sizes[i / 2] * 8 / 10;
        table_memory_open(&old, sizes[i / 2], sizes[i / 2], i % 2 == 1);
        for (uint64_t number = 0; number < entries; number++)
            assert_status(reserve(old.table, number, 1, number % 3 == 0 ? SOON : LATER), JTG_OK);
        open_like(&heir, &old, sizes[(i / 2 + 1) % 4] + entries, sizes[i / 2]);
        assert_status(copy(&heir, &old, SOON), JTG_OK);
        assert_null(table_fault(heir.table));
        assert_int_equal(count_of(heir.table), entries - (entries + 2) / 3);
        for (uint64_t number = 0; number < entries; number++)
            if (number % 3 != 0)
                assert_status(reserve(heir.table, number, 2, LATER), JTG_REPLAYED);
        assert_status(reserve(heir.table, 1, 1, LATER), JTG_OK);
        table_memory_close(&heir);
        table_memory_close(&old);
    }
}

static void a_share_is_counted(void **state)
{
    struct table_memory old, heir;
    (void)state;
    table_memory_open(&old, 1000, 100, false);
    for (uint64_t number = 0; number < 100; number++)
        assert_status(reserve(old.table, 2 * number, 1, number < 50 ? SOON : LATER), JTG_OK);
    open_like(&heir, &old, 2000, 60);
    assert_status(copy(&heir, &old, SOON), JTG_OK);
    for (uint64_t number = 100; number < 110; number++)
        assert_status(reserve(heir.table, 2 * number, 1, LATER), JTG_OK);
    assert_status(reserve(heir.table, 300, 1, LATER), JTG_ERR_GROUP_FULL);
    table_memory_close(&heir);
    table_memory_close(&old);
}

static void what_is_too_much_is_refused(void **state)
{
    struct table_memory old, heir;
    (void)state;
    table_memory_open(&old, ENTRIES, 0, false);
    for (uint64_t number = 0; number < ENTRIES; number++)
        assert_status(reserve(old.table, number, 1, LATER), JTG_OK);
    open_like(&heir, &old, ENTRIES - 1, 0);
    assert_status(copy(&heir, &old, NOW), JTG_ERR_FULL);
    table_memory_close(&heir);
    open_like(&heir, &old, 100, 0); /* no part of it has room for its own */
    assert_status(copy(&heir, &old, NOW), JTG_ERR_FULL);
    table_memory_close(&heir);
    assert_int_equal(count_of(old.table), ENTRIES);
    assert_null(table_fault(old.table));
    table_memory_close(&old);
}

/* When a part was emptied is asked of the heir, too. */
static void a_loss_goes_along(void **state)
{
    const uint64_t number = 1;
    const jtg_key key = {&number, sizeof number, NULL, 0};
    struct table_memory old, heir;
    (void)state;
    table_memory_open(&old, 1000, 0, false);
    atomic_store(&old.table->partitions[0].lost_at, 17);
    open_like(&heir, &old, 2000, 0);
    assert_status(copy(&heir, &old, NOW), JTG_OK);
    assert_int_equal(jtgi_table_lost_at(heir.table, &key), 17);
    table_memory_close(&heir);
    table_memory_close(&old);
}

static void nobody_enters_meanwhile_or_behind_a_mark(void **state)
{
    struct table_memory old;
    (void)state;
    table_memory_open(&old, ENTRIES, 0, false);
    struct jtgi_table *others = open_other(&old);
    assert_true(jtgi_table_hold(old.table));
    assert_false(jtgi_table_hold(others));
    assert_status(reserve(others, 1, 1, LATER), JTG_ERR_BLOCKED);
    assert_false(jtgi_table_unmark(others));
    jtgi_table_mark_locked(old.table, true);
    jtgi_table_let_go_locked(old.table);
    assert_status(reserve(others, 1, 1, LATER), JTG_ERR_BLOCKED);
    assert_status(reserve(old.table, 1, 1, LATER), JTG_ERR_BLOCKED);
    assert_false(jtgi_table_hold(old.table));
    assert_true(jtgi_table_unmark(others));
    assert_status(reserve(others, 1, 1, LATER), JTG_OK);
    jtgi_table_close(others);
    table_memory_close(&old);
}

static void who_cannot_have_all_lets_go_of_all(void **state)
{
    struct table_memory old;
    uint64_t number = 0;
    (void)state;
    table_memory_open(&old, ENTRIES, 0, false);
    struct jtgi_table *others = open_other(&old);
    struct jtgi_partition *last = &old.table->partitions[old.plan.partitions - 1];
    assert_int_equal(jtgi_lock_take(&last->lock, &old.table->party), JTGI_LOCK_TAKEN);
    assert_false(jtgi_table_hold(others));
    for (size_t i = 0; i + 1 < old.plan.partitions; i++)
        assert_int_equal(atomic_load(&old.table->partitions[i].lock), 0);
    jtgi_lock_leave(&last->lock, &old.table->party);
    while (number < 100)
        assert_status(reserve(others, number++, 1, LATER), JTG_OK);
    jtgi_table_close(others);
    table_memory_close(&old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_lives_goes_along),
        cmocka_unit_test(a_share_is_counted),
        cmocka_unit_test(what_is_too_much_is_refused),
        cmocka_unit_test(a_loss_goes_along),
        cmocka_unit_test(nobody_enters_meanwhile_or_behind_a_mark),
        cmocka_unit_test(who_cannot_have_all_lets_go_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
