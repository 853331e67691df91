/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tickets/key_ring.h"

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"

#include <jtiguard/status.h>

enum { ATTEMPTS = 8, ATTEMPTS_ON_USE = 2, NEVER = -1 };

static int64_t monotonic_ms(const struct jtgi_key_ring *ring)
{
    return jtgi_clock_monotonic_ms(ring->store.clock);
}

jtg_status jtgi_key_ring_init(struct jtgi_key_ring *ring, jtg_error *err)
{
    if (pthread_mutex_init(&ring->lock, NULL) != 0)
        return jtg_error_set(err, JTG_ERR_SYSTEM, 0, "no lock to be had");
    if (pthread_cond_init(&ring->settled, NULL) != 0) {
        (void)pthread_mutex_destroy(&ring->lock);
        return jtg_error_set(err, JTG_ERR_SYSTEM, 0, "no lock to be had");
    }
    ring->is_fetching = false;
    ring->current = NULL;
    ring->last = JTG_NOT_FOUND;
    ring->loaded_ms = NEVER;
    ring->asked_ms = NEVER;
    atomic_init(&ring->due_ms, INT64_MIN);
    return JTG_OK;
}

/* A condition is not destroyed before its last waiter has left; a thread that waited in the parent
 * never leaves in the child. */
void jtgi_key_ring_clear(struct jtgi_key_ring *ring, bool in_child)
{
    jtgi_key_set_drop(ring->current);
    if (in_child)
        return;
    (void)pthread_cond_destroy(&ring->settled);
    (void)pthread_mutex_destroy(&ring->lock);
}

struct jtgi_key_set *jtgi_key_ring_hold(struct jtgi_key_ring *ring)
{
    (void)pthread_mutex_lock(&ring->lock);
    struct jtgi_key_set *set = ring->current != NULL ? jtgi_key_set_hold(ring->current) : NULL;
    (void)pthread_mutex_unlock(&ring->lock);
    return set;
}

struct jtgi_ring_news jtgi_key_ring_news(struct jtgi_key_ring *ring)
{
    int64_t now_ms = monotonic_ms(ring);
    (void)pthread_mutex_lock(&ring->lock);
    struct jtgi_ring_news news = {ring->last, UINT64_MAX};
    if (ring->loaded_ms != NEVER)
        news.loaded_ago_ms = now_ms > ring->loaded_ms ? (uint64_t)(now_ms - ring->loaded_ms) : 0;
    (void)pthread_mutex_unlock(&ring->lock);
    return news;
}

/* ---- fetching: one thread at a time ---- */

/* The key that seals has sealed so much that the next one should be ready. */
static bool is_worn(const struct jtgi_key_ring *ring, const struct jtgi_key_set *set)
{
    jtg_ticket_reason why;
    if (set == NULL)
        return false;
    struct jtgi_set_time now =
        jtgi_key_set_time(set, monotonic_ms(ring), jtgi_clock_wall_ms(ring->store.clock));
    const struct jtgi_set_entry *sealing = jtgi_key_set_sealing(set, &now, &why);
    return sealing != NULL &&
           atomic_load(&sealing->key->seals) >= ring->max_seals - ring->max_seals / 4;
}

/* Under the lock: what the store was asked for is known. The old set is dropped by the caller. */
static struct jtgi_key_set *settle_locked(struct jtgi_key_ring *ring, enum jtgi_key_wish wish,
                                          jtg_status status, struct jtgi_key_set *fresh)
{
    struct jtgi_key_set *old = NULL;
    int64_t retry_ms = ring->refresh_interval_ms < JTG_TICKET_RECHECK_MS ? ring->refresh_interval_ms
                                                                         : JTG_TICKET_RECHECK_MS;
    if (fresh != NULL) {
        old = ring->current;
        ring->current = fresh;
        ring->loaded_ms = ring->asked_ms;
    }
    if (wish != JTGI_KEYS_LOAD) {
        ring->last = status;
        atomic_store(&ring->due_ms,
                     ring->asked_ms + (status == JTG_OK ? ring->refresh_interval_ms : retry_ms));
    }
    ring->is_fetching = false;
    (void)pthread_cond_broadcast(&ring->settled);
    return old;
}

static void tell(const struct jtgi_key_ring *ring, jtg_status before, jtg_status now)
{
    if (now == before)
        return;
    if (now != JTG_OK)
        jtgi_log(ring->store.logger, JTG_LOG_WARNING, "ticket keys: refresh failed: %s",
                 jtg_status_text(now));
    else if (before != JTG_NOT_FOUND)
        jtgi_log(ring->store.logger, JTG_LOG_INFO, "ticket keys: refresh works again");
}

/* is_fetching is this thread's, so nobody else changes the set in use. */
static jtg_status fetch(struct jtgi_key_ring *ring, enum jtgi_key_wish wish, unsigned attempts,
                        jtg_error *err)
{
    struct jtgi_key_set *local = jtgi_key_ring_hold(ring);
    struct jtgi_key_set *fresh = NULL;
    int64_t asked_ms = monotonic_ms(ring);
    int cancel = 0;
    /* A thread that is cancelled in here would leave the others waiting for it. */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    bool is_hurried = wish == JTGI_KEYS_KEEP && is_worn(ring, local);
    jtg_status status = jtgi_key_store_sync(&ring->store, is_hurried ? JTGI_KEYS_HURRY : wish,
                                            attempts, local, &fresh, err);
    if (is_hurried && status == JTG_MISMATCH) { /* the next refresh does it */
        status = JTG_OK;
        jtgi_error_begin(err);
    }

    (void)pthread_mutex_lock(&ring->lock);
    jtg_status before = ring->last;
    ring->asked_ms = asked_ms;
    struct jtgi_key_set *old = settle_locked(ring, wish, status, fresh);
    (void)pthread_mutex_unlock(&ring->lock);
    if (wish != JTGI_KEYS_LOAD)
        tell(ring, before, status);
    jtgi_key_set_drop(old);
    jtgi_key_set_drop(local);
    (void)pthread_setcancelstate(cancel, NULL);
    return status;
}

static void wait_until_settled_locked(struct jtgi_key_ring *ring)
{
    int cancel = 0;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    while (ring->is_fetching)
        (void)pthread_cond_wait(&ring->settled, &ring->lock);
    (void)pthread_setcancelstate(cancel, NULL);
}

jtg_status jtgi_key_ring_refresh(struct jtgi_key_ring *ring, enum jtgi_key_wish wish,
                                 jtg_error *err)
{
    (void)pthread_mutex_lock(&ring->lock);
    wait_until_settled_locked(ring);
    ring->is_fetching = true;
    (void)pthread_mutex_unlock(&ring->lock);
    return fetch(ring, wish, ATTEMPTS, err);
}

void jtgi_key_ring_refresh_if_due(struct jtgi_key_ring *ring)
{
    int64_t now_ms = monotonic_ms(ring);
    if (now_ms < atomic_load_explicit(&ring->due_ms, memory_order_relaxed))
        return;
    (void)pthread_mutex_lock(&ring->lock);
    bool is_mine = !ring->is_fetching && now_ms >= atomic_load(&ring->due_ms);
    ring->is_fetching = ring->is_fetching || is_mine;
    (void)pthread_mutex_unlock(&ring->lock);
    if (is_mine)
        (void)fetch(ring, JTGI_KEYS_KEEP, ATTEMPTS_ON_USE, NULL);
}

/* The attack: tickets with invented key names, to have the store asked for each. It is asked once
 * in JTG_TICKET_RECHECK_MS, and then every key is known that was published before. Who has waited
 * for another thread looks at the time again: that one may have asked long ago, and was stopped
 * since. */
bool jtgi_key_ring_recheck(struct jtgi_key_ring *ring)
{
    (void)pthread_mutex_lock(&ring->lock);
    bool was_busy = ring->is_fetching;
    wait_until_settled_locked(ring);
    int64_t asked_ms = ring->asked_ms;
    (void)pthread_mutex_unlock(&ring->lock);
    if (asked_ms != NEVER && monotonic_ms(ring) - asked_ms < JTG_TICKET_RECHECK_MS)
        return was_busy;

    (void)pthread_mutex_lock(&ring->lock);
    bool is_mine = !ring->is_fetching && ring->asked_ms == asked_ms;
    if (is_mine)
        ring->is_fetching = true;
    else
        wait_until_settled_locked(ring);
    (void)pthread_mutex_unlock(&ring->lock);
    if (is_mine)
        (void)fetch(ring, JTGI_KEYS_LOAD, 1, NULL);
    return true;
}
