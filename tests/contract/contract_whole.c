/* SPDX-License-Identifier: Apache-2.0 */
/* Count, clear, ping, the name; and what fork does to all of them. */
#include "contract/contract_case.h"

#include <sys/wait.h>
#include <unistd.h>

static void count_is_what_is_held(void **state)
{
    const struct fixture *f = *state;
    assert_int_equal(count(f), 0);
    reserve_many(f, "held ", 10, LIFE_MS);
    assert_int_equal(count(f), 10);
    assert_status(release(f, key_of("held 3"), 3), JTG_OK);
    assert_status(reserve(f, key_of("held 4"), 3, LIFE_MS), JTG_REPLAYED);
    assert_int_equal(count(f), 9);
}

static void count_counts_keys_with_values_once(void **state)
{
    const struct fixture *f = *state;
    assert_status(put(f, key_of("a host"), "one", LIFE_MS, 3), JTG_OK);
    assert_status(put(f, key_of("a host"), "two", LIFE_MS, 3), JTG_OK);
    assert_int_equal(count(f), 1);
    assert_status(put(f, key_of("another"), "one", LIFE_MS, 3), JTG_OK);
    assert_status(reserve(f, key_of("a host"), 1, LIFE_MS), JTG_OK);
    assert_int_equal(count(f), 3);
    take_is(f, key_of("a host"), "two");
    assert_int_equal(count(f), 3);
    take_is(f, key_of("a host"), "one");
    assert_int_equal(count(f), 2);
}

/* An upper bound: what has ended may still be counted, what is live must be. */
static void count_covers_what_is_live(void **state)
{
    const struct fixture *f = *state;
    reserve_many(f, "short ", 20, LIFE_MS);
    reserve_many(f, "long ", 30, 3 * LIFE_MS);
    advance(f, LIFE_MS + f->backend->slack_ms);
    assert_in_range(count(f), 30, 50);
}

static void clear_forgets_everything(void **state)
{
    const struct fixture *f = *state;
    reserve_many(f, "held ", 100, LIFE_MS);
    assert_status(clear(f), JTG_OK);
    assert_int_equal(count(f), 0);
    assert_status(release(f, key_of("held 3"), 3), JTG_NOT_FOUND);
    assert_int_equal(count_held(f, "held ", 100), 0);
    assert_status(clear(f), JTG_OK);
    assert_status(clear(f), JTG_OK);
}

static void clear_forgets_values(void **state)
{
    const struct fixture *f = *state;
    assert_status(put(f, key_of("a host"), "one", LIFE_MS, 3), JTG_OK);
    assert_status(put(f, key_of("a host"), "two", LIFE_MS, 3), JTG_OK);
    assert_status(clear(f), JTG_OK);
    get_is(f, key_of("a host"), NULL);
    assert_int_equal(count(f), 0);
}

static void clear_gives_the_room_back(void **state)
{
    const struct fixture *f = *state;
    for (unsigned round = 0; round < 3; round++) {
        reserve_many(f, "held ", 20, LIFE_MS);
        assert_status(reserve(f, key_of("more"), 1, LIFE_MS), JTG_ERR_FULL);
        assert_status(clear(f), JTG_OK);
    }
}

static void clear_gives_the_shares_back(void **state)
{
    const struct fixture *f = *state;
    for (unsigned round = 0; round < 3; round++) {
        assert_status(reserve(f, key_in_group("one", "group"), 1, LIFE_MS), JTG_OK);
        assert_status(reserve(f, key_in_group("two", "group"), 1, LIFE_MS), JTG_OK);
        assert_status(reserve(f, key_in_group("three", "group"), 1, LIFE_MS), JTG_ERR_GROUP_FULL);
        assert_status(clear(f), JTG_OK);
    }
}

static void a_neighbour_is_another_name_space(void **state)
{
    const struct fixture *f = *state;
    struct fixture neighbour = *f;
    neighbour.cache = f->backend->open_neighbour(f->store);
    assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS), JTG_OK);
    assert_status(reserve(&neighbour, key_of("a jti"), 2, LIFE_MS), JTG_OK);
    assert_int_equal(count(f), 1);
    assert_int_equal(count(&neighbour), 1);
    assert_status(release(&neighbour, key_of("a jti"), 1), JTG_NOT_OWNER);
    assert_status(clear(f), JTG_OK);
    assert_int_equal(count(&neighbour), 1);
    assert_status(reserve(&neighbour, key_of("a jti"), 1, LIFE_MS), JTG_REPLAYED);
    assert_status(clear(&neighbour), JTG_OK);
    assert_int_equal(count(&neighbour), 0);
    jtg_cache_free(neighbour.cache);
}

static void clear_leaves_a_neighbours_values(void **state)
{
    const struct fixture *f = *state;
    struct fixture neighbour = *f;
    neighbour.cache = f->backend->open_neighbour(f->store);
    assert_status(put(f, key_of("a host"), "mine", LIFE_MS, 1), JTG_OK);
    assert_status(put(&neighbour, key_of("a host"), "theirs", LIFE_MS, 1), JTG_OK);
    assert_status(clear(f), JTG_OK);
    get_is(f, key_of("a host"), NULL);
    get_is(&neighbour, key_of("a host"), "theirs");
    jtg_cache_free(neighbour.cache);
}

/* A store that removes by itself what has ended may leave prune nothing to do. */
static void prune_removes_only_what_has_ended(void **state)
{
    const struct fixture *f = *state;
    assert_int_equal(prune(f), 0);
    reserve_many(f, "short ", 20, LIFE_MS);
    reserve_many(f, "long ", 30, 3 * LIFE_MS);
    assert_int_equal(prune(f), 0);
    advance_to_last_moment(f, LIFE_MS);
    assert_int_equal(prune(f), 0);
    assert_int_equal(count_held(f, "short ", 20), 20);
    advance_past_end(f);
    uint64_t before = count(f);
    uint64_t removed = prune(f);
    assert_in_range(removed, 0, 20);
    assert_in_range(count(f), 30, before - removed);
    assert_int_equal(count_held(f, "long ", 30), 30);
    assert_int_equal(count_held(f, "short ", 20), 0);
    assert_int_equal(prune(f), 0);
}

static void prune_keeps_live_values(void **state)
{
    const struct fixture *f = *state;
    assert_status(put(f, key_of("a host"), "long", 3 * LIFE_MS, 3), JTG_OK);
    assert_status(put(f, key_of("a host"), "short", LIFE_MS, 3), JTG_OK);
    assert_status(put(f, key_of("another"), "short", LIFE_MS, 3), JTG_OK);
    assert_int_equal(prune(f), 0);
    get_is(f, key_of("a host"), "short");
    advance(f, LIFE_MS + f->backend->slack_ms);
    assert_in_range(prune(f), 0, 2);
    get_is(f, key_of("a host"), "long");
    get_is(f, key_of("another"), NULL);
    assert_int_equal(prune(f), 0);
}

static void ping_leaves_nothing_behind(void **state)
{
    const struct fixture *f = *state;
    for (int i = 0; i < 10; i++)
        assert_status(ping(f), JTG_OK);
    assert_int_equal(count(f), 0);
    reserve_many(f, "held ", 10, LIFE_MS);
    assert_status(ping(f), JTG_OK);
    assert_int_equal(count(f), 10);
}

static void the_backend_has_its_name(void **state)
{
    const struct fixture *f = *state;
    assert_string_equal(jtg_cache_backend(f->cache), f->backend->name);
}

/* ---- fork ---- */

/* In the child no assert may be used: it would go on with the parent's tests. */
static unsigned count_forked_answers(jtg_cache *cache)
{
    jtg_key key = key_of("a jti");
    jtg_owner owner = owner_of(1);
    jtg_value value = JTG_VALUE_INIT;
    uint64_t number = 0;
    int64_t since_ms = 0;
    jtg_status answers[] = {
        jtg_cache_reserve(cache, &key, &owner, LIFE_MS, NULL),
        jtg_cache_release(cache, &key, &owner, NULL),
        jtg_cache_put(cache, &key, "v", 1, LIFE_MS, 1, NULL),
        jtg_cache_get(cache, &key, &value, NULL),
        jtg_cache_take(cache, &key, &value, NULL),
        jtg_cache_swap(cache, &key, NULL, 0, "v", 1, LIFE_MS, NULL),
        jtg_cache_drop(cache, &key, NULL),
        jtg_cache_count(cache, &number, NULL),
        jtg_cache_clear(cache, NULL),
        jtg_cache_ping(cache, NULL),
        jtg_cache_kept_since(cache, &since_ms, NULL),
        jtg_cache_prune(cache, &number, NULL),
        jtg_cache_bitmap_put(cache, &key, 8, LIFE_MS, JTG_KEPT_ANY, NULL),
        jtg_cache_bitmap_take(cache, &key, 0, JTG_KEPT_ANY, NULL),
    };
    unsigned forked = 0;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        forked += answers[i] == JTG_ERR_FORKED;
    return forked;
}

static void a_child_is_refused_and_the_parent_goes_on(void **state)
{
    const struct fixture *f = *state;
    assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS), JTG_OK);
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        unsigned forked = count_forked_answers(f->cache);
        jtg_cache_free(f->cache);
        _exit((int)forked);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), JTG_OPERATION_COUNT);
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_REPLAYED);
    assert_status(release(f, key_of("a jti"), 1), JTG_OK);
}

const struct contract_case contract_whole[] = {
    {CONTRACT_CASE(count_is_what_is_held)},
    {CONTRACT_CASE(count_counts_keys_with_values_once), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(count_covers_what_is_live)},
    {CONTRACT_CASE(clear_forgets_everything)},
    {CONTRACT_CASE(clear_forgets_values), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(clear_gives_the_room_back), .needs = CONTRACT_BOUND,
     .limits = {.max_entries = 20}},
    {CONTRACT_CASE(clear_gives_the_shares_back), .needs = CONTRACT_GROUP_SHARE,
     .limits = {.max_entries_per_group = 2}},
    {CONTRACT_CASE(a_neighbour_is_another_name_space), .needs = CONTRACT_NEIGHBOUR},
    {CONTRACT_CASE(clear_leaves_a_neighbours_values),
     .needs = CONTRACT_NEIGHBOUR | CONTRACT_VALUES},
    {CONTRACT_CASE(prune_removes_only_what_has_ended)},
    {CONTRACT_CASE(prune_keeps_live_values), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(ping_leaves_nothing_behind)},
    {CONTRACT_CASE(the_backend_has_its_name)},
    {CONTRACT_CASE(a_child_is_refused_and_the_parent_goes_on)},
    {.name = NULL},
};
