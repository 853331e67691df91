/* SPDX-License-Identifier: Apache-2.0 */
/** @file cache.h
 * The Cache interface: one set of operations over every store.
 *
 * A cache holds three kinds of things, each in a namespace of its own:
 *
 *  - reservations, a key held by one owner until its time ends (replay guards);
 *  - values, a short list of byte strings under a key, newest first (token caches);
 *  - bitmaps, a row of bits under a key, each of which can be taken once (challenges).
 *
 * One key may be reserved, and hold values and a bitmap; none touches the others.
 *
 * An entry whose time has ended is absent for every operation from that moment, whether or
 * not the store has removed it yet. A live entry is never forgotten to make room: a full
 * store refuses.
 *
 * Arguments are checked here, once, for every backend; a bad one answers JTG_ERR_ARGUMENT
 * and reaches no backend.
 *
 * Threads: every function may be called from any thread at any time, except that nothing
 * may be called during or after jtg_cache_free().
 * Fork:    a cache must be created by the process that uses it. In a child made by fork()
 * every call except jtg_cache_free() returns JTG_ERR_FORKED. Otherwise parent and child would
 * each admit the same token.
 * Signals: no function is async-signal-safe. A signal that the program handles does not end a
 *          call: it waits on, up to the bound that the backend states (redis.h: the URI's timeout).
 */
#ifndef JTIGUARD_CACHE_H
#define JTIGUARD_CACHE_H

#include <jtiguard/status.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A store of reservations and values. Opaque; made by a backend, e.g. jtg_memory_new(). */
typedef struct jtg_cache jtg_cache;

enum {
    JTG_KEY_MAX_BYTES = 512,       /**< Longest key. */
    JTG_GROUP_MAX_BYTES = 2048,    /**< Longest group (an issuer's URL). */
    JTG_OWNER_BYTES = 16,          /**< Size of an owner. */
    JTG_VALUE_MAX_BYTES = 1048576, /**< Longest value, 1 MiB. */
    JTG_KEEP_MAX = 64,             /**< Most values under one key. */
    JTG_MANY_MAX = 1024,           /**< Most calls that are made at once. */
    JTG_BITMAP_MAX_BITS = 1048576  /**< Most bits of a bitmap: 128 KiB. */
};

/** Longest time to live: 366 days, in milliseconds. */
#define JTG_TTL_MAX_MS UINT64_C(31622400000)

/** A key: 1 … JTG_KEY_MAX_BYTES bytes, binary-safe, compared byte for byte.
 *
 * The group says whom to charge for the entry (for a guard: the issuer), so that one issuer
 * cannot fill a bounded store; 0 … JTG_GROUP_MAX_BYTES bytes, 0 = no group. It is no part of
 * the key's identity, and matters to jtg_cache_reserve() only.
 *
 * Both pointers are borrowed for the call.
 */
typedef struct jtg_key {
    const void *data;
    size_t data_len;
    const void *group; /**< NULL where group_len is 0. */
    size_t group_len;
} jtg_key;

/** Who holds a reservation: 16 bytes, unique to one attempt to use a token.
 *
 * Whoever asks again with the same owner gets the same answer, so an owner must not be
 * guessable by the token's presenter nor be chosen by them.
 */
typedef struct jtg_owner {
    unsigned char bytes[JTG_OWNER_BYTES];
} jtg_owner;

/** Make a fresh random owner (a version 4 UUID, RFC 9562 section 5.4).
 *
 * Owns:    owner borrowed, overwritten
 * Threads: any   Blocks: never
 */
JTG_API void jtg_owner_generate(jtg_owner *owner);

/** Make an owner from an idempotency value of any length, e.g. a proxy's request id.
 *
 * The same bytes give the same owner in every process: the first 16 bytes of SHA-256 over
 * "jtiguard owner 1", a NUL byte, and the value. The value must come from the caller's own proxy or
 * program, never from the client: who repeats it is admitted again.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (empty, or NULL)
 * Owns:    owner borrowed, overwritten · value borrowed
 * Threads: any   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_owner_from_bytes(jtg_owner *owner, const void *value,
                                                        size_t value_len);

/** Reserve a key for one owner, unless another owner holds it.
 *
 * One atomic step, also between processes that share one store: of any number of callers
 * with different owners, one gets JTG_OK until the reservation ends.
 *
 * Asking again with the owner that holds it answers JTG_OK and never shortens the
 * reservation: it then ends no earlier than ttl_ms from this call.
 *
 * ttl_ms: 1 … JTG_TTL_MAX_MS, counted from the call.
 *
 * Returns: JTG_OK it is yours · JTG_REPLAYED another owner holds it · JTG_ERR_ARGUMENT ·
 *          JTG_ERR_FULL · JTG_ERR_GROUP_FULL · JTG_ERR_MEMORY · JTG_ERR_FORKED · JTG_ERR_SYSTEM ·
 *          JTG_ERR_UNAVAILABLE · JTG_ERR_REFUSED · JTG_ERR_PROTOCOL · JTG_ERR_UNSAFE ·
 *          JTG_ERR_BLOCKED (nothing was stored) · JTG_ERR_TIMEOUT (whether it was stored is
 *          unknown: ask again with the same owner) · JTG_ERR_REPLICAS (stored, but not safely)
 * Owns:    key and owner borrowed for the call · err borrowed, may be NULL
 * Threads: any   Blocks: memory, one partition's lock · others, as the backend's header says
 * Source:  RFC 7523 section 3 (7), RFC 9449 section 11.1
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_cache_reserve(jtg_cache *cache, const jtg_key *key,
                                                     const jtg_owner *owner, uint64_t ttl_ms,
                                                     jtg_error *err);

/** Does this cache notice when its store has forgotten? 1 or 0; 0 for NULL.
 *
 * Where it does, jtg_cache_reserve_kept() and jtg_cache_kept_since() are there to be used.
 *
 * Threads: any   Blocks: never
 */
JTG_API int jtg_cache_watches(const jtg_cache *cache);

/** Like jtg_cache_reserve(), but succeeds only if the store is known to have lost no live
 * reservation that was made in it at or after kept_since_ms.
 *
 * A store that was restarted, flushed, failed over or exchanged has forgotten what it held, and
 * would take a used token for a new one. With kept_since_ms set to the earliest moment at which the
 * token can have been used, JTG_OK says that this is its first use.
 *
 * The answer is about the moment at which the store acted: a loss between two calls is noticed by
 * the second. JTG_REPLAYED is the store's word and needs no continuity.
 *
 * kept_since_ms: wall clock, milliseconds since 1970; INT64_MIN needs everything ever made.
 *
 * Returns: as jtg_cache_reserve() · JTG_ERR_CONTINUITY the store may have forgotten since
 *          kept_since_ms (the key may be reserved for this owner all the same) ·
 *          JTG_ERR_UNSUPPORTED the cache does not watch its store
 * Owns:    key and owner borrowed for the call · err borrowed, may be NULL
 * Threads: any   Blocks: as jtg_cache_reserve()
 * Source:  RFC 8446 section 8.2
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_cache_reserve_kept(jtg_cache *cache, const jtg_key *key,
                                                          const jtg_owner *owner, uint64_t ttl_ms,
                                                          int64_t kept_since_ms, jtg_error *err);

/** Whatever the store has forgotten: see jtg_reserve_call. */
#define JTG_KEPT_ANY INT64_MAX

/** One of several reservations that are asked for at once: what jtg_cache_reserve() or
 * jtg_cache_reserve_kept() takes, and what it would return. Start from JTG_RESERVE_CALL_INIT; what
 * is all zero refuses too.
 *
 * Its layout is fixed: what is behind a call of an array is the next call.
 */
typedef struct jtg_reserve_call {
    jtg_key key;            /**< Its pointers are borrowed for the call, as owner and err. */
    const jtg_owner *owner; /**< Who asks; several calls may name one. */
    uint64_t ttl_ms;        /**< 1 … JTG_TTL_MAX_MS, from the call. */
    /** As jtg_cache_reserve_kept() takes it; JTG_KEPT_ANY to ask as jtg_cache_reserve() does. */
    int64_t kept_since_ms;
    jtg_error *err;    /**< Of this call alone, or NULL. */
    bool reserved;     /**< Answer: the key is yours. True if and only if status is JTG_OK. */
    jtg_status status; /**< Answer: why. A zero that nobody has set reads as JTG_OK: go by
                            reserved. */
} jtg_reserve_call;

/** Initialiser of a jtg_reserve_call: asks for nothing, and is refused. */
#define JTG_RESERVE_CALL_INIT                                                                      \
    {                                                                                              \
        {NULL, 0, NULL, 0}, NULL, 0, JTG_KEPT_ANY, NULL, false, JTG_ERR_ARGUMENT                   \
    }

/** Make several reservations at once: each call is answered by itself, in `reserved` and `status`.
 *
 * It means the same as so many single calls in the order of the array: of two with one key the
 * second finds what the first has done. Other callers may come in between. One that is refused, be
 * it for its arguments, leaves the others as they are. Worth it where a call is a round trip: on a
 * Redis all keys that lie on one server share one.
 *
 * There is nothing to return that could be taken for the answer to all of them. Before anything
 * else each call is set to a refusal, whatever the array held.
 *
 * count: at most JTG_MANY_MAX; of more each is answered JTG_ERR_ARGUMENT. 0 does nothing.
 *
 * Owns:    calls borrowed, `reserved` and `status` overwritten; NULL does nothing, whatever count
 * is Threads: any, not two with one array   Blocks: memory, one partition's lock at a time ·
 * others, as long as one jtg_cache_reserve(); a backend without this operation, as count of them
 */
JTG_API void jtg_cache_reserve_many(jtg_cache *cache, jtg_reserve_call *calls, size_t count);

/** How many calls of jtg_cache_reserve_many() does this cache make in the time that one may take?
 *
 * For whoever has a deadline of their own: JTG_MANY_MAX, or 1 where they are made one after the
 * other; 0 for NULL.
 *
 * Threads: any   Blocks: never
 */
JTG_API size_t jtg_cache_at_once(const jtg_cache *cache);

/** Return the time since which no part of the store has lost an entry.
 *
 * Asks the store, so that a loss up to now is in the answer.
 *
 * Returns: JTG_OK and *kept_since_ms, wall clock, milliseconds since 1970 · JTG_ERR_UNSUPPORTED
 *          the cache does not watch its store · JTG_ERR_… as jtg_cache_reserve()
 * Owns:    kept_since_ms borrowed, set only with JTG_OK · err borrowed, may be NULL
 * Threads: any   Blocks: as jtg_cache_reserve()
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_cache_kept_since(jtg_cache *cache, int64_t *kept_since_ms,
                                                        jtg_error *err);

/** The moment since which the store has kept everything, as a number that no clock moves.
 *
 * To be noted with a value before it is put, and compared after it was read: another number says
 * that the store has lost something since, and may hold values again that were taken from it. A
 * greater one: it has noticed a loss. A smaller one: somebody has vouched for it since. It is no
 * time that could be told: jtg_cache_kept_since() is, and that one follows the wall clock where a
 * store keeps its moments by another one. INT64_MAX: a loss was noticed and is not dated yet.
 *
 * Returns: JTG_OK and *epoch · all else as jtg_cache_kept_since(), as which it is counted
 * Owns:    epoch borrowed, set only with JTG_OK · err borrowed, may be NULL
 * Threads: any   Blocks: as jtg_cache_reserve()
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_cache_epoch(jtg_cache *cache, int64_t *epoch,
                                                   jtg_error *err);

/** Give a reservation back, if this owner holds it, so that the key can be reserved anew.
 *
 * The next use needs a new owner: a release whose outcome was unknown may still arrive, and
 * would take a later reservation of the same owner with it.
 *
 * Returns: JTG_OK · JTG_NOT_FOUND (never reserved, ended, or released) · JTG_NOT_OWNER (it
 *          stays) · JTG_ERR_… as jtg_cache_reserve()
 * Owns:    key and owner borrowed for the call · err borrowed, may be NULL
 * Threads: any   Blocks: as jtg_cache_reserve()
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_cache_release(jtg_cache *cache, const jtg_key *key,
                                                     const jtg_owner *owner, jtg_error *err);

/** A value handed out: the library allocates it, the caller clears it. */
typedef struct jtg_value {
    unsigned char *data; /**< Owned by the caller; NULL when empty. */
    size_t data_len;     /**< Bytes. */
    uint64_t ttl_ms;     /**< What was left of its life when it was read, at least 1. */
} jtg_value;

/** Initialiser of a jtg_value: empty. */
#define JTG_VALUE_INIT                                                                             \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

/** Wipe and free what a jtg_value holds, and make it empty. NULL or empty does nothing.
 *
 * Threads: any   Blocks: never
 */
JTG_API void jtg_value_clear(jtg_value *value);

/** Push a value under a key; the newest `keep` stay, older ones are dropped.
 *
 * keep:      1 (replace) … JTG_KEEP_MAX.
 * value_len: 1 … JTG_VALUE_MAX_BYTES.
 * ttl_ms:    1 … JTG_TTL_MAX_MS, for this value alone.
 *
 * A call that fails leaves the key as it was.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_FULL · JTG_ERR_MEMORY · JTG_ERR_UNSUPPORTED
 *          (a backend without values) · the store's JTG_ERR_… as jtg_cache_reserve()
 * Owns:    key and value borrowed for the call (value is copied) · err borrowed, may be NULL
 * Threads: any   Blocks: as jtg_cache_reserve()
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_cache_put(jtg_cache *cache, const jtg_key *key,
                                                 const void *value, size_t value_len,
                                                 uint64_t ttl_ms, size_t keep, jtg_error *err);

/** Copy out the newest live value of a key; it stays.
 *
 * Returns: JTG_OK · JTG_NOT_FOUND · JTG_ERR_… as jtg_cache_put()
 * Owns:    value returned: overwritten, the caller calls jtg_value_clear(); it is made empty
 *          unless the answer is JTG_OK · key borrowed · err borrowed, may be NULL
 * Threads: any   Blocks: as jtg_cache_reserve()
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_cache_get(jtg_cache *cache, const jtg_key *key,
                                                 jtg_value *value, jtg_error *err);

/** Hand out the newest live value of a key and remove it in the same step.
 *
 * No value is ever handed out twice by this function, whoever asks. When the answer is
 * JTG_ERR_TIMEOUT the value may be gone; when it is JTG_ERR_MEMORY nothing was removed.
 *
 * All else as jtg_cache_get().
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_cache_take(jtg_cache *cache, const jtg_key *key,
                                                  jtg_value *value, jtg_error *err);

/** Compare and swap: replace all values of a key by one, if the newest is the expected one.
 *
 * expected NULL (expected_len 0): the key must hold no live value.
 * value NULL (value_len 0): the key's values are removed. Not both may be NULL.
 * ttl_ms: 1 … JTG_TTL_MAX_MS; 0 where value is NULL.
 *
 * Returns: JTG_OK · JTG_MISMATCH (nothing changed) · JTG_ERR_… as jtg_cache_put()
 * Owns:    key, expected and value borrowed (value is copied) · err borrowed, may be NULL
 * Threads: any   Blocks: as jtg_cache_reserve()
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_cache_swap(jtg_cache *cache, const jtg_key *key,
                                                  const void *expected, size_t expected_len,
                                                  const void *value, size_t value_len,
                                                  uint64_t ttl_ms, jtg_error *err);

/** Remove all values of a key. Reservations stay: see jtg_cache_release().
 *
 * Returns: JTG_OK · JTG_NOT_FOUND (no live value) · JTG_ERR_… as jtg_cache_put()
 * Owns:    key borrowed for the call · err borrowed, may be NULL
 * Threads: any   Blocks: as jtg_cache_reserve()
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_cache_drop(jtg_cache *cache, const jtg_key *key,
                                                  jtg_error *err);

/** Make a bitmap under a key that has none: so many bits, none of them taken.
 *
 * All of its memory is had now, so that taking a bit later needs none: a full store refuses here.
 *
 * bits:          1 … JTG_BITMAP_MAX_BITS.
 * ttl_ms:        1 … JTG_TTL_MAX_MS, from the call; it is never prolonged.
 * kept_since_ms: as jtg_reserve_call has it: what the caller will ask for when it takes a bit.
 *                JTG_KEPT_ANY where nothing needs to have been kept.
 *
 * Returns: JTG_OK · JTG_REPLAYED the key has a bitmap, which stays as it is · JTG_ERR_CONTINUITY
 *          (it may have been made all the same) · JTG_ERR_TIMEOUT (likewise) · JTG_ERR_UNSUPPORTED
 *          (a backend without bitmaps, or one that does not watch its store) · the others of
 *          jtg_cache_put()
 * Owns:    key borrowed for the call · err borrowed, may be NULL
 * Threads: any   Blocks: as jtg_cache_reserve()
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_cache_bitmap_put(jtg_cache *cache, const jtg_key *key,
                                                        uint32_t bits, uint64_t ttl_ms,
                                                        int64_t kept_since_ms, jtg_error *err);

/** One of several bits that are taken at once. Start from JTG_BITMAP_CALL_INIT; what is all zero
 * refuses too. Its layout is fixed, as that of jtg_reserve_call. */
typedef struct jtg_bitmap_call {
    jtg_key key;  /**< Of the bitmap. Its pointers are borrowed for the call, as err. */
    uint32_t bit; /**< Counted from 0. */
    int64_t
        kept_since_ms; /**< As jtg_reserve_call has it; JTG_KEPT_ANY where it does not matter. */
    jtg_error *err;    /**< Of this call alone, or NULL. */
    bool taken;        /**< Answer: the bit is yours. True if and only if status is JTG_OK. */
    jtg_status status; /**< Answer: why. Go by taken. */
} jtg_bitmap_call;

/** Initialiser of a jtg_bitmap_call: asks for nothing, and is refused. */
#define JTG_BITMAP_CALL_INIT                                                                       \
    {                                                                                              \
        {NULL, 0, NULL, 0}, 0, JTG_KEPT_ANY, NULL, false, JTG_ERR_ARGUMENT                         \
    }

/** Take bits of bitmaps, each for itself: of any number of callers, threads, processes and hosts,
 * one is ever told that a bit is his.
 *
 * There is no owner: one bit has no room for it. So nobody can ask again for what he was not told:
 * after JTG_ERR_TIMEOUT, JTG_ERR_CONTINUITY and JTG_ERR_REPLICAS the bit may be taken, and asking
 * again answers JTG_REPLAYED if it is.
 *
 * Each call is answered by itself, in `taken` and `status`, in the order of the array; before
 * anything else each is set to a refusal.
 *
 *   JTG_OK yours · JTG_REPLAYED taken before · JTG_NOT_FOUND there is no such bitmap, or it has
 *   ended, or has no such bit · JTG_ERR_CONTINUITY the store may have forgotten since kept_since_ms
 *   that it was taken · JTG_ERR_UNSUPPORTED · JTG_ERR_ARGUMENT · the others of
 *   jtg_cache_reserve_kept()
 *
 * count: at most JTG_MANY_MAX; of more each is answered JTG_ERR_ARGUMENT. 0 does nothing.
 *
 * Owns:    calls borrowed, `taken` and `status` overwritten; NULL does nothing
 * Threads: any, not two with one array   Blocks: as jtg_cache_reserve_many()
 */
JTG_API void jtg_cache_bitmap_take_many(jtg_cache *cache, jtg_bitmap_call *calls, size_t count);

/** Take one bit. Returns: as jtg_cache_bitmap_take_many() answers each of its calls.
 *
 * Owns:    key borrowed for the call · err borrowed, may be NULL
 * Threads: any   Blocks: as jtg_cache_reserve()
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_cache_bitmap_take(jtg_cache *cache, const jtg_key *key,
                                                         uint32_t bit, int64_t kept_since_ms,
                                                         jtg_error *err);

/** Count what this cache's namespace holds: reservations, plus keys that hold values, plus bitmaps.
 *
 * An upper bound: entries that have ended count until the store has removed them.
 *
 * Returns: JTG_OK · JTG_ERR_… as jtg_cache_reserve()
 * Owns:    count borrowed, set only with JTG_OK · err borrowed, may be NULL
 * Threads: any   Blocks: memory, each partition's lock in turn · redis, a walk of the key space
 *          in bounded steps within the deadline
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_cache_count(jtg_cache *cache, uint64_t *count,
                                                   jtg_error *err);

/** Forget everything in this cache's namespace, and nothing else.
 *
 * **Every token that was reserved can be admitted again.** Meant for token caches. Entries
 * that others add meanwhile may or may not stay.
 *
 * Returns: JTG_OK · JTG_ERR_… as jtg_cache_reserve() (some entries may be gone)
 * Owns:    err borrowed, may be NULL
 * Threads: any   Blocks: as jtg_cache_count()
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_cache_clear(jtg_cache *cache, jtg_error *err);

/** Remove what has ended from the store now, instead of at its next sweep.
 *
 * Nothing needs it: what has ended is absent for every operation. In memory it gives the places
 * back. A store that removes by itself what has ended, as Redis does, is not asked, and *removed is
 * 0.
 *
 * removed: entries and values that this call removed.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_FORKED · others, as the backend's header says
 * Owns:    removed borrowed, may be NULL, set only with JTG_OK · err borrowed, may be NULL
 * Threads: any   Blocks: memory, a pass of the sweep: one partition's lock at a time, given back
 * after each bounded step, so that other calls go on · redis, never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_cache_prune(jtg_cache *cache, uint64_t *removed,
                                                   jtg_error *err);

/** Can this cache reserve right now? Makes and removes a probe reservation of its own.
 *
 * Returns: JTG_OK it can · else what a reserve would have answered
 * Owns:    err borrowed, may be NULL
 * Threads: any   Blocks: as jtg_cache_reserve()
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_cache_ping(jtg_cache *cache, jtg_error *err);

/** Close and free a cache; joins its threads at once, without waiting for their intervals.
 *
 * cache is taken; NULL does nothing. No other call on it may be under way.
 * In a child made by fork() it frees what no thread of the parent can have been changing, leaves
 * the rest to the end of the process, and touches nothing of the parent's.
 *
 * Threads: one   Blocks: memory, one bounded step of the sweeper · redis, never on the network
 */
JTG_API void jtg_cache_free(jtg_cache *cache);

/** The operations that are counted. Values are part of the ABI. */
typedef enum jtg_operation {
    JTG_OP_RESERVE = 0,
    JTG_OP_RELEASE = 1,
    JTG_OP_PUT = 2,
    JTG_OP_GET = 3,
    JTG_OP_TAKE = 4,
    JTG_OP_SWAP = 5,
    JTG_OP_DROP = 6,
    JTG_OP_COUNT_ENTRIES = 7,
    JTG_OP_CLEAR = 8,
    JTG_OP_PING = 9,
    JTG_OP_KEPT_SINCE = 10, /* a reserve_kept is counted as a reserve, as each of many is */
    JTG_OP_PRUNE = 11,
    JTG_OP_BITMAP_PUT = 12,
    JTG_OP_BITMAP_TAKE = 13, /* each of many is counted */
    JTG_OPERATION_COUNT = 14 /**< Number of operations; grows, so never store it. */
} jtg_operation;

/** Name of an operation, e.g. "reserve"; "unknown" for a value that is none. Borrowed, static. */
JTG_API const char *jtg_operation_name(jtg_operation operation);

/** How often an operation gave an answer since the cache was made. Never goes back.
 *
 * Calls refused for their arguments are counted too.
 *
 * Returns: the number; 0 for NULL or a value that is no operation or status.
 * Threads: any; calls under way may not be in it   Blocks: never
 */
JTG_API uint64_t jtg_cache_counter(const jtg_cache *cache, jtg_operation operation,
                                   jtg_status status);

/** Name of the backend behind a cache, e.g. "memory". Borrowed until the cache is freed. */
JTG_API const char *jtg_cache_backend(const jtg_cache *cache);

#ifdef __cplusplus
}
#endif
#endif
