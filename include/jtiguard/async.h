/* SPDX-License-Identifier: Apache-2.0 */
/** @file async.h
 * The guard for programs with an event loop: no call waits.
 *
 * One descriptor and a queue. A token is submitted and answered at once, or gets a ticket; when the
 * descriptor is readable, jtg_async_process() goes on with all of them; what has ended is fetched
 * with jtg_async_next(). Nothing calls back into the program but its own clock and logger.
 *
 *     add jtg_async_fd() to the loop, for reading;
 *     jtg_async_admit(…)              whenever a token comes;
 *     on readable:  jtg_async_process(async);
 *                   while (jtg_async_next(async, &result)) …
 *
 * What is submitted in one turn of the loop leaves together, in one write. Each ticket ends exactly
 * once: with the store's answer, or when the store's timeout is over (redis.h: timeout_ms), or when
 * it is cancelled. One whose question had left is then JTG_REASON_OUTCOME_UNKNOWN, any other one
 * JTG_REASON_STORE_UNAVAILABLE. A loop that is busy elsewhere for longer than the timeout finds its
 * tickets ended, truthfully: with an answer that had come by then, or with one of these two.
 *
 * It decides as jtg_guard_admit() does, on the same guard, with the same keys, owners, continuity,
 * replicas and counters; both may be used side by side, by other threads too.
 *
 * Stores: those of memory.h and host.h answer at once; where a process was stopped inside a host
 * store, after its lock_wait_ms at most. On Redis one server that the options name,
 * at an address, by a name or on a unix socket, in clear or over TLS; with Sentinels and with a
 * Cluster jtg_async_new() answers JTG_ERR_UNSUPPORTED. A name is looked up on a thread of its own;
 * files of passwords and certificates are read when a connection is made. On a backend of the
 * program's own the calls are made at once, and wait as it does.
 *
 * Threads: one object belongs to one thread, that of its loop; it has no lock. A program with
 * several loops makes one for each, all on one guard. Fork:    in a child every call refuses or
 * does nothing; jtg_async_free() frees.
 */
#ifndef JTIGUARD_ASYNC_H
#define JTIGUARD_ASYNC_H

#include <jtiguard/guard.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A queue of tokens on their way. Opaque. */
typedef struct jtg_async jtg_async;

/** One of them. Never used twice by one object, in practice: 32 bits count each place of it. */
typedef uint64_t jtg_ticket;

#define JTG_TICKET_NONE UINT64_C(0) /**< It was answered at once. */
#define JTG_TICKET_ALL  UINT64_MAX  /**< For jtg_async_cancel(). */

/** What became of a token, or of one that was given back. Start from JTG_ASYNC_RESULT_INIT; what is
 * all zero is a refusal. Its layout is fixed. */
typedef struct jtg_async_result {
    jtg_ticket ticket;     /**< JTG_TICKET_NONE where it was answered at once. */
    void *context;         /**< As it was submitted. */
    bool admitted;         /**< True = admit; false = refuse, decision.reason says why. */
    bool is_release;       /**< It was given back: status is the answer, and decision is none. */
    jtg_status status;     /**< Of one that was given back: as of jtg_guard_release(). */
    jtg_decision decision; /**< As jtg_guard_admit() would have filled it. */
    jtg_error err;         /**< The detail of a store's failure. */
} jtg_async_result;

#define JTG_ASYNC_RESULT_INIT                                                                      \
    {                                                                                              \
        JTG_TICKET_NONE, NULL, false, false, JTG_ERR_UNAVAILABLE, JTG_DECISION_INIT,               \
            JTG_ERROR_INIT                                                                         \
    }

/** Make one.
 *
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_UNSUPPORTED (this store is not offered to a loop) ·
 *          JTG_ERR_MEMORY · JTG_ERR_SYSTEM (no descriptor) · JTG_ERR_FORKED
 * Owns:    *async returned, free with jtg_async_free(); NULL on failure · guard, and its cache,
 *          borrowed until then · err borrowed, may be NULL
 * Threads: any   Blocks: never
 */
JTG_API JTG_WARN_UNUSED jtg_status jtg_async_new(jtg_async **async, jtg_guard *guard,
                                                 jtg_error *err);

/** Free it. What is under way ends, and is counted, as by jtg_async_cancel() with JTG_TICKET_ALL;
 * to learn of each, call that and jtg_async_next() before. async is taken; NULL does nothing. */
JTG_API void jtg_async_free(jtg_async *async);

/** A descriptor that is readable when jtg_async_process() has something to do, and until
 * jtg_async_next() has given what has ended. It is the object's: wait for it, level-triggered, and
 * do nothing else with it.
 *
 * Returns: the descriptor; -1 for NULL
 * Threads: its own   Blocks: never
 */
JTG_API int jtg_async_fd(const jtg_async *async);

/** Milliseconds until jtg_async_process() has something to do even if no descriptor is ready: 0
 * now, -1 never. Only for who waits with other means than jtg_async_fd(), which needs no timer
 * beside it.
 *
 * Threads: its own   Blocks: never
 */
JTG_API int jtg_async_timeout_ms(const jtg_async *async);

/** Decide of a token, as jtg_guard_admit() does.
 *
 * Returns: JTG_TICKET_NONE = answered, result is filled · else a ticket: result says that the guard
 *          was not asked (JTG_REASON_UNDECIDED), and jtg_async_next() will give the answer
 * Owns:    claims borrowed for the call · context given back with the answer · result borrowed,
 *          overwritten; NULL is refused like a missing guard, and is answered
 * Threads: its own   Blocks: never
 * Source:  as jtg_guard_admit()
 */
JTG_API JTG_WARN_UNUSED jtg_ticket jtg_async_admit(jtg_async *async, const jtg_claims *claims,
                                                   void *context, jtg_async_result *result);

/** Give a reservation back, as jtg_guard_release() does. All else as jtg_async_admit(). */
JTG_API JTG_WARN_UNUSED jtg_ticket jtg_async_release(jtg_async *async,
                                                     const jtg_reservation *reservation,
                                                     void *context, jtg_async_result *result);

/** One of several tokens that are submitted at once: what jtg_async_admit() takes, and returns. */
typedef struct jtg_async_call {
    const jtg_claims *claims;
    void *context;
    jtg_async_result *result;
    jtg_ticket ticket; /**< Answer: as jtg_async_admit() returns it. */
} jtg_async_call;

/** Submit several: the same as so many calls of jtg_async_admit(), in the order of the array.
 *
 * Owns:    calls borrowed, `ticket` overwritten; NULL does nothing
 * Threads: its own   Blocks: never
 */
JTG_API void jtg_async_admit_many(jtg_async *async, jtg_async_call *calls, size_t count);

/** Go on with all that is under way. Call it when the descriptor is readable; to call it more often
 * does no harm, and right after the last submission of a turn it saves a wake-up.
 *
 * Threads: its own   Blocks: never
 */
JTG_API void jtg_async_process(jtg_async *async);

/** Fetch an answer, in the order in which they came: after jtg_async_process(), and after
 * jtg_async_cancel(), until there is none.
 *
 * Returns: true = result is filled · false = there is none; result then refuses
 * Owns:    result borrowed, overwritten
 * Threads: its own   Blocks: never
 */
JTG_API JTG_WARN_UNUSED bool jtg_async_next(jtg_async *async, jtg_async_result *result);

/** End a ticket now, or all of them (JTG_TICKET_ALL). jtg_async_next() gives what became of it:
 * unknown where its question had left. A ticket that has ended, or never was, is left alone.
 *
 * Threads: its own   Blocks: never
 */
JTG_API void jtg_async_cancel(jtg_async *async, jtg_ticket ticket);

#ifdef __cplusplus
}
#endif
#endif
