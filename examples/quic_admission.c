/* SPDX-License-Identifier: Apache-2.0 */
#include "quic_server.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ANSWER_MAX_BYTES = 1200, TOKEN_MAX_BYTES = 256 };

/* How long a client may take to answer a Retry, and to come back with a token. */
static const ngtcp2_duration retry_life = 10 * NGTCP2_SECONDS;
static const ngtcp2_duration token_life = UINT64_C(86400) * NGTCP2_SECONDS;

/* The wall clock in nanoseconds: what is sealed into a token is read by other instances too, and
 * after a restart. */
static ngtcp2_tstamp wall_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (ngtcp2_tstamp)now.tv_sec * NGTCP2_SECONDS + (ngtcp2_tstamp)now.tv_nsec;
}

/* ---- start and end ---- */

static bool refuse(struct quic_server *server, const char *why)
{
    server->why = why;
    return false;
}

static bool read_secret(struct quic_server *server, const char *path)
{
    if (path == NULL)
        return gnutls_rnd(GNUTLS_RND_KEY, server->secret, sizeof server->secret) == 0;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    size_t got = fread(server->secret, 1, sizeof server->secret, file);
    (void)fclose(file);
    return got == sizeof server->secret;
}

/* With a secret of this process alone no token of an earlier one verifies, and so none can have
 * been used before the start. */
static bool open_log(struct quic_server *server, const char *log, bool secret_is_kept)
{
    jtg_quic_reuse_options options = JTG_QUIC_REUSE_OPTIONS_INIT;
    options.start_rule = secret_is_kept;
    jtg_status status = strcmp(log, "memory") == 0 ? jtg_memory_new(&server->cache, NULL, NULL)
                                                   : jtg_redis_new_uri(&server->cache, log, NULL);
    if (status == JTG_OK)
        status = jtg_quic_reuse_new(&server->reuse, server->cache, &options, NULL);
    return status == JTG_OK || refuse(server, jtg_status_text(status));
}

bool quic_server_open(struct quic_server *server, const char *certificate, const char *key,
                      const char *log, const char *secret_file)
{
    if (!read_secret(server, secret_file))
        return refuse(server, "the secret cannot be read");
    if (gnutls_certificate_allocate_credentials(&server->credentials) != 0 ||
        gnutls_certificate_set_x509_key_file(server->credentials, certificate, key,
                                             GNUTLS_X509_FMT_PEM) < 0)
        return refuse(server, "the certificate or its key cannot be used");
    if (!open_log(server, log, secret_file != NULL))
        return false;
    jtg_ngtcp2_server_init(&server->tokens);
    server->tokens.reuse = server->reuse;
    server->tokens.verify = ngtcp2_crypto_verify_regular_token;
    server->tokens.secret = server->secret;
    server->tokens.secret_len = sizeof server->secret;
    server->tokens.life = token_life;
    return true;
}

void quic_server_close(struct quic_server *server)
{
    jtg_quic_reuse_free(server->reuse);
    jtg_cache_free(server->cache);
    if (server->credentials != NULL)
        gnutls_certificate_free_credentials(server->credentials);
    gnutls_memset(server->secret, 0, sizeof server->secret);
}

/* ---- answers without a connection ---- */

static void answer(const struct quic_server *server, const struct quic_address *to,
                   const uint8_t *packet, ngtcp2_ssize len)
{
    if (len > 0)
        (void)sendto(server->fd, packet, (size_t)len, 0, (const struct sockaddr *)&to->at, to->len);
}

void quic_server_negotiate(const struct quic_server *server, const struct quic_address *from,
                           const ngtcp2_version_cid *header)
{
    static const uint32_t versions[] = {NGTCP2_PROTO_VER_V1};
    uint8_t packet[ANSWER_MAX_BYTES];
    uint8_t noise = 0;
    (void)gnutls_rnd(GNUTLS_RND_NONCE, &noise, sizeof noise);
    answer(server, from, packet,
           ngtcp2_pkt_write_version_negotiation(packet, sizeof packet, noise, header->scid,
                                                header->scidlen, header->dcid, header->dcidlen,
                                                versions, sizeof versions / sizeof *versions));
}

/* Who answers with the token of this packet is where it says it is. */
static void send_retry(const struct quic_server *server, const struct quic_address *from,
                       const ngtcp2_pkt_hd *hd)
{
    uint8_t token[TOKEN_MAX_BYTES];
    uint8_t packet[ANSWER_MAX_BYTES];
    ngtcp2_cid scid;
    if (!quic_random_cid(&scid))
        return;
    ngtcp2_ssize len = ngtcp2_crypto_generate_retry_token(
        token, server->secret, sizeof server->secret, hd->version,
        (const ngtcp2_sockaddr *)&from->at, from->len, &scid, &hd->dcid, wall_now());
    if (len > 0)
        answer(server, from, packet,
               ngtcp2_crypto_write_retry(packet, sizeof packet, hd->version, &hd->scid, &scid,
                                         &hd->dcid, token, (size_t)len));
}

static void send_invalid_token(const struct quic_server *server, const struct quic_address *from,
                               const ngtcp2_pkt_hd *hd)
{
    uint8_t packet[ANSWER_MAX_BYTES];
    answer(server, from, packet,
           ngtcp2_crypto_write_connection_close(packet, sizeof packet, hd->version, &hd->scid,
                                                &hd->dcid, NGTCP2_INVALID_TOKEN, NULL, 0));
}

/* ---- a connection begins ---- */

/* The handshake is over: a token for the client's next connection. */
static int give_token(ngtcp2_conn *conn, void *user_data)
{
    struct quic_connection *connection = user_data;
    const struct quic_server *server = connection->owner;
    uint8_t token[NGTCP2_CRYPTO_MAX_REGULAR_TOKENLEN];
    ngtcp2_ssize len = ngtcp2_crypto_generate_regular_token(
        token, server->secret, sizeof server->secret,
        (const ngtcp2_sockaddr *)&connection->remote.at, connection->remote.len, wall_now());
    if (len < 0 || ngtcp2_conn_submit_new_token(conn, token, (size_t)len) != 0)
        return NGTCP2_ERR_CALLBACK_FAILURE;
    return 0;
}

/* What is settled before a connection is made. */
struct admission {
    ngtcp2_settings settings;
    ngtcp2_transport_params params;
};

static bool make(struct quic_server *server, struct quic_connection *place, const ngtcp2_pkt_hd *hd,
                 const struct admission *admission)
{
    ngtcp2_callbacks callbacks;
    ngtcp2_cid scid;
    ngtcp2_path path = quic_path(place);
    quic_callbacks(&callbacks);
    callbacks.handshake_completed = give_token;
    if (!quic_tls(place, GNUTLS_SERVER, server->credentials) || !quic_random_cid(&scid) ||
        ngtcp2_conn_server_new(&place->conn, &hd->scid, &scid, &path, hd->version, &callbacks,
                               &admission->settings, &admission->params, NULL, place) != 0) {
        quic_close(place, 0);
        return false;
    }
    quic_tls_attach(place);
    return true;
}

/* A token of a Retry says which ID the client's first packet had; the parameters must repeat it. */
static bool answers_retry(const struct quic_server *server, const struct quic_address *from,
                          const ngtcp2_pkt_hd *hd, struct admission *admission)
{
    ngtcp2_cid odcid;
    size_t len;
    const uint8_t *token = quic_token_of(hd, &len);
    if (ngtcp2_crypto_verify_retry_token(&odcid, token, len, server->secret, sizeof server->secret,
                                         hd->version, (const ngtcp2_sockaddr *)&from->at, from->len,
                                         &hd->dcid, retry_life, wall_now()) != 0)
        return false;
    quic_settings_retry_token(&admission->settings, hd);
    quic_params_original_dcid(&admission->params, &odcid);
    admission->params.retry_scid = hd->dcid;
    admission->params.retry_scid_present = 1;
    return true;
}

/* True: the client is where it says. Otherwise it has been answered. */
static bool admit(struct quic_server *server, const struct quic_address *from,
                  const ngtcp2_pkt_hd *hd, struct admission *admission)
{
    size_t len;
    const uint8_t *token = quic_token_of(hd, &len);
    if (len > 0 && token[0] == NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY) {
        bool good = answers_retry(server, from, hd, admission);
        (void)printf("retry, %s\n", good ? "accepted" : "closed");
        if (!good)
            send_invalid_token(server, from, hd);
        return good;
    }
    jtg_ngtcp2_verdict verdict;
    bool good = jtg_ngtcp2_token_check(&server->tokens, hd, (const ngtcp2_sockaddr *)&from->at,
                                       from->len, wall_now(), &admission->settings, &verdict, NULL);
    (void)printf("%s, %s\n", jtg_ngtcp2_verdict_name(verdict), good ? "accepted" : "retry");
    if (!good)
        send_retry(server, from, hd);
    quic_params_original_dcid(&admission->params, &hd->dcid);
    return good;
}

bool quic_server_begin(struct quic_server *server, struct quic_connection *place,
                       const struct quic_address *from, const uint8_t *packet, size_t len)
{
    struct admission admission;
    ngtcp2_pkt_hd hd;
    int acceptable = ngtcp2_accept(&hd, packet, len);
    if (acceptable == NGTCP2_ERR_RETRY)
        send_retry(server, from, &hd);
    if (acceptable != 0)
        return false;
    quic_defaults(&admission.settings, &admission.params);
    if (!admit(server, from, &hd, &admission))
        return false;
    place->fd = server->fd;
    place->local = server->local;
    place->remote = *from;
    place->owner = server;
    return make(server, place, &hd, &admission);
}
