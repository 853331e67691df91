/* SPDX-License-Identifier: Apache-2.0 */
/* NSS hands out a resumption token: the session, its keys, and at the end the ticket. It also holds
 * times of the connection, so that one ticket that arrives twice makes two tokens. What tells a
 * ticket is its own end, where every server has a MAC or a random id: the token's last bytes. Were
 * a later NSS to put something else there, a session may be taken for a duplicate and lost, never
 * doubled. */
#include "adapters/error.h"
#include "adapters/nss/experimental.h"
#include "adapters/nss/nss_error.h"

#include <jtiguard/dtls_sessions_nss.h>
#include <jtiguard/extend.h>
#include <prtime.h>
#include <secerr.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TICKET_END_BYTES = 64, FATES = JTG_DTLS_DISCARDED + 1, LINE_BYTES = 256 };

struct jtg_dtls_sessions_nss {
    jtg_dtls_sessions *sessions; /* borrowed */
    jtg_endpoint endpoint;       /* points into memory */
    jtg_logger logger;
    atomic_uint_fast64_t fates[FATES];
    unsigned char memory[]; /* host, alpn, parameters */
};

/* ---- life ---- */

static size_t host_size(const jtg_endpoint *endpoint)
{
    return strnlen(endpoint->host, JTG_ENDPOINT_HOST_MAX_BYTES + 1) + 1;
}

/* Whether it is an endpoint at all is for the store to say; here it must only be safe to copy. */
static jtg_status check(const jtg_dtls_sessions *sessions, const jtg_endpoint *endpoint,
                        const jtg_logger *logger, jtg_error *err)
{
    if (sessions == NULL || endpoint == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "sessions or endpoint is NULL");
    jtg_status status =
        jtg_struct_check(endpoint, sizeof *endpoint, sizeof *endpoint, "endpoint", err);
    if (status == JTG_OK && logger != NULL)
        status = jtg_struct_check(logger, sizeof *logger, sizeof *logger, "logger", err);
    if (status != JTG_OK)
        return status;
    if (endpoint->host == NULL || host_size(endpoint) > JTG_ENDPOINT_HOST_MAX_BYTES + 1 ||
        endpoint->alpn_len > JTG_ENDPOINT_ALPN_MAX_BYTES ||
        endpoint->parameters_len > JTG_ENDPOINT_PARAMETERS_MAX_BYTES ||
        (endpoint->alpn == NULL && endpoint->alpn_len != 0) ||
        (endpoint->parameters == NULL && endpoint->parameters_len != 0))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "endpoint: it is none, or too long");
    if (logger != NULL && logger->write == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "logger: write is mandatory");
    return JTG_OK;
}

static const void *copy(unsigned char **place, const void *data, size_t len)
{
    unsigned char *copied = *place;
    if (len == 0)
        return NULL;
    memcpy(copied, data, len);
    *place += len;
    return copied;
}

static void copy_endpoint(jtg_dtls_sessions_nss *kept, const jtg_endpoint *endpoint)
{
    unsigned char *place = kept->memory;
    kept->endpoint = *endpoint;
    kept->endpoint.struct_size =
        sizeof kept->endpoint; /* what is behind it stays with the caller */
    kept->endpoint.host = copy(&place, endpoint->host, host_size(endpoint));
    kept->endpoint.alpn = copy(&place, endpoint->alpn, endpoint->alpn_len);
    kept->endpoint.parameters = copy(&place, endpoint->parameters, endpoint->parameters_len);
}

jtg_status jtg_dtls_sessions_nss_new(jtg_dtls_sessions_nss **kept, jtg_dtls_sessions *sessions,
                                     const jtg_endpoint *endpoint, const jtg_logger *logger,
                                     jtg_error *err)
{
    jtgi_adapter_error_begin(err);
    if (kept == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for the object");
    *kept = NULL;
    jtg_status status = check(sessions, endpoint, logger, err);
    if (status != JTG_OK)
        return status;
    jtg_dtls_sessions_nss *made = calloc(1, sizeof *made + host_size(endpoint) +
                                                endpoint->alpn_len + endpoint->parameters_len);
    if (made == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the object");
    made->sessions = sessions;
    copy_endpoint(made, endpoint);
    if (logger != NULL)
        made->logger = *logger; /* of which only what is known here is used */
    *kept = made;
    return JTG_OK;
}

void jtg_dtls_sessions_nss_free(jtg_dtls_sessions_nss *kept)
{
    free(kept);
}

/* ---- storing ---- */

static void count(jtg_dtls_sessions_nss *kept, jtg_dtls_fate fate)
{
    (void)atomic_fetch_add(&kept->fates[fate], 1);
}

static void warn(const jtg_dtls_sessions_nss *kept, const jtg_error *err)
{
    char line[LINE_BYTES];
    if (kept->logger.write == NULL || kept->logger.max_level < JTG_LOG_WARNING)
        return;
    (void)snprintf(line, sizeof line, "a session could not be stored: %s: %s",
                   jtg_status_name(err->status), err->text);
    kept->logger.write(kept->logger.context, JTG_LOG_WARNING, line);
}

static uint32_t seconds_left(PRTime end_us)
{
    PRTime left_us = end_us - PR_Now();
    if (left_us <= 0)
        return 0;
    PRTime left_s = left_us / PR_USEC_PER_SEC;
    return left_s > JTG_DTLS_LIFETIME_S_MAX ? JTG_DTLS_LIFETIME_S_MAX : (uint32_t)left_s;
}

static jtg_status store(jtg_dtls_sessions_nss *kept, const PRUint8 *token, unsigned len,
                        const SSLResumptionTokenInfo *info, jtg_dtls_fate *fate, jtg_error *err)
{
    jtg_endpoint agreed = kept->endpoint;
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    agreed.alpn = info->alpnSelectionLen != 0 ? info->alpnSelection : NULL;
    agreed.alpn_len = info->alpnSelectionLen;
    session.ticket_len = len < TICKET_END_BYTES ? len : TICKET_END_BYTES;
    session.ticket = token + len - session.ticket_len;
    session.secret = token;
    session.secret_len = len;
    session.lifetime_s = seconds_left(info->expirationTime);
    session.max_early_data = info->maxEarlyDataSize;
    return jtg_dtls_sessions_store(kept->sessions, &agreed, &session, fate, err);
}

static jtg_status store_token(jtg_dtls_sessions_nss *kept, const PRUint8 *token, unsigned len,
                              jtg_dtls_fate *fate, jtg_error *err)
{
    SSLResumptionTokenInfo info;
    memset(&info, 0, sizeof info);
    if (SSL_GetResumptionTokenInfo(token, len, &info, sizeof info) != SECSuccess)
        return jtgi_nss_error_set(err, "cannot read a resumption token");
    jtg_status status = store(kept, token, len, &info, fate, err);
    (void)SSL_DestroyResumptionTokenInfo(&info);
    return status;
}

/* NSS goes on whatever it is told. It may hold the socket's locks: nothing of fd is used here. */
static SECStatus take_token(PRFileDesc *fd, const PRUint8 *token, unsigned len, void *context)
{
    jtg_dtls_sessions_nss *kept = context;
    jtg_dtls_fate fate = JTG_DTLS_NOT_STORED;
    jtg_error err = JTG_ERROR_INIT;
    (void)fd;
    if (store_token(kept, token, len, &fate, &err) != JTG_OK) {
        fate = JTG_DTLS_NOT_STORED;
        warn(kept, &err);
    }
    count(kept, fate);
    return fate == JTG_DTLS_STORED ? SECSuccess : SECFailure;
}

/* ---- resuming ---- */

jtg_status jtg_dtls_sessions_nss_attach(jtg_dtls_sessions_nss *kept, PRFileDesc *fd, bool *resuming,
                                        jtg_error *err)
{
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    jtgi_adapter_error_begin(err);
    if (resuming != NULL)
        *resuming = false;
    if (kept == NULL || fd == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "kept or fd is NULL");
    if (!jtgi_nss_is_socket(fd) ||
        SSL_SetResumptionTokenCallback(fd, take_token, kept) != SECSuccess)
        return jtgi_nss_error_set(err, "cannot be told of sessions");
    jtg_status status = jtg_dtls_sessions_take(kept->sessions, &kept->endpoint, &session, err);
    if (status != JTG_OK) {
        if (status == JTG_NOT_FOUND)
            jtgi_adapter_error_begin(err);
        return status == JTG_NOT_FOUND ? JTG_OK : status;
    }
    SECStatus wanted = SSL_SetResumptionToken(fd, session.secret, (unsigned)session.secret_len);
    if (resuming != NULL)
        *resuming = wanted == SECSuccess;
    jtg_dtls_session_clear(&session);
    return JTG_OK;
}

uint64_t jtg_dtls_sessions_nss_counter(const jtg_dtls_sessions_nss *kept, jtg_dtls_fate fate)
{
    if (kept == NULL || (unsigned)fate >= FATES)
        return 0;
    return atomic_load(&kept->fates[fate]);
}
