/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that present one token at the same moment: one is admitted, in every round. */
#include "threads/shared_cache.h"

#include <pthread.h>

enum { ROUNDS = 10000 };

struct rounds {
    pthread_barrier_t start; /* of each round */
    atomic_uint winners[ROUNDS];
    atomic_uint replays[ROUNDS];
};

static void present_in_each_round(void *context, unsigned thread)
{
    struct shared *shared = context;
    struct rounds *rounds = shared->more;
    jtg_owner owner = owner_of(thread);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        jtg_key key = key_of(&round);
        (void)pthread_barrier_wait(&rounds->start);
        jtg_status status = jtg_cache_reserve(shared->cache, &key, &owner, LIFE_MS, NULL);
        expect(shared, status == JTG_OK || status == JTG_REPLAYED);
        atomic_fetch_add(status == JTG_OK ? &rounds->winners[round] : &rounds->replays[round], 1);
    }
}

static void one_wins_in_every_round(void **state)
{
    static struct rounds rounds;
    static struct shared shared;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    (void)state;
    shared.more = &rounds;
    options.sweep_interval_ms = 1;
    shared_open(&shared, options);
    assert_int_equal(pthread_barrier_init(&rounds.start, NULL, THREADS), 0);
    threads_run(THREADS, present_in_each_round, &shared);
    (void)pthread_barrier_destroy(&rounds.start);
    for (unsigned round = 0; round < ROUNDS; round++) {
        assert_int_equal(atomic_load(&rounds.winners[round]), 1);
        assert_int_equal(atomic_load(&rounds.replays[round]), THREADS - 1);
    }
    assert_int_equal(jtg_cache_counter(shared.cache, JTG_OP_RESERVE, JTG_OK), ROUNDS);
    assert_int_equal(jtg_cache_counter(shared.cache, JTG_OP_RESERVE, JTG_REPLAYED),
                     ROUNDS * (THREADS - 1));
    shared_close(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_wins_in_every_round)};
    return cmocka_run_group_tests_name("one winner", tests, NULL, NULL);
}
