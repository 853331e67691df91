/* SPDX-License-Identifier: Apache-2.0 */
/** @file host.h
 * The host backend: one store for all processes of a host, in a file that they map. It needs no
 * server, and keeps what it holds when processes are killed, end, or are started anew.
 *
 * For prefork servers, event loops with several workers, cron jobs: a token is admitted once by all
 * of them together. Each process makes its own cache with jtg_host_new(), after fork(); a cache
 * that was made before answers JTG_ERR_FORKED in the child, as every other.
 *
 * The file lies on a tmpfs, so it ends with the boot. A new one has kept nothing from before: like
 * a new Redis it refuses tokens that can have been used before it was made, 90 seconds with the
 * guard's defaults, unless jtg_host_vouch() says that there were none. A process may be killed at
 * any instruction: whoever comes next repairs what it left, and no reservation is lost by it.
 *
 * It is bounded as a memory cache is (memory.h): a full store answers JTG_ERR_FULL and never evicts
 * a live entry. All its memory is reserved when it is made, 31 bytes an entry, and 4 MiB for the
 * values that it keeps by default. Keys of reservations are kept as in a memory cache; those of
 * values are kept whole, as the values are. What leaves is wiped.
 *
 * Who may open the file is one trust domain: such a process can fill, break or truncate it. A
 * process whose file is truncated under it is ended by SIGBUS at its next call.
 *
 * One thing is asked of the caller of jtg_cache_reserve_kept(): the time that it names must not lie
 * in the future when it calls. A guard sees to that.
 *
 * Blocks: every lock is held for bounded work and waited for up to lock_wait_ms: a process that was
 * stopped inside answers the others JTG_ERR_BLOCKED, and its lock is not taken from it.
 */
#ifndef JTIGUARD_HOST_H
#define JTIGUARD_HOST_H

#include <jtiguard/cache.h>
#include <jtiguard/clock.h>
#include <jtiguard/log.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Defaults and ranges of the options; the code uses these names. */
#define JTG_HOST_MAX_ENTRIES_DEFAULT     UINT64_C(1000000)
#define JTG_HOST_MAX_ENTRIES_LIMIT       UINT64_C(1000000000)
#define JTG_HOST_MAX_VALUES_DEFAULT      UINT64_C(1000)
#define JTG_HOST_MAX_VALUES_LIMIT        UINT64_C(1000000)
#define JTG_HOST_MAX_VALUE_BYTES_DEFAULT (UINT64_C(2) << 20)
#define JTG_HOST_MAX_VALUE_BYTES_LIMIT   (UINT64_C(1) << 30)
#define JTG_HOST_LOCK_WAIT_MS_DEFAULT    100U
#define JTG_HOST_LOCK_WAIT_MS_LIMIT      10000U

/** Most processes that use a store at once. */
#define JTG_HOST_PROCESSES 4096U

/** Options of a host cache. Start from JTG_HOST_OPTIONS_INIT or jtg_host_options_init(). */
typedef struct jtg_host_options {
    size_t struct_size; /**< sizeof(jtg_host_options). */

    /** The file, an absolute path on a tmpfs; its folder must be there. NULL (default):
     * /run/jtiguard-host/store; for a user that is not root, where there is no such folder,
     * /run/user/UID/jtiguard/store, which ends with the user's last session. Copied. */
    const char *path;

    /** Most reservations at once, of a store that this call makes: 1 … 10^9, default 1,000,000. One
     * that is there keeps its own. */
    uint64_t max_entries;

    /** Most reservations of one group (issuer), of a store that this call makes: 0 (default) = no
     * share … max_entries. */
    uint64_t max_entries_per_group;

    /** Longest wait for a process that holds a lock, milliseconds: 1 … 10,000, default 100. */
    uint32_t lock_wait_ms;

    /** A user, by name or number, whose file is accepted beside root's and this process's own; root
     * makes it for that user. NULL (default): none. Borrowed for the call. */
    const char *owner;

    /** A group, by name or number, whose members may use the store that this call makes (mode 0660
     * in place of 0600). NULL (default): none. Borrowed for the call. */
    const char *group;

    /** Use a store that is there, and make none, also not in place of a file that is of no use (of
     * an earlier boot, or of another version). Default false. */
    bool must_exist;

    /** The clock. All processes of a store must have the same. NULL (default) = the system's. */
    const jtg_clock *clock;

    /** Where it reports that the store was made, replaced or repaired. NULL (default): nowhere. */
    const jtg_logger *logger;

    /** Most values (token caches) at once, of a store that this call makes: 1 … 1,000,000, default
     * 1,000. Cost: 516 bytes each. */
    uint64_t max_values;

    /** Most bytes of values with their keys, of a store that this call makes: 1 … 2^30, default
     * 2 MiB. Cost: 8/7 of them, and once more the longest value that fits, at most 1.2 MB. */
    uint64_t max_value_bytes;
} jtg_host_options;

#define JTG_HOST_OPTIONS_INIT                                                                      \
    {                                                                                              \
        sizeof(jtg_host_options), NULL, JTG_HOST_MAX_ENTRIES_DEFAULT, 0,                           \
            JTG_HOST_LOCK_WAIT_MS_DEFAULT, NULL, NULL, false, NULL, NULL,                          \
            JTG_HOST_MAX_VALUES_DEFAULT, JTG_HOST_MAX_VALUE_BYTES_DEFAULT                          \
    }

/** Set every option to its default; the same as JTG_HOST_OPTIONS_INIT. */
JTG_API void jtg_host_options_init(jtg_host_options *options);

/** Open the host's store, or make it.
 *
 * options: NULL = all defaults. A value out of its range is an error and not clamped.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_UNAVAILABLE (no folder, no right, none there, or
 *          4,096 processes use it) · JTG_ERR_UNSAFE (not on a tmpfs; others may change it; another
 *          time namespace; of another version and in use) · JTG_ERR_BLOCKED · JTG_ERR_MEMORY (also:
 *          the tmpfs is full) · JTG_ERR_UNSUPPORTED (the machine has no
 *          64-bit atomics without a lock) · JTG_ERR_SYSTEM
 * Owns:    *cache returned, free with jtg_cache_free(); NULL on failure · options borrowed for the
 *          call · err borrowed, may be NULL
 * Threads: any; a thread that forks meanwhile gives the child a descriptor, and while that child
 *          lives this process's end is not noticed   Blocks: making the file, 5 ms for a million
 *          entries; else up to lock_wait_ms, and 5 s for others who open it
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_host_new(jtg_cache **cache, const jtg_host_options *options,
                                                jtg_error *err);

/** The same from a URI: `host:` or `host:/path`; everything else by default.
 *
 * clock and logger as in the options. Returns: as jtg_host_new() · JTG_ERR_ARGUMENT (no such URI)
 * Owns: uri borrowed for the call; all else as jtg_host_new()
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_host_new_uri(jtg_cache **cache, const char *uri,
                                                    jtg_error *err);

/** Is there a place for the store that is meant when nobody names a path? Makes its folder where it
 * may, and no store.
 *
 * For a program that takes another store where a host has none. Only JTG_ERR_UNAVAILABLE says so:
 * whoever goes elsewhere because he may not use the host's store admits what others have admitted.
 *
 * Returns: JTG_OK · JTG_ERR_UNAVAILABLE (there is none: no tmpfs, or no right to make the folder)
 * Owns:    err borrowed, may be NULL
 * Threads: any   Blocks: system calls
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_host_place(jtg_error *err);

enum { JTG_HOST_PATH_BYTES = 256 /**< Size of jtg_host_stats.path with its NUL. */ };

/** What a host store holds, and what its processes have done. */
typedef struct jtg_host_stats {
    size_t struct_size;             /**< sizeof(jtg_host_stats), set by the caller. */
    char path[JTG_HOST_PATH_BYTES]; /**< Of the file, cut where it is longer. */
    uint64_t bytes;                 /**< Of the file: all of them are in memory. */
    uint64_t entries;               /**< Reservations stored, ended ones not yet swept included. */
    uint64_t max_entries;           /**< As the store was made, or resized. */
    uint64_t max_entries_per_group; /**< As the store was made. */
    uint64_t groups;                /**< Groups that have a counter. */
    uint64_t swept;                 /**< Entries and values removed because they had ended. */
    uint64_t sweep_passes;          /**< Whole passes of the sweep. */
    uint64_t repairs;               /**< Parts repaired after a process died inside. */
    uint64_t emptied;               /**< Parts that had to be emptied: a stray write. */
    uint64_t processes;             /**< That use it now, this one included. */
    uint64_t replaced;              /**< Times that this cache found another file at its path. */
    int64_t kept_since_ms;          /**< As jtg_cache_kept_since(). */
    uint64_t values;                /**< Values stored, ended ones not yet swept included. */
    uint64_t max_values;            /**< As the store was made. */
    uint64_t value_bytes;           /**< Bytes of values with their keys. */
    uint64_t max_value_bytes;       /**< As the store was made. */
} jtg_host_stats;

/** Read the numbers of a host cache.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (no host cache) · JTG_ERR_FORKED · JTG_ERR_BLOCKED · as
 *          jtg_cache_reserve()
 * Owns:    stats borrowed; only the first struct_size bytes are written · err may be NULL
 * Threads: any   Blocks: each part's lock in turn
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_host_stats_get(jtg_cache *cache, jtg_host_stats *stats,
                                                      jtg_error *err);

/** Say that the store has kept everything since a time, although it cannot know it: for an operator
 * who knows that nothing was used before it was made.
 *
 * **If that is not so, used tokens are admitted again.** Takes effect for every process at once.
 * Never moves kept_since forward.
 *
 * kept_since_ms: wall clock, milliseconds since 1970; 0 = ever.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (no host cache, or it lies in the future) ·
 *          JTG_ERR_UNAVAILABLE (it moved meanwhile: look again) · JTG_ERR_… as jtg_cache_reserve()
 * Owns:    err borrowed, may be NULL
 * Threads: any   Blocks: lock_wait_ms
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_host_vouch(jtg_cache *cache, int64_t kept_since_ms,
                                                  jtg_error *err);

/** The opposite: what was made before now counts no more, as after a virtual machine was set back
 * to a snapshot. Tokens that can have been used before are refused.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (no host cache) · JTG_ERR_… as jtg_cache_reserve()
 * Owns:    err borrowed, may be NULL
 * Threads: any   Blocks: lock_wait_ms
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_host_lose(jtg_cache *cache, jtg_error *err);

/** Make the store larger or smaller, while processes use it.
 *
 * A new file takes the place of the old one, with everything that it holds: each reservation, since
 * when it has kept everything, and what guards have noted of the clock. Every process goes over to
 * it in its next call. Whoever is killed in here leaves the old store or the new one.
 *
 * Calls wait while the entries are copied, 10 ms for a million; one that may not wait for so long
 * is answered JTG_ERR_BLOCKED, and a guard's that is under way JTG_REASON_OUTCOME_UNKNOWN: ask
 * again with the same owner. The memory of both is needed for a moment. The share of a group stays,
 * but is never greater than the store. The number of the store's parts stays, too: one that was
 * made for few entries and holds very many is repaired more slowly than one that was made for them.
 *
 * max_entries: 1 … 10^9.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (no host cache, or out of its range) · JTG_ERR_FULL (it holds
 *          more than that: nothing is different) · JTG_ERR_UNAVAILABLE (only its owner and root
 *          may; or another file came to stand at its path meanwhile) · JTG_ERR_MEMORY (also: the
 *          tmpfs is full) · JTG_ERR_BLOCKED · JTG_ERR_… as jtg_cache_reserve()
 * Owns:    err borrowed, may be NULL
 * Threads: any   Blocks: making the file, and lock_wait_ms for each lock
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_host_resize(jtg_cache *cache, uint64_t max_entries,
                                                   jtg_error *err);

/** Tell of each process that uses the store: its number in its own PID namespace, and its name.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (no host cache) · JTG_ERR_… as jtg_cache_reserve()
 * Owns:    tell and context borrowed for the call; name for the call of tell · err may be NULL
 * Threads: any   Blocks: 4,096 system calls
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_host_processes(
    jtg_cache *cache, void (*tell)(void *context, uint32_t process_id, const char *name),
    void *context, jtg_error *err);

#ifdef __cplusplus
}
#endif
#endif
