/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"
#include "support/guard_fixture.h"
#include "support/threads.h"

#include <stdio.h>
#include <string.h>

/* Defaults: leeway 30 s, future leeway 30 s, margin 60 s, lifetime 86,400 s. */
enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static jtg_reason ask_with_jti(struct guard_fixture *f, const char *jti)
{
    f->claims.jti = (jtg_text){jti, strlen(jti)};
    return guard_fixture_ask(f);
}

static unsigned errors_logged(struct guard_fixture *f)
{
    return atomic_load(&f->errors_logged);
}

/* ---- restart ---- */

static void restart(struct guard_fixture *f)
{
    guard_fixture_close_guard(f);
    recording_cache_forget(f->store);
    guard_fixture_open(f);
}

static void without_the_rule_a_restart_admits_again(void **state)
{
    struct guard_fixture *f = *state;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    restart(f);
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
}

static void the_rule_refuses_what_may_have_been_used_before(void **state)
{
    struct guard_fixture *f = *state;
    f->options.restart_rule = 1;
    guard_fixture_open(f);
    int64_t start = atomic_load(&f->clock.wall_ms);
    test_clock_advance(&f->clock, MINUTE);
    f->claims.exp_ms = start + 10 * MINUTE;
    f->claims.iat_ms = start - 1;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ISSUED_BEFORE_START);
    f->claims.iat_ms = start + 30 * SECOND; /* could be shown that early before the start */
    assert_reason(guard_fixture_ask(f), JTG_REASON_ISSUED_BEFORE_START);
    assert_int_equal(f->store->reserves, 0);
    f->claims.iat_ms = start + 30 * SECOND + 1;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    assert_int_equal(jtg_guard_counter(f->guard, JTG_REASON_ISSUED_BEFORE_START), 2);
}

/* Of a token without iat only exp says how old it can be. */
static void without_iat_the_lifetime_counts(void **state)
{
    struct guard_fixture *f = *state;
    f->options.restart_rule = 1;
    f->options.max_lifetime_s = 3600;
    guard_fixture_open(f);
    int64_t start = atomic_load(&f->clock.wall_ms);
    f->claims.iat_ms = JTG_TIME_ABSENT;
    f->claims.exp_ms = start + HOUR;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ISSUED_BEFORE_START);
    test_clock_advance(&f->clock, HOUR + 30 * SECOND - 1);
    assert_reason(guard_fixture_ask(f), JTG_REASON_ISSUED_BEFORE_START);
    f->claims.exp_ms = start + HOUR + 1;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
}

/* Nothing that was used before the restart passes after it, at any later moment. */
static void no_token_survives_a_restart(void **state)
{
    struct guard_fixture *f = *state;
    f->options.restart_rule = 1;
    guard_fixture_open(f);
    test_clock_advance(&f->clock, HOUR);
    for (int64_t ahead = -10 * MINUTE; ahead <= 30 * SECOND; ahead += 10 * SECOND) {
        guard_fixture_issue(f, 20 * MINUTE);
        f->claims.iat_ms += ahead;
        assert_reason(ask_with_jti(f, "used"), JTG_REASON_ADMITTED);
        restart(f);
        for (unsigned step = 0; step < 25; step++) {
            assert_int_not_equal(guard_fixture_ask(f), JTG_REASON_ADMITTED);
            test_clock_advance(&f->clock, MINUTE);
        }
    }
}

/* A machine without a battery starts in 1970 and is set right later. */
static void a_start_with_a_late_clock_is_dated_anew(void **state)
{
    struct guard_fixture *f = *state;
    int64_t back = -TEST_CLOCK_WALL_MS + MINUTE;
    f->options.restart_rule = 1;
    guard_fixture_open(f);
    test_clock_advance(&f->clock, MINUTE);
    guard_fixture_issue(f, 10 * MINUTE);
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);

    guard_fixture_close_guard(f);
    recording_cache_forget(f->store);
    test_clock_set_wall_by(&f->clock, back);
    guard_fixture_open(f);
    assert_reason(guard_fixture_ask(f), JTG_REASON_ISSUED_IN_FUTURE);
    test_clock_set_wall_by(&f->clock, -back);
    assert_reason(guard_fixture_ask(f), JTG_REASON_ISSUED_BEFORE_START);
    test_clock_advance(&f->clock, 31 * SECOND);
    guard_fixture_issue(f, 10 * MINUTE);
    assert_reason(ask_with_jti(f, "new"), JTG_REASON_ADMITTED);
    assert_int_equal(errors_logged(f), 0);
}

/* ---- clock set back ---- */

/* Use a token, wait until the store has forgotten it, set the clock back into its life. */
static void use_forget_and_set_back(struct guard_fixture *f, int64_t back_ms)
{
    guard_fixture_issue(f, FIXTURE_LIFETIME_MS);
    assert_reason(ask_with_jti(f, "used"), JTG_REASON_ADMITTED);
    test_clock_advance(&f->clock, FIXTURE_LIFETIME_MS + 90 * SECOND);
    assert_reason(guard_fixture_ask(f), JTG_REASON_EXPIRED);
    test_clock_set_wall_by(&f->clock, -back_ms);
}

static void a_forgotten_token_does_not_come_back(void **state)
{
    struct guard_fixture *f = *state;
    use_forget_and_set_back(f, 5 * MINUTE);
    unsigned asked = f->store->reserves;
    assert_reason(guard_fixture_ask(f), JTG_REASON_CLOCK_SET_BACK);
    assert_int_equal(f->store->reserves, asked);
    assert_int_equal(errors_logged(f), 1);
    assert_reason(guard_fixture_ask(f), JTG_REASON_CLOCK_SET_BACK);
    assert_int_equal(errors_logged(f), 1); /* once an event */
    assert_int_equal(jtg_guard_counter(f->guard, JTG_REASON_CLOCK_SET_BACK), 2);
}

static void a_set_back_within_the_margin_is_harmless(void **state)
{
    struct guard_fixture *f = *state;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    test_clock_advance(&f->clock, FIXTURE_LIFETIME_MS + 90 * SECOND - 1);
    test_clock_set_wall_by(&f->clock, -MINUTE);
    assert_reason(guard_fixture_ask(f), JTG_REASON_REPLAYED);
    test_clock_advance(&f->clock, 1);
    assert_reason(guard_fixture_ask(f), JTG_REASON_EXPIRED);
    assert_int_equal(errors_logged(f), 0);
    test_clock_set_wall_by(&f->clock, -1);
    assert_reason(guard_fixture_ask(f), JTG_REASON_CLOCK_SET_BACK);
    assert_int_equal(errors_logged(f), 1);
}

static void small_steps_add_up(void **state)
{
    struct guard_fixture *f = *state;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    test_clock_advance(&f->clock, FIXTURE_LIFETIME_MS + 90 * SECOND);
    for (unsigned step = 0; step < 20; step++) {
        test_clock_set_wall_by(&f->clock, -10 * SECOND);
        assert_int_not_equal(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    }
    assert_reason(guard_fixture_ask(f), JTG_REASON_CLOCK_SET_BACK);
    assert_int_equal(errors_logged(f), 2); /* at 70 s, and 70 s later */
}

static void every_set_back_is_noticed(void **state)
{
    struct guard_fixture *f = *state;
    for (unsigned event = 1; event <= 5; event++) {
        use_forget_and_set_back(f, 5 * MINUTE);
        assert_reason(guard_fixture_ask(f), JTG_REASON_CLOCK_SET_BACK);
        assert_int_equal(errors_logged(f), event);
        recording_cache_forget(f->store);
        test_clock_advance(&f->clock, 6 * MINUTE);
    }
}

static void newer_tokens_pass_at_once(void **state)
{
    struct guard_fixture *f = *state;
    use_forget_and_set_back(f, 5 * MINUTE);
    int64_t reached = atomic_load(&f->clock.wall_ms) + 5 * MINUTE;

    guard_fixture_issue(f, HOUR); /* outlives what the clock had reached: cannot be forgotten */
    assert_reason(ask_with_jti(f, "long"), JTG_REASON_ADMITTED);
    guard_fixture_issue(f, MINUTE); /* could have been used, and forgotten */
    assert_reason(ask_with_jti(f, "short"), JTG_REASON_CLOCK_SET_BACK);

    test_clock_advance(&f->clock, 5 * MINUTE + 31 * SECOND);
    guard_fixture_issue(f, MINUTE);
    f->claims.iat_ms = reached + 30 * SECOND;
    assert_reason(ask_with_jti(f, "edge"), JTG_REASON_CLOCK_SET_BACK);
    f->claims.iat_ms++;
    assert_reason(ask_with_jti(f, "edge"), JTG_REASON_ADMITTED);
    assert_int_equal(errors_logged(f), 1);
}

static void without_iat_it_is_the_lifetime_again(void **state)
{
    struct guard_fixture *f = *state;
    f->options.max_lifetime_s = 600;
    guard_fixture_open(f);
    use_forget_and_set_back(f, 5 * MINUTE);
    int64_t reached = atomic_load(&f->clock.wall_ms) + 5 * MINUTE;
    f->claims.iat_ms = JTG_TIME_ABSENT;
    assert_reason(ask_with_jti(f, "none"), JTG_REASON_CLOCK_SET_BACK);
    test_clock_advance(&f->clock, 14 * MINUTE);
    f->claims.exp_ms = reached + 10 * MINUTE;
    assert_reason(ask_with_jti(f, "edge"), JTG_REASON_CLOCK_SET_BACK);
    f->claims.exp_ms++;
    assert_reason(ask_with_jti(f, "edge"), JTG_REASON_ADMITTED);
}

/* While the clock is ahead, a token near its end is kept for a short time only. */
static void a_token_used_under_a_clock_that_was_ahead(void **state)
{
    struct guard_fixture *f = *state;
    assert_reason(ask_with_jti(f, "other"), JTG_REASON_ADMITTED);
    guard_fixture_issue(f, HOUR + MINUTE);
    test_clock_set_wall_by(&f->clock, HOUR);
    assert_reason(ask_with_jti(f, "used"), JTG_REASON_ADMITTED);
    assert_int_equal(f->decision.ttl_ms, 150 * SECOND);
    test_clock_set_wall_by(&f->clock, -HOUR);
    assert_reason(guard_fixture_ask(f), JTG_REASON_REPLAYED); /* still there */
    test_clock_advance(&f->clock, 150 * SECOND - 1);
    assert_reason(guard_fixture_ask(f), JTG_REASON_REPLAYED);
    test_clock_advance(&f->clock, 1);
    assert_reason(guard_fixture_ask(f), JTG_REASON_CLOCK_SET_BACK); /* forgotten, acceptable */
    for (unsigned minute = 0; minute < 70; minute++) {
        test_clock_advance(&f->clock, MINUTE);
        assert_int_not_equal(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    }
    assert_int_equal(errors_logged(f), 1);
}

/* A wrong date of years, corrected, stops nothing: under it every token had expired. */
static void a_corrected_jump_ahead_does_not_refuse_everything(void **state)
{
    struct guard_fixture *f = *state;
    assert_reason(ask_with_jti(f, "before"), JTG_REASON_ADMITTED);
    test_clock_set_wall_by(&f->clock, INT64_C(3650) * 24 * HOUR);
    assert_reason(ask_with_jti(f, "meanwhile"), JTG_REASON_EXPIRED);
    test_clock_advance(&f->clock, 3 * MINUTE);
    test_clock_set_wall_by(&f->clock, INT64_C(-3650) * 24 * HOUR);
    guard_fixture_issue(f, 10 * MINUTE);
    assert_reason(ask_with_jti(f, "after"), JTG_REASON_ADMITTED);
    assert_int_equal(errors_logged(f), 1);

    /* And what was remembered before the jump still is, also when the clock is set back. */
    test_clock_advance(&f->clock, 10 * MINUTE + 90 * SECOND);
    test_clock_set_wall_by(&f->clock, -5 * MINUTE);
    assert_reason(ask_with_jti(f, "after"), JTG_REASON_CLOCK_SET_BACK);
    assert_int_equal(errors_logged(f), 2);
}

/* Reservations from before the jump stand under the clock from before it, even if the correction
 * lands a little behind that. */
static void a_correction_that_falls_short_keeps_the_old_clock_in_mind(void **state)
{
    struct guard_fixture *f = *state;
    f->claims.iat_ms -= 5 * MINUTE;
    assert_reason(ask_with_jti(f, "used"), JTG_REASON_ADMITTED);
    test_clock_set_wall_by(&f->clock, 24 * HOUR);
    assert_reason(ask_with_jti(f, "used"), JTG_REASON_EXPIRED);
    test_clock_set_wall_by(&f->clock, -24 * HOUR - 59 * SECOND);
    assert_reason(ask_with_jti(f, "used"), JTG_REASON_REPLAYED);
    test_clock_advance(&f->clock, FIXTURE_LIFETIME_MS + 90 * SECOND); /* forgotten */
    test_clock_set_wall_by(&f->clock, -MINUTE); /* 119 s behind the clock at its use */
    assert_reason(ask_with_jti(f, "used"), JTG_REASON_CLOCK_SET_BACK);
    assert_int_equal(errors_logged(f), 2);
}

/* The wall clock goes on while the monotonic clock stands: entries live longer, nothing else. */
static void a_suspended_machine_is_no_event(void **state)
{
    struct guard_fixture *f = *state;
    assert_reason(ask_with_jti(f, "used"), JTG_REASON_ADMITTED);
    test_clock_set_wall_by(&f->clock, 8 * HOUR);
    assert_reason(ask_with_jti(f, "used"), JTG_REASON_EXPIRED);
    guard_fixture_issue(f, FIXTURE_LIFETIME_MS);
    assert_reason(ask_with_jti(f, "fresh"), JTG_REASON_ADMITTED);
    assert_reason(ask_with_jti(f, "fresh"), JTG_REASON_REPLAYED);
    assert_int_equal(errors_logged(f), 0);
}

/* A step ahead that was right, then a set back to far before it: one event, and what was used
 * before the step is covered too. */
static void a_set_back_beyond_a_step_ahead_is_one_event(void **state)
{
    struct guard_fixture *f = *state;
    f->claims.exp_ms += 10 * HOUR;
    assert_reason(ask_with_jti(f, "used"), JTG_REASON_ADMITTED);
    test_clock_set_wall_by(&f->clock, 8 * HOUR);
    assert_reason(ask_with_jti(f, "used"), JTG_REASON_REPLAYED);
    test_clock_advance(&f->clock, 10 * HOUR + FIXTURE_LIFETIME_MS + 90 * SECOND);
    assert_reason(ask_with_jti(f, "used"), JTG_REASON_EXPIRED);
    test_clock_set_wall_by(&f->clock, -9 * HOUR);
    assert_reason(ask_with_jti(f, "used"), JTG_REASON_CLOCK_SET_BACK);
    assert_reason(ask_with_jti(f, "used"), JTG_REASON_CLOCK_SET_BACK);
    assert_int_equal(errors_logged(f), 1);
}

/* A proof's iat that is cut at now moves with it: the record of an earlier use was made with an
 * earlier one, and has ended sooner. */
static void times_that_move_say_less_of_earlier_records(void **state)
{
    struct guard_fixture *f = *state;
    int64_t start = f->claims.iat_ms;
    f->claims.kind = JTG_KIND_DPOP_PROOF;
    f->claims.thumbprint = TEXT("thumb");
    f->claims.exp_ms = JTG_TIME_ABSENT;
    assert_reason(ask_with_jti(f, "used"), JTG_REASON_ADMITTED);
    assert_int_equal(f->decision.ttl_ms, 390 * SECOND);
    test_clock_advance(&f->clock, 390 * SECOND);
    test_clock_set_wall_by(&f->clock, -380 * SECOND);
    f->claims.iat_ms = start + 40 * SECOND;
    f->claims.apart_ms = 40 * SECOND;
    assert_reason(ask_with_jti(f, "used"), JTG_REASON_CLOCK_SET_BACK);
    f->claims.apart_ms = -1;
    assert_reason(ask_with_jti(f, "used"), JTG_REASON_UNREASONABLE_TIME);
    f->claims.apart_ms = INT64_C(86400001);
    assert_reason(ask_with_jti(f, "used"), JTG_REASON_UNREASONABLE_TIME);
    f->claims.apart_ms = INT64_C(86400000);
    assert_reason(ask_with_jti(f, "used"), JTG_REASON_CLOCK_SET_BACK);
}

/* ---- a pause between looking at the clock and the store's answer ---- */

static void wait_for_context(struct recording_cache *cache)
{
    if (cache->context != NULL)
        test_clock_advance(cache->clock, *(const int64_t *)cache->context);
    cache->context = NULL;
}

/* Judged a moment before its end, stopped, asked of the store when that has forgotten it. */
static void a_pause_does_not_admit_what_has_ended(void **state)
{
    struct guard_fixture *f = *state;
    int64_t pause = 60 * SECOND + 1;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    test_clock_advance(&f->clock, FIXTURE_LIFETIME_MS + 30 * SECOND - 1);
    f->store->before_look = wait_for_context;
    f->store->context = &pause;
    unsigned asked = f->store->reserves;
    assert_reason(guard_fixture_ask(f), JTG_REASON_EXPIRED);
    assert_int_equal(f->store->reserves, asked + 1); /* which had forgotten, and said yes */
    assert_int_equal(f->decision.reservation.key_len, 0);
}

static void an_answer_after_the_margin_is_not_relied_on(void **state)
{
    struct guard_fixture *f = *state;
    int64_t pause = 60 * SECOND;
    f->store->after_look = wait_for_context;
    f->store->context = &pause;
    assert_reason(ask_with_jti(f, "at the margin"), JTG_REASON_ADMITTED);

    pause = 60 * SECOND + 1;
    f->store->context = &pause;
    jtg_error err = JTG_ERROR_INIT;
    f->claims.jti = TEXT("later");
    assert_false(jtg_guard_admit(f->guard, &f->claims, &f->decision, &err));
    assert_reason(f->decision.reason, JTG_REASON_OUTCOME_UNKNOWN);
    assert_err_tells(&err, JTG_ERR_TIMEOUT);

    jtg_owner owner = f->decision.reservation.owner; /* asking again settles it */
    f->claims.owner = &owner;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
}

static void jump_ahead_and_use(struct recording_cache *cache)
{
    struct guard_fixture *f = cache->context;
    cache->before_look = NULL;
    test_clock_set_wall_by(&f->clock, HOUR);
    jtg_decision other = JTG_DECISION_INIT;
    assert_true(jtg_guard_admit(f->guard, &f->claims, &other, NULL));
    test_clock_advance(&f->clock, (int64_t)other.ttl_ms);
    test_clock_set_wall_by(&f->clock, -HOUR);
}

/* While one thread is stopped, another uses the token under a clock that is ahead, and the store
 * forgets it. */
static void a_use_during_the_pause_is_not_missed(void **state)
{
    struct guard_fixture *f = *state;
    f->options.retention_margin_s = 1;
    f->options.leeway_s = 0;
    guard_fixture_open(f);
    guard_fixture_issue(f, HOUR + SECOND);
    f->store->context = f;
    f->store->before_look = jump_ahead_and_use;
    assert_reason(guard_fixture_ask(f), JTG_REASON_OUTCOME_UNKNOWN);
    assert_int_equal(f->store->reserves, 2);
}

/* Remembered when the guard looked, forgotten when the store did. */
static void what_ends_during_the_pause_is_noticed(void **state)
{
    struct guard_fixture *f = *state;
    int64_t pause = SECOND;
    guard_fixture_issue(f, HOUR + MINUTE);
    test_clock_set_wall_by(&f->clock, HOUR);
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    test_clock_set_wall_by(&f->clock, -HOUR);
    test_clock_advance(&f->clock, 150 * SECOND - 1);
    assert_reason(guard_fixture_ask(f), JTG_REASON_REPLAYED);
    f->store->before_look = wait_for_context;
    f->store->context = &pause;
    unsigned asked = f->store->reserves;
    assert_reason(guard_fixture_ask(f), JTG_REASON_CLOCK_SET_BACK);
    assert_int_equal(f->store->reserves, asked + 1); /* which said yes */
}

static void wait_and_be_set_back(struct recording_cache *cache)
{
    test_clock_advance(cache->clock, SECOND);
    test_clock_set_wall_by(cache->clock, -SECOND);
    cache->before_look = NULL;
}

/* The token ends while the store thinks, and the wall clock is set to before that end. */
static void a_set_back_during_the_pause_revives_nothing(void **state)
{
    struct guard_fixture *f = *state;
    guard_fixture_issue(f, MINUTE);
    test_clock_advance(&f->clock, MINUTE + (int64_t)f->options.leeway_s * 1000 - SECOND);
    f->store->before_look = wait_and_be_set_back;
    assert_reason(guard_fixture_ask(f), JTG_REASON_EXPIRED);
}

/* ---- clocks that cannot be used ---- */

static void a_broken_clock_refuses(void **state)
{
    struct guard_fixture *f = *state;
    atomic_store(&f->clock.wall_ms, -1);
    assert_reason(guard_fixture_ask(f), JTG_REASON_INTERNAL);
    atomic_store(&f->clock.wall_ms, JTG_TIME_MAX_MS + 1);
    assert_reason(guard_fixture_ask(f), JTG_REASON_INTERNAL);
    atomic_store(&f->clock.wall_ms, TEST_CLOCK_WALL_MS);
    atomic_store(&f->clock.monotonic_ms, INT64_MIN);
    assert_reason(guard_fixture_ask(f), JTG_REASON_INTERNAL);
    atomic_store(&f->clock.monotonic_ms, INT64_MAX);
    assert_reason(guard_fixture_ask(f), JTG_REASON_INTERNAL);
    assert_int_equal(f->store->reserves, 0);

    jtg_guard *guard = NULL;
    assert_status(jtg_guard_new(&guard, &f->store->base, &f->options, NULL), JTG_ERR_ARGUMENT);
    assert_null(guard);
    atomic_store(&f->clock.monotonic_ms, TEST_CLOCK_MONOTONIC_MS);
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
}

static int64_t reads;

/* A thread stopped between the two clocks: the first reading only. */
static int64_t stopped_monotonic_ms(void *context)
{
    struct test_clock *clock = context;
    return atomic_load(&clock->monotonic_ms) + (reads++ == 0 ? 10 * MINUTE : 0);
}

static void a_pause_between_the_clocks_is_no_event(void **state)
{
    struct guard_fixture *f = *state;
    f->clock_option.monotonic_ms = stopped_monotonic_ms;
    reads = 1;
    guard_fixture_open(f);
    reads = 0;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    assert_int_equal(errors_logged(f), 0);
}

/* ---- a store that forgot, and a clock that was ahead ---- */

/* The issuer's clock was ahead too: the token was used an hour earlier than it says. The loss is
 * dated when the clocks are right again, and the token becomes acceptable after it. */
static void a_use_under_a_clock_that_was_ahead_is_not_forgotten(void **state)
{
    struct guard_fixture *f = *state;
    test_clock_set_wall_by(&f->clock, HOUR);
    guard_fixture_issue(f, 3 * HOUR);
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    test_clock_set_wall_by(&f->clock, -HOUR);
    assert_reason(guard_fixture_ask(f), JTG_REASON_ISSUED_IN_FUTURE);
    recording_cache_forget(f->store);
    test_clock_advance(&f->clock, HOUR);
    assert_reason(guard_fixture_ask(f), JTG_REASON_CONTINUITY_LOST);
    assert_status(jtg_guard_ping(f->guard, NULL), JTG_ERR_CONTINUITY);

    test_clock_advance(&f->clock, 2 * MINUTE); /* by then nothing of that clock is in doubt */
    guard_fixture_issue(f, 5 * MINUTE);
    assert_reason(ask_with_jti(f, "new"), JTG_REASON_ADMITTED);
    assert_status(jtg_guard_ping(f->guard, NULL), JTG_OK);
}

/* What had expired under the clock that was ahead was not used under it. */
static void a_wrong_year_does_not_lengthen_a_loss(void **state)
{
    enum { YEARS_MS = INT32_MAX };
    struct guard_fixture *f = *state;
    test_clock_set_wall_by(&f->clock, 100 * (int64_t)YEARS_MS);
    guard_fixture_issue(f, 5 * MINUTE);
    assert_reason(ask_with_jti(f, "of the wrong year"), JTG_REASON_ADMITTED);
    test_clock_set_wall_by(&f->clock, -100 * (int64_t)YEARS_MS);
    recording_cache_forget(f->store);
    guard_fixture_issue(f, 5 * MINUTE);
    assert_reason(guard_fixture_ask(f), JTG_REASON_CONTINUITY_LOST);
    test_clock_advance(&f->clock, 91 * SECOND);
    guard_fixture_issue(f, 5 * MINUTE);
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
}

/* ---- threads ---- */

enum { THREADS = 4, SHOWN = 1500, STEP_MS = 50 };

struct race {
    struct guard_fixture *fixture;
    atomic_uint admitted[SHOWN];
};

/* Thread 0 also moves the clocks, and sets the wall clock back and ahead. */
static void move_clocks(struct guard_fixture *f, unsigned i)
{
    test_clock_advance(&f->clock, STEP_MS);
    if (i % 40 == 20)
        test_clock_set_wall_by(&f->clock, -3 * SECOND);
    else if (i % 40 == 0)
        test_clock_set_wall_by(&f->clock, 3 * SECOND);
}

static void show_all(void *context, unsigned index)
{
    struct race *race = context;
    jtg_claims claims = race->fixture->claims;
    for (unsigned i = 0; i < 2 * SHOWN; i++) {
        /* Each token twice, the second time when much has happened since. */
        unsigned token = i < 40 || i % 2 == 0 ? i / 2 : i / 2 - 20;
        char jti[8];
        claims.jti = (jtg_text){jti, (size_t)snprintf(jti, sizeof jti, "%u", token)};
        claims.iat_ms = TEST_CLOCK_WALL_MS + (int64_t)token * 2 * STEP_MS;
        claims.exp_ms = claims.iat_ms + 2 * SECOND;
        if (index == 0)
            move_clocks(race->fixture, i);
        if (jtg_guard_admit(race->fixture->guard, &claims, NULL, NULL))
            atomic_fetch_add(&race->admitted[token], 1);
    }
}

static void threads_admit_once_while_the_clock_is_set(void **state)
{
    static struct race race;
    struct guard_fixture *f = *state;
    unsigned total = 0;
    memset(&race, 0, sizeof race);
    f->options.retention_margin_s = 1;
    f->options.leeway_s = 1;
    guard_fixture_open(f);
    race.fixture = f;
    threads_run(THREADS, show_all, &race);
    for (unsigned token = 0; token < SHOWN; token++) {
        unsigned admitted = atomic_load(&race.admitted[token]);
        assert_true(admitted <= 1);
        total += admitted;
    }
    assert_true(total > 20);
    assert_true(errors_logged(f) > 5);
    assert_int_equal(jtg_guard_counter(f->guard, JTG_REASON_ADMITTED), total);
}

int main(void)
{
#define IN_FIXTURE(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, guard_fixture_set_up_open, guard_fixture_tear_down)
#define ON_A_WATCHING_STORE(test)                                                                  \
    cmocka_unit_test_setup_teardown(test, guard_fixture_set_up_watching, guard_fixture_tear_down)
#define OPENS_ITSELF(test)                                                                         \
    cmocka_unit_test_setup_teardown(test, guard_fixture_set_up, guard_fixture_tear_down)
    const struct CMUnitTest tests[] = {
        IN_FIXTURE(without_the_rule_a_restart_admits_again),
        OPENS_ITSELF(the_rule_refuses_what_may_have_been_used_before),
        OPENS_ITSELF(without_iat_the_lifetime_counts),
        OPENS_ITSELF(no_token_survives_a_restart),
        OPENS_ITSELF(a_start_with_a_late_clock_is_dated_anew),
        IN_FIXTURE(a_forgotten_token_does_not_come_back),
        IN_FIXTURE(a_set_back_within_the_margin_is_harmless),
        IN_FIXTURE(small_steps_add_up),
        IN_FIXTURE(every_set_back_is_noticed),
        IN_FIXTURE(newer_tokens_pass_at_once),
        OPENS_ITSELF(without_iat_it_is_the_lifetime_again),
        IN_FIXTURE(a_token_used_under_a_clock_that_was_ahead),
        IN_FIXTURE(a_corrected_jump_ahead_does_not_refuse_everything),
        IN_FIXTURE(a_correction_that_falls_short_keeps_the_old_clock_in_mind),
        IN_FIXTURE(a_suspended_machine_is_no_event),
        IN_FIXTURE(a_set_back_beyond_a_step_ahead_is_one_event),
        IN_FIXTURE(times_that_move_say_less_of_earlier_records),
        IN_FIXTURE(a_pause_does_not_admit_what_has_ended),
        IN_FIXTURE(an_answer_after_the_margin_is_not_relied_on),
        OPENS_ITSELF(a_use_during_the_pause_is_not_missed),
        IN_FIXTURE(what_ends_during_the_pause_is_noticed),
        IN_FIXTURE(a_set_back_during_the_pause_revives_nothing),
        IN_FIXTURE(a_broken_clock_refuses),
        OPENS_ITSELF(a_pause_between_the_clocks_is_no_event),
        ON_A_WATCHING_STORE(a_use_under_a_clock_that_was_ahead_is_not_forgotten),
        ON_A_WATCHING_STORE(a_wrong_year_does_not_lengthen_a_loss),
        OPENS_ITSELF(threads_admit_once_while_the_clock_is_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
