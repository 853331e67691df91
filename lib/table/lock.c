/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a lock word, and waking who waits.
 *
 * Who has slept takes the lock with the mark of waiters set, for others may sleep on; so one is
 * woken at a time, and each wakes the next. A process that dies between its leave and its wake
 * leaves sleepers that nobody wakes: they look again by themselves after each slice. */
#include "table/lock.h"

#include "core/clock.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LOOKS_BEFORE_SLEEP = 100, NS_PER_MS = 1000000 };

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

/* The system call takes two words of the machine, whatever the C library's timespec is: on 32 bits
 * that may have a longer first one. */
static void sleep_on(_Atomic uint32_t *lock, uint32_t seen, const struct jtgi_lock_party *party,
                     uint64_t ms)
{
    const long slice[] = {0, (long)ms * NS_PER_MS};
    int operation = party->shared ? FUTEX_WAIT : FUTEX_WAIT_PRIVATE;
    (void)syscall(SYS_futex, lock, operation, seen, slice, NULL, 0);
}

void jtgi_lock_wake(_Atomic uint32_t *lock, const struct jtgi_lock_party *party)
{
    int operation = party->shared ? FUTEX_WAKE : FUTEX_WAKE_PRIVATE;
    (void)syscall(SYS_futex, lock, operation, 1, NULL, NULL, 0);
}

/* True: seen was there until now, and mine is in its place. */
static bool replace(_Atomic uint32_t *lock, uint32_t seen, uint32_t mine)
{
    return atomic_compare_exchange_strong_explicit(lock, &seen, mine, memory_order_acquire,
                                                   memory_order_relaxed);
}

static bool spin(_Atomic uint32_t *lock, uint32_t mine)
{
    for (int look = 0; look < LOOKS_BEFORE_SLEEP; look++) {
        if (atomic_load_explicit(lock, memory_order_relaxed) == 0 && replace(lock, 0, mine))
            return true;
        relax();
    }
    return false;
}

/* One try to take it, or one slice of sleep. False: not yet taken. */
static bool take_or_sleep(_Atomic uint32_t *lock, const struct jtgi_lock_party *party,
                          uint64_t slice_ms)
{
    uint32_t seen = atomic_load_explicit(lock, memory_order_relaxed);
    if (seen == 0)
        return replace(lock, 0, party->word | JTGI_LOCK_WAITERS);
    if ((seen & JTGI_LOCK_WAITERS) != 0 || replace(lock, seen, seen | JTGI_LOCK_WAITERS))
        sleep_on(lock, seen | JTGI_LOCK_WAITERS, party, slice_ms);
    return false;
}

/* Exactly the word that was judged is replaced: who has taken the lock since is not robbed, and of
 * two that saw the dead one, one inherits. */
static bool inherit(_Atomic uint32_t *lock, const struct jtgi_lock_party *party)
{
    uint32_t seen = atomic_load_explicit(lock, memory_order_relaxed);
    return seen != 0 && party->is_dead != NULL &&
           party->is_dead(party->context, seen & ~JTGI_LOCK_WAITERS) &&
           replace(lock, seen, party->word | JTGI_LOCK_WAITERS);
}

/* Exactly the word that was judged is replaced. */
bool jtgi_lock_take_over(_Atomic uint32_t *lock, const struct jtgi_lock_party *party)
{
    uint32_t word = atomic_load(lock);
    uint32_t holder = word & ~JTGI_LOCK_WAITERS;
    if (holder == 0 || (holder != party->word &&
                        (party->is_dead == NULL || !party->is_dead(party->context, holder))))
        return false;
    return atomic_compare_exchange_strong(lock, &word, party->word | JTGI_LOCK_WAITERS);
}

enum jtgi_lock_answer jtgi_lock_wait(_Atomic uint32_t *lock, const struct jtgi_lock_party *party)
{
    if (spin(lock, party->word))
        return JTGI_LOCK_TAKEN;
    uint64_t now = (uint64_t)jtgi_clock_system_ms();
    uint64_t end = party->wait_ms == 0 ? UINT64_MAX : now + party->wait_ms;
    uint64_t next_look = now + JTGI_LOCK_SLICE_MS;
    while (now < end) {
        uint64_t until = next_look < end ? next_look : end;
        if (take_or_sleep(lock, party, until - now))
            return JTGI_LOCK_TAKEN;
        now = (uint64_t)jtgi_clock_system_ms();
        if (now < next_look)
            continue;
        if (inherit(lock, party))
            return JTGI_LOCK_INHERITED;
        next_look = now + JTGI_LOCK_SLICE_MS;
    }
    /* Who was stopped itself beyond the bound finds it free, as a rule. */
    if (replace(lock, 0, party->word | JTGI_LOCK_WAITERS))
        return JTGI_LOCK_TAKEN;
    return inherit(lock, party) ? JTGI_LOCK_INHERITED : JTGI_LOCK_BLOCKED;
}
