/* SPDX-License-Identifier: Apache-2.0 */
#include "table/hash.h"

#include "support/asserts.h"
#include "support/table_memory.h"

#include <string.h>

static void test_a_key_has_one_place(void **state)
{
    (void)state;
    struct table_memory memory;
    uint64_t seen[4] = {0};
    table_memory_open(&memory, 4096, 0, true);
    assert_int_equal(memory.plan.partitions, 4);
    for (uint64_t i = 0; i < 4000; i++) {
        jtg_key key = {&i, sizeof i, NULL, 0};
        struct jtgi_hashed one = jtgi_hash_key(memory.table, &key);
        struct jtgi_hashed other = jtgi_hash_key(memory.table, &key);
        assert_int_equal(one.fingerprint, other.fingerprint);
        assert_ptr_equal(one.partition, other.partition);
        seen[jtgi_partition_index(memory.table, one.partition)]++;
    }
    for (size_t i = 0; i < 4; i++)
        assert_in_range(seen[i], 800, 1200);
    table_memory_close(&memory);
}

/* By the definition, with numbers that can be worked out: the upper half of k0 * w0 + k1 * w1 + k2.
 */
static void test_an_owners_tag_is_the_upper_half_of_the_sum(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, 10, 0, true);
    uint64_t *k = memory.table->keys.owner;
    jtg_owner owner = {{2, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
    k[0] = UINT64_C(1) << 63; /* times 2 carries into the upper half */
    k[1] = 5;
    k[2] = 0;
    k[3] = 7;
    k[4] = UINT64_MAX;
    k[5] = 11;
    assert_int_equal(jtgi_hash_owner(memory.table, &owner), 1 + 10 + 7 * 256 + 11);
    k[0] = 0;
    assert_int_equal(jtgi_hash_owner(memory.table, &owner), 10 + 7 * 256 + 11);
    table_memory_close(&memory);
}

static void test_owners_that_differ_have_tags_that_differ(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, 10, 0, true);
    jtg_owner owner = {"an owner of all"};
    uint64_t tag = jtgi_hash_owner(memory.table, &owner);
    for (size_t bit = 0; bit < sizeof owner.bytes * 8; bit++) {
        owner.bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
        assert_true(jtgi_hash_owner(memory.table, &owner) != tag);
        owner.bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
    table_memory_close(&memory);
}

/* Another table gives another hash of everything. */
static void test_keys_are_drawn_for_each_table(void **state)
{
    (void)state;
    struct table_memory one, other;
    jtg_owner owner = {"an owner"};
    jtg_key key = {"a key", 5, NULL, 0};
    table_memory_open(&one, 10, 0, true);
    table_memory_open(&other, 10, 0, true);
    assert_true(jtgi_hash_key(one.table, &key).fingerprint !=
                jtgi_hash_key(other.table, &key).fingerprint);
    assert_true(jtgi_hash_owner(one.table, &owner) != jtgi_hash_owner(other.table, &owner));
    table_memory_close(&one);
    table_memory_close(&other);
}

static void test_groups_have_ids_where_there_are_shares(void **state)
{
    (void)state;
    struct table_memory without, with;
    jtg_key key = {"a key", 5, "a group", 7}, none = {"a key", 5, NULL, 0};
    table_memory_open(&without, 10, 0, true);
    table_memory_open(&with, 10, 5, true);
    assert_int_equal(jtgi_hash_group(without.table, &key), JTGI_GROUP_NONE);
    assert_int_equal(jtgi_hash_group(with.table, &none), JTGI_GROUP_NONE);
    assert_int_not_equal(jtgi_hash_group(with.table, &key), JTGI_GROUP_NONE);
    assert_int_equal(jtgi_hash_group(with.table, &key), jtgi_hash_group(with.table, &key));
    table_memory_close(&without);
    table_memory_close(&with);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_key_has_one_place),
        cmocka_unit_test(test_an_owners_tag_is_the_upper_half_of_the_sum),
        cmocka_unit_test(test_owners_that_differ_have_tags_that_differ),
        cmocka_unit_test(test_keys_are_drawn_for_each_table),
        cmocka_unit_test(test_groups_have_ids_where_there_are_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
