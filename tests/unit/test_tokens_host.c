/* SPDX-License-Identifier: Apache-2.0 */
/* The token stores on the store of a host: several processes on one file, whose end and start
 * nothing is lost by, and a wall clock that is set while nothing is lost. */
#include "support/asserts.h"
#include "support/host_store.h"
#include "support/ticket_fixture.h"

#include <jtiguard/anti_replay.h>
#include <jtiguard/breakglass.h>
#include <jtiguard/dtls_sessions.h>
#include <jtiguard/quic_tokens.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 4, MINUTE_MS = 60000, HOUR_MS = 3600000 };

/* A store that is old enough for what counts on that. */
static int begin(void **state)
{
    (void)host_store_begin(state);
    jtg_cache_free(host_store_open());
    test_clock_advance(&store.hands, 2 * HOUR_MS);
    return 0;
}

/* In so many processes at once, each with a cache of its own: in how many was it so? */
static unsigned count_true(bool (*is_so)(jtg_cache *cache))
{
    pid_t children[PROCESSES];
    unsigned count = 0;
    for (unsigned i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0)
            _exit(is_so(host_store_open()) ? 1 : 0);
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status));
        count += (unsigned)WEXITSTATUS(status);
    }
    return count;
}

/* What the machine does meanwhile: the wall clock is set right, and a call is stopped between its
 * readings of the two clocks. Nothing is lost by that. */
static void set_the_clock(void)
{
    jtg_cache *cache = host_store_open();
    test_clock_set_wall_by(&store.hands, 700);
    (void)host_store_kept_since(cache);
    test_clock_set_wall_by(&store.hands, -650);
    jtg_cache_free(cache);
}

/* ---- break-glass ---- */

static const unsigned char door_key[JTG_BREAKGLASS_KEY_BYTES] = "the key of a door";
static char door_token[JTG_BREAKGLASS_TEXT_BYTES];

static jtg_breakglass *open_door(jtg_cache *cache)
{
    jtg_breakglass *breakglass = NULL;
    jtg_breakglass_options options = JTG_BREAKGLASS_OPTIONS_INIT;
    options.key = door_key;
    options.max_uses = 1;
    options.clock = &store.clock;
    assert_status(jtg_breakglass_new(&breakglass, cache, &options, NULL), JTG_OK);
    return breakglass;
}

static void issue(void)
{
    jtg_cache *cache = host_store_open();
    jtg_breakglass *breakglass = open_door(cache);
    assert_status(jtg_breakglass_issue(breakglass, JTG_BREAKGLASS_REPLACE, door_token, NULL, NULL),
                  JTG_OK);
    jtg_breakglass_free(breakglass);
    jtg_cache_free(cache);
}

static bool opens_the_door(jtg_cache *cache)
{
    return jtg_breakglass_lookup(open_door(cache), door_token, strlen(door_token), NULL, NULL) ==
           JTG_OK;
}

static void a_door_opens_once_for_all_processes(void **state)
{
    (void)state;
    issue();
    set_the_clock();
    assert_int_equal(count_true(opens_the_door), 1);
    assert_int_equal(count_true(opens_the_door), 0);
}

/* As after a virtual machine was set back: it may have been used. An operator may know better. */
static void a_loss_ends_the_token(void **state)
{
    (void)state;
    issue();
    jtg_cache *cache = host_store_open();
    assert_status(jtg_host_lose(cache, NULL), JTG_OK);
    assert_int_equal(count_true(opens_the_door), 0);
    assert_status(jtg_host_vouch(cache, 0, NULL), JTG_OK);
    assert_int_equal(count_true(opens_the_door), 1);
    jtg_cache_free(cache);
}

/* ---- early data ---- */

static bool accepts_the_flight(jtg_cache *cache)
{
    static const unsigned char flight_id[32] = "a first flight";
    jtg_anti_replay *anti_replay = NULL;
    jtg_anti_replay_options options;
    jtg_flight flight;
    jtg_flight_decision decision = JTG_FLIGHT_DECISION_INIT;
    jtg_anti_replay_options_init(&options);
    options.clock = &store.clock;
    assert_status(jtg_anti_replay_new(&anti_replay, cache, &options, NULL), JTG_OK);
    jtg_flight_init(&flight);
    flight.ticket = flight.binder = flight.client_random = flight_id;
    flight.ticket_len = flight.binder_len = flight.client_random_len = sizeof flight_id;
    flight.issued_ms = atomic_load(&store.hands.wall_ms) - MINUTE_MS;
    flight.lifetime_ms = HOUR_MS;
    flight.age_ms = MINUTE_MS;
    return jtg_anti_replay_accept(anti_replay, &flight, &decision, NULL);
}

static void a_flight_is_accepted_by_one_process(void **state)
{
    (void)state;
    assert_int_equal(count_true(accepts_the_flight), 1);
    assert_int_equal(count_true(accepts_the_flight), 0);
}

/* ---- tokens and sessions of clients ---- */

static jtg_endpoint endpoint(void)
{
    jtg_endpoint made = JTG_ENDPOINT_INIT;
    made.host = "server.example";
    made.port = 4433;
    return made;
}

static jtg_quic_tokens *open_quic(jtg_cache *cache)
{
    jtg_quic_tokens *tokens = NULL;
    jtg_quic_tokens_options options;
    jtg_quic_tokens_options_init(&options);
    assert_status(jtg_quic_tokens_new(&tokens, cache, &options, NULL), JTG_OK);
    return tokens;
}

static bool takes_the_token(jtg_cache *cache)
{
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    jtg_endpoint from = endpoint();
    return jtg_quic_tokens_take(open_quic(cache), &from, 1, &token, NULL) == JTG_OK &&
           token.data_len == 7 && memcmp(token.data, "a token", 7) == 0;
}

static void a_quic_token_is_taken_once(void **state)
{
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    jtg_quic_fate fate = JTG_QUIC_NOT_STORED;
    jtg_endpoint from = endpoint();
    (void)state;
    jtg_cache *cache = host_store_open();
    jtg_quic_tokens *tokens = open_quic(cache);
    token.data = "a token";
    token.data_len = 7;
    assert_status(jtg_quic_tokens_store(tokens, &from, 1, &token, &fate, NULL), JTG_OK);
    assert_int_equal(fate, JTG_QUIC_STORED);
    jtg_quic_tokens_free(tokens);
    jtg_cache_free(cache);
    set_the_clock();
    assert_int_equal(count_true(takes_the_token), 1);
    assert_int_equal(count_true(takes_the_token), 0);
}

static bool takes_the_session(jtg_cache *cache)
{
    jtg_dtls_sessions *sessions = NULL;
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    jtg_dtls_options options = JTG_DTLS_OPTIONS_INIT;
    jtg_endpoint to = endpoint();
    assert_status(jtg_dtls_sessions_new(&sessions, cache, &options, NULL), JTG_OK);
    return jtg_dtls_sessions_take(sessions, &to, &session, NULL) == JTG_OK &&
           session.secret_len == 8 && memcmp(session.secret, "a secret", 8) == 0;
}

static void a_session_is_taken_once(void **state)
{
    jtg_dtls_sessions *sessions = NULL;
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    jtg_dtls_options options = JTG_DTLS_OPTIONS_INIT;
    jtg_dtls_fate fate = JTG_DTLS_NOT_STORED;
    jtg_endpoint to = endpoint();
    (void)state;
    jtg_cache *cache = host_store_open();
    assert_status(jtg_dtls_sessions_new(&sessions, cache, &options, NULL), JTG_OK);
    session.ticket = "a ticket";
    session.secret = "a secret";
    session.ticket_len = session.secret_len = 8;
    session.lifetime_s = 600;
    assert_status(jtg_dtls_sessions_store(sessions, &to, &session, &fate, NULL), JTG_OK);
    assert_int_equal(fate, JTG_DTLS_STORED);
    jtg_dtls_sessions_free(sessions);
    jtg_cache_free(cache);
    set_the_clock();
    assert_int_equal(count_true(takes_the_session), 1);
    assert_int_equal(count_true(takes_the_session), 0);
}

/* ---- ticket keys ---- */

static char kek_file[64];
static unsigned char ticket[TICKET_ROOM];
static size_t ticket_len;

static jtg_ticket_keys *open_keys(jtg_cache *cache)
{
    jtg_ticket_keys *keys = NULL;
    jtg_ticket_options options = JTG_TICKET_OPTIONS_INIT;
    options.kek_file = kek_file;
    options.clock = &store.clock;
    assert_status(jtg_ticket_keys_new(&keys, cache, &options, NULL), JTG_OK);
    assert_status(jtg_ticket_keys_refresh(keys, NULL), JTG_OK);
    return keys;
}

static bool opens_the_ticket(jtg_cache *cache)
{
    unsigned char data[TICKET_ROOM];
    size_t data_len = sizeof data;
    jtg_ticket_reason reason;
    return jtg_ticket_open_bytes(open_keys(cache), ticket, ticket_len, data, &data_len, NULL,
                                 &reason, NULL) &&
           data_len == 9 && memcmp(data, "a session", 9) == 0;
}

/* Sealed by one process, opened by all, also by those that begin after all others have ended. */
static void keys_are_those_of_all_processes(void **state)
{
    jtg_ticket_reason reason;
    (void)state;
    ticket_fixture_key_file(kek_file, "0123456789abcdef0123456789abcdef", 32, 0600);
    jtg_cache *cache = host_store_open();
    jtg_ticket_keys *keys = open_keys(cache);
    test_clock_advance(&store.hands, 2 * MINUTE_MS);
    assert_status(jtg_ticket_keys_refresh(keys, NULL), JTG_OK);
    ticket_len = sizeof ticket;
    assert_true(
        jtg_ticket_seal_bytes(keys, "a session", 9, 600, ticket, &ticket_len, &reason, NULL));
    assert_int_equal(count_true(opens_the_ticket), PROCESSES);
    jtg_ticket_keys_free(keys);
    jtg_cache_free(cache);
    set_the_clock();
    assert_int_equal(count_true(opens_the_ticket), PROCESSES);
    (void)unlink(kek_file);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, begin, host_store_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_door_opens_once_for_all_processes),
        CASE(a_loss_ends_the_token),
        CASE(a_flight_is_accepted_by_one_process),
        CASE(a_quic_token_is_taken_once),
        CASE(a_session_is_taken_once),
        CASE(keys_are_those_of_all_processes),
    };
    return cmocka_run_group_tests_name("tokens on a host store", tests, NULL, NULL);
}
