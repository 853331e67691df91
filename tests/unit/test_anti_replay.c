/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"
#include "support/gated_cache.h"
#include "support/random.h"
#include "support/test_clock.h"

#include <jtiguard/anti_replay.h>
#include <jtiguard/memory.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WINDOW = 10000, MARGIN = 30000, LIFETIME = 3600000, HOUR = 3600000 };

struct fixture {
    struct test_clock clock;
    jtg_clock clock_option;
    jtg_memory_options memory_options;
    jtg_cache *memory;
    struct gated_cache *store;
    bool watches;
    jtg_anti_replay_options options;
    jtg_anti_replay *anti_replay;
    jtg_flight flight;
    unsigned char identity[32];
    jtg_flight_decision decision;
};

static void open_store(struct fixture *fixture)
{
    assert_status(jtg_memory_new(&fixture->memory, &fixture->memory_options, NULL), JTG_OK);
    fixture->store = gated_cache_new(fixture->memory, fixture->watches);
    fixture->store->kept_since_ms = INT64_MIN;
}

static void close_store(struct fixture *fixture)
{
    jtg_cache_free(&fixture->store->base);
    jtg_cache_free(fixture->memory);
}

/* As a server that restarts empty, while this process goes on. */
static void lose_all(struct fixture *fixture)
{
    jtg_cache_free(fixture->memory);
    assert_status(jtg_memory_new(&fixture->memory, &fixture->memory_options, NULL), JTG_OK);
    fixture->store->inner = fixture->memory;
    fixture->store->kept_since_ms = atomic_load(&fixture->clock.wall_ms);
}

static void open_anti_replay(struct fixture *fixture)
{
    jtg_error err = JTG_ERROR_INIT;
    assert_status(
        jtg_anti_replay_new(&fixture->anti_replay, &fixture->store->base, &fixture->options, &err),
        JTG_OK);
    assert_err_tells(&err, JTG_OK);
}

static void reopen(struct fixture *fixture)
{
    jtg_anti_replay_free(fixture->anti_replay);
    open_anti_replay(fixture);
}

static void restart(struct fixture *fixture)
{
    jtg_anti_replay_free(fixture->anti_replay);
    close_store(fixture);
    open_store(fixture);
    open_anti_replay(fixture);
}

/* A server that has been up for an hour. */
static int set_up(void **state)
{
    static struct fixture fixture;
    memset(&fixture, 0, sizeof fixture);
    test_clock_init(&fixture.clock);
    fixture.clock_option = test_clock_as_jtg(&fixture.clock);
    jtg_memory_options_init(&fixture.memory_options);
    fixture.memory_options.clock = &fixture.clock_option;
    fixture.memory_options.sweep_interval_ms = 0;
    jtg_anti_replay_options_init(&fixture.options);
    fixture.options.window_ms = WINDOW;
    fixture.options.margin_ms = MARGIN;
    fixture.options.clock = &fixture.clock_option;
    open_store(&fixture);
    open_anti_replay(&fixture);
    test_clock_advance(&fixture.clock, HOUR);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    jtg_anti_replay_free(fixture->anti_replay);
    close_store(fixture);
    return 0;
}

static int64_t now(const struct fixture *fixture)
{
    return atomic_load(&fixture->clock.wall_ms);
}

/* The first flight of a client that got its ticket age_ms ago. */
static void depart(struct fixture *fixture, uint64_t number, int64_t age_ms)
{
    memcpy(fixture->identity, &number, sizeof number);
    jtg_flight_init(&fixture->flight);
    fixture->flight.ticket = fixture->identity;
    fixture->flight.ticket_len = sizeof fixture->identity;
    fixture->flight.binder = fixture->identity;
    fixture->flight.binder_len = sizeof fixture->identity;
    fixture->flight.client_random = fixture->identity;
    fixture->flight.client_random_len = sizeof fixture->identity;
    fixture->flight.issued_ms = now(fixture) - age_ms;
    fixture->flight.lifetime_ms = LIFETIME;
    fixture->flight.age_ms = (uint64_t)age_ms;
}

static jtg_flight_reason arrive(struct fixture *fixture)
{
    static const jtg_flight_decision undecided = JTG_FLIGHT_DECISION_INIT;
    jtg_flight_decision *decision = &fixture->decision;
    *decision = undecided;
    jtg_error err = JTG_ERROR_INIT;
    uint64_t before[JTG_FLIGHT_REASON_COUNT];
    for (int i = 0; i < JTG_FLIGHT_REASON_COUNT; i++)
        before[i] = jtg_anti_replay_counter(fixture->anti_replay, (jtg_flight_reason)i);
    bool accepted = jtg_anti_replay_accept(fixture->anti_replay, &fixture->flight, decision, &err);
    assert_int_equal(accepted, decision->reason == JTG_FLIGHT_FIRST);
    assert_int_equal(accepted, decision->seen == JTG_SEEN_NOT);
    assert_int_equal(decision->seen, jtg_flight_reason_seen(decision->reason));
    assert_int_equal(decision->struct_size, sizeof *decision);
    for (int i = 0; i < JTG_FLIGHT_REASON_COUNT; i++)
        assert_int_equal(jtg_anti_replay_counter(fixture->anti_replay, (jtg_flight_reason)i),
                         before[i] + (i == (int)decision->reason));
    return decision->reason;
}

#define assert_flight(call, expected)                                                              \
    assert_string_equal(jtg_flight_reason_name(call), jtg_flight_reason_name(expected))

static void set_mode(struct fixture *fixture, jtg_anti_replay_mode mode)
{
    fixture->options.mode = mode;
    reopen(fixture);
    test_clock_advance(&fixture->clock, HOUR);
}

/* ---- what is accepted once ---- */

static void a_flight_is_accepted_once_in_every_mode(void **state)
{
    struct fixture *fixture = *state;
    for (int mode = 0; mode <= JTG_ANTI_REPLAY_CLIENT_RANDOM; mode++) {
        set_mode(fixture, (jtg_anti_replay_mode)mode);
        depart(fixture, 10 + (uint64_t)mode, 5000);
        assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
        for (int copy = 0; copy < 5; copy++) {
            assert_flight(arrive(fixture), JTG_FLIGHT_REPLAYED);
            assert_int_equal(fixture->decision.seen, JTG_SEEN_BEFORE);
            test_clock_advance(&fixture->clock, 1999);
        }
        depart(fixture, 20 + (uint64_t)mode, 5000);
        assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
    }
}

/* A copy is sent at every moment from the first use until long after the record has gone. */
static void a_copy_is_never_accepted_whenever_it_comes(void **state)
{
    struct fixture *fixture = *state;
    for (int mode = 0; mode <= JTG_ANTI_REPLAY_CLIENT_RANDOM; mode++) {
        set_mode(fixture, (jtg_anti_replay_mode)mode);
        depart(fixture, 100 + (uint64_t)mode, 5000);
        fixture->flight.lifetime_ms = 2 * 60000;
        assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
        for (int step = 0; step < 400; step++) {
            test_clock_advance(&fixture->clock, 500);
            assert_int_not_equal(arrive(fixture), JTG_FLIGHT_FIRST);
        }
    }
}

static void a_record_lasts_as_long_as_the_flight_can_be_accepted_and_the_margin(void **state)
{
    struct fixture *fixture = *state;
    depart(fixture, 1, 60000);
    assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
    assert_int_equal(fixture->decision.ttl_ms, LIFETIME - 60000 + MARGIN);
    set_mode(fixture, JTG_ANTI_REPLAY_BINDER);
    depart(fixture, 2, 60000);
    fixture->flight.age_ms -= 3000; /* it was under way for that long */
    assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
    assert_int_equal(fixture->decision.ttl_ms, WINDOW - 3000 + MARGIN);
    assert_int_equal(fixture->store->last_ttl_ms, WINDOW - 3000 + MARGIN);
}

static void a_ticket_may_come_again_as_its_mode_says(void **state)
{
    static const struct {
        jtg_anti_replay_mode mode;
        jtg_flight_reason soon;
        jtg_flight_reason later;
    } expected[] = {
        {JTG_ANTI_REPLAY_SINGLE_USE, JTG_FLIGHT_REPLAYED, JTG_FLIGHT_REPLAYED},
        {JTG_ANTI_REPLAY_TIME_WINDOWED, JTG_FLIGHT_REPLAYED, JTG_FLIGHT_FIRST},
        {JTG_ANTI_REPLAY_BINDER, JTG_FLIGHT_FIRST, JTG_FLIGHT_FIRST},
        {JTG_ANTI_REPLAY_CLIENT_RANDOM, JTG_FLIGHT_FIRST, JTG_FLIGHT_FIRST},
    };
    struct fixture *fixture = *state;
    unsigned char hello[3][32] = {"one hello", "a second one", "a third one"};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        static const int64_t ages[] = {1000, 2000, 2000 + WINDOW + MARGIN + 10000};
        set_mode(fixture, expected[i].mode);
        depart(fixture, 7, 1000);
        int64_t issued = fixture->flight.issued_ms;
        for (size_t at = 0; at < 3; at++) {
            test_clock_advance(&fixture->clock, issued + ages[at] - now(fixture));
            fixture->flight.age_ms = (uint64_t)ages[at];
            fixture->flight.binder = hello[at];
            fixture->flight.client_random = hello[at];
            assert_flight(arrive(fixture), at == 0   ? JTG_FLIGHT_FIRST
                                           : at == 1 ? expected[i].soon
                                                     : expected[i].later);
        }
    }
}

static void an_age_that_does_not_fit_is_refused_without_the_store(void **state)
{
    struct fixture *fixture = *state;
    set_mode(fixture, JTG_ANTI_REPLAY_BINDER);
    unsigned asked = fixture->store->calls[JTG_OP_RESERVE];
    depart(fixture, 1, 60000);
    fixture->flight.age_ms += 20000;
    assert_flight(arrive(fixture), JTG_FLIGHT_NOT_FRESH);
    fixture->flight.age_ms -= 40000;
    assert_flight(arrive(fixture), JTG_FLIGHT_NOT_FRESH);
    depart(fixture, 1, LIFETIME);
    assert_flight(arrive(fixture), JTG_FLIGHT_TICKET_EXPIRED);
    depart(fixture, 1, 0);
    fixture->flight.issued_ms += MARGIN + 1;
    assert_flight(arrive(fixture), JTG_FLIGHT_TICKET_FROM_FUTURE);
    assert_int_equal(fixture->store->calls[JTG_OP_RESERVE], asked);
    assert_int_equal(fixture->decision.ttl_ms, 0);
}

static void zones_are_apart(void **state)
{
    struct fixture *fixture = *state;
    jtg_anti_replay *other = NULL;
    fixture->options.zone = "eu-1";
    reopen(fixture);
    fixture->options.zone = "eu-2";
    assert_status(jtg_anti_replay_new(&other, &fixture->store->base, &fixture->options, NULL),
                  JTG_OK);
    test_clock_advance(&fixture->clock, HOUR);
    depart(fixture, 1, 0);
    assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
    assert_true(jtg_anti_replay_accept(other, &fixture->flight, NULL, NULL));
    assert_false(jtg_anti_replay_accept(other, &fixture->flight, NULL, NULL));
    assert_flight(arrive(fixture), JTG_FLIGHT_REPLAYED);
    jtg_anti_replay_free(other);
}

/* ---- room ---- */

static void a_full_store_is_unsure_and_forgets_nothing(void **state)
{
    struct fixture *fixture = *state;
    fixture->memory_options.max_entries = 100;
    restart(fixture);
    test_clock_advance(&fixture->clock, HOUR);
    for (uint64_t i = 0; i < 100; i++) {
        depart(fixture, i, 0);
        assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
    }
    for (uint64_t i = 100; i < 200; i++) {
        depart(fixture, i, 0);
        assert_flight(arrive(fixture), JTG_FLIGHT_STORE_FULL);
        assert_int_equal(fixture->decision.seen, JTG_SEEN_UNSURE);
    }
    for (uint64_t i = 0; i < 100; i++) {
        depart(fixture, i, 0);
        assert_flight(arrive(fixture), JTG_FLIGHT_REPLAYED);
    }
    test_clock_advance(&fixture->clock, LIFETIME + MARGIN);
    depart(fixture, 200, 0);
    assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
}

static uint64_t entries(const struct fixture *fixture)
{
    jtg_memory_stats stats = {.struct_size = sizeof stats};
    assert_status(jtg_memory_stats_get(fixture->memory, &stats, NULL), JTG_OK);
    return stats.entries;
}

static uint64_t prune(const struct fixture *fixture)
{
    uint64_t removed = UINT64_MAX;
    assert_status(jtg_anti_replay_prune(fixture->anti_replay, &removed, NULL), JTG_OK);
    return removed;
}

/* The original kept 32 in a ring: the 33rd ticket opened the first again. */
static void of_a_million_in_one_window_the_first_is_still_refused(void **state)
{
    enum { MILLION = 1000000 };
    struct fixture *fixture = *state;
    fixture->memory_options.max_entries = MILLION;
    fixture->options.mode = JTG_ANTI_REPLAY_TIME_WINDOWED;
    restart(fixture);
    test_clock_advance(&fixture->clock, HOUR);
    for (uint64_t i = 0; i < MILLION; i++) {
        depart(fixture, i, 1000);
        if (!jtg_anti_replay_accept(fixture->anti_replay, &fixture->flight, NULL, NULL))
            fail_msg("flight %llu is refused", (unsigned long long)i);
    }
    assert_int_equal(entries(fixture), MILLION);
    assert_int_equal(prune(fixture), 0);
    assert_int_equal(entries(fixture), MILLION);
    for (uint64_t i = 0; i < MILLION; i += i < 100 ? 1 : 997) {
        depart(fixture, i, 1000);
        assert_flight(arrive(fixture), JTG_FLIGHT_REPLAYED);
    }
    /* The window passes: they cannot be accepted any more, and their places are given back. */
    test_clock_advance(&fixture->clock, WINDOW + MARGIN);
    assert_int_equal(prune(fixture), MILLION);
    assert_int_equal(entries(fixture), 0);
}

/* To the millisecond: while a copy could be fresh, its record is no prune's. */
static void prune_never_opens_a_flight(void **state)
{
    struct fixture *fixture = *state;
    set_mode(fixture, JTG_ANTI_REPLAY_BINDER);
    depart(fixture, 1, 1000);
    assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
    for (int ms = 0; ms < WINDOW + MARGIN; ms += 500) {
        assert_int_equal(prune(fixture), 0);
        assert_false(jtg_anti_replay_accept(fixture->anti_replay, &fixture->flight, NULL, NULL));
        test_clock_advance(&fixture->clock, 500);
    }
    assert_int_equal(prune(fixture), 1);
    assert_flight(arrive(fixture), JTG_FLIGHT_NOT_FRESH);
}

static void a_prune_that_fails_tells_nothing(void **state)
{
    struct fixture *fixture = *state;
    jtg_error err = JTG_ERROR_INIT;
    uint64_t removed = 7;
    int status = -1;
    assert_status(jtg_anti_replay_prune(NULL, &removed, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_status(jtg_anti_replay_prune(fixture->anti_replay, NULL, NULL), JTG_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(jtg_anti_replay_prune(fixture->anti_replay, &removed, NULL) != JTG_ERR_FORKED);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(removed, 7);
}

/* ---- a store in trouble ---- */

static void every_answer_of_the_store_keeps_its_meaning(void **state)
{
    static const struct {
        jtg_status status;
        jtg_flight_reason reason;
    } answers[] = {
        {JTG_ERR_UNAVAILABLE, JTG_FLIGHT_STORE_UNAVAILABLE},
        {JTG_ERR_TIMEOUT, JTG_FLIGHT_OUTCOME_UNKNOWN},
        {JTG_ERR_FULL, JTG_FLIGHT_STORE_FULL},
        {JTG_ERR_UNSAFE, JTG_FLIGHT_STORE_UNSAFE},
        {JTG_ERR_REFUSED, JTG_FLIGHT_STORE_REFUSED},
        {JTG_ERR_PROTOCOL, JTG_FLIGHT_STORE_PROTOCOL},
        {JTG_ERR_REPLICAS, JTG_FLIGHT_TOO_FEW_REPLICAS},
        {JTG_ERR_UNSUPPORTED, JTG_FLIGHT_STORE_UNSUPPORTED},
        {JTG_ERR_BLOCKED, JTG_FLIGHT_STORE_BLOCKED},
        {JTG_ERR_MEMORY, JTG_FLIGHT_OUT_OF_MEMORY},
        {JTG_ERR_SYSTEM, JTG_FLIGHT_INTERNAL},
        {JTG_NOT_FOUND, JTG_FLIGHT_INTERNAL},
    };
    struct fixture *fixture = *state;
    fixture->store->operation = JTG_OP_RESERVE;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        fixture->store->answer = answers[i].status;
        depart(fixture, i, 0);
        assert_flight(arrive(fixture), answers[i].reason);
        assert_int_equal(fixture->decision.seen, JTG_SEEN_UNSURE);
    }
}

/* The answer was lost, the record was made: a retry of the same flight is a second one. */
static void a_lost_answer_costs_the_early_data(void **state)
{
    struct fixture *fixture = *state;
    fixture->store->operation = JTG_OP_RESERVE;
    fixture->store->answer = JTG_ERR_TIMEOUT;
    fixture->store->acts_all_the_same = true;
    depart(fixture, 1, 0);
    assert_flight(arrive(fixture), JTG_FLIGHT_OUTCOME_UNKNOWN);
    fixture->store->answer = JTG_OK;
    assert_flight(arrive(fixture), JTG_FLIGHT_REPLAYED);
}

static void let_a_window_pass(void *context, jtg_operation operation)
{
    struct fixture *fixture = context;
    if (operation == JTG_OP_RESERVE)
        test_clock_advance(&fixture->clock, 2 * WINDOW + MARGIN);
}

/* The store answers so late that the record of an earlier use may have ended before it looked. */
static void an_answer_that_comes_too_late_is_not_relied_on(void **state)
{
    struct fixture *fixture = *state;
    set_mode(fixture, JTG_ANTI_REPLAY_BINDER);
    depart(fixture, 1, 0);
    assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
    fixture->store->before = let_a_window_pass;
    fixture->store->context = fixture;
    assert_flight(arrive(fixture), JTG_FLIGHT_NOT_FRESH);
}

/* ---- starts and losses ---- */

static void after_a_start_what_may_have_been_used_before_is_unsure(void **state)
{
    struct fixture *fixture = *state;
    depart(fixture, 1, 1000);
    assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
    restart(fixture);
    assert_flight(arrive(fixture), JTG_FLIGHT_BEFORE_START);
    assert_int_equal(fixture->decision.seen, JTG_SEEN_UNSURE);
    /* A ticket issued after the start, by a clock that may be the margin ahead, passes at once. */
    test_clock_advance(&fixture->clock, MARGIN);
    depart(fixture, 2, 0);
    assert_flight(arrive(fixture), JTG_FLIGHT_BEFORE_START);
    test_clock_advance(&fixture->clock, 1);
    depart(fixture, 2, 0);
    assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
    depart(fixture, 3, MARGIN + 1);
    assert_flight(arrive(fixture), JTG_FLIGHT_BEFORE_START);
}

static void after_a_start_a_window_must_have_passed(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.mode = JTG_ANTI_REPLAY_BINDER;
    restart(fixture);
    test_clock_advance(&fixture->clock, WINDOW + MARGIN);
    depart(fixture, 1, 600000);
    assert_flight(arrive(fixture), JTG_FLIGHT_BEFORE_START);
    test_clock_advance(&fixture->clock, 1);
    depart(fixture, 1, 600000);
    assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
}

static void a_store_that_outlives_the_process_can_be_vouched_for(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.start_rule = 0;
    reopen(fixture);
    depart(fixture, 1, 1000);
    assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
    reopen(fixture);
    assert_flight(arrive(fixture), JTG_FLIGHT_REPLAYED);
    depart(fixture, 2, 1000);
    assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
}

/* The store itself says what it has forgotten; the process may start whenever it likes. */
static void on_a_store_that_notices_only_losses_count(void **state)
{
    struct fixture *fixture = *state;
    fixture->watches = true;
    restart(fixture);
    depart(fixture, 1, 1000);
    assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
    assert_int_equal(fixture->store->last_needed_ms, fixture->flight.issued_ms - MARGIN);
    reopen(fixture);
    assert_flight(arrive(fixture), JTG_FLIGHT_REPLAYED);
    /* It loses everything. */
    restart(fixture);
    fixture->store->kept_since_ms = now(fixture);
    assert_flight(arrive(fixture), JTG_FLIGHT_CONTINUITY_LOST);
    assert_int_equal(fixture->decision.seen, JTG_SEEN_UNSURE);
    test_clock_advance(&fixture->clock, MARGIN);
    depart(fixture, 2, 1);
    assert_flight(arrive(fixture), JTG_FLIGHT_CONTINUITY_LOST);
    depart(fixture, 3, 0);
    assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
    /* In the recording modes it is the window that must not overlap the loss. */
    set_mode(fixture, JTG_ANTI_REPLAY_BINDER);
    fixture->store->kept_since_ms = now(fixture);
    test_clock_advance(&fixture->clock, WINDOW + MARGIN - 1);
    depart(fixture, 4, 600000);
    assert_flight(arrive(fixture), JTG_FLIGHT_CONTINUITY_LOST);
    test_clock_advance(&fixture->clock, 1);
    depart(fixture, 5, 600000);
    assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
}

/* ---- clocks ---- */

/* The server's clock was an hour ahead when it gave out the ticket and accepted the flight. The
 * loss is dated by the right clock, and the flight becomes acceptable after it. */
static void a_use_under_a_clock_that_was_ahead_is_not_forgotten(void **state)
{
    struct fixture *fixture = *state;
    fixture->watches = true;
    restart(fixture);
    test_clock_set_wall_by(&fixture->clock, HOUR);
    depart(fixture, 1, 1000);
    fixture->flight.lifetime_ms = 24 * (uint64_t)HOUR;
    assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
    test_clock_set_wall_by(&fixture->clock, -HOUR);
    assert_flight(arrive(fixture), JTG_FLIGHT_TICKET_FROM_FUTURE);
    lose_all(fixture);
    test_clock_advance(&fixture->clock, HOUR);
    assert_flight(arrive(fixture), JTG_FLIGHT_CONTINUITY_LOST);
    test_clock_advance(&fixture->clock, MARGIN + 999);
    depart(fixture, 2, 1000);
    assert_flight(arrive(fixture), JTG_FLIGHT_CONTINUITY_LOST);
    test_clock_advance(&fixture->clock, 1);
    depart(fixture, 3, 1000);
    assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
}

static void a_clock_that_is_set_back_opens_nothing(void **state)
{
    struct fixture *fixture = *state;
    set_mode(fixture, JTG_ANTI_REPLAY_BINDER);
    depart(fixture, 1, 5000);
    fixture->flight.lifetime_ms = 24 * (uint64_t)HOUR;
    assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
    test_clock_advance(&fixture->clock, HOUR);
    assert_flight(arrive(fixture), JTG_FLIGHT_NOT_FRESH);
    test_clock_set_wall_by(&fixture->clock, -HOUR);
    assert_flight(arrive(fixture), JTG_FLIGHT_CLOCK_SET_BACK);
    /* Single use: the record of a ticket that is still good lives on. */
    set_mode(fixture, JTG_ANTI_REPLAY_SINGLE_USE);
    depart(fixture, 2, 5000);
    fixture->flight.lifetime_ms = 24 * (uint64_t)HOUR;
    fixture->flight.age_ms = JTG_TICKET_AGE_ABSENT;
    assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
    test_clock_advance(&fixture->clock, 2 * HOUR);
    assert_flight(arrive(fixture), JTG_FLIGHT_REPLAYED);
    test_clock_set_wall_by(&fixture->clock, -HOUR);
    assert_flight(arrive(fixture), JTG_FLIGHT_REPLAYED);
}

static void a_clock_without_time_is_unsure(void **state)
{
    struct fixture *fixture = *state;
    depart(fixture, 1, 0);
    atomic_store(&fixture->clock.wall_ms, INT64_MAX);
    assert_flight(arrive(fixture), JTG_FLIGHT_INTERNAL);
}

/* A thread stops between its look at the wall clock and at the monotonic one. */
struct stalling {
    struct fixture *fixture;
    bool armed;
};

static int64_t stalling_wall(void *context)
{
    return atomic_load(&((struct stalling *)context)->fixture->clock.wall_ms);
}

static void ask_with_another(struct fixture *fixture)
{
    static const unsigned char other[] = "another ticket, 32 bytes of it..";
    jtg_flight mine = fixture->flight;
    depart(fixture, 99, 1000);
    fixture->flight.ticket = other;
    assert_true(jtg_anti_replay_accept(fixture->anti_replay, &fixture->flight, NULL, NULL));
    fixture->flight = mine;
}

/* Meanwhile another thread notices that the wall clock was set ahead. */
static int64_t stalling_monotonic(void *context)
{
    struct stalling *stalling = context;
    int64_t read = atomic_load(&stalling->fixture->clock.monotonic_ms);
    if (stalling->armed) {
        stalling->armed = false;
        test_clock_advance(&stalling->fixture->clock, 3 * (int64_t)MARGIN);
        ask_with_another(stalling->fixture);
    }
    return read;
}

/* While the store is asked for the second time, which is the stopped thread's. */
static void set_right(void *context, jtg_operation operation)
{
    struct fixture *fixture = context;
    if (operation == JTG_OP_RESERVE && atomic_load(&fixture->store->calls[operation]) == 2)
        test_clock_set_wall_by(&fixture->clock, -HOUR);
}

/* It looked before the clock was seen ahead, for a flight that ended under that clock meanwhile. */
static void a_look_from_before_a_change_is_not_acted_on_after_it(void **state)
{
    static const unsigned char ticket[] = "the ticket of it, 32 bytes of it";
    struct fixture *fixture = *state;
    struct stalling stalling = {fixture, false};
    jtg_clock clock = {.struct_size = sizeof clock,
                       .context = &stalling,
                       .monotonic_ms = stalling_monotonic,
                       .wall_ms = stalling_wall};
    fixture->options.clock = &clock;
    reopen(fixture);
    test_clock_advance(&fixture->clock, 3 * (int64_t)HOUR);
    test_clock_set_wall_by(&fixture->clock, HOUR);
    depart(fixture, 1, HOUR + 1000);
    fixture->flight.lifetime_ms = HOUR + 1000 + 20000;
    fixture->flight.age_ms = JTG_TICKET_AGE_ABSENT;
    fixture->flight.ticket = ticket;
    fixture->store->before = set_right;
    fixture->store->context = fixture;
    stalling.armed = true;
    jtg_flight_decision decision = JTG_FLIGHT_DECISION_INIT;
    jtg_error err = JTG_ERROR_INIT;
    assert_false(jtg_anti_replay_accept(fixture->anti_replay, &fixture->flight, &decision, &err));
    assert_flight(decision.reason, JTG_FLIGHT_OUTCOME_UNKNOWN);
    assert_err_tells(&err, JTG_ERR_TIMEOUT);
    test_clock_advance(&fixture->clock, 20000 + MARGIN + 1000); /* the record has ended */
    assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
    fixture->options.clock = &fixture->clock_option;
    reopen(fixture); /* it lives no longer than the clock above */
}

/* ---- whatever happens ---- */

enum { FLIGHTS = 64, STEPS = 4000, SERVERS = 3 };

struct server {
    struct test_clock *shared; /* the monotonic clock is one */
    int64_t skew_ms;
    jtg_anti_replay *anti_replay;
};

static int64_t skewed_wall(void *context)
{
    struct server *server = context;
    return atomic_load(&server->shared->wall_ms) + server->skew_ms;
}

static int64_t common_monotonic(void *context)
{
    return atomic_load(&((struct server *)context)->shared->monotonic_ms);
}

static void open_server(struct fixture *fixture, struct server *server)
{
    jtg_clock clock = {sizeof clock, server, common_monotonic, skewed_wall};
    jtg_anti_replay_options options = fixture->options;
    options.clock = &clock;
    assert_status(jtg_anti_replay_new(&server->anti_replay, &fixture->store->base, &options, NULL),
                  JTG_OK);
}

/* Random flights and copies of them, at servers whose clocks differ by up to the margin, while time
 * passes, processes start anew, and (one server only) the clock is set to and fro. */
static void play(struct fixture *fixture, struct random_source *random, unsigned server_count,
                 bool clocks_are_set)
{
    static jtg_flight flights[FLIGHTS];
    static uint64_t identities[FLIGHTS][4];
    unsigned accepted[FLIGHTS] = {0};
    struct server servers[SERVERS];
    for (unsigned i = 0; i < server_count; i++) {
        servers[i] = (struct server){&fixture->clock,
                                     (int64_t)random_below(random, MARGIN / 2) - MARGIN / 4, NULL};
        open_server(fixture, &servers[i]);
    }
    memset(flights, 0, sizeof flights);
    for (unsigned step = 0; step < STEPS; step++) {
        size_t at = random_below(random, FLIGHTS);
        struct server *server = &servers[random_below(random, server_count)];
        if (random_below(random, 3) == 0)
            test_clock_advance(&fixture->clock, (int64_t)random_below(random, 8000));
        if (!clocks_are_set && random_below(random, 200) == 0) {
            jtg_anti_replay_free(server->anti_replay);
            open_server(fixture, server);
        }
        if (clocks_are_set && random_below(random, 40) == 0)
            test_clock_set_wall_by(&fixture->clock, (int64_t)random_below(random, 400000) - 200000);
        if (flights[at].struct_size == 0 || random_below(random, 50) == 0) {
            depart(fixture, step, (int64_t)random_below(random, 60000));
            flights[at] = fixture->flight;
            flights[at].lifetime_ms = 30000 + random_below(random, 100000);
            accepted[at] = 0;
            for (int i = 0; i < 4; i++)
                identities[at][i] = random_next(random);
            flights[at].ticket = flights[at].binder = flights[at].client_random = identities[at];
        }
        if (jtg_anti_replay_accept(server->anti_replay, &flights[at], NULL, NULL))
            accepted[at]++;
        if (accepted[at] > 1)
            fail_msg("step %u: a flight is accepted twice", step);
    }
    for (unsigned i = 0; i < server_count; i++)
        jtg_anti_replay_free(servers[i].anti_replay);
}

static void nothing_is_accepted_twice(void **state)
{
    struct fixture *fixture = *state;
    struct random_source random;
    uint64_t seed = random_seed();
    print_message("JTIGUARD_TEST_SEED=%llu\n", (unsigned long long)seed);
    random_init(&random, seed);
    for (int round = 0; round < 20; round++) {
        fixture->options.mode = (jtg_anti_replay_mode)(round % 4);
        fixture->options.start_rule = 0; /* the store outlives the servers here */
        fixture->memory_options.max_entries = round % 5 == 0 ? 20 : 100000;
        restart(fixture);
        play(fixture, &random, SERVERS, false);
        fixture->options.start_rule = 1;
        play(fixture, &random, 1, true);
    }
}

/* ---- arguments, fork ---- */

static void arguments_are_checked(void **state)
{
    struct fixture *fixture = *state;
    jtg_anti_replay *made = fixture->anti_replay;
    jtg_flight_decision decision = JTG_FLIGHT_DECISION_INIT;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtg_anti_replay_new(NULL, &fixture->store->base, NULL, &err), JTG_ERR_ARGUMENT);
    assert_status(jtg_anti_replay_new(&made, NULL, NULL, &err), JTG_ERR_ARGUMENT);
    assert_null(made);
    fixture->options.window_ms = 0;
    assert_status(jtg_anti_replay_new(&made, &fixture->store->base, &fixture->options, &err),
                  JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_null(made);
    jtg_anti_replay_free(NULL);

    depart(fixture, 1, 0);
    assert_false(jtg_anti_replay_accept(NULL, &fixture->flight, &decision, &err));
    assert_flight(decision.reason, JTG_FLIGHT_BAD_ARGUMENT);
    assert_false(jtg_anti_replay_accept(fixture->anti_replay, NULL, &decision, &err));
    assert_flight(decision.reason, JTG_FLIGHT_BAD_ARGUMENT);
    decision.struct_size = 0;
    assert_false(jtg_anti_replay_accept(fixture->anti_replay, &fixture->flight, &decision, &err));
    assert_int_equal(fixture->store->calls[JTG_OP_RESERVE], 0);
    fixture->flight.ticket = NULL;
    assert_flight(arrive(fixture), JTG_FLIGHT_BAD_ARGUMENT);
    depart(fixture, 1, 0);
    fixture->flight.lifetime_ms = 0;
    assert_flight(arrive(fixture), JTG_FLIGHT_BAD_ARGUMENT);
    assert_int_equal(jtg_anti_replay_counter(NULL, JTG_FLIGHT_FIRST), 0);
    assert_int_equal(jtg_anti_replay_counter(fixture->anti_replay, (jtg_flight_reason)99), 0);
}

static void a_child_of_fork_is_refused(void **state)
{
    struct fixture *fixture = *state;
    int status = -1;
    depart(fixture, 1, 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        jtg_flight_decision decision = JTG_FLIGHT_DECISION_INIT;
        bool accepted =
            jtg_anti_replay_accept(fixture->anti_replay, &fixture->flight, &decision, NULL);
        _exit(!accepted && decision.reason == JTG_FLIGHT_FORKED ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_flight(arrive(fixture), JTG_FLIGHT_FIRST);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_flight_is_accepted_once_in_every_mode),
        TEST(a_copy_is_never_accepted_whenever_it_comes),
        TEST(a_record_lasts_as_long_as_the_flight_can_be_accepted_and_the_margin),
        TEST(a_ticket_may_come_again_as_its_mode_says),
        TEST(an_age_that_does_not_fit_is_refused_without_the_store),
        TEST(zones_are_apart),
        TEST(a_full_store_is_unsure_and_forgets_nothing),
        TEST(of_a_million_in_one_window_the_first_is_still_refused),
        TEST(prune_never_opens_a_flight),
        TEST(a_prune_that_fails_tells_nothing),
        TEST(every_answer_of_the_store_keeps_its_meaning),
        TEST(a_lost_answer_costs_the_early_data),
        TEST(an_answer_that_comes_too_late_is_not_relied_on),
        TEST(after_a_start_what_may_have_been_used_before_is_unsure),
        TEST(after_a_start_a_window_must_have_passed),
        TEST(a_store_that_outlives_the_process_can_be_vouched_for),
        TEST(on_a_store_that_notices_only_losses_count),
        TEST(a_use_under_a_clock_that_was_ahead_is_not_forgotten),
        TEST(a_clock_that_is_set_back_opens_nothing),
        TEST(a_look_from_before_a_change_is_not_acted_on_after_it),
        TEST(a_clock_without_time_is_unsure),
        TEST(nothing_is_accepted_twice),
        TEST(arguments_are_checked),
        TEST(a_child_of_fork_is_refused),
    };
    return cmocka_run_group_tests_name("anti-replay", tests, NULL, NULL);
}
