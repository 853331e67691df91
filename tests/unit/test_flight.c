/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/flight/flight.h"

#include "support/asserts.h"

#include <stddef.h>
#include <string.h>

static void the_initialisers_and_the_functions_agree(void **state)
{
    jtg_anti_replay_options options = JTG_ANTI_REPLAY_OPTIONS_INIT;
    jtg_anti_replay_options by_function;
    jtg_flight flight = JTG_FLIGHT_INIT;
    jtg_flight by_flight_function;
    (void)state;
    jtg_anti_replay_options_init(&by_function);
    jtg_anti_replay_options_init(NULL);
    assert_int_equal(by_function.struct_size, options.struct_size);
    assert_int_equal(by_function.mode, options.mode);
    assert_int_equal(by_function.window_ms, options.window_ms);
    assert_int_equal(by_function.margin_ms, options.margin_ms);
    assert_int_equal(by_function.start_rule, options.start_rule);
    assert_true(by_function.zone == NULL && by_function.clock == NULL);
    assert_int_equal(options.mode, JTG_ANTI_REPLAY_SINGLE_USE);
    assert_int_equal(options.window_ms, JTG_ANTI_REPLAY_WINDOW_MS_DEFAULT);
    assert_int_equal(options.margin_ms, JTG_ANTI_REPLAY_MARGIN_MS_DEFAULT);
    assert_int_equal(options.start_rule, 1);
    jtg_flight_init(&by_flight_function);
    jtg_flight_init(NULL);
    assert_memory_equal(&by_flight_function, &flight, sizeof flight);
    assert_true(flight.age_ms == JTG_TICKET_AGE_ABSENT);
}

static void an_age_is_a_difference_modulo_2_to_the_32(void **state)
{
    (void)state;
    assert_int_equal(jtg_ticket_age_ms(1000, 400), 600);
    assert_int_equal(jtg_ticket_age_ms(400, 400), 0);
    assert_int_equal(jtg_ticket_age_ms(5, 0xfffffff0), 21);
    assert_int_equal(jtg_ticket_age_ms(0, 1), UINT32_MAX);
}

static void refuse_options(const jtg_anti_replay_options *given, const char *what)
{
    jtg_anti_replay_options options;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtgi_anti_replay_options_read(&options, given, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, what));
}

static void accept_options(const jtg_anti_replay_options *given)
{
    jtg_anti_replay_options options;
    assert_status(jtgi_anti_replay_options_read(&options, given, NULL), JTG_OK);
    assert_non_null(options.zone);
}

static void options_keep_to_their_ranges(void **state)
{
    char zone[JTG_ANTI_REPLAY_ZONE_MAX_BYTES + 2];
    jtg_anti_replay_options options = JTG_ANTI_REPLAY_OPTIONS_INIT;
    (void)state;
    accept_options(NULL);
    options.mode = (jtg_anti_replay_mode)4;
    refuse_options(&options, "mode");
    options.mode = (jtg_anti_replay_mode)-1;
    refuse_options(&options, "mode");
    options.mode = JTG_ANTI_REPLAY_CLIENT_RANDOM;
    options.window_ms = 99;
    refuse_options(&options, "window_ms");
    options.window_ms = JTG_ANTI_REPLAY_WINDOW_MS_LIMIT + 1;
    refuse_options(&options, "window_ms");
    options.window_ms = JTG_ANTI_REPLAY_WINDOW_MS_LIMIT;
    options.margin_ms = 999;
    refuse_options(&options, "margin_ms");
    options.margin_ms = JTG_ANTI_REPLAY_MARGIN_MS_LIMIT + 1;
    refuse_options(&options, "margin_ms");
    options.margin_ms = JTG_ANTI_REPLAY_MARGIN_MS_LIMIT;
    options.start_rule = 2;
    refuse_options(&options, "start_rule");
    options.start_rule = 0;
    accept_options(&options);
    memset(zone, 'z', sizeof zone);
    zone[sizeof zone - 1] = '\0';
    options.zone = zone;
    refuse_options(&options, "zone");
    zone[sizeof zone - 2] = '\0';
    accept_options(&options);
    options.struct_size = 0;
    refuse_options(&options, "struct_size");
}

static bool is_taken(const jtg_flight *given, jtg_anti_replay_mode mode)
{
    jtg_anti_replay_options options = JTG_ANTI_REPLAY_OPTIONS_INIT;
    jtg_flight flight;
    jtg_error err = JTG_ERROR_INIT;
    options.mode = mode;
    jtg_status status = jtgi_flight_read(&flight, given, &options, &err);
    if (status != JTG_OK)
        assert_err_tells(&err, JTG_ERR_ARGUMENT);
    return status == JTG_OK;
}

static void a_flights_times_keep_to_their_ranges(void **state)
{
    jtg_flight flight = JTG_FLIGHT_INIT;
    (void)state;
    assert_false(is_taken(&flight, JTG_ANTI_REPLAY_SINGLE_USE)); /* no lifetime */
    flight.lifetime_ms = JTG_ANTI_REPLAY_LIFETIME_MS_LIMIT;
    assert_true(is_taken(&flight, JTG_ANTI_REPLAY_SINGLE_USE));
    flight.lifetime_ms++;
    assert_false(is_taken(&flight, JTG_ANTI_REPLAY_SINGLE_USE));
    flight.lifetime_ms = 1;
    flight.issued_ms = -1;
    assert_false(is_taken(&flight, JTG_ANTI_REPLAY_SINGLE_USE));
    flight.issued_ms = INT64_C(253402300800000);
    assert_false(is_taken(&flight, JTG_ANTI_REPLAY_SINGLE_USE));
    flight.issued_ms--;
    assert_true(is_taken(&flight, JTG_ANTI_REPLAY_SINGLE_USE));
    flight.rtt_ms = JTG_ANTI_REPLAY_WINDOW_MS_DEFAULT;
    assert_true(is_taken(&flight, JTG_ANTI_REPLAY_SINGLE_USE));
    flight.rtt_ms++;
    assert_false(is_taken(&flight, JTG_ANTI_REPLAY_SINGLE_USE));
    flight.rtt_ms = 0;
    flight.apart_ms = JTG_ANTI_REPLAY_LIFETIME_MS_LIMIT;
    assert_true(is_taken(&flight, JTG_ANTI_REPLAY_SINGLE_USE));
    flight.apart_ms++;
    assert_false(is_taken(&flight, JTG_ANTI_REPLAY_SINGLE_USE));
    flight.struct_size = offsetof(jtg_flight, apart_ms); /* of a program that did not know it */
    assert_true(is_taken(&flight, JTG_ANTI_REPLAY_SINGLE_USE));
    flight.struct_size = sizeof flight;
    flight.apart_ms = 0;
    flight.age_ms = (uint64_t)UINT32_MAX + 1;
    assert_false(is_taken(&flight, JTG_ANTI_REPLAY_SINGLE_USE));
    flight.struct_size = 8;
    assert_false(is_taken(&flight, JTG_ANTI_REPLAY_SINGLE_USE));
}

static void an_age_is_needed_where_freshness_decides(void **state)
{
    jtg_flight flight = JTG_FLIGHT_INIT;
    (void)state;
    flight.lifetime_ms = 1000;
    for (int mode = 0; mode <= JTG_ANTI_REPLAY_CLIENT_RANDOM; mode++) {
        flight.age_ms = JTG_TICKET_AGE_ABSENT;
        assert_int_equal(is_taken(&flight, (jtg_anti_replay_mode)mode),
                         mode == JTG_ANTI_REPLAY_SINGLE_USE);
        flight.age_ms = 0;
        assert_true(is_taken(&flight, (jtg_anti_replay_mode)mode));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_initialisers_and_the_functions_agree),
        cmocka_unit_test(an_age_is_a_difference_modulo_2_to_the_32),
        cmocka_unit_test(options_keep_to_their_ranges),
        cmocka_unit_test(a_flights_times_keep_to_their_ranges),
        cmocka_unit_test(an_age_is_needed_where_freshness_decides),
    };
    return cmocka_run_group_tests_name("flight", tests, NULL, NULL);
}
