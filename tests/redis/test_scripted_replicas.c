/* SPDX-License-Identifier: Apache-2.0 */
/* What a server may answer to WAIT and WAITAOF: a write counts only when enough have it. */
#include "redis/ask/store.h"
#include "redis/line/deadline.h"
#include "redis/scripted_cache.h"

#include <string.h>

#define INFO_OF(more)                                                                              \
    ACCEPT, {SCRIPT_EXPECT_ASIDE, "INFO", 0},                                                      \
    {                                                                                              \
        SCRIPT_SEND_INFO, more, 0                                                                  \
    }
#define ASK(words, wait)                                                                           \
    {SCRIPT_EXPECT, words, 0}, {SCRIPT_EXPECT_ASIDE, wait, 0},                                     \
    {                                                                                              \
        SCRIPT_EXPECT_SEAL, NULL, 0                                                                \
    }

static void open_two(struct scripted_cache *s, const struct script_step *steps, size_t count)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.continuity = 0;
    options.replicas = 2;
    options.replicas_timeout_ms = 10;
    scripted_cache_open_with(s, &options, steps, count);
}

#define OPEN(s, ...) open_two(s, SCRIPT(__VA_ARGS__), COUNT_OF(__VA_ARGS__))

static void reserve_with(const char *waited, jtg_status expected)
{
    struct scripted_cache s;
    OPEN(&s, SCRIPT_HANDSHAKE, ASK("SET", "WAIT 2 10"), SEND("+OK\r\n"), SEND(waited), SEAL);
    assert_status(scripted_reserve(&s, "jti"), expected);
    assert_int_equal(scripted_stats(&s).too_few_replicas, expected == JTG_ERR_REPLICAS);
    scripted_cache_close(&s);
}

/* What replicas may take is theirs: the half that a connection in doubt has is of the rest. */
static void replicas_have_their_time_on_an_idle_connection(void **state)
{
    enum {
        TIMEOUT_MS = 900,
        REPLICAS_MS = 450,
        ANSWER_MS = 570 /* half of all, and half of the rest */
    };
    struct scripted_cache s;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    const struct script_step steps[] = {SCRIPT_HANDSHAKE,
                                        ASK("SET", "WAIT 2"),
                                        SEND("+OK\r\n"),
                                        SEND(":2\r\n"),
                                        SEAL,
                                        ASK("SET", "WAIT 2"),
                                        {SCRIPT_WAIT, NULL, ANSWER_MS},
                                        SEND("+OK\r\n"),
                                        SEND(":2\r\n"),
                                        SEAL};
    (void)state;
    options.continuity = 0;
    options.replicas = 2;
    options.replicas_timeout_ms = REPLICAS_MS;
    scripted_timeout_ms = TIMEOUT_MS;
    scripted_cache_open_with(&s, &options, steps, sizeof steps / sizeof steps[0]);
    assert_status(scripted_reserve(&s, "one"), JTG_OK);
    scripted_connection(&s)->use.used_ns -= JTGI_NS_PER_S;
    assert_status(scripted_reserve(&s, "two"), JTG_OK);
    assert_int_equal(scripted_stats(&s).connects, 1);
    scripted_cache_close(&s);
    scripted_timeout_ms = SCRIPTED_LONG_MS;
}

static void as_many_as_asked_for_are_enough(void **state)
{
    (void)state;
    reserve_with(":2\r\n", JTG_OK);
    reserve_with(":3\r\n", JTG_OK);
}

static void everything_else_is_too_few(void **state)
{
    static const char *const answers[] = {
        ":1\r\n",
        ":0\r\n",
        ":-1\r\n",
        "$1\r\n2\r\n",
        "+2\r\n",
        "$-1\r\n",
        "*0\r\n",
        "*2\r\n:2\r\n:2\r\n",
        "-ERR unknown command 'WAIT'\r\n",
        "-UNBLOCKED force unblock from blocking operation\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        reserve_with(answers[i], JTG_ERR_REPLICAS);
}

/* A server that cannot wait is looked at anew. */
static void an_error_closes_the_connection(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, SCRIPT_HANDSHAKE, ASK("SET", "WAIT"), SEND("+OK\r\n"), SEND("-ERR no\r\n"), SEAL,
         CLOSED);
    assert_status(scripted_reserve(&s, "jti"), JTG_ERR_REPLICAS);
    scripted_cache_close(&s);
}

static void a_replay_needs_no_replica(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, SCRIPT_HANDSHAKE, ASK("SET", "WAIT 2 10"), SEND("$-1\r\n"), SEND(":0\r\n"), SEAL,
         ASK("EVALSHA", "WAIT 2 10"), SEND(":0\r\n"), SEND(":0\r\n"), SEAL);
    assert_status(scripted_reserve(&s, "jti"), JTG_REPLAYED);
    scripted_cache_close(&s);
}

/* Asked again with the same owner: ours, and now they have it. */
static void the_same_owner_can_succeed_later(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, SCRIPT_HANDSHAKE, ASK("SET", "WAIT"), SEND("+OK\r\n"), SEND(":1\r\n"), SEAL,
         ASK("SET", "WAIT"), SEND("$-1\r\n"), SEND(":1\r\n"), SEAL, ASK("EVALSHA", "WAIT"),
         SEND(":1\r\n"), SEND(":1\r\n"), SEAL, ASK("SET", "WAIT"), SEND("$-1\r\n"), SEND(":2\r\n"),
         SEAL, ASK("EVALSHA", "WAIT"), SEND(":1\r\n"), SEND(":2\r\n"), SEAL);
    assert_status(scripted_reserve(&s, "jti"), JTG_ERR_REPLICAS);
    assert_status(scripted_reserve(&s, "jti"), JTG_ERR_REPLICAS);
    assert_status(scripted_reserve(&s, "jti"), JTG_OK);
    scripted_cache_close(&s);
}

static void every_write_waits(void **state)
{
    struct scripted_cache s;
    jtg_key key = {"k", 1, NULL, 0};
    jtg_value value = JTG_VALUE_INIT;
    (void)state;
    if (scripted_is_looped()) /* values have another line then */
        skip();
    OPEN(&s, SCRIPT_HANDSHAKE, ASK("EVALSHA", "WAIT"), SEND(":1\r\n"), SEND(":1\r\n"), SEAL,
         ASK("EVALSHA", "WAIT"), SEND(":1\r\n"), SEND(":1\r\n"), SEAL, ASK("EVALSHA", "WAIT"),
         SEND("*2\r\n$1\r\nv\r\n:9\r\n"), SEND(":1\r\n"), SEAL, ASK("EVALSHA", "WAIT"),
         SEND("$-1\r\n"), SEND(":1\r\n"), SEAL);
    assert_status(scripted_release(&s, "jti"), JTG_ERR_REPLICAS);
    assert_status(jtg_cache_put(s.cache, &key, "v", 1, 1000, 1, NULL), JTG_ERR_REPLICAS);
    /* Taken, but a replica may still hold it: it is not handed out. */
    assert_status(jtg_cache_take(s.cache, &key, &value, NULL), JTG_ERR_REPLICAS);
    assert_null(value.data);
    assert_status(jtg_cache_take(s.cache, &key, &value, NULL), JTG_NOT_FOUND);
    assert_int_equal(scripted_stats(&s).too_few_replicas, 3);
    scripted_cache_close(&s);
}

static void a_read_does_not(void **state)
{
    struct scripted_cache s;
    jtg_key key = {"k", 1, NULL, 0};
    jtg_value value = JTG_VALUE_INIT;
    (void)state;
    OPEN(&s, SCRIPT_HANDSHAKE, EXPECT("EVALSHA"), SEND("$-1\r\n"), SEAL);
    assert_status(jtg_cache_get(s.cache, &key, &value, NULL), JTG_NOT_FOUND);
    scripted_cache_close(&s);
}

static void time_runs_out_in_wait(void **state)
{
    struct scripted_cache s;
    (void)state;
    OPEN(&s, SCRIPT_HANDSHAKE, ASK("SET", "WAIT 2 10"), SEND("+OK\r\n"), WAIT(60000));
    assert_status(scripted_reserve(&s, "jti"), JTG_ERR_TIMEOUT);
    scripted_cache_close(&s);
}

/* ---- on disk ---- */

static void waitaof(const char *waited, uint32_t replicas, jtg_status expected)
{
    static const char facts[] = "loading:0\r\nmaxmemory:0\r\naof_enabled:1\r\n";
    struct scripted_cache s;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    options.continuity = 0;
    options.fsync = 1;
    options.replicas = replicas;
    options.replicas_timeout_ms = 10;
    const struct script_step steps[] = {
        INFO_OF(facts),
        {SCRIPT_EXPECT_ASIDE, "WAITAOF 0 0 0", 0},
        SEND("*2\r\n:0\r\n:0\r\n"),
        ASK("SET", replicas == 0 ? "WAITAOF 1 0 10" : "WAITAOF 1 1 10"),
        SEND("+OK\r\n"),
        SEND(waited),
        SEAL,
    };
    scripted_cache_open_with(&s, &options, steps, sizeof steps / sizeof steps[0]);
    assert_status(scripted_reserve(&s, "jti"), expected);
    scripted_cache_close(&s);
}

static void what_is_on_disk_counts(void **state)
{
    (void)state;
    waitaof("*2\r\n:1\r\n:0\r\n", 0, JTG_OK);
    waitaof("*2\r\n:1\r\n:1\r\n", 1, JTG_OK);
    waitaof("*2\r\n:0\r\n:1\r\n", 1, JTG_ERR_REPLICAS);
    waitaof("*2\r\n:1\r\n:0\r\n", 1, JTG_ERR_REPLICAS);
    waitaof("*2\r\n:0\r\n:0\r\n", 0, JTG_ERR_REPLICAS);
    waitaof(":1\r\n", 1, JTG_ERR_REPLICAS);
    waitaof("*1\r\n:1\r\n", 1, JTG_ERR_REPLICAS);
    waitaof("*2\r\n+1\r\n:1\r\n", 1, JTG_ERR_REPLICAS);
    waitaof("-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.\r\n", 1,
            JTG_ERR_REPLICAS);
}

#define PATIENT(test)   cmocka_unit_test_setup(test, scripted_patient)
#define IMPATIENT(test) cmocka_unit_test_setup(test, scripted_impatient)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PATIENT(replicas_have_their_time_on_an_idle_connection),
        PATIENT(as_many_as_asked_for_are_enough),
        PATIENT(everything_else_is_too_few),
        PATIENT(an_error_closes_the_connection),
        PATIENT(a_replay_needs_no_replica),
        PATIENT(the_same_owner_can_succeed_later),
        PATIENT(every_write_waits),
        PATIENT(a_read_does_not),
        IMPATIENT(time_runs_out_in_wait),
        PATIENT(what_is_on_disk_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
