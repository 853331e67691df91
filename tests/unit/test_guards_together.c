/* SPDX-License-Identifier: Apache-2.0 */
/* Several guards on one cache: what one has learnt of the wall clock, all know, also one that is
 * begun later, and after the first has ended. The same of the guards of early data. */
#include "support/asserts.h"
#include "support/host_folder.h"
#include "support/lending_cache.h"
#include "support/test_clock.h"
#include "support/threads.h"

#include <jtiguard/anti_replay.h>
#include <jtiguard/guard.h>
#include <jtiguard/host.h>
#include <jtiguard/memory.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, LIFE = 5 * MINUTE };

struct fixture {
    struct test_clock clock;
    jtg_clock clock_option;
    jtg_logger logger;
    atomic_uint errors;
    jtg_cache *cache;
    struct lending_cache lending; /* in its place, if asked for */
    struct host_folder folder;
    jtg_host_options host;
    jtg_guard_options options;
    jtg_claims claims;
    jtg_decision decision;
};

static void count(void *context, jtg_log_level level, const char *line)
{
    struct fixture *f = context;
    if (level == JTG_LOG_ERROR && strstr(line, "set back") != NULL)
        atomic_fetch_add(&f->errors, 1);
}

static int set_up_empty(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof f);
    test_clock_init(&f.clock);
    f.clock_option = test_clock_as_jtg(&f.clock);
    f.logger = (jtg_logger){sizeof(jtg_logger), &f, JTG_LOG_DEBUG, count};
    jtg_guard_options_init(&f.options);
    f.options.clock = &f.clock_option;
    f.options.logger = &f.logger;
    *state = &f;
    return 0;
}

static int set_up(void **state)
{
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    (void)set_up_empty(state);
    struct fixture *f = *state;
    options.clock = &f->clock_option;
    options.sweep_interval_ms = 0;
    assert_status(jtg_memory_new(&f->cache, &options, NULL), JTG_OK);
    return 0;
}

static int set_up_lending(void **state)
{
    (void)set_up_empty(state);
    struct fixture *f = *state;
    lending_cache_init(&f->lending);
    f->cache = &f->lending.base;
    return 0;
}

static int set_up_watching(void **state)
{
    (void)set_up_empty(state);
    struct fixture *f = *state;
    lending_cache_init_watching(&f->lending);
    f->cache = &f->lending.base;
    return 0;
}

static int tear_down(void **state)
{
    jtg_cache_free(((struct fixture *)*state)->cache);
    return 0;
}

static jtg_guard *begin(struct fixture *f)
{
    jtg_guard *guard = NULL;
    assert_status(jtg_guard_new(&guard, f->cache, &f->options, NULL), JTG_OK);
    return guard;
}

static void issue(struct fixture *f, const char *jti)
{
    jtg_claims_init(&f->claims);
    f->claims.kind = JTG_KIND_ID_TOKEN;
    f->claims.issuer = (jtg_text){"https://i.example", 17};
    f->claims.audience = (jtg_text){"a", 1};
    f->claims.jti = (jtg_text){jti, strlen(jti)};
    f->claims.iat_ms = atomic_load(&f->clock.wall_ms);
    f->claims.exp_ms = f->claims.iat_ms + LIFE;
}

static const char *ask(struct fixture *f, jtg_guard *guard)
{
    static const jtg_decision undecided = JTG_DECISION_INIT;
    f->decision = undecided;
    (void)!jtg_guard_admit(guard, &f->claims, &f->decision, NULL);
    return jtg_reason_name(f->decision.reason);
}

/* ---- guards ---- */

/* One uses a token, the record ends, the clock is set back into its life. */
static void use_forget_and_set_back(struct fixture *f, jtg_guard *guard)
{
    issue(f, "used");
    assert_string_equal(ask(f, guard), "admitted");
    test_clock_advance(&f->clock, LIFE + 90 * SECOND);
    assert_string_equal(ask(f, guard), "expired");
    test_clock_set_wall_by(&f->clock, -LIFE);
}

static void a_guard_begun_after_the_clock_was_set_back_refuses(void **state)
{
    struct fixture *f = *state;
    jtg_guard *first = begin(f);
    use_forget_and_set_back(f, first);
    assert_string_equal(ask(f, first), "clock_set_back");
    jtg_guard *second = begin(f);
    assert_string_equal(ask(f, second), "clock_set_back");
    assert_int_equal(f->errors, 1); /* one event, told by who noticed it */
    jtg_guard_free(first);
    jtg_guard_free(second);
}

/* The first has not even seen it, for it has ended. */
static void a_guard_that_has_ended_leaves_what_it_knew(void **state)
{
    struct fixture *f = *state;
    jtg_guard *first = begin(f);
    use_forget_and_set_back(f, first);
    jtg_guard_free(first);
    jtg_guard *second = begin(f);
    assert_int_equal(f->errors, 1);
    assert_string_equal(ask(f, second), "clock_set_back");
    jtg_guard_free(second);
}

static void a_guard_begun_before_learns_what_another_noticed(void **state)
{
    struct fixture *f = *state;
    jtg_guard *first = begin(f);
    jtg_guard *second = begin(f);
    use_forget_and_set_back(f, first);
    jtg_guard *third = begin(f);
    assert_int_equal(f->errors, 1);
    assert_string_equal(ask(f, second), "clock_set_back");
    assert_string_equal(ask(f, third), "clock_set_back");
    assert_int_equal(f->errors, 1);
    jtg_guard_free(first);
    jtg_guard_free(second);
    jtg_guard_free(third);
}

/* It refuses no more than one guard alone would: new tokens pass, and those still remembered are
 * replays. */
static void after_an_event_new_tokens_pass_for_all(void **state)
{
    struct fixture *f = *state;
    jtg_guard *first = begin(f);
    use_forget_and_set_back(f, first);
    jtg_guard *second = begin(f);
    f->claims.jti = (jtg_text){"lives on", 8};
    f->claims.exp_ms = atomic_load(&f->clock.wall_ms) + HOUR;
    assert_string_equal(ask(f, first), "admitted");
    assert_string_equal(ask(f, second), "replayed");
    test_clock_advance(&f->clock, LIFE + 31 * SECOND);
    issue(f, "new");
    assert_string_equal(ask(f, second), "admitted");
    assert_string_equal(ask(f, first), "replayed");
    jtg_guard_free(first);
    jtg_guard_free(second);
}

/* What is forgotten with the reservations is forgotten: another cache begins anew. */
static void another_cache_knows_nothing_of_it(void **state)
{
    struct fixture *f = *state;
    jtg_guard *first = begin(f);
    use_forget_and_set_back(f, first);
    jtg_cache *old = f->cache;
    assert_status(jtg_memory_new(&f->cache, NULL, NULL), JTG_OK);
    jtg_guard *second = begin(f);
    assert_int_equal(f->errors, 0);
    assert_string_equal(ask(f, second), "admitted");
    jtg_guard_free(second);
    jtg_guard_free(first);
    jtg_cache_free(old);
}

static void clear_does_not_clear_what_is_known_of_the_clock(void **state)
{
    struct fixture *f = *state;
    jtg_guard *first = begin(f);
    use_forget_and_set_back(f, first);
    assert_status(jtg_cache_clear(f->cache, NULL), JTG_OK);
    jtg_guard *second = begin(f);
    assert_string_equal(ask(f, second), "clock_set_back");
    jtg_guard_free(second);
    jtg_guard_free(first);
}

/* A record is kept as long as the margin of who made it says. Who has a greater one must not
 * believe that it was kept longer. */
static void the_smallest_margin_says_how_long_a_record_was_kept(void **state)
{
    struct fixture *f = *state;
    f->options.retention_margin_s = 10;
    jtg_guard *brief = begin(f);
    f->options.retention_margin_s = 60;
    jtg_guard *lasting = begin(f);
    issue(f, "used");
    assert_string_equal(ask(f, brief), "admitted");
    test_clock_advance(&f->clock, LIFE + 40 * SECOND - 1);
    test_clock_set_wall_by(&f->clock, -30 * SECOND);
    assert_string_equal(ask(f, lasting), "replayed");
    test_clock_advance(&f->clock, 1);
    assert_string_equal(ask(f, lasting), "clock_set_back");
    jtg_guard_free(brief);
    jtg_guard *later = begin(f);
    assert_string_equal(ask(f, later), "clock_set_back");
    jtg_guard_free(later);
    jtg_guard_free(lasting);
}

/* The start is each guard's own: what others had seen of the clock before does not date it. */
static void the_restart_rule_is_about_ones_own_start(void **state)
{
    struct fixture *f = *state;
    jtg_guard *first = begin(f);
    test_clock_set_wall_by(&f->clock, 365 * (int64_t)24 * HOUR);
    issue(f, "ahead");
    assert_string_equal(ask(f, first), "admitted");
    test_clock_set_wall_by(&f->clock, -365 * (int64_t)24 * HOUR);
    f->options.restart_rule = 1;
    jtg_guard *second = begin(f);
    issue(f, "of the start");
    assert_string_equal(ask(f, second), "issued_before_start");
    test_clock_advance(&f->clock, 31 * SECOND);
    issue(f, "later");
    assert_string_equal(ask(f, second), "admitted");
    jtg_guard_free(first);
    jtg_guard_free(second);
}

/* ---- guards of early data, also in zones of their own ---- */

static jtg_anti_replay *begin_flights(struct fixture *f, const char *zone)
{
    jtg_anti_replay_options options = JTG_ANTI_REPLAY_OPTIONS_INIT;
    jtg_anti_replay *flights = NULL;
    options.clock = &f->clock_option;
    options.logger = &f->logger;
    options.zone = zone;
    options.start_rule = 0;
    assert_status(jtg_anti_replay_new(&flights, f->cache, &options, NULL), JTG_OK);
    return flights;
}

static const char *arrive(jtg_anti_replay *flights, int64_t issued_ms)
{
    jtg_flight_decision decision = JTG_FLIGHT_DECISION_INIT;
    jtg_flight flight = JTG_FLIGHT_INIT;
    flight.ticket = "ticket";
    flight.ticket_len = 6;
    flight.issued_ms = issued_ms;
    flight.lifetime_ms = LIFE;
    (void)!jtg_anti_replay_accept(flights, &flight, &decision, NULL);
    return jtg_flight_reason_name(decision.reason);
}

static void flights_learn_from_each_other(void **state)
{
    struct fixture *f = *state;
    int64_t issued_ms = atomic_load(&f->clock.wall_ms);
    jtg_anti_replay *first = begin_flights(f, "a");
    jtg_anti_replay *other = begin_flights(f, "b");
    assert_string_equal(arrive(first, issued_ms), "first");
    test_clock_advance(&f->clock, LIFE + 10 * MINUTE);
    assert_string_equal(arrive(other, issued_ms), "ticket_expired");
    test_clock_set_wall_by(&f->clock, -LIFE - 9 * MINUTE);
    jtg_anti_replay *second = begin_flights(f, "a");
    assert_string_equal(arrive(second, issued_ms), "clock_set_back");
    assert_int_equal(f->errors, 1);
    jtg_anti_replay_free(first);
    jtg_anti_replay_free(other);
    jtg_anti_replay_free(second);
}

/* ---- a store that does not lend as it should ---- */

/* Nothing is decided by a reading that could not be noted; what changes nothing needs no lock. */
static void a_blocked_lock_refuses_what_must_be_noted(void **state)
{
    struct fixture *f = *state;
    jtg_guard *guard = begin(f);
    issue(f, "x");
    f->lending.lock_answer = JTG_ERR_BLOCKED;
    assert_string_equal(ask(f, guard), "admitted");
    test_clock_set_wall_by(&f->clock, 1);
    assert_string_equal(ask(f, guard), "store_blocked");
    assert_status(jtg_guard_ping(guard, NULL), JTG_ERR_BLOCKED);
    test_clock_set_wall_by(&f->clock, -1);
    assert_string_equal(ask(f, guard), "admitted");
    assert_status(jtg_guard_ping(guard, NULL), JTG_OK);
    f->lending.lock_answer = JTG_OK;
    test_clock_set_wall_by(&f->clock, 1);
    assert_string_equal(ask(f, guard), "admitted");
    jtg_guard_free(guard);
}

static void a_store_that_comes_later_is_asked_again(void **state)
{
    struct fixture *f = *state;
    f->lending.lend_answer = JTG_ERR_UNAVAILABLE;
    jtg_guard *guard = begin(f);
    issue(f, "x");
    assert_string_equal(ask(f, guard), "store_unavailable");
    assert_int_equal(f->lending.locks, 0);
    f->lending.lend_answer = JTG_OK;
    assert_string_equal(ask(f, guard), "admitted");
    assert_int_equal(f->lending.locks, 1);
    assert_string_equal(ask(f, guard), "admitted");
    assert_int_equal(f->lending.locks, 1);
    jtg_guard_free(guard);
}

static void numbers_of_another_version_are_not_read(void **state)
{
    struct fixture *f = *state;
    f->lending.pieces[0][JTG_BORROWER_GUARD][0] = 99;
    jtg_guard *guard = begin(f);
    issue(f, "x");
    assert_string_equal(ask(f, guard), "store_unsupported");
    assert_int_equal(f->lending.locks, 0);
    jtg_guard_free(guard);
}

/* The reservation was made where nobody knows of our reading. */
static void a_store_that_is_exchanged_meanwhile_is_not_relied_on(void **state)
{
    struct fixture *f = *state;
    jtg_guard *guard = begin(f);
    issue(f, "x");
    f->lending.exchange_in_reserve = true;
    assert_string_equal(ask(f, guard), "outcome_unknown");
    assert_string_equal(ask(f, guard), "admitted");
    assert_int_equal(f->lending.locks, 2);
    jtg_guard_free(guard);
}

/* ---- a store that says by the clock since when it has kept everything ---- */

static struct fixture *set_back_in;

static void be_set_back(struct lending_cache *cache)
{
    struct fixture *f = set_back_in;
    cache->in_reserve = NULL;
    test_clock_set_wall_by(&f->clock, -2 * MINUTE);
    jtg_guard_free(begin(f)); /* somebody else notices it */
}

/* What it dated by one clock, the guard had asked by another. */
static void a_set_back_while_such_a_store_is_asked_is_not_relied_on(void **state)
{
    struct fixture *f = *state;
    jtg_guard *guard = begin(f);
    issue(f, "x");
    set_back_in = f;
    f->lending.in_reserve = be_set_back;
    assert_string_equal(ask(f, guard), "outcome_unknown");
    assert_int_equal(f->errors, 1);
    issue(f, "y");
    assert_string_equal(ask(f, guard), "admitted");
    jtg_guard_free(guard);
}

/* ---- processes ---- */

static int set_up_host(void **state)
{
    (void)set_up_empty(state);
    struct fixture *f = *state;
    host_folder_make(&f->folder);
    jtg_host_options_init(&f->host);
    f->host.path = f->folder.store;
    f->host.max_entries = 1000;
    f->host.clock = &f->clock_option;
    assert_status(jtg_host_new(&f->cache, &f->host, NULL), JTG_OK);
    assert_status(jtg_host_vouch(f->cache, 0, NULL), JTG_OK);
    return 0;
}

static int tear_down_host(void **state)
{
    (void)tear_down(state);
    host_folder_remove(&((struct fixture *)*state)->folder);
    return 0;
}

/* Uses the token of the claims as a process of its own, that then ends. */
static void use_in_another_process(struct fixture *f)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        jtg_guard *guard = NULL;
        bool admitted = jtg_host_new(&f->cache, &f->host, NULL) == JTG_OK &&
                        jtg_guard_new(&guard, f->cache, &f->options, NULL) == JTG_OK &&
                        jtg_guard_admit(guard, &f->claims, NULL, NULL);
        _exit(admitted ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_process_that_has_ended_leaves_what_it_knew(void **state)
{
    struct fixture *f = *state;
    issue(f, "used");
    use_in_another_process(f);
    jtg_guard *guard = NULL;
    test_clock_advance(&f->clock, LIFE + 90 * SECOND);
    test_clock_set_wall_by(&f->clock, -LIFE);
    guard = begin(f);
    assert_int_equal(f->errors, 1);
    assert_string_equal(ask(f, guard), "clock_set_back");
    jtg_guard_free(guard);
}

/* It is used under a clock that is an hour ahead, the file is removed and made anew, and the clock
 * is put right: for the new store it is from before. */
static void a_store_that_is_made_anew_does_not_make_it_younger(void **state)
{
    struct fixture *f = *state;
    jtg_guard *guard = begin(f);
    test_clock_set_wall_by(&f->clock, HOUR);
    issue(f, "used");
    f->claims.exp_ms += 2 * HOUR;
    assert_string_equal(ask(f, guard), "admitted");
    host_folder_remove_store(&f->folder);
    test_clock_advance(&f->clock, 2 * SECOND);
    test_clock_set_wall_by(&f->clock, -HOUR);
    jtg_cache *other = NULL;
    assert_status(jtg_host_new(&other, &f->host, NULL), JTG_OK);
    jtg_cache_free(other);
    for (unsigned minute = 0; minute < 190; minute++) {
        assert_string_not_equal(ask(f, guard), "admitted");
        test_clock_advance(&f->clock, MINUTE);
    }
    jtg_guard_free(guard);
}

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 400, TOKENS = 16 };

struct crowd {
    struct fixture *f;
    atomic_uint admitted[TOKENS];
    atomic_uint others;
};

/* Each with a guard of its own, which it makes again and again; one moves the clock. */
static void ask_in_a_crowd(void *context, unsigned index)
{
    struct crowd *crowd = context;
    for (unsigned round = 0; round < ROUNDS; round++) {
        jtg_guard *guard = NULL;
        jtg_claims claims = crowd->f->claims;
        claims.jti = (jtg_text){&"0123456789abcdef"[round % TOKENS], 1};
        if (jtg_guard_new(&guard, crowd->f->cache, &crowd->f->options, NULL) != JTG_OK)
            return;
        if (jtg_guard_admit(guard, &claims, NULL, NULL))
            atomic_fetch_add(&crowd->admitted[round % TOKENS], 1);
        else
            atomic_fetch_add(&crowd->others, 1);
        if (index == 0)
            test_clock_set_wall_by(&crowd->f->clock, round % 3 == 0 ? -90 * SECOND : 45 * SECOND);
        jtg_guard_free(guard);
    }
}

static void a_crowd_of_guards_admits_each_once(void **state)
{
    static struct crowd crowd;
    struct fixture *f = *state;
    memset(&crowd, 0, sizeof crowd);
    crowd.f = f;
    issue(f, "x");
    f->claims.exp_ms += HOUR;
    threads_run(THREADS, ask_in_a_crowd, &crowd);
    for (unsigned i = 0; i < TOKENS; i++)
        assert_int_equal(atomic_load(&crowd.admitted[i]), 1);
    assert_int_equal(atomic_load(&crowd.others), THREADS * ROUNDS - TOKENS);
}

#define TEST(name)     cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define LENDING(name)  cmocka_unit_test_setup_teardown(name, set_up_lending, tear_down)
#define WATCHING(name) cmocka_unit_test_setup_teardown(name, set_up_watching, tear_down)
#define HOST(name)     cmocka_unit_test_setup_teardown(name, set_up_host, tear_down_host)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_guard_begun_after_the_clock_was_set_back_refuses),
        TEST(a_guard_that_has_ended_leaves_what_it_knew),
        TEST(a_guard_begun_before_learns_what_another_noticed),
        TEST(after_an_event_new_tokens_pass_for_all),
        TEST(another_cache_knows_nothing_of_it),
        TEST(clear_does_not_clear_what_is_known_of_the_clock),
        TEST(the_smallest_margin_says_how_long_a_record_was_kept),
        TEST(the_restart_rule_is_about_ones_own_start),
        TEST(flights_learn_from_each_other),
        LENDING(a_blocked_lock_refuses_what_must_be_noted),
        LENDING(a_store_that_comes_later_is_asked_again),
        LENDING(numbers_of_another_version_are_not_read),
        LENDING(a_store_that_is_exchanged_meanwhile_is_not_relied_on),
        WATCHING(a_set_back_while_such_a_store_is_asked_is_not_relied_on),
        HOST(a_process_that_has_ended_leaves_what_it_knew),
        HOST(a_store_that_is_made_anew_does_not_make_it_younger),
        TEST(a_crowd_of_guards_admits_each_once),
    };
    return cmocka_run_group_tests_name("guards_together", tests, NULL, NULL);
}
