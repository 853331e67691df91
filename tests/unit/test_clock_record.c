/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of decision 0003, one change at a time. Deaths between two stores are in
 * tests/model/test_model_clock_record.c. */
#include "core/clock_record.h"
#include "support/asserts.h"

#include <string.h>

enum { MARGIN = 30000, HOUR = 3600000, MONOTONIC = 5000 };

static struct jtgi_clock_record record;

/* A moment at which the wall clock stands `offset` ahead of the monotonic one. */
static struct jtgi_moment at(int64_t monotonic_ms, int64_t offset)
{
    return (struct jtgi_moment){.monotonic_ms = monotonic_ms, .wall_ms = monotonic_ms + offset};
}

static int begin(void **state)
{
    const struct jtgi_moment start = at(MONOTONIC, HOUR);
    (void)state;
    memset(&record, 0, sizeof record);
    jtgi_clock_record_join_locked(&record, &start, MARGIN);
    return 0;
}

static int64_t note(int64_t monotonic_ms, int64_t offset)
{
    const struct jtgi_moment moment = at(monotonic_ms, offset);
    return jtgi_clock_record_note_locked(&record, &moment, MARGIN);
}

static int64_t number(const _Atomic int64_t *value)
{
    return jtgi_record_load(value);
}

static void zeroes_are_not_begun(void **state)
{
    (void)state;
    memset(&record, 0, sizeof record);
    assert_false(jtgi_clock_record_is_begun(&record));
    assert_false(jtgi_clock_record_is_foreign(&record));
    assert_true(jtgi_clock_record_is_behind(&record, 0, MARGIN));
}

static void the_first_begins_it_once(void **state)
{
    (void)state;
    assert_true(jtgi_clock_record_is_begun(&record));
    assert_false(jtgi_clock_record_is_foreign(&record));
    assert_false(jtgi_clock_record_is_behind(&record, HOUR, MARGIN));
    const struct jtgi_moment later = at(MONOTONIC + 1, 2 * HOUR);
    jtgi_clock_record_join_locked(&record, &later, MARGIN);
    assert_int_equal(number(&record.offset_ms), HOUR);
    assert_true(jtgi_clock_record_is_behind(&record, 2 * HOUR, MARGIN));
}

/* It died before the last store: the next one finds what may be anything, and begins anew. */
static void one_that_died_while_beginning_has_begun_nothing(void **state)
{
    (void)state;
    atomic_store(&record.version, 0);
    const struct jtgi_moment later = at(MONOTONIC + 1, 2 * HOUR);
    jtgi_clock_record_join_locked(&record, &later, 2 * MARGIN);
    assert_int_equal(number(&record.offset_ms), 2 * HOUR);
    assert_int_equal(number(&record.least_margin_ms), 2 * MARGIN);
}

static void another_version_is_foreign(void **state)
{
    (void)state;
    atomic_store(&record.version, 2);
    assert_true(jtgi_clock_record_is_foreign(&record));
    assert_false(jtgi_clock_record_is_begun(&record));
    atomic_store(&record.version, 1);
    record.size++;
    assert_true(jtgi_clock_record_is_foreign(&record));
}

static void both_ends_of_the_margins_are_kept(void **state)
{
    const struct jtgi_moment moment = at(MONOTONIC, HOUR);
    (void)state;
    assert_true(jtgi_clock_record_is_behind(&record, HOUR, MARGIN - 1));
    jtgi_clock_record_join_locked(&record, &moment, MARGIN - 1);
    assert_false(jtgi_clock_record_is_behind(&record, HOUR, MARGIN - 1));
    assert_true(jtgi_clock_record_is_behind(&record, HOUR, MARGIN + 1));
    jtgi_clock_record_join_locked(&record, &moment, MARGIN + 1);
    assert_false(jtgi_clock_record_is_behind(&record, HOUR, MARGIN + 1));
    assert_int_equal(number(&record.least_margin_ms), MARGIN - 1);
    assert_int_equal(number(&record.greatest_margin_ms), MARGIN + 1);
}

static void a_set_back_within_the_margin_changes_nothing(void **state)
{
    (void)state;
    assert_false(jtgi_clock_record_is_behind(&record, HOUR - MARGIN, MARGIN));
    assert_int_equal(note(MONOTONIC + 10, HOUR - MARGIN), 0);
    assert_int_equal(number(&record.offset_ms), HOUR);
    assert_true(jtgi_clock_record_is_behind(&record, HOUR - MARGIN - 1, MARGIN));
}

static void a_small_step_ahead_is_no_step(void **state)
{
    (void)state;
    assert_int_equal(note(MONOTONIC + 10, HOUR + MARGIN), 0);
    assert_int_equal(number(&record.offset_ms), HOUR + MARGIN);
    assert_int_equal(number(&record.greatest_ms), HOUR + MARGIN);
    assert_int_equal(number(&record.before_step_ms), JTGI_NEVER);
    assert_int_equal(note(MONOTONIC + 20, HOUR + 2 * MARGIN + 1), 0);
    assert_int_equal(number(&record.before_step_ms), HOUR + MARGIN);
    assert_int_equal(number(&record.step_wall_ms), MONOTONIC + 20 + HOUR + 2 * MARGIN + 1);
}

/* Until it is settled everything may have been used before it. */
static void an_event_closes_what_was_and_is_settled(void **state)
{
    (void)state;
    assert_int_equal(note(MONOTONIC + 10, 0), HOUR);
    assert_int_equal(number(&record.offset_ms), 0);
    assert_int_equal(number(&record.greatest_ms), HOUR);
    assert_true(number(&record.floor_ms) < 0);
    assert_int_equal(number(&record.reached_ms), JTGI_ALWAYS);
    assert_true(jtgi_clock_record_is_unsettled(&record));
    assert_true(jtgi_clock_record_is_behind(&record, 0, MARGIN));
    jtgi_clock_record_settle_locked(&record, MONOTONIC + 20);
    assert_int_equal(number(&record.reached_ms), MONOTONIC + 20 + HOUR);
    assert_false(jtgi_clock_record_is_unsettled(&record));
    assert_false(jtgi_clock_record_is_behind(&record, 0, MARGIN));
}

static void a_later_event_reaches_no_less_far(void **state)
{
    (void)state;
    (void)note(MONOTONIC + 10, 0);
    jtgi_clock_record_settle_locked(&record, MONOTONIC + 20);
    assert_int_equal(note(MONOTONIC + 30, -HOUR), HOUR);
    jtgi_clock_record_settle_locked(&record, MONOTONIC + 40);
    assert_int_equal(number(&record.reached_ms), MONOTONIC + 20 + HOUR);
    assert_int_equal(number(&record.offset_ms), -HOUR);
}

static void without_a_time_everything_is_reached(void **state)
{
    (void)state;
    (void)note(MONOTONIC + 10, 0);
    jtgi_clock_record_settle_locked(&record, JTGI_ALWAYS);
    assert_int_equal(number(&record.reached_ms), JTGI_ALWAYS);
    assert_false(jtgi_clock_record_is_unsettled(&record));
}

/* What was used under a clock that was ahead was not over on it. */
static void a_step_that_is_undone_has_a_floor(void **state)
{
    int64_t step_wall = MONOTONIC + 10 + 9 * HOUR;
    (void)state;
    (void)note(MONOTONIC + 10, 9 * HOUR);
    assert_int_equal(note(MONOTONIC + 20, HOUR - MARGIN), 8 * HOUR + MARGIN);
    assert_int_equal(number(&record.floor_ms), step_wall - 2 * MARGIN);
    assert_int_equal(number(&record.offset_ms), HOUR); /* what was before the step stays open */
    assert_int_equal(number(&record.before_step_ms), JTGI_NEVER);
    assert_int_equal(number(&record.step_wall_ms), JTGI_NEVER);
}

/* The longest that anybody believes an answer, by whomever the event is noticed. */
static void the_floor_is_as_far_down_as_the_greatest_margin(void **state)
{
    const struct jtgi_moment moment = at(MONOTONIC, HOUR);
    (void)state;
    jtgi_clock_record_join_locked(&record, &moment, 4 * MARGIN);
    (void)note(MONOTONIC + 10, 9 * HOUR);
    (void)note(MONOTONIC + 20, HOUR);
    assert_int_equal(number(&record.floor_ms), MONOTONIC + 10 + 9 * HOUR - 8 * MARGIN);
}

static void an_event_beyond_the_step_has_none(void **state)
{
    (void)state;
    (void)note(MONOTONIC + 10, 9 * HOUR);
    (void)note(MONOTONIC + 20, HOUR - MARGIN - 1);
    assert_int_equal(number(&record.floor_ms), JTGI_NEVER);
    assert_int_equal(number(&record.offset_ms), HOUR - MARGIN - 1);
}

/* Each reading that came before it can tell that it has. */
static void events_are_counted(void **state)
{
    (void)state;
    assert_int_equal(number(&record.events), 0);
    (void)note(MONOTONIC + 10, 9 * HOUR);
    assert_int_equal(number(&record.events), 0);
    (void)note(MONOTONIC + 20, HOUR);
    assert_int_equal(number(&record.events), 1);
}

/* ---- a store in the place of another ---- */

static struct jtgi_clock_record other;

static void begin_other(int64_t offset)
{
    const struct jtgi_moment start = at(MONOTONIC, offset);
    memset(&other, 0, sizeof other);
    jtgi_clock_record_join_locked(&other, &start, MARGIN);
}

static void what_was_closed_there_is_closed_here(void **state)
{
    (void)state;
    (void)note(MONOTONIC + 10, 9 * HOUR);
    (void)note(MONOTONIC + 20, HOUR);
    jtgi_clock_record_settle_locked(&record, MONOTONIC + 30);
    begin_other(HOUR);
    jtgi_clock_record_inherit_locked(&other, &record, MONOTONIC + 40);
    assert_int_equal(number(&other.greatest_ms), 9 * HOUR);
    assert_int_equal(number(&other.reached_ms), MONOTONIC + 30 + 9 * HOUR);
    assert_int_equal(number(&other.floor_ms), number(&record.floor_ms));
    assert_int_equal(number(&other.offset_ms), HOUR);
    assert_false(jtgi_clock_record_is_unsettled(&other));
}

/* By a clock that is ahead still; the next event closes it here, and has no floor. */
static void what_is_open_there_is_open_here(void **state)
{
    (void)state;
    (void)note(MONOTONIC + 10, 9 * HOUR);
    begin_other(HOUR);
    {
        const struct jtgi_moment step = at(MONOTONIC + 10, 2 * HOUR);
        (void)jtgi_clock_record_note_locked(&other, &step, MARGIN);
    }
    jtgi_clock_record_inherit_locked(&other, &record, MONOTONIC + 20);
    assert_int_equal(number(&other.offset_ms), 9 * HOUR);
    assert_int_equal(number(&other.before_step_ms), JTGI_NEVER);
    const struct jtgi_moment right = at(MONOTONIC + 30, HOUR);
    assert_int_equal(jtgi_clock_record_note_locked(&other, &right, MARGIN), 8 * HOUR);
    assert_true(number(&other.floor_ms) < 0);
}

/* Who noted it there is dead: it is settled here, with the clock as it is. */
static void what_was_not_settled_there_is_here(void **state)
{
    (void)state;
    (void)note(MONOTONIC + 10, 0);
    begin_other(0);
    jtgi_clock_record_inherit_locked(&other, &record, MONOTONIC + 50);
    assert_int_equal(number(&other.reached_ms), MONOTONIC + 50 + HOUR);
    begin_other(0);
    jtgi_clock_record_inherit_locked(&other, &record, JTGI_ALWAYS);
    assert_int_equal(number(&other.reached_ms), JTGI_ALWAYS);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(zeroes_are_not_begun),
        TEST(the_first_begins_it_once),
        TEST(one_that_died_while_beginning_has_begun_nothing),
        TEST(another_version_is_foreign),
        TEST(both_ends_of_the_margins_are_kept),
        TEST(a_set_back_within_the_margin_changes_nothing),
        TEST(a_small_step_ahead_is_no_step),
        TEST(an_event_closes_what_was_and_is_settled),
        TEST(a_later_event_reaches_no_less_far),
        TEST(without_a_time_everything_is_reached),
        TEST(a_step_that_is_undone_has_a_floor),
        TEST(the_floor_is_as_far_down_as_the_greatest_margin),
        TEST(an_event_beyond_the_step_has_none),
        TEST(events_are_counted),
        TEST(what_was_closed_there_is_closed_here),
        TEST(what_is_open_there_is_open_here),
        TEST(what_was_not_settled_there_is_here),
    };
    return cmocka_run_group_tests_name("clock_record", tests, NULL, NULL);
}
