/* SPDX-License-Identifier: Apache-2.0 */
/* kept_since and vouch: what is asked of every primary, on its pipeline and on a line of its own.
 */
#include "redis/scripted_answers.h"
#include "redis/scripted_lines.h"
#include "support/test_clock.h"

#include <stdio.h>
#include <string.h>

#define SOUND                                                                                      \
    "run_id:R1\r\nmaster_replid:H1\r\nevicted_keys:0\r\nrole:master\r\nloading:0\r\n"              \
    "maxmemory:0\r\nredis_mode:standalone\r\n"
#define PONG          REPLY("+PONG\r\n")
#define KEPT(ms)      .sight = JTGI_SIGHT_KEPT, .since_ms = (ms)
#define SIGHT(x)      .sight = JTGI_SIGHT_##x
#define MARKER(since) scripted_bulk("2 R1 H1 0 0 - " since " 0 00000000000000aa")
#define VOUCH         "EVAL lower 1 t:?c 00000000000000aa 400 vouched 0 1000 "

static struct test_clock test_clock;
static jtg_clock injected;

static jtg_redis_options with_clock(void)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    test_clock_init(&test_clock);
    injected = test_clock_as_jtg(&test_clock);
    options.clock = &injected;
    return options;
}

static int open_one(void **state)
{
    jtg_redis_options options = with_clock();
    (void)state;
    scripted_answers_open(&options);
    return 0;
}

static int open_cluster(void **state)
{
    jtg_redis_options options = with_clock();
    (void)state;
    scripted_answers_open_cluster(&options);
    return 0;
}

static int close_cache(void **state)
{
    scripted_answers_close();
    return scripted_lines_reset(state);
}

static int64_t since;

static jtg_status asked(void)
{
    memset(&scripted.err, 0, sizeof scripted.err);
    jtg_status status = jtg_cache_kept_since(scripted.cache, &since, &scripted.err);
    scripted_answers_done();
    return status;
}

/* As a look of the pipeline would have: the script's answers do not go through it. */
static void know(uint16_t slot, int64_t since_ms)
{
    struct jtgi_kept *kept = &scripted.redis->shared.watch.kept[slot];
    atomic_store(&kept->since_ms, since_ms);
    atomic_store(&kept->nonce, 0xaa);
}

/* ---- kept_since ---- */

static void one_look_tells(void **state)
{
    (void)state;
    know(0, 1000);
    ANSWERS({"PING ", PONG, KEPT(1000)});
    assert_status(asked(), JTG_OK);
    assert_true(since == 1000);
    assert_true(scripted.questions[0].question.watched);
    assert_true(scripted.questions[0].question.kept_since_ms == JTGI_KEPT_ANY);
}

/* After a loss the next connection has marked the store anew; but not for ever. */
static void it_looks_until_all_is_marked(void **state)
{
    (void)state;
    know(0, 1000);
    ANSWERS({"PING ", PONG, SIGHT(LOST)}, {"PING ", PONG, SIGHT(NONE)},
            {"PING ", PONG, KEPT(1000)});
    assert_status(asked(), JTG_OK);
    ANSWERS({"PING ", PONG, SIGHT(LOST)}, {"PING ", PONG, SIGHT(LOST)},
            {"PING ", PONG, SIGHT(LOST)}, {"PING ", PONG, SIGHT(LOST)});
    assert_status(asked(), JTG_ERR_CONTINUITY);
    assert_non_null(strstr(scripted.err.text, "again and again"));
}

static void a_slot_without_a_mark_is_marked(void **state)
{
    (void)state;
    know(0, 1000);
    ANSWERS({"PING ", PONG, SIGHT(UNMARKED)}, {"EVALSHA mark ", REPLY(MARKER("7000"))},
            {"PING ", PONG, KEPT(7000)});
    assert_status(asked(), JTG_OK);
    ANSWERS({"PING ", PONG, SIGHT(UNMARKED)}, {"EVALSHA mark ", REPLY("-OOM x\r\n")});
    assert_status(asked(), JTG_ERR_FULL);
}

static void what_fails_is_told(void **state)
{
    (void)state;
    know(0, 1000);
    ANSWERS({"PING ", PONG, SIGHT(UNSAFE)});
    assert_status(asked(), JTG_ERR_UNSAFE);
    ANSWERS({"PING ", .fate = JTGI_FATE_UNKNOWN}, {"PING ", .fate = JTGI_FATE_UNKNOWN});
    assert_status(asked(), JTG_ERR_UNAVAILABLE);
    ANSWERS({"PING ", REPLY("-NOAUTH x\r\n")});
    assert_status(asked(), JTG_ERR_REFUSED);
}

/* The latest of all that is known. */
static void every_primary_is_asked(void **state)
{
    (void)state;
    know(5, 1000);
    know(JTGI_SLOTS - 1, 3000);
    ANSWERS({"PING ", PONG, KEPT(1000)}, {"PING ", PONG, KEPT(3000)});
    assert_status(asked(), JTG_OK);
    assert_string_equal(scripted.questions[0].at, "127.0.0.1:1");
    assert_string_equal(scripted.questions[1].at, "127.0.0.1:2");
    assert_true(since == 3000);
    ANSWERS({"PING ", REPLY("-NOAUTH x\r\n")});
    assert_status(asked(), JTG_ERR_REFUSED);
}

/* One marker that was lowered tells that an operator has vouched: then all are read, on a line of
 * its own. Not where nothing was known before. */
static void a_marker_that_was_lowered_makes_all_be_read(void **state)
{
    struct jtgi_node *node = jtgi_nodes_at_slot(&scripted.redis->route.nodes, 0);
    uint16_t looked_at = 0;
    (void)state;
    assert_true(jtgi_nodes_marked_slot(&scripted.redis->route.nodes, node, &looked_at));
    jtgi_nodes_let_go(&scripted.redis->route.nodes, node);
    know(looked_at, JTGI_SINCE_PENDING);
    ANSWERS({"PING ", PONG, KEPT(400)}, {"PING ", PONG, KEPT(400)});
    assert_status(asked(), JTG_OK);
    know(looked_at, 400);
    ANSWERS({"PING ", PONG, KEPT(400)}, {"PING ", PONG, KEPT(400)});
    assert_status(asked(), JTG_OK);
    assert_int_equal(scripted_lines_refused(), 0);
    know(looked_at, 3000);
    ANSWERS({"PING ", PONG, KEPT(400)});
    assert_status(asked(), JTG_ERR_UNAVAILABLE);
    assert_int_equal(scripted_lines_refused(), 1);
}

/* ---- vouch ---- */

static jtg_status vouched(int64_t since_ms)
{
    memset(&scripted.err, 0, sizeof scripted.err);
    return jtg_redis_vouch(scripted.cache, since_ms, &scripted.err);
}

static void a_vouch_lowers_the_marker(void **state)
{
    int64_t known_ms = 0;
    (void)state;
    LINE(1, scripted_greeting(SOUND), MARKER("1000"), MARKER("400"));
    assert_status(vouched(400), JTG_OK);
    assert_string_equal(scripted_line_heard(0), "INFO PING jtiguard GET t:?c " VOUCH);
    assert_true(jtgi_watch_kept_since(&scripted.redis->shared.watch, &known_ms));
    assert_true(known_ms == 400);
}

static void a_vouch_that_fails_is_told(void **state)
{
    (void)state;
    LINE(1, scripted_greeting(SOUND), MARKER("1000"), MARKER("900"));
    assert_status(vouched(400), JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(scripted.err.text, "look again"));
    assert_status(vouched(400), JTG_ERR_UNAVAILABLE); /* nobody listens */
}

/* Nobody can know what is still to come. */
static void a_vouch_is_for_the_past(void **state)
{
    (void)state;
    assert_status(vouched(-1), JTG_ERR_ARGUMENT);
    assert_status(vouched(TEST_CLOCK_WALL_MS + 1), JTG_ERR_ARGUMENT);
    assert_int_equal(scripted_lines_refused(), 0);
    assert_status(vouched(TEST_CLOCK_WALL_MS), JTG_ERR_UNAVAILABLE);
    assert_int_equal(scripted_lines_refused(), 1);
    assert_status(jtg_redis_vouch(NULL, 0, NULL), JTG_ERR_ARGUMENT);
}

static void without_continuity_there_is_nothing_to_vouch_for(void **state)
{
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.continuity = 0;
    scripted_answers_open(&options);
    assert_status(vouched(400), JTG_ERR_UNSUPPORTED);
    assert_status(asked(), JTG_ERR_UNSUPPORTED);
    scripted_answers_close();
}

static void each_loss_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(jtg_redis_loss_name(JTG_REDIS_LOSS_NONE), "none");
    assert_string_equal(jtg_redis_loss_name(JTG_REDIS_LOSS_NO_MARKER), "no_marker");
    assert_string_equal(jtg_redis_loss_name(JTG_REDIS_LOSS_RESTARTED), "restarted");
    assert_string_equal(jtg_redis_loss_name(JTG_REDIS_LOSS_PROMOTED), "promoted");
    assert_string_equal(jtg_redis_loss_name(JTG_REDIS_LOSS_FLUSHED), "flushed");
    assert_string_equal(jtg_redis_loss_name(JTG_REDIS_LOSS_EVICTED), "evicted");
    assert_string_equal(jtg_redis_loss_name(JTG_REDIS_LOSS_EXCHANGED), "exchanged");
    assert_string_equal(jtg_redis_loss_name((jtg_redis_loss)JTGI_LOSSES), "unknown");
}

#define TEST(name, open) cmocka_unit_test_setup_teardown(name, open, close_cache)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_look_tells, open_one),
        TEST(it_looks_until_all_is_marked, open_one),
        TEST(a_slot_without_a_mark_is_marked, open_one),
        TEST(what_fails_is_told, open_one),
        TEST(every_primary_is_asked, open_cluster),
        TEST(a_marker_that_was_lowered_makes_all_be_read, open_cluster),
        TEST(a_vouch_lowers_the_marker, open_one),
        TEST(a_vouch_that_fails_is_told, open_one),
        TEST(a_vouch_is_for_the_past, open_one),
        cmocka_unit_test(without_continuity_there_is_nothing_to_vouch_for),
        cmocka_unit_test(each_loss_has_a_name),
    };
    return cmocka_run_group_tests_name("vouch", tests, NULL, NULL);
}
