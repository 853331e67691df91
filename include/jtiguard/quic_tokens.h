/* SPDX-License-Identifier: Apache-2.0 */
/** @file quic_tokens.h
 * NEW_TOKEN tokens of a QUIC client, by the server that gave them.
 *
 * A server gives a token in a NEW_TOKEN frame; a client that presents it in its next connection is
 * taken to have the address that it sends from, and saves the round trip of a Retry. A token that
 * is presented twice lets an observer link the connections, and a careful server refuses it.
 *
 * On any cache that keeps values: in memory for one process, in a host's store or on Redis for
 * many.
 *
 *  - jtg_quic_tokens_take() hands a token out once, to one caller, in any process, whatever
 *    becomes of it. There is no way to give one back: whether a server has seen it is not known.
 *  - A NEW_TOKEN frame that arrives twice, because its packet was retransmitted, is stored once,
 *    also when the first copy was used meanwhile.
 *  - The newest comes first. Of a server the newest `max_per_origin` stay; of servers those that
 *    stored last, `max_origins`. What is pushed out is lost and never handed out: it costs a Retry.
 *  - A token is for one version of QUIC; another version's is never found.
 *  - A token ends with its time to live, counted by the store's clock.
 *  - On a cache that notices losses (jtg_cache_watches()) a token that came back, because the store
 *    was restored from a backup or failed over, is not handed out a second time.
 *
 * Where a call has to know whether the store has forgotten something, a Redis Cluster is asked at
 * each of its primaries: "Blocks" counts that as one answer.
 *
 * What is in the store: a digest of the origin, and tokens as they came. A token is no key, but it
 * tells one client's connections from another's: give the store to nobody else.
 *
 * Threads: every function may be called from any thread at any time, but for free.
 * Fork:    make the object in the process that uses it. A child refuses: JTG_ERR_FORKED.
 * Source:  RFC 9000 sections 8.1.3 and 19.7, RFC 9369 section 5
 */
#ifndef JTIGUARD_QUIC_TOKENS_H
#define JTIGUARD_QUIC_TOKENS_H

#include <jtiguard/cache.h>
#include <jtiguard/endpoint.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Tokens on a cache, or on functions of the caller. Opaque. */
typedef struct jtg_quic_tokens jtg_quic_tokens;

/* Defaults and ranges of the options; the code uses these names. */
#define JTG_QUIC_NAME_DEFAULT        "default"
#define JTG_QUIC_TTL_MS_DEFAULT      UINT64_C(86400000) /**< 24 hours. */
#define JTG_QUIC_REMEMBER_MS_DEFAULT UINT64_C(86400000)
/** What a cache made for tokens alone has as jtg_memory_options.sweep_interval_ms: 60 seconds. */
#define JTG_QUIC_SWEEP_INTERVAL_MS_DEFAULT 60000U
enum {
    JTG_QUIC_NAME_MAX_BYTES = 64,
    JTG_QUIC_PER_ORIGIN_DEFAULT = 4,
    JTG_QUIC_ORIGINS_DEFAULT = 256,
    JTG_QUIC_ORIGINS_LIMIT = 4096,
    /** What fits beside a ClientHello into the first datagram on every path. */
    JTG_QUIC_TOKEN_BYTES_DEFAULT = 1024,
    JTG_QUIC_TOKEN_BYTES_LIMIT = 65535
};

/** Options. Start from JTG_QUIC_TOKENS_OPTIONS_INIT or jtg_quic_tokens_options_init(). */
typedef struct jtg_quic_tokens_options {
    size_t struct_size; /**< sizeof(jtg_quic_tokens_options). */

    /** Keeps these tokens apart from those of other names in the same cache. Objects of one name on
     * one store share their tokens. Also whom the cache charges for what is remembered. 1 … 64
     * printable bytes. NULL (default) = "default". Copied. */
    const char *name;

    /** Life of a token that is stored without one of its own, milliseconds. 1 … JTG_TTL_MAX_MS,
     * default 24 hours. Keep it no longer than the servers' own. */
    uint64_t ttl_ms;

    /** How long a token is known again after it was stored, milliseconds: this, or as long as it
     * lives, if that is longer. 1 … JTG_TTL_MAX_MS, default 24 hours. Costs a reservation in the
     * cache (in memory at most 40 bytes). */
    uint64_t remember_ms;

    /** Most tokens of an origin. 1 … JTG_KEEP_MAX, default 4. */
    uint32_t max_per_origin;

    /** Most origins; the one that stored longest ago makes room. 1 … 4,096, default 256. */
    uint32_t max_origins;

    /** Longest token, bytes. 1 … 65,535, default 1,024. */
    uint32_t max_token_bytes;

    uint32_t reserved; /**< 0. */
} jtg_quic_tokens_options;

#define JTG_QUIC_TOKENS_OPTIONS_INIT                                                               \
    {                                                                                              \
        sizeof(jtg_quic_tokens_options), NULL, JTG_QUIC_TTL_MS_DEFAULT,                            \
            JTG_QUIC_REMEMBER_MS_DEFAULT, JTG_QUIC_PER_ORIGIN_DEFAULT, JTG_QUIC_ORIGINS_DEFAULT,   \
            JTG_QUIC_TOKEN_BYTES_DEFAULT, 0                                                        \
    }

/** Set every option to its default; the same as JTG_QUIC_TOKENS_OPTIONS_INIT. */
JTG_API void jtg_quic_tokens_options_init(jtg_quic_tokens_options *options);

/** Make a store of tokens on a cache that keeps values.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY · JTG_ERR_SYSTEM
 * Owns:    *tokens returned, free with jtg_quic_tokens_free(); NULL on failure · cache borrowed
 *          until then · options borrowed for the call, NULL = all defaults · err may be NULL
 * Threads: any   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_quic_tokens_new(jtg_quic_tokens **tokens, jtg_cache *cache,
                                                       const jtg_quic_tokens_options *options,
                                                       jtg_error *err);

/** Wipe and free. tokens is taken; NULL does nothing. What is stored stays. Of an object that
 * jtg_quic_registry_find() gave, only that share ends.
 *
 * Threads: one, no other call with this share under way   Blocks: never
 */
JTG_API void jtg_quic_tokens_free(jtg_quic_tokens *tokens);

/** A token. Start from JTG_QUIC_TOKEN_INIT.
 *
 * To store, the pointer is borrowed. After a lookup, take or load it points into `storage`: call
 * jtg_quic_token_clear(). */
typedef struct jtg_quic_token {
    size_t struct_size; /**< sizeof(jtg_quic_token). */
    const void *data;   /**< As it stood in the NEW_TOKEN frame. */
    size_t data_len;    /**< 1 … max_token_bytes. */
    /** The smoothed round-trip time of the connection that it came on, microseconds, for the next
     * one to begin with. 0 = not known. */
    uint64_t rtt_us;

    /* To store; 0 after a lookup, take or load. */
    uint64_t ttl_ms; /**< Its own life, 1 … JTG_TTL_MAX_MS. 0 = that of the options. */
    /** When the connection that it came on began: wall clock, milliseconds since 1970. On a cache
     * that notices losses, a token whose first copy the store may have forgotten since then is not
     * stored. The clock is compared with the store's: say as much earlier as it may be ahead.
     * 0 = not said. */
    int64_t connected_ms;

    /* Set by a lookup, take or load; 0 of functions of the caller that do not set them. */
    uint64_t age_ms;    /**< Since it was stored. */
    uint64_t left_ms;   /**< Until it ends, at least 1. */
    void *storage;      /**< The library's. NULL where there is nothing to clear. */
    size_t storage_len; /**< Its bytes. */
} jtg_quic_token;

#define JTG_QUIC_TOKEN_INIT                                                                        \
    {                                                                                              \
        sizeof(jtg_quic_token), NULL, 0, 0, 0, 0, 0, 0, NULL, 0                                    \
    }

/** Wipe and free what a lookup, take or load put into it, and make it as JTG_QUIC_TOKEN_INIT.
 *
 * Threads: any   Blocks: never
 */
JTG_API void jtg_quic_token_clear(jtg_quic_token *token);

/** What became of a token that was to be stored: symbol, value, name for machines, text for people.
 * Never renumbered. */
#define JTG_QUIC_FATE_MAP(X)                                                                       \
    X(JTG_QUIC_NOT_STORED, 0, "not_stored", "the call failed: see its status")                     \
    X(JTG_QUIC_STORED, 1, "stored", "it is there")                                                 \
    X(JTG_QUIC_DUPLICATE, 2, "duplicate", "dropped: it was stored before")                         \
    X(JTG_QUIC_EMPTY, 3, "empty", "refused: it is empty, close with FRAME_ENCODING_ERROR")         \
    X(JTG_QUIC_TOO_LONG, 4, "too_long", "refused: it is longer than max_token_bytes")              \
    X(JTG_QUIC_BAD_TTL, 5, "bad_ttl", "refused: its time to live is out of range")                 \
    X(JTG_QUIC_BAD_ORIGIN, 6, "bad_origin", "refused: host, port or version is none")              \
    X(JTG_QUIC_MAY_BE_FORGOTTEN, 7, "may_be_forgotten",                                            \
      "refused: the store may have forgotten that it was stored before")

/** What became of a token that was to be stored. */
typedef enum jtg_quic_fate {
#define JTG_QUIC_FATE_ENUM(symbol, value, name, text) symbol = (value),
    JTG_QUIC_FATE_MAP(JTG_QUIC_FATE_ENUM)
#undef JTG_QUIC_FATE_ENUM
        JTG_QUIC_FATE_COUNT = 8 /**< Number of fates; grows, so never store it. */
} jtg_quic_fate;

/** Name of a fate, e.g. "stored"; "unknown" for a value that is none. Borrowed, static. */
JTG_API const char *jtg_quic_fate_name(jtg_quic_fate fate);
/** One line of text for people. As jtg_quic_fate_name() in all else. */
JTG_API const char *jtg_quic_fate_text(jtg_quic_fate fate);

/** Store a token that a server sent.
 *
 * endpoint: the server as the client asked for it: name, port. Of `alpn` and `parameters` give what
 *           tokens are to be kept apart by; tokens do not depend on ALPN.
 * version:  of QUIC, of the connection that the token came on; not 0.
 *
 * A duplicate changes nothing, not even the life of the first. After an error of the store the
 * token may or may not be stored, and storing it again may be a duplicate: a Retry is then the
 * price of never presenting one token twice.
 *
 * Returns: JTG_OK (stored, or a duplicate: see fate) · JTG_ERR_ARGUMENT (fate says which) ·
 *          JTG_ERR_CONTINUITY (may be forgotten) · JTG_ERR_MEMORY · JTG_ERR_FORKED · JTG_ERR_FULL
 *          and the others of jtg_cache_put() and jtg_cache_reserve()
 * Owns:    all borrowed for the call · fate and err may be NULL
 * Threads: any   Blocks: at most nine answers of the store, and two more for each caller that
 *          stores under the same name meanwhile, 64 at most
 * Source:  RFC 9000 section 19.7
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_quic_tokens_store(jtg_quic_tokens *tokens,
                                                         const jtg_endpoint *endpoint,
                                                         uint32_t version,
                                                         const jtg_quic_token *token,
                                                         jtg_quic_fate *fate, jtg_error *err);

/** The newest live token of an origin; it stays. **Not for presenting**: another caller may take it
 * meanwhile.
 *
 * Returns: JTG_OK · JTG_NOT_FOUND · JTG_ERR_PROTOCOL (what is stored is none of ours) ·
 *          JTG_ERR_ARGUMENT · JTG_ERR_… as jtg_cache_get()
 * Owns:    token returned: overwritten (it must hold no storage), the caller calls
 *          jtg_quic_token_clear(); as initialised unless JTG_OK · endpoint borrowed · err may be
 *          NULL
 * Threads: any   Blocks: one answer of the store
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_quic_tokens_lookup(jtg_quic_tokens *tokens,
                                                          const jtg_endpoint *endpoint,
                                                          uint32_t version, jtg_quic_token *token,
                                                          jtg_error *err);

/** Hand out the newest live token of an origin, and remove it in the same step: it is the caller's
 * alone, for one connection. What is none of ours is removed too.
 *
 * After JTG_ERR_TIMEOUT and JTG_ERR_CONTINUITY a token may be gone that nobody has.
 *
 * Returns: as jtg_quic_tokens_lookup() · JTG_ERR_CONTINUITY the store has forgotten something since
 *          the token was stored, so that it may have been handed out before (it is removed)
 * Blocks:  at most two answers of the store. All else as jtg_quic_tokens_lookup().
 * Source:  RFC 9000 section 8.1.3
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_quic_tokens_take(jtg_quic_tokens *tokens,
                                                        const jtg_endpoint *endpoint,
                                                        uint32_t version, jtg_quic_token *token,
                                                        jtg_error *err);

/** What a load did. */
typedef enum jtg_quic_load {
    JTG_QUIC_LOAD_FAILED = 0,  /**< The call failed; the token is as it was. */
    JTG_QUIC_LOAD_LOADED = 1,  /**< It was empty and holds one now. */
    JTG_QUIC_LOAD_ALREADY = 2, /**< It held one, e.g. of a Retry packet; the store was not asked. */
    JTG_QUIC_LOAD_MISS = 3,    /**< It is empty, and the store has none. */
    JTG_QUIC_LOAD_NO_CACHE = 4 /**< It is empty, and `tokens` is NULL. */
} jtg_quic_load;

/** Take a token for a connection, unless it has one.
 *
 * tokens: where from; NULL = from nowhere. Whatever the answer is, the connection can go on with
 *         what `token` holds: without one it costs a Retry at most.
 * token:  initialised, and empty or set by the caller.
 *
 * Returns: JTG_OK (see load) · JTG_ERR_… as jtg_quic_tokens_take()
 * Owns:    token borrowed; where it is loaded the caller calls jtg_quic_token_clear() · endpoint
 *          borrowed · load and err may be NULL
 * Threads: any   Blocks: as jtg_quic_tokens_take()
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_quic_tokens_maybe_load(jtg_quic_tokens *tokens,
                                                              const jtg_endpoint *endpoint,
                                                              uint32_t version,
                                                              jtg_quic_token *token,
                                                              jtg_quic_load *load, jtg_error *err);

/** Remove every token of an origin, e.g. when the server has refused one. They are not stored
 * again.
 *
 * Returns: JTG_OK · JTG_NOT_FOUND · JTG_ERR_… as jtg_cache_drop()
 * Owns:    endpoint borrowed · err may be NULL
 * Threads: any   Blocks: one answer of the store
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_quic_tokens_remove(jtg_quic_tokens *tokens,
                                                          const jtg_endpoint *endpoint,
                                                          uint32_t version, jtg_error *err);

/** Remove every token of this name, and of no other. They are not stored again.
 *
 * One that a process put and was killed, or failed, before it was counted stays until its end.
 *
 * Returns: JTG_OK · JTG_ERR_UNSUPPORTED (functions of the caller without it) · JTG_ERR_… as
 *          jtg_cache_drop() (some tokens may be gone)
 * Owns:    err may be NULL
 * Threads: any; what others store meanwhile may or may not stay   Blocks: three answers of the
 *          store, and one for each origin; all of it again where others store meanwhile, 64 times
 *          at most
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_quic_tokens_clear(jtg_quic_tokens *tokens, jtg_error *err);

/** How many origins of this name have a live token.
 *
 * Returns: JTG_OK · JTG_ERR_UNSUPPORTED (functions of the caller without it) · JTG_ERR_… as
 *          jtg_cache_get()
 * Owns:    origins borrowed, set only with JTG_OK · err may be NULL
 * Threads: any; calls under way may not be in it   Blocks: one answer of the store, and one for
 *          each origin
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_quic_tokens_size(jtg_quic_tokens *tokens, uint64_t *origins,
                                                        jtg_error *err);

/** Give back now the places of what has ended: tokens, origins without any, and what is remembered.
 *
 * Nothing needs it: what has ended is handed out by nobody from that moment on, and the store
 * removes it by itself; a memory cache does so every `sweep_interval_ms` of its options.
 *
 * Returns: JTG_OK · JTG_ERR_UNSUPPORTED (functions of the caller without it) · JTG_ERR_… as
 *          jtg_cache_swap() and jtg_cache_prune()
 * Owns:    origins borrowed: how many are left; may be NULL, set only with JTG_OK · err may be NULL
 * Threads: any   Blocks: as jtg_quic_tokens_size(), four times at most, and jtg_cache_prune()
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_quic_tokens_prune(jtg_quic_tokens *tokens, uint64_t *origins,
                                                         jtg_error *err);

/* ---- a store of the caller's own ---- */

/** Functions that keep tokens, for a program with a store that is no jtg_cache. What they are given
 * has been checked: the endpoint's host is in its one spelling (endpoint.h), version, token and
 * times are within their ranges. They are called from any thread, with nothing held.
 *
 * All but the last three are mandatory. They answer a jtg_status as the public functions do; a
 * number that is none counts as JTG_ERR_PROTOCOL. */
typedef struct jtg_quic_functions {
    size_t struct_size; /**< sizeof(jtg_quic_functions). */
    void *context;      /**< Handed to each. Borrowed until the object is freed. */

    /** Keep a token for ttl_ms, newest first. JTG_REPLAYED: it was kept before, also if it was
     * taken since; the caller is told of a duplicate. */
    jtg_status (*store)(void *context, const jtg_endpoint *endpoint, uint32_t version,
                        const jtg_quic_token *token, uint64_t ttl_ms, jtg_error *err);
    /** Copy the newest live token out, with jtg_quic_token_set(). JTG_NOT_FOUND: there is none. */
    jtg_status (*lookup)(void *context, const jtg_endpoint *endpoint, uint32_t version,
                         jtg_quic_token *token, jtg_error *err);
    /** The same, and remove it in the same step, for every thread and process: **no token may be
     * given twice**. */
    jtg_status (*take)(void *context, const jtg_endpoint *endpoint, uint32_t version,
                       jtg_quic_token *token, jtg_error *err);
    /** Remove every token of the origin, or JTG_NOT_FOUND. */
    jtg_status (*remove)(void *context, const jtg_endpoint *endpoint, uint32_t version,
                         jtg_error *err);

    /** Remove all. NULL: JTG_ERR_UNSUPPORTED. */
    jtg_status (*clear)(void *context, jtg_error *err);
    /** Count the origins that have a live token. NULL: JTG_ERR_UNSUPPORTED. */
    jtg_status (*size)(void *context, uint64_t *origins, jtg_error *err);
    /** Forget what has ended, and count as `size`. NULL: JTG_ERR_UNSUPPORTED. */
    jtg_status (*prune)(void *context, uint64_t *origins, jtg_error *err);
} jtg_quic_functions;

/** Make a store of tokens of the caller's functions. Of the options name (for a registry),
 * ttl_ms and max_token_bytes count, the others are checked only.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (also: a mandatory function is missing) · JTG_ERR_MEMORY ·
 *          JTG_ERR_SYSTEM
 * Owns:    functions copied; all else as jtg_quic_tokens_new()
 * Threads: any   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status
jtg_quic_tokens_new_custom(jtg_quic_tokens **tokens, const jtg_quic_functions *functions,
                           const jtg_quic_tokens_options *options, jtg_error *err);

/** Fill a token with a copy of bytes, e.g. in `take` of jtg_quic_functions.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (empty, too long, or the token holds storage) · JTG_ERR_MEMORY
 * Owns:    token overwritten; whoever gets it calls jtg_quic_token_clear() · data borrowed
 * Threads: any   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_quic_token_set(jtg_quic_token *token, const void *data,
                                                      size_t data_len, uint64_t rtt_us);

/* ---- stores by their names ---- */

/** Stores of tokens that a program has started, for those who have only a name, e.g. out of a
 * configuration. Opaque. */
typedef struct jtg_quic_registry jtg_quic_registry;

/** Make an empty one.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY
 * Owns:    *registry returned, free with jtg_quic_registry_free(); NULL on failure · err may be
 * NULL
 * Threads: any   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_quic_registry_new(jtg_quic_registry **registry,
                                                         jtg_error *err);

/** Stop every store that it holds, and free it. registry is taken; NULL does nothing.
 *
 * Threads: one, no other call on it under way   Blocks: never
 */
JTG_API void jtg_quic_registry_free(jtg_quic_registry *registry);

/** Hold a store under its name, until it is stopped.
 *
 * Returns: JTG_OK · JTG_ERR_REFUSED (one of that name is started) · JTG_ERR_ARGUMENT ·
 *          JTG_ERR_MEMORY · JTG_ERR_FORKED
 * Owns:    tokens taken with JTG_OK; else it stays the caller's · err may be NULL
 * Threads: any   Blocks: one short lock
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_quic_registry_start(jtg_quic_registry *registry,
                                                           jtg_quic_tokens *tokens, jtg_error *err);

/** The store of a name.
 *
 * Returns: JTG_OK · JTG_NOT_FOUND (none of that name is started) · JTG_ERR_ARGUMENT ·
 *          JTG_ERR_FORKED
 * Owns:    *tokens returned: a share, good also after a stop, give it up with
 *          jtg_quic_tokens_free(); NULL on failure · name borrowed · err may be NULL
 * Threads: any   Blocks: one short lock
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_quic_registry_find(jtg_quic_registry *registry,
                                                          const char *name,
                                                          jtg_quic_tokens **tokens, jtg_error *err);

/** Hold the store of a name no longer; it is freed with its last share. What is stored stays.
 *
 * Returns: JTG_OK · JTG_NOT_FOUND · JTG_ERR_ARGUMENT · JTG_ERR_FORKED
 * Owns:    name borrowed · err may be NULL
 * Threads: any   Blocks: one short lock
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_quic_registry_stop(jtg_quic_registry *registry,
                                                          const char *name, jtg_error *err);

#ifdef __cplusplus
}
#endif
#endif
