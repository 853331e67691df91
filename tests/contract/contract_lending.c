/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that a store lends to those who use it together: what backend.h says of the three slots.
 */
#include "contract/contract_case.h"
#include "support/threads.h"

#include <jtiguard/backend.h>
#include <stdint.h>
#include <string.h>

static void *piece_of(jtg_cache *cache, jtg_borrower borrower)
{
    void *memory = NULL;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(cache->backend->lend(cache, borrower, &memory, &err), JTG_OK);
    assert_err_tells(&err, JTG_OK);
    assert_non_null(memory);
    return memory;
}

static void each_borrower_has_a_piece_that_begins_as_zero(void **state)
{
    static const unsigned char zero[JTG_LENT_BYTES];
    const struct fixture *f = *state;
    for (int borrower = 0; borrower < JTG_BORROWER_COUNT; borrower++) {
        unsigned char *memory = piece_of(f->cache, (jtg_borrower)borrower);
        assert_int_equal((uintptr_t)memory % 8, 0);
        assert_memory_equal(memory, zero, sizeof zero);
        memset(memory, borrower + 1, sizeof zero);
    }
    for (int borrower = 0; borrower < JTG_BORROWER_COUNT; borrower++) {
        const unsigned char *memory = piece_of(f->cache, (jtg_borrower)borrower);
        for (unsigned at = 0; at < JTG_LENT_BYTES; at++)
            assert_int_equal(memory[at], borrower + 1);
    }
}

static void it_stays_when_reservations_go(void **state)
{
    const struct fixture *f = *state;
    unsigned char *memory = piece_of(f->cache, JTG_BORROWER_GUARD);
    memset(memory, 7, JTG_LENT_BYTES);
    assert_status(reserve(f, key_of("a jti"), 1, LIFE_MS), JTG_OK);
    assert_status(clear(f), JTG_OK);
    advance_past_end(f);
    (void)prune(f);
    assert_ptr_equal(piece_of(f->cache, JTG_BORROWER_GUARD), memory);
    assert_int_equal(memory[JTG_LENT_BYTES - 1], 7);
}

/* Where two caches are one store, there is one piece. */
static void all_who_use_the_store_have_the_same(void **state)
{
    const struct fixture *f = *state;
    jtg_cache *other = f->backend->open_again(f->store);
    memset(piece_of(f->cache, JTG_BORROWER_ANTI_REPLAY), 9, JTG_LENT_BYTES);
    const unsigned char *memory = piece_of(other, JTG_BORROWER_ANTI_REPLAY);
    assert_int_equal(memory[0], 9);
    assert_int_equal(memory[JTG_LENT_BYTES - 1], 9);
    jtg_cache_free(other);
}

enum { THREADS = 4, ROUNDS = 1000 };

/* A number that is read, and written one greater. */
static void count_up(void *context, unsigned thread)
{
    jtg_cache *cache = context;
    void *memory = NULL;
    jtg_error err = JTG_ERROR_INIT;
    (void)thread;
    if (cache->backend->lend(cache, JTG_BORROWER_GUARD, &memory, &err) != JTG_OK)
        return;
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (cache->backend->lock_lent(cache, memory, &err) != JTG_OK)
            return;
        ++*(uint64_t *)memory;
        cache->backend->unlock_lent(cache, memory);
    }
}

static void one_at_a_time_holds_its_lock(void **state)
{
    const struct fixture *f = *state;
    threads_run(THREADS, count_up, f->cache);
    assert_int_equal(*(const uint64_t *)piece_of(f->cache, JTG_BORROWER_GUARD), THREADS * ROUNDS);
}

static void two_pieces_have_two_locks(void **state)
{
    const struct fixture *f = *state;
    jtg_error err = JTG_ERROR_INIT;
    void *one = piece_of(f->cache, JTG_BORROWER_GUARD);
    void *other = piece_of(f->cache, JTG_BORROWER_ANTI_REPLAY);
    assert_status(f->cache->backend->lock_lent(f->cache, one, &err), JTG_OK);
    assert_status(f->cache->backend->lock_lent(f->cache, other, &err), JTG_OK);
    f->cache->backend->unlock_lent(f->cache, other);
    f->cache->backend->unlock_lent(f->cache, one);
    assert_status(f->cache->backend->lock_lent(f->cache, one, &err), JTG_OK);
    f->cache->backend->unlock_lent(f->cache, one);
}

const struct contract_case contract_lending[] = {
    {CONTRACT_CASE(each_borrower_has_a_piece_that_begins_as_zero), .needs = CONTRACT_LENDS},
    {CONTRACT_CASE(it_stays_when_reservations_go), .needs = CONTRACT_LENDS},
    {CONTRACT_CASE(all_who_use_the_store_have_the_same), .needs = CONTRACT_LENDS | CONTRACT_SHARED},
    {CONTRACT_CASE(one_at_a_time_holds_its_lock), .needs = CONTRACT_LENDS},
    {CONTRACT_CASE(two_pieces_have_two_locks), .needs = CONTRACT_LENDS},
    {.name = NULL},
};
