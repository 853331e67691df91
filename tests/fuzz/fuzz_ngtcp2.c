/* SPDX-License-Identifier: Apache-2.0 */
/* What the other side can make the ngtcp2 adapter read: a client's first datagram and the token in
 * it, a server's NEW_TOKEN. The first byte chooses; the rest is given as what differs from a good
 * one, so that random bytes come close to one. Nothing may crash or leak; a token validates only if
 * it is the one that was given, whole, and once; what is kept is offered as it came, and once. */
#include "adapters/ngtcp2/bare_conn.h"
#include "adapters/ngtcp2/settings_token.h"

#include <arpa/inet.h>
#include <jtiguard/memory.h>
#include <jtiguard/quic_tokens_ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

enum { DATAGRAM = 1200, TOKEN_AT = 24, ROOM = 2048 };

#define NOW (UINT64_C(1795176000) * NGTCP2_SECONDS)

static const uint8_t secret[32] = "a secret";
static struct sockaddr_in address;
static jtg_cache *cache;
static jtg_ngtcp2_server server = JTG_NGTCP2_SERVER_INIT;
static jtg_ngtcp2_client client = JTG_NGTCP2_CLIENT_INIT;
static jtg_endpoint endpoint = JTG_ENDPOINT_INIT;
static ngtcp2_conn *conn;
static uint8_t token[NGTCP2_CRYPTO_MAX_REGULAR_TOKENLEN];
static size_t token_len;
static bool is_stored;

static void expect(int is_so, const char *what)
{
    if (is_so)
        return;
    (void)fprintf(stderr, "broken: %s\n", what);
    abort();
}

/* Wall and monotonic time stand still. */
static int64_t now_ms(void *context)
{
    (void)context;
    return (int64_t)(NOW / NGTCP2_MILLISECONDS);
}

static const jtg_clock clock_ = {sizeof(jtg_clock), NULL, now_ms, now_ms};

static void set_up(void)
{
    jtg_memory_options memory = JTG_MEMORY_OPTIONS_INIT;
    jtg_quic_reuse_options reuse = JTG_QUIC_REUSE_OPTIONS_INIT;
    memory.clock = &clock_;
    memory.sweep_interval_ms = 0;
    memory.max_entries = 1024; /* a clear goes through all places */
    reuse.clock = &clock_;
    reuse.start_rule = 0;
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    expect(jtg_memory_new(&cache, &memory, NULL) == JTG_OK &&
               jtg_quic_reuse_new(&server.reuse, cache, &reuse, NULL) == JTG_OK &&
               jtg_quic_tokens_new(&client.tokens, cache, NULL, NULL) == JTG_OK,
           "set up");
    server.life = 2 * NGTCP2_SECONDS; /* fewer questions about its age */
    server.verify = ngtcp2_crypto_verify_regular_token;
    server.secret = secret;
    server.secret_len = sizeof secret;
    endpoint.host = "server.example";
    endpoint.port = 443;
    client.endpoint = &endpoint;
    client.clock = &clock_;
    conn = bare_conn_new(NGTCP2_PROTO_VER_V1, NULL);
    expect(conn != NULL, "connection");
}

static void give_token(void)
{
    ngtcp2_ssize len = ngtcp2_crypto_generate_regular_token(token, secret, sizeof secret,
                                                            (const ngtcp2_sockaddr *)&address,
                                                            sizeof address, NOW - NGTCP2_SECONDS);
    expect(len > 0, "token");
    token_len = (size_t)len;
}

static void differ(uint8_t *made, size_t room, const uint8_t *data, size_t data_len)
{
    for (size_t i = 0; i < data_len && i < room; i++)
        made[i] = (uint8_t)(made[i] ^ data[i]);
}

static void check(const ngtcp2_pkt_hd *hd)
{
    jtg_ngtcp2_verdict verdict;
    struct jtgi_token presented = jtgi_packet_token(hd);
    for (int i = 0; i < 2; i++) {
        ngtcp2_settings settings;
        ngtcp2_settings_default(&settings);
        bool good = jtg_ngtcp2_token_check(&server, hd, (const ngtcp2_sockaddr *)&address,
                                           sizeof address, NOW, &settings, &verdict, NULL);
        bool is_ours = presented.len == token_len && memcmp(presented.data, token, token_len) == 0;
        expect(good == (is_ours && i == 0), "validated");
        expect(good == (verdict == JTG_NGTCP2_VALID), "verdict");
        is_stored = is_stored || good;
        expect(jtgi_settings_token(&settings).len == (good ? token_len : 0), "settings");
        expect(!is_ours || i == 0 || verdict == JTG_NGTCP2_REUSED, "reused");
        expect(presented.len != 0 || verdict == JTG_NGTCP2_NONE, "none");
    }
}

/* An Initial of version 1 up to its token, and padding: the server's ID, the client's, the token.
 */
static void try_datagram(const uint8_t *data, size_t data_len)
{
    uint8_t datagram[DATAGRAM] = {0xc0, 0, 0, 0, 1, 8};
    ngtcp2_pkt_hd hd;
    give_token();
    datagram[14] = 8;
    datagram[TOKEN_AT - 1] = (uint8_t)token_len;
    memcpy(datagram + TOKEN_AT, token, token_len);
    datagram[TOKEN_AT + token_len] = 0x44; /* the length of the rest, in two bytes */
    differ(datagram, sizeof datagram, data, data_len);
    if (ngtcp2_accept(&hd, datagram, sizeof datagram) == 0)
        check(&hd);
}

static void try_token(const uint8_t *data, size_t data_len)
{
    uint8_t made[ROOM] = {0};
    ngtcp2_pkt_hd hd;
    size_t len = data_len < 1 ? 0 : data_len - 1;
    give_token();
    memcpy(made, token, token_len);
    if (len > 0)
        differ(made, sizeof made, data + 1, len);
    len = len > token_len ? len : token_len;
    len = len > ROOM ? ROOM : len;
    if (data_len > 0)
        len -= data[0] % (len + 1);
    bare_packet(&hd, made, len);
    check(&hd);
}

static void try_new_token(const uint8_t *data, size_t data_len)
{
    jtg_quic_fate fate;
    jtg_quic_load load;
    jtg_status status = jtg_ngtcp2_token_keep(&client, conn, data, data_len, &fate, NULL);
    expect((status == JTG_OK) == (data_len > 0 && data_len <= JTG_QUIC_TOKEN_BYTES_DEFAULT),
           "kept");
    is_stored = is_stored || status == JTG_OK;
    for (int i = 0; i < 2; i++) {
        ngtcp2_settings settings;
        ngtcp2_settings_default(&settings);
        expect(jtg_ngtcp2_token_offer(&client, NGTCP2_PROTO_VER_V1, &settings, &load, NULL) ==
                   JTG_OK,
               "offer");
        struct jtgi_token offered = jtgi_settings_token(&settings);
        expect((offered.len != 0) == (status == JTG_OK && i == 0), "offered");
        expect(offered.len == 0 ||
                   (offered.len == data_len && memcmp(offered.data, data, data_len) == 0),
               "as it came");
    }
    jtg_ngtcp2_client_clear(&client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len)
{
    static int is_set_up;
    if (!is_set_up)
        set_up();
    is_set_up = 1;
    if (data_len == 0)
        return 0;
    switch (data[0] % 3) {
    case 0:
        try_datagram(data + 1, data_len - 1);
        break;
    case 1:
        try_token(data + 1, data_len - 1);
        break;
    default:
        try_new_token(data + 1, data_len - 1);
    }
    /* So that a long run never finds the store full, and a token of an earlier input is new. */
    if (is_stored)
        expect(jtg_cache_clear(cache, NULL) == JTG_OK, "clear");
    is_stored = false;
    return 0;
}
