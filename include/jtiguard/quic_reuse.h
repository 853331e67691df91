/* SPDX-License-Identifier: Apache-2.0 */
/** @file quic_reuse.h
 * A QUIC server's memory of the address validation tokens that were presented to it.
 *
 * A token proves once that its client can be reached at its address. Presented again it proves
 * nothing: an attacker who got hold of it and sends from that address, or forges it, would have the
 * server send three times and more what it received. So a server accepts each token once.
 *
 * This says of a token: **first use**, **used before**, or **unsure**. Only "first use" validates
 * the address. The others make the client an unvalidated one, nothing else: the Initial is handled
 * as one without a token (with a Retry, or within the limit of three times), and never dropped.
 *
 * How to ask
 *  - after the token was verified: sealed by this server's keys, for this address, not expired;
 *  - once a connection, for its first Initial: all of a client's Initials carry the token, so leave
 *    out those of a connection that is there;
 *  - with the token as a whole, if it is authenticated to its last byte, as those of
 *    ngtcp2_crypto_generate_regular_token() are, or with what is unique to it.
 *
 * Tokens of NEW_TOKEN frames and of Retry packets are the same here.
 *
 * This is the single use of anti_replay.h with its rules, in a zone of its own: what a restart, a
 * lost store, a full store and a clock that was set back mean is told there. All servers that
 * accept a token must share one cache and one zone. What is in the store is a digest.
 *
 * Threads: every function may be called from any thread at any time, but for free.
 * Source:  RFC 9000 section 8.1.4
 */
#ifndef JTIGUARD_QUIC_REUSE_H
#define JTIGUARD_QUIC_REUSE_H

#include <jtiguard/anti_replay.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A memory of tokens on a cache. Opaque. */
typedef struct jtg_quic_reuse jtg_quic_reuse;

enum {
    JTG_QUIC_REUSE_ZONE_MAX_BYTES = 64,
    JTG_QUIC_REUSE_TOKEN_MAX_BYTES = JTG_ANTI_REPLAY_TICKET_MAX_BYTES
};

/** Options. Start from JTG_QUIC_REUSE_OPTIONS_INIT or jtg_quic_reuse_options_init(). */
typedef struct jtg_quic_reuse_options {
    size_t struct_size; /**< sizeof(jtg_quic_reuse_options). */

    /** Name of the set of servers that accept each other's tokens, 0 … 64 bytes; also whom the
     * cache charges for the records. NULL (default) = "". Copied. */
    const char *zone;

    /** As jtg_anti_replay_options.margin_ms. 1,000 … 3,600,000, default 30,000. */
    uint32_t margin_ms;

    /** As jtg_anti_replay_options.start_rule. Default 1. */
    uint32_t start_rule;

    const jtg_clock *clock;   /**< NULL (default) = the system's. Copied. */
    const jtg_logger *logger; /**< NULL (default) = silence. Copied. */
} jtg_quic_reuse_options;

#define JTG_QUIC_REUSE_OPTIONS_INIT                                                                \
    {                                                                                              \
        sizeof(jtg_quic_reuse_options), NULL, JTG_ANTI_REPLAY_MARGIN_MS_DEFAULT, 1, NULL, NULL     \
    }

/** Set every option to its default; the same as JTG_QUIC_REUSE_OPTIONS_INIT. */
JTG_API void jtg_quic_reuse_options_init(jtg_quic_reuse_options *options);

/** Make one.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY · JTG_ERR_SYSTEM (no randomness)
 * Owns:    *reuse returned, free with jtg_quic_reuse_free(); NULL on failure · cache borrowed until
 *          then · options borrowed for the call, NULL = all defaults · err may be NULL
 * Threads: any   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_quic_reuse_new(jtg_quic_reuse **reuse, jtg_cache *cache,
                                                      const jtg_quic_reuse_options *options,
                                                      jtg_error *err);

/** Free; the cache and the records in it stay. NULL does nothing.
 *
 * Threads: one, no other call on it under way   Blocks: never
 */
JTG_API void jtg_quic_reuse_free(jtg_quic_reuse *reuse);

/** The time of issue where it is not known. */
#define JTG_QUIC_ISSUED_UNKNOWN INT64_MIN

/** A token that was presented and has been verified. Start from JTG_QUIC_PRESENTED_INIT. */
typedef struct jtg_quic_presented {
    size_t struct_size; /**< sizeof(jtg_quic_presented). */
    const void *token;  /**< Borrowed. The token, or what is unique to it. */
    size_t token_len;   /**< 1 … 65,535. */
    /** When it was issued, as the token itself says: wall clock, milliseconds since 1970. Where it
     * does not say, JTG_QUIC_ISSUED_UNKNOWN: it is then remembered as if it had been issued now,
     * and judged as if it could have been used for as long as it lives; so for one lifetime after a
     * start or a loss every token is unsure, and lifetime_ms is at most half as long. */
    int64_t issued_ms;
    /** How long it is accepted from then on, milliseconds, 1 … 604,800,000 (seven days). */
    uint64_t lifetime_ms;
} jtg_quic_presented;

#define JTG_QUIC_PRESENTED_INIT                                                                    \
    {                                                                                              \
        sizeof(jtg_quic_presented), NULL, 0, 0, 0                                                  \
    }

/** Is this the first use of a token? Asks and records in one step.
 *
 * Returns: true: the first use, the client's address is validated · false: used before, or unsure:
 *          go on as if there were no token. decision says which (JTG_SEEN_BEFORE, JTG_SEEN_UNSURE),
 *          and why.
 * Owns:    presented borrowed · decision borrowed, may be NULL, always set · err may be NULL; it
 *          tells more of a failure
 * Threads: any   Blocks: as jtg_cache_reserve() of the cache
 * Source:  RFC 9000 section 8.1.4
 */
JTG_API JTG_WARN_UNUSED bool jtg_quic_reuse_first(jtg_quic_reuse *reuse,
                                                  const jtg_quic_presented *presented,
                                                  jtg_flight_decision *decision, jtg_error *err);

/** How often a reason was given since the object was made; as jtg_anti_replay_counter(). */
JTG_API uint64_t jtg_quic_reuse_counter(const jtg_quic_reuse *reuse, jtg_flight_reason reason);

#ifdef __cplusplus
}
#endif
#endif
