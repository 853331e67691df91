/* SPDX-License-Identifier: Apache-2.0 */
/* max_entries holds exactly, over all stripes, and a place that is free is found. */
#include "memory/stripes.h"

#include "support/asserts.h"
#include "support/threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static const uint64_t sizes[] = {1, 2, 10, 1000, 2048, 5000, 70000};

struct named {
    uint64_t number;
    jtg_key key;
    jtg_owner owner;
};

static void name(struct named *named, uint64_t number)
{
    memset(named, 0, sizeof *named);
    named->number = number;
    named->key = (jtg_key){&named->number, sizeof named->number, NULL, 0};
    memcpy(named->owner.bytes, &number, sizeof number);
}

static jtg_status reserve(struct jtgi_stripes *stripes, uint64_t number, uint64_t now, uint64_t end)
{
    struct named named;
    name(&named, number);
    return jtgi_stripes_reserve(stripes, &named.key, &named.owner, now, end - now);
}

static jtg_status release(struct jtgi_stripes *stripes, uint64_t number, uint64_t now)
{
    struct named named;
    name(&named, number);
    return jtgi_stripes_release(stripes, &named.key, &named.owner, now);
}

static void test_holds_exactly_as_many_as_it_may(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct jtgi_stripes *stripes = jtgi_stripes_new(sizes[s], 0);
        for (uint64_t i = 0; i < sizes[s]; i++)
            assert_int_equal(reserve(stripes, i, 1, 100), JTG_OK);
        for (uint64_t i = 0; i < 100; i++)
            assert_int_equal(reserve(stripes, sizes[s] + i, 1, 100), JTG_ERR_FULL);
        assert_int_equal(jtgi_stripes_count(stripes), sizes[s]);
        /* A place that one stripe gives back serves a key of any other. */
        for (uint64_t i = 0; i < 50 && i < sizes[s]; i++) {
            assert_int_equal(release(stripes, i, 1), JTG_OK);
            assert_int_equal(reserve(stripes, sizes[s] + 1000 + i, 1, 100), JTG_OK);
            assert_int_equal(reserve(stripes, sizes[s] + 2000 + i, 1, 100), JTG_ERR_FULL);
        }
        jtgi_stripes_free(stripes, false);
    }
}

static void test_what_has_ended_makes_room_without_a_sweep(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct jtgi_stripes *stripes = jtgi_stripes_new(sizes[s], 0);
        for (uint64_t i = 0; i < sizes[s]; i++)
            assert_int_equal(reserve(stripes, i, 1, i % 2 == 0 ? 50 : 100), JTG_OK);
        uint64_t admitted = 0;
        for (uint64_t i = 0; i < sizes[s]; i++)
            admitted += reserve(stripes, sizes[s] + i, 60, 200) == JTG_OK;
        assert_int_equal(admitted, (sizes[s] + 1) / 2);
        for (uint64_t i = 1; i < sizes[s]; i += 2)
            assert_int_equal(reserve(stripes, i, 60, 200), JTG_OK); /* ours, and still there */
        jtgi_stripes_free(stripes, false);
    }
}

static void test_a_share_of_one_group_leaves_room_for_others(void **state)
{
    (void)state;
    struct jtgi_stripes *stripes = jtgi_stripes_new(5000, 10);
    struct named named;
    for (uint64_t i = 0; i < 30; i++) {
        name(&named, i);
        named.key.group = i % 3 == 2 ? "b" : "a";
        named.key.group_len = 1;
        jtg_status expected = i % 3 != 2 && i >= 15 ? JTG_ERR_GROUP_FULL : JTG_OK;
        assert_int_equal(
            jtgi_stripes_reserve(stripes, &named.key, &named.owner, 1, i % 2 == 0 ? 49 : 99),
            expected);
    }
    name(&named, 100);
    assert_int_equal(jtgi_stripes_reserve(stripes, &named.key, &named.owner, 1, 49), JTG_OK);
    named.number = 101;
    named.key.group = "a";
    named.key.group_len = 1;
    assert_int_equal(jtgi_stripes_reserve(stripes, &named.key, &named.owner, 60, 40), JTG_OK);
    jtgi_stripes_free(stripes, false);
}

struct race {
    struct jtgi_stripes *stripes;
    _Atomic uint64_t admitted;
};

enum { RACE_PLACES = 3000, RACE_TRIES = 1000, RACE_THREADS = 8 };

static void race_for_places(void *context, unsigned index)
{
    struct race *race = context;
    for (uint64_t i = 0; i < RACE_TRIES; i++)
        if (reserve(race->stripes, index * RACE_TRIES + i, 1, 100) == JTG_OK)
            atomic_fetch_add(&race->admitted, 1);
}

static void test_threads_never_get_more_places_than_there_are(void **state)
{
    (void)state;
    struct race race = {.stripes = jtgi_stripes_new(RACE_PLACES, 0)};
    threads_run(RACE_THREADS, race_for_places, &race);
    assert_true(atomic_load(&race.admitted) <= RACE_PLACES);
    assert_int_equal(jtgi_stripes_count(race.stripes), atomic_load(&race.admitted));
    /* Whoever comes when nobody races finds what is left. */
    for (uint64_t i = atomic_load(&race.admitted); i < RACE_PLACES; i++)
        assert_int_equal(reserve(race.stripes, 1000000 + i, 1, 100), JTG_OK);
    assert_int_equal(reserve(race.stripes, 5000000, 1, 100), JTG_ERR_FULL);
    jtgi_stripes_free(race.stripes, false);
}

/* A thread that read the clock before it was stopped: it must not see as live what others have seen
 * end, nor end later what it extends. */
static void test_time_does_not_go_back_within_a_stripe(void **state)
{
    (void)state;
    struct jtgi_stripes *stripes = jtgi_stripes_new(10, 0);
    assert_int_equal(reserve(stripes, 1, 10, 50), JTG_OK);
    assert_int_equal(reserve(stripes, 2, 60, 100), JTG_OK);
    assert_int_equal(release(stripes, 1, 40), JTG_NOT_FOUND);
    /* The life counts from the time of the others. */
    assert_int_equal(reserve(stripes, 3, 40, 50), JTG_OK);
    assert_int_equal(release(stripes, 3, 65), JTG_OK);
    jtgi_stripes_free(stripes, false);
}

/* ---- time that passes between two locks of one call ---- */

static struct {
    struct jtgi_stripes *stripes; /* NULL: nothing happens */
    unsigned locks;               /* that the call has taken */
} passing;

int __real_pthread_mutex_lock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_lock(pthread_mutex_t *lock);

/* Another thread comes by with a later time: before the sweep that looks for a place, and again
 * before the place is used. */
static void let_time_pass(struct jtgi_stripes *stripes)
{
    static const uint64_t times[] = {10, 50, 60};
    unsigned nth = passing.locks++;
    passing.stripes = NULL;
    if (nth < sizeof times / sizeof times[0])
        (void)release(stripes, 4000000, times[nth]);
    passing.stripes = stripes;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *lock)
{
    if (passing.stripes != NULL)
        let_time_pass(passing.stripes);
    return __real_pthread_mutex_lock(lock);
}

/* A call that finds the store full collects the place of the one that has ended, and then finds
 * that the other has ended as well, where its own key belongs: it needs one place, and gives one
 * back. Keys differ, for where they belong is drawn anew for each store. */
static void test_no_place_is_lost_between_two_tries(void **state)
{
    enum { ROUNDS = 64 };
    (void)state;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        struct jtgi_stripes *stripes = jtgi_stripes_new(2, 0);
        assert_int_equal(reserve(stripes, 1, 10, 50), JTG_OK);
        assert_int_equal(reserve(stripes, 2, 10, 60), JTG_OK);
        passing.locks = 0;
        passing.stripes = stripes;
        assert_int_equal(reserve(stripes, 3, 10, 70), JTG_OK);
        passing.stripes = NULL;
        assert_true(passing.locks >= 3);
        for (uint64_t i = 0; i < 2; i++)
            assert_int_equal(reserve(stripes, 10 + i, 500, 600), JTG_OK);
        assert_int_equal(reserve(stripes, 20, 500, 600), JTG_ERR_FULL);
        jtgi_stripes_free(stripes, false);
    }
}

static void count_growth(void *context)
{
    ++*(int *)context;
}

/* What does not fill a huge page is left alone: it would take memory that it does not need. (Tables
 * that do fill some are measured by `jtiguard bench memory`.) */
static void test_small_tables_ask_for_no_huge_pages(void **state)
{
    (void)state;
    enum { ENTRIES = 200000 };
    int grown = 0;
    struct jtgi_stripes *stripes = jtgi_stripes_new(UINT64_C(10000000), 0);
    jtgi_stripes_set_listener(stripes, count_growth, &grown);
    for (uint64_t i = 0; i < ENTRIES; i++)
        assert_int_equal(reserve(stripes, i, 1, 100), JTG_OK);
    assert_int_equal(grown, 0);
    assert_false(jtgi_stripes_settle(stripes));
    for (uint64_t i = 0; i < ENTRIES; i++)
        assert_int_equal(release(stripes, i, 1), JTG_OK);
    jtgi_stripes_free(stripes, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holds_exactly_as_many_as_it_may),
        cmocka_unit_test(test_what_has_ended_makes_room_without_a_sweep),
        cmocka_unit_test(test_a_share_of_one_group_leaves_room_for_others),
        cmocka_unit_test(test_threads_never_get_more_places_than_there_are),
        cmocka_unit_test(test_time_does_not_go_back_within_a_stripe),
        cmocka_unit_test(test_no_place_is_lost_between_two_tries),
        cmocka_unit_test(test_small_tables_ask_for_no_huge_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
