/* SPDX-License-Identifier: Apache-2.0 */
/* Many reservations in one round trip with a server or a network that refuses, hangs, cuts and
 * lies: the call ends by its one deadline, no answer of one is taken for that of another, and none
 * is admitted that the server did not say. */
#include "redis/scripted_cache.h"

#include <stdbool.h>
#include <string.h>

enum { MANY_MAX = 4 };

#define SET(key)                                                                                   \
    {                                                                                              \
        SCRIPT_EXPECT, "SET t:" key, 0                                                             \
    }
#define HOLD                                                                                       \
    {                                                                                              \
        SCRIPT_EXPECT, "EVALSHA", 0                                                                \
    }
#define EXPECT_SEAL                                                                                \
    {                                                                                              \
        SCRIPT_EXPECT_SEAL, NULL, 0                                                                \
    }

static jtg_reserve_call calls[MANY_MAX];
static jtg_error errs[MANY_MAX];

/* A call for each letter, within one deadline. */
static void reserve(struct scripted_cache *s, const char *keys)
{
    for (size_t i = 0; keys[i] != '\0'; i++)
        calls[i] = (jtg_reserve_call){.key = {&keys[i], 1, NULL, 0},
                                      .owner = &s->owner,
                                      .ttl_ms = 60000,
                                      .kept_since_ms = JTG_KEPT_ANY,
                                      .err = &errs[i],
                                      .reserved = true};
    scripted_reserve_many(s, calls, strlen(keys));
}

#define SAID(...)                                                                                  \
    said((const jtg_status[]){__VA_ARGS__},                                                        \
         sizeof((const jtg_status[]){__VA_ARGS__}) / sizeof(jtg_status))

static void said(const jtg_status *expected, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (calls[i].status != expected[i])
            fail_msg("call %zu: %s: %s", i, jtg_status_name(calls[i].status), errs[i].text);
        assert_int_equal(calls[i].reserved, expected[i] == JTG_OK);
        assert_err_tells(&errs[i], expected[i]);
    }
}

/* ---- round trips ---- */

static void all_share_a_round_trip(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, SET("a"), SET("b"), SET("c"), SET("d"), EXPECT_SEAL,
                        SEND("+OK\r\n$-1\r\n+OK\r\n$-1\r\n"), SEAL, HOLD, HOLD, EXPECT_SEAL,
                        SEND(":0\r\n:1\r\n"), SEAL);
    reserve(&s, "abcd");
    SAID(JTG_OK, JTG_REPLAYED, JTG_OK, JTG_OK);
    jtg_redis_stats stats = scripted_stats(&s);
    assert_int_equal(stats.batches, 2);
    assert_int_equal(stats.requests, 6);
    assert_int_equal(stats.max_batch, 4);
    scripted_cache_close(&s);
}

static void an_error_is_of_one(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, SET("a"), SET("b"), SET("c"), EXPECT_SEAL,
                        SEND("+OK\r\n-OOM x\r\n+OK\r\n"), SEAL);
    reserve(&s, "abc");
    SAID(JTG_OK, JTG_ERR_FULL, JTG_OK);
    scripted_cache_close(&s);
}

/* One that condemns the connection says nothing of the answers under its seal. */
static void an_error_that_closes_the_line_is_of_one_too(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, SET("a"), SET("b"), EXPECT_SEAL,
                        SEND("-READONLY x\r\n+OK\r\n"), SEAL, CLOSED);
    reserve(&s, "ab");
    SAID(JTG_ERR_UNAVAILABLE, JTG_OK);
    scripted_cache_close(&s);
}

/* ---- lies ---- */

/* A reply too few: the seal is taken for it, and what comes then is no seal. */
static void a_reply_too_few_is_no_answer_to_any(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, SET("a"), SET("b"), SET("c"), EXPECT_SEAL,
                        SEND("+OK\r\n+OK\r\n"), SEAL, SEND("+OK\r\n"), SCRIPT_HANDSHAKE, SET("a"),
                        SET("b"), SET("c"), EXPECT_SEAL, SEND("$-1\r\n$-1\r\n$-1\r\n"), SEAL, HOLD,
                        HOLD, HOLD, EXPECT_SEAL, SEND(":0\r\n:0\r\n:0\r\n"), SEAL);
    reserve(&s, "abc");
    SAID(JTG_REPLAYED, JTG_REPLAYED, JTG_REPLAYED);
    scripted_cache_close(&s);
}

static void a_reply_too_many_is_no_answer_to_any(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, SET("a"), SET("b"), EXPECT_SEAL,
                        SEND("+OK\r\n+OK\r\n+OK\r\n"), SEAL, SCRIPT_HANDSHAKE, SET("a"), SET("b"),
                        EXPECT_SEAL, SEND("+OK\r\n$-1\r\n"), SEAL, HOLD, EXPECT_SEAL,
                        SEND(":0\r\n"), SEAL);
    reserve(&s, "ab");
    SAID(JTG_OK, JTG_REPLAYED);
    scripted_cache_close(&s);
}

/* ---- every byte of the answers as the place of a cut ---- */

static const char answers[] = "+OK\r\n$-1\r\n+OK\r\n";

enum { ANSWER_BYTES = sizeof answers - 1, SEAL_BYTES = 5 + 16 + 2 };

static unsigned part(unsigned cut, unsigned from, unsigned len)
{
    return cut <= from ? 0 : cut - from < len ? cut - from : len;
}

/* Whatever has come of them, none counts before the seal; a second connection tells the truth. */
static void every_cut_is_judged_by_what_is_settled(void **state)
{
    (void)state;
    for (unsigned cut = 0; cut < ANSWER_BYTES + SEAL_BYTES; cut++) {
        struct scripted_cache s;
        scripted_cache_open(&s, SCRIPT_HANDSHAKE, SET("a"), SET("b"), SET("c"), EXPECT_SEAL,
                            {SCRIPT_SEND_BYTES, answers, part(cut, 0, ANSWER_BYTES)},
                            {SCRIPT_SEND_SEAL_CUT, NULL, part(cut, ANSWER_BYTES, SEAL_BYTES)},
                            CLOSE, SCRIPT_HANDSHAKE, SET("a"), SET("b"), SET("c"), EXPECT_SEAL,
                            SEND("$-1\r\n$-1\r\n$-1\r\n"), SEAL, HOLD, HOLD, HOLD, EXPECT_SEAL,
                            SEND(":1\r\n:0\r\n:0\r\n"), SEAL);
        reserve(&s, "abc");
        SAID(JTG_OK, JTG_REPLAYED, JTG_REPLAYED);
        assert_int_equal(scripted_stats(&s).asked_again, 3);
        scripted_cache_close(&s);
    }
}

static void a_cut_that_cannot_be_settled_is_unknown_of_all(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, SET("a"), SET("b"), EXPECT_SEAL, SEND("+OK\r\n"),
                        DEAF, CLOSE);
    reserve(&s, "ab");
    SAID(JTG_ERR_TIMEOUT, JTG_ERR_TIMEOUT);
    scripted_cache_close(&s);
}

/* ---- time ---- */

/* One deadline, whatever their number. */
static void a_server_that_hangs_is_waited_for_once(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, SET("a"), SET("b"), SET("c"), SET("d"), EXPECT_SEAL,
                        SEND("+OK\r\n+OK\r\n"), CLOSED);
    reserve(&s, "abcd");
    SAID(JTG_ERR_TIMEOUT, JTG_ERR_TIMEOUT, JTG_ERR_TIMEOUT, JTG_ERR_TIMEOUT);
    assert_true(s.took_ms >= SCRIPTED_SHORT_MS - 1);
    scripted_cache_close(&s);
}

/* The second round has only what the first has left: what it was about is known to be another's or
 * ours, but not which. */
static void a_server_that_hangs_in_the_second_round(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, SET("a"), SET("b"), SET("c"), EXPECT_SEAL,
                        SEND("$-1\r\n+OK\r\n$-1\r\n"), SEAL, HOLD, HOLD, EXPECT_SEAL, CLOSED);
    reserve(&s, "abc");
    SAID(JTG_ERR_TIMEOUT, JTG_OK, JTG_ERR_TIMEOUT);
    scripted_cache_close(&s);
}

static void a_server_that_cannot_be_reached_refuses_each(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, ACCEPT, CLOSE);
    reserve(&s, "abcd");
    SAID(JTG_ERR_UNAVAILABLE, JTG_ERR_UNAVAILABLE, JTG_ERR_UNAVAILABLE, JTG_ERR_UNAVAILABLE);
    scripted_cache_close(&s);
}

#define PATIENT(name)   cmocka_unit_test_setup(name, scripted_patient)
#define IMPATIENT(name) cmocka_unit_test_setup(name, scripted_impatient)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PATIENT(all_share_a_round_trip),
        PATIENT(an_error_is_of_one),
        PATIENT(an_error_that_closes_the_line_is_of_one_too),
        PATIENT(a_reply_too_few_is_no_answer_to_any),
        PATIENT(a_reply_too_many_is_no_answer_to_any),
        PATIENT(every_cut_is_judged_by_what_is_settled),
        PATIENT(a_cut_that_cannot_be_settled_is_unknown_of_all),
        IMPATIENT(a_server_that_hangs_is_waited_for_once),
        IMPATIENT(a_server_that_hangs_in_the_second_round),
        PATIENT(a_server_that_cannot_be_reached_refuses_each),
    };
    return cmocka_run_group_tests_name("many, scripted", tests, NULL, NULL);
}
