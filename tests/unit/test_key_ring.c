/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks the store, and who goes on meanwhile. */
#include "tokens/tickets/key_ring.h"

#include "support/asserts.h"
#include "support/threads.h"
#include "support/ticket_fixture.h"
#include "tokens/tickets/ticket_keys_object.h"

#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned calls(struct ticket_fixture *fixture, jtg_operation operation)
{
    return atomic_load(&fixture->store->calls[operation]);
}

static void the_store_is_asked_once_an_interval(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, keys, 60));
    unsigned before = calls(fixture, JTG_OP_GET);
    for (int i = 0; i < 100; i++) {
        assert_true(ticket_fixture_seal(fixture, keys, 60));
        assert_true(ticket_fixture_opens(fixture, keys));
    }
    assert_int_equal(calls(fixture, JTG_OP_GET), before);
    test_clock_advance(&fixture->clock, fixture->options.refresh_interval_ms);
    assert_true(ticket_fixture_opens(fixture, keys));
    assert_true(ticket_fixture_seal(fixture, keys, 60));
    assert_int_equal(calls(fixture, JTG_OP_GET), before + 1);
}

static void without_refresh_on_use_it_is_never_asked(void **state)
{
    struct ticket_fixture *fixture = *state;
    fixture->options.refresh_on_use = 0;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    unsigned before = calls(fixture, JTG_OP_GET);
    assert_true(ticket_fixture_seal(fixture, keys, 60));
    fixture->ticket[0] ^= 1;
    assert_false(ticket_fixture_opens(fixture, keys));
    assert_ticket_reason(fixture->reason, JTG_TICKET_STORE_UNAVAILABLE); /* it is a minute old */
    assert_int_equal(calls(fixture, JTG_OP_GET), before);
}

/* Invented names make it look once a second, however many come. */
static void unknown_names_do_not_drive_the_store(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, keys, 60));
    test_clock_advance(&fixture->clock, JTG_TICKET_RECHECK_MS);
    unsigned before = calls(fixture, JTG_OP_GET);
    for (unsigned i = 0; i < 1000; i++) {
        memcpy(fixture->ticket, &i, sizeof i);
        assert_false(ticket_fixture_opens(fixture, keys));
        assert_ticket_reason(fixture->reason, JTG_TICKET_UNKNOWN_KEY);
    }
    assert_int_equal(calls(fixture, JTG_OP_GET), before + 1);
    test_clock_advance(&fixture->clock, JTG_TICKET_RECHECK_MS);
    assert_false(ticket_fixture_opens(fixture, keys));
    assert_int_equal(calls(fixture, JTG_OP_GET), before + 2);
}

/* An instance that was stopped for a long time opens tickets of keys that it has never seen. */
static void a_stopped_instance_catches_up(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    jtg_ticket_keys *stopped = ticket_fixture_open(fixture, 1);
    for (int i = 0; i < 5; i++) {
        assert_status(jtg_ticket_keys_refresh(keys, NULL), JTG_OK);
        test_clock_advance(&fixture->clock, TICKET_ROTATION_MS);
    }
    assert_true(ticket_fixture_seal(fixture, keys, 60));
    assert_true(ticket_fixture_opens(fixture, stopped));
}

static struct test_clock *moved;
static unsigned stops;

static void stop_for_an_hour(void *context, jtg_operation operation)
{
    (void)context;
    if (operation != JTG_OP_GET || stops == 0)
        return;
    stops--;
    test_clock_advance(moved, TICKET_ROTATION_MS);
}

/* The process was stopped between its question and the answer: what it learnt is an hour old. */
static void who_was_stopped_while_it_asked_asks_again(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    jtg_ticket_keys *stopped = ticket_fixture_open(fixture, 1);
    for (int i = 0; i < 3; i++) {
        assert_status(jtg_ticket_keys_refresh(keys, NULL), JTG_OK);
        test_clock_advance(&fixture->clock, TICKET_ROTATION_MS);
    }
    assert_true(ticket_fixture_seal(fixture, keys, TICKET_LIFETIME_S));
    moved = &fixture->clock;
    fixture->store->before = stop_for_an_hour;
    stops = 2; /* in the refresh that is due, and in the look for the key */
    assert_true(ticket_fixture_opens(fixture, stopped));
    assert_int_equal(stops, 0);
    fixture->store->before = NULL;
}

static void a_store_that_is_down_is_not_asked_all_the_time(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, keys, 86400));
    fixture->store->operation = JTG_OP_GET;
    fixture->store->answer = JTG_ERR_UNAVAILABLE;
    test_clock_advance(&fixture->clock, fixture->options.refresh_interval_ms);
    unsigned before = calls(fixture, JTG_OP_GET);
    for (int i = 0; i < 100; i++)
        assert_true(ticket_fixture_opens(fixture, keys));
    assert_int_equal(calls(fixture, JTG_OP_GET), before + 1);
    test_clock_advance(&fixture->clock, JTG_TICKET_RECHECK_MS);
    assert_true(ticket_fixture_opens(fixture, keys));
    assert_int_equal(calls(fixture, JTG_OP_GET), before + 2);
}

struct crowd {
    struct ticket_fixture *fixture;
    atomic_uint done;
};

static void open_many(void *context, unsigned index)
{
    struct crowd *crowd = context;
    jtg_ticket_session session = JTG_TICKET_SESSION_INIT;
    (void)index;
    if (jtg_ticket_open(crowd->fixture->instances[0], crowd->fixture->ticket,
                        crowd->fixture->ticket_len, &session, NULL, NULL))
        atomic_fetch_add(&crowd->done, 1);
    jtg_ticket_session_clear(&session);
}

/* One thread asks a store that does not answer; the others go on with the keys that they have. */
static void the_others_do_not_wait(void **state)
{
    struct ticket_fixture *fixture = *state;
    struct crowd crowd = {fixture, 0};
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, keys, 3600));
    fixture->store->operation = JTG_OP_GET;
    fixture->store->holds = true;
    test_clock_advance(&fixture->clock, fixture->options.refresh_interval_ms);
    struct threads *first = threads_start(1, open_many, &crowd);
    gated_cache_wait_held(fixture->store, 1);
    threads_run(8, open_many, &crowd);
    assert_int_equal(atomic_load(&crowd.done), 8);
    gated_cache_let_go(fixture->store);
    threads_join(first);
    assert_int_equal(atomic_load(&crowd.done), 9);
}

static void refresh_now(void *context, unsigned index)
{
    struct crowd *crowd = context;
    (void)index;
    if (jtg_ticket_keys_refresh(crowd->fixture->instances[0], NULL) == JTG_OK)
        atomic_fetch_add(&crowd->done, 1);
}

static void refreshes_take_turns(void **state)
{
    struct ticket_fixture *fixture = *state;
    struct crowd crowd = {fixture, 0};
    jtg_ticket_keys_state seen;
    ticket_fixture_ready(fixture, 0);
    threads_run(8, refresh_now, &crowd);
    assert_int_equal(atomic_load(&crowd.done), 8);
    ticket_fixture_state(fixture->instances[0], &seen);
    assert_int_equal(seen.version, 2); /* one of them published the next key */
}

/* In the C library's own terms: nothing else shows that a thread waits. */
static void await_waiter(jtg_ticket_keys *keys)
{
    const volatile unsigned *waiters = &keys->ring.settled.__data.__wrefs;
    for (int i = 0; *waiters >> 3 == 0; i++) {
        assert_true(i < 20000);
        (void)poll(NULL, 0, 1);
    }
}

/* One thread asks, another one waits for it, and a third one forks: the child ends in time. */
static void a_child_frees_what_the_parent_waits_on(void **state)
{
    enum { PATIENCE_S = 20 };
    struct ticket_fixture *fixture = *state;
    struct crowd crowd = {fixture, 0};
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    int status = -1;
    fixture->store->operation = JTG_OP_GET;
    fixture->store->holds = true;
    struct threads *both = threads_start(2, refresh_now, &crowd);
    await_waiter(keys);
    gated_cache_wait_held(fixture->store, 1);
    pid_t child = fork();
    if (child == 0) {
        (void)alarm(PATIENCE_S);
        jtg_ticket_keys_free(keys);
        _exit(0);
    }
    gated_cache_let_go(fixture->store);
    threads_join(both);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(atomic_load(&crowd.done), 2);
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, ticket_fixture_set_up, ticket_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_store_is_asked_once_an_interval),
        CASE(without_refresh_on_use_it_is_never_asked),
        CASE(unknown_names_do_not_drive_the_store),
        CASE(a_stopped_instance_catches_up),
        CASE(who_was_stopped_while_it_asked_asks_again),
        CASE(a_store_that_is_down_is_not_asked_all_the_time),
        CASE(the_others_do_not_wait),
        CASE(refreshes_take_turns),
        CASE(a_child_frees_what_the_parent_waits_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
