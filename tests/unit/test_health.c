/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/health.h"
#include "support/asserts.h"
#include "support/test_clock.h"

#include <jtiguard/backend.h>

struct fixture {
    struct test_clock clock;
    struct jtgi_health health;
};

static void start(struct fixture *f)
{
    test_clock_init(&f->clock);
    jtg_clock clock = test_clock_as_jtg(&f->clock);
    jtgi_health_init(&f->health, &clock, JTGI_PAUSE_LIMIT_MS);
}

static jtg_status begin(struct fixture *f)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = jtgi_health_begin(&f->health, &err);
    if (status != JTG_OK)
        assert_string_equal(err.text, "it is gone");
    return status;
}

static void end(struct fixture *f, jtg_status status)
{
    jtg_error cause = JTG_ERROR_INIT;
    (void)jtg_error_set(&cause, status, 111, "it is gone");
    jtgi_health_end(&f->health, status, &cause);
}

static void a_store_is_up_until_it_fails(void **state)
{
    struct fixture f;
    (void)state;
    start(&f);
    assert_status(jtgi_health_check(&f.health, NULL), JTG_OK);
    assert_status(begin(&f), JTG_OK);
    assert_status(begin(&f), JTG_OK); /* any number at once, while nothing is known */
    end(&f, JTG_OK);
    assert_status(begin(&f), JTG_OK);
}

/* Whoever tries it has left it, or stopped on the way: then another tries. */
static void one_that_stops_on_the_way_keeps_nobody_out(void **state)
{
    struct fixture f;
    (void)state;
    start(&f);
    end(&f, JTG_ERR_UNAVAILABLE);
    test_clock_advance(&f.clock, JTGI_PAUSE_LIMIT_MS);
    assert_status(begin(&f), JTG_OK);
    assert_status(begin(&f), JTG_ERR_UNAVAILABLE);
    jtgi_health_leave(&f.health);
    assert_status(begin(&f), JTG_OK);
    assert_status(begin(&f), JTG_ERR_UNAVAILABLE);
    test_clock_advance(&f.clock, JTGI_TRYING_LIMIT_MS);
    assert_status(begin(&f), JTG_OK);
}

static void calls_fail_at_once_with_the_cause(void **state)
{
    struct fixture f;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    start(&f);
    assert_status(begin(&f), JTG_OK);
    end(&f, JTG_ERR_UNSAFE);
    assert_status(begin(&f), JTG_ERR_UNSAFE);
    assert_status(jtgi_health_check(&f.health, &err), JTG_ERR_UNSAFE);
    assert_string_equal(err.text, "it is gone");
    assert_int_equal(err.system_errno, 111);
}

static void one_caller_tries_when_the_pause_is_over(void **state)
{
    struct fixture f;
    (void)state;
    start(&f);
    assert_status(begin(&f), JTG_OK);
    end(&f, JTG_ERR_UNAVAILABLE);
    test_clock_advance(&f.clock, JTGI_PAUSE_FIRST_MS / 2 - 1);
    assert_status(begin(&f), JTG_ERR_UNAVAILABLE);
    test_clock_advance(&f.clock, JTGI_PAUSE_FIRST_MS);
    assert_status(begin(&f), JTG_OK);
    assert_status(begin(&f), JTG_ERR_UNAVAILABLE); /* the other tries */
    end(&f, JTG_OK);
    assert_status(jtgi_health_check(&f.health, NULL), JTG_OK);
    assert_status(begin(&f), JTG_OK);
}

/* From half of 50 ms up to half a second, never more: back within a second of its return. */
static void pauses_grow_to_a_limit(void **state)
{
    static const int64_t longest_ms[] = {50, 100, 200, 400, 500, 500, 500, 500};
    (void)state;
    for (unsigned round = 0; round < 50; round++) {
        struct fixture f;
        start(&f);
        for (size_t i = 0; i < sizeof longest_ms / sizeof longest_ms[0]; i++) {
            assert_status(begin(&f), JTG_OK);
            end(&f, JTG_ERR_UNAVAILABLE);
            test_clock_advance(&f.clock, longest_ms[i] / 2 - 1);
            assert_status(begin(&f), JTG_ERR_UNAVAILABLE);
            test_clock_advance(&f.clock, longest_ms[i] - longest_ms[i] / 2 + 1);
        }
    }
}

static void pauses_differ(void **state)
{
    bool differ = false;
    struct fixture first;
    (void)state;
    start(&first);
    end(&first, JTG_ERR_UNAVAILABLE);
    for (unsigned i = 0; i < 100 && !differ; i++) {
        struct fixture other;
        start(&other);
        end(&other, JTG_ERR_UNAVAILABLE);
        differ = other.health.retry_at_ms != first.health.retry_at_ms;
    }
    assert_true(differ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_is_up_until_it_fails),
        cmocka_unit_test(one_that_stops_on_the_way_keeps_nobody_out),
        cmocka_unit_test(calls_fail_at_once_with_the_cause),
        cmocka_unit_test(one_caller_tries_when_the_pause_is_over),
        cmocka_unit_test(pauses_grow_to_a_limit),
        cmocka_unit_test(pauses_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
