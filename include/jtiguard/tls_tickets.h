/* SPDX-License-Identifier: Apache-2.0 */
/** @file tls_tickets.h
 * Session tickets of a TLS client, kept in a file from one run of a program to the next.
 *
 * One file serves any number of threads and processes of one user:
 *
 *  - jtg_tls_tickets_take() hands a ticket out once, to one caller in any process. That it is used
 *    up is on the disk before the caller has it, so that neither a crash nor another process brings
 *    it back (RFC 8446 appendix C.4). When that cannot be written, no ticket is handed out.
 *  - A ticket ends with the lifetime that the server gave it, after max_age_s (default 24 hours),
 *    and after 7 days at the latest; a lifetime of 0 is discarded (RFC 8446 section 4.6.1). One
 * that is dated later than now, because the clock was set back, has ended too.
 *  - A ticket belongs to an endpoint: host, port, ALPN, and in `parameters` all that decides whom
 *    the client trusts: how the peer is verified, with which authorities, the client's certificate.
 *    And to a pin, the SHA-256 of the SubjectPublicKeyInfo that the full handshake showed.
 *    A resumption shows no certificate, so the pin is looked at before, not after.
 *  - At most 4 tickets an endpoint; the oldest are dropped.
 *  - The file is replaced in one step: whoever is killed, the old content is there or the new one.
 *    It has mode 0600, and its folder, where it is made here, 0700. A file or folder that others
 *    could read or change is refused (JTG_ERR_UNSAFE), and a symbolic link is not followed.
 *  - An entry that cannot be read is dropped; a file that cannot be read counts as empty and is
 * kept beside as NAME.bad when the next one is written. A file of a newer version is left as it is.
 *
 * The environment variable JTIGUARD_DISABLE_TLS_TICKET_CACHE (any value but "" and "0") makes every
 * cache empty and keeps the library from touching a file.
 *
 * A build without OpenSSL answers JTG_ERR_UNSUPPORTED.
 *
 * Threads: every function may be called from any thread at any time, but for free.
 * Fork:    make the object in the process that uses it. A child refuses: JTG_ERR_FORKED.
 * Source:  RFC 8446 and RFC 9846 section 4.6.1 and appendix C.4, RFC 5077
 */
#ifndef JTIGUARD_TLS_TICKETS_H
#define JTIGUARD_TLS_TICKETS_H

#include <jtiguard/clock.h>
#include <jtiguard/endpoint.h>
#include <jtiguard/log.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Tickets in a file. Opaque. */
typedef struct jtg_tls_tickets jtg_tls_tickets;

/* Bounds, and defaults and ranges of the options; the code uses these names. */
enum {
    JTG_TLS_PIN_BYTES = 32, /**< A SHA-256. */
    JTG_TLS_TICKET_MAX_BYTES = 65535,
    JTG_TLS_FILE_MAX_BYTES = 16777216, /**< A larger file is none of ours, and none is written. */
    JTG_TLS_PATH_MAX_BYTES = 4095,
    JTG_TLS_LIFETIME_S_LIMIT = 604800, /**< 7 days. */
    JTG_TLS_MAX_AGE_S_DEFAULT = 86400,
    JTG_TLS_PER_ENDPOINT_DEFAULT = 4,
    JTG_TLS_PER_ENDPOINT_LIMIT = 1024,
    JTG_TLS_MAX_TICKETS_DEFAULT = 512,
    JTG_TLS_MAX_TICKETS_LIMIT = 65536,
    JTG_TLS_MAX_CONSUMED_DEFAULT = 8192,
    JTG_TLS_MAX_CONSUMED_LIMIT = 65536,
    JTG_TLS_LOCK_WAIT_MS_DEFAULT = 1000,
    JTG_TLS_LOCK_WAIT_MS_LIMIT = 60000
};
#define JTG_TLS_DISABLE_VARIABLE "JTIGUARD_DISABLE_TLS_TICKET_CACHE"

/** Options. Start from JTG_TLS_TICKETS_OPTIONS_INIT or jtg_tls_tickets_options_init().
 *
 * Processes that share a file are given the same ones, but for clock, logger and lock_wait_ms. */
typedef struct jtg_tls_tickets_options {
    size_t struct_size; /**< sizeof(jtg_tls_tickets_options). */

    /** Longest time that a ticket is kept, seconds, also when the server allows more: 1 … 604,800,
     * default 86,400. */
    uint32_t max_age_s;

    /** Most tickets of one endpoint; the newest stay. 1 … 1024, default 4. */
    uint32_t max_per_endpoint;

    /** Most tickets in the file; the newest stay. 1 … 65,536, default 512. Cost of more: each take
     * writes the whole file. */
    uint32_t max_tickets;

    /** Most tickets that are remembered as used up, each until it would have ended. 1 … 65,536,
     * default 8192. When so many are remembered no more are handed out (JTG_ERR_FULL). */
    uint32_t max_consumed;

    /** How long a call waits for another process or thread that has the file, milliseconds: 0 …
     * 60,000, default 1000; then JTG_ERR_UNAVAILABLE. */
    uint32_t lock_wait_ms;

    /** 1 (default): jtg_tls_tickets_put() and jtg_tls_tickets_pin_seen() write the file. 0: they
     * remember, and the next jtg_tls_tickets_save() or take writes. */
    uint32_t write_through;

    /** 1: the file holds keyed digests instead of host names, and of pins, which tell a host.
     * Needs key_file. 0 (default). */
    uint32_t hide_hosts;

    uint32_t reserved; /**< 0. */

    /** File of a key as jtg_ticket_options.kek_file: the tickets in the file are encrypted, and one
     * that is not authentic is dropped. NULL (default): in clear, for this user's eyes. Read once.
     */
    const char *key_file;

    const jtg_clock *clock;   /**< NULL (default) = the system's. Copied. */
    const jtg_logger *logger; /**< Told what was dropped and why. NULL = silence. Copied. */
} jtg_tls_tickets_options;

#define JTG_TLS_TICKETS_OPTIONS_INIT                                                               \
    {                                                                                              \
        sizeof(jtg_tls_tickets_options), JTG_TLS_MAX_AGE_S_DEFAULT, JTG_TLS_PER_ENDPOINT_DEFAULT,  \
            JTG_TLS_MAX_TICKETS_DEFAULT, JTG_TLS_MAX_CONSUMED_DEFAULT,                             \
            JTG_TLS_LOCK_WAIT_MS_DEFAULT, 1, 0, 0, NULL, NULL, NULL                                \
    }

/** Set every option to its default; the same as JTG_TLS_TICKETS_OPTIONS_INIT. */
JTG_API void jtg_tls_tickets_options_init(jtg_tls_tickets_options *options);

/** Where the file is when nobody says otherwise: jtiguard/tls-tickets.json below $XDG_CACHE_HOME if
 * that is absolute, else below $HOME/.cache. A program that runs with more rights than its user is
 * told none.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (neither variable names a folder, or path_size is too small)
 * Owns:    path borrowed: written with a NUL byte, empty unless JTG_OK · err may be NULL
 * Threads: any, while none changes the environment   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_tls_tickets_default_path(char *path, size_t path_size,
                                                                jtg_error *err);

/** Is the cache switched off by JTIGUARD_DISABLE_TLS_TICKET_CACHE?
 *
 * Returns: as the variable stands now; an object goes by what it was when it was made.
 * Threads: any, while none changes the environment   Blocks: never
 */
JTG_API bool jtg_tls_tickets_is_disabled(void);

/** Open a cache of tickets. Touches neither file nor folder: they are made by the first write.
 *
 * path: NULL = jtg_tls_tickets_default_path(). options: NULL = all defaults.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (path, an option, or a weak or open key file) ·
 *          JTG_ERR_MEMORY · JTG_ERR_SYSTEM (the key file cannot be read, no randomness) ·
 *          JTG_ERR_UNSUPPORTED
 * Owns:    *tickets returned, free with jtg_tls_tickets_free(); NULL on failure · path copied ·
 *          options borrowed for the call · err borrowed, may be NULL
 * Threads: any, while none changes the environment   Blocks: reading the key file
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_tls_tickets_open(jtg_tls_tickets **tickets, const char *path,
                                                        const jtg_tls_tickets_options *options,
                                                        jtg_error *err);

/** Wipe and free. tickets is taken; NULL does nothing. What was not saved is lost.
 *
 * Threads: one, no other call under way   Blocks: never
 */
JTG_API void jtg_tls_tickets_free(jtg_tls_tickets *tickets);

/** A ticket. Start from JTG_TLS_TICKET_INIT.
 *
 * To put, the pointers are borrowed. After a get or take they point into `storage`: call
 * jtg_tls_ticket_clear(). */
typedef struct jtg_tls_ticket {
    size_t struct_size; /**< sizeof(jtg_tls_ticket). */
    /** What the TLS library needs to resume: its own serialised session. A secret. */
    const void *ticket;
    size_t ticket_len; /**< 1 … 65,535. */
    /** What a second copy of the same ticket is known by, e.g. the ticket as the server sent it:
     * for a session that is not serialised alike each time. NULL, 0 (default): by `ticket`. Not
     * kept; NULL after a get or take. */
    const void *identity;
    size_t identity_len;
    /** SHA-256 of the SubjectPublicKeyInfo in the peer's certificate. */
    unsigned char pin[JTG_TLS_PIN_BYTES];
    /** As the server sent it; 0 is discarded. (In TLS 1.2 a server says 0 to say nothing: give what
     * you would keep it for.) */
    uint32_t lifetime_s;
    uint32_t reserved; /**< 0. */

    /* Set by a get or take. */
    int64_t stored_ms;  /**< When it was put, by the wall clock. */
    uint64_t age_ms;    /**< Since then. */
    uint64_t left_ms;   /**< Until it ends, at least 1. */
    void *storage;      /**< The library's. NULL where there is nothing to clear. */
    size_t storage_len; /**< Its bytes. */
} jtg_tls_ticket;

#define JTG_TLS_TICKET_INIT                                                                        \
    {                                                                                              \
        sizeof(jtg_tls_ticket), NULL, 0, NULL, 0, {0}, 0, 0, 0, 0, 0, NULL, 0                      \
    }

/** Wipe and free what a get or take put into it, and make it as JTG_TLS_TICKET_INIT.
 *
 * Threads: any   Blocks: never
 */
JTG_API void jtg_tls_ticket_clear(jtg_tls_ticket *ticket);

/** What became of a ticket that was to be put. */
typedef enum jtg_tls_fate {
    JTG_TLS_NOT_STORED = 0, /**< The call failed. */
    JTG_TLS_STORED = 1,     /**< It is there; without write_through, until it is saved. */
    JTG_TLS_DUPLICATE = 2,  /**< Dropped: it is there already, or was, and is used up. */
    JTG_TLS_DISCARDED = 3,  /**< Dropped: its lifetime is 0, or the cache is switched off. */
    JTG_TLS_OLD_PIN = 4     /**< Dropped: the server has shown another key since. */
} jtg_tls_fate;

/** Put a ticket.
 *
 * After JTG_ERR_UNAVAILABLE, JTG_ERR_SYSTEM, JTG_ERR_UNSAFE and JTG_ERR_UNSUPPORTED it is not in
 * the file, but remembered by this object, and the next call that writes, writes it. A ticket that
 * other limits would push out at once is JTG_TLS_STORED all the same.
 *
 * Returns: JTG_OK (see fate) · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY · JTG_ERR_FORKED ·
 *          JTG_ERR_UNAVAILABLE (another has the file) · JTG_ERR_SYSTEM (no room, no right, …) ·
 *          JTG_ERR_UNSAFE (others than this user may read or change file or folder, or it is no
 *          regular file) · JTG_ERR_UNSUPPORTED (a file of a newer version)
 * Owns:    all borrowed for the call · fate and err may be NULL
 * Threads: any   Blocks: with write_through, lock_wait_ms and the writing of the file
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_tls_tickets_put(jtg_tls_tickets *tickets,
                                                       const jtg_endpoint *endpoint,
                                                       const jtg_tls_ticket *ticket,
                                                       jtg_tls_fate *fate, jtg_error *err);

/** The newest live ticket of an endpoint; it stays. For servers that want a ticket used again, and
 * to look. Prefer jtg_tls_tickets_take(): a ticket that is used twice links the connections.
 *
 * pin: only one of this pin is given. NULL = any; look at ticket->pin.
 *
 * Returns: JTG_OK · JTG_NOT_FOUND · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY · JTG_ERR_FORKED ·
 *          JTG_ERR_SYSTEM · JTG_ERR_UNSAFE · JTG_ERR_UNSUPPORTED
 * Owns:    ticket returned: overwritten (it must hold no storage), the caller calls
 *          jtg_tls_ticket_clear(); as initialised unless JTG_OK · endpoint and pin borrowed ·
 *          err may be NULL
 * Threads: any   Blocks: reading the file
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_tls_tickets_get(jtg_tls_tickets *tickets,
                                                       const jtg_endpoint *endpoint,
                                                       const unsigned char *pin,
                                                       jtg_tls_ticket *ticket, jtg_error *err);

/** Hand out the newest live ticket of an endpoint, once. It is used up whatever becomes of the
 * connection: to put it back is a JTG_TLS_DUPLICATE.
 *
 * Every answer but JTG_OK means a full handshake.
 *
 * Returns: as jtg_tls_tickets_get() · JTG_ERR_UNAVAILABLE (another has the file) ·
 *          JTG_ERR_FULL (max_consumed tickets are remembered as used up)
 * Threads: any   Blocks: lock_wait_ms and the writing of the file, if there is a ticket
 * All else as jtg_tls_tickets_get().
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_tls_tickets_take(jtg_tls_tickets *tickets,
                                                        const jtg_endpoint *endpoint,
                                                        const unsigned char *pin,
                                                        jtg_tls_ticket *ticket, jtg_error *err);

/** A full handshake has shown this key: call it after each, before the first put.
 *
 * Drops the tickets of other pins, and from now on refuses to put such (JTG_TLS_OLD_PIN): a
 * connection from before the change may still be given tickets. Goes for the endpoint's host, port
 * and parameters, whatever the ALPN. Remembered for 7 days after the last call, which is longer
 * than any ticket lives. Writes only where that changes something, at most once a day for a known
 * pin.
 *
 * Returns: JTG_OK · JTG_ERR_… as jtg_tls_tickets_put()
 * Owns:    all borrowed for the call · err may be NULL
 * Threads: any   Blocks: as jtg_tls_tickets_put()
 */
JTG_API JTG_WARN_UNUSED jtg_status
jtg_tls_tickets_pin_seen(jtg_tls_tickets *tickets, const jtg_endpoint *endpoint,
                         const unsigned char pin[JTG_TLS_PIN_BYTES], jtg_error *err);

/** Remove every ticket of a host and port, whatever the ALPN and the parameters, e.g. when the
 * server answers tickets with failures. They are not stored again. Writes at once.
 *
 * Returns: JTG_OK · JTG_NOT_FOUND · JTG_ERR_… as jtg_tls_tickets_put()
 * Owns:    endpoint borrowed · err may be NULL
 * Threads: any   Blocks: lock_wait_ms and the writing of the file
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_tls_tickets_invalidate(jtg_tls_tickets *tickets,
                                                              const jtg_endpoint *endpoint,
                                                              jtg_error *err);

/** What is in the file, and what was wrong with it. Start from JTG_TLS_TICKETS_STATE_INIT. */
typedef struct jtg_tls_tickets_state {
    size_t struct_size;  /**< sizeof(jtg_tls_tickets_state). */
    uint32_t tickets;    /**< Live ones, with those that are not saved yet. */
    uint32_t unsaved;    /**< Of them. */
    uint32_t consumed;   /**< Remembered as used up. */
    uint32_t pins;       /**< Keys of servers that are remembered. */
    uint32_t ended;      /**< Tickets that have ended, or are dated later than now. */
    uint32_t unreadable; /**< Entries that are none of ours, or not authentic. */
    uint32_t is_corrupt; /**< 1: the file is none of ours; counts as empty, kept beside. */
    uint32_t is_disabled;
} jtg_tls_tickets_state;

#define JTG_TLS_TICKETS_STATE_INIT                                                                 \
    {                                                                                              \
        sizeof(jtg_tls_tickets_state), 0, 0, 0, 0, 0, 0, 0, 0                                      \
    }

/** Read the file and say what it holds. Nothing needs it, for every call goes by the file as it is;
 * a program learns with it at its start whether the cache can be used.
 *
 * Returns: JTG_OK (also without a file) · JTG_ERR_… as jtg_tls_tickets_get()
 * Owns:    state borrowed: filled, all 0 on failure; may be NULL · err may be NULL
 * Threads: any   Blocks: reading the file
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_tls_tickets_load(jtg_tls_tickets *tickets,
                                                        jtg_tls_tickets_state *state,
                                                        jtg_error *err);

/** Write what is remembered and not yet written, and drop from the file what has ended.
 *
 * Takes in what others have written since; nobody's tickets are lost, and none that was used up
 * comes back. Writes nothing when there is nothing to change.
 *
 * Returns: JTG_OK · JTG_ERR_… as jtg_tls_tickets_put()
 * Owns:    err may be NULL
 * Threads: any   Blocks: lock_wait_ms and the writing of the file
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_tls_tickets_save(jtg_tls_tickets *tickets, jtg_error *err);

/** Number of live tickets; 0 also when the file cannot be read. As jtg_tls_tickets_load() in all
 * else. */
JTG_API JTG_WARN_UNUSED size_t jtg_tls_tickets_len(jtg_tls_tickets *tickets);

#ifdef __cplusplus
}
#endif
#endif
