/* SPDX-License-Identifier: Apache-2.0 */
/* The owner of a request, for a few seconds. A proxy that asks twice for one request does so soon,
 * and names the request by an id. The guard by itself would admit that owner until the token ends;
 * then an id that a client came to choose, through a proxy that passes it on, would be worth as
 * many uses as the client likes. So the time of the question is part of the owner: an id is
 * another owner in each slot of the wall clock, and a later question may name the slot before
 * its own. From its first admission on an id is admitted again for one slot at least and two
 * at most, wherever it is asked; instances whose clocks differ shorten or lengthen that by as
 * much. */
#ifndef SERVE_OWNER_WINDOW_H
#define SERVE_OWNER_WINDOW_H

#include "serve/settings/service_settings.h"

enum {
    OWNER_ID_MAX_BYTES = 512,
    /* So close before the next slot an instance whose clock is ahead may be in it already. */
    OWNER_CLOCKS_DIFFER_MS = 1000
};

/* For how long after a first admission the id can be admitted again, at most. */
int64_t owner_window_ms(int64_t slot_ms);

/* Whom to ask for, in this order, until one is not called a replay: the first is the one under
 * which a new token is stored. Their count, 1 … OWNER_CANDIDATES; 0: id is empty or too long. */
size_t owner_window_candidates(jtg_owner owners[OWNER_CANDIDATES], jtg_text id, int64_t wall_ms,
                               int64_t slot_ms);

#endif
