/* SPDX-License-Identifier: Apache-2.0 */
/* A call on its way, without a line: the test says what has come of its questions. What it asks is
 * test_attempt.c's. */
#include "redis/loop/trip.h"

#include "redis/line/deadline.h"
#include "support/asserts.h"

#include <string.h>

static jtg_cache *cache;
static jtg_owner owner;
static struct jtgi_loop_call call;
static struct jtgi_trip trip;
static struct jtgi_command words;
static bool is_odd;

static int open_trip(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.timeout_ms = JTG_REDIS_TIMEOUT_MS_LIMIT; /* however slow we are */
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    jtg_owner_generate(&owner);
    is_odd = false;
    call = (struct jtgi_loop_call){
        .key = {"jti", 3, NULL, 0}, .owner = &owner, .ttl_ms = 1000, .kept_since_ms = JTG_KEPT_ANY};
    jtgi_command_init(&words);
    jtgi_trip_begin(&trip, (struct jtgi_redis *)(void *)cache, &call, &is_odd);
    return 0;
}

static int close_trip(void **state)
{
    (void)state;
    jtgi_command_clear(&words);
    jtg_cache_free(cache);
    return 0;
}

static enum jtgi_trip_next answered(redisReply *reply)
{
    assert_non_null(jtgi_trip_ask(&trip, &words));
    trip.attempt.request.answer.reply = reply;
    trip.attempt.request.answer.sight = JTGI_SIGHT_NONE;
    trip.attempt.request.answer.confirmed = true;
    jtgi_trip_hear(&trip, JTGI_FATE_ANSWERED, NULL);
    return jtgi_trip_go_on(&trip, 1);
}

static redisReply *new_reply(int type, const char *text)
{
    redisReader *reader = redisReaderCreate();
    void *reply = NULL;
    (void)type;
    assert_non_null(reader);
    assert_int_equal(redisReaderFeed(reader, text, strlen(text)), REDIS_OK);
    assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
    assert_non_null(reply);
    redisReaderFree(reader);
    return reply;
}

static void a_yes_ends_it(void **state)
{
    (void)state;
    assert_ptr_equal(call.under_way, &trip);
    assert_int_equal(answered(new_reply(REDIS_REPLY_STATUS, "+OK\r\n")), JTGI_TRIP_ENDS);
    jtgi_trip_end(&trip);
    assert_status(call.status, JTG_OK);
    assert_null(call.under_way);
}

/* A Cluster that is not there yet; but here it is no Cluster, and the error is the answer. */
static void a_moment_is_waited_where_that_helps(void **state)
{
    (void)state;
    assert_int_equal(answered(new_reply(REDIS_REPLY_ERROR, "-TRYAGAIN x\r\n")), JTGI_TRIP_ASKS);
    assert_true(trip.is_out && trip.not_before_ns == 1 + JTGI_REQUEST_PAUSE_NS);
    assert_int_equal(answered(new_reply(REDIS_REPLY_STATUS, "+OK\r\n")), JTGI_TRIP_ENDS);
}

static void what_is_no_answer_condemns_the_line(void **state)
{
    (void)state;
    assert_int_equal(answered(new_reply(REDIS_REPLY_INTEGER, ":7\r\n")), JTGI_TRIP_ASKS);
    assert_true(is_odd);
}

static void who_gives_up_is_told_what_is_known(void **state)
{
    (void)state;
    jtgi_trip_give_up(&trip, JTGI_FATE_NOT_SENT, "a test");
    jtgi_trip_end(&trip);
    assert_status(call.status, JTG_ERR_UNAVAILABLE);
    assert_string_equal(call.err.text, "redis: a test");
    (void)close_trip(state);
    (void)open_trip(state);
    assert_non_null(jtgi_trip_ask(&trip, &words));
    jtgi_trip_give_up(&trip, JTGI_FATE_UNKNOWN, "a test");
    jtgi_trip_end(&trip);
    assert_status(call.status, JTG_ERR_TIMEOUT);
    assert_non_null(strstr(call.err.text, "whether it was done is unknown"));
}

/* A question before may have been done: then whoever gives up before the next one has left does not
 * know either. */
static void what_may_have_been_done_before_is_not_forgotten(void **state)
{
    const jtg_error lost = {JTG_ERR_TIMEOUT, 0, "redis: lost"};
    (void)state;
    assert_non_null(jtgi_trip_ask(&trip, &words));
    jtgi_trip_hear(&trip, JTGI_FATE_UNKNOWN, &lost);
    assert_int_equal(jtgi_trip_go_on(&trip, 1), JTGI_TRIP_ASKS);
    jtgi_trip_give_up(&trip, JTGI_FATE_NOT_SENT, "a test");
    jtgi_trip_end(&trip);
    assert_status(call.status, JTG_ERR_TIMEOUT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_trip, close_trip)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_yes_ends_it),
        TEST(a_moment_is_waited_where_that_helps),
        TEST(what_is_no_answer_condemns_the_line),
        TEST(who_gives_up_is_told_what_is_known),
        TEST(what_may_have_been_done_before_is_not_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
