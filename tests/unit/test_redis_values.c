/* SPDX-License-Identifier: Apache-2.0 */
/* put, get, take, swap and drop on a server: which script, and what an answer means. */
#include "redis/scripted_answers.h"

#include <string.h>

#define LOST .fate = JTGI_FATE_UNKNOWN
#define YES  REPLY(":1\r\n")
#define NO   REPLY(":0\r\n")
#define PAIR REPLY("*2\r\n$2\r\nv1\r\n:70\r\n")
#define KEY  " 1 t:?v:key "
#define PUT  "EVALSHA put" KEY "v1 70 3 "
#define GET  "EVALSHA get" KEY
#define TAKE "EVALSHA take" KEY
#define SWAP "EVALSHA swap" KEY "v1 v22 70 "
#define DROP "EVALSHA drop" KEY

static const jtg_key key = {"key", 3, NULL, 0};
static jtg_value value;

static int open_cache(void **state)
{
    (void)state;
    scripted_answers_open(NULL);
    return 0;
}

static int close_cache(void **state)
{
    (void)state;
    jtg_value_clear(&value);
    scripted_answers_close();
    return 0;
}

static jtg_status put(void)
{
    return jtg_cache_put(scripted.cache, &key, "v1", 2, 70, 3, &scripted.err);
}

static jtg_status get(void)
{
    jtg_value_clear(&value);
    return jtg_cache_get(scripted.cache, &key, &value, &scripted.err);
}

static jtg_status take(void)
{
    jtg_value_clear(&value);
    return jtg_cache_take(scripted.cache, &key, &value, &scripted.err);
}

static jtg_status swap(void)
{
    return jtg_cache_swap(scripted.cache, &key, "v1", 2, "v22", 3, 70, &scripted.err);
}

static jtg_status drop(void)
{
    return jtg_cache_drop(scripted.cache, &key, &scripted.err);
}

#define ENDS(call, status, ...)                                                                    \
    do {                                                                                           \
        ANSWERS(__VA_ARGS__);                                                                      \
        assert_status(call(), status);                                                             \
        scripted_answers_done();                                                                   \
        scripted.err.text[0] = '\0';                                                               \
    } while (0)

static void each_has_its_script(void **state)
{
    (void)state;
    ENDS(put, JTG_OK, {PUT, YES});
    ENDS(swap, JTG_OK, {SWAP, YES});
    ENDS(swap, JTG_MISMATCH, {SWAP, NO});
    ENDS(drop, JTG_OK, {DROP, YES});
    ENDS(drop, JTG_NOT_FOUND, {DROP, NO});
    ENDS(get, JTG_NOT_FOUND, {GET, REPLY("$-1\r\n")});
    ENDS(take, JTG_NOT_FOUND, {TAKE, REPLY("$-1\r\n")});
}

static void a_value_comes_with_what_it_has_left(void **state)
{
    (void)state;
    ENDS(get, JTG_OK, {GET, PAIR});
    assert_int_equal(value.data_len, 2);
    assert_memory_equal(value.data, "v1", 2);
    assert_int_equal(value.ttl_ms, 70);
    ENDS(take, JTG_OK, {TAKE, PAIR});
    assert_memory_equal(value.data, "v1", 2);
}

/* To put, take, swap or drop twice is to do something else. */
static void only_a_get_is_repeated(void **state)
{
    (void)state;
    ENDS(put, JTG_ERR_TIMEOUT, {PUT, LOST});
    assert_false(scripted.questions[0].question.repeatable);
    assert_true(scripted.questions[0].question.writes);
    ENDS(swap, JTG_ERR_TIMEOUT, {SWAP, LOST});
    ENDS(drop, JTG_ERR_TIMEOUT, {DROP, LOST, .ended = true});
    ENDS(take, JTG_ERR_TIMEOUT, {TAKE, LOST});
    assert_true(scripted.questions[0].question.writes);
    ENDS(get, JTG_OK, {GET, LOST}, {GET, PAIR});
    assert_true(scripted.questions[0].question.repeatable);
    assert_false(scripted.questions[0].question.writes);
    ENDS(get, JTG_ERR_UNAVAILABLE, {GET, LOST}, {GET, LOST});
}

/* Whether it was done stays open; of what only reads there is nothing to leave open. */
static void what_is_no_answer_settles_nothing(void **state)
{
    static const char *const replies[] = {":2\r\n", ":-1\r\n", "+OK\r\n", "$1\r\n1\r\n", "*0\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        ENDS(put, JTG_ERR_TIMEOUT, {PUT, REPLY(replies[i])});
        ENDS(swap, JTG_ERR_TIMEOUT, {SWAP, REPLY(replies[i])});
        ENDS(drop, JTG_ERR_TIMEOUT, {DROP, REPLY(replies[i])});
        ENDS(take, JTG_ERR_TIMEOUT, {TAKE, REPLY(replies[i])});
        ENDS(get, JTG_ERR_PROTOCOL, {GET, REPLY(replies[i])});
    }
    ENDS(put, JTG_ERR_TIMEOUT, {PUT, NO});
    ENDS(put, JTG_ERR_FULL, {PUT, REPLY("-OOM x\r\n")});
    ENDS(get, JTG_ERR_REFUSED, {GET, REPLY("-NOPERM x\r\n")});
    ENDS(take, JTG_ERR_REFUSED, {TAKE, REPLY("-WRONGTYPE x\r\n")});
}

/* A value that a replica may still hold is not handed out. */
static void too_few_replicas_are_no_success(void **state)
{
    (void)state;
    ENDS(put, JTG_ERR_REPLICAS, {PUT, YES, .unconfirmed = true});
    ENDS(swap, JTG_MISMATCH, {SWAP, NO, .unconfirmed = true});
    ENDS(drop, JTG_ERR_REPLICAS, {DROP, YES, .unconfirmed = true});
    ENDS(take, JTG_ERR_REPLICAS, {TAKE, PAIR, .unconfirmed = true});
    assert_null(value.data);
    ENDS(get, JTG_OK, {GET, PAIR, .unconfirmed = true});
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_cache, close_cache)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_has_its_script),
        TEST(a_value_comes_with_what_it_has_left),
        TEST(only_a_get_is_repeated),
        TEST(what_is_no_answer_settles_nothing),
        TEST(too_few_replicas_are_no_success),
    };
    return cmocka_run_group_tests_name("values on a server", tests, NULL, NULL);
}
