/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/error.h"
#include "adapters/ngtcp2/settings_token.h"

#include <jtiguard/extend.h>
#include <jtiguard/quic_tokens_ngtcp2.h>

enum {
    NS_IN_US = 1000,
    /* How far this clock may be ahead of the store's: a copy that came just before the store lost
     * its last changes is then not stored. Costs the tokens of the first half minute after a loss.
     */
    CLOCK_MARGIN_MS = 30000
};

void jtg_ngtcp2_client_init(jtg_ngtcp2_client *client)
{
    static const jtg_ngtcp2_client defaults = JTG_NGTCP2_CLIENT_INIT;
    if (client != NULL)
        *client = defaults;
}

void jtg_ngtcp2_client_clear(jtg_ngtcp2_client *client)
{
    if (client != NULL)
        jtg_quic_token_clear(&client->offered);
}

static int64_t wall_ms(const jtg_clock *clock)
{
    jtg_clock system = jtg_clock_system();
    if (clock == NULL)
        clock = &system;
    return clock->wall_ms(clock->context);
}

static ngtcp2_duration initial_rtt(uint64_t rtt_us)
{
    if (rtt_us > JTG_NGTCP2_RTT_MOST / NS_IN_US)
        return JTG_NGTCP2_RTT_MOST;
    ngtcp2_duration rtt = rtt_us * NS_IN_US;
    return rtt < JTG_NGTCP2_RTT_LEAST ? JTG_NGTCP2_RTT_LEAST : rtt;
}

/* Settings that an earlier offer filled in must not point to what is freed here. */
static void withdraw(jtg_ngtcp2_client *client, ngtcp2_settings *settings)
{
    static const struct jtgi_token none = {NULL, 0};
    const void *offered = client->offered.data;
    if (offered != NULL && jtgi_settings_token(settings).data == offered)
        jtgi_settings_set_token(settings, none);
    jtg_ngtcp2_client_clear(client);
}

static bool is_usable(const jtg_ngtcp2_client *client, jtg_error *err)
{
    jtgi_adapter_error_begin(err);
    return client != NULL && client->endpoint != NULL &&
           jtg_struct_check(client, sizeof *client, sizeof *client, "client", err) == JTG_OK;
}

jtg_status jtg_ngtcp2_token_offer(jtg_ngtcp2_client *client, uint32_t version,
                                  ngtcp2_settings *settings, jtg_quic_load *load, jtg_error *err)
{
    jtg_quic_load done = JTG_QUIC_LOAD_FAILED;
    if (load != NULL)
        *load = done;
    if (!is_usable(client, err) || settings == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "client or settings is NULL, or the client is incomplete");
    withdraw(client, settings);
    client->connected_ms = wall_ms(client->clock) - CLOCK_MARGIN_MS;
    struct jtgi_token own = jtgi_settings_token(settings);
    jtg_quic_token token = JTG_QUIC_TOKEN_INIT;
    token.data = own.len == 0 ? NULL : own.data;
    token.data_len = own.len;
    jtg_status status =
        jtg_quic_tokens_maybe_load(client->tokens, client->endpoint, version, &token, &done, err);
    if (load != NULL)
        *load = done;
    if (done != JTG_QUIC_LOAD_LOADED)
        return status;
    client->offered = token;
    jtgi_settings_set_token(settings, (struct jtgi_token){token.data, token.data_len});
    if (token.rtt_us != 0)
        settings->initial_rtt = initial_rtt(token.rtt_us);
    return status;
}

/* The version is agreed before a NEW_TOKEN can be read. */
static uint32_t version_of(ngtcp2_conn *conn)
{
    uint32_t version = ngtcp2_conn_get_negotiated_version(conn);
    return version != 0 ? version : ngtcp2_conn_get_client_chosen_version(conn);
}

jtg_status jtg_ngtcp2_token_keep(const jtg_ngtcp2_client *client, ngtcp2_conn *conn,
                                 const uint8_t *token, size_t token_len, jtg_quic_fate *fate,
                                 jtg_error *err)
{
    if (fate != NULL)
        *fate = JTG_QUIC_NOT_STORED;
    if (!is_usable(client, err) || conn == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "client or conn is NULL, or the client is incomplete");
    if (client->tokens == NULL)
        return JTG_OK;
    ngtcp2_duration rtt = jtgi_smoothed_rtt(conn);
    jtg_quic_token kept = JTG_QUIC_TOKEN_INIT;
    kept.data = token;
    kept.data_len = token_len;
    kept.rtt_us = rtt == UINT64_MAX ? 0 : rtt / NS_IN_US;
    kept.ttl_ms = client->ttl_ms;
    kept.connected_ms = client->connected_ms;
    return jtg_quic_tokens_store(client->tokens, client->endpoint, version_of(conn), &kept, fate,
                                 err);
}
