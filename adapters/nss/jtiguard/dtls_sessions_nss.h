/* SPDX-License-Identifier: Apache-2.0 */
/** @file dtls_sessions_nss.h
 * Sessions of NSS clients (DTLS 1.3, TLS 1.3) kept in a jtg_dtls_sessions: each is used once, by
 * whichever process takes it first.
 *
 *   jtg_dtls_sessions_nss_new(&kept, sessions, &endpoint, NULL, &err);   once a server
 *   fd = DTLS_ImportFD(NULL, socket); SSL_SetURL(fd, host);
 *   jtg_dtls_sessions_nss_attach(kept, fd, &resuming, &err);             before the handshake
 *
 * From then on the sessions that the connection is given are stored. Tickets come after the
 * handshake, while the program reads: who never reads stores none.
 *
 * The endpoint is the key: host and port that the program means, in `alpn` the protocol that it
 * wants, and in `parameters` how the peer is verified, with which authorities, and the client's
 * certificate: a session of a connection that was not verified must never serve one that has to
 * be. NSS verifies no certificate when it resumes. A session is stored under the protocol that was
 * agreed, so that early data is never sent in another one; if none was, under none.
 *
 * What NSS adds: it keeps no sessions with a client certificate, and uses one only for the name
 * (SSL_SetURL()) that it was made for.
 *
 * Threads: every function but free may be called from any thread; a socket in one at a time.
 * Fork:    as jtiguard/dtls_sessions.h and NSS itself: make it in the process that uses it.
 * Source:  RFC 9147, RFC 8446 and RFC 9846 section 4.6.1
 */
#ifndef JTIGUARD_DTLS_SESSIONS_NSS_H
#define JTIGUARD_DTLS_SESSIONS_NSS_H

#include <jtiguard/dtls_sessions.h>
#include <jtiguard/log.h>
#include <prio.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { JTG_DTLS_SESSIONS_NSS_KEY_BYTES = 32 };

/** Let other processes resume what this one stores.
 *
 * NSS hands out a session whose secret is wrapped with a key that it makes for each process and
 * never gives away: what another process has stored, NSS takes and does not resume. This gives it
 * a key in place of that, the same in every process. Once a process, after NSS is initialised and
 * before its first connection. Without it each process resumes its own sessions only.
 *
 * key: JTG_DTLS_SESSIONS_NSS_KEY_BYTES random bytes. Whoever has them and the store has the
 * sessions' secrets.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (also: NSS has a key already) · JTG_ERR_SYSTEM (NSS failed;
 *          system_errno is its error)
 * Owns:    key borrowed for the call; NSS keeps a copy until NSS_Shutdown() · err may be NULL
 * Threads: one, no connection under way   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_dtls_sessions_nss_share(const void *key, jtg_error *err);

/** The sessions of one endpoint. Opaque. */
typedef struct jtg_dtls_sessions_nss jtg_dtls_sessions_nss;

/** Make one.
 *
 * logger: told, at JTG_LOG_WARNING, when a session could not be stored. NULL = silence.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (also an endpoint that is none) · JTG_ERR_MEMORY
 * Owns:    *kept returned, free with jtg_dtls_sessions_nss_free(); NULL on failure · sessions
 *          borrowed until then · endpoint and logger copied · err borrowed, may be NULL
 * Threads: any   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_dtls_sessions_nss_new(jtg_dtls_sessions_nss **kept,
                                                             jtg_dtls_sessions *sessions,
                                                             const jtg_endpoint *endpoint,
                                                             const jtg_logger *logger,
                                                             jtg_error *err);

/** Free; what is stored stays. NULL does nothing. No socket that it was attached to may be open.
 *
 * Threads: one   Blocks: never
 */
JTG_API void jtg_dtls_sessions_nss_free(jtg_dtls_sessions_nss *kept);

/** Let a client's socket store its sessions, and give it one to resume.
 *
 * Call it directly before the handshake: a session that was taken is used up whatever follows. One
 * that NSS does not want (another version of NSS, another name, ended) is dropped.
 *
 * Returns: JTG_OK, resuming says whether a session will be offered. Every other answer means a full
 *          handshake, which may go on: JTG_ERR_ARGUMENT · JTG_ERR_SYSTEM (NSS: fd is none of its
 *          sockets, or it lacks the function; system_errno is its error; nothing will be stored) ·
 *          JTG_ERR_… as jtg_dtls_sessions_take()
 * Owns:    kept borrowed until fd is closed · resuming and err borrowed, may be NULL
 * Threads: the socket's   Blocks: as jtg_dtls_sessions_take(); where a ticket comes, the callback
 *          blocks as jtg_dtls_sessions_store()
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_dtls_sessions_nss_attach(jtg_dtls_sessions_nss *kept,
                                                                PRFileDesc *fd, bool *resuming,
                                                                jtg_error *err);

/** How many sessions have met a fate since the object was made; JTG_DTLS_NOT_STORED counts the
 * failures.
 *
 * Returns: the number; 0 for NULL or a value that is no fate.
 * Threads: any; calls under way may not be in it   Blocks: never
 */
JTG_API uint64_t jtg_dtls_sessions_nss_counter(const jtg_dtls_sessions_nss *kept,
                                               jtg_dtls_fate fate);

#ifdef __cplusplus
}
#endif
#endif
