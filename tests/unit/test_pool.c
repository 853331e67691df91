/* SPDX-License-Identifier: Apache-2.0 */
#include "table/pool.h"

#include "support/asserts.h"
#include "support/table_memory.h"

static uint64_t pool_of(const struct table_memory *memory)
{
    return atomic_load(&memory->table->head->pool);
}

static void test_draws_no_more_than_there_are(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, 10, 0, true);
    assert_int_equal(jtgi_pool_draw(memory.table, 4), 4);
    assert_int_equal(jtgi_pool_draw(memory.table, 100), 6);
    assert_int_equal(jtgi_pool_draw(memory.table, 1), 0);
    jtgi_pool_give(memory.table, 3);
    assert_int_equal(pool_of(&memory), 3);
    table_memory_close(&memory);
}

static void test_a_partition_draws_in_batches(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, 100000, 0, true);
    struct jtgi_visit visit = {.table = memory.table, .partition = memory.table->partitions};
    uint64_t batch = memory.plan.batch;
    assert_true(batch > 1);
    assert_true(jtgi_pool_take_locked(&visit));
    assert_int_equal(visit.partition->places, batch - 1);
    assert_int_equal(pool_of(&memory), 100000 - batch);
    assert_true(jtgi_pool_take_locked(&visit));
    assert_int_equal(pool_of(&memory), 100000 - batch);
    table_memory_close(&memory);
}

static void test_the_last_place_is_taken_once(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, 1, 0, true);
    struct jtgi_visit visit = {.table = memory.table, .partition = memory.table->partitions};
    assert_true(jtgi_pool_take_locked(&visit));
    assert_false(jtgi_pool_take_locked(&visit));
    jtgi_pool_return_locked(&visit, 1, 0);
    assert_int_equal(pool_of(&memory), 1);
    assert_true(jtgi_pool_take_locked(&visit));
    table_memory_close(&memory);
}

static void test_keeps_some_and_gives_the_rest_back(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, 100, 0, true);
    struct jtgi_visit visit = {.table = memory.table, .partition = memory.table->partitions};
    assert_int_equal(jtgi_pool_draw(memory.table, 50), 50);
    jtgi_pool_return_locked(&visit, 20, 12);
    assert_int_equal(visit.partition->places, 12);
    assert_int_equal(pool_of(&memory), 58);
    jtgi_pool_return_locked(&visit, 30, 12);
    assert_int_equal(visit.partition->places, 12);
    assert_int_equal(pool_of(&memory), 88);
    table_memory_close(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draws_no_more_than_there_are),
        cmocka_unit_test(test_a_partition_draws_in_batches),
        cmocka_unit_test(test_the_last_place_is_taken_once),
        cmocka_unit_test(test_keeps_some_and_gives_the_rest_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
