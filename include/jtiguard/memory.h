/* SPDX-License-Identifier: Apache-2.0 */
/** @file memory.h
 * The memory backend: a cache inside one process. The default of everything.
 *
 * It keeps no token text of a reservation: keys are kept as 64-bit fingerprints (SipHash
 * under a random key of this cache) in one of up to 256 partitions, owners as 64-bit keyed tags.
 * Two keys that share both make a fresh token look replayed: it is refused, never admitted. With n
 * live entries in p partitions that happens to a reserve with a probability of n / p / 2^64: at
 * most 2.2e-13 for the largest cache, 2.2e-15 for ten million entries, 1.1e-16 for a small one (p
 * is at least 64 from 65,536 max_entries on, and 1 under 2,048). A wrong owner passes for the right
 * one with probability 2^-64 a try, and the tag's key never leaves the process.
 *
 * It is bounded: a full table answers JTG_ERR_FULL and never evicts a live entry.
 *
 * A process that starts anew has forgotten everything: see restart_rule in guard.h.
 * Several processes each have a store of their own: a token is then admitted once in each.
 * Servers that fork workers must create the cache in each worker and need a shared store.
 *
 * Blocks: every call holds one lock at a time for bounded work: at most
 * JTG_MEMORY_STEP_SLOTS table slots a lock hold, which jtg_memory_stats counts.
 */
#ifndef JTIGUARD_MEMORY_H
#define JTIGUARD_MEMORY_H

#include <jtiguard/cache.h>
#include <jtiguard/clock.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Defaults and ranges of the options; the code uses these names. */
#define JTG_MEMORY_MAX_ENTRIES_DEFAULT       UINT64_C(1000000)
#define JTG_MEMORY_MAX_ENTRIES_LIMIT         UINT64_C(1000000000)
#define JTG_MEMORY_SWEEP_INTERVAL_MS_DEFAULT 5000U
#define JTG_MEMORY_SWEEP_INTERVAL_MS_LIMIT   3600000U
#define JTG_MEMORY_MAX_VALUES_DEFAULT        UINT64_C(65536)
#define JTG_MEMORY_MAX_VALUES_LIMIT          UINT64_C(16777216)
#define JTG_MEMORY_MAX_VALUE_BYTES_DEFAULT   (UINT64_C(64) << 20)
#define JTG_MEMORY_MAX_VALUE_BYTES_LIMIT     (UINT64_C(1) << 40)

/** Most table slots that one lock hold may visit or move. */
#define JTG_MEMORY_STEP_SLOTS 16384U

/** Options of a memory cache. Start from JTG_MEMORY_OPTIONS_INIT or jtg_memory_options_init(). */
typedef struct jtg_memory_options {
    size_t struct_size; /**< sizeof(jtg_memory_options). */

    /** Most reservations at once; beyond it JTG_ERR_FULL.
     * 1 … 10^9, default 1,000,000. Cost: at most 40 bytes an entry; the address space for all of
     * them is taken at once, the memory only as entries come, and it stays with the cache. When
     * the store is full, a reserve first makes room of what has ended: all of it in a cache of up
     * to 65,536 entries, a bounded part of it in a larger one. */
    uint64_t max_entries;

    /** Most reservations of one group (issuer); beyond it JTG_ERR_GROUP_FULL.
     * 0 (default) = no share … max_entries. Cost: 1 MiB of address space, and one counter that all
     * threads of a group share. The first 49,152 groups have a counter each, later ones share
     * one. */
    uint64_t max_entries_per_group;

    /** Pause between two sweeps of the background thread, milliseconds.
     * 1 … 3,600,000, default 5,000; 0 = no thread, the caller calls
     * jtg_memory_sweep_step(). Decides only how soon places are given back. */
    uint32_t sweep_interval_ms;

    /** Most values (token caches) at once; beyond it JTG_ERR_FULL. 1 … 16,777,216,
     * default 65,536. */
    uint64_t max_values;

    /** Most bytes of values with their keys; beyond it JTG_ERR_FULL. 1 … 2^40, default 64 MiB. */
    uint64_t max_value_bytes;

    /** The clock; only monotonic_ms is read. NULL (default) = the system's. Copied. */
    const jtg_clock *clock;
} jtg_memory_options;

#define JTG_MEMORY_OPTIONS_INIT                                                                    \
    {                                                                                              \
        sizeof(jtg_memory_options), JTG_MEMORY_MAX_ENTRIES_DEFAULT, 0,                             \
            JTG_MEMORY_SWEEP_INTERVAL_MS_DEFAULT, JTG_MEMORY_MAX_VALUES_DEFAULT,                   \
            JTG_MEMORY_MAX_VALUE_BYTES_DEFAULT, NULL                                               \
    }

/** Set every option to its default; the same as JTG_MEMORY_OPTIONS_INIT. */
JTG_API void jtg_memory_options_init(jtg_memory_options *options);

/** Make a memory cache.
 *
 * options: NULL = all defaults. A value out of its range is an error and not clamped.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY · JTG_ERR_SYSTEM (no thread, or no
 *          randomness)
 * Owns:    *cache returned, free with jtg_cache_free(); NULL on failure · options borrowed
 *          for the call · err borrowed, may be NULL
 * Threads: any   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_memory_new(jtg_cache **cache,
                                                  const jtg_memory_options *options,
                                                  jtg_error *err);

/** Do one bounded step of the sweep: remove what has ended from a part of the store.
 *
 * Correctness never needs it. Without the thread a caller runs it until *more is false,
 * now and then; with the thread it may be called too.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (no memory cache) · JTG_ERR_FORKED
 * Owns:    more borrowed: whether this pass has steps left · err borrowed, may be NULL
 * Threads: any   Blocks: one partition's lock, JTG_MEMORY_STEP_SLOTS slots
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_memory_sweep_step(jtg_cache *cache, bool *more,
                                                         jtg_error *err);

/** What a memory cache holds and has done. */
typedef struct jtg_memory_stats {
    size_t struct_size;      /**< sizeof(jtg_memory_stats), set by the caller. */
    uint64_t entries;        /**< Reservations stored, ended ones not yet swept included. */
    uint64_t max_entries;    /**< As in the options. */
    uint64_t slots;          /**< Table slots in use by the table now (empty and full). */
    uint64_t table_bytes;    /**< Bytes of those slots. */
    uint64_t groups;         /**< Groups that have a counter. */
    uint64_t values;         /**< Values stored, ended ones not yet swept included. */
    uint64_t value_bytes;    /**< Bytes of values with their keys. */
    uint64_t swept;          /**< Entries and values removed because they had ended. */
    uint64_t sweep_passes;   /**< Whole passes of the sweep. */
    uint64_t growths;        /**< Times that a partition grew, or a piece of it split. */
    uint64_t max_step_slots; /**< Most slots that any lock hold visited or moved so far. */
} jtg_memory_stats;

/** Read the numbers of a memory cache.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (no memory cache) · JTG_ERR_FORKED
 * Owns:    stats borrowed; only the first struct_size bytes are written
 * Threads: any   Blocks: each partition's lock in turn
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_memory_stats_get(jtg_cache *cache, jtg_memory_stats *stats,
                                                        jtg_error *err);

#ifdef __cplusplus
}
#endif
#endif
