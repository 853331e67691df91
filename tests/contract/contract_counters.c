/* SPDX-License-Identifier: Apache-2.0 */
/* Every answer of every operation is counted once, where it belongs and nowhere else. */
#include "contract/contract_case.h"

/* The counters as a test expects them. */
struct expected {
    uint64_t of[JTG_OPERATION_COUNT][JTG_STATUS_COUNT];
};

static void counters_are(const struct fixture *f, const struct expected *expected)
{
    for (unsigned operation = 0; operation < JTG_OPERATION_COUNT; operation++)
        for (unsigned status = 0; status < JTG_STATUS_COUNT; status++) {
            uint64_t got =
                jtg_cache_counter(f->cache, (jtg_operation)operation, (jtg_status)status);
            if (got != expected->of[operation][status])
                fail_msg("%s, %s: counted %lu, not %lu",
                         jtg_operation_name((jtg_operation)operation),
                         jtg_status_name((jtg_status)status), (unsigned long)got,
                         (unsigned long)expected->of[operation][status]);
        }
}

static void a_new_cache_has_counted_nothing(void **state)
{
    const struct fixture *f = *state;
    struct expected expected = {0};
    counters_are(f, &expected);
}

static void reservations_are_counted(void **state)
{
    const struct fixture *f = *state;
    struct expected expected = {0};
    jtg_key key = key_of("a jti");
    for (unsigned i = 0; i < 5; i++)
        (void)reserve(f, key, i, LIFE_MS);
    (void)reserve(f, key, 0, LIFE_MS);
    (void)release(f, key, 1);
    (void)release(f, key, 0);
    (void)release(f, key, 0);
    (void)release(f, key, 0);
    expected.of[JTG_OP_RESERVE][JTG_OK] = 2;
    expected.of[JTG_OP_RESERVE][JTG_REPLAYED] = 4;
    expected.of[JTG_OP_RELEASE][JTG_NOT_OWNER] = 1;
    expected.of[JTG_OP_RELEASE][JTG_OK] = 1;
    expected.of[JTG_OP_RELEASE][JTG_NOT_FOUND] = 2;
    counters_are(f, &expected);
}

static void values_are_counted(void **state)
{
    const struct fixture *f = *state;
    struct expected expected = {0};
    jtg_key key = key_of("a host");
    (void)put(f, key, "one", LIFE_MS, 1);
    get_is(f, key, "one");
    get_is(f, key, "one");
    take_is(f, key, "one");
    get_is(f, key, NULL);
    take_is(f, key, NULL);
    (void)swap(f, key, "one", "two", LIFE_MS);
    (void)swap(f, key, NULL, "two", LIFE_MS);
    (void)drop(f, key);
    (void)drop(f, key);
    expected.of[JTG_OP_PUT][JTG_OK] = 1;
    expected.of[JTG_OP_GET][JTG_OK] = 2;
    expected.of[JTG_OP_GET][JTG_NOT_FOUND] = 1;
    expected.of[JTG_OP_TAKE][JTG_OK] = 1;
    expected.of[JTG_OP_TAKE][JTG_NOT_FOUND] = 1;
    expected.of[JTG_OP_SWAP][JTG_MISMATCH] = 1;
    expected.of[JTG_OP_SWAP][JTG_OK] = 1;
    expected.of[JTG_OP_DROP][JTG_OK] = 1;
    expected.of[JTG_OP_DROP][JTG_NOT_FOUND] = 1;
    counters_are(f, &expected);
}

static void the_whole_cache_is_counted(void **state)
{
    const struct fixture *f = *state;
    struct expected expected = {0};
    (void)count(f);
    (void)count(f);
    (void)clear(f);
    for (unsigned i = 0; i < 3; i++)
        (void)ping(f);
    (void)prune(f);
    expected.of[JTG_OP_PRUNE][JTG_OK] = 1;
    expected.of[JTG_OP_COUNT_ENTRIES][JTG_OK] = 2;
    expected.of[JTG_OP_CLEAR][JTG_OK] = 1;
    expected.of[JTG_OP_PING][JTG_OK] = 3; /* and its probe is not counted as a reserve */
    counters_are(f, &expected);
}

static void refusals_of_a_full_store_are_counted(void **state)
{
    const struct fixture *f = *state;
    struct expected expected = {0};
    reserve_many(f, "held ", 3, LIFE_MS);
    for (unsigned i = 0; i < 4; i++)
        (void)reserve(f, key_of("more"), i, LIFE_MS);
    (void)ping(f);
    expected.of[JTG_OP_RESERVE][JTG_OK] = 3;
    expected.of[JTG_OP_RESERVE][JTG_ERR_FULL] = 4;
    expected.of[JTG_OP_PING][JTG_ERR_FULL] = 1;
    counters_are(f, &expected);
}

static void refusals_of_a_full_group_are_counted(void **state)
{
    const struct fixture *f = *state;
    struct expected expected = {0};
    (void)reserve(f, key_in_group("one", "group"), 1, LIFE_MS);
    (void)reserve(f, key_in_group("two", "group"), 1, LIFE_MS);
    (void)reserve(f, key_in_group("three", "group"), 1, LIFE_MS);
    expected.of[JTG_OP_RESERVE][JTG_OK] = 1;
    expected.of[JTG_OP_RESERVE][JTG_ERR_GROUP_FULL] = 2;
    counters_are(f, &expected);
}

static void what_is_no_counter_is_zero(void **state)
{
    const struct fixture *f = *state;
    (void)reserve(f, key_of("a jti"), 1, LIFE_MS);
    assert_int_equal(jtg_cache_counter(f->cache, JTG_OPERATION_COUNT, JTG_OK), 0);
    assert_int_equal(jtg_cache_counter(f->cache, JTG_OP_RESERVE, JTG_STATUS_COUNT), 0);
    assert_int_equal(jtg_cache_counter(f->cache, (jtg_operation)-1, JTG_OK), 0);
    assert_int_equal(jtg_cache_counter(f->cache, JTG_OP_RESERVE, (jtg_status)-1), 0);
}

const struct contract_case contract_counters[] = {
    {CONTRACT_CASE(a_new_cache_has_counted_nothing)},
    {CONTRACT_CASE(reservations_are_counted)},
    {CONTRACT_CASE(values_are_counted), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(the_whole_cache_is_counted)},
    {CONTRACT_CASE(refusals_of_a_full_store_are_counted), .needs = CONTRACT_BOUND,
     .limits = {.max_entries = 3}},
    {CONTRACT_CASE(refusals_of_a_full_group_are_counted), .needs = CONTRACT_GROUP_SHARE,
     .limits = {.max_entries_per_group = 1}},
    {CONTRACT_CASE(what_is_no_counter_is_zero)},
    {.name = NULL},
};
