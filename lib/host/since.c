/* SPDX-License-Identifier: Apache-2.0 */
#include "host/since.h"

/* Another user's clock may have been read in this very millisecond. */
static int64_t later(int64_t now_ms)
{
    return now_ms + JTGI_HOST_LOOK_MS + 1;
}

void jtgi_host_since_date(struct jtgi_host_header *header, int64_t now_ms)
{
    atomic_store(&header->since_ms, later(now_ms));
}

jtg_status jtgi_host_since_read(struct jtgi_host_header *header,
                                const struct jtgi_lock_party *party, const jtg_clock *clock,
                                int64_t *since_ms)
{
    *since_ms = atomic_load_explicit(&header->since_ms, memory_order_acquire);
    if (*since_ms != JTGI_HOST_UNDATED)
        return JTG_OK;
    if (jtgi_lock_take(&header->dating, party) == JTGI_LOCK_BLOCKED)
        return JTG_ERR_BLOCKED;
    if (atomic_load(&header->since_ms) == JTGI_HOST_UNDATED)
        jtgi_host_since_date(header, jtgi_clock_monotonic_ms(clock));
    *since_ms = atomic_load(&header->since_ms);
    jtgi_lock_leave(&header->dating, party);
    return JTG_OK;
}

/* An heir has taken over what stands here, or is about to. */
static jtg_status take_unmoved(struct jtgi_host_header *header, const struct jtgi_lock_party *party)
{
    if (jtgi_lock_take(&header->dating, party) == JTGI_LOCK_BLOCKED)
        return JTG_ERR_BLOCKED;
    if (atomic_load(&header->moving) == 0)
        return JTG_OK;
    jtgi_lock_leave(&header->dating, party);
    return JTG_ERR_BLOCKED;
}

jtg_status jtgi_host_since_hold(struct jtgi_host_header *header,
                                const struct jtgi_lock_party *party)
{
    jtg_status status = take_unmoved(header, party);
    if (status != JTG_OK || atomic_load(&header->since_ms) != JTGI_HOST_UNDATED)
        return status;
    jtgi_lock_leave(&header->dating, party);
    return JTG_ERR_BLOCKED;
}

jtg_status jtgi_host_since_begin_loss(struct jtgi_host_header *header,
                                      const struct jtgi_lock_party *party, int64_t *before_ms)
{
    jtg_status status = take_unmoved(header, party);
    if (status == JTG_OK)
        *before_ms = atomic_exchange(&header->since_ms, JTGI_HOST_UNDATED);
    return status;
}

/* Later than before, also where that lies ahead: in the first second of a store. */
void jtgi_host_since_end_loss(struct jtgi_host_header *header, const struct jtgi_lock_party *party,
                              const jtg_clock *clock, int64_t before_ms)
{
    int64_t now_ms = jtgi_clock_monotonic_ms(clock);
    if (before_ms == JTGI_HOST_UNDATED)
        jtgi_host_since_date(header, now_ms);
    else
        atomic_store(&header->since_ms, (before_ms > now_ms ? before_ms : now_ms) + 1);
    jtgi_lock_leave(&header->dating, party);
}

jtg_status jtgi_host_since_vouch(struct jtgi_host_header *header,
                                 const struct jtgi_lock_party *party, const jtg_clock *clock,
                                 int64_t wall_ms, jtg_error *err)
{
    const struct jtgi_moment now = jtgi_moment_now(clock);
    if (wall_ms > now.wall_ms)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "host store: nothing is kept of the future");
    int64_t since_ms = 0;
    jtg_status status = jtgi_host_since_read(header, party, clock, &since_ms);
    if (status != JTG_OK)
        return status;
    jtgi_host_since_note(header, &now);
    int64_t vouched_ms = wall_ms <= 0 ? JTGI_HOST_EVER : wall_ms - atomic_load(&header->offset_ms);
    status = take_unmoved(header, party);
    if (status != JTG_OK)
        return status;
    if (vouched_ms < since_ms &&
        !atomic_compare_exchange_strong(&header->since_ms, &since_ms, vouched_ms))
        status = jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                               "host store: what it has kept changed meanwhile: look again");
    jtgi_lock_leave(&header->dating, party);
    return status;
}

void jtgi_host_since_note_offset(struct jtgi_host_header *header, int64_t offset_ms)
{
    int64_t greatest_ms = atomic_load_explicit(&header->offset_ms, memory_order_relaxed);
    while (offset_ms > greatest_ms &&
           !atomic_compare_exchange_weak(&header->offset_ms, &greatest_ms, offset_ms))
        continue;
}

/* The monotonic clock was read first: a stop between the two makes the distance too great, and the
 * time that is told too late. */
void jtgi_host_since_note(struct jtgi_host_header *header, const struct jtgi_moment *now)
{
    jtgi_host_since_note_offset(header, now->wall_ms - now->monotonic_ms);
}

int64_t jtgi_host_since_as_wall(const struct jtgi_host_header *header, int64_t monotonic_ms)
{
    if (monotonic_ms == JTGI_HOST_EVER)
        return 0;
    return monotonic_ms + atomic_load_explicit(&header->offset_ms, memory_order_relaxed);
}
