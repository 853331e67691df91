/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/ngtcp2/token_server.h"

#include "adapters/ngtcp2/bare_conn.h"
#include "adapters/ngtcp2/settings_token.h"
#include "support/asserts.h"

#include <arpa/inet.h>
#include <jtiguard/memory.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <string.h>

static const uint8_t secret[32] = "a secret of the servers";

struct token_server it;

ngtcp2_tstamp token_server_now(void)
{
    return (ngtcp2_tstamp)it.clock.wall_ms * NS_IN_MS;
}

void token_server_make_log(uint32_t start_rule)
{
    jtg_quic_reuse_options options = JTG_QUIC_REUSE_OPTIONS_INIT;
    jtg_quic_reuse_free(it.reuse);
    options.clock = &it.clock_option;
    options.margin_ms = TOKEN_MARGIN_MS;
    options.start_rule = start_rule;
    assert_status(jtg_quic_reuse_new(&it.reuse, it.cache, &options, NULL), JTG_OK);
    it.server.reuse = it.reuse;
}

int token_server_start(void **state)
{
    (void)state;
    jtg_memory_options options = JTG_MEMORY_OPTIONS_INIT;
    memset(&it, 0, sizeof it);
    test_clock_init(&it.clock);
    it.clock_option = test_clock_as_jtg(&it.clock);
    options.clock = &it.clock_option;
    options.sweep_interval_ms = 0;
    assert_status(jtg_memory_new(&it.cache, &options, NULL), JTG_OK);
    it.client.sin_family = AF_INET;
    it.client.sin_port = htons(40000);
    it.client.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    jtg_ngtcp2_server_init(&it.server);
    token_server_make_log(0);
    it.server.verify = ngtcp2_crypto_verify_regular_token;
    it.server.secret = secret;
    it.server.secret_len = sizeof secret;
    it.server.life = (ngtcp2_duration)TOKEN_LIFE_MS * NS_IN_MS;
    return 0;
}

int token_server_stop(void **state)
{
    (void)state;
    jtg_quic_reuse_free(it.reuse);
    jtg_cache_free(it.cache);
    return 0;
}

struct given token_give_at(ngtcp2_tstamp at)
{
    struct given given;
    ngtcp2_ssize len = ngtcp2_crypto_generate_regular_token(given.bytes, secret, sizeof secret,
                                                            (const ngtcp2_sockaddr *)&it.client,
                                                            sizeof it.client, at);
    assert_in_range(len, 1, TOKEN_ROOM);
    given.len = (size_t)len;
    return given;
}

struct given token_give(void)
{
    return token_give_at(token_server_now());
}

jtg_ngtcp2_verdict token_check_with(const jtg_ngtcp2_server *server, const struct given *given,
                                    jtg_error *err)
{
    jtg_ngtcp2_verdict verdict = JTG_NGTCP2_VERDICT_COUNT;
    ngtcp2_settings settings = {0};
    ngtcp2_pkt_hd hd;
    bare_packet(&hd, given->bytes, given->len);
    bool good =
        jtg_ngtcp2_token_check(server, &hd, (const ngtcp2_sockaddr *)&it.client, sizeof it.client,
                               token_server_now(), &settings, &verdict, err);
    struct jtgi_token set = jtgi_settings_token(&settings);
    bool fits = good == (verdict == JTG_NGTCP2_VALID) && set.len == (good ? given->len : 0) &&
                (!good || set.data == given->bytes);
    return fits ? verdict : JTG_NGTCP2_VERDICT_COUNT;
}

jtg_ngtcp2_verdict token_check(const struct given *given)
{
    return token_check_with(&it.server, given, NULL);
}
