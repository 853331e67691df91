/* SPDX-License-Identifier: Apache-2.0 */
/* Since when everything was kept: by whom it is dated, told, lowered and raised. */
#include "host/since.h"
#include "support/asserts.h"
#include "support/test_clock.h"

enum { ME = 1, OTHER = 2 };

static struct jtgi_host_header header;
static struct test_clock hands;
static jtg_clock clock_of_test;

static bool others_are_dead(void *context, uint32_t word)
{
    (void)context;
    return word == OTHER;
}

static const struct jtgi_lock_party alone = {.word = ME, .wait_ms = 20};
static const struct jtgi_lock_party heir = {
    .word = ME, .wait_ms = 2000, .is_dead = others_are_dead};

static int begin(void **state)
{
    static const struct jtgi_host_facts facts = {.bytes = 1};
    static const struct jtgi_host_identity identity = {"", 0};
    (void)state;
    test_clock_init(&hands);
    clock_of_test = test_clock_as_jtg(&hands);
    jtgi_host_header_fill(&header, &facts, &identity);
    atomic_store(&header.dating, 0);
    return 0;
}

static int64_t since_of(const struct jtgi_lock_party *party)
{
    int64_t since_ms = 0;
    assert_status(jtgi_host_since_read(&header, party, &clock_of_test, &since_ms), JTG_OK);
    return since_ms;
}

static void note_now(void)
{
    const struct jtgi_moment now = jtgi_moment_now(&clock_of_test);
    jtgi_host_since_note(&header, &now);
}

static int64_t told(void)
{
    return jtgi_host_since_as_wall(&header, since_of(&alone));
}

static void a_new_file_lacks_a_second(void **state)
{
    (void)state;
    jtgi_host_since_date(&header, TEST_CLOCK_MONOTONIC_MS);
    assert_true(since_of(&alone) == TEST_CLOCK_MONOTONIC_MS + 1001);
    note_now();
    assert_true(told() == TEST_CLOCK_WALL_MS + 1001);
}

static void its_maker_is_waited_for(void **state)
{
    int64_t since_ms = 0;
    (void)state;
    atomic_store(&header.dating, OTHER);
    assert_status(jtgi_host_since_read(&header, &alone, &clock_of_test, &since_ms),
                  JTG_ERR_BLOCKED);
    assert_true(atomic_load(&header.since_ms) == JTGI_HOST_UNDATED);
}

static void a_dead_makers_file_is_dated_by_who_comes(void **state)
{
    (void)state;
    atomic_store(&header.dating, OTHER);
    test_clock_advance(&hands, 60000);
    assert_true(since_of(&heir) == TEST_CLOCK_MONOTONIC_MS + 61001);
    test_clock_advance(&hands, 60000);
    assert_true(since_of(&alone) == TEST_CLOCK_MONOTONIC_MS + 61001);
}

static void nothing_is_kept_during_a_loss(void **state)
{
    int64_t before_ms = 0;
    (void)state;
    jtgi_host_since_date(&header, TEST_CLOCK_MONOTONIC_MS);
    test_clock_advance(&hands, 5000);
    assert_status(jtgi_host_since_begin_loss(&header, &alone, &before_ms), JTG_OK);
    assert_true(atomic_load(&header.since_ms) == JTGI_HOST_UNDATED);
    assert_status(jtgi_host_since_begin_loss(&header, &alone, &before_ms), JTG_ERR_BLOCKED);
    test_clock_advance(&hands, 5000);
    jtgi_host_since_end_loss(&header, &alone, &clock_of_test, before_ms);
    assert_true(since_of(&alone) == TEST_CLOCK_MONOTONIC_MS + 10001);
}

static void a_loss_never_lowers_it(void **state)
{
    int64_t before_ms = 0;
    (void)state;
    jtgi_host_since_date(&header, TEST_CLOCK_MONOTONIC_MS);
    assert_status(jtgi_host_since_begin_loss(&header, &alone, &before_ms), JTG_OK);
    jtgi_host_since_end_loss(&header, &alone, &clock_of_test, before_ms);
    assert_true(since_of(&alone) == TEST_CLOCK_MONOTONIC_MS + 1002);
    /* Who lost everything in the middle of a loss of another's that died: as a new file. */
    atomic_store(&header.since_ms, JTGI_HOST_UNDATED);
    assert_status(jtgi_host_since_begin_loss(&header, &alone, &before_ms), JTG_OK);
    jtgi_host_since_end_loss(&header, &alone, &clock_of_test, before_ms);
    assert_true(since_of(&alone) == TEST_CLOCK_MONOTONIC_MS + 1001);
}

/* Made by a clock that was an hour late: the time is told by the right one. */
static void a_clock_that_was_late_dates_nothing_too_early(void **state)
{
    (void)state;
    test_clock_set_wall_by(&hands, -3600000);
    jtgi_host_since_date(&header, TEST_CLOCK_MONOTONIC_MS);
    note_now();
    assert_true(told() == TEST_CLOCK_WALL_MS - 3600000 + 1001);
    test_clock_set_wall_by(&hands, 3600000);
    note_now();
    assert_true(told() == TEST_CLOCK_WALL_MS + 1001);
    test_clock_set_wall_by(&hands, -7200000);
    note_now();
    assert_true(told() == TEST_CLOCK_WALL_MS + 1001);
}

static void an_operator_lowers_it(void **state)
{
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    jtgi_host_since_date(&header, TEST_CLOCK_MONOTONIC_MS);
    note_now();
    assert_status(
        jtgi_host_since_vouch(&header, &alone, &clock_of_test, TEST_CLOCK_WALL_MS + 1, &err),
        JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_status(jtgi_host_since_vouch(&header, &alone, &clock_of_test, TEST_CLOCK_WALL_MS, NULL),
                  JTG_OK);
    assert_true(told() == TEST_CLOCK_WALL_MS);
    assert_status(jtgi_host_since_vouch(&header, &alone, &clock_of_test, 0, NULL), JTG_OK);
    assert_true(told() == 0);
    assert_status(jtgi_host_since_vouch(&header, &alone, &clock_of_test, 1000, NULL), JTG_OK);
    assert_true(told() == 0); /* never forward */
    test_clock_set_wall_by(&hands, 7200000);
    note_now();
    assert_true(told() == 0); /* ever is ever, whatever a clock does */
}

/* Whoever changes it in a file that was moved would tell nobody. */
static void one_that_was_moved_is_not_changed(void **state)
{
    int64_t before_ms = 0;
    (void)state;
    assert_status(jtgi_host_since_hold(&header, &alone), JTG_ERR_BLOCKED); /* it is undated */
    assert_int_equal(atomic_load(&header.dating), 0);
    jtgi_host_since_date(&header, TEST_CLOCK_MONOTONIC_MS);
    assert_status(jtgi_host_since_hold(&header, &alone), JTG_OK);
    assert_status(jtgi_host_since_begin_loss(&header, &alone, &before_ms), JTG_ERR_BLOCKED);
    assert_status(jtgi_host_since_vouch(&header, &alone, &clock_of_test, 0, NULL), JTG_ERR_BLOCKED);
    atomic_store(&header.moving, 1);
    jtgi_lock_leave(&header.dating, &alone);
    assert_status(jtgi_host_since_begin_loss(&header, &alone, &before_ms), JTG_ERR_BLOCKED);
    assert_status(jtgi_host_since_vouch(&header, &alone, &clock_of_test, 0, NULL), JTG_ERR_BLOCKED);
    assert_status(jtgi_host_since_hold(&header, &alone), JTG_ERR_BLOCKED);
    assert_int_equal(atomic_load(&header.dating), 0);
    assert_true(since_of(&alone) == TEST_CLOCK_MONOTONIC_MS + 1001);
}

#define CASE(function) cmocka_unit_test_setup(function, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_new_file_lacks_a_second),
        CASE(its_maker_is_waited_for),
        CASE(a_dead_makers_file_is_dated_by_who_comes),
        CASE(nothing_is_kept_during_a_loss),
        CASE(a_loss_never_lowers_it),
        CASE(a_clock_that_was_late_dates_nothing_too_early),
        CASE(an_operator_lowers_it),
        CASE(one_that_was_moved_is_not_changed),
    };
    return cmocka_run_group_tests_name("since", tests, NULL, NULL);
}
