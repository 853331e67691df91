/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tickets/ticket_keys_object.h"

#include "support/asserts.h"
#include "support/ticket_fixture.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void what_is_missing_is_told(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys *keys = (jtg_ticket_keys *)(void *)fixture;
    jtg_error err = JTG_ERROR_INIT;
    jtg_ticket_keys_state seen = {.struct_size = 1};
    assert_status(jtg_ticket_keys_new(NULL, fixture->memory, &fixture->options, &err),
                  JTG_ERR_ARGUMENT);
    assert_status(jtg_ticket_keys_new(&keys, NULL, &fixture->options, &err), JTG_ERR_ARGUMENT);
    assert_null(keys);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_status(jtg_ticket_keys_refresh(NULL, &err), JTG_ERR_ARGUMENT);
    assert_status(jtg_ticket_keys_state_get(NULL, &seen, NULL), JTG_ERR_ARGUMENT);
    keys = ticket_fixture_open(fixture, 0);
    assert_status(jtg_ticket_keys_state_get(keys, &seen, &err), JTG_ERR_ARGUMENT);
    assert_int_equal(jtg_ticket_keys_counter(NULL, JTG_TICKET_DONE), 0);
    assert_int_equal(jtg_ticket_keys_counter(keys, (jtg_ticket_reason)1000), 0);
    jtg_ticket_keys_free(NULL);
}

static void a_kek_that_others_may_read_is_refused(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys *keys = NULL;
    jtg_error err = JTG_ERROR_INIT;
    assert_int_equal(chmod(fixture->kek_file, 0640), 0);
    assert_status(jtg_ticket_keys_new(&keys, fixture->memory, &fixture->options, &err),
                  JTG_ERR_ARGUMENT);
    assert_non_null(strstr(err.text, "chmod"));
    assert_null(strstr(err.text, fixture->kek_file));
    assert_null(keys);
}

static void before_the_first_refresh_there_is_nothing(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys_state seen;
    fixture->options.refresh_on_use = 0;
    assert_status(
        jtg_ticket_keys_new(&fixture->instances[0], fixture->memory, &fixture->options, NULL),
        JTG_OK);
    ticket_fixture_state(fixture->instances[0], &seen);
    assert_int_equal(seen.version, 0);
    assert_int_equal(seen.key_count, 0);
    assert_int_equal(seen.last_refresh, JTG_NOT_FOUND);
    assert_true(seen.loaded_ago_ms == UINT64_MAX);
    assert_false(ticket_fixture_seal(fixture, fixture->instances[0], 60));
    assert_ticket_reason(fixture->reason, JTG_TICKET_NO_KEYS);
    fixture->options.refresh_on_use = 1;
    ticket_fixture_ready(fixture, 1);
    assert_true(ticket_fixture_seal(fixture, fixture->instances[1], 60));
    assert_false(ticket_fixture_opens(fixture, fixture->instances[0]));
    assert_ticket_reason(fixture->reason, JTG_TICKET_NO_KEYS);
}

/* Who only looks on makes no set and no key, and puts none back. */
static void loading_changes_nothing_in_the_store(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys *watcher = NULL;
    jtg_ticket_keys_state seen;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtg_ticket_keys_new(&watcher, &fixture->store->base, &fixture->options, NULL),
                  JTG_OK);
    assert_status(jtg_ticket_keys_load(watcher, &err), JTG_NOT_FOUND);
    assert_err_tells(&err, JTG_NOT_FOUND);
    assert_int_equal(atomic_load(&fixture->store->calls[JTG_OP_SWAP]), 0);
    ticket_fixture_ready(fixture, 0);
    unsigned swaps = atomic_load(&fixture->store->calls[JTG_OP_SWAP]);
    test_clock_advance(&fixture->clock, TICKET_ROTATION_MS); /* a key is due */
    assert_status(jtg_ticket_keys_load(watcher, &err), JTG_OK);
    assert_err_tells(&err, JTG_OK);
    ticket_fixture_state(watcher, &seen);
    assert_int_equal(seen.version, 1);
    assert_int_equal(seen.key_count, 1);
    assert_status(jtg_cache_clear(fixture->memory, NULL), JTG_OK);
    assert_status(jtg_ticket_keys_load(watcher, NULL), JTG_OK); /* what is known here */
    assert_int_equal(atomic_load(&fixture->store->calls[JTG_OP_SWAP]), swaps);
    assert_status(jtg_ticket_keys_load(NULL, &err), JTG_ERR_ARGUMENT);
    jtg_ticket_keys_free(watcher);
}

static void the_first_use_refreshes(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys_state seen;
    assert_status(
        jtg_ticket_keys_new(&fixture->instances[0], fixture->memory, &fixture->options, NULL),
        JTG_OK);
    assert_false(ticket_fixture_seal(fixture, fixture->instances[0], 60));
    assert_ticket_reason(fixture->reason, JTG_TICKET_NOT_YET);
    ticket_fixture_state(fixture->instances[0], &seen);
    assert_int_equal(seen.version, 1);
    assert_int_equal(seen.last_refresh, JTG_OK);
}

/* No lead, and a KEK that nobody else has. */
static void a_single_instance_seals_at_once(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys_state seen;
    fixture->options.single_instance = 1;
    fixture->options.kek_file = NULL;
    jtg_ticket_keys *keys = ticket_fixture_open(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, keys, 60));
    assert_true(ticket_fixture_opens(fixture, keys));
    ticket_fixture_state(keys, &seen);
    assert_int_equal(seen.key_count, 2);
    assert_int_equal(ticket_fixture_sealing(&seen), 0);
    assert_int_equal(seen.keys[1].not_before_ms - seen.keys[0].not_before_ms, TICKET_ROTATION_MS);
    jtg_ticket_keys *other = NULL;
    assert_status(jtg_ticket_keys_new(&other, fixture->memory, &fixture->options, NULL), JTG_OK);
    assert_status(jtg_ticket_keys_refresh(other, NULL), JTG_ERR_PROTOCOL);
    jtg_ticket_keys_free(other);
}

/* The store is down: the last key goes on for one more rotation, then sealing ends and says why;
 * opening goes on until the keys end. */
static void a_store_that_is_down_for_long(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_error err = JTG_ERROR_INIT;
    jtg_ticket_keys_state seen;
    jtg_ticket_cbc_key key;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    assert_status(jtg_ticket_keys_refresh(keys, NULL), JTG_OK);
    ticket_fixture_state(keys, &seen);
    fixture->store->operation = JTG_OP_GET;
    fixture->store->answer = JTG_ERR_UNAVAILABLE;
    int64_t end_ms = seen.keys[1].encrypt_until_ms;
    test_clock_advance(&fixture->clock, end_ms - seen.now_ms - 1);
    assert_true(ticket_fixture_seal(fixture, keys, TICKET_LIFETIME_S));
    test_clock_advance(&fixture->clock, 1);
    assert_false(jtg_ticket_cbc_seal_key(keys, &key, &fixture->reason, &err));
    assert_ticket_reason(fixture->reason, JTG_TICKET_KEYS_ENDED);
    assert_int_equal(err.status, JTG_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, jtg_status_text(JTG_ERR_UNAVAILABLE)));
    test_clock_advance(&fixture->clock, (int64_t)TICKET_LIFETIME_S * 1000 - 2);
    assert_true(ticket_fixture_opens(fixture, keys)); /* all its life */
    test_clock_advance(&fixture->clock, 1);
    assert_false(ticket_fixture_opens(fixture, keys));
    assert_ticket_reason(fixture->reason, JTG_TICKET_EXPIRED);
    memset(fixture->ticket, 1, JTG_TICKET_NAME_BYTES);
    assert_false(ticket_fixture_opens(fixture, keys));
    assert_ticket_reason(fixture->reason, JTG_TICKET_STORE_UNAVAILABLE);
    fixture->store->answer = JTG_OK;
    assert_status(jtg_ticket_keys_refresh(keys, NULL), JTG_OK);
    test_clock_advance(&fixture->clock, TICKET_LEAD_MS);
    assert_true(ticket_fixture_seal(fixture, keys, 60));
}

static void rotating_makes_the_next_key_seal_after_its_lead(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys_state seen;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, keys, 3600));
    assert_status(jtg_ticket_keys_rotate(keys, NULL), JTG_OK);
    ticket_fixture_state(keys, &seen);
    assert_int_equal(ticket_fixture_sealing(&seen), 0);
    assert_int_equal(seen.keys[1].not_before_ms, seen.keys[1].published_ms + TICKET_LEAD_MS);
    test_clock_advance(&fixture->clock, TICKET_LEAD_MS);
    ticket_fixture_state(keys, &seen);
    assert_int_equal(ticket_fixture_sealing(&seen), 1);
    assert_true(ticket_fixture_opens(fixture, keys));
}

/* Live keys are never dropped for new ones. */
static void rotating_too_often_is_refused(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, keys, TICKET_LIFETIME_S));
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = JTG_OK;
    for (int i = 0; i < 40 && status == JTG_OK; i++) {
        status = jtg_ticket_keys_rotate(keys, &err);
        test_clock_advance(&fixture->clock, TICKET_LEAD_MS);
    }
    assert_status(status, JTG_ERR_FULL);
    assert_err_tells(&err, JTG_ERR_FULL);
    assert_true(ticket_fixture_opens(fixture, keys));
}

static void counters_tell_what_happened(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, keys, 60));
    assert_true(ticket_fixture_opens(fixture, keys));
    fixture->ticket[fixture->ticket_len - 1] ^= 1;
    assert_false(ticket_fixture_opens(fixture, keys));
    assert_int_equal(jtg_ticket_keys_counter(keys, JTG_TICKET_DONE), 2);
    assert_int_equal(jtg_ticket_keys_counter(keys, JTG_TICKET_TAMPERED), 1);
}

static void a_child_refuses(void **state)
{
    struct ticket_fixture *fixture = *state;
    jtg_ticket_keys *keys = ticket_fixture_ready(fixture, 0);
    assert_true(ticket_fixture_seal(fixture, keys, 60));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        jtg_ticket_session session = JTG_TICKET_SESSION_INIT;
        jtg_ticket_keys_state seen = {.struct_size = sizeof seen};
        jtg_ticket_reason reason = JTG_TICKET_DONE;
        bool good =
            jtg_ticket_keys_refresh(keys, NULL) == JTG_ERR_FORKED &&
            jtg_ticket_keys_state_get(keys, &seen, NULL) == JTG_ERR_FORKED &&
            !jtg_ticket_open(keys, fixture->ticket, fixture->ticket_len, &session, &reason, NULL) &&
            reason == JTG_TICKET_FORKED &&
            jtg_ticket_keys_export_haproxy(keys, "/tmp/x", NULL) == JTG_ERR_FORKED;
        _exit(good ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, ticket_fixture_set_up, ticket_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_missing_is_told),
        CASE(a_kek_that_others_may_read_is_refused),
        CASE(before_the_first_refresh_there_is_nothing),
        CASE(loading_changes_nothing_in_the_store),
        CASE(the_first_use_refreshes),
        CASE(a_single_instance_seals_at_once),
        CASE(a_store_that_is_down_for_long),
        CASE(rotating_makes_the_next_key_seal_after_its_lead),
        CASE(rotating_too_often_is_refused),
        CASE(counters_tell_what_happened),
        CASE(a_child_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
