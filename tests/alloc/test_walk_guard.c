/* SPDX-License-Identifier: Apache-2.0 */
/* As test_walk_memory.c, for a guard: out of memory, it refuses with a reason, and the token is
 * still unused. */
#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/test_clock.h"

#include <jtiguard/guard.h>
#include <jtiguard/memory.h>
#include <string.h>

enum { NTH_MAX = 50 };

struct walk {
    struct test_clock clock;
    jtg_cache *cache;
    jtg_guard *guard;
};

static jtg_claims some_claims(void)
{
    jtg_claims claims = JTG_CLAIMS_INIT;
    claims.kind = JTG_KIND_ID_TOKEN;
    claims.issuer = jtg_text_of("https://issuer.example");
    claims.audience = jtg_text_of("audience");
    claims.jti = jtg_text_of("a jti");
    claims.iat_ms = TEST_CLOCK_WALL_MS;
    claims.exp_ms = TEST_CLOCK_WALL_MS + 60000;
    return claims;
}

static int open_cache(void **state)
{
    static struct walk walk;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    memset(&walk, 0, sizeof walk);
    test_clock_init(&walk.clock);
    jtg_clock clock = test_clock_as_jtg(&walk.clock);
    options.sweep_interval_ms = 0;
    options.clock = &clock;
    *state = &walk;
    return jtg_memory_new(&walk.cache, &options, NULL) == JTG_OK ? 0 : -1;
}

static int close_cache(void **state)
{
    struct walk *walk = *state;
    jtg_guard_free(walk->guard);
    jtg_cache_free(walk->cache);
    return 0;
}

static jtg_status make_guard(struct walk *walk, jtg_error *err)
{
    jtg_guard_options options = JTG_GUARD_OPTIONS_INIT;
    jtg_clock clock = test_clock_as_jtg(&walk->clock);
    options.clock = &clock;
    options.restart_rule = 0;
    return jtg_guard_new(&walk->guard, walk->cache, &options, err);
}

static void making_a_guard(void **state)
{
    struct walk *walk = *state;
    for (unsigned nth = 1; nth < NTH_MAX; nth++) {
        jtg_error err = JTG_ERROR_INIT;
        walk->guard = (jtg_guard *)(void *)walk;
        alloc_walk_fail_nth(nth);
        jtg_status status = make_guard(walk, &err);
        bool failed = alloc_walk_end();
        assert_err_tells(&err, status);
        if (!failed) {
            assert_status(status, JTG_OK);
            assert_true(nth > 1);
            return;
        }
        assert_status(status, JTG_ERR_MEMORY);
        assert_null(walk->guard);
    }
    fail_msg("it never succeeds");
}

/* Whatever fails: not admitted means unused, admitted means used. */
static void admitting_and_releasing(void **state)
{
    struct walk *walk = *state;
    jtg_claims claims = some_claims();
    bool failed = true;
    assert_status(make_guard(walk, NULL), JTG_OK);
    for (unsigned nth = 1; failed; nth++) {
        jtg_decision decision = JTG_DECISION_INIT;
        assert_in_range(nth, 1, NTH_MAX);
        alloc_walk_fail_nth(nth);
        bool admitted = jtg_guard_admit(walk->guard, &claims, &decision, NULL);
        failed = alloc_walk_end();
        assert_int_equal(admitted, !failed);
        assert_int_equal(decision.reason, failed ? JTG_REASON_OUT_OF_MEMORY : JTG_REASON_ADMITTED);
        if (failed)
            continue;
        alloc_walk_fail_all();
        jtg_status status = jtg_guard_release(walk->guard, &decision.reservation, NULL);
        failed = alloc_walk_end();
        assert_status(status, failed ? JTG_ERR_MEMORY : JTG_OK);
        failed = false;
    }
}

/* Each is refused or admitted; none is used that was refused for want of memory. */
static void admitting_many(void **state)
{
    struct walk *walk = *state;
    jtg_claims claims[3] = {some_claims(), some_claims(), some_claims()};
    jtg_decision decisions[3];
    bool failed = true;
    claims[2].jti = jtg_text_of("another jti");
    assert_status(make_guard(walk, NULL), JTG_OK);
    for (unsigned nth = 1; failed; nth++) {
        jtg_admit_call calls[3];
        assert_in_range(nth, 1, NTH_MAX);
        for (unsigned i = 0; i < 3; i++) {
            decisions[i] = (jtg_decision)JTG_DECISION_INIT;
            calls[i] = (jtg_admit_call){&claims[i], &decisions[i], NULL, true};
        }
        alloc_walk_fail_nth(nth);
        jtg_guard_admit_many(walk->guard, calls, 3);
        failed = alloc_walk_end();
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(calls[i].admitted, decisions[i].reason == JTG_REASON_ADMITTED);
        if (!failed)
            assert_true(calls[0].admitted && !calls[1].admitted && calls[2].admitted);
        for (unsigned i = 0; i < 3 && failed; i++) {
            assert_true(decisions[i].reason != JTG_REASON_UNDECIDED);
            if (calls[i].admitted)
                assert_status(jtg_guard_release(walk->guard, &decisions[i].reservation, NULL),
                              JTG_OK);
        }
    }
}

static void computing_a_key(void **state)
{
    struct walk *walk = *state;
    jtg_claims claims = some_claims();
    unsigned char key[JTG_KEY_MAX_BYTES];
    size_t key_len = 0;
    assert_status(make_guard(walk, NULL), JTG_OK);
    alloc_walk_fail_all();
    jtg_reason reason = jtg_guard_key(walk->guard, &claims, key, &key_len);
    bool failed = alloc_walk_end();
    assert_int_equal(reason, failed ? JTG_REASON_OUT_OF_MEMORY : JTG_REASON_ADMITTED);
}

static void asking_whether_it_is_ready(void **state)
{
    struct walk *walk = *state;
    bool failed = true;
    assert_status(make_guard(walk, NULL), JTG_OK);
    for (unsigned nth = 1; failed; nth++) {
        jtg_error err = JTG_ERROR_INIT;
        assert_in_range(nth, 1, NTH_MAX);
        alloc_walk_fail_nth(nth);
        jtg_status status = jtg_guard_ping(walk->guard, &err);
        failed = alloc_walk_end();
        assert_status(status, failed ? JTG_ERR_MEMORY : JTG_OK);
        assert_err_tells(&err, status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(making_a_guard, open_cache, close_cache),
        cmocka_unit_test_setup_teardown(admitting_and_releasing, open_cache, close_cache),
        cmocka_unit_test_setup_teardown(admitting_many, open_cache, close_cache),
        cmocka_unit_test_setup_teardown(computing_a_key, open_cache, close_cache),
        cmocka_unit_test_setup_teardown(asking_whether_it_is_ready, open_cache, close_cache),
    };
    return cmocka_run_group_tests_name("allocation walk: guard", tests, NULL, NULL);
}
