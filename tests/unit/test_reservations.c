/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked for a reservation and said of it, question by question. What one answer means is
 * test_verdict.c's. */
#include "redis/scripted_answers.h"

#include "redis/flow/question.h"

#include <string.h>

#define OWNER "oooooooooooooooo"
#define SET   "SET t:jti " OWNER " NX PX 60000 "
#define HOLD  "EVALSHA hold 1 t:jti " OWNER " 60000 "
#define GIVE  "EVALSHA release 1 t:jti " OWNER " "
#define OK    REPLY("+OK\r\n")
#define HELD  REPLY("$-1\r\n") /* to SET: another holds it */
#define YES   REPLY(":1\r\n")
#define NO    REPLY(":0\r\n")
#define FREE  REPLY(":-1\r\n")
#define OUT   REPLY(NULL) /* left out */

#define KEPT_SINCE(ms) .sight = JTGI_SIGHT_KEPT, .since_ms = (ms)
#define LOST           .fate = JTGI_FATE_UNKNOWN
#define UNSENT         .fate = JTGI_FATE_NOT_SENT

static int open_cache(void **state)
{
    (void)state;
    scripted_answers_open(NULL);
    return 0;
}

static int open_sharing(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.max_entries_per_group = 5;
    scripted_answers_open(&options);
    return 0;
}

static int close_cache(void **state)
{
    (void)state;
    scripted_answers_close();
    return 0;
}

static const jtg_key jti = {"jti", 3, NULL, 0};
static const jtg_key of_issuer = {"jti", 3, "issuer", 6};

static jtg_status release_key(const jtg_key *key)
{
    return jtg_cache_release(scripted.cache, key, &scripted.owner, &scripted.err);
}

static const struct jtgi_question *asked(size_t number)
{
    return &scripted.questions[number].question;
}

/* One question, or two, and what is told in the end. */
static void told(const char *name, jtg_status got, jtg_status status, const char *text)
{
    scripted_answers_done();
    if (got != status || (text != NULL && strstr(scripted.err.text, text) == NULL))
        fail_msg("%s: %s: %s", name, jtg_status_name(got), scripted.err.text);
    assert_err_tells(&scripted.err, status);
    scripted.err.text[0] = '\0';
    scripted.err.status = JTG_OK;
}

#define RESERVED(status, text, ...)                                                                \
    do {                                                                                           \
        ANSWERS(__VA_ARGS__);                                                                      \
        told(#__VA_ARGS__, scripted_answers_reserve("jti"), status, text);                         \
    } while (0)
#define RESERVED_KEPT(since, status, text, ...)                                                    \
    do {                                                                                           \
        ANSWERS(__VA_ARGS__);                                                                      \
        told(#__VA_ARGS__, scripted_answers_reserve_kept("jti", since), status, text);             \
    } while (0)
#define RELEASED(status, ...)                                                                      \
    do {                                                                                           \
        ANSWERS(__VA_ARGS__);                                                                      \
        told(#__VA_ARGS__, release_key(&jti), status, NULL);                                       \
    } while (0)

/* ---- what is asked ---- */

static void a_set_is_asked_about_as_a_reservation(void **state)
{
    (void)state;
    RESERVED_KEPT(1000, JTG_OK, NULL, {SET, OK, KEPT_SINCE(1000)});
    assert_true(asked(0)->repeatable && asked(0)->writes && asked(0)->watched);
    assert_true(asked(0)->kept_since_ms == 1000);
    RESERVED(JTG_OK, NULL, {SET, OK, KEPT_SINCE(1000)});
    assert_true(asked(0)->kept_since_ms == JTGI_KEPT_ANY);
}

/* "Whatever it has forgotten" is what a plain reserve asks, not what the latest moment means. */
static void the_latest_moment_is_a_moment(void **state)
{
    (void)state;
    RESERVED_KEPT(INT64_MAX, JTG_ERR_CONTINUITY, NULL, {SET, OUT, KEPT_SINCE(INT64_MAX)});
    assert_true(asked(0)->kept_since_ms == INT64_MAX - 1);
}

/* The script is never left out: that another holds the key stands, whatever was forgotten. */
static void a_held_key_is_asked_about_in_any_case(void **state)
{
    (void)state;
    RESERVED_KEPT(1000, JTG_REPLAYED, NULL, {SET, HELD, KEPT_SINCE(1000)},
                  {HOLD, NO, KEPT_SINCE(5000)});
    assert_true(asked(1)->kept_since_ms == JTGI_KEPT_ANY);
    assert_true(asked(1)->watched && asked(1)->writes && asked(1)->repeatable);
    RESERVED(JTG_OK, NULL, {SET, HELD}, {HOLD, YES});
}

/* Its copy could come late, and delete what the same owner has reserved since. */
static void a_release_looks_at_nothing_and_is_sent_once(void **state)
{
    (void)state;
    RELEASED(JTG_OK, {GIVE, YES});
    assert_true(asked(0)->writes);
    assert_false(asked(0)->watched || asked(0)->repeatable);
    RELEASED(JTG_NOT_FOUND, {GIVE, FREE});
    RELEASED(JTG_NOT_OWNER, {GIVE, NO});
}

static void an_unknown_script_is_sent_whole(void **state)
{
    (void)state;
    RELEASED(JTG_OK, {GIVE, REPLY("-NOSCRIPT x\r\n")}, {"EVAL release 1 t:jti " OWNER " ", YES});
}

/* ---- an answer that was lost ---- */

static void a_lost_reply_is_asked_for_with_the_same_owner(void **state)
{
    (void)state;
    RESERVED(JTG_OK, NULL, {SET, LOST}, {SET, HELD}, {HOLD, YES});
    assert_int_equal(scripted_answers_stats().asked_again, 1);
    RESERVED(JTG_OK, NULL, {SET, LOST}, {SET, OK});
    RESERVED(JTG_REPLAYED, NULL, {SET, LOST}, {SET, HELD}, {HOLD, NO});
    RESERVED(JTG_OK, NULL, {SET, HELD}, {HOLD, LOST}, {SET, OK});
}

/* Once it may be stored, no later failure says that it is not. */
static void a_failure_after_a_lost_reply_leaves_it_open(void **state)
{
    (void)state;
    RESERVED(JTG_ERR_UNAVAILABLE, NULL, {SET, UNSENT, .down = true});
    RESERVED(JTG_ERR_TIMEOUT, NULL, {SET, LOST}, {SET, UNSENT, .down = true});
    RESERVED(JTG_ERR_FULL, NULL, {SET, REPLY("-OOM x\r\n")});
    RESERVED(JTG_ERR_TIMEOUT, NULL, {SET, LOST}, {SET, REPLY("-OOM x\r\n")});
    RESERVED(JTG_ERR_TIMEOUT, NULL, {SET, LOST}, {SET, UNSENT, .unsent = JTG_ERR_MEMORY});
    RESERVED(JTG_ERR_TIMEOUT, NULL, {SET, OK, .sight = JTGI_SIGHT_LOST},
             {SET, REPLY("-OOM x\r\n")});
}

static void there_are_four_questions_at_most(void **state)
{
    (void)state;
    RESERVED(JTG_ERR_TIMEOUT, NULL, {SET, LOST}, {SET, LOST}, {SET, LOST}, {SET, LOST});
    assert_int_equal(scripted_answers_stats().asked_again, 4);
    RESERVED(JTG_ERR_CONTINUITY, "just now", {SET, OK, .sight = JTGI_SIGHT_LOST},
             {SET, OK, .sight = JTGI_SIGHT_LOST}, {SET, OK, .sight = JTGI_SIGHT_LOST},
             {SET, OK, .sight = JTGI_SIGHT_LOST});
}

/* What is none may have acted; the connection that brought it is not used again. */
static void nonsense_is_asked_about_again(void **state)
{
    (void)state;
    RESERVED(JTG_OK, NULL, {SET, REPLY(":7\r\n")}, {SET, HELD}, {HOLD, YES});
    RESERVED(JTG_ERR_TIMEOUT, "not asked for", {SET, REPLY("+QUEUED\r\n")},
             {SET, REPLY("$2\r\nOK\r\n")}, {SET, REPLY("*0\r\n")}, {SET, HELD},
             {HOLD, REPLY(":2\r\n")});
}

static void a_lost_release_is_asked_again_where_nothing_can_come_late(void **state)
{
    (void)state;
    RELEASED(JTG_ERR_TIMEOUT, {GIVE, LOST});
    RELEASED(JTG_OK, {GIVE, LOST, .ended = true}, {GIVE, YES});
    RELEASED(JTG_OK, {GIVE, LOST, .ended = true}, {GIVE, FREE}); /* it was, the first time */
    RELEASED(JTG_ERR_TIMEOUT, {GIVE, LOST, .ended = true}, {GIVE, LOST, .ended = true});
    RELEASED(JTG_ERR_UNAVAILABLE, {GIVE, UNSENT, .down = true});
}

/* ---- what the store has kept ---- */

static void a_yes_counts_if_all_was_kept(void **state)
{
    (void)state;
    RESERVED_KEPT(1000, JTG_ERR_CONTINUITY, "only since 1970-01-01T00:00:01Z",
                  {SET, OUT, KEPT_SINCE(1001)});
    RESERVED_KEPT(1000, JTG_ERR_CONTINUITY, "only since 1970-01-01T00:00:02Z",
                  {SET, OK, KEPT_SINCE(2000)});
    /* Lost in the round trip: the next one says since when. */
    RESERVED_KEPT(1000, JTG_ERR_CONTINUITY, "only since", {SET, OK, .sight = JTGI_SIGHT_LOST},
                  {SET, OUT, KEPT_SINCE(5000)});
    RESERVED_KEPT(1000, JTG_OK, NULL, {SET, OK, .sight = JTGI_SIGHT_LOST},
                  {SET, OK, KEPT_SINCE(1000)});
    RESERVED(JTG_OK, NULL, {SET, OK, KEPT_SINCE(5000)});
}

static void who_may_not_look_is_told_why(void **state)
{
    (void)state;
    RESERVED_KEPT(1000, JTG_ERR_TIMEOUT, "what the store has kept cannot be read",
                  {SET, OK, .sight = JTGI_SIGHT_REFUSED, .refusal = "NOPERM x"},
                  {SET, OUT, .sight = JTGI_SIGHT_REFUSED, .refusal = "NOPERM x"});
    RESERVED_KEPT(1000, JTG_ERR_REFUSED, "what the store has kept cannot be read",
                  {SET, OUT, .sight = JTGI_SIGHT_REFUSED, .refusal = "NOPERM x"});
    RESERVED(JTG_OK, NULL, {SET, OK, .sight = JTGI_SIGHT_REFUSED, .refusal = "CLUSTERDOWN x"});
}

static void a_server_that_became_unsafe_admits_nothing(void **state)
{
    (void)state;
    RESERVED(JTG_ERR_UNSAFE, "may evict live entries", {SET, OUT, .sight = JTGI_SIGHT_UNSAFE});
    RESERVED(JTG_ERR_TIMEOUT, "it is stored", {SET, OK, .sight = JTGI_SIGHT_UNSAFE});
}

/* It has kept everything from the marking on only: a plain reserve can count on that. */
static void an_unmarked_slot_is_marked_and_asked_again(void **state)
{
    const struct scripted_answer marked = {
        "EVALSHA mark 1 ", REPLY(scripted_bulk("2 R H 0 0 - 7000 0 00000000000000aa"))};
    (void)state;
    RESERVED_KEPT(1000, JTG_ERR_CONTINUITY, "only since 1970-01-01T00:00:07Z",
                  {SET, OK, .sight = JTGI_SIGHT_UNMARKED}, marked, {SET, OUT, KEPT_SINCE(7000)});
    RESERVED_KEPT(1000, JTG_ERR_TIMEOUT, NULL, {SET, OK, .sight = JTGI_SIGHT_UNMARKED},
                  {"EVALSHA mark ", REPLY("-OOM x\r\n")});
    RESERVED_KEPT(1000, JTG_ERR_FULL, NULL, {SET, OUT, .sight = JTGI_SIGHT_UNMARKED},
                  {"EVALSHA mark ", REPLY("-OOM x\r\n")});
}

/* ---- replicas ---- */

static void too_few_replicas_are_said_last(void **state)
{
    (void)state;
    RESERVED(JTG_ERR_REPLICAS, "too few replicas", {SET, OK, .unconfirmed = true});
    RESERVED(JTG_REPLAYED, NULL, {SET, HELD, .unconfirmed = true}, {HOLD, NO, .unconfirmed = true});
    RESERVED(JTG_ERR_REPLICAS, NULL, {SET, HELD}, {HOLD, YES, .unconfirmed = true});
    RELEASED(JTG_ERR_REPLICAS, {GIVE, YES, .unconfirmed = true});
    assert_int_equal(scripted_answers_stats().too_few_replicas, 3);
}

/* ---- shares ---- */

#define SHARE   "EVALSHA share 2 t:jti t:?cg"
#define UNSHARE "EVALSHA unshare 2 t:jti t:?cg"
#define LIMIT   " 5 "

static jtg_status reserve_share(void)
{
    return jtg_cache_reserve(scripted.cache, &of_issuer, &scripted.owner, 60000, &scripted.err);
}

#define SHARED(status, ...)                                                                        \
    do {                                                                                           \
        ANSWERS(__VA_ARGS__);                                                                      \
        told(#__VA_ARGS__, reserve_share(), status, NULL);                                         \
    } while (0)

static void one_question_asks_for_key_and_share(void **state)
{
    (void)state;
    SHARED(JTG_OK, {SHARE, YES});
    assert_true(asked(0)->watched && asked(0)->writes && asked(0)->repeatable);
    assert_non_null(strstr(scripted.questions[0].words, " " OWNER " 60000 "));
    size_t len = strlen(scripted.questions[0].words);
    assert_string_equal(scripted.questions[0].words + len - strlen(LIMIT), LIMIT);
    SHARED(JTG_REPLAYED, {SHARE, NO});
    SHARED(JTG_ERR_GROUP_FULL, {SHARE, FREE});
    SHARED(JTG_OK, {SHARE, LOST}, {SHARE, YES});
    SHARED(JTG_ERR_TIMEOUT, {SHARE, LOST}, {SHARE, FREE});
}

/* The reservation names the group that it is counted for: it is done again with that one, once. */
static void the_share_is_that_of_the_reservation(void **state)
{
    const char *const other = scripted_bulk("0123456789ab");
    (void)state;
    SHARED(JTG_OK, {SHARE, REPLY(other)}, {"EVALSHA share 2 t:jti t:?cg0123456789ab ", YES});
    SHARED(JTG_ERR_TIMEOUT, {SHARE, REPLY(other)}, {SHARE, REPLY(other)},
           {SHARE, UNSENT, .down = true});
    ANSWERS({UNSHARE, REPLY(other)}, {"EVALSHA unshare 2 t:jti t:?cg0123456789ab ", YES});
    told("release", release_key(&of_issuer), JTG_OK, NULL);
    assert_false(asked(0)->repeatable || asked(0)->watched);
}

/* Whoever releases may not know the group. */
static void a_release_without_a_group_looks_for_one(void **state)
{
    (void)state;
    RELEASED(JTG_OK, {"EVALSHA unshare 1 t:jti " OWNER " ", YES});
    RELEASED(JTG_OK, {"EVALSHA unshare 1 t:jti " OWNER " ", REPLY(scripted_bulk("0123456789ab"))},
             {"EVALSHA unshare 2 t:jti t:?cg0123456789ab " OWNER " ", YES});
    RESERVED(JTG_OK, NULL, {SET, OK});
}

/* ---- ping ---- */

#define INFO  "role:master\r\nloading:0\r\nmaxmemory:0\r\nredis_mode:standalone\r\n"
#define PROBE "SET t:?r:?p:"

static jtg_status ping(void)
{
    return jtg_cache_ping(scripted.cache, &scripted.err);
}

#define PINGED(status, ...)                                                                        \
    do {                                                                                           \
        ANSWERS(__VA_ARGS__);                                                                      \
        told(#__VA_ARGS__, ping(), status, NULL);                                                  \
    } while (0)

/* A full store still answers reads, and a policy may have been changed. */
static void a_ping_asks_the_gate_and_writes(void **state)
{
    const char *const sound = scripted_bulk(INFO);
    (void)state;
    PINGED(JTG_OK, {"INFO ", REPLY(sound)}, {PROBE, OK}, {"EVALSHA release 1 t:?r:?p:", YES});
    PINGED(JTG_OK, {"INFO ", REPLY(sound)}, {PROBE, OK}, {"EVALSHA release ", FREE});
    PINGED(JTG_ERR_FULL, {"INFO ", REPLY(sound)}, {PROBE, REPLY("-OOM x\r\n")});
    PINGED(JTG_ERR_UNAVAILABLE, {"INFO ", LOST}, {"INFO ", LOST});
    PINGED(JTG_ERR_PROTOCOL, {"INFO ", REPLY("+OK\r\n")});
    PINGED(JTG_ERR_UNAVAILABLE,
           {"INFO ", REPLY(scripted_bulk("role:slave\r\nloading:0\r\nredis_mode:standalone\r\n"))});
    PINGED(JTG_ERR_UNSAFE,
           {"INFO ",
            REPLY(scripted_bulk("role:master\r\nloading:0\r\nmaxmemory:1\r\n"
                                "maxmemory_policy:allkeys-lru\r\nredis_mode:standalone\r\n"))});
}

/* Each primary, with a key of its own slots. */
static void a_ping_of_a_cluster_reaches_each_primary(void **state)
{
    const char *const sound =
        scripted_bulk("role:master\r\nloading:0\r\nmaxmemory:0\r\nredis_mode:cluster\r\n");
    (void)state;
    scripted_answers_open_cluster(NULL);
    ANSWERS({"INFO ", REPLY(sound)}, {PROBE, OK}, {"EVALSHA release ", YES},
            {"INFO ", REPLY(sound)}, {PROBE, OK}, {"EVALSHA release ", YES});
    assert_status(ping(), JTG_OK);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(scripted.questions[i].at, i < 3 ? "127.0.0.1:1" : "127.0.0.1:2");
    assert_true(asked(1)->slot < JTGI_SLOTS / 2 && asked(4)->slot >= JTGI_SLOTS / 2);
    ANSWERS({"INFO ", REPLY(sound)}, {PROBE, REPLY("-READONLY x\r\n")});
    assert_status(ping(), JTG_ERR_UNAVAILABLE);
    scripted_answers_close();
}

#define TEST(name)    cmocka_unit_test_setup_teardown(name, open_cache, close_cache)
#define SHARING(name) cmocka_unit_test_setup_teardown(name, open_sharing, close_cache)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_set_is_asked_about_as_a_reservation),
        TEST(the_latest_moment_is_a_moment),
        TEST(a_held_key_is_asked_about_in_any_case),
        TEST(a_release_looks_at_nothing_and_is_sent_once),
        TEST(an_unknown_script_is_sent_whole),
        TEST(a_lost_reply_is_asked_for_with_the_same_owner),
        TEST(a_failure_after_a_lost_reply_leaves_it_open),
        TEST(there_are_four_questions_at_most),
        TEST(nonsense_is_asked_about_again),
        TEST(a_lost_release_is_asked_again_where_nothing_can_come_late),
        TEST(a_yes_counts_if_all_was_kept),
        TEST(who_may_not_look_is_told_why),
        TEST(a_server_that_became_unsafe_admits_nothing),
        TEST(an_unmarked_slot_is_marked_and_asked_again),
        TEST(too_few_replicas_are_said_last),
        SHARING(one_question_asks_for_key_and_share),
        SHARING(the_share_is_that_of_the_reservation),
        SHARING(a_release_without_a_group_looks_for_one),
        TEST(a_ping_asks_the_gate_and_writes),
        cmocka_unit_test(a_ping_of_a_cluster_reaches_each_primary),
    };
    return cmocka_run_group_tests_name("reservations", tests, NULL, NULL);
}
