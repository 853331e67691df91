/* SPDX-License-Identifier: Apache-2.0 */
/* What GnuTLS asks, asked by hand: by a clock that the test moves. */
#include "adapters/gnutls/anti_replay_gnutls.h"

#include "adapters/gnutls/db_entry_fixture.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/test_clock.h"

#include <jtiguard/memory.h>
#include <stdlib.h>

enum { WINDOW_S = 10, MARGIN_S = 30, NTH_MAX = 100 };

static struct test_clock clock_of_test;
static jtg_clock clock_option;
static jtg_cache *cache;
static jtg_anti_replay_gnutls *anti_replay;

static jtg_status make(jtg_error *err)
{
    jtg_anti_replay_options options;
    jtg_anti_replay_gnutls_options_init(&options);
    options.clock = &clock_option;
    options.start_rule = 0;
    return jtg_anti_replay_gnutls_new(&anti_replay, cache, &options, err);
}

static int start(void **state)
{
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    (void)state;
    test_clock_init(&clock_of_test);
    clock_option = test_clock_as_jtg(&clock_of_test);
    options.clock = &clock_option;
    options.sweep_interval_ms = 0;
    return jtg_memory_new(&cache, &options, NULL) == JTG_OK && make(NULL) == JTG_OK ? 0 : -1;
}

static int halt(void **state)
{
    (void)state;
    jtg_anti_replay_gnutls_free(anti_replay);
    anti_replay = NULL;
    jtg_cache_free(cache);
    return 0;
}

static int64_t now_s(void)
{
    return clock_of_test.wall_ms / 1000;
}

/* A flight that GnuTLS found fresh at judged_s, in a window that began ago_s before it. */
static int ask(unsigned char binder, int64_t judged_s, int64_t ago_s)
{
    struct made_entry entry;
    make_entry(&entry, judged_s, WINDOW_S, judged_s - ago_s, binder);
    return jtgi_anti_replay_gnutls_add(anti_replay, entry.end, &entry.key, &entry.data);
}

static void a_flight_is_accepted_once_whenever_the_window_began(void **state)
{
    (void)state;
    assert_int_equal(ask(1, now_s(), 3), GNUTLS_E_SUCCESS);
    assert_int_equal(ask(1, now_s(), 3), GNUTLS_E_DB_ENTRY_EXISTS);
    assert_int_equal(ask(1, now_s(), 0), GNUTLS_E_DB_ENTRY_EXISTS); /* as another process asks */
    assert_int_equal(ask(2, now_s(), 3), GNUTLS_E_SUCCESS);
    assert_int_equal(jtg_anti_replay_gnutls_counter(anti_replay, JTG_FLIGHT_FIRST), 2);
    assert_int_equal(jtg_anti_replay_gnutls_counter(anti_replay, JTG_FLIGHT_REPLAYED), 2);
}

/* GnuTLS takes a flight for a window after the moment that it names, so up to a window after it
 * was first taken: by a clock that is behind by the margin, even later. */
static void the_record_outlives_every_server_s_window(void **state)
{
    (void)state;
    test_clock_advance(&clock_of_test, 999); /* late in the second that GnuTLS rounds down */
    int64_t judged_s = now_s();
    assert_int_equal(ask(1, judged_s, 3), GNUTLS_E_SUCCESS);
    test_clock_advance(&clock_of_test, (WINDOW_S + MARGIN_S) * 1000);
    assert_int_equal(ask(1, now_s(), 3), GNUTLS_E_DB_ENTRY_EXISTS);
    test_clock_advance(&clock_of_test, 2000); /* not kept for ever */
    assert_int_equal(ask(1, now_s(), 3), GNUTLS_E_SUCCESS);
}

/* The thread was stopped between GnuTLS's look at the clock and ours: the record of an earlier
 * use may have ended meanwhile. */
static void a_flight_that_was_judged_a_window_ago_is_refused(void **state)
{
    (void)state;
    assert_int_equal(ask(1, now_s() - WINDOW_S - 1, 3), GNUTLS_E_DB_ERROR);
    assert_int_equal(jtg_anti_replay_gnutls_counter(anti_replay, JTG_FLIGHT_NOT_FRESH), 1);
    assert_int_equal(ask(1, now_s() - WINDOW_S + 1, 3), GNUTLS_E_SUCCESS);
}

/* The record of a copy that was taken a window ago ends a window before that of one that is taken
 * now: after the clock was set back it may have ended, and the copy is fresh again. */
static void a_clock_that_is_set_back_opens_nothing(void **state)
{
    (void)state;
    assert_int_equal(ask(1, now_s(), 3), GNUTLS_E_SUCCESS);
    test_clock_advance(&clock_of_test, (WINDOW_S + MARGIN_S + 2) * 1000);
    test_clock_set_wall_by(&clock_of_test, -(MARGIN_S + 4) * 1000);
    assert_int_equal(ask(1, now_s(), 3), GNUTLS_E_DB_ERROR);
    assert_int_equal(jtg_anti_replay_gnutls_counter(anti_replay, JTG_FLIGHT_CLOCK_SET_BACK), 1);
}

static void an_entry_of_another_layout_is_refused_and_counted(void **state)
{
    struct made_entry entry;
    (void)state;
    make_entry(&entry, now_s(), WINDOW_S, now_s(), 1);
    entry.key.size = ENTRY_BINDER; /* without the prefix */
    assert_int_equal(jtgi_anti_replay_gnutls_add(anti_replay, entry.end, &entry.key, &entry.data),
                     GNUTLS_E_DB_ERROR);
    assert_int_equal(jtg_anti_replay_gnutls_counter(anti_replay, JTG_FLIGHT_BAD_ARGUMENT), 1);
}

/* RFC 8446 section 8.2, on a store that may have begun with the process. */
static void after_a_start_all_is_refused_for_the_window_and_the_margin(void **state)
{
    jtg_anti_replay_options options;
    (void)state;
    jtg_anti_replay_gnutls_free(anti_replay);
    jtg_anti_replay_gnutls_options_init(&options);
    options.clock = &clock_option;
    assert_status(jtg_anti_replay_gnutls_new(&anti_replay, cache, &options, NULL), JTG_OK);
    assert_int_equal(ask(1, now_s(), 0), GNUTLS_E_DB_ERROR);
    assert_int_equal(jtg_anti_replay_gnutls_counter(anti_replay, JTG_FLIGHT_BEFORE_START), 1);
    test_clock_advance(&clock_of_test, (WINDOW_S + MARGIN_S + 2) * 1000);
    assert_int_equal(ask(1, now_s(), 0), GNUTLS_E_SUCCESS);
}

static void options_out_of_range_are_refused(void **state)
{
    struct {
        jtg_anti_replay_options options;
        uint64_t newer;
    } given;
    jtg_anti_replay_gnutls *made = NULL;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    jtg_anti_replay_gnutls_options_init(NULL);
    for (int i = 0; i < 6; i++) {
        jtg_anti_replay_gnutls_options_init(&given.options);
        given.newer = 0;
        switch (i) {
        case 0:
            given.options.mode = JTG_ANTI_REPLAY_SINGLE_USE;
            break;
        case 1:
            given.options.window_ms = JTG_ANTI_REPLAY_WINDOW_MS_LIMIT + 1;
            break;
        case 2:
            given.options.margin_ms = JTG_ANTI_REPLAY_GNUTLS_MARGIN_MS_LIMIT + 1;
            break;
        case 3:
            given.options.margin_ms = 999;
            break;
        case 4:
            given.options.struct_size = sizeof given.options - 1;
            break;
        default:
            given.options.struct_size = sizeof given;
            given.newer = 1;
        }
        assert_status(jtg_anti_replay_gnutls_new(&made, cache, &given.options, &err),
                      JTG_ERR_ARGUMENT);
        assert_err_tells(&err, JTG_ERR_ARGUMENT);
        assert_null(made);
    }
    given.newer = 0;
    assert_status(jtg_anti_replay_gnutls_new(&made, cache, &given.options, &err), JTG_OK);
    assert_err_tells(&err, JTG_OK);
    jtg_anti_replay_gnutls_free(made);
    assert_status(jtg_anti_replay_gnutls_new(NULL, cache, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_anti_replay_gnutls_new(&made, NULL, NULL, NULL), JTG_ERR_ARGUMENT);
    jtg_anti_replay_gnutls_free(NULL);
    assert_int_equal(jtg_anti_replay_gnutls_counter(NULL, JTG_FLIGHT_FIRST), 0);
}

static void the_widest_options_are_taken(void **state)
{
    jtg_anti_replay_options options;
    jtg_anti_replay_gnutls *made = NULL;
    (void)state;
    jtg_anti_replay_gnutls_options_init(&options);
    options.window_ms = JTG_ANTI_REPLAY_WINDOW_MS_LIMIT;
    options.margin_ms = JTG_ANTI_REPLAY_GNUTLS_MARGIN_MS_LIMIT;
    options.clock = &clock_option;
    options.start_rule = 0;
    assert_status(jtg_anti_replay_gnutls_new(&made, cache, &options, NULL), JTG_OK);
    struct made_entry entry;
    make_entry(&entry, now_s(), JTG_ANTI_REPLAY_WINDOW_MS_LIMIT / 1000, now_s(), 1);
    assert_int_equal(jtgi_anti_replay_gnutls_add(made, entry.end, &entry.key, &entry.data),
                     GNUTLS_E_SUCCESS);
    jtg_anti_replay_gnutls_free(made);
}

/* ---- without memory ---- */

static void without_memory_nothing_is_made(void **state)
{
    (void)state;
    jtg_anti_replay_gnutls_free(anti_replay);
    anti_replay = NULL;
    for (unsigned nth = 1; nth < NTH_MAX; nth++) {
        jtg_error err = JTG_ERROR_INIT;
        alloc_walk_fail_nth(nth);
        jtg_status status = make(&err);
        bool failed = alloc_walk_end();
        assert_err_tells(&err, status);
        if (!failed) {
            assert_status(status, JTG_OK);
            assert_true(nth > 1);
            return;
        }
        assert_status(status, JTG_ERR_MEMORY);
        assert_null(anti_replay);
    }
    fail_msg("it never succeeds");
}

static unsigned gnutls_left;

static void *scarce(size_t count, size_t size)
{
    return gnutls_left-- > 0 ? calloc(count, size) : NULL;
}

/* GnuTLS's own memory, which it lets a program give. */
static void without_gnutls_s_memory_nothing_is_made(void **state)
{
    gnutls_calloc_function usual = gnutls_calloc;
    (void)state;
    jtg_anti_replay_gnutls_free(anti_replay);
    anti_replay = NULL;
    for (unsigned enough = 0; anti_replay == NULL; enough++) {
        assert_true(enough < NTH_MAX);
        gnutls_left = enough;
        gnutls_calloc = scarce;
        jtg_status status = make(NULL);
        gnutls_calloc = usual;
        assert_status(status, anti_replay == NULL ? JTG_ERR_MEMORY : JTG_OK);
        assert_true(enough >= 2 || anti_replay == NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_flight_is_accepted_once_whenever_the_window_began, start,
                                        halt),
        cmocka_unit_test_setup_teardown(the_record_outlives_every_server_s_window, start, halt),
        cmocka_unit_test_setup_teardown(a_clock_that_is_set_back_opens_nothing, start, halt),
        cmocka_unit_test_setup_teardown(a_flight_that_was_judged_a_window_ago_is_refused, start,
                                        halt),
        cmocka_unit_test_setup_teardown(an_entry_of_another_layout_is_refused_and_counted, start,
                                        halt),
        cmocka_unit_test_setup_teardown(after_a_start_all_is_refused_for_the_window_and_the_margin,
                                        start, halt),
        cmocka_unit_test_setup_teardown(options_out_of_range_are_refused, start, halt),
        cmocka_unit_test_setup_teardown(the_widest_options_are_taken, start, halt),
        cmocka_unit_test_setup_teardown(without_memory_nothing_is_made, start, halt),
        cmocka_unit_test_setup_teardown(without_gnutls_s_memory_nothing_is_made, start, halt),
    };
    return cmocka_run_group_tests_name("anti-replay for GnuTLS", tests, NULL, NULL);
}
