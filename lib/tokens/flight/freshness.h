/* SPDX-License-Identifier: Apache-2.0 */
/* Of a first flight's times: when it can be accepted, and how long that must be remembered. */
#ifndef JTGI_TOKENS_FLIGHT_FRESHNESS_H
#define JTGI_TOKENS_FLIGHT_FRESHNESS_H

#include "core/wall_clock.h"

#include <jtiguard/anti_replay.h>

/* JTG_FLIGHT_FIRST, the span, and how long the flight is to be remembered from now on, if the
 * flight is acceptable at now_ms, which is between the years 1970 and 9999; else why not. The span
 * is that of any server with these options: not before earliest_ms by this one's wall clock, before
 * until_ms by each server's own. Its kept_until_ms is how long the record of an earlier use lives
 * at the least. */
jtg_flight_reason jtgi_freshness_judge(const jtg_anti_replay_options *options,
                                       const jtg_flight *flight, int64_t now_ms,
                                       struct jtgi_span *span, uint64_t *ttl_ms);

#endif
