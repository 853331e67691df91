/* SPDX-License-Identifier: Apache-2.0 */
/* A slot that is marked when somebody needs it. */
#include "redis/ask/late_marking.h"

#include "redis/scripted_answers.h"
#include "support/test_clock.h"

#include <stdio.h>
#include <string.h>

enum { SLOT = 12182 /* foo */ };

#define PENDING REPLY(scripted_bulk("2 R1 H1 0 0 - - 0 00000000000000aa"))
#define DATED   REPLY(scripted_bulk("2 R1 H1 0 0 - 7000 0 00000000000000aa"))
#define MARK    "EVALSHA mark 1 t:?c"
#define LOWER   "EVALSHA lower 1 t:?c"

static struct test_clock test_clock;
static struct jtgi_request request;

static int open_cluster(void **state)
{
    static jtg_clock injected;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    const struct jtgi_identity server = {"R1", "H1", 0, 0, JTGI_NO_EPOCH};
    (void)state;
    test_clock_init(&test_clock);
    injected = test_clock_as_jtg(&test_clock);
    options.clock = &injected;
    scripted_answers_open_cluster(&options);
    jtgi_request_init(&request, &scripted.redis->route, 60000, &scripted.err);
    request.slot = 1; /* of the question before: the mark goes by its own */
    request.answer.identity = server;
    struct jtgi_node *node = jtgi_nodes_at_slot(&scripted.redis->route.nodes, SLOT);
    request.answered_by = node->serial;
    jtgi_nodes_let_go(&scripted.redis->route.nodes, node);
    return 0;
}

static int close_cluster(void **state)
{
    (void)state;
    scripted_answers_close();
    return 0;
}

static uint64_t gains(void)
{
    struct jtgi_node *node = jtgi_nodes_at_slot(&scripted.redis->route.nodes, SLOT);
    uint64_t count = atomic_load(&node->gains);
    jtgi_nodes_let_go(&scripted.redis->route.nodes, node);
    return count;
}

static jtg_status marked(void)
{
    scripted.err.text[0] = '\0';
    jtg_status status = jtgi_mark_late(&request, SLOT);
    scripted_answers_done();
    return status;
}

/* Written without a time, and dated once it stands: as when a connection is made. */
static void it_is_written_and_then_dated(void **state)
{
    char now[32];
    uint64_t before = gains();
    (void)state;
    (void)snprintf(now, sizeof now, " %lld now ", (long long)test_clock.wall_ms + 1);
    ANSWERS({MARK, PENDING}, {LOWER, DATED});
    assert_status(marked(), JTG_OK);
    assert_string_equal(scripted.questions[0].at, "127.0.0.1:2");
    assert_int_equal(scripted.questions[0].question.slot, SLOT);
    assert_non_null(strstr(scripted.questions[0].words, " R1 H1 0 0 - "));
    assert_non_null(strstr(scripted.questions[1].words, " 00000000000000aa "));
    assert_non_null(strstr(scripted.questions[1].words, now));
    assert_int_equal(gains(), before + 1); /* the next connection marks the other slots at once */
}

static void anothers_mark_is_left_as_it_is(void **state)
{
    (void)state;
    ANSWERS({MARK, DATED});
    assert_status(marked(), JTG_OK);
}

static void what_is_no_mark_is_told(void **state)
{
    uint64_t before = gains();
    (void)state;
    ANSWERS({MARK, REPLY("-OOM x\r\n")});
    assert_status(marked(), JTG_ERR_FULL);
    ANSWERS({MARK, REPLY("+OK\r\n")});
    assert_status(marked(), JTG_ERR_UNAVAILABLE);
    ANSWERS({MARK, REPLY(scripted_bulk("nonsense"))});
    assert_status(marked(), JTG_ERR_UNAVAILABLE);
    ANSWERS({MARK, .fate = JTGI_FATE_UNKNOWN}); /* of the reservation it says nothing */
    assert_status(marked(), JTG_ERR_UNAVAILABLE);
    ANSWERS({MARK, PENDING}, {LOWER, REPLY("-READONLY x\r\n")}, {LOWER, REPLY("-OOM x\r\n")});
    assert_status(marked(), JTG_ERR_FULL);
    ANSWERS({MARK, .fate = JTGI_FATE_NOT_SENT, .unsent = JTG_ERR_MEMORY});
    assert_status(marked(), JTG_ERR_MEMORY);
    assert_int_equal(gains(), before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_cluster, close_cluster)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_written_and_then_dated),
        TEST(anothers_mark_is_left_as_it_is),
        TEST(what_is_no_mark_is_told),
    };
    return cmocka_run_group_tests_name("late marking", tests, NULL, NULL);
}
