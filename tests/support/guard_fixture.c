/* SPDX-License-Identifier: Apache-2.0 */
#include "support/guard_fixture.h"

#include "support/asserts.h"

#include <string.h>

static void count_errors(void *context, jtg_log_level level, const char *line)
{
    struct guard_fixture *fixture = context;
    if (level == JTG_LOG_ERROR && line[0] != '\0')
        atomic_fetch_add(&fixture->errors_logged, 1);
}

void guard_fixture_issue(struct guard_fixture *fixture, int64_t lifetime_ms)
{
    int64_t now = atomic_load(&fixture->clock.wall_ms);
    jtg_claims_init(&fixture->claims);
    fixture->claims.kind = JTG_KIND_ID_TOKEN;
    fixture->claims.issuer = TEXT(FIXTURE_ISSUER);
    fixture->claims.audience = TEXT(FIXTURE_AUDIENCE);
    fixture->claims.jti = TEXT(FIXTURE_JTI);
    fixture->claims.iat_ms = now;
    fixture->claims.exp_ms = now + lifetime_ms;
}

void guard_fixture_init(struct guard_fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    test_clock_init(&fixture->clock);
    fixture->clock_option = test_clock_as_jtg(&fixture->clock);
    fixture->logger_option = (jtg_logger){sizeof(jtg_logger), fixture, JTG_LOG_DEBUG, count_errors};
    jtg_guard_options_init(&fixture->options);
    fixture->options.clock = &fixture->clock_option;
    fixture->options.logger = &fixture->logger_option;
    guard_fixture_issue(fixture, FIXTURE_LIFETIME_MS);
}

void guard_fixture_open(struct guard_fixture *fixture)
{
    jtg_error err = JTG_ERROR_INIT;
    if (fixture->store == NULL)
        fixture->store = fixture->watching ? recording_cache_new_watching(&fixture->clock)
                                           : recording_cache_new(&fixture->clock);
    assert_status(jtg_guard_new(&fixture->guard, &fixture->store->base, &fixture->options, &err),
                  JTG_OK);
    assert_err_tells(&err, JTG_OK);
}

void guard_fixture_close_guard(struct guard_fixture *fixture)
{
    jtg_guard_free(fixture->guard);
    fixture->guard = NULL;
}

void guard_fixture_close(struct guard_fixture *fixture)
{
    guard_fixture_close_guard(fixture);
    jtg_cache_free(&fixture->store->base);
    fixture->store = NULL;
}

jtg_reason guard_fixture_ask(struct guard_fixture *fixture)
{
    static const jtg_decision undecided = JTG_DECISION_INIT;
    fixture->decision = undecided;
    bool admitted = jtg_guard_admit(fixture->guard, &fixture->claims, &fixture->decision, NULL);
    assert_int_equal(admitted, fixture->decision.reason == JTG_REASON_ADMITTED);
    assert_int_equal(fixture->decision.struct_size, sizeof fixture->decision);
    return fixture->decision.reason;
}

void assert_same_reason(jtg_reason got, jtg_reason expected, const char *what, const char *file,
                        int line)
{
    if (got == expected)
        return;
    print_error("%s is %s, expected %s\n", what, jtg_reason_name(got), jtg_reason_name(expected));
    _fail(file, line);
}

int guard_fixture_set_up(void **state)
{
    static struct guard_fixture fixture;
    guard_fixture_init(&fixture);
    *state = &fixture;
    return 0;
}

int guard_fixture_set_up_open(void **state)
{
    (void)guard_fixture_set_up(state);
    guard_fixture_open(*state);
    return 0;
}

int guard_fixture_set_up_watching(void **state)
{
    (void)guard_fixture_set_up(state);
    ((struct guard_fixture *)*state)->watching = true;
    guard_fixture_open(*state);
    return 0;
}

int guard_fixture_tear_down(void **state)
{
    guard_fixture_close(*state);
    return 0;
}
