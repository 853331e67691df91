/* SPDX-License-Identifier: Apache-2.0 */
/* Sixteen threads of two servers get the same flights, while time passes and flights end: each is
 * accepted once at most, and while time stands still exactly once. */
#include "threads/shared_cache.h"

#include <jtiguard/anti_replay.h>

enum { MANY = 16, FLIGHTS = 3000 };

struct race {
    struct shared shared;
    jtg_anti_replay *servers[2];
    jtg_anti_replay_mode mode;
    bool time_passes;
    atomic_uint accepted[FLIGHTS];
};

static jtg_flight flight_of(const uint64_t identity[4])
{
    jtg_flight flight = JTG_FLIGHT_INIT;
    flight.ticket = identity;
    flight.ticket_len = 32;
    flight.binder = identity;
    flight.binder_len = 32;
    flight.client_random = identity;
    flight.client_random_len = 32;
    flight.issued_ms = TEST_CLOCK_WALL_MS + 3600000 + (int64_t)identity[0];
    flight.lifetime_ms = 60000;
    flight.age_ms = 0;
    return flight;
}

static void take_flights(void *context, unsigned thread)
{
    struct race *race = context;
    for (unsigned i = 0; i < FLIGHTS; i++) {
        /* Each thread comes by a few of the others' flights, forwards and backwards. */
        unsigned at = thread % 2 == 0 ? i : (i / 8) * 8 + 7 - i % 8;
        uint64_t identity[4] = {at, 0, 0, 0};
        jtg_flight flight = flight_of(identity);
        jtg_flight_decision decision = JTG_FLIGHT_DECISION_INIT;
        if (jtg_anti_replay_accept(race->servers[thread % 2], &flight, &decision, NULL))
            atomic_fetch_add(&race->accepted[at], 1);
        else
            expect(&race->shared, decision.reason == JTG_FLIGHT_REPLAYED ||
                                      (race->time_passes && decision.seen == JTG_SEEN_UNSURE));
        if (race->time_passes && thread == 0)
            test_clock_advance(&race->shared.clock, 100);
    }
}

static void run(jtg_anti_replay_mode mode, bool time_passes)
{
    static struct race race;
    jtg_memory_options memory = JTG_MEMORY_OPTIONS_INIT;
    jtg_anti_replay_options options = JTG_ANTI_REPLAY_OPTIONS_INIT;
    memset(&race, 0, sizeof race);
    race.time_passes = time_passes;
    memory.sweep_interval_ms = 1;
    shared_open(&race.shared, memory);
    jtg_clock clock = test_clock_as_jtg(&race.shared.clock);
    options.clock = &clock;
    options.mode = mode;
    options.margin_ms = 1000;
    for (int i = 0; i < 2; i++)
        assert_status(jtg_anti_replay_new(&race.servers[i], race.shared.cache, &options, NULL),
                      JTG_OK);
    test_clock_advance(&race.shared.clock, 3600000 + (time_passes ? 0 : 3000));
    threads_run(MANY, take_flights, &race);
    unsigned total = 0;
    for (unsigned i = 0; i < FLIGHTS; i++) {
        unsigned times = atomic_load(&race.accepted[i]);
        assert_true(time_passes ? times <= 1 : times == 1);
        total += times;
    }
    assert_true(total > 0);
    for (int i = 0; i < 2; i++)
        jtg_anti_replay_free(race.servers[i]);
    shared_close(&race.shared);
}

static void each_flight_is_accepted_once(void **state)
{
    (void)state;
    for (int mode = 0; mode <= JTG_ANTI_REPLAY_CLIENT_RANDOM; mode++)
        run((jtg_anti_replay_mode)mode, false);
}

static void none_is_accepted_twice_while_time_passes(void **state)
{
    (void)state;
    for (int mode = 0; mode <= JTG_ANTI_REPLAY_CLIENT_RANDOM; mode++)
        run((jtg_anti_replay_mode)mode, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_flight_is_accepted_once),
        cmocka_unit_test(none_is_accepted_twice_while_time_passes),
    };
    return cmocka_run_group_tests_name("anti-replay race", tests, NULL, NULL);
}
