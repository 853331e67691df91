/* SPDX-License-Identifier: Apache-2.0 */
/** @file jtiguard.h
 * jtiguard makes single-use tokens single-use. This header includes all the others.
 *
 * THE MANUAL ON ONE PAGE
 *
 * The promise: a token is admitted at most once, by any thread, process or instance that
 * shares the store, whatever fails in between. When the guard cannot know, it refuses and
 * says why.
 *
 *     jtg_cache *cache = NULL;
 *     jtg_guard *guard = NULL;
 *     if (jtg_memory_new(&cache, NULL, NULL) != JTG_OK ||
 *         jtg_guard_new(&guard, cache, NULL, NULL) != JTG_OK)
 *         …do not start…
 *
 *     jtg_claims claims = JTG_CLAIMS_INIT;        after your signature, iss and aud checks
 *     claims.kind = JTG_KIND_ID_TOKEN;
 *     claims.issuer = …; claims.audience = …; claims.jti = …; claims.exp_ms = …;
 *     jtg_decision decision = JTG_DECISION_INIT;
 *     if (!jtg_guard_admit(guard, &claims, &decision, NULL))
 *         …refuse, and log jtg_reason_name(decision.reason)…
 *
 *     jtg_guard_free(guard);
 *     jtg_cache_free(cache);
 *
 * What to know before you rely on it
 *
 *  1. Order. Ask the guard last, after signature, issuer, audience and binding checks;
 *     asked earlier, a third party can burn tokens and fill the store.
 *  2. Only single-use tokens. An access token is shown many times by design.
 *  3. One store. Instances that do not share a store each admit a token once. The memory
 *     store is for one process on one node.
 *  4. Restarts. The memory store forgets with its process: set restart_rule, or live with
 *     one more use of each token after a restart.
 *  5. fork. Objects belong to the process that made them. A child that uses them gets
 *     JTG_ERR_FORKED; make them after fork.
 *  6. Release. Give a reservation back only after a failure that is certain and yours.
 *  7. Owner. Whoever asks again with the same owner is admitted again: an owner comes from
 *     your own proxy or program, never from the client.
 *  8. Clocks. exp is judged by this host's wall clock, with leeway. A clock that is set back
 *     makes the guard refuse older tokens, not forget newer ones.
 *  9. Errors. JTG_OK is the only status that admits, and `true` the only answer of the guard
 *     that does. jtg_error holds the detail and never a token.
 * 10. Threads. Everything may be called from any thread at once, except that an object is
 *     freed by one thread when no other uses it.
 *
 * Besides the guard there are stores of other things that must not be used twice, on the same
 * caches: early data of TLS, DTLS and QUIC (anti_replay.h); a break-glass token (breakglass.h);
 * one-time challenges (challenges.h); the sessions of a client that sends early data
 * (dtls_sessions.h); the NEW_TOKEN tokens of a QUIC client (quic_tokens.h), and those that a QUIC
 * server has seen (quic_reuse.h); and the keys with which several servers seal their session
 * tickets (ticket_keys.h). A TLS client's tickets lie in a file (tls_tickets.h).
 *
 * Conventions of all headers: `Owns:` uses four words: borrowed (yours, for the call),
 * copied, taken (now the library's), returned (now yours). Units stand in the names. Option
 * structs open with struct_size and grow only at the end; a value out of range is an error
 * and never clamped; a newer program's unknown option makes an older library refuse.
 */
#ifndef JTIGUARD_JTIGUARD_H
#define JTIGUARD_JTIGUARD_H

/* IWYU pragma: begin_exports */
#include <jtiguard/anti_replay.h>
#include <jtiguard/async.h>
#include <jtiguard/backend.h>
#include <jtiguard/breakglass.h>
#include <jtiguard/cache.h>
#include <jtiguard/challenges.h>
#include <jtiguard/clock.h>
#include <jtiguard/dtls_sessions.h>
#include <jtiguard/endpoint.h>
#include <jtiguard/extend.h>
#include <jtiguard/guard.h>
#include <jtiguard/host.h>
#include <jtiguard/log.h>
#include <jtiguard/memory.h>
#include <jtiguard/quic_reuse.h>
#include <jtiguard/quic_tokens.h>
#include <jtiguard/redis.h>
#include <jtiguard/status.h>
#include <jtiguard/ticket_keys.h>
#include <jtiguard/tls_tickets.h>
#include <jtiguard/version.h>
/* IWYU pragma: end_exports */

#endif
