/* SPDX-License-Identifier: Apache-2.0 */
/** @file ticket_keys.h
 * Session ticket keys of a TLS, DTLS or QUIC server: made, rotated and shared by all instances.
 *
 * A set of up to 32 keys lies in a cache as one value, wrapped under a key-encryption key (KEK),
 * and is changed by compare and swap only. Any instance rotates it; who loses the race reads again.
 * Keys never leave the process in clear, unless they are exported to files.
 *
 * A key's life, in the time of the set:
 *
 *     published        not_before                encrypt_until             decrypt_until
 *         |-- visible ------|-- one rotation: seals --|-- another one, only --|-- opens --|
 *                                                        if no newer key came
 *
 *  - It seals no earlier than publish_lead_ms after it was published. publish_lead_ms is longer
 *    than refresh_interval_ms + margin_ms, so every instance that reaches the store has loaded the
 *    key before the first ticket under it exists. That holds for the first key too: a new set seals
 *    nothing until then (single_instance = 1 takes the lead away).
 *  - The next key is published as soon as the present one begins to seal. A store that is down for
 *    less than a rotation is not noticed; for longer, the last key goes on for one more rotation,
 *    and then sealing is refused (JTG_TICKET_KEYS_ENDED). Opening goes on until decrypt_until.
 *  - decrypt_until = encrypt_until + ticket_lifetime_s + margin_ms: no ticket outlives its key.
 *
 * Time. No instance's wall clock is compared with another's. The set has a time of its own: the
 * first instance's wall clock when the set was made, carried on by the store, which says how long
 * ago the value was stored, and by the monotonic clock since it was read. Instances differ by what
 * one answer of the store takes, and by the drift of their monotonic clocks between two refreshes:
 * together that must stay under margin_ms. A wall clock set ahead, or a machine that was suspended,
 * ends keys early until the next refresh, never late. The clock of the store itself is relied on:
 * see docs/ticket-keys.md.
 *
 * There is no thread: the program calls jtg_ticket_keys_refresh(), or leaves refresh_on_use on.
 *
 * A build without OpenSSL answers JTG_ERR_UNSUPPORTED and JTG_TICKET_INTERNAL.
 *
 * Threads: every function may be called from any thread at any time, but for free.
 * Fork:    make the object in the process that uses it. A child refuses: JTG_ERR_FORKED.
 * Source:  RFC 8446 and RFC 9846 section 4.6.1, RFC 5077 section 4, RFC 9147
 */
#ifndef JTIGUARD_TICKET_KEYS_H
#define JTIGUARD_TICKET_KEYS_H

#include <jtiguard/cache.h>
#include <jtiguard/clock.h>
#include <jtiguard/log.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The keys, as one instance holds them. Opaque. */
typedef struct jtg_ticket_keys jtg_ticket_keys;

/* Bounds, and defaults and ranges of the options; the code uses these names. */
enum {
    JTG_TICKET_KEYS_MAX = 32,           /**< Most keys in a set. */
    JTG_TICKET_NAME_BYTES = 16,         /**< Size of a key's name, the first bytes of a ticket. */
    JTG_TICKET_MAX_BYTES = 65535,       /**< Longest ticket (RFC 8446 section 4.6.1). */
    JTG_TICKET_OVERHEAD_BYTES = 74,     /**< What jtg_ticket_seal_bytes() adds. */
    JTG_TICKET_SESSION_FIXED_BYTES = 88 /**< A sealed session less its psk, nonce and app bytes. */
};
enum {
    JTG_TICKET_PSK_MAX_BYTES = 255,
    JTG_TICKET_NONCE_MAX_BYTES = 255,
    JTG_TICKET_APP_MAX_BYTES = 16384,
    JTG_TICKET_ZONE_MAX_BYTES = 64,
    JTG_TICKET_ROTATION_MS_DEFAULT = 3600000,
    JTG_TICKET_ROTATION_MS_LEAST = 100,
    JTG_TICKET_ROTATION_MS_LIMIT = 604800000,
    JTG_TICKET_LIFETIME_S_DEFAULT = 86400,
    JTG_TICKET_LIFETIME_S_LIMIT = 604800,
    JTG_TICKET_REFRESH_INTERVAL_MS_DEFAULT = 20000,
    JTG_TICKET_PUBLISH_LEAD_MS_DEFAULT = 60000,
    JTG_TICKET_MARGIN_MS_DEFAULT = 10000,
    JTG_TICKET_RECHECK_MS = 1000 /**< Between two looks at the store for keys not known here. */
};
#define JTG_TICKET_ZONE_DEFAULT    "default"
#define JTG_TICKET_MAX_SEALS_LIMIT UINT64_C(4294967296)

/** Options of ticket keys. Start from JTG_TICKET_OPTIONS_INIT or jtg_ticket_options_init().
 *
 * Instances that share a set are made with the same ones, but for the KEK files while the KEK is
 * being changed, clock and logger. */
typedef struct jtg_ticket_options {
    size_t struct_size; /**< sizeof(jtg_ticket_options). */

    /** Who may open the tickets: servers that share a zone share a set of keys, and a ticket of
     * another zone is refused (JTG_TICKET_WRONG_ZONE). 1 … 64 printable bytes. NULL (default) =
     * "default". Copied. */
    const char *zone;

    /** File of the key-encryption key: 32 random bytes, or 64 hexadecimal digits and maybe a line
     * end. A regular file of this user or root which nobody else can read. Read once. NULL
     * (default): a KEK in the memory of this object, only with single_instance. */
    const char *kek_file;

    /** A second KEK that opens a set and wraps none: to change the KEK, first give the new one here
     * everywhere, then exchange the two, then leave it out. NULL (default) = none. */
    const char *kek_file_other;

    /** How long a key seals, milliseconds: 100 … 604,800,000 (7 days), default 3,600,000. Cost of
     * less: more keys; (3 rotations + lifetime + 2 margins) / rotation + 2 must not be over 32. */
    uint32_t rotation_ms;

    /** Longest life of a ticket, seconds: 1 … 604,800, default 86,400. */
    uint32_t ticket_lifetime_s;

    /** Longest time between two refreshes, milliseconds: 1 … publish_lead_ms, default 20,000. Cost
     * of less: one read of the store each. */
    uint32_t refresh_interval_ms;

    /** From publishing a key to its first seal, milliseconds. More than refresh_interval_ms +
     * margin_ms, at most rotation_ms. Default 60,000. */
    uint32_t publish_lead_ms;

    /** How far the times of two instances may differ, milliseconds: one answer of the store, and
     * drift. 0 … rotation_ms, default 10,000. */
    uint32_t margin_ms;

    /** Most tickets that this object seals under one key: 1 … 2^32 (default). Each ticket has a key
     * derived from a random nonce of 192 bits, so that this bound, which is that of AES-GCM with
     * random nonces, holds with room for any number of instances. From three quarters on, the next
     * key is called for early; at the bound sealing is refused (JTG_TICKET_SEALED_OUT). */
    uint64_t max_seals;

    /** 1: no other instance shares the set: a key seals as soon as it is made. 0 (default). */
    uint32_t single_instance;

    /** 1 (default): jtg_ticket_seal() and jtg_ticket_open() refresh when it is time, one caller
     * at a time while the others go on. 0: only jtg_ticket_keys_refresh() does. */
    uint32_t refresh_on_use;

    const jtg_clock *clock;   /**< NULL (default) = the system's. Copied. */
    const jtg_logger *logger; /**< Told of rotations, races, failures. NULL = silence. Copied. */
} jtg_ticket_options;

#define JTG_TICKET_OPTIONS_INIT                                                                    \
    {                                                                                              \
        sizeof(jtg_ticket_options), NULL, NULL, NULL, JTG_TICKET_ROTATION_MS_DEFAULT,              \
            JTG_TICKET_LIFETIME_S_DEFAULT, JTG_TICKET_REFRESH_INTERVAL_MS_DEFAULT,                 \
            JTG_TICKET_PUBLISH_LEAD_MS_DEFAULT, JTG_TICKET_MARGIN_MS_DEFAULT,                      \
            JTG_TICKET_MAX_SEALS_LIMIT, 0, 1, NULL, NULL                                           \
    }

/** Set every option to its default; the same as JTG_TICKET_OPTIONS_INIT. */
JTG_API void jtg_ticket_options_init(jtg_ticket_options *options);

/** Make ticket keys on a cache that keeps values. Does not ask the store: the first refresh does.
 *
 * options: NULL = all defaults, which name no KEK and are therefore refused: give one, or
 * single_instance.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (an option, or a weak or open KEK file) · JTG_ERR_MEMORY ·
 *          JTG_ERR_SYSTEM (a file cannot be read, no randomness) · JTG_ERR_UNSUPPORTED
 * Owns:    *keys returned, free with jtg_ticket_keys_free(); NULL on failure · cache borrowed
 *          until then · options borrowed for the call · err borrowed, may be NULL
 * Threads: any   Blocks: reading the named files
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_ticket_keys_new(jtg_ticket_keys **keys, jtg_cache *cache,
                                                       const jtg_ticket_options *options,
                                                       jtg_error *err);

/** Wipe and free. keys is taken; NULL does nothing. The set in the store stays.
 *
 * Threads: one, no other call under way   Blocks: never
 */
JTG_API void jtg_ticket_keys_free(jtg_ticket_keys *keys);

/** Read the set, rotate it if that is due, and use what the store holds from now on.
 *
 * Makes the set where there is none; puts it back where the store has lost it; takes in the keys of
 * another set that was made meanwhile, to open with. A set that is not authentic, or wrapped under
 * another KEK, is never overwritten: JTG_ERR_PROTOCOL until jtg_ticket_keys_revoke(). When it
 * fails, the keys that are here go on as long as their times allow.
 *
 * Returns: JTG_OK · JTG_ERR_PROTOCOL · JTG_ERR_UNSUPPORTED (a set of a newer format, or a cache
 *          without values) · JTG_ERR_FULL (rotation is due and 32 keys are live) · JTG_ERR_MEMORY ·
 *          JTG_ERR_FORKED · JTG_ERR_ARGUMENT · the store's JTG_ERR_… as jtg_cache_swap()
 * Owns:    keys borrowed · err borrowed, may be NULL
 * Threads: any; a second caller waits for the first   Blocks: at most sixteen answers of the store
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_ticket_keys_refresh(jtg_ticket_keys *keys, jtg_error *err);

/** Read the set, and change nothing in the store: what jtg_ticket_keys_state_get() then tells is
 * what the store holds, and what is known here besides. For looking on; a server refreshes.
 *
 * Returns: JTG_OK · JTG_NOT_FOUND (there is no set) · others as jtg_ticket_keys_refresh()
 * All else as jtg_ticket_keys_refresh().
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_ticket_keys_load(jtg_ticket_keys *keys, jtg_error *err);

/** Let the next key seal as soon as every instance can have loaded it, not when it was planned.
 *
 * Returns: as jtg_ticket_keys_refresh() · JTG_MISMATCH (lost every race: ask again)
 * All else as jtg_ticket_keys_refresh().
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_ticket_keys_rotate(jtg_ticket_keys *keys, jtg_error *err);

/** Throw away every key and make a new set: after keys, or the KEK, have become known.
 *
 * No ticket from before opens here any more, and at the other instances none after their next
 * refresh. Sealing rests for publish_lead_ms. Also replaces a set that cannot be read.
 *
 * Returns: as jtg_ticket_keys_rotate()
 * All else as jtg_ticket_keys_refresh().
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_ticket_keys_revoke(jtg_ticket_keys *keys, jtg_error *err);

/** Every reason: symbol, value, name for machines, text for people.
 *
 * Values are part of the ABI: a row is never renumbered, new rows go to the end.
 */
#define JTG_TICKET_REASON_MAP(X)                                                                   \
    X(JTG_TICKET_UNDECIDED, 0, "undecided", "nothing was asked")                                   \
    X(JTG_TICKET_DONE, 1, "done", "sealed, or opened")                                             \
    X(JTG_TICKET_MALFORMED, 2, "malformed", "no ticket of this format")                            \
    X(JTG_TICKET_WRONG_ZONE, 3, "wrong_zone", "a ticket of another zone")                          \
    X(JTG_TICKET_UNKNOWN_KEY, 4, "unknown_key", "sealed under a key that is not in the set")       \
    X(JTG_TICKET_EXPIRED_KEY, 5, "expired_key", "sealed under a key whose time is over")           \
    X(JTG_TICKET_TAMPERED, 6, "tampered", "not authentic")                                         \
    X(JTG_TICKET_EXPIRED, 7, "expired", "its lifetime is over")                                    \
    X(JTG_TICKET_FROM_THE_FUTURE, 8, "from_the_future", "sealed later than now")                   \
    X(JTG_TICKET_SEALED_OUT, 9, "sealed_out", "the key has sealed as often as it may")             \
    X(JTG_TICKET_NOT_YET, 10, "not_yet", "the first key was published too short a time ago")       \
    X(JTG_TICKET_KEYS_ENDED, 11, "keys_ended", "the time of every key to seal is over")            \
    X(JTG_TICKET_NO_KEYS, 12, "no_keys", "the set has not been loaded")                            \
    X(JTG_TICKET_STORE_UNAVAILABLE, 13, "store_unavailable",                                       \
      "the key is not known here and the store could not be asked")                                \
    X(JTG_TICKET_BAD_ARGUMENT, 14, "bad_argument", "the caller's arguments are wrong")             \
    X(JTG_TICKET_OUT_OF_MEMORY, 15, "out_of_memory", "out of memory")                              \
    X(JTG_TICKET_FORKED, 16, "forked", "the keys belong to the process before fork")               \
    X(JTG_TICKET_INTERNAL, 17, "internal", "the cipher failed, or this build has none")

/** Why a ticket was sealed or opened, or was not. Only JTG_TICKET_DONE is good, and it is not zero.
 *
 * A server answers every other one of an open with a full handshake. */
typedef enum jtg_ticket_reason {
#define JTG_TICKET_REASON_ENUM(symbol, value, name, text) symbol = (value),
    JTG_TICKET_REASON_MAP(JTG_TICKET_REASON_ENUM)
#undef JTG_TICKET_REASON_ENUM
        JTG_TICKET_REASON_COUNT = 18 /**< Number of reasons; grows, so never store it. */
} jtg_ticket_reason;

/** Name of a reason for machines; "internal" for a value that is none. Borrowed, static. */
JTG_API const char *jtg_ticket_reason_name(jtg_ticket_reason reason);
/** One line of text for people. As jtg_ticket_reason_name() in all else. */
JTG_API const char *jtg_ticket_reason_text(jtg_ticket_reason reason);

/** How often a seal or an open ended with this reason. Never goes back. 0 for NULL or no reason.
 *
 * Threads: any   Blocks: never
 */
JTG_API uint64_t jtg_ticket_keys_counter(const jtg_ticket_keys *keys, jtg_ticket_reason reason);

/** What a server must remember of a session. Start from JTG_TICKET_SESSION_INIT.
 *
 * For a seal, the pointers are borrowed. After an open, they point into `storage`: call
 * jtg_ticket_session_clear(). */
typedef struct jtg_ticket_session {
    size_t struct_size;      /**< sizeof(jtg_ticket_session). */
    const void *psk;         /**< The resumption PSK, or the resumption master secret. */
    size_t psk_len;          /**< 1 … 255. */
    const void *nonce;       /**< ticket_nonce. */
    size_t nonce_len;        /**< 0 … 255. */
    const void *app;         /**< The program's own bytes, e.g. ALPN, SNI, an anti-replay id. */
    size_t app_len;          /**< 0 … 16,384. */
    uint32_t lifetime_s;     /**< ticket_lifetime: 1 … the option ticket_lifetime_s. */
    uint32_t age_add;        /**< ticket_age_add. */
    uint32_t max_early_data; /**< max_early_data_size; 0 = none. */
    uint32_t cipher_suite;   /**< 0 … 65535. */

    /* Set by an open. */
    uint64_t age_ms;    /**< Since it was sealed, in the time of the set. */
    uint32_t renew;     /**< 1: a newer key seals now: send a new ticket. */
    uint32_t reserved;  /**< 0. */
    void *storage;      /**< The library's. NULL where there is nothing to clear. */
    size_t storage_len; /**< Its bytes. */
} jtg_ticket_session;

#define JTG_TICKET_SESSION_INIT                                                                    \
    {                                                                                              \
        sizeof(jtg_ticket_session), NULL, 0, NULL, 0, NULL, 0, 0, 0, 0, 0, 0, 0, 0, NULL, 0        \
    }

/** Wipe and free what an open put into it, and make it as JTG_TICKET_SESSION_INIT.
 *
 * Threads: any   Blocks: never
 */
JTG_API void jtg_ticket_session_clear(jtg_ticket_session *session);

/** Seal a session into a ticket, under the key whose turn it is.
 *
 * A ticket has JTG_TICKET_SESSION_FIXED_BYTES + psk_len + nonce_len + app_len bytes; ticket_len is
 * the room at `ticket` on entry, the ticket's size on return, 0 unless it is true.
 *
 * Returns: true: sealed. false: JTG_TICKET_NO_KEYS · NOT_YET · KEYS_ENDED · SEALED_OUT (go on
 * without a ticket) · BAD_ARGUMENT · OUT_OF_MEMORY · FORKED · INTERNAL
 * Owns:    all borrowed for the call · reason and err may be NULL
 * Threads: any   Blocks: with refresh_on_use, the one caller
 * whose turn the refresh is: at most four answers of the store; else never
 */
JTG_API JTG_WARN_UNUSED bool jtg_ticket_seal(jtg_ticket_keys *keys,
                                             const jtg_ticket_session *session, void *ticket,
                                             size_t *ticket_len, jtg_ticket_reason *reason,
                                             jtg_error *err);

/** Open a ticket.
 *
 * A ticket can be opened again and again: whether its early data may be used is for anti_replay.h.
 *
 * Returns: true: authentic, live, and session holds it. false: JTG_TICKET_MALFORMED · WRONG_ZONE ·
 *          UNKNOWN_KEY · EXPIRED_KEY · TAMPERED · EXPIRED · FROM_THE_FUTURE · NO_KEYS ·
 *          STORE_UNAVAILABLE · BAD_ARGUMENT · OUT_OF_MEMORY · FORKED · INTERNAL
 * Owns:    ticket borrowed · session returned: overwritten (it must hold no storage), the caller
 *          calls jtg_ticket_session_clear(); as initialised unless true · reason and err may be
 * NULL
 * Threads: any   Blocks: with refresh_on_use, as jtg_ticket_seal(), and for a key that is not
 * known here one look at the store, at most every JTG_TICKET_RECHECK_MS; else never
 */
JTG_API JTG_WARN_UNUSED bool jtg_ticket_open(jtg_ticket_keys *keys, const void *ticket,
                                             size_t ticket_len, jtg_ticket_session *session,
                                             jtg_ticket_reason *reason, jtg_error *err);

/** The AEAD view: seal any bytes, for a TLS library that serialises sessions itself (BoringSSL's
 * ticket AEAD method, wolfSSL, mbedTLS, picotls). Adds JTG_TICKET_OVERHEAD_BYTES.
 *
 * data_len: 0 … JTG_TICKET_MAX_BYTES - JTG_TICKET_OVERHEAD_BYTES. A ticket of jtg_ticket_seal() is
 * not opened by jtg_ticket_open_bytes(), nor the other way round (JTG_TICKET_MALFORMED).
 *
 * Not for OpenSSL's SSL_CTX_set_tlsext_ticket_key_evp_cb(), with which no AEAD works: see below.
 * All else as jtg_ticket_seal().
 */
JTG_API JTG_WARN_UNUSED bool jtg_ticket_seal_bytes(jtg_ticket_keys *keys, const void *data,
                                                   size_t data_len, uint32_t lifetime_s,
                                                   void *ticket, size_t *ticket_len,
                                                   jtg_ticket_reason *reason, jtg_error *err);

/** Open what jtg_ticket_seal_bytes() sealed. data_len is the room at `data` on entry (at least
 * ticket_len - JTG_TICKET_OVERHEAD_BYTES), the bytes on return, 0 unless true. renew: 1 if a newer
 * key seals now; may be NULL. All else as jtg_ticket_open(). */
JTG_API JTG_WARN_UNUSED bool jtg_ticket_open_bytes(jtg_ticket_keys *keys, const void *ticket,
                                                   size_t ticket_len, void *data, size_t *data_len,
                                                   uint32_t *renew, jtg_ticket_reason *reason,
                                                   jtg_error *err);

/** One key of the set as AES-256-CBC and HMAC-SHA256, for SSL_CTX_set_tlsext_ticket_key_evp_cb().
 */
typedef struct jtg_ticket_cbc_key {
    unsigned char name[JTG_TICKET_NAME_BYTES]; /**< key_name of the callback. */
    unsigned char aes_key[32];                 /**< For EVP_aes_256_cbc(). */
    unsigned char hmac_key[32];                /**< For HMAC with SHA256. */
} jtg_ticket_cbc_key;

/** The CBC view: the key to seal the next ticket with. Counts as one seal. The caller draws a
 * random initialisation vector, and wipes the key with jtg_ticket_cbc_key_clear().
 *
 * The lifetime is then the TLS library's matter: set its timeout (SSL_CTX_set_timeout()) to no more
 * than ticket_lifetime_s. All else as jtg_ticket_seal().
 */
JTG_API JTG_WARN_UNUSED bool jtg_ticket_cbc_seal_key(jtg_ticket_keys *keys, jtg_ticket_cbc_key *key,
                                                     jtg_ticket_reason *reason, jtg_error *err);

/** The key of a name, to open a ticket with; true as long as it may open. renew: 1 if a newer key
 * seals now (the callback then returns 2); may be NULL. All else as jtg_ticket_open(). */
JTG_API JTG_WARN_UNUSED bool
jtg_ticket_cbc_open_key(jtg_ticket_keys *keys, const unsigned char name[JTG_TICKET_NAME_BYTES],
                        jtg_ticket_cbc_key *key, uint32_t *renew, jtg_ticket_reason *reason,
                        jtg_error *err);

/** Wipe a key. NULL does nothing. */
JTG_API void jtg_ticket_cbc_key_clear(jtg_ticket_cbc_key *key);

/** What an instance knows of one key. Times are in the time of the set, milliseconds. */
typedef struct jtg_ticket_key_info {
    unsigned char name[JTG_TICKET_NAME_BYTES]; /**< Public: it stands in each ticket. */
    int64_t published_ms;                      /**< It was stored. */
    int64_t not_before_ms;                     /**< It may seal from here … */
    int64_t encrypt_until_ms;                  /**< … to here, */
    int64_t decrypt_until_ms;                  /**< and open to here. */
    uint64_t seals;                            /**< Tickets that this object sealed under it. */
    uint32_t is_sealing;                       /**< 1: its turn now. */
    uint32_t reserved;                         /**< 0. */
} jtg_ticket_key_info;

/** What an instance knows of the set. */
typedef struct jtg_ticket_keys_state {
    size_t struct_size;      /**< sizeof(jtg_ticket_keys_state), set by the caller. */
    uint64_t version;        /**< Counts the changes of the set; 0 = not loaded. */
    int64_t now_ms;          /**< The time of the set. */
    uint64_t loaded_ago_ms;  /**< Since the last good refresh. */
    jtg_status last_refresh; /**< What the last refresh answered; JTG_NOT_FOUND before the first. */
    uint32_t key_count;      /**< Keys in the set. */
    jtg_ticket_key_info keys[JTG_TICKET_KEYS_MAX]; /**< The first key_count, oldest first. */
} jtg_ticket_keys_state;

/** Look at the set, without asking the store.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_FORKED
 * Owns:    state borrowed; only the first struct_size bytes are written · err may be NULL
 * Threads: any   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_ticket_keys_state_get(jtg_ticket_keys *keys,
                                                             jtg_ticket_keys_state *state,
                                                             jtg_error *err);

/** The option ticket_lifetime_s that they were made with; 0 for NULL.
 *
 * Threads: any   Blocks: never
 */
JTG_API uint32_t jtg_ticket_keys_lifetime_s(const jtg_ticket_keys *keys);

/** Write the CBC view of the set into a folder for nginx.
 *
 * Each key becomes a file NAME.key of 80 bytes, and ticket_keys.conf, to be included, lists them
 * (`ssl_session_ticket_key`): first the key that seals, then the others, newest first. The list is
 * replaced in one step when all its files are there; then files that it no longer lists go. All
 * files have mode 0600. Export and reload more often than publish_lead_ms - refresh_interval_ms -
 * margin_ms, or nginx meets tickets of keys that it has not.
 *
 * Returns: JTG_OK · JTG_NOT_FOUND (no key may seal now; nothing was written) · JTG_ERR_ARGUMENT ·
 *          JTG_ERR_MEMORY · JTG_ERR_SYSTEM (what was there still holds) · JTG_ERR_FORKED
 * Owns:    folder borrowed, an absolute path · err borrowed, may be NULL
 * Threads: any; not two into one folder   Blocks: the file system; never on the store
 * Source:  nginx, ngx_http_ssl_module, ssl_session_ticket_key
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_ticket_keys_export_nginx(jtg_ticket_keys *keys,
                                                                const char *folder, jtg_error *err);

/** Write the CBC view of the set into one file for HAProxy (`tls-ticket-keys`).
 *
 * One key of 80 bytes a line, base64, oldest first; the last but one seals, the last is the next.
 * HAProxy opens with the last TLS_TICKETS_NO only (3 unless built otherwise). The file is replaced
 * in one step and has mode 0600. All else as jtg_ticket_keys_export_nginx().
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_ticket_keys_export_haproxy(jtg_ticket_keys *keys,
                                                                  const char *path, jtg_error *err);

#ifdef __cplusplus
}
#endif
#endif
