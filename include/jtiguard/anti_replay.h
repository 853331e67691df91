/* SPDX-License-Identifier: Apache-2.0 */
/** @file anti_replay.h
 * Anti-replay for 0-RTT early data of TLS 1.3, DTLS 1.3 and QUIC servers.
 *
 * Early data comes in a client's first flight, before the handshake proves that the client is
 * there: whoever copied the flight can send it again, to the same server or to another one. This
 * says of a flight whether it has been seen: **not seen**, **seen**, or **unsure**. Only "not seen"
 * may accept the early data, and of any number of equal flights at most one gets it, from any
 * thread, process or host that shares the cache. "Seen" and "unsure" refuse the early data and
 * nothing else: the handshake goes on, and the client sends its data after it.
 *
 * Ask after the PSK binder has been verified, and give nothing here that was not covered by it: a
 * key made of anything else can be varied by the attacker, who is then not recognised.
 *
 * Three ways to recognise a flight (RFC 8446 section 8, RFC 9846 section 8)
 *
 *  - **single use** (default, 8.1): a ticket is accepted once in its life. Strictest. Costs a
 * record for as long as the ticket lives.
 *  - **time-windowed**: a ticket is accepted once a window. Costs a record for the window only; a
 *    client that uses a ticket again later, with its true age, is accepted again.
 *  - **ClientHello recording** (8.2): a flight is accepted once, a ticket as often as the client
 *    likes. A record for the window.
 *
 * The last two rest on freshness (8.3): a flight names the age of its ticket, which a copy cannot
 * change; one that arrives outside the window around that age is refused. Within the window the
 * record is there. That is why this computes the record's time itself: it lasts as long as the
 * flight could be fresh, and margin_ms more.
 *
 * When it cannot be known: the store is out of reach or full; the wall clock was set back; the
 * flight may have been used before this process started (8.2), or before the store lost what it
 * knew. On a cache that notices losses (jtg_cache_watches()) the store itself is asked, and a
 * restart of this process costs nothing.
 *
 * All servers that would accept a flight's ticket must share one cache, one zone and one set of
 * options. What is in the store is a digest; no ticket and no random value of a client can be read
 * there.
 */
#ifndef JTIGUARD_ANTI_REPLAY_H
#define JTIGUARD_ANTI_REPLAY_H

#include <jtiguard/cache.h>
#include <jtiguard/clock.h>
#include <jtiguard/log.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a flight is recognised. */
typedef enum jtg_anti_replay_mode {
    JTG_ANTI_REPLAY_SINGLE_USE = 0,    /**< By its ticket, for the ticket's life. Default. */
    JTG_ANTI_REPLAY_TIME_WINDOWED = 1, /**< By its ticket, for the window. */
    JTG_ANTI_REPLAY_BINDER = 2,        /**< By the validated PSK binder, for the window. */
    JTG_ANTI_REPLAY_CLIENT_RANDOM = 3  /**< By ClientHello.random, for the window. */
} jtg_anti_replay_mode;

/** Name of a mode, e.g. "single_use"; "unknown" for a value that is none. Borrowed, static. */
JTG_API const char *jtg_anti_replay_mode_name(jtg_anti_replay_mode mode);

enum {
    JTG_ANTI_REPLAY_ZONE_MAX_BYTES = 255,
    JTG_ANTI_REPLAY_BINDER_MIN_BYTES = 32,   /**< SHA-256. */
    JTG_ANTI_REPLAY_BINDER_MAX_BYTES = 64,   /**< SHA-512. */
    JTG_ANTI_REPLAY_RANDOM_BYTES = 32,       /**< ClientHello.random. */
    JTG_ANTI_REPLAY_TICKET_MAX_BYTES = 65535 /**< A ticket, RFC 8446 section 4.6.1. */
};

/* Defaults and ranges of the options; the code uses these names. */
#define JTG_ANTI_REPLAY_WINDOW_MS_DEFAULT 10000U
#define JTG_ANTI_REPLAY_WINDOW_MS_LIMIT   600000U
#define JTG_ANTI_REPLAY_MARGIN_MS_DEFAULT 30000U
#define JTG_ANTI_REPLAY_MARGIN_MS_LIMIT   3600000U
/** Longest life of a ticket, seven days (RFC 8446 section 4.6.1). */
#define JTG_ANTI_REPLAY_LIFETIME_MS_LIMIT UINT64_C(604800000)

/** Options. Start from JTG_ANTI_REPLAY_OPTIONS_INIT or jtg_anti_replay_options_init(). */
typedef struct jtg_anti_replay_options {
    size_t struct_size; /**< sizeof(jtg_anti_replay_options). */

    jtg_anti_replay_mode mode; /**< Default JTG_ANTI_REPLAY_SINGLE_USE. */

    /** How far a flight may arrive from the moment that its ticket's age tells, to either side,
     * milliseconds. 100 … 600,000, default 10,000. */
    uint32_t window_ms;

    /** How much longer a record lasts than its flight could be accepted, milliseconds: more than
     * the clocks of all servers and of the store differ, and than a clock is corrected by. 1,000 …
     * 3,600,000, default 30,000. */
    uint32_t margin_ms;

    /** Name of the set of servers within which a flight is recognised, 0 … 255 bytes,
     * NUL-terminated; also whom the cache charges for the records. A flight is accepted once in
     * each zone: so let tickets of one zone be refused in another. NULL (default) = "". Copied. */
    const char *zone;

    /** 1 (default): on a cache that does not notice losses, be unsure of flights that may have been
     * used before this object was made. 0: you vouch that the store was there before and has lost
     * nothing.
     * **On a store that begins with the process every flight could then be replayed after a
     * restart.** Of no meaning on a cache that notices losses. */
    uint32_t start_rule;

    const jtg_clock *clock;   /**< NULL (default) = the system's. Copied. */
    const jtg_logger *logger; /**< NULL (default) = silence. Copied. */
} jtg_anti_replay_options;

#define JTG_ANTI_REPLAY_OPTIONS_INIT                                                               \
    {                                                                                              \
        sizeof(jtg_anti_replay_options), JTG_ANTI_REPLAY_SINGLE_USE,                               \
            JTG_ANTI_REPLAY_WINDOW_MS_DEFAULT, JTG_ANTI_REPLAY_MARGIN_MS_DEFAULT, NULL, 1, NULL,   \
            NULL                                                                                   \
    }

/** Set every option to its default; the same as JTG_ANTI_REPLAY_OPTIONS_INIT. */
JTG_API void jtg_anti_replay_options_init(jtg_anti_replay_options *options);

/** A memory of flights on a cache. Opaque. */
typedef struct jtg_anti_replay jtg_anti_replay;

/** Make one.
 *
 * options: NULL = all defaults. A value out of its range is an error and not clamped.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY · JTG_ERR_SYSTEM (no randomness)
 * Owns:    *anti_replay returned, free with jtg_anti_replay_free(); NULL on failure · cache
 * borrowed until then · options borrowed for the call · err borrowed, may be NULL
 * Threads: any
 * Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_anti_replay_new(jtg_anti_replay **anti_replay,
                                                       jtg_cache *cache,
                                                       const jtg_anti_replay_options *options,
                                                       jtg_error *err);

/** Free; the cache and the records in it stay. NULL does nothing. No other call on it may be under
 * way.
 *
 * Threads: one   Blocks: never
 */
JTG_API void jtg_anti_replay_free(jtg_anti_replay *anti_replay);

/** The mode that it was made with; JTG_ANTI_REPLAY_SINGLE_USE for NULL.
 *
 * Threads: any   Blocks: never
 */
JTG_API jtg_anti_replay_mode jtg_anti_replay_mode_get(const jtg_anti_replay *anti_replay);

/** A ticket's age that is not known. */
#define JTG_TICKET_AGE_ABSENT UINT64_MAX

/** What a server knows of a flight whose binder it has verified. Start from JTG_FLIGHT_INIT.
 *
 * Of the three identities the mode's own is needed and the others are ignored. All pointers are
 * borrowed for the call.
 */
typedef struct jtg_flight {
    size_t struct_size; /**< sizeof(jtg_flight). */

    /** What is unique to the ticket: a random id out of the opened ticket, or the whole ticket, if
     * it is authenticated to its last byte. 1 … 65,535 bytes. */
    const void *ticket;
    size_t ticket_len;
    const void *binder; /**< The validated binder, 32 … 64 bytes. */
    size_t binder_len;
    const void *client_random; /**< ClientHello.random, 32 bytes. */
    size_t client_random_len;

    /** When the ticket was issued, as the ticket itself says: wall clock of the issuing server,
     * milliseconds since 1970. Always needed. */
    int64_t issued_ms;
    /** How long it is good from then on, milliseconds, 1 … 604,800,000 (seven days). Always needed.
     */
    uint64_t lifetime_ms;
    /** The age of the ticket as the client states it, milliseconds: jtg_ticket_age_ms(). Needed
     * in all modes but single use, which judges freshness only where it is given.
     * JTG_TICKET_AGE_ABSENT (default) = not known. */
    uint64_t age_ms;
    /** What one round trip took when the ticket was issued, or 0 (default): the client counts from
     * when it got the ticket. At most window_ms. Out of the ticket, as issued_ms: one that is
     * measured anew would move the window from one server to the next. */
    uint64_t rtt_ms;
    /** How much earlier the times above may have been stated for another copy of the flight,
     * milliseconds: 0 (default) where they are the ticket's own, and so the same for every copy.
     * Where a ticket does not tell them and they are made up from now, as long as a copy can be
     * accepted from the first moment to the last. The record of another copy may have ended so much
     * sooner than this one's will: of that flights are unsure after the clock was set back.
     * 0 … 604,800,000 (seven days). */
    uint64_t apart_ms;
} jtg_flight;

#define JTG_FLIGHT_INIT                                                                            \
    {                                                                                              \
        sizeof(jtg_flight), NULL, 0, NULL, 0, NULL, 0, 0, 0, JTG_TICKET_AGE_ABSENT, 0, 0           \
    }

/** Set every member to its default; the same as JTG_FLIGHT_INIT. */
JTG_API void jtg_flight_init(jtg_flight *flight);

/** The age that a client states: obfuscated_ticket_age of its ClientHello less the ticket_age_add
 * that the server gave it, modulo 2^32 (RFC 8446 section 4.2.11.1).
 *
 * Threads: any   Blocks: never
 */
JTG_API uint64_t jtg_ticket_age_ms(uint32_t obfuscated_ticket_age, uint32_t ticket_age_add);

/** The three answers. Zero is the one that a forgotten initialisation must have. */
typedef enum jtg_seen {
    JTG_SEEN_UNSURE = 0, /**< It cannot be known: no early data. */
    JTG_SEEN_NOT = 1,    /**< Not seen: the early data may be accepted. */
    JTG_SEEN_BEFORE = 2  /**< Seen: no early data. */
} jtg_seen;

/** "unsure", "not_seen" or "seen". Borrowed, static. */
JTG_API const char *jtg_seen_name(jtg_seen seen);

/** Every reason: symbol, value, answer, name for machines, text for people. Never renumbered. */
#define JTG_FLIGHT_REASON_MAP(X)                                                                   \
    X(JTG_FLIGHT_UNDECIDED, 0, UNSURE, "undecided", "nothing was decided")                         \
    X(JTG_FLIGHT_FIRST, 1, NOT, "first", "first use")                                              \
    X(JTG_FLIGHT_REPLAYED, 2, BEFORE, "replayed", "it was used before")                            \
    X(JTG_FLIGHT_BAD_ARGUMENT, 3, UNSURE, "bad_argument", "the caller's arguments are wrong")      \
    X(JTG_FLIGHT_TICKET_EXPIRED, 4, UNSURE, "ticket_expired", "the ticket has expired")            \
    X(JTG_FLIGHT_TICKET_FROM_FUTURE, 5, UNSURE, "ticket_from_future",                              \
      "the ticket was issued later than now")                                                      \
    X(JTG_FLIGHT_NOT_FRESH, 6, UNSURE, "not_fresh",                                                \
      "it arrived outside the window around its ticket's age")                                     \
    X(JTG_FLIGHT_BEFORE_START, 7, UNSURE, "before_start",                                          \
      "it may have been used before this process started")                                         \
    X(JTG_FLIGHT_CLOCK_SET_BACK, 8, UNSURE, "clock_set_back",                                      \
      "it may have been used before the wall clock was set back")                                  \
    X(JTG_FLIGHT_CONTINUITY_LOST, 9, UNSURE, "continuity_lost",                                    \
      "it may have been used before the store lost what it knew")                                  \
    X(JTG_FLIGHT_STORE_FULL, 10, UNSURE, "store_full", "the store is full of live records")        \
    X(JTG_FLIGHT_ZONE_SHARE_FULL, 11, UNSURE, "zone_share_full",                                   \
      "the zone has used up its share of the store")                                               \
    X(JTG_FLIGHT_STORE_UNAVAILABLE, 12, UNSURE, "store_unavailable",                               \
      "the store cannot be reached")                                                               \
    X(JTG_FLIGHT_OUTCOME_UNKNOWN, 13, UNSURE, "outcome_unknown",                                   \
      "the store did not say in time whether it recorded the flight")                              \
    X(JTG_FLIGHT_STORE_UNSAFE, 14, UNSURE, "store_unsafe",                                         \
      "the store is set up so that it may forget")                                                 \
    X(JTG_FLIGHT_STORE_REFUSED, 15, UNSURE, "store_refused", "the store answered an error")        \
    X(JTG_FLIGHT_STORE_PROTOCOL, 16, UNSURE, "store_protocol",                                     \
      "the store's answer was not understood")                                                     \
    X(JTG_FLIGHT_TOO_FEW_REPLICAS, 17, UNSURE, "too_few_replicas",                                 \
      "too few replicas confirmed the record")                                                     \
    X(JTG_FLIGHT_OUT_OF_MEMORY, 18, UNSURE, "out_of_memory", "out of memory")                      \
    X(JTG_FLIGHT_FORKED, 19, UNSURE, "forked", "the object belongs to the process before fork")    \
    X(JTG_FLIGHT_INTERNAL, 20, UNSURE, "internal", "an answer that is not known here")             \
    X(JTG_FLIGHT_STORE_UNSUPPORTED, 21, UNSURE, "store_unsupported",                               \
      "the store is of another kind than was named, or this build cannot use it")                  \
    X(JTG_FLIGHT_STORE_BLOCKED, 22, UNSURE, "store_blocked",                                       \
      "another process stayed inside the store too long")

/** Why. Only JTG_FLIGHT_FIRST accepts, and it is not zero. */
typedef enum jtg_flight_reason {
#define JTG_FLIGHT_REASON_ENUM(symbol, value, seen, name, text) symbol = (value),
    JTG_FLIGHT_REASON_MAP(JTG_FLIGHT_REASON_ENUM)
#undef JTG_FLIGHT_REASON_ENUM
        JTG_FLIGHT_REASON_COUNT = 23 /**< Number of reasons; grows, so never store it. */
} jtg_flight_reason;

/** Name of a reason for machines; "internal" for a value that is none. Borrowed, static. */
JTG_API const char *jtg_flight_reason_name(jtg_flight_reason reason);
/** One line of text for people. As jtg_flight_reason_name() in all else. */
JTG_API const char *jtg_flight_reason_text(jtg_flight_reason reason);
/** The answer that goes with a reason; JTG_SEEN_UNSURE for a value that is none. */
JTG_API jtg_seen jtg_flight_reason_seen(jtg_flight_reason reason);

/** What was decided. Start from JTG_FLIGHT_DECISION_INIT. */
typedef struct jtg_flight_decision {
    size_t struct_size; /**< sizeof(jtg_flight_decision), set by the caller. */
    jtg_seen seen;
    jtg_flight_reason reason;
    uint64_t ttl_ms; /**< How long it is remembered; 0 unless the store was asked. */
} jtg_flight_decision;

#define JTG_FLIGHT_DECISION_INIT                                                                   \
    {                                                                                              \
        sizeof(jtg_flight_decision), JTG_SEEN_UNSURE, JTG_FLIGHT_UNDECIDED, 0                      \
    }

/** Has this flight been seen? Asks and records in one step.
 *
 * One flight is asked for once: a second question about it is answered "seen". There is nothing to
 * give back, for the attacker has the flight too.
 *
 * Returns: true: not seen before, the early data may be accepted · false: seen, or unsure; refuse
 *          the early data and go on with the handshake. decision says which, and why.
 * Owns:    flight borrowed · decision borrowed, may be NULL, always set · err borrowed, may be
 * NULL; it tells more of a failure
 * Threads: any   Blocks: as jtg_cache_reserve() of the cache
 * Source:  RFC 8446 sections 8, 4.2.10; RFC 9846 section 8
 */
JTG_API JTG_WARN_UNUSED bool jtg_anti_replay_accept(jtg_anti_replay *anti_replay,
                                                    const jtg_flight *flight,
                                                    jtg_flight_decision *decision, jtg_error *err);

/** Remove the records whose time has ended from the store now, instead of at its next sweep; those
 * of every zone, and whatever else in the cache has ended: jtg_cache_prune().
 *
 * Nothing needs it: a record that has ended is absent from that moment on. A live one stays.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_FORKED · JTG_ERR_… as jtg_cache_prune()
 * Owns:    removed borrowed, may be NULL, set only with JTG_OK · err borrowed, may be NULL
 * Threads: any   Blocks: as jtg_cache_prune()
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_anti_replay_prune(jtg_anti_replay *anti_replay,
                                                         uint64_t *removed, jtg_error *err);

/** How often a reason was given since the object was made. Never goes back.
 *
 * Returns: the number; 0 for NULL or a value that is no reason.
 * Threads: any; calls under way may not be in it   Blocks: never
 */
JTG_API uint64_t jtg_anti_replay_counter(const jtg_anti_replay *anti_replay,
                                         jtg_flight_reason reason);

#ifdef __cplusplus
}
#endif
#endif
