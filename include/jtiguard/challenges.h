/* SPDX-License-Identifier: Apache-2.0 */
/** @file challenges.h
 * One-time challenges that a server hands out and takes back once: WebAuthn challenges, c_nonce of
 * OpenID4VCI, DPoP nonces that are really single-use, links in e-mails.
 *
 *     jtg_challenge challenge;
 *     if (jtg_challenges_issue(challenges, "webauthn", 8, 0, &challenge, 1, NULL) != JTG_OK)
 *         …show no form…
 *     …
 *     if (jtg_challenges_consume(challenges, "webauthn", 8, text, text_len, NULL) != JTG_OK)
 *         …refuse…
 *
 * A challenge is a number under a keyed tag. What is stored is a bitmap of the numbers, one bit for
 * each: about a bit a challenge, where a key of its own takes a hundred bytes and more. Numbers are
 * had from the store in ranges, each under a random name, so that no two processes ever hand out
 * the same one, and the memory for the bits of a range is had with it: **a full store refuses to
 * issue**, and nothing live is ever written over.
 *
 * Consuming is one atomic first use, by any thread, process or instance on the same store. The tag
 * is checked before the store is asked: a value that was changed, that was issued for another
 * purpose, or whose time has ended, does not use up the right one.
 *
 * On a cache that notices losses (jtg_cache_watches()) what was issued before a loss is refused as
 * JTG_ERR_CONTINUITY, and for margin_ms after it none is issued. The memory store forgets with its
 * process: what was issued before a restart is refused, for nobody has its bitmap.
 *
 * There is no owner: one bit has no room for it. After JTG_ERR_TIMEOUT the challenge may be used
 * up, asking again may answer JTG_REPLAYED, and whoever showed it needs a new one.
 *
 * A challenge is not secret. It tells when its range was begun and when it ends, and its number in
 * the range; nobody can make or guess one without the key. docs/challenges.md says more.
 */
#ifndef JTIGUARD_CHALLENGES_H
#define JTIGUARD_CHALLENGES_H

#include <jtiguard/cache.h>
#include <jtiguard/clock.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    JTG_CHALLENGE_TEXT_BYTES = 72,         /**< A challenge, base64url, with its NUL. */
    JTG_CHALLENGE_SECRET_BYTES = 32,       /**< Size of a secret. */
    JTG_CHALLENGE_NAME_MAX_BYTES = 64,     /**< Longest name of a set of challenges. */
    JTG_CHALLENGE_PURPOSE_MAX_BYTES = 1024 /**< Longest purpose. */
};

/* Defaults and ranges of the options; the code uses these names. */
#define JTG_CHALLENGE_LIFETIME_MS_DEFAULT UINT64_C(300000)
#define JTG_CHALLENGE_LIFETIME_MS_LIMIT   UINT64_C(2678400000)
#define JTG_CHALLENGE_MARGIN_MS_DEFAULT   60000U
#define JTG_CHALLENGE_MARGIN_MS_LIMIT     3600000U
#define JTG_CHALLENGE_RANGE_DEFAULT       65472U
#define JTG_CHALLENGE_RANGE_LEAST         64U

/** Issues and consumes challenges on a cache. Opaque. */
typedef struct jtg_challenges jtg_challenges;

/** Options. Start from JTG_CHALLENGES_OPTIONS_INIT or jtg_challenges_options_init(). */
typedef struct jtg_challenges_options {
    size_t struct_size; /**< sizeof(jtg_challenges_options). */

    /** Which set of challenges of the cache this is: 1 … JTG_CHALLENGE_NAME_MAX_BYTES bytes without
     * control characters, NULL (default) = "default". Instances that are to consume each other's
     * challenges have one name, and the same options. Copied. */
    const char *name;

    /** How long a challenge lives, and the longest that may be asked for, in milliseconds.
     * 1 … 2,678,400,000 (31 days), default 300,000. */
    uint64_t lifetime_ms;

    /** By how much the clocks of the instances and of the store may differ, in milliseconds.
     * 0 … 3,600,000, default 60,000. */
    uint32_t margin_ms;

    /** Most numbers that are had from the store at once, JTG_CHALLENGE_RANGE_LEAST …
     * JTG_BITMAP_MAX_BITS, default 65,472: a string of Redis that leaves nothing of its memory
     * unused. A range begins with 1,024, and grows with the load. */
    uint32_t range;

    /** The key of the tags, JTG_CHALLENGE_SECRET_BYTES bytes, the same in all instances. NULL
     * (default): it is drawn at random and lies in the store as a value, where all find it; then
     * whoever can read the store can make challenges. Copied. */
    const void *secret;

    /** The clock. NULL (default) = the system's. Copied. */
    const jtg_clock *clock;
} jtg_challenges_options;

#define JTG_CHALLENGES_OPTIONS_INIT                                                                \
    {                                                                                              \
        sizeof(jtg_challenges_options), NULL, JTG_CHALLENGE_LIFETIME_MS_DEFAULT,                   \
            JTG_CHALLENGE_MARGIN_MS_DEFAULT, JTG_CHALLENGE_RANGE_DEFAULT, NULL, NULL               \
    }

/** Set every option to its default; the same as JTG_CHALLENGES_OPTIONS_INIT. */
JTG_API void jtg_challenges_options_init(jtg_challenges_options *options);

/** Make an object that issues and consumes challenges. Nothing is asked of the store yet.
 *
 * cache:   one with bitmaps, and with values where no secret is given: all of the library.
 * options: NULL = all defaults. A value out of its range is an error and not clamped.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY · JTG_ERR_SYSTEM (no randomness)
 * Owns:    *challenges returned, free with jtg_challenges_free(); NULL on failure · cache borrowed
 *          until then · options borrowed for the call · err may be NULL
 * Threads: any   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_challenges_new(jtg_challenges **challenges, jtg_cache *cache,
                                                      const jtg_challenges_options *options,
                                                      jtg_error *err);

/** Free it. What was issued stays good, with another object of the same name and key.
 * challenges is taken; NULL does nothing.
 *
 * Threads: one, no other call on it under way   Blocks: never
 */
JTG_API void jtg_challenges_free(jtg_challenges *challenges);

/** A challenge: text of the base64url alphabet, 71 characters and a NUL. */
typedef struct jtg_challenge {
    char text[JTG_CHALLENGE_TEXT_BYTES];
} jtg_challenge;

/** Issue challenges for a purpose: as many as are asked for, or none.
 *
 * purpose:     what they are good for, 1 … JTG_CHALLENGE_PURPOSE_MAX_BYTES bytes, e.g. "webauthn".
 *              It is not in the challenge, but under its tag. With the session or the account
 *              behind it, nobody else can use it.
 * lifetime_ms: 1 … that of the options, 0 = that.
 * issued:      so many, 1 … JTG_MANY_MAX. On failure each is an empty text.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_FULL the store has no room for more ·
 * JTG_ERR_CONTINUITY the store has kept everything for less than margin_ms · JTG_ERR_UNSUPPORTED (a
 * cache without bitmaps) · JTG_ERR_FORKED · the others of jtg_cache_put(); JTG_ERR_TIMEOUT is told
 * as JTG_ERR_UNAVAILABLE, for nothing was issued Owns:    purpose borrowed · issued borrowed,
 * overwritten · err may be NULL Threads: any   Blocks: a short lock; where a range is used up, at
 * most six answers of the store
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_challenges_issue(jtg_challenges *challenges,
                                                        const void *purpose, size_t purpose_len,
                                                        uint64_t lifetime_ms, jtg_challenge *issued,
                                                        size_t count, jtg_error *err);

/** One of several challenges that are consumed at once. What is all zero refuses. Its layout is
 * fixed. */
typedef struct jtg_consume_call {
    const void *purpose; /**< As it was issued for. Borrowed for the call, as text and err. */
    size_t purpose_len;  /**< Bytes. */
    const char *text;    /**< What was shown. */
    size_t text_len;     /**< Bytes, without a NUL. */
    jtg_error *err;      /**< Of this call alone, or NULL. */
    bool consumed;       /**< Answer: first use. True if and only if status is JTG_OK. */
    jtg_status status;   /**< Answer: why. Go by consumed. */
} jtg_consume_call;

/** Consume challenges, each for itself: one use of each, by whoever comes first.
 *
 * Each call is answered by itself, in `consumed` and `status`, in the order of the array; before
 * anything else each is set to a refusal.
 *
 *   JTG_OK first use · JTG_REPLAYED used before · JTG_MISMATCH none of ours for this purpose: made
 *   up, changed, of another purpose or key · JTG_NOT_FOUND its time has ended ·
 *   JTG_ERR_CONTINUITY the store may have forgotten that it was used (it may be used up now) ·
 *   JTG_ERR_TIMEOUT whether it was used is unknown · JTG_ERR_REPLICAS it is used up, but not safely
 * · JTG_ERR_ARGUMENT · JTG_ERR_FORKED · the others of jtg_cache_bitmap_take_many()
 *
 * count: at most JTG_MANY_MAX; of more each is answered JTG_ERR_ARGUMENT. 0 does nothing.
 *
 * Owns:    calls borrowed, `consumed` and `status` overwritten; NULL does nothing
 * Threads: any, not two with one array   Blocks: as jtg_cache_bitmap_take_many(); with a key that
 * is not known yet, one answer of the store more
 */
JTG_API void jtg_challenges_consume_many(jtg_challenges *challenges, jtg_consume_call *calls,
                                         size_t count);

/** Consume one. Returns: as jtg_challenges_consume_many() answers each of its calls.
 *
 * Owns:    purpose and text borrowed · err may be NULL
 * Threads: any   Blocks: one answer of the store, or two
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_challenges_consume(jtg_challenges *challenges,
                                                          const void *purpose, size_t purpose_len,
                                                          const char *text, size_t text_len,
                                                          jtg_error *err);

#ifdef __cplusplus
}
#endif
#endif
