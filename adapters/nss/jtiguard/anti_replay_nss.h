/* SPDX-License-Identifier: Apache-2.0 */
/** @file anti_replay_nss.h
 * Early data of NSS servers (TLS 1.3 and DTLS 1.3) accepted at most once, by all that share a
 * store.
 *
 *   jtg_anti_replay_nss_new(&guard, cache, NULL, &err);     once a process, after NSS_Init()
 *   fd = DTLS_ImportFD(NULL, socket);                       or SSL_ImportFD()
 *   jtg_anti_replay_nss_enable(guard, fd, &err);            each connection, before its handshake
 *
 * A flight is recognised by its ticket: one is accepted once a window, which is what
 * JTG_ANTI_REPLAY_TIME_WINDOWED means. Every doubt refuses the early data, and the handshake goes
 * on (jtiguard/anti_replay.h says when there is doubt).
 *
 * What NSS allows. It has its own protection (SSL_SetAntiReplayContext()), per process, and lets a
 * program refuse early data in SSL_HelloRetryRequestCallback(), but shows it nothing of the flight
 * there. So this reads the ClientHello itself, under NSS, as it comes in. From that follows:
 *
 *  - early data is refused where the ClientHello is not the first thing on the connection, whole
 *    in one record, or has more than one ticket. Over UDP a large one may come in up to four
 *    datagrams, as those of clients with a post-quantum key share do, in order and each once;
 *  - NSS asks after it has opened the ticket and before it has verified the binder. Nobody can have
 *    early data accepted by that, but whoever has seen a ticket on the wire can use it up for the
 *    window, as by sending a copy of the flight: the client's early data is then refused, its
 *    handshake goes on. Whoever makes up tickets makes up records: give the zone its share of the
 *    store (jtiguard/memory.h), or the store to nothing else.
 *
 * Of NSS's own protection this makes use for what it is good at: freshness by the age of the
 * ticket (RFC 8446 section 8.3). After a start NSS would refuse all early data for a window; what
 * may have been used before the start is what the store is for, so that is left out.
 *
 * Processes accept each other's tickets where NSS is given its keys for them by a shared session
 * cache (SSL_ConfigMPServerSIDCache()).
 *
 * Fork:    make it in the process that uses it: a child refuses all early data, as forked.
 * Source:  RFC 8446 and RFC 9846 section 8, RFC 9147
 */
#ifndef JTIGUARD_ANTI_REPLAY_NSS_H
#define JTIGUARD_ANTI_REPLAY_NSS_H

#include <jtiguard/anti_replay.h>
#include <prio.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Half of what is in jtiguard/anti_replay.h: NSS's window has two sides, and a record outlives
 * both. */
#define JTG_ANTI_REPLAY_NSS_WINDOW_MS_LIMIT (JTG_ANTI_REPLAY_WINDOW_MS_LIMIT / 2)

/** A guard of NSS's early data. Opaque. */
typedef struct jtg_anti_replay_nss jtg_anti_replay_nss;

/** Set every option to its default, and mode to JTG_ANTI_REPLAY_TIME_WINDOWED, the only one here.
 */
JTG_API void jtg_anti_replay_nss_options_init(jtg_anti_replay_options *options);

/** Make one. NSS must be initialised.
 *
 * options: NULL = jtg_anti_replay_nss_options_init(). window_ms is NSS's window as well, to either
 * side, and at most JTG_ANTI_REPLAY_NSS_WINDOW_MS_LIMIT.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (also another mode) · JTG_ERR_MEMORY · JTG_ERR_UNSUPPORTED
 *          (this NSS lacks one of its experimental functions) · JTG_ERR_SYSTEM (no randomness, or
 *          NSS failed; system_errno is its error)
 * Owns:    *guard returned, free with jtg_anti_replay_nss_free(); NULL on failure · cache borrowed
 *          until then · options borrowed for the call · err borrowed, may be NULL
 * Threads: any   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_anti_replay_nss_new(jtg_anti_replay_nss **guard,
                                                           jtg_cache *cache,
                                                           const jtg_anti_replay_options *options,
                                                           jtg_error *err);

/** Free; the cache and the records in it stay. NULL does nothing. No socket that it was enabled for
 * may still be open. Before NSS_Shutdown().
 *
 * Threads: one   Blocks: never
 */
JTG_API void jtg_anti_replay_nss_free(jtg_anti_replay_nss *guard);

/** Let a server's connection take early data, once.
 *
 * Sets SSL_ENABLE_0RTT_DATA, the anti-replay context and the callback of
 * SSL_HelloRetryRequestCallback(), which leave as they are, and puts a layer under NSS, above the
 * lowest one. Before anything was read; not on a model socket, and once a connection.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY · JTG_ERR_SYSTEM (NSS failed, e.g. fd is none
 *          of its sockets; system_errno is its error). After a failure close the socket.
 * Owns:    guard borrowed until fd is closed · err borrowed, may be NULL
 * Threads: the socket's   Blocks: never; a handshake with early data blocks as jtg_cache_reserve()
 *          of the cache
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_anti_replay_nss_enable(jtg_anti_replay_nss *guard,
                                                              PRFileDesc *fd, jtg_error *err);

/** How often a reason was given since the object was made: as jtg_anti_replay_counter(). A
 * ClientHello that cannot be read is a bad_argument; what NSS refuses by itself is not in it. */
JTG_API uint64_t jtg_anti_replay_nss_counter(const jtg_anti_replay_nss *guard,
                                             jtg_flight_reason reason);

#ifdef __cplusplus
}
#endif
#endif
