/* SPDX-License-Identifier: Apache-2.0 */
/* What a client keeps, and puts into the settings of its next connection. */
#include "adapters/ngtcp2/settings_token.h"

#include "adapters/ngtcp2/bare_conn.h"
#include "support/alloc_walk.h"
#include "support/asserts.h"
#include "support/test_clock.h"

#include <jtiguard/memory.h>
#include <jtiguard/quic_tokens_ngtcp2.h>
#include <string.h>

enum { OTHER_VERSION = 0x6b3343cf, OWN_RTT = 77, NTH_MAX = 100 };

static const uint8_t one[] = "the first token";
static const uint8_t two[] = "the second one";

static struct test_clock clock_;
static jtg_clock clock_option;
static jtg_cache *cache;
static jtg_quic_tokens *tokens;
static jtg_endpoint endpoint;
static jtg_ngtcp2_client client;
static ngtcp2_conn *conn;

static void make_conn(const ngtcp2_settings *settings)
{
    ngtcp2_conn_del(conn);
    conn = bare_conn_new(NGTCP2_PROTO_VER_V1, settings);
    assert_non_null(conn);
}

static int start(void **state)
{
    (void)state;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    jtg_quic_tokens_options token_options = JTG_QUIC_TOKENS_OPTIONS_INIT;
    static const jtg_endpoint empty = JTG_ENDPOINT_INIT;
    test_clock_init(&clock_);
    clock_option = test_clock_as_jtg(&clock_);
    options.clock = &clock_option;
    options.sweep_interval_ms = 0;
    assert_status(jtg_memory_new(&cache, &options, NULL), JTG_OK);
    assert_status(jtg_quic_tokens_new(&tokens, cache, &token_options, NULL), JTG_OK);
    endpoint = empty;
    endpoint.host = "server.example";
    endpoint.port = 443;
    jtg_ngtcp2_client_init(&client);
    client.tokens = tokens;
    client.endpoint = &endpoint;
    client.clock = &clock_option;
    make_conn(NULL);
    return 0;
}

static int halt(void **state)
{
    (void)state;
    ngtcp2_conn_del(conn);
    conn = NULL;
    jtg_ngtcp2_client_clear(&client);
    jtg_quic_tokens_free(tokens);
    jtg_cache_free(cache);
    return 0;
}

static jtg_quic_fate keep(const uint8_t *token, size_t len)
{
    jtg_quic_fate fate = JTG_QUIC_FATE_COUNT;
    assert_status(jtg_ngtcp2_token_keep(&client, conn, token, len, &fate, NULL), JTG_OK);
    return fate;
}

static struct jtgi_token offer(uint32_t version, ngtcp2_settings *settings, jtg_quic_load expected)
{
    jtg_quic_load load = JTG_QUIC_LOAD_FAILED;
    ngtcp2_settings_default(settings);
    settings->initial_rtt = OWN_RTT;
    assert_status(jtg_ngtcp2_token_offer(&client, version, settings, &load, NULL), JTG_OK);
    assert_int_equal(load, expected);
    return jtgi_settings_token(settings);
}

static void a_token_is_offered_once(void **state)
{
    (void)state;
    ngtcp2_settings settings;
    struct jtgi_token token = offer(NGTCP2_PROTO_VER_V1, &settings, JTG_QUIC_LOAD_MISS);
    assert_int_equal(token.len, 0);
    assert_int_equal(keep(one, sizeof one), JTG_QUIC_STORED);
    token = offer(NGTCP2_PROTO_VER_V1, &settings, JTG_QUIC_LOAD_LOADED);
    assert_int_equal(token.len, sizeof one);
    assert_memory_equal(token.data, one, sizeof one);
    token = offer(NGTCP2_PROTO_VER_V1, &settings, JTG_QUIC_LOAD_MISS);
    assert_int_equal(token.len, 0);
    assert_int_equal(keep(one, sizeof one), JTG_QUIC_DUPLICATE); /* a late copy of the frame */
    (void)offer(NGTCP2_PROTO_VER_V1, &settings, JTG_QUIC_LOAD_MISS);
}

static void another_version_has_other_tokens(void **state)
{
    (void)state;
    ngtcp2_settings settings;
    assert_int_equal(keep(one, sizeof one), JTG_QUIC_STORED);
    (void)offer(OTHER_VERSION, &settings, JTG_QUIC_LOAD_MISS);
    (void)offer(NGTCP2_PROTO_VER_V1, &settings, JTG_QUIC_LOAD_LOADED);
}

static void another_server_has_other_tokens(void **state)
{
    (void)state;
    ngtcp2_settings settings;
    assert_int_equal(keep(one, sizeof one), JTG_QUIC_STORED);
    endpoint.port = 8443;
    (void)offer(NGTCP2_PROTO_VER_V1, &settings, JTG_QUIC_LOAD_MISS);
    endpoint.port = 443;
    endpoint.host = "SERVER.example.";
    (void)offer(NGTCP2_PROTO_VER_V1, &settings, JTG_QUIC_LOAD_LOADED);
}

static void settings_with_a_token_stay(void **state)
{
    (void)state;
    ngtcp2_settings settings;
    jtg_quic_load load = JTG_QUIC_LOAD_FAILED;
    assert_int_equal(keep(one, sizeof one), JTG_QUIC_STORED);
    ngtcp2_settings_default(&settings);
    jtgi_settings_set_token(&settings, (struct jtgi_token){two, sizeof two});
    assert_status(jtg_ngtcp2_token_offer(&client, NGTCP2_PROTO_VER_V1, &settings, &load, NULL),
                  JTG_OK);
    assert_int_equal(load, JTG_QUIC_LOAD_ALREADY);
    struct jtgi_token token = jtgi_settings_token(&settings);
    assert_ptr_equal(token.data, two);
    assert_int_equal(token.len, sizeof two);
    (void)offer(NGTCP2_PROTO_VER_V1, &settings, JTG_QUIC_LOAD_LOADED);
}

/* A connection that could not be made, tried again with the settings at hand: they do not keep what
 * the first offer put there and the second one frees. */
static void settings_of_an_earlier_offer_get_another_token(void **state)
{
    (void)state;
    ngtcp2_settings settings;
    jtg_quic_load load = JTG_QUIC_LOAD_FAILED;
    assert_int_equal(keep(one, sizeof one), JTG_QUIC_STORED);
    assert_int_equal(keep(two, sizeof two), JTG_QUIC_STORED);
    (void)offer(NGTCP2_PROTO_VER_V1, &settings, JTG_QUIC_LOAD_LOADED);
    assert_status(jtg_ngtcp2_token_offer(&client, NGTCP2_PROTO_VER_V1, &settings, &load, NULL),
                  JTG_OK);
    assert_int_equal(load, JTG_QUIC_LOAD_LOADED);
    struct jtgi_token token = jtgi_settings_token(&settings);
    assert_int_equal(token.len, sizeof one);
    assert_memory_equal(token.data, one, sizeof one);
    assert_status(jtg_ngtcp2_token_offer(&client, NGTCP2_PROTO_VER_V1, &settings, &load, NULL),
                  JTG_OK);
    assert_int_equal(load, JTG_QUIC_LOAD_MISS);
    assert_int_equal(jtgi_settings_token(&settings).len, 0);
    make_conn(&settings);
}

static void the_connection_has_a_copy(void **state)
{
    (void)state;
    ngtcp2_settings settings;
    assert_int_equal(keep(one, sizeof one), JTG_QUIC_STORED);
    struct jtgi_token token = offer(NGTCP2_PROTO_VER_V1, &settings, JTG_QUIC_LOAD_LOADED);
    assert_ptr_equal(token.data, client.offered.data);
    make_conn(&settings);
    jtg_ngtcp2_client_clear(&client);
    assert_null(client.offered.storage);
    jtg_ngtcp2_client_clear(&client);
    jtg_ngtcp2_client_clear(NULL);
}

static void store_with_rtt(uint64_t rtt_us)
{
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    uint8_t name[sizeof rtt_us];
    memcpy(name, &rtt_us, sizeof name);
    token.data = name;
    token.data_len = sizeof name;
    token.rtt_us = rtt_us;
    assert_status(jtg_quic_tokens_store(tokens, &endpoint, NGTCP2_PROTO_VER_V1, &token, NULL, NULL),
                  JTG_OK);
}

static void a_round_trip_time_is_bounded(void **state)
{
    (void)state;
    static const struct {
        uint64_t stored_us;
        ngtcp2_duration begins_with;
    } cases[] = {
        {0, OWN_RTT},
        {1, JTG_NGTCP2_RTT_LEAST},
        {40000, 40 * NGTCP2_MILLISECONDS},
        {2999999, 2999999 * NGTCP2_MICROSECONDS},
        {3000001, JTG_NGTCP2_RTT_MOST},
        {UINT64_MAX, JTG_NGTCP2_RTT_MOST},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ngtcp2_settings settings;
        store_with_rtt(cases[i].stored_us);
        (void)offer(NGTCP2_PROTO_VER_V1, &settings, JTG_QUIC_LOAD_LOADED);
        assert_int_equal(settings.initial_rtt, cases[i].begins_with);
    }
}

static void nothing_measured_is_nothing_kept(void **state)
{
    (void)state;
    ngtcp2_settings settings;
    assert_int_equal(keep(one, sizeof one), JTG_QUIC_STORED);
    (void)offer(NGTCP2_PROTO_VER_V1, &settings, JTG_QUIC_LOAD_LOADED);
    assert_int_equal(settings.initial_rtt, OWN_RTT);
}

static void what_cannot_be_kept_is_told(void **state)
{
    (void)state;
    static uint8_t longest[JTG_QUIC_TOKEN_BYTES_DEFAULT + 1];
    jtg_quic_fate fate;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtg_ngtcp2_token_keep(&client, conn, one, 0, &fate, &err), JTG_ERR_ARGUMENT);
    assert_int_equal(fate, JTG_QUIC_EMPTY);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_status(jtg_ngtcp2_token_keep(&client, conn, longest, sizeof longest, &fate, &err),
                  JTG_ERR_ARGUMENT);
    assert_int_equal(fate, JTG_QUIC_TOO_LONG);
    assert_int_equal(keep(longest, sizeof longest - 1), JTG_QUIC_STORED);
}

static void a_life_of_its_own_ends(void **state)
{
    (void)state;
    ngtcp2_settings settings;
    client.ttl_ms = 1000;
    assert_int_equal(keep(one, sizeof one), JTG_QUIC_STORED);
    test_clock_advance(&clock_, 1000);
    (void)offer(NGTCP2_PROTO_VER_V1, &settings, JTG_QUIC_LOAD_MISS);
}

static void the_connection_began_with_the_offer(void **state)
{
    (void)state;
    ngtcp2_settings settings;
    (void)offer(NGTCP2_PROTO_VER_V1, &settings, JTG_QUIC_LOAD_MISS);
    assert_int_equal(client.connected_ms, TEST_CLOCK_WALL_MS - 30000);
}

static void without_a_store_there_is_no_token(void **state)
{
    (void)state;
    ngtcp2_settings settings;
    client.tokens = NULL;
    assert_int_equal(keep(one, sizeof one), JTG_QUIC_NOT_STORED);
    (void)offer(NGTCP2_PROTO_VER_V1, &settings, JTG_QUIC_LOAD_NO_CACHE);
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    ngtcp2_settings settings;
    jtg_ngtcp2_client wrong = client;
    jtg_error err = JTG_ERROR_INIT;
    ngtcp2_settings_default(&settings);
    wrong.struct_size--;
    assert_status(jtg_ngtcp2_token_offer(NULL, 1, &settings, NULL, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    assert_status(jtg_ngtcp2_token_offer(&wrong, 1, &settings, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_ngtcp2_token_offer(&client, 1, NULL, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_ngtcp2_token_offer(&client, 0, &settings, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_ngtcp2_token_keep(NULL, conn, one, 1, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_ngtcp2_token_keep(&wrong, conn, one, 1, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_ngtcp2_token_keep(&client, NULL, one, 1, NULL, NULL), JTG_ERR_ARGUMENT);
    client.endpoint = NULL;
    assert_status(jtg_ngtcp2_token_offer(&client, 1, &settings, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_ngtcp2_token_keep(&client, conn, one, 1, NULL, NULL), JTG_ERR_ARGUMENT);
    client.endpoint = &endpoint;
    assert_int_equal(jtgi_settings_token(&settings).len, 0);
}

/* A newer caller's struct, which asks for nothing new, or for something. */
static void what_is_not_known_must_be_zero(void **state)
{
    (void)state;
    struct {
        jtg_ngtcp2_client client;
        uint64_t more;
    } newer = {client, 0};
    jtg_quic_fate fate;
    newer.client.struct_size = sizeof newer;
    assert_status(jtg_ngtcp2_token_keep(&newer.client, conn, one, sizeof one, &fate, NULL), JTG_OK);
    newer.more = 1;
    assert_status(jtg_ngtcp2_token_keep(&newer.client, conn, two, sizeof two, &fate, NULL),
                  JTG_ERR_ARGUMENT);
}

static void the_initialisers_agree(void **state)
{
    (void)state;
    jtg_ngtcp2_client defaults = JTG_NGTCP2_CLIENT_INIT;
    jtg_ngtcp2_client set;
    memset(&set, 0xff, sizeof set);
    jtg_ngtcp2_client_init(&set);
    assert_memory_equal(&set, &defaults, sizeof set);
    jtg_ngtcp2_client_init(NULL);
}

/* Whichever acquisition fails, the settings hold a whole token or none, and no token comes twice.
 */
static void running_out_of_memory(void **state)
{
    (void)state;
    unsigned offered = 0;
    bool failed = true;
    assert_int_equal(keep(one, sizeof one), JTG_QUIC_STORED);
    for (unsigned nth = 1; failed; nth++) {
        ngtcp2_settings settings;
        jtg_quic_fate fate;
        assert_true(nth < NTH_MAX);
        ngtcp2_settings_default(&settings);
        alloc_walk_fail_nth(nth);
        jtg_status status =
            jtg_ngtcp2_token_offer(&client, NGTCP2_PROTO_VER_V1, &settings, NULL, NULL);
        jtg_status kept = jtg_ngtcp2_token_keep(&client, conn, one, sizeof one, &fate, NULL);
        failed = alloc_walk_end();
        struct jtgi_token token = jtgi_settings_token(&settings);
        assert_true(token.len == 0 || token.len == sizeof one);
        assert_true(status == JTG_OK || status == JTG_ERR_MEMORY);
        assert_true(kept != JTG_OK || fate == JTG_QUIC_DUPLICATE);
        offered += token.len != 0;
    }
    assert_in_range(offered, 0, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, halt)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_token_is_offered_once),
        CASE(another_version_has_other_tokens),
        CASE(another_server_has_other_tokens),
        CASE(settings_with_a_token_stay),
        CASE(settings_of_an_earlier_offer_get_another_token),
        CASE(the_connection_has_a_copy),
        CASE(a_round_trip_time_is_bounded),
        CASE(nothing_measured_is_nothing_kept),
        CASE(what_cannot_be_kept_is_told),
        CASE(a_life_of_its_own_ends),
        CASE(the_connection_began_with_the_offer),
        CASE(without_a_store_there_is_no_token),
        CASE(wrong_arguments_are_refused),
        CASE(what_is_not_known_must_be_zero),
        CASE(the_initialisers_agree),
        CASE(running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
