/* SPDX-License-Identifier: Apache-2.0 */
/* An attacker with a captured first flight, two GnuTLS servers of one ticket key and one Redis:
 * early data is accepted at most once, and no copy ends a handshake. */
#include "adapters/gnutls/early_server.h"
#include "support/asserts.h"
#include "support/redis_server.h"
#include "support/redis_vouch.h"

#include <stdlib.h>
#include <time.h>

enum { SERVERS = 2, CROWD = 24 };

static struct redis_server redis;
static struct early_server servers[SERVERS];
static struct tls_certificate certificate;
static gnutls_datum_t ticket_key;
static gnutls_datum_t session;
static struct early_client client;
static struct first_flight flight;

static void start_all(enum early_guard guard)
{
    redis_server_start(&redis, NULL);
    redis_vouch(redis.uri);
    tls_certificate_make(&certificate, 0);
    assert_int_equal(gnutls_session_ticket_key_generate(&ticket_key), 0);
    for (int i = 0; i < SERVERS; i++) {
        servers[i] = (struct early_server){.guard = guard,
                                           .redis_uri = redis.uri,
                                           .ticket_key = &ticket_key,
                                           .certificate = &certificate};
        early_server_start(&servers[i]);
    }
    session = early_client_session(&servers[0]);
    early_client_start(&client, &session, &flight);
}

static int start(void **state)
{
    (void)state;
    start_all(EARLY_GUARD_ADAPTER);
    return 0;
}

static int start_with_the_whole_key(void **state)
{
    (void)state;
    start_all(EARLY_GUARD_WHOLE_KEY);
    return 0;
}

static int halt(void **state)
{
    (void)state;
    early_client_stop(&client);
    gnutls_free(session.data);
    gnutls_free(ticket_key.data);
    tls_certificate_clear(&certificate);
    for (int i = 0; i < SERVERS; i++)
        early_server_stop(&servers[i]);
    redis_server_stop(&redis);
    return 0;
}

/* A copy's early data: accepted? Its handshake goes on as far as it can without the client. */
static bool replay(int server)
{
    assert_int_equal(first_flight_replay(&flight, servers[server].port), FIRST_FLIGHT_HELLO);
    struct early_report report = early_server_report(&servers[server]);
    assert_false(report.completed);
    assert_false(report.early && report.unsure != 0);
    return report.early;
}

/* Refused by the guard and not by GnuTLS itself: as unsure. */
static void replay_is_unsure(int server)
{
    assert_int_equal(first_flight_replay(&flight, servers[server].port), FIRST_FLIGHT_HELLO);
    struct early_report report = early_server_report(&servers[server]);
    assert_false(report.completed || report.early);
    assert_int_equal(report.unsure, 1);
}

static bool finish(int server)
{
    return early_client_finish(&client, &flight, &servers[server]);
}

/* What the tests would see if nothing recognised the copies: they can fail. */
static void the_whole_key_lets_each_process_accept_a_copy(void **state)
{
    (void)state;
    assert_true(finish(0));
    assert_false(replay(0));
    assert_true(replay(1));
}

static void the_client_s_early_data_is_accepted_and_no_copy_s(void **state)
{
    (void)state;
    assert_true(finish(0));
    early_client_stop(&client);
    assert_true(early_server_report(&servers[0]).early);
    assert_false(replay(0));
    assert_false(replay(1));
    assert_false(replay(0));
    early_client_start(&client, &session, &flight); /* another flight of the same ticket */
    assert_true(finish(1));
}

/* The attacker is faster: one execution is all there is, and the client notices. */
static void after_a_copy_the_client_goes_on_without_early_data(void **state)
{
    (void)state;
    assert_true(replay(1));
    assert_false(replay(1));
    assert_false(finish(0));
}

static void a_restarted_process_accepts_no_copy(void **state)
{
    (void)state;
    assert_true(replay(0));
    early_server_kill(&servers[0]);
    early_server_start(&servers[0]);
    assert_false(replay(0));
    assert_false(finish(0));
}

/* Empty, and nobody vouches for it: what was used before cannot be told from what was not. */
static void a_redis_that_comes_back_empty_accepts_nothing_older(void **state)
{
    (void)state;
    assert_true(replay(0));
    redis_server_kill(&redis);
    redis_server_start_again(&redis);
    for (int i = 0; i < SERVERS; i++)
        replay_is_unsure(i);
    assert_false(finish(1));
}

static void a_flight_from_before_the_loss_is_refused_though_it_was_never_used(void **state)
{
    (void)state;
    redis_server_kill(&redis);
    redis_server_start_again(&redis);
    replay_is_unsure(1);
    assert_false(finish(0));
}

static void without_redis_the_handshake_goes_on(void **state)
{
    (void)state;
    redis_server_kill(&redis);
    replay_is_unsure(1);
    assert_false(finish(0));
    redis_server_start_again(&redis);
}

static void send_a_crowd(void)
{
    int copies[CROWD];
    unsigned accepted = 0;
    for (unsigned i = 0; i < CROWD; i++)
        copies[i] = first_flight_send(&flight, servers[i % SERVERS].port);
    for (unsigned i = 0; i < CROWD; i++)
        assert_int_equal(first_flight_answer(copies[i]), FIRST_FLIGHT_HELLO);
    for (unsigned i = 0; i < CROWD; i++)
        accepted += early_server_report(&servers[i % SERVERS]).early;
    assert_int_equal(accepted, 1);
    assert_false(finish(0));
}

/* Once, or for as long as JTIGUARD_TEST_SECONDS says. */
static void of_a_crowd_of_copies_one_is_accepted(void **state)
{
    const char *seconds = getenv("JTIGUARD_TEST_SECONDS");
    time_t end = time(NULL) + (seconds != NULL ? strtol(seconds, NULL, 10) : 0);
    unsigned rounds = 1;
    (void)state;
    for (send_a_crowd(); time(NULL) < end; rounds++) {
        early_client_stop(&client);
        assert_true(early_server_report(&servers[0]).completed);
        gnutls_free(session.data);
        session = early_client_session(&servers[rounds % SERVERS]);
        early_client_start(&client, &session, &flight);
        send_a_crowd();
    }
    print_message("%u flights, %u copies of each\n", rounds, CROWD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_whole_key_lets_each_process_accept_a_copy,
                                        start_with_the_whole_key, halt),
        cmocka_unit_test_setup_teardown(the_client_s_early_data_is_accepted_and_no_copy_s, start,
                                        halt),
        cmocka_unit_test_setup_teardown(after_a_copy_the_client_goes_on_without_early_data, start,
                                        halt),
        cmocka_unit_test_setup_teardown(a_restarted_process_accepts_no_copy, start, halt),
        cmocka_unit_test_setup_teardown(a_redis_that_comes_back_empty_accepts_nothing_older, start,
                                        halt),
        cmocka_unit_test_setup_teardown(
            a_flight_from_before_the_loss_is_refused_though_it_was_never_used, start, halt),
        cmocka_unit_test_setup_teardown(without_redis_the_handshake_goes_on, start, halt),
        cmocka_unit_test_setup_teardown(of_a_crowd_of_copies_one_is_accepted, start, halt),
    };
    return cmocka_run_group_tests_name("early data of GnuTLS servers", tests, NULL, NULL);
}
