/* SPDX-License-Identifier: Apache-2.0 */
#include <jtiguard/tls_tickets_openssl.h>

#include "adapters/error.h"
#include "adapters/openssl/client/client_attempt.h"

#include <jtiguard/extend.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* SSL_get_error() takes whatever lies in the thread's error queue for a failure of the connection,
 * so nothing of ours stays there: each entry sets a mark, and goes back to it. */

/* Tickets that are tried for one connection: they do not pass where the authorities have changed,
 * and each costs the writing of a file. */
enum { TRIES = 4, TICKETS_MOST = 16, MS_PER_S = 1000, LOG_LINE_BYTES = JTG_ERROR_TEXT_BYTES + 64 };

/* Used in place, so all that is known here must be there. */
static bool is_known(const void *given, size_t known)
{
    return jtg_struct_check(given, known, known, "struct", NULL) == JTG_OK;
}

static jtg_endpoint endpoint_of(const struct jtgo_attempt *attempt)
{
    jtg_endpoint endpoint = JTG_ENDPOINT_INIT;
    endpoint.host = attempt->host;
    endpoint.port = attempt->port;
    endpoint.alpn = attempt->alpn;
    endpoint.alpn_len = attempt->alpn_len;
    endpoint.parameters = attempt->trust;
    endpoint.parameters_len = sizeof attempt->trust;
    return endpoint;
}

/* ---- how long ago the server showed its key ---- */

static int64_t now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void set_age(struct jtgo_attempt *attempt, uint64_t age_s)
{
    attempt->age_s = age_s < UINT32_MAX ? (uint32_t)age_s : UINT32_MAX;
    attempt->shown_at_s = now_s();
}

static uint32_t age_of(const struct jtgo_attempt *attempt)
{
    uint64_t age_s = attempt->age_s + (uint64_t)(now_s() - attempt->shown_at_s);
    return age_s < UINT32_MAX ? (uint32_t)age_s : UINT32_MAX;
}

/* ---- after a handshake ---- */

static jtg_status check_verification(SSL *ssl, const struct jtgo_attempt *attempt, jtg_error *err)
{
    unsigned char now[JTGO_TRUST_DIGEST_BYTES];
    if (!jtgo_verification_digest(ssl, now))
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory to compare the verification");
    if (CRYPTO_memcmp(now, attempt->verification, sizeof now) != 0)
        return jtg_error_set(err, JTG_MISMATCH, 0,
                             "the verification was changed after the connection was prepared");
    return JTG_OK;
}

static jtg_status check_resumed(SSL *ssl, const struct jtgo_attempt *attempt, jtg_error *err)
{
    unsigned char pin[JTGO_SPKI_DIGEST_BYTES] = {0};
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    if (certificate != NULL && !jtgo_spki_digest(certificate, pin))
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory to compare the server's key");
    if (certificate == NULL || CRYPTO_memcmp(pin, attempt->pin, sizeof pin) != 0)
        return jtg_error_set(err, JTG_MISMATCH, 0,
                             "the connection resumed a session that is not the prepared one");
    return JTG_OK;
}

/* The chain without the server's own certificate, in place of what a ticket had brought. */
static bool take_chain(SSL *ssl, struct jtgo_attempt *attempt)
{
    STACK_OF(X509) *shown = SSL_get_peer_cert_chain(ssl);
    STACK_OF(X509) *chain = shown != NULL ? X509_chain_up_ref(shown) : sk_X509_new_null();
    if (chain == NULL)
        return false;
    X509_free(sk_X509_shift(chain));
    sk_X509_pop_free(attempt->chain, X509_free);
    attempt->chain = chain;
    return true;
}

/* Also of a connection that was cleared and not prepared anew: the last one's pin is not its own.
 */
static jtg_status see_certificate(SSL *ssl, struct jtgo_attempt *attempt, jtg_error *err)
{
    unsigned char pin[JTGO_SPKI_DIGEST_BYTES];
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    if (certificate == NULL)
        return JTG_OK;
    if (!jtgo_spki_digest(certificate, pin))
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory to compare the server's key");
    if (attempt->is_pin_seen && CRYPTO_memcmp(pin, attempt->pin, sizeof pin) == 0)
        return JTG_OK;
    attempt->is_pin_seen = false;
    if (!take_chain(ssl, attempt))
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory to keep the certificates");
    memcpy(attempt->pin, pin, sizeof pin);
    set_age(attempt, 0);
    jtg_endpoint endpoint = endpoint_of(attempt);
    jtg_status status = jtg_tls_tickets_pin_seen(attempt->client->tickets, &endpoint, pin, err);
    attempt->is_pin_seen = status == JTG_OK;
    return status;
}

static jtg_status look(SSL *ssl, struct jtgo_attempt *attempt, jtg_error *err)
{
    jtg_status status = check_verification(ssl, attempt, err);
    if (status != JTG_OK)
        return status;
    return SSL_session_reused(ssl) ? check_resumed(ssl, attempt, err)
                                   : see_certificate(ssl, attempt, err);
}

/* ---- a ticket came ---- */

/* In TLS 1.2 a lifetime of 0 says nothing, and a session id has none. */
static uint32_t lifetime_of(const SSL_SESSION *session)
{
    unsigned long hint = SSL_SESSION_get_ticket_lifetime_hint(session);
    long timeout = SSL_SESSION_get_timeout(session);
    if (SSL_SESSION_get_protocol_version(session) != TLS1_3_VERSION && hint == 0)
        hint = timeout > 0 ? (unsigned long)timeout : 0;
    return hint < UINT32_MAX ? (uint32_t)hint : UINT32_MAX;
}

static void name_ticket(const SSL_SESSION *session, jtg_tls_ticket *ticket)
{
    const unsigned char *bytes = NULL;
    SSL_SESSION_get0_ticket(session, &bytes, &ticket->identity_len);
    ticket->identity = bytes;
    if (ticket->identity_len != 0)
        return;
    unsigned int id_len = 0;
    ticket->identity = SSL_SESSION_get_id(session, &id_len);
    ticket->identity_len = id_len;
}

static void report(const struct jtgo_client *client, const jtg_error *err)
{
    char line[LOG_LINE_BYTES];
    if (client->logger.write == NULL || client->logger.max_level < JTG_LOG_WARNING)
        return;
    (void)snprintf(line, sizeof line, "a TLS ticket could not be kept: %s", err->text);
    client->logger.write(client->logger.context, JTG_LOG_WARNING, line);
}

/* Also where it is only remembered, for a later call to write. */
static bool is_in_cache(jtg_status status, jtg_tls_fate fate)
{
    switch (status) {
    case JTG_OK:
        return fate == JTG_TLS_STORED || fate == JTG_TLS_DUPLICATE;
    case JTG_ERR_UNAVAILABLE:
    case JTG_ERR_SYSTEM:
    case JTG_ERR_UNSAFE:
    case JTG_ERR_UNSUPPORTED:
        return true;
    default:
        return false;
    }
}

static bool put(const struct jtgo_attempt *attempt, SSL_SESSION *session, jtg_error *err)
{
    const struct jtgo_session_record record = {session, attempt->chain, age_of(attempt)};
    const jtg_endpoint endpoint = endpoint_of(attempt);
    jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
    jtg_tls_fate fate = JTG_TLS_NOT_STORED;
    unsigned char *bytes = jtgo_session_record_write(&record, &ticket.ticket_len);
    if (bytes == NULL) {
        (void)jtg_error_set(err, JTG_ERR_MEMORY, 0, "the session cannot be written");
        return false;
    }
    ticket.ticket = bytes;
    ticket.lifetime_s = lifetime_of(session);
    name_ticket(session, &ticket);
    memcpy(ticket.pin, attempt->pin, sizeof ticket.pin);
    jtg_status status =
        jtg_tls_tickets_put(attempt->client->tickets, &endpoint, &ticket, &fate, err);
    OPENSSL_clear_free(bytes, ticket.ticket_len);
    return is_in_cache(status, fate);
}

/* True if the cache has the ticket. */
static bool keep(SSL *ssl, struct jtgo_attempt *attempt, SSL_SESSION *session)
{
    jtg_error err = JTG_ERROR_INIT;
    bool kept = false;
    jtg_status status = look(ssl, attempt, &err);
    bool judged = status != JTG_MISMATCH && status != JTG_ERR_MEMORY;
    if (judged && SSL_SESSION_get0_peer(session) != NULL)
        kept = put(attempt, session, &err);
    if (err.status != JTG_OK)
        report(attempt->client, &err);
    return kept;
}

/* A server can send tickets without end, within one call of SSL_read(). */
static bool is_too_many(struct jtgo_attempt *attempt)
{
    if (attempt->tickets == TICKETS_MOST)
        return true;
    attempt->tickets++;
    return false;
}

static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
    SSL_CTX *context = SSL_get_SSL_CTX(ssl);
    const struct jtgo_client *client = jtgo_client_of(context);
    struct jtgo_attempt *attempt = jtgo_attempt_of(ssl);
    (void)ERR_set_mark();
    if (attempt != NULL && !is_too_many(attempt) && keep(ssl, attempt, session))
        (void)SSL_CTX_remove_session(context, session);
    (void)ERR_pop_to_mark();
    return client != NULL && client->program != NULL ? client->program(ssl, session) : 0;
}

/* OpenSSL does not call back for a ticket that replaces the one that TLS 1.2 has resumed with. */
static void keep_renewed(SSL *ssl, struct jtgo_attempt *attempt)
{
    const unsigned char *offered = NULL;
    const unsigned char *now = NULL;
    size_t offered_len = 0;
    size_t now_len = 0;
    SSL_SESSION *session = SSL_get0_session(ssl);
    if (SSL_version(ssl) == TLS1_3_VERSION || attempt->offered == NULL || session == NULL)
        return;
    SSL_SESSION_get0_ticket(attempt->offered, &offered, &offered_len);
    SSL_SESSION_get0_ticket(session, &now, &now_len);
    if (now_len == 0 || (now_len == offered_len && memcmp(now, offered, now_len) == 0))
        return;
    if (keep(ssl, attempt, session))
        (void)SSL_CTX_remove_session(SSL_get_SSL_CTX(ssl), session);
}

jtg_status jtg_tls_tickets_openssl_connected(SSL *ssl, jtg_tls_resumption *resumption,
                                             jtg_error *err)
{
    jtgi_adapter_error_begin(err);
    if (resumption != NULL)
        *resumption = JTG_TLS_FULL;
    struct jtgo_attempt *attempt = ssl != NULL ? jtgo_attempt_of(ssl) : NULL;
    if (attempt == NULL || SSL_is_init_finished(ssl) != 1)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "the connection is not prepared, or its handshake not done");
    bool is_resumed = SSL_session_reused(ssl) == 1;
    if (resumption != NULL && (is_resumed || attempt->offered != NULL))
        *resumption = is_resumed ? JTG_TLS_RESUMED : JTG_TLS_REFUSED;
    (void)ERR_set_mark();
    jtg_status status = look(ssl, attempt, err);
    if (status == JTG_OK && is_resumed)
        keep_renewed(ssl, attempt);
    /* It was used: who keeps the session, or clears the connection, would offer it again. */
    if (attempt->offered != NULL)
        (void)SSL_CTX_remove_session(SSL_get_SSL_CTX(ssl), attempt->offered);
    (void)ERR_pop_to_mark();
    return status;
}

/* ---- before a handshake ---- */

/* Each resumption brings a new ticket, so that there is no end to them by themselves: a server that
 * has got a new key, because its old one was stolen, would never be asked for it. */
static bool offer(SSL *ssl, struct jtgo_attempt *attempt, const jtg_tls_ticket *ticket)
{
    struct jtgo_session_record record;
    unsigned char pin[JTGO_SPKI_DIGEST_BYTES];
    if (!jtgo_session_record_read(&record, ticket->ticket, ticket->ticket_len))
        return false;
    X509 *certificate = SSL_SESSION_get0_peer(record.session);
    uint64_t age_s = record.age_s + (ticket->age_ms + MS_PER_S - 1) / MS_PER_S;
    bool good = age_s <= JTG_TLS_LIFETIME_S_LIMIT && jtgo_spki_digest(certificate, pin) &&
                CRYPTO_memcmp(pin, ticket->pin, sizeof pin) == 0 &&
                SSL_set_session(ssl, record.session) == 1 &&
                jtgo_trust_again(ssl, certificate, record.chain, SSL_get_verify_result(ssl));
    if (good) {
        memcpy(attempt->pin, pin, sizeof pin);
        attempt->offered = record.session;
        attempt->chain = record.chain;
        set_age(attempt, age_s);
        return true;
    }
    (void)SSL_set_session(ssl, NULL);
    SSL_set_verify_result(ssl, X509_V_OK);
    jtgo_session_record_clear(&record);
    return false;
}

static jtg_status take(SSL *ssl, struct jtgo_attempt *attempt, jtg_error *err)
{
    const jtg_endpoint endpoint = endpoint_of(attempt);
    for (int i = 0; i < TRIES; i++) {
        jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
        jtg_status status =
            jtg_tls_tickets_take(attempt->client->tickets, &endpoint, NULL, &ticket, err);
        if (status != JTG_OK)
            return status;
        bool good = offer(ssl, attempt, &ticket);
        jtg_tls_ticket_clear(&ticket);
        if (good)
            return JTG_OK;
    }
    return jtg_error_set(err, JTG_NOT_FOUND, 0, "no ticket passed the verification");
}

static bool is_endpoint(const jtg_endpoint *endpoint)
{
    return endpoint != NULL && is_known(endpoint, sizeof *endpoint) && endpoint->host != NULL &&
           endpoint->reserved == 0 &&
           strnlen(endpoint->host, JTG_ENDPOINT_HOST_MAX_BYTES + 1) <=
               JTG_ENDPOINT_HOST_MAX_BYTES &&
           endpoint->alpn_len <= JTG_ENDPOINT_ALPN_MAX_BYTES &&
           (endpoint->alpn != NULL || endpoint->alpn_len == 0) &&
           endpoint->parameters_len <= JTG_ENDPOINT_PARAMETERS_MAX_BYTES &&
           (endpoint->parameters != NULL || endpoint->parameters_len == 0);
}

static bool fill(SSL *ssl, struct jtgo_attempt *attempt, const struct jtgo_client *client,
                 const jtg_endpoint *endpoint)
{
    attempt->client = client;
    attempt->port = endpoint->port;
    attempt->alpn_len = endpoint->alpn_len;
    memcpy(attempt->host, endpoint->host, strlen(endpoint->host));
    if (endpoint->alpn_len != 0)
        memcpy(attempt->alpn, endpoint->alpn, endpoint->alpn_len);
    return jtgo_verification_digest(ssl, attempt->verification) &&
           jtgo_trust_digest(ssl, attempt->verification,
                             SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name),
                             endpoint->parameters, endpoint->parameters_len, attempt->trust);
}

static jtg_status prepare(SSL *ssl, const jtg_endpoint *endpoint, jtg_error *err)
{
    jtgo_attempt_end(ssl);
    if (SSL_in_before(ssl) != 1 || !is_endpoint(endpoint))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "the handshake has begun, or the endpoint is none");
    /* Before anything is read: a session would lend its name to the connection. */
    (void)SSL_set_session(ssl, NULL);
    SSL_set_verify_result(ssl, X509_V_OK);
    const struct jtgo_client *client = jtgo_client_of(SSL_get_SSL_CTX(ssl));
    if (client == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "the context has no cache of tickets");
    struct jtgo_attempt *attempt = jtgo_attempt_begin(ssl);
    jtg_status status = JTG_ERR_MEMORY;
    if (attempt == NULL || !fill(ssl, attempt, client, endpoint))
        (void)jtg_error_set(err, status, 0, "no memory to prepare the connection");
    else
        status = take(ssl, attempt, err);
    if (status == JTG_ERR_ARGUMENT || status == JTG_ERR_MEMORY)
        jtgo_attempt_end(ssl);
    return status;
}

jtg_status jtg_tls_tickets_openssl_prepare(SSL *ssl, const jtg_endpoint *endpoint, jtg_error *err)
{
    jtgi_adapter_error_begin(err);
    if (ssl == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "ssl is NULL");
    (void)ERR_set_mark();
    jtg_status status = prepare(ssl, endpoint, err);
    (void)ERR_pop_to_mark();
    return status;
}

/* ---- a context ---- */

static bool is_logger(const jtg_logger *logger)
{
    return logger == NULL || (is_known(logger, sizeof *logger) && logger->write != NULL);
}

jtg_status jtg_tls_tickets_openssl_install(SSL_CTX *context, jtg_tls_tickets *tickets,
                                           const jtg_logger *logger, jtg_error *err)
{
    jtgi_adapter_error_begin(err);
    if (context == NULL || tickets == NULL || !is_logger(logger))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "context or tickets is NULL, or no logger");
    if (jtgo_client_of(context) != NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "the context has a cache of tickets");
    struct jtgo_client *client = OPENSSL_zalloc(sizeof *client);
    if (client == NULL || !jtgo_client_attach(context, client)) {
        OPENSSL_free(client);
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory to attach the tickets");
    }
    client->tickets = tickets;
    client->program = SSL_CTX_sess_get_new_cb(context);
    if (logger != NULL)
        client->logger = *logger;
    (void)SSL_CTX_set_session_cache_mode(context,
                                         SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_new_session);
    return JTG_OK;
}
