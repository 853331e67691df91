/* SPDX-License-Identifier: Apache-2.0 */
/* Anti-replay on a Redis that forgets, in every way: two servers share it, and of copies of one
 * first flight at most one is accepted, whatever the store has lost. */
#include "support/asserts.h"
#include "support/redis_server.h"
#include "support/redis_vouch.h"

#include <jtiguard/anti_replay.h>
#include <jtiguard/redis.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SERVERS = 2, PATIENCE_MS = 10000, LIFETIME_MS = 3600000, MARGIN_MS = 1000 };

struct fixture {
    struct redis_server store;
    char uri[128];
    jtg_cache *caches[SERVERS];
    jtg_anti_replay *servers[SERVERS];
    jtg_flight flight; /* was accepted before the loss */
    unsigned accepted; /* so often */
};

static const unsigned char ticket[32] = "the ticket of the first flight";
static const unsigned char binder[32] = "the binder of the first flight";
static const unsigned char later_ticket[32] = "a ticket of after the loss";
static const unsigned char later_binder[32] = "a binder of after the loss";

static int64_t wall_ms(void)
{
    jtg_clock clock = jtg_clock_system();
    return clock.wall_ms(clock.context);
}

static jtg_flight flight_of(const unsigned char *of_ticket, const unsigned char *of_binder,
                            int64_t issued_ms)
{
    jtg_flight flight = JTG_FLIGHT_INIT;
    flight.ticket = of_ticket;
    flight.ticket_len = 32;
    flight.binder = of_binder;
    flight.binder_len = 32;
    flight.issued_ms = issued_ms;
    flight.lifetime_ms = LIFETIME_MS;
    flight.age_ms = 0;
    return flight;
}

static jtg_flight_reason arrive(struct fixture *f, unsigned server, const jtg_flight *flight)
{
    jtg_flight_decision decision = JTG_FLIGHT_DECISION_INIT;
    bool accepted = jtg_anti_replay_accept(f->servers[server], flight, &decision, NULL);
    assert_int_equal(accepted, decision.reason == JTG_FLIGHT_FIRST);
    assert_int_equal(decision.seen, jtg_flight_reason_seen(decision.reason));
    f->accepted += accepted && flight->ticket == ticket;
    return decision.reason;
}

#define assert_reason(got, expected)                                                               \
    assert_string_equal(jtg_flight_reason_name(got), jtg_flight_reason_name(expected))

static void open_servers(struct fixture *f, jtg_anti_replay_mode mode)
{
    jtg_anti_replay_options options = JTG_ANTI_REPLAY_OPTIONS_INIT;
    options.mode = mode;
    options.margin_ms = MARGIN_MS;
    options.window_ms = 60000;
    for (unsigned i = 0; i < SERVERS; i++) {
        assert_status(jtg_redis_new_uri(&f->caches[i], f->uri, NULL), JTG_OK);
        assert_status(jtg_anti_replay_new(&f->servers[i], f->caches[i], &options, NULL), JTG_OK);
    }
}

static void close_servers(struct fixture *f)
{
    for (unsigned i = 0; i < SERVERS; i++) {
        jtg_anti_replay_free(f->servers[i]);
        jtg_cache_free(f->caches[i]);
    }
}

/* A store of which is known that it has kept everything, and a flight that was accepted. */
static void start(struct fixture *f, jtg_anti_replay_mode mode)
{
    memset(f, 0, sizeof *f);
    redis_server_start(&f->store, NULL);
    (void)snprintf(f->uri, sizeof f->uri, "%s?prefix=p:&timeout=5s", f->store.uri);
    redis_vouch(f->uri);
    open_servers(f, mode);
    f->flight = flight_of(ticket, binder, wall_ms());
}

static void use_it(struct fixture *f)
{
    assert_reason(arrive(f, 0, &f->flight), JTG_FLIGHT_FIRST);
    assert_reason(arrive(f, 1, &f->flight), JTG_FLIGHT_REPLAYED);
}

static void halt(struct fixture *f)
{
    close_servers(f);
    redis_server_stop(&f->store);
}

static void tell(const struct redis_server *server, const char *line)
{
    char reply[256];
    assert_true(redis_server_ask(server, line, reply, sizeof reply));
    if (reply[0] == '-')
        fail_msg("%s: %s", line, reply);
}

/* The flight is refused by both, by one that starts anew, and again, for it may have been recorded
 * by a question that was answered "unsure"; what was issued after the loss is accepted once. */
static void both_refuse(struct fixture *f, jtg_anti_replay_mode mode)
{
    assert_reason(arrive(f, 1, &f->flight), JTG_FLIGHT_CONTINUITY_LOST);
    for (unsigned i = 0; i < 4; i++) {
        jtg_flight_reason reason = arrive(f, i % SERVERS, &f->flight);
        if (reason != JTG_FLIGHT_REPLAYED)
            assert_reason(reason, JTG_FLIGHT_CONTINUITY_LOST);
        if (i != 1)
            continue;
        close_servers(f);
        open_servers(f, mode);
    }
    assert_int_equal(f->accepted, 1);

    /* Beyond the margin by which its issuer's clock may be ahead. */
    int64_t lost_ms = wall_ms();
    jtg_flight later = flight_of(later_ticket, later_binder, lost_ms + MARGIN_MS);
    jtg_flight_reason reason = JTG_FLIGHT_UNDECIDED;
    while ((reason = arrive(f, 0, &later)) == JTG_FLIGHT_TICKET_FROM_FUTURE)
        (void)poll(NULL, 0, 1);
    assert_reason(reason, JTG_FLIGHT_FIRST);
    assert_reason(arrive(f, 1, &later), JTG_FLIGHT_REPLAYED);
    assert_reason(arrive(f, 0, &later), JTG_FLIGHT_REPLAYED);
}

static const jtg_anti_replay_mode modes[] = {JTG_ANTI_REPLAY_SINGLE_USE,
                                             JTG_ANTI_REPLAY_TIME_WINDOWED, JTG_ANTI_REPLAY_BINDER};
enum { MODES = sizeof modes / sizeof *modes };

static void the_store_is_flushed(void **state)
{
    struct fixture f;
    (void)state;
    for (int i = 0; i < MODES; i++) {
        start(&f, modes[i]);
        use_it(&f);
        tell(&f.store, "FLUSHALL");
        both_refuse(&f, modes[i]);
        halt(&f);
    }
}

/* Between two questions the store forgets twice. */
static void the_store_is_flushed_again_and_again(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, JTG_ANTI_REPLAY_SINGLE_USE);
    use_it(&f);
    for (int i = 0; i < 5; i++) {
        tell(&f.store, i % 2 == 0 ? "FLUSHALL" : "FLUSHDB");
        tell(&f.store, "FLUSHALL");
        assert_reason(arrive(&f, (unsigned)i % SERVERS, &f.flight), JTG_FLIGHT_CONTINUITY_LOST);
    }
    assert_int_equal(f.accepted, 1);
    halt(&f);
}

static void the_store_restarts_empty(void **state)
{
    struct fixture f;
    (void)state;
    for (int i = 0; i < MODES; i++) {
        start(&f, modes[i]);
        use_it(&f);
        redis_server_kill(&f.store);
        redis_server_start_again(&f.store);
        both_refuse(&f, modes[i]);
        halt(&f);
    }
}

/* With everything but the flight. */
static void the_store_restarts_from_an_older_copy(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, JTG_ANTI_REPLAY_SINGLE_USE);
    tell(&f.store, "SAVE");
    use_it(&f);
    redis_server_kill(&f.store);
    redis_server_start_again(&f.store);
    both_refuse(&f, JTG_ANTI_REPLAY_SINGLE_USE);
    halt(&f);
}

/* With the flight: what the store still knows is a replay, and the rest is unsure all the same. */
static void the_store_restarts_with_its_data(void **state)
{
    struct fixture f;
    (void)state;
    start(&f, JTG_ANTI_REPLAY_SINGLE_USE);
    jtg_flight unused = flight_of(later_ticket, later_binder, wall_ms());
    use_it(&f);
    tell(&f.store, "SAVE");
    redis_server_kill(&f.store);
    redis_server_start_again(&f.store);
    jtg_flight_reason reason = arrive(&f, 1, &f.flight);
    assert_int_equal(jtg_flight_reason_seen(reason) == JTG_SEEN_NOT, 0);
    assert_reason(arrive(&f, 1, &unused), JTG_FLIGHT_CONTINUITY_LOST);
    redis_vouch(f.uri);
    assert_reason(arrive(&f, 0, &f.flight), JTG_FLIGHT_REPLAYED);
    assert_int_equal(f.accepted, 1);
    halt(&f);
}

/* The part of the primary falls to one that never had the data. */
static void an_empty_server_takes_over(void **state)
{
    static const char *const quick[] = {"--repl-diskless-sync-delay", "0", NULL};
    struct redis_server empty;
    struct fixture f;
    char line[64];
    char reply[64] = "";
    (void)state;
    start(&f, JTG_ANTI_REPLAY_SINGLE_USE);
    use_it(&f);
    redis_server_start(&empty, quick);
    tell(&empty, "SET theirs 1");
    (void)snprintf(line, sizeof line, "REPLICAOF 127.0.0.1 %u", (unsigned)empty.port);
    tell(&f.store, line);
    for (int i = 0; strcmp(reply, ":1") != 0; i++) {
        assert_true(i < PATIENCE_MS / 5);
        (void)redis_server_ask(&f.store, "EXISTS theirs", reply, sizeof reply);
        (void)poll(NULL, 0, 5);
    }
    tell(&f.store, "REPLICAOF NO ONE");
    both_refuse(&f, JTG_ANTI_REPLAY_SINGLE_USE);
    redis_server_stop(&empty);
    halt(&f);
}

/* A store that nobody has vouched for may have held anything before. */
static void a_new_store_is_unsure_of_what_was_issued_before(void **state)
{
    struct fixture f;
    (void)state;
    memset(&f, 0, sizeof f);
    redis_server_start(&f.store, NULL);
    (void)snprintf(f.uri, sizeof f.uri, "%s?prefix=p:", f.store.uri);
    open_servers(&f, JTG_ANTI_REPLAY_SINGLE_USE);
    f.flight = flight_of(ticket, binder, wall_ms());
    assert_reason(arrive(&f, 0, &f.flight), JTG_FLIGHT_CONTINUITY_LOST);
    redis_vouch(f.uri);
    for (unsigned i = 0; i < 4; i++)
        (void)arrive(&f, i % SERVERS, &f.flight);
    assert_in_range(f.accepted, 0, 1); /* whether the first question recorded it is not promised */
    halt(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_store_is_flushed),
        cmocka_unit_test(the_store_is_flushed_again_and_again),
        cmocka_unit_test(the_store_restarts_empty),
        cmocka_unit_test(the_store_restarts_from_an_older_copy),
        cmocka_unit_test(the_store_restarts_with_its_data),
        cmocka_unit_test(an_empty_server_takes_over),
        cmocka_unit_test(a_new_store_is_unsure_of_what_was_issued_before),
    };
    return cmocka_run_group_tests_name("flights and losses", tests, NULL, NULL);
}
