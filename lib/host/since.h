/* SPDX-License-Identifier: Apache-2.0 */
/* Since when a store has kept everything.
 *
 * A new file has kept everything since it got its name, and a second: so long may a process go on
 * with the file that stood there before, and a millisecond, for times are whole ones. It is dated
 * after it got its name, by its maker; while it is undated the maker lives and holds the lock, or
 * whoever comes dates it. The same while everything is being removed.
 *
 * It is noted by the monotonic clock, and told by the wall clock with the greatest distance of the
 * two that anybody has seen: a clock that was late when the store was made dates it too early
 * otherwise. */
#ifndef JTGI_HOST_SINCE_H
#define JTGI_HOST_SINCE_H

#include "core/clock.h"
#include "host/header.h"
#include "table/lock.h"

enum { JTGI_HOST_LOOK_MS = 1000 /* how old a look at the path may be */ };

/* now: by the clock, read after the file got its name or everything was removed. */
void jtgi_host_since_date(struct jtgi_host_header *header, int64_t now_ms);

/* *since_ms by the monotonic clock; dates it where that was left undone.
 * Returns: JTG_OK · JTG_ERR_BLOCKED (who is about to date it does not) */
jtg_status jtgi_host_since_read(struct jtgi_host_header *header,
                                const struct jtgi_lock_party *party, const jtg_clock *clock,
                                int64_t *since_ms);

/* Keep it as it is while another file takes it over: between the two nothing changes it.
 * Returns: JTG_OK · JTG_ERR_BLOCKED (somebody changes it, or the file was moved) */
jtg_status jtgi_host_since_hold(struct jtgi_host_header *header,
                                const struct jtgi_lock_party *party);

/* What was kept before now counts no more. Between the two nothing is kept, so what is forgotten
 * may be removed; *before_ms goes from the one to the other. Returns: JTG_OK · JTG_ERR_BLOCKED
 * (also where the file was moved: what is told it is told nobody) */
jtg_status jtgi_host_since_begin_loss(struct jtgi_host_header *header,
                                      const struct jtgi_lock_party *party, int64_t *before_ms);
void jtgi_host_since_end_loss(struct jtgi_host_header *header, const struct jtgi_lock_party *party,
                              const jtg_clock *clock, int64_t before_ms);

/* An operator says that everything was kept since a time; never moves it forward.
 * Returns: JTG_OK · JTG_ERR_ARGUMENT (the future) · JTG_ERR_UNAVAILABLE (it has moved meanwhile) ·
 * JTG_ERR_BLOCKED */
jtg_status jtgi_host_since_vouch(struct jtgi_host_header *header,
                                 const struct jtgi_lock_party *party, const jtg_clock *clock,
                                 int64_t wall_ms, jtg_error *err);

/* Note the distance of the clocks now, and tell a moment of the monotonic one by the wall clock. */
void jtgi_host_since_note_offset(struct jtgi_host_header *header, int64_t offset_ms);
void jtgi_host_since_note(struct jtgi_host_header *header, const struct jtgi_moment *now);
int64_t jtgi_host_since_as_wall(const struct jtgi_host_header *header, int64_t monotonic_ms);

#endif
