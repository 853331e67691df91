/* SPDX-License-Identifier: Apache-2.0 */
/** @file backend.h
 * For people who write a backend. Callers of a cache do not need this header.
 *
 * A backend is a struct whose first member is a `jtg_cache`, and a `static const
 * jtg_backend` table. Its constructor calls jtg_cache_init(); from then on the object is
 * used through cache.h. tests/contract/ holds the list of tests that accept a backend; it
 * can be compiled against yours.
 *
 * What the core guarantees to every slot
 *  - self is the object given to jtg_cache_init(), and no slot is called before that or
 *    after destroy, and destroy is called once, with no other call under way;
 *  - all other slots are called from many threads at once;
 *  - arguments are valid: pointers set, lengths and times within the limits of cache.h,
 *    owner present; out pointers are initialised (a jtg_value is empty);
 *  - err is never NULL and is empty on entry, but for those of reserve_many and
 *    bitmap_take_many, each of which may be NULL;
 *  - in a child made by fork() no slot but destroy is called.
 *
 * What the backend guarantees to the core
 *  - each slot means what cache.h says of the public function, and returns only what it
 *    lists there;
 *  - reserve, take and the taking of a bit are one atomic step for every thread, process and host
 *    that shares the store; release and swap compare and act in one step;
 *  - an entry is absent from the moment its time ends, and is live up to that moment: it is
 *    never evicted, whatever the pressure;
 *  - every call ends within a bound that the backend's header states;
 *  - when the outcome is not known it answers JTG_ERR_TIMEOUT, never JTG_OK;
 *  - on failure it may describe the cause with jtg_error_set(), without keys, values or
 *    secrets; on success it leaves err alone;
 *  - destroy frees the object itself, after jtg_cache_clear_base().
 */
#ifndef JTIGUARD_BACKEND_H
#define JTIGUARD_BACKEND_H

#include <jtiguard/cache.h>
#include <jtiguard/extend.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Who borrows memory of a store. Values are part of the ABI: they say which piece it is. */
typedef enum jtg_borrower {
    JTG_BORROWER_GUARD = 0,       /**< The guards on it. */
    JTG_BORROWER_ANTI_REPLAY = 1, /**< The guards of early data and of QUIC tokens on it. */
    JTG_BORROWER_COUNT = 2        /**< Number of borrowers; grows. */
} jtg_borrower;

enum { JTG_LENT_BYTES = 256 /**< Size of a piece that is lent. */ };

struct jtgi_counters;
struct jtgi_loop_table;

/** The operations of a backend. `static const` in the backend; borrowed while a cache lives.
 *
 * Grows only at the end: the core reads no slot beyond struct_size, and calls none that it does not
 * know, for a slot is an offer; a struct of options that sets one would be refused (extend.h).
 */
typedef struct jtg_backend {
    size_t struct_size; /**< sizeof(jtg_backend) when the backend was compiled. */
    const char *name;   /**< Lower case, static, e.g. "memory". Mandatory. */

    /* Mandatory. */
    jtg_status (*reserve)(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          uint64_t ttl_ms, jtg_error *err);
    jtg_status (*release)(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          jtg_error *err);
    jtg_status (*count)(jtg_cache *self, uint64_t *count, jtg_error *err);
    jtg_status (*clear)(jtg_cache *self, jtg_error *err);
    jtg_status (*ping)(jtg_cache *self, jtg_error *err);
    void (*destroy)(jtg_cache *self);

    /* All five or none: without them the public functions answer JTG_ERR_UNSUPPORTED. */
    jtg_status (*put)(jtg_cache *self, const jtg_key *key, const void *value, size_t value_len,
                      uint64_t ttl_ms, size_t keep, jtg_error *err);
    jtg_status (*get)(jtg_cache *self, const jtg_key *key, jtg_value *value, jtg_error *err);
    jtg_status (*take)(jtg_cache *self, const jtg_key *key, jtg_value *value, jtg_error *err);
    jtg_status (*swap)(jtg_cache *self, const jtg_key *key, const void *expected,
                       size_t expected_len, const void *value, size_t value_len, uint64_t ttl_ms,
                       jtg_error *err);
    jtg_status (*drop)(jtg_cache *self, const jtg_key *key, jtg_error *err);

    /* Both or none: a backend that notices when its store has forgotten. */
    jtg_status (*reserve_kept)(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                               uint64_t ttl_ms, int64_t kept_since_ms, jtg_error *err);
    jtg_status (*kept_since)(jtg_cache *self, int64_t *kept_since_ms, jtg_error *err);

    /* Optional: NULL where the store removes by itself what has ended. *removed is 0 on entry. */
    jtg_status (*prune)(jtg_cache *self, uint64_t *removed, jtg_error *err);

    /* Optional: NULL where several reservations at once gain nothing; the core then makes them one
     * after the other. Each of the calls, 1 … JTG_MANY_MAX, is one of reserve, or of reserve_kept
     * where kept_since_ms is not JTG_KEPT_ANY (never in a backend that lacks it). The backend sets
     * status, which says JTG_ERR_TIMEOUT on entry, and nothing else but *err. Calls with the same
     * key are answered as if they were made in this order. */
    void (*reserve_many)(jtg_cache *self, jtg_reserve_call *const *calls, size_t count);

    /* All three or none: a store that several objects use lends them memory, in which they note
     * together how the wall clock was set. Where it lends none, each notes it for itself.
     *
     * lend: the piece of this borrower: JTG_LENT_BYTES bytes at a multiple of eight. All who use
     * the store, in all their processes, get the same. It is all zero where the store begins, and
     * lives as long as what the store holds, or longer: clear leaves it alone, and whoever forgets
     * it forgets all reservations with it. A store that was exchanged under the cache lends another
     * from the first reservation on that it makes in the new one; a piece that was lent once stays
     * readable and writable until destroy, with what it said, and its address is never that of
     * another. Asked twice a
     * decision: it must cost no more than a look at a pointer, and must not wait. Other statuses
     * than JTG_OK refuse the decision as they do in reserve.
     *
     * lock_lent: hold the lock of a piece, of all threads and processes the only one; memory is
     * what lend has given. JTG_ERR_BLOCKED after a bounded wait. Its holder stores some numbers,
     * reads the clock and calls unlock_lent; it takes no other lock, and does not come again.
     *
     * A holder whose process is killed inside holds the lock no more: the next one gets it, with
     * JTG_OK, and finds the memory as the dead one left it. It need not be told, for it sees in the
     * numbers what was begun. A living holder's lock is never given to another. */
    jtg_status (*lend)(jtg_cache *self, jtg_borrower borrower, void **memory, jtg_error *err);
    jtg_status (*lock_lent)(jtg_cache *self, void *memory, jtg_error *err);
    void (*unlock_lent)(jtg_cache *self, void *memory);

    /* Optional, beside kept_since, and only where that follows a clock: a number that is another
     * exactly when what the store has kept is; greater after a loss. Where it is absent, kept_since
     * is asked. */
    jtg_status (*epoch)(jtg_cache *self, int64_t *epoch, jtg_error *err);

    /* Both or none: without them the public functions answer JTG_ERR_UNSUPPORTED. kept_since_ms is
     * JTG_KEPT_ANY where the backend lacks reserve_kept.
     *
     * bitmap_put has all of the bitmap's memory, or refuses: taking a bit must not need any. It
     * never writes over a live one.
     *
     * bitmap_take_many: each of the calls, 1 … JTG_MANY_MAX, takes one bit in one atomic step. The
     * backend sets status, which says JTG_ERR_TIMEOUT on entry, and nothing else but *err, which
     * may be NULL. Calls of the same bit are answered as if they were made in this order. A bitmap
     * that is not there is never made by it. */
    jtg_status (*bitmap_put)(jtg_cache *self, const jtg_key *key, uint32_t bits, uint64_t ttl_ms,
                             int64_t kept_since_ms, jtg_error *err);
    void (*bitmap_take_many)(jtg_cache *self, jtg_bitmap_call *const *calls, size_t count);

    /* The library's own: NULL. On a store without it the calls of jtiguard/async.h are answered at
     * once, by the operations above. */
    const struct jtgi_loop_table *loop;
} jtg_backend;

/** The base of every cache: the first member of a backend's struct. Its members are the core's. */
struct jtg_cache {
    const jtg_backend *backend;
    struct jtgi_counters *counters;
    uint64_t fork_generation;
    void *reserved; /**< NULL. */
};

/** Make the base usable. Refuses a table with a missing or a half-set slot.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY
 * Owns:    cache is the caller's storage · backend borrowed until destroy · err may be NULL
 * Threads: one   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_cache_init(jtg_cache *cache, const jtg_backend *backend,
                                                  jtg_error *err);

/** Free what jtg_cache_init() made: called by a backend's destroy, and by its constructor
 * when a later step fails. Does not free the struct itself. */
JTG_API void jtg_cache_clear_base(jtg_cache *cache);

/** Fill a jtg_value with a copy of bytes, e.g. in `get`.
 *
 * Returns: JTG_OK · JTG_ERR_MEMORY (the value stays empty)
 * Owns:    value overwritten, it must be empty · data borrowed
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_value_set(jtg_value *value, const void *data,
                                                 size_t data_len, uint64_t ttl_ms);

#ifdef __cplusplus
}
#endif
#endif
