/* SPDX-License-Identifier: Apache-2.0 */
/* Where ngtcp2 0.12 and 1.x hold a token: the one place that knows of the difference. */
#ifndef ADAPTERS_NGTCP2_SETTINGS_TOKEN_H
#define ADAPTERS_NGTCP2_SETTINGS_TOKEN_H

#include <ngtcp2/ngtcp2.h>
#include <stdint.h>

/* Between them the interface changed with each release, and no Debian has one of those. */
#if NGTCP2_VERSION_NUM < 0x000c00 ||                                                               \
    (NGTCP2_VERSION_NUM >= 0x000d00 && NGTCP2_VERSION_NUM < 0x010000)
#error "ngtcp2 0.12 or 1.x is needed"
#endif

struct jtgi_token {
    const uint8_t *data; /* borrowed */
    size_t len;          /* 0: there is none */
};

#if NGTCP2_VERSION_NUM >= 0x010000

static inline struct jtgi_token jtgi_packet_token(const ngtcp2_pkt_hd *hd)
{
    return (struct jtgi_token){hd->token, hd->tokenlen};
}

static inline struct jtgi_token jtgi_settings_token(const ngtcp2_settings *settings)
{
    return (struct jtgi_token){settings->token, settings->tokenlen};
}

static inline void jtgi_settings_set_token(ngtcp2_settings *settings, struct jtgi_token token)
{
    settings->token = token.data;
    settings->tokenlen = token.len;
    settings->token_type = token.len == 0 ? NGTCP2_TOKEN_TYPE_UNKNOWN : NGTCP2_TOKEN_TYPE_NEW_TOKEN;
}

/* UINT64_MAX: nothing was measured. */
static inline ngtcp2_duration jtgi_smoothed_rtt(ngtcp2_conn *conn)
{
    ngtcp2_conn_info info;
    ngtcp2_conn_get_conn_info(conn, &info);
    return info.min_rtt == UINT64_MAX ? UINT64_MAX : info.smoothed_rtt;
}

#else

static inline struct jtgi_token jtgi_packet_token(const ngtcp2_pkt_hd *hd)
{
    return (struct jtgi_token){hd->token.base, hd->token.len};
}

static inline struct jtgi_token jtgi_settings_token(const ngtcp2_settings *settings)
{
    return (struct jtgi_token){settings->token.base, settings->token.len};
}

/* ngtcp2 takes a pointer to what it may change, and copies. */
static inline void jtgi_settings_set_token(ngtcp2_settings *settings, struct jtgi_token token)
{
    union {
        const uint8_t *ours;
        uint8_t *its;
    } data = {token.data};
    settings->token.base = data.its;
    settings->token.len = token.len;
}

static inline ngtcp2_duration jtgi_smoothed_rtt(ngtcp2_conn *conn)
{
    ngtcp2_conn_stat stat;
    ngtcp2_conn_get_conn_stat(conn, &stat);
    return stat.min_rtt == UINT64_MAX ? UINT64_MAX : stat.smoothed_rtt;
}

#endif
#endif
