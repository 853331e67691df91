/* SPDX-License-Identifier: Apache-2.0 */
/* The front for event loops, on stores that answer at once; those that do not are
 * tests/redis/test_async_redis.c's. */
#include "support/asserts.h"
#include "support/guard_fixture.h"

#include <jtiguard/async.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static jtg_async *async;

static int open_async(void **state)
{
    if (guard_fixture_set_up_open(state) != 0)
        return -1;
    struct guard_fixture *fixture = *state;
    assert_status(jtg_async_new(&async, fixture->guard, NULL), JTG_OK);
    return 0;
}

static int close_async(void **state)
{
    jtg_async_free(async);
    return guard_fixture_tear_down(state);
}

static void a_token_is_answered_at_once(void **state)
{
    struct guard_fixture *fixture = *state;
    jtg_async_result result;
    int context = 0;
    assert_true(jtg_async_admit(async, &fixture->claims, &context, &result) == JTG_TICKET_NONE);
    assert_true(result.admitted);
    assert_int_equal(result.decision.reason, JTG_REASON_ADMITTED);
    assert_ptr_equal(result.context, &context);
    const jtg_reservation reservation = result.decision.reservation;
    assert_true(jtg_async_admit(async, &fixture->claims, NULL, &result) == JTG_TICKET_NONE);
    assert_false(result.admitted);
    assert_int_equal(result.decision.reason, JTG_REASON_REPLAYED);
    assert_true(jtg_async_release(async, &reservation, &context, &result) == JTG_TICKET_NONE);
    assert_true(result.is_release);
    assert_status(result.status, JTG_OK);
    assert_true(jtg_async_release(async, &reservation, &context, &result) == JTG_TICKET_NONE);
    assert_status(result.status, JTG_NOT_FOUND);
}

static void many_are_answered_one_by_one(void **state)
{
    struct guard_fixture *fixture = *state;
    jtg_async_result results[2];
    jtg_async_call calls[] = {{&fixture->claims, NULL, &results[0], 7},
                              {&fixture->claims, NULL, &results[1], 7}};
    jtg_async_admit_many(async, calls, 2);
    assert_true(calls[0].ticket == JTG_TICKET_NONE && calls[1].ticket == JTG_TICKET_NONE);
    assert_true(results[0].admitted);
    assert_false(results[1].admitted);
    jtg_async_admit_many(async, NULL, 2);
}

/* Its descriptor is one, and never ready. */
static void nothing_is_to_be_done(void **state)
{
    jtg_async_result result;
    struct pollfd wait = {jtg_async_fd(async), POLLIN, 0};
    (void)state;
    assert_int_equal(poll(&wait, 1, 0), 0);
    assert_int_equal(jtg_async_timeout_ms(async), -1);
    jtg_async_process(async);
    jtg_async_cancel(async, JTG_TICKET_ALL);
    jtg_async_cancel(async, 5);
    assert_false(jtg_async_next(async, &result));
    assert_false(result.admitted);
}

static void what_is_missing_is_refused(void **state)
{
    struct guard_fixture *fixture = *state;
    jtg_async_result result;
    jtg_async *none = async;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtg_async_new(&none, NULL, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_null(none);
    assert_status(jtg_async_new(NULL, fixture->guard, NULL), JTG_ERR_ARGUMENT);
    assert_true(jtg_async_admit(NULL, &fixture->claims, NULL, &result) == JTG_TICKET_NONE);
    assert_int_equal(result.decision.reason, JTG_REASON_BAD_ARGUMENT);
    assert_true(jtg_async_admit(async, NULL, NULL, &result) == JTG_TICKET_NONE);
    assert_int_equal(result.decision.reason, JTG_REASON_BAD_ARGUMENT);
    assert_true(jtg_async_admit(async, &fixture->claims, NULL, NULL) == JTG_TICKET_NONE);
    assert_true(jtg_async_release(async, NULL, NULL, &result) == JTG_TICKET_NONE);
    assert_status(result.status, JTG_ERR_ARGUMENT);
    assert_int_equal(jtg_async_fd(NULL), -1);
    assert_int_equal(jtg_async_timeout_ms(NULL), -1);
    assert_false(jtg_async_next(NULL, &result));
    assert_false(jtg_async_next(async, NULL));
    jtg_async_process(NULL);
    jtg_async_cancel(NULL, 1);
    jtg_async_free(NULL);
}

static bool refuses_in_child(const struct guard_fixture *fixture)
{
    jtg_async_result result;
    jtg_async *made = NULL;
    bool refused = jtg_async_admit(async, &fixture->claims, NULL, &result) == JTG_TICKET_NONE &&
                   !result.admitted && result.decision.reason == JTG_REASON_FORKED &&
                   jtg_async_new(&made, fixture->guard, NULL) == JTG_ERR_FORKED;
    jtg_async_free(async);
    return refused;
}

static void a_child_is_refused(void **state)
{
    const struct guard_fixture *fixture = *state;
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(refuses_in_child(fixture) ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_async, close_async)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_token_is_answered_at_once), TEST(many_are_answered_one_by_one),
        TEST(nothing_is_to_be_done),       TEST(what_is_missing_is_refused),
        TEST(a_child_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
