/* SPDX-License-Identifier: Apache-2.0 */
/* bitmap_put and bitmap_take_many on a server: what is asked, and what an answer means. No bit is
 * given that the server did not say, or that it may have forgotten. */
#include "redis/scripted_answers.h"

#include <string.h>

#define LOST           .fate = JTGI_FATE_UNKNOWN
#define UNSENT         .fate = JTGI_FATE_NOT_SENT
#define OUT            REPLY(NULL) /* left out */
#define KEPT_SINCE(ms) .sight = JTGI_SIGHT_KEPT, .since_ms = (ms)
#define NONE           REPLY(":-1\r\n")
#define ONE            "EVALSHA bits 1 t:?m:one "
#define TWO            "EVALSHA bits 1 t:?m:two "
#define SET            "SET t:?m:one "

enum { CALLS = 5, NEEDED = 1000 };

static jtg_bitmap_call calls[CALLS];
static jtg_error errs[CALLS];

static int open_cache(void **state)
{
    (void)state;
    scripted_answers_open(NULL);
    return 0;
}

static int open_cluster(void **state)
{
    (void)state;
    scripted_answers_open_cluster(NULL);
    return 0;
}

static int close_cache(void **state)
{
    (void)state;
    scripted_answers_close();
    return 0;
}

static void set_call(size_t at, const char *name, uint32_t bit, int64_t kept_since_ms)
{
    calls[at] = (jtg_bitmap_call){.key = {name, strlen(name), NULL, 0},
                                  .bit = bit,
                                  .kept_since_ms = kept_since_ms,
                                  .err = &errs[at],
                                  .taken = true};
}

#define SAID(...)                                                                                  \
    said((const jtg_status[]){__VA_ARGS__},                                                        \
         sizeof((const jtg_status[]){__VA_ARGS__}) / sizeof(jtg_status))

static void said(const jtg_status *expected, size_t count)
{
    jtg_cache_bitmap_take_many(scripted.cache, calls, count);
    scripted_answers_done();
    for (size_t i = 0; i < count; i++) {
        assert_status(calls[i].status, expected[i]);
        assert_int_equal(calls[i].taken, expected[i] == JTG_OK);
        assert_err_tells(&errs[i], expected[i]);
    }
}

/* One bit, which needs what was kept since NEEDED. */
#define ENDS(status, ...)                                                                          \
    do {                                                                                           \
        ANSWERS(__VA_ARGS__);                                                                      \
        set_call(0, "one", 7, NEEDED);                                                             \
        SAID(status);                                                                              \
    } while (0)

static jtg_status put(void)
{
    const jtg_key key = {"one", 3, NULL, 0};
    jtg_status status = jtg_cache_bitmap_put(scripted.cache, &key, 9, 60000, NEEDED, &scripted.err);
    scripted_answers_done();
    assert_err_tells(&scripted.err, status);
    return status;
}

#define PUTS(status, ...)                                                                          \
    do {                                                                                           \
        ANSWERS(__VA_ARGS__);                                                                      \
        assert_status(put(), status);                                                              \
    } while (0)

/* ---- take ---- */

static void bits_of_one_bitmap_are_one_question(void **state)
{
    (void)state;
    set_call(0, "one", 7, NEEDED);
    set_call(1, "two", 1, NEEDED);
    set_call(2, "one", 8, NEEDED);
    set_call(3, "one", 7, NEEDED);
    set_call(4, "one", 900, NEEDED);
    ANSWERS({ONE "900 7 8 7 900 ", REPLY("$4\r\n110-\r\n"), KEPT_SINCE(NEEDED)},
            {TWO "1 1 ", REPLY("$1\r\n0\r\n"), KEPT_SINCE(NEEDED)});
    SAID(JTG_OK, JTG_REPLAYED, JTG_OK, JTG_REPLAYED, JTG_NOT_FOUND);
    const struct jtgi_question *question = &scripted.questions[0].question;
    assert_true(question->writes && question->watched && !question->repeatable);
    assert_int_equal(question->kept_since_ms, NEEDED);
    assert_int_equal(scripted.calls, 1);
}

/* What one needs decides for no other. */
static void each_past_is_a_question_of_its_own(void **state)
{
    (void)state;
    set_call(0, "one", 1, NEEDED);
    set_call(1, "one", 2, NEEDED - 1);
    set_call(2, "one", 3, JTG_KEPT_ANY);
    ANSWERS({ONE "1 1 ", REPLY("$1\r\n1\r\n"), KEPT_SINCE(NEEDED)},
            {ONE "2 2 ", OUT, KEPT_SINCE(NEEDED)},
            {ONE "3 3 ", REPLY("$1\r\n1\r\n"), KEPT_SINCE(NEEDED)});
    SAID(JTG_OK, JTG_ERR_CONTINUITY, JTG_OK);
}

static void a_bit_is_given_only_where_all_was_kept(void **state)
{
    static const char one[] = "$1\r\n1\r\n";
    (void)state;
    ENDS(JTG_OK, {ONE, REPLY(one), KEPT_SINCE(NEEDED)});
    ENDS(JTG_ERR_CONTINUITY, {ONE, REPLY(one), KEPT_SINCE(NEEDED + 1)});
    ENDS(JTG_ERR_CONTINUITY, {ONE, REPLY(one), .sight = JTGI_SIGHT_LOST});
    ENDS(JTG_ERR_CONTINUITY, {ONE, REPLY(one), .sight = JTGI_SIGHT_NONE});
    ENDS(JTG_ERR_CONTINUITY, {ONE, REPLY(one), .sight = JTGI_SIGHT_ELSEWHERE});
    ENDS(JTG_ERR_TIMEOUT, {ONE, REPLY(one), .sight = JTGI_SIGHT_UNSAFE});
    ENDS(JTG_ERR_TIMEOUT,
         {ONE, REPLY(one), .sight = JTGI_SIGHT_REFUSED, .refusal = "-NOPERM x\r\n"});
    ENDS(JTG_ERR_REPLICAS, {ONE, REPLY(one), KEPT_SINCE(NEEDED), .unconfirmed = true});
}

/* That it was taken stands, whatever was forgotten and whoever has it. */
static void a_bit_that_was_taken_stays_so(void **state)
{
    static const char zero[] = "$1\r\n0\r\n";
    (void)state;
    ENDS(JTG_REPLAYED, {ONE, REPLY(zero), KEPT_SINCE(NEEDED)});
    ENDS(JTG_REPLAYED, {ONE, REPLY(zero), .sight = JTGI_SIGHT_LOST});
    ENDS(JTG_REPLAYED, {ONE, REPLY(zero), KEPT_SINCE(NEEDED + 1), .unconfirmed = true});
    ENDS(JTG_NOT_FOUND, {ONE, NONE, KEPT_SINCE(NEEDED)});
    ENDS(JTG_NOT_FOUND, {ONE, REPLY("$1\r\n-\r\n"), KEPT_SINCE(NEEDED)});
}

/* Whoever asked again would be told by his own first question that it was taken; or, had that one
 * been lost on the way, could take it when another of his tries has it. */
static void what_may_be_done_is_not_asked_again(void **state)
{
    (void)state;
    ENDS(JTG_ERR_TIMEOUT, {ONE, LOST});
    ENDS(JTG_ERR_TIMEOUT, {ONE, LOST, .ended = true});
    ENDS(JTG_ERR_UNAVAILABLE, {ONE, UNSENT, .down = true});
}

static void what_was_left_out_is_asked_again(void **state)
{
    (void)state;
    ENDS(JTG_OK, {ONE, OUT, .sight = JTGI_SIGHT_LOST},
         {ONE, REPLY("$1\r\n1\r\n"), KEPT_SINCE(NEEDED)});
    ENDS(JTG_ERR_CONTINUITY, {ONE, OUT, .sight = JTGI_SIGHT_LOST},
         {ONE, OUT, KEPT_SINCE(NEEDED + 1)});
    ENDS(JTG_ERR_CONTINUITY, {ONE, OUT, .sight = JTGI_SIGHT_LOST},
         {ONE, OUT, .sight = JTGI_SIGHT_LOST}, {ONE, OUT, .sight = JTGI_SIGHT_LOST},
         {ONE, OUT, .sight = JTGI_SIGHT_LOST});
}

static void a_script_that_is_not_known_is_sent_in_full(void **state)
{
    (void)state;
    ENDS(JTG_OK, {ONE, REPLY("-NOSCRIPT x\r\n"), KEPT_SINCE(NEEDED)},
         {"EVAL bits 1 t:?m:one 7 7 ", REPLY("$1\r\n1\r\n"), KEPT_SINCE(NEEDED)});
    ENDS(JTG_ERR_REFUSED, {ONE, REPLY("-NOSCRIPT x\r\n"), KEPT_SINCE(NEEDED)},
         {"EVAL bits 1 t:?m:one 7 7 ", REPLY("-NOSCRIPT x\r\n"), KEPT_SINCE(NEEDED)});
}

static void what_is_no_answer_gives_nothing(void **state)
{
    static const char *const replies[] = {":1\r\n",      ":0\r\n",       ":2\r\n",
                                          "+1\r\n",      "$0\r\n\r\n",   "$2\r\n11\r\n",
                                          "$1\r\n2\r\n", "*1\r\n:1\r\n", "$-1\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++)
        ENDS(JTG_ERR_TIMEOUT, {ONE, REPLY(replies[i]), KEPT_SINCE(NEEDED)});
    ENDS(JTG_ERR_FULL, {ONE, REPLY("-OOM x\r\n"), KEPT_SINCE(NEEDED)});
    ENDS(JTG_ERR_REFUSED, {ONE, REPLY("-WRONGTYPE x\r\n"), KEPT_SINCE(NEEDED)});
    ENDS(JTG_ERR_REFUSED, {ONE, REPLY("-NOPERM x\r\n"), KEPT_SINCE(NEEDED)});
}

/* ---- put ---- */

static void a_bitmap_is_made_whole_and_once(void **state)
{
    (void)state;
    PUTS(JTG_OK, {SET, REPLY("+OK\r\n"), KEPT_SINCE(NEEDED)});
    assert_non_null(strstr(scripted.questions[0].words, " NX PX 60000 "));
    assert_false(scripted.questions[0].question.repeatable);
    PUTS(JTG_REPLAYED, {SET, REPLY("$-1\r\n"), KEPT_SINCE(NEEDED)});
    PUTS(JTG_ERR_FULL, {SET, REPLY("-OOM x\r\n"), KEPT_SINCE(NEEDED)});
    PUTS(JTG_ERR_TIMEOUT, {SET, LOST});
    PUTS(JTG_ERR_TIMEOUT, {SET, REPLY(":1\r\n"), KEPT_SINCE(NEEDED)});
    PUTS(JTG_ERR_CONTINUITY, {SET, REPLY("+OK\r\n"), KEPT_SINCE(NEEDED + 1)});
    PUTS(JTG_ERR_CONTINUITY, {SET, OUT, KEPT_SINCE(NEEDED + 1)});
    PUTS(JTG_ERR_REPLICAS, {SET, REPLY("+OK\r\n"), KEPT_SINCE(NEEDED), .unconfirmed = true});
}

/* ---- a Cluster ---- */

/* "one" and "two" lie on two nodes. */
static void a_loss_at_one_node_is_of_its_bits_alone(void **state)
{
    (void)state;
    set_call(0, "one", 1, NEEDED);
    set_call(1, "two", 2, NEEDED);
    ANSWERS({ONE "1 1 ", REPLY("$1\r\n1\r\n"), KEPT_SINCE(NEEDED)}, {TWO "2 2 ", LOST});
    SAID(JTG_OK, JTG_ERR_TIMEOUT);
    assert_int_equal(scripted.calls, 2);
    assert_string_not_equal(scripted.questions[0].at, scripted.questions[1].at);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_cache, close_cache)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bits_of_one_bitmap_are_one_question),
        TEST(each_past_is_a_question_of_its_own),
        TEST(a_bit_is_given_only_where_all_was_kept),
        TEST(a_bit_that_was_taken_stays_so),
        TEST(what_may_be_done_is_not_asked_again),
        TEST(what_was_left_out_is_asked_again),
        TEST(a_script_that_is_not_known_is_sent_in_full),
        TEST(what_is_no_answer_gives_nothing),
        TEST(a_bitmap_is_made_whole_and_once),
        cmocka_unit_test_setup_teardown(a_loss_at_one_node_is_of_its_bits_alone, open_cluster,
                                        close_cache),
    };
    return cmocka_run_group_tests_name("bitmaps on a server", tests, NULL, NULL);
}
