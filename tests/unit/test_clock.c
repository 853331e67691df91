/* SPDX-License-Identifier: Apache-2.0 */
#include "support/test_clock.h"
#include "core/clock.h"
#include "support/asserts.h"

#include <time.h>

/* Not time(): it reads the coarse clock, which is a tick behind, so that the second may have begun
 * on one clock and not on the other. */
static int64_t wall_now_ms(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void the_systems_clocks_are_read(void **state)
{
    (void)state;
    jtg_clock clock = jtg_clock_system();
    assert_int_equal(clock.struct_size, sizeof clock);
    int64_t before = wall_now_ms();
    int64_t wall = clock.wall_ms(clock.context);
    assert_true(wall >= before);
    assert_true(wall <= wall_now_ms());
    int64_t first = clock.monotonic_ms(clock.context);
    assert_true(first >= 0);
    assert_true(clock.monotonic_ms(clock.context) >= first);
}

static void no_clock_means_the_systems(void **state)
{
    jtg_clock clock = {0};
    (void)state;
    assert_status(jtgi_clock_read_option(&clock, NULL, NULL), JTG_OK);
    jtg_clock system = jtg_clock_system();
    assert_true(clock.monotonic_ms == system.monotonic_ms);
    assert_true(clock.wall_ms == system.wall_ms);
}

static void a_given_clock_is_copied(void **state)
{
    struct test_clock given;
    jtg_clock clock = {0};
    (void)state;
    test_clock_init(&given);
    jtg_clock as_jtg = test_clock_as_jtg(&given);
    assert_status(jtgi_clock_read_option(&clock, &as_jtg, NULL), JTG_OK);
    as_jtg = jtg_clock_system();
    test_clock_advance(&given, 7);
    test_clock_set_wall_by(&given, -1000);
    assert_int_equal(jtgi_clock_monotonic_ms(&clock), TEST_CLOCK_MONOTONIC_MS + 7);
    assert_int_equal(jtgi_clock_wall_ms(&clock), TEST_CLOCK_WALL_MS + 7 - 1000);
}

static void refused(const jtg_clock *given)
{
    jtg_clock clock = {0};
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtgi_clock_read_option(&clock, given, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
}

static void half_a_clock_is_refused(void **state)
{
    (void)state;
    jtg_clock half = jtg_clock_system();
    half.wall_ms = NULL;
    refused(&half);
    half = jtg_clock_system();
    half.monotonic_ms = NULL;
    refused(&half);
    half = jtg_clock_system();
    half.struct_size = 0;
    refused(&half);
}

static void the_coarse_clock_is_never_ahead(void **state)
{
    (void)state;
    jtg_clock clock = jtg_clock_system();
    for (int i = 0; i < 10000; i++) {
        int64_t coarse_ms = jtgi_clock_coarse_ms();
        assert_true(coarse_ms <= jtgi_clock_monotonic_ms(&clock));
    }
}

static void the_systems_clock_is_known(void **state)
{
    (void)state;
    struct test_clock given;
    jtg_clock clock = jtg_clock_system();
    assert_true(jtgi_clock_is_system(&clock));
    test_clock_init(&given);
    clock = test_clock_as_jtg(&given);
    assert_false(jtgi_clock_is_system(&clock));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_systems_clocks_are_read),
        cmocka_unit_test(no_clock_means_the_systems),
        cmocka_unit_test(a_given_clock_is_copied),
        cmocka_unit_test(half_a_clock_is_refused),
        cmocka_unit_test(the_coarse_clock_is_never_ahead),
        cmocka_unit_test(the_systems_clock_is_known),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
