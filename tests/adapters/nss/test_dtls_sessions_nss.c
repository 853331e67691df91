/* SPDX-License-Identifier: Apache-2.0 */
/* Clients of NSS, each a process of its own, whose sessions lie in a Redis. */
#include "adapters/nss/nss_peers.h"
#include "support/asserts.h"
#include "support/redis_server.h"
#include "support/redis_vouch.h"

static char folder[64];
static struct redis_server redis;
static struct nss_server server;
static struct nss_client client;

static int make_folder(void **state)
{
    (void)state;
    nss_folder_make(folder);
    return 0;
}

static int clear_folder(void **state)
{
    (void)state;
    nss_folder_clear(folder);
    return 0;
}

static int start(void **state)
{
    (void)state;
    redis_server_start(&redis, NULL);
    redis_vouch(redis.uri);
    server = (struct nss_server){.folder = folder, .redis_uri = redis.uri};
    client = (struct nss_client){.folder = folder, .redis_uri = redis.uri, .alpn = "coap"};
    nss_server_start(&server);
    return 0;
}

static int halt(void **state)
{
    (void)state;
    nss_server_stop(&server);
    redis_server_stop(&redis);
    return 0;
}

static struct nss_result connect_once(void)
{
    struct nss_result result = nss_client_run(&client, nss_server_open(&server));
    struct nss_report report = nss_server_end(&server);
    assert_true(result.completed && result.answered && report.completed);
    assert_int_equal(result.resumed, report.resumed);
    return result;
}

static void one_process_stores_and_the_next_resumes(void **state)
{
    (void)state;
    struct nss_result first = connect_once();
    assert_false(first.offered || first.resumed || first.early);
    assert_int_equal(first.fates[JTG_DTLS_STORED], 1);
    struct nss_result second = connect_once();
    assert_true(second.offered && second.resumed && second.early);
    assert_int_equal(second.fates[JTG_DTLS_STORED], 1);
    assert_true(connect_once().resumed); /* the session of the second connection */
}

/* Two at the same time: one has it, the other goes without. */
static void a_session_is_used_once(void **state)
{
    struct nss_client other = client;
    struct nss_path nowhere;
    (void)state;
    (void)connect_once();
    nss_path_open(&nowhere);
    assert_true(nss_client_start(&client, nss_server_open(&server)));
    assert_false(nss_client_start(&other, nowhere.port));
    nss_client_kill(&other);
    nss_path_close(&nowhere);
    nss_client_go(&client);
    assert_true(nss_client_end(&client).resumed);
    assert_true(nss_server_end(&server).resumed);
}

/* Each datagram of the server twice, as if it had retransmitted them. */
static void a_ticket_that_arrives_twice_is_stored_once(void **state)
{
    struct nss_path path;
    struct path_pieces flight;
    (void)state;
    nss_path_open(&path);
    assert_false(nss_client_start(&client, path.port));
    nss_path_take(&path, &flight);
    nss_path_deliver(&path, &flight, nss_server_open(&server));
    nss_client_go(&client);
    struct nss_result result = nss_path_carry(&path, &client, 2);
    nss_path_close(&path);
    assert_true(result.completed && result.answered && nss_server_end(&server).completed);
    assert_int_equal(result.fates[JTG_DTLS_STORED], 1);
    assert_int_equal(result.fates[JTG_DTLS_NOT_STORED], 0);
    assert_true(connect_once().resumed);
}

static void another_protocol_has_sessions_of_its_own(void **state)
{
    (void)state;
    (void)connect_once();
    client.alpn = ""; /* none is agreed then */
    struct nss_result none = connect_once();
    assert_false(none.offered);
    assert_int_equal(none.fates[JTG_DTLS_STORED], 1);
    assert_true(connect_once().resumed);
    client.alpn = "coap";
    assert_true(connect_once().resumed);
}

/* What the client wanted is not what was agreed: as early data it would be read as something else.
 */
static void a_session_is_stored_under_the_protocol_that_was_agreed(void **state)
{
    (void)state;
    nss_server_stop(&server);
    server.alpn = ""; /* the server knows none */
    nss_server_start(&server);
    assert_int_equal(connect_once().fates[JTG_DTLS_STORED], 1);
    assert_false(connect_once().offered);
    client.alpn = "";
    assert_true(connect_once().resumed);
}

static void another_verification_has_sessions_of_its_own(void **state)
{
    (void)state;
    client.parameters = "not verified";
    (void)connect_once();
    client.parameters = "verified by the company's authority";
    assert_false(connect_once().offered);
    assert_true(connect_once().resumed);
}

/* NSS refuses a session of another name, though the key be the same. */
static void another_name_is_not_resumed(void **state)
{
    (void)state;
    (void)connect_once();
    client.host = "127.0.0.1";
    struct nss_result result = connect_once();
    assert_false(result.offered || result.resumed);
}

static void without_the_store_the_handshake_is_a_full_one(void **state)
{
    (void)state;
    (void)connect_once();
    redis_server_kill(&redis);
    struct nss_result result = connect_once();
    assert_true(result.attached != JTG_OK);
    assert_false(result.offered || result.resumed);
    assert_int_equal(result.fates[JTG_DTLS_NOT_STORED], 1);
    redis_server_start_again(&redis);
}

/* A server that was restarted has other ticket keys: it does not resume, and nothing breaks. */
static void a_session_that_the_server_refuses_costs_nothing(void **state)
{
    (void)state;
    (void)connect_once();
    nss_server_stop(&server);
    nss_server_start(&server);
    struct nss_result result = connect_once();
    assert_true(result.offered);
    assert_false(result.resumed);
    assert_true(connect_once().resumed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_process_stores_and_the_next_resumes, start, halt),
        cmocka_unit_test_setup_teardown(a_session_is_used_once, start, halt),
        cmocka_unit_test_setup_teardown(a_ticket_that_arrives_twice_is_stored_once, start, halt),
        cmocka_unit_test_setup_teardown(another_protocol_has_sessions_of_its_own, start, halt),
        cmocka_unit_test_setup_teardown(a_session_is_stored_under_the_protocol_that_was_agreed,
                                        start, halt),
        cmocka_unit_test_setup_teardown(another_verification_has_sessions_of_its_own, start, halt),
        cmocka_unit_test_setup_teardown(another_name_is_not_resumed, start, halt),
        cmocka_unit_test_setup_teardown(without_the_store_the_handshake_is_a_full_one, start, halt),
        cmocka_unit_test_setup_teardown(a_session_that_the_server_refuses_costs_nothing, start,
                                        halt),
    };
    return cmocka_run_group_tests_name("sessions of NSS clients", tests, make_folder, clear_folder);
}
