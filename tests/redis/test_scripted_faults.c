/* SPDX-License-Identifier: Apache-2.0 */
/* What a server or the network may do: refuse, hang, drip, cut. No call outlives its deadline,
 * and none admits what the server did not say. */
#include "redis/ask/store.h"
#include "redis/line/deadline.h"
#include "redis/scripted_cache.h"
#include "support/test_clock.h"

#include <string.h>

#include <stdbool.h>

#define HELD_BY(number) SEND("$-1\r\n"), SEAL, EXPECT("EVALSHA"), SEND(number "\r\n"), SEAL

/* ---- before anything was sent: certainly not stored ---- */

/* The pause behind a failure is one of the clock, which stands still here. */
static void a_refused_connection_is_unreachable(void **state)
{
    struct scripted_cache s;
    struct test_clock still;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    test_clock_init(&still);
    jtg_clock clock = test_clock_as_jtg(&still);
    options.clock = &clock;
    options.continuity = 0;
    scripted_cache_open_with(&s, &options, SCRIPT(DEAF), COUNT_OF(DEAF));
    assert_null(scripted_server_end(&s.server));
    assert_status(scripted_reserve(&s, "jti"), JTG_ERR_UNAVAILABLE);
    assert_true(s.took_ms < SCRIPTED_LONG_MS);
    assert_status(scripted_reserve(&s, "jti"), JTG_ERR_UNAVAILABLE);
    jtg_redis_stats stats = scripted_stats(&s);
    assert_int_equal(stats.up, 0);
    assert_int_equal(stats.connect_failures, 1);
    assert_int_equal(stats.refused_at_once, 1);
    jtg_cache_free(s.cache);
}

static void a_server_that_says_nothing_is_unreachable(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, ACCEPT, {SCRIPT_EXPECT, "INFO", 0}, CLOSED);
    assert_status(scripted_reserve(&s, "jti"), JTG_ERR_UNAVAILABLE);
    assert_true(s.took_ms >= SCRIPTED_SHORT_MS - 1);
    scripted_cache_close(&s);
}

static void a_server_that_drips_its_greeting_is_unreachable(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, ACCEPT, {SCRIPT_EXPECT, "INFO", 0},
                        {SCRIPT_DRIP, "$400\r\n# Server\r\nredis_version:7.0.15\r\n", 10}, CLOSED);
    assert_status(scripted_reserve(&s, "jti"), JTG_ERR_UNAVAILABLE);
    scripted_cache_close(&s);
}

/* Each attempt gets its answer at once; only one of several callers makes it. */
static void a_server_that_closes_at_once_is_unreachable(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, ACCEPT, CLOSE);
    assert_status(scripted_reserve(&s, "jti"), JTG_ERR_UNAVAILABLE);
    assert_true(s.took_ms < SCRIPTED_LONG_MS);
    scripted_cache_close(&s);
}

/* Its host was written by whoever configured it, and may be a password in the wrong place. */
static void a_single_server_is_not_named(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, ACCEPT, CLOSE);
    assert_status(scripted_reserve(&s, "jti"), JTG_ERR_UNAVAILABLE);
    assert_null(strstr(s.err.text, "127.0.0.1"));
    scripted_cache_close(&s);
}

/* ---- PING, on which everything rests, is not there ---- */

#define PING_ANSWERED(words)                                                                       \
    {SCRIPT_SEES_PING, NULL, 0}, ACCEPT, {SCRIPT_EXPECT, "INFO", 0}, {SCRIPT_SEND_INFO, NULL, 0},  \
        {SCRIPT_EXPECT, "PING jtiguard", 0}, SEND(words)

/* Nothing was asked of it yet: a refusal, and not for ever a thing that may have been done. */
static void a_server_without_ping_is_refused(void **state)
{
    static const struct {
        const char *words;
        jtg_status status;
        const char *told;
    } cases[] = {
        {"-ERR unknown command 'PING', with args beginning with: 'jtiguard' \r\n", JTG_ERR_REFUSED,
         "PING was refused: the server does not know the command"},
        {"-NOPERM this user has no permissions to run the 'ping' command\r\n", JTG_ERR_REFUSED,
         "PING was refused: the ACL user may not"},
        {"-ERR what nobody knows\r\n", JTG_ERR_REFUSED, "PING was refused"},
        {"+PONG\r\n", JTG_ERR_PROTOCOL, "PING was answered with something else"},
        {"$8\r\njtiguarD\r\n", JTG_ERR_PROTOCOL, "PING was answered with something else"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scripted_cache s;
        scripted_cache_open(&s, PING_ANSWERED(cases[i].words), CLOSED);
        assert_status(scripted_reserve(&s, "jti"), cases[i].status);
        assert_non_null(strstr(s.err.text, cases[i].told));
        scripted_cache_close(&s);
    }
}

/* It knows PING, and is for the gate. */
static void a_server_that_is_busy_has_ping(void **state)
{
    static const char *const words[] = {"-LOADING x\r\n", "-MASTERDOWN x\r\n", "-BUSY x\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct scripted_cache s;
        scripted_cache_open(&s, PING_ANSWERED(words[i]), {SCRIPT_EXPECT, "SET", 0},
                            {SCRIPT_EXPECT_SEAL, NULL, 0}, SEND("+OK\r\n"), SEAL);
        assert_status(scripted_reserve(&s, "jti"), JTG_OK);
        scripted_cache_close(&s);
    }
}

/* twemproxy 0.5 answers INFO, and all that it does not know, by closing. */
static void a_proxy_that_closes_is_told(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, ACCEPT, {SCRIPT_EXPECT, "INFO", 0}, CLOSE);
    assert_status(scripted_reserve(&s, "jti"), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(s.err.text, "in place of an answer to INFO: by a proxy"));
    scripted_cache_close(&s);
}

/* ---- after it was sent: unknown, and nothing else ---- */

static void silence_is_an_unknown_outcome(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"), CLOSED);
    assert_status(scripted_reserve(&s, "jti"), JTG_ERR_TIMEOUT);
    assert_true(s.took_ms >= SCRIPTED_SHORT_MS - 1);
    assert_int_equal(scripted_stats(&s).poisoned, 1);
    scripted_cache_close(&s);
}

static void a_dripped_answer_is_an_unknown_outcome(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"),
                        {SCRIPT_DRIP, "+OK\r\n$16\r\n0000000000000000\r\n", 50}, CLOSED);
    assert_status(scripted_reserve(&s, "jti"), JTG_ERR_TIMEOUT);
    scripted_cache_close(&s);
}

static void an_endless_answer_is_an_unknown_outcome(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"), SEND("$500000000\r\nabc"), CLOSED);
    assert_status(scripted_reserve(&s, "jti"), JTG_ERR_TIMEOUT);
    scripted_cache_close(&s);
}

static void an_answer_without_its_seal_is_an_unknown_outcome(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"), SEND("+OK\r\n"), CLOSED);
    assert_status(scripted_reserve(&s, "jti"), JTG_ERR_TIMEOUT);
    scripted_cache_close(&s);
}

/* The incident of many clients: the answer to the call that timed out comes late, and is read by
 * the next one. Here the next call has another connection, and is told the truth. */
static void a_late_answer_is_nobodys(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"),
                        {SCRIPT_WAIT, NULL, SCRIPTED_SHORT_MS * 2}, SEND("+OK\r\n"), SEAL,
                        SCRIPT_HANDSHAKE, EXPECT("SET"), HELD_BY(":0"));
    assert_status(scripted_reserve(&s, "jti"), JTG_ERR_TIMEOUT);
    assert_status(scripted_reserve(&s, "jti"), JTG_REPLAYED);
    scripted_cache_close(&s);
}

static void a_cut_is_settled_by_the_same_owner(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"), CLOSE, SCRIPT_HANDSHAKE, EXPECT_SAME,
                        HELD_BY(":1"));
    assert_status(scripted_reserve(&s, "jti"), JTG_OK);
    jtg_redis_stats stats = scripted_stats(&s);
    assert_int_equal(stats.unknown, 1);
    assert_int_equal(stats.asked_again, 1);
    scripted_cache_close(&s);

    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"), RESET, SCRIPT_HANDSHAKE, EXPECT_SAME,
                        HELD_BY(":0"));
    assert_status(scripted_reserve(&s, "jti"), JTG_REPLAYED);
    scripted_cache_close(&s);

    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"), CLOSE, SCRIPT_HANDSHAKE, EXPECT_SAME,
                        SEND("+OK\r\n"), SEAL);
    assert_status(scripted_reserve(&s, "jti"), JTG_OK);
    scripted_cache_close(&s);
}

/* The key may be ours: that the store cannot be reached any more makes it no less unknown. */
static void a_cut_that_cannot_be_settled_stays_unknown(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"), DEAF, CLOSE);
    assert_status(scripted_reserve(&s, "jti"), JTG_ERR_TIMEOUT);
    assert_true(s.took_ms < SCRIPTED_LONG_MS);
    assert_err_tells(&s.err, JTG_ERR_TIMEOUT);
    scripted_cache_close(&s);

    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"), CLOSE, SCRIPT_HANDSHAKE, EXPECT_SAME,
                        SEND("-OOM x\r\n"), SEAL);
    assert_status(scripted_reserve(&s, "jti"), JTG_ERR_TIMEOUT);
    scripted_cache_close(&s);
}

static void a_release_that_was_cut_is_asked_again(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("EVALSHA"), CLOSE, SCRIPT_HANDSHAKE,
                        EXPECT_SAME, SEND(":-1\r\n"), SEAL);
    assert_status(scripted_release(&s, "jti"), JTG_OK);
    scripted_cache_close(&s);
}

/* To do any of these twice is to do something else. */
static void a_value_that_was_cut_is_not_asked_again(void **state)
{
    static const jtg_key key = {"k", 1, NULL, 0};
    jtg_value value = JTG_VALUE_INIT;
    struct scripted_cache s;
    (void)state;
    for (unsigned which = 0; which < 4; which++) {
        scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("EVALSHA"), CLOSE, DEAF);
        jtg_status status = which == 0   ? jtg_cache_take(s.cache, &key, &value, &s.err)
                            : which == 1 ? jtg_cache_put(s.cache, &key, "v", 1, 1000, 1, &s.err)
                            : which == 2 ? jtg_cache_swap(s.cache, &key, "v", 1, NULL, 0, 0, &s.err)
                                         : jtg_cache_drop(s.cache, &key, &s.err);
        assert_status(status, JTG_ERR_TIMEOUT);
        assert_int_equal(scripted_stats(&s).asked_again, 0);
        scripted_cache_close(&s);
    }
}

static void a_read_that_was_cut_is_asked_again(void **state)
{
    static const jtg_key key = {"k", 1, NULL, 0};
    jtg_value value = JTG_VALUE_INIT;
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("EVALSHA"), CLOSE, SCRIPT_HANDSHAKE,
                        EXPECT_SAME, SEND("*2\r\n$3\r\nabc\r\n:7\r\n"), SEAL);
    assert_status(jtg_cache_get(s.cache, &key, &value, &s.err), JTG_OK);
    assert_int_equal(value.data_len, 3);
    assert_memory_equal(value.data, "abc", 3);
    assert_int_equal(value.ttl_ms, 7);
    jtg_value_clear(&value);
    scripted_cache_close(&s);
}

/* ---- a connection that leads nowhere, without a word ---- */

/* A second or more ago, as the pipeline has it. */
static void let_it_idle(const struct scripted_cache *s)
{
    struct jtgi_connection *connection = scripted_connection(s);
    assert_non_null(connection);
    connection->use.used_ns -= JTGI_NS_PER_S;
}

enum { HALVED_MS = 6 * SCRIPTED_SHORT_MS };

#define ALIVE SCRIPT_HANDSHAKE, EXPECT("SET"), SEND("+OK\r\n"), SEAL
#define SILENT                                                                                     \
    {                                                                                              \
        SCRIPT_EXPECT_CLOSE, NULL, 0                                                               \
    }

static int scripted_halved(void **state)
{
    (void)state;
    scripted_timeout_ms = HALVED_MS;
    return 0;
}

static void a_dead_idle_connection_costs_half_of_the_time(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, ALIVE, EXPECT("SET"), SILENT, SCRIPT_HANDSHAKE, EXPECT_SAME,
                        SEND("+OK\r\n"), SEAL);
    assert_status(scripted_reserve(&s, "one"), JTG_OK);
    let_it_idle(&s);
    assert_status(scripted_reserve(&s, "two"), JTG_OK);
    assert_true(s.took_ms >= HALVED_MS / 2 - 1);
    jtg_redis_stats stats = scripted_stats(&s);
    assert_int_equal(stats.asked_again, 1);
    assert_int_equal(stats.connects, 2);
    scripted_cache_close(&s);
}

/* Never twice the time, and what is not known stays unknown. */
static void two_dead_connections_cost_the_time_once(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, ALIVE, EXPECT("SET"), SILENT, SCRIPT_HANDSHAKE, EXPECT_SAME, SILENT);
    assert_status(scripted_reserve(&s, "one"), JTG_OK);
    let_it_idle(&s);
    assert_status(scripted_reserve(&s, "two"), JTG_ERR_TIMEOUT); /* which is held to the deadline */
    assert_true(s.took_ms >= HALVED_MS - 1);
    scripted_cache_close(&s);
}

static void a_busy_connection_has_all_of_the_time(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, ALIVE, EXPECT("SET"), {SCRIPT_WAIT, NULL, HALVED_MS * 2 / 3},
                        SEND("+OK\r\n"), SEAL);
    assert_status(scripted_reserve(&s, "one"), JTG_OK);
    assert_status(scripted_reserve(&s, "two"), JTG_OK);
    assert_int_equal(scripted_stats(&s).asked_again, 0);
    scripted_cache_close(&s);
}

static void a_slow_server_is_waited_for_within_half(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, ALIVE, EXPECT("SET"), {SCRIPT_WAIT, NULL, HALVED_MS / 4},
                        SEND("+OK\r\n"), SEAL);
    assert_status(scripted_reserve(&s, "one"), JTG_OK);
    let_it_idle(&s);
    assert_status(scripted_reserve(&s, "two"), JTG_OK);
    assert_int_equal(scripted_stats(&s).connects, 1);
    scripted_cache_close(&s);
}

/* It had acted, and was slow to say so: the same owner asks, and is told. It costs a connection. */
static void a_server_that_is_slower_is_asked_twice(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, ALIVE, EXPECT("SET"), SILENT, SCRIPT_HANDSHAKE, EXPECT_SAME,
                        HELD_BY(":1"));
    assert_status(scripted_reserve(&s, "one"), JTG_OK);
    let_it_idle(&s);
    assert_status(scripted_reserve(&s, "two"), JTG_OK);
    scripted_cache_close(&s);
}

/* It lives: something has come. */
static void an_answer_that_has_begun_has_all_of_the_time(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, ALIVE, EXPECT("SET"), SEND("+O"),
                        {SCRIPT_WAIT, NULL, HALVED_MS * 2 / 3}, SEND("K\r\n"), SEAL);
    assert_status(scripted_reserve(&s, "one"), JTG_OK);
    let_it_idle(&s);
    assert_status(scripted_reserve(&s, "two"), JTG_OK);
    assert_int_equal(scripted_stats(&s).connects, 1);
    scripted_cache_close(&s);
}

/* What must not be done twice is not asked twice, and so has all of the time. */
static void a_value_is_waited_for_as_before(void **state)
{
    static const jtg_key key = {"k", 1, NULL, 0};
    struct scripted_cache s;
    jtg_value value = JTG_VALUE_INIT;
    (void)state;
    if (scripted_is_looped()) /* values have another line then */
        skip();
    for (unsigned which = 0; which < 4; which++) {
        static const char *const answers[] = {"$-1\r\n", ":1\r\n", ":1\r\n", ":1\r\n"};
        scripted_cache_open(&s, ALIVE, EXPECT("EVALSHA"), {SCRIPT_WAIT, NULL, HALVED_MS * 2 / 3},
                            SEND(answers[which]), SEAL);
        assert_status(scripted_reserve(&s, "one"), JTG_OK);
        let_it_idle(&s);
        jtg_status status = which == 0   ? jtg_cache_take(s.cache, &key, &value, &s.err)
                            : which == 1 ? jtg_cache_put(s.cache, &key, "v", 1, 1000, 1, &s.err)
                            : which == 2 ? jtg_cache_swap(s.cache, &key, "v", 1, NULL, 0, 0, &s.err)
                                         : jtg_cache_drop(s.cache, &key, &s.err);
        assert_status(status, which == 0 ? JTG_NOT_FOUND : JTG_OK);
        assert_int_equal(scripted_stats(&s).connects, 1);
        scripted_cache_close(&s);
    }
}

static void what_only_reads_is_asked_twice(void **state)
{
    static const jtg_key key = {"k", 1, NULL, 0};
    struct scripted_cache s;
    jtg_value value = JTG_VALUE_INIT;
    (void)state;
    if (scripted_is_looped()) /* values have another line then */
        skip();
    scripted_cache_open(&s, ALIVE, EXPECT("EVALSHA"), SILENT, SCRIPT_HANDSHAKE, EXPECT_SAME,
                        SEND("$-1\r\n"), SEAL);
    assert_status(scripted_reserve(&s, "one"), JTG_OK);
    let_it_idle(&s);
    assert_status(jtg_cache_get(s.cache, &key, &value, &s.err), JTG_NOT_FOUND);
    scripted_cache_close(&s);

    scripted_cache_open(&s, ALIVE, EXPECT("SCAN"), SILENT, SCRIPT_HANDSHAKE, EXPECT_SAME,
                        SEND("*2\r\n$1\r\n0\r\n*0\r\n"), SEAL);
    assert_status(scripted_reserve(&s, "one"), JTG_OK);
    let_it_idle(&s);
    assert_status(scripted_count(&s), JTG_OK);
    scripted_cache_close(&s);

    scripted_cache_open(&s, ALIVE, EXPECT("INFO"), SILENT, SCRIPT_HANDSHAKE, EXPECT("INFO"),
                        {SCRIPT_SEND_INFO, NULL, 0}, SEAL, EXPECT("SET"), SEND("+OK\r\n"), SEAL,
                        EXPECT("EVALSHA"), SEND(":1\r\n"), SEAL);
    assert_status(scripted_reserve(&s, "one"), JTG_OK);
    let_it_idle(&s);
    assert_status(scripted_ping(&s), JTG_OK);
    scripted_cache_close(&s);
}

/* Its copy would come late, and take what the same owner has reserved since. */
static void a_release_is_waited_for_as_before(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, ALIVE, EXPECT("EVALSHA"), {SCRIPT_WAIT, NULL, HALVED_MS * 2 / 3},
                        SEND(":1\r\n"), SEAL);
    assert_status(scripted_reserve(&s, "one"), JTG_OK);
    let_it_idle(&s);
    assert_status(scripted_release(&s, "one"), JTG_OK);
    assert_int_equal(scripted_stats(&s).connects, 1);
    scripted_cache_close(&s);
}

static void a_release_that_may_still_come_is_not_asked_again(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, ALIVE, EXPECT("EVALSHA"), SILENT);
    assert_status(scripted_reserve(&s, "one"), JTG_OK);
    let_it_idle(&s);
    assert_status(scripted_release(&s, "one"), JTG_ERR_TIMEOUT);
    assert_true(s.took_ms >= HALVED_MS - 1);
    assert_int_equal(scripted_stats(&s).asked_again, 0);
    scripted_cache_close(&s);

    /* Not understood: given up by us, too. */
    scripted_cache_open(&s, ALIVE, EXPECT("EVALSHA"), SEND("nonsense\r\n"), SILENT);
    assert_status(scripted_reserve(&s, "one"), JTG_OK);
    assert_status(scripted_release(&s, "one"), JTG_ERR_TIMEOUT);
    assert_int_equal(scripted_stats(&s).asked_again, 0);
    scripted_cache_close(&s);
}

/* ---- every byte of an answer as the place of a cut ---- */

static const char answer[] = "+OK\r\n";

enum { ANSWER_BYTES = sizeof answer - 1, SEAL_BYTES = 5 + 16 + 2 };

static unsigned part(unsigned cut, unsigned from, unsigned len)
{
    return cut <= from ? 0 : cut - from < len ? cut - from : len;
}

/* After `cut` bytes the connection ends; a second one tells the truth. Only a whole answer under
 * a whole seal is believed. */
static void cut_after(unsigned cut, enum script_act ending, const char *truth, jtg_status expected)
{
    struct scripted_cache s;
    bool whole = cut == ANSWER_BYTES + SEAL_BYTES;
    const struct script_step steps[] = {
        SCRIPT_HANDSHAKE,
        EXPECT("SET"),
        {SCRIPT_SEND_BYTES, answer, part(cut, 0, ANSWER_BYTES)},
        {SCRIPT_SEND_SEAL_CUT, NULL, part(cut, ANSWER_BYTES, SEAL_BYTES)},
        {ending, NULL, 0},
        SCRIPT_HANDSHAKE,
        EXPECT_SAME,
        SEND("$-1\r\n"),
        SEAL,
        EXPECT("EVALSHA"),
        SEND(truth),
        SEAL,
    };
    scripted_cache_open_steps(&s, steps, whole ? 7 : sizeof steps / sizeof steps[0]);
    assert_status(scripted_reserve(&s, "jti"), whole ? JTG_OK : expected);
    scripted_cache_close(&s);
}

static void every_cut_is_judged_by_what_is_settled(void **state)
{
    (void)state;
    for (unsigned cut = 0; cut <= ANSWER_BYTES + SEAL_BYTES; cut++) {
        cut_after(cut, SCRIPT_CLOSE, ":0\r\n", JTG_REPLAYED);
        cut_after(cut, SCRIPT_CLOSE, ":1\r\n", JTG_OK);
    }
}

static void every_cut_without_a_second_chance_is_unknown(void **state)
{
    (void)state;
    for (unsigned cut = 0; cut < ANSWER_BYTES + SEAL_BYTES; cut++) {
        struct scripted_cache s;
        scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"),
                            {SCRIPT_SEND_BYTES, answer, part(cut, 0, ANSWER_BYTES)},
                            {SCRIPT_SEND_SEAL_CUT, NULL, part(cut, ANSWER_BYTES, SEAL_BYTES)}, DEAF,
                            CLOSE);
        assert_status(scripted_reserve(&s, "jti"), JTG_ERR_TIMEOUT);
        scripted_cache_close(&s);
    }
}

/* ---- the gate ---- */

static void gate(const char *info, jtg_status expected)
{
    struct scripted_cache s;
    scripted_cache_open(&s, ACCEPT, {SCRIPT_EXPECT, "INFO", 0}, {SCRIPT_SEND_INFO, info, 0},
                        CLOSED);
    assert_status(scripted_reserve(&s, "jti"), expected);
    assert_err_tells(&s.err, expected);
    scripted_cache_close(&s);
}

static void an_unsound_server_is_refused_at_connect(void **state)
{
    (void)state;
    gate("loading:1\r\nmaxmemory:0\r\n", JTG_ERR_UNAVAILABLE);
    gate("role:slave\r\nloading:0\r\nmaxmemory:0\r\n", JTG_ERR_UNAVAILABLE);
    gate("loading:0\r\nmaxmemory:1048576\r\nmaxmemory_policy:allkeys-lru\r\n", JTG_ERR_UNSAFE);
    gate("loading:0\r\nmaxmemory:1048576\r\nmaxmemory_policy:volatile-ttl\r\n", JTG_ERR_UNSAFE);
    gate("loading:0\r\nmaxmemory:1048576\r\n", JTG_ERR_UNSAFE);
    gate("loading:0\r\n", JTG_ERR_UNSAFE);
    gate("maxmemory:0\r\n", JTG_ERR_UNSAFE);
    gate("loading:0\r\nmaxmemory:0\r\nmaxmemory:4096\r\n", JTG_ERR_UNSAFE);
}

/* ---- ping ---- */

/* Its questions share one deadline: each answer here comes within one, together they do not. Longer
 * than others, so that a busy machine has time to send the second question. */
static void a_ping_ends_within_one_deadline(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_timeout_ms = 4 * SCRIPTED_SHORT_MS;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("INFO"),
                        {SCRIPT_WAIT, NULL, 2 * SCRIPTED_SHORT_MS}, {SCRIPT_SEND_INFO, NULL, 0},
                        SEAL, EXPECT("SET"), CLOSED);
    assert_status(scripted_ping(&s), JTG_ERR_TIMEOUT);
    scripted_cache_close(&s);
}

/* ---- time that is not there ---- */

/* A walk has long, but none of its questions: else it would hold the connection of all the others
 * for as long. */
static void a_walk_waits_no_longer_than_a_call(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SCAN"), CLOSED);
    assert_status(scripted_count(&s), JTG_ERR_UNAVAILABLE);
    scripted_cache_close(&s);
}

/* Nobody would take its answer, and the connection would have to be closed for that. */
static void what_is_too_late_to_be_answered_is_not_sent(void **state)
{
    struct scripted_cache s;
    struct jtgi_request request;
    struct jtgi_command command;
    redisReply *reply = NULL;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"), SEND("+OK\r\n"), SEAL, EXPECT("SET"),
                        SEND("+OK\r\n"), SEAL);
    assert_status(scripted_reserve(&s, "one"), JTG_OK);
    jtgi_request_init(&request, &((struct jtgi_redis *)(void *)s.cache)->route, 1, &s.err);
    request.deadline_ns = 0;
    jtgi_command_init(&command);
    jtgi_command_begin(&command, 1);
    jtgi_command_text(&command, "PING");
    assert_int_equal(jtgi_request_send(&request, &command, &reply), JTGI_FATE_NOT_SENT);
    assert_status(s.err.status, JTG_ERR_UNAVAILABLE);
    jtgi_command_clear(&command);
    assert_status(scripted_reserve(&s, "two"), JTG_OK);
    scripted_cache_close(&s);
}

/* A test that lets a deadline pass; one that does not. */
#define WAITS(name)   cmocka_unit_test_setup(name, scripted_impatient)
#define HALVES(name)  cmocka_unit_test_setup(name, scripted_halved)
#define SETTLES(name) cmocka_unit_test_setup(name, scripted_patient)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SETTLES(a_refused_connection_is_unreachable),
        WAITS(a_server_that_says_nothing_is_unreachable),
        WAITS(a_server_that_drips_its_greeting_is_unreachable),
        SETTLES(a_server_that_closes_at_once_is_unreachable),
        SETTLES(a_single_server_is_not_named),
        SETTLES(a_server_without_ping_is_refused),
        SETTLES(a_server_that_is_busy_has_ping),
        SETTLES(a_proxy_that_closes_is_told),
        WAITS(silence_is_an_unknown_outcome),
        WAITS(a_dripped_answer_is_an_unknown_outcome),
        WAITS(an_endless_answer_is_an_unknown_outcome),
        WAITS(an_answer_without_its_seal_is_an_unknown_outcome),
        WAITS(a_late_answer_is_nobodys),
        SETTLES(a_cut_is_settled_by_the_same_owner),
        SETTLES(a_cut_that_cannot_be_settled_stays_unknown),
        SETTLES(a_release_that_was_cut_is_asked_again),
        SETTLES(a_value_that_was_cut_is_not_asked_again),
        SETTLES(a_read_that_was_cut_is_asked_again),
        HALVES(a_dead_idle_connection_costs_half_of_the_time),
        HALVES(two_dead_connections_cost_the_time_once),
        HALVES(a_busy_connection_has_all_of_the_time),
        HALVES(a_slow_server_is_waited_for_within_half),
        HALVES(a_server_that_is_slower_is_asked_twice),
        HALVES(an_answer_that_has_begun_has_all_of_the_time),
        HALVES(a_value_is_waited_for_as_before),
        HALVES(what_only_reads_is_asked_twice),
        HALVES(a_release_is_waited_for_as_before),
        HALVES(a_release_that_may_still_come_is_not_asked_again),
        SETTLES(every_cut_is_judged_by_what_is_settled),
        SETTLES(every_cut_without_a_second_chance_is_unknown),
        SETTLES(an_unsound_server_is_refused_at_connect),
        WAITS(a_ping_ends_within_one_deadline),
        WAITS(a_walk_waits_no_longer_than_a_call),
        SETTLES(what_is_too_late_to_be_answered_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
