/* SPDX-License-Identifier: Apache-2.0 */
/* max_entries holds exactly, over all partitions, and a place that is free is found. */
#include "core/clock.h"
#include "support/asserts.h"
#include "support/table_memory.h"
#include "support/threads.h"
#include "table/hash.h"

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

static jtg_status reserve(struct jtgi_table *table, uint64_t number, uint64_t now, uint64_t end)
{
    struct named named;
    name(&named, number);
    return jtgi_table_reserve(table, &named.key, &named.owner, now, end - now);
}

static jtg_status release(struct jtgi_table *table, uint64_t number, uint64_t now)
{
    struct named named;
    name(&named, number);
    return jtgi_table_release(table, &named.key, &named.owner, now);
}

static uint64_t count_of(struct jtgi_table *table)
{
    uint64_t count = 0;
    assert_int_equal(jtgi_table_count(table, &count), JTG_OK);
    return count;
}

static void test_holds_exactly_as_many_as_it_may(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct table_memory memory;
        table_memory_open(&memory, sizes[s], 0, true);
        struct jtgi_table *table = memory.table;
        for (uint64_t i = 0; i < sizes[s]; i++)
            assert_int_equal(reserve(table, i, 1, 100), JTG_OK);
        for (uint64_t i = 0; i < 100; i++)
            assert_int_equal(reserve(table, sizes[s] + i, 1, 100), JTG_ERR_FULL);
        assert_int_equal(count_of(table), sizes[s]);
        /* A place that one partition gives back serves a key of any other. */
        for (uint64_t i = 0; i < 50 && i < sizes[s]; i++) {
            assert_int_equal(release(table, i, 1), JTG_OK);
            assert_int_equal(reserve(table, sizes[s] + 1000 + i, 1, 100), JTG_OK);
            assert_int_equal(reserve(table, sizes[s] + 2000 + i, 1, 100), JTG_ERR_FULL);
        }
        assert_null(table_fault(table));
        table_memory_close(&memory);
    }
}

static void test_what_has_ended_makes_room_without_a_sweep(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct table_memory memory;
        table_memory_open(&memory, sizes[s], 0, true);
        struct jtgi_table *table = memory.table;
        for (uint64_t i = 0; i < sizes[s]; i++)
            assert_int_equal(reserve(table, i, 1, i % 2 == 0 ? 50 : 100), JTG_OK);
        uint64_t admitted = 0;
        for (uint64_t i = 0; i < sizes[s]; i++)
            admitted += reserve(table, sizes[s] + i, 60, 200) == JTG_OK;
        assert_int_equal(admitted, (sizes[s] + 1) / 2);
        for (uint64_t i = 1; i < sizes[s]; i += 2)
            assert_int_equal(reserve(table, i, 60, 200), JTG_OK); /* ours, and still there */
        assert_null(table_fault(table));
        table_memory_close(&memory);
    }
}

static void test_a_share_of_one_group_leaves_room_for_others(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, 5000, 10, true);
    struct jtgi_table *table = memory.table;
    struct named named;
    for (uint64_t i = 0; i < 30; i++) {
        name(&named, i);
        named.key.group = i % 3 == 2 ? "b" : "a";
        named.key.group_len = 1;
        jtg_status expected = i % 3 != 2 && i >= 15 ? JTG_ERR_GROUP_FULL : JTG_OK;
        assert_int_equal(
            jtgi_table_reserve(table, &named.key, &named.owner, 1, i % 2 == 0 ? 49 : 99), expected);
    }
    name(&named, 100);
    assert_int_equal(jtgi_table_reserve(table, &named.key, &named.owner, 1, 49), JTG_OK);
    named.number = 101;
    named.key.group = "a";
    named.key.group_len = 1;
    assert_int_equal(jtgi_table_reserve(table, &named.key, &named.owner, 60, 40), JTG_OK);
    assert_null(table_fault(table));
    table_memory_close(&memory);
}

struct race {
    struct jtgi_table *table;
    _Atomic uint64_t admitted;
};

enum { RACE_PLACES = 3000, RACE_TRIES = 1000, RACE_THREADS = 8 };

static void race_for_places(void *context, unsigned index)
{
    struct race *race = context;
    for (uint64_t i = 0; i < RACE_TRIES; i++)
        if (reserve(race->table, index * RACE_TRIES + i, 1, 100) == JTG_OK)
            atomic_fetch_add(&race->admitted, 1);
}

static void test_threads_never_get_more_places_than_there_are(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, RACE_PLACES, 0, true);
    struct race race = {.table = memory.table};
    threads_run(RACE_THREADS, race_for_places, &race);
    assert_true(atomic_load(&race.admitted) <= RACE_PLACES);
    assert_int_equal(count_of(race.table), atomic_load(&race.admitted));
    /* Whoever comes when nobody races finds what is left. */
    for (uint64_t i = atomic_load(&race.admitted); i < RACE_PLACES; i++)
        assert_int_equal(reserve(race.table, 1000000 + i, 1, 100), JTG_OK);
    assert_int_equal(reserve(race.table, 5000000, 1, 100), JTG_ERR_FULL);
    assert_null(table_fault(race.table));
    table_memory_close(&memory);
}

/* A thread that read the clock before it was stopped: it must not see as live what others have seen
 * end, nor end later what it extends. */
static void test_time_does_not_go_back_within_a_partition(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, 10, 0, true);
    struct jtgi_table *table = memory.table;
    assert_int_equal(reserve(table, 1, 10, 50), JTG_OK);
    assert_int_equal(reserve(table, 2, 60, 100), JTG_OK);
    assert_int_equal(release(table, 1, 40), JTG_NOT_FOUND);
    /* The life counts from the time of the others. */
    assert_int_equal(reserve(table, 3, 40, 50), JTG_OK);
    assert_int_equal(release(table, 3, 65), JTG_OK);
    assert_null(table_fault(table));
    table_memory_close(&memory);
}

/* ---- time that passes between two locks of one call ---- */

struct passing {
    unsigned looks;
    uint64_t times[3];
};

static uint64_t passing_time(void *context)
{
    struct passing *passing = context;
    size_t nth = passing->looks++;
    return passing->times[nth < 3 ? nth : 2];
}

/* A call that finds the store full collects the place of the one that has ended, and then finds
 * that the other has ended as well, where its own key belongs: it needs one place, and gives one
 * back. Keys differ, for where they belong is drawn anew for each store. */
static void test_no_place_is_lost_between_two_tries(void **state)
{
    enum { ROUNDS = 64 };
    (void)state;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        struct table_memory memory;
        table_memory_open(&memory, 2, 0, true);
        struct jtgi_table *table = memory.table;
        assert_int_equal(reserve(table, 1, 10, 50), JTG_OK);
        assert_int_equal(reserve(table, 2, 10, 60), JTG_OK);
        struct passing passing = {.times = {10, 50, 60}};
        jtgi_table_set_exact(table, passing_time, &passing);
        assert_int_equal(reserve(table, 3, 10, 70), JTG_OK);
        assert_int_equal(passing.looks, 3);
        jtgi_table_set_exact(table, NULL, NULL);
        assert_null(table_fault(table));
        for (uint64_t i = 0; i < 2; i++)
            assert_int_equal(reserve(table, 10 + i, 500, 600), JTG_OK);
        assert_int_equal(reserve(table, 20, 500, 600), JTG_ERR_FULL);
        table_memory_close(&memory);
    }
}

/* A late clock lets an entry live a little longer; an end is made by the exact one. */
static void test_a_late_clock_only_refuses(void **state)
{
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, 10, 0, true);
    struct jtgi_table *table = memory.table;
    struct passing exact = {.times = {20, 29, 40}};
    jtgi_table_set_exact(table, passing_time, &exact);
    assert_int_equal(reserve(table, 1, 15, 25), JTG_OK); /* ends at 20 + 10 */
    assert_int_equal(exact.looks, 1);
    assert_int_equal(release(table, 1, 31), JTG_NOT_FOUND);
    assert_int_equal(exact.looks, 1);
    assert_int_equal(reserve(table, 2, 15, 25), JTG_OK); /* ends at 31 + 10: time went on */
    struct named other;
    name(&other, 3);
    other.number = 2;
    assert_int_equal(jtgi_table_reserve(table, &other.key, &other.owner, 15, 10), JTG_REPLAYED);
    assert_int_equal(exact.looks, 3);
    assert_int_equal(reserve(table, 2, 15, 25), JTG_OK); /* longer: 40 + 10 */
    assert_int_equal(release(table, 2, 49), JTG_OK);
    table_memory_close(&memory);
}

/* ---- many at once ---- */

static void test_many_are_answered_as_one_by_one(void **state)
{
    enum { CALLS = 100, KEYS = 60 };
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, KEYS - 10, 0, true);
    static struct named names[CALLS];
    static jtg_reserve_call made[CALLS];
    jtg_reserve_call *calls[CALLS];
    for (size_t i = 0; i < CALLS; i++) {
        name(&names[i], i);
        names[i].number = i % KEYS;
        made[i] = (jtg_reserve_call){
            .key = names[i].key, .owner = &names[i].owner, .ttl_ms = 10, .status = JTG_ERR_TIMEOUT};
        calls[i] = &made[i];
    }
    jtgi_table_reserve_many(memory.table, calls, CALLS, 1);
    for (size_t i = 0; i < CALLS; i++)
        assert_int_equal(made[i].status, i % KEYS >= KEYS - 10 ? JTG_ERR_FULL
                                         : i < KEYS            ? JTG_OK
                                                               : JTG_REPLAYED);
    assert_null(table_fault(memory.table));
    table_memory_close(&memory);
}

/* ---- a table that has everything from the start ---- */

static void test_holds_as_many_without_growth(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct table_memory memory;
        table_memory_open(&memory, sizes[s], sizes[s], false);
        struct jtgi_table *table = memory.table;
        for (uint64_t i = 0; i < sizes[s]; i++)
            assert_int_equal(reserve(table, i, 1, 100), JTG_OK);
        assert_int_equal(reserve(table, sizes[s], 1, 100), JTG_ERR_FULL);
        assert_int_equal(reserve(table, sizes[s], 100, 200), JTG_OK);
        struct jtgi_table_stats stats;
        assert_int_equal(jtgi_table_stats_get(table, &stats), JTG_OK);
        assert_int_equal(stats.growths, 0);
        assert_null(table_fault(table));
        assert_int_equal(jtgi_table_clear(table), JTG_OK);
        assert_int_equal(count_of(table), 0);
        assert_null(table_fault(table));
        table_memory_close(&memory);
    }
}

static void test_keys_are_wiped(void **state)
{
    static const struct jtgi_table_keys none;
    (void)state;
    struct table_memory memory;
    table_memory_open(&memory, 10, 0, true);
    assert_memory_not_equal(&memory.table->head->keys, &none, sizeof none);
    jtgi_table_wipe_keys(memory.table);
    assert_memory_equal(&memory.table->head->keys, &none, sizeof none);
    table_memory_close(&memory);
}

/* ---- growth ---- */

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
    struct table_memory memory;
    table_memory_open(&memory, UINT64_C(10000000), 0, true);
    struct jtgi_table *table = memory.table;
    jtgi_table_set_listener(table, count_growth, &grown);
    for (uint64_t i = 0; i < ENTRIES; i++)
        assert_int_equal(reserve(table, i, 1, 100), JTG_OK);
    assert_int_equal(grown, 0);
    assert_false(jtgi_table_settle(table));
    for (uint64_t i = 0; i < ENTRIES; i++)
        assert_int_equal(release(table, i, 1), JTG_OK);
    assert_null(table_fault(table));
    table_memory_close(&memory);
}

enum { WAIT_MS = 300 };

/* Of somebody else, who stays in the locks of all partitions but those of the first `free`. */
static void stay_in_all_but(struct table_memory *memory, uint32_t free)
{
    for (uint32_t i = free; i < memory->plan.partitions; i++)
        atomic_store(&memory->table->partitions[i].lock, 99);
}

/* A key of the first partition that nobody has reserved. */
static uint64_t number_in_first(const struct jtgi_table *table)
{
    for (uint64_t number = 1000;; number++) {
        struct named named;
        name(&named, number);
        if (jtgi_hash_key(table, &named.key).partition == table->partitions)
            return number;
    }
}

/* However many processes were stopped inside, a call waits for one of them. */
static void test_the_bound_of_a_wait_is_one_for_the_call(void **state)
{
    enum { ENTRIES = 200000, CALLS = 200 };
    const struct jtgi_lock_party party = {.word = 1, .shared = true, .wait_ms = WAIT_MS};
    struct table_memory memory;
    struct named named[CALLS];
    jtg_reserve_call calls[CALLS], *list[CALLS];
    uint64_t removed = 0;
    (void)state;
    table_memory_open(&memory, ENTRIES, 0, false);
    struct jtgi_table *table = jtgi_table_open(memory.base, &memory.plan, &party);
    assert_non_null(table);
    for (unsigned i = 0; i < CALLS; i++) {
        name(&named[i], i);
        calls[i] = (jtg_reserve_call)JTG_RESERVE_CALL_INIT;
        calls[i].key = named[i].key;
        calls[i].owner = &named[i].owner;
        calls[i].ttl_ms = 100;
        list[i] = &calls[i];
    }
    stay_in_all_but(&memory, memory.plan.partitions / 2);
    int64_t start_ms = jtgi_clock_system_ms();
    jtgi_table_reserve_many(table, list, CALLS, 1);
    assert_int_equal(jtgi_table_prune(table, 1, &removed), JTG_ERR_BLOCKED);
    stay_in_all_but(&memory, 1);
    atomic_store(&table->head->pool, 0); /* it looks full: everybody is asked for places */
    table->partitions->places = 0;
    assert_int_equal(reserve(table, number_in_first(table), 1, 100), JTG_ERR_FULL);
    assert_in_range(jtgi_clock_system_ms() - start_ms, WAIT_MS,
                    (int64_t)memory.plan.partitions * WAIT_MS / 2);
    unsigned reserved = 0;
    for (unsigned i = 0; i < CALLS; i++) {
        assert_true(calls[i].status == JTG_OK || calls[i].status == JTG_ERR_BLOCKED);
        reserved += calls[i].status == JTG_OK;
    }
    assert_true(reserved > 0);
    jtgi_table_close(table);
    table_memory_close(&memory);
}

static void test_no_end_is_beyond_what_a_slot_holds(void **state)
{
    const uint64_t last = (UINT64_C(1) << JTGI_END_BITS) - 2 * JTG_TTL_MAX_MS - 1;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    assert_status(jtgi_table_check_end(last, JTG_TTL_MAX_MS, &err), JTG_OK);
    assert_status(jtgi_table_check_end(last + 1, JTG_TTL_MAX_MS, &err), JTG_ERR_SYSTEM);
    assert_err_tells(&err, JTG_ERR_SYSTEM);
    assert_status(jtgi_table_check_end(last + 1, JTG_TTL_MAX_MS - 1, NULL), JTG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holds_exactly_as_many_as_it_may),
        cmocka_unit_test(test_what_has_ended_makes_room_without_a_sweep),
        cmocka_unit_test(test_a_share_of_one_group_leaves_room_for_others),
        cmocka_unit_test(test_threads_never_get_more_places_than_there_are),
        cmocka_unit_test(test_time_does_not_go_back_within_a_partition),
        cmocka_unit_test(test_no_place_is_lost_between_two_tries),
        cmocka_unit_test(test_a_late_clock_only_refuses),
        cmocka_unit_test(test_many_are_answered_as_one_by_one),
        cmocka_unit_test(test_holds_as_many_without_growth),
        cmocka_unit_test(test_keys_are_wiped),
        cmocka_unit_test(test_small_tables_ask_for_no_huge_pages),
        cmocka_unit_test(test_no_end_is_beyond_what_a_slot_holds),
        cmocka_unit_test(test_the_bound_of_a_wait_is_one_for_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
