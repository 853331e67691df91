/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8446 section 8.3. A client that got its ticket at (issued + round trip) by the server's
 * clock, and says that this was age ago, sent the flight at issued + round trip + age: the moment
 * at which it is expected. A flight that was copied carries the same age for ever, so it is
 * expected at the same moment for ever; a window after that it is no longer fresh, and its record
 * may go.
 *
 * Nothing here can overflow: now is within the years 1970 to 9999, issued is at most a margin
 * later, or it is refused first, and no other number is longer than fifty days.
 */
#include "tokens/flight/freshness.h"

static int64_t greatest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Servers' clocks differ by up to the margin, so that by this one's a flight may have been accepted
 * that much earlier than by the clock that judged it. */
jtg_flight_reason jtgi_freshness_judge(const jtg_anti_replay_options *options,
                                       const jtg_flight *flight, int64_t now_ms,
                                       struct jtgi_span *span, uint64_t *ttl_ms)
{
    int64_t window = options->window_ms;
    int64_t margin = options->margin_ms;
    span->earliest_ms = flight->issued_ms - margin;
    span->until_ms = flight->issued_ms + (int64_t)flight->lifetime_ms;
    if (now_ms < span->earliest_ms)
        return JTG_FLIGHT_TICKET_FROM_FUTURE;
    if (now_ms >= span->until_ms)
        return JTG_FLIGHT_TICKET_EXPIRED;

    if (flight->age_ms != JTG_TICKET_AGE_ABSENT) {
        int64_t expected = flight->issued_ms + (int64_t)flight->rtt_ms + (int64_t)flight->age_ms;
        if (now_ms < expected - window || now_ms >= expected + window)
            return JTG_FLIGHT_NOT_FRESH;
        if (options->mode != JTG_ANTI_REPLAY_SINGLE_USE) {
            span->earliest_ms = greatest(span->earliest_ms, expected - window - margin);
            span->until_ms = least(span->until_ms, expected + window);
        }
    }
    *ttl_ms = (uint64_t)(span->until_ms + margin - now_ms);
    span->kept_until_ms = span->until_ms + margin - (int64_t)flight->apart_ms;
    return JTG_FLIGHT_FIRST;
}
