/* SPDX-License-Identifier: Apache-2.0 */
/* A full store refuses. It never forgets what is live, and works again as soon as something has
 * ended, whether or not anything has swept it away. */
#include "contract/contract_case.h"

#include <stdio.h>

enum { ROOM = 50 }; /* the bound that these cases ask for */

static void a_full_store_refuses_what_is_new(void **state)
{
    const struct fixture *f = *state;
    reserve_many(f, "held ", ROOM, LIFE_MS);
    assert_status(reserve(f, key_of("one more"), 1, LIFE_MS), JTG_ERR_FULL);
    assert_status(reserve(f, key_of("one more"), 1, LIFE_MS), JTG_ERR_FULL);
    assert_int_equal(count(f), ROOM);
    assert_int_equal(count_held(f, "held ", ROOM), ROOM);
}

static void a_full_store_still_answers(void **state)
{
    const struct fixture *f = *state;
    reserve_many(f, "held ", ROOM, LIFE_MS);
    assert_status(reserve(f, key_of("held 7"), 7, LIFE_MS), JTG_OK);
    assert_status(reserve(f, key_of("held 7"), 8, LIFE_MS), JTG_REPLAYED);
    assert_status(release(f, key_of("held 7"), 8), JTG_NOT_OWNER);
    assert_status(release(f, key_of("not held"), 7), JTG_NOT_FOUND);
}

static void a_release_makes_room(void **state)
{
    const struct fixture *f = *state;
    reserve_many(f, "held ", ROOM, LIFE_MS);
    assert_status(release(f, key_of("held 3"), 3), JTG_OK);
    assert_status(reserve(f, key_of("new"), 1, LIFE_MS), JTG_OK);
    assert_status(reserve(f, key_of("newer"), 1, LIFE_MS), JTG_ERR_FULL);
    assert_status(reserve(f, key_of("held 3"), 3, LIFE_MS), JTG_ERR_FULL);
}

static void an_end_makes_room(void **state)
{
    const struct fixture *f = *state;
    reserve_many(f, "held ", ROOM - 1, 3 * LIFE_MS);
    assert_status(reserve(f, key_of("short"), 1, LIFE_MS), JTG_OK);
    advance_to_last_moment(f, LIFE_MS);
    assert_status(reserve(f, key_of("new"), 1, LIFE_MS), JTG_ERR_FULL);
    advance_past_end(f);
    assert_status(reserve(f, key_of("new"), 1, LIFE_MS), JTG_OK);
    assert_status(reserve(f, key_of("newer"), 1, LIFE_MS), JTG_ERR_FULL);
    assert_int_equal(count_held(f, "held ", ROOM - 1), ROOM - 1);
}

static void a_store_fills_again_and_again(void **state)
{
    const struct fixture *f = *state;
    char prefix[32];
    for (unsigned round = 0; round < 20; round++) {
        (void)snprintf(prefix, sizeof prefix, "round %u ", round);
        reserve_many(f, prefix, ROOM, LIFE_MS);
        assert_status(reserve(f, key_of("one more"), 1, LIFE_MS), JTG_ERR_FULL);
        advance(f, LIFE_MS + f->backend->slack_ms);
    }
}

static void ping_tells_whether_there_is_room(void **state)
{
    const struct fixture *f = *state;
    assert_status(ping(f), JTG_OK);
    reserve_many(f, "held ", ROOM - 1, LIFE_MS);
    assert_status(ping(f), JTG_OK);
    assert_status(reserve(f, key_of("last"), 1, LIFE_MS), JTG_OK);
    assert_status(ping(f), JTG_ERR_FULL);
    advance(f, LIFE_MS + f->backend->slack_ms);
    assert_status(ping(f), JTG_OK);
}

static void room_for_one_is_room_for_one(void **state)
{
    const struct fixture *f = *state;
    for (unsigned i = 0; i < 100; i++) {
        assert_status(reserve(f, key_of("one"), i, LIFE_MS), JTG_OK);
        assert_status(reserve(f, key_of("two"), i, LIFE_MS), JTG_ERR_FULL);
        assert_status(release(f, key_of("one"), i), JTG_OK);
    }
}

/* ---- the share of a group ---- */

enum { SHARE = 5 };

static void fill_share(const struct fixture *f, const char *group, uint64_t ttl_ms)
{
    char key[32];
    for (unsigned i = 0; i < SHARE; i++) {
        (void)snprintf(key, sizeof key, "%s %u", group, i);
        assert_status(reserve(f, key_in_group(key, group), i, ttl_ms), JTG_OK);
    }
}

static void a_group_has_its_share_and_no_more(void **state)
{
    const struct fixture *f = *state;
    fill_share(f, "greedy", LIFE_MS);
    assert_status(reserve(f, key_in_group("more", "greedy"), 1, LIFE_MS), JTG_ERR_GROUP_FULL);
    fill_share(f, "modest", LIFE_MS);
    assert_status(reserve(f, key_of("no group"), 1, LIFE_MS), JTG_OK);
    assert_status(reserve(f, key_in_group("more", "modest"), 1, LIFE_MS), JTG_ERR_GROUP_FULL);
    assert_status(ping(f), JTG_OK);
}

static void a_full_group_still_answers(void **state)
{
    const struct fixture *f = *state;
    fill_share(f, "greedy", LIFE_MS);
    assert_status(reserve(f, key_in_group("greedy 2", "greedy"), 2, LIFE_MS), JTG_OK);
    assert_status(reserve(f, key_in_group("greedy 2", "greedy"), 3, LIFE_MS), JTG_REPLAYED);
    assert_status(reserve(f, key_in_group("greedy 2", "other"), 3, LIFE_MS), JTG_REPLAYED);
}

static void a_share_comes_back_with_a_release(void **state)
{
    const struct fixture *f = *state;
    fill_share(f, "greedy", LIFE_MS);
    /* The group given to release does not matter: the reservation's own is credited. */
    assert_status(release(f, key_of("greedy 0"), 0), JTG_OK);
    assert_status(reserve(f, key_in_group("new", "greedy"), 1, LIFE_MS), JTG_OK);
    assert_status(reserve(f, key_in_group("newer", "greedy"), 1, LIFE_MS), JTG_ERR_GROUP_FULL);
}

static void a_share_comes_back_with_the_end(void **state)
{
    const struct fixture *f = *state;
    for (unsigned round = 0; round < 10; round++) {
        fill_share(f, "greedy", LIFE_MS);
        advance_to_last_moment(f, LIFE_MS);
        assert_status(reserve(f, key_in_group("more", "greedy"), 1, LIFE_MS), JTG_ERR_GROUP_FULL);
        advance_past_end(f);
    }
}

static void keys_without_a_group_have_no_share(void **state)
{
    const struct fixture *f = *state;
    reserve_many(f, "held ", 4 * SHARE, LIFE_MS);
    assert_int_equal(count_held(f, "held ", 4 * SHARE), 4 * SHARE);
}

/* ---- values ---- */

static void fill_values(const struct fixture *f, uint64_t ttl_ms)
{
    char key[32];
    for (unsigned i = 0; i < ROOM; i++) {
        (void)snprintf(key, sizeof key, "host %u", i);
        assert_status(put(f, key_of(key), "value", ttl_ms, 1), JTG_OK);
    }
}

static void a_put_that_is_refused_changes_nothing(void **state)
{
    const struct fixture *f = *state;
    fill_values(f, LIFE_MS);
    assert_status(put(f, key_of("host new"), "value", LIFE_MS, 1), JTG_ERR_FULL);
    assert_status(swap(f, key_of("host new"), NULL, "value", LIFE_MS), JTG_ERR_FULL);
    get_is(f, key_of("host new"), NULL);
    assert_status(put(f, key_of("host 3"), "second", LIFE_MS, 2), JTG_ERR_FULL);
    take_is(f, key_of("host 3"), "value");
    take_is(f, key_of("host 3"), NULL);
}

static void a_replacement_needs_no_room(void **state)
{
    const struct fixture *f = *state;
    fill_values(f, LIFE_MS);
    assert_status(put(f, key_of("host 3"), "other", LIFE_MS, 1), JTG_OK);
    assert_status(swap(f, key_of("host 4"), "value", "other", LIFE_MS), JTG_OK);
    get_is(f, key_of("host 3"), "other");
    get_is(f, key_of("host 4"), "other");
    assert_status(put(f, key_of("host new"), "value", LIFE_MS, 1), JTG_ERR_FULL);
}

static void what_leaves_makes_room_for_values(void **state)
{
    const struct fixture *f = *state;
    fill_values(f, LIFE_MS);
    take_is(f, key_of("host 3"), "value");
    assert_status(put(f, key_of("host new"), "value", LIFE_MS, 1), JTG_OK);
    assert_status(drop(f, key_of("host 4")), JTG_OK);
    assert_status(put(f, key_of("host newer"), "value", LIFE_MS, 1), JTG_OK);
    assert_status(swap(f, key_of("host 5"), "value", NULL, 0), JTG_OK);
    assert_status(put(f, key_of("host newest"), "value", LIFE_MS, 1), JTG_OK);
    assert_status(put(f, key_of("host more"), "value", LIFE_MS, 1), JTG_ERR_FULL);
    advance(f, LIFE_MS + f->backend->slack_ms);
    fill_values(f, LIFE_MS);
}

#define BOUND        .needs = CONTRACT_BOUND, .limits = {.max_entries = ROOM}
#define BOUND_OF_ONE .needs = CONTRACT_BOUND, .limits = {.max_entries = 1}
#define BOUND_GROUPS                                                                               \
    .needs = CONTRACT_GROUP_SHARE, .limits = {.max_entries = 1000, .max_entries_per_group = SHARE}
#define BOUND_VALUES .needs = CONTRACT_VALUES | CONTRACT_BOUND, .limits = {.max_values = ROOM}

const struct contract_case contract_bounds[] = {
    {CONTRACT_CASE(a_full_store_refuses_what_is_new), BOUND},
    {CONTRACT_CASE(a_full_store_still_answers), BOUND},
    {CONTRACT_CASE(a_release_makes_room), BOUND},
    {CONTRACT_CASE(an_end_makes_room), BOUND},
    {CONTRACT_CASE(a_store_fills_again_and_again), BOUND},
    {CONTRACT_CASE(ping_tells_whether_there_is_room), BOUND},
    {CONTRACT_CASE(room_for_one_is_room_for_one), BOUND_OF_ONE},
    {CONTRACT_CASE(a_group_has_its_share_and_no_more), BOUND_GROUPS},
    {CONTRACT_CASE(a_full_group_still_answers), BOUND_GROUPS},
    {CONTRACT_CASE(a_share_comes_back_with_a_release), BOUND_GROUPS},
    {CONTRACT_CASE(a_share_comes_back_with_the_end), BOUND_GROUPS},
    {CONTRACT_CASE(keys_without_a_group_have_no_share), BOUND_GROUPS},
    {CONTRACT_CASE(a_put_that_is_refused_changes_nothing), BOUND_VALUES},
    {CONTRACT_CASE(a_replacement_needs_no_room), BOUND_VALUES},
    {CONTRACT_CASE(what_leaves_makes_room_for_values), BOUND_VALUES},
    {.name = NULL},
};
