/* SPDX-License-Identifier: Apache-2.0 */
/* Reservations that count on what was kept: with two files in turn, and a loss on the way. */
#include "host/keeping.h"

#include "host/since.h"
#include "support/asserts.h"
#include "support/host_store.h"
#include "table/layout.h"

#include <pthread.h>
#include <sched.h>

/* ---- a file that is exchanged ---- */

/* What the old one admits in its last second is too old for the new one, and what that admits was
 * of the future. */
static void no_time_is_good_for_both(void **state)
{
    (void)state;
    for (int64_t issued_ms = 900; issued_ms <= 1100; issued_ms++) {
        jtg_cache *old = host_store_open();
        test_clock_advance(&store.hands, 2000);
        assert_status(host_store_reserve(old, "warm", 1), JTG_OK);
        int64_t replaced_ms = atomic_load(&store.hands.wall_ms);
        host_folder_remove_store(&store.folder);
        jtg_cache *new_one = host_store_open();
        bool by_old = false, by_new = false;
        for (int64_t passed_ms = 0; passed_ms < 1200; passed_ms += 100) {
            int64_t token_ms = replaced_ms + issued_ms;
            if (token_ms <= atomic_load(&store.hands.wall_ms)) { /* not of the future */
                by_old |= host_store_reserve_kept(old, "jti", 1, token_ms) == JTG_OK;
                by_new |= host_store_reserve_kept(new_one, "jti", 2, token_ms) == JTG_OK;
            }
            test_clock_advance(&store.hands, 100);
        }
        assert_false(by_old && by_new);
        jtg_cache_free(old);
        jtg_cache_free(new_one);
        host_folder_remove_store(&store.folder);
    }
}

/* ---- a loss between the two looks of a reservation ---- */

enum { STAY_MS = 1000 };

/* Another process of the store, that stays in the lock of every partition. */
struct other_process {
    struct jtgi_host_attachment *at;
    _Atomic uint32_t *waited_for; /* the lock that a reservation waits for */
};

static struct other_process other_in_all_locks(const struct jtgi_host_terms *terms)
{
    struct other_process other = {NULL, NULL};
    assert_status(jtgi_host_attach(&other.at, terms, NULL), JTG_OK);
    struct jtgi_partition *partitions = other.at->table->partitions;
    for (size_t i = 0; i < jtgi_table_partitions(other.at->table); i++)
        (void)jtgi_lock_take(&partitions[i].lock, &other.at->party);
    return other;
}

static void leave_all_locks(const struct other_process *other)
{
    struct jtgi_partition *partitions = other->at->table->partitions;
    for (size_t i = 0; i < jtgi_table_partitions(other->at->table); i++)
        jtgi_lock_leave(&partitions[i].lock, &other->at->party);
}

/* Until somebody sleeps at one of them. */
static void await_a_waiter(const struct other_process *other)
{
    const struct jtgi_partition *partitions = other->at->table->partitions;
    for (size_t i = 0;; i = (i + 1) % jtgi_table_partitions(other->at->table))
        if ((atomic_load(&partitions[i].lock) & JTGI_LOCK_WAITERS) != 0)
            return;
        else
            (void)sched_yield();
}

struct asker {
    jtg_cache *cache;
    jtg_status status;
    bool as_many;
};

static void *ask(void *argument)
{
    struct asker *asker = argument;
    jtg_owner owner = {{1}};
    jtg_reserve_call call = JTG_RESERVE_CALL_INIT;
    call.key = (jtg_key){"a jti", 5, NULL, 0};
    call.owner = &owner;
    call.ttl_ms = HOST_STORE_LIFE_MS;
    call.kept_since_ms = TEST_CLOCK_WALL_MS + 2000;
    if (!asker->as_many) {
        asker->status = host_store_reserve_kept(asker->cache, "a jti", 1, call.kept_since_ms);
        return NULL;
    }
    (void)jtg_cache_reserve_many(asker->cache, &call, 1);
    asker->status = call.status;
    return NULL;
}

static void stored_and_blocked_is_not_told_as_blocked(bool as_many)
{
    int64_t before_ms = 0;
    pthread_t thread;
    const struct jtgi_host_terms terms = {.max_entries = 5000,
                                          .max_values = 50,
                                          .max_value_bytes = 20000,
                                          .spot = {store.folder.store, (uid_t)-1, (gid_t)-1},
                                          .lock_wait_ms = STAY_MS,
                                          .clock = &store.clock};
    store.options.lock_wait_ms = STAY_MS;
    struct asker asker = {.cache = host_store_open(), .as_many = as_many};
    struct other_process other = other_in_all_locks(&terms);
    test_clock_advance(&store.hands, 3000);
    assert_int_equal(pthread_create(&thread, NULL, ask, &asker), 0);
    await_a_waiter(&other);
    assert_status(jtgi_host_since_begin_loss(other.at->file.header, &other.at->party, &before_ms),
                  JTG_OK);
    leave_all_locks(&other);
    assert_int_equal(pthread_join(thread, NULL), 0);
    jtgi_host_since_end_loss(other.at->file.header, &other.at->party, &store.clock, before_ms);
    assert_status(asker.status, JTG_ERR_TIMEOUT);
    assert_status(host_store_reserve(asker.cache, "a jti", 1), JTG_OK); /* the same owner again */
    assert_status(host_store_reserve(asker.cache, "a jti", 2), JTG_REPLAYED);
    jtgi_host_detach(other.at, false);
    jtg_cache_free(asker.cache);
}

static void what_was_stored_is_not_told_as_blocked(void **state)
{
    (void)state;
    stored_and_blocked_is_not_told_as_blocked(false);
}

static void of_many_neither(void **state)
{
    (void)state;
    stored_and_blocked_is_not_told_as_blocked(true);
}

static int64_t epoch_of(jtg_cache *cache)
{
    int64_t epoch = INT64_MAX;
    assert_status(jtg_cache_epoch(cache, &epoch, NULL), JTG_OK);
    return epoch;
}

/* The wall clock is set, or is seen later than before: the time that is told moves, and nothing was
 * lost. What was noted with a value must say so. */
static void no_clock_moves_an_epoch(void **state)
{
    (void)state;
    jtg_cache *cache = host_store_open();
    int64_t told_ms = host_store_kept_since(cache);
    int64_t epoch = epoch_of(cache);
    test_clock_set_wall_by(&store.hands, 3600000);
    assert_int_equal(host_store_kept_since(cache), told_ms + 3600000);
    assert_int_equal(epoch_of(cache), epoch);
    test_clock_set_wall_by(&store.hands, -7200000);
    assert_int_equal(epoch_of(cache), epoch);
    test_clock_advance(&store.hands, 5000);
    assert_status(jtg_host_lose(cache, NULL), JTG_OK);
    assert_true(epoch_of(cache) > epoch);
    assert_status(jtg_host_vouch(cache, 0, NULL), JTG_OK);
    assert_true(epoch_of(cache) < epoch);
    jtg_cache_free(cache);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, host_store_begin, host_store_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(no_time_is_good_for_both),
        CASE(no_clock_moves_an_epoch),
        CASE(what_was_stored_is_not_told_as_blocked),
        CASE(of_many_neither),
    };
    return cmocka_run_group_tests_name("keeping", tests, NULL, NULL);
}
