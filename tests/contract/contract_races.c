/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads at once. A backend that is SHARED is asked through a handle a thread, as
 * processes would ask it; else all threads use one. */
#include "contract/contract_case.h"
#include "support/threads.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { THREADS = 8, ROUNDS = 200 };

struct race {
    const struct fixture *f;
    jtg_cache *handles[THREADS];
    atomic_uint admitted[ROUNDS];
    atomic_uint wrong; /* answers that the contract does not allow */
};

static void race_begin(struct race *race, const struct fixture *f)
{
    memset(race, 0, sizeof *race);
    race->f = f;
    bool shared = (f->backend->offers & CONTRACT_SHARED) != 0;
    for (unsigned i = 0; i < THREADS; i++)
        race->handles[i] = shared ? f->backend->open_again(f->store) : f->cache;
}

static void race_run(struct race *race, threads_work work)
{
    threads_run(THREADS, work, race);
    for (unsigned i = 0; i < THREADS; i++)
        if (race->handles[i] != race->f->cache)
            jtg_cache_free(race->handles[i]);
    assert_int_equal(atomic_load(&race->wrong), 0);
}

static jtg_status reserve_round(struct race *race, unsigned thread, unsigned round,
                                const jtg_owner *owner)
{
    char text[32];
    (void)snprintf(text, sizeof text, "round %u", round);
    jtg_key key = key_of(text);
    jtg_status status = jtg_cache_reserve(race->handles[thread], &key, owner, LIFE_MS, NULL);
    if (status == JTG_OK)
        atomic_fetch_add(&race->admitted[round], 1);
    else if (status != JTG_REPLAYED)
        atomic_fetch_add(&race->wrong, 1);
    return status;
}

static void reserve_each_round(void *context, unsigned thread)
{
    jtg_owner owner = owner_of(thread);
    for (unsigned round = 0; round < ROUNDS; round++)
        (void)reserve_round(context, thread, round, &owner);
}

static void one_of_many_owners_wins(void **state)
{
    struct race race;
    race_begin(&race, *state);
    race_run(&race, reserve_each_round);
    for (unsigned round = 0; round < ROUNDS; round++)
        assert_int_equal(atomic_load(&race.admitted[round]), 1);
}

static void reserve_with_one_owner(void *context, unsigned thread)
{
    jtg_owner owner = owner_of(1);
    for (unsigned round = 0; round < ROUNDS; round++)
        (void)reserve_round(context, thread, round, &owner);
}

static void one_owner_is_admitted_from_every_thread(void **state)
{
    struct race race;
    race_begin(&race, *state);
    race_run(&race, reserve_with_one_owner);
    for (unsigned round = 0; round < ROUNDS; round++)
        assert_int_equal(atomic_load(&race.admitted[round]), THREADS);
    assert_int_equal(count(*state), ROUNDS);
}

/* Hold the key for a moment; admitted[0] is the number of holders. */
static void hold_and_give_back(void *context, unsigned thread)
{
    struct race *race = context;
    jtg_owner owner = owner_of(thread);
    jtg_key key = key_of("round 0");
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (reserve_round(race, thread, 0, &owner) != JTG_OK)
            continue;
        if (atomic_fetch_sub(&race->admitted[0], 1) != 1)
            atomic_fetch_add(&race->wrong, 1);
        if (jtg_cache_release(race->handles[thread], &key, &owner, NULL) != JTG_OK)
            atomic_fetch_add(&race->wrong, 1);
    }
}

static void a_key_never_has_two_holders(void **state)
{
    struct race race;
    race_begin(&race, *state);
    race_run(&race, hold_and_give_back);
    assert_int_equal(atomic_load(&race.admitted[0]), 0);
    assert_status(reserve(*state, key_of("round 0"), 99, LIFE_MS), JTG_OK);
}

static void release_each_round(void *context, unsigned thread)
{
    struct race *race = context;
    jtg_owner owner = owner_of(1);
    char text[32];
    for (unsigned round = 0; round < ROUNDS; round++) {
        (void)snprintf(text, sizeof text, "round %u", round);
        jtg_key key = key_of(text);
        jtg_status status = jtg_cache_release(race->handles[thread], &key, &owner, NULL);
        if (status == JTG_OK)
            atomic_fetch_add(&race->admitted[round], 1);
        else if (status != JTG_NOT_FOUND)
            atomic_fetch_add(&race->wrong, 1);
    }
}

static void a_release_succeeds_once(void **state)
{
    struct race race;
    race_begin(&race, *state);
    char text[32];
    for (unsigned round = 0; round < ROUNDS; round++) {
        (void)snprintf(text, sizeof text, "round %u", round);
        assert_status(reserve(*state, key_of(text), 1, LIFE_MS), JTG_OK);
    }
    race_run(&race, release_each_round);
    for (unsigned round = 0; round < ROUNDS; round++)
        assert_int_equal(atomic_load(&race.admitted[round]), 1);
    assert_int_equal(count(*state), 0);
}

/* ---- values ---- */

/* A value is its number; admitted[] counts how often it was handed out. */
static void take_until_empty(void *context, unsigned thread)
{
    struct race *race = context;
    jtg_key key = key_of("a host");
    jtg_value value = JTG_VALUE_INIT;
    while (jtg_cache_take(race->handles[thread], &key, &value, NULL) == JTG_OK) {
        unsigned number = ROUNDS;
        if (value.data_len == sizeof number)
            memcpy(&number, value.data, sizeof number);
        atomic_fetch_add(number < ROUNDS ? &race->admitted[number] : &race->wrong, 1);
        jtg_value_clear(&value);
    }
}

static void no_value_is_taken_twice(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a host");
    for (unsigned repeat = 0; repeat < 10; repeat++) {
        struct race race;
        for (unsigned i = 0; i < JTG_KEEP_MAX; i++)
            assert_status(jtg_cache_put(f->cache, &key, &i, sizeof i, LIFE_MS, JTG_KEEP_MAX, NULL),
                          JTG_OK);
        race_begin(&race, f);
        race_run(&race, take_until_empty);
        for (unsigned i = 0; i < JTG_KEEP_MAX; i++)
            assert_int_equal(atomic_load(&race.admitted[i]), 1);
    }
}

/* Count up by one, ROUNDS times, through compare and swap alone. */
static void increment(void *context, unsigned thread)
{
    struct race *race = context;
    jtg_cache *cache = race->handles[thread];
    jtg_key key = key_of("a number");
    for (unsigned done = 0; done < ROUNDS;) {
        jtg_value value = JTG_VALUE_INIT;
        unsigned number = 0;
        if (jtg_cache_get(cache, &key, &value, NULL) != JTG_OK || value.data_len != sizeof number) {
            atomic_fetch_add(&race->wrong, 1);
            jtg_value_clear(&value);
            return;
        }
        memcpy(&number, value.data, sizeof number);
        number++;
        done += jtg_cache_swap(cache, &key, value.data, value.data_len, &number, sizeof number,
                               LIFE_MS, NULL) == JTG_OK;
        jtg_value_clear(&value);
    }
}

static void no_swap_is_lost(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a number");
    unsigned number = 0;
    struct race race;
    jtg_value value = JTG_VALUE_INIT;
    assert_status(jtg_cache_put(f->cache, &key, &number, sizeof number, LIFE_MS, 1, NULL), JTG_OK);
    race_begin(&race, f);
    race_run(&race, increment);
    assert_status(jtg_cache_get(f->cache, &key, &value, NULL), JTG_OK);
    assert_int_equal(value.data_len, sizeof number);
    memcpy(&number, value.data, sizeof number);
    jtg_value_clear(&value);
    assert_int_equal(number, THREADS * ROUNDS);
}

/* ---- bounds ---- */

enum { ROOM = 50 };

static void reserve_more_than_fits(void *context, unsigned thread)
{
    struct race *race = context;
    char text[32];
    for (unsigned i = 0; i < ROUNDS; i++) {
        (void)snprintf(text, sizeof text, "thread %u key %u", thread, i);
        jtg_key key = key_in_group(text, "group");
        jtg_owner owner = owner_of(thread);
        jtg_status status = jtg_cache_reserve(race->handles[thread], &key, &owner, LIFE_MS, NULL);
        if (status == JTG_OK)
            atomic_fetch_add(&race->admitted[0], 1);
        else if (status != JTG_ERR_FULL && status != JTG_ERR_GROUP_FULL)
            atomic_fetch_add(&race->wrong, 1);
    }
}

/* Two that find the last place free must not both get it; and no place stays unused. */
static void threads_fill_a_bound_exactly(void **state)
{
    struct race race;
    race_begin(&race, *state);
    race_run(&race, reserve_more_than_fits);
    assert_int_equal(atomic_load(&race.admitted[0]), ROOM);
    assert_int_equal(count(*state), ROOM);
}

const struct contract_case contract_races[] = {
    {CONTRACT_CASE(one_of_many_owners_wins)},
    {CONTRACT_CASE(one_owner_is_admitted_from_every_thread)},
    {CONTRACT_CASE(a_key_never_has_two_holders)},
    {CONTRACT_CASE(a_release_succeeds_once)},
    {CONTRACT_CASE(no_value_is_taken_twice), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(no_swap_is_lost), .needs = CONTRACT_VALUES},
    {.name = "threads_fill_the_store_exactly",
     .run = threads_fill_a_bound_exactly,
     .needs = CONTRACT_BOUND,
     .limits = {.max_entries = ROOM}},
    {.name = "threads_fill_a_share_exactly",
     .run = threads_fill_a_bound_exactly,
     .needs = CONTRACT_GROUP_SHARE,
     .limits = {.max_entries = 1000, .max_entries_per_group = ROOM}},
    {.name = NULL},
};
