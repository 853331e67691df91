/* SPDX-License-Identifier: Apache-2.0 */
/* A build without OpenSSL: the same functions, which say so. A program links either way. */
#include <jtiguard/dtls_sessions.h>
#include <jtiguard/status.h>

static jtg_status say_absent(jtg_error *err)
{
    return jtg_error_set(err, JTG_ERR_UNSUPPORTED, 0,
                         "dtls sessions: this build has none (libssl-dev was missing)");
}

void jtg_dtls_options_init(jtg_dtls_options *options)
{
    static const jtg_dtls_options defaults = JTG_DTLS_OPTIONS_INIT;
    if (options != NULL)
        *options = defaults;
}

jtg_status jtg_dtls_sessions_new(jtg_dtls_sessions **sessions, jtg_cache *cache,
                                 const jtg_dtls_options *options, jtg_error *err)
{
    (void)cache;
    (void)options;
    if (sessions != NULL)
        *sessions = NULL;
    return say_absent(err);
}

void jtg_dtls_sessions_free(jtg_dtls_sessions *sessions)
{
    (void)sessions;
}

void jtg_dtls_session_clear(jtg_dtls_session *session)
{
    (void)session;
}

jtg_status jtg_dtls_sessions_store(jtg_dtls_sessions *sessions, const jtg_endpoint *endpoint,
                                   const jtg_dtls_session *session, jtg_dtls_fate *fate,
                                   jtg_error *err)
{
    (void)sessions;
    (void)endpoint;
    (void)session;
    if (fate != NULL)
        *fate = JTG_DTLS_NOT_STORED;
    return say_absent(err);
}

jtg_status jtg_dtls_sessions_get(jtg_dtls_sessions *sessions, const jtg_endpoint *endpoint,
                                 jtg_dtls_session *session, jtg_error *err)
{
    (void)sessions;
    (void)endpoint;
    (void)session;
    return say_absent(err);
}

jtg_status jtg_dtls_sessions_take(jtg_dtls_sessions *sessions, const jtg_endpoint *endpoint,
                                  jtg_dtls_session *session, jtg_error *err)
{
    return jtg_dtls_sessions_get(sessions, endpoint, session, err);
}

jtg_status jtg_dtls_sessions_remove(jtg_dtls_sessions *sessions, const jtg_endpoint *endpoint,
                                    jtg_error *err)
{
    (void)sessions;
    (void)endpoint;
    return say_absent(err);
}

jtg_status jtg_dtls_sessions_prune(jtg_dtls_sessions *sessions, const jtg_endpoint *endpoint,
                                   uint32_t *live, jtg_error *err)
{
    if (live != NULL)
        *live = 0;
    return jtg_dtls_sessions_remove(sessions, endpoint, err);
}
