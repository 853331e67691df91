/* SPDX-License-Identifier: Apache-2.0 */
/* What a server may answer, and what we make of it: nothing but +OK under the right seal, or the
 * proof that the key is already ours, admits. */
#include "redis/say/resp/error_table.h"
#include "redis/scripted_cache.h"

#include <stdio.h>
#include <string.h>

/* A second connection on which the same owner asks again, finds the key held, and is told by
 * whom: number is ":1" (ours) or ":0". */
#define ASKED_AGAIN(number)                                                                        \
    SCRIPT_HANDSHAKE, EXPECT_SAME, SEND("$-1\r\n"), SEAL, EXPECT("EVALSHA"), SEND(number "\r\n"),  \
        SEAL

static void a_free_key_is_reserved(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET t:jti "), SEND("+OK\r\n"), SEAL);
    assert_status(scripted_reserve(&s, "jti"), JTG_OK);
    scripted_cache_close(&s);
}

static void a_held_key_is_a_replay(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"), SEND("$-1\r\n"), SEAL,
                        EXPECT("EVALSHA"), SEND(":0\r\n"), SEAL);
    assert_status(scripted_reserve(&s, "jti"), JTG_REPLAYED);
    scripted_cache_close(&s);
}

static void a_key_that_we_hold_is_ours(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"), SEND("$-1\r\n"), SEAL,
                        EXPECT("EVALSHA"), SEND(":1\r\n"), SEAL);
    assert_status(scripted_reserve(&s, "jti"), JTG_OK);
    scripted_cache_close(&s);
}

static void an_unknown_script_is_sent_whole(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("EVALSHA"), SEND("-NOSCRIPT No\r\n"), SEAL,
                        EXPECT("EVAL"), SEND(":1\r\n"), SEAL);
    assert_status(scripted_release(&s, "jti"), JTG_OK);
    scripted_cache_close(&s);
}

/* Whatever stands in the place of the answer: the connection is closed, and a new one settles
 * it. Were it taken for a yes, the second connection would never be asked. */
static void settles_on_a_new_connection(const char *instead, size_t len)
{
    struct scripted_cache s;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"),
                        {SCRIPT_SEND_BYTES, instead, (unsigned)len}, SEAL, CLOSED,
                        ASKED_AGAIN(":0"));
    assert_status(scripted_reserve(&s, "jti"), JTG_REPLAYED);
    assert_int_equal(scripted_stats(&s).poisoned, 1);
    scripted_cache_close(&s);

    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"),
                        {SCRIPT_SEND_BYTES, instead, (unsigned)len}, SEAL, CLOSED,
                        ASKED_AGAIN(":1"));
    assert_status(scripted_reserve(&s, "jti"), JTG_OK);
    scripted_cache_close(&s);
}

static void what_is_no_answer_settles_nothing(void **state)
{
    static const char *const instead[] = {
        ":1\r\n",                             /* another type */
        "+QUEUED\r\n",                        /* another status */
        "+OK \r\n",                           /* nearly */
        "+ok\r\n",                            /* nearly */
        "$2\r\nOK\r\n",                       /* the word, as a value */
        "*0\r\n",                             /* nothing in an array */
        "*-1\r\n:1\r\n",                      /* a null array and one too many */
        "*1\r\n+OK\r\n",                      /* wrapped */
        "*1\r\n*1\r\n*1\r\n*1\r\n+OK\r\n",    /* wrapped deeply */
        ">2\r\n+invalidate\r\n*0\r\n+OK\r\n", /* a RESP3 push before it */
        "_\r\n",                              /* RESP3 null */
        "#t\r\n",                             /* RESP3 true */
        "+OK\r\n+OK\r\n",                     /* one too many */
        "+OK\r\n$-1\r\n",                     /* a late reply, then ours */
        "$-1\r\n+OK\r\n",                     /* the other way round */
        "?\r\n",                              /* no type at all */
        "HTTP/1.1 200 OK\r\n\r\n",            /* another protocol */
        "*99999999\r\n",                      /* more elements than anybody asked for */
        "$-2\r\n",                            /* a length that is none */
        "$99999999999999999999\r\n",          /* one beyond every number */
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof instead / sizeof instead[0]; i++)
        settles_on_a_new_connection(instead[i], strlen(instead[i]));
}

static void a_wrong_seal_settles_nothing(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"),
                        SEND("+OK\r\n$16\r\n0123456789abcdef\r\n"), CLOSED, ASKED_AGAIN(":0"));
    assert_status(scripted_reserve(&s, "jti"), JTG_REPLAYED);
    scripted_cache_close(&s);
}

static void a_seal_alone_settles_nothing(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"), SEAL, SEAL, CLOSED, ASKED_AGAIN(":0"));
    assert_status(scripted_reserve(&s, "jti"), JTG_REPLAYED);
    scripted_cache_close(&s);
}

/* The answer was ours. What follows it unasked is not read by the next question. */
static void bytes_left_over_close_the_connection(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"), SEND("+OK\r\n"),
                        {SCRIPT_SEND_SEAL, "+OK\r\n", 0}, CLOSED, SCRIPT_HANDSHAKE, EXPECT("SET"),
                        SEND("$-1\r\n"), SEAL, EXPECT("EVALSHA"), SEND(":0\r\n"), SEAL);
    assert_status(scripted_reserve(&s, "jti"), JTG_OK);
    assert_status(scripted_reserve(&s, "other"), JTG_REPLAYED);
    scripted_cache_close(&s);
}

/* ---- the table of error replies ---- */

static void an_error_is_told_by_its_row(const struct jtgi_error_row *row)
{
    struct scripted_cache s;
    char error[128];
    (void)snprintf(error, sizeof error, "-%ssecret-key something\r\n",
                   row->prefix[0] == '\0' ? "ERRATIC " : row->prefix);
    const struct script_step healthy[] = {SCRIPT_HANDSHAKE, EXPECT("SET"),   SEND(error), SEAL,
                                          EXPECT("SET"),    SEND("+OK\r\n"), SEAL};
    const struct script_step doubtful[] = {
        SCRIPT_HANDSHAKE, EXPECT("SET"), SEND(error),     SEAL, CLOSED,
        SCRIPT_HANDSHAKE, EXPECT("SET"), SEND("+OK\r\n"), SEAL};
    if (row->healthy)
        scripted_cache_open_steps(&s, healthy, sizeof healthy / sizeof healthy[0]);
    else
        scripted_cache_open_steps(&s, doubtful, sizeof doubtful / sizeof doubtful[0]);
    assert_status(scripted_reserve(&s, "jti"), row->status);
    assert_non_null(strstr(s.err.text, row->text));
    assert_null(strstr(s.err.text, "secret-key"));
    assert_status(scripted_reserve(&s, "other"), JTG_OK);
    scripted_cache_close(&s);
}

static void every_error_is_told_by_its_row(void **state)
{
    const struct jtgi_error_row *row = NULL;
    (void)state;
    for (size_t i = 0; (row = jtgi_error_row_at(i)) != NULL; i++)
        if (row->next != JTGI_NEXT_PAUSE)
            an_error_is_told_by_its_row(row);
}

static void try_again_is_tried_again(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"), SEND("-TRYAGAIN x\r\n"), SEAL,
                        EXPECT_SAME, SEND("-TRYAGAIN x\r\n"), SEAL, EXPECT_SAME, SEND("+OK\r\n"),
                        SEAL);
    assert_status(scripted_reserve(&s, "jti"), JTG_OK);
    scripted_cache_close(&s);
}

static void try_again_has_an_end(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SET"), SEND("-TRYAGAIN x\r\n"), SEAL,
                        EXPECT_SAME, SEND("-TRYAGAIN x\r\n"), SEAL, EXPECT_SAME,
                        SEND("-TRYAGAIN x\r\n"), SEAL, EXPECT_SAME, SEND("-TRYAGAIN x\r\n"), SEAL);
    assert_status(scripted_reserve(&s, "jti"), JTG_ERR_UNAVAILABLE);
    scripted_cache_close(&s);
}

/* ---- walks ---- */

#define PAGE(keys) SEND("*2\r\n$1\r\n0\r\n" keys), SEAL

static void only_our_keys_are_deleted(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SCAN"), PAGE("*1\r\n$3\r\nt:a\r\n"),
                        EXPECT("DEL t:a "), SEND(":1\r\n"), SEAL);
    assert_status(jtg_cache_clear(s.cache, &s.err), JTG_OK);
    scripted_cache_close(&s);
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, EXPECT("SCAN"),
                        PAGE("*2\r\n$3\r\nt:a\r\n$3\r\nu:a\r\n"), CLOSED);
    assert_status(jtg_cache_clear(s.cache, &s.err), JTG_ERR_PROTOCOL);
    scripted_cache_close(&s);
}

/* Each deletion takes the marker along, in the same step: whatever the walk deletes later, a
 * watcher that relied on a marker meanwhile would not notice. Also where this cache does not watch.
 */
static void what_is_deleted_takes_the_marker_along(void **state)
{
    struct scripted_cache s;
    (void)state;
    scripted_cache_open(
        &s, SCRIPT_HANDSHAKE, EXPECT("SCAN"), SEND("*2\r\n$1\r\n7\r\n*1\r\n$3\r\nt:a\r\n"), SEAL,
        EXPECT("DEL t:a t:\xff"
               "c"),
        SEND(":2\r\n"), SEAL, EXPECT("SCAN 7"), PAGE("*2\r\n$3\r\nt:b\r\n$3\r\nt:c\r\n"),
        EXPECT("DEL t:b t:c t:\xff"
               "c"),
        SEND(":3\r\n"), SEAL);
    assert_status(jtg_cache_clear(s.cache, &s.err), JTG_OK);
    scripted_cache_close(&s);
}

/* ---- errors before any command ---- */

static void refused_before_any_command(const char *reply, jtg_status expected)
{
    struct scripted_cache s;
    scripted_cache_open(&s, {SCRIPT_ACCEPT, NULL, 0}, SEND(reply), {SCRIPT_WAIT, NULL, 50},
                        {SCRIPT_CLOSE, NULL, 0});
    assert_status(scripted_reserve(&s, "jti"), expected);
    scripted_cache_close(&s);
}

static void an_error_before_any_command_is_no_answer_to_us(void **state)
{
    (void)state;
    refused_before_any_command("-ERR max number of clients reached\r\n", JTG_ERR_UNAVAILABLE);
    refused_before_any_command("-DENIED Redis is running in protected mode\r\n", JTG_ERR_REFUSED);
    refused_before_any_command("-NOAUTH Authentication required.\r\n", JTG_ERR_REFUSED);
    refused_before_any_command("+OK\r\n", JTG_ERR_PROTOCOL);
    refused_before_any_command("$2\r\nOK\r\n+OK\r\n", JTG_ERR_PROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_free_key_is_reserved),
        cmocka_unit_test(a_held_key_is_a_replay),
        cmocka_unit_test(a_key_that_we_hold_is_ours),
        cmocka_unit_test(an_unknown_script_is_sent_whole),
        cmocka_unit_test(what_is_no_answer_settles_nothing),
        cmocka_unit_test(a_wrong_seal_settles_nothing),
        cmocka_unit_test(a_seal_alone_settles_nothing),
        cmocka_unit_test(bytes_left_over_close_the_connection),
        cmocka_unit_test(every_error_is_told_by_its_row),
        cmocka_unit_test(try_again_is_tried_again),
        cmocka_unit_test(try_again_has_an_end),
        cmocka_unit_test(only_our_keys_are_deleted),
        cmocka_unit_test(what_is_deleted_takes_the_marker_along),
        cmocka_unit_test(an_error_before_any_command_is_no_answer_to_us),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
