/* SPDX-License-Identifier: Apache-2.0 */
/* DTLS 1.3 over UDP, an NSS server whose early data is guarded by a Redis, and an attacker with a
 * captured first flight: the early data is accepted at most once, and no handshake ends by it. */
#include "adapters/nss/nss_peers.h"
#include "support/asserts.h"
#include "support/redis_server.h"
#include "support/redis_vouch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static char folder[64];
static struct redis_server redis;
static struct nss_server server;
static struct nss_client client;
static struct nss_path path;
static struct path_pieces flight;

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
    return 0;
}

static int halt(void **state)
{
    (void)state;
    nss_server_stop(&server);
    redis_server_stop(&redis);
    return 0;
}

/* A first connection, and the second one's first flight, which goes nowhere yet. */
static void capture(void)
{
    nss_server_start(&server);
    struct nss_result first = nss_client_run(&client, nss_server_open(&server));
    assert_true(first.completed && first.answered && !first.resumed);
    assert_int_equal(first.fates[JTG_DTLS_STORED], 1);
    assert_true(nss_server_end(&server).completed);
    nss_path_open(&path);
    assert_true(nss_client_start(&client, path.port));
    nss_path_take(&path, &flight);
}

static struct nss_report replay(void)
{
    nss_path_deliver(&path, &flight, nss_server_open(&server));
    assert_true(nss_path_answered(&path));
    struct nss_report report = nss_server_end(&server);
    assert_false(report.completed);
    return report;
}

/* The client itself, at last: whether its early data was accepted. */
static bool finish(struct nss_report *report)
{
    nss_path_deliver(&path, &flight, nss_server_open(&server));
    nss_client_go(&client);
    struct nss_result result = nss_path_carry(&path, &client, 1);
    *report = nss_server_end(&server);
    nss_path_close(&path);
    assert_true(result.completed && result.answered && report->completed);
    assert_true(result.offered && result.resumed && report->resumed);
    assert_int_equal(result.early, report->early);
    return result.early;
}

static void the_client_s_early_data_is_accepted(void **state)
{
    struct nss_report report;
    (void)state;
    capture();
    assert_true(finish(&report));
    assert_int_equal(report.reasons[JTG_FLIGHT_FIRST], 1);
}

/* NSS takes a copy until its window's end, and the ticket's moment may be a window ahead. */
static void a_record_outlives_both_sides_of_the_window(void **state)
{
    static const char left[] = "EVAL \"local left = -1 for _, key in ipairs(redis.call('KEYS', "
                               "'*jtg:ar1:*')) do left = redis.call('PTTL', key) end "
                               "return left\" 0";
    const long kept_ms = 2 * JTG_ANTI_REPLAY_WINDOW_MS_DEFAULT + JTG_ANTI_REPLAY_MARGIN_MS_DEFAULT;
    struct timespec before;
    struct timespec after;
    struct nss_report report;
    char reply[64];
    (void)state;
    capture();
    (void)clock_gettime(CLOCK_MONOTONIC, &before);
    assert_true(finish(&report));
    assert_true(redis_server_ask(&redis, left, reply, sizeof reply));
    (void)clock_gettime(CLOCK_MONOTONIC, &after);
    assert_int_equal(reply[0], ':');
    long passed_ms = (long)(after.tv_sec - before.tv_sec + 1) * 1000;
    assert_in_range(strtol(reply + 1, NULL, 10), kept_ms - passed_ms, kept_ms);
}

static void a_copy_that_comes_later_is_refused(void **state)
{
    struct nss_report report;
    (void)state;
    capture();
    assert_true(finish(&report));
    nss_path_open(&path);
    report = replay();
    assert_false(report.early);
    assert_int_equal(report.reasons[JTG_FLIGHT_REPLAYED], 1);
    nss_path_close(&path);
}

static void after_a_copy_the_client_goes_on_without_early_data(void **state)
{
    struct nss_report report;
    (void)state;
    capture();
    assert_true(replay().early);
    assert_false(replay().early);
    assert_false(finish(&report));
    assert_int_equal(report.reasons[JTG_FLIGHT_REPLAYED], 2);
}

static void unguarded_the_same_ticket_has_early_data(void **state)
{
    struct nss_report report;
    (void)state;
    server.unguarded = true;
    capture();
    assert_true(finish(&report));
}

static void a_redis_that_comes_back_empty_accepts_nothing_older(void **state)
{
    struct nss_report report;
    (void)state;
    capture();
    redis_server_kill(&redis);
    redis_server_start_again(&redis);
    assert_false(replay().early);
    assert_false(finish(&report));
    assert_int_equal(report.reasons[JTG_FLIGHT_CONTINUITY_LOST] +
                         report.reasons[JTG_FLIGHT_STORE_UNAVAILABLE],
                     2);
}

static void without_redis_the_handshake_goes_on(void **state)
{
    struct nss_report report;
    (void)state;
    capture();
    redis_server_kill(&redis);
    assert_false(finish(&report));
    assert_int_equal(report.reasons[JTG_FLIGHT_FIRST], 0);
    redis_server_start_again(&redis);
}

/* A HelloRetryRequest ends early data; what we answer before it must not end the handshake. */
static void a_retry_for_another_group_goes_on(void **state)
{
    struct nss_report report;
    (void)state;
    server.other_group = true;
    capture();
    assert_false(finish(&report));
}

static void a_retry_goes_on_where_the_early_data_was_refused(void **state)
{
    struct nss_report report;
    (void)state;
    server.other_group = true;
    capture();
    redis_server_kill(&redis);
    assert_false(finish(&report));
    redis_server_start_again(&redis);
}

/* ---- a ClientHello in two datagrams ---- */

static unsigned hellos_in(const struct path_pieces *pieces)
{
    unsigned count = 0;
    for (unsigned i = 0; i < pieces->count; i++)
        count += pieces->bytes[i][0] == 22; /* a handshake record in clear */
    return count;
}

static void a_wide_hello_has_early_data_once(void **state)
{
    struct nss_report report;
    (void)state;
    client.wide = true;
    capture();
    assert_int_equal(hellos_in(&flight), 2);
    assert_true(replay().early);
    assert_false(replay().early);
    assert_false(finish(&report));
    assert_int_equal(report.reasons[JTG_FLIGHT_FIRST], 1);
    assert_int_equal(report.reasons[JTG_FLIGHT_REPLAYED], 2);
    assert_int_equal(report.reasons[JTG_FLIGHT_BAD_ARGUMENT], 0);
}

/* NSS puts it together all the same, and the handshake goes on. */
static void a_wide_hello_out_of_order_has_none(void **state)
{
    struct nss_report report;
    struct path_pieces other;
    (void)state;
    client.wide = true;
    capture();
    other = flight;
    memcpy(flight.bytes[0], other.bytes[1], other.len[1]);
    memcpy(flight.bytes[1], other.bytes[0], other.len[0]);
    flight.len[0] = other.len[1];
    flight.len[1] = other.len[0];
    assert_false(finish(&report));
    assert_int_equal(report.reasons[JTG_FLIGHT_BAD_ARGUMENT], 1);
}

/* ---- TLS ---- */

static struct nss_report connect_by_tls(bool early)
{
    struct nss_result result = nss_client_run(&client, nss_server_open(&server));
    struct nss_report report = nss_server_end(&server);
    if (!(result.completed && result.answered && report.completed))
        fail_msg("client completed=%d answered=%d early=%d resumed=%d; server completed=%d "
                 "early=%d error=%d",
                 result.completed, result.answered, result.early, result.resumed, report.completed,
                 report.early, report.error);
    assert_int_equal(result.early, early);
    assert_int_equal(report.early, early);
    return report;
}

static void start_tls(void)
{
    server.stream = true;
    client.stream = true;
    nss_server_start(&server);
    assert_false(connect_by_tls(false).resumed);
}

static void tls_has_early_data_too(void **state)
{
    (void)state;
    start_tls();
    assert_int_equal(connect_by_tls(true).reasons[JTG_FLIGHT_FIRST], 1);
    assert_int_equal(connect_by_tls(true).reasons[JTG_FLIGHT_FIRST], 2); /* the next ticket */
}

/* The client's sessions lie in another Redis, so that it has one to offer. */
static void refuse_by_tls(void)
{
    struct redis_server sessions;
    redis_server_start(&sessions, NULL);
    client.redis_uri = sessions.uri;
    start_tls();
    redis_server_kill(&redis);
    struct nss_report report = connect_by_tls(false);
    assert_true(report.resumed);
    assert_int_equal(report.reasons[JTG_FLIGHT_STORE_UNAVAILABLE], 1);
    redis_server_start_again(&redis);
    redis_server_stop(&sessions);
}

static void without_redis_a_tls_handshake_goes_on(void **state)
{
    (void)state;
    refuse_by_tls();
}

static void a_retry_of_tls_goes_on(void **state)
{
    (void)state;
    server.other_group = true;
    start_tls();
    (void)connect_by_tls(false);
}

static void a_retry_of_tls_goes_on_where_the_early_data_was_refused(void **state)
{
    (void)state;
    server.other_group = true;
    refuse_by_tls();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(unguarded_the_same_ticket_has_early_data, start, halt),
        cmocka_unit_test_setup_teardown(the_client_s_early_data_is_accepted, start, halt),
        cmocka_unit_test_setup_teardown(a_record_outlives_both_sides_of_the_window, start, halt),
        cmocka_unit_test_setup_teardown(a_copy_that_comes_later_is_refused, start, halt),
        cmocka_unit_test_setup_teardown(after_a_copy_the_client_goes_on_without_early_data, start,
                                        halt),
        cmocka_unit_test_setup_teardown(a_redis_that_comes_back_empty_accepts_nothing_older, start,
                                        halt),
        cmocka_unit_test_setup_teardown(without_redis_the_handshake_goes_on, start, halt),
        cmocka_unit_test_setup_teardown(a_retry_for_another_group_goes_on, start, halt),
        cmocka_unit_test_setup_teardown(a_retry_goes_on_where_the_early_data_was_refused, start,
                                        halt),
        cmocka_unit_test_setup_teardown(a_wide_hello_has_early_data_once, start, halt),
        cmocka_unit_test_setup_teardown(a_wide_hello_out_of_order_has_none, start, halt),
        cmocka_unit_test_setup_teardown(tls_has_early_data_too, start, halt),
        cmocka_unit_test_setup_teardown(without_redis_a_tls_handshake_goes_on, start, halt),
        cmocka_unit_test_setup_teardown(a_retry_of_tls_goes_on, start, halt),
        cmocka_unit_test_setup_teardown(a_retry_of_tls_goes_on_where_the_early_data_was_refused,
                                        start, halt),
    };
    return cmocka_run_group_tests_name("early data of NSS servers", tests, make_folder,
                                       clear_folder);
}
