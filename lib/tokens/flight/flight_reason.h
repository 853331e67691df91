/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JTGI_TOKENS_FLIGHT_FLIGHT_REASON_H
#define JTGI_TOKENS_FLIGHT_FLIGHT_REASON_H

#include <jtiguard/anti_replay.h>

/* The reason with which an answer of the cache to a reserve is passed on. */
jtg_flight_reason jtgi_flight_reason_from_status(jtg_status status);

#endif
