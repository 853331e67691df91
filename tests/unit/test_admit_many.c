/* SPDX-License-Identifier: Apache-2.0 */
/* Many tokens at once: each is decided as a single call would have decided it, and nothing that the
 * array held before, nor what happens to another token, admits one. */
#include "support/asserts.h"
#include "support/guard_fixture.h"
#include "support/random.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FEW = 6 };

/* Calls for tokens with the jti "0", "1", …, and what they point to. */
struct few {
    jtg_admit_call calls[FEW];
    jtg_claims claims[FEW];
    jtg_decision decisions[FEW];
    jtg_error errs[FEW];
};

static const jtg_decision undecided = JTG_DECISION_INIT;
static const char jtis[] = "012345";

static void gather(const struct guard_fixture *f, struct few *few)
{
    for (unsigned i = 0; i < FEW; i++) {
        few->claims[i] = f->claims;
        few->claims[i].jti = (jtg_text){&jtis[i], 1};
        few->decisions[i] = undecided;
        few->calls[i] = (jtg_admit_call){&few->claims[i], &few->decisions[i], &few->errs[i], true};
    }
}

static void admit(const struct guard_fixture *f, struct few *few)
{
    jtg_guard_admit_many(f->guard, few->calls, FEW);
    for (unsigned i = 0; i < FEW; i++)
        if (few->calls[i].decision != NULL)
            assert_int_equal(few->calls[i].admitted,
                             few->decisions[i].reason == JTG_REASON_ADMITTED);
}

static void all_are(const struct few *few, jtg_reason expected)
{
    for (unsigned i = 0; i < FEW; i++) {
        assert_reason(few->decisions[i].reason, expected);
        assert_int_equal(few->calls[i].admitted, expected == JTG_REASON_ADMITTED);
    }
}

/* ---- each by itself ---- */

static void each_is_decided_by_itself(void **state)
{
    struct guard_fixture *f = *state;
    struct few few;
    static const jtg_reason expected[FEW] = {JTG_REASON_ADMITTED, JTG_REASON_EXPIRED,
                                             JTG_REASON_REPLAYED, JTG_REASON_MISSING_JTI,
                                             JTG_REASON_ADMITTED, JTG_REASON_BAD_ARGUMENT};
    gather(f, &few);
    few.claims[1].iat_ms -= 2 * (int64_t)FIXTURE_LIFETIME_MS;
    few.claims[1].exp_ms -= 2 * (int64_t)FIXTURE_LIFETIME_MS;
    few.claims[2].jti = few.claims[0].jti;
    few.claims[3].jti = (jtg_text)JTG_TEXT_INIT;
    few.claims[5].struct_size = 0;
    admit(f, &few);
    for (unsigned i = 0; i < FEW; i++) {
        assert_reason(few.decisions[i].reason, expected[i]);
        assert_int_equal(few.decisions[i].reservation.key_len != 0, few.calls[i].admitted);
    }
    assert_int_equal(f->store->reserves, 3); /* of the others the store is not asked */
    assert_int_equal(jtg_guard_counter(f->guard, JTG_REASON_ADMITTED), 2);
    assert_int_equal(jtg_guard_counter(f->guard, JTG_REASON_REPLAYED), 1);
    assert_int_equal(jtg_guard_counter(f->guard, JTG_REASON_BAD_ARGUMENT), 1);
    assert_status(jtg_guard_release(f->guard, &few.decisions[4].reservation, NULL), JTG_OK);
    admit(f, &few);
    assert_reason(few.decisions[0].reason, JTG_REASON_REPLAYED);
    assert_reason(few.decisions[4].reason, JTG_REASON_ADMITTED);
}

static void one_owner_is_admitted_again(void **state)
{
    struct guard_fixture *f = *state;
    struct few few;
    jtg_owner owner = {"one request"};
    jtg_owner other = {"another one"};
    gather(f, &few);
    for (unsigned i = 0; i < FEW; i++) {
        few.claims[i].jti = few.claims[0].jti;
        few.claims[i].owner = i == 3 ? &other : &owner;
    }
    admit(f, &few);
    for (unsigned i = 0; i < FEW; i++)
        assert_reason(few.decisions[i].reason, i == 3 ? JTG_REASON_REPLAYED : JTG_REASON_ADMITTED);
}

/* Those that bring none get one each, of the form that a single call makes. */
static void each_gets_an_owner_of_its_own(void **state)
{
    struct guard_fixture *f = *state;
    struct few few;
    gather(f, &few);
    admit(f, &few);
    all_are(&few, JTG_REASON_ADMITTED);
    for (unsigned i = 0; i < FEW; i++) {
        const jtg_owner *owner = &few.decisions[i].reservation.owner;
        assert_int_equal(owner->bytes[6] >> 4, 4); /* RFC 9562 section 5.4 */
        assert_int_equal(owner->bytes[8] >> 6, 2);
        for (unsigned j = 0; j < i; j++)
            assert_memory_not_equal(owner, &few.decisions[j].reservation.owner, sizeof *owner);
        assert_status(jtg_guard_release(f->guard, &few.decisions[i].reservation, NULL), JTG_OK);
    }
}

static void every_answer_of_the_store_keeps_its_meaning(void **state)
{
    struct guard_fixture *f = *state;
    struct few few;
    gather(f, &few);
    for (unsigned status = 1; status < JTG_STATUS_COUNT; status++) {
        f->store->answer = (jtg_status)status;
        admit(f, &few);
        all_are(&few, jtg_reason_from_status((jtg_status)status));
        bool ours = status == JTG_ERR_TIMEOUT || status == JTG_ERR_REPLICAS;
        assert_int_equal(few.decisions[FEW - 1].reservation.key_len != 0, ours);
        assert_err_tells(&few.errs[0], (jtg_status)status);
    }
}

static void an_unknown_outcome_can_be_settled(void **state)
{
    struct guard_fixture *f = *state;
    struct few few;
    gather(f, &few);
    f->store->answer = JTG_ERR_TIMEOUT;
    admit(f, &few);
    all_are(&few, JTG_REASON_OUTCOME_UNKNOWN);
    jtg_owner owners[FEW];
    for (unsigned i = 0; i < FEW; i++) {
        owners[i] = few.decisions[i].reservation.owner;
        few.claims[i].owner = &owners[i];
    }
    f->store->answer = JTG_OK;
    admit(f, &few);
    all_are(&few, JTG_REASON_ADMITTED);
    for (unsigned i = 0; i < FEW; i++)
        assert_memory_equal(&few.decisions[i].reservation.owner, &owners[i], sizeof owners[i]);
}

static void nothing_but_claims_is_needed(void **state)
{
    struct guard_fixture *f = *state;
    struct few few;
    gather(f, &few);
    for (unsigned i = 0; i < FEW; i++) {
        few.calls[i].decision = NULL;
        few.calls[i].err = NULL;
    }
    few.claims[2].jti = few.claims[1].jti;
    admit(f, &few);
    for (unsigned i = 0; i < FEW; i++)
        assert_int_equal(few.calls[i].admitted, i != 2);
}

/* ---- a stale yes ---- */

static void nobody_is_admitted(const jtg_admit_call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_false(calls[i].admitted);
}

static void a_yes_that_was_there_does_not_stay(void **state)
{
    struct guard_fixture *f = *state;
    struct few few;
    gather(f, &few);
    admit(f, &few);
    all_are(&few, JTG_REASON_ADMITTED);

    few.decisions[0].struct_size = 0;
    few.calls[1].claims = NULL;
    few.claims[2].kind = JTG_KIND_NONE;
    jtg_guard_admit_many(f->guard, few.calls, FEW);
    nobody_is_admitted(few.calls, FEW);
    assert_reason(few.decisions[1].reason, JTG_REASON_BAD_ARGUMENT);
    assert_reason(few.decisions[2].reason, JTG_REASON_MISSING_KIND);
    assert_reason(few.decisions[3].reason, JTG_REASON_REPLAYED);

    gather(f, &few);
    for (unsigned i = 0; i < FEW; i++)
        few.decisions[i].reason = JTG_REASON_ADMITTED;
    jtg_guard_admit_many(NULL, few.calls, FEW);
    all_are(&few, JTG_REASON_BAD_ARGUMENT);
    jtg_guard_admit_many(f->guard, NULL, FEW);
    jtg_guard_admit_many(f->guard, few.calls, 0);

    jtg_admit_call cleared[2];
    memset(cleared, 0, sizeof cleared);
    jtg_guard_admit_many(f->guard, cleared, 2);
    nobody_is_admitted(cleared, 2);
}

static jtg_admit_call crowd[JTG_MANY_MAX + 1];

static void as_many_as_may_be_are_taken_and_no_more(void **state)
{
    struct guard_fixture *f = *state;
    jtg_error err = JTG_ERROR_INIT;
    f->claims.jti = (jtg_text)JTG_TEXT_INIT; /* the store of the test is a small one */
    for (unsigned i = 0; i <= JTG_MANY_MAX; i++)
        crowd[i] = (jtg_admit_call){&f->claims, NULL, i == 7 ? &err : NULL, true};
    jtg_guard_admit_many(f->guard, crowd, JTG_MANY_MAX);
    nobody_is_admitted(crowd, JTG_MANY_MAX);
    assert_true(crowd[JTG_MANY_MAX].admitted); /* was not handed in */
    assert_int_equal(jtg_guard_counter(f->guard, JTG_REASON_MISSING_JTI), JTG_MANY_MAX);
    jtg_guard_admit_many(f->guard, crowd, JTG_MANY_MAX + 1);
    nobody_is_admitted(crowd, JTG_MANY_MAX + 1);
    assert_int_equal(jtg_guard_counter(f->guard, JTG_REASON_BAD_ARGUMENT), JTG_MANY_MAX + 1);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
}

static void a_child_is_refused_each_of_them(void **state)
{
    struct guard_fixture *f = *state;
    struct few few;
    gather(f, &few);
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        int refused = 0;
        jtg_guard_admit_many(f->guard, few.calls, FEW);
        for (unsigned i = 0; i < FEW; i++)
            refused += few.decisions[i].reason == JTG_REASON_FORKED && !few.calls[i].admitted;
        _exit(refused);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), FEW);
    admit(f, &few);
    all_are(&few, JTG_REASON_ADMITTED);
}

/* ---- time that passes while the store is asked ---- */

static void wait_a_while(struct recording_cache *store)
{
    test_clock_advance(store->clock, *(const int64_t *)store->context);
}

/* The first ends while the others are asked for. */
static void what_ends_meanwhile_is_not_admitted(void **state)
{
    struct guard_fixture *f = *state;
    struct few few;
    int64_t pause_ms = 1000;
    gather(f, &few);
    few.claims[0].exp_ms = few.claims[0].iat_ms + 1;
    few.claims[4].exp_ms = few.claims[4].iat_ms + 1;
    test_clock_advance(&f->clock, 30000 + 1 - FEW * pause_ms); /* by so much is it acceptable */
    f->store->after_look = wait_a_while;
    f->store->context = &pause_ms;
    admit(f, &few);
    for (unsigned i = 0; i < FEW; i++)
        assert_reason(few.decisions[i].reason,
                      i % 4 == 0 ? JTG_REASON_EXPIRED : JTG_REASON_ADMITTED);
    assert_int_equal(few.decisions[0].reservation.key_len, 0);
}

static void an_answer_that_comes_too_late_is_not_believed(void **state)
{
    struct guard_fixture *f = *state;
    struct few few;
    int64_t pause_ms = JTG_RETENTION_MARGIN_S_DEFAULT * 1000 / (FEW - 1);
    gather(f, &few);
    f->store->after_look = wait_a_while;
    f->store->context = &pause_ms;
    admit(f, &few);
    all_are(&few, JTG_REASON_OUTCOME_UNKNOWN);
    assert_true(few.decisions[0].reservation.key_len != 0);
}

static void set_back(struct recording_cache *store)
{
    test_clock_set_wall_by(store->clock, -*(const int64_t *)store->context);
    store->after_look = NULL;
}

/* Between the first look and the second: all of them may have been forgotten by then. */
static void a_clock_that_is_set_back_meanwhile_is_noticed(void **state)
{
    struct guard_fixture *f = *state;
    struct few few;
    int64_t back_ms = 3600000;
    gather(f, &few);
    jtg_reason alone = JTG_REASON_UNDECIDED;
    f->store->after_look = set_back;
    f->store->context = &back_ms;
    alone = guard_fixture_ask(f);
    test_clock_set_wall_by(&f->clock, back_ms);
    guard_fixture_close_guard(f);
    guard_fixture_open(f);
    f->store->after_look = set_back;
    admit(f, &few);
    all_are(&few, alone);
}

/* ---- beside single calls ---- */

enum { STEPS = 400, JTI_KINDS = 40, OWNERS = 5 };

struct sample {
    struct guard_fixture f;
    bool many;
    jtg_claims claims[STEPS];
    jtg_decision decisions[STEPS];
    jtg_owner owners[STEPS];
    char texts[STEPS][8];
    jtg_admit_call calls[STEPS];
};

static int64_t near_now(struct random_source *random, int64_t spread_ms)
{
    return TEST_CLOCK_WALL_MS + (int64_t)random_below(random, (uint64_t)(2 * spread_ms)) -
           spread_ms;
}

static void make_claims(struct sample *sample, struct random_source *random, unsigned at)
{
    static const int64_t spreads_ms[] = {20000, 100000, 90000000};
    jtg_claims *claims = &sample->claims[at];
    int64_t spread_ms = spreads_ms[random_below(random, 3)];
    *claims = sample->f.claims;
    claims->kind = (jtg_kind)(1 + random_below(random, 5));
    int len = snprintf(sample->texts[at], sizeof sample->texts[at], "%u",
                       (unsigned)random_below(random, JTI_KINDS));
    claims->jti = (jtg_text){sample->texts[at], (size_t)len};
    claims->thumbprint = TEXT("a thumbprint");
    claims->iat_ms = random_below(random, 8) == 0 ? JTG_TIME_ABSENT : near_now(random, spread_ms);
    claims->exp_ms = near_now(random, spread_ms);
    memset(&sample->owners[at], (int)random_below(random, OWNERS), sizeof sample->owners[at]);
    claims->owner = &sample->owners[at];
    sample->decisions[at] = undecided;
    sample->calls[at] = (jtg_admit_call){claims, &sample->decisions[at], NULL, true};
}

static void present(struct sample *sample, unsigned from, unsigned count)
{
    jtg_admit_call *calls = sample->calls + from;
    if (sample->many)
        jtg_guard_admit_many(sample->f.guard, calls, count);
    for (unsigned i = 0; i < count && !sample->many; i++)
        calls[i].admitted =
            jtg_guard_admit(sample->f.guard, calls[i].claims, calls[i].decision, calls[i].err);
}

static void open_sample(struct sample *sample, uint64_t seed, bool watches, bool many)
{
    struct random_source random;
    memset(sample, 0, sizeof *sample);
    guard_fixture_init(&sample->f);
    sample->f.watching = watches;
    sample->many = many;
    guard_fixture_open(&sample->f);
    random_init(&random, seed);
    for (unsigned at = 0; at < STEPS; at++)
        make_claims(sample, &random, at);
}

static void same_decision(const struct sample *one, const struct sample *other, unsigned at)
{
    const jtg_decision *left = &one->decisions[at];
    const jtg_decision *right = &other->decisions[at];
    assert_reason(right->reason, left->reason);
    assert_int_equal(one->calls[at].admitted, left->reason == JTG_REASON_ADMITTED);
    assert_int_equal(other->calls[at].admitted, one->calls[at].admitted);
    assert_int_equal(right->ttl_ms, left->ttl_ms);
    assert_memory_equal(&right->reservation, &left->reservation, sizeof left->reservation);
}

/* The same tokens shown singly and in batches of any size, on two stores that forget between. */
static void many_decide_as_single_calls_do(void **state)
{
    static struct sample single;
    static struct sample many;
    (void)state;
    for (unsigned run = 0; run < 8; run++) {
        struct random_source sizes;
        random_init(&sizes, run);
        open_sample(&single, run, run % 2 == 1, false);
        open_sample(&many, run, run % 2 == 1, true);
        for (unsigned at = 0, count = 0; at < STEPS; at += count) {
            count = 1 + (unsigned)random_below(&sizes, 60);
            count = count < STEPS - at ? count : STEPS - at;
            present(&single, at, count);
            present(&many, at, count);
            if (random_below(&sizes, 4) == 0) {
                recording_cache_forget(single.f.store);
                recording_cache_forget(many.f.store);
            }
            int64_t pause_ms = (int64_t)random_below(&sizes, 20000);
            test_clock_advance(&single.f.clock, pause_ms);
            test_clock_advance(&many.f.clock, pause_ms);
        }
        for (unsigned at = 0; at < STEPS; at++)
            same_decision(&single, &many, at);
        for (unsigned reason = 0; reason < JTG_REASON_COUNT; reason++)
            assert_int_equal(jtg_guard_counter(many.f.guard, (jtg_reason)reason),
                             jtg_guard_counter(single.f.guard, (jtg_reason)reason));
        guard_fixture_close(&single.f);
        guard_fixture_close(&many.f);
    }
}

#define OPEN(test)                                                                                 \
    cmocka_unit_test_setup_teardown(test, guard_fixture_set_up_open, guard_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN(each_is_decided_by_itself),
        OPEN(one_owner_is_admitted_again),
        OPEN(each_gets_an_owner_of_its_own),
        OPEN(every_answer_of_the_store_keeps_its_meaning),
        OPEN(an_unknown_outcome_can_be_settled),
        OPEN(nothing_but_claims_is_needed),
        OPEN(a_yes_that_was_there_does_not_stay),
        OPEN(as_many_as_may_be_are_taken_and_no_more),
        OPEN(a_child_is_refused_each_of_them),
        OPEN(what_ends_meanwhile_is_not_admitted),
        OPEN(an_answer_that_comes_too_late_is_not_believed),
        OPEN(a_clock_that_is_set_back_meanwhile_is_noticed),
        cmocka_unit_test(many_decide_as_single_calls_do),
    };
    return cmocka_run_group_tests_name("admit_many", tests, NULL, NULL);
}
