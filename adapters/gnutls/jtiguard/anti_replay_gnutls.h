/* SPDX-License-Identifier: Apache-2.0 */
/** @file anti_replay_gnutls.h
 * Anti-replay for the early data of GnuTLS servers, shared by all that share the cache.
 *
 *   jtg_anti_replay_gnutls_new(&anti_replay, cache, NULL, &err);   once a process
 *   gnutls_init(&session, GNUTLS_SERVER | GNUTLS_ENABLE_EARLY_DATA);
 *   gnutls_session_ticket_enable_server(session, &shared_ticket_key);
 *   jtg_anti_replay_gnutls_enable(anti_replay, session);           before each handshake
 *
 * A flight is recognised by the PSK binder, which GnuTLS has verified when it asks; it is accepted
 * once, by whichever server gets it first. Every doubt refuses the early data, and the handshake
 * goes on (jtiguard/anti_replay.h says when there is doubt).
 *
 * Why not a gnutls_db_add_func of your own: GnuTLS puts 12 bytes before the binder that tell when
 * its current window began **in this process**, so that servers that share a store under the whole
 * key each accept the same flight; and the end that it asks for is rounded down, up to two seconds
 * too soon. This leaves the 12 bytes out and computes the time by itself. It knows the entries of
 * GnuTLS 3.6.5 to 3.8; one of any other layout is refused as bad_argument.
 *
 * What GnuTLS adds: it refuses the early data of tickets that were issued before its window began,
 * and begins a new one with the first flight after the old one's end. So a ticket serves for early
 * data for window_ms at most, and none that was issued before this object was made.
 *
 * Fork:    make it in the process that uses it: a child refuses all early data, as forked.
 * Source:  RFC 8446 section 8, RFC 9846 section 8; gnutls_anti_replay_set_add_function()
 */
#ifndef JTIGUARD_ANTI_REPLAY_GNUTLS_H
#define JTIGUARD_ANTI_REPLAY_GNUTLS_H

#include <gnutls/gnutls.h>
#include <jtiguard/anti_replay.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One second less than in jtiguard/anti_replay.h: GnuTLS tells time in whole seconds here, and
 * the second that is lost is added to the margin. */
#define JTG_ANTI_REPLAY_GNUTLS_MARGIN_MS_LIMIT (JTG_ANTI_REPLAY_MARGIN_MS_LIMIT - 1000U)

/** A memory of flights for GnuTLS. Opaque. */
typedef struct jtg_anti_replay_gnutls jtg_anti_replay_gnutls;

/** Set every option to its default, and mode to JTG_ANTI_REPLAY_BINDER, the only one here. */
JTG_API void jtg_anti_replay_gnutls_options_init(jtg_anti_replay_options *options);

/** Make one, GnuTLS's part included.
 *
 * options: NULL = jtg_anti_replay_gnutls_options_init(). window_ms is GnuTLS's window as well.
 * margin_ms is at most JTG_ANTI_REPLAY_GNUTLS_MARGIN_MS_LIMIT.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (also another mode) · JTG_ERR_MEMORY · JTG_ERR_SYSTEM (no
 *          randomness)
 * Owns:    *anti_replay returned, free with jtg_anti_replay_gnutls_free(); NULL on failure · cache
 *          borrowed until then · options borrowed for the call · err borrowed, may be NULL
 * Threads: any   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status
jtg_anti_replay_gnutls_new(jtg_anti_replay_gnutls **anti_replay, jtg_cache *cache,
                           const jtg_anti_replay_options *options, jtg_error *err);

/** Free; the cache and the records in it stay. NULL does nothing. No session that it was enabled
 * for may still have a handshake before it.
 *
 * Threads: one   Blocks: never
 */
JTG_API void jtg_anti_replay_gnutls_free(jtg_anti_replay_gnutls *anti_replay);

/** Guard the early data of a server's session. NULL leaves the session without: GnuTLS then refuses
 * all early data.
 *
 * GnuTLS moves the start of its window without a lock. Whoever shares one object between threads
 * relies on that being harmless: nothing is recognised by that start. An object a thread on the
 * same cache avoids even this.
 *
 * Owns:    anti_replay borrowed until the session's handshake is over
 * Threads: any   Blocks: never; the handshake blocks as jtg_cache_reserve() of the cache
 */
JTG_API void jtg_anti_replay_gnutls_enable(jtg_anti_replay_gnutls *anti_replay,
                                           gnutls_session_t session);

/** How often a reason was given since the object was made: as jtg_anti_replay_counter(). What
 * GnuTLS refuses by itself is not in it. */
JTG_API uint64_t jtg_anti_replay_gnutls_counter(const jtg_anti_replay_gnutls *anti_replay,
                                                jtg_flight_reason reason);

#ifdef __cplusplus
}
#endif
#endif
