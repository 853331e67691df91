/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/answer/owner_window.h"

#include <stdio.h>
#include <string.h>

enum { SLOT_BYTES = 24 };

int64_t owner_window_ms(int64_t slot_ms)
{
    return 2 * slot_ms;
}

/* No id runs into the number: a colon ends it. */
static bool owner_of(jtg_owner *owner, jtg_text id, int64_t slot)
{
    char text[SLOT_BYTES + OWNER_ID_MAX_BYTES];
    int len = snprintf(text, SLOT_BYTES, "%lld:", (long long)slot);
    memcpy(text + len, id.data, id.data_len);
    return jtg_owner_from_bytes(owner, text, (size_t)len + id.data_len) == JTG_OK;
}

size_t owner_window_candidates(jtg_owner owners[OWNER_CANDIDATES], jtg_text id, int64_t wall_ms,
                               int64_t slot_ms)
{
    int64_t slot = wall_ms / slot_ms;
    bool near_next = slot_ms - wall_ms % slot_ms <= OWNER_CLOCKS_DIFFER_MS;
    if (id.data_len == 0 || id.data_len > OWNER_ID_MAX_BYTES)
        return 0;
    bool made = owner_of(&owners[0], id, slot) && owner_of(&owners[1], id, slot - 1) &&
                owner_of(&owners[2], id, slot + 1);
    if (!made)
        return 0;
    return near_next ? OWNER_CANDIDATES : OWNER_CANDIDATES - 1;
}
