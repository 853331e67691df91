/* SPDX-License-Identifier: Apache-2.0 */
/* Swap: compares with the newest value and acts, in one step. */
#include "contract/contract_case.h"

static void absent_to_a_value(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("state");
    assert_status(swap(f, key, NULL, "one", LIFE_MS), JTG_OK);
    get_is(f, key, "one");
    assert_status(swap(f, key, NULL, "two", LIFE_MS), JTG_MISMATCH);
    get_is(f, key, "one");
}

static void one_value_to_another(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("state");
    assert_status(swap(f, key, "one", "two", LIFE_MS), JTG_MISMATCH);
    get_is(f, key, NULL);
    assert_status(put(f, key, "one", LIFE_MS, 1), JTG_OK);
    assert_status(swap(f, key, "one", "two", LIFE_MS), JTG_OK);
    assert_status(swap(f, key, "one", "three", LIFE_MS), JTG_MISMATCH);
    get_is(f, key, "two");
}

static void a_value_to_absent(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("state");
    assert_status(swap(f, key, "one", NULL, 0), JTG_MISMATCH);
    assert_status(put(f, key, "older", LIFE_MS, 2), JTG_OK);
    assert_status(put(f, key, "one", LIFE_MS, 2), JTG_OK);
    assert_status(swap(f, key, "older", NULL, 0), JTG_MISMATCH);
    assert_status(swap(f, key, "one", NULL, 0), JTG_OK);
    get_is(f, key, NULL);
    assert_status(swap(f, key, NULL, "new", LIFE_MS), JTG_OK);
}

static void a_value_to_itself(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("state");
    assert_status(put(f, key, "one", LIFE_MS, 1), JTG_OK);
    assert_status(swap(f, key, "one", "one", 2 * LIFE_MS), JTG_OK);
    advance(f, LIFE_MS + f->backend->slack_ms);
    get_is(f, key, "one");
}

static void all_values_become_one(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("state");
    assert_status(put(f, key, "one", LIFE_MS, 3), JTG_OK);
    assert_status(put(f, key, "two", LIFE_MS, 3), JTG_OK);
    assert_status(swap(f, key, "one", "three", LIFE_MS), JTG_MISMATCH);
    assert_status(swap(f, key, "two", "three", LIFE_MS), JTG_OK);
    take_is(f, key, "three");
    take_is(f, key, NULL);
}

static void the_whole_value_is_compared(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("state");
    assert_status(put(f, key, "value", LIFE_MS, 1), JTG_OK);
    assert_status(swap(f, key, "valu", "x", LIFE_MS), JTG_MISMATCH);
    assert_status(swap(f, key, "values", "x", LIFE_MS), JTG_MISMATCH);
    assert_status(swap(f, key, "valuE", "x", LIFE_MS), JTG_MISMATCH);
    assert_status(jtg_cache_swap(f->cache, &key, "value", 6, "x", 1, LIFE_MS, NULL), JTG_MISMATCH);
    assert_status(swap(f, key, "value", "x", LIFE_MS), JTG_OK);
}

static void values_with_nuls_are_compared(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("state");
    assert_status(jtg_cache_put(f->cache, &key, "a\0b", 3, LIFE_MS, 1, NULL), JTG_OK);
    assert_status(jtg_cache_swap(f->cache, &key, "a\0c", 3, "x", 1, LIFE_MS, NULL), JTG_MISMATCH);
    assert_status(jtg_cache_swap(f->cache, &key, "a", 1, "x", 1, LIFE_MS, NULL), JTG_MISMATCH);
    assert_status(jtg_cache_swap(f->cache, &key, "a\0b", 3, "\0", 1, LIFE_MS, NULL), JTG_OK);
    assert_status(jtg_cache_swap(f->cache, &key, "\0", 1, NULL, 0, 0, NULL), JTG_OK);
}

static void an_ended_value_is_absent(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("state");
    assert_status(put(f, key, "one", LIFE_MS, 1), JTG_OK);
    advance_to_last_moment(f, LIFE_MS);
    assert_status(swap(f, key, NULL, "two", LIFE_MS), JTG_MISMATCH);
    advance_past_end(f);
    assert_status(swap(f, key, "one", "two", LIFE_MS), JTG_MISMATCH);
    assert_status(swap(f, key, NULL, "two", LIFE_MS), JTG_OK);
    get_is(f, key, "two");
}

static void the_new_value_has_the_new_life(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("state");
    assert_status(put(f, key, "one", 5 * LIFE_MS, 1), JTG_OK);
    assert_status(swap(f, key, "one", "two", LIFE_MS), JTG_OK);
    advance_to_last_moment(f, LIFE_MS);
    get_is(f, key, "two");
    advance_past_end(f);
    get_is(f, key, NULL);
}

const struct contract_case contract_swaps[] = {
    {CONTRACT_CASE(absent_to_a_value), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(one_value_to_another), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(a_value_to_absent), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(a_value_to_itself), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(all_values_become_one), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(the_whole_value_is_compared), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(values_with_nuls_are_compared), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(an_ended_value_is_absent), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(the_new_value_has_the_new_life), .needs = CONTRACT_VALUES},
    {.name = NULL},
};
