/* SPDX-License-Identifier: Apache-2.0 */
/* A driver's work, alone: which connection is used, what becomes of a batch that is sent and
 * received, and on a line in doubt. The test is the server, and moves the clock. */
#include "redis/flow/flight.h"
#include "redis/flow/pipeline.h"

#include "redis/flow/blocking.h"
#include "redis/flow/counts.h"
#include "redis/flow/schedule.h"
#include "redis/line/deadline.h"
#include "support/asserts.h"
#include "support/still_clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINES_MAX = 4 };

static struct jtgi_pipeline pipeline;
static int theirs[LINES_MAX];
static unsigned connects;
static bool refuses;    /* to be connected to */
static bool is_strange; /* those who name the primary name another */
static unsigned asked;  /* how often they were */
static int64_t connect_takes_ns;
static _Atomic uint64_t gains;
static const char *given_up;

static struct jtgi_connection *make_connection(void)
{
    struct jtgi_connection *connection = NULL;
    struct jtgi_transport transport;
    int ends[2];
    assert_true(connects < LINES_MAX);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    theirs[connects++] = ends[1];
    jtgi_transport_init(&transport, ends[0], NULL, &jtgi_blocking);
    assert_status(jtgi_connection_new(&connection, &transport, NULL), JTG_OK);
    jtgi_residence_init(&connection->residence, &jtgi_blocking);
    return connection;
}

static jtg_status connect_hook(void *context, int64_t deadline_ns,
                               struct jtgi_connection **connection, jtg_error *err)
{
    (void)context;
    (void)deadline_ns;
    still_clock_advance_ns(connect_takes_ns);
    if (refuses)
        return jtg_error_set(err, JTG_ERR_REFUSED, 13, "redis: nobody is let in");
    *connection = make_connection();
    return JTG_OK;
}

static jtg_status still_right_hook(void *context, const struct jtgi_connection *connection,
                                   int64_t deadline_ns)
{
    (void)context;
    (void)deadline_ns;
    assert_non_null(connection);
    asked++;
    return is_strange ? JTG_ERR_UNAVAILABLE : JTG_OK;
}

static void lost_hook(void *context, const struct jtgi_fault *why)
{
    (void)context;
    given_up = why->text;
}

static int open_pipeline(void **state)
{
    struct jtgi_pipeline_hooks hooks = {.connect = connect_hook,
                                        .still_right = still_right_hook,
                                        .gains = &gains,
                                        .lost = lost_hook,
                                        .counters = jtgi_counters_new(JTGI_COUNTERS)};
    (void)state;
    jtgi_pipeline_init(&pipeline, &hooks);
    connects = asked = 0;
    refuses = is_strange = false;
    connect_takes_ns = 0;
    given_up = NULL;
    return 0;
}

static int close_pipeline(void **state)
{
    (void)state;
    assert_null(pipeline.flying);
    assert_false(pipeline.sending);
    jtgi_pipeline_clear(&pipeline);
    jtgi_counters_free(pipeline.hooks.counters);
    for (unsigned i = 0; i < connects; i++)
        (void)close(theirs[i]);
    return 0;
}

/* A batch with one question of this many callers, which has got its sender; the test holds it. */
static struct jtgi_batch *board(unsigned callers, bool repeatable)
{
    struct jtgi_exchange exchange = {
        .question = {.bytes = "*1\r\n$4\r\nTIME\r\n", .len = 14, .repeatable = repeatable}};
    struct jtgi_endings endings;
    jtgi_schedule_lock(&pipeline, &endings);
    struct jtgi_batch *batch = jtgi_open_batch_locked(&pipeline);
    assert_true(jtgi_batch_add(batch, &exchange));
    batch->waiting = callers;
    batch->commands = callers;
    batch->earliest_ns = jtgi_deadline_in_ms(30000);
    atomic_fetch_add(&batch->refs, 1);
    jtgi_take_driver_role_locked(&pipeline, batch);
    jtgi_flight_board_locked(&pipeline, batch);
    jtgi_schedule_unlock(&pipeline, &endings);
    return batch;
}

static bool launch(struct jtgi_batch *batch)
{
    return jtgi_flight_launch(&pipeline, batch, jtgi_deadline_in_ms(30000));
}

static void answer(const struct jtgi_batch *batch, const char *more)
{
    char text[128];
    int len = snprintf(text, sizeof text, "+OK\r\n$16\r\n%.16s\r\n%s", batch->seal, more);
    assert_int_equal(send(theirs[connects - 1], text, (size_t)len, 0), len);
}

static void land(struct jtgi_batch *batch, int64_t deadline_ns)
{
    jtgi_flight_land(&pipeline, batch, deadline_ns);
}

/* The usual way, so that there is a connection, used just now. */
static void fly_once(void)
{
    struct jtgi_batch *batch = board(1, false);
    assert_true(launch(batch));
    answer(batch, "");
    land(batch, jtgi_deadline_in_ms(30000));
    assert_int_equal(batch->fate, JTGI_FATE_ANSWERED);
    jtgi_let_go(&pipeline, batch);
}

static uint64_t counted(unsigned counter)
{
    return jtgi_counters_read(pipeline.hooks.counters, counter);
}

/* Sends one more; true if that was on the connection before. */
static bool stays(void)
{
    const struct jtgi_connection *before = pipeline.connection;
    unsigned had = connects;
    fly_once();
    return pipeline.connection == before && connects == had;
}

/* ---- which connection ---- */

static void without_one_it_is_made(void **state)
{
    struct jtgi_batch *batch = board(3, false);
    (void)state;
    assert_null(batch->connection);
    assert_int_equal(batch->life, JTGI_LIFE_FILLING);
    assert_ptr_equal(pipeline.open, batch); /* others may join meanwhile */
    assert_true(launch(batch));
    assert_int_equal(batch->life, JTGI_LIFE_FLYING);
    assert_null(pipeline.open);
    assert_true(pipeline.requests == 3 && pipeline.max_batch == 3);
    assert_true(counted(JTGI_COUNT_BATCHES) == 1 && connects == 1);
    assert_false(pipeline.sending);
    answer(batch, "");
    land(batch, jtgi_deadline_in_ms(30000));
    assert_int_equal(batch->fate, JTGI_FATE_ANSWERED);
    assert_int_equal(atomic_load(&batch->word), JTGI_BATCH_DONE);
    assert_non_null(batch->slots[0].reply);
    jtgi_let_go(&pipeline, batch);
}

/* Nobody has to be asked: it is gone with the pass through the lock that took the role. */
static void one_that_is_at_hand_takes_off_at_once(void **state)
{
    (void)state;
    fly_once();
    struct jtgi_batch *batch = board(1, false);
    assert_int_equal(batch->life, JTGI_LIFE_FLYING);
    assert_int_equal(connects, 1);
    assert_true(launch(batch));
    answer(batch, "");
    land(batch, jtgi_deadline_in_ms(30000));
    jtgi_let_go(&pipeline, batch);
}

static void an_idle_one_is_looked_at(void **state)
{
    (void)state;
    fly_once();
    still_clock_advance_ns(2 * JTGI_NS_PER_MS);
    assert_true(stays());
    still_clock_advance_ns(2 * JTGI_NS_PER_MS);
    assert_int_equal(shutdown(theirs[0], SHUT_WR), 0); /* the server has closed it */
    assert_false(stays());
    assert_int_equal(counted(JTGI_COUNT_POISONED), 1);
    still_clock_advance_ns(2 * JTGI_NS_PER_MS);
    assert_int_equal(send(theirs[1], "+", 1, 0), 1); /* or says what nobody asked for */
    assert_false(stays());
}

static void what_is_broken_or_unmarked_is_left(void **state)
{
    (void)state;
    fly_once();
    jtgi_connection_break(pipeline.connection, "by the test");
    assert_false(stays());
    atomic_fetch_add(&gains, 1); /* it was given slots that the connection has not marked */
    assert_false(stays());
    assert_true(stays());
}

/* Twice a second: its server may have lost its role without knowing. */
static void a_busy_one_is_asked_about(void **state)
{
    (void)state;
    fly_once();
    asked = 0;
    assert_true(stays());
    assert_int_equal(asked, 0);
    still_clock_advance_ns(500 * JTGI_NS_PER_MS);
    assert_true(stays());
    assert_int_equal(asked, 1);
    assert_true(stays());
    assert_int_equal(asked, 1);
    still_clock_advance_ns(500 * JTGI_NS_PER_MS);
    is_strange = true;
    assert_false(stays()); /* a new one was just named */
}

/* ---- what was not sent ---- */

static void not_sent(struct jtgi_batch *batch, jtg_status status)
{
    assert_false(launch(batch));
    assert_int_equal(batch->life, JTGI_LIFE_DONE);
    assert_int_equal(batch->fate, JTGI_FATE_NOT_SENT);
    assert_status(batch->error.status, status);
    assert_null(pipeline.open);
    jtgi_let_go(&pipeline, batch);
}

static void who_is_not_let_in_is_told_why(void **state)
{
    (void)state;
    refuses = true;
    struct jtgi_batch *batch = board(2, false);
    atomic_fetch_add(&batch->refs, 1);
    not_sent(batch, JTG_ERR_REFUSED);
    assert_int_equal(batch->error.system_errno, 13);
    assert_string_equal(batch->error.text, "redis: nobody is let in");
    jtgi_let_go(&pipeline, batch);
    assert_null(pipeline.connection);
}

/* By the end of it another may have been named, and used. */
static void connecting_that_took_long_is_asked_about(void **state)
{
    (void)state;
    connect_takes_ns = 499 * JTGI_NS_PER_MS / 2;
    fly_once();
    assert_int_equal(asked, 0);
    jtgi_connection_break(pipeline.connection, "by the test");
    connect_takes_ns = 500 * JTGI_NS_PER_MS;
    fly_once();
    assert_int_equal(asked, 1);
    jtgi_connection_break(pipeline.connection, "by the test");
    is_strange = true;
    not_sent(board(1, false), JTG_ERR_UNAVAILABLE);
    assert_null(pipeline.connection);
}

/* No byte of it left: certainly not done. */
static void a_send_that_fails_at_once_was_not_done(void **state)
{
    (void)state;
    fly_once();
    (void)close(theirs[0]);
    connects = 0;
    not_sent(board(1, false), JTG_ERR_UNAVAILABLE);
    assert_null(pipeline.connection);
    assert_non_null(given_up);
}

/* ---- what was sent ---- */

static struct jtgi_batch *sent(unsigned callers, bool repeatable)
{
    struct jtgi_batch *batch = board(callers, repeatable);
    assert_true(launch(batch));
    return batch;
}

static void is_unknown(struct jtgi_batch *batch, bool ended, const char *why)
{
    assert_int_equal(batch->fate, JTGI_FATE_UNKNOWN);
    assert_status(batch->error.status, JTG_ERR_TIMEOUT);
    assert_non_null(strstr(batch->error.text, why));
    assert_int_equal(batch->ended, ended);
    assert_null(pipeline.connection);
    assert_string_equal(given_up, why);
    jtgi_let_go(&pipeline, batch);
}

static void no_answer_in_time_is_unknown(void **state)
{
    struct jtgi_batch *batch = sent(1, false);
    (void)state;
    land(batch, jtgi_now_ns());
    is_unknown(batch, false, "the server did not answer in time");
}

static void an_end_in_place_of_an_answer_is_unknown(void **state)
{
    struct jtgi_batch *batch = sent(1, false);
    (void)state;
    assert_int_equal(shutdown(theirs[0], SHUT_WR), 0);
    land(batch, jtgi_deadline_in_ms(30000));
    is_unknown(batch, true, "the server closed the connection");
}

/* Another caller has more time. */
static void a_driver_whose_time_is_up_hands_over(void **state)
{
    struct jtgi_batch *batch = sent(2, false);
    (void)state;
    land(batch, jtgi_now_ns());
    assert_int_equal(batch->life, JTGI_LIFE_FLYING);
    assert_int_equal(atomic_load(&batch->word), JTGI_BATCH_DRIVER_WANTED);
    assert_false(batch->driven);
    assert_non_null(pipeline.connection);
    answer(batch, "");
    land(batch, jtgi_deadline_in_ms(30000));
    assert_int_equal(batch->fate, JTGI_FATE_ANSWERED);
    jtgi_let_go(&pipeline, batch);
}

/* The answer counts, and what comes after it would not. */
static void bytes_that_nobody_asked_for_retire_the_line(void **state)
{
    struct jtgi_batch *batch = sent(1, false);
    (void)state;
    answer(batch, "+OK\r\n");
    land(batch, jtgi_deadline_in_ms(30000));
    assert_int_equal(batch->fate, JTGI_FATE_ANSWERED);
    assert_null(pipeline.connection);
    assert_null(given_up); /* it was left, and not lost */
    jtgi_let_go(&pipeline, batch);
}

static void another_waits_for_its_turn(void **state)
{
    struct jtgi_batch *first = sent(1, false);
    struct jtgi_batch *second = board(1, false);
    (void)state;
    assert_false(launch(second));
    assert_false(second->driven);
    assert_int_equal(second->life, JTGI_LIFE_FLYING);
    answer(first, "");
    answer(second, "");
    land(first, jtgi_deadline_in_ms(30000));
    assert_int_equal(atomic_load(&second->word), JTGI_BATCH_DRIVER_WANTED);
    land(second, jtgi_deadline_in_ms(30000));
    assert_int_equal(second->fate, JTGI_FATE_ANSWERED);
    assert_non_null(pipeline.connection); /* what lay behind the first was the second's */
    jtgi_let_go(&pipeline, first);
    jtgi_let_go(&pipeline, second);
}

/* ---- a line in doubt ---- */

/* So long that it may lead nowhere. */
static void be_idle(void)
{
    still_clock_advance_ns(JTGI_NS_PER_S);
}

static void half_of_the_time_is_for_a_doubtful_line(void **state)
{
    (void)state;
    fly_once();
    be_idle();
    struct jtgi_batch *batch = sent(1, true);
    int64_t left_ns = batch->doubt_ns - jtgi_now_ns();
    assert_true(batch->doubt_ns != 0 && left_ns <= 15 * JTGI_NS_PER_S);
    still_clock_advance_ns(16 * JTGI_NS_PER_S);
    land(batch, batch->earliest_ns);
    is_unknown(batch, false, "nothing came on a connection that had been idle");
}

static void what_must_not_be_asked_twice_has_all_of_it(void **state)
{
    (void)state;
    fly_once();
    be_idle();
    struct jtgi_batch *batch = sent(1, false);
    assert_true(batch->doubt_ns == 0);
    answer(batch, "");
    land(batch, batch->earliest_ns);
    jtgi_let_go(&pipeline, batch);
    batch = sent(1, true);
    assert_true(batch->doubt_ns == 0); /* it was used just now */
    answer(batch, "");
    land(batch, batch->earliest_ns);
    jtgi_let_go(&pipeline, batch);
}

/* Nor is it taken from what flies behind: that has its time, and so has this. */
static void what_flies_behind_keeps_its_time(void **state)
{
    (void)state;
    fly_once();
    be_idle();
    struct jtgi_batch *batch = sent(1, true);
    struct jtgi_batch *behind = board(1, false);
    assert_false(launch(behind));
    still_clock_advance_ns(16 * JTGI_NS_PER_S);
    land(batch, jtgi_now_ns());
    is_unknown(batch, false, "the server did not answer in time");
    assert_int_equal(behind->fate, JTGI_FATE_UNKNOWN);
    jtgi_let_go(&pipeline, behind);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pipeline, close_pipeline)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_one_it_is_made),
        TEST(one_that_is_at_hand_takes_off_at_once),
        TEST(an_idle_one_is_looked_at),
        TEST(what_is_broken_or_unmarked_is_left),
        TEST(a_busy_one_is_asked_about),
        TEST(who_is_not_let_in_is_told_why),
        TEST(connecting_that_took_long_is_asked_about),
        TEST(a_send_that_fails_at_once_was_not_done),
        TEST(no_answer_in_time_is_unknown),
        TEST(an_end_in_place_of_an_answer_is_unknown),
        TEST(a_driver_whose_time_is_up_hands_over),
        TEST(bytes_that_nobody_asked_for_retire_the_line),
        TEST(another_waits_for_its_turn),
        TEST(half_of_the_time_is_for_a_doubtful_line),
        TEST(what_must_not_be_asked_twice_has_all_of_it),
        TEST(what_flies_behind_keeps_its_time),
    };
    return cmocka_run_group_tests_name("flight", tests, NULL, NULL);
}
