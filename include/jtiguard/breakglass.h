/* SPDX-License-Identifier: Apache-2.0 */
/** @file breakglass.h
 * The break-glass token: one secret that opens an emergency door, for a short time.
 *
 * At most one token is active at any instant in a place of a cache, whatever number of threads
 * and processes issue, use and revoke there: the place is one value, which every change replaces in
 * one atomic step. A token is 32 random bytes; its text goes to the caller once and is wiped here.
 * What is stored is HMAC-SHA-256 of it and of its terms, under a key that never reaches the store:
 * whoever reads the store learns no token, and whoever writes there can end a token but can make
 * none, nor prolong one, nor give it uses back beyond an older state of the same token.
 *
 * Restart. Without a `key` of the caller's the key is drawn at random and lives in this object
 * only. A restart then ends the active token, also where the store outlives it (a Redis with
 * persistence). It also means that a token is good at the instance that issued it and at no other:
 * instances that share one store share the place, so that one's token ends when another issues, but
 * they cannot check each other's. Give all of them one `key` where a token must be good at each;
 * then it outlives restarts, for as long as the key does. docs/breakglass.md has both set-ups.
 *
 * No answer tells a wrong token from an ended one or from none, nor does the time it takes: all
 * of them read one stored record of one size (there is one also while no token is active) and
 * do the same work. See docs/breakglass.md for what was measured, and how sharply.
 *
 * When the store cannot be asked, the token is refused. On a cache that notices losses
 * (jtg_cache_watches()) it also ends when the store may have forgotten something since it was
 * issued: a failover to a replica that was behind, or a restart from an older copy, could else
 * bring back a token that was revoked, or uses that were spent.
 *
 * Ask no more often than you must: a page that takes tokens from anybody should limit the rate
 * of tries like any log-in page, although a token cannot be guessed.
 */
#ifndef JTIGUARD_BREAKGLASS_H
#define JTIGUARD_BREAKGLASS_H

#include <jtiguard/cache.h>
#include <jtiguard/clock.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    JTG_BREAKGLASS_TOKEN_BYTES = 32,   /**< Random bytes of a token. */
    JTG_BREAKGLASS_TEXT_BYTES = 44,    /**< Its text, base64url without padding, and a NUL. */
    JTG_BREAKGLASS_KEY_BYTES = 32,     /**< Size of a key. */
    JTG_BREAKGLASS_NAME_MAX_BYTES = 64 /**< Longest name of a place. */
};

/* Defaults and ranges of the options; the code uses these names. */
#define JTG_BREAKGLASS_TTL_MS_DEFAULT UINT64_C(3600000)
#define JTG_BREAKGLASS_TTL_MS_LIMIT   UINT64_C(2678400000)
#define JTG_BREAKGLASS_MAX_USES_LIMIT 1000000U

/** What was asked for. Values are part of the ABI. */
typedef enum jtg_breakglass_event {
    JTG_BREAKGLASS_ISSUE = 0,
    JTG_BREAKGLASS_LOOKUP = 1,
    JTG_BREAKGLASS_DELETE = 2,
    JTG_BREAKGLASS_CLEAR = 3,
    JTG_BREAKGLASS_EVENT_COUNT = 4 /**< Number of events; grows, so never store it. */
} jtg_breakglass_event;

/** Every outcome: symbol, value, name for machines, text for people. Never renumbered. */
#define JTG_BREAKGLASS_OUTCOME_MAP(X)                                                              \
    X(JTG_BREAKGLASS_FAILED, 0, "failed", "not done, or not known to be done")                     \
    X(JTG_BREAKGLASS_ISSUED, 1, "issued", "a token was issued")                                    \
    X(JTG_BREAKGLASS_REPLACED, 2, "replaced", "a token was issued in place of an active one")      \
    X(JTG_BREAKGLASS_REFUSED, 3, "refused", "a token is active already")                           \
    X(JTG_BREAKGLASS_MATCHED, 4, "matched", "the token is the active one")                         \
    X(JTG_BREAKGLASS_NO_TOKEN, 5, "no_token", "no token is active")                                \
    X(JTG_BREAKGLASS_NO_MATCH, 6, "no_match", "the token is not the stored one")                   \
    X(JTG_BREAKGLASS_MALFORMED, 7, "malformed", "the text is no token")                            \
    X(JTG_BREAKGLASS_EXPIRED, 8, "expired", "the token's time has ended")                          \
    X(JTG_BREAKGLASS_USED_UP, 9, "used_up", "the token has no uses left")                          \
    X(JTG_BREAKGLASS_DELETED, 10, "deleted", "the active token was ended by its holder")           \
    X(JTG_BREAKGLASS_CLEARED, 11, "cleared", "no token is active any more")                        \
    X(JTG_BREAKGLASS_UNSURE, 12, "unsure",                                                         \
      "the store may have forgotten that the token was used or ended")

/** How it went. For the audit only: whoever shows a token is not told why it was refused. */
typedef enum jtg_breakglass_outcome {
#define JTG_BREAKGLASS_OUTCOME_ENUM(symbol, value, name, text) symbol = (value),
    JTG_BREAKGLASS_OUTCOME_MAP(JTG_BREAKGLASS_OUTCOME_ENUM)
#undef JTG_BREAKGLASS_OUTCOME_ENUM
        JTG_BREAKGLASS_OUTCOME_COUNT = 13 /**< Number of outcomes; grows, so never store it. */
} jtg_breakglass_outcome;

/** Name of an event, e.g. "issue"; "unknown" for a value that is none. Borrowed, static. */
JTG_API const char *jtg_breakglass_event_name(jtg_breakglass_event event);
/** Name of an outcome, e.g. "matched"; "unknown" for a value that is none. Borrowed, static. */
JTG_API const char *jtg_breakglass_outcome_name(jtg_breakglass_outcome outcome);
/** One line of text for people. As jtg_breakglass_outcome_name() in all else. */
JTG_API const char *jtg_breakglass_outcome_text(jtg_breakglass_outcome outcome);

/** One line of the audit. It holds no token and nothing that a token could be made of. */
typedef struct jtg_breakglass_audit {
    size_t struct_size; /**< sizeof(jtg_breakglass_audit) in the library. */
    jtg_breakglass_event event;
    jtg_breakglass_outcome outcome;
    jtg_status status; /**< What the call is about to answer. */
    int64_t time_ms;   /**< Wall clock when the call began, milliseconds since 1970. */
} jtg_breakglass_audit;

/** Options of a place. Start from JTG_BREAKGLASS_OPTIONS_INIT or jtg_breakglass_options_init(). */
typedef struct jtg_breakglass_options {
    size_t struct_size; /**< sizeof(jtg_breakglass_options). */

    /** Name of the place in the cache, 1 … 64 bytes without control characters, NUL-terminated.
     * Two names are two places, with a token each. NULL (default) = "default". Copied. */
    const char *name;

    /** JTG_BREAKGLASS_KEY_BYTES secret random bytes, the same at all instances that must know
     * each other's token. NULL (default) = drawn at random, so that a restart ends the token.
     * All zero is refused. Copied into memory that is kept out of swap and core dumps where the
     * system allows it. */
    const void *key;

    /** How long a token that is issued here lives, milliseconds, 1 … 2,678,400,000 (31 days),
     * default 3,600,000 (one hour). */
    uint64_t ttl_ms;

    /** How often a token that is issued here can be looked up with success, 1 … 1,000,000;
     * 0 (default) = as often as its time allows. Exact also under races. */
    uint32_t max_uses;

    /** Told of each event, after it, by the thread that called and before the call returns; under
     * no lock. It must not call this object. NULL (default) = nobody. */
    void (*audit)(void *context, const jtg_breakglass_audit *entry);
    void *audit_context; /**< Handed to audit; borrowed until the object is freed. */

    const jtg_clock *clock; /**< NULL (default) = the system's. Copied. */
} jtg_breakglass_options;

#define JTG_BREAKGLASS_OPTIONS_INIT                                                                \
    {                                                                                              \
        sizeof(jtg_breakglass_options), NULL, NULL, JTG_BREAKGLASS_TTL_MS_DEFAULT, 0, NULL, NULL,  \
            NULL                                                                                   \
    }

/** Set every option to its default; the same as JTG_BREAKGLASS_OPTIONS_INIT. */
JTG_API void jtg_breakglass_options_init(jtg_breakglass_options *options);

/** A place for one token. Opaque. */
typedef struct jtg_breakglass jtg_breakglass;

/** Make the way to a place in a cache that keeps values. Asks the store nothing yet.
 *
 * options: NULL = all defaults. A value out of its range is an error and not clamped.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY · JTG_ERR_SYSTEM (no randomness)
 * Owns:    *breakglass returned, free with jtg_breakglass_free(); NULL on failure · cache borrowed
 *          until then · options borrowed for the call · err borrowed, may be NULL
 * Threads: any   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_breakglass_new(jtg_breakglass **breakglass, jtg_cache *cache,
                                                      const jtg_breakglass_options *options,
                                                      jtg_error *err);

/** Wipe the key and free. The cache stays, and so does what is stored; without a key of the
 * caller's nobody can use it any more. NULL does nothing. No other call on it may be under way.
 *
 * Threads: one   Blocks: never
 */
JTG_API void jtg_breakglass_free(jtg_breakglass *breakglass);

/** What is known of a token that is active. */
typedef struct jtg_breakglass_info {
    size_t struct_size; /**< sizeof(jtg_breakglass_info), set by the caller. */
    int64_t issued_ms;  /**< When it was issued, wall clock, milliseconds since 1970. */
    int64_t expires_ms; /**< When it ends, the same. */
    uint64_t max_uses;  /**< As it was issued with; 0 = no limit. */
    uint64_t uses;      /**< Used so often, this time included. Counted only with a limit. */
    uint64_t own_key;   /**< 1: issued under this object's key; 0: this object cannot check it. */
} jtg_breakglass_info;

/** Initialiser of a jtg_breakglass_info: empty. */
#define JTG_BREAKGLASS_INFO_INIT                                                                   \
    {                                                                                              \
        sizeof(jtg_breakglass_info), 0, 0, 0, 0, 0                                                 \
    }

/** What to do when a token is active. No default: each call says it. */
typedef enum jtg_breakglass_mode {
    /** Issue, and end the one that is active, in one step. Whoever may issue can thereby put
     * out whoever is using the door. */
    JTG_BREAKGLASS_REPLACE = 1,
    /** Refuse while a token is active, also one that only another process can check. */
    JTG_BREAKGLASS_IF_NONE = 2
} jtg_breakglass_mode;

/** Make a token and store its digest.
 *
 * The text is the only copy of the token; wipe it when it has been shown.
 *
 * A token that is stored but whose answer was lost is found by reading it back; when that fails
 * too, the answer is JTG_ERR_TIMEOUT, and a token that nobody knows may be active until its time
 * ends, or until jtg_breakglass_clear().
 *
 * Returns: JTG_OK · JTG_MISMATCH a token is active (IF_NONE only; nothing changed) ·
 *          JTG_ERR_ARGUMENT · JTG_ERR_FORKED · JTG_ERR_PROTOCOL what is stored is no record of
 *          ours (IF_NONE only) · JTG_ERR_SYSTEM the clock gives no usable time ·
 *          JTG_ERR_… as jtg_cache_put()
 * Owns:    text is the caller's, overwritten: the token, or "" unless the answer is JTG_OK · info
 *          borrowed, may be NULL, zero unless the answer is JTG_OK · err borrowed, may be NULL
 * Threads: any   Blocks: as six calls on the cache; IF_NONE three more whenever another caller
 *          changed the place meanwhile
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_breakglass_issue(jtg_breakglass *breakglass,
                                                        jtg_breakglass_mode mode,
                                                        char text[JTG_BREAKGLASS_TEXT_BYTES],
                                                        jtg_breakglass_info *info, jtg_error *err);

/** Is this the active token? Counts a use where it was issued with a limit.
 *
 * Reads the store once, asks one that notices losses whether it has kept everything, and takes no
 * lock of its own: a lookup waits for no issue, delete or clear that is under way.
 *
 * Returns: JTG_OK it is · JTG_NOT_FOUND it is not: never was, has ended, was used up, replaced
 *          or revoked, or may have been before the store forgot; or is no token at all ·
 *          JTG_ERR_ARGUMENT · JTG_ERR_FORKED ·
 *          JTG_ERR_PROTOCOL what is stored is no record of ours · JTG_ERR_SYSTEM the clock gives no
 *          usable time · JTG_ERR_TIMEOUT whether the use was counted is unknown: refuse it ·
 *          JTG_ERR_… as jtg_cache_get()
 * Owns:    text borrowed, text_len bytes without a NUL; it is not changed · info borrowed, may be
 *          NULL, zero unless the answer is JTG_OK · err borrowed, may be NULL
 * Threads: any   Blocks: as jtg_cache_get() and jtg_cache_epoch(); with a limit as a
 *          jtg_cache_swap() and another jtg_cache_epoch() too, and all again whenever another
 *          caller used the token meanwhile
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_breakglass_lookup(jtg_breakglass *breakglass,
                                                         const char *text, size_t text_len,
                                                         jtg_breakglass_info *info, jtg_error *err);

/** End the active token, if it is this one. Counts no use.
 *
 * Returns: JTG_OK it was, and is ended · JTG_NOT_FOUND · JTG_ERR_TIMEOUT it may be ended: ask
 *          again, JTG_NOT_FOUND then means that it is · JTG_ERR_… as jtg_breakglass_lookup()
 * Owns:    as jtg_breakglass_lookup()
 * Threads: any   Blocks: as a jtg_cache_get(), a jtg_cache_epoch() and a jtg_cache_swap(),
 * again whenever another caller used the token meanwhile
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_breakglass_delete(jtg_breakglass *breakglass,
                                                         const char *text, size_t text_len,
                                                         jtg_error *err);

/** End whatever token is active, also one that only another process can check, and repair a
 * place that holds something else.
 *
 * Returns: JTG_OK, also when there was none · JTG_ERR_TIMEOUT it may be ended: ask again ·
 *          JTG_ERR_… as jtg_cache_put()
 * Owns:    err borrowed, may be NULL
 * Threads: any   Blocks: as jtg_cache_put()
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_breakglass_clear(jtg_breakglass *breakglass, jtg_error *err);

/** Is a token active? Says nothing of which. Not part of the audit.
 *
 * The terms of a token of another key are as the store says, unchecked.
 *
 * Returns: JTG_OK · JTG_NOT_FOUND no token is active · JTG_ERR_… as jtg_breakglass_lookup()
 * Owns:    info borrowed, may be NULL, zero unless the answer is JTG_OK · err borrowed, may be NULL
 * Threads: any   Blocks: as jtg_cache_get() and jtg_cache_epoch()
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_breakglass_status(jtg_breakglass *breakglass,
                                                         jtg_breakglass_info *info, jtg_error *err);

#ifdef __cplusplus
}
#endif
#endif
