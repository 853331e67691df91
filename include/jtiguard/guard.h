/* SPDX-License-Identifier: Apache-2.0 */
/** @file guard.h
 * The guard: claims of a verified token in, admit or a reason out.
 *
 * Call it last: after signature, issuer, audience and binding checks, and before the token
 * has any effect. A guard that is asked earlier lets a third party burn tokens that are not
 * theirs, and fill the store.
 *
 * Guard single-use tokens only. An access token is meant to be shown many times.
 *
 * A token is always remembered longer than it can be accepted: the guard itself checks the times,
 * and computes both times from the same options (exp + leeway, and exp + leeway + margin). No
 * option changes that. It holds for one guard: guards that share a store, in one process or in
 * many, must be made with the same options (see docs/guard.md), or one forgets what another still
 * accepts.
 *
 * A store can forget: it is restarted without its data or with older data, fails over to a replica
 * that lags, is flushed, evicts, or is exchanged. On a cache that notices (jtg_cache_watches();
 * Redis does unless told not to) the guard refuses every token that may have been used before the
 * loss (JTG_REASON_CONTINUITY_LOST): those issued up to the loss plus future_leeway_s plus
 * retention_margin_s (90 s after it, with the defaults), and those without iat that expire within
 * max_lifetime_s plus retention_margin_s of it. Tokens issued later pass. The error's text says
 * from when on, at the latest, and names `jtiguard vouch`. A store that is new cannot be told from
 * one that lost everything; docs/continuity.md says what that costs and how an operator vouches for
 * a new store.
 *
 * When the wall clock is set back by more than the margin, tokens that were forgotten could
 * become acceptable again. The guard notices (it compares the wall with the monotonic
 * clock) and from then on refuses tokens that may have been used under the earlier clock and
 * forgotten since (JTG_REASON_CLOCK_SET_BACK); tokens issued after the moment that the clock had
 * reached, and tokens that are certainly still remembered, pass at once. On a store that lends
 * memory for it (backend.h; the memory store does) all guards on it notice together, also one that
 * is made afterwards; they must be given the same clock. On another store each notices for itself.
 */
#ifndef JTIGUARD_GUARD_H
#define JTIGUARD_GUARD_H

#include <jtiguard/cache.h>
#include <jtiguard/clock.h>
#include <jtiguard/log.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What is shown. Part of the key: a token of one kind never burns one of another kind.
 *
 * Each kind says which claims it needs; a missing one refuses.
 * "scope" are the parts that make the key beside the jti; parts that a kind does not name are
 * ignored, so that two verifiers that differ in them still meet. Parts in brackets count when
 * given: all verifiers that share a store must then give the same.
 */
typedef enum jtg_kind {
    JTG_KIND_NONE = 0,              /**< Not set: refused. */
    JTG_KIND_ID_TOKEN = 1,          /**< OIDC ID token or workload identity token.
                                         Needs iss, aud, jti, exp. Scope: iss, aud. */
    JTG_KIND_CLIENT_ASSERTION = 2,  /**< RFC 7523 section 3. Needs iss (the client), aud, jti,
                                         exp. Scope: iss, aud. */
    JTG_KIND_DPOP_PROOF = 3,        /**< RFC 9449 section 4.2. Needs the key's thumbprint, jti,
                                         iat; lives for proof_max_age_s from iat. Scope:
                                         thumbprint. */
    JTG_KIND_LOGOUT_TOKEN = 4,      /**< OIDC Back-Channel Logout section 2.4. Needs iss, aud,
                                         jti, iat, exp. Scope: iss, aud. */
    JTG_KIND_SAML_ASSERTION = 5,    /**< SAML 2.0 profiles section 4.1.4.5. Needs the issuer,
                                         ID as jti, NotOnOrAfter as exp. Scope: issuer, [aud]. */
    JTG_KIND_CUSTOM = 6,            /**< The caller's own. Needs custom_kind, jti, exp. Scope:
                                         custom_kind, [iss], [aud], [client], [thumbprint]. */
    JTG_KIND_SECURITY_EVENT = 7,    /**< Security event token, RFC 8417 section 2.2. Needs iss,
                                         jti, iat; without exp it lives for max_lifetime_s less
                                         future_leeway_s from iat. Scope: iss, [aud]. */
    JTG_KIND_ATTESTATION_PROOF = 8, /**< Proof of possession of a client attestation,
                                        draft-ietf-oauth-attestation-based-client-auth. Needs the
                                        key's thumbprint, aud, jti, iat; lives for proof_max_age_s
                                        from iat. Scope: thumbprint, aud. */
    JTG_KIND_WORKLOAD_PROOF = 9,    /**< Workload proof token, draft-ietf-wimse-wpt. Needs the key's
                                        thumbprint, jti, exp. Scope: thumbprint. */
    JTG_KIND_MESSAGE_SIGNATURE = 10, /**< HTTP message signature, RFC 9421 section 7.2.2; Web Bot
                                        Auth. Needs the key's thumbprint (or keyid), nonce as jti,
                                        created as iat, expires as exp. Scope: thumbprint, [aud]. */
    JTG_KIND_PASSPORT = 11,          /**< PASSporT, RFC 8225, of SIP (RFC 8224 section 12.1). Needs
                                        the signer (x5u) as iss, iat, and a jti or the signing
                                        input; lives for proof_max_age_s from iat. Scope: iss. */
    JTG_KIND_CREDENTIAL_PROOF = 12   /**< Key proof of OpenID4VCI, appendix F.1. Needs the key's
                                        thumbprint, aud, c_nonce as jti, iat; lives for
                                        proof_max_age_s from iat. Scope: thumbprint, aud. */
} jtg_kind;

/** Name of a kind, e.g. "dpop_proof"; "none" for JTG_KIND_NONE or no kind. Borrowed, static. */
JTG_API const char *jtg_kind_name(jtg_kind kind);

/** The kind of a name; JTG_KIND_NONE where there is none. name borrowed, may be NULL. */
JTG_API jtg_kind jtg_kind_from_name(const char *name);

/** Bytes of a claim; borrowed for the call; not NUL-terminated. {NULL, 0} = absent. */
typedef struct jtg_text {
    const char *data;
    size_t data_len;
} jtg_text;

/** The text of a NUL-terminated string; absent for NULL. string borrowed by what it returns. */
JTG_API jtg_text jtg_text_of(const char *string);

/** A time that the token does not have. */
#define JTG_TIME_ABSENT INT64_MIN
/** Times outside 0 … this (9999-12-31T23:59:59.999Z) are unreasonable. */
#define JTG_TIME_MAX_MS INT64_C(253402300799999)

/** What a verifier knows of a token that it has verified. Start from JTG_CLAIMS_INIT.
 *
 * Times are milliseconds since 1970 (NumericDate times 1000). A fractional NumericDate may be
 * rounded down: the retention margin covers it.
 */
typedef struct jtg_claims {
    size_t struct_size;   /**< sizeof(jtg_claims). */
    jtg_kind kind;        /**< What is shown. */
    jtg_text custom_kind; /**< Name of the kind where kind is JTG_KIND_CUSTOM. */
    jtg_text issuer;      /**< iss; for a client assertion the client's id. */
    jtg_text audience;    /**< The audience for which this verifier accepted it. */
    jtg_text client;      /**< The client, e.g. azp. */
    jtg_text thumbprint;  /**< JWK SHA-256 thumbprint (RFC 7638) of the proof's key. */
    jtg_text jti;         /**< jti, or the assertion's ID. Case-sensitive. */
    /** The JWS signing input, `header.payload` as received (RFC 7515 section 2), for
     * JTG_MISSING_JTI_DIGEST; never the signature part, which has several spellings. */
    jtg_text signing_input;
    int64_t iat_ms; /**< Issued at, or JTG_TIME_ABSENT. */
    /** Not before, or JTG_TIME_ABSENT. A DPoP proof, which is kept by its iat, may have been
     * accepted since its nbf, where that is earlier: so much of the past must have been kept. */
    int64_t nbf_ms;
    int64_t exp_ms; /**< Expires (NotOnOrAfter), or JTG_TIME_ABSENT. */
    /** NULL: the library makes a fresh owner. Otherwise the owner of this attempt, so that
     * asking twice for one request gives one answer; see jtg_owner_from_bytes(). Borrowed. */
    const jtg_owner *owner;
    /** The longest time from the first to the last moment at which anybody accepts the token, when
     * it does not say so itself but whoever accepts it knows; 0 (default) = not known.
     *
     * For a token without iat: one that ends at exp was then made at exp - lifetime_ms at the
     * earliest, so that the rules after a start, a set-back clock or a loss of the store refuse it
     * for that long and not for max_lifetime_s. A token without exp ends lifetime_ms after its iat;
     * one without both is remembered for lifetime_ms from the call, and may have been used for as
     * long before it: add the time that the question takes to reach the guard.
     *
     * It is the caller's word, and as good as that: with one that is too short a used token is
     * admitted again. State the same for all tokens of a kind and an issuer, as the options of
     * guards on one store. At most max_lifetime_s; a DPoP proof has proof_max_age_s in its place.
     */
    int64_t lifetime_ms;
    /** How much earlier the times above may have been stated when the token was shown before; 0
     * (default) where they are its own, and so always the same. Where they are moved with the
     * present, the record of an earlier use may have ended so much sooner than this one's will: of
     * that tokens are refused after the clock was set back. At most max_lifetime_s. */
    int64_t apart_ms;
} jtg_claims;

#define JTG_TEXT_INIT                                                                              \
    {                                                                                              \
        NULL, 0                                                                                    \
    }
#define JTG_CLAIMS_INIT                                                                            \
    {                                                                                              \
        sizeof(jtg_claims), JTG_KIND_NONE, JTG_TEXT_INIT, JTG_TEXT_INIT, JTG_TEXT_INIT,            \
            JTG_TEXT_INIT, JTG_TEXT_INIT, JTG_TEXT_INIT, JTG_TEXT_INIT, JTG_TIME_ABSENT,           \
            JTG_TIME_ABSENT, JTG_TIME_ABSENT, NULL, 0, 0                                           \
    }

/** Set every claim to absent; the same as JTG_CLAIMS_INIT. */
JTG_API void jtg_claims_init(jtg_claims *claims);

/** Every reason: symbol, value, verdict, name for machines, text for people.
 *
 * Values are part of the ABI: a row is never renumbered, new rows go to the end.
 */
#define JTG_REASON_MAP(X)                                                                          \
    X(JTG_REASON_UNDECIDED, 0, REFUSED, "undecided", "the guard was not asked")                    \
    X(JTG_REASON_ADMITTED, 1, ADMITTED, "admitted", "first use")                                   \
    X(JTG_REASON_REPLAYED, 2, REPLAYED, "replayed", "the token was used before")                   \
    X(JTG_REASON_BAD_ARGUMENT, 3, REFUSED, "bad_argument", "the caller's arguments are wrong")     \
    X(JTG_REASON_MISSING_KIND, 4, REFUSED, "missing_kind", "the token kind is not set")            \
    X(JTG_REASON_MISSING_JTI, 5, REFUSED, "missing_jti", "no jti")                                 \
    X(JTG_REASON_MALFORMED_JTI, 6, REFUSED, "malformed_jti", "the jti contains a NUL byte")        \
    X(JTG_REASON_JTI_TOO_LONG, 7, REFUSED, "jti_too_long", "the jti is longer than allowed")       \
    X(JTG_REASON_MISSING_ISSUER, 8, REFUSED, "missing_issuer", "no issuer")                        \
    X(JTG_REASON_MISSING_AUDIENCE, 9, REFUSED, "missing_audience", "no audience")                  \
    X(JTG_REASON_MISSING_THUMBPRINT, 10, REFUSED, "missing_thumbprint",                            \
      "no thumbprint of the proof's key")                                                          \
    X(JTG_REASON_MALFORMED_CLAIM, 11, REFUSED, "malformed_claim",                                  \
      "a claim contains a NUL byte or is too long")                                                \
    X(JTG_REASON_MISSING_EXP, 12, REFUSED, "missing_exp", "no exp")                                \
    X(JTG_REASON_MISSING_IAT, 13, REFUSED, "missing_iat", "no iat")                                \
    X(JTG_REASON_UNREASONABLE_TIME, 14, REFUSED, "unreasonable_time",                              \
      "exp, iat or nbf is outside the years 1970 to 9999")                                         \
    X(JTG_REASON_EXPIRED, 15, REFUSED, "expired", "the token has expired")                         \
    X(JTG_REASON_NOT_YET_VALID, 16, REFUSED, "not_yet_valid", "nbf lies in the future")            \
    X(JTG_REASON_ISSUED_IN_FUTURE, 17, REFUSED, "issued_in_future", "iat lies in the future")      \
    X(JTG_REASON_LIFETIME_TOO_LONG, 18, REFUSED, "lifetime_too_long",                              \
      "the token lives longer than allowed")                                                       \
    X(JTG_REASON_EXPIRES_BEFORE_ISSUED, 19, REFUSED, "expires_before_issued",                      \
      "exp lies before iat or nbf")                                                                \
    X(JTG_REASON_ISSUED_BEFORE_START, 20, REFUSED, "issued_before_start",                          \
      "issued before this guard started, so an earlier use may be forgotten")                      \
    X(JTG_REASON_CLOCK_SET_BACK, 21, REFUSED, "clock_set_back",                                    \
      "the wall clock was set back, so an earlier use may be forgotten")                           \
    X(JTG_REASON_STORE_FULL, 22, REFUSED, "store_full", "the store is full")                       \
    X(JTG_REASON_ISSUER_SHARE_FULL, 23, REFUSED, "issuer_share_full",                              \
      "the issuer has used up its share of the store")                                             \
    X(JTG_REASON_STORE_UNAVAILABLE, 24, REFUSED, "store_unavailable",                              \
      "the store cannot be reached")                                                               \
    X(JTG_REASON_OUTCOME_UNKNOWN, 25, REFUSED, "outcome_unknown",                                  \
      "the store did not say in time whether it stored the token")                                 \
    X(JTG_REASON_STORE_UNSAFE, 26, REFUSED, "store_unsafe",                                        \
      "the store is set up so that it may forget")                                                 \
    X(JTG_REASON_CONTINUITY_LOST, 27, REFUSED, "continuity_lost",                                  \
      "the store has forgotten, so an earlier use may be unknown")                                 \
    X(JTG_REASON_STORE_REFUSED, 28, REFUSED, "store_refused", "the store answered an error")       \
    X(JTG_REASON_STORE_PROTOCOL, 29, REFUSED, "store_protocol",                                    \
      "the store's answer was not understood")                                                     \
    X(JTG_REASON_TOO_FEW_REPLICAS, 30, REFUSED, "too_few_replicas",                                \
      "too few replicas confirmed the reservation")                                                \
    X(JTG_REASON_OUT_OF_MEMORY, 31, REFUSED, "out_of_memory", "out of memory")                     \
    X(JTG_REASON_FORKED, 32, REFUSED, "forked", "the guard belongs to the process before fork")    \
    X(JTG_REASON_INTERNAL, 33, REFUSED, "internal",                                                \
      "an unexpected status or clock; please report it")                                           \
    X(JTG_REASON_STORE_UNSUPPORTED, 34, REFUSED, "store_unsupported",                              \
      "the store is of another kind than was named, or this build cannot use it")                  \
    X(JTG_REASON_STORE_BLOCKED, 35, REFUSED, "store_blocked",                                      \
      "another process stayed inside the store too long")

/** Why the guard decided as it did. Only JTG_REASON_ADMITTED admits, and it is not zero. */
typedef enum jtg_reason {
#define JTG_REASON_ENUM(symbol, value, verdict, name, text) symbol = (value),
    JTG_REASON_MAP(JTG_REASON_ENUM)
#undef JTG_REASON_ENUM
        JTG_REASON_COUNT = 36 /**< Number of reasons; grows, so never store it. */
} jtg_reason;

/** The three outcomes. A caller that must choose between two admits on nothing but true. */
typedef enum jtg_verdict {
    JTG_VERDICT_REFUSED = 0,  /**< Not admitted, for a reason other than a replay. */
    JTG_VERDICT_ADMITTED = 1, /**< First use. */
    JTG_VERDICT_REPLAYED = 2  /**< Not admitted: used before. */
} jtg_verdict;

/** Name of a reason for machines, e.g. "expired"; "internal" for no reason. Borrowed, static. */
JTG_API const char *jtg_reason_name(jtg_reason reason);
/** One line of text for people. As jtg_reason_name() in all else. */
JTG_API const char *jtg_reason_text(jtg_reason reason);
/** The verdict of a reason; JTG_VERDICT_REFUSED for a value that is none. */
JTG_API jtg_verdict jtg_reason_verdict(jtg_reason reason);
/** Whether a refusal says nothing about the token: the guard or its store could not decide. Tell
 * the client that the service is not available (503), not that its token is bad, and tell the
 * operator. The token may be admitted later, with the same owner; after JTG_REASON_CONTINUITY_LOST
 * and JTG_REASON_CLOCK_SET_BACK rather one that is issued later. False for a replay, for what is
 * wrong with the token itself, and where it was admitted; true for a value that is no reason. */
JTG_API bool jtg_reason_is_trouble(jtg_reason reason);
/** "admitted", "replayed" or "refused". Borrowed, static. */
JTG_API const char *jtg_verdict_name(jtg_verdict verdict);
/** The reason with which the guard passes on a status of the cache. */
JTG_API jtg_reason jtg_reason_from_status(jtg_status status);

/** How a key is spelled in the store. */
typedef enum jtg_key_form {
    /** prefix + base64url(SHA-256(length-prefixed version, kind, scope, jti)). Default. */
    JTG_KEY_DIGEST = 0,
    /** prefix + jti: what the Go `sts:jti:` verifiers use, so that a mixed fleet refuses each
     * other's replays. Cost: no scope (one issuer can burn another's jti), and the jti can be
     * read in the store. */
    JTG_KEY_PLAIN = 1
} jtg_key_form;

/** What to do with a token without jti. */
typedef enum jtg_missing_jti {
    JTG_MISSING_JTI_REFUSE = 0, /**< Default. */
    /** Use SHA-256 of the signing input in place of the jti; not with JTG_KEY_PLAIN. */
    JTG_MISSING_JTI_DIGEST = 1
} jtg_missing_jti;

/* Defaults and ranges of the options; the code uses these names. */
enum {
    JTG_LEEWAY_S_DEFAULT = 30,
    JTG_LEEWAY_S_LIMIT = 300,
    JTG_FUTURE_LEEWAY_S_DEFAULT = 30,
    JTG_FUTURE_LEEWAY_S_LIMIT = 300,
    JTG_RETENTION_MARGIN_S_DEFAULT = 60,
    JTG_RETENTION_MARGIN_S_LIMIT = 3600,
    JTG_MAX_LIFETIME_S_DEFAULT = 86400,
    JTG_MAX_LIFETIME_S_LIMIT = 2678400, /* 31 days */
    JTG_PROOF_MAX_AGE_S_DEFAULT = 300,
    JTG_PROOF_MAX_AGE_S_LIMIT = 3600,
    JTG_MAX_JTI_BYTES_DEFAULT = 256,
    JTG_MAX_JTI_BYTES_LIMIT = 4096,
    JTG_KEY_PREFIX_MAX_BYTES = 128
};
#define JTG_KEY_PREFIX_DIGEST_DEFAULT "jtg:"
#define JTG_KEY_PREFIX_PLAIN_DEFAULT  "sts:jti:"

/** Options of a guard. Start from JTG_GUARD_OPTIONS_INIT or jtg_guard_options_init(). */
typedef struct jtg_guard_options {
    size_t struct_size; /**< sizeof(jtg_guard_options). */

    /** How long after exp a token is still accepted, seconds: the clock difference to the
     * issuers. 0 … 300, default 30. Cost: memory for that much longer. */
    uint32_t leeway_s;

    /** How far iat and nbf may lie ahead, seconds. 0 … 300, default 30 (FAPI 2.0 section
     * 5.3.2.1: accept 10, refuse beyond 60). Cost: the rules after a restart or a clock set
     * back refuse tokens for that much longer. */
    uint32_t future_leeway_s;

    /** How much longer than it can be accepted a token is remembered, seconds. Covers the
     * clock difference between instances and to the store, and rounding. A store that takes
     * longer than this to answer is not believed (JTG_REASON_OUTCOME_UNKNOWN).
     * 1 … 3600, default 60. Cost: memory for that much longer. */
    uint32_t retention_margin_s;

    /** Longest life of a token, exp - iat and exp - now, seconds. 1 … 2,678,400 (31 days),
     * default 86,400. Bounds what a token costs, and how long the rules after a restart refuse
     * tokens without iat. */
    uint32_t max_lifetime_s;

    /** Longest age of a DPoP proof, seconds after iat. 1 … 3600, default 300. */
    uint32_t proof_max_age_s;

    /** Longest jti, bytes. 1 … 4096, default 256; with JTG_KEY_PLAIN prefix and jti together
     * at most JTG_KEY_MAX_BYTES. */
    uint32_t max_jti_bytes;

    jtg_key_form key_form;       /**< Default JTG_KEY_DIGEST. */
    jtg_missing_jti missing_jti; /**< Default JTG_MISSING_JTI_REFUSE. */

    /** Start of every key, 1 … 128 bytes, NUL-terminated. NULL (default): "jtg:", or
     * "sts:jti:" with JTG_KEY_PLAIN. Copied. */
    const char *key_prefix;

    /** Refuse tokens that may have been used before this guard was made: iat not after the
     * start plus future_leeway_s, or no iat and exp within max_lifetime_s of the start
     * (RFC 8446 section 8.2). 0 (default) off, 1 on. For a store that dies with the process:
     * without it, whoever can make the process restart can use each token again. Cost: after
     * a restart, tokens already issued are refused; clients must get new ones. */
    uint32_t restart_rule;

    const jtg_clock *clock;   /**< NULL (default) = the system's. Copied. */
    const jtg_logger *logger; /**< NULL (default) = silence. Copied. */
} jtg_guard_options;

#define JTG_GUARD_OPTIONS_INIT                                                                     \
    {                                                                                              \
        sizeof(jtg_guard_options), JTG_LEEWAY_S_DEFAULT, JTG_FUTURE_LEEWAY_S_DEFAULT,              \
            JTG_RETENTION_MARGIN_S_DEFAULT, JTG_MAX_LIFETIME_S_DEFAULT,                            \
            JTG_PROOF_MAX_AGE_S_DEFAULT, JTG_MAX_JTI_BYTES_DEFAULT, JTG_KEY_DIGEST,                \
            JTG_MISSING_JTI_REFUSE, NULL, 0, NULL, NULL                                            \
    }

/** Set every option to its default; the same as JTG_GUARD_OPTIONS_INIT. */
JTG_API void jtg_guard_options_init(jtg_guard_options *options);

/** A guard on a cache. Opaque. */
typedef struct jtg_guard jtg_guard;

/** Make a guard.
 *
 * options: NULL = all defaults. A value out of its range is an error and not clamped.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY
 * Owns:    *guard returned, free with jtg_guard_free(); NULL on failure · cache borrowed until
 *          then (several guards may share it if their options are the same; on a Redis each
 *          watches the clock only in its own calls, so one guard a cache is better) · options
 *          borrowed for the call · err borrowed, may be NULL
 * Threads: any   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_guard_new(jtg_guard **guard, jtg_cache *cache,
                                                 const jtg_guard_options *options, jtg_error *err);

/** Free a guard; its cache and its reservations stay. guard is taken; NULL does nothing. */
JTG_API void jtg_guard_free(jtg_guard *guard);

/** A reservation, to give back when the use of the token has certainly failed. Plain data. */
typedef struct jtg_reservation {
    jtg_owner owner;
    uint32_t key_len; /**< 0 = none. */
    unsigned char key[JTG_KEY_MAX_BYTES];
} jtg_reservation;

/** What the guard decided, and why. Start from JTG_DECISION_INIT. */
typedef struct jtg_decision {
    size_t struct_size; /**< sizeof(jtg_decision), set by the caller. */
    jtg_reason reason;  /**< JTG_REASON_ADMITTED if and only if the call returned true. */
    uint64_t ttl_ms; /**< How long the token is remembered; 0 unless it was asked of the store. */
    /** For jtg_guard_release(). Set when admitted; also with JTG_REASON_OUTCOME_UNKNOWN and
     * JTG_REASON_TOO_FEW_REPLICAS, to ask again with its owner. Else key_len is 0. */
    jtg_reservation reservation;
} jtg_decision;

#define JTG_DECISION_INIT                                                                          \
    {                                                                                              \
        sizeof(jtg_decision), JTG_REASON_UNDECIDED, 0,                                             \
        {                                                                                          \
            {{0}}, 0,                                                                              \
            {                                                                                      \
                0                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

/** Decide whether a token may be used now, and remember it.
 *
 * true if and only if this call is the first use of the token (or the same use asked again
 * with the same owner), and the store has said so.
 *
 * The reservation stays until it cannot be accepted any more, whatever the caller does
 * next; see jtg_guard_release().
 *
 * Returns: true = admit · false = refuse, decision->reason says why
 * Owns:    claims borrowed for the call · decision borrowed, overwritten, may be NULL (then a
 *          release is not possible) · err borrowed, may be NULL: the detail of a store's failure
 * Threads: any   Blocks: as jtg_cache_reserve() of the cache; the host's signals, a cancelled query
 *          or a shutdown, do not end it sooner
 * Source:  RFC 7519 section 4.1.7, RFC 7523 section 3, RFC 9449 section 11.1, OIDC Core
 *          section 9, RFC 8725 sections 3.8 and 3.12
 */
JTG_API JTG_WARN_UNUSED bool jtg_guard_admit(jtg_guard *guard, const jtg_claims *claims,
                                             jtg_decision *decision, jtg_error *err);

/** One of several tokens that are decided at once: what jtg_guard_admit() takes, and what it would
 * return. What is all zero refuses.
 *
 * Its layout is fixed: what is behind a call of an array is the next call. Claims and decision are
 * the structs of the single call, each with its own struct_size.
 */
typedef struct jtg_admit_call {
    const jtg_claims *claims; /**< Borrowed for the call, as the next two. */
    jtg_decision *decision;   /**< Of this call alone, overwritten; or NULL. */
    jtg_error *err;           /**< Of this call alone; or NULL. */
    bool admitted; /**< Answer: true = admit; false = refuse, decision->reason says why. */
} jtg_admit_call;

/** Decide of several tokens at once: each is answered by itself, in `admitted`.
 *
 * It means the same as so many single calls in the order of the array: of two of one token the
 * second is a replay, unless both have one owner. A token that is refused, be it for its claims,
 * leaves the others as they are. On a Redis all tokens of one server share a round trip.
 *
 * There is nothing to return that could be taken for the answer to all of them. Before anything
 * else each `admitted` is set to false, whatever the array held; a reason is set in every decision.
 *
 * count: at most JTG_MANY_MAX; of more each is refused as JTG_REASON_BAD_ARGUMENT. 0 does nothing.
 *
 * Owns:    calls borrowed, `admitted` overwritten; NULL does nothing, whatever count is
 * Threads: any, not two with one array   Blocks: as jtg_cache_reserve_many() of the cache
 * Source:  as jtg_guard_admit()
 */
JTG_API void jtg_guard_admit_many(jtg_guard *guard, jtg_admit_call *calls, size_t count);

/** Give a reservation back, so that the token can be shown once more.
 *
 * Only for a failure that is certain and not the presenter's doing (e.g. the verifier's own
 * database was down, and nothing was changed). Never because a policy said no: the token
 * could then be tried without limit. Never when it is unknown whether the use took effect.
 *
 * Returns: JTG_OK · JTG_NOT_FOUND (it has ended) · JTG_NOT_OWNER (another use holds it) ·
 *          JTG_ERR_ARGUMENT (no reservation) · JTG_ERR_… of the store
 * Owns:    reservation borrowed · err borrowed, may be NULL
 * Threads: any   Blocks: as jtg_cache_release() of the cache
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_guard_release(jtg_guard *guard,
                                                     const jtg_reservation *reservation,
                                                     jtg_error *err);

/** Would a token that is issued now be admitted? For a readiness probe.
 *
 * Makes and removes a probe reservation, and asks the store since when it has kept everything.
 *
 * Returns: JTG_OK · JTG_ERR_CONTINUITY the store has forgotten too recently (the text says
 *          until when tokens are refused, and how an operator ends it) · JTG_ERR_… as
 *          jtg_cache_ping()
 * Owns:    err borrowed, may be NULL
 * Threads: any   Blocks: twice as long as jtg_cache_reserve() of the cache
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_guard_ping(jtg_guard *guard, jtg_error *err);

/** Compute the key under which a token would be remembered, without touching the store.
 *
 * The claims that make the key are checked as in jtg_guard_admit(), the times are not.
 *
 * Returns: JTG_REASON_ADMITTED and *key_len set · else why the claims make no key
 * Owns:    key borrowed, JTG_KEY_MAX_BYTES bytes · key_len borrowed
 * Threads: any   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_reason jtg_guard_key(const jtg_guard *guard, const jtg_claims *claims,
                                                 unsigned char *key, size_t *key_len);

/** How often a guard decided for a reason since it was made. Never goes back.
 *
 * Returns: the number; 0 for NULL or a value that is no reason.
 * Threads: any; calls under way may not be in it   Blocks: never
 */
JTG_API uint64_t jtg_guard_counter(const jtg_guard *guard, jtg_reason reason);

#ifdef __cplusplus
}
#endif
#endif
