/* SPDX-License-Identifier: Apache-2.0 */
/* What an attempt asks next, without anybody who is asked. What one answer means is
 * test_verdict.c's, and what is told in the end test_reservations.c's. */
#include "redis/ask/attempt.h"

#include "redis/flow/question.h"
#include "support/asserts.h"

#include <string.h>

static jtg_cache *cache;
static struct jtgi_attempt attempt;
static jtg_owner owner;
static jtg_error err;
static const jtg_key jti = {"jti", 3, NULL, 0};

static int open_attempt(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.prefix = "t:";
    options.timeout_ms = JTG_REDIS_TIMEOUT_MS_LIMIT; /* however slow we are */
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    jtg_owner_generate(&owner);
    memset(&err, 0, sizeof err);
    jtgi_attempt_init(&attempt, (struct jtgi_redis *)(void *)cache, &jti, &owner, 1000, &err);
    return 0;
}

static int close_attempt(void **state)
{
    (void)state;
    jtg_cache_free(cache);
    return 0;
}

static void hear_number(long long number)
{
    redisReply reply = {.type = REDIS_REPLY_INTEGER, .integer = number};
    attempt.request.answer.confirmed = true;
    jtgi_attempt_hear(&attempt, JTGI_FATE_ANSWERED, &reply);
}

static void hear_text(int type, const char *text)
{
    char bytes[64];
    redisReply reply = {.type = type, .str = bytes, .len = strlen(text)};
    assert_true(strlen(text) < sizeof bytes);
    memcpy(bytes, text, strlen(text) + 1);
    attempt.request.answer.confirmed = true;
    jtgi_attempt_hear(&attempt, JTGI_FATE_ANSWERED, &reply);
}

static bool says(const char *word)
{
    struct jtgi_command command;
    jtgi_command_init(&command);
    jtgi_attempt_put(&attempt, &command);
    assert_false(command.failed);
    bool there = memmem(command.bytes, command.len, word, strlen(word)) != NULL;
    jtgi_command_clear(&command);
    return there;
}

static void a_held_key_is_asked_for_its_owner(void **state)
{
    (void)state;
    jtgi_attempt_hold(&attempt);
    assert_int_equal(attempt.step, JTGI_STEP_SET);
    assert_true(says("SET"));
    hear_text(REDIS_REPLY_NIL, "");
    assert_int_equal(attempt.step, JTGI_STEP_HOLD);
    assert_true(says("EVALSHA"));
    hear_text(REDIS_REPLY_ERROR, "NOSCRIPT No matching script");
    assert_int_equal(attempt.step, JTGI_STEP_HOLD);
    assert_true(says("$4\r\nEVAL\r\n"));
    hear_number(0);
    assert_int_equal(attempt.step, JTGI_STEP_DONE);
    assert_status(jtgi_attempt_outcome(&attempt), JTG_REPLAYED);
}

static void what_was_lost_is_asked_again_four_times_in_all(void **state)
{
    unsigned asked = 0;
    (void)state;
    jtgi_attempt_hold(&attempt);
    for (; attempt.step != JTGI_STEP_DONE; asked++) {
        err.status = JTG_ERR_TIMEOUT;
        jtgi_attempt_hear(&attempt, JTGI_FATE_UNKNOWN, NULL);
    }
    assert_int_equal(asked, 4);
    assert_status(jtgi_attempt_outcome(&attempt), JTG_ERR_TIMEOUT);
}

/* Its slot is marked by whoever asks for it: the attempt waits for that. */
static void an_unmarked_slot_is_marked_first(void **state)
{
    (void)state;
    jtgi_attempt_need_kept(&attempt, 7000);
    for (int marked = 0; marked < 2; marked++) {
        jtgi_attempt_hold(&attempt);
        attempt.request.answer.sight = JTGI_SIGHT_UNMARKED;
        jtgi_attempt_hear(&attempt, JTGI_FATE_ANSWERED, NULL); /* left out */
        assert_int_equal(attempt.step, JTGI_STEP_MARK);
        jtgi_attempt_marked(&attempt, marked != 0 ? JTG_OK : JTG_ERR_FULL);
        assert_int_equal(attempt.step, marked != 0 ? JTGI_STEP_SET : JTGI_STEP_DONE);
        if (marked == 0)
            assert_status(jtgi_attempt_outcome(&attempt), JTG_ERR_FULL);
    }
}

/* A copy that is still under way could take from the same owner what it has reserved since. */
static void what_is_given_back_is_asked_again_only_when_it_is_over(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        jtgi_attempt_give_back(&attempt);
        assert_false(attempt.request.repeatable);
        err.status = JTG_ERR_TIMEOUT;
        attempt.request.answer.over = over != 0;
        jtgi_attempt_hear(&attempt, JTGI_FATE_UNKNOWN, NULL);
        assert_int_equal(attempt.step, over != 0 ? JTGI_STEP_GIVE_BACK : JTGI_STEP_DONE);
        if (over == 0)
            assert_status(jtgi_attempt_outcome(&attempt), JTG_ERR_TIMEOUT);
    }
    hear_number(-1); /* gone: by the question that was lost, or by its end */
    assert_status(jtgi_attempt_outcome(&attempt), JTG_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_attempt, close_attempt)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_held_key_is_asked_for_its_owner),
        TEST(what_was_lost_is_asked_again_four_times_in_all),
        TEST(an_unmarked_slot_is_marked_first),
        TEST(what_is_given_back_is_asked_again_only_when_it_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
