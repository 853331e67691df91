/* SPDX-License-Identifier: Apache-2.0 */
/* As test_walk_memory.c, for ticket keys and client sessions: out of memory, a call refuses, and
 * the object works on. */
#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/ticket_fixture.h"

#include <jtiguard/dtls_sessions.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NTH_MAX = 400 };

/* Call step() with its n-th acquisition failing, n = 1, 2, … until none fails. It returns what the
 * call answered: nothing but JTG_ERR_MEMORY, or for steps that may do without, JTG_OK. */
static void walk(struct ticket_fixture *fixture, jtg_status (*step)(struct ticket_fixture *),
                 void (*check)(struct ticket_fixture *, jtg_status))
{
    for (unsigned nth = 1; nth < NTH_MAX; nth++) {
        alloc_walk_fail_nth(nth);
        jtg_status status = step(fixture);
        bool failed = alloc_walk_end();
        assert_true(status == JTG_OK || (failed && status == JTG_ERR_MEMORY));
        check(fixture, status);
        if (!failed) {
            assert_status(status, JTG_OK);
            assert_true(nth > 1);
            return;
        }
    }
    fail_msg("it never succeeds");
}

static jtg_status make(struct ticket_fixture *fixture)
{
    jtg_error err = JTG_ERROR_INIT;
    fixture->instances[1] = (jtg_ticket_keys *)(void *)fixture;
    jtg_status status =
        jtg_ticket_keys_new(&fixture->instances[1], &fixture->store->base, &fixture->options, &err);
    if (status != err.status)
        return JTG_ERR_SYSTEM;
    return status;
}

static void nothing_or_all(struct ticket_fixture *fixture, jtg_status status)
{
    assert_true((fixture->instances[1] != NULL) == (status == JTG_OK));
    ticket_fixture_close(fixture, 1);
}

static void making(void **state)
{
    walk(*state, make, nothing_or_all);
}

static jtg_status refresh(struct ticket_fixture *fixture)
{
    return jtg_ticket_keys_refresh(fixture->instances[0], NULL);
}

/* What was loaded before goes on. */
static void still_works(struct ticket_fixture *fixture, jtg_status status)
{
    (void)status;
    assert_true(ticket_fixture_seal(fixture, fixture->instances[0], 3600));
    assert_true(ticket_fixture_opens(fixture, fixture->instances[0]));
}

static void refreshing_and_rotating(void **state)
{
    struct ticket_fixture *fixture = *state;
    fixture->options.refresh_on_use = 0;
    ticket_fixture_ready(fixture, 0);
    walk(fixture, refresh, still_works); /* publishes */
    walk(fixture, refresh, still_works); /* only reads */
    assert_status(jtg_cache_clear(fixture->memory, NULL), JTG_OK);
    walk(fixture, refresh, still_works); /* puts back */
}

static jtg_status revoke_all(struct ticket_fixture *fixture)
{
    return jtg_ticket_keys_revoke(fixture->instances[0], NULL);
}

static void revoked_or_not(struct ticket_fixture *fixture, jtg_status status)
{
    assert_true(ticket_fixture_seal(fixture, fixture->instances[0], 60) == (status != JTG_OK));
}

static void revoking(void **state)
{
    struct ticket_fixture *fixture = *state;
    fixture->options.refresh_on_use = 0;
    ticket_fixture_ready(fixture, 0);
    walk(fixture, revoke_all, revoked_or_not);
}

static jtg_status seal(struct ticket_fixture *fixture)
{
    bool sealed = ticket_fixture_seal(fixture, fixture->instances[0], 60);
    if (sealed != (fixture->ticket_len != 0))
        return JTG_ERR_SYSTEM;
    if (!sealed && fixture->reason != JTG_TICKET_OUT_OF_MEMORY)
        return JTG_ERR_SYSTEM;
    return sealed ? JTG_OK : JTG_ERR_MEMORY;
}

static void no_check(struct ticket_fixture *fixture, jtg_status status)
{
    (void)fixture;
    (void)status;
}

static jtg_status open_it(struct ticket_fixture *fixture)
{
    bool opened = ticket_fixture_opens(fixture, fixture->instances[0]);
    if (!opened && fixture->reason != JTG_TICKET_OUT_OF_MEMORY)
        return JTG_ERR_SYSTEM;
    return opened ? JTG_OK : JTG_ERR_MEMORY;
}

static void sealing_and_opening(void **state)
{
    struct ticket_fixture *fixture = *state;
    ticket_fixture_ready(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, fixture->instances[0], 60)); /* refreshes */
    walk(fixture, seal, no_check);
    walk(fixture, open_it, no_check);
}

static jtg_status export_keys(struct ticket_fixture *fixture)
{
    char path[96];
    snprintf(path, sizeof path, "%s.haproxy", fixture->kek_file);
    jtg_status status = jtg_ticket_keys_export_haproxy(fixture->instances[0], path, NULL);
    unlink(path);
    return status;
}

static void exporting(void **state)
{
    struct ticket_fixture *fixture = *state;
    ticket_fixture_ready(fixture, 0);
    walk(fixture, export_keys, no_check);
}

/* ---- client sessions ---- */

static jtg_dtls_sessions *sessions;
static unsigned tickets;

static jtg_endpoint endpoint(void)
{
    jtg_endpoint made = JTG_ENDPOINT_INIT;
    made.host = "server.example";
    made.port = 5684;
    return made;
}

static jtg_status make_sessions(struct ticket_fixture *fixture)
{
    jtg_dtls_options options = JTG_DTLS_OPTIONS_INIT;
    options.key_file = fixture->kek_file;
    return jtg_dtls_sessions_new(&sessions, fixture->memory, &options, NULL);
}

static void none_or_some(struct ticket_fixture *fixture, jtg_status status)
{
    (void)fixture;
    assert_true((sessions != NULL) == (status == JTG_OK));
}

/* The same ticket until it is stored: a failure has left it unmarked. */
static jtg_status store(struct ticket_fixture *fixture)
{
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    jtg_endpoint server = endpoint();
    jtg_dtls_fate fate = JTG_DTLS_NOT_STORED;
    (void)fixture;
    session.ticket = &tickets;
    session.ticket_len = sizeof tickets;
    session.lifetime_s = 60;
    jtg_status status = jtg_dtls_sessions_store(sessions, &server, &session, &fate, NULL);
    if ((status == JTG_OK) != (fate == JTG_DTLS_STORED))
        return JTG_ERR_SYSTEM;
    return status;
}

static jtg_status get(struct ticket_fixture *fixture)
{
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    jtg_endpoint server = endpoint();
    (void)fixture;
    jtg_status status = jtg_dtls_sessions_get(sessions, &server, &session, NULL);
    jtg_dtls_session_clear(&session);
    return status;
}

static void client_sessions(void **state)
{
    struct ticket_fixture *fixture = *state;
    walk(fixture, make_sessions, none_or_some);
    walk(fixture, store, no_check);
    walk(fixture, get, no_check);
    jtg_dtls_sessions_free(sessions);
    sessions = NULL;
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, ticket_fixture_set_up, ticket_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(making),    CASE(refreshing_and_rotating), CASE(revoking), CASE(sealing_and_opening),
        CASE(exporting), CASE(client_sessions),
    };
    return cmocka_run_group_tests_name("allocation walk: ticket keys", tests, NULL, NULL);
}
