/* SPDX-License-Identifier: Apache-2.0 */
#include "support/asserts.h"
#include "support/gated_cache.h"
#include "support/test_clock.h"
#include "support/threads.h"
#include "support/ticket_fixture.h"

#include <jtiguard/dtls_sessions.h>
#include <jtiguard/memory.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
    struct test_clock clock;
    jtg_cache *memory;
    struct gated_cache *store;
    jtg_dtls_options options;
    jtg_dtls_sessions *sessions;
    jtg_endpoint endpoint;
    jtg_dtls_fate fate;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    memset(&fixture, 0, sizeof fixture);
    test_clock_init(&fixture.clock);
    jtg_clock clock = test_clock_as_jtg(&fixture.clock);
    options.sweep_interval_ms = 0;
    options.clock = &clock;
    assert_status(jtg_memory_new(&fixture.memory, &options, NULL), JTG_OK);
    fixture.store = gated_cache_new(fixture.memory, false);
    jtg_dtls_options_init(&fixture.options);
    fixture.endpoint = (jtg_endpoint)JTG_ENDPOINT_INIT;
    fixture.endpoint.host = "server.example";
    fixture.endpoint.port = 5684;
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    jtg_dtls_sessions_free(fixture->sessions);
    jtg_cache_free(&fixture->store->base);
    jtg_cache_free(fixture->memory);
    return 0;
}

static void open_sessions(struct fixture *fixture)
{
    assert_status(
        jtg_dtls_sessions_new(&fixture->sessions, &fixture->store->base, &fixture->options, NULL),
        JTG_OK);
}

static jtg_dtls_session session_of(const char *ticket, uint32_t lifetime_s)
{
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    session.ticket = ticket;
    session.ticket_len = strlen(ticket);
    session.secret = "secret";
    session.secret_len = 6;
    session.lifetime_s = lifetime_s;
    return session;
}

static jtg_dtls_fate store(struct fixture *fixture, const char *ticket, uint32_t lifetime_s)
{
    jtg_dtls_session session = session_of(ticket, lifetime_s);
    jtg_dtls_fate fate = JTG_DTLS_NOT_STORED;
    assert_status(
        jtg_dtls_sessions_store(fixture->sessions, &fixture->endpoint, &session, &fate, NULL),
        JTG_OK);
    return fate;
}

/* The ticket of the session that is handed out, "" where there is none. Overwritten by the next. */
static const char *hand_out(struct fixture *fixture, bool take)
{
    static char ticket[32];
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    jtg_status status =
        take ? jtg_dtls_sessions_take(fixture->sessions, &fixture->endpoint, &session, NULL)
             : jtg_dtls_sessions_get(fixture->sessions, &fixture->endpoint, &session, NULL);
    if (status == JTG_NOT_FOUND)
        return "";
    assert_status(status, JTG_OK);
    snprintf(ticket, sizeof ticket, "%.*s", (int)session.ticket_len, (const char *)session.ticket);
    jtg_dtls_session_clear(&session);
    assert_null(session.ticket);
    return ticket;
}

static void get_leaves_and_take_removes(void **state)
{
    struct fixture *fixture = *state;
    open_sessions(fixture);
    assert_string_equal(hand_out(fixture, false), "");
    assert_int_equal(store(fixture, "one", 60), JTG_DTLS_STORED);
    assert_string_equal(hand_out(fixture, false), "one");
    assert_string_equal(hand_out(fixture, false), "one");
    assert_string_equal(hand_out(fixture, true), "one");
    assert_string_equal(hand_out(fixture, true), "");
}

static void an_endpoint_has_one_session_the_newest(void **state)
{
    struct fixture *fixture = *state;
    open_sessions(fixture);
    assert_int_equal(store(fixture, "one", 60), JTG_DTLS_STORED);
    assert_int_equal(store(fixture, "two", 60), JTG_DTLS_STORED);
    assert_string_equal(hand_out(fixture, true), "two");
    assert_string_equal(hand_out(fixture, true), "");
}

static void an_endpoint_has_as_many_as_were_asked_for(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.max_per_endpoint = 2;
    open_sessions(fixture);
    assert_int_equal(store(fixture, "one", 60), JTG_DTLS_STORED);
    assert_int_equal(store(fixture, "two", 60), JTG_DTLS_STORED);
    assert_int_equal(store(fixture, "three", 60), JTG_DTLS_STORED);
    assert_string_equal(hand_out(fixture, true), "three");
    assert_string_equal(hand_out(fixture, true), "two");
    assert_string_equal(hand_out(fixture, true), "");
}

static void a_retransmitted_ticket_is_stored_once_also_after_use(void **state)
{
    struct fixture *fixture = *state;
    open_sessions(fixture);
    assert_int_equal(store(fixture, "one", 60), JTG_DTLS_STORED);
    assert_int_equal(store(fixture, "one", 60), JTG_DTLS_DUPLICATE);
    assert_string_equal(hand_out(fixture, true), "one");
    assert_int_equal(store(fixture, "one", 60), JTG_DTLS_DUPLICATE);
    assert_string_equal(hand_out(fixture, true), "");
    assert_int_equal(store(fixture, "two", 60), JTG_DTLS_STORED);
    assert_status(jtg_dtls_sessions_remove(fixture->sessions, &fixture->endpoint, NULL), JTG_OK);
    assert_int_equal(store(fixture, "two", 60), JTG_DTLS_DUPLICATE);
    fixture->endpoint.port++; /* the same bytes from another server are another ticket */
    assert_int_equal(store(fixture, "two", 60), JTG_DTLS_STORED);
}

/* The copy may come when the ticket has ended: it would be handed out a second time, as a new one.
 */
static void a_ticket_of_seconds_is_known_for_minutes(void **state)
{
    struct fixture *fixture = *state;
    open_sessions(fixture);
    assert_int_equal(store(fixture, "short", 1), JTG_DTLS_STORED);
    assert_string_equal(hand_out(fixture, true), "short");
    test_clock_advance(&fixture->clock, 599999);
    assert_int_equal(store(fixture, "short", 1), JTG_DTLS_DUPLICATE);
    assert_string_equal(hand_out(fixture, true), "");
}

static void the_servers_lifetime_holds(void **state)
{
    struct fixture *fixture = *state;
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    open_sessions(fixture);
    assert_int_equal(store(fixture, "never", 0), JTG_DTLS_DISCARDED);
    assert_string_equal(hand_out(fixture, false), "");
    assert_int_equal(store(fixture, "short", 10), JTG_DTLS_STORED);
    test_clock_advance(&fixture->clock, 9999);
    assert_status(jtg_dtls_sessions_get(fixture->sessions, &fixture->endpoint, &session, NULL),
                  JTG_OK);
    assert_int_equal(session.age_ms, 9999);
    assert_int_equal(session.left_ms, 1);
    jtg_dtls_session_clear(&session);
    test_clock_advance(&fixture->clock, 1);
    assert_string_equal(hand_out(fixture, false), "");
}

static void nothing_lives_longer_than_seven_days(void **state)
{
    struct fixture *fixture = *state;
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    open_sessions(fixture);
    assert_int_equal(store(fixture, "long", UINT32_MAX), JTG_DTLS_STORED);
    test_clock_advance(&fixture->clock, INT64_C(7) * 86400000 - 1);
    assert_status(jtg_dtls_sessions_get(fixture->sessions, &fixture->endpoint, &session, NULL),
                  JTG_OK);
    assert_true(session.lifetime_s == UINT32_MAX);
    assert_int_equal(session.age_ms, INT64_C(7) * 86400000 - 1);
    jtg_dtls_session_clear(&session);
    test_clock_advance(&fixture->clock, 1);
    assert_string_equal(hand_out(fixture, false), "");
}

static void removing_and_pruning(void **state)
{
    struct fixture *fixture = *state;
    uint32_t live = 7;
    jtg_memory_stats stats = {.struct_size = sizeof stats};
    open_sessions(fixture);
    assert_status(jtg_dtls_sessions_remove(fixture->sessions, &fixture->endpoint, NULL),
                  JTG_NOT_FOUND);
    assert_int_equal(store(fixture, "one", 10), JTG_DTLS_STORED);
    assert_status(jtg_dtls_sessions_prune(fixture->sessions, &fixture->endpoint, &live, NULL),
                  JTG_OK);
    assert_int_equal(live, 1);
    assert_string_equal(hand_out(fixture, false), "one");
    test_clock_advance(&fixture->clock, 10000);
    assert_status(jtg_dtls_sessions_prune(fixture->sessions, &fixture->endpoint, &live, NULL),
                  JTG_OK);
    assert_int_equal(live, 0);
    assert_status(jtg_memory_stats_get(fixture->memory, &stats, NULL), JTG_OK);
    assert_int_equal(stats.values, 0);
}

static void zones_and_spellings(void **state)
{
    struct fixture *fixture = *state;
    open_sessions(fixture);
    assert_int_equal(store(fixture, "one", 60), JTG_DTLS_STORED);
    fixture->endpoint.host = "SERVER.Example.";
    assert_string_equal(hand_out(fixture, false), "one");
    fixture->endpoint.alpn = "coap";
    fixture->endpoint.alpn_len = 4;
    assert_string_equal(hand_out(fixture, false), "");
    fixture->endpoint.alpn_len = 0;
    jtg_dtls_sessions_free(fixture->sessions);
    fixture->options.zone = "other";
    open_sessions(fixture);
    assert_string_equal(hand_out(fixture, false), "");
}

static void with_a_key_file_nothing_is_stored_in_clear(void **state)
{
    struct fixture *fixture = *state;
    char path[64];
    unsigned char key[32];
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    for (unsigned i = 0; i < sizeof key; i++)
        key[i] = (unsigned char)(i * i + 3 * i + 1);
    ticket_fixture_key_file(path, key, sizeof key, 0600);
    fixture->options.key_file = path;
    open_sessions(fixture);
    assert_int_equal(store(fixture, "one", 60), JTG_DTLS_STORED);
    assert_string_equal(hand_out(fixture, false), "one");
    jtg_dtls_sessions_free(fixture->sessions);
    fixture->options.key_file = NULL;
    open_sessions(fixture);
    assert_status(jtg_dtls_sessions_get(fixture->sessions, &fixture->endpoint, &session, NULL),
                  JTG_ERR_PROTOCOL);
    unlink(path);
}

/* The mark is set first; when the session cannot be stored for certain, it is taken back. */
static void a_store_that_is_full_leaves_the_ticket_unmarked(void **state)
{
    struct fixture *fixture = *state;
    jtg_dtls_session session = session_of("one", 60);
    open_sessions(fixture);
    fixture->store->operation = JTG_OP_PUT;
    fixture->store->answer = JTG_ERR_FULL;
    assert_status(jtg_dtls_sessions_store(fixture->sessions, &fixture->endpoint, &session,
                                          &fixture->fate, NULL),
                  JTG_ERR_FULL);
    assert_int_equal(fixture->fate, JTG_DTLS_NOT_STORED);
    fixture->store->answer = JTG_OK;
    assert_int_equal(store(fixture, "one", 60), JTG_DTLS_STORED);
}

static void after_an_unknown_outcome_it_is_stored_at_most_once(void **state)
{
    struct fixture *fixture = *state;
    jtg_dtls_session session = session_of("one", 60);
    open_sessions(fixture);
    fixture->store->operation = JTG_OP_PUT;
    fixture->store->answer = JTG_ERR_TIMEOUT;
    fixture->store->acts_all_the_same = true;
    assert_status(
        jtg_dtls_sessions_store(fixture->sessions, &fixture->endpoint, &session, NULL, NULL),
        JTG_ERR_TIMEOUT);
    fixture->store->answer = JTG_OK;
    assert_string_equal(hand_out(fixture, true), "one");
    assert_int_equal(store(fixture, "one", 60), JTG_DTLS_DUPLICATE);
    assert_string_equal(hand_out(fixture, true), "");
}

struct race {
    struct fixture *fixture;
    atomic_uint stored;
    atomic_uint taken;
    atomic_uint other;
};

static void store_and_take(void *context, unsigned index)
{
    struct race *race = context;
    (void)index;
    for (int i = 0; i < 200; i++) {
        char ticket[24];
        snprintf(ticket, sizeof ticket, "ticket %d", i);
        jtg_dtls_session session = session_of(ticket, 60);
        jtg_dtls_session out = JTG_DTLS_SESSION_INIT;
        jtg_dtls_fate fate = JTG_DTLS_NOT_STORED;
        if (jtg_dtls_sessions_store(race->fixture->sessions, &race->fixture->endpoint, &session,
                                    &fate, NULL) != JTG_OK)
            atomic_fetch_add(&race->other, 1);
        atomic_fetch_add(&race->stored, fate == JTG_DTLS_STORED);
        jtg_status status =
            jtg_dtls_sessions_take(race->fixture->sessions, &race->fixture->endpoint, &out, NULL);
        atomic_fetch_add(status == JTG_OK ? &race->taken : &race->other, status != JTG_NOT_FOUND);
        jtg_dtls_session_clear(&out);
    }
}

/* Eight threads process the same tickets: each is stored once, and handed out at most once. */
static void threads_share_it(void **state)
{
    struct fixture *fixture = *state;
    struct race race = {fixture, 0, 0, 0};
    fixture->options.max_per_endpoint = JTG_KEEP_MAX;
    open_sessions(fixture);
    threads_run(8, store_and_take, &race);
    while (*hand_out(fixture, true) != '\0')
        atomic_fetch_add(&race.taken, 1);
    assert_int_equal(atomic_load(&race.other), 0);
    assert_int_equal(atomic_load(&race.stored), 200);
    assert_int_equal(atomic_load(&race.taken), 200);
}

static void bad_arguments_are_told(void **state)
{
    struct fixture *fixture = *state;
    jtg_error err = JTG_ERROR_INIT;
    jtg_dtls_sessions *sessions = NULL;
    jtg_dtls_session session = session_of("one", 60);
    assert_status(jtg_dtls_sessions_new(NULL, fixture->memory, NULL, &err), JTG_ERR_ARGUMENT);
    assert_status(jtg_dtls_sessions_new(&sessions, NULL, NULL, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    fixture->options.max_per_endpoint = 0;
    assert_status(jtg_dtls_sessions_new(&sessions, fixture->memory, &fixture->options, NULL),
                  JTG_ERR_ARGUMENT);
    fixture->options.max_per_endpoint = JTG_KEEP_MAX + 1;
    assert_status(jtg_dtls_sessions_new(&sessions, fixture->memory, &fixture->options, NULL),
                  JTG_ERR_ARGUMENT);
    fixture->options.max_per_endpoint = 1;
    fixture->options.zone = "a b";
    assert_status(jtg_dtls_sessions_new(&sessions, fixture->memory, &fixture->options, NULL),
                  JTG_ERR_ARGUMENT);
    fixture->options.zone = NULL;
    fixture->options.key_file = "/nowhere";
    assert_status(jtg_dtls_sessions_new(&sessions, fixture->memory, &fixture->options, NULL),
                  JTG_ERR_SYSTEM);
    assert_null(sessions);
    fixture->options.key_file = NULL;
    open_sessions(fixture);
    assert_status(jtg_dtls_sessions_store(NULL, &fixture->endpoint, &session, NULL, NULL),
                  JTG_ERR_ARGUMENT);
    assert_status(jtg_dtls_sessions_store(fixture->sessions, NULL, &session, NULL, NULL),
                  JTG_ERR_ARGUMENT);
    assert_status(jtg_dtls_sessions_store(fixture->sessions, &fixture->endpoint, NULL, NULL, NULL),
                  JTG_ERR_ARGUMENT);
    session.ticket_len = 0;
    assert_status(jtg_dtls_sessions_store(fixture->sessions, &fixture->endpoint, &session,
                                          &fixture->fate, &err),
                  JTG_ERR_ARGUMENT);
    assert_int_equal(fixture->fate, JTG_DTLS_NOT_STORED);
    session.struct_size = 0;
    assert_status(jtg_dtls_sessions_get(fixture->sessions, &fixture->endpoint, &session, NULL),
                  JTG_ERR_ARGUMENT);
    jtg_dtls_session_clear(NULL);
    jtg_dtls_sessions_free(NULL);
}

static void a_child_refuses(void **state)
{
    struct fixture *fixture = *state;
    open_sessions(fixture);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        jtg_dtls_session session = session_of("one", 60);
        jtg_status status =
            jtg_dtls_sessions_store(fixture->sessions, &fixture->endpoint, &session, NULL, NULL);
        _exit(status == JTG_ERR_FORKED ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(get_leaves_and_take_removes),
        CASE(an_endpoint_has_one_session_the_newest),
        CASE(an_endpoint_has_as_many_as_were_asked_for),
        CASE(a_retransmitted_ticket_is_stored_once_also_after_use),
        CASE(a_ticket_of_seconds_is_known_for_minutes),
        CASE(the_servers_lifetime_holds),
        CASE(nothing_lives_longer_than_seven_days),
        CASE(removing_and_pruning),
        CASE(zones_and_spellings),
        CASE(with_a_key_file_nothing_is_stored_in_clear),
        CASE(a_store_that_is_full_leaves_the_ticket_unmarked),
        CASE(after_an_unknown_outcome_it_is_stored_at_most_once),
        CASE(threads_share_it),
        CASE(bad_arguments_are_told),
        CASE(a_child_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
