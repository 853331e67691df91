/* SPDX-License-Identifier: Apache-2.0 */
/** @file anti_replay_openssl.h
 * Early data of TLS 1.3 accepted at most once, by all servers of OpenSSL that share a store.
 *
 * OpenSSL's own protection knows one process. This switches it off and asks a jtg_anti_replay in
 * its place, after the binder was verified and before early data is accepted. Every doubt refuses
 * the early data and nothing else: the handshake goes on, and costs a round trip more.
 *
 * Two wirings, chosen by the option `sessions`:
 *
 *  - **Tickets** (sessions = NULL). The session travels in the ticket, under keys that all servers
 *    share (ticket_keys_openssl.h). Each ticket carries a random id in its application data; the
 *    id is recorded when its early data is accepted. The store is asked for early data only.
 *  - **Sessions in the store** (sessions = a cache). The ticket is a name; the session is taken out
 *    of the store when it is used, so that a copy finds nothing, and no key that is found out later
 *    opens what was sent before. Costs a write for each ticket and a read for each resumption. A
 *    take can be undone by a failover or a restored backup, so the flight is recorded all the same.
 *    In TLS 1.2 a session is read, not taken. After a HelloRetryRequest there is no resumption,
 *    for the first ClientHello has taken the session.
 *
 * Freshness (RFC 8446 section 8.3) is judged by OpenSSL itself: it accepts early data only where
 * the age that the client states is at most 1 s above and 9 s below the age of the ticket by the
 * server's clock. It shows the age to nobody, so only single use, which needs none, can be had
 * here. Let the servers' clocks agree to a second or so: where they do not, early data is refused.
 *
 * The program says how much early data it takes (SSL_CTX_set_max_early_data()) and reads it
 * (SSL_read_early_data()): without the two there is none. An external PSK (SSL_CTX_set_psk_…) has
 * no id, so its early data is refused.
 *
 * Source: RFC 8446 and RFC 9846 section 8
 */
#ifndef JTIGUARD_ANTI_REPLAY_OPENSSL_H
#define JTIGUARD_ANTI_REPLAY_OPENSSL_H

#include <jtiguard/anti_replay.h>
#include <jtiguard/ticket_keys.h>
#include <openssl/ssl.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Told of each decision, in the handshake: decision says whether and why, err more of a failure.
 * All are borrowed for the call. It must not block. */
typedef void (*jtg_anti_replay_openssl_told)(SSL *ssl, const jtg_flight_decision *decision,
                                             const jtg_error *err, void *context);

/** Options. Start from JTG_ANTI_REPLAY_OPENSSL_OPTIONS_INIT or
 * jtg_anti_replay_openssl_options_init(). NULL and 0 are the defaults of all.
 *
 * The callbacks of OpenSSL that this takes are the program's again through these options. */
typedef struct jtg_anti_replay_openssl_options {
    size_t struct_size; /**< sizeof(jtg_anti_replay_openssl_options). */

    /** Where sessions lie, on a cache that keeps values, e.g. the one of the anti-replay. NULL =
     * in tickets. Borrowed. */
    jtg_cache *sessions;

    /** Seal the sessions in the store under these keys, so that nobody who reads the store, its
     * dump or its wire can read a connection. NULL = they lie there in clear: only where the store
     * is the memory of this process. Needs `sessions`. Borrowed. */
    jtg_ticket_keys *session_keys;

    /** Without `sessions`: the program's own callbacks of SSL_CTX_set_session_ticket_cb(), called
     * with ticket_arg. They see and set the program's own application data of a ticket, without
     * the id. On the connection that issues a ticket, the session's application data is 32 bytes
     * longer once the ticket is made. */
    SSL_CTX_generate_session_ticket_fn generate;
    SSL_CTX_decrypt_session_ticket_fn decrypt;
    void *ticket_arg;

    /** The program's own callback of SSL_CTX_set_allow_early_data_cb(), called with allow_arg. It
     * is asked first; what it refuses is not recorded. */
    SSL_allow_early_data_cb_fn allow;
    void *allow_arg;

    jtg_anti_replay_openssl_told told;
    void *told_context;
} jtg_anti_replay_openssl_options;

#define JTG_ANTI_REPLAY_OPENSSL_OPTIONS_INIT                                                       \
    {                                                                                              \
        sizeof(jtg_anti_replay_openssl_options), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,   \
            NULL                                                                                   \
    }

/** Set every option to its default; the same as JTG_ANTI_REPLAY_OPENSSL_OPTIONS_INIT. */
JTG_API void jtg_anti_replay_openssl_options_init(jtg_anti_replay_openssl_options *options);

/** Let a server's context accept early data only where anti_replay has not seen it.
 *
 * Takes the callback of SSL_CTX_set_allow_early_data_cb(), and those of
 * SSL_CTX_set_session_ticket_cb(), or with `sessions` those of SSL_CTX_sess_set_new_cb(), _get_cb()
 * and _remove_cb(), which must be free. Sets SSL_OP_NO_ANTI_REPLAY, and with `sessions` also
 * SSL_OP_NO_TICKET, SSL_SESS_CACHE_SERVER and SSL_SESS_CACHE_NO_INTERNAL. Leave all of them as
 * they are. The timeout (SSL_CTX_set_timeout()) is shortened to the lifetime of session_keys, and
 * to 7 days, where it is longer; a ticket's is what it had when it was issued.
 *
 * Call it before the first connection. A second call changes anti_replay and options, but not
 * whether sessions lie in tickets: no connection may be under way then. Install it on each context
 * that a connection can be moved to (SSL_set_SSL_CTX()): where it is missing, early data may be
 * refused, never accepted twice. In a server that forks, make the objects and call this in each
 * worker.
 *
 * anti_replay: of the mode JTG_ANTI_REPLAY_SINGLE_USE.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (also: another mode; SSL_OP_NO_TICKET is set and there is no
 *          `sessions`; the program has session callbacks of its own) · JTG_ERR_MEMORY
 * Owns:    context borrowed · anti_replay, and what the options point to, borrowed until the
 *          context and every connection of it are freed · options borrowed for the call, NULL =
 *          all defaults · err borrowed, may be NULL
 * Threads: one, no connection of the context under way
 * Blocks:  never. In a handshake: for early data, as jtg_anti_replay_accept(); with `sessions`, one
 *          put a ticket issued, and one take a ticket shown, of which the first 4 are looked at
 *          (each as jtg_cache_reserve()); a connection freed without SSL_shutdown() drops its last
 *          session, as always with OpenSSL
 */
JTG_API JTG_WARN_UNUSED jtg_status
jtg_anti_replay_openssl_install(SSL_CTX *context, jtg_anti_replay *anti_replay,
                                const jtg_anti_replay_openssl_options *options, jtg_error *err);

#ifdef __cplusplus
}
#endif
#endif
