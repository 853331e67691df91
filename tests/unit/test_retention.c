/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/retention.h"
#include "support/asserts.h"
#include "support/guard_fixture.h"
#include "support/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Ask for a token with these times; each time as if it had never been seen. */
static jtg_reason ask(struct guard_fixture *f, int64_t iat_ms, int64_t nbf_ms, int64_t exp_ms)
{
    recording_cache_forget(f->store);
    f->claims.iat_ms = iat_ms;
    f->claims.nbf_ms = nbf_ms;
    f->claims.exp_ms = exp_ms;
    return guard_fixture_ask(f);
}

static const int64_t now = TEST_CLOCK_WALL_MS;
static const int64_t absent = JTG_TIME_ABSENT;

static void exp_is_judged_to_the_millisecond(void **state)
{
    struct guard_fixture *f = *state;
    assert_reason(ask(f, absent, absent, now - 29999), JTG_REASON_ADMITTED);
    assert_int_equal(f->decision.ttl_ms, 60001);
    assert_int_equal(f->store->last_ttl_ms, 60001);
    assert_reason(ask(f, absent, absent, now - 30000), JTG_REASON_EXPIRED);
    assert_int_equal(f->decision.ttl_ms, 0);
    assert_reason(ask(f, absent, absent, now + 86400000), JTG_REASON_ADMITTED);
    assert_int_equal(f->decision.ttl_ms, 86400000 + 90000);
    assert_reason(ask(f, absent, absent, now + 86400001), JTG_REASON_LIFETIME_TOO_LONG);
}

static void iat_and_nbf_are_judged_to_the_millisecond(void **state)
{
    struct guard_fixture *f = *state;
    int64_t exp = now + 100000;
    assert_reason(ask(f, now + 30000, absent, exp), JTG_REASON_ADMITTED);
    assert_reason(ask(f, now + 30001, absent, exp), JTG_REASON_ISSUED_IN_FUTURE);
    assert_reason(ask(f, absent, now + 30000, exp), JTG_REASON_ADMITTED);
    assert_reason(ask(f, absent, now + 30001, exp), JTG_REASON_NOT_YET_VALID);
    assert_reason(ask(f, exp - 86400000, absent, exp), JTG_REASON_ADMITTED);
    assert_reason(ask(f, exp - 86400001, absent, exp), JTG_REASON_LIFETIME_TOO_LONG);
}

static void exp_lies_after_iat_and_nbf(void **state)
{
    struct guard_fixture *f = *state;
    assert_reason(ask(f, now, now, now + 1), JTG_REASON_ADMITTED);
    assert_reason(ask(f, now, absent, now), JTG_REASON_EXPIRES_BEFORE_ISSUED);
    assert_reason(ask(f, absent, now, now), JTG_REASON_EXPIRES_BEFORE_ISSUED);
    assert_reason(ask(f, now, now + 2, now + 1), JTG_REASON_EXPIRES_BEFORE_ISSUED);
}

static void leeways_of_zero_leave_nothing(void **state)
{
    struct guard_fixture *f = *state;
    f->options.leeway_s = 0;
    f->options.future_leeway_s = 0;
    f->options.retention_margin_s = 1;
    guard_fixture_open(f);
    assert_reason(ask(f, absent, absent, now), JTG_REASON_EXPIRED);
    assert_reason(ask(f, absent, absent, now + 1), JTG_REASON_ADMITTED);
    assert_int_equal(f->decision.ttl_ms, 1001);
    assert_reason(ask(f, now, now, now + 1), JTG_REASON_ADMITTED);
    assert_reason(ask(f, now + 1, absent, now + 9), JTG_REASON_ISSUED_IN_FUTURE);
    assert_reason(ask(f, absent, now + 1, now + 9), JTG_REASON_NOT_YET_VALID);
}

static void a_proof_lives_for_its_age(void **state)
{
    struct guard_fixture *f = *state;
    f->claims.kind = JTG_KIND_DPOP_PROOF;
    f->claims.thumbprint = TEXT("t");
    assert_reason(ask(f, now, absent, absent), JTG_REASON_ADMITTED);
    assert_int_equal(f->decision.ttl_ms, 390000);
    assert_reason(ask(f, now - 329999, absent, absent), JTG_REASON_ADMITTED);
    assert_int_equal(f->decision.ttl_ms, 60001);
    assert_reason(ask(f, now - 330000, absent, absent), JTG_REASON_EXPIRED);
    assert_reason(ask(f, now + 30000, absent, absent), JTG_REASON_ADMITTED);
    assert_reason(ask(f, now + 30001, absent, absent), JTG_REASON_ISSUED_IN_FUTURE);

    assert_reason(ask(f, now, absent, now + 1000), JTG_REASON_ADMITTED); /* the earlier end */
    assert_int_equal(f->decision.ttl_ms, 91000);
    assert_reason(ask(f, now, absent, now + INT64_C(99999999999)), JTG_REASON_ADMITTED);
    assert_int_equal(f->decision.ttl_ms, 390000);
    assert_reason(ask(f, now, absent, now), JTG_REASON_EXPIRES_BEFORE_ISSUED);
}

static void unreasonable_times_are_refused_without_arithmetic(void **state)
{
    static const int64_t times[] = {INT64_MIN + 1, -1, JTG_TIME_MAX_MS + 1, INT64_MAX};
    struct guard_fixture *f = *state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        assert_reason(ask(f, absent, absent, times[i]), JTG_REASON_UNREASONABLE_TIME);
        assert_reason(ask(f, times[i], absent, now + 1), JTG_REASON_UNREASONABLE_TIME);
        assert_reason(ask(f, absent, times[i], now + 1), JTG_REASON_UNREASONABLE_TIME);
    }
    assert_reason(ask(f, absent, absent, 0), JTG_REASON_EXPIRED);
    assert_reason(ask(f, 0, 0, now + 1), JTG_REASON_LIFETIME_TOO_LONG);
    assert_reason(ask(f, absent, absent, JTG_TIME_MAX_MS), JTG_REASON_LIFETIME_TOO_LONG);
    assert_int_equal(f->store->reserves, 0);
}

static void the_longest_retention_is_within_the_stores_limit(void **state)
{
    struct guard_fixture *f = *state;
    f->options.max_lifetime_s = JTG_MAX_LIFETIME_S_LIMIT;
    f->options.leeway_s = JTG_LEEWAY_S_LIMIT;
    f->options.retention_margin_s = JTG_RETENTION_MARGIN_S_LIMIT;
    guard_fixture_open(f);
    assert_reason(ask(f, now, absent, now + INT64_C(2678400000)), JTG_REASON_ADMITTED);
    assert_int_equal(f->decision.ttl_ms, UINT64_C(2678400000) + 300000 + 3600000);
    assert_true(f->decision.ttl_ms < JTG_TTL_MAX_MS);
}

/* At the end of the year 9999 the sums still have room. */
static void the_last_moment_of_time_works(void **state)
{
    struct guard_fixture *f = *state;
    atomic_store(&f->clock.wall_ms, JTG_TIME_MAX_MS);
    guard_fixture_open(f);
    assert_reason(ask(f, JTG_TIME_MAX_MS - 1, absent, JTG_TIME_MAX_MS), JTG_REASON_ADMITTED);
    assert_int_equal(f->decision.ttl_ms, 90000);
}

/* ---- what the store must have kept ---- */

enum { FUTURE_LEEWAY_MS = 30000, MARGIN_MS = 60000, DAY_MS = 86400000 };

/* Ask a store that has kept everything since then, and knows of no use. */
static jtg_reason ask_kept(struct guard_fixture *f, int64_t kept_since_ms)
{
    recording_cache_forget(f->store);
    f->store->kept_since_ms = kept_since_ms;
    return guard_fixture_ask(f);
}

/* At the last moment that will do, and a millisecond later. */
static void assert_needs_kept_since(struct guard_fixture *f, int64_t needed_ms)
{
    assert_reason(ask_kept(f, needed_ms), JTG_REASON_ADMITTED);
    assert_int_equal(f->store->last_kept_since_ms, needed_ms);
    assert_reason(ask_kept(f, needed_ms + 1), JTG_REASON_CONTINUITY_LOST);
    assert_int_equal(f->decision.reservation.key_len, 0);
    assert_reason(ask_kept(f, INT64_MIN), JTG_REASON_ADMITTED);
    assert_reason(ask_kept(f, INT64_MAX), JTG_REASON_CONTINUITY_LOST);
}

static void iat_says_how_early_it_can_have_been_used(void **state)
{
    struct guard_fixture *f = *state;
    assert_needs_kept_since(f, now - FUTURE_LEEWAY_MS - MARGIN_MS);
    f->claims.iat_ms = now + FUTURE_LEEWAY_MS; /* ahead, and still accepted */
    assert_needs_kept_since(f, now - MARGIN_MS);
    f->claims.nbf_ms = now + 10000; /* counts for nothing */
    assert_needs_kept_since(f, now - MARGIN_MS);
}

/* A loss: the tokens that are refused after it are those that may have been used before it. */
static void a_loss_refuses_what_may_have_been_used_before_it(void **state)
{
    struct guard_fixture *f = *state;
    recording_cache_forget(f->store);
    test_clock_advance(&f->clock, FUTURE_LEEWAY_MS + MARGIN_MS);
    f->claims.iat_ms = now + FUTURE_LEEWAY_MS + MARGIN_MS;
    assert_reason(guard_fixture_ask(f), JTG_REASON_CONTINUITY_LOST);
    f->claims.iat_ms++;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    assert_reason(guard_fixture_ask(f), JTG_REASON_REPLAYED);
    f->claims.iat_ms--;
    assert_reason(guard_fixture_ask(f), JTG_REASON_CONTINUITY_LOST);
    assert_int_equal(jtg_guard_counter(f->guard, JTG_REASON_CONTINUITY_LOST), 2);
}

static void without_iat_the_lifetime_says_it(void **state)
{
    struct guard_fixture *f = *state;
    f->claims.iat_ms = absent;
    assert_needs_kept_since(f, now + FIXTURE_LIFETIME_MS - DAY_MS - MARGIN_MS);
    f->claims.exp_ms = now - 29999; /* of the last moment */
    assert_needs_kept_since(f, now - 29999 - DAY_MS - MARGIN_MS);
    f->claims.exp_ms = now + DAY_MS; /* as late as can be */
    assert_needs_kept_since(f, now - MARGIN_MS);
}

static void of_a_proof_it_is_iat_too(void **state)
{
    struct guard_fixture *f = *state;
    f->claims.kind = JTG_KIND_DPOP_PROOF;
    f->claims.thumbprint = TEXT("t");
    f->claims.iat_ms = now - 299000;
    f->claims.exp_ms = absent;
    assert_needs_kept_since(f, now - 299000 - FUTURE_LEEWAY_MS - MARGIN_MS);
    f->claims.exp_ms = now + 1000;
    assert_needs_kept_since(f, now - 299000 - FUTURE_LEEWAY_MS - MARGIN_MS);
}

/* By another's clock it may have been accepted before its iat: its nbf says since when. How long it
 * is kept is iat's to say. */
static void of_a_proof_an_earlier_nbf_counts(void **state)
{
    struct guard_fixture *f = *state;
    f->claims.kind = JTG_KIND_DPOP_PROOF;
    f->claims.thumbprint = TEXT("t");
    f->claims.iat_ms = now + FUTURE_LEEWAY_MS;
    f->claims.nbf_ms = now - 299000;
    f->claims.exp_ms = absent;
    assert_needs_kept_since(f, now - 299000 - FUTURE_LEEWAY_MS - MARGIN_MS);
    assert_int_equal(f->store->last_ttl_ms, FUTURE_LEEWAY_MS + 390000);
    f->claims.nbf_ms = now + FUTURE_LEEWAY_MS;
    f->claims.iat_ms = now;
    assert_needs_kept_since(f, now - FUTURE_LEEWAY_MS - MARGIN_MS);
}

static void what_must_be_kept_follows_the_options(void **state)
{
    struct guard_fixture *f = *state;
    f->watching = true;
    f->options.future_leeway_s = 0;
    f->options.retention_margin_s = 1;
    f->options.max_lifetime_s = 600;
    guard_fixture_open(f);
    assert_needs_kept_since(f, now - 1000);
    f->claims.iat_ms = absent;
    assert_needs_kept_since(f, now + FIXTURE_LIFETIME_MS - 600000 - 1000);
}

/* ---- a lifetime that is stated ---- */

static void with_exp_a_stated_lifetime_says_how_early_it_was_made(void **state)
{
    struct guard_fixture *f = *state;
    f->claims.iat_ms = absent;
    f->claims.lifetime_ms = 400000;
    assert_needs_kept_since(f, now + FIXTURE_LIFETIME_MS - 400000 - FUTURE_LEEWAY_MS - MARGIN_MS);
    assert_int_equal(f->store->last_ttl_ms, FIXTURE_LIFETIME_MS + 90000);
    f->claims.exp_ms = now + 400000 + FUTURE_LEEWAY_MS; /* made ahead by a clock that is ahead */
    assert_needs_kept_since(f, now - MARGIN_MS);
    f->claims.exp_ms++;
    assert_reason(guard_fixture_ask(f), JTG_REASON_LIFETIME_TOO_LONG);
}

static void with_iat_a_stated_lifetime_says_when_it_ends(void **state)
{
    struct guard_fixture *f = *state;
    f->claims.iat_ms = now - 1000;
    f->claims.exp_ms = absent;
    f->claims.lifetime_ms = 400000;
    assert_needs_kept_since(f, now - 1000 - FUTURE_LEEWAY_MS - MARGIN_MS);
    assert_int_equal(f->store->last_ttl_ms, 399000 + 90000);
    f->claims.iat_ms = now - 430000;
    assert_reason(guard_fixture_ask(f), JTG_REASON_EXPIRED);
    f->claims.exp_ms = f->claims.iat_ms + 400000; /* the same, said by itself */
    assert_reason(guard_fixture_ask(f), JTG_REASON_EXPIRED);
    f->claims.iat_ms = now;
    f->claims.exp_ms = now + 400001;
    assert_reason(guard_fixture_ask(f), JTG_REASON_LIFETIME_TOO_LONG);
}

static void alone_a_stated_lifetime_reaches_both_ways(void **state)
{
    struct guard_fixture *f = *state;
    f->claims.iat_ms = absent;
    f->claims.exp_ms = absent;
    assert_reason(guard_fixture_ask(f), JTG_REASON_MISSING_EXP);
    f->claims.lifetime_ms = 400000;
    assert_needs_kept_since(f, now - 400000 - FUTURE_LEEWAY_MS - MARGIN_MS);
    assert_int_equal(f->store->last_ttl_ms, 400000 + 90000);
    f->claims.kind = JTG_KIND_LOGOUT_TOKEN; /* whose iat is needed */
    assert_reason(guard_fixture_ask(f), JTG_REASON_MISSING_IAT);
}

/* The entry has ended when the clock is set back to where the verifier accepts the token again. */
static void alone_a_stated_lifetime_bears_a_clock_set_back(void **state)
{
    enum { KEPT_MS = 100000 + 90000 };
    struct guard_fixture *f = *state;
    f->claims.iat_ms = absent;
    f->claims.exp_ms = absent;
    f->claims.lifetime_ms = 100000;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    test_clock_advance(&f->clock, KEPT_MS);
    test_clock_set_wall_by(&f->clock, -KEPT_MS);
    assert_reason(guard_fixture_ask(f), JTG_REASON_CLOCK_SET_BACK);
    /* As far as it was, and a lifetime more. */
    test_clock_advance(&f->clock, KEPT_MS + 100000 + FUTURE_LEEWAY_MS);
    assert_reason(guard_fixture_ask(f), JTG_REASON_CLOCK_SET_BACK);
    test_clock_advance(&f->clock, 1);
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
}

static void a_stated_lifetime_is_bounded_as_any(void **state)
{
    struct guard_fixture *f = *state;
    f->claims.iat_ms = absent;
    f->claims.exp_ms = absent;
    f->claims.lifetime_ms = DAY_MS;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    static const int64_t too_long[] = {DAY_MS + 1, INT64_MAX};
    for (size_t i = 0; i < sizeof too_long / sizeof *too_long; i++) {
        f->claims.lifetime_ms = too_long[i];
        assert_reason(guard_fixture_ask(f), JTG_REASON_LIFETIME_TOO_LONG);
    }
    f->claims.lifetime_ms = -1;
    assert_reason(guard_fixture_ask(f), JTG_REASON_UNREASONABLE_TIME);
    f->claims.lifetime_ms = INT64_MIN;
    assert_reason(guard_fixture_ask(f), JTG_REASON_UNREASONABLE_TIME);
}

/* It has no exp as a rule, and lives for as long as any token, also one that is made a little
 * ahead. */
static void a_security_event_lives_from_its_iat(void **state)
{
    struct guard_fixture *f = *state;
    int64_t life_ms = DAY_MS - FUTURE_LEEWAY_MS;
    f->claims.kind = JTG_KIND_SECURITY_EVENT;
    f->claims.exp_ms = absent;
    f->claims.iat_ms = now + FUTURE_LEEWAY_MS;
    assert_needs_kept_since(f, now - MARGIN_MS);
    assert_int_equal(f->store->last_ttl_ms, DAY_MS + 90000);
    f->claims.iat_ms = now - life_ms - 29999;
    assert_needs_kept_since(f, f->claims.iat_ms - FUTURE_LEEWAY_MS - MARGIN_MS);
    f->claims.iat_ms--;
    assert_reason(guard_fixture_ask(f), JTG_REASON_EXPIRED);
    f->claims.iat_ms = now;
    f->claims.lifetime_ms = 1000;
    assert_reason(ask_kept(f, INT64_MIN), JTG_REASON_ADMITTED);
    assert_int_equal(f->decision.ttl_ms, 91000);
    f->claims.lifetime_ms = 0;
    f->claims.exp_ms = now + 2000;
    assert_reason(ask_kept(f, INT64_MIN), JTG_REASON_ADMITTED);
    assert_int_equal(f->decision.ttl_ms, 92000);
}

/* Its age is the guard's own limit, and the same for every caller. */
static void a_proof_takes_no_stated_lifetime(void **state)
{
    struct guard_fixture *f = *state;
    f->claims.kind = JTG_KIND_DPOP_PROOF;
    f->claims.thumbprint = TEXT("t");
    f->claims.exp_ms = absent;
    f->claims.lifetime_ms = 1000;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    assert_int_equal(f->decision.ttl_ms, 390000);
    f->claims.iat_ms = absent;
    assert_reason(guard_fixture_ask(f), JTG_REASON_MISSING_IAT);
}

/* No time of a token can make it overflow. */
static void the_first_and_the_last_moment_of_time(void **state)
{
    static const int64_t walls[] = {0, JTG_TIME_MAX_MS - 1000};
    struct guard_fixture *f = *state;
    f->options.max_lifetime_s = JTG_MAX_LIFETIME_S_LIMIT;
    f->options.retention_margin_s = JTG_RETENTION_MARGIN_S_LIMIT;
    f->options.future_leeway_s = JTG_FUTURE_LEEWAY_S_LIMIT;
    f->watching = true;
    for (size_t i = 0; i < sizeof walls / sizeof walls[0]; i++) {
        atomic_store(&f->clock.wall_ms, walls[i]);
        guard_fixture_open(f);
        f->claims.iat_ms = walls[i];
        f->claims.exp_ms = walls[i] + 1000;
        assert_needs_kept_since(f, walls[i] - 300000 - 3600000);
        f->claims.iat_ms = absent;
        assert_needs_kept_since(f, walls[i] + 1000 - INT64_C(2678400000) - 3600000);
        f->claims.exp_ms = absent;
        f->claims.lifetime_ms = INT64_C(2678400000);
        assert_needs_kept_since(f, walls[i] - INT64_C(2678400000) - 300000 - 3600000);
        f->claims.lifetime_ms = 0;
        guard_fixture_close(f);
    }
    guard_fixture_open(f);
}

/* An operator vouches: what was refused passes. */
static void a_vouched_store_is_believed(void **state)
{
    struct guard_fixture *f = *state;
    recording_cache_forget(f->store);
    assert_reason(guard_fixture_ask(f), JTG_REASON_CONTINUITY_LOST);
    f->store->kept_since_ms = 0;
    assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
    assert_reason(guard_fixture_ask(f), JTG_REASON_REPLAYED);
}

/* ---- whatever is accepted is remembered: random options, tokens and clocks ---- */

enum { TOKENS = 6, JTI_BYTES = 16 };

struct token {
    jtg_claims claims;
    char jti[JTI_BYTES];
    int64_t from_ms; /* without iat and exp its verifier alone knows: the wall clock of its first */
    int64_t to_ms;   /* moment, and of the first one behind its last */
    bool was_admitted;
};

struct simulation {
    struct guard_fixture fixture;
    struct random_source random;
    struct token tokens[TOKENS];
    bool clocks_jump;
    bool lifetimes_stated;  /* for tokens that lack iat, exp or both */
    int64_t understated_ms; /* by so much */
    bool store_forgets;     /* all of it, at random moments */
    int64_t dated_early_ms; /* by a clock that is behind by up to the margin and this much more */
    int64_t forgets_early_ms;
    unsigned long admitted;
    unsigned long admitted_twice;
    unsigned long shown_again_in_time; /* acceptable when shown again: only memory refuses it */
    unsigned long refused_for_clock;   /* of those, the ones that the store had forgotten */
    unsigned long refused_for_loss;    /* likewise */
};

static int64_t below(struct simulation *s, int64_t bound)
{
    return (int64_t)random_below(&s->random, (uint64_t)bound);
}

static void draw_options(struct simulation *s)
{
    jtg_guard_options *options = &s->fixture.options;
    options->leeway_s = (uint32_t)below(s, 4) * 30;
    options->future_leeway_s = (uint32_t)below(s, 4) * 30;
    options->retention_margin_s = 1 + (uint32_t)below(s, 2) * (uint32_t)below(s, 120);
    options->max_lifetime_s = 60 + (uint32_t)below(s, 3600);
    options->proof_max_age_s = 30 + (uint32_t)below(s, 600);
}

/* Of a token that was drawn, take out what a lifetime stands for. */
static void state_lifetime(struct simulation *s, struct token *token)
{
    int64_t longest_ms = (int64_t)s->fixture.options.max_lifetime_s * 1000;
    int64_t life_ms = token->to_ms - token->from_ms;
    int64_t more_ms = life_ms + below(s, 2) * below(s, 600000);
    token->claims.lifetime_ms = more_ms < longest_ms ? more_ms : longest_ms;
    token->claims.iat_ms = absent;
    switch (below(s, 3)) {
    case 0:
        return;
    case 1: /* of a token with iat, for whoever accepts it this is the end */
        token->claims.iat_ms = token->from_ms;
        break;
    default:
        break;
    }
    token->claims.exp_ms = absent;
    token->claims.lifetime_ms -= s->understated_ms;
    if (token->claims.lifetime_ms < 1)
        token->claims.lifetime_ms = 1;
}

static void draw_token(struct simulation *s, struct token *token)
{
    int64_t wall = atomic_load(&s->fixture.clock.wall_ms);
    int64_t life = 1 + below(s, (int64_t)s->fixture.options.max_lifetime_s * 1000);
    jtg_claims_init(&token->claims);
    token->was_admitted = false;
    (void)snprintf(token->jti, sizeof token->jti, "%08" PRIx64,
                   random_next(&s->random) & UINT64_C(0xffffffff));
    token->claims.jti = (jtg_text){token->jti, strlen(token->jti)};
    token->claims.issuer = TEXT(FIXTURE_ISSUER);
    token->claims.audience = TEXT(FIXTURE_AUDIENCE);
    token->claims.thumbprint = TEXT("t");
    token->claims.kind = below(s, 4) == 0 ? JTG_KIND_DPOP_PROOF : JTG_KIND_ID_TOKEN;
    token->claims.iat_ms = wall - below(s, 60000) + below(s, 60000);
    token->claims.exp_ms = token->claims.iat_ms + life;
    if (token->claims.kind == JTG_KIND_DPOP_PROOF)
        token->claims.exp_ms = absent;
    else if (below(s, 4) == 0)
        token->claims.iat_ms = absent;
    token->from_ms = token->claims.iat_ms;
    token->to_ms = token->claims.exp_ms;
    if (s->lifetimes_stated && token->from_ms != absent && token->to_ms != absent)
        state_lifetime(s, token);
}

static int64_t draw_jump(struct simulation *s)
{
    static const int64_t widths[] = {900, 30000, 200000, 4000000, INT64_C(200000000)};
    int64_t width = widths[below(s, sizeof widths / sizeof widths[0])];
    return below(s, 2 * width + 1) - width;
}

static void pass_time(struct simulation *s)
{
    test_clock_advance(&s->fixture.clock, below(s, below(s, 3) == 0 ? 400000 : 20000));
    if (s->clocks_jump && below(s, 3) == 0)
        test_clock_set_wall_by(&s->fixture.clock, draw_jump(s));
}

static struct simulation *running;

/* The clocks go on, and are set, while the store is asked. */
static void dawdle(struct recording_cache *cache)
{
    (void)cache;
    if (below(running, 8) == 0)
        pass_time(running);
}

/* Would the times alone let it pass now? From the header's words, not from the code. */
static bool is_acceptable(const struct simulation *s, const jtg_claims *claims)
{
    const jtg_guard_options *o = &s->fixture.options;
    int64_t wall = atomic_load(&s->fixture.clock.wall_ms);
    int64_t age_ms = claims->kind == JTG_KIND_DPOP_PROOF ? (int64_t)o->proof_max_age_s * 1000
                                                         : claims->lifetime_ms;
    int64_t begin = claims->iat_ms != absent ? claims->iat_ms : wall;
    int64_t end = claims->exp_ms != absent ? claims->exp_ms : begin + age_ms;
    bool short_enough =
        claims->exp_ms == absent || claims->exp_ms - wall <= (int64_t)o->max_lifetime_s * 1000;
    return wall < end + (int64_t)o->leeway_s * 1000 && short_enough &&
           (claims->iat_ms == absent ||
            claims->iat_ms <= wall + (int64_t)o->future_leeway_s * 1000);
}

static bool is_remembered(const struct simulation *s, const jtg_claims *claims)
{
    unsigned char key[JTG_KEY_MAX_BYTES];
    size_t key_len = 0;
    assert_reason(jtg_guard_key(s->fixture.guard, claims, key, &key_len), JTG_REASON_ADMITTED);
    return recording_cache_holds(s->fixture.store, key, key_len);
}

/* Without iat and exp the guard does not know when; its verifier does, and asks in time only. */
static bool is_asked_about(const struct simulation *s, const struct token *token)
{
    int64_t wall = atomic_load(&s->fixture.clock.wall_ms);
    return token->claims.iat_ms != absent || token->claims.exp_ms != absent ||
           (wall >= token->from_ms && wall < token->to_ms);
}

static void show(struct simulation *s, struct token *token)
{
    if (!is_asked_about(s, token))
        return;
    bool again_in_time = token->was_admitted && is_acceptable(s, &token->claims);
    bool forgotten = again_in_time && !is_remembered(s, &token->claims);
    s->shown_again_in_time += again_in_time;
    s->fixture.claims = token->claims;
    jtg_reason reason = guard_fixture_ask(&s->fixture);
    s->refused_for_clock += forgotten && reason == JTG_REASON_CLOCK_SET_BACK;
    s->refused_for_loss += forgotten && reason == JTG_REASON_CONTINUITY_LOST;
    if (reason != JTG_REASON_ADMITTED)
        return;
    s->admitted++;
    s->admitted_twice += token->was_admitted;
    token->was_admitted = true;
}

/* The marker is dated by another instance, whose clock differs. */
static void lose_at_times(struct simulation *s)
{
    int64_t margin_ms = (int64_t)s->fixture.options.retention_margin_s * 1000;
    if (!s->store_forgets || below(s, 12) != 0)
        return;
    recording_cache_forget(s->fixture.store);
    s->fixture.store->kept_since_ms +=
        below(s, 2 * margin_ms + 1) - margin_ms - below(s, s->dated_early_ms + 1);
}

static void run_round(struct simulation *s)
{
    guard_fixture_init(&s->fixture);
    s->fixture.watching = s->store_forgets;
    draw_options(s);
    guard_fixture_open(&s->fixture);
    s->fixture.store->forgets_early_ms =
        s->forgets_early_ms == 0
            ? 0
            : s->forgets_early_ms + (int64_t)s->fixture.options.retention_margin_s * 1000;
    s->fixture.store->before_look = s->clocks_jump ? dawdle : NULL;
    s->fixture.store->after_look = s->clocks_jump ? dawdle : NULL;
    for (size_t i = 0; i < TOKENS; i++)
        draw_token(s, &s->tokens[i]);
    for (unsigned step = 0; step < 80; step++) {
        struct token *token = &s->tokens[below(s, TOKENS)];
        if (below(s, 24) == 0)
            draw_token(s, token);
        pass_time(s);
        lose_at_times(s);
        show(s, token);
    }
    guard_fixture_close(&s->fixture);
}

static void run_simulation(struct simulation *s, unsigned rounds)
{
    uint64_t seed = random_seed();
    print_message("JTIGUARD_TEST_SEED=%" PRIu64 "\n", seed);
    random_init(&s->random, seed);
    running = s;
    for (unsigned round = 0; round < rounds; round++)
        run_round(s);
    print_message(
        "admitted %lu, shown again in time %lu, refused for the clock %lu, for a loss %lu\n",
        s->admitted, s->shown_again_in_time, s->refused_for_clock, s->refused_for_loss);
}

static void nothing_is_admitted_twice(void **state)
{
    static struct simulation s;
    (void)state;
    run_simulation(&s, 3000);
    assert_int_equal(s.admitted_twice, 0);
    assert_true(s.admitted > 5000);
    assert_true(s.shown_again_in_time > 5000);
}

static void nothing_is_admitted_twice_whatever_the_clock_does(void **state)
{
    static struct simulation s;
    (void)state;
    s.clocks_jump = true;
    run_simulation(&s, 3000);
    assert_int_equal(s.admitted_twice, 0);
    assert_true(s.admitted > 3000);
    assert_true(s.shown_again_in_time > 2000);
    assert_true(s.refused_for_clock > 100);
}

static void nothing_is_admitted_twice_whatever_the_store_forgets(void **state)
{
    static struct simulation s;
    (void)state;
    s.store_forgets = true;
    run_simulation(&s, 3000);
    assert_int_equal(s.admitted_twice, 0);
    assert_true(s.admitted > 3000);
    assert_true(s.refused_for_loss > 500);
}

static void nothing_is_admitted_twice_by_a_stated_lifetime(void **state)
{
    enum { NOTHING_HAPPENS, CLOCKS_JUMP, STORE_FORGETS, WORLDS };
    (void)state;
    for (int world = NOTHING_HAPPENS; world < WORLDS; world++) {
        struct simulation *s = test_calloc(1, sizeof *s);
        s->lifetimes_stated = true;
        s->clocks_jump = world == CLOCKS_JUMP;
        s->store_forgets = world == STORE_FORGETS;
        run_simulation(s, 3000);
        assert_int_equal(s->admitted_twice, 0);
        assert_true(s->admitted > 2000);
        assert_true(s->clocks_jump ? s->refused_for_clock > 20 : s->shown_again_in_time > 2000);
        assert_true(!s->store_forgets || s->refused_for_loss > 100);
        test_free(s);
    }
}

/* The caller's word is what it rests on. */
static void an_understated_lifetime_would_be_noticed(void **state)
{
    static struct simulation s;
    (void)state;
    s.lifetimes_stated = true;
    s.store_forgets = true;
    s.understated_ms = 600000;
    run_simulation(&s, 3000);
    assert_true(s.admitted_twice > 10);
}

/* And it notices clocks that differ by more than the margin. */
static void clocks_apart_by_more_than_the_margin_would_be_noticed(void **state)
{
    static struct simulation s;
    (void)state;
    s.store_forgets = true;
    s.dated_early_ms = 300000;
    run_simulation(&s, 3000);
    assert_true(s.admitted_twice > 10);
}

/* The same simulation notices a store that keeps a token for less than it is accepted. */
static void the_simulation_would_notice(void **state)
{
    static struct simulation s;
    (void)state;
    s.forgets_early_ms = 5000;
    run_simulation(&s, 3000);
    assert_true(s.admitted_twice > 10);
}

/* And to the millisecond: at the last moment of acceptance a store that forgets one millisecond
 * more than the margin too early is caught, and one that forgets the margin is not. */
static void the_margin_is_what_a_store_may_lose(void **state)
{
    struct guard_fixture *f = *state;
    for (int64_t beyond = 0; beyond <= 1; beyond++) {
        recording_cache_forget(f->store);
        f->store->forgets_early_ms = 60000 + beyond;
        guard_fixture_issue(f, FIXTURE_LIFETIME_MS);
        assert_reason(guard_fixture_ask(f), JTG_REASON_ADMITTED);
        test_clock_advance(&f->clock, FIXTURE_LIFETIME_MS + 30000 - 1);
        assert_reason(guard_fixture_ask(f), beyond ? JTG_REASON_ADMITTED : JTG_REASON_REPLAYED);
        test_clock_advance(&f->clock, 1);
        assert_reason(guard_fixture_ask(f), JTG_REASON_EXPIRED);
    }
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
        IN_FIXTURE(exp_is_judged_to_the_millisecond),
        IN_FIXTURE(iat_and_nbf_are_judged_to_the_millisecond),
        IN_FIXTURE(exp_lies_after_iat_and_nbf),
        OPENS_ITSELF(leeways_of_zero_leave_nothing),
        IN_FIXTURE(a_proof_lives_for_its_age),
        IN_FIXTURE(unreasonable_times_are_refused_without_arithmetic),
        OPENS_ITSELF(the_longest_retention_is_within_the_stores_limit),
        OPENS_ITSELF(the_last_moment_of_time_works),
        ON_A_WATCHING_STORE(iat_says_how_early_it_can_have_been_used),
        ON_A_WATCHING_STORE(a_loss_refuses_what_may_have_been_used_before_it),
        ON_A_WATCHING_STORE(without_iat_the_lifetime_says_it),
        ON_A_WATCHING_STORE(of_a_proof_it_is_iat_too),
        ON_A_WATCHING_STORE(of_a_proof_an_earlier_nbf_counts),
        OPENS_ITSELF(what_must_be_kept_follows_the_options),
        ON_A_WATCHING_STORE(with_exp_a_stated_lifetime_says_how_early_it_was_made),
        ON_A_WATCHING_STORE(with_iat_a_stated_lifetime_says_when_it_ends),
        ON_A_WATCHING_STORE(alone_a_stated_lifetime_reaches_both_ways),
        IN_FIXTURE(alone_a_stated_lifetime_bears_a_clock_set_back),
        IN_FIXTURE(a_stated_lifetime_is_bounded_as_any),
        ON_A_WATCHING_STORE(a_security_event_lives_from_its_iat),
        IN_FIXTURE(a_proof_takes_no_stated_lifetime),
        OPENS_ITSELF(the_first_and_the_last_moment_of_time),
        ON_A_WATCHING_STORE(a_vouched_store_is_believed),
        cmocka_unit_test(nothing_is_admitted_twice),
        cmocka_unit_test(nothing_is_admitted_twice_whatever_the_store_forgets),
        cmocka_unit_test(nothing_is_admitted_twice_by_a_stated_lifetime),
        cmocka_unit_test(an_understated_lifetime_would_be_noticed),
        cmocka_unit_test(clocks_apart_by_more_than_the_margin_would_be_noticed),
        cmocka_unit_test(nothing_is_admitted_twice_whatever_the_clock_does),
        cmocka_unit_test(the_simulation_would_notice),
        IN_FIXTURE(the_margin_is_what_a_store_may_lose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
