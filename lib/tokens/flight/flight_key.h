/* SPDX-License-Identifier: Apache-2.0 */
/* The key under which a flight is recorded. */
#ifndef JTGI_TOKENS_FLIGHT_FLIGHT_KEY_H
#define JTGI_TOKENS_FLIGHT_FLIGHT_KEY_H

#include <jtiguard/anti_replay.h>

enum { JTGI_FLIGHT_KEY_BYTES = 8 + 43 };

/* JTG_ERR_ARGUMENT where the mode's identity is missing or of a length that it cannot have. zone is
 * a string. */
jtg_status jtgi_flight_key_make(unsigned char key[JTGI_FLIGHT_KEY_BYTES], const char *zone,
                                jtg_anti_replay_mode mode, const jtg_flight *flight,
                                jtg_error *err);

#endif
