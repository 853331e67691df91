/* SPDX-License-Identifier: Apache-2.0 */
/* A lock of one word, which may lie in memory that several processes share.
 *
 * It says who holds it: a place among the processes of the store, and which of those that had the
 * place so far. Where a process may die alone, whoever waits looks now and then whether the holder
 * still lives. A dead one's lock is taken over, and the taker is told so, for what the lock guards
 * may be half changed. A living one's never is: beyond the bound the waiter gives up.
 *
 * Not the C library's mutex. A process-shared one, also a robust one, compares thread ids, which
 * two PID namespaces give twice: an owner is taken for dead while it is inside. Its size and layout
 * differ by library, and a robust one keeps addresses of one process in the shared memory. */
#ifndef JTGI_TABLE_LOCK_H
#define JTGI_TABLE_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    JTGI_LOCK_PLACE_BITS = 13,
    JTGI_LOCK_GENERATION_BITS = 18,
    JTGI_LOCK_PLACE_MAX = (1 << JTGI_LOCK_PLACE_BITS) - 1,
    JTGI_LOCK_SLICE_MS = 5, /* of waiting, until the holder is looked at */
    JTGI_LOCK_HURRY_MS = 1  /* of who has waited in vain already in the same call */
};

/* Set beside the holder while somebody may be asleep. */
#define JTGI_LOCK_WAITERS (UINT32_C(1) << 31)

/* Who holds: place 1 … JTGI_LOCK_PLACE_MAX, and the generation modulo its bits. 0 = nobody. */
static inline uint32_t jtgi_lock_word(uint32_t place, uint32_t generation)
{
    return place | (generation & ((UINT32_C(1) << JTGI_LOCK_GENERATION_BITS) - 1))
                       << JTGI_LOCK_PLACE_BITS;
}

static inline uint32_t jtgi_lock_place(uint32_t word)
{
    return word & JTGI_LOCK_PLACE_MAX;
}

static inline uint32_t jtgi_lock_generation(uint32_t word)
{
    return (word & ~JTGI_LOCK_WAITERS) >> JTGI_LOCK_PLACE_BITS;
}

/* The part of a process in the locks of a store. */
struct jtgi_lock_party {
    uint32_t word;    /* held by me: jtgi_lock_word(), all threads of the process share it */
    bool shared;      /* the futex is between processes */
    uint32_t wait_ms; /* 0 = no bound (a private store) */
    /* Can the holder of this word never run again? Must be true for good once it is true, and false
     * in doubt. NULL = nobody dies alone. Called without a lock, by a waiter. */
    bool (*is_dead)(void *context, uint32_t word);
    void *context;
};

/* The same, in a hurry: one call may need many locks, and waits as long as a call may for one. */
static inline struct jtgi_lock_party jtgi_lock_hurried(const struct jtgi_lock_party *party)
{
    struct jtgi_lock_party hurried = *party;
    if (hurried.wait_ms > (uint32_t)JTGI_LOCK_HURRY_MS)
        hurried.wait_ms = JTGI_LOCK_HURRY_MS;
    return hurried;
}

enum jtgi_lock_answer {
    JTGI_LOCK_TAKEN,
    JTGI_LOCK_INHERITED, /* taken, and its holder died inside: repair first */
    JTGI_LOCK_BLOCKED    /* not taken: the holder lives and stayed inside beyond wait_ms */
};

/* The two below for a lock that is not free, or that somebody may wait for. */
enum jtgi_lock_answer jtgi_lock_wait(_Atomic uint32_t *lock, const struct jtgi_lock_party *party);
void jtgi_lock_wake(_Atomic uint32_t *lock, const struct jtgi_lock_party *party);

/* Without a wait: take it from a dead one, or from one that held my word before me. False: nobody
 * holds it, or a living one does. */
bool jtgi_lock_take_over(_Atomic uint32_t *lock, const struct jtgi_lock_party *party);

static inline enum jtgi_lock_answer jtgi_lock_take(_Atomic uint32_t *lock,
                                                   const struct jtgi_lock_party *party)
{
    uint32_t nobody = 0;
    if (atomic_compare_exchange_strong_explicit(lock, &nobody, party->word, memory_order_acquire,
                                                memory_order_relaxed))
        return JTGI_LOCK_TAKEN;
    return jtgi_lock_wait(lock, party);
}

static inline void jtgi_lock_leave(_Atomic uint32_t *lock, const struct jtgi_lock_party *party)
{
    if (atomic_exchange_explicit(lock, 0, memory_order_release) & JTGI_LOCK_WAITERS)
        jtgi_lock_wake(lock, party);
}

#endif
