/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL asks after it has verified the binder, chosen the first ticket, and judged its freshness;
 * what is answered here is the last word. */
#include "adapters/error.h"
#include "adapters/openssl/server/early_data.h"
#include "adapters/openssl/server/stored_session.h"
#include "adapters/openssl/server/ticket_id.h"

#include <jtiguard/extend.h>
#include <string.h>

#define OPTIONS_OLDEST_SIZE sizeof(jtg_anti_replay_openssl_options)

enum { LONGEST_LIFE_S = 604800 /* RFC 8446 section 4.6.1 */ };

/* ---- a flight ---- */

static int64_t issued_ms(const SSL_SESSION *session)
{
#if OPENSSL_VERSION_NUMBER >= 0x30300000L
    return (int64_t)SSL_SESSION_get_time_ex(session) * 1000;
#else
    return (int64_t)SSL_SESSION_get_time(session) * 1000;
#endif
}

/* A flight without an id is asked for too: it is refused, and counted. */
static void describe(const struct jtgo_early_data *guard, const SSL_SESSION *session,
                     jtg_flight *flight)
{
    struct jtgo_id id = guard->options.sessions != NULL ? jtgo_stored_session_id_of(session)
                                                        : jtgo_ticket_id_of(session);
    long life_s = SSL_SESSION_get_timeout(session);
    jtg_flight_init(flight);
    flight->ticket = id.bytes;
    flight->ticket_len = id.len;
    flight->issued_ms = issued_ms(session);
    if (life_s > 0)
        flight->lifetime_ms =
            (uint64_t)(life_s < LONGEST_LIFE_S ? life_s : LONGEST_LIFE_S) * UINT64_C(1000);
}

/* 1: accept the early data. The guard is that of the context which the connection began with. */
static int allow(SSL *ssl, void *context)
{
    const struct jtgo_early_data *guard = context;
    const jtg_anti_replay_openssl_options *options = &guard->options;
    const SSL_SESSION *session = SSL_get0_session(ssl);
    jtg_flight flight;
    jtg_flight_decision decision = JTG_FLIGHT_DECISION_INIT;
    jtg_error err = JTG_ERROR_INIT;
    if (session == NULL || (options->allow != NULL && options->allow(ssl, options->allow_arg) != 1))
        return 0;
    describe(guard, session, &flight);
    bool accepted = jtg_anti_replay_accept(guard->anti_replay, &flight, &decision, &err);
    if (options->told != NULL)
        options->told(ssl, &decision, &err, options->told_context);
    return accepted ? 1 : 0;
}

/* ---- installing ---- */

void jtg_anti_replay_openssl_options_init(jtg_anti_replay_openssl_options *options)
{
    static const jtg_anti_replay_openssl_options defaults = JTG_ANTI_REPLAY_OPENSSL_OPTIONS_INIT;
    if (options != NULL)
        *options = defaults;
}

static jtg_status read_options(jtg_anti_replay_openssl_options *options,
                               const jtg_anti_replay_openssl_options *given, jtg_error *err)
{
    jtg_anti_replay_openssl_options_init(options);
    jtg_status status =
        jtg_struct_read(options, sizeof *options, OPTIONS_OLDEST_SIZE, given, "options", err);
    if (status != JTG_OK)
        return status;
    if (options->session_keys != NULL && options->sessions == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "session_keys without sessions");
    if (options->sessions != NULL && (options->generate != NULL || options->decrypt != NULL))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "ticket callbacks with sessions");
    return JTG_OK;
}

static jtg_status check(SSL_CTX *context, const jtg_anti_replay *anti_replay,
                        const jtg_anti_replay_openssl_options *options,
                        const struct jtgo_early_data *present, jtg_error *err)
{
    bool stores = options->sessions != NULL;
    if (jtg_anti_replay_mode_get(anti_replay) != JTG_ANTI_REPLAY_SINGLE_USE)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "OpenSSL shows no ticket's age: the mode must be single_use");
    if (present != NULL && stores != (present->options.sessions != NULL))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "the context keeps its sessions elsewhere");
    if (present == NULL && stores && jtgo_stored_session_is_taken(context))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "the context has session callbacks");
    if (!stores && (SSL_CTX_get_options(context) & SSL_OP_NO_TICKET) != 0)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "the context gives no tickets: name a cache for the sessions");
    return JTG_OK;
}

static void shorten_timeout(SSL_CTX *context, const jtg_ticket_keys *session_keys)
{
    long most_s = LONGEST_LIFE_S;
    if (session_keys != NULL && jtg_ticket_keys_lifetime_s(session_keys) < LONGEST_LIFE_S)
        most_s = (long)jtg_ticket_keys_lifetime_s(session_keys);
    if (SSL_CTX_get_timeout(context) > most_s)
        (void)SSL_CTX_set_timeout(context, most_s);
}

static bool install(SSL_CTX *context, struct jtgo_early_data *guard)
{
    bool good = guard->options.sessions != NULL ? jtgo_stored_session_install(context)
                                                : jtgo_ticket_id_install(context, guard);
    if (!good)
        return false;
    SSL_CTX_set_allow_early_data_cb(context, allow, guard);
    (void)SSL_CTX_set_options(context, SSL_OP_NO_ANTI_REPLAY);
    return true;
}

static jtg_status put_guard(SSL_CTX *context, struct jtgo_early_data *present,
                            const struct jtgo_early_data *wanted, jtg_error *err)
{
    struct jtgo_early_data *guard = present != NULL ? present : jtgo_early_data_attach(context);
    if (guard == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory to guard the context");
    *guard = *wanted;
    if (present != NULL || install(context, guard)) {
        shorten_timeout(context, guard->options.session_keys);
        return JTG_OK;
    }
    jtgo_early_data_detach(context);
    return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory to guard the context");
}

jtg_status jtg_anti_replay_openssl_install(SSL_CTX *context, jtg_anti_replay *anti_replay,
                                           const jtg_anti_replay_openssl_options *options,
                                           jtg_error *err)
{
    struct jtgo_early_data wanted = {.anti_replay = anti_replay};
    jtgi_adapter_error_begin(err);
    if (context == NULL || anti_replay == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "context or anti_replay is NULL");
    jtg_status status = read_options(&wanted.options, options, err);
    if (status != JTG_OK)
        return status;
    if (!jtgo_early_data_begin())
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory to guard the context");
    struct jtgo_early_data *present = jtgo_early_data_of_context(context);
    status = check(context, anti_replay, &wanted.options, present, err);
    return status != JTG_OK ? status : put_guard(context, present, &wanted, err);
}
