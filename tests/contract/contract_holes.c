/* SPDX-License-Identifier: Apache-2.0 */
/* The holes of other replay guards that lie in their store, each as they were opened there.
 * docs/testing.md tells where the others are tested. */
#include "contract/contract_case.h"
#include "support/threads.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRESENTERS = 2, TOKENS = 500, ROOM = 20 };

struct presented {
    jtg_cache *cache;
    atomic_uint admits[TOKENS];
    atomic_bool done;
};

static void present_all(void *context, unsigned presenter)
{
    struct presented *presented = context;
    jtg_owner owner = owner_of(presenter);
    for (unsigned token = 0; token < TOKENS; token++) {
        jtg_key key = key_of_bytes(&token, sizeof token);
        if (jtg_cache_reserve(presented->cache, &key, &owner, LIFE_MS, NULL) == JTG_OK)
            atomic_fetch_add(&presented->admits[token], 1);
    }
    atomic_store(&presented->done, true);
}

static void each_was_admitted_once(const struct presented *presented)
{
    for (unsigned token = 0; token < TOKENS; token++)
        assert_int_equal(atomic_load(&presented->admits[token]), 1);
}

/* Looked up, found absent, stored: two presenters at once both pass. */
static void hole_01_get_then_set(void **state)
{
    const struct fixture *f = *state;
    struct presented presented = {.cache = f->cache};
    threads_run(PRESENTERS, present_all, &presented);
    each_was_admitted_once(&presented);
}

/* Under pressure a bounded cache threw out the oldest record, and the token passed again. */
static void hole_04_pressure_evicts(void **state)
{
    const struct fixture *f = *state;
    char key[32];
    assert_status(reserve(f, key_of("the victim"), 1, LIFE_MS), JTG_OK);
    for (unsigned i = 0; i < 100 * ROOM; i++) {
        (void)snprintf(key, sizeof key, "pressure %u", i);
        jtg_status status = reserve(f, key_of(key), i, LIFE_MS);
        assert_status(status, i < ROOM - 1 ? JTG_OK : JTG_ERR_FULL);
    }
    assert_status(reserve(f, key_of("the victim"), 2, LIFE_MS), JTG_REPLAYED);
}

/* Release was an unconditional delete: whoever failed freed the token of whoever succeeded. */
static void hole_07_anyone_releases(void **state)
{
    const struct fixture *f = *state;
    assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS), JTG_OK);
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_REPLAYED);
    assert_status(release(f, key_of("a jti"), 2), JTG_NOT_OWNER);
    assert_status(reserve(f, key_of("a jti"), 3, LIFE_MS), JTG_REPLAYED);
}

/* The reply was lost and the call repeated: the presenter was refused by their own first try. */
static void hole_08_own_first_write_is_a_replay(void **state)
{
    const struct fixture *f = *state;
    assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS), JTG_OK);
    assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS), JTG_OK);
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_REPLAYED);
}

static void ignore_signal(int signal_number)
{
    (void)signal_number;
}

/* A lock that a signal interrupted was taken for held. */
static void hole_09_a_signal_breaks_the_lock(void **state)
{
    const struct fixture *f = *state;
    struct presented presented = {.cache = f->cache};
    struct sigaction action = {.sa_handler = ignore_signal}; /* no SA_RESTART */
    struct sigaction before;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    struct threads *threads = threads_start(4, present_all, &presented);
    for (unsigned i = 0; i < 10000 && !atomic_load(&presented.done); i++)
        threads_signal(threads, SIGUSR1);
    threads_join(threads);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
    each_was_admitted_once(&presented);
}

/* The test for the end was the wrong way round: the clean-up deleted what was live. */
static void hole_10_the_live_are_swept(void **state)
{
    const struct fixture *f = *state;
    reserve_many(f, "short ", 100, LIFE_MS);
    reserve_many(f, "long ", 100, 3 * LIFE_MS);
    advance(f, LIFE_MS + f->backend->slack_ms);
    reserve_many(f, "new ", 100, LIFE_MS); /* writes are what made the clean-up run */
    assert_int_equal(count_held(f, "long ", 100), 100);
    assert_int_equal(count_held(f, "short ", 100), 0);
}

/* One answer meant both "used before" and "cannot tell". */
static void hole_12_full_looks_like_a_replay(void **state)
{
    const struct fixture *f = *state;
    reserve_many(f, "held ", ROOM, LIFE_MS);
    assert_status(reserve(f, key_of("held 0"), 1, LIFE_MS), JTG_REPLAYED);
    assert_status(reserve(f, key_of("fresh"), 1, LIFE_MS), JTG_ERR_FULL);
}

/* Counters were documented and alerted on, and never raised. */
static void hole_13_nothing_is_counted(void **state)
{
    const struct fixture *f = *state;
    assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS), JTG_OK);
    assert_status(reserve(f, key_of("a jti"), 2, LIFE_MS), JTG_REPLAYED);
    assert_int_equal(jtg_cache_counter(f->cache, JTG_OP_RESERVE, JTG_OK), 1);
    assert_int_equal(jtg_cache_counter(f->cache, JTG_OP_RESERVE, JTG_REPLAYED), 1);
}

/* A value of exactly the limit was stored one byte short, and success was reported. */
static void hole_17_the_largest_value_is_cut(void **state)
{
    const struct fixture *f = *state;
    jtg_key key = key_of("a host");
    jtg_value value = JTG_VALUE_INIT;
    unsigned char *largest = malloc(JTG_VALUE_MAX_BYTES + 1);
    assert_non_null(largest);
    for (unsigned i = 0; i <= JTG_VALUE_MAX_BYTES; i++)
        largest[i] = (unsigned char)(i * 31 + i / 257);
    assert_status(jtg_cache_put(f->cache, &key, largest, JTG_VALUE_MAX_BYTES + 1, LIFE_MS, 1, NULL),
                  JTG_ERR_ARGUMENT);
    assert_status(jtg_cache_put(f->cache, &key, largest, JTG_VALUE_MAX_BYTES, LIFE_MS, 1, NULL),
                  JTG_OK);
    assert_status(jtg_cache_take(f->cache, &key, &value, NULL), JTG_OK);
    assert_int_equal(value.data_len, JTG_VALUE_MAX_BYTES);
    assert_int_equal(memcmp(value.data, largest, JTG_VALUE_MAX_BYTES), 0);
    jtg_value_clear(&value);
    free(largest);
}

/* Deleting an unknown key in a full table evicted a live one. */
static void hole_17_an_unknown_delete_evicts(void **state)
{
    const struct fixture *f = *state;
    char key[32];
    reserve_many(f, "held ", ROOM, LIFE_MS);
    for (unsigned i = 0; i < 10 * ROOM; i++) {
        (void)snprintf(key, sizeof key, "unknown %u", i);
        assert_status(release(f, key_of(key), i), JTG_NOT_FOUND);
    }
    assert_int_equal(count_held(f, "held ", ROOM), ROOM);
}

const struct contract_case contract_holes[] = {
    {CONTRACT_CASE(hole_01_get_then_set)},
    {CONTRACT_CASE(hole_04_pressure_evicts), .needs = CONTRACT_BOUND, .limits = {ROOM, 0, 0}},
    {CONTRACT_CASE(hole_07_anyone_releases)},
    {CONTRACT_CASE(hole_08_own_first_write_is_a_replay)},
    {CONTRACT_CASE(hole_09_a_signal_breaks_the_lock)},
    {CONTRACT_CASE(hole_10_the_live_are_swept)},
    {CONTRACT_CASE(hole_12_full_looks_like_a_replay), .needs = CONTRACT_BOUND,
     .limits = {ROOM, 0, 0}},
    {CONTRACT_CASE(hole_13_nothing_is_counted)},
    {CONTRACT_CASE(hole_17_the_largest_value_is_cut), .needs = CONTRACT_VALUES},
    {CONTRACT_CASE(hole_17_an_unknown_delete_evicts), .needs = CONTRACT_BOUND,
     .limits = {ROOM, 0, 0}},
    {.name = NULL},
};
