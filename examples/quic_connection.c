/* SPDX-License-Identifier: Apache-2.0 */
#include "quic_connection.h"

#include <gnutls/crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <string.h>
#include <time.h>

enum { PACKET_MAX_BYTES = 1452, NS_IN_MS = 1000000 };

static const char priority[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:"
                               "+AES-256-GCM:+CHACHA20-POLY1305:%DISABLE_TLS13_COMPAT_MODE";
static unsigned char protocol[] = "jtiguard-example";

ngtcp2_tstamp quic_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (ngtcp2_tstamp)now.tv_sec * NGTCP2_SECONDS + (ngtcp2_tstamp)now.tv_nsec;
}

bool quic_random_cid(ngtcp2_cid *cid)
{
    cid->datalen = QUIC_CID_BYTES;
    return gnutls_rnd(GNUTLS_RND_RANDOM, cid->data, cid->datalen) == 0;
}

/* ---- callbacks ---- */

static void random_bytes(uint8_t *bytes, size_t len, const ngtcp2_rand_ctx *context)
{
    (void)context;
    (void)gnutls_rnd(GNUTLS_RND_NONCE, bytes, len);
}

/* No stateless resets here, so nobody has to find the reset token again. */
static int new_connection_id(ngtcp2_conn *conn, ngtcp2_cid *cid, uint8_t *reset_token, size_t len,
                             void *user_data)
{
    (void)conn;
    (void)user_data;
    cid->datalen = len;
    bool good = gnutls_rnd(GNUTLS_RND_RANDOM, cid->data, len) == 0 &&
                gnutls_rnd(GNUTLS_RND_RANDOM, reset_token, NGTCP2_STATELESS_RESET_TOKENLEN) == 0;
    return good ? 0 : NGTCP2_ERR_CALLBACK_FAILURE;
}

void quic_callbacks(ngtcp2_callbacks *callbacks)
{
    memset(callbacks, 0, sizeof *callbacks);
    callbacks->client_initial = ngtcp2_crypto_client_initial_cb;
    callbacks->recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
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
    callbacks->rand = random_bytes;
    callbacks->get_new_connection_id = new_connection_id;
}

void quic_defaults(ngtcp2_settings *settings, ngtcp2_transport_params *params)
{
    ngtcp2_settings_default(settings);
    settings->initial_ts = quic_now();
    settings->handshake_timeout = (ngtcp2_duration)QUIC_HANDSHAKE_MS * NGTCP2_MILLISECONDS;
    settings->no_pmtud = 1; /* nothing here is long */
    ngtcp2_transport_params_default(params);
    params->max_idle_timeout = (ngtcp2_duration)QUIC_IDLE_MS * NGTCP2_MILLISECONDS;
}

/* ---- TLS ---- */

static ngtcp2_conn *conn_of(ngtcp2_crypto_conn_ref *ref)
{
    const struct quic_connection *connection = ref->user_data;
    return connection->conn;
}

bool quic_tls(struct quic_connection *connection, unsigned flags,
              gnutls_certificate_credentials_t credentials)
{
    static const gnutls_datum_t alpn = {protocol, sizeof protocol - 1};
    connection->ref.get_conn = conn_of;
    connection->ref.user_data = connection;
    if (gnutls_init(&connection->tls, flags | GNUTLS_NO_AUTO_SEND_TICKET) != 0)
        return false;
    gnutls_session_set_ptr(connection->tls, &connection->ref);
    int configured = (flags & GNUTLS_SERVER) != 0
                         ? ngtcp2_crypto_gnutls_configure_server_session(connection->tls)
                         : ngtcp2_crypto_gnutls_configure_client_session(connection->tls);
    return configured == 0 && gnutls_priority_set_direct(connection->tls, priority, NULL) == 0 &&
           gnutls_credentials_set(connection->tls, GNUTLS_CRD_CERTIFICATE, credentials) == 0 &&
           gnutls_alpn_set_protocols(connection->tls, &alpn, 1, GNUTLS_ALPN_MANDATORY) == 0;
}

void quic_tls_attach(struct quic_connection *connection)
{
    ngtcp2_conn_set_tls_native_handle(connection->conn, connection->tls);
}

/* ---- packets ---- */

ngtcp2_path quic_path(struct quic_connection *connection)
{
    ngtcp2_path path = {
        {(ngtcp2_sockaddr *)&connection->local.at, connection->local.len},
        {(ngtcp2_sockaddr *)&connection->remote.at, connection->remote.len},
        NULL,
    };
    return path;
}

int quic_read(struct quic_connection *connection, const uint8_t *packet, size_t len)
{
    ngtcp2_path path = quic_path(connection);
    ngtcp2_pkt_info info = {0};
    return ngtcp2_conn_read_pkt(connection->conn, &path, &info, packet, len, quic_now());
}

/* A datagram that cannot be sent is a lost one: QUIC sends again. */
static void send_datagram(const struct quic_connection *connection, const uint8_t *packet,
                          ngtcp2_ssize len)
{
    (void)sendto(connection->fd, packet, (size_t)len, 0,
                 (const struct sockaddr *)&connection->remote.at, connection->remote.len);
}

/* Application data would go in here, by ngtcp2_conn_writev_stream(). */
int quic_send(struct quic_connection *connection)
{
    uint8_t packet[PACKET_MAX_BYTES];
    ngtcp2_path_storage path;
    ngtcp2_ssize len;
    ngtcp2_path_storage_zero(&path);
    while ((len = ngtcp2_conn_write_pkt(connection->conn, &path.path, NULL, packet, sizeof packet,
                                        quic_now())) > 0)
        send_datagram(connection, packet, len);
    ngtcp2_conn_update_pkt_tx_time(connection->conn, quic_now());
    return (int)len;
}

int quic_timeout_ms(const struct quic_connection *connection, int limit_ms)
{
    ngtcp2_tstamp due = ngtcp2_conn_get_expiry(connection->conn);
    ngtcp2_tstamp now = quic_now();
    if (due <= now)
        return 0;
    ngtcp2_tstamp left_ms = (due - now - 1) / NS_IN_MS + 1;
    return left_ms < (ngtcp2_tstamp)limit_ms ? (int)left_ms : limit_ms;
}

int quic_timer(struct quic_connection *connection)
{
    ngtcp2_tstamp now = quic_now();
    if (ngtcp2_conn_get_expiry(connection->conn) > now)
        return 0;
    return ngtcp2_conn_handle_expiry(connection->conn, now);
}

/* Silent is the end of an idle connection, of one that the other side closed, and of one that was
 * dropped. */
static bool is_silent(int error)
{
    return error == NGTCP2_ERR_IDLE_CLOSE || error == NGTCP2_ERR_DRAINING ||
           error == NGTCP2_ERR_DROP_CONN || error == NGTCP2_ERR_RETRY;
}

void quic_close(struct quic_connection *connection, int error)
{
    uint8_t packet[PACKET_MAX_BYTES];
    if (connection->conn != NULL && !is_silent(error)) {
        ngtcp2_ssize len =
            quic_write_close(connection->conn, packet, sizeof packet, error, quic_now());
        if (len > 0)
            send_datagram(connection, packet, len);
    }
    ngtcp2_conn_del(connection->conn);
    if (connection->tls != NULL)
        gnutls_deinit(connection->tls);
    connection->conn = NULL;
    connection->tls = NULL;
}
