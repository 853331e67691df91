/* SPDX-License-Identifier: Apache-2.0 */
/* Lists and roles, step by step as they are under the pipeline's lock. What threads make of them
 * is test_pipeline.c's. */
#include "redis/flow/pipeline.h"
#include "redis/flow/schedule.h"

#include "redis/flow/counts.h"
#include "redis/scripted_lines.h"

#include <limits.h>
#include <string.h>

enum { FLIGHTS_MAX = 12 };

static struct jtgi_pipeline pipeline;
static struct jtgi_endings endings;
static struct jtgi_batch *flying[FLIGHTS_MAX]; /* the test's own references */
static unsigned flying_count;
static const char *given_up;

static void note_lost(void *context, const struct jtgi_fault *why)
{
    (void)context;
    given_up = why->text;
}

static int open_pipeline(void **state)
{
    struct jtgi_pipeline_hooks hooks = {.counters = jtgi_counters_new(JTGI_COUNTERS),
                                        .lost = note_lost};
    (void)state;
    assert_non_null(hooks.counters);
    jtgi_pipeline_init(&pipeline, &hooks);
    flying_count = 0;
    given_up = NULL;
    jtgi_schedule_lock(&pipeline, &endings);
    return 0;
}

/* Everything is under the lock, but for what is tried without. */
static int close_pipeline(void **state)
{
    jtgi_schedule_unlock(&pipeline, &endings);
    jtgi_schedule_lock(&pipeline, &endings);
    while (pipeline.flying != NULL) {
        struct jtgi_batch *batch = pipeline.flying;
        jtgi_leave_flight_locked(&pipeline, batch, &endings);
        jtgi_end_batch_locked(&pipeline, batch, JTGI_FATE_UNKNOWN, &endings);
    }
    jtgi_schedule_unlock(&pipeline, &endings);
    for (unsigned i = 0; i < flying_count; i++)
        jtgi_let_go(&pipeline, flying[i]);
    jtgi_pipeline_clear(&pipeline);
    jtgi_counters_free(pipeline.hooks.counters);
    return scripted_lines_reset(state);
}

static struct jtgi_batch *open_with(unsigned callers)
{
    struct jtgi_batch *batch = jtgi_open_batch_locked(&pipeline);
    assert_non_null(batch);
    batch->waiting = callers;
    return batch;
}

/* In flight with so many callers, and nobody drives it. */
static struct jtgi_batch *fly(struct jtgi_connection *connection, unsigned callers)
{
    struct jtgi_batch *batch = open_with(callers);
    struct jtgi_batch **last = &pipeline.flying;
    pipeline.open = NULL;
    atomic_fetch_add(&batch->refs, 1);
    flying[flying_count++] = batch;
    batch->life = JTGI_LIFE_FLYING;
    batch->connection = connection;
    connection->use.refs++;
    while (*last != NULL)
        last = &(*last)->next;
    *last = batch;
    pipeline.flying_count++;
    return batch;
}

static struct jtgi_connection *use(struct jtgi_connection *connection)
{
    pipeline.connection = connection;
    connection->use.refs = 1;
    return connection;
}

/* The most callers of late: the crowd, by which it is told how many batches fly. */
static void come(unsigned callers)
{
    struct jtgi_batch *batch = open_with(callers - 1);
    assert_ptr_equal(jtgi_open_batch_locked(&pipeline), batch);
    batch->waiting = 0;
}

static uint32_t word_of(struct jtgi_batch *batch)
{
    return atomic_load(&batch->word);
}

/* ---- may it go out? ---- */

static void with_nothing_in_flight_it_goes_at_once(void **state)
{
    (void)state;
    come(100);
    (void)open_with(1);
    assert_true(jtgi_may_send_locked(&pipeline));
    pipeline.sending = true; /* one at a time */
    assert_false(jtgi_may_send_locked(&pipeline));
}

/* As many as may be under way at once, with these callers in the open one and in each of those. */
static unsigned flights_of(unsigned crowd, unsigned callers)
{
    unsigned count = 0;
    struct jtgi_connection *connection = use(CONNECTED(""));
    come(crowd);
    for (;;) {
        (void)open_with(callers);
        if (!jtgi_may_send_locked(&pipeline))
            return count;
        (void)fly(connection, callers);
        count++;
    }
}

static void few_callers_go_in_eight_flights(void **state)
{
    (void)state;
    assert_int_equal(flights_of(8, 1), 8);
}

static void some_go_in_four(void **state)
{
    (void)state;
    assert_int_equal(flights_of(31, 1), 4);
}

static void many_go_in_two(void **state)
{
    (void)state;
    assert_int_equal(flights_of(32, 10), 2);
}

/* Of a middling crowd with a third of those in flight, of a large one as large as the first. */
static void another_waits_until_it_is_worth_it(void **state)
{
    struct jtgi_connection *connection = use(CONNECTED(""));
    (void)state;
    come(20);
    (void)fly(connection, 10);
    (void)open_with(3);
    assert_false(jtgi_may_send_locked(&pipeline));
    pipeline.open->waiting = 4;
    assert_true(jtgi_may_send_locked(&pipeline));
    come(40);
    (void)open_with(9);
    assert_false(jtgi_may_send_locked(&pipeline));
    pipeline.open->waiting = 10;
    assert_true(jtgi_may_send_locked(&pipeline));
}

/* WAIT holds up what comes behind it. */
static void who_waits_for_replicas_goes_alone(void **state)
{
    (void)state;
    (void)fly(use(CONNECTED("")), 1);
    (void)open_with(1);
    assert_true(jtgi_may_send_locked(&pipeline));
    pipeline.hooks.durability.replicas = 1;
    assert_false(jtgi_may_send_locked(&pipeline));
    pipeline.hooks.durability.replicas = 0;
    pipeline.hooks.durability.fsync = true;
    assert_false(jtgi_may_send_locked(&pipeline));
}

static void a_crowd_is_forgotten_batch_by_batch(void **state)
{
    struct jtgi_connection *connection = use(CONNECTED(""));
    (void)state;
    come(64);
    unsigned before = pipeline.crowd;
    struct jtgi_batch *batch = fly(connection, 1);
    jtgi_leave_flight_locked(&pipeline, batch, &endings);
    jtgi_end_batch_locked(&pipeline, batch, JTGI_FATE_ANSWERED, &endings);
    assert_int_equal(pipeline.crowd, before - before / 64);
    come(2);
    assert_int_equal(pipeline.crowd, before - before / 64);
}

/* ---- whose turn ---- */

static void the_first_on_its_connection_is_received(void **state)
{
    struct jtgi_connection *one = use(CONNECTED(""));
    struct jtgi_connection *other = CONNECTED("");
    other->use.refs = 1;
    struct jtgi_batch *first = fly(one, 1);
    struct jtgi_batch *second = fly(one, 1);
    struct jtgi_batch *beside = fly(other, 1);
    (void)state;
    assert_true(jtgi_is_turn_locked(&pipeline, first));
    assert_false(jtgi_is_turn_locked(&pipeline, second));
    assert_true(jtgi_is_turn_locked(&pipeline, beside));
    jtgi_unref_connection_locked(other, &endings);
}

static void each_free_role_calls_one(void **state)
{
    struct jtgi_connection *connection = use(CONNECTED(""));
    struct jtgi_batch *first = fly(connection, 2);
    struct jtgi_batch *second = fly(connection, 2);
    struct jtgi_batch *open = open_with(1);
    (void)state;
    jtgi_call_next_locked(&pipeline, &endings);
    assert_int_equal(endings.wake_count, 2);
    assert_ptr_equal(endings.wakes[0].word, &first->word);
    assert_ptr_equal(endings.wakes[1].word, &open->word);
    assert_int_equal(endings.wakes[0].count, 1);
    assert_int_equal(word_of(first), JTGI_BATCH_DRIVER_WANTED);
    assert_int_equal(word_of(second), JTGI_BATCH_WAITING);
    endings.wake_count = 0;
    jtgi_take_driver_role_locked(&pipeline, first);
    jtgi_take_driver_role_locked(&pipeline, open);
    assert_int_equal(word_of(first), JTGI_BATCH_WAITING);
    assert_true(first->driven && open->driven && pipeline.sending);
    jtgi_call_next_locked(&pipeline, &endings);
    assert_int_equal(endings.wake_count, 0);
}

static void an_empty_batch_calls_nobody(void **state)
{
    (void)state;
    (void)open_with(0);
    jtgi_call_next_locked(&pipeline, &endings);
    assert_int_equal(endings.wake_count, 0);
}

static void a_receiver_does_not_send(void **state)
{
    struct jtgi_batch *batch = fly(use(CONNECTED("")), 1);
    (void)state;
    jtgi_take_driver_role_locked(&pipeline, batch);
    assert_true(batch->driven);
    assert_false(pipeline.sending);
}

/* ---- the end of a batch ---- */

static void those_who_sleep_are_woken(void **state)
{
    struct jtgi_connection *connection = use(CONNECTED(""));
    (void)state;
    for (unsigned waiting = 1; waiting < 3; waiting++)
        for (int driven = 0; driven < 2; driven++) {
            struct jtgi_batch *batch = fly(connection, waiting);
            batch->driven = driven != 0;
            endings.wake_count = 0;
            jtgi_leave_flight_locked(&pipeline, batch, &endings);
            jtgi_end_batch_locked(&pipeline, batch, JTGI_FATE_UNKNOWN, &endings);
            assert_int_equal(word_of(batch), JTGI_BATCH_DONE);
            assert_int_equal(batch->fate, JTGI_FATE_UNKNOWN);
            assert_int_equal(batch->life, JTGI_LIFE_DONE);
            assert_int_equal(endings.wake_count, waiting - (unsigned)driven > 0);
            assert_true(endings.wake_count == 0 || endings.wakes[0].count == INT_MAX);
        }
    assert_int_equal(pipeline.flying_count, 0);
}

static void a_batch_is_used_again(void **state)
{
    struct jtgi_batch *batch = open_with(1);
    struct jtgi_batch *at_hand = jtgi_batch_new();
    (void)state;
    pipeline.open = NULL;
    jtgi_let_go_locked(&pipeline, batch); /* the last reference */
    assert_int_equal(pipeline.spare_count, 1);
    assert_int_equal(batch->waiting, 0);
    jtgi_schedule_unlock(&pipeline, &endings);
    atomic_fetch_add(&at_hand->refs, 1);
    jtgi_let_go(&pipeline, at_hand);
    assert_null(atomic_load(&pipeline.at_hand)); /* somebody has it */
    jtgi_let_go(&pipeline, at_hand);
    assert_ptr_equal(atomic_load(&pipeline.at_hand), at_hand);
    jtgi_schedule_lock(&pipeline, &endings);
    assert_ptr_equal(jtgi_open_batch_locked(&pipeline), at_hand);
    assert_ptr_equal(jtgi_open_batch_locked(&pipeline), at_hand); /* who joins */
    pipeline.open = NULL;
    jtgi_let_go_locked(&pipeline, at_hand);
    assert_int_equal(pipeline.spare_count, 2);
}

/* The sanitizer sees whether the others are freed. */
static void so_many_are_kept(void **state)
{
    struct jtgi_batch *batches[11];
    (void)state;
    for (unsigned i = 0; i < 11; i++)
        batches[i] = jtgi_batch_new();
    for (unsigned i = 0; i < 11; i++)
        jtgi_let_go_locked(&pipeline, batches[i]);
    assert_int_equal(pipeline.spare_count, 10);
}

/* ---- the connection ---- */

static uint64_t poisoned(void)
{
    return jtgi_counters_read(pipeline.hooks.counters, JTGI_COUNT_POISONED);
}

/* What is in flight on it may still come home: it is closed with the last. */
static void one_that_is_retired_lives_while_it_is_used(void **state)
{
    struct jtgi_connection *connection = use(CONNECTED(""));
    struct jtgi_connection *other = CONNECTED("");
    struct jtgi_batch *batch = fly(connection, 1);
    (void)state;
    other->use.refs = 1;
    jtgi_retire_locked(&pipeline, other, &endings); /* it is not the one in use */
    assert_true(pipeline.connection == connection && poisoned() == 0);
    jtgi_unref_connection_locked(other, &endings);
    assert_int_equal(endings.closed_count, 1);
    jtgi_retire_locked(&pipeline, connection, &endings);
    assert_null(pipeline.connection);
    assert_true(poisoned() == 1 && endings.closed_count == 1);
    jtgi_leave_flight_locked(&pipeline, batch, &endings);
    assert_int_equal(endings.closed_count, 2);
    assert_ptr_equal(endings.closed[1], connection);
    assert_null(batch->connection);
    jtgi_let_go_locked(&pipeline, batch);
}

/* Those that fly on it end; but who drives one may be in a system call with it. */
static void a_lost_connection_ends_what_flies_on_it(void **state)
{
    const struct jtgi_fault fault = {JTGI_IO_FAILED, 104, "it was reset", true};
    struct jtgi_connection *connection = use(CONNECTED(""));
    struct jtgi_connection *old = CONNECTED("");
    old->use.refs = 0;
    struct jtgi_batch *beside = fly(old, 1);
    struct jtgi_batch *driven = fly(connection, 1);
    struct jtgi_batch *idle = fly(connection, 2);
    (void)state;
    driven->driven = true;
    jtgi_lose_locked(&pipeline, connection, &fault, &endings);
    assert_int_equal(idle->life, JTGI_LIFE_DONE);
    assert_int_equal(idle->fate, JTGI_FATE_UNKNOWN);
    assert_status(idle->error.status, JTG_ERR_TIMEOUT);
    assert_string_equal(idle->error.text, "redis: it was reset: whether it was done is unknown");
    assert_true(idle->ended);
    assert_int_equal(driven->life, JTGI_LIFE_FLYING);
    assert_int_equal(beside->life, JTGI_LIFE_FLYING);
    assert_int_equal(pipeline.flying_count, 2);
    assert_true(poisoned() == 1 && endings.closed_count == 0);
    assert_null(given_up); /* not under the lock */
    jtgi_schedule_unlock(&pipeline, &endings);
    assert_string_equal(given_up, "it was reset");
    given_up = NULL;
    jtgi_schedule_lock(&pipeline, &endings);
    assert_false(endings.lost);
    jtgi_lose_locked(&pipeline, old, &fault, &endings); /* one that was retired before */
    assert_false(endings.lost);
    assert_int_equal(beside->life, JTGI_LIFE_DONE);
    assert_int_equal(endings.closed_count, 1);
    jtgi_leave_flight_locked(&pipeline, driven, &endings);
    jtgi_let_go_locked(&pipeline, driven);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pipeline, close_pipeline)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(with_nothing_in_flight_it_goes_at_once),
        TEST(few_callers_go_in_eight_flights),
        TEST(some_go_in_four),
        TEST(many_go_in_two),
        TEST(another_waits_until_it_is_worth_it),
        TEST(who_waits_for_replicas_goes_alone),
        TEST(a_crowd_is_forgotten_batch_by_batch),
        TEST(the_first_on_its_connection_is_received),
        TEST(each_free_role_calls_one),
        TEST(an_empty_batch_calls_nobody),
        TEST(a_receiver_does_not_send),
        TEST(those_who_sleep_are_woken),
        TEST(a_batch_is_used_again),
        TEST(so_many_are_kept),
        TEST(one_that_is_retired_lives_while_it_is_used),
        TEST(a_lost_connection_ends_what_flies_on_it),
    };
    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
