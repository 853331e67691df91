/* SPDX-License-Identifier: Apache-2.0 */
/** @file dtls_sessions.h
 * Sessions of a DTLS 1.3 (or TLS, or QUIC) client, by the server that gave them.
 *
 * On any cache that keeps values: in memory for one process, in a host's store or on Redis for
 * many. Sessions hold resumption secrets: with a key file they are stored encrypted, each bound to
 * its endpoint.
 *
 *  - One session an endpoint, the newest; or up to `max_per_endpoint`.
 *  - jtg_dtls_sessions_take() hands a session out once, to one caller, in any process: tickets
 * should not be used twice (RFC 8446 appendix C.4), or an observer links the connections.
 *  - On a cache that notices losses (jtg_cache_watches()) a session that came back, because the
 * store was restored from a backup or failed over, is not handed out a second time.
 *  - A NewSessionTicket that arrives twice, because its record was retransmitted, is stored once,
 * also when the first copy was used meanwhile.
 *  - A session ends with the lifetime that the server gave it, and after 7 days at the latest; a
 *    lifetime of 0 is discarded (RFC 8446 section 4.6.1). The time counts from the call that stores
 *    it, by the store's clock.
 *
 * A build without OpenSSL answers JTG_ERR_UNSUPPORTED.
 *
 * Threads: every function may be called from any thread at any time, but for free.
 * Fork:    make the object in the process that uses it. A child refuses: JTG_ERR_FORKED.
 * Source:  RFC 9147, RFC 8446 and RFC 9846 section 4.6.1
 */
#ifndef JTIGUARD_DTLS_SESSIONS_H
#define JTIGUARD_DTLS_SESSIONS_H

#include <jtiguard/cache.h>
#include <jtiguard/endpoint.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Sessions on a cache. Opaque. */
typedef struct jtg_dtls_sessions jtg_dtls_sessions;

enum {
    JTG_DTLS_PER_ENDPOINT_DEFAULT = 1,
    JTG_DTLS_ZONE_MAX_BYTES = 64,
    JTG_DTLS_TICKET_MAX_BYTES = 65535,
    JTG_DTLS_SECRET_MAX_BYTES = 65535,
    JTG_DTLS_LIFETIME_S_MAX = 604800 /**< 7 days. */
};
#define JTG_DTLS_ZONE_DEFAULT "default"

/** Options. Start from JTG_DTLS_OPTIONS_INIT or jtg_dtls_options_init(). */
typedef struct jtg_dtls_options {
    size_t struct_size; /**< sizeof(jtg_dtls_options). */

    /** Keeps the sessions of one kind of client apart from those of others in the same cache, e.g.
     * of another trust store. 1 … 64 printable bytes. NULL (default) = "default". Copied. */
    const char *zone;

    /** Most sessions of an endpoint; the newest stay. 1 (default) … JTG_KEEP_MAX. */
    uint32_t max_per_endpoint;

    uint32_t reserved; /**< 0. */

    /** File of a key as jtg_ticket_options.kek_file: sessions are stored encrypted, and one that is
     * not authentic is refused. The same in every process. NULL (default): stored in clear; then
     * give the store to nobody else. */
    const char *key_file;
} jtg_dtls_options;

#define JTG_DTLS_OPTIONS_INIT                                                                      \
    {                                                                                              \
        sizeof(jtg_dtls_options), NULL, JTG_DTLS_PER_ENDPOINT_DEFAULT, 0, NULL                     \
    }

/** Set every option to its default; the same as JTG_DTLS_OPTIONS_INIT. */
JTG_API void jtg_dtls_options_init(jtg_dtls_options *options);

/** Make a store of sessions on a cache that keeps values.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY · JTG_ERR_SYSTEM · JTG_ERR_UNSUPPORTED
 * Owns:    *sessions returned, free with jtg_dtls_sessions_free(); NULL on failure · cache borrowed
 *          until then · options borrowed for the call, NULL = all defaults · err may be NULL
 * Threads: any   Blocks: reading the key file
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_dtls_sessions_new(jtg_dtls_sessions **sessions,
                                                         jtg_cache *cache,
                                                         const jtg_dtls_options *options,
                                                         jtg_error *err);

/** Wipe and free. sessions is taken; NULL does nothing. What is stored stays.
 *
 * Threads: one, no other call under way   Blocks: never
 */
JTG_API void jtg_dtls_sessions_free(jtg_dtls_sessions *sessions);

/** What a client keeps of a NewSessionTicket. Start from JTG_DTLS_SESSION_INIT.
 *
 * To store, the pointers are borrowed. After a get or take they point into `storage`: call
 * jtg_dtls_session_clear(). */
typedef struct jtg_dtls_session {
    size_t struct_size; /**< sizeof(jtg_dtls_session). */
    const void *ticket; /**< The ticket: what a retransmission is told by. */
    size_t ticket_len;  /**< 1 … 65,535. */
    /** What the TLS library needs to resume: the PSK, or its own serialised session (NSS: the
     * resumption token). */
    const void *secret;
    size_t secret_len;       /**< 0 … 65,535; ticket and secret together at most 65,535. */
    const void *nonce;       /**< ticket_nonce. */
    size_t nonce_len;        /**< 0 … 255. */
    uint32_t lifetime_s;     /**< ticket_lifetime as the server sent it. */
    uint32_t age_add;        /**< ticket_age_add. */
    uint32_t max_early_data; /**< max_early_data_size; 0 = none. */
    uint32_t cipher_suite;   /**< 0 … 65535. */

    /* Set by a get or take. */
    uint64_t age_ms;    /**< Since it was stored, for obfuscated_ticket_age. */
    uint64_t left_ms;   /**< Until it ends, at least 1. */
    void *storage;      /**< The library's. NULL where there is nothing to clear. */
    size_t storage_len; /**< Its bytes. */
} jtg_dtls_session;

#define JTG_DTLS_SESSION_INIT                                                                      \
    {                                                                                              \
        sizeof(jtg_dtls_session), NULL, 0, NULL, 0, NULL, 0, 0, 0, 0, 0, 0, 0, NULL, 0             \
    }

/** Wipe and free what a get or take put into it, and make it as JTG_DTLS_SESSION_INIT.
 *
 * Threads: any   Blocks: never
 */
JTG_API void jtg_dtls_session_clear(jtg_dtls_session *session);

/** What became of a session that was to be stored. */
typedef enum jtg_dtls_fate {
    JTG_DTLS_NOT_STORED = 0, /**< The call failed. */
    JTG_DTLS_STORED = 1,     /**< It is there. */
    JTG_DTLS_DUPLICATE = 2,  /**< Dropped: this ticket of this endpoint was stored before. */
    JTG_DTLS_DISCARDED = 3   /**< Dropped: its lifetime is 0. */
} jtg_dtls_fate;

/** Store a session.
 *
 * After JTG_ERR_TIMEOUT it may or may not be stored, and storing it again is a duplicate: a full
 * handshake is then the price of never having one ticket twice.
 *
 * Returns: JTG_OK (see fate) · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY · JTG_ERR_FORKED ·
 *          JTG_ERR_SYSTEM (the cipher) · JTG_ERR_FULL and the others of jtg_cache_put() and
 *          jtg_cache_reserve()
 * Owns:    all borrowed for the call · fate and err may be NULL
 * Threads: any   Blocks: at most four answers of the store
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_dtls_sessions_store(jtg_dtls_sessions *sessions,
                                                           const jtg_endpoint *endpoint,
                                                           const jtg_dtls_session *session,
                                                           jtg_dtls_fate *fate, jtg_error *err);

/** The newest live session of an endpoint; it stays.
 *
 * Returns: JTG_OK · JTG_NOT_FOUND · JTG_ERR_PROTOCOL (what is stored is none of ours, or not
 *          authentic) · JTG_ERR_ARGUMENT · JTG_ERR_… as jtg_cache_get()
 * Owns:    session returned: overwritten (it must hold no storage), the caller calls
 *          jtg_dtls_session_clear(); as initialised unless JTG_OK · endpoint borrowed · err may be
 * NULL
 * Threads: any   Blocks: one answer of the store
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_dtls_sessions_get(jtg_dtls_sessions *sessions,
                                                         const jtg_endpoint *endpoint,
                                                         jtg_dtls_session *session, jtg_error *err);

/** Hand out the newest live session of an endpoint, and remove it in the same step. What is not
 * authentic is removed too.
 *
 * Returns: as jtg_dtls_sessions_get() and jtg_cache_take() · JTG_ERR_CONTINUITY the store has
 *          forgotten something since the session was stored, so that it may have been handed out
 *          before (it is removed); only on a cache that notices losses
 * Blocks:  at most two answers of the store. All else as jtg_dtls_sessions_get(). */
JTG_API JTG_WARN_UNUSED jtg_status jtg_dtls_sessions_take(jtg_dtls_sessions *sessions,
                                                          const jtg_endpoint *endpoint,
                                                          jtg_dtls_session *session,
                                                          jtg_error *err);

/** Remove every session of an endpoint, e.g. when the server has refused one. Their tickets are not
 * stored again.
 *
 * Returns: JTG_OK · JTG_NOT_FOUND · JTG_ERR_… as jtg_cache_drop()
 * Owns:    endpoint borrowed · err may be NULL
 * Threads: any   Blocks: one answer of the store
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_dtls_sessions_remove(jtg_dtls_sessions *sessions,
                                                            const jtg_endpoint *endpoint,
                                                            jtg_error *err);

/** Remove the ended sessions of an endpoint from the store now.
 *
 * Nothing needs it: a session that has ended is handed out by nobody from that moment on, and the
 * store removes it by itself. In memory this gives its place back before the next sweep.
 *
 * Returns: JTG_OK (live says whether a session is left) · JTG_ERR_… as jtg_cache_get()
 * Owns:    endpoint and live borrowed; live may be NULL · err may be NULL
 * Threads: any   Blocks: one answer of the store
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_dtls_sessions_prune(jtg_dtls_sessions *sessions,
                                                           const jtg_endpoint *endpoint,
                                                           uint32_t *live, jtg_error *err);

#ifdef __cplusplus
}
#endif
#endif
