/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JTGI_TOKENS_FLIGHT_FLIGHT_H
#define JTGI_TOKENS_FLIGHT_FLIGHT_H

#include <jtiguard/anti_replay.h>

/* Read a caller's options, or the defaults where given is NULL, and check each that stands by
 * itself. The zone is set also where the caller gives none. */
jtg_status jtgi_anti_replay_options_read(jtg_anti_replay_options *options,
                                         const jtg_anti_replay_options *given, jtg_error *err);

/* Read a caller's flight, and check its times: all are then in ranges whose sums fit. */
jtg_status jtgi_flight_read(jtg_flight *flight, const jtg_flight *given,
                            const jtg_anti_replay_options *options, jtg_error *err);

#endif
