/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/ngtcp2/bare_conn.h"

#include <netinet/in.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <string.h>

static void no_random(uint8_t *bytes, size_t len, const ngtcp2_rand_ctx *context)
{
    (void)context;
    memset(bytes, 0, len);
}

static int no_connection_id(ngtcp2_conn *conn, ngtcp2_cid *cid, uint8_t *reset_token, size_t len,
                            void *user_data)
{
    (void)conn;
    (void)cid;
    (void)len;
    (void)user_data;
    memset(reset_token, 0, NGTCP2_STATELESS_RESET_TOKENLEN);
    return NGTCP2_ERR_CALLBACK_FAILURE;
}

/* Those that ngtcp2 insists on. */
static void set_callbacks(ngtcp2_callbacks *callbacks)
{
    memset(callbacks, 0, sizeof *callbacks);
    callbacks->client_initial = ngtcp2_crypto_client_initial_cb;
    callbacks->recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb;
    callbacks->encrypt = ngtcp2_crypto_encrypt_cb;
    callbacks->decrypt = ngtcp2_crypto_decrypt_cb;
    callbacks->hp_mask = ngtcp2_crypto_hp_mask_cb;
    callbacks->recv_retry = ngtcp2_crypto_recv_retry_cb;
    callbacks->update_key = ngtcp2_crypto_update_key_cb;
    callbacks->delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
    callbacks->delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
    callbacks->get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb;
    callbacks->version_negotiation = ngtcp2_crypto_version_negotiation_cb;
    callbacks->rand = no_random;
    callbacks->get_new_connection_id = no_connection_id;
}

ngtcp2_conn *bare_conn_new(uint32_t version, const ngtcp2_settings *settings)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    ngtcp2_path path = {
        {(ngtcp2_sockaddr *)&at, sizeof at}, {(ngtcp2_sockaddr *)&at, sizeof at}, NULL};
    ngtcp2_callbacks callbacks;
    ngtcp2_settings defaults;
    ngtcp2_transport_params params;
    ngtcp2_cid cid = {.datalen = 8};
    ngtcp2_conn *conn = NULL;
    set_callbacks(&callbacks);
    ngtcp2_settings_default(&defaults);
    ngtcp2_transport_params_default(&params);
    if (ngtcp2_conn_client_new(&conn, &cid, &cid, &path, version, &callbacks,
                               settings == NULL ? &defaults : settings, &params, NULL, NULL) != 0)
        return NULL;
    return conn;
}

void bare_packet(ngtcp2_pkt_hd *hd, const uint8_t *token, size_t token_len)
{
    memset(hd, 0, sizeof *hd);
#if NGTCP2_VERSION_NUM >= 0x010000
    hd->token = token;
    hd->tokenlen = token_len;
#else
    union {
        const uint8_t *ours;
        uint8_t *its;
    } bytes = {token};
    hd->token.base = bytes.its;
    hd->token.len = token_len;
#endif
}
