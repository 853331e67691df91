/* SPDX-License-Identifier: Apache-2.0 */
#include "table/groups.h"

#include "support/asserts.h"
#include "support/threads.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { LIMIT = 3 };

static struct jtgi_groups *new_groups(void)
{
    struct jtgi_groups *groups = calloc(1, JTGI_GROUPS_BYTES);
    assert_non_null(groups);
    jtgi_groups_format(groups, LIMIT);
    return groups;
}

static void test_counts_up_to_the_share(void **state)
{
    (void)state;
    struct jtgi_groups *groups = new_groups();
    uint32_t one = jtgi_groups_id(groups, 11);
    uint32_t other = jtgi_groups_id(groups, 12);
    assert_int_not_equal(one, JTGI_GROUP_NONE);
    assert_int_not_equal(one, other);
    assert_int_equal(jtgi_groups_id(groups, 11), one);

    for (int i = 0; i < LIMIT; i++)
        assert_true(jtgi_groups_join(groups, one));
    assert_false(jtgi_groups_join(groups, one));
    assert_true(jtgi_groups_join(groups, other));
    jtgi_groups_leave(groups, one);
    assert_true(jtgi_groups_join(groups, one));
    assert_false(jtgi_groups_join(groups, one));
    assert_int_equal(jtgi_groups_count(groups), 2);
    jtgi_groups_leave(groups, JTGI_GROUP_NONE); /* entries without a group go too */
    free(groups);
}

static void test_fingerprints_that_meet_keep_their_own_counters(void **state)
{
    (void)state;
    struct jtgi_groups *groups = new_groups();
    uint32_t ids[64];
    for (uint64_t i = 0; i < 64; i++)
        ids[i] = jtgi_groups_id(groups, JTGI_GROUP_PLACES - 2 + i * JTGI_GROUP_PLACES);
    for (uint64_t i = 0; i < 64; i++) {
        assert_int_equal(ids[i],
                         jtgi_groups_id(groups, JTGI_GROUP_PLACES - 2 + i * JTGI_GROUP_PLACES));
        for (uint64_t j = 0; j < i; j++)
            assert_int_not_equal(ids[i], ids[j]);
    }
    free(groups);
}

static void test_groups_beyond_the_table_share_one_counter(void **state)
{
    (void)state;
    struct jtgi_groups *groups = new_groups();
    for (uint64_t i = 1; i <= JTGI_GROUPS_OWN; i++)
        assert_int_not_equal(jtgi_groups_id(groups, i * UINT64_C(0x9e3779b97f4a7c15)),
                             JTGI_GROUP_COMMON);
    assert_int_equal(jtgi_groups_count(groups), JTGI_GROUPS_OWN);
    for (uint64_t i = 1; i <= LIMIT; i++) {
        uint32_t id = jtgi_groups_id(groups, ~i);
        assert_int_equal(id, JTGI_GROUP_COMMON);
        assert_true(jtgi_groups_join(groups, id));
    }
    assert_false(jtgi_groups_join(groups, jtgi_groups_id(groups, ~UINT64_C(99))));
    assert_int_equal(jtgi_groups_count(groups), JTGI_GROUPS_OWN);
    free(groups);
}

/* A recount begins with nothing, and does not ask whether the share is kept. */
static void test_counts_anew(void **state)
{
    (void)state;
    struct jtgi_groups *groups = new_groups();
    uint32_t one = jtgi_groups_id(groups, 11);
    assert_true(jtgi_groups_join(groups, one));
    jtgi_groups_reset(groups);
    for (int i = 0; i < LIMIT + 1; i++)
        jtgi_groups_count_in(groups, one);
    assert_false(jtgi_groups_join(groups, one));
    jtgi_groups_leave(groups, one);
    assert_false(jtgi_groups_join(groups, one));
    jtgi_groups_leave(groups, one);
    assert_true(jtgi_groups_join(groups, one));
    assert_int_equal(jtgi_groups_id(groups, 11), one);
    free(groups);
}

/* What a stray write makes of an id must not lead outside. */
static void test_ids_of_no_group_are_passed_over(void **state)
{
    (void)state;
    struct jtgi_groups *groups = new_groups();
    jtgi_groups_leave(groups, JTGI_GROUP_COMMON + 1);
    jtgi_groups_count_in(groups, JTGI_GROUP_COMMON + 1);
    jtgi_groups_count_in(groups, JTGI_GROUP_NONE);
    assert_int_equal(jtgi_groups_count(groups), 0);
    free(groups);
}

struct race {
    struct jtgi_groups *groups;
    _Atomic uint64_t joined;
    _Atomic uint32_t ids[100];
    atomic_bool differ;
};

static void race_for_shares(void *context, unsigned index)
{
    struct race *race = context;
    (void)index;
    for (uint64_t i = 0; i < 100; i++) {
        uint32_t id = jtgi_groups_id(race->groups, 1000 + i);
        uint32_t expected = 0;
        if (!atomic_compare_exchange_strong(&race->ids[i], &expected, id) && expected != id)
            atomic_store(&race->differ, true);
        if (jtgi_groups_join(race->groups, id))
            atomic_fetch_add(&race->joined, 1);
    }
}

static void test_threads_agree(void **state)
{
    (void)state;
    struct race race = {.groups = new_groups()};
    threads_run(8, race_for_shares, &race);
    assert_false(atomic_load(&race.differ));
    assert_int_equal(atomic_load(&race.joined), 100 * LIMIT);
    assert_int_equal(jtgi_groups_count(race.groups), 100);
    free(race.groups);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_up_to_the_share),
        cmocka_unit_test(test_fingerprints_that_meet_keep_their_own_counters),
        cmocka_unit_test(test_groups_beyond_the_table_share_one_counter),
        cmocka_unit_test(test_counts_anew),
        cmocka_unit_test(test_ids_of_no_group_are_passed_over),
        cmocka_unit_test(test_threads_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
