/* SPDX-License-Identifier: Apache-2.0 */
/* What is printed of a set of ticket keys: names and times, which every ticket shows, and no key.
 */
#ifndef TOOL_TICKET_KEYS_STATE_H
#define TOOL_TICKET_KEYS_STATE_H

#include <jtiguard/ticket_keys.h>

/* What a key may do at the time of the set: "next", "seals", "opens" or "over". */
const char *ticket_key_phase(const jtg_ticket_keys_state *state, const jtg_ticket_key_info *key);

/* Whether one of them may seal now. */
bool ticket_keys_seal(const jtg_ticket_keys_state *state);

/* Print it on standard output, oldest key first. False if that failed. */
bool ticket_keys_state_print(const jtg_ticket_keys_state *state, bool json);

#endif
