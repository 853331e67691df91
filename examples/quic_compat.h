/* SPDX-License-Identifier: Apache-2.0 */
/* ngtcp2 0.12 (Debian 12) and 1.x (Debian 13) as one. */
#ifndef EXAMPLES_QUIC_COMPAT_H
#define EXAMPLES_QUIC_COMPAT_H

#include <ngtcp2/ngtcp2.h>

#if NGTCP2_VERSION_NUM >= 0x010000
#define QUIC_NGTCP2_1 1
#else
#define QUIC_NGTCP2_1 0
#endif

/* How the type of a callback that gets a token differs. */
#if QUIC_NGTCP2_1
#define QUIC_TOKEN_PARAMETERS const uint8_t *token, size_t token_len
#define QUIC_TOKEN_BYTES      token
#define QUIC_TOKEN_LEN        token_len
#else
#define QUIC_TOKEN_PARAMETERS const ngtcp2_vec *token
#define QUIC_TOKEN_BYTES      token->base
#define QUIC_TOKEN_LEN        token->len
#endif

/* The token of an Initial; NULL, 0: it has none. Borrowed from the packet. */
static inline const uint8_t *quic_token_of(const ngtcp2_pkt_hd *hd, size_t *len)
{
#if QUIC_NGTCP2_1
    *len = hd->tokenlen;
    return hd->token;
#else
    *len = hd->token.len;
    return hd->token.base;
#endif
}

/* The server has validated the client by this token of a Retry. */
static inline void quic_settings_retry_token(ngtcp2_settings *settings, const ngtcp2_pkt_hd *hd)
{
#if QUIC_NGTCP2_1
    settings->token = hd->token;
    settings->tokenlen = hd->tokenlen;
    settings->token_type = NGTCP2_TOKEN_TYPE_RETRY;
#else
    settings->token = hd->token;
#endif
}

/* The destination of the client's very first Initial. */
static inline void quic_params_original_dcid(ngtcp2_transport_params *params,
                                             const ngtcp2_cid *dcid)
{
    params->original_dcid = *dcid;
#if QUIC_NGTCP2_1
    params->original_dcid_present = 1;
#endif
}

static inline size_t quic_scid_count(ngtcp2_conn *conn)
{
#if QUIC_NGTCP2_1
    return ngtcp2_conn_get_scid(conn, NULL);
#else
    return ngtcp2_conn_get_num_scid(conn);
#endif
}

/* CONNECTION_CLOSE for what a call of the library answered; 0 = all is well. */
static inline ngtcp2_ssize quic_write_close(ngtcp2_conn *conn, uint8_t *packet, size_t room,
                                            int error, ngtcp2_tstamp now)
{
    ngtcp2_path_storage path;
    ngtcp2_path_storage_zero(&path);
#if QUIC_NGTCP2_1
    ngtcp2_ccerr why;
    ngtcp2_ccerr_default(&why);
    if (error != 0)
        ngtcp2_ccerr_set_liberr(&why, error, NULL, 0);
#else
    ngtcp2_connection_close_error why;
    ngtcp2_connection_close_error_default(&why);
    if (error != 0)
        ngtcp2_connection_close_error_set_transport_error_liberr(&why, error, NULL, 0);
#endif
    return ngtcp2_conn_write_connection_close(conn, &path.path, NULL, packet, room, &why, now);
}

#endif
