/* SPDX-License-Identifier: Apache-2.0 */
/* One use of each challenge, by whoever comes first; and nothing that is not the right one uses it
 * up. */
#include <jtiguard/challenges.h>

#include "support/asserts.h"
#include "support/fake_backend.h"
#include "support/test_clock.h"
#include "support/threads.h"

#include <jtiguard/memory.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIFETIME_MS = 40000, MARGIN_MS = 500 };

static struct test_clock time_of_test;
static jtg_clock test_time;
static struct fake_store *store;
static jtg_cache *cache;
static jtg_challenges_options options;
static jtg_challenges *one;
static jtg_challenges *two;
static jtg_error err;

static jtg_challenges *make(void)
{
    jtg_challenges *made = NULL;
    assert_status(jtg_challenges_new(&made, cache, &options, &err), JTG_OK);
    return made;
}

static int set_up(void **state)
{
    static const jtg_challenges_options defaults = JTG_CHALLENGES_OPTIONS_INIT;
    struct fake_limits limits = {.max_values = 8};
    (void)state;
    test_clock_init(&time_of_test);
    test_time = test_clock_as_jtg(&time_of_test);
    store = fake_store_new(&test_time, &limits);
    if (fake_cache_new(&cache, store, 1, NULL) != JTG_OK)
        return -1;
    options = defaults;
    options.clock = &test_time;
    options.lifetime_ms = LIFETIME_MS;
    options.margin_ms = MARGIN_MS;
    one = make();
    two = make();
    test_clock_advance(&time_of_test, MARGIN_MS + 1); /* by then the store has kept enough */
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    jtg_challenges_free(one);
    jtg_challenges_free(two);
    jtg_challenges_free(NULL);
    jtg_cache_free(cache);
    fake_store_free(store);
    return 0;
}

static jtg_challenge issue_for(jtg_challenges *challenges, uint64_t lifetime_ms)
{
    jtg_challenge issued;
    memset(&issued, 'x', sizeof issued);
    assert_status(jtg_challenges_issue(challenges, "webauthn", 8, lifetime_ms, &issued, 1, &err),
                  JTG_OK);
    assert_err_tells(&err, JTG_OK);
    assert_int_equal(strlen(issued.text), JTG_CHALLENGE_TEXT_BYTES - 1);
    return issued;
}

static jtg_challenge issue(jtg_challenges *challenges)
{
    return issue_for(challenges, 0);
}

static jtg_status consume(jtg_challenges *challenges, const char *text)
{
    jtg_status status = jtg_challenges_consume(challenges, "webauthn", 8, text, strlen(text), &err);
    assert_err_tells(&err, status);
    return status;
}

static jtg_status refuse_to_issue(jtg_challenges *challenges)
{
    jtg_challenge issued[2];
    memset(issued, 'x', sizeof issued);
    jtg_status status = jtg_challenges_issue(challenges, "webauthn", 8, 0, issued, 2, &err);
    assert_err_tells(&err, status);
    assert_true(issued[0].text[0] == '\0' && issued[1].text[0] == '\0');
    return status;
}

/* ---- use ---- */

static void each_is_used_once_by_whoever_comes_first(void **state)
{
    jtg_challenge first = issue(one);
    jtg_challenge second = issue(one);
    (void)state;
    assert_string_not_equal(first.text, second.text);
    assert_status(consume(two, first.text), JTG_OK);
    assert_status(consume(one, first.text), JTG_REPLAYED);
    assert_status(consume(two, first.text), JTG_REPLAYED);
    assert_status(consume(one, second.text), JTG_OK);
    assert_status(consume(two, second.text), JTG_REPLAYED);
    assert_non_null(strstr(err.text, "used before"));
}

static void a_wrong_value_does_not_use_up_the_right_one(void **state)
{
    jtg_challenge right = issue(one);
    (void)state;
    for (size_t at = 0; at + 1 < sizeof right.text; at++) {
        jtg_challenge wrong = right;
        wrong.text[at] = wrong.text[at] == 'B' ? 'C' : 'B';
        assert_status(consume(one, wrong.text), JTG_MISMATCH);
    }
    assert_status(consume(one, ""), JTG_MISMATCH);
    assert_status(consume(one, "none"), JTG_MISMATCH);
    assert_status(jtg_challenges_consume(one, "c_nonce", 7, right.text, 71, &err), JTG_MISMATCH);
    assert_status(jtg_challenges_consume(one, "webauthn", 7, right.text, 71, &err), JTG_MISMATCH);
    assert_status(jtg_challenges_consume(one, "webauthn", 8, right.text, 72, &err), JTG_MISMATCH);
    assert_int_equal(jtg_cache_counter(cache, JTG_OP_BITMAP_TAKE, JTG_OK), 0);
    assert_status(consume(one, right.text), JTG_OK);
}

static void sets_have_nothing_in_common(void **state)
{
    static const unsigned char secret[JTG_CHALLENGE_SECRET_BYTES] = "a secret of the program's";
    jtg_challenge right = issue(one);
    (void)state;
    options.name = "another";
    jtg_challenges *other = make();
    options.name = NULL;
    options.secret = secret;
    jtg_challenges *with_secret = make();
    jtg_challenge others = issue(other);
    jtg_challenge secrets = issue(with_secret);
    assert_status(consume(other, right.text), JTG_MISMATCH);
    assert_status(consume(with_secret, right.text), JTG_MISMATCH);
    assert_status(consume(one, others.text), JTG_MISMATCH);
    assert_status(consume(one, secrets.text), JTG_MISMATCH);
    assert_status(consume(with_secret, secrets.text), JTG_OK);
    assert_status(consume(other, others.text), JTG_OK);
    assert_status(consume(one, right.text), JTG_OK);
    jtg_challenges_free(other);
    jtg_challenges_free(with_secret);
}

static void it_ends_at_its_end(void **state)
{
    jtg_challenge usual = issue(one);
    jtg_challenge brief = issue_for(one, 100);
    jtg_challenge briefer = issue_for(one, 99);
    (void)state;
    test_clock_advance(&time_of_test, 99);
    assert_status(consume(two, briefer.text), JTG_NOT_FOUND);
    assert_status(consume(two, brief.text), JTG_OK);
    test_clock_advance(&time_of_test, LIFETIME_MS - 100);
    assert_status(consume(two, usual.text), JTG_OK);
    assert_status(consume(two, usual.text), JTG_REPLAYED);
    test_clock_advance(&time_of_test, 1);
    assert_status(consume(two, usual.text), JTG_NOT_FOUND);
}

/* Set back, a clock takes one for live whose bit may be gone: then it is refused too. */
static void a_clock_that_is_set_back_brings_none_back(void **state)
{
    jtg_challenge used = issue(one);
    (void)state;
    assert_status(consume(one, used.text), JTG_OK);
    test_clock_advance(&time_of_test, 10 * LIFETIME_MS);
    assert_status(consume(one, used.text), JTG_NOT_FOUND);
    test_clock_set_wall_by(&time_of_test, -10 * LIFETIME_MS);
    assert_status(consume(one, used.text), JTG_ERR_CONTINUITY);
}

/* ---- a store that forgets, and one that is full ---- */

static void after_a_loss_none_of_before_is_taken(void **state)
{
    jtg_challenge used = issue(one);
    jtg_challenge unused = issue(one);
    (void)state;
    assert_status(consume(one, used.text), JTG_OK);
    fake_store_forget(store);
    assert_status(consume(one, used.text), JTG_ERR_CONTINUITY);
    assert_status(consume(one, unused.text), JTG_ERR_CONTINUITY);
    assert_status(refuse_to_issue(one), JTG_ERR_CONTINUITY);
    test_clock_advance(&time_of_test, MARGIN_MS + 1);
    jtg_challenge fresh = issue(one);
    assert_status(consume(one, used.text), JTG_ERR_CONTINUITY);
    assert_status(consume(one, fresh.text), JTG_OK);
    assert_status(consume(one, fresh.text), JTG_REPLAYED);
}

/* It came back with data of before, in which the bit is not set. */
static void what_comes_back_is_not_believed(void **state)
{
    jtg_challenge used = issue(one);
    (void)state;
    assert_status(consume(one, used.text), JTG_OK);
    fake_store_rewind(store);
    assert_status(consume(one, used.text), JTG_ERR_CONTINUITY);
    assert_status(consume(two, used.text), JTG_ERR_CONTINUITY);
}

static void a_full_store_issues_none_and_forgets_none(void **state)
{
    jtg_challenge issued[8 * 1024];
    size_t count = 0;
    (void)state;
    options.range = 1024;
    jtg_challenges *small = make();
    while (count < 8 * 1024 &&
           jtg_challenges_issue(small, "webauthn", 8, 0, &issued[count], 512, NULL) == JTG_OK)
        count += 512;
    assert_int_equal(count, 8 * 1024);
    assert_status(refuse_to_issue(small), JTG_ERR_FULL);
    for (size_t i = 0; i < count; i++)
        assert_status(consume(two, issued[i].text), JTG_OK);
    assert_status(refuse_to_issue(small), JTG_ERR_FULL);
    for (size_t i = 0; i < count; i += 7)
        assert_status(consume(small, issued[i].text), JTG_REPLAYED);
    jtg_challenges_free(small);
}

/* The memory store watches nothing, and keeps no less for it. */
static void a_process_that_starts_anew_knows_none_of_before(void **state)
{
    jtg_cache *memory = NULL;
    jtg_challenges *before = NULL;
    jtg_challenges *after = NULL;
    jtg_cache *again = NULL;
    (void)state;
    assert_status(jtg_memory_new(&memory, NULL, NULL), JTG_OK);
    assert_status(jtg_memory_new(&again, NULL, NULL), JTG_OK);
    assert_status(jtg_challenges_new(&before, memory, NULL, NULL), JTG_OK);
    assert_status(jtg_challenges_new(&after, again, NULL, NULL), JTG_OK);
    jtg_challenge used = issue(before);
    assert_status(consume(before, used.text), JTG_OK);
    assert_status(consume(before, used.text), JTG_REPLAYED);
    assert_status(consume(after, used.text), JTG_MISMATCH);
    jtg_challenges_free(before);
    jtg_challenges_free(after);
    jtg_cache_free(memory);
    jtg_cache_free(again);
}

/* ---- many, threads, a child, arguments ---- */

static jtg_consume_call call_of(const jtg_challenge *challenge, jtg_error *told)
{
    return (jtg_consume_call){"webauthn", 8,    challenge->text, strlen(challenge->text),
                              told,       true, JTG_OK};
}

static void each_of_many_is_answered_by_itself(void **state)
{
    jtg_error told[5];
    jtg_challenge issued[2];
    jtg_challenge wrong;
    (void)state;
    assert_status(jtg_challenges_issue(one, "webauthn", 8, 0, issued, 2, NULL), JTG_OK);
    wrong = issued[0];
    wrong.text[40] = wrong.text[40] == 'A' ? 'B' : 'A';
    jtg_consume_call calls[] = {call_of(&wrong, &told[0]), call_of(&issued[0], &told[1]),
                                call_of(&issued[1], &told[2]), call_of(&issued[0], &told[3]),
                                call_of(&issued[1], NULL)};
    calls[4].purpose_len = 0;
    jtg_challenges_consume_many(two, calls, 5);
    static const jtg_status expected[] = {JTG_MISMATCH, JTG_OK, JTG_OK, JTG_REPLAYED,
                                          JTG_ERR_ARGUMENT};
    for (unsigned i = 0; i < 5; i++) {
        assert_status(calls[i].status, expected[i]);
        assert_int_equal(calls[i].consumed, expected[i] == JTG_OK);
        if (calls[i].err != NULL)
            assert_err_tells(calls[i].err, expected[i]);
    }
}

static void more_than_may_be_are_refused(void **state)
{
    jtg_challenge issued = issue(one);
    jtg_consume_call *calls = calloc((size_t)JTG_MANY_MAX + 1, sizeof *calls);
    (void)state;
    assert_non_null(calls);
    for (unsigned i = 0; i <= JTG_MANY_MAX; i++)
        calls[i] = call_of(&issued, NULL);
    jtg_challenges_consume_many(one, calls, JTG_MANY_MAX + 1);
    for (unsigned i = 0; i <= JTG_MANY_MAX; i++)
        assert_true(!calls[i].consumed && calls[i].status == JTG_ERR_ARGUMENT);
    jtg_challenges_consume_many(one, calls, JTG_MANY_MAX);
    assert_true(calls[0].consumed);
    for (unsigned i = 1; i < JTG_MANY_MAX; i++)
        assert_status(calls[i].status, JTG_REPLAYED);
    jtg_challenges_consume_many(one, NULL, 3);
    jtg_challenges_consume_many(one, calls, 0);
    jtg_challenges_consume_many(NULL, calls, 1);
    assert_true(!calls[0].consumed && calls[0].status == JTG_ERR_ARGUMENT);
    free(calls);
}

static void bad_arguments_are_refused(void **state)
{
    static char purpose[JTG_CHALLENGE_PURPOSE_MAX_BYTES + 1];
    jtg_challenge issued;
    jtg_challenges *made = one;
    (void)state;
    memset(purpose, 'p', sizeof purpose);
    assert_status(jtg_challenges_issue(NULL, "p", 1, 0, &issued, 1, &err), JTG_ERR_ARGUMENT);
    assert_status(jtg_challenges_issue(one, NULL, 1, 0, &issued, 1, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_challenges_issue(one, "p", 0, 0, &issued, 1, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_challenges_issue(one, purpose, sizeof purpose, 0, &issued, 1, NULL),
                  JTG_ERR_ARGUMENT);
    assert_status(jtg_challenges_issue(one, "p", 1, LIFETIME_MS + 1, &issued, 1, NULL),
                  JTG_ERR_ARGUMENT);
    assert_status(jtg_challenges_issue(one, "p", 1, 0, NULL, 1, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_challenges_issue(one, "p", 1, 0, &issued, 0, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_challenges_issue(one, "p", 1, 0, &issued, JTG_MANY_MAX + 1, NULL),
                  JTG_ERR_ARGUMENT);
    assert_status(jtg_challenges_consume(one, "p", 1, NULL, 1, &err), JTG_ERR_ARGUMENT);
    assert_status(jtg_challenges_consume(NULL, "p", 1, "x", 1, &err), JTG_ERR_ARGUMENT);
    assert_status(jtg_challenges_new(NULL, cache, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_challenges_new(&made, NULL, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_null(made);
    assert_status(
        jtg_challenges_issue(one, purpose, sizeof purpose - 1, LIFETIME_MS, &issued, 1, NULL),
        JTG_OK);
}

enum { THREADS = 4, EACH = 1500 };

struct race {
    jtg_challenge issued[THREADS][EACH];
    atomic_uint used[THREADS][EACH];
    atomic_uint wrong;
};

static void issue_some(void *context, unsigned thread)
{
    struct race *race = context;
    for (unsigned i = 0; i < EACH; i++)
        if (jtg_challenges_issue(thread % 2 == 0 ? one : two, "race", 4, 0,
                                 &race->issued[thread][i], 1, NULL) != JTG_OK)
            atomic_fetch_add(&race->wrong, 1);
}

static void consume_all(void *context, unsigned thread)
{
    struct race *race = context;
    for (unsigned i = 0; i < THREADS * EACH; i++) {
        unsigned at = (i * (2 * thread + 1) + thread) % (THREADS * EACH);
        const char *text = race->issued[at / EACH][at % EACH].text;
        jtg_status status =
            jtg_challenges_consume(thread % 2 == 0 ? two : one, "race", 4, text, 71, NULL);
        if (status == JTG_OK)
            atomic_fetch_add(&race->used[at / EACH][at % EACH], 1);
        else if (status != JTG_REPLAYED)
            atomic_fetch_add(&race->wrong, 1);
    }
}

static void of_many_threads_one_uses_each(void **state)
{
    struct race *race = calloc(1, sizeof *race);
    (void)state;
    assert_non_null(race);
    threads_run(THREADS, issue_some, race);
    threads_run(THREADS, consume_all, race);
    assert_int_equal(atomic_load(&race->wrong), 0);
    for (unsigned i = 0; i < THREADS * EACH; i++)
        assert_int_equal(atomic_load(&race->used[i / EACH][i % EACH]), 1);
    free(race);
}

static void a_child_is_refused(void **state)
{
    jtg_challenge issued = issue(one);
    (void)state;
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        jtg_challenge more;
        bool refused =
            jtg_challenges_consume(one, "webauthn", 8, issued.text, 71, NULL) == JTG_ERR_FORKED &&
            jtg_challenges_issue(one, "webauthn", 8, 0, &more, 1, NULL) == JTG_ERR_FORKED;
        _exit(refused ? 0 : 1);
    }
    int how = 1;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    assert_status(consume(one, issued.text), JTG_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_is_used_once_by_whoever_comes_first),
        TEST(a_wrong_value_does_not_use_up_the_right_one),
        TEST(sets_have_nothing_in_common),
        TEST(it_ends_at_its_end),
        TEST(a_clock_that_is_set_back_brings_none_back),
        TEST(after_a_loss_none_of_before_is_taken),
        TEST(what_comes_back_is_not_believed),
        TEST(a_full_store_issues_none_and_forgets_none),
        TEST(a_process_that_starts_anew_knows_none_of_before),
        TEST(each_of_many_is_answered_by_itself),
        TEST(more_than_may_be_are_refused),
        TEST(bad_arguments_are_refused),
        TEST(of_many_threads_one_uses_each),
        TEST(a_child_is_refused),
    };
    return cmocka_run_group_tests_name("challenges", tests, NULL, NULL);
}
