/* SPDX-License-Identifier: Apache-2.0 */
/* Many reservations at once: what goes out together, and that each comes to what it would have come
 * to alone. What one answer means is test_verdict.c's, what one asks test_reservations.c's. */
#include "redis/scripted_answers.h"

#include "redis/line/deadline.h"

#include <stdio.h>
#include <string.h>

#define SET(key)       "SET t:" key " oooooooooooooooo NX PX 60000 "
#define HOLD(key)      "EVALSHA hold 1 t:" key " oooooooooooooooo 60000 "
#define HOLD_FULL(key) "EVAL hold 1 t:" key " oooooooooooooooo 60000 "
#define OK             REPLY("+OK\r\n")
#define HELD           REPLY("$-1\r\n") /* to SET: another holds it */
#define YES            REPLY(":1\r\n")
#define NO             REPLY(":0\r\n")
#define OUT            REPLY(NULL) /* left out */

#define KEPT_SINCE(ms) .sight = JTGI_SIGHT_KEPT, .since_ms = (ms)
#define LOST           .fate = JTGI_FATE_UNKNOWN
#define UNSENT         .fate = JTGI_FATE_NOT_SENT

#define FIRST  "127.0.0.1:1"
#define SECOND "127.0.0.1:2"

enum { MANY_MAX = 6 };

static jtg_reserve_call calls[MANY_MAX];
static jtg_error errs[MANY_MAX];
static size_t count;

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

/* A call for each character. */
static void call_for(const char *keys, const char *group)
{
    count = strlen(keys);
    assert_in_range(count, 1, MANY_MAX);
    memset(errs, 0, sizeof errs);
    for (size_t i = 0; i < count; i++)
        calls[i] =
            (jtg_reserve_call){.key = {&keys[i], 1, group, group == NULL ? 0 : strlen(group)},
                               .owner = &scripted.owner,
                               .ttl_ms = 60000,
                               .kept_since_ms = JTG_KEPT_ANY,
                               .err = &errs[i]};
}

static void ask(void)
{
    scripted.calls = 0;
    jtg_cache_reserve_many(scripted.cache, calls, count);
    scripted_answers_done();
}

/* SAID(status, …): these, in order. */
#define SAID(...)                                                                                  \
    said((const jtg_status[]){__VA_ARGS__},                                                        \
         sizeof((const jtg_status[]){__VA_ARGS__}) / sizeof(jtg_status))

static void said(const jtg_status *expected, size_t expected_count)
{
    assert_int_equal(count, expected_count);
    for (size_t i = 0; i < expected_count; i++) {
        if (calls[i].status != expected[i])
            fail_msg("call %zu: %s: %s", i, jtg_status_name(calls[i].status), errs[i].text);
        assert_int_equal(calls[i].reserved, expected[i] == JTG_OK);
        if (calls[i].err != NULL)
            assert_err_tells(calls[i].err, expected[i]);
    }
}

/* WENT(call, …): of each question, with which call of a pipeline it went out. */
#define WENT(...)                                                                                  \
    went((const size_t[]){__VA_ARGS__}, sizeof((const size_t[]){__VA_ARGS__}) / sizeof(size_t))

static void went(const size_t *expected, size_t expected_count)
{
    assert_int_equal(scripted.asked, expected_count);
    for (size_t i = 0; i < expected_count; i++)
        assert_int_equal(scripted.questions[i].call, expected[i]);
}

/* ---- rounds ---- */

static void all_go_out_together(void **state)
{
    (void)state;
    call_for("abc", NULL);
    ANSWERS({SET("a"), OK}, {SET("b"), OK}, {SET("c"), OK});
    ask();
    SAID(JTG_OK, JTG_OK, JTG_OK);
    WENT(1, 1, 1);
    for (size_t i = 0; i < 3; i++) {
        const struct jtgi_question *asked = &scripted.questions[i].question;
        assert_true(asked->watched && asked->writes && asked->repeatable);
        assert_true(asked->kept_since_ms == JTGI_KEPT_ANY);
    }
}

/* Whose it is is asked of all that are held in one round, whatever their number. */
static void those_that_are_held_are_asked_about_together(void **state)
{
    (void)state;
    call_for("abcd", NULL);
    ANSWERS({SET("a"), HELD}, {SET("b"), OK}, {SET("c"), HELD}, {SET("d"), HELD}, {HOLD("a"), NO},
            {HOLD("c"), YES}, {HOLD("d"), NO});
    ask();
    SAID(JTG_REPLAYED, JTG_OK, JTG_OK, JTG_REPLAYED);
    WENT(1, 1, 1, 1, 2, 2, 2);
}

static void a_script_that_is_unknown_is_sent_whole(void **state)
{
    (void)state;
    call_for("ab", NULL);
    ANSWERS({SET("a"), HELD}, {SET("b"), HELD}, {HOLD("a"), REPLY("-NOSCRIPT x\r\n")},
            {HOLD("b"), NO}, {HOLD_FULL("a"), YES});
    ask();
    SAID(JTG_OK, JTG_REPLAYED);
    WENT(1, 1, 2, 2, 3);
}

static void one_that_is_refused_leaves_the_others_alone(void **state)
{
    (void)state;
    call_for("abcd", NULL);
    calls[2].err = NULL;
    ANSWERS({SET("a"), OK}, {SET("b"), REPLY("-OOM x\r\n")}, {SET("c"), REPLY("-MISCONF x\r\n")},
            {SET("d"), OK});
    ask();
    SAID(JTG_OK, JTG_ERR_FULL, JTG_ERR_REFUSED, JTG_OK);
    assert_non_null(strstr(errs[1].text, "memory is full"));
}

/* None of them is told as refused that may be done. */
static void an_answer_that_was_lost_is_asked_for_again_by_all(void **state)
{
    (void)state;
    call_for("ab", NULL);
    ANSWERS({SET("a"), LOST}, {SET("b"), LOST}, {SET("a"), HELD}, {SET("b"), OK}, {HOLD("a"), YES});
    ask();
    SAID(JTG_OK, JTG_OK);
    WENT(1, 1, 2, 2, 3);
    call_for("ab", NULL);
    ANSWERS({SET("a"), LOST}, {SET("b"), LOST}, {SET("a"), REPLY("-OOM x\r\n")}, {SET("b"), HELD},
            {HOLD("b"), NO});
    ask();
    SAID(JTG_ERR_TIMEOUT, JTG_REPLAYED);
    call_for("ab", NULL);
    ANSWERS({SET("a"), LOST}, {SET("b"), LOST}, {SET("a"), LOST}, {SET("b"), LOST},
            {SET("a"), LOST}, {SET("b"), LOST}, {SET("a"), LOST}, {SET("b"), LOST});
    ask();
    SAID(JTG_ERR_TIMEOUT, JTG_ERR_TIMEOUT);
}

static void what_was_not_sent_is_sent_again_with_the_rest(void **state)
{
    (void)state;
    call_for("ab", NULL);
    ANSWERS({SET("a"), UNSENT}, {SET("b"), UNSENT}, {SET("a"), OK}, {SET("b"), OK});
    ask();
    SAID(JTG_OK, JTG_OK);
    WENT(1, 1, 2, 2);
    call_for("ab", NULL);
    ANSWERS({SET("a"), UNSENT, .down = true}, {SET("b"), UNSENT, .down = true});
    ask();
    SAID(JTG_ERR_UNAVAILABLE, JTG_ERR_UNAVAILABLE);
}

/* One that has nothing of its answer understood does not take the others along. */
static void nonsense_is_asked_about_again_alone(void **state)
{
    (void)state;
    call_for("abc", NULL);
    ANSWERS({SET("a"), OK}, {SET("b"), REPLY(":7\r\n")}, {SET("c"), OK}, {SET("b"), HELD},
            {HOLD("b"), YES});
    ask();
    SAID(JTG_OK, JTG_OK, JTG_OK);
    WENT(1, 1, 1, 2, 3);
}

/* ---- one key twice ---- */

static void equal_keys_go_out_in_order(void **state)
{
    jtg_owner other;
    (void)state;
    memset(other.bytes, 'p', sizeof other.bytes);
    call_for("aab", NULL);
    calls[1].owner = &other;
    ANSWERS({SET("a"), OK}, {"SET t:a pppppppppppppppp ", HELD}, {SET("b"), OK},
            {"EVALSHA hold 1 t:a pppppppppppppppp ", NO});
    ask();
    SAID(JTG_OK, JTG_REPLAYED, JTG_OK);
    ANSWERS({SET("a"), LOST}, {"SET t:a pppppppppppppppp ", LOST}, {SET("b"), LOST},
            {SET("a"), HELD}, {"SET t:a pppppppppppppppp ", HELD}, {SET("b"), OK}, {HOLD("a"), YES},
            {"EVALSHA hold 1 t:a pppppppppppppppp ", NO});
    ask();
    SAID(JTG_OK, JTG_REPLAYED, JTG_OK);
}

/* ---- what was kept ---- */

static void each_needs_its_own_past(void **state)
{
    (void)state;
    call_for("abc", NULL);
    calls[0].kept_since_ms = 1000;
    calls[1].kept_since_ms = 999;
    ANSWERS({SET("a"), OK, KEPT_SINCE(1000)}, {SET("b"), OUT, KEPT_SINCE(1000)},
            {SET("c"), OK, KEPT_SINCE(1000)});
    ask();
    SAID(JTG_OK, JTG_ERR_CONTINUITY, JTG_OK);
    assert_true(scripted.questions[0].question.kept_since_ms == 1000);
    assert_true(scripted.questions[1].question.kept_since_ms == 999);
    assert_true(scripted.questions[2].question.kept_since_ms == JTGI_KEPT_ANY);
    /* A yes that was relied on nothing is none: the same look of one round trip stands for all. */
    call_for("ab", NULL);
    calls[0].kept_since_ms = 1000;
    calls[1].kept_since_ms = 2000;
    ANSWERS({SET("a"), OK, KEPT_SINCE(1500)}, {SET("b"), OK, KEPT_SINCE(1500)});
    ask();
    SAID(JTG_ERR_CONTINUITY, JTG_OK);
}

/* A marker that is missing is written once for all that miss it, and then they are asked again. */
static void an_unmarked_slot_is_marked_once(void **state)
{
    const struct scripted_answer marked = {
        "EVALSHA mark 1 ", REPLY(scripted_bulk("2 R H 0 0 - 7000 0 00000000000000aa"))};
    (void)state;
    call_for("abc", NULL);
    calls[0].kept_since_ms = calls[1].kept_since_ms = 8000;
    calls[2].kept_since_ms = 1000;
    ANSWERS({SET("a"), OK, .sight = JTGI_SIGHT_UNMARKED},
            {SET("b"), OUT, .sight = JTGI_SIGHT_UNMARKED},
            {SET("c"), OUT, .sight = JTGI_SIGHT_UNMARKED}, marked,
            {SET("a"), HELD, KEPT_SINCE(7000)}, {SET("b"), OK, KEPT_SINCE(7000)},
            {SET("c"), OUT, KEPT_SINCE(7000)}, {HOLD("a"), YES, KEPT_SINCE(7000)});
    ask();
    SAID(JTG_OK, JTG_OK, JTG_ERR_CONTINUITY);
    call_for("ab", NULL);
    calls[0].kept_since_ms = calls[1].kept_since_ms = 1000;
    ANSWERS({SET("a"), OK, .sight = JTGI_SIGHT_UNMARKED},
            {SET("b"), OUT, .sight = JTGI_SIGHT_UNMARKED}, {"EVALSHA mark ", REPLY("-OOM x\r\n")},
            {"EVALSHA mark ", REPLY("-OOM x\r\n")});
    ask();
    SAID(JTG_ERR_TIMEOUT, JTG_ERR_FULL);
}

static void too_few_replicas_are_said_of_each(void **state)
{
    (void)state;
    call_for("ab", NULL);
    ANSWERS({SET("a"), OK, .unconfirmed = true}, {SET("b"), HELD}, {HOLD("b"), NO});
    ask();
    SAID(JTG_ERR_REPLICAS, JTG_REPLAYED);
    assert_int_equal(scripted_answers_stats().too_few_replicas, 1);
}

/* ---- a share of each group ---- */

static void shares_are_asked_for_together(void **state)
{
    (void)state;
    call_for("abc", "issuer");
    calls[2].key.group = NULL;
    calls[2].key.group_len = 0;
    ANSWERS({"EVALSHA share 2 t:a ", YES}, {"EVALSHA share 2 t:b ", REPLY(":-1\r\n")},
            {SET("c"), OK});
    ask();
    SAID(JTG_OK, JTG_ERR_GROUP_FULL, JTG_OK);
    WENT(1, 1, 1);
}

/* ---- nodes ---- */

static bool is_low(const char *key)
{
    struct jtgi_stored_key stored;
    jtg_key wanted = {key, 1, NULL, 0};
    jtgi_stored_reservation(&stored, &scripted.redis->shared.config, &wanted);
    return stored.slot < JTGI_SLOTS / 2;
}

/* Keys of a letter, in such slots: "lhl" is a low one, a high one, another low one. */
static const char *keys_in(const char *places)
{
    static char keys[MANY_MAX + 1];
    char letter[2] = {'a', 'a'};
    memset(keys, 0, sizeof keys);
    for (size_t i = 0; places[i] != '\0'; i++) {
        char *next = &letter[places[i] == 'l'];
        while (is_low(next) != (places[i] == 'l'))
            (*next)++;
        keys[i] = (*next)++;
    }
    return keys;
}

static void asked_at(size_t number, const char *address)
{
    assert_string_equal(scripted.questions[number].at, address);
}

static void each_node_has_one_call(void **state)
{
    (void)state;
    call_for(keys_in("lhlhhl"), NULL);
    ANSWERS({"SET ", OK}, {"SET ", HELD}, {"SET ", OK}, {"SET ", OK}, {"SET ", HELD}, {"SET ", OK},
            {"EVALSHA hold ", NO}, {"EVALSHA hold ", YES});
    ask();
    /* low, low, low; high, high, high; and the second of each */
    SAID(JTG_OK, JTG_OK, JTG_REPLAYED, JTG_OK, JTG_OK, JTG_OK);
    WENT(1, 1, 1, 2, 2, 2, 3, 4);
    for (size_t i = 0; i < 3; i++) {
        asked_at(i, FIRST);
        asked_at(3 + i, SECOND);
    }
}

/* One that hangs leaves half of the time to the other. */
static void the_time_is_shared(void **state)
{
    (void)state;
    call_for(keys_in("lh"), NULL);
    ANSWERS({"SET ", OK}, {"SET ", OK});
    ask();
    int64_t first_ns = scripted.questions[0].deadline_ns;
    int64_t last_ns = scripted.questions[1].deadline_ns;
    assert_in_range(last_ns - first_ns, 25 * JTGI_NS_PER_S, 31 * JTGI_NS_PER_S);
    call_for(keys_in("l"), NULL);
    ANSWERS({"SET ", OK});
    ask();
    assert_in_range(scripted.questions[0].deadline_ns - last_ns, 0, 25 * JTGI_NS_PER_S);
}

static void one_that_has_moved_is_followed_alone(void **state)
{
    char moved[64];
    struct jtgi_stored_key stored;
    (void)state;
    call_for(keys_in("ll"), NULL);
    jtgi_stored_reservation(&stored, &scripted.redis->shared.config, &calls[0].key);
    (void)snprintf(moved, sizeof moved, "-MOVED %u " SECOND "\r\n", stored.slot);
    ANSWERS({"SET ", REPLY(moved)}, {"SET ", OK}, {"SET ", OK});
    ask();
    SAID(JTG_OK, JTG_OK);
    WENT(1, 1, 2);
    asked_at(2, SECOND);
    assert_int_equal(scripted_answers_stats().redirects, 1);
}

/* Some wait for a moment, once. */
static void slots_that_are_moving_wait_together(void **state)
{
    (void)state;
    call_for(keys_in("lhl"), NULL);
    ANSWERS({"SET ", REPLY("-TRYAGAIN x\r\n")}, {"SET ", REPLY("-TRYAGAIN x\r\n")},
            {"SET ", REPLY("-CLUSTERDOWN x\r\n")}, {"SET ", OK}, {"SET ", HELD}, {"SET ", OK},
            {"EVALSHA hold ", NO});
    ask();
    SAID(JTG_OK, JTG_OK, JTG_REPLAYED);
    WENT(1, 1, 2, 3, 3, 4, 5);
}

/* The nodes of a Cluster fail each by itself. */
static void a_node_that_is_down_takes_its_own_along(void **state)
{
    (void)state;
    call_for(keys_in("lhl"), NULL);
    ANSWERS({"SET ", UNSENT, .down = true}, {"SET ", UNSENT, .down = true}, {"SET ", OK});
    ask();
    SAID(JTG_ERR_UNAVAILABLE, JTG_OK, JTG_ERR_UNAVAILABLE);
    call_for(keys_in("hlh"), NULL);
    ANSWERS({"SET ", LOST}, {"SET ", LOST}, {"SET ", OK}, {"SET ", HELD}, {"SET ", OK},
            {"EVALSHA hold ", YES});
    ask();
    SAID(JTG_OK, JTG_OK, JTG_OK);
}

static void every_node_that_was_asked_is_let_go(void **state)
{
    (void)state;
    call_for(keys_in("lhlh"), NULL);
    ANSWERS({"SET ", UNSENT}, {"SET ", UNSENT}, {"SET ", OK}, {"SET ", REPLY("-ERR x\r\n")},
            {"SET ", OK}, {"SET ", OK});
    ask();
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(scripted.redis->route.nodes.list[i]->refs, 1);
}

#define CACHE(name)   cmocka_unit_test_setup_teardown(name, open_cache, close_cache)
#define CLUSTER(name) cmocka_unit_test_setup_teardown(name, open_cluster, close_cache)
#define SHARING(name) cmocka_unit_test_setup_teardown(name, open_sharing, close_cache)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE(all_go_out_together),
        CACHE(those_that_are_held_are_asked_about_together),
        CACHE(a_script_that_is_unknown_is_sent_whole),
        CACHE(one_that_is_refused_leaves_the_others_alone),
        CACHE(an_answer_that_was_lost_is_asked_for_again_by_all),
        CACHE(what_was_not_sent_is_sent_again_with_the_rest),
        CACHE(nonsense_is_asked_about_again_alone),
        CACHE(equal_keys_go_out_in_order),
        CACHE(each_needs_its_own_past),
        CACHE(an_unmarked_slot_is_marked_once),
        CACHE(too_few_replicas_are_said_of_each),
        SHARING(shares_are_asked_for_together),
        CLUSTER(each_node_has_one_call),
        CLUSTER(the_time_is_shared),
        CLUSTER(one_that_has_moved_is_followed_alone),
        CLUSTER(slots_that_are_moving_wait_together),
        CLUSTER(a_node_that_is_down_takes_its_own_along),
        CLUSTER(every_node_that_was_asked_is_let_go),
    };
    return cmocka_run_group_tests_name("reserve_many", tests, NULL, NULL);
}
