/* SPDX-License-Identifier: Apache-2.0 */
#include "core/error.h"
#include "core/wall_clock.h"
#include "support/asserts.h"
#include "support/lending_cache.h"
#include "support/test_clock.h"

#include <string.h>

enum { MARGIN = 30000, HOUR = 3600000 };

struct fixture {
    struct test_clock clock;
    jtg_clock clock_option;
    jtg_logger logger;
    unsigned errors;
    struct jtgi_wall_clock wall_clock;
    struct jtgi_reading now;
    struct lending_cache lending;
};

static void count(void *context, jtg_log_level level, const char *line)
{
    struct fixture *fixture = context;
    if (level == JTG_LOG_ERROR && strstr(line, "set back") != NULL)
        fixture->errors++;
}

static jtg_status init(struct fixture *fixture, struct jtgi_wall_clock *wall_clock,
                       const jtg_clock *clock, jtg_error *err)
{
    const struct jtgi_wall_clock_of of = {
        .clock = clock, .logger = &fixture->logger, .whose = "flights", .margin_ms = MARGIN};
    return jtgi_wall_clock_init(wall_clock, &of, err);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    memset(&fixture, 0, sizeof fixture);
    test_clock_init(&fixture.clock);
    fixture.clock_option = test_clock_as_jtg(&fixture.clock);
    fixture.logger = (jtg_logger){sizeof(jtg_logger), &fixture, JTG_LOG_DEBUG, count};
    assert_status(init(&fixture, &fixture.wall_clock, &fixture.clock_option, NULL), JTG_OK);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    jtgi_wall_clock_clear(&((struct fixture *)*state)->wall_clock);
    return 0;
}

static void look(struct fixture *fixture)
{
    assert_status(jtgi_wall_clock_now(&fixture->wall_clock, &fixture->now, NULL), JTG_OK);
    assert_int_equal(fixture->now.wall_ms, atomic_load(&fixture->clock.wall_ms));
}

/* What can be accepted from `from` to `until`, both from the start of the clock. */
static bool is_lost(const struct fixture *fixture, int64_t from, int64_t until)
{
    struct jtgi_span span = {TEST_CLOCK_WALL_MS + from, TEST_CLOCK_WALL_MS + until,
                             TEST_CLOCK_WALL_MS + until + MARGIN};
    return jtgi_wall_clock_may_have_lost(&fixture->wall_clock, &span, &fixture->now,
                                         fixture->now.monotonic_ms);
}

static void time_that_only_passes_loses_nothing(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 100; i++) {
        look(fixture);
        assert_false(is_lost(fixture, -HOUR, HOUR));
        test_clock_advance(&fixture->clock, 1000);
    }
    assert_int_equal(fixture->errors, 0);
}

static void a_small_correction_is_covered_by_the_margin(void **state)
{
    struct fixture *fixture = *state;
    look(fixture);
    test_clock_set_wall_by(&fixture->clock, -MARGIN);
    look(fixture);
    assert_int_equal(fixture->errors, 0);
    assert_false(is_lost(fixture, -HOUR, 0));
    test_clock_set_wall_by(&fixture->clock, -1);
    look(fixture);
    assert_int_equal(fixture->errors, 1);
}

/* An hour back: what was accepted in that hour and has ended by the old clock is acceptable again.
 */
static void a_clock_that_is_set_back_loses_what_had_ended(void **state)
{
    struct fixture *fixture = *state;
    test_clock_advance(&fixture->clock, HOUR);
    look(fixture);
    test_clock_set_wall_by(&fixture->clock, -HOUR);
    look(fixture);
    assert_int_equal(fixture->errors, 1);
    assert_true(is_lost(fixture, 0, 20000));
    assert_true(is_lost(fixture, HOUR - 60000, HOUR - MARGIN));
    /* Its record lives on: */
    assert_false(is_lost(fixture, HOUR - 60000, HOUR - MARGIN + 1));
    assert_false(is_lost(fixture, 0, 7 * 24 * HOUR));
    /* It cannot have been accepted before: */
    assert_false(is_lost(fixture, HOUR + 1, HOUR + 20001));
    test_clock_advance(&fixture->clock, 1000);
    look(fixture);
    assert_true(is_lost(fixture, HOUR - 60000, HOUR - MARGIN + 1));
    assert_int_equal(fixture->errors, 1);
    /* When the clock has come by the point that it had reached, nothing is refused any more. */
    test_clock_advance(&fixture->clock, HOUR + 60000);
    look(fixture);
    assert_false(is_lost(fixture, HOUR + 1, 2 * HOUR));
}

/* The clock was ahead and is right again: flights of now were never accepted under it. */
static void a_clock_that_jumped_ahead_and_was_corrected_refuses_little(void **state)
{
    struct fixture *fixture = *state;
    int64_t year = INT64_C(365) * 24 * HOUR;
    look(fixture);
    test_clock_set_wall_by(&fixture->clock, year);
    look(fixture);
    test_clock_advance(&fixture->clock, 60000);
    look(fixture);
    test_clock_set_wall_by(&fixture->clock, -year);
    look(fixture);
    assert_int_equal(fixture->errors, 1);
    assert_false(is_lost(fixture, 50000, 70000));
    assert_false(is_lost(fixture, 0, 7 * (int64_t)24 * HOUR));
    /* A year later those of the wrong clock would be acceptable again. */
    test_clock_advance(&fixture->clock, year);
    look(fixture);
    assert_true(is_lost(fixture, year + 10000, year + 30000));
    assert_false(is_lost(fixture, year + 60001, year + 80001));
}

static void a_second_event_keeps_the_first_in_mind(void **state)
{
    struct fixture *fixture = *state;
    test_clock_advance(&fixture->clock, 2 * HOUR);
    look(fixture);
    test_clock_set_wall_by(&fixture->clock, -HOUR);
    look(fixture);
    test_clock_set_wall_by(&fixture->clock, -HOUR / 2);
    look(fixture);
    assert_int_equal(fixture->errors, 2);
    assert_true(is_lost(fixture, HOUR / 2, 2 * HOUR - MARGIN));
    assert_false(is_lost(fixture, 2 * HOUR + 1, 3 * HOUR));
}

static void a_start_is_dated_by_the_furthest_clock(void **state)
{
    struct fixture *fixture = *state;
    struct jtgi_span at_start = {TEST_CLOCK_WALL_MS, TEST_CLOCK_WALL_MS + 1000, 0};
    struct jtgi_span later = {TEST_CLOCK_WALL_MS + 1, TEST_CLOCK_WALL_MS + 1000, 0};
    look(fixture);
    assert_true(jtgi_wall_clock_may_predate(&fixture->wall_clock, &at_start));
    assert_false(jtgi_wall_clock_may_predate(&fixture->wall_clock, &later));
    /* The clock stood too early at the start, as without a battery. */
    test_clock_set_wall_by(&fixture->clock, HOUR);
    look(fixture);
    assert_true(jtgi_wall_clock_may_predate(&fixture->wall_clock, &later));
    test_clock_set_wall_by(&fixture->clock, -HOUR);
    look(fixture);
    assert_true(jtgi_wall_clock_may_predate(&fixture->wall_clock, &later));
}

/* It is used under a clock that is an hour ahead, and that is put right: then by the right clock it
 * was used an hour before its times. */
static void a_use_under_a_clock_that_was_ahead_is_older_than_it_looks(void **state)
{
    struct fixture *fixture = *state;
    struct jtgi_span used = {TEST_CLOCK_WALL_MS + HOUR, TEST_CLOCK_WALL_MS + 2 * HOUR,
                             TEST_CLOCK_WALL_MS + 2 * HOUR + MARGIN};
    struct jtgi_span later = {TEST_CLOCK_WALL_MS + HOUR + 1, TEST_CLOCK_WALL_MS + 2 * HOUR,
                              TEST_CLOCK_WALL_MS + 2 * HOUR + MARGIN};
    test_clock_set_wall_by(&fixture->clock, HOUR);
    look(fixture);
    assert_int_equal(jtgi_wall_clock_ahead(&fixture->wall_clock, &used, &fixture->now), 0);
    test_clock_set_wall_by(&fixture->clock, -HOUR);
    look(fixture);
    assert_int_equal(jtgi_wall_clock_ahead(&fixture->wall_clock, &used, &fixture->now), HOUR);
    assert_int_equal(jtgi_wall_clock_ahead(&fixture->wall_clock, &later, &fixture->now), 0);
}

/* ---- a store that is exchanged ---- */

static void set_back_an_hour(struct fixture *fixture)
{
    test_clock_set_wall_by(&fixture->clock, -HOUR);
}

static void exchange(struct fixture *fixture)
{
    fixture->lending.store++;
}

/* A use in the store that is gone was under a clock that was ahead: its age is known all the same,
 * whether the clock is put right before or after the exchange. */
static void what_a_store_that_is_gone_knew_is_known(void **state)
{
    static void (*const orders[2][2])(struct fixture *) = {{set_back_an_hour, exchange},
                                                           {exchange, set_back_an_hour}};
    struct fixture *fixture = *state;
    for (unsigned order = 0; order < 2; order++) {
        int64_t used_ms = atomic_load(&fixture->clock.wall_ms) + HOUR;
        const struct jtgi_span used = {used_ms, used_ms + HOUR, used_ms + HOUR + MARGIN};
        struct jtgi_wall_clock wall_clock;
        struct jtgi_reading now;
        lending_cache_init(&fixture->lending);
        const struct jtgi_wall_clock_of of = {.clock = &fixture->clock_option,
                                              .logger = &fixture->logger,
                                              .whose = "flights",
                                              .margin_ms = MARGIN,
                                              .cache = &fixture->lending.base};
        assert_status(jtgi_wall_clock_init(&wall_clock, &of, NULL), JTG_OK);
        test_clock_set_wall_by(&fixture->clock, HOUR);
        assert_status(jtgi_wall_clock_now(&wall_clock, &now, NULL), JTG_OK);
        for (unsigned i = 0; i < 2; i++) {
            orders[order][i](fixture);
            assert_status(jtgi_wall_clock_now(&wall_clock, &now, NULL), JTG_OK);
        }
        assert_ptr_equal(now.record, fixture->lending.pieces[1][JTG_BORROWER_GUARD]);
        assert_int_equal(jtgi_wall_clock_ahead(&wall_clock, &used, &now), HOUR);
        jtgi_wall_clock_clear(&wall_clock);
        jtg_cache_free(&fixture->lending.base);
    }
}

/* ---- clocks that stumble ---- */

struct stumbling {
    int64_t wall_ms;
    int64_t monotonic_ms;
    int64_t pause_ms; /* between reading the one and the other … */
    unsigned pauses;  /* … so often */
};

static int64_t read_wall(void *context)
{
    struct stumbling *clock = context;
    int64_t wall_ms = clock->wall_ms;
    if (clock->pauses > 0) {
        clock->pauses--;
        clock->wall_ms += clock->pause_ms;
        clock->monotonic_ms += clock->pause_ms;
    }
    return wall_ms;
}

static int64_t read_monotonic(void *context)
{
    return ((struct stumbling *)context)->monotonic_ms;
}

static void a_pause_between_the_clocks_is_no_event(void **state)
{
    struct stumbling stumbling = {TEST_CLOCK_WALL_MS, 1000, HOUR, 0};
    jtg_clock clock = {
        .struct_size = sizeof clock,
        .context = &stumbling,
        .monotonic_ms = read_monotonic,
        .wall_ms = read_wall,
    };
    struct fixture *fixture = *state;
    struct jtgi_wall_clock wall_clock;
    struct jtgi_reading now;
    assert_status(init(fixture, &wall_clock, &clock, NULL), JTG_OK);
    stumbling.pauses = 2;
    assert_status(jtgi_wall_clock_now(&wall_clock, &now, NULL), JTG_OK);
    assert_int_equal(fixture->errors, 0);
    stumbling.pauses = 3;
    assert_status(jtgi_wall_clock_now(&wall_clock, &now, NULL), JTG_OK);
    assert_int_equal(fixture->errors, 1);
    jtgi_wall_clock_clear(&wall_clock);
}

static void a_clock_without_time_refuses(void **state)
{
    static const struct {
        int64_t wall_ms;
        int64_t monotonic_ms;
    } unusable[] = {{-1, 0}, {INT64_MAX, 0}, {INT64_MIN, 0}, {1, INT64_MAX}, {1, INT64_MIN}};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof unusable / sizeof unusable[0]; i++) {
        struct jtgi_wall_clock wall_clock;
        jtg_error err = JTG_ERROR_INIT;
        atomic_store(&fixture->clock.wall_ms, unusable[i].wall_ms);
        atomic_store(&fixture->clock.monotonic_ms, unusable[i].monotonic_ms);
        assert_status(jtgi_wall_clock_now(&fixture->wall_clock, &fixture->now, &err),
                      JTG_ERR_SYSTEM);
        assert_err_tells(&err, JTG_ERR_SYSTEM);
        jtgi_error_begin(&err);
        assert_status(init(fixture, &wall_clock, &fixture->clock_option, &err), JTG_ERR_ARGUMENT);
        assert_err_tells(&err, JTG_ERR_ARGUMENT);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(time_that_only_passes_loses_nothing),
        TEST(a_small_correction_is_covered_by_the_margin),
        TEST(a_clock_that_is_set_back_loses_what_had_ended),
        TEST(a_clock_that_jumped_ahead_and_was_corrected_refuses_little),
        TEST(a_second_event_keeps_the_first_in_mind),
        TEST(a_start_is_dated_by_the_furthest_clock),
        TEST(a_use_under_a_clock_that_was_ahead_is_older_than_it_looks),
        TEST(what_a_store_that_is_gone_knew_is_known),
        TEST(a_pause_between_the_clocks_is_no_event),
        TEST(a_clock_without_time_refuses),
    };
    return cmocka_run_group_tests_name("wall_clock", tests, NULL, NULL);
}
