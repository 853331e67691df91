/* SPDX-License-Identifier: Apache-2.0 */
/* Of a first flight's times: when it can be accepted, and how long that must be remembered. */
#ifndef JTGI_TOKENS_FRESHNESS_H
#define JTGI_TOKENS_FRESHNESS_H

#include <jtiguard/anti_replay.h>

/* When a flight can be accepted, were it not recorded, by any server with these options: by this
 * one's wall clock not before earliest_ms; by each server's own clock before until_ms. Milliseconds
 * since 1970. */
struct jtgi_fresh_span {
    int64_t earliest_ms;
    int64_t until_ms;
    int64_t kept_until_ms; /* until_ms and the margin */
};

/* JTG_FLIGHT_FIRST and the span if the flight is acceptable at now_ms, which is between the years
 * 1970 and 9999; else why not. */
jtg_flight_reason jtgi_freshness_judge(const jtg_anti_replay_options *options,
                                       const jtg_flight *flight, int64_t now_ms,
                                       struct jtgi_fresh_span *span);

#endif
