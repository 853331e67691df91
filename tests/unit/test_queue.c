/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of a loop with a server that follows a script: what leaves when, and how each call
 * ends, once. What is said on the line, and what every answer comes to, test_looped_… go through,
 * with the scripts of callers that block. */
#include "redis/loop/queue.h"

#include "redis/scripted_cache.h"

#include <poll.h>
#include <string.h>

enum { MANY = 3 };

static struct scripted_cache s;
static const struct jtgi_loop_table *table = &jtgi_redis_loop;
static void *loop;
static jtg_owner owners[MANY];
static struct jtgi_loop_call calls[MANY];

static void open_loop(void)
{
    assert_status(table->open(s.cache, &loop, NULL), JTG_OK);
}

static void close_all(void)
{
    table->close(loop, false);
    scripted_cache_close(&s);
}

/* Keys "a", "b", … */
static void submit(unsigned number)
{
    static const char *const keys = "abc";
    jtg_owner_generate(&owners[number]);
    calls[number] = (struct jtgi_loop_call){.key = {&keys[number], 1, NULL, 0},
                                            .owner = &owners[number],
                                            .ttl_ms = 60000,
                                            .kept_since_ms = JTG_KEPT_ANY};
    assert_false(table->submit(loop, &calls[number]));
}

static void turn(void)
{
    struct pollfd wait = {table->fd(loop), POLLIN, 0};
    assert_int_equal(poll(&wait, 1, 2 * SCRIPTED_LONG_MS), 1);
    table->process(loop);
}

static struct jtgi_loop_call *next_ended(void)
{
    struct jtgi_loop_call *call = NULL;
    while ((call = table->next(loop)) == NULL)
        turn();
    return call;
}

#define SET(key)                                                                                   \
    {                                                                                              \
        SCRIPT_EXPECT, "SET t:" key, 0                                                             \
    }
#define EXPECT_SEAL                                                                                \
    {                                                                                              \
        SCRIPT_EXPECT_SEAL, NULL, 0                                                                \
    }

static void what_is_submitted_in_one_turn_leaves_together(void **state)
{
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, SET("a"), SET("b"), EXPECT_SEAL,
                        SEND("+OK\r\n+OK\r\n"), SEAL);
    open_loop();
    submit(0);
    submit(1);
    assert_ptr_equal(next_ended(), &calls[0]);
    assert_ptr_equal(next_ended(), &calls[1]);
    assert_status(calls[0].status, JTG_OK);
    assert_status(calls[1].status, JTG_OK);
    assert_int_equal(scripted_stats(&s).batches, 1);
    assert_int_equal(scripted_stats(&s).max_batch, 2);
    assert_null(table->next(loop));
    assert_int_equal(table->timeout_ms(loop), -1);
    close_all();
}

/* Whoever goes on more often than the descriptor says, and fetches later, is rung for all the same;
 * and not any more once all is fetched. */
static void what_has_ended_rings_until_it_is_fetched(void **state)
{
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, SET("a"), SET("b"), EXPECT_SEAL,
                        SEND("+OK\r\n+OK\r\n"), SEAL, SET("c"), EXPECT_SEAL, SEND("+OK\r\n"), SEAL);
    open_loop();
    submit(0);
    submit(1);
    for (jtg_redis_stats stats = scripted_stats(&s); stats.batches == 0; stats = scripted_stats(&s))
        table->process(loop);
    for (unsigned i = 0; i < 2; i++) {
        turn();
        assert_ptr_equal(next_ended(), &calls[i]);
    }
    assert_int_equal(table->timeout_ms(loop), -1);
    submit(2);
    assert_int_equal(table->timeout_ms(loop), 0);
    assert_ptr_equal(next_ended(), &calls[2]);
    close_all();
}

/* Its bytes never leave. */
static void one_that_is_cancelled_before_it_left_is_not_done(void **state)
{
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, SET("b"), EXPECT_SEAL, SEND("+OK\r\n"), SEAL);
    open_loop();
    submit(0);
    submit(1);
    assert_int_equal(table->timeout_ms(loop), 0);
    table->cancel(loop, &calls[0]);
    table->cancel(loop, &calls[0]); /* once */
    assert_ptr_equal(next_ended(), &calls[0]);
    assert_status(calls[0].status, JTG_ERR_UNAVAILABLE);
    assert_ptr_equal(next_ended(), &calls[1]);
    assert_status(calls[1].status, JTG_OK);
    close_all();
}

/* The others keep their answers; the last one takes the line along, whose replies nobody takes. */
static void one_that_is_cancelled_in_flight_is_unknown(void **state)
{
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, SET("a"), SET("b"), EXPECT_SEAL, WAIT(200),
                        SEND("+OK\r\n+OK\r\n"), SEAL, SET("c"), EXPECT_SEAL, CLOSED);
    open_loop();
    submit(0);
    submit(1);
    while (scripted_stats(&s).batches == 0)
        turn();
    table->cancel(loop, &calls[0]);
    assert_ptr_equal(next_ended(), &calls[0]);
    assert_status(calls[0].status, JTG_ERR_TIMEOUT);
    assert_ptr_equal(next_ended(), &calls[1]);
    assert_status(calls[1].status, JTG_OK);
    submit(2);
    while (scripted_stats(&s).batches == 1)
        turn();
    table->cancel(loop, &calls[2]);
    assert_ptr_equal(next_ended(), &calls[2]);
    assert_status(calls[2].status, JTG_ERR_TIMEOUT);
    assert_int_equal(scripted_stats(&s).poisoned, 1);
    close_all();
}

/* A loop that was busy elsewhere: what has come by then counts. */
static void an_answer_that_lies_there_counts_though_it_is_looked_at_late(void **state)
{
    (void)state;
    scripted_cache_open(&s, SCRIPT_HANDSHAKE, SET("a"), EXPECT_SEAL, SEND("+OK\r\n"), SEAL);
    open_loop();
    submit(0);
    while (scripted_stats(&s).batches == 0)
        turn();
    struct pollfd busy = {-1, 0, 0};
    (void)poll(&busy, 1, SCRIPTED_SHORT_MS + 100);
    table->process(loop);
    assert_ptr_equal(table->next(loop), &calls[0]);
    assert_status(calls[0].status, JTG_OK);
    close_all();
}

static void nobody_is_reached_at_all(void **state)
{
    (void)state;
    scripted_cache_open(&s, DEAF);
    open_loop();
    submit(0);
    assert_ptr_equal(next_ended(), &calls[0]);
    assert_status(calls[0].status, JTG_ERR_UNAVAILABLE);
    assert_err_tells(&calls[0].err, JTG_ERR_UNAVAILABLE);
    close_all();
}

/* Half way to a server: it is left, and known neither as down nor as up. */
static void one_that_connects_can_be_closed(void **state)
{
    (void)state;
    scripted_cache_open(&s, ACCEPT, {SCRIPT_EXPECT_ASIDE, "INFO", 0}, CLOSED);
    open_loop();
    submit(0);
    while (scripted_stats(&s).batches == 0 && table->timeout_ms(loop) == 0)
        turn();
    table->cancel(loop, &calls[0]);
    assert_ptr_equal(next_ended(), &calls[0]);
    assert_status(calls[0].status, JTG_ERR_UNAVAILABLE);
    table->close(loop, false);
    assert_int_equal(scripted_stats(&s).up, 1);
    scripted_cache_close(&s);
}

static void what_is_named_by_others_is_not_offered(void **state)
{
    jtg_cache *cache = NULL;
    jtg_error err = JTG_ERROR_INIT;
    jtg_redis_options options = JTG_REDIS_OPTIONS_INIT;
    (void)state;
    options.cluster_nodes = "127.0.0.1:1";
    assert_status(jtg_redis_new(&cache, &options, NULL), JTG_OK);
    assert_status(table->open(cache, &loop, &err), JTG_ERR_UNSUPPORTED);
    assert_err_tells(&err, JTG_ERR_UNSUPPORTED);
    jtg_cache_free(cache);
}

#define TEST(name)    cmocka_unit_test_setup(name, scripted_patient)
#define HURRIED(name) cmocka_unit_test_setup(name, scripted_impatient)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_submitted_in_one_turn_leaves_together),
        TEST(what_has_ended_rings_until_it_is_fetched),
        TEST(one_that_is_cancelled_before_it_left_is_not_done),
        TEST(one_that_is_cancelled_in_flight_is_unknown),
        HURRIED(an_answer_that_lies_there_counts_though_it_is_looked_at_late),
        TEST(nobody_is_reached_at_all),
        TEST(one_that_connects_can_be_closed),
        TEST(what_is_named_by_others_is_not_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
