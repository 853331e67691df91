/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"
#include "tokens/flight/freshness.h"

#define ISSUED INT64_C(1795176000000)

enum { WINDOW = 10000, MARGIN = 30000, LIFETIME = 3600000 };

static const jtg_anti_replay_options windowed = {
    .mode = JTG_ANTI_REPLAY_BINDER, .window_ms = WINDOW, .margin_ms = MARGIN};
static const jtg_anti_replay_options single_use = {
    .mode = JTG_ANTI_REPLAY_SINGLE_USE, .window_ms = WINDOW, .margin_ms = MARGIN};

static jtg_flight flight_of_age(uint64_t age_ms)
{
    jtg_flight flight = JTG_FLIGHT_INIT;
    flight.issued_ms = ISSUED;
    flight.lifetime_ms = LIFETIME;
    flight.age_ms = age_ms;
    return flight;
}

static void judge(const jtg_anti_replay_options *options, const jtg_flight *flight, int64_t now,
                  jtg_flight_reason expected)
{
    struct jtgi_span span;
    uint64_t ttl_ms = 0;
    jtg_flight_reason reason = jtgi_freshness_judge(options, flight, now, &span, &ttl_ms);
    if (reason != expected)
        fail_msg("%s at %lld, not %s", jtg_flight_reason_name(reason), (long long)(now - ISSUED),
                 jtg_flight_reason_name(expected));
}

static void the_window_ends_to_the_millisecond(void **state)
{
    jtg_flight flight = flight_of_age(60000);
    int64_t expected = ISSUED + 60000;
    (void)state;
    judge(&windowed, &flight, expected - WINDOW - 1, JTG_FLIGHT_NOT_FRESH);
    judge(&windowed, &flight, expected - WINDOW, JTG_FLIGHT_FIRST);
    judge(&windowed, &flight, expected + WINDOW - 1, JTG_FLIGHT_FIRST);
    judge(&windowed, &flight, expected + WINDOW, JTG_FLIGHT_NOT_FRESH);
    flight.rtt_ms = 500;
    judge(&windowed, &flight, expected + WINDOW + 499, JTG_FLIGHT_FIRST);
    judge(&windowed, &flight, expected - WINDOW + 499, JTG_FLIGHT_NOT_FRESH);
}

static void the_tickets_life_ends_to_the_millisecond(void **state)
{
    jtg_flight flight = flight_of_age(LIFETIME - 1);
    (void)state;
    judge(&windowed, &flight, ISSUED + LIFETIME - 1, JTG_FLIGHT_FIRST);
    judge(&windowed, &flight, ISSUED + LIFETIME, JTG_FLIGHT_TICKET_EXPIRED);
    flight = flight_of_age(JTG_TICKET_AGE_ABSENT);
    judge(&single_use, &flight, ISSUED, JTG_FLIGHT_FIRST);
    judge(&single_use, &flight, ISSUED + LIFETIME - 1, JTG_FLIGHT_FIRST);
    judge(&single_use, &flight, ISSUED + LIFETIME, JTG_FLIGHT_TICKET_EXPIRED);
    judge(&single_use, &flight, ISSUED - MARGIN, JTG_FLIGHT_FIRST);
    judge(&single_use, &flight, ISSUED - MARGIN - 1, JTG_FLIGHT_TICKET_FROM_FUTURE);
}

static void single_use_judges_an_age_that_is_given(void **state)
{
    jtg_flight flight = flight_of_age(60000);
    (void)state;
    judge(&single_use, &flight, ISSUED + 60000 + WINDOW - 1, JTG_FLIGHT_FIRST);
    judge(&single_use, &flight, ISSUED + 60000 + WINDOW, JTG_FLIGHT_NOT_FRESH);
    judge(&single_use, &flight, ISSUED, JTG_FLIGHT_NOT_FRESH);
}

/* However long the age that a client makes up. */
static void an_absurd_age_is_not_fresh(void **state)
{
    jtg_flight flight = flight_of_age(UINT32_MAX);
    (void)state;
    judge(&windowed, &flight, ISSUED + 1000, JTG_FLIGHT_NOT_FRESH);
    flight.issued_ms = INT64_C(253402300799999);
    judge(&windowed, &flight, flight.issued_ms, JTG_FLIGHT_NOT_FRESH);
    flight.issued_ms = 0;
    judge(&windowed, &flight, 0, JTG_FLIGHT_NOT_FRESH);
}

static void a_record_outlasts_what_is_accepted(void **state)
{
    struct jtgi_span span;
    uint64_t ttl_ms = 0;
    jtg_flight flight = flight_of_age(60000);
    int64_t expected = ISSUED + 60000;
    (void)state;
    assert_int_equal(jtgi_freshness_judge(&windowed, &flight, expected, &span, &ttl_ms),
                     JTG_FLIGHT_FIRST);
    assert_int_equal(span.earliest_ms, ISSUED - MARGIN + 60000 - WINDOW);
    assert_int_equal(span.until_ms, expected + WINDOW);
    assert_int_equal(span.kept_until_ms, expected + WINDOW + MARGIN);
    assert_int_equal(ttl_ms, WINDOW + MARGIN);

    /* Another flight of the ticket may come at any age: its whole life. */
    assert_int_equal(jtgi_freshness_judge(&single_use, &flight, expected, &span, &ttl_ms),
                     JTG_FLIGHT_FIRST);
    assert_int_equal(span.earliest_ms, ISSUED - MARGIN);
    assert_int_equal(span.until_ms, ISSUED + LIFETIME);
    assert_int_equal(span.kept_until_ms, ISSUED + LIFETIME + MARGIN);

    /* Not beyond the ticket's life, nor from before it. */
    flight.age_ms = LIFETIME - 1;
    assert_int_equal(
        jtgi_freshness_judge(&windowed, &flight, ISSUED + LIFETIME - 1, &span, &ttl_ms),
        JTG_FLIGHT_FIRST);
    assert_int_equal(span.until_ms, ISSUED + LIFETIME);
    flight.age_ms = 0;
    assert_int_equal(jtgi_freshness_judge(&windowed, &flight, ISSUED, &span, &ttl_ms),
                     JTG_FLIGHT_FIRST);
    assert_int_equal(span.earliest_ms, ISSUED - MARGIN);
}

/* Of another copy earlier times may have been stated: its record ends as much earlier. This one's
 * does not. */
static void times_that_are_made_up_say_less_of_earlier_records(void **state)
{
    struct jtgi_span span;
    uint64_t ttl_ms = 0;
    jtg_flight flight = flight_of_age(60000);
    int64_t expected = ISSUED + 60000;
    (void)state;
    flight.apart_ms = WINDOW;
    assert_int_equal(jtgi_freshness_judge(&windowed, &flight, expected, &span, &ttl_ms),
                     JTG_FLIGHT_FIRST);
    assert_int_equal(ttl_ms, WINDOW + MARGIN);
    assert_int_equal(span.until_ms, expected + WINDOW);
    assert_int_equal(span.kept_until_ms, expected + MARGIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_window_ends_to_the_millisecond),
        cmocka_unit_test(the_tickets_life_ends_to_the_millisecond),
        cmocka_unit_test(single_use_judges_an_age_that_is_given),
        cmocka_unit_test(an_absurd_age_is_not_fresh),
        cmocka_unit_test(a_record_outlasts_what_is_accepted),
        cmocka_unit_test(times_that_are_made_up_say_less_of_earlier_records),
    };
    return cmocka_run_group_tests_name("freshness", tests, NULL, NULL);
}
