/* SPDX-License-Identifier: Apache-2.0 */
#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/gated_cache.h"
#include "support/test_clock.h"
#include "support/threads.h"

#include <jtiguard/memory.h>
#include <jtiguard/quic_reuse.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MARGIN = 30000, LIFETIME = 3600000, HOUR = 3600000 };

struct fixture {
    struct test_clock clock;
    jtg_clock clock_option;
    jtg_memory_options memory_options;
    jtg_cache *memory;
    struct gated_cache *store;
    bool watches;
    jtg_quic_reuse_options options;
    jtg_quic_reuse *reuse;
    jtg_flight_decision decision;
};

static void open_all(struct fixture *fixture)
{
    assert_status(jtg_memory_new(&fixture->memory, &fixture->memory_options, NULL), JTG_OK);
    fixture->store = gated_cache_new(fixture->memory, fixture->watches);
    fixture->store->kept_since_ms = INT64_MIN;
    assert_status(
        jtg_quic_reuse_new(&fixture->reuse, &fixture->store->base, &fixture->options, NULL),
        JTG_OK);
}

static void close_all(struct fixture *fixture)
{
    jtg_quic_reuse_free(fixture->reuse);
    jtg_cache_free(&fixture->store->base);
    jtg_cache_free(fixture->memory);
}

/* A server that has been up for a day. */
static struct fixture *begin(bool watches)
{
    static struct fixture fixture;
    memset(&fixture, 0, sizeof fixture);
    fixture.watches = watches;
    test_clock_init(&fixture.clock);
    fixture.clock_option = test_clock_as_jtg(&fixture.clock);
    jtg_memory_options_init(&fixture.memory_options);
    fixture.memory_options.clock = &fixture.clock_option;
    fixture.memory_options.sweep_interval_ms = 0;
    jtg_quic_reuse_options_init(&fixture.options);
    fixture.options.clock = &fixture.clock_option;
    open_all(&fixture);
    test_clock_advance(&fixture.clock, INT64_C(24) * HOUR);
    return &fixture;
}

static int set_up(void **state)
{
    *state = begin(false);
    return 0;
}

static int set_up_watched(void **state)
{
    *state = begin(true);
    return 0;
}

static int tear_down(void **state)
{
    close_all(*state);
    return 0;
}

static int64_t now(const struct fixture *fixture)
{
    return atomic_load(&fixture->clock.wall_ms);
}

static jtg_quic_presented presented_of(const char *token, int64_t issued_ms)
{
    jtg_quic_presented presented = JTG_QUIC_PRESENTED_INIT;
    presented.token = token;
    presented.token_len = strlen(token);
    presented.issued_ms = issued_ms;
    presented.lifetime_ms = LIFETIME;
    return presented;
}

static jtg_flight_reason present(struct fixture *fixture, const char *token, int64_t issued_ms)
{
    static const jtg_flight_decision undecided = JTG_FLIGHT_DECISION_INIT;
    jtg_quic_presented presented = presented_of(token, issued_ms);
    fixture->decision = undecided;
    jtg_error err = JTG_ERROR_INIT;
    bool first = jtg_quic_reuse_first(fixture->reuse, &presented, &fixture->decision, &err);
    assert_int_equal(first, fixture->decision.reason == JTG_FLIGHT_FIRST);
    assert_int_equal(first, fixture->decision.seen == JTG_SEEN_NOT);
    return fixture->decision.reason;
}

#define assert_reason(call, expected)                                                              \
    assert_string_equal(jtg_flight_reason_name(call), jtg_flight_reason_name(expected))

static void a_token_is_new_once(void **state)
{
    struct fixture *fixture = *state;
    int64_t issued = now(fixture) - 1000;
    assert_reason(present(fixture, "one", issued), JTG_FLIGHT_FIRST);
    assert_true(fixture->decision.ttl_ms == LIFETIME - 1000 + MARGIN);
    assert_reason(present(fixture, "one", issued), JTG_FLIGHT_REPLAYED);
    assert_int_equal(fixture->decision.seen, JTG_SEEN_BEFORE);
    assert_reason(present(fixture, "two", issued), JTG_FLIGHT_FIRST);
    assert_int_equal(jtg_quic_reuse_counter(fixture->reuse, JTG_FLIGHT_FIRST), 2);
    assert_int_equal(jtg_quic_reuse_counter(fixture->reuse, JTG_FLIGHT_REPLAYED), 1);
    assert_int_equal(jtg_quic_reuse_counter(NULL, JTG_FLIGHT_REPLAYED), 0);
}

/* It is remembered until no server accepts it any more. */
static void it_is_remembered_until_it_expires_everywhere(void **state)
{
    struct fixture *fixture = *state;
    int64_t issued = now(fixture);
    assert_reason(present(fixture, "one", issued), JTG_FLIGHT_FIRST);
    test_clock_advance(&fixture->clock, LIFETIME - 1);
    assert_reason(present(fixture, "one", issued), JTG_FLIGHT_REPLAYED);
    test_clock_advance(&fixture->clock, 1);
    assert_reason(present(fixture, "one", issued), JTG_FLIGHT_TICKET_EXPIRED);
    /* a server whose clock is behind by the margin */
    test_clock_advance(&fixture->clock, MARGIN - 1);
    test_clock_set_wall_by(&fixture->clock, -MARGIN);
    assert_reason(present(fixture, "one", issued), JTG_FLIGHT_REPLAYED);
}

/* Wherever in its life it is presented first, it is new once in the whole of it. */
static void without_a_time_of_issue_it_is_remembered_as_long(void **state)
{
    for (int64_t age = 0; age < LIFETIME; age += LIFETIME / 4) {
        struct fixture *fixture = *state;
        char token[32];
        snprintf(token, sizeof token, "aged %d", (int)age);
        assert_reason(present(fixture, token, JTG_QUIC_ISSUED_UNKNOWN), JTG_FLIGHT_FIRST);
        assert_true(fixture->decision.ttl_ms == LIFETIME + MARGIN);
        test_clock_advance(&fixture->clock, LIFETIME - age - 1);
        assert_reason(present(fixture, token, JTG_QUIC_ISSUED_UNKNOWN), JTG_FLIGHT_REPLAYED);
    }
}

/* Its record has ended, and the clock is set back into its life. By the record that this use would
 * have it were certainly remembered. */
static void without_a_time_of_issue_a_clock_set_back_opens_nothing(void **state)
{
    struct fixture *fixture = *state;
    assert_reason(present(fixture, "used", JTG_QUIC_ISSUED_UNKNOWN), JTG_FLIGHT_FIRST);
    test_clock_advance(&fixture->clock, LIFETIME + MARGIN);
    test_clock_set_wall_by(&fixture->clock, -2 * LIFETIME / 3);
    assert_reason(present(fixture, "used", JTG_QUIC_ISSUED_UNKNOWN), JTG_FLIGHT_CLOCK_SET_BACK);
    test_clock_advance(&fixture->clock, 2 * LIFETIME + 2 * MARGIN);
    assert_reason(present(fixture, "other", JTG_QUIC_ISSUED_UNKNOWN), JTG_FLIGHT_FIRST);
}

static void after_a_start_older_tokens_are_unsure(void **state)
{
    struct fixture *fixture = *state;
    int64_t issued = now(fixture);
    assert_reason(present(fixture, "one", issued), JTG_FLIGHT_FIRST);
    close_all(fixture);
    open_all(fixture);
    assert_reason(present(fixture, "one", issued), JTG_FLIGHT_BEFORE_START);
    assert_int_equal(fixture->decision.seen, JTG_SEEN_UNSURE);
    assert_reason(present(fixture, "two", JTG_QUIC_ISSUED_UNKNOWN), JTG_FLIGHT_BEFORE_START);
    test_clock_advance(&fixture->clock, LIFETIME + MARGIN);
    assert_reason(present(fixture, "two", JTG_QUIC_ISSUED_UNKNOWN), JTG_FLIGHT_BEFORE_START);
    test_clock_advance(&fixture->clock, 1);
    assert_reason(present(fixture, "two", JTG_QUIC_ISSUED_UNKNOWN), JTG_FLIGHT_FIRST);
    assert_reason(present(fixture, "three", now(fixture)), JTG_FLIGHT_FIRST);
    close_all(fixture);
    fixture->options.start_rule = 0;
    open_all(fixture);
    assert_reason(present(fixture, "four", now(fixture) - 1), JTG_FLIGHT_FIRST);
}

static void after_a_loss_older_tokens_are_unsure(void **state)
{
    struct fixture *fixture = *state;
    int64_t issued = now(fixture);
    fixture->store->kept_since_ms = issued - MARGIN;
    assert_reason(present(fixture, "one", issued), JTG_FLIGHT_FIRST);
    assert_reason(present(fixture, "two", issued - 1), JTG_FLIGHT_CONTINUITY_LOST);
    assert_reason(present(fixture, "three", JTG_QUIC_ISSUED_UNKNOWN), JTG_FLIGHT_CONTINUITY_LOST);
    fixture->store->kept_since_ms = issued - MARGIN - LIFETIME;
    assert_reason(present(fixture, "four", JTG_QUIC_ISSUED_UNKNOWN), JTG_FLIGHT_FIRST);
}

static void a_full_store_is_unsure(void **state)
{
    struct fixture *fixture = *state;
    int64_t issued = now(fixture);
    close_all(fixture);
    fixture->memory_options.max_entries = 2;
    fixture->options.start_rule = 0;
    open_all(fixture);
    assert_reason(present(fixture, "one", issued), JTG_FLIGHT_FIRST);
    assert_reason(present(fixture, "two", issued), JTG_FLIGHT_FIRST);
    assert_reason(present(fixture, "three", issued), JTG_FLIGHT_STORE_FULL);
    assert_int_equal(fixture->decision.seen, JTG_SEEN_UNSURE);
    assert_reason(present(fixture, "one", issued), JTG_FLIGHT_REPLAYED);
}

static void a_store_that_fails_is_unsure(void **state)
{
    struct fixture *fixture = *state;
    fixture->store->operation = JTG_OP_RESERVE;
    fixture->store->answer = JTG_ERR_TIMEOUT;
    fixture->store->acts_all_the_same = true;
    assert_reason(present(fixture, "one", now(fixture)), JTG_FLIGHT_OUTCOME_UNKNOWN);
    fixture->store->answer = JTG_OK;
    assert_reason(present(fixture, "one", now(fixture)), JTG_FLIGHT_REPLAYED);
}

static void zones_and_tickets_are_kept_apart(void **state)
{
    struct fixture *fixture = *state;
    jtg_anti_replay_options ticket_options = JTG_ANTI_REPLAY_OPTIONS_INIT;
    jtg_anti_replay *tickets = NULL;
    jtg_quic_reuse *other = NULL;
    jtg_flight flight = JTG_FLIGHT_INIT;
    jtg_quic_presented presented = presented_of("one", now(fixture));
    assert_true(jtg_quic_reuse_first(fixture->reuse, &presented, NULL, NULL));
    fixture->options.zone = "other";
    fixture->options.start_rule = 0;
    assert_status(jtg_quic_reuse_new(&other, &fixture->store->base, &fixture->options, NULL),
                  JTG_OK);
    assert_true(jtg_quic_reuse_first(other, &presented, NULL, NULL));
    assert_false(jtg_quic_reuse_first(other, &presented, NULL, NULL));
    ticket_options.clock = &fixture->clock_option;
    ticket_options.start_rule = 0;
    assert_status(jtg_anti_replay_new(&tickets, &fixture->store->base, &ticket_options, NULL),
                  JTG_OK);
    flight.ticket = presented.token;
    flight.ticket_len = presented.token_len;
    flight.issued_ms = presented.issued_ms;
    flight.lifetime_ms = presented.lifetime_ms;
    assert_true(jtg_anti_replay_accept(tickets, &flight, NULL, NULL));
    jtg_quic_reuse_free(other);
    jtg_anti_replay_free(tickets);
}

struct race {
    jtg_quic_reuse *reuse;
    int64_t issued_ms;
    atomic_uint firsts;
};

static void present_all(void *context, unsigned index)
{
    struct race *race = context;
    (void)index;
    for (int i = 0; i < 500; i++) {
        char token[32];
        snprintf(token, sizeof token, "token %d", i);
        jtg_quic_presented presented = presented_of(token, race->issued_ms);
        atomic_fetch_add(&race->firsts, jtg_quic_reuse_first(race->reuse, &presented, NULL, NULL));
    }
}

static void of_many_threads_one_is_first(void **state)
{
    struct fixture *fixture = *state;
    struct race race = {fixture->reuse, now(fixture), 0};
    threads_run(8, present_all, &race);
    assert_int_equal(atomic_load(&race.firsts), 500);
}

static void bad_arguments_are_told(void **state)
{
    struct fixture *fixture = *state;
    jtg_error err = JTG_ERROR_INIT;
    jtg_quic_reuse *reuse = NULL;
    char zone[JTG_QUIC_REUSE_ZONE_MAX_BYTES + 2];
    jtg_quic_presented presented = presented_of("one", JTG_QUIC_ISSUED_UNKNOWN);
    jtg_flight_decision decision = JTG_FLIGHT_DECISION_INIT;
    assert_status(jtg_quic_reuse_new(NULL, fixture->memory, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_quic_reuse_new(&reuse, NULL, NULL, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    fixture->options.margin_ms = 999;
    assert_status(jtg_quic_reuse_new(&reuse, fixture->memory, &fixture->options, NULL),
                  JTG_ERR_ARGUMENT);
    fixture->options.margin_ms = MARGIN;
    memset(zone, 'z', sizeof zone);
    zone[sizeof zone - 1] = '\0';
    fixture->options.zone = zone;
    assert_status(jtg_quic_reuse_new(&reuse, fixture->memory, &fixture->options, NULL),
                  JTG_ERR_ARGUMENT);
    assert_null(reuse);
    zone[JTG_QUIC_REUSE_ZONE_MAX_BYTES] = '\0';
    assert_status(jtg_quic_reuse_new(&reuse, fixture->memory, &fixture->options, NULL), JTG_OK);
    jtg_quic_reuse_free(reuse);
    assert_false(jtg_quic_reuse_first(NULL, &presented, &decision, &err));
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_false(jtg_quic_reuse_first(fixture->reuse, NULL, &decision, NULL));
    presented.lifetime_ms = JTG_ANTI_REPLAY_LIFETIME_MS_LIMIT / 2 + 1;
    assert_false(jtg_quic_reuse_first(fixture->reuse, &presented, &decision, &err));
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_int_equal(decision.reason, JTG_FLIGHT_BAD_ARGUMENT);
    assert_non_null(strstr(err.text, "three and a half days"));
    presented.lifetime_ms--;
    presented.token_len = 0;
    assert_false(jtg_quic_reuse_first(fixture->reuse, &presented, &decision, NULL));
    presented.struct_size = 0;
    assert_false(jtg_quic_reuse_first(fixture->reuse, &presented, &decision, &err));
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    jtg_quic_reuse_free(NULL);
}

static void the_initialiser_is_the_function(void **state)
{
    (void)state;
    static const jtg_quic_reuse_options expected = JTG_QUIC_REUSE_OPTIONS_INIT;
    jtg_quic_reuse_options options;
    memset(&options, 0x55, sizeof options);
    jtg_quic_reuse_options_init(&options);
    assert_memory_equal(&options, &expected, sizeof options);
    jtg_quic_reuse_options_init(NULL);
}

static void a_child_refuses(void **state)
{
    struct fixture *fixture = *state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        jtg_quic_presented presented = presented_of("one", now(fixture));
        jtg_flight_decision decision = JTG_FLIGHT_DECISION_INIT;
        bool first = jtg_quic_reuse_first(fixture->reuse, &presented, &decision, NULL);
        _exit(!first && decision.reason == JTG_FLIGHT_FORKED ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void without_memory_there_is_none(void **state)
{
    struct fixture *fixture = *state;
    bool failed = true;
    for (unsigned nth = 1; failed; nth++) {
        jtg_quic_reuse *reuse = NULL;
        jtg_error err = JTG_ERROR_INIT;
        assert_in_range(nth, 1, 20);
        alloc_walk_fail_nth(nth);
        jtg_status status = jtg_quic_reuse_new(&reuse, fixture->memory, NULL, &err);
        failed = alloc_walk_end();
        assert_status(status, failed ? JTG_ERR_MEMORY : JTG_OK);
        assert_err_tells(&err, status);
        assert_int_equal(reuse == NULL, failed);
        jtg_quic_reuse_free(reuse);
    }
}

#define CASE(name)    cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define WATCHED(name) cmocka_unit_test_setup_teardown(name, set_up_watched, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_token_is_new_once),
        CASE(it_is_remembered_until_it_expires_everywhere),
        CASE(without_a_time_of_issue_it_is_remembered_as_long),
        CASE(without_a_time_of_issue_a_clock_set_back_opens_nothing),
        CASE(after_a_start_older_tokens_are_unsure),
        WATCHED(after_a_loss_older_tokens_are_unsure),
        CASE(a_full_store_is_unsure),
        CASE(a_store_that_fails_is_unsure),
        CASE(zones_and_tickets_are_kept_apart),
        CASE(of_many_threads_one_is_first),
        CASE(bad_arguments_are_told),
        cmocka_unit_test(the_initialiser_is_the_function),
        CASE(a_child_refuses),
        CASE(without_memory_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
