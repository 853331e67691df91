/* SPDX-License-Identifier: Apache-2.0 */
/* What a server makes of the tokens that clients present, with ngtcp2's own tokens. */
#include "adapters/ngtcp2/bare_conn.h"
#include "adapters/ngtcp2/token_server.h"
#include "support/asserts.h"
#include "support/threads.h"

#include <arpa/inet.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <stdatomic.h>
#include <string.h>

enum { THREADS = 8 };

static const uint8_t other_secret[32] = "another one";

static void a_token_validates_once(void **state)
{
    (void)state;
    struct given first = token_give();
    struct given second = token_give();
    assert_int_equal(token_check(&first), JTG_NGTCP2_VALID);
    assert_int_equal(token_check(&first), JTG_NGTCP2_REUSED);
    assert_int_equal(token_check(&second), JTG_NGTCP2_VALID);
    it.client.sin_port = htons(40001); /* another port of the same address */
    assert_int_equal(token_check(&first), JTG_NGTCP2_REUSED);
    assert_int_equal(token_check(&second), JTG_NGTCP2_REUSED);
}

static void no_token_is_no_error(void **state)
{
    (void)state;
    struct given none = {.len = 0};
    jtg_error err = JTG_ERROR_INIT;
    assert_int_equal(token_check_with(&it.server, &none, &err), JTG_NGTCP2_NONE);
    assert_int_equal(err.status, JTG_OK);
}

/* One that could be varied would not be recognised. */
static void no_bit_of_a_token_can_be_changed(void **state)
{
    (void)state;
    struct given given = token_give();
    for (size_t i = 0; i < given.len * 8; i++) {
        struct given changed = given;
        changed.bytes[i / 8] ^= (uint8_t)(1U << i % 8);
        assert_int_equal(token_check(&changed), JTG_NGTCP2_INVALID);
    }
    for (size_t len = 1; len <= TOKEN_ROOM; len++) {
        struct given cut = given;
        cut.len = len;
        if (len != given.len)
            assert_int_equal(token_check(&cut), JTG_NGTCP2_INVALID);
    }
    assert_int_equal(token_check(&given), JTG_NGTCP2_VALID);
}

static void a_token_is_for_one_address_and_one_secret(void **state)
{
    (void)state;
    struct given given = token_give();
    it.client.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    assert_int_equal(token_check(&given), JTG_NGTCP2_INVALID);
    it.client.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const uint8_t *own = it.server.secret;
    it.server.secret = other_secret;
    assert_int_equal(token_check(&given), JTG_NGTCP2_INVALID);
    it.server.secret = own;
    assert_int_equal(token_check(&given), JTG_NGTCP2_VALID);
}

static void a_token_of_a_retry_is_none_of_ours(void **state)
{
    (void)state;
    struct given given;
    ngtcp2_cid cid = {.datalen = 8};
    ngtcp2_ssize len = ngtcp2_crypto_generate_retry_token(
        given.bytes, it.server.secret, it.server.secret_len, NGTCP2_PROTO_VER_V1,
        (const ngtcp2_sockaddr *)&it.client, sizeof it.client, &cid, &cid, token_server_now());
    assert_in_range(len, 1, TOKEN_ROOM);
    given.len = (size_t)len;
    assert_int_equal(token_check(&given), JTG_NGTCP2_INVALID);
}

struct race {
    struct given given;
    _Atomic unsigned valid;
    _Atomic unsigned reused;
};

static void present(void *context, unsigned index)
{
    struct race *race = context;
    (void)index;
    jtg_ngtcp2_verdict verdict = token_check(&race->given);
    race->valid += verdict == JTG_NGTCP2_VALID;
    race->reused += verdict == JTG_NGTCP2_REUSED;
}

static void of_many_threads_one_passes(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        struct race race = {.given = token_give()};
        threads_run(THREADS, present, &race);
        assert_int_equal(race.valid, 1);
        assert_int_equal(race.reused, THREADS - 1);
    }
}

static jtg_ngtcp2_verdict refused(const jtg_ngtcp2_server *with)
{
    struct given given = token_give();
    jtg_error err = JTG_ERROR_INIT;
    jtg_ngtcp2_verdict verdict = token_check_with(with, &given, &err);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
    return verdict;
}

static void what_is_incomplete_never_validates(void **state)
{
    (void)state;
    static const ngtcp2_duration lives[] = {0, JTG_NGTCP2_LIFE_LEAST - 1, JTG_NGTCP2_LIFE_MOST + 1,
                                            UINT64_MAX};
    jtg_ngtcp2_server wrong = it.server;
    assert_int_equal(refused(NULL), JTG_NGTCP2_UNSURE);
    wrong.struct_size--;
    assert_int_equal(refused(&wrong), JTG_NGTCP2_UNSURE);
    wrong = it.server;
    wrong.reuse = NULL;
    assert_int_equal(refused(&wrong), JTG_NGTCP2_UNSURE);
    wrong = it.server;
    wrong.verify = NULL;
    assert_int_equal(refused(&wrong), JTG_NGTCP2_UNSURE);
    wrong = it.server;
    wrong.secret = NULL;
    assert_int_equal(refused(&wrong), JTG_NGTCP2_UNSURE);
    wrong = it.server;
    wrong.secret_len = 0;
    assert_int_equal(refused(&wrong), JTG_NGTCP2_UNSURE);
    for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) {
        wrong = it.server;
        wrong.life = lives[i];
        assert_int_equal(refused(&wrong), JTG_NGTCP2_UNSURE);
    }
}

static void arguments_may_be_missing(void **state)
{
    (void)state;
    struct given given = token_give();
    ngtcp2_settings settings = {0};
    ngtcp2_pkt_hd hd;
    bare_packet(&hd, given.bytes, given.len);
    const ngtcp2_sockaddr *address = (const ngtcp2_sockaddr *)&it.client;
    assert_false(jtg_ngtcp2_token_check(&it.server, NULL, address, sizeof it.client,
                                        token_server_now(), &settings, NULL, NULL));
    assert_false(jtg_ngtcp2_token_check(&it.server, &hd, NULL, sizeof it.client, token_server_now(),
                                        &settings, NULL, NULL));
    assert_false(jtg_ngtcp2_token_check(&it.server, &hd, address, sizeof it.client,
                                        token_server_now(), NULL, NULL, NULL));
    assert_true(jtg_ngtcp2_token_check(&it.server, &hd, address, sizeof it.client,
                                       token_server_now(), &settings, NULL, NULL));
    jtg_ngtcp2_server_init(NULL);
}

static void verdicts_have_names(void **state)
{
    (void)state;
    jtg_ngtcp2_server defaults = JTG_NGTCP2_SERVER_INIT;
    jtg_ngtcp2_server set;
    memset(&set, 0xff, sizeof set);
    jtg_ngtcp2_server_init(&set);
    assert_memory_equal(&set, &defaults, sizeof set);
    assert_string_equal(jtg_ngtcp2_verdict_name(JTG_NGTCP2_REUSED), "reused");
    assert_string_equal(jtg_ngtcp2_verdict_text(JTG_NGTCP2_NONE), "there is no token");
    assert_string_equal(jtg_ngtcp2_verdict_name(JTG_NGTCP2_VERDICT_COUNT), "unknown");
    assert_string_equal(jtg_ngtcp2_verdict_text((jtg_ngtcp2_verdict)-1), "unknown");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, token_server_start, token_server_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_token_validates_once),
        CASE(no_token_is_no_error),
        CASE(no_bit_of_a_token_can_be_changed),
        CASE(a_token_is_for_one_address_and_one_secret),
        CASE(a_token_of_a_retry_is_none_of_ours),
        CASE(of_many_threads_one_passes),
        CASE(what_is_incomplete_never_validates),
        CASE(arguments_may_be_missing),
        CASE(verdicts_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
