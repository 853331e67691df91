/* SPDX-License-Identifier: Apache-2.0 */
/* The break-glass token and anti-replay with each acquisition of memory failing in turn. */
#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/test_clock.h"

#include <jtiguard/anti_replay.h>
#include <jtiguard/breakglass.h>
#include <jtiguard/memory.h>
#include <string.h>

enum { NTH_MAX = 100, TEXT_LEN = JTG_BREAKGLASS_TEXT_BYTES - 1 };

struct walk {
    struct test_clock clock;
    jtg_clock clock_option;
    jtg_cache *cache;
    jtg_breakglass *breakglass;
    jtg_anti_replay *anti_replay;
};

static int open_cache(void **state)
{
    static struct walk walk;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    memset(&walk, 0, sizeof walk);
    test_clock_init(&walk.clock);
    walk.clock_option = test_clock_as_jtg(&walk.clock);
    options.sweep_interval_ms = 0;
    options.clock = &walk.clock_option;
    *state = &walk;
    return jtg_memory_new(&walk.cache, &options, NULL) == JTG_OK ? 0 : -1;
}

static int close_cache(void **state)
{
    struct walk *walk = *state;
    jtg_breakglass_free(walk->breakglass);
    jtg_anti_replay_free(walk->anti_replay);
    jtg_cache_free(walk->cache);
    return 0;
}

static jtg_status make_breakglass(struct walk *walk, jtg_error *err)
{
    jtg_breakglass_options options = JTG_BREAKGLASS_OPTIONS_INIT;
    options.clock = &walk->clock_option;
    options.max_uses = 100;
    return jtg_breakglass_new(&walk->breakglass, walk->cache, &options, err);
}

static jtg_status make_anti_replay(struct walk *walk, jtg_error *err)
{
    jtg_anti_replay_options options = JTG_ANTI_REPLAY_OPTIONS_INIT;
    options.clock = &walk->clock_option;
    options.zone = "zone";
    return jtg_anti_replay_new(&walk->anti_replay, walk->cache, &options, err);
}

static void making(struct walk *walk, jtg_status (*make)(struct walk *, jtg_error *))
{
    for (unsigned nth = 1; nth < NTH_MAX; nth++) {
        jtg_error err = JTG_ERROR_INIT;
        alloc_walk_fail_nth(nth);
        jtg_status status = make(walk, &err);
        bool failed = alloc_walk_end();
        assert_err_tells(&err, status);
        if (!failed) {
            assert_status(status, JTG_OK);
            assert_true(nth > 1);
            return;
        }
        assert_status(status, JTG_ERR_MEMORY);
        assert_null(make == make_breakglass ? (void *)walk->breakglass : (void *)walk->anti_replay);
    }
    fail_msg("it never succeeds");
}

static void making_a_breakglass(void **state)
{
    making(*state, make_breakglass);
}

static void making_an_anti_replay(void **state)
{
    making(*state, make_anti_replay);
}

/* A call that failed for want of memory issued nothing, used nothing and ended nothing. */
static void a_tokens_life(void **state)
{
    struct walk *walk = *state;
    char text[JTG_BREAKGLASS_TEXT_BYTES];
    jtg_breakglass_info info = JTG_BREAKGLASS_INFO_INIT;
    bool failed = true;
    unsigned uses = 0;
    assert_status(make_breakglass(walk, NULL), JTG_OK);
    for (unsigned nth = 1; failed; nth++) {
        assert_in_range(nth, 1, NTH_MAX);
        alloc_walk_fail_nth(nth);
        jtg_status status =
            jtg_breakglass_issue(walk->breakglass, JTG_BREAKGLASS_IF_NONE, text, NULL, NULL);
        failed = alloc_walk_end();
        assert_status(status, failed ? JTG_ERR_MEMORY : JTG_OK);
        assert_int_equal(text[0] == '\0', failed);
    }
    failed = true;
    for (unsigned nth = 1; failed; nth++) {
        assert_in_range(nth, 1, NTH_MAX);
        alloc_walk_fail_nth(nth);
        jtg_status status = jtg_breakglass_lookup(walk->breakglass, text, TEXT_LEN, &info, NULL);
        failed = alloc_walk_end();
        assert_status(status, failed ? JTG_ERR_MEMORY : JTG_OK);
        uses += !failed;
        assert_int_equal(info.uses, failed ? 0 : uses);
    }
    assert_int_equal(uses, 1);
    failed = true;
    for (unsigned nth = 1; failed; nth++) {
        assert_in_range(nth, 1, NTH_MAX);
        alloc_walk_fail_nth(nth);
        jtg_status status = jtg_breakglass_delete(walk->breakglass, text, TEXT_LEN, NULL);
        failed = alloc_walk_end();
        assert_status(status, failed ? JTG_ERR_MEMORY : JTG_OK);
    }
    assert_status(jtg_breakglass_lookup(walk->breakglass, text, TEXT_LEN, NULL, NULL),
                  JTG_NOT_FOUND);
}

/* A first lookup that cannot plant its record still answers. */
static void a_lookup_of_nothing(void **state)
{
    struct walk *walk = *state;
    static const char any[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    assert_status(make_breakglass(walk, NULL), JTG_OK);
    alloc_walk_fail_all();
    jtg_status status = jtg_breakglass_lookup(walk->breakglass, any, TEXT_LEN, NULL, NULL);
    assert_true(alloc_walk_end());
    assert_status(status, JTG_NOT_FOUND);
    assert_status(jtg_breakglass_clear(walk->breakglass, NULL), JTG_OK);
}

static void a_flight(void **state)
{
    struct walk *walk = *state;
    jtg_flight flight = JTG_FLIGHT_INIT;
    bool failed = true;
    assert_status(make_anti_replay(walk, NULL), JTG_OK);
    test_clock_advance(&walk->clock, 3600000);
    flight.ticket = "a ticket id";
    flight.ticket_len = 11;
    flight.issued_ms = atomic_load(&walk->clock.wall_ms);
    flight.lifetime_ms = 60000;
    for (unsigned nth = 1; failed; nth++) {
        jtg_flight_decision decision = JTG_FLIGHT_DECISION_INIT;
        assert_in_range(nth, 1, NTH_MAX);
        alloc_walk_fail_nth(nth);
        bool accepted = jtg_anti_replay_accept(walk->anti_replay, &flight, &decision, NULL);
        failed = alloc_walk_end();
        assert_int_equal(accepted, !failed);
        assert_int_equal(decision.reason, failed ? JTG_FLIGHT_OUT_OF_MEMORY : JTG_FLIGHT_FIRST);
    }
    assert_false(jtg_anti_replay_accept(walk->anti_replay, &flight, NULL, NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_cache, close_cache)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(making_a_breakglass),
        TEST(making_an_anti_replay),
        TEST(a_tokens_life),
        TEST(a_lookup_of_nothing),
        TEST(a_flight),
    };
    return cmocka_run_group_tests_name("allocation walk: tokens", tests, NULL, NULL);
}
